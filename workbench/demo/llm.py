"""The LLM gateway: requests, tokens, errors, caches and latency of every route.

Input tokens include those that the provider's prompt cache served. What was added to the gateway
after its first release (`workbench.demo.billing`, `workbench.demo.requestsizes`) draws from random
numbers of its own, so that the series before it stayed as they were.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from workbench.demo.billing import billing
from workbench.demo.grid import Grid, demand
from workbench.demo.instruments import histogram_series, observe_each, quiet
from workbench.demo.requestsizes import request_sizes
from workbench.demo.runtime import runtime
from workbench.demo.selfhosted import selfhosted
from workbench.demo.traffic import (
    ERRORS,
    GATEWAY,
    LIMIT_KIND,
    Traffic,
    grouped,
    route_labels,
    simulate_route,
    summed,
    tally,
)
from workbench.demo.truth import TRUTH
from workbench.samples import MetricMetadata, MetricType, Series

__all__ = ["METADATA", "llm"]

_DURATION: Final = "llm_gateway_request_duration_seconds"

METADATA: Final = (
    MetricMetadata("llm_gateway_requests_total", MetricType.COUNTER, "Requests that reached the gateway."),
    MetricMetadata("llm_gateway_invocation_total", MetricType.COUNTER, "Requests by application and prompt version."),
    MetricMetadata("llm_gateway_input_tokens_total", MetricType.COUNTER, "Input tokens of served requests, cached ones included."),
    MetricMetadata("llm_gateway_cached_input_tokens_total", MetricType.COUNTER, "Input tokens that the provider served from its prompt cache."),
    MetricMetadata("llm_gateway_output_tokens_total", MetricType.COUNTER, "Output tokens of served requests."),
    MetricMetadata("llm_gateway_errors_total", MetricType.COUNTER, "Requests that failed, rate-limited ones among them."),
    MetricMetadata("llm_gateway_rate_limited_requests_total", MetricType.COUNTER, "Requests refused by a rate limit."),
    MetricMetadata("llm_gateway_cache_hits_total", MetricType.COUNTER, "Requests answered from the gateway's response cache."),
    MetricMetadata("llm_gateway_cache_misses_total", MetricType.COUNTER, "Requests that the response cache could not answer."),
    MetricMetadata(_DURATION, MetricType.HISTOGRAM, "Duration of requests that a provider served.", "seconds"),
    MetricMetadata("llm_gateway_current_requests_in_flight", MetricType.GAUGE, "Requests being served now."),
    MetricMetadata("llm_gateway_pending_requests_queue_size", MetricType.GAUGE, "Requests waiting for a free slot."),
)  # fmt: skip


def llm(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Every series of the gateway, and of the server of the self-hosted model behind it."""
    load = demand(grid, growth_per_week=TRUTH.llm_growth_per_week)
    resets = TRUTH.resets(GATEWAY.job, GATEWAY.instance)
    traffic = [
        simulate_route(rng, grid, route, quiet(load, grid, resets)) for route in TRUTH.routes
    ]
    for one in traffic:
        yield from _tokens(grid, one)
    yield from _sums(grid, traffic)
    yield from _durations(rng, grid, traffic)
    requests = np.sum([one.requests for one in traffic], axis=0)
    yield from runtime(rng, grid, GATEWAY, cpu_ms=requests * 3, load=load, resets_ms=resets)
    (own,) = rng.spawn(1)
    for one in traffic:
        if one.route.provider == "vllm":
            yield from selfhosted(rng, own, grid, one.route.model, one.usage)
    yield from request_sizes(own, grid, traffic)
    yield from billing(own, grid, traffic)


def _tokens(grid: Grid, one: Traffic) -> Iterator[Series]:
    for name, increments in (
        ("requests_total", one.requests),
        ("input_tokens_total", one.usage.input_tokens),
        ("cached_input_tokens_total", one.usage.cached_tokens),
        ("output_tokens_total", one.usage.output_tokens),
    ):
        yield tally(grid, name, increments, route_labels(one.route), one.route.from_ms)


def _sums(grid: Grid, traffic: Sequence[Traffic]) -> Iterator[Series]:
    """Counters with fewer labels than a route has, summed over the routes that share them."""
    for labels, routes in grouped(traffic, "application", "prompt_version"):
        first = min(one.route.from_ms or 0 for one in routes) or None
        yield tally(grid, "invocation_total", summed(r.requests for r in routes), labels, first)
    for labels, routes in grouped(traffic, "provider", "model", "team", "application"):
        misses = summed(r.requests - r.hits for r in routes)
        yield tally(grid, "cache_hits_total", summed(r.hits for r in routes), labels)
        yield tally(grid, "cache_misses_total", misses, labels)
        limited = summed(r.failed[LIMIT_KIND] for r in routes)
        yield tally(grid, "rate_limited_requests_total", limited, labels)
    for labels, routes in grouped(traffic, "provider", "model"):
        for kind, status in (LIMIT_KIND, *ERRORS):
            failed = summed(r.failed[kind, status] for r in routes)
            where = {**labels, "error_type": kind, "status": status}
            yield tally(grid, "errors_total", failed, where)


def _durations(
    rng: np.random.Generator, grid: Grid, traffic: Sequence[Traffic]
) -> Iterator[Series]:
    resets = TRUTH.resets(GATEWAY.job, GATEWAY.instance)
    in_flight = np.zeros(len(grid))
    for labels, routes in grouped(traffic, "provider", "model"):
        served = summed(r.usage.served for r in routes)
        mix = TRUTH.llm_latency[labels["model"]]
        observed = observe_each(rng, served, mix, TRUTH.llm_buckets)
        in_flight += served * mix.mean_seconds / 60
        yield from histogram_series(
            GATEWAY,
            _DURATION,
            observed,
            TRUTH.llm_buckets,
            grid=grid,
            resets_ms=resets,
            labels=labels,
        )
    for name, mean in (
        ("current_requests_in_flight", in_flight),
        ("pending_requests_queue_size", in_flight / 12),
    ):
        values = rng.poisson(mean).astype(np.float64)
        yield GATEWAY.labels(f"llm_gateway_{name}"), grid.times_ms, values
