"""A reconciliation for people: what was billed, what was seen, and the steps from one to the other."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from workbench.spend.reconciling.conclusions import MENDS
from workbench.spend.reconciling.gaps import GapKind, Reconciliation
from workbench.spend.reconciling.verdict import Reconciled, explained
from workbench.units import format_quantity
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, money_text, sentences, share_text, signed_text
from workbench.views.theme import COLOURS, themed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["bills_listing", "cells_listing", "gaps_listing", "gaps_table", "waterfall_chart"]

_MOST: Final = 9
"""Causes that have a step of their own; what is left is one."""
_CELLS: Final = 2_000


def gaps_table(result: Reconciled) -> pd.DataFrame:
    """The gaps as text, greatest first; `Reconciled.to_table` holds the numbers."""
    return gaps_listing(result).frame


def gaps_listing(result: Reconciled) -> Listing:
    """Each gap with its cause and what to do."""
    rows = []
    for part in result.parts:
        billed = abs(part.billed) or Decimal(1)
        for gap in part.gaps:
            days = f"{gap.first} – {gap.last}" if gap.first and gap.last else NONE
            name = "/".join(plain_text(n) for n in (gap.provider, gap.model) if n) or NONE
            rows.append([
                gap.kind.value, name, gap.token_class or NONE, signed_text(gap.amount, part.currency),
                money_text(gap.gross, part.currency), share_text(float(gap.gross / billed)),
                format_quantity(gap.tokens) if gap.tokens else NONE, days,
                "yes" if gap.within_bar else "no", gap.evidence, MENDS[gap.kind],
            ])  # fmt: skip
    headings = (
        "cause", "model", "class", "billed less seen", "moved", "share of bill", "tokens", "days",
        "within our bounds", "evidence", "what to do",
    )  # fmt: skip
    return Listing(headings, rows, empty="Invoice and table agree to the cent.", note=_line(result))


def bills_listing(result: Reconciled) -> Listing:
    """Billed and seen, a row a currency."""
    rows = []
    for part in result.parts:
        reason, rest = explained(part)
        bounds = f"{money_text(part.low, part.currency)} – {money_text(part.high, part.currency)}"
        offset = f"{part.offset_hours:+.3g} h" if part.offset_hours is not None else "same days"
        rows.append([
            f"{part.first} – {part.last}", money_text(part.billed, part.currency),
            money_text(part.ours, part.currency), bounds, signed_text(part.difference, part.currency),
            signed_text(reason, part.currency), signed_text(rest, part.currency), offset,
        ])  # fmt: skip
    headings = (
        "days", "billed", "seen", "seen between", "difference", "has a cause", "remains",
        "the invoice's days begin",
    )  # fmt: skip
    notes = [*result.notes, *(n for part in result.parts for n in part.notes)]
    note = sentences(notes)
    return Listing(headings, rows, empty="No invoice.", note=note)


def cells_listing(result: Reconciled) -> Listing:
    """Billed beside seen by day, model and token class, the greatest difference first."""
    rows: list[tuple[float, list[object]]] = []
    for part in result.parts:
        for cell in part.cells.to_dict("records"):
            apart = float(cell["billed"]) - float(cell["ours"])
            name = "/".join(plain_text(str(cell[k])) for k in ("provider", "model"))
            rows.append((-abs(apart), [
                str(cell["day"])[:10], name, cell["token_class"],
                format_quantity(cell["billed_tokens"]), format_quantity(cell["seen_tokens"]),
                money_text(_decimal(cell["billed"]), part.currency),
                money_text(_decimal(cell["ours"]), part.currency), signed_text(_decimal(apart), part.currency),
            ]))  # fmt: skip
    rows.sort(key=lambda row: row[0])
    headings = (
        "day", "model", "class", "billed tokens", "seen tokens", "billed", "seen", "difference",
    )  # fmt: skip
    hidden = f" {len(rows) - _CELLS:,} more are in the JSON." if len(rows) > _CELLS else ""
    return Listing(
        headings, [row for _, row in rows[:_CELLS]], empty="Nothing was billed or seen.",
        note=f"On the invoice's own days.{hidden}",
    )  # fmt: skip


def waterfall_chart(result: Reconciled) -> Any:
    """Draw the steps from what was seen to what was billed, by cause.

    Returns
    -------
    altair.VConcatChart
        A panel a currency. The axis need not begin at 0: totals are ticks, and only the steps
        between them have a length.
    """
    import altair as alt

    panels = [_panel(part) for part in result.parts]
    title = alt.Title("From what was seen to what was billed", subtitle=_line(result))
    return themed(alt.vconcat(*panels, title=title))


def _steps(part: Reconciliation) -> list[tuple[str, Decimal]]:
    sums: dict[GapKind, Decimal] = {}
    for gap in part.gaps:
        sums[gap.kind] = sums.get(gap.kind, Decimal(0)) + gap.amount
    ordered = sorted(sums.items(), key=lambda item: -abs(item[1]))
    shown = [(kind.value, amount) for kind, amount in ordered[:_MOST]]
    rest = sum((amount for _, amount in ordered[_MOST:]), Decimal(0))
    return [*shown, ("all others", rest)] if len(ordered) > _MOST else shown


def _panel(part: Reconciliation) -> Any:
    import altair as alt

    at, steps = part.ours, []
    for name, amount in _steps(part):
        steps.append({
            "step": name, "from": float(at), "to": float(at + amount),
            "figure": signed_text(amount, part.currency), "way": "more billed" if amount > 0 else "less billed",
        })  # fmt: skip
        at += amount
    ends = [("seen", part.ours), ("billed", part.billed)]
    totals = [{"step": n, "at": float(v), "figure": money_text(v, part.currency)} for n, v in ends]
    order = ["seen", *(step["step"] for step in steps), "billed"]
    y = alt.Y("step:N", sort=order, axis=alt.Axis(title=None, labelLimit=220))
    scale = alt.Scale(zero=False, nice=True, padding=24)
    axis = alt.Axis(title=part.currency, grid=True)
    bars = alt.Chart(alt.Data(values=steps)).encode(
        x=alt.X("from:Q", scale=scale, axis=axis), x2="to:Q", y=y
    )
    colours = alt.Scale(
        domain=["more billed", "less billed"], range=[COLOURS["limit"], COLOURS["usage"]]
    )
    tips = [alt.Tooltip("step:N", title="cause"), alt.Tooltip("figure:N", title="billed less seen")]
    marks = alt.Chart(alt.Data(values=totals)).encode(x=alt.X("at:Q", scale=scale, axis=axis), y=y)
    layers = [
        bars.mark_bar(size=14).encode(
            color=alt.Color("way:N", scale=colours, legend=alt.Legend(title=None)), tooltip=tips
        ),
        marks.mark_tick(thickness=3, size=20, color=COLOURS["neutral"]),
        marks.mark_text(align="left", dx=8).encode(text="figure:N"),
        bars.mark_text(align="left", dx=8).encode(x=alt.X("right:Q", scale=scale), text="figure:N")
        .transform_calculate(right="max(datum.from, datum.to)"),
    ]  # fmt: skip
    return alt.layer(*layers, width=560, height={"step": 26})


def _line(result: Reconciled) -> str:
    """One line a currency: how much is explained, and what remains."""
    lines = []
    for part in result.parts:
        reason, rest = explained(part)
        lines.append(
            f"Reconciled: {signed_text(reason, part.currency)} of {signed_text(part.difference, part.currency)}"
            f" explained, {signed_text(rest, part.currency)} remains"
        )
    return "; ".join(lines)


def _decimal(value: float) -> Decimal:
    return Decimal(repr(float(value)))
