"""What right-sizing asks: usage, requests, limits, restarts and pods of every container.

Usage is added up a pod and container, then the highest pod of each owner is taken, so that pods may
come and go. The owner is asked for as kube-state-metrics tells it; which Deployment a ReplicaSet
belongs to is read from its name afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from workbench.errors import InputError, did_you_mean
from workbench.promql.question import Question
from workbench.units import format_duration
from workbench.window import Window

__all__ = ["LABELS", "SizingPlan", "plan_sizing", "sizing_queries"]

LABELS: Final = ("namespace", "owner_kind", "owner_name", "pod", "workload", "kind", "container")
"""What a query may tell containers apart by; other labels are added up over."""

_BY: Final = "namespace, owner_kind, owner_name, container"
_OWNER: Final = (
    'max by (namespace, pod, owner_kind, owner_name) (kube_pod_owner{owner_is_controller!="false"})'
)
_POD: Final = "namespace, pod, container"
_CPU: Final = 'rate(container_cpu_usage_seconds_total{container!="",container!="POD"}[%s])'
_MEMORY: Final = (
    f"max by ({_POD}) (max_over_time("
    'container_memory_working_set_bytes{container!="",container!="POD"}[%s]))'
)
_METRICS: Final = {
    "cpu": "container_cpu_usage_seconds_total",
    "typical_cpu": "container_cpu_usage_seconds_total",
    "memory": "container_memory_working_set_bytes",
    "pods": "container_memory_working_set_bytes",
    "cpu_request": "kube_pod_container_resource_requests",
    "memory_request": "kube_pod_container_resource_requests",
    "cpu_limit": "kube_pod_container_resource_limits",
    "memory_limit": "kube_pod_container_resource_limits",
    "restarts": "kube_pod_container_status_restarts_total",
    "oom_kills": "kube_pod_container_status_last_terminated_reason",
}
"""The metric that each default query needs."""

_FINE: Final = ("cpu", "typical_cpu")
"""Asked at the finest step; the others once an hour."""

_FIVE_MINUTES_MS: Final = 300_000
_HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class SizingPlan:
    """What is to be asked, and what cannot be.

    Parameters
    ----------
    questions
        By the keys of `sizing_queries`.
    missing
        Metrics that the source does not have, by key.
    """

    questions: tuple[Question, ...]
    missing: Mapping[str, str]


def sizing_queries(*, owners: bool = True, step_ms: int = _FIVE_MINUTES_MS) -> dict[str, str]:
    """The PromQL of every question, by its key.

    Parameters
    ----------
    owners
        Whether the source has `kube_pod_owner`; without it containers are told apart by pod, and
        the workload is read from the pod's name.
    step_ms
        Of the grid for CPU: rates are over five minutes, peaks of memory over an hour, or over a
        step where that is longer.

    Examples
    --------
    >>> print(sizing_queries(owners=False)["restarts"])
    sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[1h]))
    """
    reason = 'kube_pod_container_status_last_terminated_reason{reason="OOMKilled"}'
    hour = format_duration(max(step_ms, _HOUR_MS))
    restarts = f"increase(kube_pod_container_status_restarts_total[{hour}])"
    memory = _MEMORY % hour
    cpu = f"sum by ({_POD}) ({_CPU % format_duration(max(step_ms, _FIVE_MINUTES_MS))})"
    per_pod = {
        "cpu": ("max", cpu),
        "typical_cpu": ("avg", cpu),
        "memory": ("max", memory),
        "pods": ("count", memory),
        **{
            f"{resource}_{kind}": (
                "max",
                f'max by ({_POD}) (kube_pod_container_resource_{kind}s{{resource="{resource}"}})',
            )
            for resource in ("cpu", "memory")
            for kind in ("request", "limit")
        },
        "restarts": ("sum", f"sum by ({_POD}) ({restarts})"),
        "oom_kills": ("max", f"max by ({_POD}) ({reason})"),
    }
    if not owners:
        bare = {key: query for key, (_, query) in per_pod.items()}
        return {**bare, "pods": f"count by ({_POD}) ({memory})"}
    joined = f" * on (namespace, pod) group_left (owner_kind, owner_name) {_OWNER}"
    return {key: f"{how} by ({_BY}) ({query}{joined})" for key, (how, query) in per_pod.items()}


def plan_sizing(
    metrics: Iterable[str], window: Window, queries: Mapping[str, str] | None = None
) -> SizingPlan:
    """What to ask a source.

    Parameters
    ----------
    metrics
        The names of the metrics that it has.
    window
        The history to learn from; a step of five minutes or less shows peaks.
    queries
        PromQL in place of ours, by key; ``""`` leaves a question out. Its series may carry
        `LABELS`: ``workload``, ``kind`` and ``container`` say what the patch is for.

    Raises
    ------
    InputError
        A key is none of ours.
    """
    given = dict(queries or {})
    for key in given:
        if key not in _METRICS:
            msg = f"queries holds {key!r}"
            near = did_you_mean(str(key), _METRICS)
            raise InputError(msg, near or f"the keys are {', '.join(_METRICS)}")
    have = set(metrics)
    standard = sizing_queries(owners="kube_pod_owner" in have, step_ms=window.step_ms)
    coarse = Window(window.start_ms, window.end_ms, max(window.step_ms, _HOUR_MS))
    asked: list[Question] = []
    missing: dict[str, str] = {}
    for key, metric in _METRICS.items():
        query = given.get(key, standard[key]).strip()
        if not query:
            continue
        if key not in given and metric not in have:
            missing[key] = metric
            continue
        asked.append(Question(key, query, window if key in _FINE else coarse))
    return SizingPlan(tuple(asked), missing)
