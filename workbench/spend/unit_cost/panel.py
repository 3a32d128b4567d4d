"""Spend and counts as accounts by days, and counts that name fewer dimensions shared out to them.

Errors may be told by model only, cache hits by application, units of success by prompt version: each
is set against the accounts that agree with what it does name. What a group of accounts has of it is
known where no account outside the group agrees too; else it is estimated, between none and all of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.prices import Priced, as_floats
from workbench.spend.usage import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["CLASSES", "SURE", "Count", "GroupCount", "Panel", "daily", "share_out", "sum_groups"]

CLASSES: Final = ("input", "cache_read", "cache_write", "output")
"""Token classes that add up to all tokens, each with its money."""

SURE: Final = 1.05
"""What a group has is known where it cannot be more than this multiple of the least."""

_MONEY: Final = (*CLASSES, "request", "amount", "low", "high")


@dataclass(frozen=True, slots=True, eq=False)
class GroupCount:
    """What groups of accounts have of something counted; float64, shape (groups, days), each."""

    estimate: Floats
    low: Floats
    high: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Count:
    """Something that was counted, by whom its labels name.

    Parameters
    ----------
    owner
        int64, shape (accounts,): the number of what each account agrees with.
    amounts
        float64, shape (owners, days).
    """

    owner: Ints
    amounts: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """Priced usage as accounts by days.

    Parameters
    ----------
    accounts
        A row an account that has a price: `DIMENSIONS` (text), ``profile`` and ``currency``.
    dates
        datetime64[D], shape (days,).
    money
        By class, ``request``, ``amount``, ``low`` and ``high``: float64, shape (accounts, days), in
        the account's currency.
    tokens
        By class, and ``all`` of them: likewise.
    counts
        By figure (``requests``, ``errors``, ``rate_limited``): what was counted, to be shared out.
    unplaced
        By figure, how many agree with no account that has a price: float64, shape (days,).
    """

    accounts: pd.DataFrame
    dates: np.ndarray[tuple[int], np.dtype[np.datetime64]]
    money: Mapping[str, Floats]
    tokens: Mapping[str, Floats]
    counts: Mapping[str, Sequence[Count]]
    unplaced: Mapping[str, Floats]

    @property
    def shape(self) -> tuple[int, int]:
        """How many accounts and days."""
        return len(self.accounts), len(self.dates)

    def groups(self, by: Sequence[str]) -> tuple[Ints, pd.DataFrame]:
        """The group of each account, and the groups: a row each, of the columns `by`."""
        grouping = self.accounts.groupby(list(by), sort=True, observed=True)
        numbers: Ints = np.asarray(grouping.ngroup(), np.int64)
        firsts = np.unique(numbers, return_index=True)[1]
        return numbers, self.accounts.iloc[firsts][list(by)].reset_index(drop=True)


def daily(
    history: Priced, counted: pd.DataFrame | None, extras: pd.DataFrame | None = None
) -> Panel:
    """Lay priced usage out as accounts by days.

    Parameters
    ----------
    history
        Priced usage.
    counted
        Least and most tokens by row, as multiples of those counted: columns ``low`` and ``high``.
    extras
        With a column ``response_cache_hits``: `workbench.spend.reading.reader.Reading.extras`.
    """
    import pandas as pd

    usage, rows = history.usage, history.rows
    keys = pd.DataFrame({d: usage[d].astype(object) for d in (*DIMENSIONS, "profile")})
    keys["currency"] = rows["currency"].astype(object).to_numpy()
    priced = _spending(keys, usage, rows)
    start, width = _days(usage["day"])
    grouping = keys[priced].groupby(list(keys.columns), sort=True)
    account = grouping.ngroup().to_numpy(np.int64)
    accounts = keys[priced].iloc[np.unique(account, return_index=True)[1]].reset_index(drop=True)
    day = (usage["day"].to_numpy().astype("datetime64[D]") - start).astype(np.int64)
    cell, size = account * width + day[priced], len(accounts) * width

    def matrix(values: Floats) -> Floats:
        return (
            np.bincount(cell, values[priced], size).astype(np.float64).reshape(len(accounts), width)
        )

    times = {n: np.ones(len(rows)) for n in _MONEY}
    if counted is not None:
        times |= {n: counted[n].to_numpy(np.float64) for n in ("low", "high")}
    money = {n: matrix(as_floats(rows[n]) * times[n]) for n in _MONEY}
    tokens = {n: matrix(usage[n].fillna(0.0).to_numpy(np.float64)) for n in CLASSES}
    weight = sum(tokens.values(), np.zeros((len(accounts), width)))
    counts, unplaced = {}, {}
    for name in ("requests", "errors", "rate_limited"):
        told = keys.assign(day=day, amount=usage[name].fillna(0.0).to_numpy(np.float64))
        counts[name], unplaced[name] = share_out(accounts, told[told["amount"] > 0], width)
    told = _hits(extras, start, width)
    counts["cached"], unplaced["cached"] = share_out(accounts, told, width)
    dates = start + np.arange(width)
    return Panel(accounts, dates, money, {**tokens, "all": weight}, counts, unplaced)


def _spending(keys: pd.DataFrame, usage: pd.DataFrame, rows: pd.DataFrame) -> Bools:
    """Which rows are of accounts that spend: bool, shape (rows,).

    Rows of errors alone may be of no account, but of all that agree with what they name.
    """
    priced = rows["amount"].notna().to_numpy(bool)
    use = usage[list(CLASSES)].fillna(0.0).sum(axis=1).to_numpy() + as_floats(rows["amount"])
    own = keys.assign(use=np.where(priced, use, 0.0)).groupby(list(keys.columns))["use"]
    result: Bools = priced & (own.transform("max").to_numpy(np.float64) > 0)
    return result


def _days(column: pd.Series) -> tuple[np.datetime64, int]:
    days = column.to_numpy().astype("datetime64[D]")
    if not len(days):
        return np.datetime64("1970-01-01", "D"), 0
    return days.min(), int((days.max() - days.min()).astype(np.int64)) + 1


def _hits(extras: pd.DataFrame | None, start: np.datetime64, width: int) -> pd.DataFrame:
    import pandas as pd

    names = (*DIMENSIONS, "profile")
    if extras is None or not len(extras):
        return pd.DataFrame({n: [] for n in (*names, "day", "amount")})
    told = pd.DataFrame({n: extras[n].astype(object) for n in names})
    told["day"] = (extras["day"].to_numpy().astype("datetime64[D]") - start).astype(np.int64)
    told["amount"] = extras["response_cache_hits"].fillna(0.0).to_numpy(np.float64)
    return told[(told["amount"] > 0) & told["day"].between(0, width - 1)]


def share_out(accounts: pd.DataFrame, told: pd.DataFrame, width: int) -> tuple[list[Count], Floats]:
    """Set counts against the accounts that agree with what they name.

    Parameters
    ----------
    accounts
        As of `Panel`.
    told
        ``day`` (its number), ``amount``, and any of the columns of `accounts` but ``currency``;
        ``""`` where a label does not tell.
    width
        How many days there are.

    Returns
    -------
    list of Count, float64 array
        One for each set of dimensions that is named together; how many agree with no account, by
        day.
    """
    names = [n for n in (*DIMENSIONS, "profile") if n in told and (accounts[n] != "").any()]
    counts: list[Count] = []
    lost: Floats = np.zeros(width)
    if not len(told):
        return counts, lost
    exact, there = _set_against(accounts, told, names, width)
    counts.append(exact)
    rest = told[~there]
    named = (rest[names] != "").to_numpy(bool)
    patterns, which = np.unique(named, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        mine = rest[which.reshape(-1) == number]
        count, there = _set_against(accounts, mine, list(np.array(names)[pattern]), width)
        counts.append(count)
        left = mine[~there]
        lost += np.bincount(left["day"], left["amount"].to_numpy(np.float64), width)
    return counts, lost


def _set_against(
    accounts: pd.DataFrame, told: pd.DataFrame, names: list[str], width: int
) -> tuple[Count, Bools]:
    """The count of what agrees with an account by some dimensions, and which rows do."""
    import pandas as pd

    both = pd.concat([accounts[names], told[names]], ignore_index=True)
    numbers: Ints = np.zeros(len(both), np.int64)
    if names:
        numbers = np.asarray(both.groupby(names, sort=False).ngroup(), np.int64)
    owner, mine = numbers[: len(accounts)], numbers[len(accounts) :]
    owners = int(owner.max(initial=-1)) + 1  # accounts come first, so that theirs are the lowest
    there = mine < owners
    cell = mine[there] * width + told["day"].to_numpy(np.int64)[there]
    amount = told["amount"].to_numpy(np.float64)[there]
    sums = np.bincount(cell, amount, owners * width).astype(np.float64)
    return Count(owner, sums.reshape(owners, width)), there


def sum_groups(counts: Sequence[Count], group: Ints, size: int, weight: Floats) -> GroupCount:
    """What groups of accounts have of what was counted.

    Parameters
    ----------
    counts
        Of `share_out`.
    group
        int64, shape (accounts,): whose group each is, −1 for none.
    size
        How many groups there are.
    weight
        float64, shape (accounts, days): by what to share out where that is needed.
    """
    shape = (size, weight.shape[1])
    result = GroupCount(np.zeros(shape), np.zeros(shape), np.zeros(shape))
    for count in counts:
        owners = len(count.amounts)
        total = np.zeros_like(count.amounts)
        np.add.at(total, count.owner, weight)
        whole = np.zeros(owners)
        np.add.at(whole, count.owner, weight.sum(axis=1))
        pair, place = np.unique(np.stack([count.owner, group], axis=1), axis=0, return_inverse=True)
        part = np.zeros((len(pair), shape[1]))
        np.add.at(part, place.reshape(-1), weight)
        owner, target = pair[:, 0], pair[:, 1]
        alone = np.bincount(owner, minlength=owners)[owner] == 1
        with np.errstate(divide="ignore", invalid="ignore"):
            share = part / total[owner]
            # On a day without weight it is as on all days together.
            overall = part.sum(axis=1, keepdims=True) / whole[owner][:, None]
        share = np.where(np.isfinite(share), share, np.nan_to_num(overall))
        share[alone] = 1.0
        amounts, inside = count.amounts[owner], target >= 0
        busy = total[owner] > 0
        sure = alone[:, None] | (busy & (part == total[owner]))
        possible = alone[:, None] | ~busy | (part > 0)
        target = target[inside]
        np.add.at(result.estimate, target, (amounts * share)[inside])
        np.add.at(result.low, target, (amounts * sure)[inside])
        np.add.at(result.high, target, (amounts * possible)[inside])
    return result
