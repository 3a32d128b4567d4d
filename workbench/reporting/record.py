"""The JSON beside each page: what a report said, for machines and for the index.

Its schema is published as `reports/report.schema.json`. The version is raised when a reader of the
older one would misread the newer; older versions are read or refused with the mend.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, Final, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError

from workbench.errors import ReportError
from workbench.findings import Finding, Severity
from workbench.validation import explain_validation

__all__ = [
    "RECORD_VERSION",
    "ErrorRecord",
    "FindingRecord",
    "ReportRecord",
    "ResultRecord",
    "Status",
    "json_schema",
    "read_record",
    "without_nonfinite",
]

RECORD_VERSION: Final = 1
"""The version of the format that this release writes."""


class Status(StrEnum):
    """How a run ended."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    FAILED = "failed"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class FindingRecord(_Record):
    """A finding as `workbench.findings.Finding.to_dict` gives it."""

    code: str = Field(description="what kind of finding, such as CAP-SATURATION")
    severity: Severity
    about: str = Field(description="what it is about; stable from one run to the next")
    what: str = Field(description="one sentence that says what is the case, with the figures")
    next_step: str = Field("", description="what to do about it")
    evidence: dict[str, Any] = Field(
        default_factory=dict, description="the figures behind it, by name"
    )
    where: str = Field("", description="where to look: a metric, an expression, a file and line")
    owner: str = Field("", description="who is to act")
    fix: str = Field("", description="a change, ready to be pasted")
    acknowledged: str = Field("", description="until when, by whom and why it is let pass")
    fingerprint: str = Field(
        description="identity from run to run: of code and about, not of figures"
    )

    def finding(self) -> Finding:
        """The finding itself."""
        return Finding(**self.model_dump(exclude={"fingerprint"}))


class ResultRecord(_Record):
    """The figures of one study."""

    kind: str = Field(description="capacity, latency …")
    result: dict[str, Any] = Field(description="the analysis' own figures")


class ErrorRecord(_Record):
    """Why a run did not complete."""

    type: str = Field(description="the error's name in the tree of workbench.errors")
    message: str = Field(description="what was wrong and what to do next, without secrets")
    exit_code: int = Field(ge=1, description="what the command ended with")


class ReportRecord(_Record):
    """One run of one report."""

    kind: Literal["workbench-report"] = "workbench-report"
    version: Literal[1] = RECORD_VERSION
    report: str = Field(description="the report's name in the catalogue")
    title: str
    status: Status
    error: ErrorRecord | None = Field(None, description="set unless the status is complete")
    started: AwareDatetime = Field(description="when the run began, by the clock")
    seconds: float = Field(ge=0, description="how long the run took")
    now: AwareDatetime = Field(
        description="up to when the figures reach; the start where none came"
    )
    source: str = Field(description="the source's name, without secrets")
    server: str = Field("", description="product and version of the server, where it was asked")
    window: str | None = Field(None, description="the widest range that was asked")
    parameters: dict[str, Any] = Field(description="every parameter in effect, without secrets")
    findings: list[FindingRecord]
    provenance: list[dict[str, Any]] = Field(description="where each figure comes from")
    results: list[ResultRecord] = Field(description="one entry a study, in the page's order")
    html: str = Field(description="the page's file name, in the same folder")
    workbench_version: str

    @property
    def line(self) -> str:
        """What makes two runs comparable: the same report on the same source and parameters."""
        return json.dumps([self.report, self.source, self.parameters], sort_keys=True, default=str)

    def count(self, severity: Severity) -> int:
        """How many findings of one severity."""
        return sum(f.severity is severity for f in self.findings)

    def to_json(self) -> str:
        """The file's content."""
        data = without_nonfinite(self.model_dump(mode="json"))
        return json.dumps(data, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def read_record(path: Path) -> ReportRecord | None:
    """Read one JSON file of an output folder.

    Returns
    -------
    ReportRecord or None
        None where the file is some other JSON, not a report's.

    Raises
    ------
    ReportError
        It is a report's, but damaged or of an unknown version.
    """
    try:
        data = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(data, Mapping) or data.get("kind") != "workbench-report":
        return None
    if data.get("version") != RECORD_VERSION:
        msg = f"{path.name} is a report of version {data.get('version')!r}, this release reads {RECORD_VERSION}"
        raise ReportError(msg, "render it again, or read it with the release that wrote it")
    try:
        return ReportRecord.model_validate(data)
    except ValidationError as error:
        msg = f"{path.name} is damaged: {explain_validation(error, ReportRecord)}"
        raise ReportError(msg, "delete it, or render it again") from None


def without_nonfinite(node: Any) -> Any:
    """A copy in which NaN and infinities, which JSON does not know, are null."""
    if isinstance(node, float):
        return node if math.isfinite(node) else None
    if isinstance(node, dict):
        return {key: without_nonfinite(value) for key, value in node.items()}
    if isinstance(node, list | tuple):
        return [without_nonfinite(value) for value in node]
    return node


def json_schema() -> str:
    """The published schema, as `reports/report.schema.json` holds it."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **ReportRecord.model_json_schema(mode="serialization"),
    }
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
