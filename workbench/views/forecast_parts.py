"""The parts of a series as a picture: what was observed with its level, day, week, what is left."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from workbench.capacity.hourly.parts import HourlyParts
from workbench.samples import Floats
from workbench.units import format_quantity
from workbench.views.axis import Scale, plain_text, scale_for
from workbench.views.forecast_table import moment
from workbench.views.theme import COLOURS, themed

__all__ = ["parts_chart"]

_WIDTH: Final = 680
_HEIGHTS: Final = {"observed": 150, "day": 80, "week": 80, "remainder": 80}
_POINTS: Final = 1_500
"""Lines of more points than that show no more."""

_SAID: Final = {"day": "pattern of the day", "week": "pattern of the week, beside the day's"}

_Rows = dict[str, list[dict[str, Any]]]


def parts_chart(parts: HourlyParts) -> Any:
    """Draw a series' parts below each other.

    Parameters
    ----------
    parts
        Of `workbench.capacity.hourly.parts.hourly_parts`.

    Returns
    -------
    altair.VConcatChart
        Each panel has a vertical axis of its own. The name of the series stands in it as text only.
    """
    import altair as alt

    name = plain_text(parts.name, most=90)
    rows: _Rows = {}
    if parts.reason:
        rows["message"] = [{"text": f"There are no parts: {parts.reason}."}]
        data = alt.NamedData(name="message")
        message = alt.Chart(data).mark_text(align="left").encode(text="text:N")
        whole = themed(alt.vconcat(message, title=alt.Title(name)))
        whole.datasets = rows
        return whole
    scale = _scale(parts)
    panels = [_observed(parts, rows, scale)]
    panels += [_panel(parts, rows, scale, name) for name in (*parts.seasons, "remainder")]
    legend = ["blue: observed · orange: level", "the parts add up to what was observed"]
    title = alt.Title(name, subtitle=legend, offset=14)
    whole = themed(alt.vconcat(*panels, title=title, spacing=16).resolve_scale(x="shared"))
    whole.datasets = rows
    return whole


def _scale(parts: HourlyParts) -> Scale:
    highest = float(np.nanmax(np.abs(parts.observed)))
    return scale_for(highest, parts.unit)


def _title(parts: HourlyParts, season: str) -> str:
    """What a part is and how large."""
    if season not in parts.seasons:
        typical = float(np.nanmedian(np.abs(parts.remainder)))
        return f"remainder: half of it within ± {format_quantity(typical, parts.unit)}"
    values = parts.seasons[season]
    low, high = (format_quantity(float(v), parts.unit) for v in (values.min(), values.max()))
    share = format_quantity(float(f"{parts.strength(season):.2g}"), "ratio")
    return f"{_SAID[season]}: {low} to {high}, strength {share}".replace("-", "−")


def _observed(parts: HourlyParts, rows: _Rows, scale: Scale) -> Any:
    """What was, and its level."""
    import altair as alt

    columns = {"observed": parts.observed, "level": parts.level}
    data = _data(parts, rows, "observed", columns, scale)
    base = alt.Chart(data, width=_WIDTH, height=_HEIGHTS["observed"])
    encodings = {"x": _x(), "tooltip": _tooltip(columns)}
    observed = base.mark_line(color=COLOURS["usage"], strokeWidth=1.4).encode(
        y=_y("observed", scale), **encodings
    )
    level = base.mark_line(color=COLOURS["forecast"], strokeWidth=2.5).encode(
        y=_y("level", scale), **encodings
    )
    return alt.layer(observed, level)


def _panel(parts: HourlyParts, rows: _Rows, scale: Scale, name: str) -> Any:
    """One part around 0."""
    import altair as alt

    values = parts.seasons.get(name, parts.remainder)
    title = _title(parts, name)
    data = _data(parts, rows, name, {name: values}, scale)
    base = alt.Chart(data, width=_WIDTH, height=_HEIGHTS[name], title=alt.Title(title))
    encodings = {"x": _x(), "y": _y(name, scale), "tooltip": _tooltip({name: values})}
    line = base.mark_line(color=COLOURS["usage"], strokeWidth=1.4).encode(**encodings)
    rows["zero"] = [{"zero": 0}]  # one row: a rule for every step would be drawn as often
    below = alt.Chart(alt.NamedData(name="zero"))
    zero = below.mark_rule(color=COLOURS["neutral"], opacity=0.6).encode(y="zero:Q")
    return alt.layer(zero, line)


def _data(
    parts: HourlyParts, rows: _Rows, name: str, columns: Mapping[str, Floats], scale: Scale
) -> Any:
    """File rows under a name and give the reference; where nothing is known the line breaks."""
    import altair as alt

    every = -(-len(parts.times_ms) // _POINTS)
    times = parts.times_ms[::every].tolist()
    rows[name] = [{"time": t, "at": moment(t)} for t in times]
    for column, values in columns.items():
        for row, value in zip(rows[name], values[::every].tolist(), strict=True):
            known = np.isfinite(value)
            row[column] = float(f"{value * scale.factor:.6g}") if known else None
            row[f"{column}_text"] = format_quantity(value, parts.unit) if known else "–"
    return alt.NamedData(name=name)


def _tooltip(columns: Mapping[str, Floats]) -> list[Any]:
    import altair as alt

    shown = [alt.Tooltip(f"{name}_text:N", title=name) for name in columns]
    return [alt.Tooltip("at:N", title="at"), *shown]


def _x() -> Any:
    import altair as alt

    axis = alt.Axis(title=None, tickCount=6, format="%-d %b", labelOverlap="greedy")
    return alt.X("time:T", scale=alt.Scale(type="utc", nice=False), axis=axis)


def _y(field: str, scale: Scale) -> Any:
    import altair as alt

    axis = alt.Axis(
        title=(scale.title or None) if field in {"observed", "level"} else None,
        titleAngle=0, titleAlign="left", titleAnchor="end", titleX=4, titleY=-6, tickCount=4,
    )  # fmt: skip
    return alt.Y(f"{field}:Q", scale=alt.Scale(zero=False, nice=True), axis=axis)
