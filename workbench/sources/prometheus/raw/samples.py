"""What raw reading gives: series whole, sorted and cut to the window, and what could not be had."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.samples import Floats, Ints, Labels, Series

__all__ = ["Raw", "assemble"]


@dataclass(frozen=True, slots=True)
class Raw:
    """Raw samples of some series.

    Parameters
    ----------
    series
        Sorted by name and labels, none of them empty.
    problems
        What the server holds and this does not, sentences; empty where it is all there.
    """

    series: Sequence[Series]
    problems: tuple[str, ...] = ()


def assemble(
    labels: Sequence[Labels],
    rows: Ints,
    times_ms: Ints,
    values: Floats,
    window: tuple[int, int],
) -> tuple[list[Series], int]:
    """Make whole series of pieces that came one after the other.

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
    conflicts = 0
    if ((np.diff(times_ms) <= 0) & (np.diff(owner) == 0)).any():
        order = np.lexsort((times_ms, owner))
        owner, times_ms, values = owner[order], times_ms[order], values[order]
        again = np.flatnonzero((np.diff(times_ms) == 0) & (np.diff(owner) == 0)) + 1
        bits = values.view(np.uint64)
        conflicts = int(np.count_nonzero(bits[again] != bits[again - 1]))
        once = np.ones(len(owner), bool)
        once[again] = False
        owner, times_ms, values = owner[once], times_ms[once], values[once]
    ends = np.searchsorted(owner, np.arange(len(labels) + 1))
    found = [
        (each, times_ms[a:b], values[a:b])
        for each, a, b in zip(labels, ends[:-1].tolist(), ends[1:].tolist(), strict=True)
        if a < b
    ]
    found.sort(key=lambda one: (one[0].get("__name__", ""), sorted(one[0].items())))
    return found, conflicts
