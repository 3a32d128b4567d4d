"""How budgets stand: what was spent in their period, and what is to come."""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final

import numpy as np

from workbench.spend.budgeting.budgets import Budget
from workbench.spend.budgeting.outlook import outlook
from workbench.spend.prices import Priced, as_floats
from workbench.spend.result import Standing

__all__ = ["Ledger"]

_MONTHS: Final[Mapping[str, int]] = {"month": 1, "quarter": 3, "year": 12}

Bools = np.ndarray[Any, np.dtype[np.bool_]]


class Ledger:
    """Daily spend, to be held against budgets.

    Parameters
    ----------
    history
        Priced usage of all days that were read.
    seen
        Days of which enough was seen: without usage they cost 0. What is coming is learnt from
        them; of other days between them only what was counted is known, which was spent too.
    last
        The last whole day.
    """

    def __init__(self, history: Priced, seen: Iterable[date], last: date) -> None:
        rows = history.rows
        self._history = history
        self._last = last
        self._seen = sorted(day for day in seen if day <= last)
        self._days = history.usage["day"].dt.date.to_numpy()
        self._currency = rows["currency"].astype(str).to_numpy()
        self._amount = as_floats(rows["amount"])

    def standings(self, budgets: Iterable[Budget], seed: int = 0) -> tuple[Standing, ...]:
        """The month as a whole, by currency, and then each budget."""
        everything = np.ones(len(self._days), np.bool_)
        found = [
            self._standing(None, currency, everything, seed)
            for currency in sorted(self._history.total())
        ]
        for budget in budgets:
            rows = budget.takes(self._history.usage)
            found.append(self._standing(budget, budget.currency, rows, seed))
        return tuple(found)

    def _standing(self, budget: Budget | None, currency: str, rows: Bools, seed: int) -> Standing:
        start, end = period_of(budget, self._last)
        spend = self._daily(rows & (self._currency == currency))
        begins = min((day for day in self._seen if day >= start), default=self._last)
        within = [day for day in sorted(spend) if day >= begins]
        course = dict(zip(within, accumulate(spend[day] for day in within), strict=True))
        spent = sum(spend[day] for day in within)
        if not any(spend.values()):
            return Standing(budget, currency, start, end, begins, Decimal(0), None, course)
        name = f"{budget.name if budget else ''} {currency}".encode("utf-8", "surrogatepass")
        digest = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "big")
        ahead = outlook(
            np.array([(day - self._seen[0]).days for day in self._seen], np.int64),
            np.array([spend[day] for day in self._seen]),
            spent=spent,
            left=(end - self._last).days,
            rng=np.random.default_rng([seed, digest]),
            first=self._seen[0],
        )
        exact = Decimal(repr(spent)).quantize(Decimal("0.000001"))
        return Standing(budget, currency, start, end, begins, exact, ahead, course)

    def _daily(self, rows: Bools) -> dict[date, float]:
        """What each day cost, from the first that was seen on."""
        spend = dict.fromkeys(self._seen, 0.0)
        if not spend:
            return spend
        first = self._seen[0]
        for day, amount in zip(self._days[rows], self._amount[rows].tolist(), strict=True):
            if first <= day <= self._last:
                spend[day] = spend.get(day, 0.0) + amount
        return spend


def period_of(budget: Budget | None, day: date) -> tuple[date, date]:
    """The period of a budget that holds a day; the month where there is no budget.

    Examples
    --------
    >>> [d.isoformat() for d in period_of(Budget(name="a", amount="1", period="quarter"), date(2026, 5, 9))]
    ['2026-04-01', '2026-06-30']
    """
    if budget is not None and (back := budget.rolling_days) is not None:
        return day - timedelta(days=back - 1), day
    span = _MONTHS[budget.period if budget else "month"]
    begin = (day.month - 1) // span * span + 1
    finish = begin + span - 1
    length = calendar.monthrange(day.year, finish)[1]
    return date(day.year, begin, 1), date(day.year, finish, length)
