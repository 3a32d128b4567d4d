"""Rate, increase and delta of native histograms over all windows of a series at once.

What `change` does window by window, on the table of a run of samples. Windows that reach over two
layouts, hold floats or have start timestamps are left to `change`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from workbench.engine.annotations import Annotations
from workbench.engine.kernels.windows import blocks
from workbench.engine.limits import Meter
from workbench.engine.native.tables import ROWS, histograms_of, runs_of, tabled
from workbench.engine.values import Ranges
from workbench.frame import Bools
from workbench.native import Floats, Histogram, Histograms, Ints, ResetHint, no_histograms

__all__ = ["THRESHOLD", "AtOnce", "delta", "increase", "not_a", "rate"]

THRESHOLD = 1.1
"""As for floats: a window's edge counts as covered within so many average sample distances."""

AtOnce = Callable[[Ranges, Bools, Meter, Annotations], tuple[Histograms, Bools]]
"""Results by series and step, and which windows are dealt with; resets are given row by row."""


def not_a(kind: str, name: str) -> str:
    """The warning for a metric that is no ``counter`` or ``gauge``."""
    return f'this native histogram metric is not a {kind}: "{name}"'


@dataclass(slots=True)
class _Windows:
    """Windows of one series within one run; rows are those of the whole ranges.

    Parameters
    ----------
    series
        The series.
    steps, low, high
        int64, shape (windows,): their steps; their rows are ``low:high``, two or more.
    """

    series: int
    steps: Ints
    low: Ints
    high: Ints


def _extrapolated(
    ranges: Ranges,
    resets: Bools,
    meter: Meter,
    notes: Annotations,
    *,
    counter: bool,
    per_second: bool,
) -> tuple[Histograms, Bools]:
    shape = (len(ranges), len(ranges.ends_ms))
    found, done = no_histograms(shape), np.zeros(shape, bool)
    if ranges.starts_ms is not None:
        return found, done
    for windows in _within_runs(ranges, done):
        meter.tick()
        made = _changes(ranges, resets, windows, notes, counter=counter, per_second=per_second)
        if made is None:
            done[windows.series, windows.steps] = False
        else:
            found[windows.series, windows.steps] = made
    return found, done


rate: AtOnce = partial(_extrapolated, counter=True, per_second=True)
increase: AtOnce = partial(_extrapolated, counter=True, per_second=False)
delta: AtOnce = partial(_extrapolated, counter=False, per_second=False)


def _within_runs(ranges: Ranges, done: Bools) -> Iterator[_Windows]:
    """Windows that hold samples of one layout only, some at a time; ticks them off in `done`."""
    assert ranges.histograms is not None
    for chosen, block in blocks(ranges):
        base = int(ranges.offsets[chosen.start])
        for i, series in enumerate(range(chosen.start, chosen.stop)):
            begin, end = ranges.offsets[series : series + 2].tolist()
            low, high = block.low[i] + base, block.high[i] + base
            for start, stop in runs_of(ranges.histograms[begin:end].tolist()):
                inside = (low >= begin + start) & (high <= begin + stop) & (high > low)
                done[series] |= inside
                steps = np.flatnonzero(inside & (high - low > 1))
                for first in range(0, len(steps), ROWS):
                    some = steps[first : first + ROWS]
                    yield _Windows(series, some, low[some], high[some])


def _changes(
    ranges: Ranges,
    resets: Bools,
    windows: _Windows,
    notes: Annotations,
    *,
    counter: bool,
    per_second: bool,
) -> Histograms | None:
    """The change over each window, extrapolated; None where the samples make no table."""
    assert ranges.histograms is not None
    base, end = int(windows.low.min()), int(windows.high.max())
    run: list[Histogram] = ranges.histograms[base:end].tolist()
    block = tabled(run)
    if block is None:
        return None
    low, last = windows.low - base, windows.high - base - 1
    if kind := _doubtful(run, low, last, counter=counter):
        notes.warn(not_a(kind, ranges.labels[windows.series].get("__name__", "")))
    before = block.table[low]
    if counter:
        # Nothing of a first sample counts that is followed by a reset.
        before[resets[windows.low + 1]] = 0.0
    change = block.table[last] - before
    if counter:
        for row in np.flatnonzero(resets[base:end]).tolist():
            change[(low + 2 <= row) & (row <= last)] += block.table[row - 1]
    factor = _factors(ranges, windows, block.table[low, 0], change[:, 0], counter=counter)
    if per_second:
        factor /= ranges.span_ms / 1000
    hints = [ResetHint.GAUGE] * len(change)
    result = no_histograms(len(change))
    result[:] = histograms_of(block, change * factor[:, None], hints)
    return result


def _doubtful(run: list[Histogram], low: Ints, last: Ints, *, counter: bool) -> str:
    """What some window is not: a counter where a rate is asked of it, a gauge for a delta."""
    gauges = np.array([h.hint is ResetHint.GAUGE for h in run])
    if counter:
        before = np.concatenate([[0], np.cumsum(gauges)])
        return "counter" if (before[last + 1] > before[low]).any() else ""
    return "" if (gauges[low] & gauges[last]).all() else "gauge"


@np.errstate(divide="ignore", invalid="ignore")
def _factors(
    ranges: Ranges, windows: _Windows, first_count: Floats, count: Floats, *, counter: bool
) -> Floats:
    """By how much each change grows; the count decides where a counter would be at zero."""
    first, last = ranges.times_ms[windows.low], ranges.times_ms[windows.high - 1]
    ends = ranges.ends_ms[windows.steps]
    sampled = (last - first) / 1000
    distance = sampled / (windows.high - windows.low - 1)
    to_start, to_end = (first - (ends - ranges.span_ms)) / 1000, (ends - last) / 1000
    to_start = np.where(to_start >= distance * THRESHOLD, distance / 2, to_start)
    to_end = np.where(to_end >= distance * THRESHOLD, distance / 2, to_end)
    if counter:
        to_zero = sampled * (first_count / count)
        limited = (count > 0) & (first_count >= 0) & (to_zero < to_start)
        to_start = np.where(limited, to_zero, to_start)
    return np.asarray((sampled + to_start + to_end) / sampled)
