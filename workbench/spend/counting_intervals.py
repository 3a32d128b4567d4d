"""From one sample to the next: what a counter increased by, and where it fell."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.counting_targets import Targets

__all__ = ["HOUR_MS", "Intervals", "intervals_of"]

HOUR_MS = 3_600_000
"""How far back the rate of a counter is measured."""


@dataclass(frozen=True, slots=True)
class Intervals:
    """The samples of some series, one after another, and the steps between them.

    Parameters
    ----------
    row, time_ms, value
        int64, int64 and float64, shape (samples,): the samples that are there, series by series.
        The first of a series is what was known of it before, where anything was.
    column
        int64, shape (samples,): its place on the grid, −1 for what was known before.
    ends
        int64, shape (intervals,): the samples at which an interval ends; it begins at the one
        before.
    fell
        bool, shape (intervals,): whether the counter began anew within.
    increase
        float64, shape (intervals,): by the difference, or by all of the new value where it fell.
    born
        int64: the samples that are their series' first ever.
    final
        int64: the last sample of each series that has any.
    """

    row: Ints
    time_ms: Ints
    value: Floats
    column: Ints
    ends: Ints
    fell: Bools
    increase: Floats
    born: Ints
    final: Ints

    def trailing(self, samples: Ints) -> tuple[Floats, Floats, Ints]:
        """How fast the series increased in the hour before some samples.

        Parameters
        ----------
        samples
            int64, shape (n,): which samples.

        Returns
        -------
        rate, peak
            float64, shape (n,), per millisecond: the mean, and the highest of all intervals.
        span
            int64, shape (n,): how much of the hour is known, in milliseconds.
        """
        steps = np.zeros(len(self.value))
        steps[self.ends] = self.increase
        speed = np.zeros(len(self.value))
        lengths = self.time_ms[self.ends] - self.time_ms[self.ends - 1]
        speed[self.ends] = self.increase / np.maximum(lengths, 1)
        sums = np.cumsum(steps)
        least = self.time_ms.min(initial=0)
        width = int(self.time_ms.max(initial=0) - least) + 1
        key = self.row * width + (self.time_ms - least)
        from_ms = np.maximum(self.time_ms[samples] - HOUR_MS - least, 0)
        start = np.searchsorted(key, self.row[samples] * width + from_ms)
        span = self.time_ms[samples] - self.time_ms[start]
        known = start < samples
        rate = np.where(known, (sums[samples] - sums[start]) / np.maximum(span, 1), np.nan)
        # Pairs of places for `reduceat`: of each, the highest from the second sample on.
        pairs = np.stack([np.minimum(start + 1, samples), samples + 1], axis=1).ravel()
        padded = np.append(speed, 0.0)
        peak = np.maximum.reduceat(padded, pairs)[::2] if len(pairs) else np.empty(0)
        return rate, np.where(known, peak, np.nan), span


def intervals_of(
    values: Floats,
    times_ms: Ints,
    before: Floats,
    before_ms: Ints,
    *,
    targets: Ints,
    known: Targets,
) -> Intervals:
    """Take samples on a grid apart into intervals.

    Parameters
    ----------
    values
        float64, shape (series, steps); what is not finite or below 0 is no sample.
    times_ms
        int64, shape (steps,).
    before, before_ms
        Shape (series,): the last sample before the grid; NaN where there is none.
    targets
        int64, shape (series,): whose page each series stands on.
    known
        When processes started: a counter begins anew then, even where it does not fall.
    """
    grid = np.column_stack([before, values])
    row, place = np.nonzero(np.isfinite(grid) & (grid >= 0))
    value = grid[row, place]
    column = place - 1
    time = np.where(column < 0, before_ms[row], times_ms[column])
    first = np.ones(len(row), np.bool_)
    first[1:] = row[1:] != row[:-1]
    last = np.ones(len(row), np.bool_)
    last[:-1] = first[1:]
    ends = np.flatnonzero(~first)
    step = value[ends] - value[ends - 1]
    fell = step < 0
    for target, start in known.started_between(int(time.min(initial=0)), int(times_ms[-1])):
        fell |= (targets[row[ends]] == target) & (time[ends - 1] < start) & (start <= time[ends])
    return Intervals(
        row=row,
        time_ms=time,
        value=value,
        column=column,
        ends=ends,
        fell=fell,
        increase=np.where(fell, value[ends], step),
        born=np.flatnonzero(first & (column >= 0)),
        final=np.flatnonzero(last & (column >= 0)),
    )
