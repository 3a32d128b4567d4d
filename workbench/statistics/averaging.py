"""Bayesian model averaging of a daily series: which trend, weekday effects and level shifts.

Models are trends {none, linear, damped} × weekdays {equal, different} × 0–2 level shifts, all
with AR(1) errors. Between these families the weights are ``exp(−BIC/4)``, half of BIC's usual
force, because a family chosen too surely makes intervals too narrow; within a family the place
of a shift, the autocorrelation and the damping are weighed by their likelihood.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.designs import Regressors, Trend, Whitening, steps, whitening

__all__ = ["Average", "Family", "Member", "Shift", "average_models"]

PHIS: Final = (0.0, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99)
"""Autocorrelations from one day to the next that are weighed."""

_DAMPINGS: Final = (0.35, 0.8)
"""Time constants of damped trends, as shares of the history's length."""

_PLACES: Final = 40
"""At most so many places are tried for a level shift."""

_EDGE: Final = 4
"""A level shift is looked for no nearer than this many observations to an end or another shift."""

_TEMPER: Final = 0.25
"""The weight of a family is exp(−_TEMPER · BIC)."""

_TINY: Final = 1e-9
"""Residuals below this share of the scale are rounding: the fit is exact."""


@dataclass(frozen=True, slots=True, order=True)
class Family:
    """One kind of model."""

    trend: Trend
    weekly: bool
    shifts: int


@dataclass(frozen=True, slots=True)
class Member:
    """One model of a family.

    Parameters
    ----------
    regressors
        Its columns apart from shifts.
    phi
        The autocorrelation of its errors.
    begins
        The days on which its level shifts begin.
    draws
        How many of the average's draws fall on it.
    """

    regressors: Regressors
    phi: float
    begins: tuple[float, ...]
    draws: int


@dataclass(frozen=True, slots=True)
class Shift:
    """A level shift of the most probable model: the day it begins and its size."""

    day: float
    size: float


@dataclass(frozen=True, slots=True)
class Average:
    """The weighed models of one series.

    Parameters
    ----------
    days, values
        What was observed: int64 and float64, shape (n,).
    weights
        The weight of each family; they add up to 1.
    members
        The models drawn, by family.
    shifts
        The level shifts of the most probable model.
    expected_shifts
        How many shifts there were, by the untempered weights.
    scale
        The standard deviation of the values, by which they are divided for the fit.
    """

    days: Ints
    values: Floats
    weights: dict[Family, float]
    members: dict[Family, list[Member]]
    shifts: tuple[Shift, ...]
    expected_shifts: float
    scale: float

    def chance(self, *, trend: Trend) -> float:
        """The weight of all families with that trend."""
        return sum(w for family, w in self.weights.items() if family.trend is trend)


@dataclass(slots=True)
class _Table:
    """Deviances (−2 log L) of a family's members: what to choose from."""

    regressors: list[Regressors] = field(default_factory=list)
    phis: list[float] = field(default_factory=list)
    deviances: list[Floats] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Search:
    """Every model of one series with its deviance.

    Parameters
    ----------
    days
        int64, shape (n,).
    places
        Days on which a shift may begin.
    tables
        The members of each family.
    """

    days: Ints
    places: Floats
    tables: dict[Family, _Table]

    def draw(self, family: Family, rng: np.random.Generator, draws: int) -> list[Member]:
        """Members of one family by their likelihood."""
        stacked = np.stack(self.tables[family].deviances)
        weights = _normalised(-0.5 * (stacked - stacked.min())).ravel()
        chosen, counts = np.unique(rng.choice(weights.size, draws, p=weights), return_counts=True)
        pairs = zip(chosen.tolist(), counts.tolist(), strict=True)
        return [self._member(family, index, count) for index, count in pairs]

    def best(self, family: Family) -> Member:
        """The most likely member of one family."""
        return self._member(family, int(np.argmin(np.stack(self.tables[family].deviances))), 1)

    def _member(self, family: Family, index: int, draws: int) -> Member:
        table, count = self.tables[family], len(self.places)
        row, place = divmod(index, count**family.shifts)
        at = {0: (), 1: (place,), 2: divmod(place, max(count, 1))}[family.shifts]
        begins = tuple(float(self.places[i]) for i in at)
        return Member(table.regressors[row], table.phis[row], begins, draws)


def average_models(
    days: Ints, values: Floats, rng: np.random.Generator, *, draws: int = 250
) -> Average:
    """Weigh every model and draw members in proportion.

    Parameters
    ----------
    days
        int64, shape (n,), ascending; gaps are allowed; n of at least 10.
    values
        float64, shape (n,), finite.
    rng
        Where the draws come from.
    draws
        How many members to draw.
    """
    scale = float(np.std(values)) or 1.0
    places = _places(days)
    tables = _tables(days, values / scale, places)
    families = sorted(tables)
    best = np.array([min(float(d.min()) for d in tables[f].deviances) for f in families])
    bic = best + np.log(len(days)) * np.array([_parameters(f) for f in families])
    weights, sure = _normalised(-_TEMPER * bic), _normalised(-0.5 * bic)
    counts = rng.multinomial(draws, weights).tolist()
    search = _Search(days, places, tables)
    return Average(
        days=days,
        values=values,
        scale=scale,
        weights=dict(zip(families, weights.tolist(), strict=True)),
        members={f: search.draw(f, rng, n) for f, n in zip(families, counts, strict=True) if n},
        shifts=_shifts(days, values, search.best(families[int(np.argmax(sure))])),
        expected_shifts=float(sum(w * f.shifts for w, f in zip(sure, families, strict=True))),
    )


def _tables(days: Ints, y: Floats, places: Floats) -> dict[Family, _Table]:
    """The deviance of every model."""
    tables: dict[Family, _Table] = {}
    for regressors in _regressors(days):
        for phi in PHIS:
            for count, deviance in enumerate(_deviances(days, y, regressors, phi, places)):
                family = Family(regressors.trend, regressors.weekly, count)
                table = tables.setdefault(family, _Table())
                table.regressors.append(regressors)
                table.phis.append(phi)
                table.deviances.append(deviance)
    return tables


def _places(days: Ints) -> Floats:
    """Days on which a level shift may begin; none where the history is short."""
    if len(days) < 21:
        return np.empty(0)
    inner = days[_EDGE : len(days) - _EDGE + 1].astype(np.float64)
    keep = np.unique(np.linspace(0, len(inner) - 1, min(_PLACES, len(inner))).round().astype(int))
    result: Floats = inner[keep]
    return result


def _regressors(days: Ints) -> Iterator[Regressors]:
    first, last = float(days[0]), float(days[-1])
    dampings = [share * (last - first + 1) for share in _DAMPINGS]
    for weekly in (False, True):
        if weekly and len(days) < 14:
            continue
        yield Regressors(Trend.NONE, weekly, last, first)
        yield Regressors(Trend.LINEAR, weekly, last, first)
        for tau in dampings:
            yield Regressors(Trend.DAMPED, weekly, last, first, tau)


def _deviances(
    days: Ints, y: Floats, regressors: Regressors, phi: float, places: Floats
) -> Iterator[Floats]:
    """−2 log L with 0, 1 and 2 shifts at every place: shapes (1,), (places,), (places²,)."""
    white = whitening(days, phi)
    at = days.astype(np.float64)
    basis, _ = np.linalg.qr(white.apply(regressors.columns(at)))
    target = white.apply(y)
    rest = target - basis @ (basis.T @ target)
    sse = float(rest @ rest)
    yield _deviance(np.array([sse]), len(y), white)
    if not len(places):
        return
    moved = white.apply(steps(at, places))
    moved -= basis @ (basis.T @ moved)
    gram, along = moved.T @ moved, moved.T @ rest
    power = np.maximum(np.diag(gram), 1e-12)
    yield _deviance(sse - along**2 / power, len(y), white)
    if len(days) < 42:
        return
    yield _deviance(sse - _pair_gain(gram, along, power, places), len(y), white).ravel()


def _pair_gain(gram: Floats, along: Floats, power: Floats, places: Floats) -> Floats:
    """How much each pair of shifts takes off the squared error; −∞ where they are too near."""
    det = np.outer(power, power) - gram**2
    first = np.outer(along**2, power)
    cross = np.outer(along, along) * gram
    near = np.abs(places[:, None] - places[None, :]) < _EDGE
    late = places[:, None] >= places[None, :]
    bad = near | late | (det < 1e-9 * np.outer(power, power))
    gain = (first - 2 * cross + first.T) / np.where(bad, 1.0, det)
    result: Floats = np.where(bad, -np.inf, gain)
    return result


def _deviance(sse: Floats, n: int, white: Whitening) -> Floats:
    floor = n * _TINY**2
    result: Floats = n * np.log(np.maximum(sse, floor) / n) - 2 * white.log_det
    return result


def _parameters(family: Family) -> int:
    """Columns, variance, autocorrelation, damping, and size and place of each shift."""
    trend = {Trend.NONE: 0, Trend.LINEAR: 1, Trend.DAMPED: 2}[family.trend]
    return 3 + 6 * family.weekly + trend + 2 * family.shifts


def _normalised(log_weights: Floats) -> Floats:
    weights = np.exp(log_weights - log_weights.max())
    result: Floats = weights / weights.sum()
    return result


def _shifts(days: Ints, values: Floats, member: Member) -> tuple[Shift, ...]:
    """A member's level shifts with their sizes."""
    if not member.begins:
        return ()
    at = days.astype(np.float64)
    design = np.hstack([member.regressors.columns(at), steps(at, np.array(member.begins))])
    white = whitening(days, member.phi)
    beta, *_ = np.linalg.lstsq(white.apply(design), white.apply(values), rcond=None)
    sizes = beta[member.regressors.count :].tolist()
    return tuple(Shift(day, size) for day, size in zip(member.begins, sizes, strict=True))
