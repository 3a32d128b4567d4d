"""Latency as a real Prometheus saw it, against the log of the processes that it scraped.

Two instances serve; one is killed in between and starts again from zero. Nothing is observed
around the kill, so that the log holds exactly what the counters counted.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
import servers

import workbench
from workbench.session.latency_study import LatencyStudy

APP = Path(__file__).with_name("timed_app.py")
REQUESTS = 4_000
STEP = 5
IDLE = 6.0
"""Seconds without requests: more than a step, and enough that increase() extrapolates by little."""


class App:
    """One instance, which can die and come back on the same port."""

    def __init__(self, log: Path) -> None:
        self.port = servers.free_port()
        self.log = log
        self.start()

    def start(self) -> None:
        """Run it, with counters at zero."""
        self.process = subprocess.Popen(
            [sys.executable, str(APP), str(self.port), str(self.log)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stdout.readline() == "ready\n"

    def serve(self, seed: int) -> None:
        """Let requests come."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{REQUESTS} {seed}\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def kill(self) -> None:
        """Crash."""
        self.process.kill()
        self.process.communicate()


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """Give the URL of a Prometheus that scraped all of it, and the log of the truth."""
    folder = tmp_path_factory.mktemp("latency")
    log = folder / "latencies.log"
    with ExitStack() as stack:
        apps = [App(log), App(log)]
        for app in apps:
            stack.callback(app.kill)
        server = stack.enter_context(
            servers.prometheus(
                folder / "prometheus",
                scrape=[f"127.0.0.1:{app.port}" for app in apps],
                arguments=["--enable-feature=exemplar-storage"],
            )
        )
        for app in apps:
            wait_until_scraped(server.url, app, 0)
        time.sleep(IDLE)
        for seed, app in enumerate(apps):
            app.serve(seed)
        for app in apps:
            wait_until_scraped(server.url, app, REQUESTS)
        time.sleep(IDLE)
        apps[1].kill()
        apps[1].start()
        wait_until_scraped(server.url, apps[1], 0)
        apps[1].serve(7)
        wait_until_scraped(server.url, apps[1], REQUESTS)
        time.sleep(IDLE)
        yield server.url, log


def wait_until_scraped(url: str, app: App, requests: int) -> None:
    """Until the server knows that each route of an instance had so many requests."""
    end = time.monotonic() + servers.START_SECONDS
    expression = f'app_request_seconds_count{{instance="127.0.0.1:{app.port}"}} == {requests}'
    while len(asked(url, expression)) < 2:
        assert time.monotonic() < end, f"{requests} requests of an instance were never scraped"
        time.sleep(0.1)


def asked(url: str, expression: str, at: float | None = None) -> list[dict]:
    query = {"query": expression} | ({"time": str(at)} if at else {})
    answer = servers.get(f"{url}/api/v1/query?{urllib.parse.urlencode(query)}")
    return json.loads(answer)["data"]["result"]


@pytest.fixture(scope="module")
def study(scraped: tuple[str, Path]) -> LatencyStudy:
    """Study both routes over the whole time."""
    with workbench.connect(scraped[0]) as wb:
        return wb.latency(
            "app_request_seconds", by="route", last="90s", step=f"{STEP}s", compare="none",
            objectives="250ms 400ms", compare_window="20s",
        )  # fmt: skip


@pytest.fixture(scope="module")
def logged(scraped: tuple[str, Path]) -> dict[str, np.ndarray]:
    """Read what really happened, by route."""
    rows = [line.split() for line in scraped[1].read_text().splitlines()]
    return {r: np.sort([float(v) for x, v in rows if x == r]) for r in ("/fast", "/slow")}


def test_every_request_is_counted_once_though_an_instance_began_anew(study, logged):
    for each in study.result.distributions:
        true = len(logged[each.labels["route"]])
        assert true == 3 * REQUESTS
        assert each.requests == pytest.approx(true, rel=0.08)  # increase() extrapolates
        assert each.resets == 1
        assert each.mean_seconds == pytest.approx(logged[each.labels["route"]].mean(), rel=0.03)


def test_the_bucket_holds_the_true_quantile_and_the_estimate_is_near(study, logged):
    for each in study.result.distributions:
        true_values = logged[each.labels["route"]]
        for q in each.quantiles:
            true = true_values[int(np.ceil(q.q * len(true_values))) - 1]
            assert q.bucket_low <= true <= q.bucket_high
            assert q.low <= true <= q.high
            if q.q < 0.999:
                assert q.value == pytest.approx(true, rel=0.12)


def test_shares_are_exact_on_a_boundary_and_bounded_off_it(study, logged):
    for each in study.result.distributions:
        values = logged[each.labels["route"]]
        on, off = each.shares
        assert on.on_edge
        assert on.value == pytest.approx((values <= 0.25).mean(), abs=0.01)
        assert not off.on_edge
        assert off.low <= (values <= 0.4).mean() <= off.high
    assert "LAT-OFF-BOUNDARY" in {f.code for f in study.findings}


def test_by_the_rule_it_is_what_the_server_says(study, scraped):
    window = study.result.window
    for each in study.result.distributions:
        route = each.labels["route"]
        for q in each.quantiles:
            span = (window.end_ms - window.start_ms) // 1000
            (row,) = asked(
                scraped[0],
                f'histogram_quantile({q.q}, sum by (le) (increase(app_request_seconds_bucket{{route="{route}"}}[{span}s])))',
                window.end_ms / 1000,
            )
            assert q.promql == pytest.approx(float(row["value"][1]), rel=1e-9)


def test_over_time_too_it_is_what_the_server_says(study, scraped):
    url = scraped[0]
    compared = 0
    for each in study.result.distributions:
        route = each.labels["route"]
        series = each.over_time
        for i in np.flatnonzero(np.isfinite(series.requests)):  # NaN where no request came
            (row,) = asked(
                url,
                f'histogram_quantile(0.99, sum by (le) (increase(app_request_seconds_bucket{{route="{route}"}}[{STEP}s])))',
                series.times_ms[i] / 1000,
            )
            mine = series.promql[i, series.quantiles.index(0.99)]
            assert mine == pytest.approx(float(row["value"][1]), rel=1e-9, nan_ok=True)
            compared += 1
    assert compared >= 6


def test_the_slow_route_makes_the_tail(study):
    worst = study.result.tails[0]
    assert (worst.label, worst.value) == ("route", "/slow")
    assert worst.lift > 1.5


def test_exemplars_lead_to_traces(scraped):
    with workbench.connect(scraped[0]) as wb:
        found = wb.latency(
            "app_request_seconds", last="90s", step=f"{STEP}s", compare="none", compare_window="20s",
            trace_link="https://traces.example/{trace_id}",
        ).result.exemplars  # fmt: skip
    assert found
    assert found[0].seconds == max(e.seconds for e in found) > 1
    assert found[0].link == f"https://traces.example/{found[0].trace_id}"
