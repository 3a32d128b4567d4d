"""What the studies of an executed notebook say: displayed, they leave their figures in its outputs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from workbench.errors import ReportError
from workbench.reporting.record import FindingRecord
from workbench.session.study import STUDY_MIME
from workbench.validation import explain_validation

__all__ = ["studies_of", "study_in", "summary_of"]


def study_in(output: Mapping[str, Any]) -> dict[str, Any] | None:
    """The study that one output of a cell holds, None where it holds none."""
    data = output.get("data", {}).get(STUDY_MIME)
    return dict(data) if isinstance(data, Mapping) else None


def studies_of(notebook: Any) -> list[dict[str, Any]]:
    """Every study that was displayed, in the notebook's order, each once."""
    found: list[dict[str, Any]] = []
    for output in _outputs(notebook):
        study = study_in(output)
        if study is not None and study not in found:
            found.append(study)
    return found


def _outputs(notebook: Any) -> Iterator[Mapping[str, Any]]:
    for cell in notebook.cells:
        yield from cell.get("outputs", ())


def summary_of(studies: Sequence[Mapping[str, Any]], *, now: datetime) -> dict[str, Any]:
    """The part of a report's record that comes from its studies.

    Parameters
    ----------
    studies
        As `studies_of` gives them.
    now
        What stands for the source's own now where no question was answered.

    Raises
    ------
    ReportError
        A study holds a finding that is none.
    """
    provenance = [dict(p) for study in studies for p in study.get("provenance", ())]
    moments = [datetime.fromisoformat(p["at"]) for p in provenance if p.get("at")]
    return {
        "findings": _findings(f for study in studies for f in study.get("findings", ())),
        "provenance": provenance,
        "results": [{"kind": s.get("kind", ""), "result": s.get("result", {})} for s in studies],
        "now": max(moments, default=now),
        "server": next((str(p["server"]) for p in provenance if p.get("server")), ""),
        # A window's text begins with its start, so the least is the one that reaches back furthest.
        "window": min(
            (str(p["window"]) for p in provenance if p.get("window")),
            key=lambda window: window.partition(", step ")[
                0
            ],  # of the widest, what was asked first
            default=None,
        ),
    }


def _findings(items: Iterable[Mapping[str, Any]]) -> list[FindingRecord]:
    """Findings of all studies, the most severe first."""
    try:
        found = [FindingRecord.model_validate(item) for item in items]
    except ValidationError as error:
        msg = f"a study holds a finding that is none: {explain_validation(error, FindingRecord)}"
        raise ReportError(msg, "make findings with workbench.findings.Finding") from None
    return sorted(found, key=lambda f: -f.severity.rank)
