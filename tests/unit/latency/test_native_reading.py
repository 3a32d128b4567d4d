"""Native histograms as distributions: against the engine's own rule and what was observed."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from workbench.engine.native.quantiles import quantiles as engine_quantiles
from workbench.frame import Frame, NativeHistogram
from workbench.latency.changes import Against, Changes, subjects
from workbench.latency.comparing import compare
from workbench.latency.instrument import Instrument, Kind
from workbench.latency.reading import read_native
from workbench.native import CUSTOM, Buckets, Histogram
from workbench.statistics.quantiles import bucket_bounds, promql_quantile, quantile
from workbench.window import Window

QS = (0.01, 0.5, 0.9, 0.99)


def exponential(seen, schema, zero=0):
    index = np.ceil(np.log2(seen) * 2.0**schema).astype(np.int64)
    numbers, counts = np.unique(index, return_counts=True)
    return Histogram(
        schema,
        len(seen) + zero,
        float(seen.sum()),
        1e-6,
        zero,
        Buckets(numbers, counts.astype(float)),
    )


def frame(*histograms, sample=True):
    shown = {
        (0, step): NativeHistogram(
            h.count, h.sum,
            tuple(zip(*(x.tolist() for x in (h.rows().rules, h.rows().lower, h.rows().upper, h.rows().counts)), strict=True)),
            h if sample else None,
        )
        for step, h in enumerate(histograms) if h is not None
    }  # fmt: skip
    times = np.arange(len(histograms)) * 60_000
    present = np.array([[h is not None for h in histograms]])
    return Frame(
        "matrix", [{"path": "/a"}], times, np.full(present.shape, np.nan), present, "", shown
    )


@pytest.mark.parametrize("schema", [-2, 0, 3, 5, 8])
@pytest.mark.parametrize("zero", [0, 40])
def test_by_the_rule_it_is_what_the_engine_says(schema, zero):
    seen = np.random.default_rng(schema + 9).lognormal(-2, 0.8, 3_000)
    one = exponential(seen, schema, zero)
    (group,), flaws = read_native(frame(one))
    assert not flaws
    for q in QS:
        (expected,) = engine_quantiles(np.array([q]), [one])
        assert promql_quantile(group.buckets, q)[0, 0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("schema", [0, 3, 5])
def test_the_bucket_holds_the_true_quantile(schema):
    seen = np.sort(np.random.default_rng(1).lognormal(-2, 0.8, 3_000))
    (group,), _ = read_native(frame(exponential(seen, schema)))
    low, high = bucket_bounds(group.buckets, QS)
    true = seen[np.ceil(np.array(QS) * len(seen)).astype(int) - 1]
    assert (low[0, 0] <= true).all()
    assert (true <= high[0, 0]).all()
    assert group.buckets.total[0, 0] == len(seen)
    ours = quantile(group.buckets, QS)[0, 0]
    assert ours[1:3] == pytest.approx(true[1:3], rel=0.02)


def test_a_resolution_that_changes_gives_the_coarser_layout():
    rng = np.random.default_rng(2)
    fine, coarse = (exponential(rng.lognormal(-2, 0.8, 500), schema) for schema in (5, 1))
    (group,), _ = read_native(frame(fine, None, coarse))
    assert group.buckets.total.tolist() == [[500, 0, 500]]
    assert group.missing.tolist() == [[False, True, False]]
    ratio = group.buckets.edges[2:] / group.buckets.edges[1:-1]
    assert ratio[:-1].min() >= 2**0.5 * 0.999  # edges of schema 1 where both have observations


@pytest.mark.parametrize("sample", [True, False])
def test_custom_bounds_are_interpolated_as_classic_ones(sample):
    one = Histogram(
        CUSTOM, 100, 20.0, positive=Buckets(np.arange(4), np.array([50.0, 30, 15, 5])),
        custom_values=(0.1, 0.25, 0.5),
    )  # fmt: skip
    (group,), _ = read_native(frame(one, sample=sample))
    assert group.buckets.edges.tolist() == [0, 0.1, 0.25, 0.5, math.inf]
    assert not group.buckets.exponential
    assert promql_quantile(group.buckets, 0.5)[0, 0] == pytest.approx(0.1)
    assert promql_quantile(group.buckets, 0.99)[0, 0] == 0.5


def test_an_empty_histogram_and_plain_numbers():
    (group,), _ = read_native(frame(Histogram(3, 0, 0.0)))
    assert group.buckets.total.tolist() == [[0]]
    plain = Frame("matrix", [{}], np.array([0]), np.array([[1.0]]), np.array([[True]]))
    groups, (flaw,) = read_native(plain)
    assert not groups
    assert flaw.code == "LAT-NOT-A-HISTOGRAM"


def test_a_zero_bucket_without_width_is_counted():
    one = Histogram(0, 3, 2.0, 0.0, 1, Buckets(np.array([1]), np.array([2.0])))
    (group,), _ = read_native(frame(one))
    assert group.buckets.total.tolist() == [[3]]


def test_native_label_values_are_compared_though_each_has_its_own_buckets():
    """The slow one has buckets above the other's last; the true ratio is 2, the width of a bucket 9 %."""
    rng, steps, minute = np.random.default_rng(6), 240, 60_000
    sides = [
        read_native(frame(*(exponential(rng.lognormal(middle, 0.5, 400), 3) for _ in range(steps))))
        for middle in (-2.0, -2.0 + math.log(2))
    ]
    grouped = [replace(one, labels=({"version": str(i)},)) for i, ((one,), _) in enumerate(sides)]
    changes = Changes(Against.LABEL, label="version")
    window = Window(-minute, (steps - 1) * minute, minute)
    instrument = Instrument("request_seconds", Kind.NATIVE, by=("version",))
    (subject,) = subjects(changes, instrument, grouped, window)
    (found,) = compare([subject], [0.5, 0.95])
    ratios = [c.after / c.before for c in found.changes]
    expected = 2.0 if "1 beside 0" in subject.title else 0.5
    assert ratios == pytest.approx([expected, expected], rel=0.05)
    assert found.requests_before == found.requests_after == 400 * steps
