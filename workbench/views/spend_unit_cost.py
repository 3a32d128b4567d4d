"""Unit costs for people: what one of something costs, versions side by side, and a picture of them."""

from __future__ import annotations

import math
from typing import Any, Final

from workbench.spend.unit_cost.costs import UnitCosts
from workbench.spend.unit_cost.versions import VersionCost, VersionPair
from workbench.units import format_quantity
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, no_chart, share_text, small_text
from workbench.views.theme import COLOURS, themed

__all__ = ["unit_cost_listing", "versions_chart", "versions_listing"]

_ALL: Final = "all"
_MOST: Final = 12
"""So many panels are drawn, of the applications that are dearest."""


def unit_cost_listing(costs: UnitCosts, *, models: bool = False) -> Listing:
    """Cost of a request, a served request, and each unit of success, by whom; the dearest first.

    Parameters
    ----------
    costs
        Of `workbench.spend.unit_cost.costs.unit_costs`.
    models
        Whether each model of an application has rows of its own.
    """
    table = costs.table.to_dict("records")
    rows = [_cost(row) for row in table if models or row["level"] != "model"]
    note = (
        f"From {costs.first} to {costs.last}. At least – at most: of 1,000, prices and counts both at their "
        "least and most. Next such period: where that cost would lie in 95 of 100 periods of this "
        "length, were traffic and prompts to stay; not known below three days. Without tokens: share "
        "of requests that a response cache answered."
    )
    if costs.unpriced_requests:
        note += (
            f" {format_quantity(costs.unpriced_requests)} requests of what has no price are in no "
            "figure here."
        )
    return Listing(
        (
            "application", "prompt version", "model", "one", "how many", "cost of one",
            "cost of 1,000", "at least – at most", "next such period", "without tokens",
        ),
        rows,
        empty="Nothing with a price was spent in this period.",
        note=note if rows else "",
    )  # fmt: skip


def _cost(row: dict[Any, Any]) -> list[object]:
    whole = row["level"] == "unit"
    who = _ALL if whole else plain_text(str(row["application"] or row["team"])) or NONE
    names = [who, *(plain_text(str(row[n])) or NONE for n in ("prompt_version", "model"))]
    one, money = plain_text(str(row["measure"])), str(row["currency"])
    if row["reason"]:
        return [*names, one, NONE, str(row["reason"]), *[NONE] * 4]
    return [
        *names,
        one,
        format_quantity(row["count"]),
        _each(row["cost"], money),
        _each(row["cost"] * 1000, money),
        _range(row["low"] * 1000, row["high"] * 1000, money),
        _range(row["next_low"] * 1000, row["next_high"] * 1000, money),
        _share(row),
    ]


def _share(row: dict[Any, Any]) -> str:
    """The share of requests without tokens; a range where it is not told apart."""
    share, low, high = (row[n] for n in ("cached", "cached_low", "cached_high"))
    if not math.isfinite(share):
        return NONE
    if high - low < 0.0005:
        return share_text(share)
    return f"{low * 100:.1f} – {high * 100:.1f} %"


def versions_listing(costs: UnitCosts) -> Listing:
    """Pairs of prompt versions: what one of something costs more or less, how sure, and why."""
    rows = [_pair(pair) for pair in costs.pairs]
    return Listing(
        (
            "application", "model", "one", "versions", "cost of one", "ratio", "95 % interval", "p",
            "compared", "input", "cached", "output", "price",
        ),
        rows,
        empty="No application has two prompt versions with a price.",
        note="p: how likely such a difference is by chance, corrected for the number of pairs (Holm). "
        "One after the other: time cannot be told apart from the version, for other traffic came "
        "with other days. Input, cached, output, price: what a request costs more by more input "
        "tokens, another share from the cache, more output tokens, other prices or models; they add "
        "up to the difference on the days compared."
        if rows
        else "",
    )  # fmt: skip


def _pair(pair: VersionPair) -> list[object]:
    newer, older, found = pair.newer, pair.older, pair.found
    money = newer.currency
    costs = found.costs if found else (older.cost, newer.cost)
    row: list[object] = [
        plain_text(newer.application or newer.team) or NONE,
        plain_text(newer.model) or _ALL,
        plain_text(pair.measure),
        f"{plain_text(older.version)} → {plain_text(newer.version)}",
        f"{_each(costs[0])} → {_each(costs[1], money)}",
    ]
    if found is None:
        return [*row, NONE, NONE, NONE, pair.reason, *[NONE] * 4]
    how = (
        f"side by side, {min(found.days)} days"
        if found.paired
        else f"one after the other, {found.days[0]} and {found.days[1]} days"
    )
    causes = pair.requests[2] if pair.requests else None
    return [
        *row,
        f"×{found.ratio:.3g}",
        f"×{found.low:.3g} – ×{found.high:.3g}",
        _p(pair.p),
        how,
        *(
            [_signed(getattr(causes, n)) for n in ("input", "cached", "output", "price")]
            if causes
            else [NONE] * 4
        ),
    ]


def versions_chart(costs: UnitCosts) -> Any:
    """Draw what one of something costs by prompt version: a dot with its 95 % interval.

    Parameters
    ----------
    costs
        Of `workbench.spend.unit_cost.costs.unit_costs`.

    Returns
    -------
    altair.VConcatChart
        A panel an application and measure, its versions in the order of their first day on one
        axis from 0. Names stand in it as data only.
    """
    import altair as alt

    families: dict[tuple[str, ...], list[VersionCost]] = {}
    for each in costs.versions:
        if not each.model and each.measure != "served request":
            key = (each.team, each.application, each.measure, each.currency)
            families.setdefault(key, []).append(each)
    shown = [found for found in families.values() if len(found) > 1][:_MOST]
    panels = [_panel(found) for found in shown]
    if not panels:
        panels = [no_chart("No application has two prompt versions with a price.")]
    title = alt.Title(
        "Cost by prompt version",
        subtitle="with 95 % intervals; versions in the order of their first day",
    )
    return themed(alt.vconcat(*panels, title=title))


def _panel(versions: list[VersionCost]) -> Any:
    import altair as alt

    one = versions[0]
    values = [
        {
            "version": plain_text(v.version),
            "cost": v.cost * 1000,
            "low": _finite(v.low),
            "high": _finite(v.high),
            "days": f"{v.first} to {v.last}",
            "many": format_quantity(v.count),
        }
        for v in versions
    ]
    names = [str(v["version"]) for v in values]
    axis = f"{one.currency} for 1,000"
    y = alt.Y("version:N", sort=names, axis=alt.Axis(title=None))
    tips = [
        alt.Tooltip("version:N"),
        alt.Tooltip("cost:Q", title=axis, format=",.4~g"),
        alt.Tooltip("low:Q", title="95 % from", format=",.4~g"),
        alt.Tooltip("high:Q", title="to", format=",.4~g"),
        alt.Tooltip("many:N", title="how many"),
        alt.Tooltip("days:N"),
    ]
    scale = alt.Scale(zero=True)
    base = alt.Chart(alt.Data(values=values), width=560, height=26 * len(values) + 10)
    bar = base.mark_rule(strokeWidth=2, color=COLOURS["usage"]).encode(
        x=alt.X("low:Q", scale=scale, axis=alt.Axis(title=axis)), x2="high:Q", y=y, tooltip=tips
    )
    dot = base.mark_point(filled=True, size=70, opacity=1, color=COLOURS["usage"]).encode(
        x=alt.X("cost:Q", scale=scale, axis=alt.Axis(title=axis)), y=y, tooltip=tips
    )
    who = plain_text(one.application or one.team or "all spend", most=80)
    heading = alt.Title(f"{who}: {plain_text(one.measure, most=80)}", fontSize=12)
    return alt.layer(bar, dot).properties(title=heading)


def _finite(value: float) -> float | None:
    return value * 1000 if math.isfinite(value) else None


def _range(low: float, high: float, currency: str) -> str:
    if not (math.isfinite(low) and math.isfinite(high)):
        return NONE
    return f"{_each(low)} – {_each(high, currency)}"


def _signed(value: float) -> str:
    return "0" if abs(value) < 1e-9 else f"{value:+.3g}".replace("-", "−")


def _p(value: float) -> str:
    return "< 0.001" if value < 0.001 else f"{value:.3f}"


def _each(value: float, currency: str = "") -> str:
    """Four figures at the least: one request costs less than a cent."""
    return small_text(value, currency, figures=4)
