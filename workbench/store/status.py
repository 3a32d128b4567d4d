"""Head statistics of a store, counted as Prometheus counts its own: where the series come from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from workbench.engine.storage import Storage

__all__ = ["tsdb_status"]


def tsdb_status(store: Storage, limit: int = 10) -> dict[str, Any]:
    """Count series, values and label memory, in the form of ``/api/v1/status/tsdb``.

    Parameters
    ----------
    store
        What to count.
    limit
        How many entries each list holds at the most, largest first.

    Returns
    -------
    dict
        ``headStats`` and the four lists of ``{"name": …, "value": …}``. Memory is the length of
        a label's values in bytes over all series, as Prometheus has it. ``chunkCount`` is left
        out, since a store has no chunks.
    """
    start_ms, end_ms = store.bounds_ms
    every = store.series((), start_ms, end_ms)
    pairs = Counter(pair for labels in every for pair in labels.items())
    values: Counter[str] = Counter()
    memory: Counter[str] = Counter()
    for (name, value), series in pairs.items():
        values[name] += 1
        memory[name] += len(value.encode(errors="surrogatepass")) * series
    metrics = {value: count for (name, value), count in pairs.items() if name == "__name__"}
    by_pair = {f"{name}={value}": count for (name, value), count in pairs.items()}
    return {
        "headStats": {
            "numSeries": len(every),
            "numLabelPairs": len(pairs),
            "minTime": start_ms,
            "maxTime": end_ms,
        },
        "seriesCountByMetricName": _largest(metrics, limit),
        "labelValueCountByLabelName": _largest(values, limit),
        "memoryInBytesByLabelName": _largest(memory, limit),
        "seriesCountByLabelValuePair": _largest(by_pair, limit),
    }


def _largest(counts: Mapping[str, int], limit: int) -> list[dict[str, Any]]:
    """The largest counts first; names in order where counts are equal."""
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [{"name": name, "value": value} for name, value in ordered[:limit]]
