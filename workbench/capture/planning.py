"""What a capture would ask: series listed, samples estimated, questions cut to size."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from workbench.errors import InputError, QueryError, TooExpensiveError
from workbench.promql.build import render_selector
from workbench.promql.condition import one_of
from workbench.promql.matcher import Matcher
from workbench.promql.parsing import parse
from workbench.promql.tree import VectorSelector
from workbench.samples import Labels, MetricType, Samples
from workbench.sources.base import Source
from workbench.units import format_duration
from workbench.window import Window, format_time

__all__ = ["ASSUMED_INTERVAL_MS", "LEAST_MS", "Batch", "CapturePlan", "matchers_of", "plan"]

ASSUMED_INTERVAL_MS: Final = 15_000
"""How far apart samples are thought to be where counting them gave nothing."""

LEAST_MS: Final = 1_000
"""A question is not cut into pieces shorter than this."""

_ANSWER_SAMPLES: Final = 1_000_000
"""Samples of one answer: about 25 MB of JSON."""

_BATCH_SAMPLES: Final = 2_000_000
"""Samples of one batch: 32 MB in memory, what is asked again after a failure, and half a file."""

_HISTOGRAM_WEIGHT: Final = 16
"""A native histogram takes as much memory, and as much of an answer, as so many floats."""

_CLASSIC: Final = ("_bucket", "_sum", "_count", "_gsum", "_gcount", "_total", "_created", "_info")
"""Metrics that are so named are floats by convention."""

_BATCH_METRICS: Final = 100
_CONDITION_CHARACTERS: Final = 12_000
"""Of one condition: VictoriaMetrics refuses queries above 16,384."""
_PROBED_METRICS: Final = 3


@dataclass(frozen=True, slots=True)
class Batch:
    """Some metrics, asked for together.

    Parameters
    ----------
    selector
        PromQL that selects them.
    series, samples
        How many there are: series by the source's word, samples estimated.
    pieces
        ``(after, until)`` in milliseconds since the epoch; the left end does not belong to it.
    """

    selector: str
    series: int
    samples: int
    pieces: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class CapturePlan:
    """What a capture would ask, to be shown before it does.

    Parameters
    ----------
    source
        The source's name.
    selectors
        As they were given.
    start_ms, end_ms
        Both included.
    batches
        What is asked, in this order.
    names
        Metrics that the selectors meet.
    """

    source: str
    selectors: tuple[str, ...]
    start_ms: int
    end_ms: int
    batches: tuple[Batch, ...]
    names: tuple[str, ...]

    @property
    def queries(self) -> int:
        """How many queries it takes."""
        return sum(len(batch.pieces) for batch in self.batches)

    @property
    def series(self) -> int:
        """How many series there are."""
        return sum(batch.series for batch in self.batches)

    @property
    def samples(self) -> int:
        """How many samples there are, estimated from a few short stretches of the window."""
        return sum(batch.samples for batch in self.batches)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "source": self.source,
            "selectors": list(self.selectors),
            "start": format_time(self.start_ms),
            "end": format_time(self.end_ms),
            "metrics": len(self.names),
            "queries": self.queries,
            "series": self.series,
            "estimated_samples": self.samples,
        }


def plan(source: Source, selectors: Sequence[str], start_ms: int, end_ms: int) -> CapturePlan:
    """Find out what a capture would ask: a list of series and a few short counts.

    Parameters
    ----------
    source
        Where the samples are.
    selectors
        Vector selectors, such as ``{job="api"}`` or ``up``.
    start_ms, end_ms
        The window, both ends included, in milliseconds since the epoch.

    Raises
    ------
    InputError
        The end is before the start, or nothing meets the selectors in the window.
    QueryError
        A selector is something else.
    SourceError
        The source could not answer.
    """
    Window(start_ms, end_ms, 1)
    if not selectors:
        msg = "no selector is given"
        raise InputError(msg, 'say what to copy, such as {job="api"}')
    batches: list[Batch] = []
    names: set[str] = set()
    types = {each.name: each.type for each in source.metrics()}
    known: set[frozenset[tuple[str, str]]] = set()
    for selector in dict.fromkeys(selectors):
        matchers = matchers_of(selector)
        # Selectors may overlap: what an earlier one meets is not asked for again.
        found = {frozenset(x.items()): x for x in source.series([selector], start_ms, end_ms)}
        fresh = [labels for key, labels in found.items() if key not in known]
        known |= found.keys()
        by_name: dict[str, list[Labels]] = {}
        for labels in fresh:
            by_name.setdefault(labels.get("__name__", ""), []).append(labels)
        if by_name:
            counts = Counter({name: len(each) for name, each in by_name.items()})
            samples = _estimate(source, matchers, counts, (start_ms, end_ms))
            each = samples / len(fresh)
            groups = _by_weight(by_name, _native(source, matchers, counts, types, end_ms))
            selected = selector if len(fresh) == len(found) and len(groups) == 1 else ""
            for weight, group in groups.items():
                size = each, weight
                batches += _batches(selected, matchers, group, size, (start_ms - 1, end_ms))
            names |= set(by_name)
    if not batches:
        msg = f"no series meets {', '.join(selectors)} from {format_time(start_ms)} to {format_time(end_ms)}"
        raise InputError(msg, "check the selectors and the window")
    return CapturePlan(
        source=source.info().name,
        selectors=tuple(selectors),
        start_ms=start_ms,
        end_ms=end_ms,
        batches=tuple(batches),
        names=tuple(sorted(names)),
    )


def _native(
    source: Source,
    matchers: tuple[Matcher, ...],
    sizes: Counter[str],
    types: Mapping[str, MetricType],
    end_ms: int,
) -> set[str]:
    """Metrics that may be native histograms: their answers are long, so fewer are asked at once.

    A series under the bare name of a histogram's family is one. Of metrics whose type is not known,
    such as a rule records, some together are counted: where there are any, all may be.
    """
    histograms = (MetricType.HISTOGRAM, MetricType.GAUGEHISTOGRAM)
    found = {name for name in sizes if types.get(name) in histograms}
    unknown = {
        name: sizes[name]
        for name in sorted(sizes)
        if types.get(name) in {None, MetricType.UNKNOWN} and not name.endswith(_CLASSIC)
    }
    conditions = [m for m in matchers if m.name != "__name__" or m.op != "="]
    for held in _packed(unknown, sizes.total(), _BATCH_METRICS):
        condition = one_of(held)
        named = Matcher("__name__", condition.op, condition.value)
        expression = f"count(histogram_count({render_selector((named, *conditions))}))"
        try:
            data = source.query(expression, end_ms).data
        except QueryError as error:  # metrics become alike without their names; or none knows it
            any_native = "same labelset" in error.what
        except TooExpensiveError:
            any_native = True
        else:
            any_native = bool(len(data))
        if any_native:
            found.update(held)
    return found


def _by_weight(
    by_name: dict[str, list[Labels]], native: set[str]
) -> dict[int, dict[str, list[Labels]]]:
    """Metrics divided by what their samples weigh."""
    groups: dict[int, dict[str, list[Labels]]] = {}
    for name, series in by_name.items():
        weight = _HISTOGRAM_WEIGHT if name in native else 1
        groups.setdefault(weight, {})[name] = series
    return groups


def matchers_of(selector: str) -> tuple[Matcher, ...]:
    """The conditions of a selector that is nothing but a selector."""
    node = parse(selector)
    if not isinstance(node, VectorSelector) or not node.is_plain or node.alternatives:
        msg = f"{selector!r} is not a selector of series"
        raise QueryError(msg, 'give a metric or conditions, such as up or {job="api"}')
    return tuple(sorted(node.matchers))


def _estimate(
    source: Source,
    matchers: tuple[Matcher, ...],
    by_name: Counter[str],
    window: tuple[int, int],
) -> int:
    """Samples of a selector in the window, from short stretches of its largest metrics.

    Each metric is counted by itself: `count_over_time` drops the name, after which series of
    several metrics could have the same labels, which is an error.
    """
    start_ms, end_ms = window
    span = end_ms - start_ms + 1
    probe = min(span, max(300_000, min(span // 20, 6 * 3_600_000)))
    moments = {end_ms, start_ms + probe, (start_ms + end_ms) // 2} if span > probe else {end_ms}
    conditions = [m for m in matchers if m.name != "__name__" or m.op != "="]
    counts, series = 0.0, 0
    for name, many in by_name.most_common(_PROBED_METRICS):
        text = render_selector((Matcher("__name__", "=", name), *conditions))
        expression = f"sum(count_over_time({text}[{format_duration(probe)}]))"
        try:
            answers = [source.query(expression, moment).data for moment in moments]
        except TooExpensiveError:
            continue
        series += many
        for data in answers:
            values = data.values if isinstance(data, Samples) else data.values[data.present]
            counts += float(values.sum()) / len(moments)
    all_series = by_name.total()
    estimate = round(counts * span / probe * all_series / series) if series else 0
    return estimate or all_series * (span // ASSUMED_INTERVAL_MS + 1)


def _batches(
    selector: str,
    matchers: tuple[Matcher, ...],
    by_name: dict[str, list[Labels]],
    size: tuple[float, int],
    window: tuple[int, int],
) -> Iterator[Batch]:
    """Metrics put together, or one metric's series divided, so that each batch can be held.

    Parameters
    ----------
    selector
        Text that selects all of it; empty where it selects more.
    size
        Samples of a series, and how many floats each of them weighs.
    """
    each, weight = size
    most = max(1, int(_BATCH_SAMPLES / (each * weight))) if each else len(by_name)
    named = any(m.name == "__name__" and m.op == "=" for m in matchers)
    sizes = {name: len(by_name[name]) for name in sorted(by_name)}
    for held in _packed(sizes, most, _BATCH_METRICS):
        condition = one_of(held)
        start = (Matcher("__name__", condition.op, condition.value), *matchers)
        if named or (selector and len(held) == len(by_name)):
            start = matchers
        series = [labels for name in held for labels in by_name[name]]
        for part, members in _divided(start, series, most):
            text = selector if selector and part == matchers else render_selector(part)
            share = round(each * len(members))
            yield Batch(text, len(members), share, _pieces(share * weight, *window))


def _packed(sizes: dict[str, int], most: int, most_texts: int) -> Iterator[list[str]]:
    """Put names or values together as long as they and their series are not too many, in order."""
    held: list[str] = []
    series = characters = 0
    for text, size in sizes.items():
        full = series + size > most or characters + len(text) > _CONDITION_CHARACTERS
        if held and (full or len(held) == most_texts):
            yield held
            held, series, characters = [], 0, 0
        held.append(text)
        series += size
        characters += len(text) + 1
    if held:
        yield held


def _divided(
    matchers: tuple[Matcher, ...], series: list[Labels], most: int
) -> Iterator[tuple[tuple[Matcher, ...], list[Labels]]]:
    """Divide series by the values of a label until they are few enough, where they differ."""
    label = _dividing_label(series, most) if len(series) > most else ""
    if not label:
        yield matchers, series
        return
    by_value: dict[str, list[Labels]] = {}
    for labels in series:
        by_value.setdefault(labels.get(label, ""), []).append(labels)
    sizes = {value: len(by_value[value]) for value in sorted(by_value)}
    for held in _packed(sizes, most, most):
        condition = one_of(held)
        part = (*matchers, Matcher(label, condition.op, condition.value))
        yield from _divided(part, [x for value in held for x in by_value[value]], most)


def _dividing_label(series: list[Labels], most: int) -> str:
    """The label with the fewest values that divide finely enough; else the one that divides best."""
    best, name = (len(series), 0), ""
    for label in sorted({key for labels in series for key in labels}):
        sizes = Counter(labels.get(label, "") for labels in series)
        largest = max(sizes.values())
        if len(sizes) > 1 and (rank := (max(largest, most), len(sizes))) < best:
            best, name = rank, label
    return name


def _pieces(samples: int, after: int, until: int) -> tuple[tuple[int, int], ...]:
    """Cut a window so that each answer holds about a million samples."""
    count = max(1, min(-(-samples // _ANSWER_SAMPLES), (until - after) // LEAST_MS))
    cuts = [after + (until - after) * i // count for i in range(count + 1)]
    return tuple(itertools.pairwise(cuts))
