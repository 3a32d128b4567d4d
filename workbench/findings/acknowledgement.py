"""Findings that are known and let pass until a day, with who answers for it and why."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from workbench.errors import SettingsError, did_you_mean
from workbench.findings.finding import Finding, Severity
from workbench.findings.pages import titles
from workbench.validation import explain_validation

__all__ = ["Acknowledgement", "acknowledge", "read_acknowledgements"]

_MEND = (
    '[[acknowledged]] with code = "CARD-LINT", about = "metric x", until = 2027-01-31, '
    'owner = "kim", reason = "…"'
)


class Acknowledgement(BaseModel):
    """What is let pass: a fingerprint, or a code and a glob of what it is about."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fingerprint: str | None = Field(None, description="of one finding")
    code: str | None = Field(None, description="of all findings that `about` takes")
    about: str | None = Field(None, description="a glob of what they are about")
    until: date = Field(description="the last day on which it holds")
    owner: str = Field(min_length=1, description="who answers for it")
    reason: str = Field(min_length=1, description="why")

    @model_validator(mode="after")
    def _names_something(self) -> Acknowledgement:
        if (self.fingerprint is None) == (self.code is None or self.about is None):
            msg = "give a fingerprint, or code and about"
            raise ValueError(msg)
        return self

    def takes(self, finding: Finding) -> bool:
        """Whether it is about this finding."""
        if self.fingerprint is not None:
            return finding.fingerprint == self.fingerprint
        return finding.code == self.code and fnmatchcase(finding.about, self.about or "")


def read_acknowledgements(
    tables: Iterable[Mapping[str, Any]], origin: str
) -> list[Acknowledgement]:
    """Read tables of a TOML file.

    Raises
    ------
    SettingsError
        One is incomplete or names an unknown code.
    """
    result = []
    for table in tables:
        try:
            read = Acknowledgement.model_validate(table)
        except ValidationError as error:
            msg = f"{origin}: acknowledged: {explain_validation(error, Acknowledgement)}"
            raise SettingsError(msg, f"write {_MEND}") from None
        if read.code is not None and read.code not in titles():
            msg = f"{origin}: {read.code!r} is not a finding code"
            near = did_you_mean(read.code, titles())
            raise SettingsError(msg, near or "`workbench explain` lists them")
        result.append(read)
    return result


def acknowledge(
    findings: Sequence[Finding], known: Sequence[Acknowledgement], *, today: date
) -> list[Finding]:
    """Mark what is let pass; what has ended, or is about nothing any more, becomes a finding.

    Parameters
    ----------
    findings
        What was found.
    known
        What is let pass.
    today
        The day by which `until` is judged.
    """
    result = []
    used: set[int] = set()
    for finding in findings:
        place = next((i for i, a in enumerate(known) if a.takes(finding)), None)
        if place is None:
            result.append(finding)
            continue
        used.add(place)
        taken = known[place]
        if today <= taken.until:
            note = f"until {taken.until} by {taken.owner}: {taken.reason}"
            result.append(replace(finding, acknowledged=note))
        else:
            ended = f"acknowledged by {taken.owner} until {taken.until}, which has passed"
            result.append(replace(finding, what=f"{finding.what} ({ended})"))
    for i, entry in enumerate(known):
        if i not in used:
            result.append(_idle(entry))
    return result


def _idle(entry: Acknowledgement) -> Finding:
    name = entry.fingerprint or f"{entry.code} {entry.about}"
    return Finding(
        "ACK-IDLE", Severity.INFO, name,
        f"the acknowledgement of {name} is about no finding any more",
        "delete it, so that it does not hide a later one", owner=entry.owner,
    )  # fmt: skip
