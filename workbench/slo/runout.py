"""When the error budget runs out: chances, a date with its interval, and the fan of what is left.

In a rolling window the budget is gone when the share of bad events in the last window reaches what
the objective allows; errors that grow older than the window fall out of it. In a calendar's window
it is gone when bad events reach the allowed share of all events that the period will have had, and
the next period begins with a whole budget.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.slo.futures import Futures
from workbench.statistics import Passage, first_passage
from workbench.window import format_time

__all__ = ["DATED", "FAN_LEVELS", "Fan", "RunOut", "left_calendar", "left_rolling", "run_out"]

_HOUR_MS: Final = 3_600_000

DATED: Final = 0.8
"""A date is given only where the chance within the horizon is at least this."""

FAN_LEVELS: Final = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)

_CHANCE_DAYS: Final = (30, 60, 90)
_FAN_POINTS: Final = 180


@dataclass(frozen=True, slots=True, eq=False)
class Fan:
    """What will be left of the budget: quantiles of its share, by time.

    Parameters
    ----------
    times_ms
        int64, shape (times,).
    levels
        The quantiles, ascending.
    values
        float64, shape (levels, times): shares of the budget; below 0 it is overspent.
    """

    times_ms: Ints
    levels: tuple[float, ...]
    values: Floats


@dataclass(frozen=True, slots=True, eq=False)
class RunOut:
    """When the budget runs out; where it has, when it comes back.

    Parameters
    ----------
    now_ms
        From when is forecast.
    spent
        Whether it is gone now: then all else tells of its return.
    chances
        The probability within so many days, by days (30, 60, 90 and the window).
    hours
        Median hours until then; None where that lies beyond the horizon.
    interval_80, interval_95
        Hours; an end is None where it lies beyond the horizon.
    dated
        Whether the chance within the horizon is high enough (0.8) for a date.
    horizon_hours
        How far was looked.
    passage
        The whole distribution, by hour.
    fan
        What will be left.
    """

    now_ms: int
    spent: bool
    chances: Mapping[int, float]
    hours: int | None
    interval_80: tuple[int | None, int | None]
    interval_95: tuple[int | None, int | None]
    dated: bool
    horizon_hours: int
    passage: Passage
    fan: Fan

    def time_ms(self, hours: int | None) -> int | None:
        """So many hours from now, in milliseconds since the epoch."""
        return None if hours is None else self.now_ms + hours * _HOUR_MS

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        hours: dict[str, int | None] = {"date": self.hours if self.dated else None}
        for share, interval in ((80, self.interval_80), (95, self.interval_95)):
            shown = interval if self.dated else (None, None)
            hours |= dict(zip((f"low_{share}", f"high_{share}"), shown, strict=True))
        dates = {k: t and format_time(t) for k, h in hours.items() for t in [self.time_ms(h)]}
        return {
            "of": "return" if self.spent else "run out",
            **dates,
            "chance": {f"within_{d}d": round(c, 4) for d, c in self.chances.items()},
            "dated": self.dated,
            "horizon_days": self.horizon_hours // 24,
        }


def left_rolling(
    past_bad: Floats, past_total: Floats, futures: Futures, window_hours: int, budget: float
) -> Floats:
    """The share of a rolling window's budget that is left after each coming hour.

    Parameters
    ----------
    past_bad, past_total
        float64, shape (hours,): the history that ends now; NaN counts as nothing.
    futures
        Drawn.
    window_hours, budget
        The objective's window and allowed share.

    Returns
    -------
    ndarray
        float64, shape (paths, hours): 1 is the whole budget, below 0 it is overspent.
    """
    spent, seen = (
        _rolled(past, ahead, window_hours)
        for past, ahead in ((past_bad, futures.bad), (past_total, futures.total))
    )
    share = np.divide(spent, seen, out=np.zeros_like(spent), where=seen > 0)
    left: Floats = 1 - share / budget
    return left


def _rolled(past: Floats, ahead: Floats, window: int) -> Floats:
    """The sum over the window that ends after each coming hour."""
    kept = np.nan_to_num(past[max(len(past) - window, 0) :])
    kept = np.concatenate([np.zeros(window - len(kept)), kept])
    gained = np.cumsum(ahead, axis=1)
    hours = ahead.shape[1]
    lost = np.cumsum(kept)[: min(window, hours)]
    rolled = kept.sum() + gained
    rolled[:, : len(lost)] -= lost
    if hours > window:
        rolled[:, window:] -= kept.sum() + gained[:, : hours - window]
    result: Floats = np.maximum(rolled, 0.0)
    return result


def left_calendar(
    past_bad: Floats,
    past_total: Floats,
    futures: Futures,
    bounds: Sequence[tuple[int, int]],
    budget: float,
) -> Floats:
    """The share of each period's budget that is left after each coming hour.

    Parameters
    ----------
    past_bad, past_total
        The history that ends now.
    bounds
        Start and end of each period in hours from now, the running one first (its start is 0 or
        below); the last reaches beyond the futures or ends with them.

    Returns
    -------
    ndarray
        As `left_rolling`.
    """
    hours = futures.bad.shape[1]
    left = np.ones_like(futures.bad)
    usual = futures.total.mean(axis=1)
    for start, end in bounds:
        rows = slice(max(start, 0), min(end, hours))
        began = max(len(past_bad) + start, 0) if start < 0 else len(past_bad)
        gone = float(np.nansum(past_bad[began:])) + np.cumsum(futures.bad[:, rows], axis=1)
        whole = float(np.nansum(past_total[began:])) + futures.total[:, rows].sum(axis=1)
        whole = whole + usual * max(end - hours, 0)
        allowed = np.maximum(budget * whole, 1e-12)[:, None]
        left[:, rows] = 1 - gone / allowed
    return left


def run_out(left: Floats, *, now_ms: int, spent: bool, window_days: int) -> RunOut:
    """Sum up what is left into chances, dates and a fan.

    Parameters
    ----------
    left
        float64, shape (paths, hours).
    now_ms
        From when.
    spent
        Whether the budget is gone now.
    window_days
        The objective's window, whose chance is told too.
    """
    hours = left.shape[1]
    passage = first_passage(left if spent else -left, 1e-12 if spent else 0.0)
    days = sorted({*_CHANCE_DAYS, max(window_days, 1)})
    every = max(1, hours // _FAN_POINTS)
    at = np.arange(every - 1, hours, every)
    fan = Fan(
        now_ms + (at + 1) * _HOUR_MS, FAN_LEVELS, np.quantile(left[:, at], FAN_LEVELS, axis=0)
    )
    return RunOut(
        now_ms,
        spent,
        {d: passage.chance(24 * d) for d in days if 24 * d <= hours},
        passage.quantile(0.5),
        passage.interval(0.8),
        passage.interval(0.95),
        passage.chance(hours) >= DATED,
        hours,
        passage,
        fan,
    )
