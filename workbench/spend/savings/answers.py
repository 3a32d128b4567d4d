"""What a gateway's own cache of answers saved: requests that no provider was asked to serve."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from workbench.spend.prices import Priced
from workbench.spend.savings.accounts import (
    OWNER,
    duplicated,
    request_costs,
    share_out,
    within,
)
from workbench.spend.savings.best_days import ACCOUNT
from workbench.spend.savings.sums import Groups

if TYPE_CHECKING:
    import pandas as pd

    from workbench.spend.reading.reader import Reading

__all__ = ["answers_saved"]


def answers_saved(priced: Priced, reading: Reading, *, first: date, last: date) -> pd.DataFrame:
    """Bound what requests would have cost that the gateway answered by itself.

    A hit has no tokens, and the requests that repeat may be shorter or longer than others. It is
    taken to be like the mean request of some day: between the cheapest day's and the dearest's.

    Parameters
    ----------
    priced
        The period's usage with its prices.
    reading
        All usage that was read: its extras tell hits and misses.
    first, last
        The period, both days included.

    Returns
    -------
    DataFrame
        `ACCOUNT`, ``currency`` ("" where requests have no price), ``hits``, ``share`` of all that
        were looked up (NaN where misses are not counted), ``low`` and ``high`` (money, float),
        ``shared`` (told by fewer labels than the account, and shared out); the most saved first.
    """
    extras = within(reading.extras, first, last)
    counted = Groups(extras[list(OWNER)])
    hits, misses = (
        counted.add(extras[f"response_cache_{n}"].to_numpy(np.float64)) for n in ("hits", "misses")
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(misses > 0, hits / (hits + misses), np.nan)
    events = counted.names.assign(count=hits, share=share)[hits > 0]
    found = share_out(events, request_costs(priced, extras), duplicated(reading))
    columns = [*ACCOUNT, "currency", "count", "share", "low", "high", "shared"]
    table = found[columns].rename(columns={"count": "hits"})
    for name in ("low", "high"):
        table[name] = table[name].to_numpy(np.float64) * table["hits"].to_numpy()
    order = ["high", "hits"]
    return table.sort_values(order, ascending=False, na_position="last").reset_index(drop=True)
