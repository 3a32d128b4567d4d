"""The study of the next hours: ask, forecast, join."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING

from workbench.capacity.hourly import analyse_hourly, hourly_question
from workbench.errors import InputError
from workbench.frame import Frame
from workbench.session.study import Study
from workbench.units import parse_duration

if TYPE_CHECKING:
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.window import Time

__all__ = ["study_forecast"]


def study_forecast(
    workbench: Asking,
    expression: str,
    *,
    last: Duration = "35d",
    horizon: Duration = "2d",
    step: Duration = "1h",
    end: Time | None = None,
    unit: str = "",
    timezone: str = "UTC",
    holidays: str | Iterable[str | date] = (),
) -> Study:
    """Forecast the next hours: see `Workbench.forecast`."""
    from workbench.views.forecast import forecast_chart, forecast_table

    window = workbench.window(last=last, end=end, step=step)
    horizon_ms = parse_duration(horizon)
    asked = hourly_question(expression, window, horizon_ms)
    answer = workbench.ask(asked.expression, asked.window)
    if not isinstance(answer.data, Frame):
        msg = f"{expression} gives no values on a grid"
        raise InputError(msg, "ask for an instant vector, such as rate(…[5m])")
    result = analyse_hourly(
        answer.data,
        expression=expression,
        horizon_ms=horizon_ms,
        step_ms=window.step_ms,
        unit=unit,
        timezone=timezone,
        holidays=holidays.split() if isinstance(holidays, str) else tuple(holidays),
    )
    return Study(
        "forecast", result, [answer.provenance], table=forecast_table, chart=forecast_chart
    )
