"""Findings as JUnit XML, which every CI system shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final
from xml.etree import ElementTree as ET

from workbench.findings.finding import Finding, Severity

__all__ = ["to_junit"]

_NO_XML: Final = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""


def to_junit(
    findings: Sequence[Finding], *, suite: str, fail_from: Severity | None = Severity.ERROR
) -> str:
    """Write findings as one test suite.

    Parameters
    ----------
    findings
        One test case each.
    suite
        The suite's name.
    fail_from
        Which severities are failures; None for none. Acknowledged findings are skipped tests, the
        rest passes with its text as output. No findings make one test that passes.
    """
    root = ET.Element("testsuites")
    cases = [_case(finding, fail_from) for finding in findings]
    cases = cases or [ET.Element("testcase", classname="audit", name="no findings")]
    counts = {
        tag: str(sum(c.find(tag) is not None for c in cases)) for tag in ("failure", "skipped")
    }
    element = ET.SubElement(
        root, "testsuite", name=_clean(suite), tests=str(len(cases)),
        failures=counts["failure"], skipped=counts["skipped"], errors="0",
    )  # fmt: skip
    element.extend(cases)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _case(finding: Finding, fail_from: Severity | None) -> ET.Element:
    case = ET.Element("testcase", classname=finding.code, name=_clean(finding.about))
    if finding.place is not None:
        case.set("file", _clean(finding.place.path))
        case.set("line", str(finding.place.line))
    text = _clean("\n".join(t for t in (finding.what, finding.next_step, finding.fix) if t))
    if finding.acknowledged:
        ET.SubElement(case, "skipped", message=_clean(finding.acknowledged))
    elif fail_from is not None and finding.severity.rank >= fail_from.rank:
        failure = ET.SubElement(
            case, "failure", message=_clean(finding.what), type=finding.severity.value
        )
        failure.text = text
        return case
    ET.SubElement(case, "system-out").text = text
    return case


def _clean(text: str) -> str:
    return _NO_XML.sub("\ufffd", text)
