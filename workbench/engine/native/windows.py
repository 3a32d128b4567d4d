"""Windows of samples some of which are native histograms: which rule a function follows there.

Functions of floats pass histograms over; sums and rates take one kind or the other and refuse a
mix; the rest only counts or picks samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from workbench.engine.annotations import Annotations
from workbench.engine.kernels.starts import first_starts, started
from workbench.engine.kernels.windows import Kernel, Windows, blocks, over_windows
from workbench.engine.limits import Meter
from workbench.engine.native.rates import AtOnce
from workbench.engine.native.tables import resets_in
from workbench.engine.values import Ranges, Vector
from workbench.frame import Bools
from workbench.native import Histogram, Histograms, ResetHint, is_native, no_histograms, or_none
from workbench.samples import Floats, Ints

__all__ = [
    "Measure",
    "NativeWindow",
    "by_floats",
    "doubted",
    "flags_of",
    "ignoring",
    "measured",
    "picked",
    "resets_of",
    "resolved",
    "stepwise",
]


def doubted(histograms: Histograms) -> Histograms | None:
    """Histograms of a subquery: between them samples may be left out, so hints say nothing."""
    rows = np.flatnonzero(is_native(histograms))
    if not len(rows):
        return None
    result = histograms.copy()
    for row in rows.tolist():
        if result[row].hint is not ResetHint.GAUGE:
            result[row] = result[row].with_hint(ResetHint.UNKNOWN)
    return result


def resolved(histograms: Histograms, offsets: Ints) -> Histograms:
    """Say of each counter whether it was reset since the sample before it in its series."""
    result = histograms.copy()
    rows = np.flatnonzero(is_native(histograms))
    native = histograms[rows].tolist()
    series = np.searchsorted(offsets, rows, side="right")
    known = np.concatenate([[False], series[1:] == series[:-1]])
    for row, now, reset, has_before in zip(
        rows.tolist(), native, resets_in(native).tolist(), known.tolist(), strict=True
    ):
        if now.hint is ResetHint.UNKNOWN and has_before:
            result[row] = now.with_hint(ResetHint.RESET if reset else ResetHint.NOT_RESET)
    return result


def _native(ranges: Ranges) -> Bools:
    assert ranges.histograms is not None
    return is_native(ranges.histograms)


def picked(ranges: Ranges, present: Bools, which: Callable[[Windows], Ints]) -> Histograms | None:
    """The histograms that stand in one row of each window."""
    assert ranges.histograms is not None
    result = no_histograms(present.shape)
    for chosen, windows in blocks(ranges):
        base = int(ranges.offsets[chosen.start])
        rows = which(windows) + base
        result[chosen] = ranges.histograms[rows]
    result[~present] = None
    return or_none(result)


def by_floats(ranges: Ranges, run: Callable[[Ranges], Vector]) -> Vector:
    """Evaluate the floats alone; series without any are absent."""
    keep = ~_native(ranges)
    before = np.concatenate([[0], np.cumsum(keep)])
    offsets = before[ranges.offsets]
    filled = np.flatnonzero(np.diff(offsets) > 0)
    part = replace(
        ranges,
        labels=[ranges.labels[i] for i in filled.tolist()],
        drop_name=ranges.drop_name[filled],
        offsets=np.concatenate([[0], offsets[1:][filled]]).astype(np.int64),
        times_ms=ranges.times_ms[keep],
        values=ranges.values[keep],
        histograms=None,
        starts_ms=None if ranges.starts_ms is None else ranges.starts_ms[keep],
    )
    shape = (len(ranges), len(ranges.ends_ms))
    values, present = np.full(shape, np.nan), np.zeros(shape, bool)
    if len(filled):
        vector = run(part)
        values[filled], present[filled] = vector.values, vector.present
    return Vector(ranges.labels, values, present, np.ones(len(ranges), bool))


def _kinds(ranges: Ranges) -> tuple[Ints, Ints]:
    """How many floats and how many histograms each window holds, shape (series, steps)."""
    shape = (len(ranges), len(ranges.ends_ms))
    floats, native = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    before = np.concatenate([[0], np.cumsum(_native(ranges))])
    for chosen, windows in blocks(ranges):
        base = int(ranges.offsets[chosen.start])
        native[chosen] = before[windows.high + base] - before[windows.low + base]
        floats[chosen] = windows.count - native[chosen]
    return floats, native


def ignoring(ranges: Ranges, kernel: Kernel, meter: Meter, notes: Annotations) -> Vector:
    """A function of floats: histograms are passed over, which is said where both stand."""
    floats, native = _kinds(ranges)
    for i in np.flatnonzero(((floats > 0) & (native > 0)).any(axis=1)).tolist():
        notes.inform(
            f"ignored histograms in a range containing both floats and histograms{_of(ranges, i)}"
        )
    return by_floats(ranges, lambda part: over_windows(part, kernel, meter))


def _of(ranges: Ranges, series: int) -> str:
    return f' for metric name "{ranges.labels[series].get("__name__", "")}"'


def _differs(now: Floats, before: Floats) -> Bools:
    return np.asarray((now != before) & ~(np.isnan(now) & np.isnan(before)))


_RELATIONS: Final[dict[str, Callable[[Floats, Floats], Bools]]] = {
    "changes": _differs,
    "resets": np.less,
}
"""What `changes` and `resets` count: how two floats relate; newer one first."""


def flags_of(ranges: Ranges, name: str) -> Bools:
    """Whether each sample is to be counted; one of another kind than the one before always is.

    Parameters
    ----------
    name
        ``changes`` or ``resets``.
    """
    assert ranges.histograms is not None
    native, rows = _native(ranges), ranges.histograms
    flags = np.zeros(len(native), bool)
    flags[1:] = _RELATIONS[name](ranges.values[1:], ranges.values[:-1]) & ~native[1:]
    flags[1:] |= native[1:] != native[:-1]
    if name == "resets":
        return flags | resets_in(rows.tolist()) | _started(ranges)
    for row in (np.flatnonzero(native[1:] & native[:-1]) + 1).tolist():
        flags[row] = not rows[row].same(rows[row - 1])
    return flags


def stepwise(ranges: Ranges, name: str, meter: Meter) -> Vector:
    """Count samples by how they relate to the one before: ``changes`` or ``resets``."""
    flags = flags_of(ranges, name)
    total = np.cumsum(flags, dtype=np.int64)
    shape = (len(ranges), len(ranges.ends_ms))
    meter.hold(*shape)
    values, present = np.zeros(shape), np.zeros(shape, bool)
    for chosen, windows in blocks(ranges):
        base = int(ranges.offsets[chosen.start])
        values[chosen] = total[windows.last + base] - total[windows.first + base]
        present[chosen] = windows.count > 0
    return Vector(ranges.labels, values, present, np.ones(len(ranges), bool))


@dataclass(frozen=True, slots=True)
class NativeWindow:
    """One window that holds histograms only.

    Parameters
    ----------
    histograms, times_ms
        The samples.
    resets
        bool: whether the counter was reset between a sample and the one before it.
    start_ms, end_ms
        The window's edges.
    name
        The metric's.
    notes
        Takes annotations.
    zero_ms
        Since when the first sample counts, where that is within the window, else None.
    """

    histograms: list[Histogram]
    times_ms: Ints
    resets: Bools
    start_ms: int
    end_ms: int
    name: str
    notes: Annotations
    zero_ms: int | None = None


Measure = Callable[[NativeWindow], Histogram | None]


def measured(
    ranges: Ranges,
    kernel: Kernel,
    measure: Measure,
    meter: Meter,
    notes: Annotations,
    *,
    newest: int = 0,
    at_once: AtOnce | None = None,
) -> Vector:
    """A function that gives a float for floats and a histogram for histograms.

    Parameters
    ----------
    kernel, measure
        What is done with the one and with the other.
    newest
        Look only at that many samples at a window's end.
    at_once
        Does the same as `measure` for many windows, not necessarily all.
    """
    result = by_floats(ranges, lambda part: over_windows(part, kernel, meter))
    resets = resets_of(ranges)
    native, done = no_histograms(result.present.shape), np.zeros(result.present.shape, bool)
    if at_once is not None:
        native, done = at_once(ranges, resets, meter, notes)
        result.present |= is_native(native)
    todo = _Todo(resets, newest, ~done)
    for series, step, window in _native_windows(ranges, notes, todo, result, meter):
        native[series, step] = found = measure(window)
        result.present[series, step] = found is not None
    result.histograms = native
    result.values[result.native] = np.nan
    return result


@dataclass(frozen=True, slots=True)
class _Todo:
    """Which windows to walk through, and how many of their newest samples to look at."""

    resets: Bools
    newest: int
    windows: Bools


def _native_windows(
    ranges: Ranges, notes: Annotations, todo: _Todo, result: Vector, meter: Meter
) -> Iterator[tuple[int, int, NativeWindow]]:
    """The windows with histograms only; those with both are made absent, with a warning."""
    assert ranges.histograms is not None
    native = _native(ranges)
    before = np.concatenate([[0], np.cumsum(native)])
    newest, resets = todo.newest, todo.resets
    for chosen, windows in blocks(ranges):
        meter.tick()
        base = int(ranges.offsets[chosen.start])
        low, high = windows.low + base, windows.high + base
        if newest:
            low = np.maximum(low, high - newest)
        count = before[high] - before[low]
        zeros = None if windows.starts_ms is None or newest else first_starts(windows)
        for i, step in np.argwhere((count > 0) & todo.windows[chosen]).tolist():
            series = chosen.start + i
            rows = slice(int(low[i, step]), int(high[i, step]))
            name = ranges.labels[series].get("__name__", "")
            if count[i, step] < rows.stop - rows.start:
                result.present[series, step] = False
                notes.warn(f'encountered a mix of histograms and floats for metric name "{name}"')
                continue
            end = int(ranges.ends_ms[step])
            zero = None if zeros is None or np.isnan(zeros[i, step]) else int(zeros[i, step])
            yield (
                series,
                step,
                NativeWindow(
                    ranges.histograms[rows].tolist(),
                    ranges.times_ms[rows],
                    resets[rows],
                    end - ranges.span_ms,
                    end,
                    name,
                    notes,
                    zero,
                ),
            )


def resets_of(ranges: Ranges) -> Bools:
    """Of each histogram whether it was reset since the row before, wherever that row belongs."""
    assert ranges.histograms is not None
    return resets_in(ranges.histograms.tolist()) | _started(ranges)


def _started(ranges: Ranges) -> Bools:
    """Of each sample whether its start timestamp says that its counter began anew."""
    if ranges.starts_ms is None:
        return np.zeros(len(ranges.times_ms), bool)
    return started(ranges.times_ms, ranges.starts_ms)
