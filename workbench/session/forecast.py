"""The study of the next hours: ask, forecast, join."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TYPE_CHECKING, Any

from workbench.capacity.hourly.analysis import analyse_hourly, hourly_question
from workbench.capacity.hourly.result import HourlyResult
from workbench.errors import InputError
from workbench.findings import Provenance
from workbench.frame import Frame
from workbench.session.study import Study
from workbench.statistics.local_time import split_dates
from workbench.units import parse_duration

if TYPE_CHECKING:
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.window import Time

__all__ = ["ForecastStudy", "study_forecast"]


class ForecastStudy(Study):
    """A study of the next hours, whose series can be taken apart.

    Parameters
    ----------
    result
        Of `workbench.capacity.hourly.analysis.analyse_hourly`.
    provenance
        Where the figures come from.
    """

    result: HourlyResult

    def __init__(self, result: HourlyResult, provenance: Iterable[Provenance]) -> None:
        from workbench.views.forecast import forecast_chart
        from workbench.views.forecast_table import forecast_table

        super().__init__("forecast", result, provenance, table=forecast_table, chart=forecast_chart)

    def parts(self, series: str | None = None) -> Any:
        """Draw the parts of one series: level, pattern of the day, of the week, and what is left.

        Parameters
        ----------
        series
            Its name as it stands in the table, or a part that only one has; None for the first
            that has a forecast. `workbench.capacity.hourly.parts.hourly_parts` gives the numbers.

        Returns
        -------
        altair.VConcatChart
            A picture for the reader: the forecast is not made of it.

        Raises
        ------
        InputError
            There is no series, or none or several have such a name.
        """
        from workbench.capacity.hourly.parts import hourly_parts
        from workbench.views import renderer, theme
        from workbench.views.forecast_parts import parts_chart

        theme.enable()
        renderer.enable()
        return parts_chart(hourly_parts(self.result, series))


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
) -> ForecastStudy:
    """Forecast the next hours: see `Workbench.forecast`."""
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
        holidays=split_dates(holidays),
    )
    return ForecastStudy(result, [answer.provenance])
