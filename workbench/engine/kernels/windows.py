"""Window bounds for all steps at once, and the driver that runs a kernel over blocks of series.

A kernel sees a `Windows`: flat columns of a block of series and, for every series and step, the
first and the past-the-end row of its window. It never loops over series.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.engine.limits import Meter
from workbench.engine.values import Ranges, Vector
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["Kernel", "Windows", "blocks", "over_windows"]

_CELLS: Final = 1 << 17
"""Series × steps handled at a time: large enough to hide Python, small enough for the cache."""


@dataclass(slots=True)
class Windows:
    """Windows of a block of series.

    Parameters
    ----------
    times_ms, values
        int64 and float64, shape (rows,): the block's samples, series after series.
    offsets
        int64, shape (series + 1,): series `i` owns the rows ``offsets[i]:offsets[i + 1]``.
    low, high
        int64, shape (series, steps): the window's rows are ``low:high``.
    ends_ms
        int64, shape (steps,): where the windows end.
    span_ms
        How long they are.
    tick
        Looks at the query's clock; long walks call it now and then.
    """

    times_ms: Ints
    values: Floats
    offsets: Ints
    low: Ints
    high: Ints
    ends_ms: Ints
    span_ms: int
    tick: Callable[[], None] = lambda: None

    @property
    def count(self) -> Ints:
        """How many samples each window holds."""
        return self.high - self.low

    @property
    def first(self) -> Ints:
        """The first row of each window; row 0 where it is empty."""
        return np.where(self.high > self.low, self.low, 0)

    @property
    def last(self) -> Ints:
        """The last row of each window; row 0 where it is empty."""
        return np.where(self.high > self.low, self.high - 1, 0)


Kernel = Callable[[Windows], tuple[Floats, Bools]]
"""Values and presence, both (series, steps), from the windows of a block."""


def blocks(ranges: Ranges) -> Iterator[tuple[slice, Windows]]:
    """Cut into blocks of series and find the windows of each."""
    rows = max(1, _CELLS // max(1, len(ranges.ends_ms)))
    for first in range(0, len(ranges), rows):
        chosen = slice(first, min(first + rows, len(ranges)))
        yield chosen, _windows(ranges, chosen)


def _windows(ranges: Ranges, chosen: slice) -> Windows:
    offsets = ranges.offsets[chosen.start : chosen.stop + 1]
    base = int(offsets[0])
    times = ranges.times_ms[base : int(offsets[-1])]
    values = ranges.values[base : int(offsets[-1])]
    offsets = offsets - base
    series = len(offsets) - 1
    low = np.empty((series, len(ranges.ends_ms)), np.int64)
    high = np.empty_like(low)
    starts = ranges.ends_ms - ranges.span_ms
    cuts = offsets.tolist()
    before = times[:0]
    for i in range(series):
        mine = times[cuts[i] : cuts[i + 1]]
        if i and len(mine) == len(before) and np.array_equal(mine, before):
            # Targets scraped together share their times: move the bounds instead of searching.
            shift = cuts[i] - cuts[i - 1]
            np.add(low[i - 1], shift, out=low[i])
            np.add(high[i - 1], shift, out=high[i])
        else:
            np.add(np.searchsorted(mine, starts, side="right"), cuts[i], out=low[i])
            np.add(np.searchsorted(mine, ranges.ends_ms, side="right"), cuts[i], out=high[i])
        before = mine
    return Windows(times, values, offsets, low, high, ranges.ends_ms, ranges.span_ms)


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
    for chosen, windows in blocks(ranges):
        meter.tick()
        windows.tick = meter.tick
        values[chosen], present[chosen] = kernel(windows)
    return Vector(ranges.labels, values, present, np.ones(len(ranges), bool))
