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
from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.parser import given_conditions
from workbench.promql.question import Question
from workbench.units import format_duration
from workbench.window import Window

__all__ = [
    "LABELS", "SizingPlan", "check_keys", "needed_metrics", "plan_sizing", "sizing_queries",
]  # fmt: skip

LABELS: Final = ("namespace", "owner_kind", "owner_name", "pod", "workload", "kind", "container")
"""What a query may tell containers apart by; other labels are added up over."""

_BY: Final = "namespace, owner_kind, owner_name, container"
_POD: Final = "namespace, pod, container"
_REAL: Final = (Matcher("container", "!=", ""), Matcher("container", "!=", "POD"))
"""Not the cgroup of a whole pod, nor its pause container."""

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


def sizing_queries(
    *, owners: bool = True, step_ms: int = _FIVE_MINUTES_MS, match: str = ""
) -> dict[str, str]:
    """The PromQL of every question, by its key.

    Parameters
    ----------
    owners
        Whether the source has `kube_pod_owner`; without it containers are told apart by pod, and
        the workload is read from the pod's name.
    step_ms
        Of the grid for CPU: rates are over five minutes, peaks of memory over an hour, or over a
        step where that is longer.
    match
        Conditions that every series must meet, in braces: ``{namespace="shop"}``.

    Raises
    ------
    InputError
        `match` is no such text.

    Examples
    --------
    >>> print(sizing_queries(owners=False)["restarts"])
    sum by (namespace, pod, container) (increase(kube_pod_container_status_restarts_total[1h]))
    >>> print(sizing_queries(owners=False, match='{namespace="shop"}')["cpu_limit"])
    max by (namespace, pod, container) (kube_pod_container_resource_limits{namespace="shop",resource="cpu"})
    """
    chosen = given_conditions(match)

    def of(metric: str, *conditions: Matcher) -> str:
        return render_selector([Matcher("__name__", "=", metric), *chosen, *conditions])

    def standing(resource: str, kind: str) -> str:
        asked = Matcher("resource", "=", resource)
        return f"max by ({_POD}) ({of(f'kube_pod_container_resource_{kind}s', asked)})"

    hour = format_duration(max(step_ms, _HOUR_MS))
    rate = format_duration(max(step_ms, _FIVE_MINUTES_MS))
    restarts = f"increase({of('kube_pod_container_status_restarts_total')}[{hour}])"
    used = of("container_memory_working_set_bytes", *_REAL)
    memory = f"max by ({_POD}) (max_over_time({used}[{hour}]))"
    cpu = f"sum by ({_POD}) (rate({of('container_cpu_usage_seconds_total', *_REAL)}[{rate}]))"
    killed = Matcher("reason", "=", "OOMKilled")
    reason = of("kube_pod_container_status_last_terminated_reason", killed)
    per_pod = {
        "cpu": ("max", cpu, rate),
        "typical_cpu": ("avg", cpu, rate),
        "memory": ("max", memory, hour),
        "pods": ("count", f"max by ({_POD}) ({used})", ""),
        **{
            f"{resource}_{kind}": ("max", standing(resource, kind), "")
            for resource in ("cpu", "memory")
            for kind in ("request", "limit")
        },
        "restarts": ("sum", f"sum by ({_POD}) ({restarts})", hour),
        "oom_kills": ("max", f"max by ({_POD}) ({reason})", ""),
    }
    if not owners:
        bare = {key: query for key, (_, query, _) in per_pod.items()}
        return {**bare, "pods": f"count by ({_POD}) ({used})"}
    return {
        key: f"{how} by ({_BY}) ({query} * on (namespace, pod) "
        f"group_left (owner_kind, owner_name) {_owner(chosen, looked)})"
        for key, (how, query, looked) in per_pod.items()
    }


def _owner(chosen: Iterable[Matcher], looked: str) -> str:
    """Who owns a pod, or did within what the other side looks back to: a job's pods are soon gone.

    It knows no container, so a condition on one is left to the other side.
    """
    known = [m for m in chosen if m.name != "container"]
    name = Matcher("__name__", "=", "kube_pod_owner")
    owned = render_selector([name, *known, Matcher("owner_is_controller", "!=", "false")])
    if looked:
        owned = f"max_over_time({owned}[{looked}])"
    return f"max by (namespace, pod, owner_kind, owner_name) ({owned})"


def needed_metrics() -> tuple[set[str], set[str]]:
    """The metrics that our queries need: of usage, and of what is set, restarts and owners.

    Examples
    --------
    >>> sorted(needed_metrics()[0])
    ['container_cpu_usage_seconds_total', 'container_memory_working_set_bytes']
    """
    usage = {_METRICS["cpu"], _METRICS["memory"]}
    return usage, {*_METRICS.values(), "kube_pod_owner"} - usage


def check_keys(given: Iterable[object]) -> None:
    """Refuse keys that are none of ours.

    Raises
    ------
    InputError
        There is one.
    """
    for key in given:
        if key not in _METRICS:
            msg = f"queries holds {key!r}"
            near = did_you_mean(str(key), _METRICS)
            raise InputError(msg, near or f"the keys are {', '.join(_METRICS)}")


def plan_sizing(
    metrics: Iterable[str],
    window: Window,
    queries: Mapping[str, str] | None = None,
    *,
    match: str = "",
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
    match
        Conditions that the series of our queries must meet: ``{namespace="shop"}``.

    Raises
    ------
    InputError
        A key is none of ours, or `match` no conditions.
    """
    wished: Mapping[str, object] = queries or {}
    check_keys(wished)
    given = {key: query for key, query in wished.items() if isinstance(query, str)}
    if wrong := [key for key in wished if key not in given]:
        msg = f"queries: {wrong[0]} is {wished[wrong[0]]!r}"
        raise InputError(msg, "give PromQL as text")
    have = set(metrics)
    owners = "kube_pod_owner" in have
    standard = sizing_queries(owners=owners, step_ms=window.step_ms, match=match)
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
