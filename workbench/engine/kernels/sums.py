"""Sums over windows, and what rests on them: sum, average, variance, deviation."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Final

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
    return windows.full(windows.count.astype(np.float64)), windows.count > 0


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
    result, doubtful = _by_prefixes(windows, windows.values)
    if doubtful.any():
        windows = windows.flat()
        fold = Fold(windows, doubtful)
        sums, carry = np.zeros(len(fold)), np.zeros(len(fold))
        for going, rows in fold:
            add_compensated(sums[:going], carry[:going], windows.values[rows])
        fold.scatter(_closed(sums, carry), result)
    return result


def _closed(sums: Floats, carry: Floats) -> Floats:
    return np.where(np.isfinite(sums), sums + carry, sums)


def _by_prefixes(windows: Windows, column: Floats) -> tuple[Floats, Bools]:
    """Sum each window of a column that has the shape of the values, by differences of prefix sums.

    The rounding error of every addition is kept beside the prefixes: Ogita, Rump and Oishi's Sum2
    turned into prefixes. A difference of two is as exact as twice the working precision allows,
    relative to the prefix, which is enough where the window is not tiny beside what came before.

    Returns
    -------
    tuple
        The sums; and which windows must be summed sample by sample instead.
    """
    prefixes = _Prefixes(windows)
    finite = np.isfinite(column)
    tame = bool(finite.all())
    if not tame:
        column = np.where(finite, column, 0.0)
    low, high = prefixes.bounds
    sums = prefixes.of(column)
    upper, lower = prefixes.at(sums, high), -prefixes.at(sums, low)
    result = upper + lower
    errors = two_sum_error(sums[..., :-1], prefixes.increments, sums[..., 1:])
    errors = prefixes.of_increments(errors)
    if errors.any():
        result += two_sum_error(upper, lower, result)
        result += prefixes.at(errors, high) - prefixes.at(errors, low)
    doubtful = np.zeros(windows.shape, bool) if tame else prefixes.differ(~finite)
    sizes = sums if column.min(initial=0.0) >= 0 else prefixes.of(np.abs(column))
    size, before = prefixes.at(sizes, high), prefixes.at(sizes, low)
    small = ~((size - before >= size * _TRUST) & np.isfinite(size))
    if small.any():
        blank = ~prefixes.differ(column != 0)
        result[blank] = 0.0
        doubtful |= small & ~blank
    return result, doubtful


class _Prefixes:
    """Prefix sums of each series of a block, each series' own beginning with 0."""

    def __init__(self, windows: Windows) -> None:
        self._windows = windows
        self.increments: Floats = windows.values
        series = np.arange(windows.shape[0])[:, None]
        shift = 0 if windows.is_table else series
        self.bounds = windows.low + shift, windows.high + shift
        self._cuts = (windows.offsets + np.arange(len(windows.offsets))).tolist()

    def _padded(self, column: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """A column with a 0 before each series."""
        if column.ndim == 2:
            padded = np.zeros((len(column), column.shape[1] + 1), column.dtype)
            padded[:, 1:] = column
            return padded
        lengths = np.diff(self._windows.offsets)
        padded = np.zeros(len(column) + len(lengths), column.dtype)
        padded[np.arange(len(column)) + np.repeat(np.arange(1, len(lengths) + 1), lengths)] = column
        return padded

    def of(self, column: Floats) -> Floats:
        """Sums of all before each row, and of all; the column padded stays in `increments`."""
        padded = self._padded(column)
        self.increments = padded[..., 1:]
        return self._cumulated(padded)

    def of_increments(self, increments: Floats) -> Floats:
        """Sums of what belongs to each addition of `of`; nothing is carried between series."""
        padded = np.zeros((*increments.shape[:-1], increments.shape[-1] + 1))
        padded[..., 1:] = increments
        if padded.ndim == 1:
            padded[self._cuts[:-1]] = 0.0
        return self._cumulated(padded)

    def _cumulated(self, padded: Floats) -> Floats:
        if padded.ndim == 2:
            return np.cumsum(padded, axis=1)
        result = np.empty_like(padded)
        for start, stop in pairwise(self._cuts):
            np.cumsum(padded[start:stop], out=result[start:stop])
        return result

    def at(self, sums: np.ndarray[Any, Any], rows: Ints) -> np.ndarray[Any, Any]:
        """Sums of all before a row, as series × steps."""
        return self._windows.at(sums, rows)

    def differ(self, marks: Bools) -> Bools:
        """Which windows hold a mark."""
        total = np.cumsum(self._padded(marks), axis=-1, dtype=np.int32)
        low, high = self.bounds
        found: Bools = self.at(total, high) > self.at(total, low)
        return found


def _running_mean(windows: Windows, only: Bools, result: Floats) -> None:
    """Average as Prometheus does once the plain sum has overflown."""
    windows = windows.flat()
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
    lengths, values = np.diff(windows.offsets), windows.values.reshape(-1)
    means = np.add.reduceat(np.where(np.isfinite(values), values, 0.0), windows.offsets[:-1])
    distances = (values - np.repeat(means / lengths, lengths)).reshape(windows.values.shape)
    sums, doubtful = _by_prefixes(windows, distances)
    squares, doubtful_too = _by_prefixes(windows, distances * distances)
    n = np.maximum(windows.count, 1)
    spread = squares - sums * sums / n
    result = spread / n
    wide = (spread >= squares * _WIDE) | (squares == 0)
    _variance_by_samples(windows, (doubtful | doubtful_too | ~wide) & (windows.count > 0), result)
    return result, windows.count > 0


def _variance_by_samples(windows: Windows, only: Bools, result: Floats) -> None:
    """Welford's recurrence, compensated; two passes for long windows."""
    windows = windows.flat()
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
