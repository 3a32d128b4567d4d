"""The next hours of any expression: what to ask, and how the answer is judged.

Saturation dates of daily peaks are `workbench.capacity.analysis`; here every step counts, up to
weeks ahead and by the hour of the day and of the week.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import Final

import numpy as np

from workbench.capacity.hourly.findings import (
    GAUGE_NEEDED,
    conclude_hourly,
    missing_steps,
    nothing_to_forecast,
)
from workbench.capacity.hourly.result import HourlyForecast, HourlyResult
from workbench.errors import InputError
from workbench.findings import Finding
from workbench.frame import Frame
from workbench.promql.question import Question
from workbench.samples import Floats, Ints, Labels, format_labels
from workbench.statistics import looks_like_counter
from workbench.statistics.seasonal import (
    QUANTILES,
    Method,
    SeasonalForecast,
    check_horizon,
    forecast_seasonal,
)
from workbench.window import Window

__all__ = ["MOST_SERIES", "analyse_hourly", "hourly_question"]

MOST_SERIES: Final = 500
"""More than a reader can look at, and about as many as half a minute allows."""

_KEY: Final = "history"

_WORTH_SAYING: Final = 0.01
"""A smaller share of missing steps is not told: a rate has none at the first step of its series."""


def hourly_question(expression: str, window: Window, horizon_ms: int) -> Question:
    """What to ask for a forecast.

    Parameters
    ----------
    expression
        Of gauges: a counter must stand in ``rate(…)``.
    window
        The history to learn from; its step divides a day.
    horizon_ms
        How far ahead.

    Raises
    ------
    InputError
        The step or the horizon is of no use: said before anything is asked.
    """
    check_horizon(window.step_ms, horizon_ms)
    return Question(_KEY, expression, window)


def analyse_hourly(
    frame: Frame,
    *,
    expression: str,
    horizon_ms: int,
    step_ms: int,
    unit: str = "",
    timezone: str = "UTC",
    holidays: Iterable[str | date] = (),
) -> HourlyResult:
    """Forecast every series of an answer.

    Parameters
    ----------
    frame
        The answer to `hourly_question`.
    expression
        What was asked.
    horizon_ms, step_ms
        How far ahead, and the distance of the steps.
    unit
        Of the values.
    timezone, holidays
        Whose days and weeks are the seasons, and which local dates pass as Sundays.

    Raises
    ------
    InputError
        There are more than 500 series, or the step, horizon, time zone or a holiday is of no use.
    """
    if len(frame) > MOST_SERIES:
        msg = f"{expression} gives {len(frame)} series, more than {MOST_SERIES}"
        raise InputError(msg, "aggregate them with sum by (…), or pick some with topk(…)")
    steps = check_horizon(step_ms, horizon_ms)
    times = np.asarray(frame.times_ms, np.int64)
    last = int(times[-1]) if len(times) else 0
    ahead = last + np.arange(1, steps + 1, dtype=np.int64) * step_ms
    history = np.where(frame.present & np.isfinite(frame.values), frame.values, np.nan)
    forecasts = _forecasts(history, times, steps, timezone, tuple(holidays))
    series = tuple(
        _named(HourlyForecast(_name(labels, expression), dict(labels), row, found))
        for labels, row, found in zip(frame.labels, history, forecasts, strict=True)
    )
    findings: list[Finding] = [] if series else [nothing_to_forecast(expression)]
    for each in series:
        findings.extend(conclude_hourly(each, expression))
    findings.sort(key=lambda f: (-f.severity.rank, f.code, f.about))
    return HourlyResult(expression, unit, timezone, times, ahead, series, tuple(findings))


def _forecasts(
    history: Floats, times_ms: Ints, steps: int, timezone: str, holidays: tuple[str | date, ...]
) -> list[SeasonalForecast]:
    """Forecast all series but counters."""
    if len(times_ms) < 2:
        return [_none("there is one step at most")] * len(history)
    found = forecast_seasonal(history.T, times_ms, steps, timezone=timezone, holidays=holidays)
    return [
        _none(GAUGE_NEEDED) if looks_like_counter(row[~np.isnan(row)]) else each
        for row, each in zip(history, found, strict=True)
    ]


def _none(reason: str) -> SeasonalForecast:
    return SeasonalForecast(Method.NONE, reason, np.empty((len(QUANTILES), 0)))


def _name(labels: Labels, expression: str) -> str:
    text = format_labels(labels)
    return expression if text == "{}" else text


def _named(each: HourlyForecast) -> HourlyForecast:
    """The same with notes on its data."""
    missing = missing_steps(each)
    if missing < _WORTH_SAYING * len(each.history):
        return each
    note = f"{missing} of {len(each.history)} steps are not known."
    return HourlyForecast(each.name, each.labels, each.history, each.forecast, (note,))
