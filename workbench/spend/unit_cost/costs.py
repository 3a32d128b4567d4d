"""Cost per request, per served request and per unit of success, of whom, and how sure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import InputError
from workbench.frame import Bools
from workbench.spend.prices import Priced
from workbench.spend.unit_cost.ledger import Grouped, Ledger, Tally
from workbench.spend.unit_cost.panel import daily
from workbench.spend.unit_cost.placing import place_units, told_days
from workbench.spend.unit_cost.reading import UnitCounts
from workbench.spend.unit_cost.significance import DailyRate, next_interval
from workbench.spend.unit_cost.versions import VersionCost, VersionPair, compare_versions

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LEVELS", "UnitCosts", "UnitStanding", "unit_costs"]

LEVELS: Final = {
    "application": ("team", "application"),
    "version": ("team", "application", "prompt_version"),
    "model": ("team", "application", "prompt_version", "model"),
}
"""Whom costs are told of, from coarse to fine."""

_NAMES: Final = ("team", "application", "prompt_version", "model")

_MOST: Final = 1_000
"""So many groups of a level are told, the dearest."""


@dataclass(frozen=True, slots=True)
class UnitStanding:
    """How well a unit of success could be set against spend.

    Parameters
    ----------
    name, counter
        Of the unit.
    series
        How many series its counter has.
    units
        How many were counted in all.
    unplaced
        How many of them name no spend that has a price.
    by
        The dimensions by which they are set against spend.
    ignored
        Dimensions whose labels have no value that spend has.
    against
        Whether there is spend that it is set against.
    """

    name: str
    counter: str
    series: int
    units: float
    unplaced: float
    by: tuple[str, ...]
    ignored: tuple[str, ...]
    against: bool


@dataclass(frozen=True, slots=True, eq=False)
class UnitCosts:
    """What one of something cost.

    Parameters
    ----------
    first, last
        The period of `table`, both days included.
    table
        A row for each group, currency and `measure` (``request``, ``served request``, or a unit of
        success), the dearest group first: ``level`` (of `LEVELS`, or ``unit`` for all spend that a
        unit is set against), its names (``""`` for all or none), ``currency``, ``spend``,
        ``count``, ``count_low``, ``count_high``, ``cost`` (one of them; NaN where it is not known),
        ``low`` and ``high`` (prices and counts both at their least and most), ``next_low`` and
        ``next_high`` (where 95 of 100 such periods to come would lie; NaN below three days),
        ``cached``, ``cached_low``, ``cached_high`` (share of requests that a response cache answered,
        which have no tokens; NaN but for requests), ``days`` that tell, and ``reason`` why a cost is
        not known.
    versions
        What each prompt version cost, over all days of the history up to `last`, where an
        application has several.
    pairs
        Two versions compared, on the same days.
    units
        How well each unit of success could be set against spend.
    unpriced_requests
        Requests of the period to what has no price: in no figure here.
    """

    first: date
    last: date
    table: pd.DataFrame
    versions: tuple[VersionCost, ...]
    pairs: tuple[VersionPair, ...]
    units: tuple[UnitStanding, ...]
    unpriced_requests: float

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; costs are those of one."""
        rows = self.table.astype(object).where(self.table.notna(), None).to_dict("records")
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "costs": rows,
            "versions": [version.to_dict() for version in self.versions],
            "pairs": [pair.to_dict() for pair in self.pairs],
            "units": [
                {n: getattr(u, n) for n in UnitStanding.__dataclass_fields__} for u in self.units
            ],
            "unpriced_requests": self.unpriced_requests,
        }


def unit_costs(
    history: Priced,
    counted: pd.DataFrame | None = None,
    units: Sequence[UnitCounts] = (),
    *,
    first: date,
    last: date,
    extras: pd.DataFrame | None = None,
) -> UnitCosts:
    """Tell what one of something cost.

    Parameters
    ----------
    history
        Priced usage of the period and of the days before it, which versions are compared on.
    counted
        Least and most tokens of each row, as multiples of those counted: columns ``low``, ``high``.
    units
        Units of success, counted over the same days.
    first, last
        The period, both days included.
    extras
        `workbench.spend.reading.reader.Reading.extras`: tells requests without tokens.

    Raises
    ------
    InputError
        The period ends before it begins.
    """
    if last < first:
        msg = f"the period ends on {last}, before it begins on {first}"
        raise InputError(msg, "give a period of one day or more")
    panel = daily(history, counted, extras)
    placed = [place_units(unit, panel) for unit in units]
    ledger = Ledger(panel, placed)
    days = panel.dates.astype("datetime64[D]")
    until = days <= np.datetime64(last, "D")
    period = until & (days >= np.datetime64(first, "D"))
    standings = tuple(
        UnitStanding(
            p.name, p.counter, p.series, p.units, p.unplaced, p.by, p.ignored,
            p.against,
        )
        for p in placed
    )  # fmt: skip
    return UnitCosts(
        first,
        last,
        _table(ledger, period),
        *compare_versions(ledger, until),
        standings,
        float(panel.unplaced["requests"][period].sum()),
    )


def _table(ledger: Ledger, period: Bools) -> pd.DataFrame:
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for level, names in LEVELS.items():
        grouped = ledger.grouped((*names, "currency"))
        spent = grouped.requests.cost[:, period].sum(axis=1)
        order = np.argsort(-spent, kind="stable")[:_MOST]
        parents = grouped.keys[["team", "application", *names[2:-1], "currency"]]
        several = parents.duplicated(keep=False).to_numpy(bool)
        for group in order[spent[order] > 0].tolist():
            if level == "application" or several[group]:
                rows += _rows(ledger, grouped, group, period, level)
    rank = {w: n for n, w in reversed(list(enumerate(map(_whose, rows))))}
    rows.sort(key=lambda row: rank[_whose(row)])  # details stand below their application
    rows += _wholes(ledger, period)
    columns = [
        "level", *_NAMES, "currency", "measure", "spend", "count", "count_low", "count_high", "cost",
        "low", "high", "next_low", "next_high", "cached", "cached_low", "cached_high", "days",
        "reason",
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=columns)


def _whose(row: dict[str, Any]) -> tuple[str, ...]:
    return row["team"], row["application"], row["currency"]


def _rows(
    ledger: Ledger, grouped: Grouped, group: int, period: Bools, level: str
) -> list[dict[str, Any]]:
    """The rows of one group: requests, served requests, units of success."""
    mine = grouped.number == group
    head = {"level": level, "currency": grouped.keys["currency"][group]}
    # A name that all of its accounts have is told, whatever it was grouped by.
    for name in _NAMES:
        told = set(ledger.names[name][mine])
        head[name] = str(told.pop()) if len(told) == 1 else ""
    result = []
    for name, tally in grouped.tallies().items():
        row = _cost(tally, group, period, counts_are_late=name in grouped.units)
        if row is None:
            continue
        result.append({**head, "measure": name, **row})
    asked = float(grouped.requests.point[group, period].sum())
    if result and asked:
        for name, values in zip(("", "_low", "_high"), grouped.cached, strict=True):
            result[0][f"cached{name}"] = min(float(values[group, period].sum()) / asked, 1.0)
    return result


def _cost(
    tally: Tally, group: int, period: Bools, *, counts_are_late: bool
) -> dict[str, Any] | None:
    """Cost of one, its bounds and its interval; None where there is neither money nor count."""
    days = np.flatnonzero(period)
    if counts_are_late:
        if not (tally.point[group].any() or tally.cost[group].any()):
            return None  # it is not set against this group
        if tally.point[group].any():
            days = days[told_days(tally.point[group], tally.cost[group])[days]]
    days = days[(tally.cost[group, days] > 0) | (tally.point[group, days] > 0)]
    count, least, most = (float(v[group, days].sum()) for v in (tally.point, tally.low, tally.high))
    spend, cheap, dear = (
        float(v[group, days].sum()) for v in (tally.cost, tally.cost_low, tally.cost_high)
    )
    row: dict[str, Any] = {
        "spend": spend, "count": count, "count_low": least, "count_high": most, "days": len(days),
    }  # fmt: skip
    if not tally.known[group]:
        return {**row, "reason": "the counter does not tell it apart from others"}
    if count <= 0:
        return {**row, "reason": "none was counted"}
    rate = DailyRate(days, tally.cost[group, days], tally.point[group, days])
    ahead = next_interval(rate)
    return {
        **row,
        "cost": spend / count,
        "low": cheap / most if most > 0 else np.nan,
        "high": dear / least if least > 0 else np.nan,
        "next_low": ahead[0] if ahead else np.nan,
        "next_high": ahead[1] if ahead else np.nan,
        "reason": "",
    }


def _wholes(ledger: Ledger, period: Bools) -> list[dict[str, Any]]:
    """All spend that a unit of success is set against, by unit and currency."""
    grouped = ledger.grouped(("currency",))
    result = []
    for unit in ledger.units:
        tally = grouped.units[unit.name]
        for group, currency in enumerate(grouped.keys["currency"]):
            row = _cost(tally, group, period, counts_are_late=True)
            if row is not None:
                head = {"level": "unit", "currency": currency, "measure": unit.name}
                result.append({**head, **dict.fromkeys(_NAMES, ""), **row})
    return result
