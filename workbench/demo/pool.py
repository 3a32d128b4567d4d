"""The checkout's connection pool: close to its limit at each day's peak, never at it.

Names and label are those of client_golang's collector of ``database/sql`` statistics.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.demo.grid import Grid, activity, wander
from workbench.demo.instruments import Target, counter, gauge, quiet
from workbench.demo.truth import TRUTH
from workbench.samples import MetricMetadata, MetricType, Series

__all__ = ["METADATA", "pool"]

_DATABASE: Final = "orders"
_SPARE: Final = 5.0
"""Idle connections that the pool keeps open."""

METADATA: Final = (
    MetricMetadata("go_sql_max_open_connections", MetricType.GAUGE, "Maximum number of open connections to the database."),
    MetricMetadata("go_sql_open_connections", MetricType.GAUGE, "The number of established connections both in use and idle."),
    MetricMetadata("go_sql_in_use_connections", MetricType.GAUGE, "The number of connections currently in use."),
    MetricMetadata("go_sql_idle_connections", MetricType.GAUGE, "The number of idle connections."),
    MetricMetadata("go_sql_wait_count_total", MetricType.COUNTER, "The total number of connections waited for."),
    MetricMetadata("go_sql_wait_duration_seconds_total", MetricType.COUNTER, "The total time blocked waiting for a new connection.", "seconds"),
)  # fmt: skip


def pool(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Six series for each instance; in use follows the working day and does not grow."""
    limit = TRUTH.pool.limit
    for instance in TRUTH.checkout_instances:
        target = Target("checkout", instance)
        resets = TRUTH.resets(target.job, target.instance)
        busy = activity(grid.times_ms) * np.exp(wander(rng, grid, minutes=30, sigma=0.015))
        noise = rng.normal(0.0, 0.5, len(grid))
        in_use = gauge(TRUTH.pool.base + TRUTH.pool.peak * busy + noise, high=limit - 1)
        opened = np.minimum(in_use + _SPARE, limit)
        waits = rng.poisson(quiet(np.where(in_use > 0.8 * limit, 0.5, 0.0), grid, resets))
        waited_ms = np.rint(rng.gamma(2.0 * waits + 1e-9, 4.0)).astype(np.int64) * (waits > 0)
        for name, values in (
            ("max_open_connections", np.full(len(grid), float(limit))),
            ("open_connections", opened),
            ("in_use_connections", in_use),
            ("idle_connections", opened - in_use),
            ("wait_count_total", counter(waits, grid, resets)),
            ("wait_duration_seconds_total", counter(waited_ms, grid, resets) / 1000),
        ):
            yield target.labels(f"go_sql_{name}", db_name=_DATABASE), grid.times_ms, values
