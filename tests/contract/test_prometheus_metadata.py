"""What exists on real servers, and what they are."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator

import pytest
import servers
from stand_in import BUILD_INFO, Reply, StandIn

from workbench.errors import QueryError, RefusedError, SourceError, UnreachableError
from workbench.findings import Semantics
from workbench.samples import MetricMetadata, MetricType
from workbench.settings import SourceSettings
from workbench.sources.base import Source
from workbench.sources.prometheus import PrometheusSource

START = servers.TRUTH_START_MS
END = START + servers.TRUTH_POINTS * servers.TRUTH_STEP_MS


@pytest.fixture
def source(prometheus: str) -> Iterator[PrometheusSource]:
    """A source on the real Prometheus."""
    with PrometheusSource(SourceSettings(url=prometheus)) as source:
        yield source


@pytest.fixture
def vm(victoriametrics: str) -> Iterator[PrometheusSource]:
    """A source on the real VictoriaMetrics."""
    with PrometheusSource(SourceSettings(url=victoriametrics)) as source:
        yield source


def test_it_is_a_source(source: PrometheusSource) -> None:
    """The type checker holds the protocol against it."""
    kept: Source = source
    assert kept.now_ms() > END


def test_prometheus_says_what_it_is(source: PrometheusSource, prometheus: str) -> None:
    """Product and semantics by behaviour; asked once."""
    info = source.info()
    version = json.loads(servers.get(f"{prometheus}/api/v1/status/buildinfo"))["data"]["version"]
    assert (info.name, info.product, info.version) == (prometheus, "Prometheus", version)
    assert info.semantics is (
        Semantics.PROMETHEUS_2 if version.startswith("2.") else Semantics.PROMETHEUS_3
    )
    assert source.info() is info


def test_victoriametrics_says_what_it_is(vm: PrometheusSource) -> None:
    info = vm.info()
    assert (info.product, info.semantics) == ("VictoriaMetrics", Semantics.VICTORIAMETRICS)
    assert not info.features.metadata
    assert not info.features.exemplars


@pytest.mark.parametrize(
    ("build", "counted", "product", "version", "semantics"),
    [
        (
            {"version": "3.1.0", "goVersion": "go1"},
            "2",
            "Prometheus",
            "3.1.0",
            Semantics.PROMETHEUS_3,
        ),
        (
            {"version": "2.55.0", "goVersion": "go1"},
            "3",
            "Prometheus",
            "2.55.0",
            Semantics.PROMETHEUS_2,
        ),
        (
            {"application": "Grafana Mimir", "version": "2.15.0"},
            "2",
            "Mimir",
            "2.15.0",
            Semantics.PROMETHEUS_3,
        ),
        (
            {"version": "0.36.1", "goVersion": "go1"},
            "3",
            "Thanos",
            "0.36.1",
            Semantics.PROMETHEUS_2,
        ),
        (
            {"version": "1.17.0", "goVersion": "go1"},
            "3",
            "Cortex",
            "1.17.0",
            Semantics.PROMETHEUS_2,
        ),
        ({"version": "v0.37.0", "goVersion": "go1"}, "7", "Thanos", "0.37.0", Semantics.UNKNOWN),
    ],
)
def test_servers_not_at_hand_are_told_by_their_signs(
    build: dict[str, str], counted: str, product: str, version: str, semantics: Semantics
) -> None:
    with StandIn() as server:
        server.script(
            "/api/v1/status/buildinfo",
            Reply(json.dumps({"status": "success", "data": build}).encode()),
        )
        server.probe = counted
        with PrometheusSource(SourceSettings(url=server.url)) as source:
            info = source.info()
    assert (info.product, info.version, info.semantics) == (product, version, semantics)


def test_a_server_that_hides_its_version_still_answers() -> None:
    """A proxy that lets queries through only: unknown product, semantics by behaviour."""
    with StandIn() as server:
        server.script("/api/v1/status/buildinfo", Reply(status=403))
        server.script(
            "/api/v1/query",
            Reply(b'{"status":"error","errorType":"bad_data","error":"unknown function"}', 400),
        )
        with PrometheusSource(SourceSettings(url=server.url)) as source:
            info = source.info()
    assert (info.product, info.semantics) == ("", Semantics.PROMETHEUS_3)


def test_a_refused_login_is_no_unknown_server() -> None:
    with StandIn() as server:
        server.script("/api/v1/status/buildinfo", Reply(status=401))
        server.script("/api/v1/query", Reply(status=401))
        with (
            PrometheusSource(SourceSettings(url=server.url)) as source,
            pytest.raises(RefusedError),
        ):
            source.info()


def test_a_failed_first_question_is_asked_again_later() -> None:
    """A server that was down when first asked is known once it is up."""
    with StandIn() as server:
        server.script("/api/v1/status/buildinfo", Reply(status=0), BUILD_INFO)
        with PrometheusSource(SourceSettings(url=server.url, retries=0)) as source:
            with pytest.raises(UnreachableError):
                source.info()
            assert source.info().version == "3.1.0"


# ---------------------------------------------------------------- metrics


def test_metrics_have_the_types_that_the_exporter_declares(
    source: PrometheusSource, node_exporter: str
) -> None:
    """Compared with the exporter's own page, line by line."""
    declared = {
        line.split()[2]: line.split()[3]
        for line in servers.get(f"{node_exporter}/metrics").decode().splitlines()
        if line.startswith("# TYPE node_")
    }
    found = {each.name: each for each in source.metrics()}
    assert declared
    assert {name: found[name].type.value for name in declared if name in found} == {
        n: t.replace("untyped", "unknown") for n, t in declared.items()
    }
    assert found["node_load1"].help == "1m load average."


def test_parts_of_a_family_are_not_metrics_of_their_own(source: PrometheusSource) -> None:
    names = {each.name: each.type for each in source.metrics()}
    assert names["prometheus_http_request_duration_seconds"] is MetricType.HISTOGRAM
    assert names["go_gc_duration_seconds"] is MetricType.SUMMARY
    assert not {
        name for name in names if name.startswith("prometheus_http_request_duration_seconds_")
    }


def test_metrics_without_metadata_are_unknown(source: PrometheusSource) -> None:
    """Backfilled series, and `up`, have no declaration anywhere."""
    found = {each.name: each for each in source.metrics()}
    assert found["up"] == MetricMetadata("up")
    assert found["truth_requests_total"].type is MetricType.UNKNOWN


def test_victoriametrics_falls_back_to_names(vm: PrometheusSource) -> None:
    """Other tests of the session write into this server too, under names of their own."""
    assert [m for m in vm.metrics() if m.name.startswith("truth_")] == [
        MetricMetadata("truth_requests_total"),
        MetricMetadata("truth_temperature"),
    ]


# ---------------------------------------------------------------- labels and series


@pytest.mark.parametrize("which", ["source", "vm"])
def test_labels_values_and_series(which: str, request: pytest.FixtureRequest) -> None:
    """The same on both servers, hostile values included."""
    source: PrometheusSource = request.getfixturevalue(which)
    matchers = ['{__name__=~"truth_(requests|temp).*"}']
    assert source.label_names(matchers, START, END) == ["__name__", "job", "path", "room"]
    assert source.label_values("room", matchers, START, END) == ["whole", "with a gap"]
    assert source.label_values("path", [], START, END) == sorted(["/", "/pay", 'odd "path"\\\nü'])
    truth = [labels for labels, _, _ in servers.truth()]
    found = source.series(["truth_requests_total", "truth_temperature"], START, END)
    assert sorted(map(str, (sorted(each.items()) for each in found))) == sorted(
        map(str, (sorted(each.items()) for each in truth))
    )


def test_nothing_is_found_outside_the_range(source: PrometheusSource) -> None:
    assert source.series(["truth_temperature"], 0, 1_000) == []
    assert source.label_names(["truth_temperature"], 0, 1_000) == []


def test_a_hostile_label_name_asks_nothing_else(source: PrometheusSource) -> None:
    """Slashes and question marks cannot lead to another endpoint; 2.x refuses or finds nothing."""
    for name in ("../../status/config?", "a/b", "ü", "", "a\x00b"):
        with contextlib.suppress(QueryError, SourceError):
            assert source.label_values(name, [], START, END) == []


def test_a_bad_matcher_is_a_query_error(source: PrometheusSource) -> None:
    for matchers in (["{job="], ["up", "{job="]):
        with pytest.raises(QueryError, match=r"parse error|unexpected"):
            source.series(matchers, START, END)
        with pytest.raises(QueryError, match=r"parse error|unexpected"):
            source.label_names(matchers, START, END)


def test_very_long_matchers_go_by_post(source: PrometheusSource) -> None:
    room = "|".join(f"room-{i}" for i in range(11_000))
    assert len(source.series([f'truth_temperature{{room=~"{room}|whole"}}'], START, END)) == 1
    assert source.label_names([f'truth_temperature{{room=~"{room}|whole"}}'], START, END) == [
        "__name__",
        "room",
    ]


# ---------------------------------------------------------------- the server's own state


def test_targets_are_those_it_scrapes(source: PrometheusSource, node_exporter: str) -> None:
    targets = source.targets()
    assert {each["labels"]["job"] for each in targets} == {"prometheus", "node"}
    assert any(each["scrapeUrl"] == f"{node_exporter}/metrics" for each in targets)


def test_tsdb_status_counts_series(source: PrometheusSource) -> None:
    status = source.tsdb_status(limit=3)
    assert status["headStats"]["numSeries"] > 100


def test_tsdb_status_of_victoriametrics_is_its_own(vm: PrometheusSource) -> None:
    assert "totalSeries" in vm.tsdb_status()


def test_exemplars_of_a_server_without_any_are_none(source: PrometheusSource) -> None:
    assert source.exemplars("truth_requests_total", START, END) == []
