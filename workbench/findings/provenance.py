"""Where a figure comes from: its query, source, window, and what was wrong with the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from workbench.window import Window

__all__ = ["Provenance", "Semantics"]


class Semantics(StrEnum):
    """Whose PromQL answered: they give different numbers for one expression."""

    PROMETHEUS_3 = "Prometheus 3.x: windows are open at the left, rate() extrapolates"
    PROMETHEUS_2 = "Prometheus 2.x: windows are closed at both ends, rate() extrapolates"
    VICTORIAMETRICS = "VictoriaMetrics: rate() and increase() do not extrapolate, look back to the sample before the window"
    UNKNOWN = "unknown: the server does not say what it is"


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a figure comes from.

    Parameters
    ----------
    expression
        The PromQL asked.
    source
        The source's name, without secrets.
    server
        Product and version, such as ``Prometheus 2.42.0``.
    semantics
        Whose rules of PromQL apply.
    window
        The range asked; None for an instant.
    at_ms
        The instant asked, or the window's end.
    series, samples
        How many came back (`series`) and were read to make them (`samples`; what came back where
        the source does not tell).
    seconds
        Wall time of the question.
    warnings
        What the source said of its answer: partial responses, dubious use of functions.
    gaps
        What is incomplete in the data, one sentence each.
    """

    expression: str
    source: str
    server: str
    semantics: Semantics
    at_ms: int
    window: Window | None = None
    series: int = 0
    samples: int = 0
    seconds: float = 0.0
    warnings: tuple[str, ...] = field(default=())
    gaps: tuple[str, ...] = field(default=())

    def to_dict(self) -> Mapping[str, Any]:
        """The JSON form."""
        from workbench.window import format_time  # numpy, which a bare finding can do without

        return {
            "expression": self.expression,
            "source": self.source,
            "server": self.server,
            "semantics": self.semantics.value,
            "at": format_time(self.at_ms),
            "window": str(self.window) if self.window else None,
            "series": self.series,
            "samples": self.samples,
            "seconds": round(self.seconds, 3),
            "warnings": list(self.warnings),
            "gaps": list(self.gaps),
        }
