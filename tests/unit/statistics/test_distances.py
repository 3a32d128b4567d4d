"""Bounds on distances: the truth lies within, and pairs of samples reach them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from workbench.errors import InputError
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.distances import kolmogorov_bounds, wasserstein_bounds

BOUNDS = np.array([0.1, 0.5, 1.0, 2.5, np.inf])
EDGES = np.concatenate([[0.0], BOUNDS])


def counted(values):
    return BucketCounts.of_observations(BOUNDS, values)


def greatest_gap(one, other):
    """The Kolmogorov–Smirnov distance by its definition."""
    points = np.concatenate([one, other])
    return max(abs((one <= x).mean() - (other <= x).mean()) for x in points)


def samples():
    sizes = st.integers(1, 40)
    values = st.floats(0.001, 9.0)
    return sizes.flatmap(lambda n: st.lists(values, min_size=n, max_size=n)).map(np.array)


@given(samples(), samples())
def test_the_true_distances_lie_within(one, other):
    """Samples of any sizes, counted: scipy's distances of the samples are within the bounds."""
    low, high = kolmogorov_bounds(counted(one), counted(other))
    assert low - 1e-12 <= greatest_gap(one, other) <= high + 1e-12
    truth = wasserstein_distance(one, other)
    low, high = wasserstein_bounds(counted(one), counted(other))
    assert low - 1e-9 <= truth <= high + 1e-9
    low, high = wasserstein_bounds(counted(one), counted(other), sums=(one.sum(), other.sum()))
    assert low - 1e-9 <= truth <= high + 1e-9
    assert np.isfinite(high)


def placed(counts, at):
    """All observations of a bucket at one share of its width (one for all, or one a bucket)."""
    edges = np.minimum(EDGES, 9.0)
    return np.repeat(edges[:-1] + at * np.diff(edges), counts)


@pytest.mark.parametrize("seed", range(8))
def test_both_bounds_are_reached(seed):
    """No tighter bound could be right: for each, a pair of samples of those counts has it."""
    rng = np.random.default_rng(seed)
    counts = rng.integers(0, 6, (2, 5))
    counts[:, 0] += 1
    counts[:, -1] = 0  # a bucket without an end has no greatest distance
    one, other = counts
    buckets = [BucketCounts(EDGES, c.astype(float)) for c in counts]
    found = np.array(
        [[greatest_gap(x, y), wasserstein_distance(x, y)] for x, y in _extremes(one, other)]
    )
    low, high = kolmogorov_bounds(*buckets)
    assert found[:, 0].min() == pytest.approx(low, abs=1e-9)
    assert found[:, 0].max() == pytest.approx(high, abs=1e-9)
    low, high = wasserstein_bounds(*buckets)
    assert found[:, 1].min() == pytest.approx(low, abs=1e-4)
    assert found[:, 1].max() == pytest.approx(high, abs=1e-4)


def _extremes(one, other):
    """Pairs of samples: all alike, far apart, and such that the shares meet in each bucket."""
    near, far = 1e-6, 1 - 1e-6
    yield placed(one, 0.5), placed(other, 0.5)
    low, high = wasserstein_choice(one, other)
    yield placed(one, low), placed(other, high)
    yield placed(one, near), placed(other, far)
    yield placed(one, far), placed(other, near)
    yield _meeting(one, other)


def wasserstein_choice(one, other):
    """In each bucket, which side has to come early for the greatest area between the shares."""
    f = np.concatenate([[0], np.cumsum(one) / one.sum()])
    g = np.concatenate([[0], np.cumsum(other) / other.sum()])
    first = f[1:] - g[:-1] >= g[1:] - f[:-1]
    return np.where(first, 1e-6, 1 - 1e-6), np.where(first, 1 - 1e-6, 1e-6)


def _meeting(one, other):
    """Both samples repeated to a common size, so that shares can be matched exactly.

    In each bucket a side rises at once to the common level and the rest comes at the end.
    """
    n, m = one.sum(), other.sum()
    f = np.concatenate([[0], np.cumsum(one) * m])
    g = np.concatenate([[0], np.cumsum(other) * n])
    edges = np.minimum(EDGES, 9.0)
    left, right = [], []
    for i, width in enumerate(np.diff(edges)):
        level = max(f[i], g[i])
        for reached, into in ((f, left), (g, right)):
            early = min(max(level - reached[i], 0), reached[i + 1] - reached[i])
            late = reached[i + 1] - reached[i] - early
            into.extend([edges[i] + 1e-6 * width] * int(early))
            into.extend([edges[i + 1] - 1e-6 * width] * int(late))
    return np.array(left), np.array(right)


def test_the_bound_by_sums_is_reached_where_both_reach_the_top():
    """One part in ten thousand far out carries one side's sum: nearly the greatest distance."""
    size = 20_000
    one = np.concatenate([np.full(size // 2, 0.1000001), np.full(size // 2 - 2, 2.5000001)])
    one = np.concatenate([one, [30_000.0, 30_000.0]])
    other = np.concatenate([np.full(size // 2, 0.5), np.full(size // 2, 3.0)])
    _, high = wasserstein_bounds(counted(one), counted(other), sums=(one.sum(), other.sum()))
    assert wasserstein_distance(one, other) == pytest.approx(float(high), rel=1e-3)
    assert wasserstein_distance(one, other) <= high


def test_an_open_top_bucket_with_something_in_it_has_no_upper_bound():
    one, other = counted(np.array([0.2, 0.3])), counted(np.array([0.2, 3.0]))
    assert wasserstein_bounds(one, other)[1] == np.inf
    assert np.isfinite(wasserstein_bounds(one, one)[1])


def test_a_sum_that_contradicts_the_buckets_is_not_used():
    """Extrapolated or wrapped sums must not make a bound wrong."""
    one, other = counted(np.array([0.2, 0.3])), counted(np.array([0.2, 3.0]))
    for bad in (-1.0, np.nan, 0.01, np.inf):
        assert wasserstein_bounds(one, other, sums=(0.5, bad))[1] == np.inf


def test_without_observations_there_is_no_distance():
    nothing = BucketCounts(EDGES, np.zeros(5))
    for low, high in (
        kolmogorov_bounds(nothing, counted(np.array([1.0]))),
        wasserstein_bounds(counted(np.array([1.0])), nothing, sums=(1.0, 0.0)),
    ):
        assert np.isnan(low)
        assert np.isnan(high)


def test_different_layouts_meet_on_the_edges_they_share():
    fine = BucketCounts.from_cumulative([0.1, 0.2, 1.0, np.inf], [1, 2, 3, 4])
    coarse = BucketCounts.from_cumulative([0.1, 1.0, np.inf], [1, 3, 4])
    assert [float(x) for x in kolmogorov_bounds(fine, coarse)] == [0.0, 0.5]
    with pytest.raises(InputError, match="share no bucket"):
        kolmogorov_bounds(fine, BucketCounts(np.array([5.0, 6.0]), np.ones(1)))
    with pytest.raises(InputError, match="outermost"):
        kolmogorov_bounds(fine, BucketCounts(np.array([0.1, 1.0, 7.0]), np.ones(2)))


def test_many_pairs_at_once_equal_each_pair_alone():
    """Leading axes: every row is what it would be on its own."""
    rng = np.random.default_rng(5)
    one, other = rng.integers(0, 9, (2, 20, 5)).astype(float)
    sums = rng.uniform(1, 90, (2, 20))
    many = wasserstein_bounds(
        BucketCounts(EDGES, one), BucketCounts(EDGES, other), sums=tuple(sums)
    )
    for i in range(20):
        each = wasserstein_bounds(
            BucketCounts(EDGES, one[i]),
            BucketCounts(EDGES, other[i]),
            sums=(sums[0, i], sums[1, i]),
        )
        np.testing.assert_array_equal(each, [many[0][i], many[1][i]])
