"""One resource as a small chart: its history, its forecast as a fan, its limit and its date."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.capacity import Outlook, Verdict
from workbench.statistics import DAY_MS
from workbench.units import format_quantity
from workbench.views.axis import Scale, plain_text, scale_for
from workbench.views.capacity_table import full_on, headline
from workbench.views.columns import Datasets
from workbench.views.fan import fan_marks
from workbench.views.theme import COLOURS

__all__ = ["LEGEND", "panel_chart"]

_WIDTH: Final = 320
_HEIGHT: Final = 130

LEGEND: Final = (
    "blue: lowest to highest of each day · orange: forecast of the daily peak, 50, 80, 95 % of futures",
    "red: limit · ◆ full, with its 80 % interval",
)
"""What the colours of a panel mean, in lines."""

_ROOM: Final = 1.12
"""How much of an axis stands above the highest thing on it."""


@dataclass(frozen=True, slots=True)
class _Panel:
    """One resource and the axes on which it is drawn."""

    rows: Datasets
    outlook: Outlook
    horizon: int
    scale: Scale
    low: float
    high: float

    @property
    def now_ms(self) -> int:
        return self.outlook.history.end_ms

    def scaled(self, values: Any) -> list[float | None]:
        """Values in the axis' unit, short; None where there is none."""
        numbers = (np.asarray(values, dtype=np.float64) * self.scale.factor).tolist()
        return [float(f"{v:.5g}") if np.isfinite(v) else None for v in numbers]

    def text(self, value: float) -> str:
        return "–" if np.isnan(value) else format_quantity(value, self.outlook.unit)

    def x(self, field: str = "time") -> Any:
        import altair as alt

        start = int(self.outlook.history.times_ms[0])
        ends = [start, self.now_ms + self.horizon * DAY_MS]
        scale = alt.Scale(type="utc", domain=ends, nice=False)
        axis = alt.Axis(title=None, tickCount=5, format="%-d %b", labelOverlap="greedy")
        return alt.X(f"{field}:T", scale=scale, axis=axis)

    def y(self, field: str) -> Any:
        import altair as alt

        ends = [self.low * self.scale.factor, self.high * self.scale.factor]
        axis = alt.Axis(
            title=self.scale.title or None,
            titleAngle=0,
            titleAlign="left",
            titleAnchor="end",
            titleX=4,
            titleY=-6,
        )
        return alt.Y(f"{field}:Q", scale=alt.Scale(domain=ends, nice=False, zero=False), axis=axis)


def panel_chart(rows: Datasets, outlook: Outlook, horizon: int) -> Any:
    """Draw one resource that has a history.

    Parameters
    ----------
    rows
        Where its data goes.
    outlook
        The resource.
    horizon
        How many days ahead are drawn.

    Returns
    -------
    altair.LayerChart
        Part of a chart that holds the data sets.
    """
    import altair as alt

    low, high = _ends(outlook)
    panel = _Panel(rows, outlook, horizon, scale_for(high, outlook.unit), low, high)
    layers = [*_history(panel), *_fan(panel), *_limit(panel), _now(panel), *_mark(panel)]
    # Given here and not by `properties`, which would copy all layers once more.
    return alt.layer(*layers, width=_WIDTH, height=_HEIGHT, title=_title(panel))


def _title(panel: _Panel) -> Any:
    import altair as alt

    urgent = panel.outlook.verdict in (Verdict.FULL, Verdict.DATED)
    marked = {"subtitleColor": COLOURS["error"], "subtitleFontWeight": 600} if urgent else {}
    return alt.Title(
        text=plain_text(panel.outlook.name, most=48),
        subtitle=plain_text(headline(panel.outlook, panel.horizon), most=68),
        **marked,
    )


def _ends(outlook: Outlook) -> tuple[float, float]:
    """The y axis: from 0 to above the limit and the likely part of fan and history."""
    history, fan = outlook.history, outlook.fan
    highest = [float(np.nanmax(history.peaks)), outlook.limit or 0.0]
    lowest = [0.0, float(np.nanmin(history.lows))]
    if fan is not None:
        # The outer band may run far off; what lies above one and a half limits is cut off.
        bound = 1.5 * max(highest)
        highest.append(min(float(fan.values[-1].max()), bound))
    return min(lowest) * _ROOM, (max(highest) or 1.0) * _ROOM


def _data(rows: Datasets, kind: str, **columns: Sequence[Any]) -> Any:
    """File rows of plain values under a name and give the reference.

    Altair copies a chart deeply whenever it is put into another: rows are kept out of that.
    """
    import altair as alt

    name = f"{kind}_{len(rows)}"
    rows[name] = [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ]
    return alt.NamedData(name=name)


def _history(panel: _Panel) -> list[Any]:
    """Each day's lowest to highest sample, and a line along the peaks."""
    import altair as alt

    history = panel.outlook.history
    data = _data(
        panel.rows,
        "history",
        time=history.times_ms.tolist(),
        low=panel.scaled(history.lows),
        peak=panel.scaled(history.peaks),
        day=[_day(t) for t in history.times_ms.tolist()],
        peak_text=[panel.text(v) for v in history.peaks.tolist()],
        low_text=[panel.text(v) for v in history.lows.tolist()],
    )
    tooltip = [
        alt.Tooltip("day:N", title="day"),
        alt.Tooltip("peak_text:N", title="peak"),
        alt.Tooltip("low_text:N", title="lowest"),
    ]
    base = alt.Chart(data).encode(x=panel.x(), tooltip=tooltip)
    colour = COLOURS["usage"]
    band = base.mark_area(color=colour, opacity=0.22, clip=True)
    line = base.mark_line(color=colour, clip=True)
    return [band.encode(y=panel.y("low"), y2="peak:Q"), line.encode(y=panel.y("peak"))]


def _fan(panel: _Panel) -> list[Any]:
    """Bands of 95, 80 and 50 %, and the median."""
    import altair as alt

    fan = panel.outlook.fan
    if fan is None:
        return []
    rows = {f"{level:g}": values for level, values in zip(fan.levels, fan.values, strict=True)}
    data = _data(
        panel.rows,
        "fan",
        time=fan.times_ms.tolist(),
        day=[_day(t) for t in fan.times_ms.tolist()],
        middle=[panel.text(v) for v in rows["0.5"].tolist()],
        band=[
            f"{panel.text(a)} – {panel.text(b)}"
            for a, b in zip(rows["0.1"].tolist(), rows["0.9"].tolist(), strict=True)
        ],
        **{f"q{i}": panel.scaled(values) for i, values in enumerate(rows.values())},
    )
    tooltip = [
        alt.Tooltip("day:N", title="day"),
        alt.Tooltip("middle:N", title="forecast peak"),
        alt.Tooltip("band:N", title="80 % of futures"),
    ]
    base = alt.Chart(data).encode(x=panel.x(), tooltip=tooltip)
    return fan_marks(base, panel.y)


def _limit(panel: _Panel) -> list[Any]:
    """The limit as it was, and as it is taken to stay."""
    import altair as alt

    if panel.outlook.limit is None:
        return []
    times = panel.outlook.history.times_ms
    end = panel.now_ms + panel.horizon * DAY_MS
    values = [*panel.outlook.limits.tolist(), panel.outlook.limit]
    data = _data(
        panel.rows,
        "limit",
        time=[*times.tolist(), end],
        limit=panel.scaled(values),
        text=[panel.text(v) for v in values],
    )
    mark = alt.Chart(data).mark_line(
        color=COLOURS["limit"], strokeWidth=1.4, interpolate="step-after", clip=True
    )
    return [
        mark.encode(x=panel.x(), y=panel.y("limit"), tooltip=[alt.Tooltip("text:N", title="limit")])
    ]


def _now(panel: _Panel) -> Any:
    """Where the history ends."""
    import altair as alt

    data = _data(panel.rows, "now", time=[panel.now_ms], text=[_day(panel.now_ms)])
    mark = alt.Chart(data).mark_rule(strokeDash=[2, 3], opacity=0.8)
    return mark.encode(x=panel.x(), tooltip=[alt.Tooltip("text:N", title="now")])


def _mark(panel: _Panel) -> list[Any]:
    """The date on which it is full, on the limit, with its 80 % interval."""
    import altair as alt

    outlook, found = panel.outlook, panel.outlook.saturation
    if found is None or not found.dated or found.days is None or outlook.limit is None:
        return []
    low, high = found.interval_80
    ends = [d if d is not None else panel.horizon for d in (low, high)]
    data = _data(
        panel.rows,
        "mark",
        time=[outlook.time_ms(found.days)],
        low=[outlook.time_ms(min(ends[0], panel.horizon))],
        high=[outlook.time_ms(min(ends[1], panel.horizon))],
        limit=panel.scaled([outlook.limit]),
        text=[full_on(outlook)],
        line=[headline(outlook, panel.horizon)],
    )
    base = alt.Chart(data).encode(y=panel.y("limit"), tooltip=[alt.Tooltip("line:N", title="full")])
    span = base.mark_rule(color=COLOURS["limit"], strokeWidth=5, opacity=0.75, strokeCap="round")
    point = base.mark_point(
        color=COLOURS["limit"], fill=COLOURS["limit"], shape="diamond", size=110, opacity=1
    )
    # The ends stand on the other layers; here Vega-Lite would write them another way and complain.
    low_end = alt.X("low:T", scale=alt.Scale(type="utc"))
    return [span.encode(x=low_end, x2="high:T"), point.encode(x=panel.x())]


def _day(time_ms: int) -> str:
    return str(np.datetime64(time_ms, "ms").astype("datetime64[D]"))
