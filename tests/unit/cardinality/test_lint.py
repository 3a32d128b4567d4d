"""The lint's rules, one by one, over text and over code."""

from __future__ import annotations

import time

import pytest

from workbench.cardinality.lint import SEVERITIES, LintRule, chosen_rules, lint
from workbench.errors import InputError
from workbench.findings import Severity
from workbench.inventory import DeclaredMetric, Inventory, LabelTable, ObservedMetric, Place
from workbench.samples import MetricMetadata, MetricType


def exposed(
    name: str, kind: MetricType = MetricType.GAUGE, *labels: str, text: str = "Text."
) -> Inventory:
    """One family with one series."""
    table = LabelTable.of([dict.fromkeys(labels, "x")])
    metric = ObservedMetric(name, name, 1, kind, text, table=table, place=Place("m.prom", 3))
    return Inventory("m.prom", {name: metric}, metadata={name: MetricMetadata(name, kind, text)})


def declared(name: str, kind: MetricType, *labels: str, **more: object) -> DeclaredMetric:
    """A metric in code."""
    return DeclaredMetric(
        name, kind, "Text.", labels, Place("a.go", 7), "go", "client_golang", **more
    )


def broken(inventory: Inventory) -> list[tuple[str, str]]:
    """Rules and labels of the problems."""
    return [(p.rule.value, p.label) for p in lint(inventory)]


C, G, H, S, U = (
    MetricType.COUNTER,
    MetricType.GAUGE,
    MetricType.HISTOGRAM,
    MetricType.SUMMARY,
    MetricType.UNKNOWN,
)


@pytest.mark.parametrize(
    ("inventory", "wanted"),
    [
        (exposed("requests_total", C, "method"), []),
        (exposed("requests", G, text=""), [("help", "")]),
        (exposed("wait_milliseconds"), [("metric-units", "")]),
        (exposed("wait_mebibytes"), [("metric-units", "")]),
        (exposed("wait_seconds"), []),
        (exposed("thermometers"), []),
        (exposed("wait_ms"), [("unit-abbreviations", "")]),
        (exposed("ms_wait"), []),
        (exposed("requests", C), [("counter", "")]),
        (exposed("requests_total", G), [("counter", "")]),
        (exposed("requests_total", U), []),
        (exposed("jobs_count", G), [("histogram-summary-reserved", "")]),
        (exposed("jobs_count", U, "le"), []),
        (exposed("jobs", G, "le"), [("histogram-summary-reserved", "le")]),
        (exposed("jobs", S, "quantile"), []),
        (exposed("jobs", H, "quantile"), [("histogram-summary-reserved", "quantile")]),
        (exposed("jobs", MetricType.GAUGEHISTOGRAM, "le"), []),
        (exposed("jobs_gauge"), [("metric-type-in-name", "")]),
        (exposed("gauge_jobs"), []),
        (exposed("a:b"), [("reserved-chars", "")]),
        (exposed("fooBar", G, "bazQux"), [("camel-case", ""), ("camel-case", "bazQux")]),
        (exposed("job_running", G, "__x"), [("label-reserved", "__x")]),
        (exposed("job_running", G, "job", "instance"), []),
        (exposed("hits_by_path_total", C, "path"), [("label-repeats-name", "path")]),
        (exposed("hits_total", C, "hits_kind"), [("label-repeats-name", "hits_kind")]),
        (exposed("standby_pathway_total", C, "path"), []),
        (
            exposed("hits_total", C, "userId"),
            [("camel-case", "userId"), ("label-high-risk", "userId")],
        ),
        (exposed("hits_total", C, "method", "identity", "valid", "curl", "rapid"), []),
        (
            exposed("http.requests", G, "k8s.pod"),
            [("name-characters", ""), ("name-characters", "k8s.pod")],
        ),
    ],
)
def test_each_rule(inventory: Inventory, wanted: list[tuple[str, str]]) -> None:
    """What breaks which rule, and its neighbours that do not."""
    assert broken(inventory) == wanted


def test_declared_metrics_are_checked_where_they_stand() -> None:
    """Code gives no ``le`` to a histogram, and no ``job``; the place is the declaration."""
    metrics = (
        declared("wait_seconds", H, "le"),
        declared("hits_total", C, "job", constant_labels={"instance": "x"}),
        declared("…_hits", C, name_exact=False),
    )
    problems = lint(Inventory("src", declared=metrics))
    assert [(p.metric, p.rule.value, p.label) for p in problems] == [
        ("hits_total", "label-target", "instance"),
        ("hits_total", "label-target", "job"),
        ("wait_seconds", "histogram-summary-reserved", "le"),
        ("…_hits", "counter", ""),
    ]
    assert {str(p.place) for p in problems} == {"a.go:7"}


def test_two_declarations_of_one_name_must_agree() -> None:
    """The same again is another program; other labels are another metric."""
    same = declared("hits_total", C, "a", "b")
    other = declared("hits_total", C, "b")
    turned = declared("hits_total", C, "b", "a")
    assert broken(Inventory("src", declared=(same, turned, same))) == []
    (problem,) = lint(Inventory("src", declared=(same, other)))
    assert problem.rule is LintRule.DECLARED_TWICE
    assert "labels at a.go:7" in problem.text


def test_duplicates_are_told_once_a_family() -> None:
    """Ten series twice are one problem with an example, found by the name before the brace."""
    base = exposed("hits_total", C, "a")
    twice = tuple(f'hits_total{{a="{i}"}}' for i in range(10))
    inventory = Inventory("m", base.metrics, metadata=base.metadata, duplicates=twice)
    (problem,) = lint(inventory)
    assert (problem.rule, problem.metric) == (LintRule.DUPLICATE_METRIC, "hits_total")
    assert problem.severity is Severity.ERROR
    assert 'hits_total{a="0"} and 9 more' in problem.text


def test_members_of_a_family_are_one() -> None:
    """Buckets and sums of a histogram are told under its name; ``_created`` under the counter's."""
    data = {
        "wait": MetricMetadata("wait", H, ""),
        "hits_total": MetricMetadata("hits_total", C, "Text."),
    }
    rows = {
        "wait_bucket": ("wait", H, ["le", "userID"]),
        "wait_sum": ("wait", H, ["userID"]),
        "hits_created": ("hits_created", U, []),
    }
    metrics = {
        name: ObservedMetric(
            name, family, 1, kind, table=LabelTable.of([dict.fromkeys(labels, "x")])
        )
        for name, (family, kind, labels) in rows.items()
    }
    problems = lint(Inventory("m", metrics, metadata=data))
    assert [(p.metric, p.rule.value) for p in problems] == [
        ("wait", "help"),
        ("wait", "camel-case"),
        ("wait", "label-high-risk"),
    ]


def test_a_server_that_only_counts_is_checked_too() -> None:
    """Labels of which only the numbers of values are known."""
    metric = ObservedMetric(
        "job_running", "job_running", 9, G, "Text.", value_counts={"trace_id": 9, "job": 1}
    )
    (problem,) = lint(Inventory("server", {"job_running": metric}))
    assert problem.rule is LintRule.LABEL_HIGH_RISK
    assert "9 seen" in problem.text


def test_rules_are_switched_by_name() -> None:
    """One alone, all but one; a wrong name is answered with the nearest."""
    inventory = exposed("wait_ms", C, text="")
    assert {p.rule for p in lint(inventory, chosen_rules(["help"]))} == {LintRule.HELP}
    assert LintRule.HELP not in {p.rule for p in lint(inventory, chosen_rules(without=["help"]))}
    assert set(SEVERITIES) == set(LintRule)
    with pytest.raises(InputError, match="camel-case"):
        chosen_rules(["camelcase"])


def test_every_problem_says_what_to_do() -> None:
    """Text and mend are sentences without a full stop, in the style of the house."""
    everything = exposed("fooBar_ms_gauge_total", G, "userId", "__le", "le", text="")
    problems = lint(everything)
    assert len(problems) >= 8
    assert all(p.text and p.mend and not p.text.endswith(".") for p in problems)


def test_the_time_is_linear_in_duplicates_and_labels() -> None:
    """Ten times the families cost no more than thirty times the time (a square would be 100)."""

    def seconds(families: int) -> float:
        metrics = {
            f"m{i}_total": ObservedMetric(
                f"m{i}_total",
                f"m{i}_total",
                1,
                C,
                "T.",
                value_counts={f"l{j}": 1 for j in range(5)},
            )
            for i in range(families)
        }
        inventory = Inventory("m", metrics)
        best = []
        for _ in range(3):
            start = time.process_time()
            lint(inventory)
            best.append(time.process_time() - start)
        return min(best)

    assert seconds(3000) < 30 * seconds(300)
