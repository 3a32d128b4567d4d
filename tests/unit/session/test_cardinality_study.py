"""Studying cardinality: which of source, candidate and baseline is which, and what is asked."""

import json

import numpy as np
import pytest

import workbench
from workbench.errors import InputError, SettingsError, WorkbenchError
from workbench.session.audit_names import check_name, split_names, split_selectors
from workbench.session.cardinality_study import plan_cardinality
from workbench.sources.snapshot import SnapshotSource

NOW = np.array([0, 604_800_000], dtype=np.int64)
SERIES = [
    ({"__name__": "hits_total", "job": job, "instance": f"{job}:{i}", "code": c}, NOW, NOW * 1.0)
    for job, i, c in [("api", 1, "200"), ("api", 2, "200"), ("api", 2, "500"), ("web", 1, "200")]
]
TEXT = "# HELP hits_total H.\n# TYPE hits_total counter\n{}\n"


@pytest.fixture
def wb():
    return workbench.connect(workbench.snapshot(SERIES))


@pytest.fixture
def candidate(tmp_path):
    path = tmp_path / "new version.prom"
    path.write_text(
        TEXT.format('hits_total{code="200",zone="a"} 1\nhits_total{code="200",zone="b"} 1')
    )
    return path


def test_alone_the_source_is_studied(wb):
    study = wb.cardinality()
    assert (study.result.candidate.series, study.result.baseline) == (4, None)
    assert study.table.loc[0, "costliest label"] == "instance"
    asked = study.provenance
    assert asked[0].expression == "label sets of all series"
    assert (asked[0].series, asked[0].at_ms) == (4, 604_800_000)
    assert any("scrape_series_added" in p.expression for p in asked)


def test_beside_a_candidate_the_source_is_the_baseline(wb, candidate):
    study = wb.cardinality(candidate=candidate, match='{job="api"}')
    assert study.result.baseline.series == 3
    assert study.result.prediction.replicas == 2
    assert study.provenance[0].expression == 'label sets of {job="api"}'
    assert study.changes.frame["because"].tolist() == ["new label zone"]


def test_none_is_no_baseline_and_the_source_is_not_asked(wb, candidate, monkeypatch):
    def asked(*_, **__):
        raise AssertionError

    for method in ("series", "query", "query_range", "label_values", "tsdb_status", "metrics"):
        monkeypatch.setattr(SnapshotSource, method, asked)
    study = wb.cardinality(candidate=candidate, baseline="none")
    assert study.result.baseline is None
    assert study.provenance == ()
    beside = wb.cardinality(candidate=str(candidate), baseline=[candidate])
    assert beside.result.prediction.metrics[0].difference == 0


def test_an_earlier_audit_is_a_baseline(wb, candidate, tmp_path):
    kept = tmp_path / "main.json"
    kept.write_text(json.dumps(wb.cardinality().result.to_dict(), default=str))
    study = wb.cardinality(baseline=kept)
    assert study.result.baseline.series == study.result.candidate.series == 4


def test_since_compares_the_source_with_itself(wb):
    study = wb.cardinality(since="7d")
    assert study.result.prediction.observed
    assert [p.at_ms for p in study.provenance[:2]] == [604_800_000, 0]


def test_several_names_are_a_list_or_a_line(wb, candidate, tmp_path):
    other = tmp_path / "other.prom"
    other.write_text("other 1\n")
    line = wb.cardinality(candidate=f"'{candidate}' {other}", baseline="none")
    listed = wb.cardinality(candidate=[candidate, other], baseline="none")
    assert line.result.candidate.series == listed.result.candidate.series == 3


def test_lint_rules_can_be_chosen(wb):
    codes = {f.code for f in wb.cardinality().findings}
    assert "CARD-LINT" in codes
    assert "CARD-LINT" not in {f.code for f in wb.cardinality(lint="none").findings}
    assert "CARD-LINT" not in {f.code for f in wb.cardinality(no_lint="help").findings}


@pytest.mark.parametrize(
    "words",
    [
        {"candidate": "no/such/thing"},
        {"candidate": "'open"},
        {"candidate": "a\0b"},
        {"candidate": "-"},
        {"match": "{job="},
        {"match": '{job="a"'},
        {"lint": "camle-case"},
        {"rules": "no/such/folder"},
        {"since": "a while"},
    ],
)
def test_a_wrong_word_is_one_message(wb, words):
    with pytest.raises(WorkbenchError) as caught:
        wb.cardinality(**words)
    assert caught.value.exit_code == 2
    assert caught.value.mend


def test_a_plan_says_what_is_asked_of_the_source(wb, candidate):
    assert len(plan_cardinality(wb)) == 2
    assert len(plan_cardinality(wb, candidate=str(candidate))) == 2
    assert plan_cardinality(wb, candidate=str(candidate), baseline="none") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ('{job="a b"}  up', ['{job="a b"}', "up"]),
        (r'{a="\"} {", b=~`}`}', [r'{a="\"} {", b=~`}`}']),
        ("up{job='x'} {}", ["up{job='x'}", "{}"]),
    ],
)
def test_selectors_are_split_outside_of_braces(text, expected):
    assert split_selectors(text) == expected


def test_names_are_split_as_a_shell_does():
    assert split_names("a 'b c' d\\ e") == ["a", "b c", "d e"]
    assert split_names("  ") == []


@pytest.mark.parametrize(
    "name", ["-", "https://me:pw@host/metrics", "https://host/?token=x", "nope"]
)
def test_a_report_refuses_names_that_it_could_not_read_or_show(name):
    with pytest.raises((InputError, SettingsError)) as caught:
        check_name(name)
    assert "pw" not in str(caught.value)
    assert "token=x" not in str(caught.value)
