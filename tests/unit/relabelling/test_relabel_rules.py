"""Rules as they are checked, read and written."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.inventory import LabelTable, ObservedMetric
from workbench.relabelling import (
    Action,
    NameScheme,
    RelabelRule,
    ScrapeLimits,
    limits_above,
    quote_yaml,
    read_rules,
    relabel,
    write_rules,
)

DROP = RelabelRule(Action.DROP, ("__name__",), regex="go_.*")
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT)
def test_any_text_is_quoted_so_that_yaml_gives_it_back(text: str) -> None:
    """As a value, in a list, and as a key; by another reader than our own."""
    quoted = quote_yaml(text)
    assert "\n" not in quoted
    assert yaml.safe_load(f"x: {quoted}\ny: [{quoted}, {quoted}]\n") == {"x": text, "y": [text] * 2}


@given(st.lists(TEXT.filter(bool), min_size=1, max_size=3), TEXT, TEXT)
def test_hostile_rules_come_back(labels: list[str], separator: str, replacement: str) -> None:
    """Whatever stands in a rule, it is read as it was written."""
    chain = [
        RelabelRule(Action.REPLACE, tuple(labels), separator, labels[0], replacement=replacement),
        DROP,
    ]
    assert read_rules(write_rules(chain)) == chain


def test_half_a_surrogate_pair_is_refused() -> None:
    """No YAML file can hold one; a label cannot be called so either."""
    with pytest.raises(InputError, match="DC80"):
        write_rules([RelabelRule(target_label="a", replacement="\udc80")])
    with pytest.raises(InputError, match="label name"):
        RelabelRule(Action.DROP, ("\udc80",))


def test_a_default_is_not_written() -> None:
    """What Prometheus assumes need not be said."""
    rule = RelabelRule(source_labels=("a",), target_label="b")
    assert (
        write_rules([rule]) == "metric_relabel_configs:\n- source_labels: [a]\n  target_label: b\n"
    )
    assert write_rules([]) == "metric_relabel_configs: []\n"


@pytest.mark.parametrize(
    "text",
    [
        "- {source_labels: [__name__], regex: 'go_.*', action: drop}",
        "metric_relabel_configs:\n- {source_labels: [__name__], regex: 'go_.*', action: drop}",
        "scrape_configs: [{job_name: a}, {job_name: x, metric_relabel_configs: [{source_labels: [__name__], regex: 'go_.*', action: drop}]}]",
        "port: web\nmetricRelabelings:\n- {sourceLabels: [__name__], regex: 'go_.*', action: drop}",
    ],
)
def test_rules_are_found_where_people_keep_them(text: str) -> None:
    """A list, a scrape configuration, prometheus.yml, an endpoint of a ServiceMonitor."""
    assert read_rules(text, job="x" if "job_name" in text else "") == [DROP]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "not YAML"),
        ("metric_relabel_config: []", "metric_relabel_configs"),
        ("- {action: dorp}", "did you mean 'drop'"),
        ("- {acton: drop}", "did you mean 'action'"),
        ("- {target_label: b}\n- {action: hashmod, target_label: a}", "rule 2: modulus 0"),
        ("- {source_labels: [a], source_labels: [b]}", "stands twice"),
        ("- {source_labels: a}", "not a list"),
        ("- {separator: [a], target_label: a}", "separator is a list"),
        ("scrape_configs: [{job_name: a}, {job_name: b}]", "'a', 'b'"),
        ("- {target_label: $1, action: lowercase}", ""),
    ],
)
def test_a_refusal_says_what_and_where(text: str, message: str) -> None:
    """The number of the rule, the field, the nearest name."""
    with pytest.raises(InputError) as caught:
        read_rules(text, scheme=NameScheme.LEGACY)
    assert message in str(caught.value)
    assert caught.value.mend


def test_the_dot_matches_line_ends() -> None:
    """As of Prometheus 3 the dot matches a line end, so a plain copy copies any value."""
    rule = RelabelRule(source_labels=("a",), target_label="b")
    assert relabel({"__name__": "m", "a": "x\ny"}, [rule]) == {
        "__name__": "m",
        "a": "x\ny",
        "b": "x\ny",
    }


def test_utf8_names_are_a_matter_of_the_scheme() -> None:
    """Prometheus 3 takes ``k8s.pod`` as a label's name, 2 does not write it."""
    rule = RelabelRule(source_labels=("a",), target_label="k8s.$1")
    assert relabel({"a": "pod"}, [rule]) == {"a": "pod", "k8s.pod": "pod"}
    with pytest.raises(InputError, match=r"k8s\.\$1"):
        RelabelRule(source_labels=("a",), target_label="k8s.$1", scheme=NameScheme.LEGACY)
    legacy = RelabelRule(source_labels=("a",), target_label="$1", scheme=NameScheme.LEGACY)
    assert relabel({"a": "x.y"}, [legacy]) == {"a": "x.y"}
    assert relabel({"a": "x"}, [legacy]) == {"a": "x", "x": "x"}


def test_limits_hold_what_is_there() -> None:
    """Labels of the widest series with the name and the target's two, bytes of the longest."""
    table = LabelTable.of([{"a": "é" * 10, "b": "x"}, {"c": "y"}])
    metric = ObservedMetric("m", "m", 2, table=table)
    limits = limits_above([metric], samples=1000, headroom=1, targets=3)
    assert limits == ScrapeLimits(1000, 3, 5, 8, 20)
    assert limits_above([metric], samples=1000, headroom=1.234).sample_limit == 1300
    with pytest.raises(InputError, match="headroom"):
        limits_above([metric], samples=1000, headroom=0.5)
    with pytest.raises(InputError, match="sample_limit -1"):
        ScrapeLimits(-1)
