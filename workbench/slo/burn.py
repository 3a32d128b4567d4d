"""Burn rates: how many times faster than the objective allows the budget is being spent.

A burn rate of 1 spends the whole budget in exactly one window. The multiwindow pairs are those
of *The Site Reliability Workbook*, chapter 5: an alert needs both a long window, so that it
matters, and a short one, so that it is still going on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats
from workbench.slo.events import Events
from workbench.units import format_duration, parse_duration

__all__ = ["BurnPair", "BurnRate", "burn_now", "burn_pairs", "burn_rates"]

_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 3_600_000
_MONTH_MS: Final = 30 * 24 * _HOUR_MS

_PAIRS: Final = (
    (_HOUR_MS, 0.02, "page"),
    (6 * _HOUR_MS, 0.05, "page"),
    (24 * _HOUR_MS, 0.10, "ticket"),
    (72 * _HOUR_MS, 0.10, "ticket"),
)
"""Of 30 days: the long window, the share of the budget spent in it that alerts, and how urgently."""

_NICE_MS: Final = tuple(
    parse_duration(t) for t in ("1h 2h 3h 6h 12h 1d 2d 3d 4d 7d 10d 14d 21d 28d".split())
)


@dataclass(frozen=True, slots=True)
class BurnPair:
    """A long and a short window that must both burn faster than a threshold.

    Parameters
    ----------
    long_ms, short_ms
        The windows.
    threshold
        The burn rate that both must exceed.
    budget_share
        How much of the budget is gone when the long window has burnt at the threshold throughout.
    severity
        ``page`` or ``ticket``.
    """

    long_ms: int
    short_ms: int
    threshold: float
    budget_share: float
    severity: str

    @property
    def name(self) -> str:
        """Both windows, ``1h/5m``."""
        return f"{format_duration(self.long_ms)}/{format_duration(self.short_ms)}"


@dataclass(frozen=True, slots=True)
class BurnRate:
    """A pair's burn rates at one moment; None where a window saw no events."""

    pair: BurnPair
    long: float | None
    short: float | None

    @property
    def burning(self) -> bool:
        """Whether both windows exceed the threshold."""
        return all(b is not None and b > self.pair.threshold for b in (self.long, self.short))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "pair": self.pair.name,
            "threshold": self.pair.threshold,
            "severity": self.pair.severity,
            "long": self.long,
            "short": self.short,
            "burning": self.burning,
        }


def burn_pairs(window_ms: int) -> tuple[BurnPair, ...]:
    """The multiwindow pairs of an objective's window.

    Parameters
    ----------
    window_ms
        The window over which the objective holds.

    Notes
    -----
    For 30 days: 1h/5m at 14.4, 6h/30m at 6, 1d/2h at 3, 3d/6h at 1. For other windows the long
    window scales with the objective's, is rounded to a usual duration and is an hour at the least;
    the threshold follows from the share of the budget, and is that of 30 days where the hour is
    the bound.

    Examples
    --------
    >>> [(p.name, p.threshold) for p in burn_pairs(30 * 86_400_000)]
    [('1h/5m', 14.4), ('6h/30m', 6.0), ('1d/2h', 3.0), ('3d/6h', 1.0)]
    """
    found: dict[int, BurnPair] = {}
    for usual_ms, share, severity in _PAIRS:
        wanted = usual_ms * window_ms / _MONTH_MS
        long_ms = min(_NICE_MS, key=lambda n, w=wanted: abs(np.log(n / w)))  # type: ignore[misc]
        threshold = share * window_ms / long_ms
        if wanted < _HOUR_MS * 0.75:
            threshold = max(threshold, share * _MONTH_MS / usual_ms)
        threshold = round(threshold, 4)
        pair = BurnPair(
            long_ms, long_ms // 12, threshold, threshold * long_ms / window_ms, severity
        )
        if long_ms < window_ms:
            found.setdefault(long_ms, pair)
    return tuple(found.values())


def burn_rates(events: Events, budget: float, span_ms: int) -> Floats:
    """The burn rate of the span that ends at each step.

    Parameters
    ----------
    events
        What happened.
    budget
        1 less the target.
    span_ms
        The span; shorter than a step it is one step.

    Returns
    -------
    ndarray
        float64, shape (steps,): the share of bad events as a multiple of the budget; NaN where
        there were no events.
    """
    rates: Floats = events.ratio(span_ms) / budget
    return rates


def burn_now(events: Events, budget: float, pairs: tuple[BurnPair, ...]) -> tuple[BurnRate, ...]:
    """Every pair's burn rates at the end of the data."""
    return tuple(
        BurnRate(p, _last(events, budget, p.long_ms), _last(events, budget, p.short_ms))
        for p in pairs
    )


def _last(events: Events, budget: float, span_ms: int) -> float | None:
    rates = burn_rates(events, budget, span_ms)
    return None if not len(rates) or np.isnan(rates[-1]) else float(rates[-1])
