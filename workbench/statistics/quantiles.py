"""Quantiles of bucketed observations: by PromQL's rule, by a better one, and how sure they are.

A histogram tells between which two edges a quantile lies, never where. Four answers are given:

- the rule of ``histogram_quantile``, which draws a straight line through the bucket;
- ours: through the cumulative shares at the edges a monotone cubic (Fritsch and Carlson, 1980, with
  the slopes of SciPy's ``PchipInterpolator``) is laid, of the logarithm of the value over the probit
  of the share, where a log-normal distribution is a straight line;
- the bucket itself, which holds the quantile of what was counted whatever its distribution;
- a confidence interval for the quantile of the process behind the counts. Its ends are our estimate
  at the shares that Clopper and Pearson (1934) give for the rank (Woodruff, 1952), moved outwards
  by a share of their bucket's logarithmic width for what interpolation cannot know, and never out of
  that bucket. The share was chosen on simulated distributions: see the coverage benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from workbench.engine.histogram import bucket_quantile
from workbench.errors import InputError
from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.statistics.buckets import BucketCounts

__all__ = [
    "QuantileEstimates",
    "bucket_bounds",
    "estimate_quantiles",
    "promql_quantile",
    "quantile",
]

_HALF: Final = 0.05
"""How much of one observation may lie beyond the outermost that were seen."""

_UNSURE: Final = 0.15
"""By which share of its bucket's logarithmic width the end of an interval may be misplaced."""

_UNSURE_EDGE: Final = 0.3
"""That share in a bucket beside an empty one: nothing tells how steeply the distribution begins."""

_NEVER: Final = 1e-12
"""Shares nearer to 0 and 1 than this have no probit worth having."""

_SPREAD: Final = 0.5
"""Standard deviation of ln seconds that is assumed below the first edge where nothing tells it."""


@dataclass(frozen=True, slots=True, eq=False)
class QuantileEstimates:
    """Quantiles of many distributions; every array has shape (..., quantiles).

    Parameters
    ----------
    quantiles
        Which: 0.5 is the median.
    value
        Our estimate, in the unit of the edges; NaN without observations; where clipped, the last
        finite edge, which it exceeds.
    low, high
        Confidence interval; `high` is infinite where it reaches into the top bucket.
    bucket_low, bucket_high
        The edges of the bucket that holds the quantile of what was counted.
    free_low, free_high
        An interval of the same confidence that assumes nothing of the distribution: the edges of
        the buckets that hold the ranks at its ends.
    promql
        What ``histogram_quantile`` gives.
    clipped
        Whether the quantile lies in a bucket without an upper edge.
    """

    quantiles: tuple[float, ...]
    value: Floats
    low: Floats
    high: Floats
    bucket_low: Floats
    bucket_high: Floats
    free_low: Floats
    free_high: Floats
    promql: Floats
    clipped: Bools


def estimate_quantiles(
    buckets: BucketCounts, quantiles: Sequence[float], *, confidence: float = 0.95
) -> QuantileEstimates:
    """Give every answer for every distribution.

    Parameters
    ----------
    buckets
        Counts, shape (..., buckets).
    quantiles
        Each above 0 and below 1.
    confidence
        Of the interval. It holds for independent observations, which requests of one burst are
        not; over time, compare windows instead (`workbench.statistics.comparison`).

    Raises
    ------
    InputError
        A quantile or the confidence is not between 0 and 1.

    Examples
    --------
    >>> seen = BucketCounts.from_cumulative([0.1, 0.25, 0.5, np.inf], [600, 900, 990, 1000])
    >>> p90 = estimate_quantiles(seen, [0.9])
    >>> p90.bucket_low.tolist(), p90.bucket_high.tolist()
    ([0.1], [0.25])
    """
    from scipy.special import betaincinv

    qs = _checked(quantiles)
    if not 0 < confidence < 1:
        msg = f"the confidence is {confidence!r}"
        raise InputError(msg, "give a share between 0 and 1, such as 0.95")
    shape = _Shape.of(buckets)
    total = shape.total[..., None]
    tail = (1 - confidence) / 2
    with np.errstate(all="ignore"):
        rank = qs * total
        low_q = np.where(rank > 0, betaincinv(rank, total - rank + 1, tail), 0.0)
        high_q = betaincinv(rank + 1, np.maximum(total - rank, 1e-9), 1 - tail)
    below = shape.inverse(np.clip(low_q, _NEVER, 1 - _NEVER))
    above = shape.inverse(np.clip(high_q, _NEVER, 1 - _NEVER))
    middle = shape.inverse(np.broadcast_to(qs, rank.shape))
    low, high = below.apart(middle.value, -1), above.apart(middle.value, 1)
    return QuantileEstimates(
        tuple(qs.tolist()),
        middle.value,
        np.minimum(low, middle.value),
        np.maximum(np.where(np.isposinf(above.high), np.inf, high), middle.value),
        middle.low,
        middle.high,
        below.low,
        above.high,
        np.stack([promql_quantile(buckets, float(q)) for q in qs], axis=-1),
        np.isposinf(middle.high),
    )


def quantile(buckets: BucketCounts, quantiles: Sequence[float]) -> Floats:
    """Our estimate alone: shape (..., quantiles), in the unit of the edges.

    Examples
    --------
    >>> seen = BucketCounts.from_cumulative([1.0, 10.0, 100.0, np.inf], [16, 50, 84, 100])
    >>> round(float(quantile(seen, [0.5])[0]), 6)
    10.0
    """
    qs = _checked(quantiles)
    shape = _Shape.of(buckets)
    return shape.inverse(np.broadcast_to(qs, (*shape.total.shape, len(qs)))).value


def bucket_bounds(buckets: BucketCounts, quantiles: Sequence[float]) -> tuple[Floats, Floats]:
    """Between which edges each quantile lies: two arrays of shape (..., quantiles)."""
    qs = _checked(quantiles)
    shape = _Shape.of(buckets)
    found = shape.bucket(np.broadcast_to(qs, (*shape.total.shape, len(qs))))
    return shape.edges_of(found)


@dataclass(frozen=True, slots=True, eq=False)
class ShareEstimates:
    """Which share of the observations is at most a threshold; every array has shape (...).

    Parameters
    ----------
    threshold
        In the unit of the edges.
    value
        Our estimate, 0 to 1; exact where the threshold is an edge; NaN without observations.
    low, high
        Confidence interval of Clopper and Pearson around the two shares below.
    bucket_low, bucket_high
        The shares at the edges around the threshold, equal where it is an edge.
    on_edge
        Whether the threshold is an edge of the buckets.
    """

    threshold: float
    value: Floats
    low: Floats
    high: Floats
    bucket_low: Floats
    bucket_high: Floats
    on_edge: bool


def share_at_most(
    buckets: BucketCounts, threshold: float, *, confidence: float = 0.95
) -> ShareEstimates:
    """Tell how many observations kept an objective.

    Raises
    ------
    InputError
        The threshold is not a positive, finite number.

    Examples
    --------
    >>> seen = BucketCounts.from_cumulative([0.1, 0.25, 0.5, np.inf], [600, 900, 990, 1000])
    >>> share_at_most(seen, 0.25).value.tolist()
    0.9
    """
    from scipy.special import betaincinv

    if not (np.isfinite(threshold) and threshold > 0):
        msg = f"the threshold is {threshold!r}"
        raise InputError(msg, "give a positive number in the unit of the histogram, such as 0.5")
    shape = _Shape.of(buckets)
    total = shape.total
    value, below, above = shape.share(float(threshold))
    tail = (1 - confidence) / 2
    with np.errstate(all="ignore"):
        k_low, k_high = below * total, above * total
        low = np.where(k_low > 0, betaincinv(k_low, total - k_low + 1, tail), 0.0)
        high = np.where(
            k_high < total,
            betaincinv(k_high + 1, np.maximum(total - k_high, 1e-9), 1 - tail),
            1.0,
        )
    nothing = total <= 0
    return ShareEstimates(
        float(threshold),
        value,
        np.where(nothing, np.nan, low),
        np.where(nothing, np.nan, high),
        below,
        above,
        bool(np.any(np.isclose(buckets.edges, threshold, rtol=1e-9, atol=0.0))),
    )


def promql_quantile(buckets: BucketCounts, q: float) -> Floats:
    """What PromQL's ``histogram_quantile`` gives on these buckets, shape (...).

    Of exponential native histograms it is Prometheus 3's rule, which interpolates on a
    logarithmic scale; 2.x interpolated those linearly too.
    """
    flat = buckets.cumulative.reshape(-1, buckets.counts.shape[-1])
    if buckets.exponential:
        value = _exponential(buckets, flat, q)
    else:
        value, _ = bucket_quantile(np.full(len(flat), float(q)), buckets.edges[1:], flat)
    return value.reshape(buckets.counts.shape[:-1])


def _exponential(buckets: BucketCounts, cumulative: Floats, q: float) -> Floats:
    """Interpolated on a logarithmic scale, but linearly in a bucket that touches zero."""
    total = cumulative[:, -1]
    rank = q * total
    place = np.minimum((cumulative < rank[:, None]).sum(axis=1), cumulative.shape[1] - 1)
    low, high = buckets.edges[place], buckets.edges[place + 1]
    inside = buckets.counts.reshape(cumulative.shape)[np.arange(len(place)), place]
    with np.errstate(all="ignore"):
        share = 1 - (cumulative[np.arange(len(place)), place] - rank) / inside
        linear = low + (high - low) * share
        value = np.where(low > 0, low * (high / low) ** share, linear)
        value = np.where(high < 0, -(-low * (high / low) ** share), value)
    value = np.where(np.isposinf(high), low, np.where(np.isneginf(low), high, value))
    result: Floats = np.where(total > 0, value, np.nan)
    return result


def _checked(quantiles: Sequence[float]) -> Floats:
    qs = np.asarray(quantiles, np.float64)
    if qs.ndim != 1 or not len(qs) or not ((qs > 0) & (qs < 1)).all():
        msg = f"the quantiles are {list(quantiles)!r}"
        raise InputError(msg, "give numbers above 0 and below 1, such as 0.5 and 0.99")
    return qs


@dataclass(frozen=True, slots=True, eq=False)
class _Inverse:
    """Where in which bucket quantiles lie; every array has shape (..., quantiles).

    `at_edge` is true where a bucket beside it is empty or missing.
    """

    value: Floats
    low: Floats
    high: Floats
    at_edge: Bools

    def apart(self, middle: Floats, sign: int) -> Floats:
        """These ends of intervals, below (-1) or above (1) `middle`, moved for what interpolation cannot know.

        Both errors are independent of one another, so that their squares add up, in logarithms.
        """
        share = np.where(self.at_edge, _UNSURE_EDGE, _UNSURE)
        with np.errstate(all="ignore"):
            lowest = np.where(self.low > 0, self.low, self.value / 2)
            sampled = np.log(self.value / middle)
            unknown = share * np.log(self.high / lowest)
            end = middle * np.exp(sign * np.hypot(sampled, unknown))
        kept = np.isfinite(end)
        result: Floats = np.where(
            kept, np.clip(np.where(kept, end, 0.0), self.low, self.high), self.value
        )
        return result


@dataclass(frozen=True, slots=True, eq=False)
class _Shape:
    """Counts made ready to be inverted.

    `reached` has shape (..., buckets + 1): observations at or below each edge.
    """

    edges: Floats
    reached: Floats
    total: Floats

    @classmethod
    def of(cls, buckets: BucketCounts) -> _Shape:
        counts = buckets.counts
        reached = np.zeros((*counts.shape[:-1], counts.shape[-1] + 1))
        np.cumsum(counts, axis=-1, out=reached[..., 1:])
        return cls(buckets.edges, reached, reached[..., -1])

    def bucket(self, qs: Floats) -> Ints:
        """Which bucket holds each quantile, shape (..., quantiles); it is never an empty one."""
        rank = qs * self.total[..., None]
        found = np.zeros(qs.shape, np.int64)
        for edge in range(1, len(self.edges) - 1):
            found += self.reached[..., edge, None] < rank
        return found

    def edges_of(self, found: Ints) -> tuple[Floats, Floats]:
        """Both edges of buckets; NaN where nothing was observed."""
        nothing = (self.total <= 0)[..., None]
        low, high = self.edges[found], self.edges[found + 1]
        return np.where(nothing, np.nan, low), np.where(nothing, np.nan, high)

    def inverse(self, qs: Floats) -> _Inverse:
        """Our estimate of each quantile."""
        from scipy.special import ndtri

        found = self.bucket(qs)
        low, high = self.edges_of(found)
        with np.errstate(all="ignore"):
            knots = [self._knot(found + i) for i in (-1, 0, 1, 2)]
            value = np.exp(_cubic(knots, ndtri(qs)))
            value = np.clip(value, low, high)
            value = np.where(low < 0, self._linear(qs, found, low, high), value)
        value = np.where(np.isposinf(high), low, np.where(np.isneginf(low), high, value))
        steps = [after[1] - before[1] for before, after in pairwise(knots)]
        return _Inverse(value, low, high, ~((steps[0] > 0) & (steps[2] > 0)))

    def share(self, threshold: float) -> tuple[Floats, Floats, Floats]:
        """Our estimate of the share at most the threshold, and those at the edges around it."""
        from scipy.special import ndtr

        near = np.isclose(self.edges, threshold, rtol=1e-9, atol=0.0)
        with np.errstate(all="ignore"):
            shares = self.reached / self.total[..., None]
            if near.any():
                known = shares[..., int(np.argmax(near))]
                return known, known, known
            place = int(np.searchsorted(self.edges, threshold)) - 1
            below, above = shares[..., place], shares[..., place + 1]
            at = np.full((*self.total.shape, 1), place)
            knots = [self._knot(at + i)[::-1] for i in (-1, 0, 1, 2)]
            z = _cubic(knots, np.full(at.shape, np.log(threshold)))[..., 0]
            value = np.clip(np.nan_to_num(ndtr(z), nan=0.5), below, above)
        return np.where(self.total > 0, value, np.nan), below, above

    def _knot(self, place: Ints) -> tuple[Floats, Floats]:
        """Logarithm of the edge and probit of the share below it; NaN where there is none."""
        from scipy.special import ndtri

        inside = np.clip(place, 0, len(self.edges) - 1)
        edge = self.edges[inside]
        usable = (place == inside) & (edge > 0) & np.isfinite(edge)
        total = self.total[..., None]
        reached = np.take_along_axis(self.reached, inside, axis=-1)
        share = np.clip(reached, _HALF, np.maximum(total - _HALF, _HALF)) / total
        return np.where(usable, np.log(edge), np.nan), np.where(usable, ndtri(share), np.nan)

    def _linear(self, qs: Floats, found: Ints, low: Floats, high: Floats) -> Floats:
        """The straight line, where a logarithm has no meaning: below zero."""
        below = np.take_along_axis(self.reached, found, axis=-1)
        inside = np.take_along_axis(self.reached, found + 1, axis=-1) - below
        result: Floats = low + (high - low) * (qs * self.total[..., None] - below) / inside
        return result


def _cubic(knots: Sequence[tuple[Floats, Floats]], z: Floats) -> Floats:
    """The monotone cubic between the two middle knots of four; outer ones may be NaN.

    Where the lower middle knot is missing, since its edge is 0, the line of the bucket above is
    continued downwards.
    """
    (x0, z0), (x1, z1), (x2, z2), (x3, z3) = knots
    h_low, h, h_high = z1 - z0, z2 - z1, z3 - z2
    d_low, d, d_high = (x1 - x0) / h_low, (x2 - x1) / h, (x3 - x2) / h_high
    has_low, has_high = h_low > 0, h_high > 0
    start = np.where(has_low, _inner(h_low, d_low, h, d), _outer(h, d, h_high, d_high, has_high))
    end = np.where(has_high, _inner(h, d, h_high, d_high), _outer(h, d, h_low, d_low, has_low))
    t = np.clip((z - z1) / h, 0.0, 1.0)
    value = (
        x1 * (1 + 2 * t) * (1 - t) ** 2
        + h * start * t * (1 - t) ** 2
        + x2 * t**2 * (3 - 2 * t)
        - h * end * t**2 * (1 - t)
    )
    spread = np.where(has_high, d_high, _SPREAD)
    result: Floats = np.where(np.isnan(x1), x2 + spread * np.minimum(z - z2, 0.0), value)
    return result


def _inner(h_left: Floats, d_left: Floats, h_right: Floats, d_right: Floats) -> Floats:
    """The slope at a knot with a filled bucket on both sides: a weighted harmonic mean."""
    left, right = 2 * h_right + h_left, h_right + 2 * h_left
    slope: Floats = (left + right) / (left / d_left + right / d_right)
    return slope


def _outer(h: Any, d: Any, h_next: Any, d_next: Any, has_next: Any) -> Floats:
    """The slope at an end of what is filled, from three knots, kept monotone."""
    slope = ((2 * h + h_next) * d - h * d_next) / (h + h_next)
    result: Floats = np.where(has_next, np.clip(slope, 0.0, 3 * d), d)
    return result
