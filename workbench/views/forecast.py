"""Forecasts of the next hours as a picture: a small multiple a series, its past and its fan."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.capacity.hourly.result import HourlyForecast, HourlyResult
from workbench.statistics.seasonal import QUANTILES, Method
from workbench.units import counted, format_quantity
from workbench.views.axis import Scale, plain_text, scale_for
from workbench.views.fan import fan_marks
from workbench.views.forecast_table import forecast_table, held, moment
from workbench.views.series import series_names
from workbench.views.theme import COLOURS, themed

__all__ = ["forecast_chart", "forecast_table"]

_MOST: Final = 12
"""So many series are drawn."""

_COLUMNS: Final = 2
_WIDE, _NARROW = (680, 240), (320, 140)
_DAY_MS: Final = 86_400_000
_PAST_DAYS: Final = 7
_POINTS: Final = 1_500
"""A line of more points than that shows no more."""

_LEGEND: Final = "blue: what was · orange: what comes, with the 50, 80 and 95 % intervals"

_Rows = dict[str, list[dict[str, Any]]]
"""The rows of every part of a chart, by the names of their data sets."""


def forecast_chart(result: HourlyResult) -> Any:
    """Draw the last days and the next hours of each series.

    Parameters
    ----------
    result
        Of `workbench.capacity.hourly.analysis.analyse_hourly`.

    Returns
    -------
    altair.VConcatChart
        Labels of series stand in it as data and titles only, never in an expression.
    """
    import altair as alt

    known = [each for each in result.series if each.known]
    drawn = known[:_MOST]
    names = series_names([each.labels for each in drawn], result.expression)
    rows: _Rows = {}
    size = _WIDE if len(drawn) == 1 else _NARROW
    panels = [
        _drawn(_Panel(rows, result, each, _scale(result, each), size), name)
        for each, name in zip(drawn, names, strict=True)
    ]
    notes = [_LEGEND, *_left_out(result, len(known))]
    title = alt.Title(plain_text(result.expression, most=90), subtitle=notes, offset=16)
    if panels:
        grid = alt.concat(*panels, columns=_COLUMNS, spacing={"row": 30, "column": 34})
    else:
        rows["message"] = [{"text": "No series could be forecast: the table says why."}]
        message = alt.Chart(alt.NamedData(name="message")).mark_text(align="left")
        grid = message.encode(text="text:N")
    whole = themed(alt.vconcat(grid, title=title))
    whole.datasets = rows
    return whole


def _left_out(result: HourlyResult, known: int) -> list[str]:
    """What the picture does not show."""
    notes: list[str] = []
    if known > _MOST:
        notes.append(f"the first {_MOST} of {counted(known, 'series', 'series')}")
    if unknown := len(result.series) - known:
        notes.append(f"{counted(unknown, 'series', 'series')} without a forecast")
    return notes


@dataclass(frozen=True, slots=True)
class _Panel:
    """One series and the axes on which it is drawn."""

    rows: _Rows
    result: HourlyResult
    each: HourlyForecast
    scale: Scale
    size: tuple[int, int]

    def scaled(self, values: Any) -> list[float | None]:
        """Values in the axis' unit, short; None where there is none."""
        numbers = (np.asarray(values, dtype=np.float64) * self.scale.factor).tolist()
        return [float(f"{v:.6g}") if np.isfinite(v) else None for v in numbers]

    def texts(self, values: Any) -> list[str]:
        unit = self.result.unit
        return [format_quantity(v, unit) if np.isfinite(v) else "–" for v in values.tolist()]

    def data(self, kind: str, **columns: Sequence[Any]) -> Any:
        """File rows of plain values under a name and give the reference."""
        import altair as alt

        name = f"{kind}_{len(self.rows)}"
        self.rows[name] = [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ]
        return alt.NamedData(name=name)

    def x(self) -> Any:
        import altair as alt

        ends = [int(self.result.times_ms[_first(self.result)]), int(self.result.ahead_ms[-1])]
        scale = alt.Scale(type="utc", domain=ends, nice=False)
        axis = alt.Axis(
            title=None, tickCount=5, format=_time_format(ends[1] - ends[0]), labelOverlap="greedy"
        )
        return alt.X("time:T", scale=scale, axis=axis)

    def y(self, field: str) -> Any:
        import altair as alt

        axis = alt.Axis(
            title=self.scale.title or None,
            titleAngle=0,
            titleAlign="left",
            titleAnchor="end",
            titleX=4,
            titleY=-6,
        )
        return alt.Y(f"{field}:Q", scale=alt.Scale(zero=False, nice=True), axis=axis)


def _scale(result: HourlyResult, each: HourlyForecast) -> Scale:
    past = np.abs(each.history[_first(result) :])
    known = past[np.isfinite(past)]
    fan = float(np.abs(each.forecast.values).max())
    return scale_for(max(fan, float(known.max(initial=0.0))), result.unit)


def _first(result: HourlyResult) -> int:
    """From which step on the past is drawn: a week, or three times the horizon."""
    ahead = int(result.ahead_ms[-1] - result.times_ms[-1])
    begin = int(result.times_ms[-1]) - max(_PAST_DAYS * _DAY_MS, 3 * ahead)
    return int(np.searchsorted(result.times_ms, begin))


def _time_format(span_ms: int) -> str:
    return "%-d %b" if span_ms > 3 * _DAY_MS else "%-d %b %H:%M"


def _drawn(panel: _Panel, name: str) -> Any:
    import altair as alt

    width, height = panel.size
    title = alt.Title(
        text=name, subtitle=plain_text(_headline(panel.each), most=70 if width < 400 else 140)
    )
    layers = [_past(panel), *_fan(panel), _now(panel)]
    return alt.layer(*layers, width=width, height=height, title=title)


def _headline(each: HourlyForecast) -> str:
    """How far to trust it, in a line."""
    found = each.forecast
    if found.method is Method.CONSTANT:
        return "it has not moved in the whole history"
    test = found.test
    if test is None:
        return ""
    kept = f"80 % held {held(test.coverage_80)}, 95 % held {held(test.coverage_95)}"
    if found.method is Method.NAIVE:
        return f"as yesterday: nothing did better · {kept}"
    return f"{test.relative_error:.2f} × the error of 'as yesterday' · {kept}"


def _past(panel: _Panel) -> Any:
    import altair as alt

    first = _first(panel.result)
    every = -(-(len(panel.result.times_ms) - first) // _POINTS)
    chosen = slice(first, None, every)
    times, values = panel.result.times_ms[chosen], panel.each.history[chosen]
    data = panel.data(
        "past",
        time=times.tolist(),
        value=panel.scaled(values),
        hour=[moment(t) for t in times.tolist()],
        text=panel.texts(values),
    )
    tooltip = [alt.Tooltip("hour:N", title="at"), alt.Tooltip("text:N", title="was")]
    line = alt.Chart(data).mark_line(color=COLOURS["usage"], clip=True)
    return line.encode(x=panel.x(), y=panel.y("value"), tooltip=tooltip)


def _fan(panel: _Panel) -> list[Any]:
    """Bands of 95, 80 and 50 %, and the middle."""
    import altair as alt

    values = panel.each.forecast.values
    every = -(-values.shape[1] // _POINTS)
    values, times = values[:, ::every], panel.result.ahead_ms[::every]
    low, high = panel.texts(values[1]), panel.texts(values[5])
    data = panel.data(
        "fan",
        time=times.tolist(),
        hour=[moment(t) for t in times.tolist()],
        middle=panel.texts(values[3]),
        band=[f"{a} to {b}" for a, b in zip(low, high, strict=True)],
        **{f"q{i}": panel.scaled(values[i]) for i in range(len(QUANTILES))},
    )
    tooltip = [
        alt.Tooltip("hour:N", title="at"),
        alt.Tooltip("middle:N", title="forecast"),
        alt.Tooltip("band:N", title="80 % interval"),
    ]
    base = alt.Chart(data).encode(x=panel.x(), tooltip=tooltip)
    return fan_marks(base, panel.y, dashed=False)


def _now(panel: _Panel) -> Any:
    """Where the history ends."""
    import altair as alt

    now = int(panel.result.times_ms[-1])
    data = panel.data("now", time=[now], text=[moment(now)])
    mark = alt.Chart(data).mark_rule(strokeDash=[2, 3], opacity=0.8)
    return mark.encode(x=panel.x(), tooltip=[alt.Tooltip("text:N", title="now")])
