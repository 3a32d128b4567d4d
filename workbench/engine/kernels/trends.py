"""Trends of windows: least-squares slope and prediction, double exponential smoothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from workbench.engine.kernels.fold import Fold, long_windows
from workbench.engine.kernels.windows import Windows
from workbench.engine.summation import add_compensated
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["predicted", "slope", "smoothed"]

_WEIGHTS: Final = 1 << 17
"""How many weights, windows × rows, a product of matrices may have."""

_PRODUCT: Final = 1 << 18
"""Multiplications of one product: so few that the linear algebra takes no second thread for them,
which would cost more in waiting than it saves."""


def _fitted(windows: Windows, origin_ms: Ints) -> Floats:
    """Fit a straight line to each window by least squares; constant windows get slope 0 exactly.

    Parameters
    ----------
    windows
        The block.
    origin_ms
        Shape that broadcasts to (series, steps): where time is 0 in the result.

    Returns
    -------
    Floats
        Shape (2, series, steps): slope a second, and value at the origin.
    """
    if not windows.is_table:
        return _fit_each(windows, origin_ms)
    finite: Bools = np.asarray(np.isfinite(windows.values).all(axis=1))
    if finite.all():
        return _fit_table(windows, origin_ms)
    result = np.empty((2, *windows.shape))
    result[:, ~finite] = _fit_each(windows.of_series(~finite).flat(), origin_ms)
    if finite.any():
        result[:, finite] = _fit_table(windows.of_series(finite), origin_ms)
    return result


def _fit_table(windows: Windows, origin_ms: Ints) -> Floats:
    """Fit finite values whose times are shared: then both results are weighted sums of the values.

    The weights are the same for all series, and for all spans that look alike, so that many
    windows are one product of matrices. Times are taken from each window's own centre and values
    from one close by, which keeps the sums as exact as those of two passes.
    """
    result = np.empty((2, *windows.shape))
    origin = np.broadcast_to(origin_ms, (1, windows.shape[1]))[0]
    for spans in _spans(windows):
        slope_weights, mean_weights, centre = _weights(windows, spans)
        at_once = max(1, _PRODUCT // (len(windows.values) * slope_weights.size))
        for part in range(0, len(spans.first_rows), at_once):
            windows.tick()
            steps = spans.steps[part : part + at_once]
            rows = spans.first_rows[part : part + at_once]
            values = sliding_window_view(windows.values, spans.rows, axis=1)[:, rows]
            near = values[..., :1]
            flat = (values - near).reshape(-1, spans.rows)
            shape = len(values), *steps.shape
            slopes = (flat @ slope_weights).reshape(shape)
            means = (flat @ mean_weights).reshape(shape)
            ahead = (origin[steps] - windows.times_ms[rows, None]) / 1000.0 - centre
            result[0][:, steps] = slopes
            result[1][:, steps] = near + means + slopes * ahead
    return _with_constants(windows, result)


def _weights(windows: Windows, spans: _Spans) -> tuple[Floats, Floats, Floats]:
    """What values count for slopes and means, shape (rows, steps), and the windows' centres."""
    first, row = spans.first_rows[0], np.arange(spans.rows)
    low, high = (each[0, spans.steps[0], None] - first for each in (windows.low, windows.high))
    inside = (row >= low) & (row < high)
    n = high - low
    seconds = (windows.times_ms[first : first + spans.rows] - windows.times_ms[first]) / 1000.0
    centre = inside @ seconds / n[:, 0]
    distance = np.where(inside, seconds - centre[:, None], 0.0)
    distance /= np.square(distance).sum(axis=1, keepdims=True)
    return distance.T, (inside / n).T, centre


@dataclass(frozen=True, slots=True)
class _Spans:
    """Runs of steps whose windows, seen from each run's first row, are the same.

    `steps` has shape (runs, steps of a run); `first_rows`, shape (runs,), says where the rows of
    each begin, and `rows` how many those are.
    """

    steps: Ints
    first_rows: Ints
    rows: int


def _spans(windows: Windows) -> Iterator[_Spans]:
    """Cut the steps into runs, each with about twice as many rows as one window has.

    Scrapes at a steady pace make them alike, all but a few, which come one by one.
    """
    low, high = windows.low[0], windows.high[0]
    width = max(1, int((high - low).max(initial=1)))
    at_once = width * len(high) // max(1, int(high[-1] - high[0]))
    at_once = max(1, min(at_once, _WEIGHTS // (2 * width), len(high)))
    whole = len(high) // at_once * at_once
    steps = np.arange(whole).reshape(-1, at_once)
    alike = _alike(windows, steps)
    alone = [*steps[~alike], np.arange(whole, len(high))]
    for each in [steps[alike], *(one[None, :] for one in alone if len(one))]:
        first = low[each[:, 0]]
        rows = int(high[each[0, -1]] - first[0])
        if rows > 0:
            yield _Spans(each, first, rows)


def _alike(windows: Windows, steps: Ints) -> Bools:
    """Which runs of steps have windows and times like the run in the middle, which is one."""
    low, high = windows.low[0, steps], windows.high[0, steps]
    first, middle = low[:, :1], len(steps) // 2
    bounds = np.concatenate([low - first, high - first], axis=1)
    alike: Bools = (bounds == bounds[middle]).all(axis=1)
    rows = int(bounds[middle, -1])
    if rows > 0:
        times = sliding_window_view(windows.times_ms, rows)[first[alike, 0]]
        here = windows.times_ms[first[middle, 0] :][:rows]
        alike[alike] = (times - times[:, :1] == here - here[0]).all(axis=1)
    return alike


def _with_constants(windows: Windows, result: Floats) -> Floats:
    """Give windows of one value repeated the slope 0 and that value."""
    changed = np.zeros(windows.values.shape, np.int32)
    np.not_equal(windows.values[:, 1:], windows.values[:, :-1], out=changed[:, 1:])
    changed = np.cumsum(changed, axis=1, dtype=np.int32)
    first = windows.first
    constant = windows.at(changed, windows.last) == windows.at(changed, first)
    if constant.any():
        result[0, constant] = 0.0
        result[1, constant] = windows.at(windows.values, first)[constant]
    return result


def _fit_each(windows: Windows, origin_ms: Ints) -> Floats:
    """Fit the windows of a flat block sample by sample, long ones on their own."""
    long, each = long_windows(windows)
    fold = Fold(windows, ~long)
    origin, start = fold.ravel(origin_ms), windows.values[fold.ravel(windows.first)]
    (sum_x, sum_y, sum_xy, sum_xx), constant = _sums(windows, fold, origin, start)
    n = np.maximum(fold.ravel(windows.count), 1)
    slopes = (sum_xy - sum_x * sum_y / n) / (sum_xx - sum_x * sum_x / n)
    levels = sum_y / n - slopes * sum_x / n
    level_constant = np.where(np.isinf(start), np.nan, start)
    slopes = np.where(constant, np.where(np.isinf(start), np.nan, 0.0), slopes)
    levels = np.where(constant, level_constant, levels)
    result = np.empty((2, *fold.shape))
    fold.scatter(slopes, result[0])
    fold.scatter(levels, result[1])
    for series, step, rows in each:
        moment = np.broadcast_to(origin_ms, fold.shape)[series, step]
        result[:, series, step] = _line(windows, rows, moment)
    return result


def _sums(windows: Windows, fold: Fold, origin: Ints, start: Floats) -> tuple[Floats, Bools]:
    """Compensated sums of x, y, xy and xx of each window, and whether all its values are one."""
    sums = np.zeros((4, 2, len(fold)))
    constant = np.ones(len(fold), bool)
    for going, rows in fold:
        y = windows.values[rows]
        constant[:going] &= y == start[:going]
        x = (windows.times_ms[rows] - origin[:going]) / 1000.0
        for (total, carry), term in zip(sums, (x, y, x * y, x * x), strict=True):
            add_compensated(total[:going], carry[:going], term)
    return sums.sum(axis=1), constant


def _line(windows: Windows, rows: slice, origin_ms: int) -> tuple[float, float]:
    """Fit one long window in two passes, around its means."""
    y = windows.values[rows]
    if (y == y[0]).all():
        return (np.nan, np.nan) if np.isinf(y[0]) else (0.0, float(y[0]))
    x = (windows.times_ms[rows] - origin_ms) / 1000.0
    mean_x, mean_y = x.mean(), y.mean()
    slope = np.dot(x - mean_x, y - mean_y) / np.dot(x - mean_x, x - mean_x)
    return slope, mean_y - slope * mean_x


def slope(windows: Windows) -> tuple[Floats, Bools]:
    """The least-squares slope, a second."""
    return _fitted(windows, windows.times_ms.take(windows.first))[0], windows.count > 1


def predicted(windows: Windows, *, now_ms: Ints, seconds_ahead: Floats) -> tuple[Floats, Bools]:
    """The fitted line `seconds_ahead` after `now_ms`, both of shape (steps,)."""
    slopes, levels = _fitted(windows, now_ms)
    return slopes * seconds_ahead + levels, windows.count > 1


def smoothed(windows: Windows, *, smoothing: Floats, trending: Floats) -> tuple[Floats, Bools]:
    """Double exponential smoothing (Holt's linear method); factors have shape (steps,)."""
    windows = windows.flat()
    fold = Fold(windows)
    s, t = fold.ravel(smoothing), fold.ravel(trending)
    level = windows.values[fold.ravel(windows.first)].copy()
    second = np.minimum(fold.ravel(windows.first) + 1, len(windows.values) - 1)
    trend = windows.values[second] - level
    before = level
    for k, (going, rows) in enumerate(fold):
        if not k:
            continue
        old, slopes = level[:going].copy(), trend[:going]
        if k > 1:
            slopes[...] = t[:going] * (old - before[:going]) + (1 - t[:going]) * slopes
        level[:going] = s[:going] * windows.values[rows] + (1 - s[:going]) * (old + slopes)
        before = old
    result = np.empty(fold.shape)
    fold.scatter(level, result)
    return result, windows.count > 1
