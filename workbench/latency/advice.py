"""What the bucket adviser says: the candidates, the one to take, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from workbench.latency.layouts import Layout
from workbench.latency.snippets import Snippet

__all__ = ["Advice", "NativeOption"]

_NATIVE_NEEDS: Final = (
    (
        "Prometheus 2.40 to 3.7 with --enable-feature=native-histograms, or 3.8 and later with "
        "scrape_native_histograms: true in the scrape configuration"
    ),
    "remote write with send_native_histograms: true, to a receiver that stores them",
    (
        "a client that has them: Go's client_golang from 1.14 (NativeHistogramBucketFactor), "
        "Java's client_java from 1.0, OpenTelemetry's exponential histograms over OTLP; Python's "
        "prometheus_client cannot observe into them as of 0.26"
    ),
    (
        "queries without le: histogram_quantile(0.99, sum(rate(m[5m]))) and histogram_fraction() "
        "instead of m_bucket; always_scrape_classic_histograms: true keeps both while they move"
    ),
)


@dataclass(frozen=True, slots=True)
class NativeOption:
    """Whether an exponential native histogram is the better answer.

    Parameters
    ----------
    layout
        Schema 3, which ``NativeHistogramBucketFactor: 1.1`` gives, judged like the others.
    growth
        Ratio of its buckets' edges; a quantile is off by at most ``growth - 1``.
    better
        Whether to prefer it where what it needs is there.
    reason
        Why, or why not.
    needs
        What must be there before it works.
    """

    layout: Layout
    growth: float
    better: bool
    reason: str
    needs: tuple[str, ...] = _NATIVE_NEEDS

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "layout": self.layout.to_dict(),
            "growth": self.growth,
            "better": self.better,
            "reason": self.reason,
            "needs": list(self.needs),
        }


@dataclass(frozen=True, slots=True)
class Advice:
    """The candidates, and which to take.

    Parameters
    ----------
    layouts
        All that were judged, today's first; empty where nothing could be.
    recommended
        None where there is too little to go by: `reason` says what is missing.
    today
        As it is.
    reason
        Why this one.
    native
        What a native histogram would do; None where nothing could be judged.
    notes
        What to know before trusting the figures.
    snippets
        The recommended layout as code.
    unit
        Of boundaries and objectives.
    """

    layouts: tuple[Layout, ...]
    recommended: Layout | None
    today: Layout
    reason: str
    native: NativeOption | None
    notes: tuple[str, ...]
    snippets: tuple[Snippet, ...] = ()
    unit: str = "seconds"

    def to_dict(self) -> dict[str, Any]:
        """As plain data for JSON."""
        return {
            "unit": self.unit,
            "recommended": None if self.recommended is None else self.recommended.name,
            "reason": self.reason,
            "notes": list(self.notes),
            "today": self.today.to_dict(),
            "layouts": [layout.to_dict() for layout in self.layouts],
            "native": None if self.native is None else self.native.to_dict(),
            "snippets": [snippet.to_dict() for snippet in self.snippets],
        }

    def to_table(self) -> list[dict[str, Any]]:
        """One flat row a layout: its cost, and the expected errors as shares."""
        return [_row(layout, recommended=layout is self.recommended) for layout in self.layouts]


def _row(layout: Layout, *, recommended: bool) -> dict[str, Any]:
    row: dict[str, Any] = {
        "layout": layout.name,
        "recommended": recommended,
        "buckets": layout.buckets,
        "series": layout.series,
        "series change": layout.series_change,
    }
    for each in layout.quantiles:
        name = f"p{100 * each.quantile:g}"
        row[f"{name} error"] = each.expected
        row[f"{name} error, histogram_quantile"] = each.expected_promql
        row[f"{name} worst, histogram_quantile"] = each.worst_promql
        row[f"{name} bucket width"] = each.width
    row["on objectives"] = layout.on_objectives
    row["share beyond"] = layout.share_beyond
    return row
