"""A what-if as a picture: usage against load, the relation beyond what was seen, and the limit."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.capacity.what_if.findings import growth
from workbench.capacity.what_if.result import Fit, Outcome, WhatIfResult
from workbench.samples import Floats
from workbench.units import counted, format_chance, format_quantity
from workbench.views.axis import Scale, plain_text, scale_for
from workbench.views.columns import Datasets, column_data, flattened
from workbench.views.theme import COLOURS, themed

__all__ = ["what_if_chart"]

_MOST: Final = 12
"""So many resources are drawn."""

_COLUMNS: Final = 3
_POINTS: Final = 240
"""A cloud of more points than that shows no more."""

_SIZE: Final = (208, 150)
_ONE: Final = (560, 280)

_CLOUD: Final = (
    "dots: one step of the history each · orange: the relation with its 80 % band, right of the "
    "dotted line beyond any load seen"
)
_MARKS: Final = (
    "blue: the busiest day's peak now · pink: under the scenario, with its 80 % interval · red: "
    "the limit"
)


def what_if_chart(result: WhatIfResult) -> Any:
    """Draw usage against load for the most urgent resources.

    Parameters
    ----------
    result
        Of `workbench.capacity.what_if.analysis.analyse_what_if`.

    Returns
    -------
    altair.VConcatChart
        Names and label values stand in it as data and titles only, never in an expression.
    """
    import altair as alt

    known = [each for each in result.outcomes if each.verdict.follows_load]
    drawn = known[:_MOST]
    datasets: Datasets = {}
    size = _ONE if len(drawn) == 1 else _SIZE
    panels = [_drawn(_Panel(datasets, each, i, size)) for i, each in enumerate(drawn)]
    notes = [_CLOUD, _MARKS] if drawn else []
    if others := len(result.outcomes) - len(drawn):
        notes.append(f"{counted(others, 'resource')} more in the table")
    title = alt.Title(plain_text(result.scenario.describe(), most=120), subtitle=notes, offset=16)
    if panels:
        grid = alt.concat(*panels, columns=_COLUMNS, spacing={"row": 30, "column": 30})
    else:
        datasets["message"] = [{"text": "No resource follows a load: the table says why."}]
        grid = (
            alt.Chart(alt.NamedData(name="message")).mark_text(align="left").encode(text="text:N")
        )
    whole = themed(alt.vconcat(grid, title=title))
    whole.datasets = datasets
    return whole


@dataclass(frozen=True, slots=True)
class _Panel:
    """One resource and the axes on which it is drawn."""

    datasets: Datasets
    each: Outcome
    number: int
    size: tuple[int, int]

    @property
    def fit(self) -> Fit:
        assert self.each.fit is not None
        return self.each.fit

    @property
    def usage_scale(self) -> Scale:
        each = self.each
        highest = max(float(np.max(self.fit.usages)), float(each.then[3]))
        if self.shows_limit:
            highest = max(highest, each.limit)
        return scale_for(highest, each.unit)

    @property
    def shows_limit(self) -> bool:
        """A limit far above all usage would press the picture flat."""
        limit = self.each.limit
        highest = max(float(self.each.then[3]), float(np.max(self.fit.usages)))
        return math.isfinite(limit) and limit <= 4 * highest

    @property
    def load_scale(self) -> Scale:
        return scale_for(float(self.fit.grid[-1]), self.each.load_unit or "load")

    def points(self, kind: str, **columns: Floats) -> Any:
        """A part of the chart with its numbers as columns."""
        import altair as alt

        data = column_data(
            self.datasets, f"{kind}_{self.number}", {n: v.tolist() for n, v in columns.items()}
        )
        part: Any = alt.Chart(data)
        part.transform = [flattened(columns)]
        return part

    def x(self, field: str = "load") -> Any:
        import altair as alt

        scale = alt.Scale(domain=[0, float(self.fit.grid[-1]) * self.load_scale.factor], nice=False)
        axis = alt.Axis(title=self.load_scale.title, tickCount=4, labelOverlap="greedy")
        return alt.X(f"{field}:Q", scale=scale, axis=axis)

    def y(self, field: str) -> Any:
        import altair as alt

        axis = alt.Axis(
            title=self.usage_scale.title or None, titleAngle=0, titleAlign="left",
            titleAnchor="end", titleX=4, titleY=-6,
        )  # fmt: skip
        return alt.Y(f"{field}:Q", scale=alt.Scale(zero=True, nice=True), axis=axis)


def _drawn(panel: _Panel) -> Any:
    import altair as alt

    width, height = panel.size
    narrow = width < 400
    title = alt.Title(
        text=plain_text(panel.each.name, most=34 if narrow else 90),
        subtitle=_headline(panel.each, narrow=narrow),
    )
    layers = [_cloud(panel), *_relation(panel), _seen(panel), *_peaks(panel)]
    if panel.shows_limit:
        layers.append(_limit(panel))
    return alt.layer(*layers, width=width, height=height, title=title)


def _headline(each: Outcome, *, narrow: bool) -> list[str]:
    """What comes of it, in a line or two."""
    peaks = f"{format_quantity(float(each.now[2]), each.unit)} → {format_quantity(float(each.then[2]), each.unit)}"
    if math.isnan(each.limit):
        return [peaks]
    lines = [
        f"{peaks} of {format_quantity(each.limit, each.unit)}",
        f"over with {format_chance(each.chance)}, bears {growth(float(each.bears[2]))}",
    ]
    return lines if narrow else [" · ".join(lines)]


def _cloud(panel: _Panel) -> Any:
    fit = panel.fit
    count = min(len(fit.loads), _POINTS)
    some = np.random.default_rng(0).choice(len(fit.loads), count, replace=False)
    part = panel.points(
        "seen",
        load=fit.loads[some] * panel.load_scale.factor,
        usage=fit.usages[some] * panel.usage_scale.factor,
    )
    mark = part.mark_circle(color=COLOURS["neutral"], size=9, opacity=0.45, clip=True)
    return mark.encode(x=panel.x(), y=panel.y("usage"))


def _relation(panel: _Panel) -> Sequence[Any]:
    fit, factor = panel.fit, panel.usage_scale.factor
    low, middle, high = np.maximum(fit.band, 0.0) * factor
    part = panel.points(
        "relation", load=fit.grid * panel.load_scale.factor, low=low, middle=middle, high=high
    )
    colour = COLOURS["forecast"]
    base = part.encode(x=panel.x())
    area = base.mark_area(color=colour, opacity=0.26, clip=True)
    return [
        area.encode(y=panel.y("low"), y2="high:Q"),
        base.mark_line(color=colour, clip=True).encode(y=panel.y("middle")),
    ]


def _seen(panel: _Panel) -> Any:
    """The highest load seen: what lies right of it is extrapolated."""
    import altair as alt

    top = panel.fit.top * panel.load_scale.factor
    panel.datasets[f"top_{panel.number}"] = [
        {"load": float(f"{top:.6g}"), "text": format_quantity(panel.fit.top, panel.each.load_unit)}
    ]
    part = alt.Chart(alt.NamedData(name=f"top_{panel.number}"))
    tooltip = [alt.Tooltip("text:N", title="highest load seen")]
    return part.mark_rule(strokeDash=[2, 3], opacity=0.8).encode(x=panel.x(), tooltip=tooltip)


def _peaks(panel: _Panel) -> list[Any]:
    """Today's peak and the scenario's, each with its 80 % interval."""
    import altair as alt

    each, layers = panel.each, []
    for kind, colour, load, peak, told in (
        ("now", COLOURS["usage"], each.load_now, each.now, "peak now"),
        ("then", COLOURS["accent"], each.load_then, each.then, "peak under the scenario"),
    ):
        texts = [format_quantity(float(v), each.unit) for v in peak[1:4]]
        name = f"{kind}_{panel.number}"
        factor = panel.usage_scale.factor
        panel.datasets[name] = [
            {
                "load": float(f"{load * panel.load_scale.factor:.6g}"),
                "low": float(f"{peak[1] * factor:.6g}"),
                "peak": float(f"{peak[2] * factor:.6g}"),
                "high": float(f"{peak[3] * factor:.6g}"),
                "at": format_quantity(load, each.load_unit),
                "text": f"{texts[1]} ({texts[0]} to {texts[2]})",
            }
        ]
        tooltip = [alt.Tooltip("text:N", title=told), alt.Tooltip("at:N", title="load")]
        base = alt.Chart(alt.NamedData(name=name)).encode(x=panel.x(), tooltip=tooltip)
        layers += [
            base.mark_rule(color=colour, strokeWidth=2).encode(y=panel.y("low"), y2="high:Q"),
            base.mark_point(
                color=colour, filled=True, opacity=1, size=70,
                shape="circle" if kind == "now" else "diamond",
            ).encode(y=panel.y("peak")),
        ]  # fmt: skip
    return layers


def _limit(panel: _Panel) -> Any:
    import altair as alt

    each = panel.each
    panel.datasets[f"limit_{panel.number}"] = [
        {
            "limit": float(f"{each.limit * panel.usage_scale.factor:.6g}"),
            "text": format_quantity(each.limit, each.unit),
        }
    ]
    part = alt.Chart(alt.NamedData(name=f"limit_{panel.number}"))
    mark = part.mark_rule(color=COLOURS["limit"], strokeWidth=1.6, strokeDash=[6, 3])
    return mark.encode(y=panel.y("limit"), tooltip=[alt.Tooltip("text:N", title="limit")])
