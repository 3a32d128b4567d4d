"""Quantiles and fractions of classic histograms, at many steps at once.

The rules are Prometheus 3's: linear interpolation inside a bucket, the lowest bucket starting at
0 where its bound is positive, nothing interpolated in a bucket of infinite width.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["bucket_fraction", "bucket_quantile"]

_TOLERANCE: Final = 1e-12
"""Relative difference of neighbouring counts that is taken for rounding, not for a decrease."""


@np.errstate(all="ignore")
def bucket_quantile(q: Floats, bounds: Floats, counts: Floats) -> tuple[Floats, bool]:
    """Estimate quantiles.

    Parameters
    ----------
    q
        float64, shape (steps,).
    bounds
        float64, shape (buckets,): upper bounds, ascending.
    counts
        float64, shape (steps, buckets): cumulative counts.

    Returns
    -------
    tuple
        The quantiles, shape (steps,), NaN where the last bucket is not ``+Inf``, there are fewer
        than two, or nothing was observed; and whether decreasing counts had to be repaired.

    Examples
    --------
    >>> bucket_quantile(np.array([0.5]), np.array([1.0, 2.0, np.inf]), np.array([[2.0, 4.0, 4.0]]))
    (array([1.]), False)
    """
    outside = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, np.nan))
    inside = (q >= 0) & (q <= 1)
    if not np.isposinf(bounds[-1]):
        return np.where(inside, np.nan, outside), False
    counts, repaired = _monotonic(counts)
    observed = counts[:, -1]
    if len(bounds) < 2:
        return np.where(inside, np.nan, outside), repaired
    rank = np.where(inside, q, 0.0) * observed
    bucket = np.sum(counts[:, :-1] < rank[:, None], axis=1)
    result = np.where(
        inside & (observed != 0), _interpolated(rank, bucket, bounds, counts), outside
    )
    return result, repaired


def _interpolated(rank: Floats, bucket: Ints, bounds: Floats, counts: Floats) -> Floats:
    """Where in its bucket each rank lies."""
    last = len(bounds) - 1
    before = np.maximum(bucket - 1, 0)
    below = np.where(bucket > 0, np.take_along_axis(counts, before[:, None], axis=1)[:, 0], 0.0)
    start = np.where(bucket > 0, bounds[before], 0.0)
    inside = np.take_along_axis(counts, bucket[:, None], axis=1)[:, 0] - below
    value = start + (bounds[bucket] - start) * ((rank - below) / inside)
    value = np.where((bucket == 0) & (bounds[0] <= 0), bounds[0], value)
    return np.where(bucket == last, bounds[last - 1], value)


def _monotonic(counts: Floats) -> tuple[Floats, bool]:
    """Raise counts that fall below an earlier bucket's; tell whether any fell by more than rounding."""
    result = counts.copy()
    repaired = False
    for i in range(1, counts.shape[1]):
        before, now = result[:, i - 1], counts[:, i]
        close = _almost_equal(before, now)
        falls = (now < before) & ~close
        repaired = repaired or bool(falls.any())
        result[:, i] = np.where(close | falls, before, now)
    return result, repaired


def _almost_equal(a: Floats, b: Floats) -> Bools:
    near = np.abs(a - b) / (np.abs(a) + np.abs(b)) < _TOLERANCE
    result: Bools = (a == b) | (near & (a != 0) & (b != 0))
    return result


@np.errstate(all="ignore")
def bucket_fraction(lower: Floats, upper: Floats, bounds: Floats, counts: Floats) -> Floats:
    """Estimate which share of the observations lies between two values.

    Parameters
    ----------
    lower, upper
        float64, shape (steps,).
    bounds, counts
        As in `bucket_quantile`.

    Returns
    -------
    Floats
        Shape (steps,); 0 where the bounds are crossed, NaN where one is NaN, the last bucket is
        not ``+Inf``, or nothing was observed.
    """
    if not np.isposinf(bounds[-1]):
        return np.full(len(lower), np.nan)
    observed = counts[:, -1]
    share = (_rank_of(upper, bounds, counts) - _rank_of(lower, bounds, counts)) / observed
    share = np.where(lower >= upper, 0.0, share)
    return np.where(np.isnan(lower) | np.isnan(upper) | (observed == 0), np.nan, share)


def _rank_of(value: Floats, bounds: Floats, counts: Floats) -> Floats:
    """How many observations lie below each value, by linear interpolation."""
    observed = counts[:, -1]
    bucket = np.searchsorted(bounds, value, side="right")
    inside = np.minimum(bucket, len(bounds) - 1)
    before = np.maximum(inside - 1, 0)
    below = np.where(inside > 0, np.take_along_axis(counts, before[:, None], axis=1)[:, 0], 0.0)
    there = np.take_along_axis(counts, inside[:, None], axis=1)[:, 0]
    bottom = 0.0 if bounds[0] > 0 else -np.inf
    start = np.where(inside > 0, bounds[before], bottom)
    rank = below + (there - below) * ((value - start) / (bounds[inside] - start))
    rank = np.where(np.isneginf(start), there, rank)
    rank = np.where(value <= start, below, rank)
    return np.where(bucket == len(bounds), observed, np.minimum(rank, observed))
