"""The regressions of a daily series: trend, weekday effects and level shifts as columns.

Every design is whitened for AR(1) errors observed at uneven distances: with autocorrelation φ
and a gap of g days, ``e_i = φ^g e_(i-1) + noise`` whose variance is ``(1 − φ^(2g))/(1 − φ²)`` of
the daily one. Whitened, ordinary least squares gives the exact Gaussian likelihood. Everything is
done for a batch of models at once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints

__all__ = ["SLOPE_DAYS", "Design", "Trend", "Week", "Whitening", "steps", "whitening"]

SLOPE_DAYS: Final = 30.0
"""Trend columns are scaled so that their coefficient is a growth in this many days."""

_WEEK: Final = np.vstack([np.eye(6), -np.ones((1, 6))])
"""Sum-to-zero contrasts of seven days, shape (7, 6)."""


@dataclass(frozen=True, slots=True, eq=False)
class Week:
    """Which weekday each day passes as.

    Parameters
    ----------
    sunday
        The number of some Sunday.
    holidays
        int64, shape (holidays,): numbers of the days that pass as Sundays, past and coming.

    Examples
    --------
    >>> Week(sunday=6, holidays=np.array([9])).phases(np.array([2, 9, 16])).tolist()
    [2, 6, 2]
    """

    sunday: int = 6
    holidays: Ints = field(default_factory=lambda: np.empty(0, np.int64))

    def phases(self, days: Ints | Floats) -> Ints:
        """int64, from 0 to 6: the same number for days that are alike."""
        numbers = days.astype(np.int64)
        phases = numbers % 7
        if len(self.holidays):
            phases = np.where(np.isin(numbers, self.holidays), self.sunday % 7, phases)
        return phases


class Trend(StrEnum):
    """How the level moves apart from weekdays and shifts."""

    NONE = "none"
    LINEAR = "linear"
    DAMPED = "damped"


@dataclass(frozen=True, slots=True)
class Design:
    """A batch of models of one shape.

    Parameters
    ----------
    trend, weekly
        The trend's kind, and whether weekdays differ.
    first, last
        The first and last day observed: a damped trend is steepest at `first`; trend columns are
        0 at `last`, so that the intercept is today's level.
    taus
        float64, shape (batch,): days in which a damped trend's slope falls to 1/e.
    begins
        float64, shape (batch, shifts): the days on which level shifts begin.
    week
        Which weekday each day passes as.
    """

    trend: Trend
    weekly: bool
    first: float
    last: float
    taus: Floats
    begins: Floats
    week: Week = field(default_factory=Week)

    def columns(self, days: Floats) -> Floats:
        """The columns at given days: shape (batch, days, columns).

        In this order: intercept, six weekday contrasts, trend, shifts.
        """
        batch, n = len(self.taus), len(days)
        parts = [np.ones((batch, n, 1))]
        if self.weekly:
            parts.append(np.broadcast_to(_WEEK[self.week.phases(days)], (batch, n, 6)))
        if self.trend is not Trend.NONE:
            parts.append(self._trend(days)[:, :, None])
        if self.begins.shape[1]:
            parts.append((days[None, :, None] >= self.begins[:, None, :]).astype(np.float64))
        return np.concatenate(parts, axis=2)

    def _trend(self, days: Floats) -> Floats:
        if self.trend is Trend.LINEAR:
            return np.broadcast_to((days - self.last) / SLOPE_DAYS, (len(self.taus), len(days)))
        taus = self.taus[:, None]
        today = np.exp(-(self.last - self.first) / taus)
        rise: Floats = taus / SLOPE_DAYS * (today - np.exp(-(days - self.first) / taus))
        return rise

    @property
    def trend_column(self) -> int:
        """Where the trend stands among the columns."""
        return 1 + 6 * self.weekly


def steps(days: Floats, begins: Floats) -> Floats:
    """Level shifts as columns, 0 before they begin and 1 after: shape (days, shifts)."""
    return (days[:, None] >= begins[None, :]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Whitening:
    """How to turn AR(1) rows into independent ones, for a batch of autocorrelations.

    Parameters
    ----------
    carry
        float64, shape (batch, n): φ to the power of the gap before each row; 0 for the first.
    scale
        float64, shape (batch, n): one over the standard deviation of each row's own noise.
    log_det
        float64, shape (batch,): the logarithm of the transform's determinant.
    """

    carry: Floats
    scale: Floats
    log_det: Floats

    def apply(self, rows: Floats) -> Floats:
        """Whiten rows of shape (n, columns) or (batch, n, columns): (batch, n, columns)."""
        result = rows * self.scale[:, :, None]
        result[:, 1:] -= (self.carry * self.scale)[:, 1:, None] * rows[..., :-1, :]
        return result


def whitening(days: Ints, phis: Floats) -> Whitening:
    """The transform for autocorrelations in [0, 1), shape (batch,), and the days observed."""
    gaps = np.diff(days).astype(np.float64)
    carry = np.concatenate([np.zeros((len(phis), 1)), phis[:, None] ** gaps], axis=1)
    scale = np.sqrt((1 - phis[:, None] ** 2) / (1 - carry**2))
    return Whitening(carry, scale, np.log(scale).sum(axis=1))
