"""Units of success set against the accounts that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.naming import takes
from workbench.spend.unit_cost.panel import SURE, Count, Panel, share_out, sum_groups
from workbench.spend.unit_cost.reading import UnitCounts

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PlacedUnits", "place_units", "told_days"]

_EXPECTED: Final = 14.0
"""Days without a unit at either end, on which so many were expected, were not counted: by chance there
would be none once in a million."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedUnits:
    """One unit of success, and the accounts that it is set against.

    Parameters
    ----------
    name
        Of the unit.
    counter
        Its selector.
    series
        How many series the counter has.
    units
        How many there were in all.
    unplaced
        How many agree with no spend.
    by
        The dimensions by which they are set against spend.
    ignored
        Dimensions that its labels seem to tell, but with no value that spend has.
    against
        Whether there is any spend of what it says it is set against.
    within
        bool, shape (accounts,): the accounts that it is set against: of applications with units.
    point, low, high
        The counts, as counted, at the least and at the most.
    """

    name: str
    counter: str
    series: int
    units: float
    unplaced: float
    by: tuple[str, ...]
    ignored: tuple[str, ...]
    against: bool
    within: Bools
    point: Sequence[Count]
    low: Sequence[Count]
    high: Sequence[Count]

    def of(self, group: Ints, size: int, weight: Floats) -> tuple[Floats, Floats, Floats, Bools]:
        """What groups of accounts have.

        Returns
        -------
        tuple
            Units as counted, least and most: float64, shape (groups, days); and which groups they
            are known of: bool, shape (groups,).
        """
        inside = np.where(self.within, group, -1)
        # An account that it is not set against has no part in it.
        weight = np.where(self.within[:, None], weight, 0.0)
        point = sum_groups(self.point, inside, size, weight)
        low = sum_groups(self.low, inside, size, weight).low
        high = sum_groups(self.high, inside, size, weight).high
        known = point.high.sum(axis=1) <= SURE * point.low.sum(axis=1)
        return point.estimate, low, high, known


def place_units(counted: UnitCounts, panel: Panel) -> PlacedUnits:
    """Set units of success against the accounts that their labels name.

    Labels that were looked for by their usual names are ignored where no value of theirs is one of
    spend: ``region`` may be a place of the application, not of the model.
    """
    spec, accounts = counted.spec, panel.accounts
    within = takes(accounts, spec.of)
    table = counted.table
    ignored = tuple(
        d
        for d in counted.told
        if d not in spec.labels and not set(table[d]) - {""} & set(accounts.loc[within, d])
    )
    by = tuple(d for d in counted.told if d not in ignored)
    start = panel.dates[0] if len(panel.dates) else np.datetime64("1970-01-01", "D")
    day = (table["day"].to_numpy().astype("datetime64[D]") - start).astype(np.int64)
    inside = (day >= 0) & (day < len(panel.dates))
    told = table.loc[inside, list(by)].assign(day=day[inside])
    places = np.flatnonzero(within)
    each = {}
    lost = 0.0
    for name in ("units", "low", "high"):
        amounts = told.assign(amount=table.loc[inside, name])
        counts, left = share_out(accounts.iloc[places], amounts, len(panel.dates))
        each[name] = [_spread_owners(c, places, len(accounts)) for c in counts]
        lost = float(left.sum()) if name == "units" else lost
    total = float(table.loc[inside, "units"].sum())
    against = bool(within.any())
    within = _spending_on(accounts, within, each["units"])
    return PlacedUnits(
        spec.name, spec.counter, counted.series, total, lost, by, ignored, against, within,
        each["units"], each["low"], each["high"],
    )  # fmt: skip


def told_days(units: Floats, cost: Floats) -> Bools:
    """On which days units were counted, as far as it can be told: bool, shape (days,).

    A counter that was added later has days before it on which there was spend and no unit. They say
    nothing of success, and neither does the day on which it was added.

    Examples
    --------
    >>> told_days(np.array([0, 0, 9.0, 40, 41]), np.full(5, 10.0)).tolist()
    [False, False, False, True, True]
    """
    result = np.ones(len(units), np.bool_)
    some = np.flatnonzero(units > 0)
    if not len(some):
        return ~result
    first, last = int(some[0]), int(some[-1])
    spent = float(cost[first : last + 1].sum())
    rate = float(units.sum()) / spent if spent > 0 else 0.0
    if rate * float(cost[:first].sum()) > _EXPECTED:
        result[: first + 1] = False
    if rate * float(cost[last + 1 :].sum()) > _EXPECTED:
        result[last:] = False
    return result


def _spending_on(accounts: pd.DataFrame, within: Bools, counts: Sequence[Count]) -> Bools:
    """The accounts of applications that have units: those of others are not spent on them."""
    has: Bools = np.zeros(len(accounts), np.bool_)
    for count in counts:
        has |= (count.amounts.sum(axis=1) > 0)[count.owner]
    keys = ["team", "application"]
    some = accounts[keys].assign(has=has & within).groupby(keys)["has"].transform("any")
    result: Bools = within & some.to_numpy(bool)
    return result


def _spread_owners(count: Count, places: Ints, size: int) -> Count:
    """The same count over all accounts: those it is not set against agree with an empty one."""
    owner = np.full(size, len(count.amounts), np.int64)
    owner[places] = count.owner
    nothing = np.zeros((1, count.amounts.shape[1]))
    return Count(owner, np.concatenate([count.amounts, nothing]))
