"""Counters without holes: every point of a grid stands for the last sample up to it.

Where a sample is missing the one before is repeated, so that a counter is one line from piece to
piece, and only the few points at which it falls or a hole ends need a closer look.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["HOUR_MS", "Line"]

HOUR_MS = 3_600_000
"""How far back the rate of a counter is measured."""


@dataclass(frozen=True, slots=True)
class Line:
    """Some series of one piece of time, each with at least one sample in it.

    Parameters
    ----------
    values
        float64, shape (series, steps + 1): column 0 is the last sample before the piece, or the
        first one in it where there was none.
    at
        int, shape (series, steps + 1): the column of the sample that each point stands for.
    times_ms
        int64, shape (steps,): of the columns from 1 on.
    before_ms
        int64, shape (series,): of column 0; of a new series its first sample's.
    new
        bool, shape (series,): whether there was no sample before the piece.
    first
        int64, shape (series,): the column of the first sample in the piece.
    holes
        bool, shape (series, steps): True at the points without a sample.
    """

    values: Floats
    at: np.ndarray[Any, Any]
    times_ms: Ints
    before_ms: Ints
    new: Bools
    first: Ints
    holes: Bools

    @classmethod
    def of(cls, values: Floats, there: Bools, times_ms: Ints, before: Floats, at_ms: Ints) -> Line:
        """Fill the holes.

        Parameters
        ----------
        values
            float64, shape (series, steps).
        there
            bool, the same shape: which of them are samples; at least one of each series.
        times_ms
            int64, shape (steps,).
        before, at_ms
            Shape (series,): the sample before; a time of −1 where there is none.
        """
        count, width = values.shape
        new = at_ms < 0
        first = there.argmax(axis=1) + 1
        every = np.arange(count)
        start = np.where(new, values[every, first - 1], before)
        whole = np.column_stack([start, values])
        at = np.broadcast_to(np.arange(width + 1, dtype=np.int32), (count, width + 1))
        if not there.all():
            at = np.where(np.column_stack([np.ones(count, np.bool_), there]), at, 0)
            np.maximum.accumulate(at, axis=1, out=at)
            whole = np.take_along_axis(whole, at, axis=1)
        begin_ms = np.where(new, times_ms[first - 1], at_ms)
        return cls(whole, at, times_ms, begin_ms, new, first, ~there)

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.values)

    def falls(self) -> tuple[Ints, Ints]:
        """Rows and columns at which a value is below the one before."""
        row, column = np.nonzero(self.values[:, 1:] < self.values[:, :-1])
        return row, column + 1

    def hole_ends(self, step_ms: int) -> tuple[Ints, Ints]:
        """Rows and columns of the first sample after a hole; not of a new series' first."""
        end = self.holes[:, :-1] & ~self.holes[:, 1:]
        row, column = np.nonzero(end)
        late = ~self.holes[:, 0] & ~self.new & (self.before_ms < self.times_ms[0] - step_ms)
        row = np.concatenate([row, np.flatnonzero(late)])
        column = np.concatenate([column + 2, np.ones(int(late.sum()), np.int64)])
        known = ~(self.new[row] & (column == self.first[row]))
        return row[known], column[known]

    def anew(self, rows: Ints, started_ms: int, shown_ms: int, slack_ms: int) -> tuple[Ints, Ints]:
        """Rows and columns of the first samples of a process that started anew.

        Parameters
        ----------
        rows
            Of the target, with a sample before the start was shown.
        started_ms, shown_ms
            When the process started, and the first point that shows it.
        slack_ms
            How old the sample may be that a point stands for.
        """
        start = int(np.searchsorted(self.times_ms, shown_ms))
        last = self.time_of(rows, self.at[rows, start].astype(np.int64))
        rows = rows[started_ms > last - slack_ms]
        # A series that is not there yet may go on standing at its old value until that is stale.
        moved = self.values[rows, start + 1 :] != self.values[rows, start][:, None]
        if not moved.shape[1]:
            return rows[:0], rows[:0]
        kept = moved.any(axis=1)
        return rows[kept], moved[kept].argmax(axis=1) + start + 1

    def time_of(self, row: Ints, column: Ints) -> Ints:
        """When the samples at some columns were: int64, shape (n,)."""
        inside = self.times_ms[np.maximum(column - 1, 0)]
        result: Ints = np.where(column == 0, self.before_ms[row], inside)
        return result

    def speed(self, row: Ints, column: Ints, step_ms: int) -> tuple[Floats, Floats, Bools]:
        """How fast series increased in the hour up to some points.

        Returns
        -------
        rate, peak
            float64, shape (n,), per millisecond: the mean and the highest of all steps; NaN where
            nothing is known.
        enough
            bool, shape (n,): whether at least half an hour is known.
        """
        back = np.arange(max(HOUR_MS // step_ms, 1))
        place = column[:, None] - back
        now = self.values[row[:, None], np.maximum(place, 0)]
        then = self.values[row[:, None], np.maximum(place - 1, 0)]
        least = np.where(self.new, self.first, 0)[row]
        known = place > least[:, None]
        # The step after a hole is as long as the hole; points within it are no steps.
        previous = self.at[row[:, None], np.maximum(place - 1, 0)]
        here = known & (self.at[row[:, None], np.maximum(place, 0)] == place)
        length = np.where(here, place - previous, 0)
        steps = np.where(here, np.where(now < then, now, now - then), 0.0)
        count = length.sum(axis=1)
        rate = np.where(count > 0, steps.sum(axis=1) / np.maximum(count, 1) / step_ms, np.nan)
        highest = (steps / np.maximum(length, 1)).max(axis=1)
        peak = np.where(count > 0, highest / step_ms, np.nan)
        return rate, peak, count * 2 >= len(back)
