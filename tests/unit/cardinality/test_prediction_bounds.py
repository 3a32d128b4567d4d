"""Bounds of predictions against deploys that are drawn at random and whose truth is counted."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from workbench.cardinality.prediction import predict
from workbench.inventory import Inventory, LabelTable, ObservedMetric
from workbench.samples import MetricType

Row = tuple[tuple[str, str], ...]


def shown(rows: set[Row]) -> Inventory:
    """A text with these series of one metric."""
    table = LabelTable.of([dict(row) for row in rows])
    return Inventory(
        "text", {"x": ObservedMetric("x", "x", table.series, MetricType.GAUGE, table=table)}
    )


def deploy(
    draw: random.Random, *, new_label: bool, new_values: bool, drop: bool
) -> tuple[set[Row], set[Row], set[Row]]:
    """An old version, a new one, and the part of the new one that staging has seen.

    What the bounds rest on: old combinations come back; new ones have a value that is new; every
    new value was seen in staging once.
    """
    old = {
        (
            ("a", f"a{draw.randrange(5)}"),
            ("b", f"b{draw.randrange(4)}"),
            ("c", f"c{draw.randrange(3)}"),
        )
        for _ in range(draw.randrange(1, 40))
    }
    base = {row[:2] for row in old} if drop else set(old)
    if new_values:
        fresh = f"a{draw.randrange(5, 8)}"
        rest = [row[1:] for row in base]
        base |= {(("a", fresh), *draw.choice(rest)) for _ in range(draw.randrange(1, 6))}
    new: set[Row] = set()
    regions = [f"d{i}" for i in range(draw.randrange(1, 5))]
    for row in base:
        for region in (
            draw.sample(regions, draw.randrange(1, len(regions) + 1)) if new_label else [""]
        ):
            new.add((*row, ("d", region)) if new_label else row)
    staged = set(draw.sample(sorted(new), draw.randrange(1, len(new) + 1)))
    for label, value in {pair for row in new for pair in row} - {
        pair for row in staged for pair in row
    }:
        staged.add(next(row for row in sorted(new) if (label, value) in row))
    return old, new, staged


@given(st.integers(0, 2**32), st.booleans(), st.booleans(), st.booleans())
def test_the_truth_lies_within_the_bounds(
    seed: int, new_label: bool, new_values: bool, drop: bool
) -> None:
    """At least and at most hold whenever what they rest on does."""
    old, new, staged = deploy(
        random.Random(seed), new_label=new_label, new_values=new_values, drop=drop
    )
    (metric,) = predict(shown(staged), shown(old)).metrics
    assert metric.after.most is not None
    assert metric.after.least <= len(new) <= metric.after.most
    assert metric.after.least <= metric.after.expected <= metric.after.most
    if not new_label and not new_values:
        assert metric.after.expected == len(new)


def test_expected_counts_what_staging_saw_and_is_low_where_it_saw_little() -> None:
    """A staging that saw all is exact; one that saw a random part misses a fifth on average.

    What staging has not shown of a new label cannot be told from what does not exist: the range
    up to `most` says so, and `expected` stays at what is known.
    """
    draw = random.Random(7)
    partial, whole = [], []
    for i in range(400):
        old, new, staged = deploy(draw, new_label=True, new_values=i % 2 == 0, drop=i % 3 == 0)
        (metric,) = predict(shown(staged), shown(old)).metrics
        partial.append(metric.after.expected / len(new) - 1)
        (metric,) = predict(shown(new), shown(old)).metrics
        whole.append(metric.after.expected / len(new) - 1)
    assert whole == [0.0] * len(whole)
    assert -0.25 < sum(partial) / len(partial) < 0
