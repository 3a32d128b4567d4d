"""Counters whose truth is known, and a slow loop that counts by the rules as they are written."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import numpy as np

from workbench.frame import Frame
from workbench.spend.counting.counted import Counted
from workbench.spend.counting.days import CalendarDays
from workbench.spend.counting.increase import Counting
from workbench.spend.counting.targets import Targets

STEP = 300_000
DAY = 86_400_000


def frame(values, times, labels=None):
    """A frame of raw values; NaN is no sample."""
    values = np.atleast_2d(np.asarray(values, float))
    names = labels or [{"job": "gw", "instance": f"i{i}"} for i in range(len(values))]
    return Frame("matrix", names, np.asarray(times, np.int64), values, ~np.isnan(values))


def days_of(first: date, last: date, zone: str = "UTC") -> CalendarDays:
    return CalendarDays.between(first, last, zone)


def count(
    days: CalendarDays, values, times, *, labels=None, cuts=(), step=STEP, targets=None
) -> Counted:
    """Count one frame, cut into pieces at the given columns."""
    targets = targets or Targets()
    values = np.atleast_2d(np.asarray(values, float))
    counting = Counting(days, step, targets)
    places = [0, *cuts, values.shape[1]]
    for start, end in pairwise(places):
        counting.add(frame(values[:, start:end], times[start:end], labels))
    targets.reached(int(times[-1]))
    return counting.finish()


def grid(start_ms: int, end_ms: int, step: int = STEP):
    return np.arange(start_ms, end_ms + 1, step, dtype=np.int64)


def by_loop(days: CalendarDays, values, times):
    """Increase by series and day, one sample after another, with midnights shared out by time."""
    values = np.atleast_2d(np.asarray(values, float))
    result = np.zeros((len(values), len(days)))
    for i, row in enumerate(values):
        last = last_ms = None
        for value, time in zip(row.tolist(), times.tolist(), strict=True):
            if np.isnan(value):
                continue
            if last is not None:
                more = value - last if value >= last else value
                for d in range(len(days)):
                    low, high = days.bounds_ms[d], days.bounds_ms[d + 1]
                    inside = max(0, min(time, high) - max(last_ms, low))
                    result[i, d] += more * inside / (time - last_ms)
            last, last_ms = value, time
    return result
