"""The machines, as node_exporter shows them: CPU, memory, network, disk traffic, load.

The CPU time of an application machine follows the demand of the checkout; each minute's modes
sum to exactly sixty seconds a CPU.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.demo.disks import disks
from workbench.demo.grid import Grid, demand, wander
from workbench.demo.instruments import Target, counter, gauge
from workbench.demo.truth import GIB, TRUTH
from workbench.samples import Floats, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "NODES", "nodes"]

_CENTISECONDS: Final = 6_000
"""Of CPU time in a minute."""
_MEMORY_STEP: Final = 4 * 1024**2
_NETWORK_STEP: Final = 1024

METADATA: Final = (
    MetricMetadata("node_cpu_seconds_total", MetricType.COUNTER, "Seconds the CPUs spent in each mode.", "seconds"),
    MetricMetadata("node_memory_MemTotal_bytes", MetricType.GAUGE, "Memory information field MemTotal_bytes.", "bytes"),
    MetricMetadata("node_memory_MemAvailable_bytes", MetricType.GAUGE, "Memory information field MemAvailable_bytes.", "bytes"),
    MetricMetadata("node_memory_MemFree_bytes", MetricType.GAUGE, "Memory information field MemFree_bytes.", "bytes"),
    MetricMetadata("node_memory_Cached_bytes", MetricType.GAUGE, "Memory information field Cached_bytes.", "bytes"),
    MetricMetadata("node_network_receive_bytes_total", MetricType.COUNTER, "Network device statistic receive_bytes.", "bytes"),
    MetricMetadata("node_network_transmit_bytes_total", MetricType.COUNTER, "Network device statistic transmit_bytes.", "bytes"),
    MetricMetadata("node_disk_read_bytes_total", MetricType.COUNTER, "The total number of bytes read successfully.", "bytes"),
    MetricMetadata("node_disk_written_bytes_total", MetricType.COUNTER, "The total number of bytes written successfully.", "bytes"),
    MetricMetadata("node_disk_io_time_seconds_total", MetricType.COUNTER, "Total seconds spent doing I/Os.", "seconds"),
    MetricMetadata("node_load1", MetricType.GAUGE, "1m load average."),
    MetricMetadata("node_boot_time_seconds", MetricType.GAUGE, "Node boot time, in unixtime.", "seconds"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Node:
    """A machine; `idle_busy` and `peak_busy` are shares of its CPUs at night and at the peak."""

    instance: str
    cpus: int
    memory_gib: int
    idle_busy: float
    peak_busy: float
    network_bytes_per_minute: float


NODES: Final = (
    _Node("app-1:9100", 2, 8, 0.04, 0.46, 9e7),
    _Node("app-2:9100", 2, 8, 0.04, 0.46, 9e7),
    _Node("db-1:9100", 4, 32, 0.06, 0.38, 4e7),
)


def nodes(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Every series of every machine, without those samples that the scrape gap swallowed."""
    gap = TRUTH.gap
    lost = grid.between(gap.start_ms, gap.end_ms)
    for labels, times_ms, values in _whole(rng, grid):
        if (labels["job"], labels["instance"]) == (gap.job, gap.instance):
            yield labels, times_ms[~lost], values[~lost]
        else:
            yield labels, times_ms, values


def _whole(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    load = demand(grid, growth_per_week=TRUTH.demand_growth_per_week)
    for node in NODES:
        target = Target("node", node.instance)
        busy = node.idle_busy + node.peak_busy * load
        yield from _cpu(rng, grid, target, node, busy)
        yield from _memory(rng, grid, target, node, load)
        yield from _traffic(rng, grid, target, node, load)
        load1 = node.cpus * busy * np.exp(rng.normal(0, 0.12, len(grid)))
        yield target.labels("node_load1"), grid.times_ms, gauge(load1, decimals=2)
        boot = np.full(len(grid), TRUTH.start_ms / 1000)
        yield target.labels("node_boot_time_seconds"), grid.times_ms, boot
    yield from disks(rng, grid)


def _cpu(
    rng: np.random.Generator, grid: Grid, target: Target, node: _Node, busy: Floats
) -> Iterator[Series]:
    for cpu in range(node.cpus):
        share = np.clip(busy * np.exp(rng.normal(0, 0.06, len(grid))), 0.0, 0.98)
        spent = np.rint(share * _CENTISECONDS).astype(np.int64)
        spent[0] = 0
        system = spent // 4
        iowait = spent // 20
        modes = {
            "user": spent - system - iowait,
            "system": system,
            "iowait": iowait,
            "idle": np.where(np.arange(len(grid)) > 0, _CENTISECONDS - spent, 0),
        }
        for mode, increments in modes.items():
            labels = target.labels("node_cpu_seconds_total", cpu=str(cpu), mode=mode)
            yield labels, grid.times_ms, counter(increments, grid) / 100


def _memory(
    rng: np.random.Generator, grid: Grid, target: Target, node: _Node, load: Floats
) -> Iterator[Series]:
    total = float(node.memory_gib * GIB)
    used = 0.30 + 0.18 * load + wander(rng, grid, minutes=90, sigma=0.01)
    cached = 0.28 + wander(rng, grid, minutes=240, sigma=0.02)
    shares = {
        "MemTotal": np.ones(len(grid)),
        "MemAvailable": 1 - used,
        "MemFree": np.clip(1 - used - cached, 0.01, None),
        "Cached": cached,
    }
    for field, share in shares.items():
        values = gauge(share * total / _MEMORY_STEP, high=total / _MEMORY_STEP) * _MEMORY_STEP
        yield target.labels(f"node_memory_{field}_bytes"), grid.times_ms, values


def _traffic(
    rng: np.random.Generator, grid: Grid, target: Target, node: _Node, load: Floats
) -> Iterator[Series]:
    """Network and disk traffic in whole kibibytes, disk time in whole milliseconds."""
    for name, factor, extra in (
        ("node_network_receive_bytes_total", 1.0, {"device": "eth0"}),
        ("node_network_transmit_bytes_total", 1.6, {"device": "eth0"}),
        ("node_disk_read_bytes_total", 0.2, {"device": "nvme0n1"}),
        ("node_disk_written_bytes_total", 0.5, {"device": "nvme0n1"}),
    ):
        mean = factor * node.network_bytes_per_minute / _NETWORK_STEP * load
        steps = rng.poisson(mean)
        steps[0] = 0
        labels = target.labels(name, **extra)
        yield labels, grid.times_ms, counter(steps, grid) * _NETWORK_STEP
    busy_ms = rng.poisson(2_500 * load)
    busy_ms[0] = 0
    labels = target.labels("node_disk_io_time_seconds_total", device="nvme0n1")
    yield labels, grid.times_ms, counter(busy_ms, grid) / 1000
