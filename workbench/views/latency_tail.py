"""Where the slow requests come from, as a picture: each label value's part in them and in all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from workbench.latency.result import LatencyResult, TailPart
from workbench.units import format_quantity
from workbench.views.axis import plain_text
from workbench.views.bar_rows import Rows, rows_as
from workbench.views.latency_axis import seconds
from workbench.views.theme import COLOURS, themed
from workbench.views.timeline import empty_chart

__all__ = ["latency_tail"]

_LABELS: Final = 4
"""Labels, each a part of the chart: those that part slow from fast best."""

_VALUES: Final = 8
"""Values of each, the largest excess first."""

_WIDTH: Final = 420
_STEP: Final = 36
"""Height of a row: its name above, its two bars below."""


def latency_tail(result: LatencyResult) -> Any:
    """Draw, for each label, what its values contribute.

    Parameters
    ----------
    result
        Of a latency analysis.

    Returns
    -------
    altair.VConcatChart
        Orange bars say which share of the slow requests a value makes, grey ones which share of
        all: where the orange one is longer, the value is slower than its due.
    """
    import altair as alt

    by_label: dict[tuple[str, str], list[TailPart]] = {}
    for part in result.tails:
        by_label.setdefault((part.metric, part.label), []).append(part)
    ranked = sorted(by_label.values(), key=_parting, reverse=True)
    if not ranked:
        what = "No label parts the slow requests from the others, or none was slow."
        return empty_chart("Where the slow requests come from", what)
    rows: Rows = {}
    several = len({part.metric for part in result.tails}) > 1
    parts = [
        _of_label(rows, number, each, several=several)
        for number, each in enumerate(ranked[:_LABELS])
    ]
    notes = [
        "orange: share of the slow requests · grey: share of all",
        "where orange is the longer one, the value is slower than the others",
    ]
    if len(ranked) > _LABELS:
        notes.append(f"the {_LABELS} labels that tell slow from fast best, of {len(ranked)}")
    title = alt.Title("Where the slow requests come from", subtitle=notes, offset=16)
    whole = themed(alt.vconcat(*parts, spacing=26, title=title))
    whole.datasets = rows
    return whole


def _parting(parts: Sequence[TailPart]) -> float:
    """How well a label tells slow from fast: the share of slow requests beyond its values' due."""
    return sum(max(p.share_of_slow - p.share_of_traffic, 0.0) for p in parts)


def _of_label(rows: Rows, number: int, parts: Sequence[TailPart], *, several: bool) -> Any:
    import altair as alt

    ordered = sorted(parts, key=lambda p: p.share_of_traffic - p.share_of_slow)
    shown = ordered[:_VALUES]
    data = rows_as(rows, f"tail_{number}", [_entry(part) for part in shown])
    y = alt.Y("row:O", axis=None, scale=alt.Scale(paddingInner=0, paddingOuter=0))
    tooltip = [
        alt.Tooltip("whole:N", title="value"),
        alt.Tooltip("slow:N", title="share of slow"),
        alt.Tooltip("traffic:N", title="share of all"),
        alt.Tooltip("rate:N", title="of its own, slow"),
        alt.Tooltip("requests:N", title="slow of all, requests"),
    ]
    base = alt.Chart(data).encode(y=y, tooltip=tooltip)
    slow = base.mark_bar(color=COLOURS["forecast"], size=8, yOffset=4)
    traffic = base.mark_bar(color=COLOURS["neutral"], size=8, yOffset=12)
    name = base.mark_text(align="left", baseline="bottom", dy=-3, fontSize=11.5)
    figure = base.mark_text(align="left", dx=8, dy=8, fontSize=11)
    layers = [
        slow.encode(x=_share("share_of_slow"), x2=alt.datum(0)),
        traffic.encode(x=_share("share_of_traffic"), x2=alt.datum(0)),
        name.encode(x=alt.value(0), text="name:N"),
        figure.encode(x=alt.value("width"), text="figure:N"),
    ]
    first = parts[0]
    subtitle = [f"slow: over {seconds(first.threshold_seconds)}"]
    subtitle += [plain_text(first.metric, most=70)] if several else []
    if len(ordered) > _VALUES:
        rest = ordered[_VALUES:]
        share = sum(p.share_of_slow for p in rest)
        subtitle.append(
            f"{len(rest):,} more values make {format_quantity(share, 'ratio')} of the slow requests"
        )
    title = alt.Title(f"by {plain_text(first.label, most=60)}", subtitle=subtitle, offset=10)
    return alt.layer(*layers, width=_WIDTH, height={"step": _STEP}, title=title)


def _entry(part: TailPart) -> dict[str, Any]:
    slow, traffic = (
        format_quantity(x, "ratio") for x in (part.share_of_slow, part.share_of_traffic)
    )
    low, high = (format_quantity(x, "ratio") for x in (part.low, part.high))
    return {
        "name": plain_text(part.value, most=60) or "(empty)",
        "whole": plain_text(part.value) or "(empty)",
        "share_of_slow": part.share_of_slow,
        "share_of_traffic": part.share_of_traffic,
        "slow": slow,
        "traffic": traffic,
        "figure": f"{slow} of slow, {traffic} of all · × {part.lift:.2g}",
        "rate": f"{format_quantity(part.slow_rate, 'ratio')} (95 %: {low} … {high})",
        "requests": f"{part.slow:,.0f} of {part.requests:,.0f}",
    }


def _share(field: str) -> Any:
    import altair as alt

    axis = alt.Axis(title=None, format=".0%", tickCount=5)
    return alt.X(f"{field}:Q", axis=axis, scale=alt.Scale(domain=[0, 1], nice=False))
