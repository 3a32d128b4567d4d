"""Series of classic histograms whose observations are known."""

from __future__ import annotations

import numpy as np

from workbench.samples import Series

BOUNDS = (0.1, 0.25, 0.5, 1.0, np.inf)
STEP_MS = 60_000


def le(bound: float) -> str:
    """A bound as clients write it."""
    return "+Inf" if np.isinf(bound) else f"{bound:g}"


def histogram(
    name: str, labels: dict[str, str], per_minute: list[int], minutes: int = 240, *, bounds=BOUNDS
) -> list[Series]:
    """Each minute adds the same counts to the buckets, which are not cumulative here."""
    times = np.arange(minutes, dtype=np.int64) * STEP_MS
    grown = np.cumsum(per_minute)
    total = np.arange(minutes, dtype=np.float64)
    series: list[Series] = [
        ({"__name__": f"{name}_bucket", "le": le(b), **labels}, times, total * n)
        for b, n in zip(bounds, grown, strict=True)
    ]
    series.append(({"__name__": f"{name}_count", **labels}, times, total * grown[-1]))
    series.append(({"__name__": f"{name}_sum", **labels}, times, total * float(grown[-1]) * 0.2))
    return series
