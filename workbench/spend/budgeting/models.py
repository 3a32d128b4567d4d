"""Models of daily spend, and how likely each is: a small Bayesian search.

A model is level + weekday + trend + month ends + level shifts + noise that carries over (AR(1)). All
parts are Gaussian with priors as multiples of the noise, so one covariance matrix holds them and the
noise's variance is integrated out exactly: coefficients shrink to what a series shows, where a free
fit of a few weeks would call every wobble a trend and every total uncertain. How strong each part
is, the autocorrelation, the place of shifts and which days a month's end has are weighed by the
marginal likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from itertools import product
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints

__all__ = ["EVENT", "KERNELS", "SHIFT_RATE", "Events", "Frame", "Kernel", "frame_of", "steady"]

_CARRIED: Final = ((0.0, 0.3), (0.3, 0.3), (0.6, 0.25), (0.85, 0.15))
"""Autocorrelations from one day to the next, with their prior weights."""

_TRENDS: Final = ((0.0, 0.4), (1.0, 0.35), (5.0, 0.25))
"""Prior standard deviations of the growth in 30 days, as multiples of the noise's."""

_WEEKS: Final = (
    (0.0, 0.0, 0.1),
    (1.0, 0.0, 0.2),
    (5.0, 0.0, 0.2),
    (25.0, 0.0, 0.2),
    (3.0, 3.0, 0.15),
    (20.0, 20.0, 0.15),
)
"""The same of a weekday's effect, and of how it differs from one week to the other of a fortnight,
as pay runs and sprints make it. One that is too small for a series would make noise of its week."""

EVENT: Final = 8.0
"""The same of a level shift and of a month's end in the history …"""

_LEVEL: Final = 1000.0
"""Variance of the level: as good as unknown."""

SHIFT_RATE: Final = 1 / 120
"""Prior chance that the level shifts on a day."""

_MONTH_ENDS: Final = 0.3
"""Prior chance that months end otherwise than they go."""

_PULSE: Final = 0.02
"""Prior chance that the last day is odd by itself."""

_WINDOWS: Final = ((-1, 0), (-2, 0), (-3, 0), (-5, 0), (0, 1), (0, 2), (0, 3), (-1, 1))
"""Days before and after a month's midnight that may be its end."""

_PLACES: Final = 24
"""At most so many places are tried for a level shift."""

_EDGE: Final = 3
"""Days at least before a level shift that is looked for, and between two."""

_TREND_DAYS: Final = 30.0
"""Days in which a trend makes the growth that has a prior."""

_FADING: Final = 60.0
"""Days in which growth beyond these falls to 1/e."""

_TINY: Final = 1e-9
"""Least mean square that is left, as a share of the variance: below it is rounding."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """Which smooth parts a model has.

    Parameters
    ----------
    carried, trend, week, fortnight
        Autocorrelation, and prior standard deviations as multiples of the noise's.
    prior
        Logarithm of its prior weight.
    """

    carried: float
    trend: float
    week: float
    fortnight: float
    prior: float

    def between(self, a: Ints, b: Ints, origin: int) -> Floats:
        """Covariance of two lists of days, shape (len(a), len(b)), as multiples of the noise's."""
        apart = np.abs(a[:, None] - b[None, :]).astype(np.float64)
        result: Floats = self.carried**apart + _LEVEL
        if self.week:
            result = result + self.week**2 * (apart % 7 == 0)
        if self.fortnight:
            result = result + self.fortnight**2 * (apart % 14 == 0)
        if self.trend:
            result = result + self.trend**2 * np.outer(_grown(a - origin), _grown(b - origin))
        return result


KERNELS: Final = tuple(
    Kernel(phi, trend, week, fortnight, float(np.log(p * q * r)))
    for (phi, p), (trend, q), (week, fortnight, r) in product(_CARRIED, _TRENDS, _WEEKS)
)


def _grown(days: Ints) -> Floats:
    """How much of the growth in 30 days there has been by some days, 0 today.

    Growth goes on for 30 days and then fades, to as much as 90 days make: a few weeks do not tell
    that what grows by a third in a month grows thirtyfold in a year.
    """
    beyond = np.maximum(days - _TREND_DAYS, 0.0)
    faded = np.minimum(days, _TREND_DAYS) + _FADING * -np.expm1(-beyond / _FADING)
    result: Floats = faded / _TREND_DAYS
    return result


@dataclass(frozen=True, slots=True)
class Events:
    """Columns that a model may or may not have: month ends, an odd last day, level shifts.

    Parameters
    ----------
    past, future
        float64, shapes (n, events) and (ahead, events).
    sets
        int64, shape (sets, 3): the events of each set; one past the last is none.
    prior
        float64, shape (sets,): logarithms of prior weights.
    """

    past: Floats
    future: Floats
    sets: Ints
    prior: Floats

    @classmethod
    def of(cls, days: Ints, coming: Ints, first: date | None) -> Events:
        """All events that the days known may show; `first` is the date of day 0."""
        both = np.concatenate([days, coming])
        windows = _month_ends(both, first) if first else np.empty((len(both), 0))
        seen = windows[: len(days)]
        # An odd last day may be one day, or the first of many: later ones would tell which.
        pulse = both[:, None] == days[-1]
        windows = np.column_stack([windows[:, seen.any(axis=0) & ~seen.all(axis=0)], pulse])
        inner = days[_EDGE:]
        if len(inner) > _PLACES:
            inner = inner[np.linspace(0, len(inner) - 1, _PLACES).round().astype(int)]
        columns = np.column_stack([windows, both[:, None] >= inner[None, :]]).astype(np.float64)
        sets, prior = _sets(windows.shape[1], inner, int(days[-1] - days[0]))
        n = len(days)
        return cls(columns[:n], columns[n:], sets, prior)


def _sets(months: int, places: Ints, span: int) -> tuple[Ints, Floats]:
    """Which events a model has, and its prior weight: at most two shifts and one of the others."""
    count = len(places)
    one, two = np.triu_indices(count, 1)
    apart = places[two] - places[one] >= _EDGE
    one, two = one[apart], two[apart]
    none = months + count
    first = np.concatenate([[none], months + np.arange(count), months + one])
    second = np.concatenate([np.full(1 + count, none), months + two])
    rate = SHIFT_RATE * span
    chances = [1.0, rate, rate**2 / 2]
    sizes = [1, count, len(one)]
    shift = np.concatenate(
        [np.full(n, np.log(c / n)) for n, c in zip(sizes, chances, strict=True) if n]
    )
    end = np.full(months + 1, np.log(_MONTH_ENDS / max(months - 1, 1)))
    end[0], end[-1] = np.log(1 - _MONTH_ENDS - _PULSE), np.log(_PULSE)
    month = np.concatenate([[none], np.arange(months)])
    sets = np.column_stack(
        [np.repeat(month, len(first)), np.tile(first, months + 1), np.tile(second, months + 1)]
    )
    return sets, (end[:, None] + shift[None, :]).ravel()


def _month_ends(days: Ints, first: date) -> Floats:
    """Whether each day lies in each window around a month's midnight: shape (days, windows)."""
    dates = np.datetime64(first, "D") + days
    month = dates.astype("datetime64[M]")
    since = (dates - month.astype("datetime64[D]")).astype(np.int64)
    until = (dates - (month + 1).astype("datetime64[D]")).astype(np.int64)
    columns = [(until >= low) | (since < high) for low, high in _WINDOWS]
    return np.column_stack(columns).astype(np.float64)


@dataclass(frozen=True, slots=True)
class Frame:
    """What all series of the same days share: every model but for its values.

    With the covariance K = LL' of the smooth parts, a set U of events of variance s² adds
    ``log |I + s² U'K⁻¹U|`` to the determinant and takes ``b' (I/s² + U'K⁻¹U)⁻¹ b``, b = U'K⁻¹z, off
    the sum of squares. Both are had for all sets at once from the products of single events.

    Parameters
    ----------
    events
        The columns.
    roots
        float64, shape (kernels, n, n): L⁻¹.
    white
        float64, shape (kernels, n, events + 1): s·L⁻¹U; the last is an event that is none, so that
        every set has three.
    pivots, below
        float64, shape (3, kernels, sets): the parts D and L of LDL' of ``I + s² U'K⁻¹U``.
    volume
        float64, shape (kernels, sets): log prior weight less half of the log determinants.
    """

    events: Events
    roots: Floats
    white: Floats
    pivots: Floats
    below: Floats
    volume: Floats

    @classmethod
    def of(cls, days: Ints, coming: Ints, first: date | None) -> Frame:
        """Lay every model out; days and `first` are those of `Events.of`."""
        events = Events.of(days, coming, first)
        origin = int(days[-1])
        cov = np.stack([steady(kernel.between(days, days, origin)) for kernel in KERNELS])
        lower = np.linalg.cholesky(cov)
        roots = np.linalg.inv(lower)
        white = np.pad(roots @ (events.past * EVENT), ((0, 0), (0, 0), (0, 1)))
        gram = white.transpose(0, 2, 1) @ white
        a, b, c = events.sets.T
        one = 1 + gram[:, a, a]
        l21, l31 = gram[:, a, b] / one, gram[:, a, c] / one
        two = 1 + gram[:, b, b] - l21**2 * one
        l32 = (gram[:, b, c] - l31 * l21 * one) / two
        three = 1 + gram[:, c, c] - l31**2 * one - l32**2 * two
        volume = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(axis=1)[:, None]
        volume = volume + np.log(one * two * three) / 2
        prior = np.array([kernel.prior for kernel in KERNELS])[:, None] + events.prior
        return cls(
            events, roots, white, np.stack([one, two, three]), np.stack([l21, l31, l32]),
            prior - volume,
        )  # fmt: skip

    def weigh(self, z: Floats) -> tuple[Floats, Floats]:
        """Log marginal likelihood and sum of squares of all models: shape (kernels, sets) each."""
        rest = self.roots @ z
        along = np.einsum("kne,kn->ke", self.white, rest)
        a, b, c = self.events.sets.T
        l21, l31, l32 = self.below
        ya = along[:, a]
        yb = along[:, b] - l21 * ya
        yc = along[:, c] - l31 * ya - l32 * yb
        one, two, three = self.pivots
        squares = (rest**2).sum(axis=1)[:, None] - ya**2 / one - yb**2 / two - yc**2 / three
        squares = np.maximum(squares, _TINY * len(z))
        return self.volume - (len(z) - 1) / 2 * np.log(squares), squares


@lru_cache(maxsize=8)
def frame_of(days: tuple[int, ...], ahead: int, first: date | None) -> Frame:
    """That of some days; budgets of one report have the same, and the same earlier origins."""
    known = np.array(days, np.int64)
    return Frame.of(known, np.arange(known[-1] + 1, known[-1] + 1 + ahead), first)


def steady(matrix: Floats) -> Floats:
    """A covariance with a little more of its own on the diagonal, against rounding."""
    result: Floats = (matrix + matrix.T) / 2 + 1e-6 * np.eye(len(matrix), dtype=np.float64)
    return result
