"""What the adviser imagines behind the counts, and the boundaries that it makes to measure."""

from __future__ import annotations

import math

import numpy as np
import pytest
from advised_families import FAMILIES, GO_DEFAULT
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import Histogram

from workbench.latency.layouts import native_edges
from workbench.latency.reconstruction import reconstruct
from workbench.latency.schemes import CLIENT_DEFAULTS, focused_boundaries, geometric_boundaries
from workbench.statistics.buckets import BucketCounts


@pytest.mark.parametrize("family", FAMILIES)
def test_every_reconstruction_gives_back_the_counts(family: str) -> None:
    """At each boundary the share is what was counted; between them the distributions differ."""
    sample = FAMILIES[family](np.random.default_rng(1), 20_000)
    seen = BucketCounts.of_observations([*GO_DEFAULT, np.inf], sample)
    drawn = reconstruct(seen)
    assert drawn is not None
    shares = drawn.shares(np.array(GO_DEFAULT))
    counted = np.broadcast_to(seen.cumulative[:-1] / 20_000, shares.shape)
    assert shares == pytest.approx(counted, abs=0.6 / 20_000)
    assert (np.diff(drawn.probits, axis=1) >= 0).all()
    assert drawn.shares(np.array([0.17])).std() > 0.001


@pytest.mark.parametrize("family", FAMILIES)
def test_the_truth_lies_among_the_reconstructions(family: str) -> None:
    """Sampled quantiles lie between the lowest and the highest that are imagined."""
    sample = FAMILIES[family](np.random.default_rng(2), 20_000)
    drawn = reconstruct(BucketCounts.of_observations([*GO_DEFAULT, np.inf], sample))
    assert drawn is not None
    imagined = drawn.values(np.array([0.5, 0.9, 0.95, 0.99]))
    truth = np.quantile(sample, [0.5, 0.9, 0.95, 0.99])
    assert (imagined.min(axis=0) <= truth).all()
    assert (truth <= imagined.max(axis=0)).all()


def test_shares_and_values_are_each_others_inverse() -> None:
    """The share at a quantile's value is the quantile."""
    sample = FAMILIES["gamma"](np.random.default_rng(2), 20_000)
    drawn = reconstruct(BucketCounts.of_observations([*GO_DEFAULT, np.inf], sample))
    assert drawn is not None
    values = drawn.values(np.array([0.3, 0.99]))
    for row, found in enumerate(values):
        assert drawn.shares(found)[row] == pytest.approx([0.3, 0.99], abs=1e-9)


@given(
    st.floats(1e-6, 1e3),
    st.floats(1.5, 1e5),
    st.integers(2, 25),
    st.lists(st.floats(0.0, 1.0), max_size=4),
    st.booleans(),
)
def test_boundaries_ascend_and_meet_the_objectives(
    low: float, span: float, count: int, places: list[float], focused: bool
) -> None:
    """Whatever the range: at most as many as wanted, sorted, objectives exact, about the range."""
    high = low * span
    aims = sorted({low * span**place for place in places})
    if focused:
        middle = np.array([low * math.sqrt(span), high / 1.1])
        made = focused_boundaries(low, high, count, aims, middle)
    else:
        made = geometric_boundaries(low, high, count, aims)
    assert (np.diff(made) > 0).all()
    assert set(aims) <= set(made)
    assert len(made) <= max(count, len(aims))
    assert low / span <= made[0] < made[-1] <= high * span or len(made) == 1


def test_numbers_are_short() -> None:
    """People read three digits at the most, and one or two nearly always."""
    made = geometric_boundaries(0.003, 40.0, 15, [0.3])
    digits = [len(f"{x:.6e}".split("e")[0].replace(".", "").rstrip("0")) for x in made]
    assert max(digits) <= 3
    assert np.mean(digits) < 2


def test_focused_boundaries_are_dense_where_the_quantiles_lie() -> None:
    """More of them around p95 and p99 than the geometric layout has."""
    spots = np.array([0.1, 0.6, 1.0])
    focused = np.array(focused_boundaries(0.001, 10.0, 15, [], spots))
    even = np.array(geometric_boundaries(0.001, 10.0, 15, []))
    inside = [int(((x > 0.4) & (x < 1.5)).sum()) for x in (focused, even)]
    assert inside[0] > inside[1]


def test_defaults_are_those_of_the_clients() -> None:
    """The Python client's own constant, which OpenTelemetry's conventions share."""
    ours = CLIENT_DEFAULTS["OpenTelemetry and Python default"]
    assert ours == Histogram.DEFAULT_BUCKETS[:-1]
    assert CLIENT_DEFAULTS["Prometheus default"] == GO_DEFAULT


@given(st.integers(-4, 8), st.floats(1e-4, 10.0), st.floats(1.0, 1e4))
def test_native_edges_enclose_the_range(schema: int, low: float, span: float) -> None:
    """Powers of the growth, one at or beyond each end and none to spare."""
    edges = native_edges(schema, low, low * span)
    growth = 2.0**2.0**-schema
    assert edges[0] <= low * (1 + 1e-12)
    assert edges[-1] >= low * span * (1 - 1e-12)
    assert edges[0] * growth * (1 + 1e-9) > low
    if len(edges) > 1:
        assert edges[1:] / edges[:-1] == pytest.approx(growth)
