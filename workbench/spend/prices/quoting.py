"""What an account's tokens cost on a day: contract before list, with every doubt given its bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import Final

from workbench.spend.prices.book import PriceBook
from workbench.spend.prices.catalogue import STANDARD_TIERS, Catalogue, Listed, bundled
from workbench.spend.prices.identity import ModelId, Reading, identify
from workbench.spend.prices.rates import Price, Rates, combine
from workbench.spend.usage import TokenClass

__all__ = ["RATE_CAUSES", "Cause", "Prices", "Quote", "Reason", "Step"]


class Cause(StrEnum):
    """Why money is known only between bounds."""

    TIER = "tier"
    """Long requests cost more a token, and how long each was is not known."""
    BOOK = "price book is silent"
    """The price book has this model, but not this token class."""
    PROVIDER = "assumed provider"
    """Nothing says who sold the tokens, and sellers of this model have other prices."""
    HOUR = "hour of day"
    """The price changes with the hour, which a table of days does not tell."""
    LIFETIME = "cache lifetime"
    """Writes to a cache of an hour cost more than to one of minutes."""
    SERVICE_TIER = "service tier"
    """The service tier has no price in the data."""
    REGION = "region"
    """Clouds charge by the region; the data has one price."""
    CACHED = "cached share"
    """The source does not count cached tokens, which cost less."""
    REASONING = "reasoning share"
    """The source does not count reasoning tokens, which have a price of their own."""
    SOURCE = "price sources disagree"
    """The gateway's own figure is another, for no reason that could be found."""


RATE_CAUSES: Final = (
    Cause.BOOK,
    Cause.HOUR,
    Cause.PROVIDER,
    Cause.LIFETIME,
    Cause.SERVICE_TIER,
    Cause.REGION,
)
"""Doubts about a price, in the order in which their bounds are nested."""


class Reason(StrEnum):
    """Why tokens have no price. They are never taken to be free."""

    UNKNOWN_MODEL = "the provider has no such model in the price data"
    UNKNOWN_PROVIDER = "no known provider sells this model"
    UNLISTED = "this provider's prices are not in the price data"
    SELF_HOSTED = "self-hosted: paid by the hour of a machine, not by the token"
    NO_MODEL = "the source names no model"
    OTHER_UNIT = "priced by another unit than tokens"
    NO_CLASS_PRICE = "the model has no price for tokens of this class"


_REASON: Final = {
    Reading.SELF_HOSTED: Reason.SELF_HOSTED,
    Reading.UNLISTED: Reason.UNLISTED,
    Reading.UNKNOWN: Reason.UNKNOWN_PROVIDER,
}

_REGIONAL: Final = frozenset({"aws", "azure"})
"""Providers with prices by region."""
_REGION_SPREAD: Final = (Decimal("0.9"), Decimal("1.1"))
"""How far regional prices of Azure and Bedrock lie from the listed one: of 323 prices on which two
public price lists disagree most are regional, by 10 %."""
_TIER_SPREAD: Final = {
    "batch": (Decimal("0.5"), Decimal(1)),
    "flex": (Decimal("0.5"), Decimal(1)),
    "priority": (Decimal(1), Decimal("2.5")),
    "fast": (Decimal(1), Decimal("2.5")),
}
"""How service tiers that are priced lie to the standard price: batch and flex mostly at half, priority
and fast between 1.7 and 2.5 times."""


@dataclass(frozen=True, slots=True)
class Step:
    """One doubt about a price; each step's bounds contain those of the step before it."""

    cause: Cause
    low: Rates
    high: Rates


@dataclass(frozen=True, slots=True)
class Quote:
    """The prices of one account on one day.

    Attributes
    ----------
    identity
        Whose model it is taken to be, and how that was read.
    rates
        What is expected; None where the tokens have no price.
    steps
        Doubts about the rates, nested.
    reason
        Why there is no price.
    """

    identity: ModelId
    rates: Rates | None
    steps: tuple[Step, ...] = ()
    reason: Reason | None = None


class Prices:
    """List prices and a price book, at each day's price or at one day's.

    Parameters
    ----------
    book
        Contract prices; they win, token class by token class.
    catalogue
        List prices; by default the data that `genai_prices` brings.
    as_of
        Price everything as on this day; None prices each day at its own prices.

    Examples
    --------
    >>> quote = Prices().quote("openai", "o3", "", "", date(2025, 6, 9))
    >>> quote.rates.price(TokenClass.INPUT).base, Prices().at(date(2026, 1, 1)).quote(
    ...     "openai", "o3", "", "", date(2025, 6, 9)
    ... ).rates.price(TokenClass.INPUT).base
    (Decimal('10'), Decimal('2'))
    """

    def __init__(
        self,
        book: PriceBook | None = None,
        *,
        catalogue: Catalogue | None = None,
        as_of: date | None = None,
    ) -> None:
        self.book = book or PriceBook()
        self.catalogue = catalogue or bundled()
        self.as_of = as_of
        self._identities: dict[tuple[str, str, str], ModelId] = {}

    @property
    def version(self) -> str:
        """What a report prints beside its figures."""
        parts = [self.catalogue.version]
        if self.book.entries:
            parts.append(f"{self.book.name} ({len(self.book.entries)} prices)")
        if self.as_of:
            parts.append(f"all at the prices of {self.as_of}")
        return "; ".join(parts)

    def at(self, day: date | None) -> Prices:
        """Restate: the same prices, all as of one day; with None each day at its own again."""
        return Prices(self.book, catalogue=self.catalogue, as_of=day)

    def identity(self, provider: str, model: str, region: str = "") -> ModelId:
        """Say whose model a label means."""
        key = (provider, model, region)
        if key not in self._identities:
            self._identities[key] = identify(model, provider, region, catalogue=self.catalogue)
        return self._identities[key]

    def cuts(self, provider: str, model: str, region: str, tier: str) -> tuple[date, ...]:
        """Give the days on which a quote may change, ascending; none for prices as of one day."""
        if self.as_of is not None:
            return ()
        identity = self.identity(provider, model, region)
        listed = self._listed(identity)
        days = set(self.catalogue.cuts(listed, tier.strip().lower())) if listed else set()
        exact, family = _names(provider, model, identity, listed)
        return tuple(sorted(days | self.book.cuts(exact | family, identity.region)))

    def quote(self, provider: str, model: str, region: str, tier: str, day: date) -> Quote:
        """Give the prices of an account on a day.

        Parameters
        ----------
        provider, model, region, tier
            As the usage table has them; `tier` is the service tier.
        day
            The day of the usage.
        """
        day, tier = self.as_of or day, tier.strip().lower()
        identity = self.identity(provider, model, region)
        listed = self._listed(identity)
        exact, family = _names(provider, model, identity, listed)
        booked = self.book.rates(exact, identity.region, day)
        if booked is None:
            booked = self.book.rates(family, identity.region, day)
        hours = self.catalogue.of_day(listed, day, tier) if listed else ()
        if booked is None:
            reason = _no_price(identity, hours)
            if reason is not None:
                return Quote(identity, None, reason=reason)
            rates, steps = _by_the_hour(hours)
            if identity.how is Reading.ASSUMED:
                steps = self._sellers(identity, rates, steps, tier, day)
        else:
            rates, steps = _contract(booked, hours, tier)
        regional = booked is None and listed is not None and _is_regional(listed, identity.region)
        steps = _doubts(rates, steps, tier, regional=regional)
        return Quote(identity, rates, tuple(steps))

    def _sellers(
        self, identity: ModelId, rates: Rates, steps: list[Step], tier: str, day: date
    ) -> list[Step]:
        """Bound an assumed provider's price by what others ask for the same classes of tokens."""
        asked = [rates] if not steps else [steps[-1].low, steps[-1].high]
        for seller in self.catalogue.sellers(identity.model):
            listed = self.catalogue.find(seller, identity.model)
            for _, other in self.catalogue.of_day(listed, day, tier) if listed else ():
                if all(other.price(c) is not None for c in rates.prices):
                    asked.append(other)
        low, high = combine(asked, min), combine(asked, max)
        if all(each.prices == rates.prices for each in (low, high)):
            return steps
        low, high = (replace(each, tier_priced=rates.tier_priced) for each in (low, high))
        return [*steps, Step(Cause.PROVIDER, low, high)]

    def _listed(self, identity: ModelId) -> Listed | None:
        return self.catalogue.find(identity.provider, identity.model)


def _names(
    provider: str, model: str, identity: ModelId, listed: Listed | None
) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Give the names under which a book may have a model: as it is called, then its family's."""
    known = identity.provider or provider
    exact = {(provider, model), (known, model), (known, identity.model)}
    return exact, {(known, listed.model)} if listed else set()


def _no_price(identity: ModelId, hours: Sequence[tuple[int, Rates]]) -> Reason | None:
    if not identity.model:
        return Reason.NO_MODEL
    if identity.how in _REASON:
        return _REASON[identity.how]
    if not hours:
        return Reason.UNKNOWN_MODEL
    return None if hours[0][1].prices or hours[0][1].per_request else Reason.OTHER_UNIT


def _is_regional(listed: Listed, region: str) -> bool:
    """Tell whether a listed price is one region's, or the mean of all, and the true one may differ."""
    known = listed.model.startswith(("global.", "regional.")) or region.startswith("global")
    return listed.provider in _REGIONAL and not known


def _by_the_hour(hours: Sequence[tuple[int, Rates]]) -> tuple[Rates, list[Step]]:
    """Take usage to be even over the day: the mean of its prices, between the lowest and highest."""
    each = [rates for _, rates in hours]
    if len(each) == 1:
        return each[0], []

    def mean(prices: Sequence[Decimal]) -> Decimal:
        weighted = (seconds * p for (seconds, _), p in zip(hours, prices, strict=True))
        return sum(weighted, Decimal(0)) / sum(seconds for seconds, _ in hours)

    low, high = combine(each, min), combine(each, max)
    return combine(each, mean), [Step(Cause.HOUR, low, high)]


def _contract(
    booked: Rates, hours: Sequence[tuple[int, Rates]], tier: str
) -> tuple[Rates, list[Step]]:
    """Fill what a price book leaves out from the list; where only input is left to go by, bound it."""
    booked = replace(booked, tier_priced=tier in STANDARD_TIERS)
    listed = _by_the_hour(hours)[0] if hours else None
    free = not any(p.base or p.tiers for p in booked.prices.values())
    if listed is None or free or listed.currency != booked.currency:
        return booked, []
    rest = {c: p for c, p in listed.prices.items() if c not in booked.prices}
    if not rest:
        return booked, []
    rates = replace(
        booked,
        prices={**booked.prices, **rest},
        per_request=booked.per_request or listed.per_request,
        cache_write_long=listed.cache_write_long if TokenClass.CACHE_WRITE in rest else None,
        source=f"{booked.source}; {', '.join(c.value for c in rest)} from {listed.source}",
    )
    bare = replace(rates, prices=booked.prices)
    doubtful = {c: p for c in rest if (p := bare.price(c)) is not None}
    if not doubtful:
        return rates, []
    other = replace(rates, prices={**rates.prices, **doubtful})
    return rates, [Step(Cause.BOOK, combine([rates, other], min), combine([rates, other], max))]


def _doubts(rates: Rates, steps: list[Step], tier: str, *, regional: bool) -> list[Step]:
    """Nest what else is doubtful about a price around the bounds so far."""
    low, high = (steps[-1].low, steps[-1].high) if steps else (rates, rates)
    long_write = rates.cache_write_long
    if long_write is not None and (usual := high.price(TokenClass.CACHE_WRITE)) is not None:
        dearer = Price(max(usual.base, long_write.base), _dearer(usual, long_write))
        if dearer != usual:
            high = replace(high, prices={**high.prices, TokenClass.CACHE_WRITE: dearer})
            steps = [*steps, Step(Cause.LIFETIME, low, high)]
    if not rates.tier_priced and tier in _TIER_SPREAD:
        least, most = _TIER_SPREAD[tier]
        low, high = low.times(least), high.times(most)
        steps = [*steps, Step(Cause.SERVICE_TIER, low, high)]
    if regional:
        low, high = low.times(_REGION_SPREAD[0]), high.times(_REGION_SPREAD[1])
        steps = [*steps, Step(Cause.REGION, low, high)]
    return steps


def _dearer(one: Price, other: Price) -> tuple[tuple[int, Decimal], ...]:
    starts = sorted({s for s, _ in one.tiers} | {s for s, _ in other.tiers})
    return tuple((s, max(one.at(s + 1), other.at(s + 1))) for s in starts)
