"""What share of its input an application has read from the cache on its best days."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from workbench.spend.savings.sums import Groups

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ACCOUNT", "BEST", "DAYS", "best_shares"]

ACCOUNT: Final = ("provider", "model", "team", "application")
"""Whose days are compared: prompt versions come and go, their application stays."""

BEST: Final = 0.9
"""Which quantile of the days is called its best: a share that was reached on one day in ten."""

DAYS: Final = 5
"""So many days must have had enough input."""

_ENOUGH: Final = 0.2
"""A day counts that has this share of the median day's input."""


def best_shares(usage: pd.DataFrame, last: date) -> pd.DataFrame:
    """Find each account's best share of input from the provider's cache.

    Parameters
    ----------
    usage
        The canonical table of all days; rows that do not count cached tokens are left out.
    last
        Days after it are left out.

    Returns
    -------
    DataFrame
        `ACCOUNT`, ``days`` with enough input, and ``best``: the share, NaN where there are fewer
        than `DAYS`. A quantile by nearest rank, so that it is a share that some day had.
    """
    table = usage[["day", *ACCOUNT]]
    counted = usage["cache_read"].notna() & (usage["day"] <= np.datetime64(last))
    days = Groups(table[counted.to_numpy()])
    tokens = usage.loc[counted.to_numpy(), ["input", "cache_read", "cache_write"]]
    total = days.add(np.nansum(tokens.to_numpy(np.float64), axis=1))
    read = days.add(tokens["cache_read"].to_numpy(np.float64))
    accounts = Groups(days.names[list(ACCOUNT)])
    median = _quantile(total, accounts.number, len(accounts), 0.5)
    enough = (total > 0) & (total >= _ENOUGH * median[accounts.number])
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(enough, read / total, np.nan)
    number = np.bincount(accounts.number[enough], minlength=len(accounts))
    best = _quantile(share[enough], accounts.number[enough], len(accounts), BEST)
    return accounts.names.astype(object).assign(
        days=number, best=np.where(number >= DAYS, best, np.nan)
    )


def _quantile(
    values: npt.NDArray[np.float64], group: npt.NDArray[np.int64], groups: int, q: float
) -> npt.NDArray[np.float64]:
    """The quantile of each group by nearest rank from below; NaN for a group without values."""
    order = np.argsort(values)
    # Small whole numbers are sorted by their digits, in a fifth of the time.
    small = group.astype(np.uint16) if groups < 2**16 else group
    order = order[np.argsort(small[order], kind="stable")]
    count = np.bincount(group, minlength=groups)
    first = np.concatenate([[0], np.cumsum(count)[:-1]]).astype(np.int64)
    place = first + np.floor(q * np.maximum(count - 1, 0)).astype(np.int64)
    result = np.full(groups, np.nan)
    some = count > 0
    result[some] = values[order][place[some]]
    return result
