"""Counters to increases per calendar day, from raw values on a grid, piece by piece.

The rules, in the order in which they are asked of each series:

* A sample higher than the one before: the difference. Nothing is extrapolated past the data.
* A lower one, or a process that started in between: the counter began anew at 0, and what it shows
  counts. What came after the last sample and before the restart is *lost*: estimated from the last
  hour's rate, never added to the figure.
* Samples missing: the increase over the gap is known, its days are not, so it is shared out by time
  and how much of it might belong to another day is said (`moved`).
* A first sample with a value: see `workbench.spend.counting.events`.
* A counter that saws up and down: several workers (`workbench.spend.counting.workers`); a best
  estimate between a bound from below and one from above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from workbench.frame import Bools, Frame
from workbench.samples import Floats, Ints
from workbench.spend.counting.counted import Counted
from workbench.spend.counting.days import CalendarDays
from workbench.spend.counting.events import (
    Births,
    Resets,
    settle_births,
    settle_ends,
    settle_resets,
)
from workbench.spend.counting.line import HOUR_MS, Line
from workbench.spend.counting.spread import either_day, spread, straddling
from workbench.spend.counting.state import SeriesState
from workbench.spend.counting.targets import Targets
from workbench.spend.counting.workers import may_saw, no_chains, saws, take_apart

__all__ = ["Counting"]

_BLOCK: Final = 1024
"""Series that are looked at together: what stays in a processor's cache."""

_MOST: Final = 2.0**53
"""Beyond it a float no longer counts by one: such a sample is no count."""

_LOOKBACK_MS: Final = 300_000
"""So old is a sample at most that a point of a server's answer stands for."""


@dataclass(slots=True)
class Counting:
    """Counts one metric, given its raw values piece by piece in the order of time.

    Parameters
    ----------
    days
        The calendar days that are asked for.
    step_ms
        Distance of the grid's points.
    targets
        What is known of the targets; shared by all metrics of one analysis.
    sized
        Whether to look for the highest increase in a step.

    Examples
    --------
    >>> from datetime import date
    >>> days = CalendarDays.between(date(1970, 1, 1), date(1970, 1, 1))
    >>> counting = Counting(days, 300_000, Targets())
    >>> times = np.array([0, 300_000, 600_000, 900_000])
    >>> values = np.array([[10.0, 30.0, 5.0, 6.0]])
    >>> counting.add(Frame("matrix", [{"job": "a"}], times, values, values > 0))
    >>> counting.finish().increase  # 20, then a restart and 5, then 1
    array([[26.]])
    """

    days: CalendarDays
    step_ms: int
    targets: Targets
    sized: bool = False
    _state: SeriesState = field(init=False)
    _births: list[Births] = field(init=False, default_factory=list)
    _resets: list[Resets] = field(init=False, default_factory=list)
    _chains: dict[int, Floats] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._state = SeriesState(len(self.days), self.targets)

    def add(self, frame: Frame) -> None:
        """Take the next piece; its times lie after those of the piece before."""
        if not len(frame) or not len(frame.times_ms):
            return
        places = self._state.places(frame.labels)
        for start in range(0, len(places), _BLOCK):
            block = slice(start, start + _BLOCK)
            self._block(places[block], frame.values[block], frame.times_ms)

    def finish(self) -> Counted:
        """Settle what needs the whole: births, restarts and series that ended."""
        state = self._state
        born, unknown = settle_births(
            Births.joined(self._births), state, self.targets, self.days, self.step_ms
        )
        settle_resets(Resets.joined(self._resets), state, self.targets, self.days)
        settle_ends(state, self.targets, self.days, self.step_ms)
        return Counted(
            labels=tuple(state.labels),
            target=state.target,
            first_ms=state.first_ms,
            last_ms=state.time_ms,
            increase=np.where(state.seen, state.increase, np.nan),
            lost=state.lost,
            most_lost=state.most_lost,
            doubtful=state.doubtful,
            moved=state.moved,
            resets=state.resets,
            left_out=state.left_out,
            several=state.several,
            fractional=state.fractional,
            bridged=state.bridged,
            born=born,
            unknown=unknown,
            largest=self._largest(born),
        )

    def _largest(self, born: Floats) -> Floats:
        """With first values that count; nothing bounds what one of several workers counted."""
        if not self.sized:
            return np.full_like(self._state.largest, np.nan)
        result: Floats = np.maximum(self._state.largest, born[:, None])
        result[self._state.several] = np.inf
        return result

    # ------------------------------------------------------------------ whole rows, fast

    def _block(self, rows: Ints, values: Floats, times_ms: Ints) -> None:
        state = self._state
        start_ms = int(times_ms[0]) - self.step_ms
        before, before_ms = state.value[rows], state.time_ms[rows]
        even = (values[:, 1:] >= values[:, :-1]).all(axis=1)
        even &= (values[:, -1] <= _MOST) & (values[:, 0] >= 0)
        even &= (before_ms < 0) | ((before_ms == start_ms) & (values[:, 0] >= before))
        even &= ~state.several[rows]
        for target, *_ in self.targets.restarts(start_ms, int(times_ms[-1])):
            even &= state.target[rows] != target
        if even.all():
            self._even(rows, values, times_ms)
            return
        if even.any():
            self._even(rows[even], values[even], times_ms)
        self._uneven(rows[~even], values[~even], times_ms)

    def _even(self, rows: Ints, values: Floats, times_ms: Ints) -> None:
        """Rows without a hole and a fall: only the values around midnights matter."""
        state = self._state
        before, new = state.value[rows], state.time_ms[rows] < 0
        if new.any():
            self._born(rows[new], np.full(int(new.sum()), times_ms[0]), values[new, 0])
            before = np.where(new, values[:, 0], before)
        self._add_levels(rows, before, values, times_ms)
        if self.sized:
            self._note_steps(rows, np.diff(values, axis=1), times_ms[1:])
            self._note_steps(rows, (values[:, 0] - before)[:, None], times_ms[:1])
        begin = np.where(new, times_ms[0], times_ms[0] - self.step_ms + 1)
        self._note_days(rows, begin, times_ms[-1:])
        state.value[rows] = last = values[:, -1]
        state.time_ms[rows] = times_ms[-1]
        state.fractional[rows] |= (values[:, -2:] % 1 != 0).any(axis=1)  # 0.5 a step: every other
        back = min(HOUR_MS // self.step_ms, values.shape[1] - 1)
        if back > 0:
            hour = values[:, -1 - back :]
            state.rate[rows] = (last - hour[:, 0]) / (back * self.step_ms)
            state.peak[rows] = np.diff(hour, axis=1).max(axis=1) / self.step_ms

    def _add_levels(self, rows: Ints, before: Floats, values: Floats, times_ms: Ints) -> None:
        marks = np.stack(list(self._levels(before, values, times_ms)), axis=1)
        self._state.increase[rows] += np.diff(marks, axis=1)

    def _note_steps(self, rows: Ints, steps: Floats, ends_ms: Ints) -> None:
        """Keep the highest increase of each day; one over midnight may be either day's."""
        largest = self._state.largest
        for day in range(len(self.days)):
            low, high = self.days.bounds_ms[day : day + 2]
            first = int(np.searchsorted(ends_ms, low, side="right"))
            last = int(np.searchsorted(ends_ms - self.step_ms, high, side="left"))
            if first < last:
                top = steps[:, first:last].max(axis=1)
                largest[rows, day] = np.maximum(largest[rows, day], top)

    def _levels(self, before: Floats, values: Floats, times_ms: Ints) -> Iterator[Floats]:
        """What the counters stood at at each midnight, or at the end of the data next to it."""
        start_ms = int(times_ms[0]) - self.step_ms
        for bound in self.days.bounds_ms.tolist():
            if bound <= start_ms:
                yield before
                continue
            place = int(np.searchsorted(times_ms, bound, side="left"))
            if place == len(times_ms):
                yield values[:, -1]
                continue
            low = before if place == 0 else values[:, place - 1]
            share = (int(times_ms[place]) - bound) / self.step_ms
            yield values[:, place] - share * (values[:, place] - low)

    # ------------------------------------------------------------------ all others

    def _uneven(self, rows: Ints, values: Floats, times_ms: Ints) -> None:
        state = self._state
        there = (values >= 0) & (values <= _MOST)
        state.left_out[rows] += ((values < 0) | (values > _MOST)).sum(axis=1)
        some = there.any(axis=1)
        if not some.all():
            rows, values, there = rows[some], values[some], there[some]
        if not len(rows):
            return
        line = Line.of(values, there, times_ms, state.value[rows], state.time_ms[rows])
        saw = state.several[rows] | self._saws(line)
        if saw.any():
            self._several(rows[saw], np.where(there[saw], values[saw], np.nan), times_ms)
            self._uneven(rows[~saw], values[~saw], times_ms)
            return
        new = np.flatnonzero(line.new)
        first = line.first[new]
        self._born(rows[new], times_ms[first - 1], values[new, first - 1])
        self._add_levels(rows, line.values[:, 0], line.values[:, 1:], times_ms)
        if self.sized:
            self._note_steps(rows, np.diff(line.values, axis=1), times_ms)
        self._correct(rows, line)
        self._remember(rows, line)

    def _saws(self, line: Line) -> Bools:
        row, column = line.falls()
        result = may_saw(np.bincount(row, minlength=len(line)), len(line.times_ms))
        few = np.flatnonzero(result)
        if len(few):
            shown = np.bincount(row, line.values[row, column - 1], len(line)).astype(np.float64)
            restarted = line.values[:, -1] - line.values[:, 0] + shown
            kept = np.where(line.holes, np.nan, line.values[:, 1:])
            result[few] = saws(kept[few], restarted[few])
        return result

    def _correct(self, rows: Ints, line: Line) -> None:
        """Where a line falls it began anew; where a hole ends its step is the whole hole's."""
        state, width = self._state, len(line.times_ms) + 1
        anew = [line.falls()]
        start_ms = int(line.before_ms.min())
        slack_ms = max(self.step_ms, _LOOKBACK_MS)
        for target, time, shown in self.targets.restarts(start_ms, int(line.times_ms[-1])):
            mine = np.flatnonzero((state.target[rows] == target) & (line.before_ms < shown))
            anew.append(line.anew(mine, time, shown, slack_ms))
        fallen = np.concatenate([row * width + column for row, column in anew])
        ended = line.hole_ends(self.step_ms)
        cells = np.unique(np.concatenate([fallen, ended[0] * width + ended[1]]))
        if not len(cells):
            return
        fell = np.isin(cells, fallen)
        row, column = cells // width, cells % width
        known = line.at[row, column - 1].astype(np.int64)
        begin, end = line.time_of(row, known), line.times_ms[column - 1]
        value, old = line.values[row, column], line.values[row, column - 1]
        more = np.where(fell, value, value - old)
        count = len(rows)
        state.increase[rows] += spread(self.days, row, begin, end, more, count=count)
        state.increase[rows] -= spread(
            self.days, row, end - self.step_ms, end, value - old, count=count
        )
        if self.sized:
            within = spread(self.days, np.arange(len(row)), begin, end, more, count=len(row)) > 0
            np.maximum.at(state.largest, rows[row], np.where(within, more[:, None], 0.0))
        hole = (end - begin > 1.5 * self.step_ms) & ~fell
        state.bridged[rows] += np.bincount(row[hole], more[hole], count)
        cut = np.flatnonzero(hole & straddling(self.days, begin, end))
        if len(cut):
            either = either_day(self.days, begin[cut], end[cut], more[cut])
            np.add.at(state.moved, rows[row[cut]], either)
        if fell.any():
            series = rows[row[fell]]
            rate, peak = self._speed(rows, line, row[fell], known[fell])
            self._resets.append(Resets(series, begin[fell], end[fell], value[fell], rate, peak))
            np.add.at(state.resets, series, 1)

    def _speed(self, rows: Ints, line: Line, row: Ints, column: Ints) -> tuple[Floats, Floats]:
        """The last hour's speed; that of the piece before where less than half of it is here."""
        rate, peak, enough = line.speed(row, column, self.step_ms)
        series = rows[row]
        old, old_peak = self._state.rate[series], self._state.peak[series]
        keep = ~enough & np.isfinite(old)
        return np.where(keep, old, rate), np.where(keep, np.fmax(old_peak, peak), peak)

    def _remember(self, rows: Ints, line: Line) -> None:
        state, every = self._state, np.arange(len(rows))
        last = line.at[:, -1].astype(np.int64)
        time = line.time_of(every, last)
        begin = np.where(line.new, line.before_ms, line.before_ms + 1)
        self._note_days(rows, begin, time)
        state.rate[rows], state.peak[rows] = self._speed(rows, line, every, last)
        state.value[rows], state.time_ms[rows] = line.values[:, -1], time
        pair = line.values[every[:, None], np.stack([last, np.maximum(last - 1, 0)], axis=1)]
        state.fractional[rows] |= (pair % 1 != 0).any(axis=1)

    def _note_days(self, rows: Ints, first_ms: Ints, last_ms: Ints) -> None:
        """Days from one moment to another are known: samples enclose them."""
        first, last = self.days.of(first_ms)[:, None], self.days.of(last_ms)[:, None]
        day = np.arange(len(self.days))
        self._state.seen[rows] |= (day >= first) & (day <= last)

    def _born(self, series: Ints, times_ms: Ints, values: Floats) -> None:
        if len(series):
            self._state.first_ms[series] = times_ms
            self._births.append(Births(series, times_ms, values))
            self.targets.saw(self._state.target[series], times_ms)

    # ------------------------------------------------------------------ several workers

    def _several(self, rows: Ints, values: Floats, times_ms: Ints) -> None:
        state = self._state
        state.several[rows] = True
        state.resets[rows] = 0
        known = [self._chains.get(r) for r in rows.tolist()]
        chains = no_chains(state.value[rows])
        for i, each in enumerate(known):
            if each is not None:
                chains[i] = each
        new = np.flatnonzero(state.time_ms[rows] < 0)
        there = np.isfinite(values)
        first = there.argmax(axis=1)
        self._born(rows[new], times_ms[first[new]], values[new, first[new]])
        done = take_apart(values, self.days.of(times_ms), len(self.days), chains)
        self._chains.update(zip(rows.tolist(), done.last, strict=True))
        state.increase[rows] += done.total
        state.doubtful[rows] += done.total - done.largest
        state.most_lost[rows] += np.maximum(done.bound - done.total, 0)
        for day in np.unique(self.days.of(times_ms)):
            if 0 <= day < len(self.days):
                state.seen[rows, day] |= there[:, self.days.of(times_ms) == day].any(axis=1)
        last = values.shape[1] - 1 - there[:, ::-1].argmax(axis=1)
        some = there.any(axis=1)
        state.value[rows[some]] = values[some, last[some]]
        state.time_ms[rows[some]] = times_ms[last[some]]
