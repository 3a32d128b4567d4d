"""The pairs of windows in which burn rates are judged, and the rates from which on they alert.

A burn rate of 1 uses up the budget exactly by the end of the objective's window. An alert fires while
the rate is above a factor over a long window, which makes it worth acting on, and over a short one,
which makes it end soon after the trouble does. The pairs and the shares of the budget are those of
the Google SRE workbook, chapter 5; for 30 days they give the factors 14.4, 6, 3 and 1.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from workbench.slo.objective import Objective
from workbench.slo.slices import Threshold, Timeslices
from workbench.units import format_duration, parse_duration

__all__ = ["BurnPair", "burn_pairs"]

Severity = Literal["page", "ticket"]

_HOUR_MS: Final = 3_600_000
_PAIRS: Final[tuple[tuple[Severity, float, int, int], ...]] = (
    ("page", 0.02, _HOUR_MS, _HOUR_MS // 12),
    ("page", 0.05, 6 * _HOUR_MS, _HOUR_MS // 2),
    ("ticket", 0.10, 24 * _HOUR_MS, 2 * _HOUR_MS),
    ("ticket", 0.10, 72 * _HOUR_MS, 6 * _HOUR_MS),
)
"""Severity, share of the budget, long and short window."""


@dataclass(frozen=True, slots=True)
class BurnPair:
    """A long and a short window, and the burn rate that alerts in both.

    Parameters
    ----------
    severity
        ``page`` or ``ticket``.
    share
        The share of the whole budget that is gone when the long window has burnt at `factor`.
    long_ms, short_ms
        The windows, milliseconds.
    factor
        The burn rate.
    """

    severity: Severity
    share: float
    long_ms: int
    short_ms: int
    factor: float

    @property
    def long(self) -> str:
        """The long window as PromQL writes it."""
        return format_duration(self.long_ms)

    @property
    def short(self) -> str:
        """The short window as PromQL writes it."""
        return format_duration(self.short_ms)

    def can_fire(self, budget: float) -> bool:
        """Whether any error ratio, which is 1 at most, exceeds `factor` times the budget."""
        return self.factor * budget < 1


def burn_pairs(objective: Objective) -> tuple[BurnPair, ...]:
    """The pairs for an objective, those that page first.

    The factor is ``share * window / long``. What burns at less than 1 does not use up the budget: a
    page for it is left out, and of the tickets the one of the shortest such window stays, with 1. A
    pair whose long window is not shorter than the objective's own is left out too, and a short
    window is never shorter than a slice.

    Examples
    --------
    >>> from workbench.slo.indicator import Availability
    >>> sli = Availability(total="hits_total", bad="faults_total")
    >>> one = Objective(name="a", service="b", target=0.999, sli=sli)
    >>> [(p.severity, p.long, p.short, p.factor) for p in burn_pairs(one)][:3]
    [('page', '1h', '5m', 14.4), ('page', '6h', '30m', 6.0), ('ticket', '1d', '2h', 3.0)]
    """
    sli = objective.sli
    step = sli.slice if isinstance(sli, Timeslices) else "0s"
    step = sli.every if isinstance(sli, Threshold) else step
    found: list[BurnPair] = []
    for severity, share, long_ms, short_ms in _PAIRS:
        shortest = max(short_ms, parse_duration(step))
        factor = round(share * objective.window_ms / long_ms, 6)
        if not shortest < long_ms < objective.window_ms or (factor < 1 and severity == "page"):
            continue
        if factor >= 1 or all(p.factor > 1 for p in found):
            factor = max(1.0, factor)
            spent = factor * long_ms / objective.window_ms
            found.append(BurnPair(severity, spent, long_ms, shortest, factor))
    return tuple(found)
