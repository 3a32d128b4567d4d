"""Clients of Prometheus read a snapshot and a proxied server through `workbench serve`."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import urllib.parse
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import servers
from prometheus_api_client import PrometheusConnect

from workbench.errors import NotSupportedError, QueryError, RefusedError, TooExpensiveError
from workbench.findings import Semantics
from workbench.frame import Frame
from workbench.samples import MetricMetadata, MetricType, Samples, format_labels
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource
from workbench.sources.snapshot import SnapshotSource, open_snapshot
from workbench.store import write_snapshot
from workbench.window import Window

START = servers.TRUTH_START_MS
END = START + (servers.TRUTH_POINTS - 1) * servers.TRUTH_STEP_MS
WINDOW = Window(START, END, 60_000)
RATE = "sum by (path) (rate(truth_requests_total[5m]))"
EXPRESSIONS = [
    RATE,
    "truth_temperature",
    "truth_odd",
    "max_over_time(truth_temperature[1h]) > 60",
    "absent(nothing)",
    "time()",
    "vector(1) / 0",
    "-truth_requests_total",
]


@contextlib.contextmanager
def serving(source: str, log: Path, *options: str, **variables: str) -> Iterator[str]:
    """Run `workbench serve` as a program of its own; give its URL."""
    port = servers.free_port()
    program = [sys.executable, "-m", "workbench", "serve", "--source", source]
    environment = [f"{name}={value}" for name, value in variables.items()]
    command = ["env", *environment, *program, "--listen", f"127.0.0.1:{port}", *options]
    with servers.running(command, port, log, ready="Ctrl-C ends it") as server:
        yield server.url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of what the real servers hold."""
    path = tmp_path_factory.mktemp("served") / "snapshot"
    known = [MetricMetadata("truth_requests_total", MetricType.COUNTER, 'Requests, "all".')]
    write_snapshot(path, [*servers.odd_values(), *servers.truth()], metadata=known)
    return path


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """The URL of a served snapshot."""
    with serving(f"snapshot:{folder}", folder.parent / "serve.log") as url:
        yield url


@pytest.fixture(scope="module")
def direct(folder: Path) -> SnapshotSource:
    """The same snapshot, asked without any server between."""
    return open_snapshot(folder)


@pytest.fixture(scope="module")
def through(url: str) -> Iterator[PrometheusSource]:
    """The workbench as a client of `workbench serve`."""
    with PrometheusSource(SourceSettings(url=url, gzip=True)) as source:
        yield source


def promtool(*words: str | Path) -> str:
    """What promtool prints."""
    done = subprocess.run(
        [servers.needs("promtool"), "query", *map(str, words)],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout + done.stderr


def same(left: Frame, right: Frame) -> None:
    """Equal in kind, labels, grid, presence and every bit of every value."""
    assert left.kind == right.kind
    orders = [
        sorted(range(len(f)), key=lambda i: format_labels(f.labels[i])) for f in (left, right)
    ]
    assert [dict(left.labels[i]) for i in orders[0]] == [dict(right.labels[i]) for i in orders[1]]
    np.testing.assert_array_equal(left.times_ms, right.times_ms)
    np.testing.assert_array_equal(left.present[orders[0]], right.present[orders[1]])
    np.testing.assert_array_equal(left.values[orders[0]], right.values[orders[1]])


# ---------------------------------------------------------------- the workbench itself


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_the_workbench_gets_the_snapshots_own_ranges(
    direct: SnapshotSource, through: PrometheusSource, expression: str
) -> None:
    left, right = (s.query_range(expression, WINDOW).data for s in (direct, through))
    assert isinstance(left, Frame)
    assert isinstance(right, Frame)
    same(left, right)


@pytest.mark.parametrize("expression", [*EXPRESSIONS, '"text"', "1.5"])
def test_the_workbench_gets_the_snapshots_own_instants(
    direct: SnapshotSource, through: PrometheusSource, expression: str
) -> None:
    at_ms = START + 3_600_500
    left, right = (s.query(expression, at_ms).data for s in (direct, through))
    assert isinstance(left, Frame)
    assert isinstance(right, Frame)
    same(left, right)
    assert left.text == right.text


def test_a_range_selector_gives_the_raw_samples(
    direct: SnapshotSource, through: PrometheusSource
) -> None:
    left, right = (s.query('{__name__=~"truth_.+"}[6h]', END).data for s in (direct, through))
    assert isinstance(left, Samples)
    assert isinstance(right, Samples)
    assert left.rows == right.rows > 5_000
    by_name = {format_labels(labels): (times, values) for labels, times, values in right}
    for labels, times, values in left:
        np.testing.assert_array_equal(times, by_name[format_labels(labels)][0])
        np.testing.assert_array_equal(values, by_name[format_labels(labels)][1])


def test_many_at_once_get_what_one_alone_gets(folder: Path, tmp_path: Path) -> None:
    """On a snapshot that nobody has read yet, so that threads meet while it is opened."""
    paths = [
        f"/api/v1/query_range?query={urllib.parse.quote(expression)}"
        f"&start={START / 1000}&end={END / 1000}&step={step}"
        for expression in EXPRESSIONS
        for step in (60, 61, 300)
    ] + ["/api/v1/labels", "/api/v1/series?match[]=truth_odd", "/api/v1/status/tsdb"]
    log = tmp_path / "serve.log"
    with (
        serving(f"snapshot:{folder}", log, "--concurrency", "8") as url,
        ThreadPoolExecutor(12) as pool,
    ):
        together = list(pool.map(lambda path: servers.get(url + path), paths * 2))
        alone = [servers.get(url + path) for path in paths]
    assert together == alone * 2


def test_what_exists_is_the_same(direct: SnapshotSource, through: PrometheusSource) -> None:
    for matchers in ([], ["truth_temperature"], ['{path=~"/.*"}', "truth_odd"]):
        assert direct.label_names(matchers, START, END) == through.label_names(matchers, START, END)
        for name in ("__name__", "path", "nothing"):
            left = direct.label_values(name, matchers, START, END)
            assert left == through.label_values(name, matchers, START, END)
        left_series = sorted(map(format_labels, direct.series(matchers, START, END)))
        assert left_series == sorted(map(format_labels, through.series(matchers, START, END)))
    assert direct.metrics() == through.metrics()
    assert direct.tsdb_status(3) == through.tsdb_status(3)


def test_the_workbench_knows_what_it_reads(through: PrometheusSource) -> None:
    info = through.info()
    assert info.product == "observability-workbench"
    assert info.semantics is Semantics.PROMETHEUS_3


def test_errors_come_out_as_they_went_in(through: PrometheusSource) -> None:
    with pytest.raises(QueryError, match="unclosed"):
        through.query("sum(", END)
    with pytest.raises(QueryError, match=r"many-to-many|duplicate"):
        through.query("truth_temperature + on () truth_temperature", END)
    with pytest.raises(NotSupportedError):
        through.exemplars("up", START, END)
    assert through.targets() == []


def test_a_query_beyond_a_limit_is_too_expensive_on_both_sides(through: PrometheusSource) -> None:
    with pytest.raises(TooExpensiveError):
        through.query("count_over_time(vector(1)[100y:1s])", END)


# ---------------------------------------------------------------- other people's clients


def test_promtool_reads_ranges(url: str, direct: SnapshotSource) -> None:
    grid = Window(START // 1000 * 1000, START // 1000 * 1000 + 600_000, 60_000)
    ends = [f"--start={grid.start_ms // 1000}", f"--end={grid.end_ms // 1000}", "--step=1m"]
    said = json.loads(promtool("range", "--format=json", *ends, url, RATE))
    frame = direct.query_range(RATE, grid).data
    assert isinstance(frame, Frame)
    assert said == frame.to_api()["result"]


def test_promtool_reads_instants_series_and_labels(url: str) -> None:
    assert promtool("instant", url, "6 * 7").startswith("scalar: 42 @[")
    series = promtool("series", "--match=truth_temperature", url)
    assert '{__name__="truth_temperature", room="with a gap"}' in series
    assert promtool("labels", url, "room") == "whole\nwith a gap\n"
    assert 'odd "path"' in promtool("labels", url, "path")


def test_promtool_shows_our_errors(url: str) -> None:
    assert "bad_data" in promtool("instant", url, "sum(")


def test_prometheus_api_client_reads_it(url: str, direct: SnapshotSource) -> None:
    client = PrometheusConnect(url)
    try:
        assert client.check_prometheus_connection()
        assert client.all_metrics() == ["truth_odd", "truth_requests_total", "truth_temperature"]
        assert client.get_label_values("room") == ["whole", "with a gap"]
        moment = (START + 600_000) / 1000
        found = client.custom_query("truth_temperature", params={"time": moment})
        instant = direct.query("truth_temperature", START + 600_000).data
        assert isinstance(instant, Frame)
        assert found == instant.to_api()["result"]
    finally:
        client._session.close()


# ---------------------------------------------------------------- in front of a live server


def test_a_proxied_server_gives_its_own_answers(prometheus: str, tmp_path: Path) -> None:
    asked = [  # with {0} and {1} for the ends of a range
        "query_range?query=truth_odd&start={0}&end={1}&step=60",
        "query_range?query=rate(truth_requests_total[5m])&start={0}&end={1}&step=60",
        "query?query=truth_temperature&time={1}",
        "query?query=truth_temperature[10m]&time={1}",
        "query?query=scalar(truth_odd)&time={0}",
        "series?match[]=truth_temperature&start={0}&end={1}",
        "labels?match[]=truth_temperature",
        "label/room/values",
        "format_query?query=sum(rate(truth_requests_total{{job='api'}}[5m]))by(job)/2>bool+1",
        "status/buildinfo",
    ]
    with serving(prometheus, tmp_path / "serve.log") as url:
        for pattern in asked:
            path = pattern.format((START + 60_000) / 1000, (START + 3_660_000) / 1000)
            own, ours = (json.loads(servers.get(f"{at}/api/v1/{path}")) for at in (prometheus, url))
            if path == "status/buildinfo":
                assert ours["data"]["version"] == own["data"]["version"]
            else:
                assert ours == own, path
        with PrometheusSource(SourceSettings(url=url)) as through:
            assert through.info().semantics is Semantics.PROMETHEUS_2
            assert {t["labels"]["job"] for t in through.targets()} == {"prometheus", "node"}
            with pytest.raises(QueryError, match="unclosed left parenthesis"):
                through.query("sum(", END)


def test_a_proxied_victoriametrics_is_known_for_what_it_is(
    victoriametrics: str, tmp_path: Path
) -> None:
    with (
        serving(victoriametrics, tmp_path / "serve.log") as url,
        PrometheusSource(SourceSettings(url=url)) as through,
        PrometheusSource(SourceSettings(url=victoriametrics)) as own,
    ):
        assert through.info().semantics is Semantics.VICTORIAMETRICS
        for expression in (RATE, "truth_temperature"):
            left, right = (s.query_range(expression, WINDOW).data for s in (own, through))
            assert isinstance(left, Frame)
            assert isinstance(right, Frame)
            same(left, right)
        found = json.loads(servers.get(f"{url}/api/v1/series?match[]=truth_temperature"))["data"]
        assert {labels["room"] for labels in found} == {"whole", "with a gap"}
        found = json.loads(servers.get(f"{url}/api/v1/label/room/values"))["data"]
        assert found == ["whole", "with a gap"]


def test_ctrl_c_ends_it_well(folder: Path, tmp_path: Path) -> None:
    port, log = servers.free_port(), tmp_path / "serve.log"
    command = [sys.executable, "-m", "workbench", "serve", "--source", f"snapshot:{folder}"]
    command += ["--listen", f"127.0.0.1:{port}"]
    with servers.running(command, port, log, ready="Ctrl-C ends it") as server:
        servers.get(f"{server.url}/api/v1/labels")
        server.process.send_signal(signal.SIGINT)
        assert server.process.wait(servers.START_SECONDS) == 0
    assert "Traceback" not in log.read_text()


def test_a_token_opens_and_its_absence_closes(folder: Path, tmp_path: Path) -> None:
    secret = "a-token-that-nobody-guesses"
    tokens = {"WORKBENCH_SERVE_TOKEN": secret}
    (tmp_path / "token").write_text(secret)
    log = tmp_path / "serve.log"
    with serving(f"snapshot:{folder}", log, "--verbose", **tokens) as url:
        with PrometheusSource(SourceSettings(url=url)) as stranger, pytest.raises(RefusedError):
            stranger.query("1", END)
        with PrometheusSource(
            SourceSettings(url=url, bearer_token_file=tmp_path / "token")
        ) as friend:
            assert len(friend.query("truth_temperature", END).data) == 2
    assert secret not in log.read_text()
    assert "/api/v1/query" in log.read_text()


def test_it_does_not_listen_to_the_world_unasked(folder: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "workbench", "serve"),
            *("--source", f"snapshot:{folder}", "--listen", "0.0.0.0:0"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=servers.START_SECONDS,
        env={k: v for k, v in os.environ.items() if k != "WORKBENCH_SERVE_TOKEN"},
    )
    assert done.returncode == 2
    assert "--token-file" in done.stderr
