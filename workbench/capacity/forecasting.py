"""One instance's forecast: growth, fan, saturation.

Where the backtest was no better than "same as last week", the forecast is trusted less: its band is
widened by as much as the backtest's band should have been (split conformal), and where even that
is guesswork no date is given, only the chance.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from workbench.capacity.judging import Judged
from workbench.capacity.outlook import Change, Fan, Growth, Outlook, Saturation, Verdict
from workbench.samples import Floats
from workbench.statistics import (
    Average,
    Backtest,
    DailyPeaks,
    Paths,
    ShiftPool,
    first_passage,
    simulate,
)
from workbench.window import format_time

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

_ABSTAIN: Final = 1.5
"""With an error of so many times that of "same as last week" no date is given …"""

_ABSTAIN_RATIO: Final = 3.0
"""… nor where its band would have had to be so many times wider."""


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
    drawn = simulate(average, start_day=len(series), horizon=2 * horizon_days, rng=rng, pool=pool)
    trust = _trust(test)
    paths = _widened(drawn, trust.widening, at_least=_floor(series.values))
    saturation = None
    if known.limit is not None:
        saturation = _saturation(
            paths, known.limit / factor, factor, horizon_days, may_date=trust.may_date
        )
    return replace(
        known,
        growth=_growth(paths, factor),
        fan=_fan(paths, series, factor, horizon_days),
        saturation=saturation,
        verdict=_verdict(saturation, horizon_days),
        changes=_changes(average, judged),
        backtest=test,
        notes=(*known.notes, *_of_spikes(average, series, factor), *trust.notes),
    )


@dataclass(frozen=True, slots=True)
class _Trust:
    """How far the backtest lets the forecast be trusted.

    Parameters
    ----------
    widening
        By how much the band is widened, 1 or more.
    may_date
        Whether a date may be given.
    notes
        Both, said.
    """

    widening: float = 1.0
    may_date: bool = True
    notes: tuple[str, ...] = ()


def _trust(test: Backtest | None) -> _Trust:
    if test is None:
        return _Trust(notes=("The history is too short for a backtest.",))
    if test.beats_naive or not test.error:
        return _Trust()
    poor = f"The backtest's error is {test.relative_error:.2f} times that of 'same as last week'"
    widening = max(test.conformal_ratio, 1.0)
    if test.relative_error >= _ABSTAIN or widening >= _ABSTAIN_RATIO:
        widening = min(widening, _ABSTAIN_RATIO)
        note = f"{poor}: no date is given, and the band is {widening:.2f} times as wide."
        return _Trust(widening, may_date=False, notes=(note,))
    if widening > 1:
        return _Trust(widening, notes=(f"{poor}: the band is widened {widening:.2f} times.",))
    return _Trust(notes=(f"{poor}, but its band held what came and is kept as it is.",))


def _floor(past: Floats) -> float:
    """What has never been negative is not forecast to be."""
    return 0.0 if past.min() >= 0 else -np.inf


def _widened(paths: Paths, widening: float, *, at_least: float) -> Paths:
    """Each day's values moved away from that day's median."""
    values = paths.values
    if widening > 1:
        middle = np.median(values, axis=0)
        values = middle + widening * (values - middle)
    return Paths(np.maximum(values, at_least), paths.growth)


def _of_spikes(average: Average, series: DailyPeaks, factor: float) -> list[str]:
    """Say which days were left out of the fit."""
    spikes = average.spikes
    if not len(spikes):
        return []
    days = [format_time(series.times_ms[day])[:10] for day in spikes.days.tolist()]
    times = (series.peaks[spikes.days] / np.maximum(np.median(average.values), 1e-300)).max()
    verb = "stands" if len(days) == 1 else "stand"
    much = f" (up to {times:.3g} times the usual peak)" if times > 1 and factor else ""
    return [f"{', '.join(days)} {verb} out{much}: left out of the trend, expected as seldom again."]


def _saturation(
    paths: Paths, limit: float, factor: float, horizon: int, *, may_date: bool
) -> Saturation:
    passage = first_passage(paths.values, limit)
    needed = float(np.quantile(paths.values[:, :horizon].max(axis=1), _SURE))
    return Saturation(
        chances={d: passage.chance(d) for d in sorted({*_CHANCES, horizon}) if d <= 2 * horizon},
        days=passage.quantile(0.5),
        interval_80=passage.interval(0.8),
        interval_95=passage.interval(0.95),
        dated=may_date and passage.chance(horizon) >= DATED,
        add=max(needed - limit, 0.0) * factor,
        cumulative=passage.cumulative,
    )


def _growth(paths: Paths, factor: float) -> Growth:
    low, middle, high = (np.quantile(paths.growth, [0.1, 0.5, 0.9]) * factor).tolist()
    return Growth(middle, low, high)


def _fan(paths: Paths, series: DailyPeaks, factor: float, horizon: int) -> Fan:
    values = np.quantile(paths.values[:, :horizon], FAN_LEVELS, axis=0) * factor
    return Fan(series.times_ahead(horizon), FAN_LEVELS, values)


def _verdict(saturation: Saturation | None, horizon: int) -> Verdict:
    if saturation is None:
        return Verdict.NO_LIMIT
    if saturation.dated:
        return Verdict.DATED
    return Verdict.POSSIBLE if saturation.chances[horizon] >= _POSSIBLE else Verdict.UNLIKELY


def _changes(average: Average, judged: Judged) -> tuple[Change, ...]:
    edges = judged.series.edges_ms
    return tuple(
        Change(int(edges[round(s.day)]), s.size * judged.unit_factor) for s in average.evident
    )
