"""Where spend is going: the total at the end of a period, and when a budget is broken.

A total is the sum along each drawn future of `workbench.spend.budgeting.futures`, so its interval
knows that a dear week makes a dear month. The same is done from earlier days, and what came is held
against it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.spend.budgeting.futures import draw_futures

__all__ = ["LEAST_DAYS", "Outlook", "TotalTest", "outlook"]

LEAST_DAYS: Final = 14
"""Days of history without which there is no forecast: two weeks show one repetition of a week."""

_TESTED: Final = 30
"""Models drawn for each forecast of the test."""


@dataclass(frozen=True, slots=True)
class TotalTest:
    """How forecasts of a total over as many days did on days already known.

    Parameters
    ----------
    origins
        From how many earlier days.
    days
        How many days ahead each.
    error
        Mean absolute error as a share of what came.
    naive_error
        The same of "each day as in the last seven".
    bias
        Mean of forecast less truth, as a share of what came.
    held_80
        How many of the totals lay within the 80 % interval.
    """

    origins: int
    days: int
    error: float
    naive_error: float
    bias: float
    held_80: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, eq=False)
class Outlook:
    """The rest of a period.

    Parameters
    ----------
    spent
        In the period so far.
    totals
        float64, shape (futures, days left): spent so far and in the coming days, in each future.
    test
        How such forecasts did before; None where the history is too short to tell.
    """

    spent: float
    totals: Floats
    test: TotalTest | None

    def total(self, level: float) -> float:
        """A quantile of the total at the end of the period."""
        if not self.totals.shape[1]:
            return self.spent
        return float(np.quantile(self.totals[:, -1], level))

    def chance(self, amount: float) -> float:
        """The chance that the period's total is above an amount."""
        if not self.totals.shape[1]:
            return float(self.spent > amount)
        return float((self.totals[:, -1] > amount).mean())

    def breach(self, amount: float, level: float = 0.5) -> int | None:
        """The day, counted from 1, on which the total first exceeds an amount.

        Parameters
        ----------
        amount
            The budget.
        level
            Which quantile of the day: 0.1 is early, 0.9 late.

        Returns
        -------
        int or None
            0 where it is exceeded already; None where at that level it is not within the period.
        """
        if self.spent > amount:
            return 0
        if not self.totals.shape[1]:
            return None
        over = self.totals > amount
        first = np.where(over.any(axis=1), over.argmax(axis=1) + 1.0, np.inf)
        day = float(np.quantile(first, level, method="inverted_cdf")) if len(first) else np.inf
        return int(day) if np.isfinite(day) else None


def outlook(
    days: Ints,
    spend: Floats,
    *,
    spent: float,
    left: int,
    rng: np.random.Generator,
    first: date | None = None,
    origins: int = 6,
) -> Outlook | None:
    """Forecast the rest of a period.

    Parameters
    ----------
    days
        int64, shape (n,), ascending: day numbers of the history; gaps are allowed.
    spend
        float64, shape (n,): what each cost; 0 and more.
    spent
        What the period cost so far.
    left
        How many days it still has.
    rng
        Where futures come from.
    first
        The date of day 0, by which months end; without it they are not told apart.
    origins
        From so many earlier days the total is forecast for the test.

    Returns
    -------
    Outlook or None
        None where fewer than 14 days are known.
    """
    days, spend = _begun(days, spend)
    if len(days) < LEAST_DAYS:
        return None
    if not left:
        return Outlook(spent, np.empty((1, 0)), None)
    futures = draw_futures(days, spend, left, rng, first=first)
    test = _Tester(days, spend, rng, first).test(left, origins)
    return Outlook(spent, spent + np.cumsum(futures, axis=1), test)


def _begun(days: Ints, spend: Floats) -> tuple[Ints, Floats]:
    """Without the days before the first spend, if enough are left: they tell nothing of it."""
    start = int(np.argmax(spend > 0))
    return (days[start:], spend[start:]) if len(days) - start >= LEAST_DAYS else (days, spend)


@dataclass(frozen=True, slots=True)
class _Tester:
    """Forecasts from earlier days; the fields are the parameters of `outlook`."""

    days: Ints
    spend: Floats
    rng: np.random.Generator
    first: date | None

    def test(self, ahead: int, origins: int) -> TotalTest | None:
        """Totals forecast from earlier days, spread over what history there is."""
        latest, earliest = int(self.days[-1]) + 1 - ahead, int(self.days[0]) + LEAST_DAYS
        if latest < earliest or not origins:
            return None
        cuts = np.unique(np.linspace(earliest, latest, origins).round().astype(np.int64))
        rows = [r for cut in cuts.tolist() if (r := self._one(cut, ahead)) is not None]
        if not rows:
            return None
        truth, middle, low, high, naive = np.array(rows).T
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = np.abs(middle - truth) / truth
            naive_errors, biases = np.abs(naive - truth) / truth, (middle - truth) / truth
        if not np.isfinite(errors).all():
            return None
        held = int(((truth >= low) & (truth <= high)).sum())
        error, naive_error, bias = (float(x.mean()) for x in (errors, naive_errors, biases))
        return TotalTest(len(rows), ahead, error, naive_error, bias, held)

    def _one(self, cut: int, ahead: int) -> tuple[float, float, float, float, float] | None:
        """Truth, median, ends of the 80 % interval and naive total after one earlier day."""
        past, then = self.days < cut, (self.days >= cut) & (self.days < cut + ahead)
        if past.sum() < LEAST_DAYS or then.sum() < ahead:
            return None
        days, spend = self.days[past], self.spend[past]
        drawn = draw_futures(days, spend, ahead, self.rng, first=self.first, models=_TESTED)
        low, middle, high = np.quantile(drawn.sum(axis=1), [0.1, 0.5, 0.9]).tolist()
        naive = float(spend[-7:].mean()) * ahead
        return float(self.spend[then].sum()), middle, low, high, naive
