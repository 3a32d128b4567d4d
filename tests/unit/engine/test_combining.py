"""Aggregations and vector matching, against loops and hand-made truths."""

import math
import statistics

import numpy as np
import pytest
from engine_data import Rows, every, points
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine import Engine
from workbench.engine.hashing import label_hash, xxhash64
from workbench.errors import QueryError

cells = st.one_of(
    st.none(),
    st.sampled_from([math.nan, math.inf, -math.inf]),
    st.floats(-1e9, 1e9).map(lambda v: round(v, 6)),
)
tables = st.lists(st.lists(cells, min_size=3, max_size=3), min_size=1, max_size=7)


def ranked(values, q):
    ordered = sorted(values, key=lambda v: (not math.isnan(v), v))
    rank = q * (len(ordered) - 1)
    low, high = ordered[math.floor(rank)], ordered[min(len(ordered) - 1, math.floor(rank) + 1)]
    weight = rank - math.floor(rank)
    return low * (1 - weight) + high * weight


def extreme(values, choose):
    numbers = [v for v in values if not math.isnan(v)]
    return choose(numbers) if numbers else math.nan


def finite(values, function):
    return function(values) if all(map(math.isfinite, values)) else None


TRUTH = {
    "sum": lambda v: finite(v, math.fsum),
    "avg": lambda v: finite(v, statistics.fmean),
    "count": len,
    "group": lambda v: 1,
    "min": lambda v: extreme(v, min),
    "max": lambda v: extreme(v, max),
    "stddev": lambda v: finite(v, statistics.pstdev),
    "stdvar": lambda v: finite(v, statistics.pvariance),
    "quantile": lambda v: ranked(v, 0.4),
}


@pytest.mark.parametrize("op", TRUTH)
@given(table=tables)
@settings(max_examples=50, deadline=None)
def test_aggregations_equal_a_loop(op, table):
    """Each group at each step, from the series present there; None leaves the value open."""
    storage = Rows(*(every(1000, *row, i=str(i), g=str(i % 2)) for i, row in enumerate(table)))
    parameter = "0.4, " if op == "quantile" else ""
    engine = Engine(storage, lookback_ms=1)
    got = points(engine.range(f"{op} by (g) ({parameter}m)", 0, 2000, 1000).data)
    for group in "01":
        rows = dict(got.get((("g", group),), []))
        for step in range(3):
            values = [
                r[step] for i, r in enumerate(table) if str(i % 2) == group and r[step] is not None
            ]
            assert (step * 1000 in rows) == bool(values)
            wanted = TRUTH[op](values) if values else None
            if wanted is not None:
                size = max(map(abs, values)) if all(map(math.isfinite, values)) else 1
                expected = pytest.approx(wanted, rel=1e-9, abs=1e-9 * size**2, nan_ok=True)
                assert rows[step * 1000] == expected


@pytest.mark.parametrize("op", ["topk", "bottomk"])
@given(table=tables, k=st.integers(0, 4))
@settings(max_examples=60, deadline=None)
def test_topk_keeps_the_k_first_of_a_stable_sort(op, table, k):
    """NaN last, equals in their order, each step on its own."""
    storage = Rows(*(every(1000, *row, i=str(i)) for i, row in enumerate(table)))
    got = points(Engine(storage, lookback_ms=1).range(f"{op}({k}, m)", 0, 2000, 1000).data)
    for step in range(3):
        rows = [(i, r[step]) for i, r in enumerate(table) if r[step] is not None]
        sign = -1 if op == "topk" else 1
        rows.sort(key=lambda row: (math.isnan(row[1]), 0 if math.isnan(row[1]) else sign * row[1]))
        kept = {dict(key)["i"] for key, points_ in got.items() if step * 1000 in dict(points_)}
        assert kept == {str(i) for i, _ in rows[:k]}


def test_limitk_takes_the_first_k_of_each_group():
    """Where a series is absent the next one takes its place."""
    storage = Rows(
        every(1000, 1, None, a="x", i="0"),
        every(1000, 2, 2, a="x", i="1"),
        every(1000, 3, 3, a="y", i="2"),
    )
    frame = Engine(storage, lookback_ms=1).range("limitk by (a) (1, m)", 0, 1000, 1000).data
    assert {dict(k)["i"]: [t for t, _ in v] for k, v in points(frame).items()} == {
        "0": [0], "1": [1000], "2": [0, 1000],
    }  # fmt: skip


def test_limit_ratio_and_its_complement_give_every_series_once():
    """A negative ratio chooses what the positive one leaves."""
    engine = Engine(Rows(*(every(1000, 1.0, i=str(i)) for i in range(500))))
    chosen = {dict(k)["i"] for k in points(engine.instant("limit_ratio(0.3, m)", 0).data)}
    others = {dict(k)["i"] for k in points(engine.instant("limit_ratio(-0.7, m)", 0).data)}
    assert not chosen & others
    assert len(chosen | others) == 500
    assert 100 < len(chosen) < 200
    capped = engine.instant("limit_ratio(1.5, m)", 0)
    assert len(capped.data) == 500
    assert "capping to 1" in capped.warnings[0]


@pytest.mark.parametrize(
    ("text", "digest"),
    [
        ("", 0xEF46DB3751D8E999),
        ("a", 0xD24EC4F1A98C6E5B),
        ("as", 0x1C330FB2D66BE179),
        ("asd", 0x631C37CE72A97393),
        ("asdf", 0x415872F599CEA71E),
        (
            "Call me Ishmael. Some years ago--never mind how long precisely-",
            0x02A2E85470D6FD96,
        ),
    ],
)
def test_the_hash_is_xxhash64(text, digest):
    """The published test vectors."""
    assert xxhash64(text.encode()) == digest


def test_long_labels_are_hashed_with_a_long_length():
    """Below 255 bytes a length takes one byte, from there on four."""
    long = "x" * 300
    assert label_hash({"a": long}) == xxhash64(b"\x01a\xff\x2c\x01\x00" + long.encode())
    assert label_hash({"b": "2", "a": "1"}) == xxhash64(b"\x01a\x011\x01b\x012")


PAIR = Rows(
    every(1000, 10, 20, name="l", job="a", i="1"),
    every(1000, 30, None, name="l", job="a", i="2"),
    every(1000, 2, 5, name="r", job="a", team="x"),
    every(1000, 7, 7, name="r", job="b", team="y"),
)


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        ("l * on(job) group_left(team) r", {("1", "a", "x"): 20.0, ("2", "a", "x"): 60.0}),
        ("r * on(job) group_right(team) l", {("1", "a", "x"): 20.0, ("2", "a", "x"): 60.0}),
        ("l > on(job) group_left r * 10", {("2", "a", ""): 30.0}),
        ("l > bool on(job) group_left r * 10", {("1", "a", ""): 0.0, ("2", "a", ""): 1.0}),
        ("l and on(job) r", {("1", "a", ""): 10.0, ("2", "a", ""): 30.0}),
        ("l unless on(job) r", {}),
        ("r unless on(job) l", {("", "b", "y"): 7.0}),
        ("sum by (job)(l) + on(job) r", {("", "a", ""): 42.0}),
        ("sum by (job)(l) + on(job) fill(0) r", {("", "a", ""): 42.0, ("", "b", ""): 7.0}),
        ("2 ^ -l{i='1'}", {("1", "a", ""): 2.0**-10}),
    ],
)
def test_series_are_matched_by_their_labels(expression, wanted):
    """Values worked out by hand, at the first moment."""
    frame = Engine(PAIR).instant(expression, 0).data
    got = {
        (k.get("i", ""), k.get("job", ""), k.get("team", "")): v[0][1]
        for k, v in ((dict(key), rows) for key, rows in points(frame).items())
    }
    assert got == wanted


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("l + on(job) r", "many-to-one matching must be explicit"),
        ("r + on(job) l", "found duplicate series for the match group"),
        ("l + on(job) group_left(i) r", "grouping labels must ensure unique matches"),
        ("l + on() group_left r", "match group {} on the right hand-side"),
        ("-{job='a'} + 0 or label_replace(l, 'i', '1', '', '')", "same labelset"),
        ("label_replace(l, 'i', '1', '', '')", "same labelset"),
    ],
)
def test_ambiguous_matches_are_refused(expression, part):
    """In Prometheus' words."""
    with pytest.raises(QueryError) as caught:
        Engine(PAIR).instant(expression, 0)
    assert part in str(caught.value)


def test_ambiguity_is_judged_at_each_step():
    """At 1 s only one of the left series is there, so nothing is ambiguous."""
    frame = Engine(PAIR, lookback_ms=1).range("l + on(job) r", 1000, 1000, 1000).data
    assert points(frame) == {(("job", "a"),): [(1000, 25.0)]}


def test_names_are_dropped_at_the_end_only():
    """A label function still sees the name; two nameless twins are an error."""
    engine = Engine(PAIR)
    kept = engine.instant('label_replace(-l, "was", "$1", "__name__", "(.*)")', 0).data
    assert [labels["was"] for labels in kept.labels] == ["l", "l"]
    assert all("__name__" not in labels for labels in kept.labels)
    twins = Rows(every(1000, 1.0, name="a"), every(1000, 2.0, name="b"))
    with pytest.raises(QueryError, match="same labelset"):
        Engine(twins).instant('-{__name__=~"a|b"}', 0)


def test_values_become_labels_without_exponents():
    """``count_values`` names 1e21 in full."""
    storage = Rows(every(1000, 1e21, i="0"), every(1000, 0.5, i="1"), every(1000, np.nan, i="2"))
    frame = Engine(storage).instant('count_values("v", m)', 0).data
    assert {dict(k)["v"] for k in points(frame)} == {"1000000000000000000000", "0.5", "NaN"}
