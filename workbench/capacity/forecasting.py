"""One instance's forecast: growth, fan, saturation."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from workbench.capacity.judging import Judged
from workbench.capacity.outlook import Change, Fan, Growth, Outlook, Saturation, Verdict
from workbench.statistics import (
    DAY_MS,
    Average,
    Backtest,
    Paths,
    ShiftPool,
    first_passage,
    simulate,
)

__all__ = ["DATED", "FAN_LEVELS", "forecast"]

DATED: Final = 0.8
"""A date is given only where the chance of filling within the horizon is at least this."""

_POSSIBLE: Final = 0.05
"""Below this chance filling is called unlikely."""

FAN_LEVELS: Final = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""Quantiles of the fan: the ends of its 95, 80 and 50 % bands, and the median."""

_SURE: Final = 0.9
"""How sure what is to be added shall suffice."""

_CHANCES: Final = (30, 60, 90)


def forecast(
    judged: Judged,
    average: Average,
    *,
    horizon_days: int,
    pool: ShiftPool,
    rng: np.random.Generator,
    test: Backtest | None,
) -> Outlook:
    """Add growth, fan, level shifts, saturation and backtest to an outlook.

    Parameters
    ----------
    judged
        An instance without obstacle.
    average
        The averaged models of its daily peaks.
    horizon_days
        How far ahead a date is given; paths run twice as far, for the far end of intervals.
    pool
        How often and how far levels shift in the fleet.
    rng
        Where the paths come from.
    test
        Its backtest, if there is one.
    """
    series, factor, known = judged.series, judged.unit_factor, judged.outlook
    paths = simulate(average, start_day=len(series), horizon=2 * horizon_days, rng=rng, pool=pool)
    saturation = None
    if known.limit is not None:
        saturation = _saturation(paths, known.limit / factor, factor, horizon_days)
    return replace(
        known,
        growth=_growth(paths, factor),
        fan=_fan(paths, series.end_ms, factor, horizon_days),
        saturation=saturation,
        verdict=_verdict(saturation, horizon_days),
        changes=_changes(average, judged),
        backtest=test,
        notes=(*known.notes, *_doubts(test)),
    )


def _saturation(paths: Paths, limit: float, factor: float, horizon: int) -> Saturation:
    passage = first_passage(paths.values, limit)
    needed = float(np.quantile(paths.values[:, :horizon].max(axis=1), _SURE))
    return Saturation(
        chances={d: passage.chance(d) for d in sorted({*_CHANCES, horizon}) if d <= 2 * horizon},
        days=passage.quantile(0.5),
        interval_80=passage.interval(0.8),
        interval_95=passage.interval(0.95),
        dated=passage.chance(horizon) >= DATED,
        add=max(needed - limit, 0.0) * factor,
        cumulative=passage.cumulative,
    )


def _growth(paths: Paths, factor: float) -> Growth:
    low, middle, high = (np.quantile(paths.growth, [0.1, 0.5, 0.9]) * factor).tolist()
    return Growth(middle, low, high)


def _fan(paths: Paths, end_ms: int, factor: float, horizon: int) -> Fan:
    times = end_ms + np.arange(horizon, dtype=np.int64) * DAY_MS + DAY_MS // 2
    values = np.quantile(paths.values[:, :horizon], FAN_LEVELS, axis=0) * factor
    return Fan(times, FAN_LEVELS, values)


def _verdict(saturation: Saturation | None, horizon: int) -> Verdict:
    if saturation is None:
        return Verdict.NO_LIMIT
    if saturation.dated:
        return Verdict.DATED
    return Verdict.POSSIBLE if saturation.chances[horizon] >= _POSSIBLE else Verdict.UNLIKELY


def _changes(average: Average, judged: Judged) -> tuple[Change, ...]:
    start = judged.series.end_ms - len(judged.series) * DAY_MS
    return tuple(
        Change(start + round(s.day) * DAY_MS, s.size * judged.unit_factor) for s in average.shifts
    )


def _doubts(test: Backtest | None) -> list[str]:
    if test is None or test.beats_naive:
        return []
    times = f"{test.relative_error:.2f} times"
    return [f"The backtest's error is {times} that of 'same as last week': trust the dates less."]
