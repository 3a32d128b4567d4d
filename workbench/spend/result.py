"""The result of a spend analysis: plain data, with its error bars."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.findings import Finding
from workbench.spend.budgeting.budgets import Budget
from workbench.spend.budgeting.outlook import Outlook
from workbench.spend.changes.effects import PRICED, Effects
from workbench.spend.prices import Priced, as_floats, cents

if TYPE_CHECKING:
    import pandas as pd

    from workbench.spend.changes.anomaly import Anomaly
    from workbench.spend.latency_cost import LatencyCost
    from workbench.spend.prices import RequestSizes
    from workbench.spend.rate_limits.analysis import RateLimits
    from workbench.spend.reading.reader import Reading
    from workbench.spend.savings.caching import CacheSavings
    from workbench.spend.savings.waste import Waste
    from workbench.spend.self_hosted.result import SelfHosted
    from workbench.spend.unit_cost.costs import UnitCosts

__all__ = ["Answers", "SpendResult", "Standing"]

_TOKENS: Final = [c.value for c in PRICED]


@dataclass(frozen=True, slots=True, eq=False)
class Standing:
    """One budget, or the month as a whole.

    Parameters
    ----------
    budget
        The budget; None for all spend of the month in one currency.
    currency
        Of all money here.
    first, last
        The period, both days included.
    known
        The first day of the period that the history holds; later than `first` where it begins late.
    spent
        In the period so far.
    outlook
        The rest of the period, where there is history enough.
    course
        What had been spent by the end of each known day of the period.
    """

    budget: Budget | None
    currency: str
    first: date
    last: date
    known: date
    spent: Decimal
    outlook: Outlook | None
    course: Mapping[date, float]

    @property
    def name(self) -> str:
        """What to call it."""
        return self.budget.name if self.budget else f"all spend in {self.currency}"

    @property
    def chance(self) -> float | None:
        """The chance that the period ends above the budget; None where none of it is to come."""
        if self.budget is None or self.outlook is None or not self.outlook.totals.shape[1]:
            return None
        return self.outlook.chance(float(self.budget.amount))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        found = self.outlook
        return {
            "name": self.name,
            "currency": self.currency,
            "amount": str(self.budget.amount) if self.budget else None,
            "owner": self.budget.owner if self.budget else "",
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "known_from": self.known.isoformat(),
            "spent": str(cents(self.spent)),
            "total": found and [round(found.total(q), 2) for q in (0.025, 0.1, 0.5, 0.9, 0.975)],
            "chance": self.chance,
            "test": found.test.to_dict() if found and found.test else None,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Answers:
    """What else is told of spend, each by a room of its own.

    Parameters
    ----------
    anomalies
        Days and levels out of the ordinary, and who made them.
    unit_costs
        What a request and a unit of success cost, by prompt version too.
    caching, waste
        What caches saved and missed, and what may have been paid for nothing.
    latency
        How long models take, beside what they cost.
    rate_limits
        How near usage came to them; None where nobody was asked.
    self_hosted
        What machines of one's own cost; None where nobody told of any.
    """

    anomalies: tuple[Anomaly, ...]
    unit_costs: UnitCosts
    caching: CacheSavings
    waste: Waste
    latency: LatencyCost
    rate_limits: RateLimits | None
    self_hosted: SelfHosted | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "anomalies": [a.to_dict() for a in self.anomalies],
            "unit_costs": self.unit_costs.to_dict(),
            "caching": self.caching.to_dict(),
            "waste": self.waste.to_dict(),
            "latency": self.latency.to_dict(),
            "rate_limits": self.rate_limits.to_dict() if self.rate_limits else None,
            "self_hosted": self.self_hosted.to_dict() if self.self_hosted else None,
        }


@dataclass(frozen=True, slots=True, eq=False)
class SpendResult:
    """What was spent in a time, on what, by whom, and how sure that is.

    Parameters
    ----------
    first, last
        The period, both days included, in `zone`.
    zone
        Whose midnights part the days.
    priced
        The period's usage with its prices.
    counted
        Least and most tokens of each of its rows as multiples of those counted: columns `low` and
        `high`, by row.
    before
        The period of the same length before it; None where the history does not hold it.
    effects
        Why spend changed since then, by currency.
    daily
        ``day``, ``currency``, ``amount``, ``low``, ``high``: every day of the history.
    standings
        The month and each budget.
    history
        All days that were read, with their prices.
    reading
        All usage that was read.
    sizes
        How long requests are, by provider and model.
    answers
        What else is told.
    findings
        What a reader should know or do.
    """

    first: date
    last: date
    zone: str
    priced: Priced
    counted: pd.DataFrame
    before: Priced | None
    effects: Mapping[str, Effects]
    daily: pd.DataFrame
    standings: tuple[Standing, ...]
    history: Priced
    reading: Reading
    sizes: Mapping[tuple[str, str], RequestSizes]
    answers: Answers
    findings: tuple[Finding, ...]

    def by(self, *dimensions: str) -> pd.DataFrame:
        """Spend by any dimensions.

        Parameters
        ----------
        dimensions
            Of `workbench.spend.usage.DIMENSIONS`, ``day`` and ``profile``.

        Returns
        -------
        DataFrame
            A row for each group and currency, the dearest first: the dimensions, ``currency``,
            ``amount`` (Decimal, exact, so that rows add up to the total; None where nothing has a
            price), ``low`` and ``high`` (float: prices and counts both at their least and most),
            ``tokens``, ``requests``, and ``unpriced`` tokens.
        """
        keys = [*dimensions, "currency"]
        sums = self.priced.sums(dimensions)[[*keys, "amount", "unpriced"]]
        rows = self.priced.usage[[*dimensions]].assign(
            currency=self.priced.rows["currency"], **self._figures()
        )
        figures = rows.groupby(keys, observed=True, dropna=False, sort=False).sum().reset_index()
        for name in keys:  # categories of the two may differ
            sums[name] = sums[name].astype(object)
            figures[name] = figures[name].astype(object)
        result = sums.merge(figures, on=keys, how="left")
        amount = result["amount"].map(float, na_action="ignore").astype(np.float64)
        result["low"] = np.fmin(result["low"], amount.fillna(0.0))  # sums of floats stray a little
        result["high"] = np.fmax(result["high"], amount.fillna(0.0))
        some = result["amount"].notna() | (result["unpriced"] > 0)
        columns = [*keys, "amount", "low", "high", "tokens", "requests", "unpriced"]
        return result.loc[some, columns].reset_index(drop=True)

    def _figures(self) -> dict[str, Any]:
        """Bounds, tokens and requests of each row."""
        rows, usage = self.priced.rows, self.priced.usage
        return {
            "low": as_floats(rows["low"]) * self.counted["low"].to_numpy(),
            "high": as_floats(rows["high"]) * self.counted["high"].to_numpy(),
            "tokens": usage[_TOKENS].fillna(0.0).sum(axis=1).to_numpy(),
            "requests": usage["requests"].fillna(0.0).to_numpy(),
        }

    def to_table(self) -> pd.DataFrame:
        """Spend by provider, model, team and application."""
        return self.by("provider", "model", "team", "application")

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: money as text, so that no cent is lost."""
        table = self.to_table()
        rows = table.to_dict("records")
        spend = [{**r, "amount": None if r["amount"] is None else f"{r['amount']:f}"} for r in rows]
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "timezone": self.zone,
            "price_data": self.priced.version,
            "spend": spend,
            "total": {c: str(cents(a)) for c, a in self.priced.total().items()},
            "effects": {
                currency: {
                    n: None if v is None else round(v, 2)
                    for n in Effects.__slots__
                    for v in (getattr(e, n),)
                }
                for currency, e in self.effects.items()
            },
            "budgets": [s.to_dict() for s in self.standings],
            "answers": self.answers.to_dict(),
            "notes": list(self.priced.notes),
        }
