"""Rows of series within a range of time: found for all series at once, copied only if need be."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.native import Histograms, or_none
from workbench.samples import Floats, Ints, Labels, Samples

__all__ = ["GrowingRows", "first_at_or_after", "gather", "rows_between", "taken"]

_FIRST_ROWS: Final = 1_000_000
"""Rows reserved before anything is known: 16 MB, which is taken only where it is filled."""


def first_at_or_after(times_ms: Ints, low: Ints, high: Ints, limit_ms: int) -> Ints:
    """Find in many runs of one column the first row that is not before a moment.

    A binary search of all runs in step: as many numpy calls as one run needs comparisons.

    Parameters
    ----------
    times_ms
        int64, shape (rows,); ascending within each run.
    low, high
        int64, shape (series,): the runs are ``low:high``.
    limit_ms
        The moment.

    Returns
    -------
    ndarray
        int64, shape (series,): a row of each run, or its `high` where all are before `limit_ms`.

    Examples
    --------
    >>> times = np.array([0, 10, 20, 5, 15])
    >>> first_at_or_after(times, np.array([0, 3]), np.array([3, 5]), 10).tolist()
    [1, 4]
    """
    low, high = low.copy(), high.copy()
    unsure = np.flatnonzero(low < high)
    while len(unsure):
        middle = (low[unsure] + high[unsure]) >> 1
        before = times_ms[middle] < limit_ms
        low[unsure] = np.where(before, middle + 1, low[unsure])
        high[unsure] = np.where(before, high[unsure], middle)
        unsure = unsure[low[unsure] < high[unsure]]
    return low


def rows_between(
    times_ms: Ints, low: Ints, high: Ints, start_ms: int, end_ms: int
) -> tuple[Ints, Ints]:
    """Narrow runs ``low:high``, none of them empty, to the rows between two times, both included.

    Returns
    -------
    tuple
        New `low` and `high`; equal where a run has no row in the range.
    """
    # Most questions cover most series from end to end: only the rest is searched.
    first, last = low.copy(), high.copy()
    cut = np.flatnonzero(times_ms[low] < start_ms)
    first[cut] = first_at_or_after(times_ms, low[cut], high[cut], start_ms)
    cut = np.flatnonzero(times_ms[high - 1] > end_ms)
    last[cut] = first_at_or_after(times_ms, low[cut], high[cut], end_ms + 1)
    return first, np.maximum(first, last)


def gather(
    labels: Sequence[Labels],
    columns: tuple[Ints, Floats, Histograms | None],
    first: Ints,
    last: Ints,
) -> Samples:
    """Make samples of the runs ``first:last``, leaving out the series whose run is empty.

    `columns` are times, values and, where there are any, native histograms. Runs that follow one another without a gap are not copied: the result is then a read-only
    view of the columns.
    """
    times_ms, values, histograms = columns
    kept = np.flatnonzero(first < last)
    if not len(kept):
        return Samples.empty()
    first, last = first[kept], last[kept]
    offsets = np.concatenate([[0], np.cumsum(last - first)]).astype(np.int64)
    chosen = [labels[i] for i in kept.tolist()]
    if np.array_equal(first[1:], last[:-1]):
        whole = slice(int(first[0]), int(last[-1]))
        times, floats = times_ms[whole], values[whole]
        times.flags.writeable = floats.flags.writeable = False
        native = None if histograms is None else or_none(histograms[whole])
        return Samples(chosen, offsets, times, floats, native)
    runs = [slice(a, b) for a, b in zip(first.tolist(), last.tolist(), strict=True)]
    return Samples(
        chosen,
        offsets,
        np.concatenate([times_ms[run] for run in runs]),
        np.concatenate([values[run] for run in runs]),
        None if histograms is None else or_none(np.concatenate([histograms[run] for run in runs])),
    )


def taken(column: Ints, first: Ints, last: Ints) -> Ints:
    """The runs ``first:last`` of one column, as `gather` takes them from the others."""
    runs = zip(first.tolist(), last.tolist(), strict=True)
    return np.concatenate([column[:0], *(column[a:b] for a, b in runs)])


class GrowingRows:
    """Rows copied from many blocks into two columns that grow in place, never held twice.

    Parameters
    ----------
    most
        No more rows than this will come.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._times: Ints = np.empty(min(most, _FIRST_ROWS), np.int64)
        self._values: Floats = np.empty(min(most, _FIRST_ROWS), np.float64)
        self._filled = 0

    def add(self, times_ms: Ints, values: Floats, first: Ints, last: Ints) -> None:
        """Copy the runs ``first:last`` of a block."""
        self._reserve(self._filled + int((last - first).sum()))
        for a, b in zip(first.tolist(), last.tolist(), strict=True):
            end = self._filled + b - a
            self._times[self._filled : end] = times_ms[a:b]
            self._values[self._filled : end] = values[a:b]
            self._filled = end

    def columns(self) -> tuple[Ints, Floats]:
        """Give the times and values collected; nothing may be added afterwards."""
        self._resize(self._filled)
        return self._times, self._values

    def _reserve(self, rows: int) -> None:
        if rows > len(self._times):
            self._resize(min(self._most, max(rows, 2 * len(self._times))))

    def _resize(self, rows: int) -> None:
        # No view of the columns ever leaves before the last resize, so none can dangle.
        self._times.resize(rows, refcheck=False)
        self._values.resize(rows, refcheck=False)
