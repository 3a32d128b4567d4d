"""From frames to containers: pods that came and went become one workload's container."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.frame import Frame
from workbench.samples import Floats, Ints, Labels

__all__ = ["Container", "ContainerKey", "containers"]

_DAY_MS: Final = 86_400_000
_COUNTLESS: Final = 1e150
"""No quantity is so large, and its square would be infinite."""

_REPLICA_SET: Final = re.compile(r"(.+)-[0-9a-z]{5,10}")
_JOB: Final = re.compile(r"(.+)-\d{6,11}")
_DEPLOYMENT_POD: Final = re.compile(r"(.+)-[0-9a-f]{8,10}-[0-9a-z]{5}|(.+)-\d+|(.+)-[0-9a-z]{5}")


@dataclass(frozen=True, slots=True, order=True)
class ContainerKey:
    """What a container is called; any of it may be empty or hold anything.

    Parameters
    ----------
    namespace, workload, container
        Names.
    kind
        ``Deployment``, ``StatefulSet`` …; empty where it is not known.
    """

    namespace: str
    workload: str
    container: str
    kind: str = ""

    @property
    def name(self) -> str:
        """``namespace/workload/container``, without parts that are empty."""
        return "/".join(filter(None, (self.namespace, self.workload, self.container))) or "usage"


@dataclass(frozen=True, slots=True, eq=False)
class Container:
    """One container of a workload over time.

    Parameters
    ----------
    key
        What it is called.
    times_ms, cores
        Shape (points,): where CPU usage is known, of the pod that used most; cores.
    typical_cores
        The mean over pods and time; None where it is not known.
    memory_times_ms, memory
        Shape (points,): the peak of the working set since the point before; bytes.
    step_ms
        Of the CPU's grid.
    cpu_request, cpu_limit, memory_request, memory_limit
        As they stand now, cores and bytes; None where there is none or it is not known.
    pods
        Their mean number over the last day; None where it is not known.
    restarts
        How many containers restarted in the window.
    oom_killed
        Whether one of its pods was last ended for lack of memory.
    """

    key: ContainerKey
    times_ms: Ints
    cores: Floats
    typical_cores: float | None
    memory_times_ms: Ints
    memory: Floats
    step_ms: int
    cpu_request: float | None = None
    cpu_limit: float | None = None
    memory_request: float | None = None
    memory_limit: float | None = None
    pods: float | None = None
    restarts: int = 0
    oom_killed: bool = False


def containers(frames: Mapping[str, Frame]) -> list[Container]:
    """Join all answers by namespace, workload and container.

    Parameters
    ----------
    frames
        Answers by the keys of `sizing_queries`; absent ones are not known.

    Returns
    -------
    list of Container
        In the order of their names.
    """
    grouped = {key: _grouped(frame) for key, frame in frames.items()}
    keys = sorted({k for name in ("cpu", "memory") for k in grouped.get(name, ())})
    found = [_container(key, frames, grouped) for key in keys]
    return [each for each in found if each is not None]


def _grouped(frame: Frame) -> dict[ContainerKey, list[int]]:
    groups: dict[ContainerKey, list[int]] = {}
    for row, labels in enumerate(frame.labels):
        groups.setdefault(_key(labels), []).append(row)
    return groups


def _key(labels: Labels) -> ContainerKey:
    kind, workload = _workload(labels)
    return ContainerKey(labels.get("namespace", ""), workload, labels.get("container", ""), kind)


def _workload(labels: Labels) -> tuple[str, str]:
    """Kind and name of what is written down and can be patched."""
    if "workload" in labels:
        return labels.get("kind", ""), labels["workload"]
    kind, name, pod = (labels.get(n, "") for n in ("owner_kind", "owner_name", "pod"))
    if kind in ("", "<none>"):
        bare = name if name not in ("", "<none>") else pod
        found = _DEPLOYMENT_POD.fullmatch(bare)
        return "", next(filter(None, found.groups()), bare) if found else bare
    if kind == "ReplicaSet" and (found := _REPLICA_SET.fullmatch(name)):
        return "Deployment", found[1]
    if kind == "Job" and (found := _JOB.fullmatch(name)):
        return "CronJob", found[1]
    return kind, name


def _container(
    key: ContainerKey,
    frames: Mapping[str, Frame],
    grouped: Mapping[str, Mapping[ContainerKey, list[int]]],
) -> Container | None:
    def series(name: str, how: Callable[..., Floats] = np.fmax.reduce) -> tuple[Ints, Floats]:
        rows = grouped.get(name, {}).get(key)
        if not rows:
            return np.empty(0, np.int64), np.empty(0)
        return _known(frames[name], rows, how)

    cpu_times, cores = _countable(*series("cpu"))
    memory_times, memory = _countable(*series("memory"))
    if not len(cpu_times) and not len(memory_times):
        return None
    seen_ms = max([*cpu_times[-1:].tolist(), *memory_times[-1:].tolist()])

    def fresh(times: Ints) -> bool:
        return bool(times[-1] >= seen_ms - _DAY_MS)

    def last(name: str) -> float | None:
        # One that was told of no more while the container ran on has been taken away.
        times, values = series(name)
        return float(values[-1]) if len(values) and values[-1] > 0 and fresh(times) else None

    typical = series("typical_cpu", _averaged)[1]
    pods = series("pods", _added)[1][-24:]
    killed = series("oom_kills")[1]
    return Container(
        key=key,
        times_ms=cpu_times,
        cores=cores,
        typical_cores=float(typical.mean()) if len(typical) else None,
        memory_times_ms=memory_times,
        memory=memory,
        step_ms=_step(frames.get("cpu")),
        cpu_request=last("cpu_request"),
        cpu_limit=last("cpu_limit"),
        memory_request=last("memory_request"),
        memory_limit=last("memory_limit"),
        pods=float(pods.mean()) if len(pods) else None,
        restarts=round(float(series("restarts", _added)[1].sum())),
        oom_killed=bool((killed > 0).any()),
    )


def _countable(times: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Usage without the points that no usage can have."""
    kept = values < _COUNTLESS
    return times[kept], values[kept]


def _averaged(values: Floats) -> Floats:
    mean: Floats = np.nanmean(values, axis=0)
    return mean


def _added(values: Floats) -> Floats:
    total: Floats = np.nansum(values, axis=0)
    return total


def _known(frame: Frame, rows: list[int], how: Callable[..., Floats]) -> tuple[Ints, Floats]:
    """Several series as one, and only where it is known: finite and not negative."""
    values = np.where(frame.present[rows], frame.values[rows], np.nan)
    values = np.where(np.isfinite(values) & (values >= 0), values, np.nan)
    seen = ~np.isnan(values).all(axis=0)
    return frame.times_ms[seen], how(values[:, seen])


def _step(frame: Frame | None) -> int:
    if frame is None or len(frame.times_ms) < 2:
        return 300_000
    return int(np.median(np.diff(frame.times_ms)))
