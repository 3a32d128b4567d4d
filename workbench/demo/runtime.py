"""What every Go process says of itself: CPU, memory, file descriptors, goroutines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from workbench.demo.grid import Grid, wander
from workbench.demo.instruments import Target, counter, gauge
from workbench.demo.truth import TRUTH
from workbench.samples import Floats, Ints, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "runtime"]

_PAGE: Final = 64 * 1024
_MAX_FDS: Final = 65_536

METADATA: Final = (
    MetricMetadata("process_cpu_seconds_total", MetricType.COUNTER, "Total user and system CPU time spent in seconds.", "seconds"),
    MetricMetadata("process_resident_memory_bytes", MetricType.GAUGE, "Resident memory size in bytes.", "bytes"),
    MetricMetadata("process_start_time_seconds", MetricType.GAUGE, "Start time of the process since the Unix epoch in seconds.", "seconds"),
    MetricMetadata("process_open_fds", MetricType.GAUGE, "Number of open file descriptors."),
    MetricMetadata("process_max_fds", MetricType.GAUGE, "Maximum number of open file descriptors."),
    MetricMetadata("go_goroutines", MetricType.GAUGE, "Number of goroutines that currently exist."),
    MetricMetadata("go_memstats_alloc_bytes", MetricType.GAUGE, "Number of bytes allocated and still in use.", "bytes"),
)  # fmt: skip


def runtime(
    rng: np.random.Generator,
    grid: Grid,
    target: Target,
    *,
    cpu_ms: Ints,
    load: Floats,
    resets_ms: Sequence[int] = (),
) -> Iterator[Series]:
    """The seven series of one process.

    Parameters
    ----------
    cpu_ms
        int64, shape (minutes,): milliseconds of CPU spent in each minute; 0 at each restart.
    load
        float64, shape (minutes,): how busy it is, about 1 at the peak.
    resets_ms
        When it restarts.
    """
    slow = wander(rng, grid, minutes=45, sigma=0.04)
    heap = 40e6 * (1 + load) * np.exp(slow + rng.normal(0, 0.02, len(grid)))
    started = np.full(len(grid), TRUTH.start_ms / 1000)
    for at in resets_ms:
        started[grid.index(at) :] = at / 1000
    goroutines = 24 + 60 * load * np.exp(slow)
    values = {
        "process_cpu_seconds_total": counter(cpu_ms, grid, resets_ms) / 1000,
        "process_resident_memory_bytes": gauge((heap + 55e6) / _PAGE) * _PAGE,
        "process_start_time_seconds": started,
        "process_open_fds": gauge(14 + 40 * load),
        "process_max_fds": np.full(len(grid), float(_MAX_FDS)),
        "go_goroutines": gauge(goroutines),
        "go_memstats_alloc_bytes": gauge(heap / _PAGE) * _PAGE,
    }
    for name, column in values.items():
        yield target.labels(name), grid.times_ms, column
