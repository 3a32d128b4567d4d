"""Rows of a chart with a name above each bar and a figure beside it: they fit a narrow page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

__all__ = [
    "BAR", "BELOW", "MOST", "NAME", "SHORT", "STEP", "WIDTH", "Rows", "figures_beside", "message",
    "names_above", "part", "row_axis", "rows_as",
]  # fmt: skip

MOST: Final = 15
"""Rows of each part."""

WIDTH: Final = 640
STEP: Final = 38
"""Height of a row: its name above, its bar below."""

BAR: Final = 11
BELOW: Final = 8
"""How far a bar stands below the middle of its row."""

NAME: Final = 62
"""Characters of the line above a bar: what a narrow page can hold."""

SHORT: Final = "format(datum.value, '~s')"
"""A number on an axis: 250, 10k, 2M, each by itself; an axis' own format gives all one prefix."""

Rows = dict[str, list[dict[str, Any]]]
"""The rows of every part, by the names of their data sets."""


def rows_as(rows: Rows, name: str, entries: Sequence[dict[str, Any]]) -> Any:
    """File rows under a name, numbered from the top, and give the reference."""
    import altair as alt

    rows[name] = [{"row": i, **entry} for i, entry in enumerate(entries)]
    return alt.NamedData(name=name)


def row_axis() -> Any:
    """One band a row, without an axis of its own."""
    import altair as alt

    return alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))


def names_above(data: Any) -> Any:
    """The line above each bar."""
    import altair as alt

    mark = alt.Chart(data).mark_text(align="left", baseline="bottom", dy=-1, fontSize=11.5)
    return mark.encode(x=alt.value(0), y=row_axis(), text="name:N")


def figures_beside(data: Any) -> Any:
    """The figure at the right of each bar, beyond the axis: it meets neither bars nor names."""
    import altair as alt

    mark = alt.Chart(data).mark_text(align="left", dx=8, dy=BELOW, fontSize=11)
    return mark.encode(x=alt.value("width"), y=row_axis(), text="figure:N")


def part(layers: Sequence[Any], title: str, subtitle: Sequence[str]) -> Any:
    """Layers as one part of the chart, under its title."""
    import altair as alt

    text = alt.Title(title, subtitle=list(subtitle), offset=12)
    return alt.layer(*layers, width=WIDTH, height={"step": STEP}, title=text)


def message(rows: Rows, text: str) -> Any:
    """A sentence in place of a picture."""
    import altair as alt

    mark = alt.Chart(rows_as(rows, "message", [{"text": text}])).mark_text(align="left")
    return mark.encode(x=alt.value(0), text="text:N")
