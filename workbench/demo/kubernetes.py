"""A namespace of a Kubernetes cluster, as cAdvisor and kube-state-metrics show its containers.

One container asks for far too much, one for too little, one for nothing at all, and one is well
sized: what right-sizing should tell apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Final

import numpy as np

from workbench.demo.grid import MINUTE_MS, Grid, activity, demand, wander
from workbench.demo.instruments import Target, counter, cut, gauge, quiet
from workbench.demo.planted import Workload
from workbench.demo.truth import MIB, TRUTH
from workbench.samples import Floats, Ints, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "containers", "cores_needed"]

_CADVISOR: Final = Target("kubelet", "k8s-1:10250")
_STATE: Final = Target("kube-state-metrics", "kube-state-metrics:8080")
_PAGE: Final = 64 * 1024
_MINUTE_IN_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_STEP_MINUTES: Final = 5

_NOISE, _WANDER = 0.10, 0.05
"""Log standard deviation of a container's CPU from minute to minute, and of its slow part."""

_BEFORE_KILL: Final = 45
"""Minutes for which memory climbs to the limit before it is killed."""

METADATA: Final = (
    MetricMetadata("container_cpu_usage_seconds_total", MetricType.COUNTER, "Cumulative cpu time consumed in seconds.", "seconds"),
    MetricMetadata("container_memory_working_set_bytes", MetricType.GAUGE, "Current working set in bytes.", "bytes"),
    MetricMetadata("kube_pod_owner", MetricType.GAUGE, "Information about the Pod's owner."),
    MetricMetadata("kube_pod_container_resource_requests", MetricType.GAUGE, "The number of requested request resource by a container."),
    MetricMetadata("kube_pod_container_resource_limits", MetricType.GAUGE, "The number of requested limit resource by a container."),
    MetricMetadata("kube_pod_container_status_restarts_total", MetricType.COUNTER, "The number of container restarts per container."),
    MetricMetadata("kube_pod_container_status_last_terminated_reason", MetricType.GAUGE, "Describes the last reason the container was in terminated state."),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Pod:
    """A pod and when it lives."""

    name: str
    owner_kind: str
    owner_name: str
    start_ms: int
    end_ms: int

    def labels(self, workload: Workload) -> dict[str, str]:
        return {
            "namespace": TRUTH.cluster.namespace,
            "pod": self.name,
            "container": workload.container,
        }


def containers(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Every series of every pod of the namespace."""
    for workload in TRUTH.cluster.workloads:
        for pod in _pods(workload):
            for name, lives, column in (
                ("container_cpu_usage_seconds_total", True, _cores(rng, grid, workload)),
                ("container_memory_working_set_bytes", False, _memory(rng, grid, workload)),
            ):
                yield from _used(grid, workload, pod, name, column, counts=lives)
            yield from _state(grid, workload, pod)


def _pods(workload: Workload) -> Iterator[_Pod]:
    """A StatefulSet's pods live for ever; the rollout replaces those of its Deployment."""
    ends = TRUTH.end_ms + MINUTE_MS
    if workload.kind == "StatefulSet":
        for number in range(workload.pods):
            name = f"{workload.name}-{number}"
            yield _Pod(name, workload.kind, workload.name, TRUTH.start_ms, ends)
        return
    cluster = TRUTH.cluster
    moments = [TRUTH.start_ms, ends]
    if workload.rolled_out:
        moments.insert(1, cluster.rollout_ms)
    for start, end, digest in zip(moments, moments[1:], cluster.replica_sets, strict=False):
        owner = f"{workload.name}-{digest}"
        for number in range(workload.pods):
            yield _Pod(f"{owner}-{cluster.pod_suffixes[number]}", "ReplicaSet", owner, start, end)


def _level(times_ms: Ints, workload: Workload, load: Floats) -> Floats:
    """Cores without noise: by the load, or by the clock."""
    if not workload.burst_minutes:
        return np.asarray(workload.base_cores + workload.peak_cores * load)
    busy = (times_ms // MINUTE_MS) % 60 < workload.burst_minutes
    return np.where(busy, workload.peak_cores, workload.base_cores)


def _cores(rng: np.random.Generator, grid: Grid, workload: Workload) -> Floats:
    load = demand(grid, growth_per_week=workload.growth_per_week)
    noise = rng.normal(0, _NOISE, len(grid)) + wander(rng, grid, minutes=30, sigma=_WANDER)
    return np.asarray(_level(grid.times_ms, workload, load) * np.exp(noise))


def _memory(rng: np.random.Generator, grid: Grid, workload: Workload) -> Floats:
    """Bytes; before it is killed it climbs to the limit."""
    mebibytes = workload.memory_mib + workload.memory_mib_per_day * grid.days
    mebibytes = mebibytes + workload.memory_peak_mib * activity(grid.times_ms)
    mebibytes = mebibytes * np.exp(wander(rng, grid, minutes=60, sigma=0.01))
    if workload.killed:
        at = grid.index(TRUTH.cluster.killed_ms)
        begin, limit = at - _BEFORE_KILL, workload.memory_limit_mib
        mebibytes[begin:at] = np.linspace(mebibytes[begin], limit, _BEFORE_KILL)
    return gauge(mebibytes * MIB / _PAGE) * _PAGE


def _used(
    grid: Grid, workload: Workload, pod: _Pod, name: str, column: Floats, *, counts: bool
) -> Iterator[Series]:
    """What cAdvisor tells: after a kill the pod has another container, whose counter begins at 0."""
    lives = [pod.start_ms, pod.end_ms]
    if workload.killed:
        lives.insert(1, TRUTH.cluster.killed_ms)
    for number, (start, end) in enumerate(pairwise(lives)):
        values = column
        if counts:
            values = (
                counter(
                    np.rint(quiet(column, grid, [start]) * _MINUTE_IN_MS).astype(np.int64),
                    grid,
                    [start],
                )
                / 1000
            )
        path = f"/kubepods.slice/pod{pod.name}/{workload.container}-{number}"
        labels = _CADVISOR.labels(name, **pod.labels(workload), id=path)
        yield cut(labels, grid, values, start, end)


def _state(grid: Grid, workload: Workload, pod: _Pod) -> Iterator[Series]:
    """What kube-state-metrics tells: the owner, requests and limits, restarts and why."""
    labels, ones = pod.labels(workload), np.ones(len(grid))
    killed = np.where(grid.times_ms >= TRUTH.cluster.killed_ms, float(workload.killed), 0.0)
    owner = {
        "namespace": labels["namespace"], "pod": pod.name, "owner_kind": pod.owner_kind,
        "owner_name": pod.owner_name, "owner_is_controller": "true",
    }  # fmt: skip
    rows = [
        ("kube_pod_owner", owner, ones),
        ("kube_pod_container_status_restarts_total", labels, killed),
    ]
    for resource, unit, kind, amount in workload.amounts():
        tags = {**labels, "resource": resource, "unit": unit, "node": "k8s-1"}
        rows.append((f"kube_pod_container_resource_{kind}", tags, np.full(len(grid), amount)))
    for name, tags, values in rows:
        yield cut(_STATE.labels(name, **tags), grid, values, pod.start_ms, pod.end_ms)
    if workload.killed:
        name = "kube_pod_container_status_last_terminated_reason"
        tags = {**labels, "reason": "OOMKilled"}
        start = TRUTH.cluster.killed_ms
        yield cut(_STATE.labels(name, **tags), grid, ones, start, pod.end_ms)


def cores_needed(workload: Workload, risk: float) -> float:
    """What five-minute means of one pod exceed with that chance in the week after the data.

    The law of the simulation, continued: season and growth by the minute, noise by its quantiles.
    """
    times_ms = np.arange(TRUTH.end_ms, TRUTH.end_ms + 7 * _DAY_MS, MINUTE_MS, dtype=np.int64)
    weeks = (times_ms - TRUTH.start_ms) / (7 * _DAY_MS)
    load = activity(times_ms) * (1 + workload.growth_per_week) ** weeks
    means = _level(times_ms, workload, load).reshape(-1, _STEP_MINUTES).mean(axis=1)
    shared = 0.0 if workload.burst_minutes else TRUTH.demand_wander
    # Knots that are joined by lines have two thirds of their variance in the mean.
    slow = (_WANDER**2 + shared**2) * 2 / 3
    sigma = float(np.sqrt(_NOISE**2 / _STEP_MINUTES + slow))
    chances = ((np.arange(400) + 0.5) / 400).tolist()
    spread = np.exp(sigma * np.array([NormalDist().inv_cdf(c) for c in chances]))
    return float(np.quantile(means[:, None] * spread, 1 - risk))
