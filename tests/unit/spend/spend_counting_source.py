"""Usage read from a source in memory, as a session does it."""

from __future__ import annotations

from datetime import date

import numpy as np

from workbench.samples import Samples
from workbench.sources.snapshot import from_samples
from workbench.spend.planning import plan_usage
from workbench.spend.profiles.detection import detect
from workbench.spend.reading.reader import Reading, UsageReader

DAY = date(2026, 3, 2)
START = 1_772_409_600_000
STEP = 300_000


def steady(name, per_step, *, start=START - 3_600_000, end=START + 86_400_000, at=0.0, **labels):
    """A counter that increases evenly from `at`."""
    times = np.arange(start, end + 1, STEP, dtype=np.int64)
    labels = {"__name__": name, "job": "gw", "instance": "a:1", **labels}
    return labels, times, at + per_step * np.arange(len(times), dtype=float)


def read(series, *, first=DAY, last=DAY, profiles=None, said=None, fits=None, **planned) -> Reading:
    """Detect, plan, ask and read."""
    series = list(series)
    source = from_samples(Samples.from_series(series))
    names = {labels["__name__"] for labels, _, _ in series}
    fits = fits or detect(names, profiles)
    plan = plan_usage(fits, first, last, now_ms=source.now_ms(), **planned)
    reader = UsageReader(plan, includes_cached=said)
    for piece in plan.pieces:
        reader.take({q.key: source.query_range(q.expression, q.window).data for q in piece})
    reader.take_histograms(
        {q.key: source.query_range(q.expression, q.window).data for q in plan.histograms}
    )
    return reader.finish()
