"""How far apart two distributions are that are known only by bucket: bounds that are sharp.

Buckets tell how much lies between two edges, never where. Every pair of distributions that
agrees with the counts has a distance between the lower and the upper bound, and some pair comes
as near to each bound as one likes. Each bound follows bucket by bucket: with shares ``a → b`` of
the one and ``c → d`` of the other reached at a bucket's lower and upper edge, the cumulative
shares inside are any two rising lines within ``[a, b]`` and ``[c, d]``.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.errors import InputError
from workbench.samples import Floats
from workbench.statistics.buckets import BucketCounts, common_edges

__all__ = ["kolmogorov_bounds", "wasserstein_bounds"]


def kolmogorov_bounds(one: BucketCounts, other: BucketCounts) -> tuple[Floats, Floats]:
    """Bounds on the Kolmogorov–Smirnov distance, the greatest gap of the cumulative shares.

    Parameters
    ----------
    one, other
        Counts of shapes that broadcast, (..., buckets); on different edges, the shared ones count.

    Returns
    -------
    tuple of Floats
        Lower and upper bound, shape (...), between 0 and 1; NaN where either is empty.

    Raises
    ------
    InputError
        They share fewer than two edges.

    Examples
    --------
    >>> seen = BucketCounts.from_cumulative([1.0, 2.0, np.inf], [5, 10, 10])
    >>> later = BucketCounts.from_cumulative([1.0, 2.0, np.inf], [2, 10, 10])
    >>> [round(float(x), 3) for x in kolmogorov_bounds(seen, later)]
    [0.3, 0.8]
    """
    left, right = _shared(one, other)
    (a, b), (c, d) = _reached(left), _reached(right)
    # At an edge the gap is known; inside a bucket one may have risen before the other begins.
    low = np.abs(b - d).max(axis=-1)
    high = np.maximum(b - c, d - a).max(axis=-1)
    return low, np.minimum(high, 1.0)


def wasserstein_bounds(
    one: BucketCounts, other: BucketCounts, *, sums: tuple[Any, Any] | None = None
) -> tuple[Floats, Floats]:
    """Bounds on the 1-Wasserstein distance: the mean way that an observation has to be moved.

    Parameters
    ----------
    one, other
        Counts of shapes that broadcast, (..., buckets); on different edges, the shared ones count.
    sums
        The sums of the observations of both, shape (...). They bound the distance from above where
        the top bucket is open and holds something, which else is infinite, and from below by the
        difference of the means. A sum that contradicts the buckets, or NaN, is not used. With
        sums the bounds hold always; they are sharp from above where both reach the top bucket.

    Returns
    -------
    tuple of Floats
        Lower and upper bound, shape (...), in the unit of the edges; NaN where either is empty.

    Raises
    ------
    InputError
        They share fewer than two edges.

    Examples
    --------
    >>> seen = BucketCounts.from_cumulative([1.0, 2.0, np.inf], [5, 10, 10])
    >>> later = BucketCounts.from_cumulative([1.0, 2.0, np.inf], [0, 10, 10])
    >>> [float(x) for x in wasserstein_bounds(seen, later)]
    [0.0, 1.5]
    """
    left, right = _shared(one, other)
    (a, b), (c, d) = _reached(left), _reached(right)
    width = np.diff(left.edges)
    finite = np.isfinite(width)
    apart = np.maximum(np.maximum(c - b, a - d), 0.0)
    low = (apart * np.where(finite, width, 0.0)).sum(axis=-1)
    with np.errstate(invalid="ignore"):
        reach = np.maximum(b - c, d - a)
        high = np.where(reach > 0, reach * width, 0.0 * reach).sum(axis=-1)
    if sums is None:
        return low, high
    means = _means(left, sums[0]), _means(right, sums[1])
    known = np.isfinite(means[0]) & np.isfinite(means[1])
    with np.errstate(invalid="ignore"):
        low = np.where(known, np.maximum(low, np.abs(means[0] - means[1])), low)
        limit = _upper_by_means(left.edges, (a, b, c, d), means)
    return low, np.where(known, np.minimum(high, limit), high)


def _shared(one: BucketCounts, other: BucketCounts) -> tuple[BucketCounts, BucketCounts]:
    """Both on the edges that they share."""
    if np.array_equal(one.edges, other.edges):
        return one, other
    edges = common_edges([one.edges, other.edges])
    if len(edges) < 2:
        msg = "the two distributions share no bucket"
        raise InputError(msg, "compare histograms whose buckets have edges in common")
    if not (_inside(one, edges) and _inside(other, edges)):
        msg = "the outermost buckets of the two distributions differ and hold observations"
        raise InputError(msg, "compare histograms that reach equally far")
    return one.coarsened(edges), other.coarsened(edges)


def _inside(buckets: BucketCounts, edges: Floats) -> bool:
    """Whether nothing lies outside of the edges."""
    outside = (buckets.edges[1:] <= edges[0]) | (buckets.edges[:-1] >= edges[-1])
    return not buckets.counts[..., outside].any()


def _reached(buckets: BucketCounts) -> tuple[Floats, Floats]:
    """The share reached at the lower and at the upper edge of each bucket; NaN where empty."""
    total = buckets.total[..., None]
    upper = buckets.cumulative / np.where(total > 0, total, np.nan)
    upper[..., -1:] = np.where(total > 0, 1.0, np.nan)
    lower = np.concatenate([np.zeros((*upper.shape[:-1], 1)), upper[..., :-1]], axis=-1)
    return np.where(np.isnan(upper), np.nan, lower), upper


def _means(buckets: BucketCounts, sums: Any) -> Floats:
    """Means by the sums; NaN where the buckets say that they cannot be right."""
    total = buckets.total
    with np.errstate(all="ignore"):
        share = buckets.counts / total[..., None]
        mean = np.asarray(sums, np.float64) / total
        least = np.where(share > 0, share * buckets.edges[:-1], 0.0).sum(axis=-1)
        most = np.where(share > 0, share * buckets.edges[1:], 0.0).sum(axis=-1)
        slack = 1e-9 * np.abs(mean)
        fits = (mean >= least - slack) & (mean <= most + slack) & np.isfinite(least)
    result: Floats = np.where(fits, mean, np.nan)
    return result


def _upper_by_means(
    edges: Floats, reached: tuple[Floats, Floats, Floats, Floats], means: tuple[Floats, Floats]
) -> Floats:
    """The upper bound where means are known and the top bucket is open.

    Beyond the last finite edge the distance is at most the sum of both excesses over it, and what
    the finite buckets hold of a mean is not left for its excess. So inside a bucket the gap
    ``|F − G|`` is weighed against ``1 − F`` of each side that has an excess, and the greatest
    balance over ``[a, b] × [c, d]``, which a corner attains, is added to the means.
    """
    inner = np.isfinite(edges)
    if not inner[:-1].all() or inner[-1]:
        return np.full(means[0].shape, np.inf)  # open below or closed above: other bounds do
    a, b, c, d = (part[..., :-1] for part in reached)
    top_one, top_other = (1 - part[..., -1:] > 0 for part in (reached[0], reached[2]))
    corners = [np.abs(f - g) - top_one * (1 - f) - top_other * (1 - g)
               for f in (a, b) for g in (c, d)]  # fmt: skip
    balance = (np.maximum.reduce(corners) * np.diff(edges[:-1])).sum(axis=-1)
    excess = [np.where(top[..., 0], mean - edges[0], 0.0)
              for top, mean in zip((top_one, top_other), means, strict=True)]  # fmt: skip
    result: Floats = balance + excess[0] + excess[1]
    return result
