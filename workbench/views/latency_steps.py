"""Quantiles over time, as many points as a picture can show: neighbouring steps are merged.

Merged are the counts, never the quantiles: a point is then the quantile of all requests of its
stretch of time, and its bucket as certain as that of a single step.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.latency.result import Distribution
from workbench.samples import Floats, Ints
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.inversion import invert

__all__ = ["Points", "merged_counts", "points_of"]

_WIDTHS: Final = (1, 2, 3, 4, 6, 8, 12, 24, 48, 96, 144, 288)
"""Steps that are merged: they make round stretches of time."""


@dataclass(frozen=True, slots=True, eq=False)
class Points:
    """What a line is drawn from.

    Parameters
    ----------
    starts_ms, ends_ms
        int64, shape (points,): the stretch of time of each.
    requests
        Shape (points,); NaN where nothing is known.
    value, promql, low, high
        Shape (points, quantiles), in seconds: our estimate, ``histogram_quantile``'s, and the
        edges of the bucket; NaN without requests, `high` infinite in the top bucket.
    """

    starts_ms: Ints
    ends_ms: Ints
    requests: Floats
    value: Floats
    promql: Floats
    low: Floats
    high: Floats


def stretches(times_ms: Ints, step_ms: int, most: int) -> tuple[Ints, Ints, int]:
    """Where each stretch of steps begins, when it ends, and how long it is.

    Parameters
    ----------
    times_ms
        Ends of steps, ascending.
    step_ms
        Of one.
    most
        Stretches at most, but for one more where the first is not whole.

    Returns
    -------
    tuple
        Indices of first steps, ends in milliseconds, and the length in milliseconds.
    """
    need = -(-len(times_ms) // most)
    width = next((w for w in _WIDTHS if w >= need), need)
    span = width * step_ms
    number = (times_ms - 1) // span
    first = np.flatnonzero(np.diff(number, prepend=number[:1] - 1))
    return first, (number[first] + 1) * span, span


def points_of(
    distribution: Distribution, quantiles: Sequence[float], step_ms: int, most: int
) -> Points:
    """Merge the steps of one group until they are few enough.

    Parameters
    ----------
    distribution
        Of a histogram or a summary; of the latter the range over instances is kept.
    quantiles
        Which, among those that were judged over time.
    step_ms
        Of the grid.
    most
        Points at most.
    """
    over = distribution.over_time
    columns = [over.quantiles.index(q) for q in quantiles]
    parts = [x[:, columns] for x in (over.value, over.promql, over.bucket_low, over.bucket_high)]
    if not len(over.times_ms):
        return Points(over.times_ms, over.times_ms, over.requests, *parts)
    first, ends, span = stretches(over.times_ms, step_ms, most)
    requests = _summed(over.requests, first)
    if len(first) == len(over.times_ms):
        ends = over.times_ms
    elif distribution.by_step is not None:
        found = invert(
            merged_counts(distribution.by_step, first), np.asarray(quantiles, np.float64)
        )
        parts = [found.value, found.linear, found.low, found.high]
    else:
        value, linear, low, high = parts
        least = [_least(each, first) for each in (value, linear, low)]
        parts = [*least, -_least(-high, first)]
    return Points(ends - span, ends, requests, *parts)


def merged_counts(by_step: BucketCounts, first: Ints) -> BucketCounts:
    """Add up the counts of neighbouring steps; `first` are the indices at which each sum begins."""
    counts = np.add.reduceat(by_step.counts, first, axis=0)
    return BucketCounts(by_step.edges, counts, by_step.exponential)


def _summed(values: Floats, first: Ints) -> Floats:
    """Sums that are NaN only where every value is."""
    known = ~np.isnan(values)
    sums = np.add.reduceat(np.where(known, values, 0.0), first)
    return np.where(np.logical_or.reduceat(known, first), sums, np.nan)


def _least(values: Floats, first: Ints) -> Floats:
    """The least of each stretch, NaN where all are."""
    least: Floats = np.fmin.reduceat(values, first, axis=0)
    return least
