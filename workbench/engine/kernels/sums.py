"""Sums over windows, and what rests on them: sum, average, variance, deviation."""

from __future__ import annotations

from itertools import pairwise
from typing import Final

import numpy as np

from workbench.engine.kernels.fold import Fold, long_windows
from workbench.engine.kernels.windows import Windows
from workbench.engine.summation import add_compensated, two_sum_error
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["average", "count", "deviation", "total", "variance"]

_TRUST: Final = 2.0**-20
"""A window is summed by prefixes where it holds at least this share of all before its end."""

_WIDE: Final = 2.0**-10
"""A variance is taken from prefixes where it is at least this share of the mean square distance."""


def count(windows: Windows) -> tuple[Floats, Bools]:
    """How many samples there are."""
    return windows.count.astype(np.float64), windows.count > 0


def total(windows: Windows) -> tuple[Floats, Bools]:
    """The compensated sum."""
    return _sums(windows), windows.count > 0


def average(windows: Windows) -> tuple[Floats, Bools]:
    """The compensated sum over the count; a running mean where the sum overflows."""
    present = windows.count > 0
    result = _sums(windows) / np.maximum(windows.count, 1)
    overflown = present & ~np.isfinite(result)
    if overflown.any():
        _running_mean(windows, overflown, result)
    return result, present


def _sums(windows: Windows) -> Floats:
    """Sum each window, by differences of compensated prefix sums where those are as exact."""
    result, doubtful = _Prefixes(windows, windows.values).sums()
    if doubtful.any():
        fold = Fold(windows, doubtful)
        sums, carry = np.zeros(len(fold)), np.zeros(len(fold))
        for going, rows in fold:
            add_compensated(sums[:going], carry[:going], windows.values[rows])
        fold.scatter(_closed(sums, carry), result)
    return result


def _closed(sums: Floats, carry: Floats) -> Floats:
    return np.where(np.isfinite(sums), sums + carry, sums)


class _Prefixes:
    """Prefix sums of each series with the rounding error of every addition kept beside them.

    Ogita, Rump and Oishi's Sum2 turned into prefixes: a difference of two of them is as exact as
    twice the working precision allows, relative to the prefix. That is enough where the window is
    not tiny beside what came before; other windows are reported as doubtful.
    """

    def __init__(self, windows: Windows, values: Floats) -> None:
        self._windows = windows
        offsets = windows.offsets
        series = len(offsets) - 1
        self._shift = np.arange(series)[:, None]
        lengths = np.diff(offsets)
        index = np.arange(len(values)) + np.repeat(np.arange(1, series + 1), lengths)
        finite = np.isfinite(values)
        padded = np.zeros(len(values) + series)
        padded[index] = np.where(finite, values, 0.0)
        cuts = (offsets + np.arange(series + 1)).tolist()
        self._sum = _cumulated(padded, cuts)
        errors = np.zeros(len(padded))
        errors[1:] = two_sum_error(self._sum[:-1], padded[1:], self._sum[1:])
        errors[cuts[:-1]] = 0.0
        self._error = _cumulated(errors, cuts)
        self._size = _cumulated(np.abs(padded), cuts)
        flags = np.zeros(len(padded), np.int64)
        flags[index] = ~finite
        self._wild = np.cumsum(flags)
        flags[index] = values != 0
        self._filled = np.cumsum(flags)

    def sums(self) -> tuple[Floats, Bools]:
        """The sum of each window, and which of them must be summed sample by sample."""
        low, high = self._windows.low + self._shift, self._windows.high + self._shift
        upper, lower = self._sum[high], -self._sum[low]
        result = upper + lower
        result += two_sum_error(upper, lower, result) + (self._error[high] - self._error[low])
        empty = self._filled[high] == self._filled[low]
        result[empty] = 0.0
        size = self._size[high]
        exact = (size - self._size[low] >= size * _TRUST) & np.isfinite(size)
        wild = self._wild[high] > self._wild[low]
        return result, wild | ~(exact | empty)


def _cumulated(flat: Floats, cuts: list[int]) -> Floats:
    result = np.empty_like(flat)
    for start, stop in pairwise(cuts):
        np.cumsum(flat[start:stop], out=result[start:stop])
    return result


def _running_mean(windows: Windows, only: Bools, result: Floats) -> None:
    """Average as Prometheus does once the plain sum has overflown."""
    fold = Fold(windows, only)
    state = _Means(len(fold))
    for k, (going, rows) in enumerate(fold):
        state.add(going, k, windows.values[rows])
    fold.scatter(state.result(fold.ravel(windows.count)), result)


class _Means:
    """Averages of many windows: a sum as long as it does not overflow, then a running mean."""

    def __init__(self, windows: int) -> None:
        self._sum, self._carry = np.zeros(windows), np.zeros(windows)
        self._incremental = np.zeros(windows, bool)

    def add(self, going: int, k: int, values: Floats) -> None:
        """Take the k-th value of the first `going` windows."""
        sums, carry, running = self._sum[:going], self._carry[:going], self._incremental[:going]
        grown, lost = sums.copy(), carry.copy()
        add_compensated(grown, lost, values)
        if k:
            turning = ~running & np.isinf(grown)
            sums[turning] /= k
            carry[turning] /= k
            running |= turning
        mean = running.nonzero()[0]
        grown[mean], lost[mean] = self._next_mean(sums[mean], carry[mean], values[mean], k + 1)
        sums[...], carry[...] = grown, lost

    @staticmethod
    def _next_mean(mean: Floats, carry: Floats, value: Floats, n: int) -> tuple[Floats, Floats]:
        share = (n - 1) / n
        scaled, lost = share * mean, share * carry
        add_compensated(scaled, lost, value / n)
        return scaled, lost

    def result(self, counts: Ints) -> Floats:
        """The averages of all windows."""
        closed = _closed(self._sum, self._carry)
        return np.where(self._incremental, closed, closed / np.maximum(counts, 1))


def variance(windows: Windows) -> tuple[Floats, Bools]:
    """The population variance.

    From prefix sums of the distances to the series' own mean and of their squares, where the
    window's spread is not small beside its distance; sample by sample elsewhere.
    """
    offsets, values = windows.offsets, windows.values
    means = np.add.reduceat(np.where(np.isfinite(values), values, 0.0), offsets[:-1])
    distances = values - np.repeat(means / np.diff(offsets), np.diff(offsets))
    sums, doubtful = _Prefixes(windows, distances).sums()
    squares, doubtful_too = _Prefixes(windows, distances * distances).sums()
    n = np.maximum(windows.count, 1)
    spread = squares - sums * sums / n
    result = spread / n
    wide = (spread >= squares * _WIDE) | (squares == 0)
    _variance_by_samples(windows, (doubtful | doubtful_too | ~wide) & (windows.count > 0), result)
    return result, windows.count > 0


def _variance_by_samples(windows: Windows, only: Bools, result: Floats) -> None:
    """Welford's recurrence, compensated; two passes for long windows."""
    long, each = long_windows(windows, only)
    fold = Fold(windows, only & ~long)
    mean, mean_carry = np.zeros(len(fold)), np.zeros(len(fold))
    square, square_carry = np.zeros(len(fold)), np.zeros(len(fold))
    for k, (going, rows) in enumerate(fold):
        values = windows.values[rows]
        m, mc = mean[:going], mean_carry[:going]
        distance = values - (m + mc)
        add_compensated(m, mc, distance / (k + 1))
        add_compensated(square[:going], square_carry[:going], distance * (values - (m + mc)))
    fold.scatter((square + square_carry) / np.maximum(fold.ravel(windows.count), 1), result)
    for series, step, window in each:
        distance = windows.values[window] - windows.values[window].mean()
        result[series, step] = np.dot(distance, distance) / len(distance)


def deviation(windows: Windows) -> tuple[Floats, Bools]:
    """The population standard deviation."""
    squares, present = variance(windows)
    return np.sqrt(squares), present
