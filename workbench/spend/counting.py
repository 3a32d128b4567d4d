"""Counters to increases per calendar day, from raw values on a grid, piece by piece.

The rules, in the order in which they are asked of each series:

* A sample higher than the one before: the difference. Nothing is extrapolated past the data.
* A lower one, or a process that started in between: the counter began anew at 0, and what it shows
  counts. What came after the last sample and before the restart is *lost*: estimated from the last
  hour's rate, never added to the figure.
* Samples missing: the increase over the gap is known, its days are not, so it is shared out by time
  and how much of it might belong to another day is said (`moved`).
* A first sample with a value: see `counting_events`.
* A counter that saws up and down: several workers (`counting_workers`); a best estimate between a
  bound from below and one from above.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from workbench.frame import Bools, Frame
from workbench.samples import Floats, Ints, Labels
from workbench.spend.counting_days import CalendarDays
from workbench.spend.counting_events import (
    Births,
    Resets,
    settle_births,
    settle_ends,
    settle_resets,
)
from workbench.spend.counting_intervals import HOUR_MS, Intervals, intervals_of
from workbench.spend.counting_spread import spread, straddling
from workbench.spend.counting_state import SeriesState
from workbench.spend.counting_targets import Targets
from workbench.spend.counting_workers import may_saw, no_chains, saws, take_apart

__all__ = ["Counted", "Counting"]

_BLOCK: Final = 1024
"""Series that are looked at together: what stays in a processor's cache."""


@dataclass(frozen=True, slots=True)
class Counted:
    """What counters increased by, per series and day.

    Parameters
    ----------
    labels
        Of each series.
    target
        int64, shape (series,): the number of its target.
    first_ms, last_ms
        int64, shape (series,): its first and last sample.
    increase
        float64, shape (series, days); NaN on a day that no two samples enclose.
    lost, most_lost
        float64, shape (series, days): what is estimated to have been missed, and at the most.
    doubtful
        float64, shape (series, days): how much of the increase may not have happened.
    moved
        float64, shape (series, days): how much may belong to a neighbouring day instead, or come
        from there; it cancels out in sums over days.
    resets, negative
        int64, shape (series,): times it began anew; samples below 0, which were left out.
    several, fractional
        bool, shape (series,): several workers in turn; values that are no whole numbers.
    bridged
        float64, shape (series,): how much of the increase lies in gaps between samples.
    born, unknown
        float64, shape (series,): a first value that was counted; one that was not.
    """

    labels: tuple[Labels, ...]
    target: Ints
    first_ms: Ints
    last_ms: Ints
    increase: Floats
    lost: Floats
    most_lost: Floats
    doubtful: Floats
    moved: Floats
    resets: Ints
    negative: Ints
    several: Bools
    fractional: Bools
    bridged: Floats
    born: Floats
    unknown: Floats

    def __len__(self) -> int:
        """How many series there are."""
        return len(self.labels)

    @property
    def low(self) -> Floats:
        """float64, shape (series, days): the least that was counted, but for `moved`."""
        return self.increase - self.doubtful

    @property
    def high(self) -> Floats:
        """float64, shape (series, days): the most that was used, but for `moved`."""
        return self.increase + self.most_lost


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
            negative=state.negative,
            several=state.several,
            fractional=state.fractional,
            bridged=state.bridged,
            born=born,
            unknown=unknown,
        )

    # ------------------------------------------------------------------ whole rows, fast

    def _block(self, rows: Ints, values: Floats, times_ms: Ints) -> None:
        state = self._state
        start_ms = int(times_ms[0]) - self.step_ms
        before, before_ms = state.value[rows], state.time_ms[rows]
        rising = (values[:, 1:] >= values[:, :-1]).all(axis=1)
        rising &= np.isfinite(values[:, -1]) & (values[:, 0] >= 0)
        whole = rising | (np.isfinite(values) & (values >= 0)).all(axis=1)
        whole &= ((before_ms < 0) | (before_ms == start_ms)) & ~state.several[rows]
        began = self._began(rows, times_ms)
        steady = whole & rising & ~(values[:, 0] < before)
        steady[began[:, 0]] = False
        if steady.all():
            self._whole(rows, values, times_ms)
            return
        falling = whole & ~steady
        if falling.any():
            number = np.cumsum(falling) - 1
            began = began[falling[began[:, 0]]]
            began[:, 0] = number[began[:, 0]]
            keep = self._restarted(rows[falling], values[falling], times_ms, began)
            falling[np.flatnonzero(falling)[~keep]] = False
        if steady.any():
            self._whole(rows[steady], values[steady], times_ms)
        if not (steady | falling).all():
            rest = ~(steady | falling)
            self._rough(rows[rest], values[rest], times_ms)

    def _began(self, rows: Ints, times_ms: Ints) -> Ints:
        """Rows and columns by which their process is known to have begun anew: shape (n, 2)."""
        start_ms = int(times_ms[0]) - self.step_ms
        known = self.targets.started_between(start_ms, int(times_ms[-1]))
        target = self._state.target[rows]
        pairs = [
            np.stack([row, np.full(len(row), np.searchsorted(times_ms, time))], axis=1)
            for each, time in known
            if len(row := np.flatnonzero(target == each))
        ]
        return np.concatenate(pairs) if pairs else np.empty((0, 2), np.int64)

    def _whole(self, rows: Ints, values: Floats, times_ms: Ints) -> None:
        """Rows without a hole: only the values around midnights matter, if they do not fall."""
        state = self._state
        before, new = state.value[rows], state.time_ms[rows] < 0
        if new.any():
            self._born(rows[new], np.full(int(new.sum()), times_ms[0]), values[new, 0])
            before = np.where(new, values[:, 0], before)
        marks = np.stack(list(self._levels(before, values, times_ms)), axis=1)
        state.increase[rows] += np.diff(marks, axis=1)
        self._note_days(rows, times_ms)
        self._note_days(rows[~new], np.array([times_ms[0] - self.step_ms + 1, times_ms[0]]))
        state.value[rows] = last = values[:, -1]
        state.time_ms[rows] = times_ms[-1]
        state.fractional[rows] |= (values[:, -2:] % 1 != 0).any(axis=1)  # 0.5 a step: every other
        back = min(HOUR_MS // self.step_ms, values.shape[1] - 1)
        if back > 0:
            hour = values[:, -1 - back :]
            steps = np.diff(hour, axis=1)
            steps = np.where(steps < 0, hour[:, 1:], steps)
            state.rate[rows] = steps.mean(axis=1) / self.step_ms
            state.peak[rows] = steps.max(axis=1) / self.step_ms

    def _restarted(self, rows: Ints, values: Floats, times_ms: Ints, began: Ints) -> Bools:
        """Rows without a hole that fall: what they stood at before counts beside the rest.

        Returns which rows were dealt with: those that may be several workers were not.
        """
        state, width = self._state, values.shape[1]
        new = state.time_ms[rows] < 0
        grid = np.column_stack([np.where(new, values[:, 0], state.value[rows]), values])
        row, column = np.nonzero(grid[:, 1:] < grid[:, :-1])
        keep = ~may_saw(np.bincount(row, minlength=len(rows)), width)
        began = began[~(new[began[:, 0]] & (began[:, 1] == 0))]
        cells = np.unique(np.concatenate([row * width + column, began[:, 0] * width + began[:, 1]]))
        row, column = cells // width, cells % width
        row, column = row[keep[row]], column[keep[row]]
        series, end = rows[row], times_ms[column]
        back = np.arange(max(HOUR_MS // self.step_ms, 1))
        place = column[:, None] - back
        now = grid[row[:, None], np.maximum(place, 0)]
        then = grid[row[:, None], np.maximum(place - 1, 0)]
        steps = np.where(place >= 1, np.where(now < then, now, now - then), np.nan)
        rate, peak = state.rate[series], state.peak[series]
        known = (place >= 1).sum(axis=1)
        here = (known * 2 >= len(back)) | (np.isnan(rate) & (known > 0))
        rate[here] = np.nanmean(steps[here], axis=1) / self.step_ms
        peak[here] = np.nanmax(steps[here], axis=1) / self.step_ms
        self._resets.append(
            Resets(series, end - self.step_ms, end, values[row, column], rate, peak)
        )
        np.add.at(state.resets, series, 1)
        self._whole(rows[keep], values[keep], times_ms)
        state.increase[rows] += spread(
            self.days, row, end - self.step_ms, end, grid[row, column], count=len(rows)
        )
        return keep

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

    def _rough(self, rows: Ints, values: Floats, times_ms: Ints) -> None:
        state = self._state
        state.negative[rows] += (values < 0).sum(axis=1)
        with np.errstate(invalid="ignore"):
            found = self._intervals(rows, values, times_ms)
        if not len(found.row):
            return
        saw = state.several[rows] | self._saws(found, values, len(rows))
        if saw.any():
            self._several(rows[saw], values[saw], times_ms)
            self._rough(rows[~saw], values[~saw], times_ms)
            return
        self._count(rows, found)

    def _intervals(self, rows: Ints, values: Floats, times_ms: Ints) -> Intervals:
        state = self._state
        return intervals_of(
            values,
            times_ms,
            state.value[rows],
            state.time_ms[rows],
            targets=state.target[rows],
            known=self.targets,
        )

    def _saws(self, found: Intervals, values: Floats, count: int) -> Bools:
        row = found.row[found.ends]
        result = may_saw(np.bincount(row[found.fell], minlength=count), values.shape[1])
        few = np.flatnonzero(result)
        if len(few):
            restarted = np.bincount(row, found.increase, count)
            kept = np.where(values[few] >= 0, values[few], np.nan)
            result[few] = saws(kept, restarted[few])
        return result

    def _count(self, rows: Ints, found: Intervals) -> None:
        state, count = self._state, len(rows)
        row, ends = found.row[found.ends], found.ends
        start, end = found.time_ms[ends - 1], found.time_ms[ends]
        state.increase[rows] += spread(self.days, row, start, end, found.increase, count=count)
        gap = (end - start > 1.5 * self.step_ms) & ~found.fell
        state.bridged[rows] += np.bincount(row[gap], found.increase[gap], count)
        cut = np.flatnonzero(gap & straddling(self.days, start, end))
        if len(cut):
            share = spread(
                self.days,
                np.arange(len(cut)),
                start[cut],
                end[cut],
                found.increase[cut],
                count=len(cut),
            )
            either = np.where(share > 0, np.maximum(share, found.increase[cut, None] - share), 0)
            np.add.at(state.moved, rows[row[cut]], either)
        self._note_seen(rows, found)
        self._born(rows[found.row[found.born]], found.time_ms[found.born], found.value[found.born])
        self._fell(rows, found)
        self._remember(rows, found)

    def _note_days(self, rows: Ints, times_ms: Ints) -> None:
        first, last = self.days.of(times_ms[[0, -1]]).tolist()
        self._state.seen[rows, max(first, 0) : max(last + 1, 0)] = True

    def _note_seen(self, rows: Ints, found: Intervals) -> None:
        """The days of samples, and those of intervals: their increase is known, if only shared."""
        end = found.time_ms
        start = end - 1
        start[found.ends] = end[found.ends - 1]
        one = np.where(found.column >= 0, 1.0, 0.0)
        known = spread(self.days, found.row, start, end, one, count=len(rows))
        self._state.seen[rows] |= known > 0

    def _fell(self, rows: Ints, found: Intervals) -> None:
        fell = np.flatnonzero(found.fell)
        if not len(fell):
            return
        end = found.ends[fell]
        series = rows[found.row[end]]
        rate, peak = self._speed(series, found, end - 1)
        self._resets.append(
            Resets(series, found.time_ms[end - 1], found.time_ms[end], found.value[end], rate, peak)
        )
        np.add.at(self._state.resets, series, 1)

    def _speed(self, series: Ints, found: Intervals, samples: Ints) -> tuple[Floats, Floats]:
        """The last hour's speed; that of the piece before where less than half of it is here."""
        rate, peak, span = found.trailing(samples)
        old_rate, old_peak = self._state.rate[series], self._state.peak[series]
        short = ((span < HOUR_MS // 2) & np.isfinite(old_rate)) | np.isnan(rate)
        return np.where(short, old_rate, rate), np.where(short, np.fmax(old_peak, peak), peak)

    def _remember(self, rows: Ints, found: Intervals) -> None:
        state, final = self._state, found.final
        series = rows[found.row[final]]
        state.rate[series], state.peak[series] = self._speed(series, found, final)
        state.value[series] = found.value[final]
        state.time_ms[series] = found.time_ms[final]
        broken = np.bincount(found.row[found.value % 1 != 0], minlength=len(rows))
        state.fractional[rows] |= broken > 0

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
        values = np.where(values >= 0, values, np.nan)
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
