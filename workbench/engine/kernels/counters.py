"""Change over a window: rate, increase, delta, irate, idelta, changes, resets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final

import numpy as np

from workbench.engine.kernels.starts import from_starts, started
from workbench.engine.kernels.sums import total
from workbench.engine.kernels.windows import Kernel, Windows
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["changes", "delta", "idelta", "increase", "irate", "rate", "resets"]

_THRESHOLD: Final = 1.1
"""A window's edge counts as covered within this many average sample distances."""

_SLACK: Final = 1.0 + 1e-9
"""Keeps a quick comparison from leaving out what the exact one, rounded otherwise, would keep."""

_FEW: Final = 4
"""Resets are added one by one where they meet fewer than one in this many windows' cells."""


def _differs(windows: Windows, differs: Bools) -> Floats:
    """How often a sample of the window relates so to the one before it.

    `differs` has the shape of the values and speaks of each row and its predecessor.
    """
    total = np.cumsum(differs, axis=-1, dtype=np.int32)
    found: Floats = np.subtract(
        windows.at(total, windows.last), windows.at(total, windows.first), dtype=np.float64
    )
    return found


def _falls(windows: Windows) -> Bools:
    """Whether the counter was reset since the row before, wherever that row belongs."""
    values = windows.values
    falls = np.zeros(values.shape, bool)
    np.less(values[..., 1:], values[..., :-1], out=falls[..., 1:])
    if windows.starts_ms is not None:
        falls |= started(windows.times_ms, windows.starts_ms)
    return falls


# ---------------------------------------------------------------- resets


def _add_lost_to_resets(windows: Windows, change: Floats) -> None:
    """Add what the counter had reached before each reset in the window, of each window its own.

    A large counter's reset outside a window costs no precision inside it.
    """
    falls = _falls(windows)
    if not windows.is_table:
        falls[windows.offsets[1:-1]] = False
    rows = np.flatnonzero(falls)
    if not len(rows):
        return
    flat = windows.values.reshape(-1)
    begin, end = _windows_across(windows, rows)
    if int((end - begin).sum()) * _FEW > change.size:
        reached = np.zeros(flat.shape)
        reached[rows] = flat[rows - 1]
        later = np.minimum(windows.low + 1, windows.high)
        change += total(replace(windows, values=reached.reshape(falls.shape), low=later))[0]
        return
    series = np.searchsorted(windows.offsets, rows, side="right") - 1
    cells, which = _expanded(series * change.shape[1] + begin, end - begin)
    np.add.at(change.reshape(-1), cells, flat[rows - 1][which])


def _windows_across(windows: Windows, rows: Ints) -> tuple[Ints, Ints]:
    """For rows of the raveled values: which steps' windows hold both the row and the one before.

    Windows move forward, so that these are the steps from the first to before the second result.
    """
    if windows.is_table:
        inside = rows % windows.values.shape[1]
        begin = np.searchsorted(windows.high[0], inside, side="right")
        end = np.searchsorted(windows.low[0], inside, side="left")
        return begin, np.maximum(begin, end)
    begin, end = np.empty(len(rows), np.int64), np.empty(len(rows), np.int64)
    owner = np.searchsorted(windows.offsets, rows, side="right") - 1
    for series in np.unique(owner).tolist():
        mine = slice(*np.searchsorted(owner, [series, series + 1]).tolist())
        begin[mine] = np.searchsorted(windows.high[series], rows[mine], side="right")
        end[mine] = np.searchsorted(windows.low[series], rows[mine], side="left")
    return begin, np.maximum(begin, end)


def _expanded(starts: Ints, lengths: Ints) -> tuple[Ints, Ints]:
    """All members of runs, and for each the number of its run."""
    which = np.repeat(np.arange(len(starts)), lengths)
    ahead = np.cumsum(lengths) - lengths
    return starts[which] + np.arange(len(which)) - ahead[which], which


# ---------------------------------------------------------------- extrapolation


@dataclass(slots=True)
class _Reach:
    """What of the extrapolation depends on times alone; seconds, of one row for a table."""

    sampled: Floats
    to_start: Floats
    to_end: Floats

    @classmethod
    def of(cls, windows: Windows, first: Ints, last: Ints) -> _Reach:
        """Half a sample distance at most beyond the outer samples, where an edge is farther off."""
        oldest, newest = windows.times_ms.take(first), windows.times_ms.take(last)
        sampled = (newest - oldest) / 1000.0
        distance = sampled / np.maximum(windows.count - 1, 1)
        to_start = (oldest - (windows.ends_ms - windows.span_ms)) / 1000.0
        to_end = (windows.ends_ms - newest) / 1000.0
        to_start = np.where(to_start >= distance * _THRESHOLD, distance / 2, to_start)
        to_end = np.where(to_end >= distance * _THRESHOLD, distance / 2, to_end)
        return cls(sampled, to_start, to_end)

    def factor(self, seconds: float) -> Floats:
        """By how much the change grows."""
        grown: Floats = (self.sampled + self.to_start + self.to_end) / self.sampled
        return grown / seconds if seconds else grown

    def some(self, windows: Windows, cells: tuple[Ints, Ints]) -> _Reach:
        """The same of some windows only."""
        full = (windows.full(each)[cells] for each in (self.sampled, self.to_start, self.to_end))
        return _Reach(*full)


def _extrapolated(windows: Windows, *, counter: bool, per_second: bool) -> tuple[Floats, Bools]:
    """Extrapolate the change between first and last sample to the window's edges.

    The rules are Prometheus': half a sample distance at most beyond the outer samples, where an
    edge is farther than 1.1 distances; a counter is not extrapolated below zero.
    """
    first, last = windows.first, windows.last
    start = windows.at(windows.values, first)
    change = windows.at(windows.values, last)
    change -= start
    if counter:
        _add_lost_to_resets(windows, change)
    reach = _Reach.of(windows, first, last)
    seconds = windows.span_ms / 1000.0 if per_second else 0.0
    near_zero = _reaching_zero(reach, start, change) if counter else ()
    result = change * reach.factor(seconds)
    if near_zero:
        its = reach.some(windows, near_zero)
        to_zero = its.sampled * (start[near_zero] / change[near_zero])
        its.to_start = np.where(to_zero < its.to_start, to_zero, its.to_start)
        result[near_zero] = change[near_zero] * its.factor(seconds)
    present: Bools = windows.count > 1
    if counter and windows.starts_ms is not None:
        return from_starts(windows, change, reach.to_end, seconds, (result, present))
    return result, present


def _reaching_zero(reach: _Reach, start: Floats, change: Floats) -> tuple[Any, ...]:
    """The windows whose counter, extrapolated to the window's start, would be below zero or near."""
    below = start <= change * (reach.to_start / reach.sampled * _SLACK)
    if not below.any():
        return ()
    found = np.nonzero(below & (start >= 0) & (change > 0))
    return found if len(found[0]) else ()


rate: Kernel = partial(_extrapolated, counter=True, per_second=True)
increase: Kernel = partial(_extrapolated, counter=True, per_second=False)
delta: Kernel = partial(_extrapolated, counter=False, per_second=False)


def _instant(windows: Windows, *, counter: bool, per_second: bool) -> tuple[Floats, Bools]:
    """The change between the last two samples."""
    present = windows.count > 1
    last = np.where(present, windows.high - 1, 0)
    before = np.where(present, windows.high - 2, 0)
    newest = windows.at(windows.values, last)
    change = newest - windows.at(windows.values, before)
    if counter:
        reset = change < 0
        if windows.starts_ms is not None:
            reset |= windows.at(started(windows.times_ms, windows.starts_ms), last)
        np.copyto(change, newest, where=reset)
    if per_second:
        change /= (windows.times_ms.take(last) - windows.times_ms.take(before)) / 1000.0
    return change, present


irate: Kernel = partial(_instant, counter=True, per_second=True)
idelta: Kernel = partial(_instant, counter=False, per_second=False)


def changes(windows: Windows) -> tuple[Floats, Bools]:
    """How often the value changed; NaN after NaN is no change."""
    values = windows.values
    differs = np.zeros(values.shape, bool)
    now, before = values[..., 1:], values[..., :-1]
    np.not_equal(now, before, out=differs[..., 1:])
    odd = np.isnan(now)
    if odd.any():
        differs[..., 1:] &= ~(odd & np.isnan(before))
    return _differs(windows, differs), windows.count > 0


def resets(windows: Windows) -> tuple[Floats, Bools]:
    """How often the value fell, or began anew by its start timestamp."""
    return _differs(windows, _falls(windows)), windows.count > 0
