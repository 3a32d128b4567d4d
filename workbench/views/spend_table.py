"""Spend as tables for people: money with its bounds, tokens, budgets, and why it changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from workbench.spend.prices import Cause
from workbench.spend.result import SpendResult, Standing
from workbench.units import format_chance
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import (
    NONE,
    count_text,
    money_text,
    sentences,
    share_text,
    signed_text,
    small_text,
)

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "budgets_listing",
    "doubts_listing",
    "effects_listing",
    "spend_listing",
    "spend_table",
    "users_listing",
]

_WHY: Final = {
    Cause.TIER: "long requests cost more a token, and how long each was is not known",
    Cause.BOOK: "the price book has the model, but not this class of tokens",
    Cause.PROVIDER: "nothing says who sold the tokens, and sellers have other prices",
    Cause.HOUR: "the price changes with the hour",
    Cause.LIFETIME: "to write to a cache of an hour costs more than to one of minutes",
    Cause.SERVICE_TIER: "the price data does not know the service tier",
    Cause.REGION: "the cloud charges by region, and the price data has one price",
    Cause.CACHED: "cached tokens cost less, and the source does not count them",
    Cause.REASONING: "reasoning tokens have a price of their own, and the source does not count them",
    Cause.SOURCE: "the gateway's own figure is another, for no reason that was found",
}
"""What a reader is told of each cause."""

_BY: Final = ("provider", "model", "team", "application")
_FIGURES: Final = ("spend", "at least", "at most", "share", "tokens", "requests", "a request")


def spend_table(result: SpendResult) -> pd.DataFrame:
    """Spend by provider, model, team and application, the dearest first, as text.

    Returns
    -------
    DataFrame
        Text only; `SpendResult.to_table` holds the numbers.
    """
    return spend_listing(result, _BY).frame


def spend_listing(result: SpendResult, dimensions: Sequence[str]) -> Listing:
    """Spend by any dimensions; what has no price stands first."""
    table = result.by(*dimensions)
    totals = {c: a for c, a in result.priced.total().items() if a}
    rows = [_spend(row, dimensions, totals) for row in table.to_dict("records")]
    rows.sort(key=lambda row: row[len(dimensions)] != "no price")
    note = ", ".join(f"{money_text(a, c)}" for c, a in totals.items())
    return Listing(
        (*dimensions, *_FIGURES),
        rows,
        empty="No usage in this period.",
        note=f"In all {note or 'nothing that has a price'}, from {result.first} to {result.last}; "
        f"prices: {result.priced.version}.",
    )


def _spend(row: dict[Any, Any], dimensions: Sequence[str], totals: dict[str, Decimal]) -> list[Any]:
    names = [plain_text(str(row[d])) or NONE for d in dimensions]
    amount, currency = row["amount"], row["currency"]
    if not isinstance(amount, Decimal):
        money = ["no price", NONE, NONE, NONE]
        each = NONE
    else:
        total = totals.get(currency)
        share = share_text(float(amount / total) if total else None)
        money = [
            money_text(amount, currency), money_text(row["low"], currency), money_text(row["high"], currency),
            share,
        ]  # fmt: skip
        each = small_text(float(amount) / row["requests"]) if row["requests"] else NONE
    return [
        *names,
        *money,
        count_text(row["tokens"] or None),
        count_text(row["requests"] or None),
        each,
    ]


def users_listing(result: SpendResult) -> Listing:
    """Spend by user and application; a sentence where nobody tells users apart."""
    if (result.priced.usage["user"].astype(str) == "").all():
        return Listing(
            (), (), empty="No label tells users apart: a gateway that knows them can say so."
        )
    return spend_listing(result, ("user", "application"))


def effects_listing(result: SpendResult) -> Listing:
    """Why spend changed since the period before, a row a currency."""
    rows = [
        [
            currency, money_text(e.before, currency), money_text(e.after, currency), *(
                signed_text(v)
                for v in (
                    e.change, e.price, e.volume, e.requests,
                    None if e.requests is None else e.volume - e.requests,
                    e.mix, e.cache, e.arrived, e.gone,
                )
            ),
        ]
        for currency, e in result.effects.items()
    ]  # fmt: skip
    headings = (
        "currency", "before", "after", "change", "price", "volume", "by requests", "by length",
        "mix", "cache", "new models", "models gone",
    )  # fmt: skip
    days = (result.last - result.first).days + 1
    return Listing(
        headings,
        rows,
        empty=f"The {days} days before are not in the history: nothing can be compared.",
        note="Price, volume, mix, cache, new models and models gone add up to the change. Volume: "
        "more tokens at the same mix and prices, by more requests and by longer ones; mix: "
        "other models, or another share of output; cache: another share of input from the cache."
        if rows
        else "",
    )


def budgets_listing(result: SpendResult) -> Listing:
    """The month and each budget."""
    headings = (
        "budget", "period", "spent", "budget is", "at its end", "80 % interval", "P(broken)",
        "broken on", "error so far", "owner",
    )  # fmt: skip
    return Listing(
        headings,
        [_standing(s, result) for s in result.standings],
        empty="Nothing with a price was spent, and there are no budgets.",
        note="Error so far: the mean error of such forecasts from earlier days / that of going on "
        "as in the last seven days.",
    )


def _standing(standing: Standing, result: SpendResult) -> list[object]:
    budget, ahead = standing.budget, standing.outlook
    currency = standing.currency
    late = f" (known from {standing.known})" if standing.known > standing.first else ""
    row: list[object] = [
        plain_text(standing.name),
        f"{_period(standing)}{late}",
        money_text(standing.spent, currency),
        money_text(budget.amount, currency) if budget else NONE,
    ]
    if ahead is None:
        return [*row, *[NONE] * 5, plain_text(budget.owner if budget else "")]
    chance = standing.chance
    breach = ahead.breach(float(budget.amount)) if budget else None
    test = ahead.test
    return [
        *row,
        money_text(ahead.total(0.5), currency),
        _span(ahead.total(0.1), ahead.total(0.9)),
        format_chance(chance),
        NONE
        if breach is None
        else "already"
        if not breach
        else str(result.last + timedelta(days=breach)),
        f"{test.error * 100:.0f} % / {test.naive_error * 100:.0f} %" if test else NONE,
        plain_text(budget.owner if budget else ""),
    ]


def _period(standing: Standing) -> str:
    """Its period, short: ``Jun 2026`` for a calendar month, else first and last day."""
    first, last = standing.first, standing.last
    if standing.budget is None or standing.budget.period == "month":
        return f"{first:%b %Y}"
    if standing.budget.rolling_days:
        return f"{standing.budget.rolling_days} days"
    return f"{first} – {last}"


def _span(low: float, high: float) -> str:
    """Two amounts of the row's currency."""
    return f"{money_text(low)} – {money_text(high)}"


def doubts_listing(result: SpendResult) -> Listing:
    """What makes the bounds as wide as they are."""
    table = result.priced.causes()
    rows = [
        [
            r["cause"],
            _WHY[Cause(r["cause"])],
            money_text(r["down"], r["currency"]),
            money_text(r["up"], r["currency"]),
        ]
        for r in table.to_dict("records")
    ]
    return Listing(
        ("cause", "why", "may be less by", "may be more by"),
        rows,
        empty="The prices leave no doubt.",
        note=sentences(result.priced.notes),
    )
