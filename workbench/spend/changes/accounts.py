"""Daily spend of accounts, of the groups that they make, and of all, as one matrix each.

Groups are team × application × provider × model; several models of one application make a group
too, and so does everything in one currency. Users, prompt versions, regions and tiers are looked at
only to say who it was: as series of their own they would be too many and too thin.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.prices import Priced, as_floats

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["GROUPS", "Ledger", "day_numbers"]

GROUPS: Final = ("team", "application", "provider", "model")
"""What tells groups apart; the first two tell applications apart."""

_APPLICATION: Final = 2


def day_numbers(days: Iterable[date]) -> Ints:
    """Days since 1970-01-01, ascending, each once."""
    return np.unique(np.array(list(days), "datetime64[D]")).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """The priced usage of one currency on the days of which enough was seen.

    Parameters
    ----------
    days
        int64, shape (n,): days since 1970-01-01.
    usage
        Rows of the canonical table that have a price and a day.
    money
        int64-indexed rows of `Priced.rows`, as those of `usage`.
    day
        Number of each row's day, shape (rows,).
    amount
        What each row costs, shape (rows,).
    group, application
        Number of each row's group, shape (rows,), and of each group's application, shape (groups,).
    """

    days: Ints
    usage: pd.DataFrame
    money: pd.DataFrame
    day: Ints
    amount: Floats
    group: Ints
    application: Ints

    @classmethod
    def of(cls, history: Priced, days: Ints, currency: str) -> Ledger:
        """Choose the rows and number their groups."""
        rows, usage = history.rows, history.usage
        when = usage["day"].to_numpy().astype("datetime64[D]").astype(np.int64)
        priced = (rows["currency"] == currency).to_numpy() & rows["amount"].notna().to_numpy()
        chosen = priced & np.isin(when, days)
        usage, money = usage[chosen], rows[chosen]
        application = _numbers(usage, GROUPS[:_APPLICATION])
        group = _numbers(usage, GROUPS)
        count = int(group.max()) + 1 if len(group) else 0
        owner = np.zeros(count, np.int64)
        owner[group] = application
        day = np.searchsorted(days, when[chosen])
        return cls(days, usage, money, day, as_floats(money["amount"]), group, owner)

    def by_group(self) -> Floats:
        """What each group spent on each day, shape (groups, days)."""
        shape = (len(self.application), len(self.days))
        sums = np.bincount(
            self.group * shape[1] + self.day, self.amount, minlength=shape[0] * shape[1]
        )
        return sums.astype(np.float64).reshape(shape)

    def rows_of(self, groups: Sequence[int]) -> Bools:
        """Which rows are of some groups, shape (rows,)."""
        chosen = np.zeros(len(self.application), np.bool_)
        chosen[list(groups)] = True
        mask: Bools = chosen[self.group]
        return mask


def _numbers(usage: pd.DataFrame, names: Sequence[str]) -> Ints:
    """A number from 0 for each combination of names that is there."""
    number = np.zeros(len(usage), np.int64)
    for name in names:
        codes, values = usage[name].factorize(use_na_sentinel=False)
        number = np.unique(number * max(len(values), 1) + codes, return_inverse=True)[1]
    return number.astype(np.int64)
