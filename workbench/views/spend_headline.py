"""The spend of a period in a few lines, and who told of it."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

from workbench.units import counted, format_chance, format_quantity
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, money_text, share_text, signed_share, signed_text

if TYPE_CHECKING:
    from workbench.spend.result import SpendResult

__all__ = ["headline_listing", "sources_listing"]

_WIDE: Final = Decimal("0.01")
"""Bounds further apart than this share of the sum are told with what makes them so."""

_WHOLE: Final = 0.95
"""A day of which less was seen is told."""


def headline_listing(result: SpendResult) -> Listing:
    """Spend, its change, the month's end and what has no price: a line each, with how sure it is."""
    rows = [row for currency in _currencies(result) for row in _of_currency(result, currency)]
    rows += _machines(result)
    if result.priced.unpriced:
        tokens = sum(each.tokens for each in result.priced.unpriced)
        names = ", ".join(
            plain_text(each.model) or "no name" for each in result.priced.unpriced[:3]
        )
        more = len(result.priced.unpriced) - 3
        others = f" and {counted(more, 'other')}" if more > 0 else ""
        rows.append(
            ["tokens without a price", format_quantity(tokens), f"{names}{others}; in no sum"]
        )
    return Listing(
        ("figure", "value", "how sure"),
        rows,
        empty="No usage in this period.",
        note=f"Prices: {result.priced.version}.",
    )


def _machines(result: SpendResult) -> Iterator[list[object]]:
    """What one's own machines cost, by currency: beside the sum, which is of tokens."""
    found = result.answers.self_hosted
    if found is None:
        return
    for currency in dict.fromkeys(m.currency for m in found.machines):
        mine = [m for m in found.machines if m.currency == currency]
        idle = [c.idle_amount for c in found.models if c.currency == currency]
        known = sum((i for i in idle if i is not None), Decimal(0))
        yield [
            "own machines",
            money_text(sum((m.amount for m in mine), Decimal(0)), currency),
            "beside the spend above"
            + (f"; {money_text(known, currency)} of it while nothing ran" if known else ""),
        ]


def _currencies(result: SpendResult) -> list[str]:
    """Those that anything was spent in, the largest sum first."""
    totals = {c: a for c, a in result.priced.total().items() if a}
    return sorted(totals, key=lambda c: -totals[c])


def _of_currency(result: SpendResult, currency: str) -> Iterator[list[object]]:
    sums = result.by()
    whole = sums[sums["currency"] == currency].iloc[0]
    amount, low, high = (whole[name] for name in ("amount", "low", "high"))
    days = (result.last - result.first).days + 1
    yield [
        f"spend in {counted(days, 'day')}, {result.first} to {result.last}",
        money_text(amount, currency),
        f"at least {money_text(low, currency)}, at most {money_text(high, currency)}"
        + _widest(result, currency, amount),
    ]
    writes = Decimal(result.answers.caching.unseen(currency))
    if writes >= _WIDE * amount:
        yield [
            "cache writes that nobody counts",
            f"up to {money_text(writes, currency)}",
            "in no sum or bound: if all input that was not read from a cache was written to one",
        ]
    yield ["a day", money_text(amount / Decimal(days), currency), ""]
    yield from _largest(result, currency, amount)
    if (found := result.effects.get(currency)) is not None:
        share = f", {signed_share(found.change / found.before)}" if found.before > 0 else ""
        yield [
            f"change since the {counted(days, 'day')} before",
            f"{signed_text(found.change, currency)}{share}",
            f"from {money_text(found.before, currency)}",
        ]
    month = next((s for s in result.standings if s.budget is None and s.currency == currency), None)
    if month is not None:
        late = f", known from {month.known}" if month.known > month.first else ""
        name = f"{month.first:%B %Y}"
        yield [f"{name} so far", money_text(month.spent, currency), f"to {result.last}{late}"]
        if (ahead := month.outlook) is not None and ahead.totals.shape[1]:
            low, high = (money_text(ahead.total(p)) for p in (0.1, 0.9))
            error = (
                f"; earlier forecasts of {counted(ahead.test.days, 'day')} were wrong by "
                f"{ahead.test.error * 100:.0f} % of these days' spend on average"
                if ahead.test
                else ""
            )
            yield [
                f"{name} at its end, forecast",
                money_text(ahead.total(0.5), currency),
                f"80 % interval {low} to {high} {currency}{error}",
            ]
    for standing in result.standings:
        chance = standing.chance
        if standing.budget is not None and standing.currency == currency and (chance or 0) >= 0.5:
            yield [
                f"chance to break budget {plain_text(standing.name)}",
                format_chance(chance),
                f"of {money_text(standing.budget.amount, currency)} by {standing.last}",
            ]


def _widest(result: SpendResult, currency: str, amount: Decimal) -> str:
    """What makes the bounds wide, where they are wide enough to ask."""
    causes = result.priced.causes()
    mine = causes[causes["currency"] == currency]
    if not len(mine):
        return ""
    widest = mine.iloc[0]
    if widest["down"] + widest["up"] < _WIDE * amount:
        return ""
    return f"; most in doubt: {widest['cause']}"


def _largest(result: SpendResult, currency: str, amount: Decimal) -> Iterator[list[object]]:
    """Whose the most of it is, by team, application and model, where several share it."""
    for dimension in ("team", "application", "model"):
        table = result.by(dimension)
        mine = table[(table["currency"] == currency) & (table[dimension].astype(str) != "")]
        if len(mine) < 2 or not amount:
            continue
        most = mine.iloc[0]
        yield [
            f"most by {dimension}",
            plain_text(str(most[dimension])),
            f"{money_text(most['amount'], currency)}, {share_text(float(most['amount'] / amount))}",
        ]


def sources_listing(result: SpendResult) -> Listing:
    """Who told of usage: tokens that count, tokens left out as told twice, days that were seen."""
    reading = result.reading
    covered = reading.coverage
    days = covered["day"].dt.date
    covered = covered[(days >= result.first) & (days <= result.last)]
    kept, dropped = (_tokens(t, result) for t in (reading.table, reading.duplicates))
    rows = []
    for name, seen in covered.groupby("profile", sort=False, observed=True)["coverage"]:
        gaps = int((seen < _WHOLE).sum())
        rows.append(
            [
                plain_text(str(name)),
                format_quantity(kept[name]) if kept.get(name) else NONE,
                format_quantity(dropped[name]) if dropped.get(name) else NONE,
                f"{seen.mean() * 100:.1f} %",
                counted(gaps, "day") if gaps else NONE,
            ]
        )
    return Listing(
        ("told by", "tokens that count", "tokens told twice", "seen", "seen in part"),
        rows,
        empty="Nobody told of usage.",
        note="What another layer counted too is in no figure. Seen: how much of the period there "
        "were samples.",
    )


def _tokens(table: Any, result: SpendResult) -> dict[str, float]:
    """Tokens of the period by profile."""
    days = table["day"].dt.date
    inside = table[(days >= result.first) & (days <= result.last)]
    tokens = inside[["input", "cache_read", "cache_write", "output"]].fillna(0.0).sum(axis=1)
    sums = tokens.groupby(inside["profile"].astype(str)).sum()
    return {str(name): float(value) for name, value in sums.items()}
