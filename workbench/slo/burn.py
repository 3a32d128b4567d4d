"""Burn rates: how many times faster than the objective allows the budget is being spent.

A burn rate of 1 spends the whole budget in exactly one window of the objective.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.samples import Floats
from workbench.slo.events import Events
from workbench.slo.pairs import BurnPair

__all__ = ["BurnRate", "burn_now", "burn_rates", "pair_name"]


@dataclass(frozen=True, slots=True)
class BurnRate:
    """A pair's burn rates at one moment; None where a window saw no events."""

    pair: BurnPair
    long: float | None
    short: float | None

    @property
    def burning(self) -> bool:
        """Whether both windows exceed the factor."""
        return all(b is not None and b > self.pair.factor for b in (self.long, self.short))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "pair": pair_name(self.pair),
            "factor": self.pair.factor,
            "severity": self.pair.severity,
            "long": _rounded(self.long),
            "short": _rounded(self.short),
            "burning": self.burning,
        }


def pair_name(pair: BurnPair) -> str:
    """Both windows, ``1h/5m``."""
    return f"{pair.long}/{pair.short}"


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

    Examples
    --------
    >>> hour = Events(np.arange(1, 3) * 60_000, np.array([0.0, 1.0]), np.array([50.0, 50.0]), 60_000)
    >>> burn_rates(hour, 0.001, 120_000).round(9).tolist()
    [0.0, 10.0]
    """
    rates: Floats = events.ratio(span_ms) / budget
    return rates


def burn_now(events: Events, budget: float, pairs: Sequence[BurnPair]) -> tuple[BurnRate, ...]:
    """Every pair's burn rates at the end of the data."""
    return tuple(
        BurnRate(p, _last(events, budget, p.long_ms), _last(events, budget, p.short_ms))
        for p in pairs
    )


def _last(events: Events, budget: float, span_ms: int) -> float | None:
    steps = max(1, round(span_ms / events.step_ms))
    total = float(np.nansum(events.total[-steps:]))
    return float(np.nansum(events.bad[-steps:])) / total / budget if total > 0 else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
