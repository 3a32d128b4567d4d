"""Cardinality as a picture: what a deploy changes, which metrics make the series, which labels."""

from __future__ import annotations

from typing import Any

from workbench.cardinality.audit import Audit
from workbench.cardinality.census import Census
from workbench.cardinality.summary import headline
from workbench.views.axis import plain_text
from workbench.views.bar_rows import (
    BAR,
    BELOW,
    MOST,
    NAME,
    SHORT,
    Rows,
    figures_beside,
    message,
    names_above,
    part,
    row_axis,
    rows_as,
)  # fmt: skip
from workbench.views.cardinality_changes import changes_part
from workbench.views.cardinality_table import cardinality_table, costliest
from workbench.views.theme import COLOURS, themed

__all__ = ["cardinality_chart", "cardinality_table"]


def cardinality_chart(result: Audit) -> Any:
    """Draw what a deploy changes, then where the series are, then what each label costs.

    Parameters
    ----------
    result
        Of `workbench.cardinality.audit.audit`. Parts for which nothing was read are left out.

    Returns
    -------
    altair.VConcatChart
        Names of metrics and labels stand in it as data and titles only, never in an expression.
    """
    import altair as alt

    rows: Rows = {}
    parts = []
    if result.baseline is not None or result.census is None:
        parts += changes_part(rows, result)
    if result.census is not None:
        parts += [*_families(rows, result.census), *_labels(rows, result.census)]
    if not parts:
        parts.append(message(rows, "There are no series to draw."))
    title = alt.Title("Series by metric and label", subtitle=_wrapped(headline(result)), offset=16)
    whole = themed(alt.vconcat(*parts, spacing=36, title=title))
    whole.datasets = rows
    return whole


def _wrapped(text: str, most: int = 60) -> list[str]:
    """A sentence in lines that fit."""
    import textwrap

    return textwrap.wrap(plain_text(text, most=400), most)


# ------------------------------------------------------------------ where the series are


def _families(rows: Rows, census: Census) -> list[Any]:
    """Bars by family: what stays without the costliest label, and what only it makes."""
    import altair as alt

    shown = census.families[:MOST]
    if not shown:
        return []
    entries = []
    for family in shown:
        worst = costliest(family)
        saved = (worst.saved or 0) if worst is not None else 0
        label = (
            f" · {plain_text(worst.name, most=24)}, {worst.values:,} values"
            if worst is not None
            else ""
        )
        entries.append(
            {
                "name": f"{plain_text(family.name, most=NAME - len(label))}{label}",
                "kept": family.series - saved,
                "all": family.series,
                "figure": f"{family.series:,} · {_share(family.share)}",
                "metric": plain_text(family.name),
                "kind": family.type,
                "label": plain_text(worst.name) if worst is not None else "–",
                "left": f"{family.series - saved:,}",
            }
        )
    data = rows_as(rows, "families", entries)
    tooltip = [
        alt.Tooltip("metric:N"),
        alt.Tooltip("kind:N", title="type"),
        alt.Tooltip("figure:N", title="series"),
        alt.Tooltip("label:N", title="costliest label"),
        alt.Tooltip("left:N", title="series without it"),
    ]
    base = alt.Chart(data).encode(y=row_axis(), tooltip=tooltip)
    bar = {"size": BAR, "yOffset": BELOW}
    kept = base.mark_bar(color=COLOURS["usage"], **bar).encode(x=_series("kept"), x2=alt.datum(0))
    costs = base.mark_bar(color=COLOURS["forecast"], **bar).encode(x=_series("kept"), x2="all:Q")
    subtitle = [
        "orange, at the right: only because of the label that is named",
        "blue, at the left: what is left without it",
    ]
    if hidden := census.family_count - len(shown):
        rest = census.series - sum(f.series for f in shown)
        subtitle.append(f"{hidden:,} more metrics have the other {rest:,} series")
    layers = [kept, costs, names_above(data), figures_beside(data)]
    return [part(layers, "Metrics with the most series", subtitle)]


def _share(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else "< 1%"


def _series(field: str) -> Any:
    import altair as alt

    axis = alt.Axis(title=None, labelExpr=SHORT, tickCount=5, tickMinStep=1, grid=False)
    return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(domainMin=0, nice=False))


# ------------------------------------------------------------------ what each label costs


def _labels(rows: Rows, census: Census) -> list[Any]:
    """Bars by label: the series that every metric together would have fewer without it."""
    import altair as alt

    shown = [x for x in census.labels if x.saved][:MOST]
    if not shown:
        return []
    entries = [
        {
            "name": _label_line(x.name, x.values, x.metrics),
            "saved": x.saved,
            "values": x.values,
            "figure": f"−{x.saved:,}",
            "label": plain_text(x.name),
            "metrics": f"{x.metrics:,}",
            "count": f"{x.values:,}",
        }
        for x in shown
    ]
    data = rows_as(rows, "labels", entries)
    tooltip = [
        alt.Tooltip("label:N"),
        alt.Tooltip("count:N", title="distinct values"),
        alt.Tooltip("metrics:N", title="metrics that have it"),
        alt.Tooltip("figure:N", title="series without it"),
    ]
    base = alt.Chart(data).encode(y=row_axis(), tooltip=tooltip)
    bar = base.mark_bar(color=COLOURS["forecast"], size=BAR, yOffset=BELOW)
    values = base.mark_tick(
        color=COLOURS["neutral"], thickness=2.5, size=BAR + 6, yOffset=BELOW, opacity=1
    )
    layers = [
        bar.encode(x=_series("saved"), x2=alt.datum(0)),
        values.encode(x=_series("values")),
        names_above(data),
        figures_beside(data),
    ]
    subtitle = ["orange: series fewer if every metric lost it", "grey tick: its distinct values"]
    return [part(layers, "What each label costs", subtitle)]


def _label_line(name: str, values: int, metrics: int) -> str:
    many = f"{values:,} value{'s' if values != 1 else ''}"
    where = f"{metrics:,} metric{'s' if metrics != 1 else ''}"
    text = f" · {many} in {where}"
    return f"{plain_text(name, most=NAME - len(text))}{text}"
