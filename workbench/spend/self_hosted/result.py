"""What one's own machines cost, as data: by model, by account, and beside an API."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.spend.prices import exact
from workbench.spend.self_hosted.cost import ModelCost, plain
from workbench.spend.self_hosted.offers import BreakEven

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MachineHours", "SelfHosted"]


@dataclass(frozen=True, slots=True)
class MachineHours:
    """What was paid for one kind of machine in the period.

    Parameters
    ----------
    name, currency
        Of the machine.
    hours, hours_low, hours_high
        Hours of single machines: expected, and the least and the most that gaps in what counts
        them leave open.
    amount, low, high
        Their price, exact.
    serves
        The models that were counted on them; none where nothing was.
    """

    name: str
    currency: str
    hours: float
    hours_low: float
    hours_high: float
    amount: Decimal
    low: Decimal
    high: Decimal
    serves: tuple[str, ...]


@dataclass(frozen=True)
class SelfHosted:
    """What one's own machines cost in a period.

    Parameters
    ----------
    first, last, zone
        The period: calendar days of a time zone, both included.
    machines
        What was paid, by kind of machine.
    models
        What each model cost, the dearest first.
    days
        A row a model and day: day, profile, model, job, currency, hours (least and most),
        ``amount``, ``low`` and ``high`` (integer billionths of the currency), ``computed``,
        ``cached``, ``output`` (tokens), requests, preempted, prefill_seconds, decode_seconds,
        idle.
    accounts
        A row an account and day: day, model, team, application, user, prompt_version, currency,
        ``amount`` (integer billionths), tokens. It adds up to `days`, billionth by billionth.
    break_even
        Each model beside an API.
    notes
        What a reader should know of the figures.
    version
        Of the prices.
    """

    first: date
    last: date
    zone: str
    machines: tuple[MachineHours, ...]
    models: tuple[ModelCost, ...]
    days: pd.DataFrame = field(repr=False)
    accounts: pd.DataFrame = field(repr=False)
    break_even: tuple[BreakEven, ...] = ()
    notes: tuple[str, ...] = ()
    version: str = ""

    def by(self, *dimensions: str) -> pd.DataFrame:
        """Money by any columns of `accounts`: ``amount`` exact, as Decimal.

        Parameters
        ----------
        *dimensions
            Such as ``"team", "application"``.

        Returns
        -------
        DataFrame
            A row a combination and currency, the dearest first.
        """
        keys = [*dimensions, "currency"]
        sums = self.accounts.groupby(keys, observed=True, sort=True)[["amount", "tokens"]].sum()
        table = sums.reset_index().sort_values("amount", ascending=False, ignore_index=True)
        money = [exact(n) for n in table["amount"]]
        return table.assign(amount=np.array(money, dtype=object))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; money as text, exact."""
        return {
            "first": self.first.isoformat(),
            "last": self.last.isoformat(),
            "zone": self.zone,
            "machines": [{n: plain(getattr(m, n)) for n in m.__slots__} for m in self.machines],
            "models": [m.to_dict() for m in self.models],
            "break_even": [b.to_dict() for b in self.break_even],
            "notes": list(self.notes),
            "prices": self.version,
        }
