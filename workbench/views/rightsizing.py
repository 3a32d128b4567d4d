"""Right-sizing as a picture: for each container usage, today's request, and the advised one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from workbench.capacity.sizing.result import RightSizing, Rule, Sizing, UsageBand
from workbench.units import format_quantity
from workbench.views.axis import Scale, plain_text, scale_for
from workbench.views.bar_rows import (
    BELOW,
    MOST,
    NAME,
    Rows,
    figures_beside,
    message,
    names_above,
    part,
    row_axis,
    rows_as,
)
from workbench.views.theme import COLOURS

__all__ = ["rightsizing_chart"]

_DOT: Final = 95


def rightsizing_chart(result: RightSizing) -> Any:
    """Draw the containers with the largest change: CPU above, memory below.

    Returns
    -------
    altair.VConcatChart
        A band from the 5th to the 95th percentile of usage with its median, a ring at today's
        request, a dot at the advised one, and what changes between them.
    """
    import altair as alt

    rows: Rows = {}
    cpu = [s for s in result.sizings if s.cpu is not None]
    memory = [s for s in result.sizings if s.memory is not None]
    parts = [
        _part(
            rows,
            cpu,
            "CPU",
            f"a step of next week is above it with a chance of {_percent(result.risk)}",
        ),
        _part(
            rows,
            memory,
            "memory",
            f"usage is above it within {result.memory_days} days with a chance of {_percent(result.memory_risk)}",
        ),
    ]
    shown = [each for each in parts if each is not None]
    if not shown:
        shown = [message(rows, "no container has enough history for advice")]
    chart = alt.vconcat(*shown, spacing=34).resolve_scale(x="independent", color="independent")
    chart.datasets = rows
    return chart


def _part(rows: Rows, sizings: Sequence[Sizing], resource: str, risk: str) -> Any:
    if not sizings:
        return None
    chosen = sorted(sizings, key=lambda s: -_change(s, resource))[:MOST]
    scale = _scale(chosen, resource)
    data = rows_as(rows, resource, [_entry(s, resource, scale) for s in chosen])
    more = len(sizings) - len(chosen)
    subtitle = [
        f"○ requested now → ● advised: {risk}",
        "band: usage from 5 % to 95 %, with its median; green is less, red is more",
    ]
    if more:
        subtitle.append(f"{more} more in the table, whose requests change less")
    title = f"{resource}, {scale.title}" if resource == "memory" else "CPU, cores"
    return part(_layers(data), title, subtitle)


def _of(sizing: Sizing, resource: str) -> tuple[float | None, Rule, UsageBand]:
    """Today's request, the advised one, and usage."""
    advice = sizing.cpu if resource == "CPU" else sizing.memory
    band = sizing.cpu_band if resource == "CPU" else sizing.memory_band
    assert advice is not None
    assert band is not None
    now = sizing.cpu_request if resource == "CPU" else sizing.memory_request
    return now, advice.ours, band


def _change(sizing: Sizing, resource: str) -> float:
    now, ours, _ = _of(sizing, resource)
    return abs((now if now is not None else ours.request) - ours.request) * (sizing.pods or 1)


def _scale(sizings: Sequence[Sizing], resource: str) -> Scale:
    ends = [_of(s, resource) for s in sizings]
    highest = max(max(now or 0.0, ours.request, band.p95) for now, ours, band in ends)
    return scale_for(highest, "bytes") if resource == "memory" else Scale(1.0, "cores")


def _entry(sizing: Sizing, resource: str, scale: Scale) -> dict[str, Any]:
    now, ours, band = _of(sizing, resource)
    shown = "none" if now is None else _amount(now, resource)
    figure = f"{shown} → {_amount(ours.request, resource)}"
    direction = "less" if now is not None and ours.request < now else "more"
    return {
        "name": plain_text(sizing.name, most=NAME),
        "figure": figure,
        "now": None if now is None else _short(now * scale.factor),
        "advised": _short(ours.request * scale.factor),
        "p5": _short(band.p5 * scale.factor),
        "p50": _short(band.p50 * scale.factor),
        "p95": _short(band.p95 * scale.factor),
        "direction": direction,
        "pods": "not known" if sizing.pods is None else format_quantity(sizing.pods),
    }


def _percent(share: float) -> str:
    return format_quantity(share, "ratio")


def _amount(value: float, resource: str) -> str:
    if resource == "memory":
        return format_quantity(value, "bytes")
    return f"{value * 1000:.0f}m" if value < 1 else format_quantity(value)


def _short(value: float) -> float:
    return float(f"{value:.5g}")


def _layers(data: Any) -> list[Any]:
    import altair as alt

    axis = alt.Axis(orient="bottom", tickCount=6, grid=True)
    scale = alt.Scale(domainMin=0, nice=False, padding=8)
    colours = alt.Scale(domain=["less", "more"], range=[COLOURS["good"], COLOURS["limit"]])
    colour = alt.Color("direction:N", scale=colours, legend=None)
    tooltip = [
        alt.Tooltip("name:N", title="container"),
        alt.Tooltip("figure:N", title="request"),
        alt.Tooltip("p5:Q", title="usage, 5 %"),
        alt.Tooltip("p50:Q", title="median"),
        alt.Tooltip("p95:Q", title="95 %"),
        alt.Tooltip("pods:N", title="pods"),
    ]

    def x(field: str) -> Any:
        return alt.X(f"{field}:Q", axis=axis, scale=scale, title=None)

    base = alt.Chart(data).encode(y=row_axis(), tooltip=tooltip)
    band = base.mark_bar(size=9, yOffset=BELOW, color=COLOURS["light"], opacity=0.35)
    median = base.mark_tick(size=9, thickness=3, yOffset=BELOW, color=COLOURS["light"], opacity=1)
    arrow = base.mark_rule(yOffset=BELOW, strokeWidth=2).encode(color=colour)
    ring = base.mark_point(size=_DOT, yOffset=BELOW, filled=False, strokeWidth=2, opacity=1)
    dot = base.mark_point(size=_DOT, yOffset=BELOW, filled=True, opacity=1, shape="circle")
    both = "datum.now !== null"
    return [
        band.encode(x=x("p5"), x2="p95:Q"),
        median.encode(x=x("p50")),
        arrow.transform_filter(both).encode(x=x("now"), x2="advised:Q"),
        ring.transform_filter(both).encode(x=x("now"), color=alt.value(COLOURS["neutral"])),
        dot.encode(x=x("advised"), color=colour),
        names_above(data),
        figures_beside(data),
    ]
