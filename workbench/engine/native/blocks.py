"""Histograms brought to one layout and laid out as the rows of one table.

Every sum, difference and mean of histograms goes through here: after the layouts are reconciled a
histogram is a row of numbers, and arithmetic is numpy's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np

from workbench.engine.summation import add_compensated
from workbench.native import Buckets, Floats, Histogram, Ints, ResetHint

__all__ = ["FIXED", "Block", "IncompatibleError", "averaged", "block_of", "stacked", "summed"]

FIXED = 3
"""Columns before the buckets: count, sum, zero count."""


class IncompatibleError(Exception):
    """Exponential and custom buckets have no layout in common."""


@dataclass(frozen=True, slots=True)
class Block:
    """Histograms of one layout.

    Parameters
    ----------
    schema, zero_threshold, custom_values
        What they share.
    positive, negative
        int64: the indices of the buckets, which any of the histograms has.
    table
        float64, shape (histograms, 3 + positive + negative): count, sum, zero count, buckets.
    reconciled
        Custom bounds differed, and only those that all share are left.
    """

    schema: int
    zero_threshold: float
    custom_values: tuple[float, ...]
    positive: Ints
    negative: Ints
    table: Floats
    reconciled: bool

    def histogram(self, row: Floats, hint: ResetHint) -> Histogram:
        """Make a histogram of a row of numbers."""
        split = FIXED + len(self.positive)
        return Histogram(
            self.schema,
            float(row[0]),
            float(row[1]),
            self.zero_threshold,
            float(row[2]),
            Buckets(self.positive, row[FIXED:split]),
            Buckets(self.negative, row[split:]),
            self.custom_values,
            hint,
        )


def block_of(histograms: Sequence[Histogram], schema: int | None = None) -> Block:
    """Reconcile layouts: the lowest resolution, the widest zero bucket, the bounds all share.

    Parameters
    ----------
    histograms
        One or more.
    schema
        A resolution not to exceed.

    Raises
    ------
    IncompatibleError
        Some have exponential buckets, others custom ones.
    """
    first = histograms[0]
    if (schema is None or schema == first.schema) and all(h.alike(first) for h in histograms[1:]):
        return stacked(histograms)
    if any(h.is_custom != first.is_custom for h in histograms):
        raise IncompatibleError
    reconciled = False
    if first.is_custom:
        histograms, reconciled = _with_shared_bounds(histograms)
    else:
        lowest = min(h.schema for h in histograms)
        lowest = lowest if schema is None else min(lowest, schema)
        histograms = _with_shared_zero([h.at_schema(lowest) for h in histograms])
    return stacked(histograms, reconciled=reconciled)


def stacked(histograms: Sequence[Histogram], *, reconciled: bool = False) -> Block:
    """Lay histograms out that share everything but their buckets."""
    layout = histograms[0]
    positive, above = _laid_out([h.positive for h in histograms])
    negative, below = _laid_out([h.negative for h in histograms])
    fixed = np.array([(h.count, h.sum, h.zero_count) for h in histograms], np.float64)
    return Block(
        layout.schema,
        layout.zero_threshold,
        layout.custom_values,
        positive,
        negative,
        np.concatenate([fixed, above, below], axis=1),
        reconciled,
    )


def _laid_out(each: Sequence[Buckets]) -> tuple[Ints, Floats]:
    """All indices that any has, and a table of the counts: (histograms, indices)."""
    sizes = [len(one.index) for one in each]
    flat = np.concatenate([one.index for one in each])
    counts = np.concatenate([one.counts for one in each])
    index = each[0].index
    if min(sizes) == max(sizes) and (flat.reshape(len(each), -1) == index).all():
        return index, counts.reshape(len(each), len(index))
    index = np.unique(flat)
    table = np.zeros((len(each), len(index)))
    table[np.repeat(np.arange(len(each)), sizes), np.searchsorted(index, flat)] = counts
    return index, table


def _with_shared_bounds(histograms: Sequence[Histogram]) -> tuple[list[Histogram], bool]:
    bounds = histograms[0].custom_values
    if all(h.custom_values == bounds for h in histograms[1:]):
        return list(histograms), False
    shared = reduce(np.intersect1d, (np.array(h.custom_values) for h in histograms))
    return [_at_bounds(h, shared) for h in histograms], True


def _at_bounds(histogram: Histogram, shared: Floats) -> Histogram:
    """A custom histogram at fewer of its bounds: each bucket goes up to the next one that stays."""
    _, upper = histogram.bounds(histogram.positive)
    buckets = histogram.positive
    if len(buckets):
        buckets = buckets.renumbered(np.searchsorted(shared, upper))
    return Histogram(
        histogram.schema,
        histogram.count,
        histogram.sum,
        positive=buckets,
        custom_values=tuple(shared.tolist()),
        hint=histogram.hint,
    )


def _with_shared_zero(histograms: Sequence[Histogram]) -> list[Histogram]:
    """Widen zero buckets until all are equally wide and none ends within a filled bucket."""
    found = list(histograms)
    while True:
        widest = max(h.zero_threshold for h in found)
        if all(h.zero_threshold == widest for h in found):
            return found
        found = [zero_widened(h, widest) for h in found]


def zero_widened(histogram: Histogram, threshold: float) -> Histogram:
    """Take buckets below a threshold into the zero bucket.

    Where the threshold lies within a filled bucket, that bucket is taken as a whole and the
    threshold becomes its outer bound.
    """
    if threshold <= histogram.zero_threshold:
        return histogram
    edge = threshold
    while True:
        before = edge
        for buckets in (histogram.positive, histogram.negative):
            lower, upper = histogram.bounds(buckets)
            cut = (lower < edge) & (upper > edge) & (buckets.counts != 0)
            edge = max([edge, *upper[cut].tolist()])
        if edge == before:
            break
    swallowed = 0.0
    rest: list[Buckets] = []
    for buckets in (histogram.positive, histogram.negative):
        inside = histogram.bounds(buckets)[0] < edge
        swallowed += float(buckets.counts[inside].sum())
        rest.append(Buckets(buckets.index[~inside], buckets.counts[~inside]))
    return Histogram(
        histogram.schema,
        histogram.count,
        histogram.sum,
        edge,
        histogram.zero_count + swallowed,
        rest[0],
        rest[1],
        hint=histogram.hint,
    )


@np.errstate(all="ignore")
def summed(table: Floats) -> Floats:
    """Add the rows up, compensated."""
    total, carry = table[0].copy(), np.zeros(table.shape[1])
    for row in table[1:]:
        add_compensated(total, carry, row)
    return np.asarray(np.where(np.isfinite(total), total + carry, total))


@np.errstate(all="ignore")
def averaged(table: Floats) -> Floats:
    """The mean of the rows; a running mean from where the plain sum would overflow."""
    total, carry = table[0].copy(), np.zeros(table.shape[1])
    running = False
    for n, row in enumerate(table[1:], start=2):
        if not running:
            grown, lost = total.copy(), carry.copy()
            add_compensated(grown, lost, row)
            if not np.isinf(grown).any():
                total, carry = grown, lost
                continue
            running = True
            total /= n - 1
            carry /= n - 1
        share = (n - 1) / n
        total *= share
        carry *= share
        add_compensated(total, carry, row / n)
    n = 1 if running else len(table)
    mean: Floats = total / n + np.where(np.isfinite(total), carry / n, 0.0)
    return mean
