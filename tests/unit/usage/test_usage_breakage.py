"""Which queries break when metrics, labels or buckets are dropped."""

from __future__ import annotations

import json

import pytest

from workbench.usage import Usage, read_usage


def rules(*listed: dict[str, str]) -> Usage:
    return read_usage(json.dumps({"groups": [{"name": "g", "rules": list(listed)}]}).encode())


def alert(name: str, expression: str, summary: str = "") -> dict:
    return {"alert": name, "expr": expression, "annotations": {"summary": summary}}


def record(name: str, expression: str) -> dict[str, str]:
    return {"record": name, "expr": expression}


def told(found: tuple) -> list[tuple[str, str, str]]:
    return [(one.query.title.removeprefix("g › "), one.effect.value, one.reason) for one in found]


def test_dropping_a_metric_breaks_what_reads_it_and_what_reads_that() -> None:
    usage = rules(
        record("r:x", "sum(x)"), alert("A", "r:x > 1"), alert("B", "y > 1"), alert("C", "absent(x)")
    )
    assert told(usage.breaks(drop_metrics=["x"])) == [
        ("r:x", "breaks", "it reads x"),
        ("C", "breaks", "absent() of x is true from then on"),
        ("A", "breaks", "it reads r:x"),
    ]


def test_how_surely_a_query_means_the_metric_decides_how_surely_it_breaks() -> None:
    usage = rules(
        alert("named", "x > 1"),
        alert("pattern", 'count({__name__=~"x.*"}) > 1'),
        alert("possible", '{job="a"} > 1'),
        alert("not meant", '{__name__!="x",job="a"} > 1'),
    )
    assert [one[:2] for one in told(usage.breaks(drop_metrics=["x"]))] == [
        ("named", "breaks"),
        ("pattern", "changes"),
        ("possible", "may change"),
    ]


def test_dropping_a_label_spares_what_sums_it_away() -> None:
    usage = rules(
        alert("sums", "sum by (job) (rate(x[5m])) > 1"),
        alert("names", 'sum(x{pod!="a"}) > 1'),
        alert("shows", "x > 1"),
        alert("averages", "avg(x) > 1"),
        alert("tells", "sum without (node) (x) > 1", "{{ $labels.pod }}"),
    )
    assert told(usage.breaks(drop_labels={"x": ["pod"]})) == [
        ("names", "breaks", "it names pod of x (matcher)"),
        ("tells", "breaks", "it names pod of x (template)"),
        ("shows", "changes", "it shows pod of x (output)"),
        ("averages", "changes", "avg takes the series that pod of x tells apart one by one"),
    ]


def test_a_label_that_a_recording_rule_hands_on_is_lost_to_its_readers() -> None:
    usage = rules(
        record("r:x", "sum without (node) (x)"),
        alert("A", "max by (pod) (r:x) > 1"),
        alert("B", "sum(r:x) > 1"),
    )
    assert told(usage.breaks(drop_labels={"x": ["pod"]})) == [
        ("A", "breaks", "it names pod of r:x (by)"),
        ("r:x", "changes", "it shows pod of x (output)"),
    ]


def test_figures_that_change_change_what_is_made_of_them() -> None:
    usage = rules(record("r:x", "count(x)"), alert("A", "r:x > 1"))
    assert told(usage.breaks(drop_labels={"x": ["pod"]})) == [
        ("r:x", "changes", "count takes the series that pod of x tells apart one by one"),
        ("A", "changes", "it reads r:x, whose figures change"),
    ]


@pytest.mark.parametrize(
    ("expression", "effect", "part"),
    [
        ('x_bucket{le="0.5"}', "breaks", 'asks for le="0.5"'),
        ('x_bucket{le="1"}', None, ""),
        ('sum(x_bucket{le=~"0.5|1"})', "changes", 'le="0.5"'),
        ('sum(x_bucket{le!="0.5"})', None, ""),
        ("histogram_quantile(0.9, sum by (le) (rate(x_bucket[5m])))", "changes", "coarser"),
        ("histogram_quantile(0.9, x_bucket)", "changes", "coarser"),
        ("sum by (le) (x_bucket)", "changes", "coarser"),
        ("x_bucket", "changes", "reads"),
        ("x_count", None, ""),
        ("histogram_quantile(0.9, y_bucket)", None, ""),
    ],
)
def test_dropping_a_bucket(expression: str, effect: str | None, part: str) -> None:
    found = told(rules(alert("A", expression)).breaks(drop_bounds={"x": [0.5]}))
    assert [one[1] for one in found] == ([effect] if effect else [])
    assert all(part in one[2] for one in found)


def test_without_the_last_bucket_a_quantile_has_no_total() -> None:
    usage = rules(alert("A", "histogram_quantile(0.9, rate(x_bucket[5m]))"))
    found = told(usage.breaks(drop_bounds={"x_bucket": ["+Inf"]}))
    assert found == [("A", "breaks", 'without le="+Inf" the total of x_bucket is gone')]


def test_rules_that_read_each_other_do_not_go_round_for_ever() -> None:
    usage = rules(record("a", "sum without (x) (b)"), record("b", "sum without (y) (a)"))
    assert {one.query.record for one in usage.breaks(drop_labels={"a": ["z"]})} == {"a", "b"}
    assert {one.query.record for one in usage.breaks(drop_metrics=["a"])} == {"a", "b"}
    assert usage.labels_of("a", ["z"])["z"].role.name == "SHOWN"


def test_what_is_uncertain_stays_uncertain_down_the_chain() -> None:
    usage = rules(
        record("r", 'sum({job="a",__name__!~"r|s"})'), record("s", "sum(r)"), alert("A", "s > 1")
    )
    found = told(usage.breaks(drop_metrics=["x"]))
    assert [one[:2] for one in found] == [(n, "may change") for n in ("r", "s", "A")]
