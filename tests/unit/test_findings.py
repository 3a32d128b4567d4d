"""Findings and provenance as data."""

import pytest

from workbench.errors import InputError
from workbench.findings import Finding, Provenance, Semantics, Severity
from workbench.findings.pages import page, titles
from workbench.window import Window


def finding(**changes):
    return Finding(
        **{
            "code": "CAP-FULL",
            "severity": Severity.ERROR,
            "about": "disk a",
            "what": "full",
            **changes,
        }
    )


def test_a_fingerprint_follows_the_subject_and_not_the_figures():
    assert (
        finding().fingerprint
        == finding(what="91 % full", severity=Severity.INFO, evidence={"x": 1}).fingerprint
    )
    assert finding().fingerprint != finding(about="disk b").fingerprint
    assert finding().fingerprint != finding(code="CAP-GAPS").fingerprint


def test_severities_are_ordered():
    assert [s.rank for s in (Severity.INFO, Severity.WARNING, Severity.ERROR)] == [0, 1, 2]


def test_provenance_names_query_source_window_and_semantics():
    got = Provenance(
        "up", "http://x", "Prometheus 2.42", Semantics.PROMETHEUS_2, 60_000, Window(0, 60_000, 1000)
    ).to_dict()
    assert got["window"] == "1970-01-01T00:00:00Z to 1970-01-01T00:01:00Z, step 1s"
    assert "closed" in got["semantics"]


def test_every_page_opens_with_a_title():
    for code, title in titles().items():
        assert title, code
        assert page(code.lower()) == page(code)


def test_an_unknown_code_is_refused():
    with pytest.raises(InputError, match="'CAP-NOPE' is not a finding code"):
        page("CAP-NOPE")


def test_provenance_of_pieces_of_time_is_one():
    """Both windows, all samples, the most series; a warning said twice stands once."""
    first = Provenance(
        "x", "s", "Prometheus", Semantics.UNKNOWN, 50, Window(10, 50, 10), 3, 12, 0.5, ("w",)
    )
    second = Provenance(
        "x", "s", "Prometheus", Semantics.UNKNOWN, 90, Window(60, 90, 10), 5, 20, 0.25, ("w",)
    )
    whole = second.joined(first)
    assert whole.window == Window(10, 90, 10)
    assert (whole.at_ms, whole.series, whole.samples, whole.seconds) == (90, 5, 32, 0.75)
    assert whole.warnings == ("w",)
