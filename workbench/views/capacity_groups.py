"""All resources at a glance: a cell each, in groups, with each group's count by verdict."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from workbench.capacity import Outlook, Verdict
from workbench.views.axis import plain_text
from workbench.views.capacity_strip import CHANCES, WIDTH, key, strength
from workbench.views.capacity_table import headline
from workbench.views.columns import Datasets
from workbench.views.theme import COLOURS

__all__ = ["common_ground", "grouped", "groups_chart", "tally"]

_MOST: Final = 30
"""So many groups have a row of their own; those behind them share one."""

_LINE: Final = 50
"""Cells in a line."""

_NAMES: Final = 0.34
"""The share of the width before the cells."""

_CELL: Final = 15
_LEAST_LINES: Final = 2
"""A group takes two lines: its name, and below it its count."""

_GAP: Final = 0.5
"""Lines between two groups."""

_OTHERS: Final = "others"

_WORDS: Final = {
    Verdict.FULL: "full",
    Verdict.DATED: "dated",
    Verdict.POSSIBLE: "possible",
    Verdict.UNLIKELY: "not in sight",
    Verdict.NO_LIMIT: "no limit",
    Verdict.UNKNOWN: "cannot tell",
}

_MARKS: Final = {Verdict.FULL: "×", Verdict.NO_LIMIT: "∞", Verdict.UNKNOWN: "?"}
"""What stands in a cell whose colour says too little."""


def tally(outlooks: Sequence[Outlook]) -> str:
    """How many resources there are of each verdict, the most urgent first.

    Examples
    --------
    >>> tally([])
    ''
    """
    counts = Counter(o.verdict for o in outlooks)
    return " · ".join(f"{counts[v]:,} {_WORDS[v]}" for v in Verdict if counts[v])


def grouped(outlooks: Sequence[Outlook], by: str) -> dict[str, list[Outlook]]:
    """Resources by what they have in common, the most urgent group first.

    Parameters
    ----------
    outlooks
        The most urgent first.
    by
        ``service``, ``owner``, ``kind`` or the name of a label.

    Returns
    -------
    dict
        Names of groups, fit to be drawn, to their resources; at most 30, and those behind them
        as ``others``.
    """
    groups: dict[str, list[Outlook]] = {}
    for outlook in outlooks:
        groups.setdefault(_value(outlook, by), []).append(outlook)
    names = list(groups)
    if len(names) > _MOST + 1:
        rest = [o for name in names[_MOST:] for o in groups.pop(name)]
        groups[f"{len(names) - _MOST:,} {_OTHERS}"] = rest
    return groups


def common_ground(outlooks: Sequence[Outlook]) -> str:
    """By what to group: service or owner where most have one and there are not too many, else kind."""
    for by in ("service", "owner"):
        values = [getattr(o, by) for o in outlooks]
        known = [v for v in values if v]
        if 2 * len(known) > len(values) and 1 < len(set(known)) <= _MOST:
            return by
    return "kind"


def _value(outlook: Outlook, by: str) -> str:
    if by == "kind":  # without the placeholders of its template
        text = re.sub(r"\s*\{[^}]*\}", "", outlook.kind).strip() or outlook.kind
    else:
        text = getattr(outlook, by) if by in ("service", "owner") else outlook.labels.get(by, "")
    return plain_text(text, most=40) or f"without {plain_text(by, most=40)}"


def groups_chart(
    rows: Datasets, groups: dict[str, list[Outlook]], *, horizon: int, title: Any
) -> Any:
    """Draw groups of resources as rows of cells.

    Parameters
    ----------
    rows
        Where the data goes.
    groups
        Of `grouped`.
    horizon
        How many days ahead the analysis looked.
    title
        Above them.

    Returns
    -------
    altair.LayerChart
        Part of a chart that holds the data sets.
    """
    import altair as alt

    height = _file(rows, groups, horizon)
    line = alt.Scale(domain=[0, height], reverse=True, nice=False, zero=False)
    ends = [-_LINE * _NAMES / (1 - _NAMES), _LINE]
    scale = alt.Scale(domain=ends, nice=False, zero=False)
    what = f"P(full within {horizon} d)"
    cells = _cells(
        alt.X("column:Q", scale=scale, axis=None), alt.Y("line:Q", scale=line, axis=None)
    )
    strong = strength("chance", CHANCES)
    known = cells.transform_filter("isValid(datum.chance)").mark_rect(
        color=COLOURS["error"], x2Offset=-1.5, y2Offset=-1.5
    )
    unknown = cells.transform_filter("!isValid(datum.chance)").mark_rect(
        fillOpacity=0,
        stroke=COLOURS["neutral"],
        strokeOpacity=0.6,
        strokeWidth=1,
        x2Offset=-1.5,
        y2Offset=-1.5,
    )
    told = key(rows, what, CHANCES, colour=COLOURS["error"], above=16, x=(scale, 0, _LINE))
    layers = [*told, known.encode(opacity=strong), unknown, *_marks(scale, line), *_names(line)]
    chart = alt.layer(*layers, width=WIDTH, height=height * _CELL, title=title)
    return chart.resolve_scale(opacity="independent")


def _file(rows: Datasets, groups: dict[str, list[Outlook]], horizon: int) -> float:
    """File cells and groups; give how many lines they take."""
    cells: dict[str, list[Any]] = {
        k: [] for k in ("column", "line", "chance", "mark", "name", "outlook", "owner", "group")
    }
    heads: list[dict[str, Any]] = []
    line = 0.0
    for name, members in groups.items():
        heads.append(
            {"line": line, "name": f"{name} · {len(members):,}", "count": _urgent(members)}
        )
        for i, outlook in enumerate(members):
            found = outlook.saturation
            full = outlook.verdict is Verdict.FULL
            values = (
                i % _LINE,
                line + i // _LINE,
                1.0 if full else float(f"{found.chances[horizon]:.4g}") if found else None,
                _MARKS.get(outlook.verdict, ""),
                plain_text(outlook.name),
                plain_text(headline(outlook, horizon)),
                plain_text(outlook.owner) or "–",
                name,
            )
            for column, value in zip(cells.values(), values, strict=True):
                column.append(value)
        line += max(_LEAST_LINES, -(-len(members) // _LINE)) + _GAP
    rows["group_cells"], rows["group_names"] = [cells], heads
    return line


def _urgent(members: Sequence[Outlook]) -> str:
    """How many of a group somebody should look at."""
    urgent = (Verdict.FULL, Verdict.DATED, Verdict.POSSIBLE)
    return tally([o for o in members if o.verdict in urgent]) or "none is likely to fill"


def _cells(x: Any, y: Any) -> Any:
    import altair as alt

    fields = ("column", "line", "chance", "mark", "name", "outlook", "owner", "group")
    shown = (("name", "resource"), ("outlook", "outlook"), ("owner", "owner"), ("group", "group"))
    return (
        alt.Chart(alt.NamedData(name="group_cells"))
        .transform_flatten([alt.FieldName(name) for name in fields])
        .transform_calculate(right="datum.column + 1", below="datum.line + 1")
        .encode(
            x=x, x2="right", y=y, y2="below",
            tooltip=[alt.Tooltip(f"{field}:N", title=title) for field, title in shown],
        )
    )  # fmt: skip


def _marks(scale: Any, line: Any) -> list[Any]:
    """Signs in the cells whose colour says too little."""
    import altair as alt

    base = (
        alt.Chart(alt.NamedData(name="group_cells"))
        .transform_flatten([alt.FieldName(name) for name in ("column", "line", "mark")])
        .transform_filter("datum.mark !== ''")
        .transform_calculate(x="datum.column + 0.43", y="datum.line + 0.48")
        .encode(
            x=alt.X("x:Q", scale=scale, axis=None),
            y=alt.Y("y:Q", scale=line, axis=None),
            text="mark:N",
        )
    )
    full, other = "datum.mark === '×'", "datum.mark !== '×'"
    return [
        base.transform_filter(full).mark_text(
            fontSize=11, fontWeight="bold", color="#FFFFFF", tooltip=None
        ),
        base.transform_filter(other).mark_text(fontSize=9, tooltip=None),
    ]


def _names(line: Any) -> list[Any]:
    """Each group's name, and its count below."""
    import altair as alt

    y = alt.Y("line:Q", scale=line, axis=None)
    base = alt.Chart(alt.NamedData(name="group_names")).encode(x=alt.value(0), y=y)
    text = {"align": "left", "baseline": "top", "limit": 225}
    return [
        base.mark_text(**text, fontSize=11, fontWeight="bold", dy=1).encode(text="name:N"),
        base.mark_text(**text, fontSize=10, dy=_CELL).encode(text="count:N"),
    ]
