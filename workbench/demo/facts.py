"""The planted facts as tables of text: what the page ``docs/demo-estate.md`` shows.

Every figure comes from `TRUTH`, so that the page cannot say anything else than the simulation.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from workbench.demo.kubernetes import cores_needed
from workbench.demo.latency import LatencyMix
from workbench.demo.planted import Deploy, Route, Workload
from workbench.demo.truth import MIB, TRUTH
from workbench.units import format_quantity
from workbench.window import format_time

__all__ = [
    "Table",
    "billing",
    "events",
    "latencies",
    "markdown",
    "resolved",
    "resources",
    "routes",
    "workloads",
]

Table = list[list[str]]
"""Rows of cells, the heading first."""

_QUANTILES: Final = (0.5, 0.9, 0.95, 0.99)


def events() -> Table:
    """What happens when, in the order of time."""
    incident, gap, explosion = TRUTH.incident, TRUTH.gap, TRUTH.explosion
    prompt, disk, cluster = TRUTH.prompt_change, TRUTH.filling_disk, TRUTH.cluster
    killed, rolled = (
        next(w for w in cluster.workloads if w.killed),
        next(w for w in cluster.workloads if w.rolled_out),
    )
    rows = [
        (incident.start_ms, "incident begins", f'`external_api_up{{api_name="{incident.api_name}"}}` is 0; errors, latency and queue rise'),
        (incident.end_ms, "incident ends", f"the queue drains for {incident.drain_minutes} minutes more"),
        (gap.start_ms, "scrape gap begins", f'no samples of `{{job="{gap.job}",instance="{gap.instance}"}}`; its `up` is 0'),
        (gap.end_ms, "scrape gap ends", "samples again"),
        (explosion.start_ms, "a label explodes", f"`{explosion.metric}` gains `{explosion.label}`: one series more at every full hour"),
        (prompt.at_ms, f"prompt {prompt.before} becomes {prompt.after}", f"tokens of team `{prompt.team}`, application `{prompt.application}` jump"),
        (cluster.rollout_ms, "rollout", f"both pods of `{cluster.namespace}/{rolled.name}` are replaced"),
        (cluster.killed_ms, "out of memory", f"the container of `{cluster.namespace}/{killed.name}` is killed at its limit and starts anew"),
        (disk.ninety_percent_at_ms, "disk nine tenths full", f"`{disk.instance}` `{disk.mountpoint}`, after the end of the data"),
        (disk.full_at_ms, "disk full", f"`{disk.instance}` `{disk.mountpoint}`, after the end of the data"),
    ]  # fmt: skip
    rows += [
        (r.at_ms, "restart", f'counters of `{{job="{r.job}",instance="{r.instance}"}}` are 0')
        for r in TRUTH.restarts
    ]
    rows += [(d.at_ms, f"release {d.version}", _release(d)) for d in TRUTH.deploys[1:]]
    return [
        ["when", "what", "how it shows"],
        *([format_time(t), *rest] for t, *rest in sorted(rows)),
    ]


def _release(deploy: Deploy) -> str:
    worse = f"; p99 of `{deploy.path}` gets worse" if deploy.path else ""
    return f"`my_app_build_info` changes; counters of both checkout instances are 0{worse}"


def latencies() -> Table:
    """True quantiles of each endpoint, ordinarily, in the incident and after the deploy."""
    rows: list[tuple[str, str, LatencyMix]] = []
    for endpoint in TRUTH.endpoints:
        rows.append((endpoint.path, "ordinary", endpoint.latency))
        if endpoint.path in TRUTH.incident.latency:
            rows.append((endpoint.path, "incident", TRUTH.incident.latency[endpoint.path]))
        rows += [
            (endpoint.path, f"since {deploy.version}", deploy.latency)
            for deploy in TRUTH.deploys
            if deploy.path == endpoint.path and deploy.latency
        ]
    rows += [(model, "LLM", mix) for model, mix in TRUTH.llm_latency.items()]
    heading = ["endpoint or model", "when", *(f"p{q * 100:g}" for q in _QUANTILES), "mean"]
    return [heading, *([f"`{name}`", when, *_seconds(mix)] for name, when, mix in rows)]


def _seconds(mix: LatencyMix) -> Iterable[str]:
    figures = [*(mix.quantile(q) for q in _QUANTILES), mix.mean_seconds]
    return (format_quantity(seconds, "seconds") for seconds in figures)


def resources() -> Table:
    """What a capacity report should say of each resource."""
    disk, pool = TRUTH.filling_disk, TRUTH.pool
    terms = (disk.start_bytes, disk.growth_bytes_per_day, disk.daily_peak_bytes, disk.size_bytes)
    start, growth, peak, size = (format_quantity(term, "bytes") for term in terms)
    return [
        ["resource", "truth", "a report should find"],
        [
            f"disk `{disk.instance}` `{disk.mountpoint}`",
            f"{start} used at the start, {growth} a day more, {peak} at a weekday's peak; size {size}",
            f"full on {format_time(disk.full_at_ms)}",
        ],
        ["disk `db-1:9100` `/backup`", "grows nightly, pruned every Monday", "no date"],
        ["disk `db-1:9100` `/boot`", "flat", "no date, no growth"],
        ["disks `/`", "daily logs, some 20 MiB a day more", "no date within a year"],
        [
            "connection pool `orders`",
            f"{pool.base:g} + {pool.peak:g} · activity of {pool.limit}, no growth",
            "little headroom at the peak, no date",
        ],
        [
            "workers and queue of the checkout",
            f"{TRUTH.workers} workers, {TRUTH.queue_capacity:,} items; all workers busy in the incident",
            "no date: all busy once, in the incident, without a trend",
        ],
        [
            "CPU `app-1:9100`, `app-2:9100`",
            "4 % + 46 % · demand, which grows 3 % a week",
            "growth; no date within 90 days",
        ],
    ]


def workloads() -> Table:
    """What a right-sizing report should say of each workload."""
    heading = [
        "workload", "pods", "CPU request, limit", "CPU of a pod", "5 % of next week is above",
        "memory request, limit", "memory of a pod", "a report should find",
    ]  # fmt: skip
    return [heading, *(_workload(workload) for workload in TRUTH.cluster.workloads)]


def _workload(workload: Workload) -> list[str]:
    base, peak = f"{workload.base_cores:g}", f"{workload.peak_cores:g}"
    cores = f"{base} + {peak} · demand"
    if workload.growth_per_week:
        cores += f", which grows {workload.growth_per_week * 100:g} % a week"
    if workload.burst_minutes:
        cores = f"{base}, and {peak} in the first {workload.burst_minutes} minutes of each hour"
    memory = _mib(workload.memory_mib)
    if workload.memory_peak_mib:
        memory += f" + {_mib(workload.memory_peak_mib)} · activity"
    if workload.memory_mib_per_day:
        memory += f" + {_mib(workload.memory_mib_per_day)} a day"
    return [
        f"{workload.kind} `{workload.name}`",
        str(workload.pods),
        f"{workload.cpu_request or 'none'}, {workload.cpu_limit or 'none'}",
        cores,
        f"{cores_needed(workload, 0.05):.2f}",
        f"{_mib(workload.memory_request_mib)}, {_mib(workload.memory_limit_mib)}",
        memory,
        workload.verdict,
    ]


def _mib(mebibytes: float) -> str:
    return format_quantity(mebibytes * MIB, "bytes")


def routes() -> Table:
    """The streams of requests through the LLM gateway."""
    heading = [
        "provider", "model", "team", "application", "prompt",
        "requests a minute at the peak", "input tokens", "cached share", "output tokens",
        "answered by the gateway's cache",
    ]  # fmt: skip
    return [heading, *(_route(route) for route in TRUTH.routes)]


def _route(route: Route) -> list[str]:
    return [
        route.provider,
        route.model,
        route.team,
        route.application,
        route.prompt_version,
        f"{route.peak_per_minute:g}",
        f"{route.input_tokens:,}",
        format_quantity(route.cached_share, "ratio"),
        f"{route.output_tokens:,}",
        format_quantity(route.response_cache_share, "ratio"),
    ]


def billing() -> Table:
    """What models cost, what the gateway makes of it, and how much a minute may have."""
    heading = [
        "model",
        "USD a million input tokens",
        "cached",
        "output",
        "the gateway's figure",
        "requests a minute at most",
        "tokens a minute at most",
    ]
    rules = TRUTH.gateway_billing
    seller = {route.model: route.provider for route in TRUTH.routes}
    rows = []
    for model, price in rules.prices.items():
        said = "right"
        if seller[model] in rules.cached_as_input:
            said = "charges cached tokens as input"
        if model in rules.unpriced:
            said = "0: it has no price"
        limit = TRUTH.rate_limits[model]
        rows.append(
            [
                model,
                *(str(each) for each in (price.input, price.cached, price.output)),
                said,
                f"{limit.requests:,}",
                f"{limit.tokens:,}",
            ]
        )
    return [heading, *rows]


def resolved() -> Table:
    """How many of the served requests resolve a ticket."""
    heading = ["application", "prompt", "served requests that resolve a ticket"]
    shares = TRUTH.resolved_shares.items()
    return [heading, *([*key, format_quantity(share, "ratio")] for key, share in shares)]


def markdown(table: Sequence[Sequence[str]]) -> str:
    """A table as Markdown, one line a row.

    Examples
    --------
    >>> print(markdown([["a", "b"], ["1", "2"]]))
    | a | b |
    |---|---|
    | 1 | 2 |
    """
    heading, *rows = (f"| {' | '.join(row)} |" for row in table)
    return "\n".join([heading, "|" + "---|" * len(table[0]), *rows])
