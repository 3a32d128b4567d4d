"""Native histograms pass through `workbench serve` whole, to our client and to other people's."""

from __future__ import annotations

import json
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import servers
from prometheus_api_client import PrometheusConnect
from test_serving_clients import serving

from workbench.frame import Frame
from workbench.native import CUSTOM, Buckets, Histogram, no_histograms
from workbench.samples import Samples, format_labels
from workbench.settings import SourceSettings
from workbench.sources.prometheus import PrometheusSource
from workbench.sources.snapshot import SnapshotSource, open_snapshot
from workbench.store import write_snapshot
from workbench.window import Window

START = 1_767_225_600_000
STEP = 15_000
COUNT = 240
TIMES = START + np.arange(COUNT, dtype=np.int64) * STEP
END = int(TIMES[-1])
WINDOW = Window(START, END, 60_000)
EXPRESSIONS = [
    "latency",
    "rate(latency[5m])",
    'sum(latency{kind="exponential"})',
    "sum by (kind) (increase(latency[10m]))",
    'latency{kind="custom"} * 0.5',
    "histogram_quantile(0.9, latency)",
    "histogram_count(rate(latency[5m]))",
    "histogram_fraction(0, 1, latency)",
    "latency or mixed",
    "mixed",
]


def exponential(n: int) -> Histogram:
    """Buckets on both sides of zero, with gaps, and a zero bucket."""
    positive = Buckets(np.array([-3, 0, 1, 7]), np.array([n, 2.0 * n, n + 1.0, 3.0]))
    negative = Buckets(np.array([2, 5]), np.array([float(n), 1.0]))
    count = float(positive.counts.sum() + negative.counts.sum() + n)
    return Histogram(2, count, 0.1 * n, 1e-3, float(n), positive, negative)


def custom(n: int) -> Histogram:
    """Bounds of its own, and observations above the last of them."""
    buckets = Buckets(np.array([0, 1, 3]), np.array([float(n), n + 2.0, 1.0]))
    return Histogram(CUSTOM, 2.0 * n + 3, n / 3, positive=buckets, custom_values=(0.1, 0.5, 2.5))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot with both kinds of native histogram, and a series that changes from floats."""
    columns = {}
    for name, make in (("exponential", exponential), ("custom", custom)):
        columns[name] = no_histograms(COUNT)
        columns[name][:] = [make(n) for n in range(1, COUNT + 1)]
    late = no_histograms(COUNT)
    late[COUNT // 2 :] = columns["exponential"][COUNT // 2 :]
    values = np.arange(COUNT, dtype=np.float64)
    path = tmp_path_factory.mktemp("native") / "snapshot"
    write_snapshot(
        path,
        [
            *(
                ({"__name__": "latency", "kind": kind}, TIMES, values, column)
                for kind, column in columns.items()
            ),
            ({"__name__": "mixed"}, TIMES, values, late),
        ],
    )
    return path


@pytest.fixture(scope="module")
def url(folder: Path) -> Iterator[str]:
    """The URL of the served snapshot."""
    with serving(f"snapshot:{folder}", folder.parent / "serve.log") as url:
        yield url


@pytest.fixture(scope="module")
def direct(folder: Path) -> SnapshotSource:
    """The engine itself."""
    return open_snapshot(folder)


def own(frame: Any) -> list[dict[str, Any]]:
    """What the engine's answer is in the API's form; through text, as it would be sent."""
    result: list[dict[str, Any]] = json.loads(json.dumps(frame.to_api()["result"]))
    return result


def by_labels(frame: Frame) -> dict[str, Any]:
    """Values and histograms of each series at each step."""
    found: dict[str, Any] = {}
    for i, labels in enumerate(frame.labels):
        row = {}
        for step in np.flatnonzero(frame.present[i]).tolist():
            histogram = frame.histograms.get((i, step))
            value = frame.values[i, step].tolist()
            row[int(frame.times_ms[step])] = value if histogram is None else histogram
        found[format_labels(labels)] = row
    return found


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_our_client_reads_what_the_engine_gave(
    url: str, direct: SnapshotSource, expression: str
) -> None:
    with PrometheusSource(SourceSettings(url=url)) as through:
        for ask in (
            lambda source: source.query_range(expression, WINDOW),
            lambda source: source.query(expression, END),
        ):
            left, right = ask(direct).data, ask(through).data
            assert by_labels(left) == by_labels(right) != {}
            assert bool(left.histograms) == (not expression.startswith("histogram_"))


def test_a_range_selector_gives_the_histograms_as_they_were_written(
    url: str, direct: SnapshotSource
) -> None:
    for selector in ("latency[10m]", "mixed[1h]", '{__name__=~".+"}[1h]'):
        raw = direct.query(selector, END).data
        assert isinstance(raw, Samples)
        path = f"/api/v1/query?query={urllib.parse.quote(selector)}&time={END / 1000}"
        found = json.loads(servers.get(url + path))["data"]
        assert found == {"resultType": "matrix", "result": own(raw)}
        assert any("histograms" in row for row in found["result"])


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_prometheus_api_client_gets_the_engines_json(
    url: str, direct: SnapshotSource, expression: str
) -> None:
    client = PrometheusConnect(url)
    try:
        found = client.custom_query(expression, params={"time": END / 1000})
    finally:
        client._session.close()
    assert found == own(direct.query(expression, END).data)


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_promtool_reads_what_its_version_knows(
    url: str, direct: SnapshotSource, expression: str
) -> None:
    """Every series and every float; the client library of 2.42 passes over the histograms."""
    ends = [f"--start={START // 1000}", f"--end={END // 1000}", "--step=1m"]
    done = subprocess.run(
        [servers.needs("promtool"), "query", "range", "--format=json", *ends, url, expression],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {format_labels(row["metric"]): row for row in json.loads(done.stdout)}
    expected = {
        format_labels(row["metric"]): row
        for row in own(direct.query_range(expression, WINDOW).data)
    }
    assert expected.keys() == found.keys() != set()
    for series, row in expected.items():
        assert (found[series]["values"] or []) == row.get("values", [])
        assert found[series].get("histograms") in (None, row.get("histograms"))
