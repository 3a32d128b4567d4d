"""The error budget: what the objective allows, what is spent, and what is left."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.slo.events import Events
from workbench.window import format_time

__all__ = ["Budget", "BurnDown", "budget_of", "burn_down"]

_DAY_MS: Final = 86_400_000
_Z: Final = 1.959964
_LEAST_BLOCKS: Final = 4


@dataclass(frozen=True, slots=True)
class Budget:
    """An objective's window so far.

    Parameters
    ----------
    start_ms, end_ms
        The window; that of a calendar may end after now.
    sli
        The share of good events.
    sli_low, sli_high
        Its 95 % interval: how well the events seen tell the chance that one is good; None where
        only a ratio is known.
    bad, total
        Events seen; None where only a ratio is known.
    allowed, left_events
        Bad events that the budget allows, and how many more; of a calendar's window, of all events
        that it is expected to have. None where only a ratio is known.
    left
        The share of the budget that is left; below 0 it is overspent.
    minutes, left_minutes
        The budget as minutes in which everything fails.
    unseen
        The share of the window up to now of which nothing is known.
    """

    start_ms: int
    end_ms: int
    sli: float
    sli_low: float | None
    sli_high: float | None
    bad: float | None
    total: float | None
    allowed: float | None
    left: float
    minutes: float
    unseen: float

    @property
    def left_events(self) -> float | None:
        """Bad events that may still happen; below 0 so many too many did."""
        return None if self.allowed is None or self.bad is None else self.allowed - self.bad

    @property
    def left_minutes(self) -> float:
        """What is left, as minutes in which everything fails at mean traffic."""
        return self.left * self.minutes

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        figures = {
            "sli": self.sli,
            "sli_low_95": self.sli_low,
            "sli_high_95": self.sli_high,
            "bad_events": self.bad,
            "total_events": self.total,
            "budget_events": self.allowed,
            "left_events": self.left_events,
            "left": self.left,
            "budget_minutes": self.minutes,
            "left_minutes": self.left_minutes,
            "unseen": self.unseen,
        }
        return {
            "start": format_time(self.start_ms),
            "end": format_time(self.end_ms),
            **{k: None if v is None else float(f"{v:.9g}") for k, v in figures.items()},
        }


@dataclass(frozen=True, slots=True, eq=False)
class BurnDown:
    """What was left of the window's budget as it was spent: int64 and float64, shape (times,)."""

    times_ms: Ints
    left: Floats


def budget_of(
    events: Events, budget: float, period: tuple[int, int], *, now_ms: int
) -> Budget | None:
    """Judge the window.

    Parameters
    ----------
    events
        The whole history, up to now.
    budget
        1 less the target.
    period
        Start and end of the window.
    now_ms
        Where the history ends.

    Returns
    -------
    Budget or None
        None where the window has no events.
    """
    start_ms, end_ms = period
    inside = events.after(start_ms)
    total = float(np.nansum(inside.total))
    if total <= 0:
        return None
    bad = float(np.nansum(inside.bad))
    expected = total + _to_come(events, max(end_ms - now_ms, 0))
    low, high = _interval(inside, bad, total) if events.counted else (None, None)
    wanted = (min(now_ms, end_ms) - start_ms) / events.step_ms
    return Budget(
        start_ms=start_ms,
        end_ms=end_ms,
        sli=1 - bad / total,
        sli_low=low,
        sli_high=high,
        bad=bad if events.counted else None,
        total=total if events.counted else None,
        allowed=budget * expected if events.counted else None,
        left=1 - bad / (budget * expected),
        minutes=budget * (end_ms - start_ms) / 60_000,
        unseen=max(0.0, 1 - float(inside.seen.sum()) / wanted),
    )


def _to_come(events: Events, rest_ms: int) -> float:
    """Events that the rest of a period will bring at the mean of the whole weeks seen."""
    if not rest_ms:
        return 0.0
    week = 7 * _DAY_MS // events.step_ms
    kept = events.total[-(len(events) // week * week) :] if len(events) >= week else events.total
    return float(np.nanmean(kept)) * rest_ms / events.step_ms if np.any(~np.isnan(kept)) else 0.0


def _interval(events: Events, bad: float, total: float) -> tuple[float, float]:
    """Wilson's interval of the good share, with as many events as independent ones would be worth.

    Errors come in bursts, so that days differ by more than a binomial count: the variance is
    widened by the ratio in which they do (Pearson's dispersion between days).
    """
    worth = total / _dispersion(events, bad / total)
    share = 1 - bad / total
    middle = (share + _Z**2 / (2 * worth)) / (1 + _Z**2 / worth)
    half = (
        _Z * math.sqrt(share * (1 - share) / worth + _Z**2 / (4 * worth**2)) / (1 + _Z**2 / worth)
    )
    return max(middle - half, 0.0), min(middle + half, 1.0)


def _dispersion(events: Events, share: float) -> float:
    each = max(1, _DAY_MS // events.step_ms)
    count = len(events) // each
    if count < _LEAST_BLOCKS or not 0 < share < 1:
        return 1.0
    bad, total = (
        np.nan_to_num(part[len(part) - count * each :]).reshape(count, each).sum(axis=1)
        for part in (events.bad, events.total)
    )
    used = total > 0
    if used.sum() < _LEAST_BLOCKS:
        return 1.0
    squares = (bad - share * total)[used] ** 2 / (total[used] * share * (1 - share))
    return max(1.0, float(squares.sum()) / (int(used.sum()) - 1))


def burn_down(events: Events, found: Budget, budget: float) -> BurnDown:
    """What was left of the window's budget after each step in it; it ends at `found.left`."""
    inside = events.after(found.start_ms)
    gone = np.cumsum(np.nan_to_num(inside.bad))
    whole = gone[-1] / (1 - found.left) if found.left < 1 else np.nansum(inside.total) * budget
    return BurnDown(inside.times_ms, 1 - gone / whole)
