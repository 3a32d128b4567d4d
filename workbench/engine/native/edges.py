"""Native histograms in windows whose edges count: ``anchored`` and ``smoothed`` ranges.

The rules are those of `kernels.edges` for floats, with a histogram where there is a number.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.engine.annotations import Annotations
from workbench.engine.kernels.edges import EDGED, edges_of, interpolated, over_edges
from workbench.engine.limits import Meter
from workbench.engine.native.arithmetic import added, scaled, subtracted
from workbench.engine.native.blocks import IncompatibleError
from workbench.engine.native.change import between, mixed_buckets
from workbench.engine.native.windows import NativeWindow, by_floats, flags_of, resets_of
from workbench.engine.values import Ranges, Vector
from workbench.frame import Bools
from workbench.native import Histogram, Ints, ResetHint, is_native, no_histograms

__all__ = ["on_edge", "over_native_edges"]

_STEPWISE: Final = frozenset({"changes", "resets"})


@dataclass(frozen=True, slots=True)
class _Around:
    """One window and the rows around it, numbered as in the ranges."""

    series: int
    step: int
    low: int
    high: int
    first: int
    stop: int
    end_row: int
    start_ms: int
    end_ms: int


def _windows(ranges: Ranges, lookback_ms: int, meter: Meter) -> Iterator[_Around]:
    for chosen, edges in edges_of(ranges, lookback_ms):
        meter.tick()
        base = int(ranges.offsets[chosen.start])
        columns = (edges.low, edges.high, edges.inner.low, edges.inner.high, edges.before_end)
        rows = np.stack(columns) + base
        for i, step in np.ndindex(*rows.shape[1:]):
            low, high, first, stop, end_row = rows[:, i, step].tolist()
            end = int(ranges.ends_ms[step])
            start, series = end - ranges.span_ms, chosen.start + i
            yield _Around(series, step, low, high, first, stop, end_row, start, end)


def over_native_edges(
    ranges: Ranges, name: str, lookback_ms: int, meter: Meter, notes: Annotations
) -> Vector:
    """Evaluate a function over every window and what is around it.

    Parameters
    ----------
    name
        The function's: one of `EDGED`.
    """
    assert ranges.histograms is not None
    kernel = EDGED[ranges.edge][name]
    result = by_floats(ranges, lambda part: over_edges(part, kernel, lookback_ms, meter))
    native, changes = is_native(ranges.histograms), _Changes(ranges, name, notes)
    result.histograms = no_histograms(result.present.shape)
    total = np.cumsum(flags_of(ranges, name)) if name in _STEPWISE else None
    for each in _windows(ranges, lookback_ms, meter):
        used = _anchored(each) if ranges.edge == "anchored" else _smoothed(each)
        cell = each.series, each.step
        if not native[used].any():
            continue
        result.present[cell] = False
        if total is not None:
            result.values[cell] = total[used.stop - 1] - total[used.start]
            result.present[cell] = True
        elif not native[used].all():
            metric = ranges.labels[each.series].get("__name__", "")
            notes.warn(f'encountered a mix of histograms and floats for metric name "{metric}"')
        else:
            found = changes.over(each, used)
            result.histograms[cell] = found
            result.present[cell] = found is not None
    return result


def _anchored(each: _Around) -> slice:
    """The rows of an anchored window: its own and the one before."""
    if each.stop <= each.first:
        return slice(0, 0)
    return slice(max(each.first - 1, each.low), each.stop)


def _smoothed(each: _Around) -> slice:
    """The rows of a smoothed window: its own and one to each side."""
    if each.first >= each.high or each.stop <= each.low:
        return slice(0, 0)
    return slice(max(each.first - 1, each.low), min(each.end_row + 1, each.high))


class _Changes:
    """Changes over windows that hold histograms only."""

    def __init__(self, ranges: Ranges, name: str, notes: Annotations) -> None:
        self._ranges, self._name, self._notes = ranges, name, notes
        self._resets = resets_of(ranges)

    def over(self, each: _Around, used: slice) -> Histogram | None:
        """The change over one window, from the rows that are used for it."""
        ranges, counter = self._ranges, self._name != "delta"
        assert ranges.histograms is not None
        metric = ranges.labels[each.series].get("__name__", "")
        samples, times = ranges.histograms[used].tolist(), ranges.times_ms[used]
        flags = self._resets[used]
        if ranges.edge == "smoothed":
            try:
                samples, flags = _with_edges(samples, times, flags, each, counter=counter)
            except IncompatibleError:
                self._notes.warn(mixed_buckets(metric))
                return None
        if len(samples) == 1:
            samples, flags = samples * 2, np.zeros(2, bool)
        edges = each.start_ms, each.end_ms
        window = NativeWindow(samples, times, flags, *edges, metric, self._notes)
        change = between(window, counter=counter)
        if change is None or self._name != "rate":
            return change
        return scaled(change, 1000 / (each.end_ms - each.start_ms))


def _with_edges(
    samples: list[Histogram],
    times: Ints,
    resets: Bools,
    each: _Around,
    *,
    counter: bool,
) -> tuple[list[Histogram], Bools]:
    """Samples from edge to edge, those on the edges interpolated, and where resets lie."""
    samples, flags = list(samples), resets.copy()
    first, last, spot = samples[0], samples[-1], times.tolist()
    if len(samples) > 1 and spot[0] < each.start_ms:
        share = (each.start_ms - spot[0]) / (spot[1] - spot[0])
        first = _line(samples[0], samples[1], share, reset=counter and bool(flags[1]))
        flags[1] = False  # what was lost there lies before the edge
    if len(samples) > 1 and spot[-1] > each.end_ms:
        share = (each.end_ms - spot[-2]) / (spot[-1] - spot[-2])
        last = _line(samples[-2], samples[-1], share, reset=counter and bool(resets[-1]))
    return [first, *samples[1:-1], *([last] if len(samples) > 1 else [])], flags


def _line(before: Histogram, after: Histogram, share: float, *, reset: bool) -> Histogram:
    """The histogram on the line between two; after a reset a counter starts at nothing."""
    if before.is_custom != after.is_custom:
        raise IncompatibleError
    gauge = before.hint is after.hint is ResetHint.GAUGE
    hint = ResetHint.GAUGE if gauge else ResetHint.UNKNOWN
    if reset:
        return scaled(after, share).with_hint(hint)
    growth, _ = subtracted(after, before)
    return added(before, scaled(growth, share))[0].with_hint(hint)


def on_edge(ranges: Ranges, lookback_ms: int, meter: Meter, notes: Annotations) -> Vector:
    """A smoothed instant selector: the sample on the line to the next one."""
    assert ranges.histograms is not None
    result = by_floats(ranges, lambda part: over_edges(part, interpolated, lookback_ms, meter))
    native, resets = is_native(ranges.histograms), resets_of(ranges)
    result.histograms = no_histograms(result.present.shape)
    for each in _windows(ranges, lookback_ms, meter):
        cell, around = (each.series, each.step), slice(each.low, each.high)
        if not native[around].any():
            continue
        result.present[cell] = False
        metric = ranges.labels[each.series].get("__name__", "")
        if not native[around].all():
            notes.warn(f'encountered a mix of histograms and floats for metric name "{metric}"')
            continue
        if each.stop <= each.low:
            continue
        before, after = each.stop - 1, min(each.stop, each.high - 1)
        sample, spot = ranges.histograms[before], ranges.times_ms[[before, after]].tolist()
        if after > before and spot[0] < each.end_ms:
            share = (each.end_ms - spot[0]) / (spot[1] - spot[0])
            following = ranges.histograms[after]
            counter = following.hint is not ResetHint.GAUGE
            try:
                sample = _line(sample, following, share, reset=counter and bool(resets[after]))
            except IncompatibleError:
                notes.warn(mixed_buckets(metric))
                continue
        result.histograms[cell], result.present[cell] = sample, True
    return result
