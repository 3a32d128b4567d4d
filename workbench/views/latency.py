"""Latency as a picture: quantiles over time, a panel for each of the busiest groups."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.latency.instrument import Kind
from workbench.latency.result import Distribution, LatencyResult
from workbench.samples import Floats
from workbench.units import format_duration, format_quantity
from workbench.views.axis import plain_text
from workbench.views.columns import Datasets, column_data, flattened
from workbench.views.latency_axis import (
    group_name,
    quantile_range,
    quantile_text,
    seconds_expression,
)
from workbench.views.latency_marks import LINES, Plane, drawn_quantiles, line_names
from workbench.views.latency_steps import Points, points_of
from workbench.views.theme import themed
from workbench.views.timeline import empty_chart, time_axis, time_text

__all__ = ["busiest", "latency_chart"]

_MOST: Final = 12
"""Panels."""

_POINTS: Final = 240
"""Of a line: a panel has hardly more pixels."""

_WIDTH: Final = 320
_HEIGHT: Final = 150
_COLUMNS: Final = 2

_WANTED: Final = (0.5, 0.95, 0.99)
"""Quantiles that are drawn, or else the nearest that were asked for."""


def latency_chart(result: LatencyResult) -> Any:
    """Draw quantiles over time, the busiest groups first.

    Parameters
    ----------
    result
        Of a latency analysis.

    Returns
    -------
    altair.ConcatChart
        Names of groups and deploys stand in it as data and titles only, never in an expression.
    """
    import altair as alt

    shown = [d for d in busiest(result, _MOST) if len(d.over_time.times_ms)]
    if not shown:
        return empty_chart("Latency over time", "No group has data to draw.")
    several = len({d.instrument.key for d in result.distributions}) > 1
    panels = [_Panel.of(d, result, several=several) for d in shown]
    title = alt.Title(
        "Latency over time, the busiest groups first",
        subtitle=_legend(panels, len(result.distributions)),
        offset=18,
    )
    datasets: Datasets = {}
    parts = [_drawn(datasets, panel) for panel in panels]
    spacing = {"row": 30, "column": 44}
    whole = themed(alt.concat(*parts, columns=_COLUMNS, spacing=spacing, title=title))
    whole.datasets = datasets
    return whole


def busiest(result: LatencyResult, most: int) -> list[Distribution]:
    """The groups with the most requests; each instrument gets an equal part of the places.

    Parameters
    ----------
    result
        Its distributions stand by instrument, the busiest first.
    most
        Groups.
    """
    by_instrument: dict[str, list[Distribution]] = {}
    for each in result.distributions:
        by_instrument.setdefault(each.instrument.key, []).append(each)
    # the first of each instrument, then the second of each …
    ranked = sorted((i, k) for k, of_one in by_instrument.items() for i in range(len(of_one)))
    kept = set(ranked[:most])
    return [
        x for k, of_one in by_instrument.items() for i, x in enumerate(of_one) if (i, k) in kept
    ]


def _legend(panels: Sequence[_Panel], groups: int) -> list[str]:
    first = panels[0]
    lines = [
        (
            f"lines: {', '.join(first.names)}, our estimate · band: the bucket that holds "
            f"{first.names[-1]} for certain · blank: no data"
        ),
        f"each point: the requests of {first.span} · red: objective · grey dashes: deploy",
    ]
    if any(p.distribution.instrument.kind is Kind.SUMMARY for p in panels):
        lines.append("of a summary: bands from the fastest instance to the slowest, no estimate")
    if groups > len(panels):
        lines.append(f"{len(panels)} of {groups:,} groups are drawn; the table has all")
    return lines


@dataclass(frozen=True, slots=True, eq=False)
class _Panel:
    """One group and the plane on which it is drawn."""

    distribution: Distribution
    title: str
    metric: str
    points: Points
    quantiles: tuple[float, ...]
    plane: Plane

    @classmethod
    def of(cls, distribution: Distribution, result: LatencyResult, *, several: bool) -> _Panel:
        """Choose quantiles, points and axes."""
        quantiles = drawn_quantiles(distribution.over_time.quantiles, _WANTED)
        points = points_of(distribution, quantiles, result.window.step_ms, _POINTS)
        seen = np.concatenate([points.value.ravel(), *_edges(points)])
        return cls(
            distribution,
            group_name(distribution, several=False, most=48),
            distribution.instrument.key if several else "",
            points,
            quantiles,
            Plane.around(
                result.window, seen, _HEIGHT, result.objectives, result.deploys_of(distribution)
            ),
        )

    @property
    def names(self) -> list[str]:
        return [f"p{100 * q:g}" for q in self.quantiles]

    @property
    def colours(self) -> tuple[str, ...]:
        return LINES[-len(self.quantiles) :]

    @property
    def span(self) -> str:
        each = self.points.ends_ms - self.points.starts_ms
        return format_duration(int(each[0])) if len(each) else "a step"

    def x(self, field: str = "time") -> Any:
        return self.plane.x(field, most=5)

    def y(self, field: str) -> Any:
        return self.plane.y(field)


def _edges(points: Points) -> list[Floats]:
    """Edges of buckets that are to be seen: of the highest quantile; all of a summary."""
    if np.isfinite(points.value).any():
        return [points.high[:, -1]]
    return [points.low.ravel(), points.high.ravel()]


def _drawn(datasets: Datasets, panel: _Panel) -> Any:
    import altair as alt

    plane = panel.plane
    layers = [*_bands(panel), _lines(panel), *plane.objective_rules(), *plane.deploy_rules()]
    names = line_names(panel.names, panel.colours, _middles(panel.points))
    layers += [*plane.names(names), _hover(panel)]
    columns = _columns(panel)
    return alt.layer(
        *layers,
        data=column_data(datasets, f"panel_{len(datasets)}", columns),
        transform=[flattened(columns)],
        width=_WIDTH,
        height=_HEIGHT,
        title=_title(panel),
        resolve=alt.Resolve(scale=alt.ScaleResolveMap(color="independent")),
    )


def _middles(points: Points) -> Floats:
    """Where lines are; of a summary, which has none, the middle of each band."""
    with np.errstate(invalid="ignore"):
        between = np.sqrt(points.low * points.high)
    return np.where(np.isfinite(points.value), points.value, between)


def _title(panel: _Panel) -> Any:
    import altair as alt

    d = panel.distribution
    many = f"{format_quantity(d.requests)} requests" if math.isfinite(d.requests) else ""
    top = d.quantile(panel.quantiles[-1])
    figure = quantile_text(top) if top is not None else ""
    sure = top is not None and top.value is not None and not top.clipped
    bucket = f"bucket {quantile_range(top.bucket_low, top.bucket_high)}" if sure and top else ""
    lines = [plain_text(panel.metric, most=70)] if panel.metric else []
    lines.append(plain_text(" · ".join(filter(None, [many, figure, bucket])), most=70))
    return alt.Title(text=panel.title, subtitle=lines)


def _columns(panel: _Panel) -> dict[str, Any]:
    """Every figure of the panel, once: all layers and the tooltip read it."""
    points = panel.points
    columns: dict[str, Any] = {
        "from": points.starts_ms.tolist(),
        "time": points.ends_ms.tolist(),
        "requests": np.round(points.requests, 1).tolist(),
    }
    for i in range(len(panel.quantiles)):
        columns[f"value{i}"] = points.value[:, i].tolist()
        columns[f"low{i}"] = points.low[:, i].tolist()
        columns[f"high{i}"] = np.where(
            np.isinf(points.high[:, i]), -1.0, points.high[:, i]
        ).tolist()
    columns["linear"] = points.promql[:, -1].tolist()
    return columns


def _bands(panel: _Panel) -> list[Any]:
    """Between the edges of the bucket: of the highest quantile; of a summary all."""
    import altair as alt

    summary = panel.distribution.instrument.kind is Kind.SUMMARY
    places = range(len(panel.quantiles)) if summary else [len(panel.quantiles) - 1]
    bands = []
    for i in places:
        # what has no upper edge reaches to the top, what begins at 0 to the bottom
        edges = alt.Chart().transform_calculate(
            top=f"isValid(datum.high{i}) ? (datum.high{i} < 0 ? {panel.plane.high!r} : datum.high{i}) : null",
            bottom=f"isValid(datum.low{i}) ? max(datum.low{i}, {panel.plane.low!r}) : null",
        )
        mark = edges.mark_area(
            color=panel.colours[i], opacity=0.45 if summary else 0.2, interpolate="step-before",
            clip=True,
        )  # fmt: skip
        bands.append(mark.encode(x=panel.x(), y=panel.y("bottom"), y2="top:Q"))
    return bands


def _lines(panel: _Panel) -> Any:
    import altair as alt

    fields = [f"value{i}" for i in range(len(panel.quantiles))]
    colours = alt.Scale(domain=fields, range=list(panel.colours))
    return (
        alt.Chart()
        .transform_fold(fields, as_=["which", "seconds"])
        .mark_line(strokeWidth=1.5, strokeCap="round", clip=True)
        .encode(
            x=panel.x(),
            y=panel.y("seconds"),
            color=alt.Color("which:N", scale=colours, legend=None),
        )
    )


def _hover(panel: _Panel) -> Any:
    """All figures of a moment, wherever the pointer stands above it."""
    import altair as alt

    texts = {"when": time_text("from")}
    tooltip = [
        alt.Tooltip("when:N", title="from (UTC)"),
        alt.Tooltip("requests:Q", title="requests", format=",.4~r"),
    ]
    for i, name in enumerate(panel.names):
        high = f"datum.high{i}"
        texts[f"text{i}"] = seconds_expression(f"datum.value{i}")
        texts[f"bucket{i}"] = (
            f"!isValid(datum.low{i}) ? '–' : {high} < 0 "
            f"? '≥ ' + ({seconds_expression(f'datum.low{i}')}) "
            f": ({seconds_expression(f'datum.low{i}')}) + ' … ' + ({seconds_expression(high)})"
        )
        tooltip.append(alt.Tooltip(f"text{i}:N", title=name))
        tooltip.append(alt.Tooltip(f"bucket{i}:N", title=f"{name}, certain"))
    texts["promql"] = seconds_expression("datum.linear")
    tooltip.append(alt.Tooltip("promql:N", title=f"histogram_quantile {panel.names[-1]}"))
    return (
        alt.Chart()
        .transform_calculate(**texts)
        .mark_rect(opacity=0)
        # the ends stand on the other layers; with two fields Vega-Lite would write them differently
        .encode(x=time_axis("from", most=5), x2="time:T", tooltip=tooltip)
    )
