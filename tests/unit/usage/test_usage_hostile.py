"""Whatever a file holds, it is read, skipped or told: nothing but a WorkbenchError is ever raised."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import InputError, WorkbenchError
from workbench.usage import grafana_analysis, load_usage, read_usage, ruler_analysis
from workbench.usage.document import yaml_documents

DATA = Path(__file__).parents[4] / "shared" / "data"

BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{', '.join([f'*{chr(97 + i)}'] * 9)}]\n" for i in range(12)
)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"[" * 100_000, "nests deeper"),
        (b"{a: " * 100_000, "nests deeper"),
        (BOMB.encode(), "aliases unfold"),
        (b"a: &a [*a]", "stands for nothing"),
        (b"groups:\n\t- x", "no YAML"),
        (b"groups: \xff\xfe\xfd", "no YAML"),
        (b"a: \x00", "no YAML"),
        (b"groups: {{ .Values.rules }}", "neither"),
        (b"<html>", "neither"),
        (b"!!python/object/apply:os.system [ls]", "neither"),
    ],
)
def test_a_file_that_is_none_is_told(data: bytes, part: str) -> None:
    begun = time.process_time()
    found = read_usage(data, "r.yml")
    assert not found.queries
    assert part in found.unread[0].reason
    assert time.process_time() - begun < 5


def test_json_that_nests_deeply_or_is_cut_off_is_told() -> None:
    for data in (b'{"a":' * 100_000, b'{"panels": [', b"\xff", b"NaN", b""):
        assert read_usage(data, "d.json").unread[0].reason.startswith("this is no JSON")


def test_a_key_merged_in_does_not_count_as_repeated() -> None:
    (found,) = yaml_documents(b"base: &b {x: 1}\nown: {<<: *b, x: 2}")
    assert found["own"] == {"x": "2"}
    assert found["own"].repeated == []


def test_aliases_to_rules_are_not_read_without_end() -> None:
    """Aliases within the limit are read in a time that goes with what they unfold to."""
    group = "- &g {name: g, rules: [{alert: A, expr: x}]}\n" + "- *g\n" * 2000
    assert len(read_usage(b"groups:\n" + group.encode()).queries) == 2001


def test_a_missing_path_is_an_error_and_a_device_is_told() -> None:
    with pytest.raises(InputError, match="there is no"):
        load_usage(rules=["no/such"])
    with pytest.raises(InputError, match="there is no"):
        load_usage(rules=["a\0b"])
    assert load_usage(rules=["/dev/null"]).unread[0].reason == "it is no regular file"


def test_a_huge_dashboard_takes_seconds_not_minutes() -> None:
    panels = [
        {
            "title": f"P{i}",
            "targets": [{"expr": f'sum by (job) (rate(m{i}_total{{a="$v"}}[$__range]))'}],
        }
        for i in range(3000)
    ]
    begun = time.process_time()
    found = read_usage(json.dumps({"title": "D", "panels": panels}, indent=1).encode(), "d.json")
    assert len(found.metrics) == 3000
    assert time.process_time() - begun < 15


def test_an_expression_with_thousands_of_terms_is_read() -> None:
    text = " + ".join(f"x{i}" for i in range(1500))
    found = read_usage(
        json.dumps({"groups": [{"name": "g", "rules": [{"alert": "A", "expr": text}]}]}).encode()
    )
    assert len(found.metrics) == 1500


_texts = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["sum by (a) (x)", "$v", "x{a='$v'}", "rate(x[$__interval])", "{{a}}", "((("]),
    st.sampled_from(["label_values(x, a)", "prometheus", "query", "custom", "a,b", "adhoc"]),
    st.sampled_from(["Dashboard", "PrometheusRule", "List", "ConfigMap", "${v:regex}[[v]]"]),
    st.sampled_from(["x{__name__=~'['}", '{"panels": [], "title": 1}', "\udcff"]),
)
KEYS = """
groups rules name expr query alert record labels annotations spec kind items metadata data model
panels rows title templating list type datasource uid targets legendFormat transformations options
fields overrides matcher fieldConfig styles pattern sortBy displayName elements variables queries
plugin display dashboard meta slug json metricsUsed dashboards ruleGroups in_use_metric_counts
metric count job_counts current value multi includeAll allValue regex definition filters key
libraryPanel __elements __inputs links namespace vizConfig layout status schemaVersion
"""
_keys = st.sampled_from(re.findall(r"\w+", KEYS))
_documents = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), _texts),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(_keys, _texts), inner, max_size=6)
    ),
    max_leaves=40,
)


def _exercise(data: bytes, path: str) -> None:
    try:
        found = read_usage(data, path)
        for name in (*found.metrics[:3], "x"):
            found.labels_of(name, ["a"])
            found.breaks(drop_metrics=[name], drop_labels={name: ["a"]}, drop_bounds={name: [0.5]})
        mappings = grafana_analysis(found, ["x", "y"]), ruler_analysis(found)
        assert all(isinstance(one, dict) for one in mappings)
        assert all(str(line.reason) for line in found.unread)
    except WorkbenchError:
        pass


@settings(max_examples=200)
@given(_documents)
def test_no_document_raises_anything_else(document: Any) -> None:
    data = json.dumps(document).encode("utf-8", "surrogatepass")
    _exercise(data, "d.json")
    _exercise(data, "d.yml")


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(data: bytes) -> None:
    _exercise(data, "d.yml")
    _exercise(b"groups:\n- name: g\n  rules:\n  - expr: " + data, "d.yml")


WORDS = """x $v ${v} [[v]] ( ) { } [ ] " 5m , = sum by rate offset # ' __name__ =~ / topk @ :"""
_words = st.sampled_from(re.findall(r"\S+", WORDS))
_spaces = st.sampled_from(["", " ", "\n"])


@settings(max_examples=200)
@given(st.lists(st.tuples(_words, _spaces).map("".join), max_size=15))
def test_no_query_raises_anything_else(words: list[str]) -> None:
    variables = [{"name": "v", "type": "custom", "query": "a,b"}]
    target = {"expr": "".join(words), "datasource": {"type": "prometheus"}}
    document = {"title": "D", "panels": [{"targets": [target]}], "templating": {"list": variables}}
    found = read_usage(json.dumps(document).encode(), "d.json")
    assert len(found.queries) == bool(target["expr"].strip())


def _paths(value: Any, path: tuple = ()) -> list[tuple]:
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    return [path] + [one for key, child in inner for one in _paths(child, (*path, key))]


@pytest.mark.skipif(not DATA.is_dir(), reason="the folder of real inputs is not there")
@settings(max_examples=60)
@given(st.data())
def test_a_real_dashboard_with_a_wrong_type_anywhere_is_still_read(data: st.DataObject) -> None:
    document = json.loads((DATA / "dashboards" / "apache-full.json").read_text())
    paths = _paths(document)[1:]
    for _ in range(3):
        *outer, last = data.draw(st.sampled_from(paths))
        target = document
        try:
            for key in outer:
                target = target[key]
            target[last] = data.draw(
                st.sampled_from([None, "x", 7, -1.5, True, [], {}, ["x"], {"x": "y"}])
            )
        except (KeyError, TypeError, IndexError):
            continue
    _exercise(json.dumps(document).encode(), "d.json")
