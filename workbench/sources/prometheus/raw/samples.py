"""What raw reading gives: series whole, sorted and cut to the window, and what could not be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.native import Histogram, Histograms, ResetHint, is_native, or_none
from workbench.samples import Floats, Ints, Labels, NativeSeries, Series

__all__ = ["Raw", "assemble"]


@dataclass(frozen=True, slots=True)
class Raw:
    """Raw samples of some series.

    Parameters
    ----------
    series
        Sorted by name and labels, none of them empty; with the column of its histograms where a
        series has any.
    problems
        What the server holds and this does not, sentences; empty where it is all there.
    """

    series: Sequence[Series | NativeSeries]
    problems: tuple[str, ...] = ()


def assemble(
    labels: Sequence[Labels],
    rows: Ints,
    times_ms: Ints,
    values: Floats,
    window: tuple[int, int],
    *,
    histograms: Histograms | None = None,
) -> tuple[list[Series | NativeSeries], int]:
    """Make whole series of pieces that came one after the other.

    A histogram that comes to stand behind another sample than it stood behind loses its counter
    reset hint, which spoke of that one.

    Parameters
    ----------
    labels
        The label sets.
    rows
        int64, shape (series,): samples of each, in the order of the columns.
    times_ms, values
        int64 and float64, shape (samples,): in any order of time within a series, a moment more
        than once where pieces overlap.
    window
        First and last moment wanted, in milliseconds since the epoch.
    histograms
        Shape (samples,): None where a sample is no native histogram.

    Returns
    -------
    tuple
        Series with ascending times, those without samples left out; and how many moments had two
        different values, of which the first is kept.

    Examples
    --------
    >>> times, values = np.array([20, 30, 10, 20]), np.array([2.0, 3.0, 1.0, 2.0])
    >>> [series], conflicts = assemble([{"a": "b"}], np.array([4]), times, values, (0, 25))
    >>> series[1].tolist(), series[2].tolist(), conflicts
    ([10, 20], [1.0, 2.0], 0)
    """
    owner = np.repeat(np.arange(len(labels)), rows)
    inside = (times_ms >= window[0]) & (times_ms <= window[1])
    if not inside.all():
        owner, times_ms, values = owner[inside], times_ms[inside], values[inside]
        histograms = None if histograms is None else histograms[inside]
    conflicts = 0
    if ((np.diff(times_ms) <= 0) & (np.diff(owner) == 0)).any():
        order = np.lexsort((times_ms, owner))
        owner, times_ms, values = owner[order], times_ms[order], values[order]
        again = np.flatnonzero((np.diff(times_ms) == 0) & (np.diff(owner) == 0)) + 1
        differs = values[again].view(np.uint64) != values[again - 1].view(np.uint64)
        if histograms is not None:
            histograms = histograms[order]
            pairs = zip(histograms[again], histograms[again - 1], strict=True)
            differs |= ~np.array([_same(one, other) for one, other in pairs], bool)
        conflicts = int(np.count_nonzero(differs))
        once = np.ones(len(owner), bool)
        once[again] = False
        owner, times_ms, values = owner[once], times_ms[once], values[once]
        if histograms is not None:
            histograms = _unhinted(histograms[once], order[once])
    ends = np.searchsorted(owner, np.arange(len(labels) + 1))
    found = [
        _series(each, times_ms, values, histograms, slice(a, b))
        for each, a, b in zip(labels, ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        if a < b
    ]
    found.sort(key=lambda one: (one[0].get("__name__", ""), sorted(one[0].items())))
    return found, conflicts


def _series(
    labels: Labels, times_ms: Ints, values: Floats, histograms: Histograms | None, rows: slice
) -> Series | NativeSeries:
    native = None if histograms is None else or_none(histograms[rows])
    if native is None:
        return labels, times_ms[rows], values[rows]
    return labels, times_ms[rows], values[rows], native


def _same(one: Histogram | None, other: Histogram | None) -> bool:
    return one is other or (one is not None and other is not None and one.same(other))


def _unhinted(histograms: Histograms, order: Ints) -> Histograms:
    """Histograms in a new order, without hints that spoke of another sample before them.

    Parameters
    ----------
    histograms
        In the new order.
    order
        int64, same shape: where each stood.
    """
    moved = np.diff(order, prepend=-1) != 1
    for at in np.flatnonzero(moved & is_native(histograms)).tolist():
        one: Histogram = histograms[at]
        if one.hint in (ResetHint.RESET, ResetHint.NOT_RESET):
            histograms[at] = one.with_hint(ResetHint.UNKNOWN)
    return histograms
