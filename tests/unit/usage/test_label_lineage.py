"""What lineage says of labels, held against the engine: a label without use can be summed away."""

from __future__ import annotations

import itertools
import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine import Engine
from workbench.errors import WorkbenchError
from workbench.promql import parse
from workbench.samples import Samples
from workbench.store.memory import MemoryStore
from workbench.usage import LabelRole
from workbench.usage.demand import EVERYTHING
from workbench.usage.holes import NO_HOLES
from workbench.usage.lineage import readings

LABELS = ("a", "b", "c")
TIMES = np.arange(0, 1_260_000, 60_000)
END_MS = 1_200_000


def _series(metric: str, values: dict[tuple[str, ...], np.ndarray]) -> list:
    rows = []
    for labels, samples in values.items():
        names = {n: v for n, v in zip(LABELS, labels, strict=True) if v}
        rows.append(({"__name__": metric, **names}, TIMES, samples))
    return rows


def _data(seed: int) -> dict[str, dict[tuple[str, ...], np.ndarray]]:
    """Counters that never reset and start high, so that a rate of a sum is the sum of the rates."""
    rng = random.Random(seed)
    data: dict[str, dict[tuple[str, ...], np.ndarray]] = {}
    for metric, last in (("x", "12"), ("y", " ")):
        data[metric] = {
            (a, b, c.strip()): rng.randint(10**6, 2 * 10**6)
            + np.cumsum([rng.randint(1, 9) for _ in TIMES]).astype(float)
            for a, b, c in itertools.product("12", "12", last)
        }
    return data


def _summed(values: dict[tuple[str, ...], np.ndarray], label: str) -> dict:
    place = LABELS.index(label)
    result: dict[tuple[str, ...], np.ndarray] = {}
    for labels, samples in values.items():
        key = (*labels[:place], "", *labels[place + 1 :])
        result[key] = result.get(key, 0.0) + samples
    return result


def _answer(data: dict, expression: str) -> dict[tuple, float] | None:
    rows = [row for metric, values in data.items() for row in _series(metric, values)]
    try:
        frame = Engine(MemoryStore(Samples.from_series(rows))).instant(expression, END_MS).data
    except WorkbenchError:
        return None
    return {
        tuple(sorted(labels.items())): float(value)
        for labels, value in zip(frame.labels, frame.values[:, 0], strict=True)
    }


def _same(one: dict | None, other: dict | None) -> bool:
    if one is None or other is None or one.keys() != other.keys():
        return False
    return all(
        (math.isnan(one[k]) and math.isnan(other[k]))
        or math.isclose(one[k], other[k], rel_tol=1e-6, abs_tol=1e-6)
        for k in one
    )


_names = st.lists(st.sampled_from(LABELS), unique=True, max_size=2).map(", ".join)
_selectors = st.one_of(
    st.sampled_from(["x", "y", 'x{a="1"}', 'x{b!="2"}', 'x{c=~"1|2"}', "rate(x[5m])"]),
    st.sampled_from(["increase(y[5m])", "max_over_time(x[5m])", "sum_over_time(x[3m])"]),
    st.sampled_from(["changes(x[5m])", "deriv(x[5m])"]),
)


def _larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    groups = st.tuples(st.sampled_from(["by", "without"]), _names)
    ops = st.sampled_from(["sum", "sum", "avg", "max", "count", "group", "stddev"])
    matchings = st.tuples(st.sampled_from(["on", "ignoring"]), _names).map(
        lambda one: f"{one[0]} ({one[1]})"
    )
    sides = st.sampled_from(["", " group_left ()", " group_left (c)", " group_right (b)"])
    return st.one_of(
        st.tuples(ops, groups, inner).map(lambda p: f"{p[0]} {p[1][0]} ({p[1][1]}) ({p[2]})"),
        st.tuples(groups, inner).map(lambda p: f"topk {p[0][0]} ({p[0][1]}) (1, {p[1]})"),
        st.tuples(groups, inner).map(
            lambda p: f'count_values {p[0][0]} ({p[0][1]}) ("c", sgn({p[1]}))'
        ),
        st.tuples(st.sampled_from(["abs", "ln", "sgn", "-", "absent", "sort"]), inner).map(
            lambda p: f"{p[0]}({p[1]})"
        ),
        st.tuples(inner, st.sampled_from(["* 3", "/ 7", "+ 1", "> 1100000", "> bool 5"])).map(
            lambda p: f"({p[0]}) {p[1]}"
        ),
        inner.map(lambda v: f"10 / ({v})"),
        inner.map(lambda v: f'label_replace({v}, "b", "$1", "a", "(.*)")'),
        inner.map(lambda v: f'label_replace({v}, "c", "n$1", "b", "(1)")'),
        inner.map(lambda v: f'label_join({v}, "a", "-", "a", "b")'),
        inner.map(lambda v: f"avg_over_time(({v})[5m:1m])"),
        inner.map(lambda v: f"max_over_time(({v})[5m:1m])"),
        st.tuples(inner, st.sampled_from(["+", "/", "*", ">", "=="]), matchings, sides, inner).map(
            lambda p: f"({p[0]}) {p[1]} {p[2]}{p[3]} ({p[4]})"
        ),
        st.tuples(inner, st.sampled_from(["+", "/", "and", "or", "unless"]), inner).map(
            lambda p: f"({p[0]}) {p[1]} ({p[2]})"
        ),
        st.tuples(inner, st.sampled_from(["and", "or", "unless"]), matchings, inner).map(
            lambda p: f"({p[0]}) {p[1]} {p[2]} ({p[3]})"
        ),
    )


_expressions = st.recursive(_selectors, _larger, max_leaves=4)


@settings(max_examples=150)
@given(_expressions, st.integers(0, 3))
def test_a_label_without_use_can_be_summed_away_without_a_trace(expression: str, seed: int) -> None:
    data = _data(seed)
    before = _answer(data, expression)
    if before is None:
        return
    reads = readings(parse(expression), EVERYTHING, NO_HOLES)
    for metric, label in itertools.product("xy", LABELS):
        of_metric = [read for read in reads if read.metric == metric]
        if any(read.role(label) is not LabelRole.UNUSED for read in of_metric):
            continue
        after = _answer({**data, metric: _summed(data[metric], label)}, expression)
        assert _same(before, after), (metric, label, before, after)


@pytest.mark.parametrize(
    ("expression", "label", "role"),
    [
        ("sum by (a) (x)", "a", "REQUIRED"),
        ("sum by (a) (x)", "b", "UNUSED"),
        ("sum without (b) (x)", "a", "SHOWN"),
        ("sum without (b) (x)", "b", "UNUSED"),
        ("x", "a", "SHOWN"),
        ('sum(x{a!="1"})', "a", "REQUIRED"),
        ("avg(x)", "a", "SEPARATING"),
        ("count(count by (a) (x))", "b", "UNUSED"),
        ("count(count by (a) (x))", "a", "REQUIRED"),
        ("sum(x > 5)", "a", "SEPARATING"),
        ("sum(rate(x[5m])) > 5", "a", "UNUSED"),
        ("topk by (a) (3, x)", "a", "REQUIRED"),
        ("topk by (a) (3, x)", "b", "SHOWN"),
        ("quantile(0.9, x)", "b", "SEPARATING"),
        ("absent(x)", "a", "UNUSED"),
        ("histogram_quantile(0.9, sum by (le) (rate(x[5m])))", "le", "REQUIRED"),
        ("histogram_quantile(0.9, rate(x[5m]))", "a", "SHOWN"),
        ("max(histogram_quantile(0.9, rate(x[5m])))", "a", "SEPARATING"),
        ("sum(x) / on () y", "a", "UNUSED"),
        ("sum by (a) (x * on (b) group_left (c) y)", "b", "REQUIRED"),
        ('label_replace(x, "host", "$1", "a", "(.*)")', "a", "REQUIRED"),
        ('label_replace(x, "host", "$1", "a", "(.*)")', "host", "UNUSED"),
        ('label_replace(x, "host", "$1", "a", "(1.*)")', "host", "SHOWN"),
        ('label_join(x, "host", "-", "a", "b")', "b", "REQUIRED"),
        ('sort_by_label(x, "a")', "a", "REQUIRED"),
        ("sum(info(x))", "instance", "REQUIRED"),
        ('count_values("v", x)', "a", "SEPARATING"),
        ("sum by (a) (x) and on (b) y", "b", "UNUSED"),
        ("vector(scalar(x))", "a", "UNUSED"),
        ("quantile_over_time(0.5, x[1h:1m])", "a", "SHOWN"),
        ("sum(x / y)", "b", "SEPARATING"),
    ],
)
def test_what_a_query_does_with_a_label(expression: str, label: str, role: str) -> None:
    """Worked out by hand from Prometheus' rules on which labels an operation keeps."""
    read = next(r for r in readings(parse(expression), EVERYTHING, NO_HOLES) if r.metric == "x")
    assert read.role(label).name == role


def test_what_info_copies_counts_for_the_metric_it_reads() -> None:
    """``info()`` finds its metric by instance and job, and copies the labels asked for."""
    found = readings(parse('info(x, {version=~".+"})'), EVERYTHING, NO_HOLES)
    target = next(read for read in found if read.metric == "target_info")
    assert {"instance", "job", "version"} <= target.required.keys()
    assert target.role("other") is LabelRole.UNUSED
