"""Grafana dashboards old and new, Perses, and their variables."""

from __future__ import annotations

import json
from typing import Any

import pytest

from workbench.usage import Kind, LabelRole, Status, Usage, read_usage

PROMETHEUS = {"type": "prometheus", "uid": "p"}
OVERRIDE = {"matcher": {"id": "byName", "options": "zone"}}
TABLE = {"type": "table"}


def panel(expression: str, **more: Any) -> dict[str, Any]:
    target = {"expr": expression, "refId": "A", **more.get("target", {})}
    return {"title": "P", "type": "graph", "datasource": PROMETHEUS, "targets": [target], **more}


def board(*panels: Any, variables: Any = (), **more: Any) -> dict[str, Any]:
    listed = {"list": list(variables)}
    return {"title": "D", "uid": "u", "panels": list(panels), "templating": listed, **more}


def read(document: Any) -> Usage:
    return read_usage(json.dumps(document).encode(), "d.json")


def custom(name: str, *values: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "custom", "query": ",".join(values), **more}


# -------------------------------------------------------------------- shapes


def test_panels_are_found_wherever_they_stand() -> None:
    """New panels, panels of a collapsed row, classic rows, and nothing where a panel is a string."""
    document = board(
        panel("a"),
        {"type": "row", "collapsed": True, "panels": [panel("b"), "no panel"]},
        rows=[{"panels": [panel("c")]}, None],
    )
    found = read(document)
    assert [q.metrics for q in found.queries] == [("a",), ("b",), ("c",)]
    assert {q.title for q in found.queries} == {"D › P"}
    assert found.queries[0].kind is Kind.PANEL
    assert found.queries[0].collection.uid == "u"


def test_lines_are_those_of_the_expressions() -> None:
    data = json.dumps(board(panel("a > 1"), panel("b"), panel("a > 1")), indent=1)
    data = data.replace("a > 1", "a \\u003e 1")
    lines = data.splitlines()
    found = read_usage(data.encode(), "d.json")
    assert [q.place.line for q in found.queries] == [
        i for i, line in enumerate(lines, 1) if '"expr"' in line
    ]


@pytest.mark.parametrize(
    "wrapped",
    [
        lambda d: {"dashboard": d, "meta": {"slug": "s"}},
        lambda d: [d],
        lambda d: {"kind": "ConfigMap", "data": {"d.json": json.dumps(d)}},
        lambda d: {
            "kind": "ConfigMapList",
            "items": [{"kind": "ConfigMap", "data": {"x": json.dumps(d)}}],
        },
        lambda d: {"kind": "GrafanaDashboard", "spec": {"json": json.dumps(d)}},
        lambda d: {"kind": "Dashboard", "apiVersion": "dashboard.grafana.app/v1beta1", "spec": d},
    ],
)
def test_each_wrapping_of_a_dashboard_is_read(wrapped: Any) -> None:
    (query,) = read(wrapped(board(panel("a")))).queries
    assert (query.title, query.metrics) == ("D › P", ("a",))


def test_a_dashboard_of_the_new_schema_is_read() -> None:
    """Both ways in which schema 2 writes a query: with the kind of source as its kind, or as group."""
    old = {"kind": "prometheus", "spec": {"expr": "sum by ($by) (a)", "legendFormat": "{{pod}}"}}
    new = {
        "kind": "DataQuery",
        "group": "prometheus",
        "datasource": {"name": "p"},
        "spec": {"expr": "b"},
    }
    logs = {"kind": "DataQuery", "group": "loki", "spec": {"expr": '{app="c"}'}}
    queries = [{"kind": "PanelQuery", "spec": {"query": one}} for one in (old, new, logs)]
    element = {
        "kind": "Panel",
        "spec": {"title": "P", "data": {"kind": "QueryGroup", "spec": {"queries": queries}}},
    }
    library = {
        "kind": "LibraryPanel",
        "spec": {"title": "L", "libraryPanel": {"uid": "x", "name": "lib"}},
    }
    variables = [
        {"kind": "CustomVariable", "spec": {"name": "by", "query": "job,zone"}},
        {
            "kind": "QueryVariable",
            "spec": {
                "name": "q",
                "query": {"kind": "prometheus", "spec": {"query": "label_values(up, zone)"}},
            },
        },
    ]
    spec = {"title": "D", "elements": {"p": element, "l": library}, "variables": variables}
    found = read({"apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "spec": spec})
    assert sorted(found.metrics) == ["a", "b", "up"]
    assert {n for n, use in found.labels_of("a").items() if use.role is LabelRole.REQUIRED} == {
        "job",
        "zone",
    }
    assert found.skipped == {"query of another kind of source": 1}
    assert len(found.notes) == 1
    assert "'lib'" in found.notes[0]


def test_a_perses_dashboard_is_read() -> None:
    query = {
        "kind": "TimeSeriesQuery",
        "spec": {
            "plugin": {"kind": "PrometheusTimeSeriesQuery", "spec": {"query": 'a{job="$job"}'}}
        },
    }
    document = {
        "kind": "Dashboard",
        "metadata": {"name": "d"},
        "spec": {
            "display": {"name": "D"},
            "panels": {
                "p": {"kind": "Panel", "spec": {"display": {"name": "P"}, "queries": [query]}}
            },
            "variables": [
                {
                    "kind": "ListVariable",
                    "spec": {
                        "name": "job",
                        "plugin": {
                            "kind": "PrometheusLabelValuesVariable",
                            "spec": {"labelName": "job", "matchers": ["up", 'b{x="1"}']},
                        },
                    },
                }
            ],
        },
    }
    found = read(document)
    assert found.metrics == ("a", "b", "up")
    assert found.labels_of("up")["job"].role is LabelRole.REQUIRED


@pytest.mark.parametrize(
    ("outer", "inner", "asked"),
    [
        (PROMETHEUS, None, True),
        ({"type": "loki"}, None, False),
        ({"uid": "-- Mixed --"}, {"type": "prometheus"}, True),
        ("-- Mixed --", {"type": "loki"}, False),
        ("-- Grafana --", None, False),
        (None, None, True),
        ("My Prometheus", None, True),
        ("${ds}", None, True),
        ({"uid": "$logs"}, None, False),
        ({"uid": "${DS_IN}"}, None, False),
        ({"type": "loki"}, {"type": "prometheus"}, True),
        ({"type": "victoriametrics-metrics-datasource"}, None, True),
        ({"type": "grafana-azure-monitor-datasource"}, None, False),
        (7, ["x"], True),
    ],
)
def test_which_sources_count_as_prometheus(outer: Any, inner: Any, asked: bool) -> None:
    document = board(
        {"datasource": outer, "targets": [{"expr": "a", "datasource": inner}]},
        variables=[
            {"type": "datasource", "name": "ds", "query": "prometheus"},
            {"type": "datasource", "name": "logs", "query": "loki"},
        ],
        __inputs=[{"name": "DS_IN", "pluginId": "influxdb"}],
    )
    assert (read(document).metrics == ("a",)) is asked


def test_logql_of_an_untold_source_is_left_out_and_counted() -> None:
    found = read(board({"targets": [{"expr": '{app="x"} |= "error" | json'}]}))
    assert not found.queries
    assert found.skipped == {"query in LogQL": 1}


def test_a_library_panel_within_the_file_is_read() -> None:
    element = {"kind": 1, "model": panel("a")}
    document = board({"libraryPanel": {"uid": "x", "name": "n"}}, __elements={"x": element})
    assert read(document).metrics == ("a",)


# -------------------------------------------------------------------- labels


@pytest.mark.parametrize(
    ("more", "where"),
    [
        ({"target": {"legendFormat": "{{ zone }}"}}, "legend"),
        (
            {"transformations": [{"id": "groupBy", "options": {"fields": {"zone": {}}}}]},
            "transformation",
        ),
        (
            {"transformations": [{"id": "organize", "options": {"renameByName": {"zone": "Z"}}}]},
            "transformation",
        ),
        (
            {"transformations": [{"id": "joinByField", "options": {"byField": "zone"}}]},
            "transformation",
        ),
        (
            {**TABLE, "fieldConfig": {"overrides": [OVERRIDE]}},
            "override",
        ),
        (
            {"fieldConfig": {"defaults": {"links": [{"url": "/d?z=${__field.labels.zone}"}]}}},
            "link",
        ),
        ({"fieldConfig": {"defaults": {"displayName": "${__field.labels['zone']}"}}}, "link"),
        (
            {"target": {"format": "table"}, "options": {"sortBy": [{"displayName": "zone"}]}},
            "sorting",
        ),
        ({"styles": [{"pattern": "zone", "type": "string"}]}, "column"),
    ],
)
def test_labels_that_a_panel_names_are_required(more: dict[str, Any], where: str) -> None:
    proof = (
        read(board(panel("sum without (a) (x)", **more))).labels_of("x", ["zone"])["zone"].proofs[0]
    )
    assert (proof.role, proof.reason) == (LabelRole.REQUIRED, where)


def test_an_override_of_a_series_names_no_label() -> None:
    drawn = panel("x", fieldConfig={"overrides": [OVERRIDE]}, target={"legendFormat": "zone"})
    assert read(board(drawn)).labels_of("x") == {}


def test_a_column_that_is_hidden_is_not_required() -> None:
    hidden = [
        {"id": "organize", "options": {"excludeByName": {"zone": True}, "indexByName": {"zone": 1}}}
    ]
    use = read(board(panel("x", transformations=hidden))).labels_of("x", ["zone"])["zone"]
    assert use.role is LabelRole.SHOWN


def test_a_legend_cannot_name_what_the_query_sums_away() -> None:
    found = read(board(panel("sum by (job) (x)", target={"legendFormat": "{{zone}} {{job}}"})))
    assert found.labels_of("x", ["zone"])["zone"].role is LabelRole.UNUSED


def test_labels_of_ad_hoc_filters_and_annotations_are_required() -> None:
    document = board(
        panel("sum(x)"),
        variables=[{"type": "adhoc", "name": "f", "filters": [{"key": "zone", "value": "a"}]}],
        annotations={
            "list": [
                {
                    "name": "deploys",
                    "datasource": PROMETHEUS,
                    "expr": "changes(y[5m]) > 0",
                    "titleFormat": "{{app}}",
                    "tagKeys": "env, app",
                }
            ]
        },
    )
    found = read(document)
    assert set(found.labels_of("x")) == {"zone"}
    assert set(found.labels_of("y")) == {"zone", "app", "env"}
    assert [q.kind for q in found.queries] == [Kind.ANNOTATION, Kind.PANEL]


# -------------------------------------------------------------------- variables


@pytest.mark.parametrize(
    ("query", "metrics", "labels"),
    [
        ('label_values(up{job="$job"}, instance)', ("up",), {"job", "instance"}),
        ({"query": "label_values(up, instance)", "refId": "x"}, ("up",), {"instance"}),
        ("query_result(topk(3, sum by (zone) (up)))", ("up",), {"zone"}),
        ("up", ("up",), set()),
        ('{__name__="up",job="a"}', ("up",), {"job"}),
    ],
)
def test_what_a_query_variable_reads(
    query: Any, metrics: tuple[str, ...], labels: set[str]
) -> None:
    found = read(
        board(variables=[{"name": "v", "type": "query", "datasource": PROMETHEUS, "query": query}])
    )
    assert found.metrics == metrics
    assert set(found.labels_of("up")) == labels
    assert found.queries[0].title == "D › $v"


def test_a_variable_that_lists_a_label_uses_no_metric_but_the_label_of_all() -> None:
    found = read(board(variables=[{"name": "v", "type": "query", "query": "label_values(zone)"}]))
    assert found.status("up") is Status.UNUSED
    assert found.labels_of("up", ["zone", "x"])["zone"].role is LabelRole.REQUIRED
    assert found.labels_of("up", ["zone", "x"])["x"].role is LabelRole.UNUSED


def test_a_variable_that_lists_metrics_possibly_uses_those_that_match() -> None:
    found = read(board(variables=[{"name": "v", "type": "query", "query": "metrics(node_.*)"}]))
    assert found.status("node_load1") is Status.POSSIBLY_USED
    assert found.status("up") is Status.UNUSED


def test_labels_that_a_variables_regex_cuts_out_are_required() -> None:
    item = {
        "name": "v",
        "type": "query",
        "query": "query_result(up)",
        "regex": '/.*zone="([^"]*)".*/',
    }
    uses = read(board(variables=[item])).labels_of("up", ["zone", "job"])
    assert uses["zone"].role is LabelRole.REQUIRED
    assert uses["job"].role is LabelRole.UNUSED


@pytest.mark.parametrize(
    "expression",
    [
        "rate(x[$__rate_interval])",
        "rate(x[${__interval}])",
        "increase(x[$__range])",
        "increase(x[${__range_s}s])",
        "x / $__range_s",
        "sum_over_time(x[$__range:$__interval])",
        "rate(x[$step])",
        "rate(x[[[step]]])",
        "rate(x[$unknown])",
        "x offset $step",
        "x @ ${__from}",
        "topk($n, x)",
        "histogram_quantile($n, x)",
        "x > $unknown",
        "x * $unknown",
        'x{job=~"$unknown"}',
        'x{job="[[unknown]]"}',
        'x{job=~"${unknown:regex}"}',
        "sum by ($unknown) (x)",
        "sum by (job, $unknown) (x)",
        'x{$unknown="a"}',
        'x{job="a", $unknown}',
        "$unknown(x)",
        "$unknown(x[5m])",
        "$agg by (job) (x)",
        "sum(x) # $unknown",
        'label_replace(x, "a", "$1", "b", "(.*)")',
    ],
)
def test_a_query_parses_whatever_stands_where_a_variable_is(expression: str) -> None:
    variables = [
        {"name": "step", "type": "interval", "query": "1m,5m", "current": {"value": "5m"}},
        {"name": "n", "type": "textbox", "query": "0.9"},
        custom("agg", "sum", "avg"),
    ]
    found = read(board(panel(expression), variables=variables))
    assert not found.unread
    assert found.metrics == ("x",)


@pytest.mark.parametrize(
    ("expression", "used", "unused"),
    [
        ("node_${dir}_bytes", ["node_in_bytes", "node_out_bytes"], ["node_x_bytes"]),
        ('{__name__=~"node_${dir}"}', ["node_in", "node_out"], ["node_x", "node_"]),
        ('{__name__="node_$dir"}', ["node_in", "node_out"], ["node_x"]),
        ('rate($metric{job="a"}[5m])', ["a_total", "b_total"], ["c_total"]),
    ],
)
def test_known_values_stand_for_themselves(
    expression: str, used: list[str], unused: list[str]
) -> None:
    variables = [custom("dir", "in", "out"), custom("metric", "A : a_total", "B : b_total")]
    found = read(board(panel(expression), variables=variables))
    assert all(found.status(name) is Status.USED for name in used)
    assert all(found.status(name) is Status.UNUSED for name in unused)


def test_a_name_from_an_unknown_variable_is_a_pattern_that_proves_nothing() -> None:
    found = read(
        board(panel("sum(${metric}_total)"), variables=[{"name": "metric", "type": "query"}])
    )
    assert found.status("a_total") is Status.POSSIBLY_USED
    assert found.status("a_bytes") is Status.UNUSED


def test_too_many_combinations_become_patterns() -> None:
    many = custom("m", *(f"v{i}" for i in range(100)))
    found = read(board(panel("a_${m}"), variables=[many]))
    assert not found.unread
    assert found.status("a_v5") is Status.USED
    assert found.status("b_v5") is Status.UNUSED


def test_labels_that_an_unknown_variable_groups_by_may_be_any() -> None:
    found = read(board(panel("sum by ($by) (x)")))
    assert found.labels_of("x", ["zone"])["zone"].role is LabelRole.SHOWN


def test_constants_of_an_exported_dashboard_are_known() -> None:
    inputs = [{"name": "VAR_PREFIX", "type": "constant", "value": "app"}]
    prefix = {"name": "prefix", "type": "constant", "query": "${VAR_PREFIX}"}
    document = board(panel("${prefix}_up"), variables=[prefix], __inputs=inputs)
    assert read(document).metrics == ("app_up",)


def test_a_variable_whose_label_is_a_variable_may_list_any() -> None:
    item = {"name": "v", "type": "query", "query": "label_values(up, $label)"}
    found = read(board(variables=[item]))
    assert found.labels_of("up", ["zone"])["zone"].role is LabelRole.SHOWN
