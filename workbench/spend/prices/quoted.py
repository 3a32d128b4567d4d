"""The quotes that a table of usage needs: one for each account and stretch of days without a change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from workbench.spend.prices.quoting import Prices, Quote

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Label", "Quoted", "quote_usage"]

Label = tuple[str, str, str, str]
"""Provider, model, region and service tier, as the table has them."""

_QUOTED: Final = ("provider", "model", "region", "tier")


@dataclass(frozen=True, eq=False)
class Quoted:
    """The quotes of a table.

    Attributes
    ----------
    quotes, labels
        The prices, and what they are for; of equal length.
    number
        The quote of each row, shape (rows,).
    """

    quotes: tuple[Quote, ...]
    labels: tuple[Label, ...]
    number: npt.NDArray[np.intp]


def quote_usage(usage: pd.DataFrame, prices: Prices) -> Quoted:
    """Quote each account's prices once for each stretch of days on which they do not change."""
    import pandas as pd

    grouping = usage.groupby(list(_QUOTED), sort=False, observed=True, dropna=False)
    account = grouping.ngroup().to_numpy()
    firsts = np.unique(account, return_index=True)[1]
    days = pd.DatetimeIndex(usage["day"]).to_numpy("datetime64[D]")
    order = np.argsort(account, kind="stable")
    ends = np.searchsorted(account[order], np.arange(len(firsts) + 1))
    quotes: list[Quote] = []
    labels: list[Label] = []
    number = np.zeros(len(usage), np.intp)
    for n, row in enumerate(usage[list(_QUOTED)].iloc[firsts].astype(object).fillna("").to_numpy()):
        provider, model, region, tier = (str(value) for value in row)
        rows = order[ends[n] : ends[n + 1]]
        cuts = np.array(prices.cuts(provider, model, region, tier), "datetime64[D]")
        stretch = np.searchsorted(cuts, days[rows], side="right")
        for each in np.unique(stretch):
            chosen = rows[stretch == each]
            number[chosen] = len(quotes)
            day = days[chosen[0]].astype(object)
            quotes.append(prices.quote(provider, model, region, tier, day))
            labels.append((provider, model, region, tier))
    return Quoted(tuple(quotes), tuple(labels), number)
