"""How fast a model answers, where it is in use already."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.statistics.buckets import BucketCounts
from workbench.statistics.quantiles import quantile

if TYPE_CHECKING:
    from workbench.spend.reading.reader import Reading

__all__ = ["latency_of"]

_HISTOGRAM: Final = "duration"
_QUANTILES: Final = (0.5, 0.95)


def latency_of(
    reading: Reading, provider: str, model: str, first: date, last: date
) -> tuple[float, float] | None:
    """Give median and 95 % of a model's requests in seconds; None where no histogram tells.

    Parameters
    ----------
    reading
        What was read. Where several profiles have durations, the one with most requests counts.
    provider, model
        As labelled; an empty provider takes all.
    first, last
        Days, both included.
    """
    import pandas as pd

    found = reading.histograms
    days = pd.DatetimeIndex(found["day"])
    mine = (found["histogram"] == _HISTOGRAM) & (found["model"].astype(str) == model)
    if provider:
        mine &= found["provider"].astype(str) == provider
    mine &= (days >= pd.Timestamp(first)) & (days <= pd.Timestamp(last))
    best: tuple[float, tuple[float, float]] | None = None
    for _, rows in found[mine].groupby("profile", observed=True):
        counts = rows.groupby("le")["count"].sum()
        edges = counts.index.to_numpy(np.float64)
        total = float(counts.iloc[-1])
        if len(edges) < 2 or not np.isinf(edges[-1]) or total <= 0:
            continue
        cumulative = np.maximum.accumulate(counts.to_numpy(np.float64))
        made = quantile(BucketCounts.from_cumulative(edges, cumulative), _QUANTILES)
        if np.isfinite(made).all() and (best is None or total > best[0]):
            best = total, (float(made[0]), float(made[1]))
    return best[1] if best else None
