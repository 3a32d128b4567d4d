"""Where a figure comes from: its query, source, window, and what was wrong with the data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
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

    def joined(self, other: Provenance) -> Provenance:
        """One question that was asked in pieces of time: both windows, all that came back.

        Series are those of the piece that had most: most of them are the same ones.
        """
        window = self.window
        if window is not None and other.window is not None:
            start = min(window.start_ms, other.window.start_ms)
            window = replace(window, start_ms=start, end_ms=max(window.end_ms, other.window.end_ms))
        return replace(
            self,
            at_ms=max(self.at_ms, other.at_ms),
            window=window,
            series=max(self.series, other.series),
            samples=self.samples + other.samples,
            seconds=self.seconds + other.seconds,
            warnings=tuple(dict.fromkeys((*self.warnings, *other.warnings))),
            gaps=tuple(dict.fromkeys((*self.gaps, *other.gaps))),
        )

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
