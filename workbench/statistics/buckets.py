"""Counts of observations by bucket: the form in which every kind of histogram is judged.

Classic histograms, native ones (exponential and custom) and logged latencies all become a
`BucketCounts`: one layout of edges, and counts for any number of groups and steps on it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from workbench.errors import InputError
from workbench.samples import Floats

__all__ = ["BucketCounts", "common_edges"]

_ROUNDING: Final = 2e-12
"""Share of a count by which neighbours may differ though no observation lies between them."""


@dataclass(frozen=True, slots=True, eq=False)
class BucketCounts:
    """Counts on one layout of buckets.

    Parameters
    ----------
    edges
        float64, shape (buckets + 1,), strictly ascending, in the unit of what was observed.
        Bucket `i` holds the observations in ``(edges[i], edges[i + 1]]``. The first edge is 0
        where all is known to be positive, else ``-Inf``; the last is ``+Inf`` of a classic
        histogram.
    counts
        float64, shape (..., buckets): how many observations each bucket holds, not cumulative,
        never negative. They need not be whole: ``increase()`` extrapolates.
    exponential
        Whether the buckets are those of an exponential native histogram, inside which
        ``histogram_quantile`` interpolates on a logarithmic scale.

    Examples
    --------
    >>> two = BucketCounts.from_cumulative([0.1, 1.0, np.inf], [[3, 5, 6], [0, 4, 4]])
    >>> two.counts.tolist()
    [[3.0, 2.0, 1.0], [0.0, 4.0, 0.0]]
    >>> two.total.tolist()
    [6.0, 4.0]
    """

    edges: Floats
    counts: Floats
    exponential: bool = False

    def __post_init__(self) -> None:
        if self.edges.ndim != 1 or self.counts.shape[-1:] != (len(self.edges) - 1,):
            msg = f"{len(self.edges)} edges do not go with counts of shape {self.counts.shape}"
            raise InputError(msg, "give one edge more than buckets")
        if not (np.diff(self.edges) > 0).all():
            msg = "the edges of the buckets do not ascend"
            raise InputError(msg, "sort them and leave out doubles")

    @classmethod
    def from_cumulative(cls, bounds: Any, cumulative: Any) -> Self:
        """Build from a classic histogram's counters or their increases.

        Parameters
        ----------
        bounds
            Shape (buckets,): values of ``le``, ascending.
        cumulative
            Shape (..., buckets). A count below an earlier bucket's is raised to it, which is
            what ``histogram_quantile`` does, as it takes a relative difference of 1e-12 for
            rounding; NaN and infinity make a distribution without observations.
        """
        upper = np.asarray(bounds, np.float64)
        counted = np.asarray(cumulative, np.float64)
        lowest = 0.0 if len(upper) and upper[0] > 0 else -np.inf
        by_bucket = np.moveaxis(counted, -1, 0)  # neighbours in memory, then, are steps
        known = np.isfinite(by_bucket.sum(axis=0))
        if not known.all():
            by_bucket = np.where(known, by_bucket, 0.0)
        counts = np.empty(by_bucket.shape)
        below = np.zeros(by_bucket.shape[1:])
        for bucket, reached in enumerate(by_bucket):
            rising = np.maximum(reached, below)
            inside = np.subtract(rising, below, out=counts[bucket, ...])
            np.putmask(inside, inside < _ROUNDING * rising, 0.0)
            below = rising
        return cls(np.concatenate([[lowest], upper]), np.moveaxis(counts, 0, -1))

    @classmethod
    def of_observations(cls, bounds: Any, observations: Any) -> Self:
        """Count observations, shape (n,), on the upper bounds of a histogram."""
        upper = np.asarray(bounds, np.float64)
        sorted_values = np.sort(np.asarray(observations, np.float64))
        return cls.from_cumulative(upper, np.searchsorted(sorted_values, upper, side="right"))

    @property
    def total(self) -> Floats:
        """Observations of each distribution, shape (...)."""
        total: Floats = self.counts.sum(axis=-1)
        return total

    @property
    def cumulative(self) -> Floats:
        """Observations at or below each bucket's upper edge, shape (..., buckets)."""
        return np.cumsum(self.counts, axis=-1)

    def __getitem__(self, index: Any) -> BucketCounts:
        """Some of the distributions: `index` is applied to the leading axes of `counts`."""
        return BucketCounts(self.edges, self.counts[index], self.exponential)

    def summed(self, axis: int = 0) -> BucketCounts:
        """Merge the distributions along one leading axis."""
        return BucketCounts(self.edges, self.counts.sum(axis=axis), self.exponential)

    def coarsened(self, edges: Floats) -> BucketCounts:
        """On fewer edges, each of which must be one of these; both ends stay."""
        places = np.searchsorted(self.edges, edges)
        known = places < len(self.edges)
        if not known.all() or not np.array_equal(self.edges[places], edges):
            msg = "the wanted edges are not all among those of the histogram"
            raise InputError(msg, "use `common_edges`, which gives only shared ones")
        counts = np.add.reduceat(self.counts, places[:-1], axis=-1)
        return BucketCounts(edges, counts, self.exponential)


def common_edges(layouts: Iterable[Floats]) -> Floats:
    """Edges that every layout has: on them, histograms of different buckets can be merged.

    Parameters
    ----------
    layouts
        Arrays of ascending edges.

    Returns
    -------
    Floats
        Ascending; shape (0,) where they share none.

    Examples
    --------
    >>> common_edges([np.array([0.0, 1.0, 2.0, np.inf]), np.array([0.0, 2.0, 4.0, np.inf])]).tolist()
    [0.0, 2.0, inf]
    """
    shared: Floats | None = None
    for edges in layouts:
        shared = edges if shared is None else np.intersect1d(shared, edges)
    return np.zeros(0) if shared is None else shared
