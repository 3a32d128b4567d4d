"""A finding: something a reader should know or do, as data."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from workbench.findings.place import Place

__all__ = ["Finding", "Severity"]


class Severity(StrEnum):
    """How much a finding matters; ordered by `rank`."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for error."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something a reader should know or do.

    Parameters
    ----------
    code
        What kind of finding: ``CAP-SATURATION``; each code has a page in `findings/pages`.
    severity
        How much it matters.
    about
        What it is about (a resource, a metric and label): stable from one run to the next, the
        other half of the fingerprint.
    what
        One sentence that says what is the case, with the figures.
    next_step
        What to do about it.
    evidence
        The figures behind it, by name; numbers, text and ISO times only.
    where
        Where to look: a metric, a PromQL expression; the `place` where nothing else is said.
    place
        The file and line that it is about.
    owner
        Who is to act.
    fix
        A change, ready to be pasted: configuration or code.
    acknowledged
        Until when, by whom and why it is let pass; such a finding ends no command with 1.

    Examples
    --------
    >>> Finding("CAP-SATURATION", Severity.ERROR, "disk db-1", "full on 12 May", "grow it").fingerprint
    'cb6a236b56ea41cd'
    """

    code: str
    severity: Severity
    about: str
    what: str
    next_step: str = ""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    where: str = ""
    place: Place | None = None
    owner: str = ""
    fix: str = ""
    acknowledged: str = ""

    def __post_init__(self) -> None:
        if self.place is not None and not self.where:
            object.__setattr__(self, "where", str(self.place))

    @property
    def fingerprint(self) -> str:
        """Sixteen hex digits of the code and what it is about, not of its figures."""
        return hashlib.blake2b(
            f"{self.code}\0{self.about}".encode(errors="surrogatepass"), digest_size=8
        ).hexdigest()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "code": self.code,
            "severity": self.severity.value,
            "about": self.about,
            "what": self.what,
            "next_step": self.next_step,
            "evidence": dict(self.evidence),
            "where": self.where,
            "owner": self.owner,
            "fix": self.fix,
            "acknowledged": self.acknowledged,
            "fingerprint": self.fingerprint,
        }
