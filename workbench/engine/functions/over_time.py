"""Functions of a range of samples: rate and its kin, everything ``_over_time``, trends."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

import numpy as np

from workbench.engine.aggregate import warn_of_quantile
from workbench.engine.context import Call
from workbench.engine.functions.function import Function
from workbench.engine.functions.native_rules import (
    NativeRule,
    both_kinds,
    counting,
    newest,
    of_either,
    oldest,
    only_floats,
)
from workbench.engine.functions.shape import absent_labels
from workbench.engine.kernels import counters, extremes, ranks, starts, sums, trends
from workbench.engine.kernels.edges import EDGED, over_edges
from workbench.engine.kernels.windows import Kernel, over_windows
from workbench.engine.labels import NAME
from workbench.engine.native import change, rates
from workbench.engine.native.edges import over_native_edges
from workbench.engine.values import Ranges, Value, Vector
from workbench.errors import QueryError
from workbench.samples import Floats

__all__ = ["OVER_TIME"]

_COUNTER_ENDINGS: Final = ("_total", "_sum", "_count", "_bucket")
_COUNTER_TYPES: Final = ("counter", "histogram")


def _over(
    kernel: Kernel,
    *,
    counter: bool = False,
    keeps_name: bool = False,
    native: NativeRule = only_floats,
) -> Function:
    """A function of the samples of each window alone."""

    def function(call: Call) -> Value:
        ranges = call.ranges(0)
        if ranges.edge:
            vector = _with_edges(call, ranges)
        elif ranges.histograms is None:
            vector = over_windows(ranges, kernel, call.query.meter)
        else:
            vector = native(call, ranges, kernel)
        if keeps_name:
            vector.drop_name = ranges.drop_name.copy()
        if counter:
            _doubt_counters(call, ranges, vector)
            _doubt_starts(call, ranges)
        return vector.spread(len(call.grid)) if ranges.fixed else vector

    return function


def _with_edges(call: Call, ranges: Ranges) -> Vector:
    """An anchored or smoothed range; the evaluator has looked whether the function has them."""
    query = call.query
    if ranges.histograms is not None:
        return over_native_edges(ranges, call.name, query.lookback_ms, query.meter, query.notes)
    return over_edges(ranges, EDGED[ranges.edge][call.name], query.lookback_ms, query.meter)


def _doubt_counters(call: Call, ranges: Ranges, vector: Vector) -> None:
    """Say so where a rate is asked of what is no counter by its name (or declared type)."""
    native = np.flatnonzero(vector.native.any(axis=1)).tolist()
    for series, labels in enumerate(ranges.labels):
        if series in native:
            continue
        name = labels.get(NAME, "")
        declared = labels.get("__type__", "")
        if name and not name.endswith(_COUNTER_ENDINGS) and declared not in _COUNTER_TYPES:
            call.query.notes.inform(
                "metric might not be a counter, name does not end in "
                f'_total/_sum/_count/_bucket: "{name}"'
            )


def _doubt_starts(call: Call, ranges: Ranges) -> None:
    """Say so where a sample counts since before the one before it, but not as that one does."""
    if ranges.starts_ms is None or ranges.edge:
        return
    found = over_windows(ranges, starts.overlapping, call.query.meter)
    for series in np.flatnonzero((found.present & (found.values > 0)).any(axis=1)).tolist():
        call.query.notes.warn(
            "sample has start time that overlaps with previous sample timestamp for metric "
            f'"{ranges.labels[series].get(NAME, "")}"'
        )


def _at_every_step(call: Call, position: int) -> Ranges:
    """A range argument with one window a step even where ``@`` makes them all the same."""
    ranges = call.ranges(position)
    if not ranges.fixed:
        return ranges
    return replace(ranges, ends_ms=np.repeat(ranges.ends_ms, len(call.grid)), fixed=False)


def _with_steps(call: Call, ranges: Ranges, kernel: Kernel) -> Vector:
    if ranges.histograms is not None:
        return only_floats(call, ranges, kernel)
    return over_windows(ranges, kernel, call.query.meter)


def _quantile(call: Call) -> Value:
    q = call.scalar(0)
    ranges = _at_every_step(call, 1)
    if len(ranges):
        warn_of_quantile(call.query, q)
    return _with_steps(call, ranges, partial(ranks.quantile, q=q))


def _predict_linear(call: Call) -> Value:
    kernel = partial(trends.predicted, now_ms=call.grid.times_ms, seconds_ahead=call.scalar(1))
    return _with_steps(call, _at_every_step(call, 0), kernel)


def _smoothing(call: Call) -> Value:
    smoothing, trending = call.scalar(1), call.scalar(2)
    _check_factor("smoothing", smoothing)
    _check_factor("trend", trending)
    kernel = partial(trends.smoothed, smoothing=smoothing, trending=trending)
    return _with_steps(call, _at_every_step(call, 0), kernel)


def _check_factor(word: str, factor: Floats) -> None:
    wrong = factor[~((factor > 0) & (factor < 1))]
    if len(wrong):
        msg = f"invalid {word} factor. Expected: 0 < {word[0]}f < 1, got: {wrong[0]:g}"
        raise QueryError(msg, "give a factor between 0 and 1")


def _absent_over_time(call: Call) -> Value:

    ranges = call.ranges(0)
    there = over_windows(ranges, extremes.one, call.query.meter)
    present = there.spread(len(call.grid)).present if ranges.fixed else there.present
    labels = absent_labels(call.arguments[0])
    return Vector.one(labels, np.ones(len(call.grid)), np.logical_not(present.any(axis=0)))


OVER_TIME: Final[dict[str, Function]] = {
    "absent_over_time": _absent_over_time,
    "avg_over_time": _over(sums.average, native=of_either(change.average)),
    "changes": _over(counters.changes, native=counting),
    "count_over_time": _over(sums.count, native=both_kinds),
    "delta": _over(counters.delta, native=of_either(change.delta, at_once=rates.delta)),
    "deriv": _over(trends.slope),
    "double_exponential_smoothing": _smoothing,
    "first_over_time": _over(extremes.first, keeps_name=True, native=oldest),
    "idelta": _over(counters.idelta, native=of_either(change.idelta, newest=2)),
    "increase": _over(
        counters.increase, counter=True, native=of_either(change.increase, at_once=rates.increase)
    ),
    "irate": _over(counters.irate, native=of_either(change.irate, newest=2)),
    "last_over_time": _over(extremes.last, keeps_name=True, native=newest),
    "mad_over_time": _over(ranks.mad),
    "max_over_time": _over(extremes.greatest),
    "min_over_time": _over(extremes.least),
    "predict_linear": _predict_linear,
    "present_over_time": _over(extremes.one, native=both_kinds),
    "quantile_over_time": _quantile,
    "rate": _over(counters.rate, counter=True, native=of_either(change.rate, at_once=rates.rate)),
    "resets": _over(counters.resets, native=counting),
    "stddev_over_time": _over(sums.deviation),
    "stdvar_over_time": _over(sums.variance),
    "sum_over_time": _over(sums.total, native=of_either(change.total)),
    "ts_of_first_over_time": _over(extremes.time_of_first, native=both_kinds),
    "ts_of_last_over_time": _over(extremes.time_of_last, native=both_kinds),
    "ts_of_max_over_time": _over(extremes.time_of_greatest),
    "ts_of_min_over_time": _over(extremes.time_of_least),
}
"""Functions of ranges, by name."""
