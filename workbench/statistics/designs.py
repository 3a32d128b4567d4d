"""The regressions of a daily series: trend, weekday effects and level shifts as columns.

Every design is whitened for AR(1) errors observed at uneven distances: with autocorrelation φ
and a gap of g days, ``e_i = φ^g e_(i-1) + noise`` whose variance is ``(1 − φ^(2g))/(1 − φ²)`` of
the daily one. Whitened, ordinary least squares gives the exact Gaussian likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints

__all__ = ["SLOPE_DAYS", "Regressors", "Trend", "Whitening", "steps", "whitening"]

SLOPE_DAYS: Final = 30.0
"""Trend columns are scaled so that their coefficient is the growth in this many days."""


class Trend(StrEnum):
    """How the level moves apart from weekdays and shifts."""

    NONE = "none"
    LINEAR = "linear"
    DAMPED = "damped"


@dataclass(frozen=True, slots=True)
class Regressors:
    """Columns without shifts: intercept, six weekday contrasts, trend.

    Parameters
    ----------
    trend
        The trend's kind.
    weekly
        Whether weekdays differ.
    origin
        The day at which the trend column is 0: the last observed day.
    start
        The first observed day, at which a damped trend is steepest.
    tau
        Days in which a damped trend's slope falls to 1/e.
    """

    trend: Trend
    weekly: bool
    origin: float
    start: float
    tau: float = 0.0

    @property
    def count(self) -> int:
        """How many columns there are."""
        return 1 + 6 * self.weekly + (self.trend is not Trend.NONE)

    def columns(self, days: Floats) -> Floats:
        """The design at given days, shape (days, count)."""
        parts = [np.ones((len(days), 1))]
        if self.weekly:
            parts.append(_WEEK[np.asarray(days, np.int64) % 7])
        if self.trend is Trend.LINEAR:
            parts.append(((days - self.origin) / SLOPE_DAYS)[:, None])
        elif self.trend is Trend.DAMPED:
            parts.append((self._damped(days) - self._damped(self.origin))[:, None])
        return np.hstack(parts)

    def _damped(self, days: Any) -> Any:
        return -self.tau / SLOPE_DAYS * np.exp(-(days - self.start) / self.tau)


_WEEK: Final = np.vstack([np.eye(6), -np.ones((1, 6))])
"""Sum-to-zero contrasts of seven days, shape (7, 6)."""


def steps(days: Floats, begins: Floats) -> Floats:
    """Level shifts as columns, 0 before they begin and 1 after: shape (days, shifts)."""
    return (days[:, None] >= begins[None, :]).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Whitening:
    """How to turn AR(1) rows into independent ones.

    Parameters
    ----------
    carry
        float64, shape (n,): φ to the power of the gap before each row; 0 for the first.
    scale
        float64, shape (n,): one over the standard deviation of each row's own noise.
    log_det
        The logarithm of the transform's determinant, a part of the likelihood.
    """

    carry: Floats
    scale: Floats
    log_det: float

    def apply(self, rows: Floats) -> Floats:
        """Whiten the rows of an array of shape (n,) or (n, columns)."""
        shape = (-1,) + (1,) * (rows.ndim - 1)
        result = rows * self.scale.reshape(shape)
        factor = (self.carry * self.scale)[1:].reshape(shape)
        result[1:] -= factor * rows[:-1]
        return result


def whitening(days: Ints, phi: float) -> Whitening:
    """The transform for one autocorrelation `phi` in [0, 1) and the days observed."""
    carry = np.concatenate([[0.0], phi ** np.diff(days)])
    scale = np.sqrt((1 - phi**2) / (1 - carry**2))
    return Whitening(carry, scale, float(np.log(scale).sum()))
