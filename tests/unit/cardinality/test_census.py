"""The census against counting by sets, and what it says of labels that hang together."""

from __future__ import annotations

import json
from collections import Counter
from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.cardinality.census import take_census
from workbench.cardinality.counts import LabelGroup, LabelPair
from workbench.cardinality.shapes import Shape
from workbench.exposition import scan
from workbench.exposition.series_text import write_series
from workbench.inventory import Inventory, ObservedMetric

Series = frozenset[tuple[str, str]]

SERIES = st.sets(
    st.tuples(
        st.sampled_from(["up", "hits_total", "jobs"]),
        st.dictionaries(st.sampled_from("abc"), st.sampled_from("xyz")).map(lambda d: frozenset(d.items())),
    ),
    max_size=30,
)  # fmt: skip


def text_of(series: set[tuple[str, Series]]) -> str:
    """Exposition text of some series."""
    return "".join(f"{write_series(name, dict(labels))} 1\n" for name, labels in series)


def without(labels: Series, dropped: str) -> Series:
    """A label set without one label."""
    return frozenset(pair for pair in labels if pair[0] != dropped)


@settings(deadline=None)
@given(SERIES)
def test_counts_are_those_of_sets(series: set[tuple[str, Series]]) -> None:
    """Series, values, carriers, what dropping saves, pairs: each against a set of tuples."""
    census = take_census(scan(text_of(series)))
    assert census.series == len(series)
    assert census.metric_count == census.family_count == len({name for name, _ in series})
    assert census.pair_count == len({pair for _, labels in series for pair in labels})
    assert {f.name: f.series for f in census.families} == Counter(name for name, _ in series)
    for label in census.labels:
        values = Counter(v for _, labels in series for k, v in labels if k == label.name)
        assert (label.values, label.series) == (len(values), values.total())
        assert {v.value: v.series for v in label.top} == values
        left = {(name, without(labels, label.name)) for name, labels in series}
        assert label.saved == len(series) - len(left)
        assert label.constant == (len(values) == 1)
        assert label.top_share == max(values.values()) / values.total()
    for family in census.families:
        mine = [dict(labels) for name, labels in series if name == family.name]
        for label in family.labels:
            left = {without(frozenset(row.items()), label.name) for row in mine}
            assert label.saved == len(mine) - len(left)
        for a, b in combinations("abc", 2):
            joint = {(row[a], row[b]) for row in mine if a in row and b in row}
            found = [
                p for p in census.pairs if {p.one, p.other} == {a, b} and p.family == family.name
            ]
            assert not found or found[0].joint == len(joint)
            assert not found or found[0].product == len({x for x, _ in joint}) * len(
                {y for _, y in joint}
            )
            assert all(
                p.determined == (len({x for x, _ in joint}) == len(joint)) or p.one != a
                for p in found
            )


HISTOGRAM = (
    "# TYPE lat_seconds histogram\n"
    + "".join(
        f'lat_seconds_bucket{{pod="p{p}",le="{le}"}} 1\n' * 1
        for p, bounds in enumerate((("0.1", "1", "+Inf"), ("0.1", "0.2", "0.5", "1", "+Inf")))
        for le in bounds
    )
    + "".join(f'lat_seconds_{end}{{pod="p{p}"}} 1\n' for p in range(2) for end in ("sum", "count"))
)


def test_a_histogram_is_one_family_whose_children_differ_in_buckets() -> None:
    """Buckets, sum and count are joined; the fewest and the most buckets are told."""
    (family,) = take_census(scan(HISTOGRAM)).families
    assert (family.name, family.type, family.series, family.share) == (
        "lat_seconds",
        "histogram",
        12,
        1.0,
    )
    assert (family.children, family.buckets, family.native) == (2, (3, 5), 0)
    assert {m.name: m.series for m in family.members} == {
        "lat_seconds_bucket": 8,
        "lat_seconds_sum": 2,
        "lat_seconds_count": 2,
    }
    assert {x.name: x.saved for x in family.labels} == {"le": 6, "pod": 5}


def test_labels_that_save_only_together_are_found() -> None:
    """A user's id and the path that holds it: each alone saves nothing, both save nearly all."""
    rows = "".join(
        f'hits{{user_id="{i}",path="/users/{i}",zone="{"ab"[i % 2]}"}} 1\n' for i in range(100)
    )
    census = take_census(scan(rows))
    (family,) = census.families
    assert {x.name: x.saved for x in family.labels} == {"user_id": 0, "path": 0, "zone": 0}
    assert family.groups == (LabelGroup(("path", "user_id"), 100, 98),)
    pair = next(p for p in census.pairs if {p.one, p.other} == {"user_id", "zone"})
    assert pair == LabelPair("hits", "user_id", "zone", 100, 200, determined=True)
    assert pair.saturation == 0.5


def test_values_are_masked_and_nearly_constant_labels_named() -> None:
    """No address leaves the census; a label with one odd value among hundreds is nearly constant."""
    rows = "".join(
        f'mail{{to="user{i}@example.com",region="{"eu" if i else "us"}",tier="1"}} 1\n'
        for i in range(200)
    )
    census = take_census(scan(rows), top=3)
    assert census.nearly_constant == ("region",)
    assert census.single_valued == ("tier",)
    plain = json.dumps(census.to_dict())
    assert "@example" not in plain
    assert "user1" not in plain
    to = next(label for label in census.labels if label.name == "to")
    assert to.shapes.main is Shape.EMAIL
    assert [v.value for v in to.top] == ["u…@e….com"] * 3


def test_limits_do_not_touch_totals() -> None:
    """A list of two says nothing of how many there are; the totals do."""
    rows = "".join(f'm{i}{{l{i}="x",k="{i}"}} 1\n' for i in range(50))
    census = take_census(scan(rows), limit=2)
    assert (len(census.families), len(census.labels)) == (2, 2)
    assert (census.series, census.family_count, census.label_count, census.pair_count) == (
        50,
        50,
        51,
        100,
    )
    assert len(census.single_valued) == 50


def test_a_source_that_only_counts() -> None:
    """A server's status has no tables: what it does not say is None, not 0."""
    metric = ObservedMetric("up", "up", 70, value_counts={"job": 7, "instance": 70})
    census = take_census(Inventory("server", {"up": metric}, total_series=900))
    assert (census.series, census.total_series) == (70, 900)
    assert {x.name: (x.values, x.series, x.saved) for x in census.labels} == {
        "job": (7, None, None),
        "instance": (70, None, None),
    }
    assert census.families[0].children is None
    assert census.families[0].labels[0].saved is None
    assert not census.nearly_constant
    json.dumps(census.to_dict())


def test_nothing_read() -> None:
    """An empty text has a census of zeros."""
    census = take_census(scan(b""))
    assert (census.series, census.families, census.labels) == (0, (), ())
