"""When a series changed its level or its spread, to the hour.

Candidates come from an exact segmentation (PELT, by `ruptures`) of the series without its weekly
pattern. Each must then prove itself in a regression on a straight line and all other candidates,
whitened for autocorrelation: what a trend or a slow wandering explains is no change. The
penalty for each change is four times the logarithm of the number of samples: one for its size,
two for having been looked for at every hour, one for an autocorrelation that is itself estimated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.designs import Whitening, steps, whitening
from workbench.statistics.local_time import time_zone, utc_offsets

__all__ = ["ChangePoint", "changepoints"]

_HOUR_MS: Final = 3_600_000
_WEEK: Final = 168
_LEAST: Final = 72
"""Hours without which nothing is looked for."""

_MOST: Final = 10
"""At most so many candidates are weighed."""

_APART: Final = 6
"""Hours between two levels, and at either end."""

_SPREAD_APART: Final = 48
"""Hours for which a spread must hold."""

_NEAR: Final = 30
"""A candidate's hour is looked for so many hours around it."""

_PENALTY: Final = 4.0
"""Times log n: what each change must explain."""

_LAGS: Final = np.array([1, 2, 3, 4, 6, 8, 12, 16, 24])
"""Hours over which autocorrelation is measured."""

_PHIS: Final = np.array([*np.arange(0, 0.9, 0.05), 0.9, 0.93, 0.95, 0.97, 0.98, 0.99, 0.995])
"""Autocorrelations from one hour to the next that are tried."""

_TINY: Final = 1e-9


@dataclass(frozen=True, slots=True)
class ChangePoint:
    """One change.

    Parameters
    ----------
    time_ms
        The first sample after it.
    size
        Of a level: by how much it changed, in the series' unit. Of a spread: the standard
        deviation after as a multiple of that before.
    kind
        What changed.
    score
        How much it explains, as a multiple of the penalty; above 1.
    """

    time_ms: int
    size: float
    kind: Literal["level", "spread"] = "level"
    score: float = 1.0


def changepoints(
    times_ms: Ints, values: Floats, *, timezone: str = "UTC", near_ms: Sequence[int] = ()
) -> tuple[ChangePoint, ...]:
    """Find changes of level and of spread.

    Parameters
    ----------
    times_ms
        int64, shape (n,), ascending; hourly or finer: finer samples are averaged by the hour.
    values
        float64, shape (n,); NaN where nothing is known.
    timezone
        Whose clocks the weekly pattern follows.
    near_ms
        Moments near which a level shift is already suspected, such as days of `Average.shifts`.

    Returns
    -------
    tuple of ChangePoint
        In the order of time.

    Notes
    -----
    PELT: Killick, Fearnhead and Eckley, Journal of the American Statistical Association 107, 2012.
    """
    hours, y = _hourly(times_ms, values)
    if len(y) < _LEAST or np.ptp(y) <= _TINY * max(float(np.abs(y).max()), 1e-300):
        return ()
    local = hours
    if timezone != "UTC":
        local = hours + utc_offsets(hours * _HOUR_MS, time_zone(timezone)) // _HOUR_MS
    rest = y - _pattern(local, y)
    scale = float(np.std(rest)) or 1.0
    found = _Levels.of(hours, rest / scale, [t // _HOUR_MS for t in near_ms])
    levels = [
        ChangePoint(int(hours[at]) * _HOUR_MS, size * scale, "level", score)
        for at, size, score in found.changes()
    ]
    spreads = _spreads(hours, local, found.residuals())
    return tuple(sorted([*levels, *spreads], key=lambda c: (c.time_ms, c.kind)))


def _hourly(times_ms: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Hours since the epoch, and the mean of each: the hour that ends with a full one holds it."""
    known = np.isfinite(values)
    hours, inverse = np.unique(-(-times_ms[known] // _HOUR_MS), return_inverse=True)
    counts = np.maximum(np.bincount(inverse, minlength=len(hours)), 1)
    return hours, np.bincount(inverse, values[known], minlength=len(hours)) / counts


def _pattern(local: Ints, y: Floats) -> Floats:
    """What repeats every week, or every day where less than three weeks are known.

    The median of each hour's distance from the mean of the period around it, so that a change of
    level disturbs only the period in which it happens.
    """
    span = int(local[-1] - local[0]) + 1
    period = _WEEK if span >= 3 * _WEEK else 24
    around = _moving_mean(local, y, period)
    slots, turns = local % period, local // period
    table = np.full((int(turns[-1] - turns[0]) + 1, period), np.nan)
    table[turns - turns[0], slots] = y - around
    seen = ~np.isnan(table).all(axis=0)
    profile = np.zeros(period)
    profile[seen] = np.nanmedian(table[:, seen], axis=0)
    result: Floats = profile[slots]
    return result


def _moving_mean(hours: Ints, y: Floats, width: int) -> Floats:
    """The mean of the samples within half a width, shifted inwards at the ends."""
    sums = np.concatenate([[0.0], np.cumsum(y)])
    start = np.clip(hours - width // 2, hours[0], max(hours[-1] - width + 1, hours[0]))
    low = np.searchsorted(hours, start)
    high = np.searchsorted(hours, start + width)
    result: Floats = (sums[high] - sums[low]) / np.maximum(high - low, 1)
    return result


def _persistence(hours: Ints, y: Floats) -> tuple[float, float]:
    """Autocorrelation from one hour to the next, and variance, by how differences grow with the lag.

    An exponential is fitted to the typical squared differences. They are medians, which a few
    changes of level hardly move.
    """
    found = np.array([_moved(hours, y, lag) for lag in _LAGS.tolist()])
    rise = 1 - _PHIS[:, None] ** _LAGS
    sill = (rise @ found) / np.square(rise).sum(axis=1)
    misfit = np.square(found - sill[:, None] * rise).sum(axis=1)
    best = int(np.argmin(misfit))
    # Half the squared difference is the variance; the median of a χ² with one degree is 0.455.
    return float(_PHIS[best]), max(float(sill[best]) / (2 * 0.455), _TINY)


def _moved(hours: Ints, y: Floats, lag: int) -> float:
    """The typical squared difference over a lag."""
    at = np.minimum(np.searchsorted(hours, hours + lag), len(hours) - 1)
    known = hours[at] == hours + lag
    if known.sum() < _APART:
        return 0.0
    return float(np.median(np.abs(y[at[known]] - y[known]))) ** 2


def _unrest(hours: Ints, y: Floats, phi: float, variance: float) -> float:
    """How much more the means of following days differ than the autocorrelation lets expect.

    Days have levels of their own in most series, and each midnight would look like a change.
    """
    days, inverse = np.unique(hours // 24, return_inverse=True)
    counts = np.bincount(inverse)
    means = np.bincount(inverse, y) / counts
    whole = (counts[1:] + counts[:-1] >= 40) & (np.diff(days) == 1)
    if whole.sum() < 5:
        return 1.0
    found = float(np.median(np.square(np.diff(means)[whole]))) / 0.455
    lags = np.arange(24)
    gaps = np.abs(lags[:, None] - lags[None, :])
    expected = (
        2 * variance * float((phi**gaps - phi ** (24 + lags[:, None] - lags[None, :])).mean())
    )
    return max(found / max(expected, _TINY), 1.0)


def _segments(y: Floats, penalty: float, least: int, extra: Sequence[int] = ()) -> list[int]:
    """Where an exact segmentation cuts: at most `_MOST` places, and those that were asked for."""
    import ruptures

    search = ruptures.KernelCPD(kernel="linear", min_size=least).fit(y[:, None])
    cuts = [int(c) for c in search.predict(pen=penalty)[:-1]]
    while len(cuts) > _MOST:
        penalty *= 1.5
        cuts = [int(c) for c in search.predict(pen=penalty)[:-1]]
    near = [c for c in extra if least <= c <= len(y) - least]
    return sorted({*cuts, *near})


@dataclass(slots=True)
class _Levels:
    """The regression of a series on a line and its level shifts, whitened.

    Parameters
    ----------
    hours
        int64, shape (n,).
    white
        The whitening for its autocorrelation.
    y
        float64, shape (n,): whitened.
    line
        float64, shape (n, 2): constant and trend, whitened.
    places
        Where the shifts begin.
    unrest
        By how much days differ more than the whitening holds: at least 1.
    """

    hours: Ints
    white: Whitening
    y: Floats
    line: Floats
    places: list[int]
    unrest: float

    @classmethod
    def of(cls, hours: Ints, y: Floats, near: Sequence[int]) -> _Levels:
        """Segment, then keep what holds."""
        n = len(y)
        phi, variance = _persistence(hours, y)
        penalty = np.log(n) * variance * (1 + phi) / (1 - phi)
        extra = np.searchsorted(hours, near).tolist() if len(near) else []
        white = whitening(hours, np.array([phi]))
        line = np.column_stack([np.ones(n), np.linspace(-1, 1, n)])
        flat = white.apply(y[:, None])[0, :, 0]
        places = _segments(y, penalty, _APART, extra)
        unrest = _unrest(hours, y, phi, variance)
        found = cls(hours, white, flat, white.apply(line)[0], places, unrest)
        found._settle()
        return found

    def _columns(self, places: Sequence[int]) -> Floats:
        begins = self.hours[list(places)].astype(np.float64)
        moved: Floats = self.white.apply(steps(self.hours.astype(np.float64), begins))[0]
        return moved

    def _without(self, places: Sequence[int]) -> tuple[Floats, Floats]:
        """An orthonormal basis of the line and those shifts, and what they leave of the values."""
        basis, _ = np.linalg.qr(np.column_stack([self.line, self._columns(places)]))
        return basis, self.y - basis @ (basis.T @ self.y)

    def _gains(self, others: Sequence[int], tried: Ints) -> Floats:
        """How much of the squared error each place would explain beside the others."""
        basis, rest = self._without(others)
        moved = self._columns(tried.tolist())
        moved -= basis @ (basis.T @ moved)
        power = np.square(moved).sum(axis=0)
        gain: Floats = np.where(power > 1e-6, (moved.T @ rest) ** 2 / np.maximum(power, 1e-6), 0.0)
        return gain

    def _scores(self) -> tuple[Floats, Floats]:
        """Size of each shift, and what it explains beside the others as multiples of the penalty."""
        design = np.column_stack([self.line, self._columns(self.places)])
        beta, *_ = np.linalg.lstsq(design, self.y, rcond=None)
        noise = float(np.square(self.y - design @ beta).sum()) / max(len(self.y) - len(beta), 1)
        inverse = np.linalg.pinv(design.T @ design)
        gain = beta**2 / np.maximum(np.diag(inverse), _TINY)
        least = max(noise, _TINY**2) * self.unrest * _PENALTY * np.log(len(self.y))
        return np.asarray(beta[2:], np.float64), np.asarray(gain[2:] / least, np.float64)

    def _drop(self, least: float) -> None:
        """Take out the weakest shift until all explain enough."""
        while self.places:
            scores = self._scores()[1]
            weakest = int(np.argmin(scores))
            if scores[weakest] >= least:
                return
            self.places.pop(weakest)

    def _settle(self) -> None:
        """Drop what explains little, move the rest to their likeliest hours, and drop again."""
        self._drop(0.5)
        for i, place in enumerate(self.places):
            others = self.places[:i] + self.places[i + 1 :]
            tried = self._around(place, others)
            if len(tried):
                self.places[i] = int(tried[np.argmax(self._gains(others, tried))])
        self._drop(1.0)

    def _around(self, place: int, others: Sequence[int]) -> Ints:
        """Hours near a place that are not too near another."""
        n = len(self.y)
        tried = np.arange(max(place - _NEAR, _APART), min(place + _NEAR, n - _APART) + 1)
        for other in others:
            tried = tried[np.abs(tried - other) >= _APART]
        return tried

    def changes(self) -> list[tuple[int, float, float]]:
        """Place, size and score of each shift."""
        if not self.places:
            return []
        sizes, scores = self._scores()
        return list(zip(self.places, sizes.tolist(), scores.tolist(), strict=True))

    def residuals(self) -> Floats:
        """The whitened noise."""
        return self._without(self.places)[1]


def _spreads(hours: Ints, local: Ints, noise: Floats) -> list[ChangePoint]:
    """Changes of the spread of the noise: of the level of the logarithm of its square."""
    squares = np.square(noise)
    usual = float(np.median(squares))
    if usual <= _TINY**2 or len(noise) < 2 * _SPREAD_APART:
        return []
    z = np.log(squares + 0.1 * usual)
    z = z - _pattern(local, z)
    phi, variance = _persistence(hours, z)
    weight = variance * (1 + phi) / (1 - phi)
    cuts = _segments(z, _PENALTY * np.log(len(z)) * weight, _SPREAD_APART)
    bounds = [0, *cuts, len(z)]
    result: list[ChangePoint] = []
    for i, cut in enumerate(cuts):
        before, after = z[bounds[i] : cut], z[cut : bounds[i + 2]]
        ratio = np.sqrt(
            np.median(squares[cut : bounds[i + 2]]) / np.median(squares[bounds[i] : cut])
        )
        gain = (after.mean() - before.mean()) ** 2 / (1 / len(before) + 1 / len(after)) / weight
        score = float(gain / (_PENALTY * np.log(len(z))))
        if score >= 1:
            result.append(ChangePoint(int(hours[cut]) * _HOUR_MS, float(ratio), "spread", score))
    return result
