"""Python code: what its Prometheus client and OpenTelemetry declare, and what the calls give."""

from pathlib import Path

import prometheus_client
import pytest
from scanned_code import metrics_of

from workbench.inventory import Bound, DeclaredMetric, LabelValues
from workbench.samples import MetricType

HEADER = """import time
import uuid
from enum import Enum
from http import HTTPStatus
from typing import Literal

from flask import request
from prometheus_client import Counter as C, Enum as States, Gauge, Histogram, Info, Summary

HITS = C("hits", "Hits.", ["what"])
KINDS = ("a", "b", "c")
FIXED = "fixed"
NAMES = {"x": "one", "y": "two"}


class Colour(Enum):
    RED = "red"
    BLUE = "blue"


"""


def declared(folder: Path, **files: str) -> dict[str, DeclaredMetric]:
    named = {name.replace("__", "/") + ".py": code for name, code in files.items()}
    return metrics_of(folder, named)


def judged(folder: Path, body: str) -> LabelValues:
    """What the label of the one metric can be given by a function's body."""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    code = f"{HEADER}def handle(request, response, colour: Colour, how: Literal['in', 'out']):\n"
    return declared(folder, app=code + lines)["hits_total"].values["what"]


def given(expression: str) -> str:
    return f"HITS.labels({expression}).inc()"


@pytest.mark.parametrize(
    ("code", "registry_call"),
    [
        ('C("jobs", "h")', prometheus_client.Counter),
        ('C("jobs_total", "h")', prometheus_client.Counter),
        ('Gauge("size", "h", (), "shop", "cart", "bytes")', prometheus_client.Gauge),
        ('Gauge(name="size_bytes", documentation="h", unit="bytes")', prometheus_client.Gauge),
        ('Histogram("wait", "h", namespace="n", unit="seconds")', prometheus_client.Histogram),
        ('Histogram("wait", "h", buckets=(1, 2, float("inf")))', prometheus_client.Histogram),
        ('Summary("wait", "h", subsystem="s")', prometheus_client.Summary),
        ('Info("build", "h")', prometheus_client.Info),
        ('States("state", "h", states=["up", "down"])', prometheus_client.Enum),
    ],
)
def test_names_and_series_are_those_of_the_client(
    tmp_path: Path, code: str, registry_call: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Name and series of a child are what the real client exposes for the same call."""
    registry = prometheus_client.CollectorRegistry()
    made = eval(
        code,
        {
            "C": lambda *a, **k: registry_call(*a, registry=registry, **k),
            registry_call.__name__: lambda *a, **k: registry_call(*a, registry=registry, **k),
            "States": lambda *a, **k: registry_call(*a, registry=registry, **k),
        },
    )
    assert made is not None
    text = prometheus_client.generate_latest(registry).decode()
    name = text.splitlines()[1].split()[2]
    series = [line for line in text.splitlines() if not line.startswith("#")]
    code = HEADER + f"M = {code}\n"
    (metric,) = [m for m in declared(tmp_path, m=code).values() if m.name != "hits_total"]
    assert metric.name == name
    children = metric.most_children
    assert children is not None
    # An Info has no series until it is given its labels.
    assert metric.series_per_child * children == max(1, len(series))


def test_labels_in_every_form(tmp_path: Path) -> None:
    """Positional, by keyword, as a map, as a list; in a field; through an import and its alias."""
    found = declared(
        tmp_path,
        app__metrics=(
            "from prometheus_client import Counter\nA = Counter('a', 'h', labelnames=['x', 'y'])\n"
        ),
        app__views="""
from app.metrics import A as alias
from . import metrics
import app.metrics as m

def f(extra):
    alias.labels("p", "q").inc()
    metrics.A.labels(x="k", y="w").inc()
    m.A.labels(**{"x": "s", "y": "t"}).inc()
    values = ["u", "v"]
    metrics.A.labels(*values).inc()
""",
        app__jobs="""
import prometheus_client

class Worker:
    def __init__(self):
        self.done = prometheus_client.Gauge("done", "h", ["queue"])

    def work(self):
        self.done.labels(queue="mail").set(1)
""",
    )
    values = found["a_total"].values
    assert values["x"].values == ("k", "p", "s", "u")
    assert values["y"].values == ("q", "t", "v", "w")
    assert found["done"].values["queue"].values == ("mail",)


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("request.path", "request path"),
        ("request.url", "request path"),
        ("request.url.path", "request path"),
        ("request.get_full_path()", "request path"),
        ("str(request.url)", "request path"),
        ('f"{request.method} {request.path}"', "request path"),
        ('"%s" % request.path', "request path"),
        ('"{}".format(request.path)', "request path"),
        ('request.args.get("q")', "user input"),
        ('request.headers["User-Agent"]', "user input"),
        ('request.headers.get("X-Tenant", "none")', "user input"),
        ('request.path_params["id"]', "user input"),
        ("request.remote_addr", "address"),
        ("request.client.host", "address"),
        ("str(uuid.uuid4())", "identifier"),
        ("order.customer_id", "identifier"),
        ("user_email", "e-mail"),
        ("str(time.time())", "time"),
    ],
)
def test_unbounded_expressions_are_found(tmp_path: Path, expression: str, kind: str) -> None:
    """Paths, headers, parameters, addresses, ids and times are unbounded, say why and what to do."""
    values = judged(tmp_path, given(expression))
    assert (values.bound, values.kind) == (Bound.UNBOUNDED, kind)
    assert values.mend


def test_the_text_of_an_exception_is_unbounded_and_its_class_is_not(tmp_path: Path) -> None:
    """str(e) may hold anything; the name of its class is as bounded as the code is."""
    body = "try:\n    work()\nexcept ValueError as e:\n    " + given("{}")
    values = judged(tmp_path, body.format("str(e)"))
    assert (values.bound, values.kind) == (Bound.UNBOUNDED, "error text")
    assert "type(e).__name__" in values.mend
    for name in ("type(e).__name__", "e.__class__.__name__"):
        values = judged(tmp_path, body.format(name))
        assert (values.bound, values.kind) == (Bound.UNKNOWN, "variable")


@pytest.mark.parametrize(
    ("expression", "kind", "count"),
    [
        ('"GET"', "literal", 1),
        ("FIXED", "constant", 1),
        ("request.method", "http method", 9),
        ("response.status_code", "status code", 63),
        ("str(response.status)", "status code", 63),
        ("str(response.ok == 1).lower()", "boolean", 2),
        ('"yes" if response.ok else "no"', "literal", 2),
        ("colour.value", "enum", 2),
        ("Colour.RED.value", "enum", 1),
        ("how", "enum", 2),
        ('NAMES.get(request.path, "other")', "literal", 3),
        ('f"v{1}"', "literal", 1),
    ],
)
def test_bounded_expressions_are_counted(
    tmp_path: Path, expression: str, kind: str, count: int
) -> None:
    """Literals, constants, enums, booleans, methods and codes are bounded by so many values."""
    values = judged(tmp_path, given(expression))
    assert (values.bound, values.kind, values.count) == (Bound.BOUNDED, kind, count)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            's = "ok"\ntry:\n    work()\nexcept OSError:\n    s = "failed"\n' + given("s"),
            ("failed", "ok"),
        ),
        ('p = request.path\np = "fixed"\n' + given("p"), ("fixed",)),
        ("for k in KINDS:\n    " + given("k"), ("a", "b", "c")),
        ("for k, v in NAMES.items():\n    " + given("v"), ("one", "two")),
        ("for k in NAMES:\n    " + given("k"), ("x", "y")),
        ("for c in Colour:\n    " + given("c"), ("blue", "red")),
        (
            'if request.path == "/":\n    s = "root"\nelif work():\n    s = "job"\nelse:\n    s = "rest"\n'
            + given("s"),
            ("job", "rest", "root"),
        ),
    ],
)
def test_assignments_bound_a_variable(tmp_path: Path, body: str, expected: tuple[str, ...]) -> None:
    """Of a variable count the assignments that may have been the last one."""
    values = judged(tmp_path, body)
    assert (values.bound, values.values) == (Bound.BOUNDED, expected)


@pytest.mark.parametrize("name", ["grid", "valid", "provided", "shard_id", "kind", "hybrid"])
def test_names_that_hold_no_id_are_not_called_unbounded(tmp_path: Path, name: str) -> None:
    """Where nothing speaks for either, it is unknown."""
    assert judged(tmp_path, f"{name} = work()\n" + given(name)).bound is Bound.UNKNOWN


@pytest.mark.parametrize(
    "template",
    [
        "request.url_rule.rule",
        'request.scope["route"].path',
        "request.resolver_match.route",
        "request.match_info.route.resource.canonical",
    ],
)
def test_route_templates_are_not_called_unbounded(tmp_path: Path, template: str) -> None:
    """Each framework's template has as many values as there are routes."""
    values = judged(tmp_path, given(template))
    assert (values.bound, values.kind) == (Bound.UNKNOWN, "route template")


def test_a_module_runs_from_top_to_bottom(tmp_path: Path) -> None:
    """A loop variable that several loops of a module share has in each the values of that loop."""
    found = declared(
        tmp_path,
        app="""
from prometheus_client import Counter

A = Counter("a", "h", ["x"])
for s in ("one", "two"):
    A.labels(s)
B = Counter("b", "h", ["x"])
for s in ("three",):
    B.labels(s)
""",
    )
    assert found["a_total"].values["x"].values == ("one", "two")
    assert found["b_total"].values["x"].values == ("three",)


def test_families_of_a_custom_collector(tmp_path: Path) -> None:
    """A family that a collector yields is a metric; add_metric gives its labels."""
    found = declared(
        tmp_path,
        app="""
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

class Collector:
    def collect(self):
        g = GaugeMetricFamily("disk_free_bytes", "h", labels=["disk"])
        g.add_metric(["sda"], 1)
        g.add_metric(["sdb"], 2)
        yield g
        yield CounterMetricFamily("reads", "h", value=1)
""",
    )
    assert found["disk_free_bytes"].values["disk"].values == ("sda", "sdb")
    assert found["reads_total"].type is MetricType.COUNTER


def test_opentelemetry_is_named_as_its_exporter_names_it(tmp_path: Path) -> None:
    """Instruments by place and by keyword; attributes are labels."""
    found = declared(
        tmp_path,
        app="""
from opentelemetry import metrics

meter = metrics.get_meter("shop")
orders = meter.create_counter("shop.orders", unit="1", description="Orders.")
wait = meter.create_histogram("shop.wait", "s", explicit_bucket_boundaries_advisory=[1, 5])

def f(request):
    orders.add(1, {"http.method": request.method})
    wait.record(2, attributes={"path": request.path})
""",
    )
    assert found["shop_orders_total"].values["http_method"].count == 9
    assert found["shop_wait_seconds"].bucket_count == 2
    assert found["shop_wait_seconds"].values["path"].kind == "request path"


def test_other_libraries_with_the_same_words_are_left_alone(tmp_path: Path) -> None:
    """Counter of collections and labels of a chart declare and give nothing."""
    code = "from collections import Counter\nc = Counter('ab')\nax.labels('x')\n"
    assert declared(tmp_path, app=code) == {}
