"""What Prometheus itself writes of each scrape: ``up``, its duration, how many samples it gave."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.demo.grid import Grid
from workbench.demo.instruments import Target, gauge
from workbench.demo.truth import TRUTH
from workbench.samples import Ints, MetricMetadata, MetricType, Series, is_stale

__all__ = ["METADATA", "ScrapeLog"]

METADATA: Final = (
    MetricMetadata("up", MetricType.GAUGE, "1 where the last scrape of the target succeeded, 0 where it failed."),
    MetricMetadata("scrape_duration_seconds", MetricType.GAUGE, "Duration of the scrape.", "seconds"),
    MetricMetadata("scrape_samples_scraped", MetricType.GAUGE, "Samples that the target exposed."),
)  # fmt: skip


class ScrapeLog:
    """Counts, while the estate is made, how many samples each target gave at each scrape."""

    def __init__(self, grid: Grid) -> None:
        self._grid = grid
        self._starts: dict[Target, Ints] = {}

    def record(self, series: Series) -> None:
        """Count one series' samples.

        Series are dense between their first and last sample but for the scrape gap, which
        `write` takes out again.
        """
        labels, times_ms, values = series
        target = Target(labels["job"], labels["instance"])
        starts = self._starts.setdefault(target, np.zeros(len(self._grid) + 1, np.int64))
        alive = len(times_ms) - int(is_stale(values[-1:])[0])
        starts[self._grid.index(int(times_ms[0]))] += 1
        starts[self._grid.index(int(times_ms[alive - 1])) + 1] -= 1

    def write(self, rng: np.random.Generator) -> Iterator[Series]:
        """Three series for each target seen, in the order of their names."""
        grid, gap = self._grid, TRUTH.gap
        for target in sorted(self._starts, key=lambda t: (t.job, t.instance)):
            scraped = np.cumsum(self._starts[target][:-1])
            up = np.ones(len(grid))
            if target == Target(gap.job, gap.instance):
                up[grid.between(gap.start_ms, gap.end_ms)] = 0.0
            seconds = (0.004 + 2e-5 * scraped) * np.exp(rng.normal(0, 0.15, len(grid)))
            for name, values in (
                ("up", up),
                ("scrape_duration_seconds", gauge(np.where(up > 0, seconds, 10.0), decimals=3)),
                ("scrape_samples_scraped", scraped * up),
            ):
                yield target.labels(name), grid.times_ms, values
