"""One's own machines beside those who sell the same model by the token."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from workbench.spend.self_hosted.cost import plain

__all__ = ["MONTH_DAYS", "BreakEven", "Offer"]

MONTH_DAYS: Final = Decimal("30.4375")
"""Days of a mean month: 365.25 / 12."""

_MILLION: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a seller asks for the tokens that the machines made.

    Parameters
    ----------
    provider, model
        Who sells what.
    month, month_high
        For a mean month at the observed volume: with the observed share of cached input, and with
        none, since another cache may hit less.
    volume, volume_low
        Tokens a day, at the observed mix, above which the machines are cheaper: by `month`, and by
        `month_high`.
    source
        Which price data.
    """

    provider: str
    model: str
    month: Decimal
    month_high: Decimal
    volume: float
    volume_low: float
    source: str


@dataclass(frozen=True, slots=True)
class BreakEven:
    """One's own machines beside an API, for one model.

    Parameters
    ----------
    model, job, currency
        As of `ModelCost`.
    month
        What the machines cost in a mean month at the period's hours, whatever they do.
    volume
        Tokens a day that they served.
    capacity
        Tokens a day at the highest rate that was seen: they can do so much; whether they can do
        more nobody has seen. None where no rate is told.
    offers
        Sellers with prices in the currency of the machines, the cheapest first.
    left_out
        Why other sellers are not among them.
    """

    model: str
    job: str
    currency: str
    month: Decimal
    volume: float
    capacity: float | None
    offers: tuple[Offer, ...]
    left_out: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The model, and the job where it has one."""
        return f"{self.model or 'an unnamed model'} ({self.job})" if self.job else self.model

    @property
    def volumes(self) -> tuple[float, float] | None:
        """Where the machines become cheaper: the lowest and the highest of all sellers."""
        if not self.offers:
            return None
        return min(o.volume_low for o in self.offers), max(o.volume for o in self.offers)

    @property
    def per_million(self) -> tuple[Decimal, Decimal] | None:
        """What a million tokens cost here at the highest rate all day, and at the observed volume.

        None where no rate, or no token, is known.
        """
        if not self.capacity or not self.volume:
            return None
        day = self.month / MONTH_DAYS * _MILLION
        busiest, now = max(self.capacity, self.volume), self.volume
        return day / Decimal(repr(busiest)), day / Decimal(repr(now))

    @property
    def verdict(self) -> str:
        """``api``: dearer than every seller; ``own``: cheaper than every one; ``open``: between.

        ``""`` where there is no seller to compare with.
        """
        if self.volumes is None:
            return ""
        low, high = self.volumes
        return "api" if self.volume < low else "own" if self.volume > high else "open"

    @property
    def reachable(self) -> bool | None:
        """Whether these machines were seen to serve the lowest volume at which they pay.

        None where no rate, or no seller, is known.
        """
        if self.volumes is None or self.capacity is None:
            return None
        return self.volumes[0] <= self.capacity

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        offers = [{n: plain(getattr(o, n)) for n in o.__slots__} for o in self.offers]
        names = (
            "model", "job", "currency", "month", "volume", "capacity", "per_million", "volumes",
            "verdict",
        )  # fmt: skip
        own = {n: plain(getattr(self, n)) for n in names}
        return {
            **own, "reachable": self.reachable, "offers": offers, "left_out": list(self.left_out)
        }  # fmt: skip
