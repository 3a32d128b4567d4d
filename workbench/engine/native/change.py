"""Change of native histograms over a window: rate and kin, sums and averages."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from workbench.engine.native.arithmetic import (
    common_hint,
    divided,
    hints_collide,
    scaled,
    subtracted,
)
from workbench.engine.native.blocks import IncompatibleError, averaged, block_of, summed
from workbench.engine.native.rates import THRESHOLD, not_a
from workbench.engine.native.windows import Measure, NativeWindow
from workbench.native import Histogram, ResetHint

__all__ = [
    "COLLIDING",
    "RECONCILED",
    "average",
    "between",
    "delta",
    "idelta",
    "increase",
    "irate",
    "mixed_buckets",
    "rate",
    "total",
]

RECONCILED: Final = "mismatched custom buckets were reconciled during"
COLLIDING: Final = "conflicting counter resets during histogram"


def mixed_buckets(name: str) -> str:
    """The warning for exponential and custom buckets met together."""
    what = "vector contains a mix of histograms with exponential and custom buckets schemas"
    return f'{what} for metric name "{name}"' if name else what


def _warn(window: NativeWindow, what: str) -> None:
    window.notes.warn(not_a(what, window.name))


def between(window: NativeWindow, *, counter: bool) -> Histogram | None:
    """What was added between first and last sample, resets taken into account."""
    samples, resets = window.histograms, window.resets
    start, last, between = samples[0], samples[-1], samples[1:-1]
    if counter and any(h.hint is ResetHint.GAUGE for h in samples):
        _warn(window, "counter")
    if counter and resets[1]:
        # Nothing of the first sample counts, not even its layout.
        start = Histogram(samples[1].schema, custom_values=samples[1].custom_values)
    relevant = [start, *between, last] if counter else [start, last]
    if any(h.is_custom != start.is_custom for h in relevant):
        window.notes.warn(mixed_buckets(window.name))
        return None
    lost = [samples[i - 1] for i in range(2, len(samples)) if counter and resets[i]]
    block = block_of([last, start, *lost], min(h.schema for h in relevant))
    if block.reconciled:
        window.notes.inform(f"{RECONCILED} subtraction")
    if not counter and not (samples[0].hint is last.hint is ResetHint.GAUGE):
        _warn(window, "gauge")
    row = block.table[0] - block.table[1]
    for each in block.table[2:]:
        row = row + each
    return block.histogram(row, ResetHint.GAUGE).compact()


def _extrapolated(window: NativeWindow, *, counter: bool, per_second: bool) -> Histogram | None:
    """Extrapolate to the window's edges; the count decides where a counter would be at zero."""
    zero_ms = window.zero_ms if counter else None
    if len(window.histograms) < 2 and zero_ms is None:
        return None
    change = between(window if zero_ms is None else _from_zero(window), counter=counter)
    if change is None:
        return None
    first, last = window.times_ms[[0, -1]].tolist()
    sampled = (last - first) / 1000
    distance = sampled / max(len(window.times_ms) - 1, 1)
    to_start, to_end = (first - window.start_ms) / 1000, (window.end_ms - last) / 1000
    if to_start >= distance * THRESHOLD:
        to_start = distance / 2
    if to_end >= distance * THRESHOLD:
        to_end = distance / 2
    count = window.histograms[0].count
    if zero_ms is not None:
        sampled, to_start = (last - zero_ms) / 1000, 0.0
    elif counter and change.count > 0 and count >= 0:
        to_start = min(to_start, sampled * (count / change.count))
    factor = (sampled + to_start + to_end) / sampled
    if per_second:
        factor /= (window.end_ms - window.start_ms) / 1000
    return scaled(change, factor)


def _from_zero(window: NativeWindow) -> NativeWindow:
    """The window with a reset before its first sample, where that began to count."""
    return replace(
        window,
        histograms=[window.histograms[0], *window.histograms],
        times_ms=np.concatenate([[window.zero_ms], window.times_ms]),
        resets=np.concatenate([[False, True], window.resets[1:]]),
    )


rate: Measure = partial(_extrapolated, counter=True, per_second=True)
increase: Measure = partial(_extrapolated, counter=True, per_second=False)
delta: Measure = partial(_extrapolated, counter=False, per_second=False)


def _instant(window: NativeWindow, *, counter: bool) -> Histogram | None:
    """The change between the last two samples, of a counter per second."""
    if len(window.histograms) < 2:
        return None
    before, now = window.histograms[-2:]
    gauges = [h.hint is ResetHint.GAUGE for h in (before, now)]
    if counter and any(gauges):
        _warn(window, "counter")
    if not counter and not all(gauges):
        _warn(window, "gauge")
    change = now
    if not (counter and window.resets[-1]):
        try:
            change, reconciled = subtracted(now, before)
        except IncompatibleError:
            window.notes.warn(mixed_buckets(window.name))
            return None
        if reconciled:
            window.notes.inform(f"{RECONCILED} subtraction")
    change = change.with_hint(ResetHint.GAUGE).compact()
    seconds = float(window.times_ms[-1] - window.times_ms[-2]) / 1000
    return divided(change, seconds) if counter else change


irate: Measure = partial(_instant, counter=True)
idelta: Measure = partial(_instant, counter=False)


def _together(window: NativeWindow, *, mean: bool) -> Histogram | None:
    hints = [h.hint for h in window.histograms]
    if hints_collide(hints):
        window.notes.warn(f"{COLLIDING} aggregation")
    try:
        block = block_of(window.histograms)
    except IncompatibleError:
        window.notes.warn(mixed_buckets(window.name))
        return None
    if block.reconciled:
        window.notes.inform(f"{RECONCILED} aggregation")
    row = averaged(block.table) if mean else summed(block.table)
    return block.histogram(row, common_hint(hints)).compact()


total: Measure = partial(_together, mean=False)
average: Measure = partial(_together, mean=True)
