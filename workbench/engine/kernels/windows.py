"""Window bounds for all steps at once, and the driver that runs a kernel over blocks of series.

A kernel sees the `Windows` of a block of series and never loops over series. Targets scraped
together share their times: such series come as a table, series × rows, with one set of bounds for
all of them, so that whatever depends on times alone is computed once a block. Series whose times
are their own come as flat columns. `Windows.at` reads both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np

from workbench.engine.limits import Meter
from workbench.engine.values import Ranges, Vector
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["Kernel", "Windows", "blocks", "over_windows"]

_CELLS: Final = 1 << 16
"""Samples, or series × steps, handled at a time: enough to hide Python, few enough for the cache."""

_WORTH_A_TABLE: Final = 1 << 12
"""From this many samples and cells on, series of one time grid are handled apart from others."""


@dataclass(slots=True)
class Windows:
    """Windows of a block of series: flat, or a table where all series have the same times.

    Parameters
    ----------
    times_ms
        int64, shape (rows,): of a flat block all series' times, series after series; of a table
        the times that its series share.
    values
        float64: the samples' values, shape (rows,) or, of a table, (series, rows).
    offsets
        int64, shape (series + 1,): where each series begins in `values`, raveled.
    low, high
        int64: the window's rows are ``low:high``; shape (series, steps), of a table (1, steps).
    ends_ms
        int64, shape (steps,): where the windows end.
    span_ms
        How long they are.
    tick
        Looks at the query's clock; long walks call it now and then.
    starts_ms
        int64, of the shape of `values`: the samples' start timestamps, 0 where unknown; None where
        none is known.
    """

    times_ms: Ints
    values: Floats
    offsets: Ints
    low: Ints
    high: Ints
    ends_ms: Ints
    span_ms: int
    tick: Callable[[], None] = lambda: None
    starts_ms: Ints | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Series and steps."""
        return len(self.offsets) - 1, len(self.ends_ms)

    @property
    def is_table(self) -> bool:
        """All series have the same times."""
        return self.values.ndim == 2

    @property
    def count(self) -> Ints:
        """How many samples each window holds; like `low` of one row where all are the same."""
        return self.high - self.low

    @property
    def first(self) -> Ints:
        """The first row of each window; row 0 where it is empty."""
        return np.where(self.high > self.low, self.low, 0)

    @property
    def last(self) -> Ints:
        """The last row of each window; row 0 where it is empty."""
        return np.where(self.high > self.low, self.high - 1, 0)

    def at(self, column: np.ndarray[Any, Any], rows: Ints) -> np.ndarray[Any, Any]:
        """Entries of `values`, or of what was made from them row by row, as series × steps."""
        return column.take(rows[0], axis=1) if column.ndim == 2 else column.take(rows)

    def full(self, per_step: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """Repeat what is the same for all series: a read-only view, shape (series, steps)."""
        return np.broadcast_to(per_step, self.shape)

    def of_series(self, chosen: Bools) -> Windows:
        """Some series of a table."""
        values = self.values[chosen]
        offsets = self.values.shape[1] * np.arange(len(values) + 1)
        starts = None if self.starts_ms is None else self.starts_ms[chosen]
        return replace(self, values=values, offsets=offsets, starts_ms=starts)

    def flat(self) -> Windows:
        """The same block in the flat form, whichever it has."""
        if not self.is_table:
            return self
        series, rows = self.values.shape
        shift = rows * np.arange(series)[:, None]
        return Windows(
            np.tile(self.times_ms, series),
            self.values.reshape(-1),
            self.offsets,
            self.low + shift,
            self.high + shift,
            self.ends_ms,
            self.span_ms,
            self.tick,
            None if self.starts_ms is None else self.starts_ms.reshape(-1),
        )


Kernel = Callable[[Windows], tuple[Floats, Bools]]
"""Values, shape (series, steps), and presence, which may be of one row, from a block's windows."""


def blocks(ranges: Ranges) -> Iterator[tuple[slice, Windows]]:
    """Cut into flat blocks, series in their order, and find the windows of each."""
    rows = _series_at_once(ranges, len(ranges), len(ranges.values))
    for first in range(0, len(ranges), rows):
        chosen = slice(first, min(first + rows, len(ranges)))
        offsets = ranges.offsets[chosen.start : chosen.stop + 1]
        whole = slice(int(offsets[0]), int(offsets[-1]))
        columns = ranges.times_ms[whole], ranges.values[whole]
        windows = _flat_block(ranges, *columns, offsets - whole.start)
        if ranges.starts_ms is not None:
            windows.starts_ms = ranges.starts_ms[whole]
        yield chosen, windows


def _series_at_once(ranges: Ranges, series: int, rows: int) -> int:
    largest = max(1, len(ranges.ends_ms), rows // max(1, series))
    return max(1, _CELLS // largest)


def _bounds(times_ms: Ints, ranges: Ranges) -> tuple[Ints, Ints]:
    starts = ranges.ends_ms - ranges.span_ms
    return (
        np.searchsorted(times_ms, starts, side="right"),
        np.searchsorted(times_ms, ranges.ends_ms, side="right"),
    )


def _flat_block(ranges: Ranges, times: Ints, values: Floats, offsets: Ints) -> Windows:
    low = np.empty((len(offsets) - 1, len(ranges.ends_ms)), np.int64)
    high = np.empty_like(low)
    for i, (start, stop) in enumerate(
        zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)
    ):
        found = _bounds(times[start:stop], ranges)
        np.add(found[0], start, out=low[i])
        np.add(found[1], start, out=high[i])
    return Windows(times, values, offsets, low, high, ranges.ends_ms, ranges.span_ms)


# ---------------------------------------------------------------- series that share their times


def _by_grid(ranges: Ranges) -> Iterator[tuple[Ints, bool]]:
    """Groups of series, in order, and whether they may have the same times: all but certain."""
    lengths = np.diff(ranges.offsets)
    starts = np.minimum(ranges.offsets[:-1], len(ranges.times_ms) - 1)
    lasts = np.maximum(ranges.offsets[1:] - 1, 0)
    keys = np.stack([lengths, ranges.times_ms[starts], ranges.times_ms[lasts]])
    order = np.lexsort(keys)
    new = (np.diff(keys[:, order], axis=1) != 0).any(axis=0)
    alone: list[Ints] = []
    for group in np.split(order, np.flatnonzero(new) + 1):
        size = len(group) * (len(ranges.ends_ms) + int(lengths[group[0]]))
        if size >= _WORTH_A_TABLE:
            yield group, True
        else:
            alone.append(group)
    if alone:
        yield np.sort(np.concatenate(alone)), False


def _row_slices(ranges: Ranges, chosen: Ints) -> list[slice]:
    """The rows of the series chosen: one slice where they follow one another."""
    low, high = ranges.offsets[chosen], ranges.offsets[chosen + 1]
    if np.array_equal(low[1:], high[:-1]):
        return [slice(int(low[0]), int(high[-1]))]
    return [slice(a, b) for a, b in zip(low.tolist(), high.tolist(), strict=True)]


def _joined(column: np.ndarray[Any, Any], rows: list[slice]) -> np.ndarray[Any, Any]:
    return column[rows[0]] if len(rows) == 1 else np.concatenate([column[each] for each in rows])


def _block(ranges: Ranges, chosen: Ints, *, alike: bool) -> Windows:
    rows = _row_slices(ranges, chosen)
    times, values = _joined(ranges.times_ms, rows), _joined(ranges.values, rows)
    offsets = np.concatenate([[0], np.cumsum(ranges.offsets[chosen + 1] - ranges.offsets[chosen])])
    starts = None if ranges.starts_ms is None else _joined(ranges.starts_ms, rows)
    windows = _table_block(ranges, times, values, offsets) if alike else None
    if windows is None:
        windows = _flat_block(ranges, times, values, offsets)
    windows.starts_ms = None if starts is None else starts.reshape(windows.values.shape)
    return windows


def _table_block(ranges: Ranges, times: Ints, values: Floats, offsets: Ints) -> Windows | None:
    """A table where the series, of one length, do have the same times."""
    table = times.reshape(len(offsets) - 1, -1)
    shared = table[0]
    if len(table) > 1 and not (table[1:] == shared).all():
        return None
    low, high = (each[None, :] for each in _bounds(shared, ranges))
    values = values.reshape(table.shape)
    return Windows(shared, values, offsets, low, high, ranges.ends_ms, ranges.span_ms)


def _tables(ranges: Ranges) -> Iterator[tuple[Ints, Windows]]:
    """Cut into blocks, tables where series share their times; in no particular order."""
    if not len(ranges):
        return
    for group, alike in _by_grid(ranges):
        samples = int((ranges.offsets[group + 1] - ranges.offsets[group]).sum())
        size = _series_at_once(ranges, len(group), samples)
        for first in range(0, len(group), size):
            chosen = group[first : first + size]
            yield chosen, _block(ranges, chosen, alike=alike)


def over_windows(ranges: Ranges, kernel: Kernel, meter: Meter) -> Vector:
    """Run a kernel over every window.

    Returns
    -------
    Vector
        One value a series and step; names are still to be dropped.
    """
    shape = (len(ranges), len(ranges.ends_ms))
    meter.hold(*shape)
    values, present = np.empty(shape), np.zeros(shape, bool)
    for chosen, windows in _tables(ranges):
        meter.tick()
        windows.tick = meter.tick
        values[chosen], present[chosen] = kernel(windows)
    return Vector(ranges.labels, values, present, np.ones(len(ranges), bool))
