"""SARIF, JUnit and Markdown, judged by readers that are not ours."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from xml.etree import ElementTree as ET

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from workbench.errors import SettingsError
from workbench.findings import Finding, Place, Severity
from workbench.findings.acknowledgement import acknowledge, read_acknowledgements
from workbench.findings.formats import code_span, plain_markdown, to_junit, to_markdown, to_sarif

SCHEMA = Path(__file__).parents[2].parent / "shared" / "data" / "schemas" / "sarif-2.1.0.json"
HOSTILE = (
    'a|b <script>alert(1)</script> [x](http://evil) `c` @you\n# h\n```\n\x00\x1b[31m "é" \\ ~~s~~'
)
TODAY = date(2026, 11, 22)


def finding(about: str = "x", **more: object) -> Finding:
    """A finding with a place."""
    given_: dict[str, object] = {
        "code": "CAP-FULL",
        "severity": Severity.ERROR,
        "what": f"{about} is full",
        "place": Place("src/my app.go", 12, 3),
    } | more
    return Finding(about=about, **given_)  # type: ignore[arg-type]


@pytest.mark.parametrize("elsewhere", [None, Place("metrics.prom")])
def test_sarif_is_valid(elsewhere: Place | None) -> None:
    """OASIS' own schema takes it, whatever labels say."""
    if not SCHEMA.exists():
        pytest.skip("the SARIF schema is not beside the project")
    findings = [
        finding(HOSTILE, fix="a: 1\n", owner="kim"),
        finding(
            "other", place=None, severity=Severity.INFO, acknowledged="until 2027-01-01 by kim: x"
        ),
        finding("unknown code", code="NO-SUCH"),
        finding("odd evidence", evidence={"day": TODAY, "n": 3, "nested": {"a": [1]}}),
    ]
    sarif = to_sarif(findings, elsewhere=elsewhere)
    jsonschema.Draft7Validator(json.loads(SCHEMA.read_text())).validate(
        json.loads(json.dumps(sarif))
    )
    results = sarif["runs"][0]["results"]
    assert (
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        == "src/my%20app.go"
    )
    assert results[0]["locations"][0]["physicalLocation"]["region"] == {
        "startLine": 12,
        "startColumn": 3,
    }
    assert ("locations" in results[1]) is (elsewhere is not None)
    assert results[1]["suppressions"][0]["status"] == "accepted"
    rules = sarif["runs"][0]["tool"]["driver"]["rules"]
    assert all(rules[r["ruleIndex"]]["id"] == r["ruleId"] for r in results)


@given(st.text())
def test_junit_is_xml_whatever_stands_in_it(text: str) -> None:
    """Control characters and surrogates make no broken file."""
    root = ET.fromstring(to_junit([finding(text, fix=text)], suite=text).encode())
    assert root.find("testsuite/testcase/failure") is not None


def test_junit_fails_from_a_severity_on() -> None:
    """Failures are those at or above it; acknowledged findings are skipped tests."""
    findings = [
        finding("a"),
        finding("b", severity=Severity.WARNING),
        finding("c", acknowledged="until later"),
    ]
    suite = ET.fromstring(to_junit(findings, suite="audit").encode()).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")
    all_failing = ET.fromstring(
        to_junit(findings, suite="audit", fail_from=Severity.WARNING).encode()
    )
    assert all_failing.find("testsuite").get("failures") == "2"  # type: ignore[union-attr]
    empty = ET.fromstring(to_junit([], suite="audit").encode()).find("testsuite")
    assert empty is not None
    assert (empty.get("tests"), empty.get("failures")) == ("1", "0")


@given(st.text() | st.just(HOSTILE) | st.from_regex(r"[-+=*0-9.) #]{1,9}x", fullmatch=True))
def test_markdown_makes_nothing_of_what_labels_say(text: str) -> None:
    """No link, HTML, image, heading or mention comes out of a value."""
    for before in ("x ", ""):
        tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(before + plain_markdown(text))
        kinds = {child.type for token in tokens for child in token.children or ()}
        assert kinds <= {"text", "text_special"}
        assert {t.type for t in tokens} <= {"paragraph_open", "inline", "paragraph_close"}
    span = MarkdownIt().parse(f"x {code_span(text)} y")
    inline = [child for token in span for child in token.children or ()]
    if text.strip("`").strip():
        assert {child.type for child in inline} <= {"text", "code_inline"}


def test_markdown_is_short() -> None:
    """Ten findings are shown, the rest and what is acknowledged is counted; GitHub takes it all."""
    findings = [finding(f"f{i}", fix="x: y\n" * 5000) for i in range(15)] + [
        finding("k", acknowledged="y")
    ]
    text = to_markdown(findings, title="Audit", summary="**+3**")
    assert len(text) < 65_536
    assert text.count("is full") == 10
    assert "5 more in the full report. 1 acknowledged." in text


def test_a_fence_holds_a_change_with_fences() -> None:
    """The change ends no code block of its own."""
    text = to_markdown([finding("x", fix="````\nevil\n")], title="t")
    (fence,) = [t for t in MarkdownIt().parse(text) if t.type == "fence"]
    assert fence.content == "````\nevil\n"


def test_acknowledged_until_a_day() -> None:
    """It holds to the end of its day; then the finding says that it has ended."""
    known = read_acknowledgements(
        [
            {"code": "CAP-FULL", "about": "disk *", "until": TODAY, "owner": "kim", "reason": "r"},
            {
                "fingerprint": finding("cpu").fingerprint,
                "until": date(2026, 11, 21),
                "owner": "lee",
                "reason": "r",
            },
            {"code": "CAP-FULL", "about": "gone", "until": TODAY, "owner": "kim", "reason": "r"},
        ],
        "budgets.toml",
    )
    disk, cpu, other, idle = acknowledge(
        [finding("disk a"), finding("cpu"), finding("net")], known, today=TODAY
    )
    assert disk.acknowledged == "until 2026-11-22 by kim: r"
    assert not cpu.acknowledged
    assert "which has passed" in cpu.what
    assert not other.acknowledged
    assert (idle.code, idle.about) == ("ACK-IDLE", "CAP-FULL gone")


@pytest.mark.parametrize(
    ("table", "says"),
    [
        ({"code": "CAP-FULL", "until": TODAY, "owner": "k", "reason": "r"}, "give a fingerprint"),
        (
            {"code": "CAP-FUL", "about": "*", "until": TODAY, "owner": "k", "reason": "r"},
            "did you mean 'CAP-FULL'",
        ),
        ({"code": "CAP-FULL", "about": "*", "owner": "k", "reason": "r"}, "until"),
        ({"code": "CAP-FULL", "about": "*", "until": TODAY, "owner": "", "reason": "r"}, "owner"),
    ],
)
def test_an_incomplete_acknowledgement_is_refused(table: dict[str, object], says: str) -> None:
    """Who, why and until when must be said."""
    with pytest.raises(SettingsError, match=says):
        read_acknowledgements([table], "budgets.toml")
