"""Findings as SARIF 2.1.0 (OASIS, Static Analysis Results Interchange Format).

GitHub shows a result on its line only where it has a location in a file of the repository, and
tells results apart by their fingerprints.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from urllib.parse import quote

from workbench.findings.finding import Finding, Severity
from workbench.findings.pages import page, titles
from workbench.findings.place import Place
from workbench.version import __version__

__all__ = ["to_sarif"]

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}


def to_sarif(findings: Sequence[Finding], *, elsewhere: Place | None = None) -> dict[str, Any]:
    """Write findings as one SARIF run.

    Parameters
    ----------
    findings
        In any order.
    elsewhere
        Where findings that are about no file are shown: the file that was audited, say.

    Returns
    -------
    dict
        JSON of SARIF 2.1.0.
    """
    codes = sorted({finding.code for finding in findings})
    known = titles()
    results = [_result(f, codes.index(f.code), f.place or elsewhere) for f in findings]
    driver = {
        "name": "observability-workbench",
        "semanticVersion": __version__,
        "rules": [_rule(code, known.get(code, code), findings) for code in codes],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {"tool": {"driver": driver}, "results": results, "columnKind": "unicodeCodePoints"}
        ],
    }


def _rule(code: str, title: str, findings: Iterable[Finding]) -> dict[str, Any]:
    worst = max((f.severity for f in findings if f.code == code), key=lambda s: s.rank)
    rule: dict[str, Any] = {
        "id": code,
        "name": "".join(part.capitalize() for part in code.split("-")),
        "shortDescription": {"text": title},
        "defaultConfiguration": {"level": _LEVELS[worst]},
    }
    if title != code:
        text = page(code)
        rule["fullDescription"] = {"text": title}
        rule["help"] = {"text": text, "markdown": text}
    return rule


def _result(finding: Finding, rule: int, place: Place | None) -> dict[str, Any]:
    parts = [finding.what]
    if finding.next_step:
        parts.append(f"Next: {finding.next_step}")
    if finding.fix:
        parts.append(finding.fix)
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "ruleIndex": rule,
        "level": _LEVELS[finding.severity],
        "message": {"text": "\n\n".join(parts)},
        "partialFingerprints": {"workbench/v1": finding.fingerprint},
        "properties": {
            "about": finding.about,
            "evidence": {k: _plain(v) for k, v in finding.evidence.items()},
            "owner": finding.owner,
        },
    }
    if place is not None:
        result["locations"] = [_location(place, finding.where)]
    if finding.acknowledged:
        result["suppressions"] = [
            {"kind": "external", "status": "accepted", "justification": finding.acknowledged}
        ]
    return result


def _location(place: Place, where: str) -> dict[str, Any]:
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": quote(place.path, safe="/:", errors="surrogateescape")}
    }
    if place.line:
        physical["region"] = {"startLine": place.line}
        if place.column:
            physical["region"]["startColumn"] = place.column
    location: dict[str, Any] = {"physicalLocation": physical}
    if where and where != str(place):
        location["logicalLocations"] = [{"fullyQualifiedName": where}]
    return location


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int | float | bool | list | dict | None) else str(value)
