"""Native histograms come back whole from the rows by which the HTTP API shows them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.engine.native.edge import api_histogram
from workbench.frame import NativeHistogram
from workbench.native import CUSTOM, NO_BUCKETS, Buckets, Histogram, upper_bounds
from workbench.samples import format_value
from workbench.sources.prometheus.buckets import rebuilt


def shown(one: Histogram) -> NativeHistogram:
    """What the API shows, by way of its text."""
    full = api_histogram(one)
    rows = tuple(
        (rule, *(float(format_value(x)) for x in bounds)) for rule, *bounds in full.buckets
    )
    return NativeHistogram(full.count, full.sum, rows)


@st.composite
def histograms(draw: st.DrawFn, schema: int, threshold: float) -> Histogram:
    """An exponential histogram; of the coarse schemas within what floats can hold."""
    most = min(600, 1000 << schema if schema >= 0 else 1000 >> -schema)
    sides = []
    for _ in range(2):
        index = sorted(draw(st.sets(st.integers(-most, most), max_size=6)))
        # no bucket lies whole within the zero bucket
        index = [i for i in index if upper_bounds(np.array([i]), schema)[0] > threshold]
        counts = [draw(st.integers(0, 9)) + 0.25 for _ in index]
        sides.append(Buckets(np.array(index, np.int64), np.array(counts, np.float64)))
    return Histogram(
        schema, 7.0, draw(st.floats(-9, 9)), threshold, draw(st.integers(0, 3)), *sides
    )


@given(st.data())
def test_what_the_api_shows_of_an_exponential_series(data: st.DataObject) -> None:
    """Of every schema, with and without zero bucket: buckets, counts, count and sum are the same."""
    schema = data.draw(st.integers(-4, 8))
    threshold = data.draw(st.sampled_from([0.0, 2.0**-128]))
    series = data.draw(st.lists(histograms(schema, threshold), min_size=1, max_size=4))
    for one, other in zip(series, rebuilt([shown(each) for each in series]), strict=True):
        assert other is not None
        told = any(each.zero_count for each in series)
        if not (told and other.zero_threshold == 0.0):  # the buckets may reach into it
            assert other.zero_threshold == (threshold if told else 0.0)
        filled = any(len(each.positive) or len(each.negative) for each in series)
        same = replace(other, zero_threshold=threshold)
        assert same.same(one if filled else replace(one, schema=8))


def test_a_zero_bucket_that_cuts_its_neighbours() -> None:
    """Rows that begin at the threshold are told from rows of a finer schema."""
    one = Histogram(0, 9.0, 1.0, 0.7, 2.0, Buckets.dense(0, [3, 4]), Buckets.dense(0, [1, 2]))
    wide = Histogram(0, 2.0, 1.0, 0.7, 0.0, Buckets.dense(3, [2]))
    before, after = rebuilt([shown(one), shown(wide)])
    assert before is not None
    assert before.same(one)
    assert after is not None
    assert after.same(wide)


def test_the_bucket_of_infinity_and_the_one_before() -> None:
    """The last finite bucket ends at the largest float, and one follows."""
    for schema in (-4, 0, 3, 8):
        last = 1024 << schema if schema >= 0 else 1024 >> -schema
        one = Histogram(schema, 6.0, np.inf, 0.0, 0.0, Buckets.dense(last - 1, [1, 2, 3]))
        [got] = rebuilt([shown(one)])
        assert got is not None
        assert got.same(one)


def test_a_server_that_rounds_the_last_digit() -> None:
    """Bounds that differ by one unit in the last place lie on the grid all the same."""
    one = Histogram(3, 6.0, 1.0, positive=Buckets.dense(-2, [1, 2, 3]))
    rows = [
        (rule, float(np.nextafter(low, 0)), float(np.nextafter(high, 9)), count)
        for rule, low, high, count in shown(one).buckets
    ]
    [got] = rebuilt([NativeHistogram(6.0, 1.0, tuple(rows))])
    assert got is not None
    assert got.same(one)


@pytest.mark.parametrize(
    "rows",
    [
        [(3, -np.inf, 1.0, 1.0)],  # custom bounds
        [(0, 1.0, 2.0, 1.0), (0, 2.0, 5.0, 1.0)],  # custom bounds
        [(0, 1.0, 2.0, 1.0), (0, 4.0, 4.5, 1.0)],  # two schemas
        [(0, 1.5, 3.0, 1.0)],  # the right ratio, off the grid
        [(0, 1.0, 2.0, 1.0), (0, 1.0, 2.0, 1.0)],  # twice
        [(0, 2.0, 1.0, 1.0)],
        [(0, -1.0, 1.0, 1.0)],
        [(1, 1.0, 2.0, 1.0)],
        [(2, 1.0, 2.0, 1.0)],
        [(0, np.nan, np.nan, 1.0)],
        [(0, 0.0, 0.0, 1.0)],
        [(0, 1.0, 1.0 + 1e-15, 1.0)],
        [(0, 1.0, 2.0**40, 1.0)],
    ],
)
def test_what_lies_on_no_grid_is_not_made_up(rows: list[tuple[int, float, float, float]]) -> None:
    """Nor is anything else of that series."""
    good = shown(Histogram(0, 1.0, 1.0, positive=Buckets.dense(1, [1])))
    strange = NativeHistogram(1.0, 1.0, tuple(rows))
    assert rebuilt([good, strange, NativeHistogram(0.0, 0.0)]) == [None] * 3


def test_a_custom_histogram_has_its_rows() -> None:
    """One interface for whatever a source shows: bounds and counts in ascending order."""
    one = Histogram(
        CUSTOM, 6.0, 1.0, positive=Buckets.dense(0, [1, 0, 5]), custom_values=(0.5, 1.0)
    )
    for point in (shown(one), api_histogram(one)):
        rows = point.rows()
        assert rows.lower.tolist() == [-np.inf, 1.0]
        assert rows.upper.tolist() == [0.5, np.inf]
        assert rows.counts.tolist() == [1.0, 5.0]
    assert len(NativeHistogram(0.0, 0.0).rows().counts) == 0
    assert rebuilt([]) == []


def test_an_empty_histogram_never_coarsens_another() -> None:
    """Beside others of its series it has their schema, alone the finest."""
    fine = Histogram(5, 1.0, 1.0, 0.25, 1.0, Buckets.dense(1, [1]), NO_BUCKETS)
    empty = NativeHistogram(0.0, 0.0)
    for series in ([empty, shown(fine)], [shown(fine), empty]):
        assert {(h.schema, h.zero_threshold) for h in rebuilt(series) if h} == {(5, 0.25)}
    assert [h.schema for h in rebuilt([empty]) if h] == [8]
