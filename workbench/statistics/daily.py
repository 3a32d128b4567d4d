"""Daily peaks: from samples on a fine grid to one figure a day, with what is missing said.

A *day* here is a block that ends at the clock time of the analysis' own now, so that the last day
is always whole. Where clocks change, a block is 23 or 25 hours long. Weekday effects survive
this, since they repeat every seven blocks; a block passes as the local date of its middle.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.statistics.designs import Week
from workbench.statistics.local_time import DAY_MS, day_edges, day_numbers, time_zone, utc_offsets

__all__ = ["DAY_MS", "DailyPeaks", "daily_peaks"]

_SUNDAY: Final = 3
"""The number of the first Sunday after 1 January 1970, a Thursday."""


@dataclass(frozen=True, slots=True)
class DailyPeaks:
    """One series, a figure a day.

    Parameters
    ----------
    end_ms
        Where the last day ends: the analysis' now. Day ``d`` covers
        ``(edges_ms[d], edges_ms[d + 1]]``.
    peaks, lows
        float64, shape (days,): the day's highest and lowest sample, NaN where the day is missing.
    coverage
        float64, shape (days,): the share of the day's grid points at which there is a sample.
    missing
        How many days between the first and the last have too few samples to show their peak.
    timezone
        Whose clocks the days follow.
    week
        Which weekday each day passes as, coming days included; None where it was not asked for.
    """

    end_ms: int
    peaks: Floats
    lows: Floats
    coverage: Floats
    missing: int
    timezone: str = "UTC"
    week: Week | None = None

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
    def edges_ms(self) -> Ints:
        """int64, shape (days + 1,): where each day begins and the last one ends."""
        return day_edges(self.end_ms, len(self), 0, self.timezone)

    @property
    def times_ms(self) -> Ints:
        """int64, shape (days,): the middle of each day."""
        return _middles(self.edges_ms)

    def ends_ahead(self, days: int) -> Ints:
        """int64, shape (days,): where each coming day ends."""
        return day_edges(self.end_ms, 0, days, self.timezone)[1:]

    def times_ahead(self, days: int) -> Ints:
        """int64, shape (days,): the middle of each coming day."""
        return _middles(day_edges(self.end_ms, 0, days, self.timezone))


def daily_peaks(
    times_ms: Ints,
    values: Floats,
    present: Bools,
    *,
    end_ms: int,
    least_coverage: float = 0.5,
    timezone: str = "UTC",
    holidays: Iterable[str | date] = (),
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
    timezone
        An IANA name: days end at one clock time there.
    holidays
        Local dates, as `datetime.date` or ``YYYY-MM-DD``, that pass as Sundays do, past and coming.

    Raises
    ------
    InputError
        The time zone is not known, or a holiday is no date.

    Examples
    --------
    >>> hours = np.arange(1, 49) * 3_600_000
    >>> peaks = daily_peaks(hours, np.arange(48.0), np.ones(48, bool), end_ms=48 * 3_600_000)
    >>> peaks.peaks.tolist(), peaks.lows.tolist()
    ([23.0, 47.0], [0.0, 24.0])
    """
    free = day_numbers(holidays)
    time_zone(timezone)
    step = int(np.median(np.diff(times_ms))) if len(times_ms) > 1 else DAY_MS
    known = present & np.isfinite(values) & (times_ms <= end_ms)
    if not known.any():
        none = np.empty(0)
        return DailyPeaks(end_ms, none, none, none, 0, timezone)
    times = times_ms[known]
    edges = day_edges(end_ms, int((end_ms - times[0]) // DAY_MS) + 2, 0, timezone)
    edges = edges[np.searchsorted(edges, times[0], side="left") - 1 :]
    day = np.searchsorted(edges, times, side="left") - 1
    length = len(edges) - 1
    peaks, lows = np.full(length, -np.inf), np.full(length, np.inf)
    np.maximum.at(peaks, day, values[known])
    np.minimum.at(lows, day, values[known])
    coverage = np.minimum(np.bincount(day, minlength=length) * step / np.diff(edges), 1.0)
    thin = coverage < least_coverage
    first, last = _ends(~thin)
    peaks[thin], lows[thin] = np.nan, np.nan
    missing = int(thin[first:].sum()) if last >= first else int(thin.sum())
    week = _week(edges[first : first + 2], timezone, free)
    return DailyPeaks(
        end_ms, peaks[first:], lows[first:], coverage[first:], missing, timezone, week
    )


def _middles(edges_ms: Ints) -> Ints:
    middles: Ints = edges_ms[:-1] + np.diff(edges_ms) // 2
    return middles


def _week(first_edges_ms: Ints, timezone: str, free: Ints) -> Week:
    """The week as counted from a first day."""
    middle = _middles(first_edges_ms)
    date_number = int((middle + utc_offsets(middle, time_zone(timezone)))[0] // DAY_MS)
    return Week((_SUNDAY - date_number) % 7, free - date_number)


def _ends(good: Bools) -> tuple[int, int]:
    """The first and the last day that has a peak; the first block of a window is often partial."""
    where = np.flatnonzero(good)
    return (int(where[0]), int(where[-1])) if len(where) else (0, -1)
