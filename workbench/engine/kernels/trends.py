"""Trends of windows: least-squares slope and prediction, double exponential smoothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.engine.kernels.fold import Fold, long_windows
from workbench.engine.kernels.windows import Windows
from workbench.engine.summation import add_compensated
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["predicted", "slope", "smoothed"]

_WEIGHTS: Final = 1 << 17
"""How many weights, windows × rows, a product of matrices may have."""


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

    The weights are the same for all series, so that many windows of many series are one product
    of matrices. Times are taken from each window's own centre and values from one close by, which
    keeps the sums as exact as those of two passes.
    """
    result = np.empty((2, *windows.shape))
    origin = np.broadcast_to(origin_ms, (1, windows.shape[1]))[0]
    for steps, rows in _spans(windows):
        windows.tick()
        times, values = windows.times_ms[rows], windows.values[:, rows]
        row = np.arange(rows.start, rows.stop)
        low, high = windows.low[0, steps, None], windows.high[0, steps, None]
        inside = (row >= low) & (row < high)
        n = (high - low)[:, 0]
        seconds = (times - times[0]) / 1000.0
        centre = inside @ seconds / n
        distance = np.where(inside, seconds - centre[:, None], 0.0)
        distance /= np.square(distance).sum(axis=1, keepdims=True)
        near = values[:, :1]
        slopes = (values - near) @ distance.T
        means = (values - near) @ (inside / n[:, None]).T
        result[0, :, steps] = slopes
        result[1, :, steps] = near + means + slopes * ((origin[steps] - times[0]) / 1000.0 - centre)
    return _with_constants(windows, result)


def _spans(windows: Windows) -> Iterator[tuple[slice, slice]]:
    """Runs of steps, each with the rows of all its windows: about twice as many as one window's."""
    low, high = windows.low[0], windows.high[0]
    width = max(1, int((high - low).max(initial=1)))
    at_once = width * len(high) // max(1, int(high[-1] - high[0]))
    at_once = max(1, min(at_once, _WEIGHTS // (2 * width)))
    for first in range(0, len(high), at_once):
        steps = slice(first, min(first + at_once, len(high)))
        rows = slice(int(low[first]), int(high[steps.stop - 1]))
        if rows.start < rows.stop:
            yield steps, rows


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
