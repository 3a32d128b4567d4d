"""Who makes an excess: the most specific accounts that explain most of it.

From the group in which an excess was found the search goes down, one dimension at a time, as long as
one value of a dimension explains four fifths of it and stands out from the others: a user who always
had nine tenths of an application is not to blame for a day on which all its users doubled. A value
that came as another went (a model, a prompt version) is told as having taken its place.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats
from workbench.spend.changes.accounts import GROUPS, Ledger
from workbench.spend.usage import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Blame", "Culprit", "blame"]

_MOST: Final = 0.8
"""What explains an excess."""

_LIFT: Final = 0.5
"""The others changed by less than this share of what the value changed by."""

_GONE: Final = 0.25
"""A value with less than this share of what was expected of it is gone, or was not there."""

_REPLACED: Final = 0.5
"""Share of the spend, before and after, that a replacement concerns."""

_NAMED: Final = 5
"""So many accounts are named."""

_NAMING: Final = (*GROUPS, "user")
"""Told even where there is but one value; that of a prompt version, region or tier says nothing then."""

_ORDER: Final = (*GROUPS, "prompt_version", "user", "region", "tier")


@dataclass(frozen=True, slots=True)
class Culprit:
    """Accounts that make a part of an excess.

    Parameters
    ----------
    values
        Dimensions and their values; ``""`` where a dimension is not told.
    excess
        What they make of it, in the currency of the spend.
    share
        Of the whole excess; above 1 where others spent less.
    instead_of
        Values that these took the place of, by dimension.
    """

    values: Mapping[str, str]
    excess: float
    share: float
    instead_of: Mapping[str, str] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "accounts": dict(self.values),
            "instead_of": dict(self.instead_of),
            "excess": round(self.excess, 2),
            "share": round(self.share, 4),
        }


@dataclass(frozen=True, slots=True, eq=False)
class Blame:
    """What the search came to.

    Parameters
    ----------
    culprits
        The accounts that explain most of the excess, the greatest first; at most five.
    spread
        The excess is spread over so many groups that these do not explain most of it.
    rows
        Which rows of the ledger are of the accounts last looked at, shape (rows,).
    """

    culprits: tuple[Culprit, ...]
    spread: bool
    rows: Bools


def blame(ledger: Ledger, scope: Bools, event: Bools, usual: Bools, expected: float) -> Blame:
    """Find who makes an excess.

    Parameters
    ----------
    ledger
        The usage.
    scope
        The rows of the groups in which it was found, shape (rows,).
    event, usual
        Its days, and the days that it is held against, shape (days,).
    expected
        What the scope was expected to spend on the days of the event.
    """
    table = _accounts(ledger, scope, event, usual, expected)
    total = float(table["excess"].sum())
    found = _descend(table, total)
    inside = np.ones(len(table), np.bool_)
    for name, value in found.values.items():
        if name not in found.instead_of:
            inside &= (table[name] == value).to_numpy()
    part = table[inside]
    rows = scope.copy()
    rows[scope] = inside[table.attrs["number"]]
    excess = float(part["excess"].sum())
    groups = part.groupby(list(GROUPS), sort=False, observed=True)["excess"].sum()
    if len(groups) == 1 or "model" in found.instead_of:
        one = Culprit(
            _told(found.values), excess, excess / total if total else 1.0, found.instead_of
        )
        return Blame((one,), spread=False, rows=rows)
    return _several(groups, found.values, total, excess, rows)


@dataclass(slots=True)
class _Path:
    values: dict[str, str] = field(default_factory=dict)
    instead_of: dict[str, str] = field(default_factory=dict)


def _accounts(
    ledger: Ledger, scope: Bools, event: Bools, usual: Bools, expected: float
) -> pd.DataFrame:
    """One row an account: its dimensions, ``actual``, ``expected`` and ``excess``.

    ``attrs["number"]`` is the number of the account of each row in the scope.
    """
    usage = ledger.usage[scope]
    number = np.zeros(len(usage), np.int64)
    for name in DIMENSIONS:
        codes, values = usage[name].factorize(use_na_sentinel=False)
        number = np.unique(number * max(len(values), 1) + codes, return_inverse=True)[1]
    firsts = np.unique(number, return_index=True)[1]
    table = usage.iloc[firsts][[*DIMENSIONS]].astype(object).fillna("").astype(str)
    table = table.reset_index(drop=True)
    day, amount = ledger.day[scope], ledger.amount[scope]
    actual = np.bincount(number, amount * event[day], len(table))
    before = np.bincount(number, amount * usual[day], len(table))
    factor = expected / before.sum() if before.sum() else 0.0
    table["actual"], table["expected"] = actual, before * factor
    table["excess"] = table["actual"] - table["expected"]
    table.attrs["number"] = number
    return table


def _descend(table: pd.DataFrame, total: float) -> _Path:
    """Narrow the accounts down, one dimension after the other."""
    path = _Path()
    part = table[(table["actual"] != 0) | (table["expected"] != 0)]
    if part.empty:
        part = table
    names = list(_ORDER)
    while True:
        for name in list(names):
            values = part[name].unique()
            if len(values) == 1:
                if name in _NAMING or len(part) < len(table):
                    path.values[name] = str(values[0])
                names.remove(name)
            elif (both := _replacement(part, name)) is not None:
                path.instead_of[name], path.values[name] = both
                names.remove(name)
        best = max(
            ((*_leader(part, name, total), name) for name in names),
            key=lambda found: found[0],
            default=(0.0, "", ""),
        )
        if best[0] < _MOST:
            break
        part = part[part[best[2]] == best[1]]
    return path


def _replacement(part: pd.DataFrame, name: str) -> tuple[str, str] | None:
    """The value that is gone and the one that came, where both have most of the spend."""
    sums = part.groupby(name, sort=False, observed=True)[["actual", "expected"]].sum()
    actual, expected = (sums[c].to_numpy(np.float64) for c in ("actual", "expected"))
    old, new = int(np.argmax(expected)), int(np.argmax(actual))
    gone = actual[old] < _GONE * expected[old]
    came = expected[new] < _GONE * actual[new]
    before = expected[old] >= _REPLACED * expected.sum()
    after = actual[new] >= _REPLACED * actual.sum()
    if old == new or not (gone and came and before and after):
        return None
    return str(sums.index[old]), str(sums.index[new])


def _leader(part: pd.DataFrame, name: str, total: float) -> tuple[float, str]:
    """The value that explains most, and how much, where it stands out from the others."""
    sums = part.groupby(name, sort=False, observed=True)[["excess", "expected"]].sum()
    excess = sums["excess"].to_numpy(np.float64)
    if not total or not len(excess):
        return 0.0, ""
    top = int(np.argmax(excess * np.sign(total)))
    expected = sums["expected"].to_numpy(np.float64)
    rest, usual = excess.sum() - excess[top], expected.sum() - expected[top]
    own = _relative(float(excess[top]), float(expected[top]))
    stands_out = _relative(float(rest), float(usual)) * np.sign(total) < _LIFT * abs(own)
    share = float(excess[top] / total)
    return (share if stands_out else 0.0), str(sums.index[top])


def _relative(excess: float, expected: float) -> float:
    """Excess as a multiple of what was expected; of something new without bound."""
    if expected > 0:
        return excess / expected
    return float(np.sign(excess)) * float("inf") if excess else 0.0


def _several(
    groups: pd.Series, common: Mapping[str, str], total: float, excess: float, rows: Bools
) -> Blame:
    """The fewest groups that explain most of the excess."""
    sign = np.sign(total) or 1.0
    ordered = (groups * sign).sort_values(ascending=False) * sign
    shares: Floats = np.cumsum(ordered.to_numpy(np.float64)) / (excess or 1.0)
    enough = int(np.searchsorted(shares, _MOST)) + 1
    spread = enough > _NAMED
    extra = {n: v for n, v in _told(common).items() if n not in GROUPS}
    culprits = [
        Culprit(
            _named(key, extra), float(ordered.iloc[at]), float(ordered.iloc[at] / (total or 1.0))
        )
        for at, key in enumerate(list(ordered.index)[: min(enough, _NAMED)])
    ]
    return Blame(tuple(culprits), spread, rows)


def _told(values: Mapping[str, str]) -> dict[str, str]:
    """Dimensions in their usual order, without those that nobody told."""
    return {name: values[name] for name in DIMENSIONS if values.get(name)}


def _named(key: Sequence[str], extra: Mapping[str, str]) -> dict[str, str]:
    return {n: str(v) for n, v in zip(GROUPS, key, strict=True) if v} | dict(extra)
