"""Predictions against the head of a real Prometheus that sees the deploy happen."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import servers
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import start_http_server

from workbench.cardinality.prediction import predict
from workbench.exposition.scan import scan
from workbench.inventory import Inventory
from workbench.settings import SourceSettings
from workbench.sources.inventory import take_inventory
from workbench.sources.prometheus import PrometheusSource

REPLICAS = 3
ROUTES = {f"/api/{name}/{{id}}": ("GET", "PUT") for name in ("users", "orders", "items", "carts")}
ROUTES |= {
    f"/api/{name}": ("GET", "POST", "HEAD") for name in ("users", "orders", "items", "carts")
}
STATUSES = ("200", "400", "500")


def calls(share: float) -> Iterator[tuple[str, str, str]]:
    """Requests of one replica: routes take only some methods, so labels depend on each other."""
    every = [(r, m, s) for r, methods in ROUTES.items() for m in methods for s in STATUSES]
    yield from every[: round(len(every) * share)]


def version_one(share: float = 1.0) -> CollectorRegistry:
    """The old version."""
    registry = CollectorRegistry()
    requests = Counter(
        "http_requests", "Requests.", ["route", "method", "status"], registry=registry
    )
    seconds = Histogram("http_request_seconds", "Time.", ["route"], registry=registry)
    sessions = Gauge("sessions", "Sessions by shard.", ["shard"], registry=registry)
    for route, method, status in calls(share):
        requests.labels(route, method, status).inc()
        seconds.labels(route).observe(0.1)
    for shard in range(16):
        sessions.labels(str(shard)).set(1)
    return registry


def version_two(share: float = 1.0) -> CollectorRegistry:
    """The new version: a label more, a metric less, one more, fewer buckets."""
    registry = CollectorRegistry()
    requests = Counter(
        "http_requests", "Requests.", ["route", "method", "status", "region"], registry=registry
    )
    seconds = Histogram(
        "http_request_seconds", "Time.", ["route"], buckets=(0.1, 0.5, 1, 5), registry=registry
    )
    cache = Counter("cache_lookups", "Look-ups.", ["cache", "result"], registry=registry)
    for route, method, status in calls(share):
        for region in ("eu", "us"):
            requests.labels(route, method, status, region).inc()
        seconds.labels(route).observe(0.1)
    for name in ("users", "items"):
        for result in ("hit", "miss"):
            cache.labels(name, result).inc()
    return registry


class Replica:
    """One process of the app, whose version a test may replace."""

    def __init__(self, registry: CollectorRegistry, stack: ExitStack) -> None:
        self.registry = registry
        port = servers.free_port()
        httpd, thread = start_http_server(port, "127.0.0.1", self)  # type: ignore[arg-type]
        stack.callback(thread.join)
        stack.callback(httpd.server_close)
        stack.callback(httpd.shutdown)
        self.address = f"127.0.0.1:{port}"

    def collect(self) -> Any:
        """What a scrape gives."""
        return self.registry.collect()


class Estate:
    """A Prometheus and the replicas that it scrapes."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.stack = stack
        self.targets = folder / "targets.json"
        self.targets.write_text("[]")
        jobs = f"\n- {{job_name: app, file_sd_configs: [{{files: ['{self.targets}']}}]}}"
        self.url = stack.enter_context(servers.prometheus(folder, jobs=jobs)).url

    def start(self, registry: CollectorRegistry) -> list[Replica]:
        """Run replicas and let Prometheus scrape them and no others."""
        replicas = [Replica(registry, self.stack) for _ in range(REPLICAS)]
        self.targets.write_text(json.dumps([{"targets": [r.address for r in replicas]}]))
        return replicas

    def head(self, scraped: int) -> int:
        """Series of the app in the head, once its targets have given as many samples."""
        end = time.monotonic() + servers.START_SECONDS
        query = "query?query=sum(scrape_samples_scraped)"
        while time.monotonic() < end:
            result = json.loads(servers.get(f"{self.url}/api/v1/{query}"))["data"]["result"]
            if result and float(result[0]["value"][1]) == scraped:
                break
            time.sleep(0.1)
        else:
            pytest.fail(f"never scraped {scraped} samples: {result}", pytrace=False)
        status = json.loads(servers.get(f"{self.url}/api/v1/status/tsdb"))["data"]
        return int(status["headStats"]["numSeries"])  # the lists beside it are up to 30 s old

    def inventory(self) -> Inventory:
        """What the server lists of the app."""
        with PrometheusSource(SourceSettings(url=self.url)) as source:
            return take_inventory(source, matchers=['{job="app"}'])


@pytest.fixture
def estate(tmp_path: Path) -> Iterator[Estate]:
    """Give a Prometheus with no targets yet."""
    with ExitStack() as stack:
        yield Estate(tmp_path, stack)


def samples(registry: CollectorRegistry) -> int:
    """Lines of one scrape."""
    return sum(not line.startswith(b"#") for line in generate_latest(registry).splitlines())


def text(registry: CollectorRegistry) -> Inventory:
    """What one replica exposes."""
    return scan(generate_latest(registry))


def within(predicted: int, truth: int, share: float = 0.02) -> None:
    """Hold a prediction to what came."""
    assert abs(predicted - truth) <= share * truth, f"{predicted} predicted, {truth} came"


@pytest.mark.parametrize("names_change", [False, True])
def test_two_deploys(estate: Estate, names_change: bool) -> None:
    """From text of one replica to the head's series: the first version exactly, a new one to 2 %.

    The new version is predicted from a staged replica that saw all of the traffic, and from one
    that saw part of it. Truth: the head's series while old ones are still in it, and what is
    scraped afterwards.
    """
    first = predict(text(version_one()), replicas=REPLICAS)
    old = estate.start(version_one())
    before = estate.head(REPLICAS * samples(version_one()))
    assert first.after.expected == before
    baseline = estate.inventory()
    if names_change:
        estate.start(version_two())
    else:
        for replica in old:
            replica.registry = version_two()
    scraped = REPLICAS * samples(version_two())
    rollout, after = estate.head(scraped), scraped + 5 * REPLICAS
    for staged in (1.0, 0.6):
        prediction = predict(text(version_two(staged)), baseline, names_change=names_change)
        assert (prediction.before, prediction.replicas) == (before, REPLICAS)
        within(prediction.rollout.expected, rollout)
        within(prediction.after.expected, after)
        assert prediction.after.most is not None
        assert prediction.after.least <= after <= prediction.after.most
        by_name = {m.name: m for m in prediction.metrics}
        assert by_name["http_requests_total"].culprit == "region"
        assert by_name["sessions"].status == "gone"
        assert by_name["http_request_seconds"].gone_bounds
