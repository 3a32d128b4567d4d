"""Single samples of a window: least, greatest, first, last, and when they were."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from workbench.engine.kernels.fold import Fold
from workbench.engine.kernels.windows import Kernel, Windows
from workbench.frame import Bools
from workbench.samples import Floats

__all__ = [
    "first",
    "greatest",
    "last",
    "least",
    "one",
    "time_of_first",
    "time_of_greatest",
    "time_of_last",
    "time_of_least",
]


def _extreme(windows: Windows, *, choose: np.ufunc) -> tuple[Floats, Bools]:
    """The extreme value by doubling: a window is covered by two runs of one power of two.

    `choose` is `np.fmin` or `np.fmax`, which pass over NaN as Prometheus does.
    """
    length = windows.count
    result = np.full(windows.shape, np.nan)
    runs, size = windows.values, 1
    longest = int(length.max(initial=0))
    while size <= longest:
        fits = (length >= size) & (length < 2 * size)
        if fits.any():
            low, high = windows.low[fits], windows.high[fits] - size
            where = (slice(None), fits[0]) if windows.is_table else fits
            result[where] = choose(runs.take(low, axis=-1), runs.take(high, axis=-1))
        if 2 * size <= longest:
            runs = choose(runs[..., :-size], runs[..., size:])
        size *= 2
    return result, length > 0


least: Kernel = partial(_extreme, choose=np.fmin)
greatest: Kernel = partial(_extreme, choose=np.fmax)


def first(windows: Windows) -> tuple[Floats, Bools]:
    """The oldest sample's value."""
    return windows.at(windows.values, windows.first), windows.count > 0


def last(windows: Windows) -> tuple[Floats, Bools]:
    """The newest sample's value."""
    return windows.at(windows.values, windows.last), windows.count > 0


def time_of_first(windows: Windows) -> tuple[Floats, Bools]:
    """The oldest sample's time, Unix seconds."""
    return windows.full(windows.times_ms.take(windows.first) / 1000.0), windows.count > 0


def time_of_last(windows: Windows) -> tuple[Floats, Bools]:
    """The newest sample's time, Unix seconds."""
    return windows.full(windows.times_ms.take(windows.last) / 1000.0), windows.count > 0


def one(windows: Windows) -> tuple[Floats, Bools]:
    """1 where there is any sample."""
    return np.ones(windows.shape), windows.count > 0


def _time_of(
    windows: Windows, *, better: Callable[[Floats, Floats], Bools]
) -> tuple[Floats, Bools]:
    """When the extreme was, Unix seconds; the newest of equals, NaN never but where it is alone."""
    windows = windows.flat()
    fold = Fold(windows)
    best, at = np.full(len(fold), np.nan), np.zeros(len(fold), np.int64)
    for going, rows in fold:
        values, known = windows.values[rows], best[:going]
        wins = better(values, known) | np.isnan(known)
        known[wins] = values[wins]
        at[:going][wins] = windows.times_ms[rows[wins]]
    result = np.empty(fold.shape)
    fold.scatter(at / 1000.0, result)
    return result, windows.count > 0


time_of_least: Kernel = partial(_time_of, better=np.less_equal)
time_of_greatest: Kernel = partial(_time_of, better=np.greater_equal)
