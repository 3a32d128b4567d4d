"""The JSON beside each page: versioned, with a published schema."""

import json

import jsonschema
import pytest

from workbench.errors import ReportError
from workbench.findings import Finding, Severity
from workbench.reporting.assets import shipped
from workbench.reporting.record import json_schema, read_record, without_nonfinite


def test_the_published_schema_is_that_of_the_model():
    assert shipped("reports", "report.schema.json").read_text() == json_schema()


def test_what_is_written_meets_the_schema_and_reads_back_equal(make_record, tmp_path):
    record = make_record("disk", "pool", error=None)
    path = tmp_path / "a.json"
    path.write_text(record.to_json())
    jsonschema.validate(json.loads(path.read_text()), json.loads(json_schema()))
    assert read_record(path) == record


def test_a_finding_keeps_its_fingerprint_through_the_json(make_record):
    (kept,) = make_record("disk").findings
    assert kept.finding().fingerprint == kept.fingerprint
    assert kept.fingerprint == Finding("CAP-HEADROOM", Severity.INFO, "disk", "").fingerprint


def test_numbers_that_json_does_not_know_are_null(make_record):
    results = [{"kind": "capacity", "result": {"a": float("nan"), "b": [float("inf"), 1.5]}}]
    written = make_record(results=results).to_json()
    assert json.loads(written)["results"][0]["result"] == {"a": None, "b": [None, 1.5]}
    assert without_nonfinite((1, {"x": -float("inf")})) == [1, {"x": None}]


@pytest.mark.parametrize("text", ["[1]", "{}", "not json", '{"kind": "other"}', "\xff"])
def test_other_json_of_the_folder_is_no_report(tmp_path, text):
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("latin-1"))
    assert read_record(path) is None


def test_a_report_of_another_version_is_refused_with_the_mend(make_record, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(make_record().to_json().replace('"version": 1', '"version": 99'))
    with pytest.raises(ReportError, match=r"version 99, this release reads 1: render it again"):
        read_record(path)


def test_a_damaged_report_is_refused(make_record, tmp_path):
    path = tmp_path / "x.json"
    path.write_text(make_record().to_json().replace('"seconds": 2.5', '"seconds": "x"'))
    with pytest.raises(ReportError, match=r"damaged: seconds"):
        read_record(path)
