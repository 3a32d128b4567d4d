"""The checkout API: requests, errors, latency, queue and workers of its two instances.

Each request is counted once in ``my_app_api_requests_total`` (by status), once in the histogram
and, for the checkout itself, once in the summary: the three agree at every scrape.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.demo.grid import MINUTE_MS, Grid, demand
from workbench.demo.instruments import (
    Observed,
    Target,
    counter,
    cut,
    gauge,
    histogram_series,
    observe,
    quiet,
)
from workbench.demo.latency import LatencyMix
from workbench.demo.planted import Endpoint
from workbench.demo.runtime import runtime
from workbench.demo.truth import TRUTH
from workbench.samples import Floats, Ints, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "checkout", "regimes"]

_DURATION: Final = "my_app_api_request_duration_seconds"
_SUMMARY: Final = f"{_DURATION}_summary"
_SUMMARISED: Final = "/api/checkout"

METADATA: Final = (
    MetricMetadata("my_app_api_requests_total", MetricType.COUNTER, "Total number of API requests handled by the application."),
    MetricMetadata("my_app_api_request_errors_total", MetricType.COUNTER, "API requests answered with a status of 500 or above."),
    MetricMetadata(_DURATION, MetricType.HISTOGRAM, "Duration of API requests in seconds.", "seconds"),
    MetricMetadata(_SUMMARY, MetricType.SUMMARY, "Summary of API request durations in seconds.", "seconds"),
    MetricMetadata("my_app_processing_queue_size", MetricType.GAUGE, "Current number of items in the internal processing queue."),
    MetricMetadata("my_app_concurrent_workers_active", MetricType.GAUGE, "Number of active workers processing tasks."),
    MetricMetadata("my_app_processing_queue_capacity", MetricType.GAUGE, "Items that the internal processing queue can hold."),
    MetricMetadata("my_app_concurrent_workers_max", MetricType.GAUGE, "Number of workers that there are."),
    MetricMetadata("my_app_build_info", MetricType.GAUGE, "Always 1; the labels say which release runs."),
)  # fmt: skip


def checkout(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Every series of the checkout API but its connection pool and its carts."""
    traffic = demand(grid, growth_per_week=TRUTH.demand_growth_per_week)
    for instance in TRUTH.checkout_instances:
        target = Target("checkout", instance)
        resets = TRUTH.resets(target.job, target.instance)
        rates = quiet(traffic, grid, resets)
        requests = np.zeros(len(grid), np.int64)
        for endpoint in TRUTH.endpoints:
            observed = observe(
                rng,
                rates * endpoint.peak_per_minute,
                regimes(endpoint, grid),
                TRUTH.latency_buckets,
            )
            requests += observed.count
            yield from _endpoint(rng, grid, target, endpoint, observed)
        yield from _work(rng, grid, target, requests)
        cpu_ms = np.rint(requests * TRUTH.cpu_seconds_per_request * 1000).astype(np.int64)
        yield from runtime(rng, grid, target, cpu_ms=cpu_ms, load=rates, resets_ms=resets)
        yield from _builds(grid, target)


def regimes(endpoint: Endpoint, grid: Grid) -> list[tuple[slice, LatencyMix]]:
    """Which latency an endpoint has when: ordinary, in the incident, after a deploy."""
    changes = {0: endpoint.latency}
    usual = endpoint.latency
    incident = TRUTH.incident
    if endpoint.path in incident.latency:
        changes[grid.index(incident.start_ms)] = incident.latency[endpoint.path]
        changes[grid.index(incident.end_ms)] = usual
    for deploy in TRUTH.deploys:
        if deploy.path == endpoint.path and deploy.latency:
            changes[grid.index(deploy.at_ms)] = deploy.latency
    begins = sorted(changes)
    ends = [*begins[1:], len(grid)]
    return [(slice(b, e), changes[b]) for b, e in zip(begins, ends, strict=True)]


def _endpoint(
    rng: np.random.Generator, grid: Grid, target: Target, endpoint: Endpoint, observed: Observed
) -> Iterator[Series]:
    resets = TRUTH.resets(target.job, target.instance)
    where = {"method": endpoint.method, "path": endpoint.path}
    in_incident = grid.between(TRUTH.incident.start_ms, TRUTH.incident.end_ms)
    chance = np.where(
        in_incident,
        TRUTH.incident.error_share.get(endpoint.path, endpoint.error_share),
        endpoint.error_share,
    )
    errors = rng.binomial(observed.count, chance)
    missing = rng.binomial(observed.count - errors, endpoint.not_found_share)
    served = observed.count - errors - missing
    for status, increments in (("200", served), ("404", missing), ("500", errors)):
        labels = target.labels("my_app_api_requests_total", **where, status=status)
        yield labels, grid.times_ms, counter(increments, grid, resets)
    yield (
        target.labels("my_app_api_request_errors_total", **where),
        grid.times_ms,
        counter(errors, grid, resets),
    )
    yield from histogram_series(
        target,
        _DURATION,
        observed,
        TRUTH.latency_buckets,
        grid=grid,
        resets_ms=resets,
        labels=where,
    )
    if endpoint.path == _SUMMARISED:
        yield from _summary(rng, grid, target, endpoint, observed)


def _summary(
    rng: np.random.Generator, grid: Grid, target: Target, endpoint: Endpoint, observed: Observed
) -> Iterator[Series]:
    """Client-side quantiles: the true ones, blurred as a window of ten minutes blurs them."""
    resets = TRUTH.resets(target.job, target.instance)
    where = {"method": endpoint.method, "path": endpoint.path}
    for q, blur in ((0.5, 0.02), (0.9, 0.04), (0.99, 0.10)):
        values = np.empty(len(grid))
        for rows, mix in regimes(endpoint, grid):
            values[rows] = mix.quantile(q)
        values *= np.exp(rng.normal(0.0, blur, len(grid)))
        yield (
            target.labels(_SUMMARY, **where, quantile=f"{q:g}"),
            grid.times_ms,
            gauge(values, decimals=3),
        )
    seconds = counter(observed.total, grid, resets) / 1000
    yield target.labels(f"{_SUMMARY}_sum", **where), grid.times_ms, seconds
    count = counter(observed.count, grid, resets)
    yield target.labels(f"{_SUMMARY}_count", **where), grid.times_ms, count


def _work(rng: np.random.Generator, grid: Grid, target: Target, requests: Ints) -> Iterator[Series]:
    backlog = _backlog(grid)
    queue = rng.poisson(requests / 300) + backlog
    busy = np.where(backlog > 0, TRUTH.workers, 1 + requests / 40 + rng.normal(0, 0.7, len(grid)))
    for name, values in (
        ("my_app_processing_queue_size", queue.astype(np.float64)),
        ("my_app_processing_queue_capacity", np.full(len(grid), float(TRUTH.queue_capacity))),
        ("my_app_concurrent_workers_active", gauge(busy, high=TRUTH.workers)),
        ("my_app_concurrent_workers_max", np.full(len(grid), float(TRUTH.workers))),
    ):
        yield target.labels(name), grid.times_ms, values


def _backlog(grid: Grid) -> Ints:
    """Items that pile up while the incident lasts and drain in a straight line afterwards."""
    incident = TRUTH.incident
    highest = incident.queue_per_minute * (incident.end_ms - incident.start_ms) // MINUTE_MS
    corners = [
        incident.start_ms,
        incident.end_ms,
        incident.end_ms + incident.drain_minutes * MINUTE_MS,
    ]
    piled = np.interp(grid.times_ms, corners, [0, highest, 0])
    return np.asarray(np.rint(piled), dtype=np.int64)


def _builds(grid: Grid, target: Target) -> Iterator[Series]:
    ones: Floats = np.ones(len(grid))
    ends = [*(deploy.at_ms for deploy in TRUTH.deploys[1:]), TRUTH.end_ms + MINUTE_MS]
    for deploy, end_ms in zip(TRUTH.deploys, ends, strict=True):
        labels = target.labels("my_app_build_info", version=deploy.version)
        yield cut(labels, grid, ones, deploy.at_ms, end_ms)
