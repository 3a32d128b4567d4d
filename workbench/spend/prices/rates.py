"""What tokens cost at one moment: a price for each token class, exact, with its per-request tiers.

Prices are `Decimal` per million tokens. A tier is a cliff, not a slope: a request whose whole input is
above the start pays the tier's price for all of its tokens. A tier therefore belongs to a request;
to give a sum of requests to it is the commonest error of spend reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Final

from workbench.spend.usage import TokenClass

__all__ = ["MILLION", "PRICED", "Price", "Rates", "combine"]

MILLION: Final = Decimal(1_000_000)

PRICED: Final = (
    TokenClass.INPUT,
    TokenClass.CACHE_READ,
    TokenClass.CACHE_WRITE,
    TokenClass.OUTPUT,
    TokenClass.REASONING,
)
"""The classes that may have a price, in the order of the arrays made of them."""

_STANDS_FOR: Final = {
    TokenClass.CACHE_READ: TokenClass.INPUT,
    TokenClass.CACHE_WRITE: TokenClass.INPUT,
    TokenClass.REASONING: TokenClass.OUTPUT,
}
"""At whose price a class without one of its own is billed: what providers do, and what
`genai_prices.calc_price` does."""

_ZERO: Final = Decimal(0)
_ONE: Final = Decimal(1)


@dataclass(frozen=True, slots=True)
class Price:
    """The price of one token class.

    Attributes
    ----------
    base
        Per million tokens, below the first tier.
    tiers
        ``(start, price)``, ascending: the price per million tokens of a request with more than
        `start` tokens of input, cached ones included.
    """

    base: Decimal
    tiers: tuple[tuple[int, Decimal], ...] = ()

    def at(self, request_input: float | Decimal) -> Decimal:
        """Give the price for a request with so many tokens of input.

        Examples
        --------
        >>> Price(Decimal(3), ((200_000, Decimal(6)),)).at(200_000)
        Decimal('3')
        """
        return next((p for start, p in reversed(self.tiers) if request_input > start), self.base)

    def times(self, factor: Decimal, over: Decimal = _ONE) -> Price:
        """Scale base and tiers by a fraction."""
        tiers = tuple((start, price * factor / over) for start, price in self.tiers)
        return Price(self.base * factor / over, tiers)


@dataclass(frozen=True, slots=True)
class Rates:
    """All that one model costs at one provider, in one context, while no price changes.

    Attributes
    ----------
    prices
        By token class. A class that is absent has no price of its own: cached tokens are then
        billed as input and reasoning as output; without a price of input or output they are
        unpriced.
    per_request
        What a request costs besides its tokens.
    cache_write_long
        Price of writes to a cache that lives for an hour, where it is another than for minutes.
    currency
        ISO 4217.
    source
        Who says so: the price data with its version, or lines of a price book.
    valid_from, valid_to
        First day of these prices and first day after them; None where the source gives no date.
        The history of published prices is sparse: None says *not known*, not *for ever*.
    tier_priced
        Whether the service tier that was asked for has prices of its own.
    contract
        Whether they are the user's own contract prices, which no other source can call in doubt.
    other_units
        Price keys of other units (audio hours, pages, searches) that these rates leave out.
    """

    prices: Mapping[TokenClass, Price]
    per_request: Decimal = _ZERO
    cache_write_long: Price | None = None
    currency: str = "USD"
    source: str = ""
    valid_from: date | None = None
    valid_to: date | None = None
    tier_priced: bool = True
    contract: bool = False
    other_units: tuple[str, ...] = field(default=())

    def price(self, token_class: TokenClass) -> Price | None:
        """Give the price that tokens of a class are billed at; None where they have none."""
        own = self.prices.get(token_class)
        if own is None and token_class in _STANDS_FOR:
            return self.prices.get(_STANDS_FOR[token_class])
        return own

    def starts(self) -> tuple[int, ...]:
        """Give where tiers begin, ascending, whichever class they are of."""
        return tuple(sorted({start for price in self.prices.values() for start, _ in price.tiers}))

    def cost(self, tokens: Mapping[TokenClass, int | Decimal], requests: int = 1) -> Decimal:
        """Price one request exactly.

        Parameters
        ----------
        tokens
            By class, as the usage table has them: disjoint, but for reasoning, which is a part of
            the output.
        requests
            1, or 0 for the tokens alone.

        Examples
        --------
        >>> rates = Rates({TokenClass.INPUT: Price(Decimal(3)), TokenClass.OUTPUT: Price(Decimal(15))})
        >>> rates.cost({TokenClass.INPUT: 1000, TokenClass.OUTPUT: 10})
        Decimal('0.00315')
        """
        count = {c: Decimal(tokens.get(c, 0)) for c in PRICED}
        request_input = count[PRICED[0]] + count[PRICED[1]] + count[PRICED[2]]
        count[TokenClass.OUTPUT] -= count[TokenClass.REASONING]
        total = self.per_request * requests
        for each, n in count.items():
            price = self.price(each)
            if price is not None:
                total += price.at(request_input) * n / MILLION
        return total

    def times(self, factor: Decimal, over: Decimal = _ONE) -> Rates:
        """Scale every price by a fraction, such as an exchange rate."""
        long_write = self.cache_write_long
        return replace(
            self,
            prices={c: p.times(factor, over) for c, p in self.prices.items()},
            per_request=self.per_request * factor / over,
            cache_write_long=long_write.times(factor, over) if long_write else None,
        )


def combine(rates: Sequence[Rates], choose: Callable[[Sequence[Decimal]], Decimal]) -> Rates:
    """Make one of several rates of the same model, price by price: the lowest, highest, a mean.

    Parameters
    ----------
    rates
        At least one; the first gives what is no price.
    choose
        What to make of the prices that the rates have for the same tokens.
    """
    if len(rates) == 1:
        return rates[0]
    starts = sorted({s for each in rates for s in each.starts()})
    prices = {}
    for token_class in PRICED:
        known = [p for each in rates if (p := each.price(token_class)) is not None]
        if len(known) == len(rates):
            tiers = tuple((s, choose([p.at(s + 1) for p in known])) for s in starts)
            prices[token_class] = Price(choose([p.base for p in known]), tiers)
    return replace(
        rates[0], prices=prices, per_request=choose([each.per_request for each in rates])
    )
