"""What models cost beside how long they take: a table, and a picture of both with their intervals."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np

from workbench.spend.latency_cost import Interval, LatencyCost, ModelCost
from workbench.units import format_quantity
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, no_chart, small_text
from workbench.views.theme import COLOURS, themed

__all__ = ["latency_cost_chart", "latency_cost_listing"]


_UNLIKE: Final = (
    "Models are asked different things: this is no comparison of like with like, and says where one "
    "is worth making."
)

_DOMINATED: Final = "a cheaper and faster one is used beside it"
_SHOWN: Final = (0.5, 0.95)
"""Quantiles in the table; the study's result has more."""

_FREE: Final = "none is surely cheaper and faster"


def latency_cost_listing(found: LatencyCost) -> Listing:
    """Cost and latency of each model, the dearest a request first."""
    told = len({m.profile for m in found.models}) > 1
    headings = (
        *(["told by"] if told else []), "provider", "model", "requests", "1,000 requests",
        "1M output tokens", *(f"p{q * 100:g}" for q in _SHOWN), "an output token", "failed",
        "dearer and slower than",
    )  # fmt: skip
    # An error that names only the model that was asked for is no use of a model of that name.
    used = [m for m in found.models if m.currency or m.requests > 0 or m.output > 0]
    rows = [[*([m.profile] if told else []), *_row(m)] for m in used]
    note = (
        "Money holds all that was paid, the input too; in brackets, what prices leave open. "
        "Latency with 95 % intervals, of all that uses the model; seconds per output token hold the "
        f"wait for the first one. {_UNLIKE}"
    )
    return Listing(
        headings,
        rows,
        empty="No usage in this period.",
        note=" ".join([note, *_whys(used)]) if rows else "",
    )


def _whys(models: list[ModelCost]) -> list[str]:
    """Why latency is lacking, once for all models of which it is said."""
    names: dict[str, list[str]] = {}
    for each in models:
        if each.why:
            names.setdefault(each.why, []).append(plain_text(each.name) or "no name")
    return [
        f"{'All models' if len(who) == len(models) > 1 else ', '.join(dict.fromkeys(who))}: {why}."
        for why, who in names.items()
    ]


def _row(each: ModelCost) -> list[object]:
    better = (
        f"{plain_text(f'{provider}/{model}'.strip('/'))} ({plain_text(application)})"
        for application, provider, model in each.dominated
    )
    return [
        plain_text(each.provider) or NONE,
        plain_text(each.model) or NONE,
        NONE if np.isnan(each.requests) else format_quantity(each.requests),
        _money(each.per_1000, each),
        _money(each.per_million, each),
        *(_seconds(each.latency.get(q)) for q in _SHOWN),
        _seconds(each.per_token),
        NONE if each.errors is None else f"{each.errors * 100:.1f} %",
        ", ".join(better) or NONE,
    ]


def _money(cost: Interval | None, each: ModelCost) -> str:
    if cost is None:
        return "no price" if not each.currency else NONE
    text = f"{small_text(cost.value)} {each.currency}"
    if cost.high - cost.low > 0.01 * cost.value:
        text += f" ({small_text(cost.low)} – {small_text(cost.high)})"
    return f"{text}, without {each.unpriced * 100:.1f} % unpriced" if each.unpriced else text


def _seconds(each: Interval | None) -> str:
    if each is None:
        return NONE
    if not np.isfinite(each.high):
        return f"over {format_quantity(each.low, 'seconds')}"
    low, high = (format_quantity(end, "seconds") for end in (each.low, each.high))
    return f"{format_quantity(each.value, 'seconds')} ({low} – {high})".replace(" ", "\u00a0")


def latency_cost_chart(found: LatencyCost) -> Any:
    """Draw the cost of 1,000 requests against the 95th percentile, with the intervals of both.

    Returns
    -------
    altair.HConcatChart
        A panel a currency. Names stand in it as data only, never in an expression.
    """
    import altair as alt

    shown = [m for m in found.models if m.per_1000 and m.per_1000.value > 0 and m.latency]
    panels = [
        _panel([m for m in shown if m.currency == currency], currency)
        for currency in sorted({m.currency for m in shown})
    ]
    if not panels:
        panels = [no_chart("No model has both a price and a latency.")]
    title = alt.Title("Cost beside latency", subtitle=[f"{found.first} to {found.last}", _UNLIKE])
    return themed(alt.hconcat(*panels, title=title))


def _panel(models: list[ModelCost], currency: str) -> Any:
    import altair as alt

    rows = [row for m in models if (row := _point(m))]
    data = alt.Data(values=rows)
    x = _axis(f"{currency} per 1,000 requests", rows, "cheap", "dear")
    y = _axis("p95, seconds", rows, "low", "high")
    base = alt.Chart(data, width=560, height=340)
    across = alt.X("cost:Q", **x)
    up = alt.Y("p95:Q", **y)
    tips = [
        alt.Tooltip("name:N", title="model"),
        alt.Tooltip("cost:Q", title=f"{currency} per 1,000 requests", format=",.4~f"),
        alt.Tooltip("p95:Q", title="p95, s", format=",.3~f"),
        alt.Tooltip("low:Q", title="at least, s", format=",.3~f"),
        alt.Tooltip("high:Q", title="at most, s", format=",.3~f"),
        alt.Tooltip("kind:N", title="beside others"),
    ]
    colour = alt.Color("provider:N", legend=alt.Legend(title=None))
    return alt.layer(
        base.mark_rule(strokeWidth=1.5).encode(
            x=across, y=alt.Y("low:Q", **y), y2="high:Q", color=colour
        ),
        base.mark_rule(strokeWidth=1.5).encode(
            x=alt.X("cheap:Q", **x), x2="dear:Q", y=up, color=colour
        ),
        base.mark_point(filled=True, size=90, opacity=1).encode(
            x=across,
            y=up,
            color=colour,
            shape=alt.Shape(
                "kind:N",
                scale=alt.Scale(domain=[_FREE, _DOMINATED], range=["circle", "triangle-down"]),
                legend=alt.Legend(
                    title=None,
                    labelLimit=0,
                    symbolFillColor=COLOURS["neutral"],
                    symbolStrokeColor=COLOURS["neutral"],
                ),
            ),
            tooltip=tips,
        ),
        base.mark_text(align="left", dx=8, dy=-9).encode(x=across, y=up, text="label:N"),
    )


def _axis(title: str, rows: list[dict[str, Any]], low: str, high: str) -> dict[str, Any]:
    """A logarithmic axis as far as the intervals reach, with room for names, and 1-2-5 ticks."""
    import altair as alt

    least, most = min(row[low] for row in rows) / 1.6, max(row[high] for row in rows) * 2.2
    powers = range(math.floor(math.log10(least)), math.ceil(math.log10(most)) + 1)
    ticks = [n * 10.0**p for p in powers for n in (1, 2, 5) if least <= n * 10.0**p <= most]
    return {
        "axis": alt.Axis(title=title, format="~g", values=ticks, labelOverlap=False),
        "scale": alt.Scale(type="log", domain=[least, most], nice=False),
    }


def _point(model: ModelCost) -> dict[str, Any] | None:
    cost, p95 = model.per_1000, model.latency[0.95]
    if cost is None or not p95.value > 0:
        return None
    figures = {
        "cost": cost.value,
        "cheap": cost.low if cost.low > 0 else cost.value,
        "dear": cost.high,
        "p95": p95.value,
        "low": p95.low if p95.low > 0 else p95.value,
        "high": p95.high if np.isfinite(p95.high) else p95.value,
    }
    return {
        "name": plain_text(model.name),
        "label": plain_text(model.model, most=40),
        "provider": plain_text(model.provider) or "no provider",
        "kind": _DOMINATED if model.dominated else _FREE,
        **{name: float(f"{value:.5g}") for name, value in figures.items()},
    }
