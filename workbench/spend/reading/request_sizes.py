"""How long the requests of each model are, from the histograms that were read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.spend.prices import RequestSizes

if TYPE_CHECKING:
    from workbench.spend.reading.reader import Reading

__all__ = ["request_sizes"]

_HISTOGRAM: Final = "request_input_tokens"


def request_sizes(reading: Reading) -> dict[tuple[str, str], RequestSizes]:
    """Give the lengths of requests by provider and model, as `workbench.spend.prices.price` takes them.

    Parameters
    ----------
    reading
        What was read; a model without a histogram of two buckets or more has none.
    """
    found = reading.histograms
    found = found[found["histogram"] == _HISTOGRAM]
    tokens = reading.table[["input", "cache_read", "cache_write"]].fillna(0.0).sum(axis=1)
    keys = reading.table[["provider", "model"]].astype(str)
    totals = tokens.groupby([keys["provider"], keys["model"]]).sum()
    result: dict[tuple[str, str], RequestSizes] = {}
    for (provider, model), rows in found.groupby(["provider", "model"], observed=True):
        key = (str(provider), str(model))
        counts = rows.groupby("le")["count"].sum()
        bounds = counts.index.to_numpy(np.float64)
        total = float(totals.get(key, 0.0))
        if len(bounds) < 2 or not np.isinf(bounds[-1]) or not total:
            continue
        each = np.maximum(np.diff(counts.to_numpy(np.float64), prepend=0.0), 0.0)
        result[key] = RequestSizes(bounds[:-1], each, total)
    return result
