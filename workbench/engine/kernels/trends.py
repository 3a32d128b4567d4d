"""Trends of windows: least-squares slope and prediction, double exponential smoothing."""

from __future__ import annotations

import numpy as np

from workbench.engine.kernels.fold import Fold, long_windows
from workbench.engine.kernels.windows import Windows
from workbench.engine.summation import add_compensated
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["predicted", "slope", "smoothed"]


def _regression(windows: Windows, origin_ms: Ints) -> tuple[Floats, Floats, Bools]:
    """Fit a straight line by least squares; constant windows get slope 0 exactly.

    Parameters
    ----------
    windows
        The block.
    origin_ms
        Shape that broadcasts to (series, steps): where time is 0 in the result.

    Returns
    -------
    tuple
        Slope a second, value at the origin, presence (two samples at least).
    """
    windows = windows.flat()
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
    return result[0], result[1], windows.count > 1


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
    slopes, _, present = _regression(windows, windows.times_ms.take(windows.first))
    return slopes, present


def predicted(windows: Windows, *, now_ms: Ints, seconds_ahead: Floats) -> tuple[Floats, Bools]:
    """The fitted line `seconds_ahead` after `now_ms`, both of shape (steps,)."""
    slopes, levels, present = _regression(windows, now_ms)
    return slopes * seconds_ahead + levels, present


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
