"""Rule files in every wrapping, what templates name, and chains of recording rules."""

from __future__ import annotations

import json

import pytest

from workbench.usage import Kind, LabelRole, Status, load_usage, read_usage

RULES = """
groups:
- name: g
  labels: {team: core}
  rules:
  - record: job:x:rate5m
    expr: sum by (job) (rate(x_total[5m]))
  - alert: XHigh
    expr: |
      job:x:rate5m > 5
    labels:
      severity: page
      service: '{{ $labels.job }}'
    annotations:
      summary: "{{ $labels.job }} is at {{ $value }}"
"""


def test_a_plain_rule_file_gives_titles_kinds_and_lines() -> None:
    found = read_usage(RULES.encode(), "r.yml")
    shown = [(q.title, q.kind, str(q.place), q.record) for q in found.queries]
    assert shown == [
        ("g › job:x:rate5m", Kind.RECORDING_RULE, "r.yml:7", "job:x:rate5m"),
        ("g › XHigh", Kind.ALERT, "r.yml:9", ""),
    ]
    assert not found.unread
    assert found.files == 1


GROUP = {"name": "g", "rules": [{"alert": "A", "expr": "x > 1"}]}
MANIFEST = {
    "apiVersion": "monitoring.coreos.com/v1",
    "kind": "PrometheusRule",
    "metadata": {"name": "m"},
    "spec": {"groups": [GROUP]},
}
API_RULE = {"type": "alerting", "name": "A", "query": "x > 1"}


@pytest.mark.parametrize(
    ("document", "namespace"),
    [
        ({"groups": [GROUP]}, ""),
        ({"namespace": "ns", "groups": [GROUP]}, "ns"),
        ({"ns": [GROUP]}, "ns"),
        ([GROUP], ""),
        (GROUP, ""),
        (MANIFEST, "m"),
        ({"kind": "List", "items": [MANIFEST]}, "m"),
        ({"kind": "PrometheusRuleList", "items": [MANIFEST]}, "m"),
        (
            {
                "status": "success",
                "data": {"groups": [{"name": "g", "file": "f.yml", "rules": [API_RULE]}]},
            },
            "f.yml",
        ),
    ],
)
def test_each_wrapping_of_a_rule_group_is_read(document: object, namespace: str) -> None:
    found = read_usage(json.dumps(document).encode(), "r.json")
    (query,) = found.queries
    assert query.title == "g › A"
    assert query.metrics == ("x",)
    assert query.collection.namespace == namespace


def test_several_documents_and_anchors_are_read() -> None:
    text = """
groups:
- &one {name: a, rules: [{alert: A, expr: x > 1}]}
---
groups:
- name: b
  rules:
  - &rule {alert: B, expr: y > 1}
  - <<: *rule
    alert: C
"""
    found = read_usage(text.encode())
    assert [q.title for q in found.queries] == ["a › A", "b › B", "b › C"]
    assert found.queries[2].metrics == ("y",)


def test_an_alert_of_grafana_itself_is_read_and_its_arithmetic_is_not() -> None:
    rule = {
        "title": "T",
        "data": [
            {"datasourceUid": "p", "model": {"expr": "sum(x)"}},
            {"datasourceUid": "__expr__", "model": {"expr": "$A > 1"}},
        ],
    }
    found = read_usage(
        json.dumps({"apiVersion": 1, "groups": [{"name": "g", "rules": [rule]}]}).encode()
    )
    assert [q.expression for q in found.queries] == ["sum(x)"]


def test_labels_in_templates_are_required_and_labels_the_rule_writes_hide_others() -> None:
    found = read_usage(RULES.encode())
    uses = found.labels_of("job:x:rate5m", ["job", "severity", "team", "other"])
    roles = {name: use.role for name, use in uses.items()}
    assert roles == {
        "job": LabelRole.REQUIRED,
        "severity": LabelRole.UNUSED,
        "team": LabelRole.UNUSED,
        "other": LabelRole.SHOWN,
    }
    assert uses["job"].proofs[0].reason == "template"


def test_a_query_in_an_annotation_is_a_query() -> None:
    text = """
groups: [{name: g, rules: [{alert: A, expr: up == 0, annotations: {
  d: '{{ with printf "x" | query }}{{ end }}{{ with query "max by (zone) (y)" }}{{ . | first | label "zone" }}{{ end }}'}}]}]
"""
    found = read_usage(text.encode())
    assert [q.metrics for q in found.queries] == [("up",), ("y",)]
    assert found.labels_of("y")["zone"].role is LabelRole.REQUIRED


def test_a_label_reaches_over_recording_rules_to_the_alert_that_names_it() -> None:
    found = read_usage(RULES.encode())
    proofs = found.labels_of("x_total", ["job"])["job"].proofs
    assert [(p.query.title, p.reason, p.through) for p in proofs] == [
        ("g › job:x:rate5m", "by", ()),
        ("g › XHigh", "template", ("job:x:rate5m",)),
    ]


def test_what_only_unread_recording_rules_read_is_not_called_used() -> None:
    """Two rules that feed each other and nobody else stay dead; one that an alert reads lives."""
    text = """
groups: [{name: g, rules: [
  {record: 'a:r', expr: 'sum(x) + b:r'}, {record: 'b:r', expr: 'sum(y) + a:r'},
  {record: 'c:r', expr: 'sum(z)'}, {record: 'd:r', expr: 'sum(c:r)'}, {alert: A, expr: 'd:r > 1'}]}]
"""
    found = read_usage(text.encode())
    assert {name: found.status(name) for name in ("x", "y", "z", "c:r", "a:r", "nothing")} == {
        "x": Status.RECORDED_ONLY,
        "y": Status.RECORDED_ONLY,
        "z": Status.USED,
        "c:r": Status.USED,
        "a:r": Status.RECORDED_ONLY,
        "nothing": Status.UNUSED,
    }
    assert [q.record for q in found.unread_rules] == ["a:r", "b:r"]


def test_a_query_that_does_not_parse_is_told_and_what_it_may_mean_is_possibly_used() -> None:
    text = "groups: [{name: g, rules: [{alert: A, expr: 'sum(rate(x_total[5m]) / up'}, {alert: B, expr: y > 1}]}]"
    found = read_usage(text.encode(), "r.yml")
    assert [(one.path, one.line) for one in found.unread] == [("r.yml", 1)]
    assert found.unread[0].reason.startswith("g › A: ")
    assert found.status("x_total") is found.status("up") is Status.POSSIBLY_USED
    assert found.status("y") is Status.USED
    assert found.status("rate") is Status.UNUSED


@pytest.mark.parametrize(
    ("selector", "used", "possible", "unused"),
    [
        ('{__name__=~"x_.+"}', ["x_a"], [], ["y", "x_"]),
        ('{__name__="x"}', ["x"], [], ["y"]),
        ('{__name__!="x",job="j"}', [], ["y", "z"], ["x"]),
        ('{__name__=~".+",job="j"}', [], ["x", "y"], []),
        ('{__name__=~"x|y",__name__!="x"}', ["y"], [], ["x", "z"]),
        ('{__name__=~"(?i)X.*"}', ["xa", "Xb"], [], ["y"]),
        ('{job="j"}', [], ["x", "y"], []),
    ],
)
def test_the_three_traps_of_names(
    selector: str, used: list[str], possible: list[str], unused: list[str]
) -> None:
    """Patterns count, a name in braces is a name, and a name ruled out is not used."""
    rule = {"alert": "A", "expr": f"count({selector}) > 1"}
    found = read_usage(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}).encode())
    assert all(found.status(name) is Status.USED for name in used)
    assert all(found.status(name) is Status.POSSIBLY_USED for name in possible)
    assert all(found.status(name) is Status.UNUSED for name in unused)


def test_members_of_a_histogram_are_told_apart() -> None:
    text = "groups: [{name: g, rules: [{alert: A, expr: 'x_bucket + x_count'}, {alert: B, expr: histogram_avg(y)}]}]"
    found = read_usage(text.encode())
    assert list(found.of_family("x")) == ["x_bucket", "x_count"]
    assert list(found.of_family("y")) == ["y"]


def test_files_and_folders_are_read_once_and_others_are_counted(tmp_path) -> None:
    rules = tmp_path / "rules"
    (rules / "deep").mkdir(parents=True)
    (rules / ".git").mkdir()
    (rules / ".git" / "x.yml").write_text(RULES)
    (rules / "a.yml").write_text(RULES)
    (rules / "deep" / "values.yaml").write_text("image: nginx")
    (rules / "deep" / "note.md").write_text("no rules")
    (rules / "link.yml").symlink_to(rules / "a.yml")
    (rules / "loop").symlink_to(rules)
    (rules / "gone.yml").symlink_to(rules / "nowhere")
    (rules / "latin.yml").write_bytes(b"groups: \xff\xe9")
    found = load_usage(rules=[rules, rules / "a.yml"], dashboards=[str(rules)])
    assert len(found.queries) == 2
    assert found.files == 1
    assert found.skipped["neither rules nor dashboards"] == 1
    assert found.skipped["another kind of file"] > 0
    assert [one.path.rsplit("/")[-1] for one in found.unread] == ["latin.yml"]


def test_a_file_that_was_named_and_holds_nothing_is_told(tmp_path) -> None:
    (tmp_path / "values.yaml").write_text("image: nginx")
    found = load_usage(rules=[tmp_path / "values.yaml"])
    assert found.unread[0].reason == "it holds neither rule groups nor a dashboard"


def test_a_key_that_stands_twice_is_noted() -> None:
    text = "groups:\n- name: g\n  rules:\n  - alert: A\n    expr: x\n    expr: y\n"
    found = read_usage(text.encode(), "r.yml")
    assert found.notes == ("r.yml:6: the key 'expr' stands twice; the last one was read",)
    assert found.queries[0].expression == "y"


def test_rules_of_loki_are_left_out_and_counted() -> None:
    rule = {"alert": "A", "expr": 'sum(rate({app="x"} |= "error" [5m])) > 1'}
    found = read_usage(json.dumps({"groups": [{"name": "g", "rules": [rule]}]}).encode())
    assert found.skipped == {"query in LogQL": 1}
    assert not found.unread


def test_one_path_may_stand_for_itself(tmp_path) -> None:
    (tmp_path / "a.yml").write_text(RULES)
    assert len(load_usage(rules=str(tmp_path)).queries) == 2
    assert len(load_usage(dashboards=tmp_path / "a.yml").queries) == 2


def test_rules_within_a_configmap_are_read_and_placed() -> None:
    text = "kind: ConfigMap\ndata:\n  other: x\n  r.yml: |\n" + "".join(
        f"    {line}\n" for line in RULES.strip().splitlines()
    )
    found = read_usage(text.encode(), "c.yml")
    assert [q.title for q in found.queries] == ["g › job:x:rate5m", "g › XHigh"]
    lines = text.splitlines()
    assert all("expr:" in lines[q.place.line - 1] for q in found.queries)


def test_an_empty_rule_file_is_a_rule_file() -> None:
    found = read_usage(b"groups: []", "r.yml")
    assert (found.files, found.unread) == (1, ())


def test_rules_before_a_broken_document_are_kept() -> None:
    found = read_usage(RULES.encode() + b"\n---\n\t: [", "r.yml")
    assert len(found.queries) == 2
    assert len(found.unread) == 1


def test_a_web_of_recording_rules_is_followed_in_reasonable_time() -> None:
    """Thirty layers of two rules each have a milliard paths; each rule is met once."""
    listed = [
        {"record": f"r{layer}{side}", "expr": f"r{layer - 1}a + r{layer - 1}b"}
        for layer in range(1, 31)
        for side in "ab"
    ]
    listed.append({"alert": "A", "expr": "sum by (zone) (r30a) > 1"})
    found = read_usage(json.dumps({"groups": [{"name": "g", "rules": listed}]}).encode())
    proofs = found.labels_of("r0a", ["zone"])["zone"].proofs
    assert proofs[0].query.title == "g › A"
    assert proofs[0].through[-1] == "r30a"
    assert found.breaks(drop_labels={"r0a": ["zone"]})
