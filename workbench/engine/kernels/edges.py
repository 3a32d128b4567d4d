"""Change over a window whose edges count: ``anchored`` and ``smoothed`` ranges.

Instead of extrapolating from the samples inside, ``anchored`` begins with the last sample before
the window, and ``smoothed`` puts a value on each edge, on the straight line between the samples to
its two sides. Samples are looked for as far outside as an instant selector looks back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from workbench.engine.kernels.counters import changes, resets
from workbench.engine.kernels.windows import Windows, blocks
from workbench.engine.limits import Meter
from workbench.engine.values import Ranges, Vector
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["EDGED", "Edges", "edges_of", "interpolated", "over_edges"]


@dataclass(slots=True)
class Edges:
    """Windows of a block of series, with the samples around them.

    Parameters
    ----------
    inner
        The windows themselves, ``(start, end]``.
    low, high
        int64, shape (series, steps): the rows ``low:high`` are near enough to count.
    before_end
        int64, shape (series, steps): the first row at or after the window's end.
    """

    inner: Windows
    low: Ints
    high: Ints
    before_end: Ints


EdgeKernel = Callable[[Edges], tuple[Floats, Bools]]
"""Values and presence, both (series, steps)."""


def over_edges(ranges: Ranges, kernel: EdgeKernel, lookback_ms: int, meter: Meter) -> Vector:
    """Run a kernel over every window and what is around it."""
    shape = (len(ranges), len(ranges.ends_ms))
    meter.hold(*shape)
    values, present = np.empty(shape), np.zeros(shape, bool)
    for chosen, edges in edges_of(ranges, lookback_ms):
        meter.tick()
        values[chosen], present[chosen] = kernel(edges)
    return Vector(ranges.labels, values, present, np.ones(len(ranges), bool))


def edges_of(ranges: Ranges, lookback_ms: int) -> Iterator[tuple[slice, Edges]]:
    """The windows of each block of series, with the rows around them."""
    wide = replace(
        ranges, ends_ms=ranges.ends_ms + lookback_ms, span_ms=ranges.span_ms + 2 * lookback_ms
    )
    short = replace(ranges, ends_ms=ranges.ends_ms - 1)
    for (chosen, inner), (_, outer), (_, open_end) in zip(
        blocks(ranges), blocks(wide), blocks(short), strict=True
    ):
        yield chosen, Edges(inner, outer.low, outer.high, open_end.high)


def _anchored_windows(edges: Edges) -> Windows:
    """Each window with the sample before it; empty where it holds no sample of its own."""
    inner = edges.inner
    filled = inner.high > inner.low
    return replace(inner, low=np.where(filled & (inner.low > edges.low), inner.low - 1, inner.low))


def _anchored_change(edges: Edges, *, counter: bool, per_second: bool) -> tuple[Floats, Bools]:
    windows = _anchored_windows(edges)
    first, last = windows.first, windows.last
    change = windows.values[last] - windows.values[first]
    if counter:
        change = change + _lost_between(windows, first, last)
    if per_second:
        change = change / (windows.span_ms / 1000.0)
    return change, windows.count > 0


def _line(windows: Windows, left: Ints, right: Ints, at_ms: Ints, *, counter: bool) -> Floats:
    """The value at a moment on the line between two rows; after a reset a counter starts at 0."""
    y0, y1 = windows.values[left], windows.values[right]
    if counter:
        y0 = np.where(y1 < y0, 0.0, y0)
    t0 = windows.times_ms[left]
    share = (at_ms - t0) / (windows.times_ms[right] - t0)
    return y0 + (y1 - y0) * share


def _smoothed_change(edges: Edges, *, counter: bool, per_second: bool) -> tuple[Floats, Bools]:
    windows = edges.inner
    start, end = windows.ends_ms - windows.span_ms, windows.ends_ms
    present = (windows.low < edges.high) & (windows.high > edges.low)
    first = np.where(present, windows.low, 0)
    last = np.where(present, edges.before_end - 1, 0)
    left = _edge(edges, first, start, present, counter=counter)
    right = _edge(edges, np.where(present, edges.before_end, 0), end, present, counter=counter)
    change = right - left
    if counter:
        change = change + _lost(windows, left, right, first, last)
    if per_second:
        change = change / (windows.span_ms / 1000.0)
    return change, present


def _edge(edges: Edges, after: Ints, at_ms: Ints, present: Bools, *, counter: bool) -> Floats:
    """The value on an edge; `after` is the first row behind it, or on it for the right edge."""
    windows = edges.inner
    has_before, has_after = present & (after > edges.low), present & (after < edges.high)
    before = np.where(has_before, after - 1, 0)
    behind = np.where(has_after, after, before)
    before = np.where(has_before, before, behind)
    on_edge = windows.times_ms[behind] == at_ms
    value = _line(windows, before, behind, at_ms, counter=counter)
    exact = np.where(has_before & ~on_edge, windows.values[before], windows.values[behind])
    between = has_before & has_after & ~on_edge & (windows.times_ms[before] != at_ms)
    return np.where(between, value, exact)


def _lost(windows: Windows, left: Floats, right: Floats, first: Ints, last: Ints) -> Floats:
    """What resets took: among the rows from first to last, and from and to the edges' values."""
    filled = last >= first
    head, tail = np.where(filled, first, 0), np.where(filled, last, 0)
    lost = _lost_between(windows, head, tail)
    lost = lost + np.where(filled & (windows.values[head] < left), left, 0.0)
    previous = np.where(filled, windows.values[tail], left)
    return np.asarray(lost + np.where(right < previous, previous, 0.0))


def _lost_between(windows: Windows, first: Ints, last: Ints) -> Floats:
    """What the counter had reached before each reset after the row first, up to the row last.

    Only the resets in question are added up, so that others cost no precision.
    """
    values = windows.values
    falls = np.zeros(len(values), bool)
    np.less(values[1:], values[:-1], out=falls[1:])
    falls[windows.offsets[1:-1][windows.offsets[1:-1] < len(values)]] = False
    rows = np.flatnonzero(falls)
    reached = np.append(values[rows - 1], 0.0)
    before = np.cumsum(falls, dtype=np.int64)
    low, high = before[first], before[last]
    lost = np.where(high > low, reached[np.minimum(low, len(rows))], 0.0)
    for series, step in np.argwhere(high - low > 1).tolist():
        lost[series, step] = reached[low[series, step] : high[series, step]].sum()
    return lost


def interpolated(edges: Edges) -> tuple[Floats, Bools]:
    """An instant selector's value between two samples; the last one where none follows."""
    windows = edges.inner
    present = windows.high > edges.low
    after = np.where(present, windows.high, 0)
    return _edge(edges, after, windows.ends_ms, present, counter=False), present


def _counted(kernel: Callable[[Windows], tuple[Floats, Bools]]) -> EdgeKernel:
    return lambda edges: kernel(_anchored_windows(edges))


_ANCHORED: Final[dict[str, EdgeKernel]] = {
    "changes": _counted(changes),
    "delta": partial(_anchored_change, counter=False, per_second=False),
    "increase": partial(_anchored_change, counter=True, per_second=False),
    "rate": partial(_anchored_change, counter=True, per_second=True),
    "resets": _counted(resets),
}

_SMOOTHED: Final[dict[str, EdgeKernel]] = {
    "delta": partial(_smoothed_change, counter=False, per_second=False),
    "increase": partial(_smoothed_change, counter=True, per_second=False),
    "rate": partial(_smoothed_change, counter=True, per_second=True),
}

EDGED: Final[dict[str, dict[str, EdgeKernel]]] = {"anchored": _ANCHORED, "smoothed": _SMOOTHED}
"""The functions of windows whose edges count: by modifier, by name."""
