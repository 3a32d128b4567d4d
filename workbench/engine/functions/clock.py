"""Time: the evaluation's, a sample's, and the calendar's (UTC)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import numpy as np

from workbench.engine.context import Call
from workbench.engine.functions.function import Function
from workbench.engine.selectors import sample_starts, sample_times
from workbench.engine.values import Value, Vector
from workbench.promql import tree
from workbench.samples import Floats

__all__ = ["CLOCK"]

_LIMIT: Final = 9.2e18 / 1e3
"""Seconds beyond which a moment has no calendar here."""


def _time(call: Call) -> Value:
    return call.grid.times_ms / 1000.0


def _timestamp(call: Call) -> Value:
    """Of a plain selector each sample's own time, of anything else the evaluation's."""
    argument = tree.unwrapped(call.arguments[0])
    if isinstance(argument, tree.VectorSelector):
        vector = sample_times(call.query, argument, call.grid)
        return vector.computed(vector.values)
    vector = replace(call.vector(0), histograms=None)
    return vector.computed(np.broadcast_to(call.grid.times_ms / 1000.0, vector.values.shape))


def _start_timestamp(call: Call) -> Value:
    """Of a plain selector each sample's start; what is computed has none."""
    argument = tree.unwrapped(call.arguments[0])
    if isinstance(argument, tree.VectorSelector):
        vector = sample_starts(call.query, argument, call.grid)
        return vector.computed(vector.values)
    call.vector(0)  # what is wrong with it is still said
    return Vector.empty(len(call.grid))


def _constant(value: Callable[[Call], float]) -> Function:
    def function(call: Call) -> Value:
        return np.full(len(call.grid), value(call) / 1000.0)

    return function


def _calendar(part: Callable[[Any], Any]) -> Function:
    """A part of the date of each value, which is Unix seconds; of now without an argument."""

    def function(call: Call) -> Value:
        if not len(call):
            return Vector.one({}, _part(part, call.grid.times_ms / 1000.0))
        vector = call.vector(0)
        return vector.computed(_part(part, vector.values))

    return function


def _part(part: Callable[[Any], Any], seconds: Floats) -> Floats:
    sane = np.abs(seconds) < _LIMIT
    moments = np.where(sane, np.trunc(np.where(sane, seconds, 0)), 0).astype(np.int64)
    return np.where(sane, part(moments.astype("datetime64[s]")).astype(np.float64), np.nan)


def _within(unit: str, smaller: str) -> Callable[[Any], Any]:
    """How many of a smaller unit have passed since the larger one began."""
    return lambda t: (
        t.astype(f"datetime64[{smaller}]")
        - t.astype(f"datetime64[{unit}]").astype(f"datetime64[{smaller}]")
    ).astype(np.int64)


def _days_in_month(moments: Any) -> Any:
    month = moments.astype("datetime64[M]")
    return ((month + 1).astype("datetime64[D]") - month.astype("datetime64[D]")).astype(np.int64)


CLOCK: Final[dict[str, Function]] = {
    "day_of_month": _calendar(lambda t: _within("M", "D")(t) + 1),
    "day_of_week": _calendar(lambda t: (t.astype("datetime64[D]").astype(np.int64) + 4) % 7),
    "day_of_year": _calendar(lambda t: _within("Y", "D")(t) + 1),
    "days_in_month": _calendar(_days_in_month),
    "end": _constant(lambda call: call.grid.end_ms),
    "hour": _calendar(_within("D", "h")),
    "minute": _calendar(_within("h", "m")),
    "month": _calendar(lambda t: _within("Y", "M")(t) + 1),
    "range": _constant(lambda call: call.grid.end_ms - call.grid.start_ms),
    "start": _constant(lambda call: call.grid.start_ms),
    "start_timestamp": _start_timestamp,
    "step": _constant(lambda call: call.grid.step_ms),
    "time": _time,
    "timestamp": _timestamp,
    "year": _calendar(lambda t: t.astype("datetime64[Y]").astype(np.int64) + 1970),
}
"""Functions of time, by name."""
