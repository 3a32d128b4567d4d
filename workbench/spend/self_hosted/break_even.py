"""One's own machines beside an API: what the same tokens cost there, and from which volume it turns.

Machines cost the same whatever they do; an API costs by the token. At the observed mix of input,
cached input and output the lines cross at ``machines' money a day / the API's money a token``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from decimal import Decimal

from workbench.spend.prices import Prices
from workbench.spend.prices.rates import MILLION, Rates
from workbench.spend.self_hosted.cost import ModelCost
from workbench.spend.self_hosted.offers import MONTH_DAYS, BreakEven, Offer
from workbench.spend.self_hosted.sellers import sellers_of
from workbench.spend.usage import TokenClass

__all__ = ["break_even"]

_DAY_SECONDS = 86_400


def break_even(
    cost: ModelCost, prices: Prices, day: date, against: Sequence[tuple[str, str]] = ()
) -> BreakEven:
    """Hold a model's machines against those who sell it.

    Parameters
    ----------
    cost
        What it cost on one's own machines.
    prices
        List prices and the user's price book.
    day
        Of the prices.
    against
        Provider and model of APIs to compare with, such as ``("groq", "llama-3.1-8b-instant")``;
        without any, those who sell the same open weights.
    """
    left_out: list[str] = []
    found = list(_named(against, prices, day, left_out)) if against else list(
        sellers_of(cost.model, prices, day)
    )  # fmt: skip
    if not cost.paid_days or not cost.seen_days:
        left_out.append("no day was seen as a whole")
        return BreakEven(
            cost.model, cost.job, cost.currency, Decimal(0), 0.0, None, (), tuple(left_out)
        )
    month = cost.amount * MONTH_DAYS / cost.paid_days
    offers = []
    for provider, model, rates in found:
        if rates.currency != cost.currency:
            left_out.append(f"{provider} {model} is priced in {rates.currency}")
        elif (offer := _offer(cost, provider, model, rates)) is not None:
            offers.append(offer)
    offers.sort(key=lambda o: (o.month, o.provider, o.model))
    capacity = cost.peak * _DAY_SECONDS if cost.peak else None
    volume = cost.tokens / cost.seen_days
    return BreakEven(
        cost.model, cost.job, cost.currency, month, volume, capacity, tuple(offers), tuple(left_out)
    )


def _named(
    against: Iterable[tuple[str, str]], prices: Prices, day: date, left_out: list[str]
) -> Iterable[tuple[str, str, Rates]]:
    for provider, model in against:
        quote = prices.quote(provider, model, "", "", day)
        if quote.rates is None:
            left_out.append(f"{provider} {model} has no price: {quote.reason}")
        else:
            yield provider, model, quote.rates


def _offer(cost: ModelCost, provider: str, model: str, rates: Rates) -> Offer | None:
    """A seller's price of the period's tokens, for a mean month; None where a class has none."""
    if not cost.tokens:
        return None
    spent = _priced(cost, rates, cost.computed, cost.cached)
    most = _priced(cost, rates, cost.computed + cost.cached, 0.0)
    if not spent or not most:
        return None
    low, high = sorted((spent, most))
    a_token = cost.amount * Decimal(repr(cost.tokens)) / cost.paid_days
    return Offer(
        provider, model, low * MONTH_DAYS / cost.seen_days, high * MONTH_DAYS / cost.seen_days,
        float(a_token / low), float(a_token / high), rates.source,
    )  # fmt: skip


def _priced(cost: ModelCost, rates: Rates, computed: float, cached: float) -> Decimal | None:
    """Tokens of the period at list prices; tiers by the mean request, never by a sum of them."""
    tokens = {
        TokenClass.INPUT: computed,
        TokenClass.CACHE_READ: cached,
        TokenClass.OUTPUT: cost.output,
    }
    size = (cost.computed + cost.cached) / cost.requests if cost.requests else 0.0
    total = rates.per_request * Decimal(repr(cost.requests))
    for each, count in tokens.items():
        price = rates.price(each)
        if price is None:
            if count:
                return None
            continue
        total += price.at(size) * Decimal(repr(count)) / MILLION
    return total
