"""Go code with Prometheus' client: what is declared, and what the calls give."""

from pathlib import Path

import pytest

from workbench.codescan import scan_source
from workbench.inventory import Bound, DeclaredMetric
from workbench.samples import MetricType

HEADER = """package main

import (
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
)

"""


def declared(folder: Path, code: str) -> dict[str, DeclaredMetric]:
    (folder / "main.go").write_text(HEADER + code)
    return {m.name: m for m in scan_source(folder).declared}


def test_a_vector_with_its_calls(tmp_path: Path) -> None:
    """Name, type, help, labels, place and the values of two calls are read."""
    found = declared(
        tmp_path,
        """
var requests = prometheus.NewCounterVec(
	prometheus.CounterOpts{Namespace: "app", Name: "requests_total", Help: "Requests."},
	[]string{"method", "path"},
)

func handle(w http.ResponseWriter, r *http.Request) {
	requests.With(prometheus.Labels{"method": r.Method, "path": r.URL.Path}).Inc()
	requests.WithLabelValues("GET", "/healthz").Inc()
}
""",
    )
    metric = found["app_requests_total"]
    assert metric.type is MetricType.COUNTER
    assert metric.help == "Requests."
    assert metric.labels == ("method", "path")
    assert metric.place.line == 10
    assert [s.place.line for s in metric.sites] == [16, 17]
    path = metric.values["path"]
    assert (path.bound, path.kind) == (Bound.UNBOUNDED, "request path")
    assert "`r.URL.Path`" in path.reason
    assert "r.Pattern" in path.mend
    method = metric.values["method"]
    assert (method.bound, method.kind) == (Bound.BOUNDED, "http method")
    assert metric.most_children is None


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ("prometheus.DefBuckets", 11),
        ("prometheus.LinearBuckets(1, 2, 5)", (1, 3, 5, 7, 9)),
        ("prometheus.ExponentialBuckets(1, 2, 4)", (1, 2, 4, 8)),
        ("[]float64{.1, 1, 10}", (0.1, 1, 10)),
    ],
)
def test_buckets_are_evaluated(tmp_path: Path, buckets: str, expected: object) -> None:
    """Buckets are counted, and listed, whether they are written out or made."""
    found = declared(
        tmp_path,
        f"""
var seconds = prometheus.NewHistogram(prometheus.HistogramOpts{{
	Name: "seconds", Help: "h", Buckets: {buckets},
}})
""",
    )
    metric = found["seconds"]
    if isinstance(expected, int):
        assert metric.bucket_count == expected
    else:
        assert metric.buckets == expected
