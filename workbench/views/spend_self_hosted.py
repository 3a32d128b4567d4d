"""Self-hosted models as tables and a picture: what they cost, what idles, and an API beside them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from workbench.spend.self_hosted.cost import ModelCost
from workbench.spend.self_hosted.offers import MONTH_DAYS, BreakEven, Offer
from workbench.spend.self_hosted.result import MachineHours, SelfHosted
from workbench.units import format_quantity
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, money_text, no_chart, small_text
from workbench.views.theme import COLOURS, themed

__all__ = [
    "break_even_chart",
    "break_even_listing",
    "self_hosted_accounts_listing",
    "self_hosted_listing",
]

_UNTOLD: Final = "not told"
_PANELS: Final = 6
"""So many models are drawn, the dearest first."""

_CHEAPEST: Final = 4
_DEAREST: Final = 2
"""Of many sellers of one model so many stand in the table."""

_POINTS: Final = 25
_VERDICTS: Final = {
    "api": "every seller is cheaper",
    "own": "own machines are cheaper",
    "open": "it depends on the seller",
}
_COLUMNS: Final = (
    "model", "machine hours", "cost", "idle", "paid for idling", "tokens", "a million", "when busy",
    "a million input", "a million output", "KV cache at most", "computed anew",
)  # fmt: skip


def self_hosted_listing(result: SelfHosted) -> Listing:
    """What each model cost on its own machines, the dearest first.

    Parameters
    ----------
    result
        Of `workbench.spend.self_hosted.self_hosted`.
    """
    idle = [_machine(m) for m in result.machines if not m.serves]
    rows = [*idle, *(_model(m) for m in result.models)]
    told = (
        "A million: all that is paid, by all tokens, cached ones included; when busy: only the time "
        "in which something ran. Input: tokens that the prefix cache did not have. Computed anew: "
        "what preemptions cost at the most."
    )
    notes = [f"{plain_text(n)}." for n in result.notes]
    return Listing(
        _COLUMNS,
        rows,
        empty='No prices of machines were given: machines="2.49 USD/h x2", or a file.',
        note=" ".join([told, *(n[:1].upper() + n[1:] for n in notes)]) if rows else "",
    )


def _model(cost: ModelCost) -> list[object]:
    currency = cost.currency
    hours = _between(cost.hours, cost.hours_low, cost.hours_high)
    return [
        plain_text(cost.name),
        hours,
        _bounded(cost.amount, cost.low, cost.high, currency),
        _idle(cost),
        money_text(cost.idle_amount, currency),
        format_quantity(cost.tokens) if cost.tokens else NONE,
        small_text(cost.per_million, currency),
        small_text(cost.busy_per_million, currency),
        _range(cost.input_per_million, currency),
        _range(cost.output_per_million, currency),
        NONE if cost.cache_peak is None else f"{cost.cache_peak * 100:.0f} %",
        _anew(cost),
    ]


def _machine(machine: MachineHours) -> list[object]:
    """A machine that serves nothing."""
    hours = _between(machine.hours, machine.hours_low, machine.hours_high)
    money = _bounded(machine.amount, machine.low, machine.high, machine.currency)
    name = f"{plain_text(machine.name)}: serves nothing that is counted"
    return [name, hours, money, *[NONE] * (len(_COLUMNS) - 3)]


def _idle(cost: ModelCost) -> str:
    if cost.idle is None or cost.idle_low is None or cost.idle_high is None:
        return _UNTOLD
    text = f"{cost.idle * 100:.0f} %"
    low, high = f"{cost.idle_low * 100:.0f}", f"{cost.idle_high * 100:.0f} %"
    return text if f"{low} %" == high else f"{text} ({low} to {high})"


def _anew(cost: ModelCost) -> str:
    if cost.preempted is None or cost.recomputed is None:
        return _UNTOLD
    if not cost.preempted:
        return "nothing"
    return f"{cost.preempted:,.0f} requests, {small_text(cost.recomputed[1], cost.currency)}"


def self_hosted_accounts_listing(result: SelfHosted, *dimensions: str) -> Listing:
    """Whose requests the machines worked for.

    Parameters
    ----------
    result
        Of `workbench.spend.self_hosted.self_hosted`.
    *dimensions
        Columns of `SelfHosted.accounts`; team and application where none are given.
    """
    names = dimensions or ("team", "application")
    rows = [
        [
            *(plain_text(str(row[n])) or NONE for n in names),
            money_text(row["amount"], str(row["currency"])),
            format_quantity(row["tokens"]) if row["tokens"] else NONE,
        ]
        for row in result.by(*names).to_dict("records")
    ]
    return Listing(
        (*names, "cost", "tokens"),
        rows,
        empty="No machine serves a model that is counted.",
        note="Each day's money, idle time too, by the seconds that an account's tokens took on that "
        "day; by tokens where the server tells no seconds."
        if rows
        else "",
    )


def break_even_listing(result: SelfHosted) -> Listing:
    """Each model beside those who sell it, the cheapest first."""
    rows = [row for each in result.break_even for row in _sellers(each)]
    return Listing(
        (
            "model", "own machines, a month", "seller", "sold as", "there, a month",
            "own machines are cheaper from", "were served", "seen to serve at most",
        ),
        rows,
        empty="Nothing was served by machines whose price is known.",
        note=f"The same tokens at list prices; a month of {MONTH_DAYS.quantize(Decimal('0.01'))} days; "
        "volumes are tokens a day at the observed mix of input, cached input and output. A range: a "
        "cache elsewhere may have as much, or nothing. Seen to serve at most: the best five minutes, "
        f"all day. {_left_out(result)}Prices: {plain_text(result.version)}."
        if rows
        else "",
    )  # fmt: skip


def _sellers(each: BreakEven) -> list[list[object]]:
    currency = each.currency
    own = [plain_text(each.name), money_text(each.month, currency)]
    volume = format_quantity(each.volume)
    most = NONE if each.capacity is None else format_quantity(each.capacity)
    if not each.offers:
        why = "; ".join(plain_text(w) for w in each.left_out) or "no seller of this model is known"
        return [[*own, why, NONE, NONE, NONE, volume, most]]
    return [
        [
            *own,
            plain_text(o.provider),
            plain_text(o.model),
            _range((o.month, o.month_high), currency, money=True),
            _volumes(o.volume_low, o.volume, each.capacity),
            volume,
            most,
        ]
        for o in _named(each.offers)
    ]


def _named(offers: Sequence[Offer]) -> Sequence[Offer]:
    """The cheapest and the dearest; those between add nothing to a decision."""
    if len(offers) <= _CHEAPEST + _DEAREST:
        return offers
    return [*offers[:_CHEAPEST], *offers[-_DEAREST:]]


def _left_out(result: SelfHosted) -> str:
    left = sum(max(len(e.offers) - _CHEAPEST - _DEAREST, 0) for e in result.break_even)
    return f"{left} more sellers lie between. " if left else ""


def _volumes(low: float, high: float, capacity: float | None) -> str:
    texts = dict.fromkeys((format_quantity(low), format_quantity(high)))
    beyond = ", not seen" if capacity is not None and low > capacity else ""
    return " to ".join(texts) + beyond


def break_even_chart(result: SelfHosted) -> Any:
    """Draw money a month against tokens a day: one's own machines, and those who sell by the token.

    Parameters
    ----------
    result
        Of `workbench.spend.self_hosted.self_hosted`.

    Returns
    -------
    altair.ConcatChart
        A panel a model, both scales logarithmic. The level line are the machines, solid as far as
        they were seen to serve; the band is from the cheapest seller to the dearest.
    """
    import altair as alt

    found = [b for b in result.break_even if b.offers and b.volume > 0 and b.month > 0]
    if not found:
        return themed(alt.concat(no_chart("There is nothing to compare with.")))
    panels = [_panel(each) for each in found[:_PANELS]]
    left = len(found) - len(panels)
    more = f"; {left} more stand in the table" if left else ""
    title = alt.Title(
        "Own machines beside an API",
        subtitle=f"money a month by tokens a day, at the observed mix{more}",
    )
    return themed(alt.concat(*panels, columns=2, title=title))


def _panel(each: BreakEven) -> Any:
    import altair as alt

    bands, own = _rows(each)
    x = alt.X("volume:Q", scale=alt.Scale(type="log", nice=False), axis=_axis("tokens a day"))
    money = _axis(f"{each.currency} a month")

    def y(column: str) -> Any:
        return alt.Y(f"{column}:Q", scale=alt.Scale(type="log", nice=False), axis=money)

    told = [
        alt.Tooltip("volume:Q", title="tokens a day", format=".3s"),
        alt.Tooltip("low:Q", title="cheapest seller", format=",.2f"),
        alt.Tooltip("high:Q", title="dearest seller", format=",.2f"),
        alt.Tooltip("own:Q", title="own machines", format=",.2f"),
    ]
    base = alt.Chart(width=310, height=220)
    band = base.properties(data=alt.Data(values=bands))
    colour = COLOURS["forecast"]
    edges = [
        band.mark_line(color=colour, size=1.5).encode(x=x, y=y(c), tooltip=told)
        for c in ("low", "high")
    ]
    dashes = alt.Scale(domain=["seen", "not seen"], range=[[1, 0], [4, 4]])
    machines = (
        base.properties(data=alt.Data(values=own))
        .mark_line(color=COLOURS["usage"], size=2.5)
        .encode(x=x, y=y("own"), strokeDash=alt.StrokeDash("seen:N", scale=dashes, legend=None))
    )
    filled = band.mark_area(color=colour, opacity=0.25).encode(
        x=x, y=y("low"), y2="high:Q", tooltip=told
    )
    return alt.layer(filled, *edges, machines, *_marks(base, each, x, y("own"))).properties(
        title=alt.Title(
            plain_text(each.name, most=60), subtitle=f"at what was served {_VERDICTS[each.verdict]}"
        )
    )


def _rows(each: BreakEven) -> tuple[list[dict[str, float]], list[dict[str, object]]]:
    """What sellers ask by volume; and the machines' level line, as far as was seen and beyond."""
    ends = [v for o in each.offers for v in (o.volume, o.volume_low)]
    least = min(each.volume, *ends) / 4
    most = max(each.volume, each.capacity or 0.0, *ends) * 2
    ratio = (most / least) ** (1 / (_POINTS - 1))
    month = float(each.month)
    cheapest = float(min(o.month for o in each.offers)) / each.volume
    dearest = float(max(o.month_high for o in each.offers)) / each.volume
    volumes = [least * ratio**n for n in range(_POINTS)]
    bands = [{"volume": v, "low": cheapest * v, "high": dearest * v, "own": month} for v in volumes]
    seen = each.capacity or most
    spans = [("seen", least, seen), *([("not seen", seen, most)] if seen < most else [])]
    own: list[dict[str, object]] = [
        {"volume": v, "own": month, "seen": part} for part, *span in spans for v in span
    ]
    return bands, own


def _marks(base: Any, each: BreakEven, x: Any, y: Any) -> list[Any]:
    """What was served, as an upright line, and names beside the lines."""
    import altair as alt

    at = base.properties(data=alt.Data(values=[{"volume": each.volume, "text": "served"}]))
    middle = math.sqrt(float(each.offers[0].month) * float(each.offers[-1].month_high))
    named = [
        {"volume": each.volume, "own": float(each.month), "text": "own machines", "dy": -8},
        {"volume": each.volume, "own": middle, "text": "sellers", "dy": 0},
    ]
    if each.capacity and each.capacity > each.volume:
        level = {"volume": each.capacity, "own": float(each.month)}
        named.append({**level, "text": "more was not seen", "dy": 12})
    names = [
        base.properties(data=alt.Data(values=[one]))
        .mark_text(align="left", dx=4, dy=one["dy"], color=COLOURS["neutral"])
        .encode(x=x, y=y, text="text:N")
        for one in named
    ]
    return [
        at.mark_rule(color=COLOURS["neutral"], strokeDash=[6, 3]).encode(x=x),
        at.mark_text(align="left", dx=4, color=COLOURS["neutral"]).encode(
            x=x, y=alt.value(8), text="text:N"
        ),
        *names,
    ]


def _axis(title: str) -> Any:
    import altair as alt

    return alt.Axis(title=title, format="~s", tickCount=5, grid=False)


def _bounded(amount: Decimal, low: Decimal, high: Decimal, currency: str) -> str:
    text = money_text(amount, currency)
    return text if low == high else f"{text} ({money_text(low)} to {money_text(high)})"


def _between(value: float, low: float, high: float) -> str:
    text = f"{value:,.1f}"
    return text if low == high else f"{text} ({low:,.1f} to {high:,.1f})"


def _range(found: tuple[Decimal, Decimal] | None, currency: str, *, money: bool = False) -> str:
    if found is None:
        return NONE
    texts = dict.fromkeys(map(money_text if money else small_text, found))
    return f"{' to '.join(texts)} {currency}"
