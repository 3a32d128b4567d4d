"""The kinds of facts that are planted in the estate; `workbench.demo.truth` says which.

Times are milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from types import MappingProxyType

from workbench.demo.latency import LatencyMix
from workbench.demo.planted_llm import GatewayBilling, ModelServer, RateLimit

__all__ = [
    "Cluster",
    "ConnectionPool",
    "Deploy",
    "Endpoint",
    "Explosion",
    "FillingDisk",
    "Gap",
    "Incident",
    "PromptChange",
    "Restart",
    "Route",
    "Truth",
    "Workload",
]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint of the checkout API.

    Parameters
    ----------
    method, path
        As in the labels.
    peak_per_minute
        Requests a minute *on each instance* at an ordinary weekday's peak, at the start.
    latency
        How long a request takes when nothing is wrong.
    not_found_share, error_share
        Chance of a 404 and of a 500 when nothing is wrong.
    """

    method: str
    path: str
    peak_per_minute: float
    latency: LatencyMix
    not_found_share: float
    error_share: float


@dataclass(frozen=True, slots=True)
class Incident:
    """The payment provider is down.

    Parameters
    ----------
    start_ms, end_ms
        From the first bad minute up to, not including, the first good one.
    api_name
        The external API whose ``external_api_up`` is 0.
    error_share
        Chance of a 500 by path while it lasts; other paths are not touched.
    latency
        Latency by path while it lasts.
    queue_per_minute
        By how much ``my_app_processing_queue_size`` grows a minute on each instance.
    drain_minutes
        How long the queue takes to empty afterwards.
    """

    start_ms: int
    end_ms: int
    api_name: str
    error_share: MappingProxyType[str, float]
    latency: MappingProxyType[str, LatencyMix]
    queue_per_minute: int
    drain_minutes: int


@dataclass(frozen=True, slots=True)
class Deploy:
    """A release of the checkout API, on both instances in the same minute; counters start anew.

    Parameters
    ----------
    at_ms
        The first minute at which ``my_app_build_info`` shows the new version.
    version
        The new version.
    path
        The endpoint whose latency changes with it, or ``""``.
    latency
        That endpoint's latency from then on.
    """

    at_ms: int
    version: str
    path: str = ""
    latency: LatencyMix | None = None


@dataclass(frozen=True, slots=True)
class Restart:
    """A process that starts anew: its counters are 0 at that minute."""

    at_ms: int
    job: str
    instance: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Failed scrapes of one target: no samples from `start_ms` up to, not including, `end_ms`."""

    start_ms: int
    end_ms: int
    job: str
    instance: str


@dataclass(frozen=True, slots=True)
class Explosion:
    """A label without bounds: one new value, hence one new series, at every full hour.

    Parameters
    ----------
    start_ms
        When the first series with the label appears; the metric had no such label before.
    metric, label
        What explodes.
    """

    start_ms: int
    metric: str
    label: str


@dataclass(frozen=True, slots=True)
class FillingDisk:
    """A filesystem that runs full after the data ends: a straight line and a daily peak.

    Used bytes without noise are ``start_bytes + growth_bytes_per_day · days +
    daily_peak_bytes · activity``, with days since the estate began.

    Parameters
    ----------
    instance, mountpoint
        Where it is.
    size_bytes, start_bytes, growth_bytes_per_day, daily_peak_bytes
        The terms of the sum.
    full_at_ms
        The first minute at which the sum without noise reaches the size.
    ninety_percent_at_ms
        The same for nine tenths of the size.
    """

    instance: str
    mountpoint: str
    size_bytes: int
    start_bytes: int
    growth_bytes_per_day: float
    daily_peak_bytes: float
    full_at_ms: int
    ninety_percent_at_ms: int


@dataclass(frozen=True, slots=True)
class ConnectionPool:
    """A pool that is busy at the peak of each day, does not grow and is never exhausted.

    Parameters
    ----------
    limit
        Connections an instance may open.
    base, peak
        Connections in use in an idle hour, and those added at the peak.
    """

    limit: int
    base: float
    peak: float


@dataclass(frozen=True, slots=True)
class Route:
    """A stream of requests through the LLM gateway.

    Parameters
    ----------
    provider, model, team, application, prompt_version
        As in the labels.
    peak_per_minute
        Requests a minute at an ordinary weekday's peak, at the start.
    input_tokens, output_tokens
        Means of a request that the provider served; input includes what it had cached.
    cached_share
        Share of the input tokens that the provider served from its prompt cache.
    response_cache_share
        Share of the requests that the gateway answers from its own cache, without tokens.
    from_ms, until_ms
        When the route is used; None for no bound.
    """

    provider: str
    model: str
    team: str
    application: str
    prompt_version: str
    peak_per_minute: float
    input_tokens: int
    output_tokens: int
    cached_share: float
    response_cache_share: float
    from_ms: int | None = None
    until_ms: int | None = None


@dataclass(frozen=True, slots=True)
class PromptChange:
    """A new prompt version that makes a team's tokens, and so its spend, jump."""

    at_ms: int
    team: str
    application: str
    model: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Workload:
    """A workload of one container a pod.

    Parameters
    ----------
    kind, name, container
        ``Deployment`` or ``StatefulSet``, and what it and its container are called.
    pods
        How many run, all alike.
    base_cores, peak_cores
        CPU of a pod: base and peak · demand; with `burst_minutes` base and, in bursts, peak.
    growth_per_week
        Of the demand, compounded.
    burst_minutes
        Minutes at the start of each hour in which it works; 0 where it follows the demand.
    memory_mib, memory_mib_per_day, memory_peak_mib
        The working set at the start, what it grows, and what an ordinary weekday's peak adds.
    cpu_request, cpu_limit
        In cores; 0 where there is none.
    memory_request_mib, memory_limit_mib
        Mebibytes; 0 where there is none.
    killed
        Whether it is killed once for lack of memory.
    rolled_out
        Whether the rollout replaces its pods.
    verdict
        What right-sizing should say, in words.
    """

    kind: str
    name: str
    container: str
    pods: int
    base_cores: float
    peak_cores: float
    growth_per_week: float
    burst_minutes: int
    memory_mib: float
    memory_mib_per_day: float
    memory_peak_mib: float
    cpu_request: float
    cpu_limit: float
    memory_request_mib: float
    memory_limit_mib: float
    verdict: str
    killed: bool = False
    rolled_out: bool = False

    def amounts(self) -> Iterator[tuple[str, str, str, float]]:
        """What is set: resource, unit, ``requests`` or ``limits``, and how much of the unit."""
        mebibyte = 1024.0**2
        for resource, unit, kind, amount in (
            ("cpu", "core", "requests", self.cpu_request),
            ("cpu", "core", "limits", self.cpu_limit),
            ("memory", "byte", "requests", self.memory_request_mib * mebibyte),
            ("memory", "byte", "limits", self.memory_limit_mib * mebibyte),
        ):
            if amount:
                yield resource, unit, kind, amount


@dataclass(frozen=True, slots=True)
class Cluster:
    """A namespace of a Kubernetes cluster.

    Parameters
    ----------
    namespace
        Its name.
    workloads
        What runs in it.
    replica_sets
        The ends of the names of a Deployment's ReplicaSets, one after the other.
    pod_suffixes
        The ends of the names of their pods.
    rollout_ms
        When the pods of what is rolled out are replaced.
    killed_ms
        When what is killed is killed: its pod has a new container from then on.
    """

    namespace: str
    workloads: tuple[Workload, ...]
    replica_sets: tuple[str, ...]
    pod_suffixes: tuple[str, ...]
    rollout_ms: int
    killed_ms: int


@dataclass(frozen=True, slots=True)
class Truth:
    """All of it; `workbench.demo.truth.TRUTH` is the only instance."""

    seed: int
    start_ms: int
    end_ms: int
    time_zone: str
    utc_offset_hours: int
    weekday_factors: tuple[float, ...]
    """Monday to Sunday, in local days; an ordinary weekday is 1."""
    lunch_dip_hour: float
    """Local hour of the dip."""
    demand_wander: float
    """Log standard deviation of the slow noise that all demand shares."""
    demand_growth_per_week: float
    """Growth of the checkout's traffic, compounded."""
    llm_growth_per_week: float
    """Growth of the LLM traffic, compounded."""
    checkout_instances: tuple[str, ...]
    latency_buckets: tuple[float, ...]
    endpoints: tuple[Endpoint, ...]
    cpu_seconds_per_request: float
    workers: int
    """Workers of one checkout instance; all are busy in the incident, and only then."""
    queue_capacity: int
    """Items that the queue of one checkout instance can hold."""
    incident: Incident
    deploys: tuple[Deploy, ...]
    """In order; the first is what runs at the start."""
    restarts: tuple[Restart, ...]
    """Restarts that are no deploys."""
    gap: Gap
    explosion: Explosion
    filling_disk: FillingDisk
    pool: ConnectionPool
    llm_buckets: tuple[float, ...]
    llm_latency: MappingProxyType[str, LatencyMix]
    """By model."""
    routes: tuple[Route, ...]
    prompt_change: PromptChange
    cluster: Cluster
    input_token_buckets: tuple[float, ...]
    output_token_buckets: tuple[float, ...]
    """Bounds of the gateway's histograms of a request's tokens."""
    gateway_billing: GatewayBilling
    rate_limits: MappingProxyType[str, RateLimit]
    """By model, of those that have one."""
    resolved_shares: MappingProxyType[tuple[str, str], float]
    """Share of the served requests that resolve a ticket, by application and prompt version."""
    model_server: ModelServer

    def resets(self, job: str, instance: str) -> list[int]:
        """When a process' counters start anew, deploys included, in order."""
        deploys = [d.at_ms for d in self.deploys[1:]] if job == "checkout" else []
        return sorted(
            deploys + [r.at_ms for r in self.restarts if (r.job, r.instance) == (job, instance)]
        )
