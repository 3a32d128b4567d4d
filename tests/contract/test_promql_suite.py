"""The engine holds against Prometheus' own PromQL cases, file by file.

`HOLDS` in promql_counts.py says how many cases of each file pass; fewer is a loss, more means the
number is to be raised. Cases that need what the engine does not have would be counted apart.
"""

import math
import re
from collections import Counter
from pathlib import Path
from typing import NoReturn

import numpy as np
import promqltest
import pytest
from promql_counts import HOLDS, REFUSED

from workbench.engine import Engine, Evaluation
from workbench.errors import NotSupportedError, WorkbenchError
from workbench.frame import Frame
from workbench.native import Histogram
from workbench.samples import Samples

SUITE = Path(__file__).parents[3] / "shared" / "promqltest"
PLACE = re.compile(r" \(\d+:\d+\)")
CLOSE = 1e-6


class DiffersError(AssertionError):
    """A case gave something else than it must."""


def differs(how: str) -> NoReturn:
    raise DiffersError(how)


def outcome(case: promqltest.Case) -> str:
    """``passed``, or why the case is set apart; raises `DiffersError` where it fails."""
    engine = Engine(case.storage)
    try:
        if case.instant:
            got = engine.instant(case.query, case.start_ms)
        else:
            got = engine.range(case.query, case.start_ms, case.end_ms, case.step_ms)
    except NotSupportedError as error:
        return f"set apart: {error}"
    except WorkbenchError as error:
        return check_failure(case, error)
    if case.fails:
        differs("it should have failed")
    check_notes(case, got)
    check_data(case, got)
    if case.instant and isinstance(got.data, Frame) and not case.ordered and case.text is None:
        check_range_agrees(case, got.data, engine)
    return "passed"


def check_failure(case, error):
    if not case.fails:
        differs(f"it failed: {error}")
    kind, _, wanted = case.fail_text.partition(":")
    said = str(error)
    if (kind == "msg" and wanted.strip() not in said) or (
        kind == "regex" and not re.search(wanted.strip(), said)
    ):
        differs(f"it said {said!r}, not {case.fail_text!r}")
    return "passed"


def check_notes(case, got: Evaluation):
    said = {"warn": got.warnings, "info": got.infos}
    for kind, rest in case.notes:
        if kind.startswith("no_"):
            if said[kind[3:]]:
                differs(f"{kind}, but it said {said[kind[3:]]}")
            continue
        form, _, wanted = rest.partition(":")
        wanted = PLACE.sub("", wanted.strip()).replace(r" \(1:25\)", "").replace(r" \(1:21\)", "")
        wanted = wanted.replace(r" \([0-9]+:[0-9]+\)", "")
        if form == "msg":
            fits = wanted in said[kind]
        elif form == "regex":
            fits = any(re.search(wanted, each) for each in said[kind])
        else:
            fits = bool(said[kind])
        if not fits:
            differs(f"{kind} {rest!r}, but it said {said[kind]}")


def close(a: float, b: float) -> bool:
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) / min(abs(a) + abs(b), 1.8e308) < CLOSE


def sample(data: Frame, row: int, step: int):
    """What a frame holds at one place: a number, a histogram, or None."""
    if not data.present[row, step]:
        return None
    native = data.histograms.get((row, step))
    return data.values[row, step].item() if native is None else native.sample


def alike(got, wanted) -> bool:
    """Whether two samples agree, histograms without their empty buckets."""
    if isinstance(got, Histogram) != isinstance(wanted, promqltest.Expected):
        return False
    if not isinstance(got, Histogram):
        return close(got, wanted)
    other = wanted.histogram
    if wanted.names_hint and got.hint is not other.hint:
        return False
    if got.schema != other.schema or got.custom_values != other.custom_values:
        return False
    pairs = [
        (got.count, other.count),
        (got.sum, other.sum),
        (got.zero_threshold, other.zero_threshold),
        (got.zero_count, other.zero_count),
    ]
    full, wanted_full = got.compact(), other.compact()
    for mine, theirs in (
        (full.positive, wanted_full.positive),
        (full.negative, wanted_full.negative),
    ):
        if mine.index.tolist() != theirs.index.tolist():
            return False
        pairs += zip(mine.counts.tolist(), theirs.counts.tolist(), strict=True)
    return all(close(a, b) for a, b in pairs)


def key(labels) -> tuple:
    return tuple(sorted(labels.items()))


def check_data(case, got: Evaluation):
    data = got.data
    if case.text is not None:
        assert isinstance(data, Frame)
        if data.text != case.text:
            differs(f"text {data.text!r}")
        return
    if case.range_vector is not None:
        check_samples(case, data)
        return
    assert isinstance(data, Frame), data
    if case.scalar is not None:
        if data.kind != "scalar" or not close(data.values[0, 0].item(), case.scalar):
            differs(f"got {data.to_api()}")
        return
    wanted = {key(labels): values for labels, values in case.series}
    if case.ordered and [key(x) for x in data.labels] != [key(x) for x, _ in case.series]:
        differs(f"order {data.to_api()}")
    if len(set(map(key, data.labels))) != len(data.labels):
        differs(f"twins {data.to_api()}")
    if not case.instant:
        wanted = {k: v for k, v in wanted.items() if any(x is not None for x in v)}
    if set(map(key, data.labels)) != set(wanted):
        differs(f"got {data.to_api()}")
    for row, labels in enumerate(data.labels):
        padded = [*wanted[key(labels)], *[None] * len(data.times_ms)]
        for step, value in enumerate(padded[: len(data.times_ms)]):
            got = sample(data, row, step)
            if (got is None) != (value is None) or (value is not None and not alike(got, value)):
                differs(f"got {data.to_api()}")


def check_samples(case, data):
    assert isinstance(data, Samples)
    start, end, step = case.range_vector
    grid = np.arange(start, end + 1, step)
    wanted = {}
    for labels, values in case.series:
        points = zip(grid.tolist(), values, strict=False)
        wanted[key(labels)] = [(t, v) for t, v in points if v is not None]
    got = {}
    for i, (labels, times, values) in enumerate(data):
        points = values.tolist()
        if data.histograms is not None:
            native = data.histograms[data.offsets[i] : data.offsets[i + 1]].tolist()
            points = [v if h is None else h for v, h in zip(points, native, strict=True)]
        got[key(labels)] = list(zip(times.tolist(), points, strict=True))
    if {k: [t for t, _ in rows] for k, rows in got.items()} != {
        k: [t for t, _ in rows] for k, rows in wanted.items()
    } or not all(
        alike(a, b) for k in got for (_, a), (_, b) in zip(got[k], wanted[k], strict=True)
    ):
        differs(f"got {got}")


def check_range_agrees(case, instant: Frame, engine: Engine):
    """The middle step of a range query around the moment gives what the instant query gave."""
    if re.search(r"\b(step|range|start|end)\(\)", case.query):
        return
    minute = 60_000
    data = engine.range(case.query, case.start_ms - minute, case.start_ms + minute, minute).data
    assert isinstance(data, Frame)
    middle = {key(x): sample(data, i, 1) for i, x in enumerate(data.labels) if data.present[i, 1]}
    wanted = {key(x): sample(instant, i, 0) for i, x in enumerate(instant.labels)}
    if set(middle) != set(wanted) or not all(
        close(middle[k], v)
        if isinstance(v, float)
        else alike(middle[k], promqltest.Expected(v, names_hint=True))
        for k, v in wanted.items()
    ):
        differs(f"the range query gives {middle}, the instant query {wanted}")


@pytest.mark.skipif(not SUITE.is_dir(), reason="../shared/promqltest is not there")
@pytest.mark.parametrize("name", sorted(HOLDS))
def test_cases_hold(name: str) -> None:
    """As many of the file's cases pass as are written down, no fewer and no more."""
    counts: Counter[str] = Counter()
    failures = []
    for case in promqltest.cases(SUITE / name):
        try:
            counts[outcome(case)] += 1
        except AssertionError as error:
            failures.append(f"{name}:{case.line}: {case.query}\n    {error}")
    found = counts["passed"], counts.total() - counts["passed"]
    assert not failures, "\n".join(failures)
    assert found[0] <= HOLDS[name][0], f"more cases pass: raise the numbers of {name} to {found}"
    assert found == HOLDS[name], f"cases were lost: {name} has {found}"


@pytest.mark.skipif(not SUITE.is_dir(), reason="../shared/promqltest is not there")
def test_every_file_is_counted() -> None:
    """No file of the suite is left out."""
    assert {path.name for path in SUITE.glob("*.test")} == set(HOLDS)


@pytest.mark.parametrize(("expression", "name"), REFUSED)
def test_what_is_missing_is_refused_by_name(expression: str, name: str) -> None:
    """Each entry of the page's list is refused, in these words; and nobody is left helpless."""
    storage = promqltest.Loaded()
    storage.load(
        60_000, ['m{a="1"} 1 2 3', "h {{schema:0 sum:1 count:1 buckets:[1]}}x3"], with_nhcb=False
    )
    with pytest.raises(NotSupportedError, match=f"^not supported: {re.escape(name)}") as caught:
        Engine(storage).instant(expression, 120_000)
    assert caught.value.mend
