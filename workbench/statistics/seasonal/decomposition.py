"""Parts of a series: hours of the day and of the week by averages, level and trend of what is left."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.seasonal.calendar import Calendar
from workbench.statistics.seasonal.smoothing import Start

__all__ = ["decomposed_path", "known_means", "phase_means", "start_of"]

_WEEKS: Final = 4
"""How much of the history the parts are taken from."""

_TREND_DAYS: Final = 14
_DAMPING_A_DAY: Final = 0.8
_PRIOR_WEEKS: Final = 1.0
"""The weekly part is drawn towards 0 as if it had been 0 in so many more weeks."""


def phase_means(values: Floats, phases: Ints, count: int, prior: float = 0.0) -> Floats:
    """The mean of each phase, 0 where it was never seen.

    Parameters
    ----------
    values
        Shape (steps, series), NaN where nothing is known.
    phases
        Shape (steps,), from 0 to `count` − 1.
    prior
        How many values of 0 are counted in for each phase.

    Examples
    --------
    >>> phase_means(np.array([[1.0], [5.0], [3.0], [np.nan]]), np.array([0, 1, 0, 1]), 2).tolist()
    [[2.0], [5.0]]
    """
    known = ~np.isnan(values)
    sums, counts = np.zeros((2, count, values.shape[1]))
    np.add.at(sums, phases, np.where(known, values, 0.0))
    np.add.at(counts, phases, known.astype(np.float64))
    means: Floats = sums / np.maximum(counts + prior, 1e-12)
    return means


def start_of(values: Floats, calendar: Calendar, *, weekly: bool) -> Start:
    """States for the recursion from the first steps of a history.

    Parameters
    ----------
    values
        Those steps, shape (steps, series): two days, or two weeks where the week is a season.
    calendar
        Of steps beginning with the same.
    weekly
        Whether the week is a season.
    """
    span = calendar.per_week if weekly else calendar.per_day
    level = np.nan_to_num(known_means(values[:span]))
    rest = values - _running_mean(values, span)
    day, week = calendar.day[: len(values)], calendar.week[: len(values)]
    by_day = phase_means(rest, day, calendar.per_day)
    by_week = np.zeros((calendar.per_week, values.shape[1]))
    if weekly:
        by_week = phase_means(rest - by_day[day], week, calendar.per_week, _PRIOR_WEEKS)
    return Start(level, by_day, by_week)


def decomposed_path(
    values: Floats, calendar: Calendar, origin: int, horizon: int, *, weekly: bool
) -> Floats:
    """Forecast from an origin by averages of the last weeks and a damped trend.

    Parameters
    ----------
    values
        Shape (steps, series).
    calendar
        Of the steps and of `horizon` more.
    origin
        Values before it are known.
    horizon
        Steps ahead.
    weekly
        Whether the week is a season.

    Returns
    -------
    Floats
        Shape (horizon, series).
    """
    begin = max(0, origin - _WEEKS * calendar.per_week)
    known = values[begin:origin]
    day, week = calendar.day[begin:origin], calendar.week[begin:origin]
    rest = known - _running_mean(known, calendar.per_week if weekly else calendar.per_day)
    by_day = phase_means(rest, day, calendar.per_day)
    season = by_day[calendar.day[origin : origin + horizon]]
    adjusted = known - by_day[day]
    if weekly:
        by_week = phase_means(rest - by_day[day], week, calendar.per_week, _PRIOR_WEEKS)
        season = season + by_week[calendar.week[origin : origin + horizon]]
        adjusted = adjusted - by_week[week]
    level, drift = _level_and_drift(adjusted, calendar.per_day)
    damping = _DAMPING_A_DAY ** (1 / calendar.per_day)
    steps = np.cumsum(damping ** np.arange(1, horizon + 1))
    return season + level + steps[:, None] * drift


def _running_mean(values: Floats, span: int) -> Floats:
    """The mean of `span` steps around each, of fewer at the ends; shape as `values`."""
    known = ~np.isnan(values)
    steps = len(values)
    sums = np.zeros((2, steps + 1, values.shape[1]))
    np.cumsum(np.where(known, values, 0.0), axis=0, out=sums[0, 1:])
    np.cumsum(known, axis=0, out=sums[1, 1:])
    # Whole spans throughout, shifted inwards at the ends: a part of a season has another mean.
    low = np.clip(np.arange(steps) - span // 2, 0, max(steps - span, 0))
    high = np.minimum(low + span, steps)
    total, count = sums[:, high] - sums[:, low]
    means: Floats = total / np.maximum(count, 1.0)
    return means


def _level_and_drift(adjusted: Floats, per_day: int) -> tuple[Floats, Floats]:
    """The level at the end, the last half day counting most, and the change a step, robustly."""
    age = np.arange(len(adjusted), 0, -1, dtype=np.float64)
    weight = np.where(np.isnan(adjusted), 0.0, (0.5 ** (2 * age / per_day))[:, None])
    total = weight.sum(axis=0)
    level = np.nansum(weight * np.nan_to_num(adjusted), axis=0) / np.maximum(total, 1e-300)
    days = min(len(adjusted) // per_day, _TREND_DAYS)
    if days < 4:
        return level, np.zeros_like(level)
    blocks = adjusted[len(adjusted) - days * per_day :].reshape(days, per_day, -1)
    means = np.stack([known_means(block) for block in blocks])
    half = days // 2
    slopes = (means[-half:] - means[:half]) / (days - half)
    known = ~np.isnan(slopes).all(axis=0)
    drift = np.zeros_like(level)
    drift[known] = np.nanmedian(slopes[:, known], axis=0) / per_day
    return level, drift


def known_means(values: Floats) -> Floats:
    """Means over steps, NaN where nothing is known."""
    known = ~np.isnan(values)
    count = known.sum(axis=0)
    total = np.where(known, values, 0.0).sum(axis=0)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)
