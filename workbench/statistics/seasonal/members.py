"""The members of the ensemble: every one forecasts from every origin, knowing only what came before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.seasonal.calendar import Calendar
from workbench.statistics.seasonal.decomposition import decomposed_path, known_means, start_of
from workbench.statistics.seasonal.outliers import known_medians, tamed
from workbench.statistics.seasonal.smoothing import DAILY, DOUBLE, sweep

__all__ = ["NAMES", "member_paths", "naive_paths"]

NAMES: Final = (
    "same hour yesterday",
    "Holt-Winters, day",
    "Holt-Winters, day, of logarithms",
    "Holt-Winters, day and week",
    "Holt-Winters, day and week, of logarithms",
    "Holt-Winters, day and week, by the next step",
    "averages and damped trend",
    "median of the same hour",
    "same hour a week ago, at today's level",
)
"""What the members are, in the order of their paths."""

_TYPICAL_DAYS: Final = 7
_START_DAYS: Final = 2
_START_WEEKS: Final = 2


def member_paths(
    values: Floats, calendar: Calendar, origins: Sequence[int], horizon: int
) -> Floats:
    """Forecasts of all members.

    Parameters
    ----------
    values
        Shape (steps, series); NaN where nothing is known.
    calendar
        Of the steps and of `horizon` more.
    origins
        Ascending numbers of steps, none before the end of the second day.
    horizon
        Steps ahead.

    Returns
    -------
    Floats
        Shape (members, origins, horizon, series); NaN where a member cannot tell: those that learn
        weeks before the end of the second week, the one that copies the last before the first day
        of the second, those of logarithms where a value is 0 or less.
    """
    paths = np.full((len(NAMES), len(origins), horizon, values.shape[1]), np.nan)
    calm = tamed(values, calendar.per_day)
    paths[0] = naive_paths(calm, calendar, origins, horizon)
    paths[7] = _typical(values, calendar, origins, horizon)
    paths[8] = _last_week(calm, calendar, origins, horizon)
    paths[1], paths[2], _ = _smoothed(calm, calendar, origins, horizon, weekly=False)
    weeks_known = _START_WEEKS * calendar.per_week
    later = [i for i, origin in enumerate(origins) if origin >= weeks_known]
    if later:
        paths[3:6, later] = _smoothed(
            calm, calendar, [origins[i] for i in later], horizon, weekly=True
        )
    for i, origin in enumerate(origins):
        known = origin >= weeks_known
        paths[6, i] = decomposed_path(calm, calendar, origin, horizon, weekly=known)
    return paths


def _smoothed(
    values: Floats, calendar: Calendar, origins: Sequence[int], horizon: int, *, weekly: bool
) -> tuple[Floats, Floats, Floats]:
    """Holt-Winters on values, on logarithms, and on values but chosen by the next step."""
    positive = np.nanmin(values, axis=0, initial=np.inf) > 0
    logs = np.log(values[:, positive])
    both = np.concatenate([values, logs], axis=1)
    begin = calendar.per_week * _START_WEEKS if weekly else calendar.per_day * _START_DAYS
    found = sweep(
        both,
        calendar,
        DOUBLE if weekly else DAILY,
        start_of(both[:begin], calendar, weekly=weekly),
        origins=origins,
        horizon=horizon,
        judged_from=begin,
    )
    count = values.shape[1]
    raised = np.full((len(origins), horizon, count), np.nan)
    if positive.any():
        low, high = np.nanmin(logs, axis=0), np.nanmax(logs, axis=0)
        # Further than its own range beyond the highest value a logarithm is not to be trusted.
        room = np.maximum(high - low, 0.1)
        raised[:, :, positive] = np.exp(np.clip(found.ahead[..., count:], low - room, high + room))
    return found.ahead[..., :count], raised, found.one_step[..., :count]


def naive_paths(values: Floats, calendar: Calendar, origins: Sequence[int], horizon: int) -> Floats:
    """The last known value of the same hour of the day: the seasonal naive forecast.

    Parameters
    ----------
    values, calendar, origins, horizon
        As for `member_paths`.

    Returns
    -------
    Floats
        Shape (origins, horizon, series); NaN where the hour was never seen.
    """
    paths = np.empty((len(origins), horizon, values.shape[1]))
    last = np.full((calendar.per_day, values.shape[1]), np.nan)
    step = 0
    for i, origin in enumerate(origins):
        for now in range(step, origin):
            row = last[calendar.day[now]]
            np.copyto(row, values[now], where=~np.isnan(values[now]))
        step = origin
        paths[i] = last[calendar.day[origin : origin + horizon]]
    return paths


def _typical(values: Floats, calendar: Calendar, origins: Sequence[int], horizon: int) -> Floats:
    """The median of the same hour over the last days."""
    paths = np.empty((len(origins), horizon, values.shape[1]))
    for i, origin in enumerate(origins):
        begin = max(0, origin - _TYPICAL_DAYS * calendar.per_day)
        known, phases = values[begin:origin], calendar.day[begin:origin]
        table = known_medians(_by_phase(known, phases, calendar.per_day))
        paths[i] = table[calendar.day[origin : origin + horizon]]
    return paths


def _last_week(values: Floats, calendar: Calendar, origins: Sequence[int], horizon: int) -> Floats:
    """The last known value of the same hour of the week, plus how much higher the last day was.

    With one week of history it is the only member that knows of weekends.
    """
    paths = np.full((len(origins), horizon, values.shape[1]), np.nan)
    last = np.full((calendar.per_week, values.shape[1]), np.nan)
    higher = np.full_like(values, np.nan)
    step = 0
    for i, origin in enumerate(origins):
        for now in range(step, origin):
            row = last[calendar.week[now]]
            higher[now] = values[now] - row
            np.copyto(row, values[now], where=~np.isnan(values[now]))
        step = origin
        if origin < calendar.per_week + calendar.per_day:
            continue
        lift = np.nan_to_num(known_means(higher[origin - calendar.per_day : origin]))
        lifted = last[calendar.week[origin : origin + horizon]] + lift
        # A level that changed within the week is in some of its hours already: not twice.
        recent = slice(origin - calendar.per_week, origin)
        table = _by_phase(values[recent], calendar.day[recent], calendar.per_day)
        low = np.fmin.reduce(table) + np.minimum(lift, 0.0) / 2
        high = np.fmax.reduce(table) + np.maximum(lift, 0.0) / 2
        days = calendar.day[origin : origin + horizon]
        paths[i] = np.clip(lifted, low[days], high[days])
    return paths


def _by_phase(values: Floats, phases: Ints, count: int) -> Floats:
    """The values of each phase below one another, shape (values a phase, phases, series)."""
    order = np.argsort(phases, kind="stable")
    ordered = phases[order]
    place = np.arange(len(phases)) - np.searchsorted(ordered, ordered)
    table = np.full((int(place.max()) + 1, count, values.shape[1]), np.nan)
    table[place, ordered] = values[order]
    return table
