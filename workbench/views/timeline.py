"""What all charts over time share: the axis in UTC, compact data, and the chart of nothing."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.samples import Floats
from workbench.views.axis import plain_text
from workbench.views.theme import COLOURS, themed

if TYPE_CHECKING:
    import altair as alt

__all__ = ["WIDTH", "compact_data", "empty_chart", "finite", "subtitled", "time_axis", "time_text"]

WIDTH: Final = 680
"""Of a chart in pixels: a notebook's width; not every front end knows its container's."""

_EMPTY_HEIGHT: Final = 80
_TITLE_WIDTH: Final = 88
_NOTE_WIDTH: Final = 108
"""Characters of one line above a chart."""

_MOST_LINES: Final = 4

_TICKS: Final = (
    "utcFormat(datum.value, "
    "utcFormat(datum.value, '%H:%M:%S') != '00:00:00' "
    "? (utcseconds(datum.value) ? '%H:%M:%S' : '%H:%M') "
    ": utcFormat(datum.value, '%j') == '001' ? '%e %b %Y' : '%e %b')"
)
"""A tick's text: the time of day, at midnight the date, at New Year the year too."""


def compact_data(columns: Mapping[str, Iterable[float | int | None]]) -> dict[str, Any]:
    r"""Columns of numbers as inline CSV: a fifth of the size of rows, and checked at once.

    Parameters
    ----------
    columns
        Of one length; NaN and None become null, other numbers keep seven digits, integers all.

    Examples
    --------
    >>> compact_data({"time": [0, 60_000], "value": [1.5, float("nan")]})["values"]
    'time,value\n0,1.5\n60000,\n'
    """
    names = list(columns)
    cells = [[_cell(value) for value in columns[name]] for name in names]
    lines = [",".join(row) for row in zip(*cells, strict=True)]
    parse = dict.fromkeys(names, "number")
    text = "\n".join([",".join(names), *lines, ""])
    return {"values": text, "format": {"type": "csv", "parse": parse}}


def _cell(value: float | None) -> str:
    if value is None or value != value:  # noqa: PLR0124 - NaN
        return ""
    return str(value) if isinstance(value, int) else f"{value:.7g}"


def finite(values: Floats) -> Floats:
    """A copy in which infinities, which JSON cannot hold, are NaN."""
    return np.where(np.isfinite(values), values, np.nan)


def time_axis(
    field: str = "time", *, ends: tuple[int, int] | None = None, most: int | None = None
) -> alt.X:
    """The horizontal axis: time in UTC, whatever zone the browser is in.

    Parameters
    ----------
    field
        Which holds it.
    ends
        Milliseconds since the epoch; without them, those of the data.
    most
        About how many ticks.
    """
    import altair as alt

    axis = alt.Axis(title=None, labelExpr=_TICKS)
    scale = alt.Scale(type="utc")
    if most is not None:
        axis = alt.Axis(title=None, labelExpr=_TICKS, tickCount=most, labelOverlap="greedy")
    if ends is not None:
        scale = alt.Scale(type="utc", domain=list(ends), nice=False)
    return alt.X(f"{field}:T", scale=scale, axis=axis)


def time_text(field: str = "time") -> str:
    """A Vega expression that writes a time in UTC."""
    return f"utcFormat(datum.{field}, '%Y-%m-%d %H:%M:%S')"


def empty_chart(title: str, what: str) -> alt.LayerChart:
    """A chart that says that there is nothing to draw."""
    import altair as alt

    text = alt.Chart({"values": [{"text": what}]}).mark_text(size=14, color=COLOURS["neutral"])
    chart = alt.layer(text.encode(text="text:N")).properties(
        title=subtitled(title, []), width=WIDTH, height=_EMPTY_HEIGHT
    )
    themed_chart: alt.LayerChart = themed(chart)
    return themed_chart


def subtitled(title: str, notes: Sequence[str]) -> alt.Title:
    """A title with what a reader must know of the data below it.

    Made drawable first: a NUL within a chart's text ends the process that renders it as a picture.
    """
    import altair as alt

    text = _wrapped(title, _TITLE_WIDTH)
    lines = [line for note in notes for line in _wrapped(note, _NOTE_WIDTH)]
    return alt.Title(text=text, subtitle=lines) if lines else alt.Title(text=text)


def _wrapped(text: str, width: int) -> list[str]:
    """Lines that fit above a chart; a text too long for them is cut in its middle."""
    short = plain_text(text, most=_MOST_LINES * width - width // 2)
    return textwrap.wrap(short, width, break_on_hyphens=False, max_lines=_MOST_LINES) or [""]
