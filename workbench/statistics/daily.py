"""Daily peaks: from samples on a fine grid to one figure a day, with what is missing said.

A *day* here is a block of 24 hours counted back from the analysis' own now, so that the last day
is always whole. Weekday effects survive this, since they repeat every seven blocks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["DAY_MS", "DailyPeaks", "daily_peaks"]

DAY_MS: Final = 86_400_000
"""Milliseconds of a day."""


@dataclass(frozen=True, slots=True)
class DailyPeaks:
    """One series, a figure a day.

    Parameters
    ----------
    end_ms
        Where the last day ends: the analysis' now. Day ``d`` covers
        ``(end_ms − (length − d)·24 h, end_ms − (length − d − 1)·24 h]``.
    peaks, lows
        float64, shape (days,): the day's highest and lowest sample, NaN where the day is missing.
    coverage
        float64, shape (days,): the share of the day's grid points at which there is a sample.
    missing
        How many days between the first and the last have too few samples to show their peak.
    """

    end_ms: int
    peaks: Floats
    lows: Floats
    coverage: Floats
    missing: int

    def __len__(self) -> int:
        """How many days there are, missing ones included."""
        return len(self.peaks)

    @property
    def days(self) -> Ints:
        """int64, shape (present,): the numbers of the days that have a peak."""
        return np.flatnonzero(~np.isnan(self.peaks)).astype(np.int64)

    @property
    def values(self) -> Floats:
        """float64, shape (present,): the peaks of `days`."""
        return self.peaks[self.days]

    @property
    def times_ms(self) -> Ints:
        """int64, shape (days,): the middle of each day."""
        back = np.arange(len(self), 0, -1, dtype=np.int64)
        return self.end_ms - back * DAY_MS + DAY_MS // 2


def daily_peaks(
    times_ms: Ints,
    values: Floats,
    present: Bools,
    *,
    end_ms: int,
    least_coverage: float = 0.5,
) -> DailyPeaks:
    """Reduce one series to a peak a day.

    Parameters
    ----------
    times_ms
        int64, shape (steps,), ascending and evenly spaced.
    values, present
        Shape (steps,); NaN and infinite values count as absent.
    end_ms
        Where the last day ends; later samples are left out.
    least_coverage
        A day with a smaller share of its samples is missing: its peak may not have been seen.

    Examples
    --------
    >>> hours = np.arange(1, 49) * 3_600_000
    >>> peaks = daily_peaks(hours, np.arange(48.0), np.ones(48, bool), end_ms=48 * 3_600_000)
    >>> peaks.peaks.tolist(), peaks.lows.tolist()
    ([23.0, 47.0], [0.0, 24.0])
    """
    step = int(np.median(np.diff(times_ms))) if len(times_ms) > 1 else DAY_MS
    known = present & np.isfinite(values) & (times_ms <= end_ms)
    if not known.any():
        none = np.empty(0)
        return DailyPeaks(end_ms, none, none, none, 0)
    back = (end_ms - times_ms[known]) // DAY_MS
    length = int(back.max()) + 1
    day = length - 1 - back
    peaks, lows = np.full(length, -np.inf), np.full(length, np.inf)
    np.maximum.at(peaks, day, values[known])
    np.minimum.at(lows, day, values[known])
    coverage = np.minimum(np.bincount(day, minlength=length) * step / DAY_MS, 1.0)
    thin = coverage < least_coverage
    first, last = _ends(~thin)
    peaks[thin], lows[thin] = np.nan, np.nan
    missing = int(thin[first:].sum()) if last >= first else int(thin.sum())
    return DailyPeaks(end_ms, peaks[first:], lows[first:], coverage[first:], missing)


def _ends(good: Bools) -> tuple[int, int]:
    """The first and the last day that has a peak; the first block of a window is often partial."""
    where = np.flatnonzero(good)
    return (int(where[0]), int(where[-1])) if len(where) else (0, -1)
