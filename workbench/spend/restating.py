"""A past period at the prices then and at another day's: what the same tokens would cost.

The tokens are the same on both sides, so that the difference is the price's alone. Published prices
have a sparse history: of a model whose data has one entry only, both sides are the same because
nothing else is known, and that is said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import InputError
from workbench.findings import Finding, Severity
from workbench.spend.prices import Priced, Prices, RequestSizes, Unpriced, cents, price
from workbench.spend.prices.quoted import Label
from workbench.spend.prices.quoting import Quote
from workbench.spend.prices.rates import PRICED
from workbench.spend.usage import TokenClass

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PriceChange", "Restated", "Restatement", "conclude_restatement", "restate"]

_CLASSES: Final = ("input", "cache_read", "cache_write", "output", "request")
_NO_SIZES: Final[Mapping[tuple[str, str], RequestSizes]] = MappingProxyType({})
_LEAST: Final = Decimal("0.02")
"""A difference of less than this share of the money then is no finding."""


@dataclass(frozen=True, slots=True)
class PriceChange:
    """A price that became another.

    Parameters
    ----------
    provider, model, region, tier
        As labelled.
    token_class
        Of which tokens; ``request`` for what is paid for a request.
    tier_start
        Tokens of input above which a request pays this price; 0 for the base.
    before, after
        For a million tokens, or a request; None where there was none, or is none any more.
    currency, currency_before
        Of both.
    since
        The first day of the new price.
    source
        Who says so.
    """

    provider: str
    model: str
    region: str
    tier: str
    token_class: str
    tier_start: int
    before: Decimal | None
    after: Decimal | None
    currency_before: str
    currency: str
    since: date
    source: str

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "provider": self.provider,
            "model": self.model,
            "region": self.region,
            "tier": self.tier,
            "token_class": self.token_class,
            "above_tokens": self.tier_start,
            "before": None if self.before is None else str(self.before),
            "after": None if self.after is None else str(self.after),
            "currency_before": self.currency_before,
            "currency": self.currency,
            "since": self.since.isoformat(),
            "source": self.source,
        }


@dataclass(frozen=True, slots=True)
class Restated:
    """The same tokens at two prices.

    Parameters
    ----------
    provider, model, token_class
        Of which; empty in a sum of all.
    currency
        Of both; what has another one on either side is in no sum: see `Restatement.foreign`.
    then, now
        Money, exact; None where it has no price.
    """

    provider: str
    model: str
    token_class: str
    currency: str
    then: Decimal | None
    now: Decimal | None

    @property
    def difference(self) -> Decimal | None:
        """Now less then; None where either has no price."""
        return None if self.then is None or self.now is None else self.now - self.then


@dataclass(frozen=True, slots=True, eq=False)
class Restatement:
    """A period at two prices.

    Parameters
    ----------
    first, last
        The period, both days included.
    then
        The day whose prices the first side has; None where each day has its own.
    now
        The day whose prices the second side has.
    rows
        By provider, model and token class, the greatest difference first; only what has a price on
        both sides in one currency.
    totals
        By currency: the sums of `rows`, with the bounds of both sides as ``then_low`` and so on.
    changes
        Prices that became others between both, in time's order.
    undated
        Provider and model of which no earlier price is known: restated, they are the same.
    foreign
        Provider, model, and the two currencies, where they are not the same.
    unpriced_then, unpriced_now
        What has no price on a side, most tokens first.
    version
        Price data and book.
    """

    first: date
    last: date
    then: date | None
    now: date
    rows: tuple[Restated, ...]
    totals: Mapping[str, Mapping[str, Decimal]]
    changes: tuple[PriceChange, ...]
    undated: tuple[tuple[str, str], ...]
    foreign: tuple[tuple[str, str, str, str], ...]
    unpriced_then: tuple[Unpriced, ...]
    unpriced_now: tuple[Unpriced, ...]
    version: str

    def to_table(self) -> pd.DataFrame:
        """`rows` as a table: money as `Decimal`."""
        import pandas as pd

        names = ("provider", "model", "token_class", "currency", "then", "now", "difference")
        data = [[getattr(r, n) for n in names] for r in self.rows]
        return pd.DataFrame(data, columns=list(names))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: money as text."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "prices_then": self.then.isoformat() if self.then else "each day's own",
            "prices_now": self.now.isoformat(),
            "price_data": self.version,
            "totals": {c: {n: str(cents(m)) for n, m in t.items()} for c, t in self.totals.items()},
            "rows": [
                {k: None if v is None else str(v) for k, v in row.items()}
                for row in self.to_table().astype(object).to_dict("records")
            ],
            "changes": [c.to_dict() for c in self.changes],
            "no_earlier_price_known": [list(u) for u in self.undated],
            "another_currency": [list(f) for f in self.foreign],
            "unpriced_then": [_named(u) for u in self.unpriced_then],
            "unpriced_now": [_named(u) for u in self.unpriced_now],
        }


def restate(
    history: Priced,
    prices: Prices,
    *,
    first: date,
    last: date,
    then: date | None = None,
    now: date,
    sizes: Mapping[tuple[str, str], RequestSizes] = _NO_SIZES,
) -> Restatement:
    """Price a period's usage at the prices then, and at another day's.

    Parameters
    ----------
    history
        Usage of the period or of more.
    prices
        List prices and price book.
    first, last
        The period, both days included.
    then
        The day whose prices the first side has; None for each day's own, as it was billed.
    now
        The day whose prices the second side has: today, or the end of the data.
    sizes
        How long requests are, by provider and model; those that `history` was priced with.

    Raises
    ------
    InputError
        The period ends before it begins.

    Examples
    --------
    ``restate(result.history, Prices(), first=date(2025, 5, 1), last=date(2025, 5, 31), now=today)``
    """
    if last < first:
        msg = f"the period ends on {last}, before it begins on {first}"
        raise InputError(msg, "give a period of one day or more")
    days = history.usage["day"].to_numpy("datetime64[D]")
    inside = (days >= np.datetime64(first)) & (days <= np.datetime64(last))
    # Errors may name the model that was asked for, which is none that was used.
    inside &= (history.usage[[*_CLASSES[:-1], "requests"]] > 0).any(axis=1).to_numpy(bool)
    usage = history.usage[inside].assign(cost=np.nan)
    sides = [price(usage, prices.at(day), sizes=sizes) for day in (then, now)]
    both, foreign = _comparable(usage, *sides)
    alike = [price(usage[both], prices.at(day), sizes=sizes) for day in (then, now)]
    labels = list(dict.fromkeys(sides[0].quoted.labels))
    span = (min(then or first, now), max(then or last, now))
    return Restatement(
        first,
        last,
        then,
        now,
        tuple(_rows(*alike)),
        _totals(*alike),
        tuple(_changes(prices.at(None), labels, *span)),
        tuple(_undated(prices.at(None), labels, last)),
        foreign,
        sides[0].unpriced,
        sides[1].unpriced,
        prices.at(None).version,
    )


def _comparable(
    usage: pd.DataFrame, one: Priced, other: Priced
) -> tuple[np.ndarray[Any, np.dtype[np.bool_]], tuple[tuple[str, str, str, str], ...]]:
    """Find the rows that have a price on both sides in one currency, and name the currencies else."""
    sides = [p.rows["currency"].astype(str).to_numpy() for p in (one, other)]
    known = one.rows["amount"].notna().to_numpy() & other.rows["amount"].notna().to_numpy()
    other_money = known & (sides[0] != sides[1])
    named = usage.loc[other_money, ["provider", "model"]].astype(str).to_numpy()
    found = zip(named.tolist(), sides[0][other_money], sides[1][other_money], strict=True)
    foreign = dict.fromkeys((n[0], n[1], str(a), str(b)) for n, a, b in found)
    both: np.ndarray[Any, np.dtype[np.bool_]] = known & ~other_money
    return both, tuple(foreign)


def _rows(then: Priced, now: Priced) -> Iterator[Restated]:
    """Lay both sides beside each other, by provider, model and token class."""
    names = ["provider", "model"]
    found: dict[tuple[str, str, str, str], list[Decimal | None]] = {}
    for side, priced in enumerate((then, now)):
        for row in priced.sums(names).to_dict("records"):
            for name in _CLASSES:
                key = (str(row["provider"]), str(row["model"]), name, str(row["currency"]))
                found.setdefault(key, [None, None])[side] = row[name]
    made = [Restated(*key, both[0], both[1]) for key, both in found.items() if any(both)]
    made.sort(key=lambda r: (-abs(r.difference or Decimal(0)), -(r.then or Decimal(0))))
    yield from made


def _totals(then: Priced, now: Priced) -> dict[str, dict[str, Decimal]]:
    """Add both sides up by currency."""
    totals: dict[str, dict[str, Decimal]] = {}
    for name, priced in (("then", then), ("now", now)):
        for row in priced.sums().to_dict("records"):
            held = totals.setdefault(str(row["currency"]), {})
            held[name] = row["amount"]
            held |= {f"{name}_low": row["low"], f"{name}_high": row["high"]}
    for held in totals.values():
        held["difference"] = held["now"] - held["then"]
    return totals


def _changes(
    prices: Prices, labels: Sequence[Label], begin: date, end: date
) -> Iterator[PriceChange]:
    """Compare each price on the days on which it may change with that of the day before."""
    found: list[PriceChange] = []
    for label in labels:
        for cut in prices.cuts(*label):
            if begin < cut <= end:
                before = prices.quote(*label, cut - timedelta(days=1))
                found += _differences(label, cut, before, prices.quote(*label, cut))
    yield from sorted(found, key=lambda c: (c.since, c.provider, c.model))


def _differences(label: Label, cut: date, before: Quote, after: Quote) -> Iterator[PriceChange]:
    prices = [_listed(q) for q in (before, after)]
    currencies = [q.rates.currency if q.rates else "" for q in (before, after)]
    for key in dict.fromkeys([*prices[0], *prices[1]]):
        one, other = (each.get(key) for each in prices)
        if one != other or currencies[0] != currencies[1]:
            source = after.rates.source if after.rates else ""
            yield PriceChange(
                *label, key[0], key[1], one, other, currencies[0], currencies[1], cut, source
            )


def _listed(quote: Quote) -> dict[tuple[str, int], Decimal]:
    """All prices of a quote, by token class and start of their tier."""
    if quote.rates is None:
        return {}
    found: dict[tuple[str, int], Decimal] = {}
    for token_class in PRICED:
        own = quote.rates.prices.get(TokenClass(token_class))
        if own is not None:
            found[token_class.value, 0] = own.base
            found |= {(token_class.value, start): price for start, price in own.tiers}
    if quote.rates.per_request:
        found["request", 0] = quote.rates.per_request
    return found


def _undated(prices: Prices, labels: Sequence[Label], day: date) -> Iterator[tuple[str, str]]:
    """Find models with list prices that carry no date at all."""
    seen = set()
    for label in labels:
        pair = label[:2]
        if pair in seen or prices.cuts(*label):
            continue
        rates = prices.quote(*label, day).rates
        if rates is not None and not rates.contract:
            seen.add(pair)
            yield pair


def _named(each: Unpriced) -> dict[str, Any]:
    return {
        "provider": each.provider,
        "model": each.model,
        "tokens": each.tokens,
        "reason": each.reason.value,
    }


def conclude_restatement(result: Restatement) -> Iterator[Finding]:
    """Say what the change of prices comes to, where it is 2 % or more of the money then.

    Parameters
    ----------
    result
        Of `restate`.
    """
    for currency, held in result.totals.items():
        difference = held["difference"]
        if abs(difference) < max(_LEAST * held["then"], Decimal(1)):
            continue
        word = "less" if difference < 0 else "more"
        share = f" ({abs(difference) / held['then'] * 100:.1f} %)" if held["then"] else ""
        models = list(dict.fromkeys(r.model for r in result.rows if r.difference))
        yield Finding(
            "LLM-RESTATED",
            Severity.INFO,
            f"prices in {currency}",
            f"what cost {cents(held['then']):,} {currency} from {result.first} to {result.last} "
            f"would cost {cents(held['now']):,} at the prices of {result.now}: "
            f"{cents(abs(difference)):,}{share} {word}, for {', '.join(models[:5])}",
            "compare periods at one day's prices where use is the question, and plan with today's",
            {
                "then": str(cents(held["then"])),
                "now": str(cents(held["now"])),
                "currency": currency,
                "no_earlier_price_known": len(result.undated),
            },
        )
