"""What is wrong, missing or uncertain in usage that was read, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from workbench.findings import Severity

__all__ = ["Flaw"]


@dataclass(frozen=True, slots=True)
class Flaw:
    """One thing that whoever reads the figures must know.

    Parameters
    ----------
    code
        ``LLM-…``: the kind of thing.
    severity
        How much it matters.
    about
        What it is about: a profile, and a model where it is about one.
    what
        One sentence with its numbers.
    mend
        What to do next.
    evidence
        The numbers.
    """

    code: str
    severity: Severity
    about: str
    what: str
    mend: str = ""
    evidence: Mapping[str, float] = field(default_factory=dict)
