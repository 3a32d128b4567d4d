"""Filesystems: one that will run full, one that breathes daily, ones that hardly move, a flat one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.demo.grid import Grid, activity, wander
from workbench.demo.instruments import Target
from workbench.demo.truth import GIB, TRUTH
from workbench.samples import Floats, Ints, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "disks", "filling_disk_bytes"]

_MIB: Final = 1024**2
_DAY_MS: Final = 86_400_000
_NODE_DISK_GIB: Final = 80

METADATA: Final = (
    MetricMetadata("node_filesystem_size_bytes", MetricType.GAUGE, "Filesystem size in bytes.", "bytes"),
    MetricMetadata("node_filesystem_avail_bytes", MetricType.GAUGE, "Filesystem space available to non-root users in bytes.", "bytes"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Disk:
    """A filesystem and how many bytes of it are used, shape (minutes,)."""

    instance: str
    device: str
    mountpoint: str
    fstype: str
    size_bytes: int
    used_bytes: Floats


def filling_disk_bytes(times_ms: Ints) -> Floats:
    """Used bytes of the disk that runs full, without noise, at any times, also future ones."""
    disk = TRUTH.filling_disk
    days = (times_ms - TRUTH.start_ms) / _DAY_MS
    peak = disk.daily_peak_bytes * activity(times_ms)
    return disk.start_bytes + disk.growth_bytes_per_day * days + peak


def disks(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Size and available bytes of each filesystem; available ones in whole mebibytes."""
    for disk in _all(rng, grid):
        target = Target("node", disk.instance)
        where = {"device": disk.device, "fstype": disk.fstype, "mountpoint": disk.mountpoint}
        size = np.full(len(grid), float(disk.size_bytes))
        free = np.clip(disk.size_bytes - disk.used_bytes, 0, disk.size_bytes)
        for name, values in (("size", size), ("avail", np.floor(free / _MIB) * _MIB)):
            yield target.labels(f"node_filesystem_{name}_bytes", **where), grid.times_ms, values


def _all(rng: np.random.Generator, grid: Grid) -> Iterator[_Disk]:
    filling = TRUTH.filling_disk
    clutter = wander(rng, grid, minutes=18 * 60, sigma=1.2) + wander(
        rng, grid, minutes=60, sigma=0.3
    )
    peaks = wander(rng, grid, minutes=24 * 60, sigma=0.08) * activity(grid.times_ms)
    noise = clutter * GIB + peaks * filling.daily_peak_bytes
    yield _Disk(
        filling.instance,
        "/dev/nvme1n1",
        filling.mountpoint,
        "xfs",
        filling.size_bytes,
        filling_disk_bytes(grid.times_ms) + noise,
    )
    nightly = 290 + 4.0 * np.floor(grid.days) + rng.normal(0, 0.02, len(grid))
    pruned = nightly - 28.0 * np.floor(grid.days / 7)
    yield _Disk("db-1:9100", "/dev/sdb1", "/backup", "xfs", 500 * GIB, pruned * GIB)
    boot = np.full(len(grid), 0.21 * GIB)
    yield _Disk("db-1:9100", "/dev/nvme0n1p1", "/boot", "ext4", GIB, boot)
    for number, instance in enumerate(("app-1:9100", "app-2:9100", "db-1:9100")):
        logs = 6.0 * (grid.days % 1.0) * (0.5 + 0.5 * number)
        slow = 0.02 * grid.days + wander(rng, grid, minutes=120, sigma=0.05)
        used = (24 + 7 * number + logs + slow) * GIB
        yield _Disk(instance, "/dev/nvme0n1p2", "/", "ext4", _NODE_DISK_GIB * GIB, used)
