"""Spend as tables for people: money with its bounds, tokens, budgets, and why it changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from workbench.spend.prices import cents
from workbench.spend.result import SpendResult, Standing
from workbench.units import format_chance, format_quantity
from workbench.views.axis import plain_text
from workbench.views.listing import Listing

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "budgets_listing",
    "doubts_listing",
    "effects_listing",
    "money_text",
    "spend_listing",
    "spend_table",
    "users_listing",
]

_NONE: Final = "–"
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
    names = [plain_text(str(row[d])) or _NONE for d in dimensions]
    amount, currency = row["amount"], row["currency"]
    if not isinstance(amount, Decimal):
        money = ["no price", _NONE, _NONE, _NONE]
        each = _NONE
    else:
        total = totals.get(currency)
        share = f"{float(amount / total) * 100:.1f} %" if total else _NONE
        money = [
            money_text(amount, currency), money_text(row["low"], currency), money_text(row["high"], currency),
            share,
        ]  # fmt: skip
        each = f"{float(amount) / row['requests']:.4f}" if row["requests"] else _NONE
    return [*names, *money, _count(row["tokens"]), _count(row["requests"]), each]


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
                _signed(v)
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
        money_text(budget.amount, currency) if budget else _NONE,
    ]
    if ahead is None:
        return [*row, *[_NONE] * 5, plain_text(budget.owner if budget else "")]
    chance = standing.chance
    breach = ahead.breach(float(budget.amount)) if budget else None
    test = ahead.test
    return [
        *row,
        money_text(ahead.total(0.5), currency),
        _span(ahead.total(0.1), ahead.total(0.9)),
        format_chance(chance),
        _NONE
        if breach is None
        else "already"
        if not breach
        else str(result.last + timedelta(days=breach)),
        f"{test.error * 100:.0f} % / {test.naive_error * 100:.0f} %" if test else _NONE,
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
    return " – ".join(f"{cents(Decimal(repr(float(v)))):,}" for v in (low, high))


def doubts_listing(result: SpendResult) -> Listing:
    """What makes the bounds as wide as they are."""
    table = result.priced.causes()
    rows = [
        [
            r["cause"],
            money_text(r["down"], r["currency"]),
            money_text(r["up"], r["currency"]),
            r["rows"],
        ]
        for r in table.to_dict("records")
    ]
    return Listing(
        ("cause", "less by", "more by", "account-days"),
        rows,
        empty="The prices leave no doubt.",
        note=" ".join(f"{n[:1].upper()}{n[1:]}." for n in result.priced.notes),
    )


def money_text(amount: Decimal | float, currency: str) -> str:
    """Money to the cent.

    Examples
    --------
    >>> money_text(1234.5, "USD")
    '1,234.50 USD'
    """
    exact = amount if isinstance(amount, Decimal) else Decimal(repr(float(amount)))
    return f"{cents(exact):,} {currency}"


def _signed(value: float | None) -> str:
    if value is None:
        return _NONE
    return "0.00" if abs(value) < 0.005 else f"{value:+,.2f}".replace("-", "−")


def _count(value: float) -> str:
    return format_quantity(value) if value else _NONE
