"""Quantiles and fractions of classic histograms, against a plain loop."""

import math

import numpy as np
import pytest
from engine_data import Rows, every, points
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine import Engine
from workbench.engine.histogram import bucket_fraction, bucket_quantile


def quantile_by_hand(q, bounds, counts):
    rank = q * counts[-1]
    i = next(i for i, c in enumerate(counts) if c >= rank or i == len(counts) - 1)
    if i == len(bounds) - 1:
        return bounds[-2]
    if i == 0 and bounds[0] <= 0:
        return bounds[0]
    start, below = (bounds[i - 1], counts[i - 1]) if i else (0.0, 0.0)
    return start + (bounds[i] - start) * (rank - below) / (counts[i] - below)


histograms = st.lists(
    st.tuples(st.floats(-100, 100, allow_subnormal=False), st.integers(0, 50)),
    min_size=1, max_size=8, unique_by=lambda b: b[0],
)  # fmt: skip


@given(buckets=histograms, q=st.floats(0.001, 1))
@settings(max_examples=100, deadline=None)
def test_quantiles_equal_a_loop_over_the_buckets(buckets, q):
    """Any bounds, empty buckets included, at several steps at once."""
    bounds = [b for b, _ in sorted(buckets)] + [math.inf]
    counts = np.cumsum([c for _, c in sorted(buckets)] + [1]).astype(float)
    got, repaired = bucket_quantile(np.full(3, q), np.array(bounds), np.tile(counts, (3, 1)))
    assert not repaired
    assert got == pytest.approx([quantile_by_hand(q, bounds, counts.tolist())] * 3, rel=1e-12)


@given(buckets=histograms, q=st.floats(0.01, 0.99))
@settings(max_examples=100, deadline=None)
def test_a_fraction_undoes_a_quantile(buckets, q):
    """Below the q-quantile lies the share q, wherever the quantile is inside a finite bucket."""
    bounds = np.array([b for b, _ in sorted(buckets)] + [math.inf])
    counts = np.cumsum([c for _, c in sorted(buckets)] + [1]).astype(float)[None, :]
    value, _ = bucket_quantile(np.array([q]), bounds, counts)
    bottom = 0.0 if bounds[0] > 0 else bounds[0]
    if bottom < value[0] < bounds[-2]:
        share = bucket_fraction(np.array([-math.inf]), value, bounds, counts)
        assert share[0] == pytest.approx(q, abs=1e-6)


def buckets(*counts, name="h_bucket", les=("1", "2", "+Inf"), **labels):
    return [every(1000, c, name=name, le=le, **labels) for le, c in zip(les, counts, strict=True)]


def test_decreasing_counts_are_repaired_and_said():
    """A bucket that holds less than the one below it is raised to it."""
    evaluation = Engine(Rows(*buckets(4, 3, 8))).instant("histogram_quantile(0.25, h_bucket)", 0)
    assert evaluation.data.values.tolist() == [[0.5]]
    assert "needed to be fixed for monotonicity" in evaluation.infos[0]
    assert (
        not Engine(Rows(*buckets(4, 4 - 1e-13, 8)))
        .instant("histogram_quantile(0.25, h_bucket)", 0)
        .infos
    )


def test_buckets_that_are_none_are_said():
    """A malformed or missing bound is a warning; the other buckets count."""
    storage = Rows(
        *buckets(1, 2, 4), every(1000, 9, name="h_bucket", le="x"), every(1000, 9, name="h_bucket")
    )
    evaluation = Engine(storage).instant("histogram_quantile(0.5, h_bucket)", 0)
    assert evaluation.data.values.tolist() == [[2.0]]
    assert len(evaluation.warnings) == 2


def test_a_bucket_that_comes_and_goes_counts_where_it_is():
    """At 0 s there is no bucket of 2, so the quantile ends at the bound 1."""
    storage = Rows(
        every(1000, 4, 4, name="h", le="1"),
        every(1000, None, 8, name="h", le="2"),
        every(1000, 8, 8, name="h", le="+Inf"),
    )
    frame = Engine(storage).range("histogram_quantile(0.75, h)", 0, 1000, 1000).data
    assert points(frame)[()] == [(0, 1.0), (1000, 1.5)]


def test_without_an_infinite_bucket_there_is_no_quantile():
    """Prometheus gives NaN, not a guess."""
    storage = Rows(*buckets(1, 2, les=("1", "2")))
    assert np.isnan(
        Engine(storage).instant("histogram_quantile(0.5, h_bucket)", 0).data.values
    ).all()


def test_quantiles_outside_are_infinite_and_said():
    """q below 0, above 1, NaN."""
    engine = Engine(Rows(*buckets(1, 2, 4)))
    for q, wanted in (("-1", -math.inf), ("2", math.inf), ("NaN", math.nan)):
        evaluation = engine.instant(f"histogram_quantile({q}, h_bucket)", 0)
        assert evaluation.data.values[0, 0] == pytest.approx(wanted, nan_ok=True)
        assert "between 0 and 1" in evaluation.warnings[0]
