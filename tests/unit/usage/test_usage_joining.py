"""Use joined with what there is, on real rules, dashboards and expositions; and mimirtool's JSON."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from workbench.inventory import Inventory, LabelTable, ObservedMetric
from workbench.usage import (
    LabelRole,
    Status,
    grafana_analysis,
    join_inventory,
    load_usage,
    mimirtool_inventory,
    mimirtool_json,
    prometheus_analysis,
    read_usage,
    ruler_analysis,
)

DATA = Path(__file__).parents[4] / "shared" / "data"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real inputs is not there")


def inventory(**metrics: list[dict[str, str]]) -> Inventory:
    observed = {
        name: ObservedMetric(name, name, len(rows), table=LabelTable.of(rows))
        for name, rows in metrics.items()
    }
    return Inventory("test", observed)


def exposition(file: str) -> Inventory:
    """Read an exposition with two regular expressions: independent of the workbench's own reader."""
    rows: dict[str, list[dict[str, str]]] = {}
    for line in (DATA / "exposition" / file).read_text().splitlines():
        found = re.match(r"([\w:]+)(?:\{(.*)\})? ", line)
        if found and not line.startswith("#"):
            labels = dict(re.findall(r'(\w+)="((?:\\.|[^"])*)"', found[2] or ""))
            rows.setdefault(found[1], []).append(labels)
    return inventory(**rows)


def rules(*expressions: str) -> bytes:
    listed = [{"alert": f"A{i}", "expr": text} for i, text in enumerate(expressions)]
    return json.dumps({"groups": [{"name": "g", "rules": listed}]}).encode()


def test_series_and_labels_are_sorted_by_use() -> None:
    found = join_inventory(
        read_usage(rules("sum by (job) (x) > 1", "gone > 1")),
        inventory(
            x=[{"job": "a", "pod": "1"}, {"job": "a", "pod": "2"}],
            y=[{"job": "a"}],
        ),
    )
    assert found.in_use_series == 2
    assert found.unused_series == 1
    assert [one.metric.name for one in found.with_status(Status.UNUSED)] == ["y"]
    assert found.metrics["x"].unused_labels == ("pod",)
    assert found.metrics["x"].labels["job"].role is LabelRole.REQUIRED
    assert list(found.missing) == ["gone"]


def test_a_selector_without_a_name_counts_only_where_its_conditions_can_hold() -> None:
    usage = read_usage(rules('{job="a"} > 1', '{job=~".+",job!="a",pod=""} > 1'))
    found = join_inventory(
        usage, inventory(x=[{"job": "a"}], y=[{"job": "b", "pod": "1"}], z=[{"job": "c"}])
    )
    assert {name: one.status.name for name, one in found.metrics.items()} == {
        "x": "POSSIBLY_USED",
        "y": "UNUSED",
        "z": "POSSIBLY_USED",
    }


# -------------------------------------------------------------------- real files


@real
@pytest.mark.parametrize("file", ["node-exporter-1.5.prom", "prometheus-2.42.prom"])
def test_used_metrics_are_those_whose_names_stand_in_the_files(file: str) -> None:
    """A crude search for each exposed name in the text agrees: those files use no patterns."""
    usage = load_usage(rules=[DATA / "rules"], dashboards=[DATA / "dashboards"])
    assert not usage.unread
    there = exposition(file)
    folders = (DATA / "rules", DATA / "dashboards")
    text = "\n".join(f.read_text() for folder in folders for f in sorted(folder.iterdir()))
    searched = set(there.metrics) & set(re.findall(r"[\w:]+", text))
    found = join_inventory(usage, there)
    assert {one.metric.name for one in found.with_status(Status.USED)} == searched
    assert found.with_status(Status.POSSIBLY_USED) == ()


@real
def test_unused_labels_of_used_metrics_are_those_found_by_hand() -> None:
    """The dashboard asks node_uname_info only for the values of three labels, and sums guest time."""
    usage = load_usage(rules=[DATA / "rules"], dashboards=[DATA / "dashboards"])
    found = join_inventory(usage, exposition("node-exporter-1.5.prom"))
    unused = {
        one.metric.name: one.unused_labels
        for one in found.with_status(Status.USED)
        if one.unused_labels
    }
    assert unused == {
        "node_cpu_guest_seconds_total": ("cpu", "mode"),
        "node_uname_info": ("domainname", "machine", "release", "sysname", "version"),
    }


@real
def test_every_query_of_the_real_files_is_placed_on_its_line() -> None:
    usage = load_usage(rules=[DATA / "rules"], dashboards=[DATA / "dashboards"])
    texts = {q.place.path: Path(q.place.path).read_text().splitlines() for q in usage.queries}
    assert len(usage.queries) > 300
    for query in usage.queries:
        line = texts[query.place.path][query.place.line - 1]
        assert "expr" in line or '"query"' in line or '"definition"' in line


# -------------------------------------------------------------------- mimirtool


def dashboard() -> bytes:
    target = {"expr": 'sum({__name__=~"x_.+"}) / y', "datasource": {"type": "prometheus"}}
    broken = {"expr": "sum(", "datasource": {"type": "prometheus"}}
    document = {"title": "My Board", "uid": "u", "panels": [{"targets": [target, broken]}]}
    return json.dumps(document).encode()


def test_what_is_written_for_dashboards_has_mimirtools_keys() -> None:
    found = grafana_analysis(read_usage(dashboard()), ["x_a", "x_b", "z"])
    (written,) = found["dashboards"]
    assert list(found) == ["metricsUsed", "dashboards"]
    assert list(written) == ["slug", "uid", "title", "metrics", "parse_errors"]
    assert written["metrics"] == found["metricsUsed"] == ["x_a", "x_b", "y"]
    assert written["slug"] == "my-board"
    assert len(written["parse_errors"]) == 1
    assert written["parse_errors"][0].startswith("query=sum(: ")


def test_what_is_written_for_rules_keeps_the_misspelling() -> None:
    usage = read_usage(
        json.dumps({"ns": [{"name": "g", "rules": [{"alert": "A", "expr": "x > 1"}]}]}).encode()
    )
    found = ruler_analysis(usage)
    assert found == {
        "metricsUsed": ["x"],
        "ruleGroups": [{"namspace": "ns", "name": "g", "metrics": ["x"], "parse_errors": None}],
    }
    assert '"namspace": "ns"' in mimirtool_json(found)


def test_counts_are_written_and_read_back() -> None:
    there = inventory(
        x=[{"job": "a", "p": "1"}, {"job": "b", "p": "1"}, {"job": "b", "p": "2"}], y=[{}]
    )
    written = prometheus_analysis(read_usage(rules("x > 1")), there)
    assert written == {
        "total_active_series": 4,
        "in_use_active_series": 3,
        "additional_active_series": 1,
        "in_use_metric_counts": [
            {
                "metric": "x",
                "count": 3,
                "job_counts": [{"job": "b", "count": 2}, {"job": "a", "count": 1}],
            }
        ],
        "additional_metric_counts": [{"metric": "y", "count": 1, "job_counts": []}],
        "errors": [],
    }
    back = mimirtool_inventory(json.loads(mimirtool_json(written)), "mimirtool")
    assert {name: metric.series for name, metric in back.metrics.items()} == {"x": 3, "y": 1}
    assert back.total_series == 4
    assert back.metrics["x"].distinct("job") == 2


def test_mimirtools_files_are_read_as_coarse_use() -> None:
    grafana = {
        "metricsUsed": ["x"],
        "dashboards": [{"title": "D", "metrics": ["x"], "parse_errors": None}],
    }
    ruler = {
        "metricsUsed": ["y"],
        "ruleGroups": [{"namspace": "n", "name": "g", "metrics": ["y", 7]}],
    }
    usage = read_usage(json.dumps(grafana).encode()).joined(read_usage(json.dumps(ruler).encode()))
    assert usage.metrics == ("x", "y")
    assert usage.status("x") is usage.status("y") is Status.USED
    proof = usage.labels_of("x", ["job"])["job"].proofs[0]
    assert (proof.role, proof.reason) == (LabelRole.SHOWN, "only its metrics are known")
    assert usage.queries[1].collection.namespace == "n"
    counts = prometheus_analysis(usage, inventory(x=[{}], z=[{}]))
    assert read_usage(json.dumps(counts).encode()).metrics == ("x",)
