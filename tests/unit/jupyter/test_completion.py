"""Completion, commands and drawing plans on their own, without IPython."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError, UnreachableError
from workbench.jupyter.command import read_command
from workbench.jupyter.completion import SourceVocabulary, complete
from workbench.jupyter.drawing import plan_drawing, unit_of
from workbench.promql import parse
from workbench.samples import MetricMetadata, MetricType

METRICS = ["http_requests_total", "odd.name", "up"]
LABELS = {
    "http_requests_total": ["__name__", "code", "job"],
    "": ["code", "job", "k8s.pod", "zone"],
}


def _vocabulary() -> SourceVocabulary:
    def labels(*matchers: str) -> list[str]:
        return LABELS[matchers[0] if matchers else ""]

    def values(label: str, *matchers: str) -> list[str]:
        return METRICS if label == "__name__" else [f"{label}-1", f"{label}-2", 'a"b']

    return SourceVocabulary(labels, values)


@pytest.mark.parametrize(
    ("text", "length", "some"),
    [
        ("", 0, ["up", "sum", "rate", '{"odd.name"}']),
        ("ht", 2, ["http_requests_total"]),
        ("sum(ra", 2, ["rate"]),
        ("http_requests_total{", 0, ["code", "job"]),
        ("http_requests_total{code='5', j", 1, ["job"]),
        ('http_requests_total{code="', 0, ["code-1", 'a\\"b']),
        ('http_requests_total{code=~"code-2', 6, ["code-2"]),
        ("sum by (", 0, ["code", "job", '"k8s.pod"', "zone"]),
        ("sum without (job, z", 1, ["zone"]),
        ("sum(http_requests_total{}) by (", 0, ["code", "job"]),
        ("a / on (zo", 2, ["zone"]),
    ],
)
def test_what_may_come_next(text: str, length: int, some: list[str]) -> None:
    """By place: metrics and functions, label names of the metric, values of the label."""
    found = complete(text, _vocabulary())
    assert found.length == length
    assert set(some) <= set(found.candidates)
    assert all(c.startswith(text[len(text) - length :]) for c in found.candidates)


@pytest.mark.parametrize("text", ["up[", "up[5", "up{job=", "up{job ", 'label_replace(up, "'])
def test_where_nothing_is_known_nothing_is_offered(text: str) -> None:
    """Durations, operators and strings of functions have no vocabulary."""
    assert complete(text, _vocabulary()).candidates == ()


@given(st.text(max_size=40))
def test_completion_never_fails(text: str) -> None:
    """Whatever stands before the cursor."""
    assert complete(text, _vocabulary()).length <= len(text)


def test_a_source_that_fails_disturbs_nobody_and_is_asked_once() -> None:
    """An error gives no candidates, and is not repeated at every key."""
    asked = []

    def refuse(*_: str) -> list[str]:
        asked.append(1)
        msg = "gone"
        raise UnreachableError(msg)

    vocabulary = SourceVocabulary(refuse, refuse)
    assert "sum" in complete("su", vocabulary).candidates
    complete("su", vocabulary)
    assert len(asked) == 1


def test_options_stand_anywhere_but_in_strings() -> None:
    """Before or after the expression, with = or a space, quoted or not."""
    for line in ("--last 6h --step=1m up{a='--at b'}", "up{a='--at b'} --step '1m' --last=\"6h\""):
        command = read_command(line)
        assert (command.expression, command.last, command.step) == ("up{a='--at b'}", "6h", "1m")
    assert read_command("a - -b").expression == "a - -b"
    assert read_command("1 --1").expression == "1 --1"
    assert read_command("--last 1h", "up # all\n").expression == "up # all"


def test_variables_stand_alone() -> None:
    """Inside an expression a dollar sign is PromQL's or Grafana's, never Python's."""
    known = {"query": "up", "span": 3600}
    command = read_command("$query --last $span", None, known)
    assert (command.expression, command.last) == ("up", 3600)
    inside = 'label_replace(up, "a", "$query", "b", "(.*)")'
    assert read_command(inside, None, known).expression == inside
    with pytest.raises(InputError, match="did you mean 'query'"):
        read_command("$qury", None, known)


FAMILIES = [
    MetricMetadata("c", MetricType.COUNTER, unit="bytes"),
    MetricMetadata("g", MetricType.GAUGE),
    MetricMetadata("h", MetricType.HISTOGRAM, unit="seconds"),
    MetricMetadata("s", MetricType.SUMMARY, unit="seconds"),
]


@pytest.mark.parametrize(
    ("asked", "kind", "drawn", "unit"),
    [
        ("g", "lines", "g", ""),
        ("c", "lines", "rate(c[5m])", "bytes/s"),
        ("(c{a='b'} offset 1h)", "lines", 'rate(c{a="b"}[5m] offset 1h)', "bytes/s"),
        ("c @ end()", "lines", "rate(c[5m] @ end())", "bytes/s"),
        ("c offset -1h", "lines", "c offset -1h", "bytes"),
        ("rate(c[1h])", "lines", "rate(c[1h])", "bytes/s"),
        ("h_bucket{a='b'}", "heatmap", 'sum by (le) (rate(h_bucket{a="b"}[5m]))', "seconds"),
        ("h_bucket{le='1'}", "lines", 'rate(h_bucket{le="1"}[5m])', "per second"),
        ("h_count", "lines", "rate(h_count[5m])", "per second"),
        ("s", "lines", "s", "seconds"),
        ("new_total", "lines", "rate(new_total[5m])", "per second"),
        ("new_bytes_bucket", "heatmap", "sum by (le) (rate(new_bytes_bucket[5m]))", "bytes"),
        ("{__name__=~'c|g'}", "lines", "{__name__=~'c|g'}", ""),
        ("{__name__='c'}", "lines", "rate(c[5m])", "bytes/s"),
        ("c + c", "lines", "c + c", ""),
    ],
)
def test_drawing_plans(asked: str, kind: str, drawn: str, unit: str) -> None:
    """By declared type, or by the name's ending where nothing is declared."""
    plan = plan_drawing(asked, FAMILIES, step_ms=60_000)
    assert (plan.kind, plan.expression, plan.unit) == (kind, drawn, unit)
    assert bool(plan.notes) == (drawn != asked or asked == "s")


def test_rates_are_never_taken_over_less_than_a_step() -> None:
    """Or samples between two steps would be lost."""
    assert plan_drawing("c", FAMILIES, step_ms=3_600_000).expression == "rate(c[1h])"


@pytest.mark.parametrize(
    ("expression", "unit"),
    [
        ("max_over_time(sum(x_bytes)[1h:1m])", "bytes"),
        ("quantile_over_time(0.9, x_seconds[1h])", "seconds"),
        ("count(x_bytes)", ""),
        ("rate(cpu_seconds_total[5m])", ""),
        ("histogram_quantile(0.9, sum by (le) (rate(x_bytes_bucket[5m])))", "bytes"),
        ("x_bytes / y_bytes", ""),
        ("absent(x_bytes)", ""),
        ("time()", ""),
        ("1", ""),
    ],
)
def test_units_follow_functions_that_keep_them(expression: str, unit: str) -> None:
    """And are not guessed beyond."""
    assert unit_of(parse(expression), {}) == unit
