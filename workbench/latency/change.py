"""What a comparison of latencies gives: plain data, in seconds and ratios."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from workbench.latency.subjects import Span
from workbench.samples import Labels
from workbench.statistics.comparison import Method
from workbench.window import format_time

__all__ = ["Change", "Comparison", "Verdict"]


class Verdict(StrEnum):
    """What can be said of two windows."""

    FASTER = "faster"
    SLOWER = "slower"
    NO_DIFFERENCE = "no difference seen"
    CANNOT_TELL = "cannot tell"


@dataclass(frozen=True, slots=True)
class Change:
    """How one quantile changed.

    Parameters
    ----------
    q
        0.99 for p99.
    before, after
        Our estimates in seconds; None without requests, lower bounds where clipped.
    ratio
        after / before; None where either is not known.
    low, high
        95 % interval of `ratio`; None where abstained. Where a change was seen it holds what
        interpolation does not know of its size too.
    certain_low, certain_high
        Between which the ratio of what was counted lies whatever the distributions are inside
        their buckets; None where there is no end.
    p, p_adjusted
        Two-sided p value, and after Holm over all changes of the call; None where abstained.
    detectable
        The ratio above 1 that would be called a change four times in five; None where abstained.
    method
        How the noise was found.
    windows
        How many placebo windows of history tell it, overlapping ones counted.
    left_out
        How many more were left out, since they hold an incident.
    usual
        Of two labels at the same time, the ratio over history; else None.
    why_not
        Why it was not judged; empty where it was.
    """

    q: float
    before: float | None
    after: float | None
    ratio: float | None
    low: float | None
    high: float | None
    certain_low: float | None
    certain_high: float | None
    p: float | None
    p_adjusted: float | None
    detectable: float | None
    method: Method
    windows: int
    left_out: int = 0
    usual: float | None = None
    why_not: str = ""

    @property
    def name(self) -> str:
        """``p99``, ``p99.9``."""
        return f"p{100 * self.q:g}"

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "quantile": self.q,
            "before_seconds": self.before,
            "after_seconds": self.after,
            "ratio": self.ratio,
            "interval_95": [self.low, self.high],
            "certain": [self.certain_low, self.certain_high],
            "p": self.p,
            "p_adjusted": self.p_adjusted,
            "detectable_ratio": self.detectable,
            "method": self.method.value,
            "placebo_windows": self.windows,
            "placebo_windows_left_out": self.left_out,
            "usual_ratio": self.usual,
            "why_not": self.why_not,
        }


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two windows of a group, or two groups over one window, compared.

    Parameters
    ----------
    title, group
        What happened or what tells them apart; whose requests.
    before, after
        What was compared; the same span of two labels at the same time.
    requests_before, requests_after
        How many were counted, extrapolated as ``increase()`` does.
    changes
        One a quantile.
    ks
        Lower and upper bound of the Kolmogorov–Smirnov distance, 0 to 1; None without requests.
    wasserstein_seconds
        The same of the 1-Wasserstein distance; the upper is None where it has no end.
    verdict
        From the adjusted p values.
    why
        What it rests on, and which change would have been seen.
    notes
        What weakens it.
    """

    title: str
    group: Labels
    before: Span
    after: Span
    requests_before: float
    requests_after: float
    changes: tuple[Change, ...]
    ks: tuple[float | None, float | None]
    wasserstein_seconds: tuple[float | None, float | None]
    verdict: Verdict
    why: str
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "title": self.title,
            "group": dict(self.group),
            "before": _span(self.before),
            "after": _span(self.after),
            "requests_before": self.requests_before,
            "requests_after": self.requests_after,
            "changes": [change.to_dict() for change in self.changes],
            "ks_bounds": list(self.ks),
            "wasserstein_seconds_bounds": list(self.wasserstein_seconds),
            "verdict": self.verdict.value,
            "why": self.why,
            "notes": list(self.notes),
        }


def _span(span: Span) -> dict[str, str]:
    return {"start": format_time(span.start_ms), "end": format_time(span.end_ms)}
