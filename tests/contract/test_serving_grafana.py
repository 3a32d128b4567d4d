"""What Grafana's Prometheus data source asks, `workbench serve` answers as Prometheus does.

Grafana itself is in no package registry that these tests could use. The requests are those that its
sources send (pkg/promlib and packages/grafana-prometheus, version 11 and 12): the methods, forms and
headers of its back end, the parameters of its editor. Each goes to a real Prometheus too, which
holds the same samples.
"""

from __future__ import annotations

import gzip
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import servers
from test_serving_clients import serving

from workbench.samples import MetricMetadata, MetricType
from workbench.store import write_snapshot

START = (servers.TRUTH_START_MS + 60_250) / 1000  # off the samples, where 2.x and 3.x agree
END = START + 3_600
SPAN = {"start": str(int(START)), "end": str(int(END))}
LIMIT = {"limit": "40000"}
ALL = '{__name__!=""}'
HEADERS = {
    "User-Agent": "Grafana/12.0.0",
    "Accept-Encoding": "gzip",
    "X-Grafana-Org-Id": "1",
    "X-Grafana-Referer": "http://localhost:3000/d/abc/a-dashboard?from=now-6h",
    "X-Dashboard-Uid": "abc",
    "X-Datasource-Uid": "P1809F7CD0C75ACF3",
    "X-Panel-Id": "2",
    "X-Query-Group-Id": "b5a3a5b0-7a2f-4a3c-9e1f-0d6a5c1e2f3a",
    "FromAlert": "false",
    "Traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served snapshot of what the real Prometheus holds."""
    folder = tmp_path_factory.mktemp("grafana")
    known = [MetricMetadata("truth_requests_total", MetricType.COUNTER, "Requests.")]
    write_snapshot(folder / "snapshot", [*servers.odd_values(), *servers.truth()], metadata=known)
    with serving(f"snapshot:{folder / 'snapshot'}", folder / "serve.log") as url:
        yield url


def send(url: str, method: str, path: str, **fields: str | list[str]) -> tuple[int, dict[str, Any]]:
    """Send as Grafana's back end does: a form by POST, else a query string; read what comes."""
    form = urllib.parse.urlencode(
        {k.replace("match", "match[]"): v for k, v in fields.items()}, True
    )
    target = f"{url}/api/v1/{path}" + (f"?{form}" if method == "GET" and form else "")
    body = form.encode() if method == "POST" else None
    headers = HEADERS | (FORM if method == "POST" else {})
    request = urllib.request.Request(target, body, headers, method=method)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=180) as answer:
            status, packed = answer.status, answer.headers["Content-Encoding"] == "gzip"
            text = answer.read()
    except urllib.error.HTTPError as error:
        status, packed, text = error.code, error.headers["Content-Encoding"] == "gzip", error.read()
        error.close()
    return status, json.loads(gzip.decompress(text) if packed else text)


def ranged(expression: str, step: str) -> dict[str, str]:
    """The form of a panel's query; the step is seconds as a float."""
    return {"query": expression, "start": f"{START:.3f}", "end": f"{END:.3f}", "step": step}


SAME: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", "query", {"query": "1+1", "time": "4"}),  # "Save & test"
    ("POST", "query_range", ranged("truth_temperature", "15")),
    ("POST", "query_range", ranged("truth_requests_total", "0.5")),
    ("POST", "query_range", ranged("sum by (path) (truth_requests_total)", "7.5")),
    ("POST", "query_range", {**ranged("truth_odd", "60"), "timeout": "60s"}),
    ("GET", "query_range", ranged("truth_temperature > 60", "30")),
    ("POST", "query", {"query": "truth_temperature", "time": f"{END:.3f}"}),
    ("POST", "query_range", ranged("absent(nothing)", "60")),
    ("POST", "series", {"match": "truth_temperature", **SPAN, **LIMIT}),
    ("POST", "series", {"match": ALL, **SPAN, **LIMIT}),
    ("POST", "labels", {**SPAN, **LIMIT}),
    ("POST", "labels", {"match": 'truth_requests_total{path="/"}', **SPAN, **LIMIT}),
    ("GET", "label/__name__/values", {**SPAN, **LIMIT}),
    ("GET", "label/__name__/values", {"match": '{__name__=~".*temp.*"}', **SPAN, **LIMIT}),
    ("GET", "label/room/values", {"match": "truth_temperature", **SPAN, **LIMIT}),
    ("GET", "label/nothing/values", {**SPAN}),
    ("GET", "rules", {}),
    ("GET", "alerts", {}),
]


def unordered(data: Any) -> Any:
    """Data with its series in one order, and numbers for JSON's ``4`` and ``4.0``."""
    if isinstance(data, dict) and isinstance(data.get("result"), list) and "metric" in str(data):
        return data | {"result": sorted(data["result"], key=lambda row: str(row["metric"]))}
    if isinstance(data, list):
        return sorted(data, key=str)
    return data


@pytest.mark.parametrize(("method", "path", "fields"), SAME)
def test_it_is_answered_as_prometheus_answers_it(
    url: str, prometheus: str, method: str, path: str, fields: dict[str, Any]
) -> None:
    status, ours = send(url, method, path, **fields)
    their_status, theirs = send(prometheus, method, path, **fields)
    assert (status, ours["status"]) == (their_status, theirs["status"]) == (200, "success")
    assert unordered(ours["data"]) == unordered(theirs["data"])


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("query_range", ranged("sum(", "15")),
        ("query_range", ranged("truth_odd", "0")),
        ("query_range", ranged("truth_odd", "0.1")),
        ("query_range", ranged("truth_odd[5m]", "15")),
        ("query_range", ranged("truth_temperature * on () truth_temperature", "15")),
        ("query", {"query": "up", "time": "yesterday"}),
        ("series", SPAN),
        ("series", {"match": "{", **SPAN}),
        ("labels", {"match": "sum(up)", **SPAN}),
    ],
)
def test_what_is_wrong_is_refused_as_prometheus_refuses_it(
    url: str, prometheus: str, path: str, fields: dict[str, Any]
) -> None:
    """A panel shows the `error`; the status decides whether Grafana tries again by GET."""
    status, ours = send(url, "POST", path, **fields)
    their_status, theirs = send(prometheus, "POST", path, **fields)
    assert (status, ours["status"], ours["errorType"]) == (
        their_status,
        theirs["status"],
        theirs["errorType"],
    )
    assert ours["error"]


def test_rates_are_there_though_their_windows_are_those_of_version_3(url: str) -> None:
    status, answer = send(
        url, "POST", "query_range", **ranged("rate(truth_requests_total[1m])", "15")
    )
    assert status == 200
    assert [len(row["values"]) for row in answer["data"]["result"]] == [241, 241, 241]


def test_the_kind_of_server_is_found_out(url: str) -> None:
    """Features would make it a Mimir; the version decides which calls may carry matchers."""
    status, answer = send(url, "GET", "status/buildinfo")
    assert (status, answer["status"]) == (200, "success")
    assert "features" not in answer["data"]
    assert answer["data"]["version"].startswith("3.")


def test_the_metrics_explorer_gets_types_and_help(url: str) -> None:
    status, answer = send(url, "GET", "metadata", limit_per_metric="1", limit="40000")
    assert status == 200
    assert answer["data"] == {
        "truth_requests_total": [{"type": "counter", "help": "Requests.", "unit": ""}]
    }


def test_exemplars_are_missing_in_a_way_that_grafana_passes_over(url: str) -> None:
    """It writes the error to its log and draws the panel without them."""
    status, answer = send(
        url,
        "POST",
        "query_exemplars",
        query="truth_temperature",
        start=f"{START:.3f}",
        end=f"{END:.3f}",
    )
    assert (status, answer["status"], answer["errorType"]) == (404, "error", "not_found")


def test_a_label_of_a_name_that_is_no_identifier_is_asked_for_escaped(
    tmp_path: Path,
) -> None:
    write_snapshot(
        tmp_path / "s",
        [({"__name__": "up", "http.status": "200"}, *servers.odd_values()[0][1:])],
    )
    with serving(f"snapshot:{tmp_path / 's'}", tmp_path / "log") as url:
        _, answer = send(url, "GET", "label/U__http_2e_status/values", match=ALL, **SPAN)
        assert answer["data"] == ["200"]
