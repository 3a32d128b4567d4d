"""Layouts of buckets as a picture: what each costs and how far off it will be, and where they lie."""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.latency.advice import Advice
from workbench.latency.layouts import Layout, QuantileError
from workbench.latency.result import LatencyResult
from workbench.units import counted, format_quantity
from workbench.views.axis import plain_text
from workbench.views.latency_axis import seconds_axis
from workbench.views.theme import COLOURS, themed
from workbench.views.timeline import empty_chart

__all__ = ["latency_buckets"]

_MOST: Final = 3
"""Metrics: those whose buckets would gain most."""

_WIDTH: Final = 560
_HEIGHT: Final = 190
_STEP: Final = 30
"""Height of a layout in the picture of boundaries."""

_UNITS: Final = {"nanoseconds": 1e-9, "microseconds": 1e-6, "milliseconds": 1e-3, "minutes": 60.0}
"""Seconds in a unit of boundaries."""

_LOOKS: Final = {
    "today": ("square", COLOURS["neutral"], 150),
    "recommended": ("diamond", COLOURS["forecast"], 190),
    "default": ("triangle-up", COLOURS["accent"], 70),
    "native": ("cross", COLOURS["good"], 80),
}
"""Shape, colour and size; other layouts are blue points."""

_ERRORS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_FINEST: Final = 0.001
"""Smaller errors are drawn as this one."""

_OTHER: Final = ("circle", COLOURS["usage"], 55)


def latency_buckets(result: LatencyResult) -> Any:
    """Draw what the bucket adviser compared.

    Parameters
    ----------
    result
        Of a latency analysis.

    Returns
    -------
    altair.VConcatChart
        For each metric cost against error, then the boundaries of today's and the recommended
        layout with the objectives.
    """
    import altair as alt

    title = "Buckets: cost and error"
    known = sorted(
        ((name, a) for name, a in result.advice.items() if a.layouts), key=_gain, reverse=True
    )
    if not known:
        reasons = [plain_text(a.reason, most=100) for a in result.advice.values()]
        return empty_chart(title, (reasons or ["There is no classic histogram to advise on."])[0])
    parts = [
        each
        for name, advice in known[:_MOST]
        for each in (_costs(name, advice), _boundaries(advice))
    ]
    notes = [
        "■ today · ◆ recommended · ▲ a client's default · ✚ native · ● made for what was observed",
        "upwards: expected error of histogram_quantile's p99 · to the left is cheaper",
    ]
    if len(known) > _MOST:
        notes.append(f"the {_MOST} metrics that would gain most, of {len(known):,}")
    head = alt.Title(title, subtitle=notes, offset=16)
    return themed(alt.vconcat(*parts, spacing=24, title=head))


def _gain(entry: tuple[str, Advice]) -> float:
    """By how much the error would become smaller."""
    _, advice = entry
    best = advice.recommended
    now, then = (advice.today.error, best.error) if best is not None else (0.0, 0.0)
    return now - then if math.isfinite(now - then) else 0.0


def _top(layout: Layout) -> QuantileError | None:
    """Of p99, or else the highest quantile."""
    by_quantile = {q.quantile: q for q in layout.quantiles}
    return by_quantile.get(0.99) or (by_quantile[max(by_quantile)] if by_quantile else None)


def _costs(name: str, advice: Advice) -> Any:
    import altair as alt

    rows = [row for layout in advice.layouts if (row := _row(advice, layout)) is not None]
    data = alt.InlineData(values=rows)
    most = max([row["series"] for row in rows], default=1)
    errors = [row["error"] for row in rows] or [_FINEST]
    tooltip = [
        alt.Tooltip("layout:N"),
        alt.Tooltip("mark:N", title="is"),
        alt.Tooltip("buckets:Q", title="buckets", format=","),
        alt.Tooltip("cost:N", title="series"),
        alt.Tooltip("text:N", title="expected error"),
        alt.Tooltip("worst:N", title="at worst"),
        alt.Tooltip("ours:N", title="our estimate's error"),
        alt.Tooltip("on:N", title="objectives on boundaries"),
    ]
    count = alt.Axis(title="series", labelExpr="format(datum.value, '~s')", tickCount=6)
    low, high = min(errors) / 1.4, max(errors) * 1.6
    values = [x for x in _ERRORS if low <= x <= high]
    error = alt.Axis(title=None, values=values, tickCount=len(values), format="~%")
    scale = alt.Scale(type="log", domain=[low, high], nice=False)
    base = alt.Chart(data).encode(
        x=alt.X("series:Q", axis=count, scale=alt.Scale(domain=[0, 1.08 * most], nice=False)),
        y=alt.Y("error:Q", axis=error, scale=scale),
        tooltip=tooltip,
    )
    points = base.mark_point(filled=True, opacity=0.95).encode(
        shape=alt.Shape("shape:N", scale=None),
        color=alt.Color("colour:N", scale=None),
        size=alt.Size("size:Q", scale=None),
    )
    # today above its point, the recommended below: they often stand one above the other
    names = [
        base.transform_filter(f"datum.name === {name!r}").mark_text(
            baseline=baseline, dy=away, fontSize=11, fontWeight=600
        )
        for name, baseline, away in (
            ("today", "bottom", -9),
            ("recommended", "top", 11),
            ("today, recommended", "top", 11),
        )
    ]
    colour = alt.Color("colour:N", scale=None)
    layers = [points, *(text.encode(text="name:N", color=colour) for text in names)]
    title = alt.Title(plain_text(name, most=70), subtitle=_said(advice), offset=10)
    return alt.layer(*layers, width=_WIDTH, height=_HEIGHT, title=title)


def _said(advice: Advice) -> list[str]:
    import textwrap

    return textwrap.wrap(plain_text(advice.reason, most=300), 88)


def _row(advice: Advice, layout: Layout) -> dict[str, Any] | None:
    top = _top(layout)
    if top is None or not math.isfinite(top.expected_promql):
        return None
    mark = _mark(advice, layout)
    shape, colour, size = _LOOKS.get(mark, _OTHER)
    on = sum(o.on_boundary for o in layout.objectives)
    named = "today, recommended" if layout is advice.recommended is advice.today else mark
    return {
        "layout": layout.name,
        "mark": "made for what was observed" if mark == "other" else named,
        "name": named if mark in ("today", "recommended") else None,
        "shape": shape,
        "colour": colour,
        "size": size,
        "series": layout.series,
        "buckets": layout.buckets,
        "cost": f"{layout.series:,} ({layout.series_change:+,})".replace("-", "−"),
        "error": max(top.expected_promql, _FINEST),
        "text": format_quantity(top.expected_promql, "ratio"),
        "worst": format_quantity(top.worst_promql, "ratio"),
        "ours": format_quantity(top.expected, "ratio"),
        "on": f"{on} of {len(layout.objectives)}" if layout.objectives else "–",
    }


def _mark(advice: Advice, layout: Layout) -> str:
    if layout is advice.recommended:
        return "recommended"
    return layout.kind if layout.kind in _LOOKS else "other"


def _boundaries(advice: Advice) -> Any:
    """A tick for each boundary of today's and the recommended layout, on the axis of time."""
    import altair as alt

    best = advice.recommended
    shown = [("today", advice.today)]
    if best is not None and best is not advice.today:
        shown.append(("recommended", best))
    scale = _UNITS.get(advice.unit, 1.0)
    ticks: list[dict[str, Any]] = [
        {"layout": name, "at": x * scale, "colour": _LOOKS[name][1]}
        for name, layout in shown
        for x in layout.boundaries
        if x > 0
    ]
    quantiles: list[dict[str, Any]] = [
        {"at": q.value * scale, "name": f"p{100 * q.quantile:g}"} for q in advice.today.quantiles
    ]
    objectives: list[dict[str, Any]] = [
        {"at": o.objective * scale} for o in advice.today.objectives
    ]
    places: list[float] = [row["at"] for rows in (ticks, quantiles, objectives) for row in rows]
    ends = (min(places) / 1.2, max(places) * 1.2) if places else (0.01, 1.0)

    def x() -> Any:
        return seconds_axis(alt.X, "at:Q", *ends, most=9)

    names = [name for name, _ in shown]
    y = alt.Y("layout:N", scale=alt.Scale(domain=names), axis=alt.Axis(title=None))
    tick = alt.Chart(alt.InlineData(values=ticks)).mark_tick(
        thickness=2, size=_STEP * 0.6, opacity=1
    )
    rule = alt.Chart(alt.InlineData(values=objectives)).mark_rule(
        color=COLOURS["limit"], strokeDash=[6, 3], strokeWidth=1.3
    )
    text = alt.Chart(alt.InlineData(values=quantiles)).mark_text(
        baseline="bottom", dy=-3, fontSize=10.5, fontWeight=600
    )
    layers = [
        tick.encode(x=x(), y=y, color=alt.Color("colour:N", scale=None)),
        rule.encode(x=x()),
        text.encode(x=x(), y=alt.value(0), text="name:N"),
    ]
    what = counted(len(objectives), "objective")
    notes = ["ticks: boundaries · p50 …: where the quantiles lie"]
    notes += [f"red: {what}"] if objectives else []
    title = alt.Title("Boundaries", subtitle=" · ".join(notes), fontSize=12, offset=18)
    return alt.layer(*layers, width=_WIDTH, height={"step": _STEP}, title=title)
