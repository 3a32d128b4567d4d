"""Counters that appear, begin anew and end: what each says of usage that nobody saw.

A counter's first sample, with a value v, is settled by the first rule that fits:

1. Its target was seen before without it: the counter was born since, and v counts. But where, at
   the same moment, counters of the same target ended with about as much or less together, the
   series was only renamed: v is not counted.
2. Its target's process started within the day before: v was counted since then, and counts.
3. It is there from the beginning of all data: v is history, and nothing is said of it.
4. Its target came into view with it: v may be history or not. It is not counted, and as much of it
   as the counter's later speed could explain is *lost*.

So all that is ever counted of a first value rests on rules 1 and 2 and is told apart (`born`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final, Self

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.counting.days import CalendarDays
from workbench.spend.counting.spread import spread
from workbench.spend.counting.state import SeriesState
from workbench.spend.counting.targets import Targets

__all__ = ["Births", "Resets", "settle_births", "settle_ends", "settle_resets"]

_RECENT_MS: Final = 86_400_000
_RENAMED: Final = 0.5
"""First values of at least this share of what ended at the same moment are a renaming."""


class _Events:
    """Events as columns of equal length."""

    @classmethod
    def joined(cls, parts: Sequence[Self]) -> Self:
        """All events of some parts."""
        names = [f.name for f in fields(cls)]  # type: ignore[arg-type]
        columns = [np.concatenate([getattr(p, n) for p in parts]) for n in names] if parts else []
        return cls(*columns) if parts else cls(*(np.empty(0, np.int64) for _ in names))


@dataclass(frozen=True, slots=True)
class Births(_Events):
    """First samples: the series, when, and the value; shape (births,)."""

    series: Ints
    time_ms: Ints
    value: Floats


@dataclass(frozen=True, slots=True)
class Resets(_Events):
    """Restarts: the series, the samples around, the value after, the speed before; shape (resets,).

    `rate` and `peak` are per millisecond, NaN where unknown.
    """

    series: Ints
    before_ms: Ints
    after_ms: Ints
    value: Floats
    rate: Floats
    peak: Floats


def settle_births(
    births: Births, state: SeriesState, targets: Targets, days: CalendarDays, step_ms: int
) -> tuple[Floats, Floats]:
    """Count first values by the rules above, into the state's increase, lost and most lost.

    Returns
    -------
    born, unknown
        float64, shape (series,): first values that were counted, within the days or not; and those
        of rule 4.
    """
    born, unknown = np.zeros(len(state)), np.zeros(len(state))
    if not len(births.series):
        return born, unknown
    series, time, value = births.series, births.time_ms, births.value
    target = state.target[series]
    seen_before = targets.first_ms[target] < time
    renamed = _renamed(births, state, targets, step_ms)
    start = targets.last_start(target, time, time - _RECENT_MS)
    counted = np.where(seen_before, ~renamed, start >= 0)
    since = np.where(seen_before, time - step_ms, start)
    rows = np.flatnonzero(counted)
    _add(state.increase, series[rows], days, (since[rows], time[rows]), value[rows])
    born[series[rows]] = value[rows]
    late = ~counted & ~seen_before & (time > targets.data_start_ms + step_ms // 2)
    rows = np.flatnonzero(late)
    unknown[series[rows]] = value[rows]
    open_ms = np.maximum(days.start_ms, targets.data_start_ms)
    length = np.maximum(state.time_ms[series] - time, step_ms)
    speed = np.nansum(state.increase[series], axis=1) / length
    possible = np.minimum(value, speed * np.maximum(time - open_ms, 0))
    span = (time[rows] - step_ms, time[rows])
    _add(state.lost, series[rows], days, span, possible[rows])
    _add(state.most_lost, series[rows], days, span, value[rows])
    return born, unknown


def _renamed(births: Births, state: SeriesState, targets: Targets, step_ms: int) -> Bools:
    """Births that took the place of series of the same target which ended one step before."""
    ended = np.flatnonzero((state.time_ms >= 0) & (state.time_ms < targets.data_end_ms - step_ms))
    if not len(ended):
        return np.zeros(len(births.series), np.bool_)
    width = targets.data_end_ms + step_ms + 1
    end_key = state.target[ended] * width + state.time_ms[ended] + step_ms
    key = state.target[births.series] * width + births.time_ms
    keys, place = np.unique(np.concatenate([end_key, key]), return_inverse=True)
    gone = np.bincount(place[: len(ended)], state.value[ended], len(keys))
    come = np.bincount(place[len(ended) :], births.value, len(keys))
    result: Bools = ((gone > 0) & (come >= _RENAMED * gone))[place[len(ended) :]]
    return result


def settle_resets(resets: Resets, state: SeriesState, targets: Targets, days: CalendarDays) -> None:
    """Estimate what was lost before restarts, into the state's lost and most lost.

    Between the last sample and the restart the counter went on at the rate of the hour before. When
    the restart was is known from the process' start time; without it, from the counters of the same
    target: they showed Σv after a time in which they would have made Σ rate × time, so the rest of
    it lies before the restart. At the most the counter went on at its highest rate all the time.
    """
    if not len(resets.series):
        return
    length = (resets.after_ms - resets.before_ms).astype(np.float64)
    expected = np.nan_to_num(resets.rate) * length
    target = state.target[resets.series]
    start = targets.last_start(target, resets.after_ms, resets.before_ms)
    told = (start - resets.before_ms) / np.maximum(length, 1)
    width = int(resets.after_ms.max()) + 1
    _, group = np.unique(target * width + resets.after_ms, return_inverse=True)
    shown, whole = np.bincount(group, resets.value), np.bincount(group, expected)
    guess = 1 - np.clip(shown / np.maximum(whole, 1e-300), 0, 1)
    share = np.where(start >= 0, told, guess[group])
    lost = expected * share
    most = np.maximum(lost, np.nan_to_num(resets.peak) * length)
    for into, amount in ((state.lost, lost), (state.most_lost, most)):
        _add(into, resets.series, days, (resets.before_ms, resets.after_ms), amount)


def settle_ends(state: SeriesState, targets: Targets, days: CalendarDays, step_ms: int) -> None:
    """Add what series that ended are likely to have counted after their last sample.

    They ended somewhere in the step that followed: half of it is lost at their rate, all of it at
    their highest at the most.
    """
    gone = np.flatnonzero(
        (state.time_ms >= 0) & (state.time_ms < targets.data_end_ms - 1.5 * step_ms)
    )
    last = state.time_ms[gone]
    half = np.nan_to_num(state.rate[gone]) * step_ms / 2
    most = np.maximum(half, np.nan_to_num(state.peak[gone]) * step_ms)
    for into, amount in ((state.lost, half), (state.most_lost, most)):
        _add(into, gone, days, (last - 1, last), amount)


def _add(
    into: Floats, series: Ints, days: CalendarDays, span: tuple[Ints, Ints], amounts: Floats
) -> None:
    """Spread amounts over days, into the rows of their series, which may stand several times."""
    if len(series):
        rows, place = np.unique(series, return_inverse=True)
        into[rows] += spread(days, place, *span, amounts, count=len(rows))
