"""The LLM gateway: requests, tokens, errors, caches and latency of every route.

Of a route's requests some are answered by the gateway's own response cache, some fail (those
refused by a rate limit are among them); the provider serves the rest. Only served requests have tokens and a
duration. Input tokens include those that the provider's prompt cache served.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.demo.grid import Grid, demand
from workbench.demo.instruments import Target, counter, histogram_series, observe_each, quiet
from workbench.demo.planted import Route
from workbench.demo.runtime import runtime
from workbench.demo.selfhosted import Usage, selfhosted
from workbench.demo.truth import TRUTH
from workbench.samples import Floats, Ints, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "llm"]

_GATEWAY: Final = Target("llm-gateway", "gateway-1:4000")
_TOKEN_SHAPE: Final = 1.6
"""Shape of the gamma law of one request's tokens; a sum of requests is gamma again."""
_RATE_LIMITED: Final = 0.012
"""Share of the requests that are refused at the peak; it falls with the square of the load."""
_LIMIT_KIND: Final = ("rate_limited", "429")
_ERRORS: Final = {
    ("timeout", "504"): 0.002,
    ("upstream", "502"): 0.003,
    ("invalid_request", "400"): 0.004,
}
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


@dataclass(frozen=True, slots=True)
class _Traffic:
    """What a route did in each minute; every array is int64 of shape (minutes,)."""

    route: Route
    requests: Ints
    hits: Ints
    failed: dict[tuple[str, str], Ints]
    """By error type and HTTP status."""
    usage: Usage


def llm(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Every series of the gateway, and of the server of the self-hosted model behind it."""
    load = demand(grid, growth_per_week=TRUTH.llm_growth_per_week)
    resets = TRUTH.resets(_GATEWAY.job, _GATEWAY.instance)
    traffic = [_route(rng, grid, route, quiet(load, grid, resets)) for route in TRUTH.routes]
    for one in traffic:
        yield from _tokens(grid, one)
    yield from _sums(grid, traffic)
    yield from _durations(rng, grid, traffic)
    requests = np.sum([one.requests for one in traffic], axis=0)
    yield from runtime(rng, grid, _GATEWAY, cpu_ms=requests * 3, load=load, resets_ms=resets)
    for one in traffic:
        if one.route.provider == "vllm":
            yield from selfhosted(rng, grid, one.route.model, one.usage)


def _route(rng: np.random.Generator, grid: Grid, route: Route, load: Floats) -> _Traffic:
    active = grid.between(route.from_ms or 0, route.until_ms or TRUTH.end_ms + 1)
    requests = rng.poisson(np.where(active, load * route.peak_per_minute, 0.0))
    hits = rng.binomial(requests, route.response_cache_share)
    limited = rng.binomial(requests - hits, np.minimum(_RATE_LIMITED * np.square(load), 0.2))
    left = requests - hits - limited
    failed = {_LIMIT_KIND: limited}
    for kind, share in _ERRORS.items():
        failed[kind] = rng.binomial(left, share)
        left = left - failed[kind]
    sent = _token_sum(rng, left, route.input_tokens)
    cached_share = route.cached_share * np.exp(rng.normal(0, 0.05, len(grid)))
    cached = np.floor(sent * np.minimum(cached_share, 1.0)).astype(np.int64)
    received = _token_sum(rng, left, route.output_tokens)
    return _Traffic(route, requests, hits, failed, Usage(left, sent, cached, received))


def _token_sum(rng: np.random.Generator, served: Ints, mean: int) -> Ints:
    """Tokens of so many requests of a known mean; at least one token a request."""
    drawn = rng.gamma(_TOKEN_SHAPE * served, mean / _TOKEN_SHAPE)
    return np.maximum(np.rint(drawn).astype(np.int64), served)


def _labels(route: Route) -> dict[str, str]:
    return {
        "provider": route.provider,
        "model": route.model,
        "team": route.team,
        "application": route.application,
        "prompt_version": route.prompt_version,
    }


def _tokens(grid: Grid, one: _Traffic) -> Iterator[Series]:
    for name, increments in (
        ("requests_total", one.requests),
        ("input_tokens_total", one.usage.input_tokens),
        ("cached_input_tokens_total", one.usage.cached_tokens),
        ("output_tokens_total", one.usage.output_tokens),
    ):
        yield _series(grid, name, increments, _labels(one.route), one.route.from_ms)


def _series(
    grid: Grid,
    name: str,
    increments: Ints,
    labels: dict[str, str],
    from_ms: int | None = None,
) -> Series:
    """A counter of the gateway; a series appears with the first use of its labels."""
    values = counter(increments, grid, TRUTH.resets(_GATEWAY.job, _GATEWAY.instance))
    begin = grid.index(from_ms) if from_ms else 0
    return _GATEWAY.labels(f"llm_gateway_{name}", **labels), grid.times_ms[begin:], values[begin:]


def _sums(grid: Grid, traffic: list[_Traffic]) -> Iterator[Series]:
    """Counters with fewer labels than a route has, summed over the routes that share them."""
    for labels, routes in _grouped(traffic, "application", "prompt_version"):
        first = min(one.route.from_ms or 0 for one in routes) or None
        yield _series(grid, "invocation_total", _sum(r.requests for r in routes), labels, first)
    for labels, routes in _grouped(traffic, "provider", "model", "team", "application"):
        misses = _sum(r.requests - r.hits for r in routes)
        yield _series(grid, "cache_hits_total", _sum(r.hits for r in routes), labels)
        yield _series(grid, "cache_misses_total", misses, labels)
        limited = _sum(r.failed[_LIMIT_KIND] for r in routes)
        yield _series(grid, "rate_limited_requests_total", limited, labels)
    for labels, routes in _grouped(traffic, "provider", "model"):
        for kind, status in (_LIMIT_KIND, *_ERRORS):
            failed = _sum(r.failed[kind, status] for r in routes)
            where = {**labels, "error_type": kind, "status": status}
            yield _series(grid, "errors_total", failed, where)


def _grouped(
    traffic: list[_Traffic], *names: str
) -> Iterator[tuple[dict[str, str], list[_Traffic]]]:
    groups: dict[tuple[str, ...], list[_Traffic]] = {}
    for one in traffic:
        labels = _labels(one.route)
        groups.setdefault(tuple(labels[name] for name in names), []).append(one)
    for values, routes in groups.items():
        yield dict(zip(names, values, strict=True)), routes


def _sum(columns: Iterable[Ints]) -> Ints:
    return np.asarray(np.sum(list(columns), axis=0))


def _durations(rng: np.random.Generator, grid: Grid, traffic: list[_Traffic]) -> Iterator[Series]:
    resets = TRUTH.resets(_GATEWAY.job, _GATEWAY.instance)
    in_flight = np.zeros(len(grid))
    for labels, routes in _grouped(traffic, "provider", "model"):
        served = _sum(r.usage.served for r in routes)
        mix = TRUTH.llm_latency[labels["model"]]
        observed = observe_each(rng, served, mix, TRUTH.llm_buckets)
        in_flight += served * mix.mean_seconds / 60
        yield from histogram_series(
            _GATEWAY,
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
        yield _GATEWAY.labels(f"llm_gateway_{name}"), grid.times_ms, values
