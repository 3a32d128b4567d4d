"""What the company depends on and does not own: three external APIs and one legacy system."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.demo.grid import Grid, demand, wander
from workbench.demo.instruments import Target, counter, gauge
from workbench.demo.runtime import runtime
from workbench.demo.truth import TRUTH
from workbench.samples import MetricMetadata, MetricType, Series

__all__ = ["METADATA", "external"]

_EXPORTER: Final = Target("external-api-exporter", "exporter-1:9101")
_LEGACY: Final = Target("legacy-api-exporter", "exporter-1:9102")
_LATENCY: Final = {"payments": 0.120, "shipping": 0.240, "geocoding": 0.065}
_ITEMS: Final = {"payments": 4, "shipping": 37, "geocoding": 1}
_TIMEOUT_SECONDS: Final = 10.0
_WEEK_MS: Final = 7 * 86_400_000
_SUNDAY_AT_TWO_MS: Final = 6 * 86_400_000 + 2 * 3_600_000
"""After Monday midnight: when the legacy system is restarted every week."""

METADATA: Final = (
    MetricMetadata("external_api_up", MetricType.GAUGE, "Status of the external API (1 if reachable and healthy, 0 otherwise)."),
    MetricMetadata("external_api_latency_seconds", MetricType.GAUGE, "Latency of external API calls in seconds.", "seconds"),
    MetricMetadata("external_api_custom_count", MetricType.GAUGE, "A custom count metric reported by the external API."),
    MetricMetadata("external_api_scrape_errors_total", MetricType.COUNTER, "Total number of errors encountered while scraping external APIs."),
    MetricMetadata("legacy_api_up", MetricType.GAUGE, "Whether the legacy API is reachable and operational (1) or not (0)."),
    MetricMetadata("legacy_api_active_sessions", MetricType.GAUGE, "Current number of active sessions in the legacy API."),
    MetricMetadata("legacy_api_queue_depth", MetricType.GAUGE, "Current depth of the processing queue in the legacy API."),
    MetricMetadata("legacy_api_time_since_last_restart_seconds", MetricType.GAUGE, "Time since the last restart of the legacy API in seconds.", "seconds"),
    MetricMetadata("legacy_api_exporter_scrape_errors_total", MetricType.COUNTER, "Errors of the legacy API exporter during scrapes."),
)  # fmt: skip


def external(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """Both exporters and the process that the first of them is."""
    for name in _LATENCY:
        yield from _api(rng, grid, name)
    cpu_ms = rng.poisson(np.where(np.arange(len(grid)) > 0, 15.0, 0.0))
    yield from runtime(rng, grid, _EXPORTER, cpu_ms=cpu_ms, load=np.full(len(grid), 0.1))
    yield from _legacy(rng, grid)


def _api(rng: np.random.Generator, grid: Grid, name: str) -> Iterator[Series]:
    incident = TRUTH.incident
    down = grid.between(incident.start_ms, incident.end_ms) & (name == incident.api_name)
    latency = _LATENCY[name] * np.exp(
        wander(rng, grid, minutes=20, sigma=0.10) + rng.normal(0, 0.08, len(grid))
    )
    count = _ITEMS[name] * (1 + demand(grid))
    for metric, values in (
        ("up", np.where(down, 0.0, 1.0)),
        ("latency_seconds", np.where(down, _TIMEOUT_SECONDS, gauge(latency, decimals=3))),
        ("custom_count", gauge(count)),
        ("scrape_errors_total", counter(down.astype(np.int64), grid)),
    ):
        yield _EXPORTER.labels(f"external_api_{metric}", api_name=name), grid.times_ms, values


def _legacy(rng: np.random.Generator, grid: Grid) -> Iterator[Series]:
    """The system that is restarted every Sunday at 02:00 UTC and polled by the orders."""
    load = demand(grid, growth_per_week=TRUTH.demand_growth_per_week)
    since_restart_ms = (grid.times_ms - TRUTH.start_ms - _SUNDAY_AT_TWO_MS) % _WEEK_MS
    columns = {
        "legacy_api_up": np.where(since_restart_ms < 3 * 60_000, 0.0, 1.0),
        "legacy_api_active_sessions": gauge(12 + 140 * load + rng.normal(0, 3, len(grid))),
        "legacy_api_queue_depth": rng.poisson(2 + 18 * load).astype(np.float64),
        "legacy_api_time_since_last_restart_seconds": since_restart_ms / 1000,
    }
    for name, values in columns.items():
        yield _LEGACY.labels(name, service_name="invoicing"), grid.times_ms, values
    errors = counter((columns["legacy_api_up"] == 0).astype(np.int64), grid)
    yield _LEGACY.labels("legacy_api_exporter_scrape_errors_total"), grid.times_ms, errors
