"""Copies of a real Prometheus and a real VictoriaMetrics equal what these servers hold."""

from __future__ import annotations

import json
import time
import urllib.parse
from pathlib import Path

import pytest
import servers

from workbench.capture import capture, plan, planning
from workbench.promql.matcher import Matcher
from workbench.samples import MetricType, format_value
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource
from workbench.store import SnapshotStore

START = servers.TRUTH_START_MS
END = START + (servers.TRUTH_POINTS - 1) * servers.TRUTH_STEP_MS

Content = dict[tuple[tuple[str, str], ...], list[tuple[int, str]]]


def stored(path: Path) -> Content:
    """What a snapshot holds; values as text, so that NaN equals itself."""
    samples = SnapshotStore(path).select([Matcher("__name__", "!=", "")], 0, 10**14)
    return {
        tuple(sorted(labels.items())): list(
            zip(t.tolist(), map(format_value, v.tolist()), strict=True)
        )
        for labels, t, v in samples
    }


def served(url: str, expression: str, at_ms: int) -> Content:
    """What a server answers to one instant query of a range selector."""
    query = urllib.parse.urlencode({"query": expression, "time": at_ms / 1000, "nocache": 1})
    result = json.loads(servers.get(f"{url}/api/v1/query?{query}"))["data"]["result"]
    return {
        tuple(sorted(row["metric"].items())): [
            (round(t * 1000), format_value(float(v))) for t, v in row["values"]
        ]
        for row in result
    }


def true(*metrics: str) -> Content:
    """What the servers were fed."""
    return {
        tuple(sorted(labels.items())): list(
            zip(t.tolist(), map(format_value, v.tolist()), strict=True)
        )
        for labels, t, v in [*servers.truth(), *servers.odd_values()]
        if labels["__name__"] in metrics
    }


def wait_for_a_scrape_after(url: str, at_ms: int) -> None:
    """Until a scrape begun after a moment is stored: what lies before it changes no more."""
    give_up = time.monotonic() + servers.START_SECONDS
    while time.monotonic() < give_up:
        now = round(time.time() * 1000)
        [rows] = served(url, 'up{job="node"}[60s]', now).values()
        last = rows[-1][0]
        if last > at_ms:
            return
        time.sleep(0.1)
    pytest.fail("Prometheus stopped scraping")


@pytest.mark.parametrize("answer_samples", [1_000_000, 200])
def test_prometheus(
    prometheus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer_samples: int
) -> None:
    """Six hours with gaps, resets, NaN and infinities, whole and in many pieces."""
    monkeypatch.setattr(planning, "_ANSWER_SAMPLES", answer_samples)
    with PrometheusSource(SourceSettings(url=prometheus)) as source:
        manifest = capture(source, ['{__name__=~"truth_.+"}'], START, END, tmp_path / "copy")
    assert stored(tmp_path / "copy") == true(
        "truth_requests_total", "truth_temperature", "truth_odd"
    )
    assert manifest.complete
    assert manifest.source == prometheus
    assert any("Prometheus" in note for note in manifest.notes)


@pytest.mark.parametrize("answer_samples", [1_000_000, 200])
def test_victoriametrics(
    victoriametrics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer_samples: int
) -> None:
    """The same samples from a server with windows of its own."""
    monkeypatch.setattr(planning, "_ANSWER_SAMPLES", answer_samples)
    with PrometheusSource(SourceSettings(url=victoriametrics)) as source:
        manifest = capture(source, ['{__name__=~"truth_.+"}'], START, END, tmp_path / "copy")
    assert stored(tmp_path / "copy") == true("truth_requests_total", "truth_temperature")
    assert any("VictoriaMetrics" in note for note in manifest.notes)


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_the_ends_are_exact_to_the_millisecond(
    prometheus: str, victoriametrics: str, tmp_path: Path, shift: int
) -> None:
    """A window that ends on, just before or just after a sample, at both servers."""
    start, end = (
        START + 10 * servers.TRUTH_STEP_MS + shift,
        START + 20 * servers.TRUTH_STEP_MS + shift,
    )
    want = {
        key: [sample for sample in rows if start <= sample[0] <= end]
        for key, rows in true("truth_temperature").items()
    }
    for name, url in (("prometheus", prometheus), ("victoriametrics", victoriametrics)):
        with PrometheusSource(SourceSettings(url=url)) as source:
            capture(source, ["truth_temperature"], start, end, tmp_path / name)
        assert stored(tmp_path / name) == want


def test_scraped_metrics_with_their_types(
    prometheus: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of a node_exporter, in several batches and pieces: equal to one answer of the server."""
    monkeypatch.setattr(planning, "_BATCH_METRICS", 20)
    monkeypatch.setattr(planning, "_ANSWER_SAMPLES", 20)
    end = round(time.time() * 1000)
    start = end - 60_000
    wait_for_a_scrape_after(prometheus, end)
    with PrometheusSource(SourceSettings(url=prometheus)) as source:
        planned = plan(source, ['{job="node"}'], start, end)
        manifest = capture(source, ['{job="node"}'], start, end, tmp_path / "copy")
    want = served(prometheus, '{job="node"}[60001ms]', end)
    assert stored(tmp_path / "copy") == want
    assert len(planned.batches) > 1
    assert planned.queries > len(planned.batches)
    assert manifest.counts.series == len(want) == planned.series
    metadata = SnapshotStore(tmp_path / "copy").metadata()
    assert metadata["node_cpu_seconds_total"].type is MetricType.COUNTER
    assert metadata["node_load1"].help
    assert "prometheus_http_requests_total" not in metadata
