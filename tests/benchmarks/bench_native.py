"""Native histograms in the embedded engine: CPU seconds a query, and microseconds a histogram.

50 series of a day at one sample a minute, up to 60 buckets each, which appear bit by bit; half the
series are reset twice. Run with ``python tests/benchmarks/bench_native.py``.
"""

from __future__ import annotations

import time

import numpy as np

from workbench.engine import Engine
from workbench.native import Buckets, Histogram, no_histograms
from workbench.samples import NativeSeries, Samples
from workbench.store import MemoryStore

SERIES, ROWS, BUCKETS, STEP_MS = 50, 1440, 60, 60_000

QUERIES = (
    "histogram_count(h)",
    "histogram_quantile(0.9, h)",
    "histogram_quantile(0.9, rate(h[5m]))",
    "sum(h)",
    "sum(rate(h[5m]))",
    "histogram_quantile(0.9, sum by (job) (rate(h[5m])))",
    "resets(h[1h])",
)


def made(number: int) -> NativeSeries:
    """One counter."""
    random = np.random.default_rng(number)
    counts = np.cumsum(random.poisson(3, (ROWS, BUCKETS)), axis=0).astype(float)
    for reset in sorted(random.integers(1, ROWS, 2 * (number % 2)).tolist()):
        counts[reset:] -= counts[reset]
    appears = np.sort(random.integers(0, ROWS // 2, BUCKETS)) * (np.arange(BUCKETS) > BUCKETS // 3)
    histograms = no_histograms(ROWS)
    for row in range(ROWS):
        index = np.flatnonzero(appears <= row)
        filled = counts[row, index]
        buckets = Buckets(index - BUCKETS // 3, filled)
        histograms[row] = Histogram(3, filled.sum(), filled.sum(), 2.0**-128, positive=buckets)
    labels = {"__name__": "h", "i": str(number), "job": f"job-{number % 5}"}
    return labels, np.arange(ROWS) * STEP_MS, np.full(ROWS, np.nan), histograms


def main() -> None:
    """Print one line a query."""
    engine = Engine(MemoryStore(Samples.from_series(made(i) for i in range(SERIES))))
    for query in QUERIES:
        start = time.process_time()
        engine.range(query, 0, (ROWS - 1) * STEP_MS, STEP_MS)
        seconds = time.process_time() - start
        print(f"{seconds:6.2f} s  {seconds / (SERIES * ROWS) * 1e6:5.1f} µs  {query}")


if __name__ == "__main__":
    main()
