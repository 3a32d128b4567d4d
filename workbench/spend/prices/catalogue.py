"""List prices: the dated, bundled data of `genai-prices`, taken out once and kept as `Rates`.

`genai_prices.calc_price` takes a quarter of a millisecond a request; a month has millions. Here the
prices of a model are read once for each stretch of days on which they do not change. For a single
request `Rates.cost` gives what `calc_price` gives, digit by digit.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from workbench.errors import MissingExtraError
from workbench.spend.prices.rates import Price, Rates
from workbench.spend.usage import TokenClass

if TYPE_CHECKING:
    from genai_prices.data_snapshot import DataSnapshot
    from genai_prices.types import ModelInfo, ModelPrice, PriceVariant, Provider

__all__ = ["STANDARD_TIERS", "Catalogue", "Listed", "bundled"]

STANDARD_TIERS: Final = frozenset({"", "default", "standard", "auto", "on_demand", "on-demand"})
"""Names of the service tier that has the list price."""

_CLASS_OF_KEY: Final = {
    "input_mtok": TokenClass.INPUT,
    "cache_read_mtok": TokenClass.CACHE_READ,
    "cache_write_mtok": TokenClass.CACHE_WRITE,
    "output_mtok": TokenClass.OUTPUT,
    "output_reasoning_mtok": TokenClass.REASONING,
}
_LONG_WRITE: Final = "cache_write_1h_mtok"
_PER_REQUEST: Final = "requests_kcount"
_DAY_SECONDS: Final = 86_400


@dataclass(frozen=True, slots=True, eq=False)
class Listed:
    """A model as the price data has it.

    Attributes
    ----------
    provider, model
        Their ids in the data.
    own
        Whether the provider itself lists the model; else the price is its maker's, which a cloud
        that resells it charges too, and contexts such as batch are not known.
    context_window
        Most tokens of input that a request may have; None where the data does not say.
    """

    provider: str
    model: str
    own: bool
    context_window: int | None
    info: ModelInfo = field(repr=False)


class Catalogue:
    """The list prices of one version of the data.

    Parameters
    ----------
    snapshot
        The data; by default what `genai_prices` itself would use, which is the bundled data unless
        another was set.
    """

    def __init__(self, snapshot: DataSnapshot | None = None) -> None:
        if snapshot is None:
            try:
                from genai_prices.data_snapshot import get_snapshot
            except ModuleNotFoundError as error:
                what = "pricing tokens"
                raise MissingExtraError(what) from error
            snapshot = get_snapshot()
        self._snapshot = snapshot
        self._providers: dict[str, Provider] = {p.id: p for p in snapshot.providers}
        self._found: dict[tuple[str, str], Listed | None] = {}
        self._day: dict[tuple[str, int, date, str], tuple[tuple[int, Rates], ...]] = {}
        self.version = _version_of(snapshot)

    @property
    def providers(self) -> tuple[str, ...]:
        """Ids of all providers."""
        return tuple(self._providers)

    def models(self, provider: str) -> tuple[str, ...]:
        """Ids of the models that a provider itself lists; empty for an unknown provider."""
        known = self._providers.get(provider)
        return tuple(m.id for m in known.models) if known else ()

    def find(self, provider: str, model: str) -> Listed | None:
        """Look a model up at a provider; None where either is unknown.

        Parameters
        ----------
        provider
            An id of the data, as `identify` gives it.
        model
            The model as it is called in requests; the data's own rules match it.
        """
        key = (provider, model.lower())
        if key not in self._found:
            self._found[key] = self._look_up(*key)
        return self._found[key]

    def _look_up(self, provider_id: str, model: str) -> Listed | None:
        provider = self._providers.get(provider_id)
        if provider is None or not model:
            return None
        info = provider.find_model(model, all_providers=self._snapshot.providers)
        if info is None:
            return None
        own = any(info is each for each in provider.models)
        return Listed(provider_id, info.id, own, info.context_window, info)

    def sellers(self, model: str) -> tuple[str, ...]:
        """Name the providers that list a model themselves, its maker first where the data says."""
        selling = []
        for provider in self._snapshot.providers:
            listed = self.find(provider.id, model)
            if listed is not None and listed.own:
                made = provider.model_match is not None and provider.model_match.is_match(model)
                selling.append((not made, provider.id))
        return tuple(name for _, name in sorted(selling, key=lambda each: each[0]))

    def rates(self, listed: Listed, moment: datetime, tier: str = "") -> Rates:
        """Give the prices at a moment.

        Parameters
        ----------
        listed
            From `find`.
        moment
            Aware, or naive and in UTC: prices change at midnight UTC, some by the hour.
        tier
            The service tier: ``batch``, ``flex``, ``priority``, ``fast``, or one of
            `STANDARD_TIERS`. One that the model has no prices for gives the list price, with
            `tier_priced` false.
        """
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        context = _context(listed.provider, tier) if listed.own else None
        price = listed.info.get_prices(moment, context)
        cuts = self.cuts(listed, tier)
        past = [day for day in cuts if day <= moment.date()]
        ahead = [day for day in cuts if day > moment.date()]
        return _rates_of(
            price,
            source=self.version,
            valid_from=past[-1] if past else None,
            valid_to=ahead[0] if ahead else None,
            tier_priced=tier in STANDARD_TIERS
            or (context is not None and _has_variant(listed.info, context, moment)),
        )

    def of_day(self, listed: Listed, day: date, tier: str = "") -> tuple[tuple[int, Rates], ...]:
        """Give the prices of a day, each with the seconds for which it holds."""
        past = [cut for cut in self.cuts(listed, tier) if cut <= day]
        # A model's data lives as long as the snapshot that is kept here, and so does its identity.
        key = (listed.provider, id(listed.info), past[-1] if past else date.min, tier)
        if key not in self._day:
            self._day[key] = tuple(self._hours(listed, day, tier))
        return self._day[key]

    def _hours(self, listed: Listed, day: date, tier: str) -> list[tuple[int, Rates]]:
        midnight = datetime.combine(day, time(), UTC)
        edges = [*_edges(listed.info), _DAY_SECONDS]
        shares: list[tuple[int, Rates]] = []
        for start, end in pairwise(edges):
            rates = self.rates(listed, midnight + timedelta(seconds=start), tier)
            for n, (seconds, known) in enumerate(shares):
                if known == rates:
                    shares[n] = (seconds + end - start, known)
                    break
            else:
                shares.append((end - start, rates))
        return shares

    def cuts(self, listed: Listed, tier: str = "") -> tuple[date, ...]:
        """Give the days on which a price of a model may change in a service tier, ascending."""
        context = _context(listed.provider, tier) if listed.own else None
        changing = [*_conditional(listed.info), *(_variants(listed.info, context or {}))]
        dates = {getattr(each.constraint, "start_date", None) for each in changing}
        return tuple(sorted(day for day in dates if day is not None))


@lru_cache(maxsize=1)
def bundled() -> Catalogue:
    """Give the catalogue of the price data in use, read once."""
    return Catalogue()


def _version_of(snapshot: DataSnapshot) -> str:
    from genai_prices import __version__

    text = f"genai-prices {__version__}"
    if snapshot.from_auto_update:
        return f"{text}, data of {snapshot.timestamp:%Y-%m-%d}"
    newest = max(
        (
            day
            for provider in snapshot.providers
            for model in provider.models
            for each in (*_conditional(model), *(model.price_variants or ()))
            if (day := getattr(each.constraint, "start_date", None)) is not None
        ),
        default=None,
    )
    return f"{text}, prices dated up to {newest}" if newest else text


def _conditional(model: ModelInfo) -> list:  # type: ignore[type-arg]
    return model.prices if isinstance(model.prices, list) else []


def _context(provider: str, tier: str) -> Mapping[str, str] | None:
    """Say a service tier as the price data's contexts say it; a wrong key would be ignored there."""
    if tier in STANDARD_TIERS:
        return None
    if tier == "batch":
        return {"processing": "batch"}
    if provider == "anthropic" and tier == "fast":
        return {"speed": "fast"}
    return {"service_tier": tier}


def _variants(model: ModelInfo, context: Mapping[str, str]) -> list[PriceVariant]:
    """Those that a context selects and that have a price at all."""
    return [
        v
        for v in model.price_variants or ()
        if all(context.get(key) == value for key, value in v.when.items())
        and any(price is not None for price in vars(v.prices).values())
    ]


def _has_variant(model: ModelInfo, context: Mapping[str, str], moment: datetime) -> bool:
    chosen = _variants(model, context)
    return any(v.constraint is None or v.constraint.active(moment) for v in chosen)


def _edges(model: ModelInfo) -> list[int]:
    """Seconds of the day, UTC, at which a price may change; 0 first."""
    edges = {0}
    for each in (*_conditional(model), *(model.price_variants or ())):
        for name in ("start_time", "end_time"):
            at: time | None = getattr(each.constraint, name, None)
            if at is not None:
                zoned = datetime.combine(
                    date(2000, 1, 1), at if at.tzinfo else at.replace(tzinfo=UTC)
                )
                utc = zoned.astimezone(UTC)
                edges.add(utc.hour * 3600 + utc.minute * 60 + utc.second)
    return sorted(edges)


def _rates_of(
    price: ModelPrice,
    *,
    source: str,
    valid_from: date | None,
    valid_to: date | None,
    tier_priced: bool,
) -> Rates:
    held = {key: value for key, value in vars(price).items() if value is not None}
    long_write = held.pop(_LONG_WRITE, None)
    per_request = held.pop(_PER_REQUEST, None)
    return Rates(
        {_CLASS_OF_KEY[key]: _price(held[key]) for key in _CLASS_OF_KEY if key in held},
        per_request=_price(per_request).base / 1000 if per_request is not None else Decimal(0),
        cache_write_long=_price(long_write) if long_write is not None else None,
        source=source,
        valid_from=valid_from,
        valid_to=valid_to,
        tier_priced=tier_priced,
        other_units=tuple(sorted(key for key in held if key not in _CLASS_OF_KEY)),
    )


def _price(value: object) -> Price:
    if isinstance(value, Decimal):
        return Price(value)
    tiers = getattr(value, "tiers", ())
    return Price(value.base, tuple((t.start, t.price) for t in tiers))  # type: ignore[attr-defined]
