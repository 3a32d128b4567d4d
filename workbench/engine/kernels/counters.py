"""Change over a window: rate, increase, delta, irate, idelta, changes, resets."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np

from workbench.engine.kernels.windows import Kernel, Windows
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["changes", "delta", "idelta", "increase", "irate", "rate", "resets"]

_THRESHOLD: Final = 1.1
"""A window's edge counts as covered within this many average sample distances."""


def _differs(windows: Windows, differs: Bools) -> Ints:
    """How often a sample of the window relates so to the one before it.

    `differs` has shape (rows,) and speaks of each row and its predecessor.
    """
    total = np.cumsum(differs, dtype=np.int64)
    return np.asarray(total[windows.last] - total[windows.first])


def _falls(values: Floats) -> Bools:
    falls = np.zeros(len(values), bool)
    np.less(values[1:], values[:-1], out=falls[1:])
    return falls


def _lost_to_resets(windows: Windows) -> Floats | None:
    """What the counter had reached before each reset in the window, summed; None without resets.

    Sums are taken over the resets of one window only, so that a large counter's reset outside it
    costs no precision inside.
    """
    falls = _falls(windows.values)
    falls[windows.offsets[1:-1]] = False
    if not falls.any():
        return None
    rows = np.flatnonzero(falls)
    reached = np.append(windows.values[rows - 1], 0.0)
    before = np.cumsum(falls, dtype=np.int64)
    low, high = before[windows.first], before[windows.last]
    lost = np.where(high > low, reached[np.minimum(low, len(rows))], 0.0)
    for series, step in np.argwhere(high - low > 1).tolist():
        lost[series, step] = reached[low[series, step] : high[series, step]].sum()
    return lost


def _extrapolated(windows: Windows, *, counter: bool, per_second: bool) -> tuple[Floats, Bools]:
    """Extrapolate the change between first and last sample to the window's edges.

    The rules are Prometheus': half a sample distance at most beyond the outer samples, where an
    edge is farther than 1.1 distances; a counter is not extrapolated below zero.
    """
    first, last = windows.first, windows.last
    present = windows.count > 1
    start = windows.values[first]
    change = windows.values[last] - start
    if counter and (lost := _lost_to_resets(windows)) is not None:
        change += lost
    times = windows.times_ms
    sampled = (times[last] - times[first]) / 1000.0
    distance = sampled / np.maximum(windows.count - 1, 1)
    to_start = (times[first] - (windows.ends_ms - windows.span_ms)) / 1000.0
    to_end = (windows.ends_ms - times[last]) / 1000.0
    to_start = np.where(to_start >= distance * _THRESHOLD, distance / 2, to_start)
    to_end = np.where(to_end >= distance * _THRESHOLD, distance / 2, to_end)
    if counter:
        to_zero = sampled * (start / change)
        shorter = (change > 0) & (start >= 0) & (to_zero < to_start)
        to_start = np.where(shorter, to_zero, to_start)
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= windows.span_ms / 1000.0
    return change * factor, present


rate: Kernel = partial(_extrapolated, counter=True, per_second=True)
increase: Kernel = partial(_extrapolated, counter=True, per_second=False)
delta: Kernel = partial(_extrapolated, counter=False, per_second=False)


def _instant(windows: Windows, *, counter: bool, per_second: bool) -> tuple[Floats, Bools]:
    """The change between the last two samples."""
    present = windows.count > 1
    last = np.where(present, windows.high - 1, 0)
    before = np.where(present, windows.high - 2, 0)
    change = windows.values[last] - windows.values[before]
    if counter:
        change = np.where(change < 0, windows.values[last], change)
    if per_second:
        change = change / ((windows.times_ms[last] - windows.times_ms[before]) / 1000.0)
    return change, present


irate: Kernel = partial(_instant, counter=True, per_second=True)
idelta: Kernel = partial(_instant, counter=False, per_second=False)


def changes(windows: Windows) -> tuple[Floats, Bools]:
    """How often the value changed; NaN after NaN is no change."""
    values = windows.values
    differs = np.zeros(len(values), bool)
    both_nan = np.isnan(values[1:]) & np.isnan(values[:-1])
    differs[1:] = (values[1:] != values[:-1]) & ~both_nan
    return _differs(windows, differs).astype(np.float64), windows.count > 0


def resets(windows: Windows) -> tuple[Floats, Bools]:
    """How often the value fell."""
    return _differs(windows, _falls(windows.values)).astype(np.float64), windows.count > 0
