"""Quantiles of bucketed observations: by PromQL's rule, by a better one, and how sure they are.

A histogram tells between which two edges a quantile lies, never where. Four answers are given:

- the rule of ``histogram_quantile``, which draws a straight line through the bucket;
- ours: through the cumulative shares at the edges a monotone cubic (Fritsch and Carlson, 1980, with
  the slopes of SciPy's ``PchipInterpolator``) is laid, of the logarithm of the value over the probit
  of the share, where a log-normal distribution is a straight line;
- the bucket itself, which holds the quantile of what was counted whatever its distribution;
- a confidence interval for the quantile of the process behind the counts. Its ends are our estimate
  at the shares that Clopper and Pearson (1934) give for the rank (Woodruff, 1952), moved outwards
  for what interpolation cannot know, and never out of their bucket: by a share of its logarithmic
  width, or of what the straight lines of the buckets beside it would make of the end, whichever is
  more. The shares were chosen on simulated distributions: see the coverage benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.frame import Bools
from workbench.samples import Floats
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.inversion import Inverse, invert, shares_around

__all__ = [
    "QuantileEstimates",
    "ShareEstimates",
    "bucket_bounds",
    "estimate_quantiles",
    "interpolation_error",
    "promql_quantile",
    "quantile",
    "share_at_most",
]

_UNSURE: Final = 0.12
"""By which share of its bucket's logarithmic width the end of an interval may be misplaced."""

_UNSURE_EDGE: Final = 0.3
"""That share in a bucket beside an empty one: nothing tells how steeply the distribution begins."""

_UNSURE_FIRST: Final = 0.5
_FIRST_WIDTH: Final = 4.0
"""Of the bucket that begins at 0, which has no logarithmic width: so far below is looked."""

_BENT: Final = 0.9
_BENT_FEW: Final = 0.4
_FEW: Final = 1000
"""By which share of what straight lines would make of it the end may be misplaced.

Below so many observations it is the second: chance bends the line as much as the law does then.
"""

_MANY: Final = 1e12
"""More observations make no interval narrower: at 1e15 the inverse of the incomplete beta fails."""

_NEVER: Final = 1e-12
"""Shares nearer to 0 and 1 than this have no probit worth having."""


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
    total = np.minimum(buckets.total, _MANY)[..., None]
    tail = (1 - confidence) / 2
    with np.errstate(all="ignore"):
        rank = qs * total
        low_q = np.where(rank > 0, betaincinv(rank, total - rank + 1, tail), 0.0)
        high_q = betaincinv(rank + 1, np.maximum(total - rank, _NEVER), 1 - tail)
    below = invert(buckets, np.clip(low_q, _NEVER, 1 - _NEVER), doubts=True)
    above = invert(buckets, np.clip(high_q, _NEVER, 1 - _NEVER), doubts=True)
    middle = invert(buckets, qs)
    low, high = (
        _apart(ends, middle.value, sign, total) for ends, sign in ((below, -1), (above, 1))
    )
    return QuantileEstimates(
        tuple(qs.tolist()),
        middle.value,
        np.minimum(low, middle.value),
        np.maximum(np.where(np.isposinf(above.high), np.inf, high), middle.value),
        middle.low,
        middle.high,
        below.low,
        above.high,
        middle.linear,
        np.isposinf(middle.high),
    )


def _apart(ends: Inverse, middle: Floats, sign: int, total: Floats) -> Floats:
    """Ends of intervals, below (-1) or above (1) `middle`, moved for what interpolation cannot know.

    Both errors are independent of one another, so that their squares add up, in logarithms.
    """
    with np.errstate(all="ignore"):
        sampled = np.log(ends.value / middle)
        end = middle * np.exp(sign * np.hypot(sampled, _unknown(ends, total)))
    kept = np.isfinite(end)
    result: Floats = np.where(
        kept, np.clip(np.where(kept, end, 0.0), ends.low, ends.high), ends.value
    )
    return result


def _unknown(found: Inverse, total: Floats) -> Floats:
    """What interpolation cannot know, in logarithms."""
    share = np.where(found.at_edge, _UNSURE_EDGE, _UNSURE)
    share = np.where(found.low > 0, share, _UNSURE_FIRST)
    bent = np.where(total < _FEW, _BENT_FEW, _BENT)
    with np.errstate(all="ignore"):
        lowest = np.where(found.low > 0, found.low, found.value / _FIRST_WIDTH)
        unknown: Floats = np.fmax(share * np.log(found.high / lowest), bent * found.bend)
    return unknown


def interpolation_error(buckets: BucketCounts, quantiles: Sequence[float]) -> Floats:
    """By how much, in logarithms, our estimate may be off though every count is exact.

    Shape (..., quantiles); the distribution inside a bucket is not known, and this is how far it
    misled the estimate on the simulated distributions of the coverage benchmark.
    """
    return _unknown(invert(buckets, _checked(quantiles), doubts=True), buckets.total[..., None])


def quantile(buckets: BucketCounts, quantiles: Sequence[float]) -> Floats:
    """Our estimate alone: shape (..., quantiles), in the unit of the edges.

    Examples
    --------
    >>> seen = BucketCounts.from_cumulative([1.0, 10.0, 100.0, np.inf], [16, 50, 84, 100])
    >>> round(float(quantile(seen, [0.5])[0]), 6)
    10.0
    """
    return invert(buckets, _checked(quantiles)).value


def bucket_bounds(buckets: BucketCounts, quantiles: Sequence[float]) -> tuple[Floats, Floats]:
    """Between which edges each quantile lies: two arrays of shape (..., quantiles)."""
    found = invert(buckets, _checked(quantiles))
    return found.low, found.high


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
    total = np.minimum(buckets.total, _MANY)
    value, below, above = shares_around(buckets, float(threshold))
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
    return invert(buckets, _checked([q])).linear[..., 0]


def _checked(quantiles: Sequence[float]) -> Floats:
    qs = np.asarray(quantiles, np.float64)
    if qs.ndim != 1 or not len(qs) or not ((qs > 0) & (qs < 1)).all():
        msg = f"the quantiles are {list(quantiles)!r}"
        raise InputError(msg, "give numbers above 0 and below 1, such as 0.5 and 0.99")
    return qs
