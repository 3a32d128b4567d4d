"""The user's own price book: contract prices that win over list prices, checked before they are used.

An entry prices one token class (or requests, or hours) of one model at one provider, in a region or
in all, from one day to another. Two entries that would both apply are an error, never a choice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import combinations, pairwise
from typing import Final

from workbench.errors import BadRowsError, did_you_mean
from workbench.spend.prices.aliases import ALIASES
from workbench.spend.prices.catalogue import Catalogue
from workbench.spend.prices.identity import provider_id
from workbench.spend.prices.rates import PRICED, Price, Rates
from workbench.spend.usage import TokenClass

__all__ = ["ANY", "Entry", "Exchange", "PriceBook"]

ANY: Final = "*"
"""Stands for every provider, or every region."""

_MOST_TIERS: Final = 8
"""No provider has more than two; a price of hundreds would be a file gone wrong."""

_REQUEST: Final = "request"
_HOUR: Final = "hour"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a price book.

    Attributes
    ----------
    line
        Where it stands in its file, counted from 1.
    provider, region
        As people call them, or `ANY`.
    model
        As requests call it.
    what
        A `TokenClass` value, ``request`` or ``hour``.
    price
        Per million tokens, per request or per hour; at least 0.
    currency
        ISO 4217.
    valid_from, valid_to
        First and last day, both included; None where the book sets no bound.
    tier_start
        Tokens of input above which a request pays this price; 0 for the base.
    """

    line: int
    provider: str
    model: str
    what: str
    price: Decimal
    currency: str = "USD"
    region: str = ANY
    valid_from: date | None = None
    valid_to: date | None = None
    tier_start: int = 0

    def holds(self, day: date) -> bool:
        """Tell whether the entry applies on a day."""
        return (self.valid_from or date.min) <= day <= (self.valid_to or date.max)

    def key(self) -> tuple[str, str, str, str, int]:
        """Give what an entry prices; no two with equal keys may hold on the same day."""
        return (
            _canonical(self.provider),
            self.model.lower(),
            self.region.lower(),
            self.what,
            self.tier_start,
        )

    def __str__(self) -> str:
        return f"{self.what} of {self.model!r} at {self.provider!r}"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What a US dollar is worth from a day on.

    Attributes
    ----------
    per_usd
        Units of the currency for one US dollar.
    since
        First day of the rate; it holds until the next.
    """

    line: int
    currency: str
    per_usd: Decimal
    since: date


@dataclass(frozen=True)
class PriceBook:
    """Entries that do not contradict each other.

    Attributes
    ----------
    name
        The file's name, for messages and sources.
    gaps
        Stretches of days between two entries that no entry covers, as sentences: list prices apply
        there, and the reader must know.

    Raises
    ------
    BadRowsError
        Two entries overlap (both lines are named), a tier has no base price or is one of too many, or
        one model has prices in several currencies.

    Examples
    --------
    >>> book = PriceBook((Entry(2, "openai", "gpt-4o", "input", Decimal("2.00")),))
    >>> book.rates({("openai", "gpt-4o")}, "eu", date(2026, 11, 1)).prices
    {<TokenClass.INPUT: 'input'>: Price(base=Decimal('2.00'), tiers=())}
    """

    entries: tuple[Entry, ...] = ()
    exchange: tuple[Exchange, ...] = ()
    name: str = "price book"
    gaps: tuple[str, ...] = field(init=False, default=())
    _of_model: dict[str, list[Entry]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gaps", tuple(_gaps(self.entries)))
        by_model: dict[str, list[Entry]] = defaultdict(list)
        for each in self.entries:
            by_model[each.model.lower()].append(each)
        for entries in by_model.values():
            _refuse_bad_tiers(entries)
            _refuse_mixed_currencies(entries)
        object.__setattr__(self, "_of_model", dict(by_model))

    def _about(self, names: Iterable[tuple[str, str]], region: str) -> list[Entry]:
        wanted = {(_canonical(provider), model.lower()) for provider, model in names}
        return [
            each
            for model in sorted({model for _, model in wanted})
            for each in self._of_model.get(model, ())
            if each.region.lower() in (ANY, region.lower())
            and (each.provider == ANY or (_canonical(each.provider), model) in wanted)
        ]

    def cuts(self, names: Iterable[tuple[str, str]], region: str) -> set[date]:
        """Give the days on which a price of the book for these names may change."""
        about = self._about(names, region)
        days = {each.valid_from for each in about if each.valid_from}
        days |= {_after(each.valid_to) for each in about if each.valid_to}
        currencies = {each.currency for each in about}
        return days | {each.since for each in self.exchange if each.currency in currencies}

    def rates(self, names: Iterable[tuple[str, str]], region: str, day: date) -> Rates | None:
        """Give the book's prices on a day; None where it has none.

        Parameters
        ----------
        names
            ``(provider, model)``, in every way in which the model is called.
        region
            An entry for the region wins over one for all, an entry for the provider likewise.
        day
            The day of the usage.

        Returns
        -------
        Rates or None
            In US dollars where the book has an exchange rate for the day, else in its own currency;
            with only the classes that the book prices. A book that prices a model per request and no
            token of it prices its tokens at 0.
        """
        valid = [e for e in self._about(names, region) if e.holds(day) and e.what != _HOUR]
        if not valid:
            return None
        chosen = {
            what: _nearest([e for e in valid if e.what == what]) for what in {e.what for e in valid}
        }
        used = sorted((e for each in chosen.values() for e in each), key=lambda e: e.line)
        currency = _one_currency(used)
        prices = {c: _price(chosen[c.value]) for c in PRICED if c.value in chosen}
        if not prices:
            prices = dict.fromkeys((TokenClass.INPUT, TokenClass.OUTPUT), Price(Decimal(0)))
        lines = ", ".join(str(n) for n in sorted({e.line for e in used}))
        rates = Rates(
            prices,
            per_request=chosen[_REQUEST][0].price if _REQUEST in chosen else Decimal(0),
            currency=currency,
            source=f"{self.name}, line {lines}",
            contract=True,
            valid_from=max((e.valid_from for e in used if e.valid_from), default=None),
            valid_to=min((_after(e.valid_to) for e in used if e.valid_to), default=None),
        )
        return self._in_dollars(rates, day)

    def hourly(self, names: Iterable[tuple[str, str]], region: str, day: date) -> Entry | None:
        """Give the price of an hour of a machine that serves a model; None where there is none."""
        valid = [e for e in self._about(names, region) if e.holds(day) and e.what == _HOUR]
        return _nearest(valid)[0] if valid else None

    def per_usd(self, currency: str, day: date) -> Decimal | None:
        """Give the exchange rate of a day; None where the book has none."""
        if currency == "USD":
            return Decimal(1)
        known = [e for e in self.exchange if e.currency == currency and e.since <= day]
        return max(known, key=lambda e: e.since).per_usd if known else None

    def _in_dollars(self, rates: Rates, day: date) -> Rates:
        per_usd = self.per_usd(rates.currency, day)
        if rates.currency == "USD" or per_usd is None:
            return rates
        source = f"{rates.source}, at {per_usd} {rates.currency} a dollar"
        return replace(rates.times(Decimal(1), per_usd), currency="USD", source=source)

    def remarks(
        self, catalogue: Catalogue, used: Iterable[tuple[str, str]] = ()
    ) -> tuple[str, ...]:
        """Say what looks mistaken: gaps, and names that neither the price data nor the usage has.

        Parameters
        ----------
        used
            ``(provider, model)`` of the usage.
        """
        used = list(used)
        models = {model.lower() for _, model in used}
        providers = {provider.lower() for provider, _ in used if provider}
        found = [f"{self.name}: {gap}" for gap in self.gaps]
        for entry in {(e.provider, e.model): e for e in self.entries}.values():
            where = f"{self.name}, line {entry.line}"
            known = provider_id(entry.provider, catalogue)
            if not known and entry.provider != ANY and entry.provider.lower() not in providers:
                near = did_you_mean(entry.provider.lower(), {*catalogue.providers, *providers})
                found.append(
                    f"{where}: no provider {entry.provider!r} is known or used; {near}".rstrip("; ")
                )
            elif entry.model.lower() not in models and not catalogue.find(known, entry.model):
                near = did_you_mean(entry.model.lower(), {*catalogue.models(known), *models})
                found.append(
                    f"{where}: no model {entry.model!r} is known or used; {near}".rstrip("; ")
                )
        return tuple(found)


def _canonical(provider: str) -> str:
    name = provider.strip().lower()
    return ALIASES.get(name, name)


def _after(day: date) -> date:
    return day if day == date.max else day + timedelta(days=1)


def _nearest(entries: Sequence[Entry]) -> list[Entry]:
    """Keep the entries that are about the region and the provider most closely, base tier first."""
    best = max((e.region != ANY, e.provider != ANY) for e in entries)
    kept = [e for e in entries if (e.region != ANY, e.provider != ANY) == best]
    return sorted(kept, key=lambda e: e.tier_start)


def _price(entries: Sequence[Entry]) -> Price:
    return Price(entries[0].price, tuple((e.tier_start, e.price) for e in entries[1:]))


def _one_currency(entries: Sequence[Entry]) -> str:
    first = entries[0]
    for each in entries:
        if each.currency != first.currency:
            what = f"lines {first.line} and {each.line} price one model in {first.currency} and {each.currency}"
            raise BadRowsError(what, "give all prices of a model in one currency")
    return first.currency


def _refuse_mixed_currencies(entries: Sequence[Entry]) -> None:
    together = defaultdict(list)
    for each in entries:
        if each.what != _HOUR:
            together[each.key()[:3]].append(each)
    for group in together.values():
        if len({each.currency for each in group}) == 1:
            continue
        for one, other in combinations(group, 2):
            if one.holds(other.valid_from or date.min) or other.holds(one.valid_from or date.min):
                _one_currency([one, other])


def _gaps(entries: Sequence[Entry]) -> list[str]:
    """Refuse overlaps and name the gaps of entries for the same thing."""
    same: dict[tuple[str, str, str, str, int], list[Entry]] = defaultdict(list)
    for each in entries:
        same[each.key()].append(each)
    gaps = []
    for group in same.values():
        group.sort(key=lambda e: e.valid_from or date.min)
        for before, then in pairwise(group):
            start, end = then.valid_from or date.min, before.valid_to or date.max
            if start <= end:
                what = f"lines {before.line} and {then.line} both price {then} on {start}"
                mend = (
                    "let one end the day before the other begins: valid_to is the last day included"
                )
                raise BadRowsError(what, mend)
            if start > _after(end):
                last = start - timedelta(days=1)
                gaps.append(
                    f"no price of {then} from {_after(end)} to {last}, between lines "
                    f"{before.line} and {then.line}; the list price applies there"
                )
    return gaps


def _refuse_bad_tiers(entries: Sequence[Entry]) -> None:
    bases = defaultdict(list)
    for each in entries:
        if not each.tier_start:
            bases[each.key()[:4]].append(each)
    starts = {each.tier_start for each in entries if each.tier_start}
    if len(starts) > _MOST_TIERS:
        what = f"{entries[0].model!r} has {len(starts)} tiers"
        raise BadRowsError(what, f"give {_MOST_TIERS} at the most")
    for tier in entries:
        first = tier.valid_from or date.min
        if tier.tier_start and not any(e.holds(first) for e in bases[tier.key()[:4]]):
            what = (
                f"line {tier.line} has a tier above {tier.tier_start} for {tier}, but no base price"
            )
            raise BadRowsError(what, "add a line without tier_start for the same days")
