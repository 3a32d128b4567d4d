"""Quantiles of many native histograms at once.

The rules are Prometheus 3's: inside an exponential bucket observations are taken to be spread
evenly over the logarithm, in the zero bucket and in custom buckets over the value itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from workbench.engine.native.blocks import FIXED, Block, stacked
from workbench.engine.native.tables import ROWS, runs_of, tabled
from workbench.frame import Bools
from workbench.native import Floats, Histogram, Ints, ResetHint

__all__ = ["quantiles"]


@np.errstate(all="ignore")
def quantiles(q: Floats, histograms: Sequence[Histogram]) -> Floats:
    """Estimate a quantile of each histogram.

    Parameters
    ----------
    q
        float64, shape (histograms,).
    histograms
        Neighbours of one layout are done together.

    Returns
    -------
    Floats
        −Inf and +Inf for a `q` below 0 and above 1; NaN without observations, for a NaN `q`, and
        where the rank lies among NaN observations.

    Examples
    --------
    >>> from workbench.native import Buckets
    >>> one = Histogram(schema=0, count=4, sum=6, positive=Buckets.dense(1, [4]))
    >>> quantiles(np.array([0.5, 2.0]), [one, one]).round(3).tolist()
    [1.414, inf]
    """
    result = np.select([q < 0, q > 1], [-np.inf, np.inf], np.nan)
    for start, stop, columns in _tables(histograms):
        observed = (q[start:stop] >= 0) & (q[start:stop] <= 1) & (columns.total != 0)
        found = _within(np.where(observed, q[start:stop], 0.0), columns)
        result[start:stop] = np.where(observed, found, result[start:stop])
    return result


def _tables(histograms: Sequence[Histogram]) -> Iterator[tuple[int, int, _Columns]]:
    """Some histograms at a time; each alone where they make no table."""
    for start, stop in _alike(histograms):
        block = tabled(histograms[start:stop])
        if block is not None:
            yield start, stop, _columns(block)
            continue
        for row in range(start, stop):
            yield row, row + 1, _columns(stacked(histograms[row : row + 1]))


def _alike(histograms: Sequence[Histogram]) -> Iterator[tuple[int, int]]:
    """Runs, some at a time, whose members all have negative buckets or all none, and positive so."""
    for start, stop in runs_of(histograms):
        sides = [(len(h.positive) > 0, len(h.negative) > 0) for h in histograms[start:stop]]
        first = start
        for row in range(start + 1, stop + 1):
            if row == stop or sides[row - start] != sides[first - start] or row - first == ROWS:
                yield first, row
                first = row


@dataclass(slots=True)
class _Columns:
    """Histograms of one layout, their buckets in ascending order.

    Parameters
    ----------
    lower, upper
        float64, shape (buckets,).
    counts
        float64, shape (histograms, buckets).
    total
        float64, shape (histograms,): all observations, those of NaN too.
    has_nan
        bool, shape (histograms,): NaN observations are counted but in no bucket.
    custom
        The bounds are listed.
    """

    lower: Floats
    upper: Floats
    counts: Floats
    total: Floats
    has_nan: Bools
    custom: bool


def _columns(block: Block) -> _Columns:
    """A zero bucket reaches only to the side on which there are others."""
    whole = replace(block.histogram(block.table[0], ResetHint.UNKNOWN), zero_count=1.0)
    rows = whole.rows()
    lower, upper = rows.lower.copy(), rows.upper.copy()
    if not whole.is_custom:
        zero = (lower <= 0) & (upper >= 0)
        if not len(whole.negative) and len(whole.positive):
            lower[zero] = 0.0
        elif not len(whole.positive) and len(whole.negative):
            upper[zero] = 0.0
    total = block.table[:, 0]
    has_nan = np.isnan(block.table[:, 1])
    return _Columns(lower, upper, _ascending(block, whole), total, has_nan, whole.is_custom)


def _ascending(block: Block, whole: Histogram) -> Floats:
    positive = block.table[:, FIXED : FIXED + len(block.positive)]
    if whole.is_custom:
        return positive
    negative = block.table[:, FIXED + len(block.positive) :]
    zero = np.maximum(block.table[:, 2:3], 0.0)
    return np.concatenate([negative[:, ::-1], zero, positive], axis=1)


def _within(q: Floats, columns: _Columns) -> Floats:
    """Quantiles between 0 and 1 of histograms with observations."""
    # NaN observations count but are in no bucket, so then the rank must come from below.
    forward = columns.has_nan | (q < 0.5)
    result = np.where(columns.has_nan, np.nan, 0.0)
    filled = (columns.counts != 0).any(axis=1)
    for chosen, step in ((filled & forward, 1), (filled & ~forward, -1)):
        rows = np.flatnonzero(chosen)
        if not len(rows):
            continue
        counts = columns.counts[rows, ::step]
        rank = (q[rows] if step > 0 else 1 - q[rows]) * columns.total[rows]
        at, reached, beyond = _reached(counts, rank)
        here = at if step > 0 else counts.shape[1] - 1 - at
        low, high = columns.lower[here], columns.upper[here]
        inside = counts[np.arange(len(rows)), at]
        most = np.minimum(reached, columns.total[rows])
        start = np.where(np.isneginf(low), 0.0, low)
        share = (rank - (most - inside) if step > 0 else most - rank) / inside
        value = _between(start, high, share, linear=columns.custom | ((start <= 0) & (high >= 0)))
        value = np.where(beyond, np.where(columns.has_nan[rows], np.nan, high), value)
        if columns.custom:
            # Of a bucket without an end its only bound; the first may also begin at 0.
            value = np.where(np.isneginf(low) & (high <= 0), high, value)
            value = np.where(np.isposinf(high) & ~np.isneginf(low), low, value)
        result[rows] = value
    return result


def _reached(counts: Floats, rank: Floats) -> tuple[Ints, Floats, Bools]:
    """The filled bucket in which each rank lies, how many are up to it, and whether none has it."""
    reached = np.cumsum(counts, axis=1)
    filled = counts != 0
    beyond = ~(reached[:, -1] >= rank)
    last = counts.shape[1] - 1 - np.argmax(filled[:, ::-1], axis=1)
    at = np.where(beyond, last, np.argmax(filled & (reached >= rank[:, None]), axis=1))
    return at, reached[np.arange(len(at)), at], beyond


def _between(low: Floats, high: Floats, share: Floats, *, linear: Bools) -> Floats:
    """A value inside a bucket; negative buckets are exponential the other way round."""
    log_low, log_high = np.log2(np.abs(low)), np.log2(np.abs(high))
    above = np.exp2(log_low + (log_high - log_low) * share)
    below = -np.exp2(log_high + (log_low - log_high) * (1 - share))
    curved = np.where(low > 0, above, below)
    return np.where(linear, low + (high - low) * share, curved)
