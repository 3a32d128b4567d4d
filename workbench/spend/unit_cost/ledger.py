"""What groups of accounts spent and did, day by day: what every cost per unit is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.unit_cost.panel import SURE, Panel, sum_groups
from workbench.spend.unit_cost.placing import PlacedUnits

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Grouped", "Ledger", "Tally"]


@dataclass(frozen=True, slots=True, eq=False)
class Tally:
    """Something that money is set against, of groups by days.

    Parameters
    ----------
    point, low, high
        float64, shape (groups, days): as counted, at the least and at the most.
    known
        bool, shape (groups,): whether it is told apart from what other groups have.
    cost, cost_low, cost_high
        float64, shape (groups, days): the money that it is set against.
    """

    point: Floats
    low: Floats
    high: Floats
    known: Bools
    cost: Floats
    cost_low: Floats
    cost_high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Grouped:
    """Groups of accounts.

    Parameters
    ----------
    keys
        A row a group, of the columns that it was made by.
    number
        int64, shape (accounts,): each account's group.
    requests
        All requests.
    served
        Requests less those that failed or were refused; None where nobody counts these.
    cached
        Requests that a response cache answered, which have no tokens: as counted, least and most.
    units
        By name of a unit of success.
    """

    keys: pd.DataFrame
    number: Ints
    requests: Tally
    served: Tally | None
    cached: tuple[Floats, Floats, Floats]
    units: Mapping[str, Tally]

    def tallies(self) -> dict[str, Tally]:
        """All that money is set against, by name."""
        found = {"request": self.requests}
        if self.served is not None:
            found["served request"] = self.served
        return {**found, **self.units}


@dataclass(frozen=True, slots=True, eq=False)
class Ledger:
    """A panel, and the units of success that belong to it.

    Parameters
    ----------
    panel
        Spend and counts by account and day.
    units
        Set against its accounts.

    Attributes
    ----------
    names
        Of the accounts, by column: objects, shape (accounts,).
    """

    panel: Panel
    units: Sequence[PlacedUnits] = ()
    names: Mapping[str, Any] = field(init=False, repr=False)
    _requests: Floats = field(init=False, repr=False)

    def __post_init__(self) -> None:
        accounts = self.panel.accounts
        names = {name: accounts[name].to_numpy(object) for name in accounts}
        object.__setattr__(self, "names", names)
        size = self.panel.shape[0]
        each = sum_groups(
            self.panel.counts["requests"], np.arange(size), size, self.panel.tokens["all"]
        )
        object.__setattr__(self, "_requests", each.estimate)

    def grouped(self, by: Sequence[str]) -> Grouped:
        """Add up by some columns of the accounts; ``currency`` must be one."""
        number, keys = self.panel.groups(by)
        size = len(keys)
        asked = sum_groups(self.panel.counts["requests"], number, size, self.panel.tokens["all"])
        requests = self._tally(number, size, asked.estimate, asked.low, asked.high)
        cached = sum_groups(self.panel.counts["cached"], number, size, self._requests)
        return Grouped(
            keys,
            number,
            requests,
            self._served(number, size, requests),
            (cached.estimate, cached.low, cached.high),
            {u.name: self._unit(u, number, size) for u in self.units},
        )

    def _tally(
        self,
        number: Ints,
        size: int,
        point: Floats,
        low: Floats,
        high: Floats,
        *,
        known: Bools | None = None,
        within: Bools | None = None,
    ) -> Tally:
        money = [
            self.sums(self.panel.money[n], number, size, within) for n in ("amount", "low", "high")
        ]
        if known is None:
            known = high.sum(axis=1) <= SURE * low.sum(axis=1)
        return Tally(point, low, high, known, *money)

    def sums(self, values: Floats, number: Ints, size: int, within: Bools | None = None) -> Floats:
        """Add accounts' values up by group: float64, shape (groups, days)."""
        result = np.zeros((size, values.shape[1]))
        if within is None:
            np.add.at(result, number, values)
        else:
            np.add.at(result, number[within], values[within])
        return result

    def _served(self, number: Ints, size: int, requests: Tally) -> Tally | None:
        """Requests less failures; rate-limited ones may or may not be among the errors."""
        errors, limited = (
            sum_groups(self.panel.counts[n], number, size, self._requests)
            for n in ("errors", "rate_limited")
        )
        if not any(self.panel.counts[n] for n in ("errors", "rate_limited")):
            return None
        failed = np.maximum(errors.estimate, limited.estimate)
        least = np.maximum(errors.low, limited.low)
        most = errors.high + limited.high
        point = np.maximum(requests.point - failed, 0.0)
        low = np.maximum(requests.low - most, 0.0)
        high = np.maximum(requests.high - least, point)
        return self._tally(number, size, point, low, high, known=requests.known)

    def _unit(self, unit: PlacedUnits, number: Ints, size: int) -> Tally:
        point, low, high, known = unit.of(number, size, self._requests)
        return self._tally(number, size, point, low, high, known=known, within=unit.within)
