"""A `Study`: an analysis' result joined with its view, its findings and its provenance."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, Protocol

from workbench.findings import Finding, Provenance

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["STUDY_MIME", "Findings", "Provenances", "Study"]

STUDY_MIME: Final = "application/vnd.workbench.study+json"
"""Under this type a displayed study leaves its figures in the notebook, for the report's JSON."""


class Result(Protocol):
    """What every analysis gives."""

    @property
    def findings(self) -> Iterable[Finding]:
        """What a reader should know or do."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """The figures as JSON."""
        ...


class Findings(tuple[Finding, ...]):
    """Findings that show themselves as a table, and as lines where there is no page."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "\n".join(f"{f.severity.value:<8} {f.code}: {f.what}" for f in self) or "no findings"

    def _repr_html_(self) -> str:
        from workbench.views.table import findings_table

        return findings_table(self)


class Provenances(tuple[Provenance, ...]):
    """Provenances that show themselves as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from workbench.views.table import provenance_table

        return provenance_table(self)


class Study:
    """What an analysis found, ready to be read, drawn or kept.

    Parameters
    ----------
    kind
        ``capacity``, ``latency`` …
    result
        The analysis' own result: plain data.
    provenance
        Where each figure comes from.
    table, chart
        How the result is shown: functions of the result.
    findings
        What a reader should know or do; the result's own where they are not given.
    """

    def __init__(
        self,
        kind: str,
        result: Any,
        provenance: Iterable[Provenance],
        *,
        table: Callable[[Any], pd.DataFrame],
        chart: Callable[[Any], Any],
        findings: Iterable[Finding] | None = None,
    ) -> None:
        self.kind = kind
        self.result = result
        found = result.findings if findings is None else findings
        self.findings = Findings(sorted(found, key=lambda f: -f.severity.rank))
        self.provenance = Provenances(provenance)
        self._table = table
        self._chart = chart

    @property
    def table(self) -> pd.DataFrame:
        """The figures for people, one row a subject."""
        return self._table(self.result)

    def chart(self) -> Any:
        """The picture, an Altair chart."""
        from workbench.views import renderer, theme

        theme.enable()
        renderer.enable()
        return self._chart(self.result)

    def to_dict(self) -> dict[str, Any]:
        """Everything as JSON: ``kind``, ``findings``, ``provenance``, ``result``."""
        return {
            "kind": self.kind,
            "findings": [f.to_dict() for f in self.findings],
            "provenance": [dict(p.to_dict()) for p in self.provenance],
            "result": self.result.to_dict(),
        }

    def __repr__(self) -> str:
        head = f"<Study {self.kind}: {len(self.findings)} findings>"
        return f"{head}\n{self.findings!r}" if self.findings else head

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return {
            "text/plain": repr(self),
            "text/html": self.findings._repr_html_(),
            STUDY_MIME: self.to_dict(),
        }
