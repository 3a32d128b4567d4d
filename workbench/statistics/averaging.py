"""Bayesian model averaging of a daily series: which trend, weekday effects and level shifts.

Models are trends {none, linear, damped} × weekdays {equal, different} × 0–2 level shifts, all
with AR(1) errors. Between these families the weights are ``exp(−BIC/4)``, half of BIC's usual
force, because a family chosen too surely makes intervals too narrow; within a family the place
of a shift, the autocorrelation and the damping are weighed by their likelihood.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.designs import Design, Trend, Whitening, steps, whitening

__all__ = ["Average", "Family", "Member", "Shift", "average_models", "family_design"]

PHIS: Final = np.array([0.0, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 0.998])
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
    tau
        Days in which a damped trend's slope falls to 1/e; without meaning for other trends.
    phi
        The autocorrelation of its errors.
    begins
        The days on which its level shifts begin.
    draws
        How many of the average's draws fall on it.
    """

    tau: float
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


@dataclass(frozen=True, slots=True)
class _Search:
    """Every model of one series with its deviance.

    Parameters
    ----------
    days
        int64, shape (n,).
    places
        Days on which a shift may begin.
    taus
        Time constants of the damped trends.
    deviances
        −2 log L of each family's members, shape (taus, phis, 1 or places or pairs of
        places); the first axis has length 1 but for damped trends.
    """

    days: Ints
    places: Floats
    taus: tuple[float, ...]
    deviances: dict[Family, Floats]

    def draw(self, family: Family, rng: np.random.Generator, draws: int) -> list[Member]:
        """Members of one family by their likelihood."""
        deviances = self.deviances[family]
        weights = _normalised(-0.5 * deviances.ravel())
        chosen, counts = np.unique(rng.choice(weights.size, draws, p=weights), return_counts=True)
        pairs = zip(chosen.tolist(), counts.tolist(), strict=True)
        return [self._member(family, index, count) for index, count in pairs]

    def best(self, family: Family) -> Member:
        """The most likely member of one family."""
        return self._member(family, int(np.argmin(self.deviances[family])), 1)

    def _member(self, family: Family, index: int, draws: int) -> Member:
        tau, phi, place = np.unravel_index(index, self.deviances[family].shape)
        begins = tuple(float(self.places[i]) for i in self._chosen(family.shifts, int(place)))
        return Member(self.taus[tau], float(PHIS[phi]), begins, draws)

    def _chosen(self, shifts: int, place: int) -> tuple[int, ...]:
        """The places of a member's shifts."""
        if shifts < 2:
            return (place,) * shifts
        first, second = _pairs(len(self.places))
        return int(first[place]), int(second[place])


def average_models(
    days: Ints, values: Floats, rng: np.random.Generator, *, draws: int = 200
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
    search = _search(days, values / scale)
    families = sorted(search.deviances)
    best = np.array([float(search.deviances[f].min()) for f in families])
    bic = best + np.log(len(days)) * np.array([_parameters(f) for f in families])
    weights, sure = _normalised(-_TEMPER * bic), _normalised(-0.5 * bic)
    counts = rng.multinomial(draws, weights).tolist()
    likeliest = families[int(np.argmax(sure))]
    return Average(
        days=days,
        values=values,
        scale=scale,
        weights=dict(zip(families, weights.tolist(), strict=True)),
        members={f: search.draw(f, rng, n) for f, n in zip(families, counts, strict=True) if n},
        shifts=_shifts(days, values, likeliest, search.best(likeliest)),
        expected_shifts=float(sum(w * f.shifts for w, f in zip(sure, families, strict=True))),
    )


def family_design(family: Family, members: Sequence[Member], days: Ints) -> Design:
    """The columns of some members of one family, fitted to the days observed."""
    return Design(
        family.trend,
        family.weekly,
        float(days[0]),
        float(days[-1]),
        np.array([m.tau for m in members]),
        np.array([m.begins for m in members]).reshape(len(members), family.shifts),
    )


def _search(days: Ints, y: Floats) -> _Search:
    """The deviance of every model."""
    taus = tuple(share * float(days[-1] - days[0] + 1) for share in _DAMPINGS)
    places = _places(days, y)
    shared = _Shared.of(days, y, places)
    deviances: dict[Family, Floats] = {}
    for weekly in (False, True) if len(days) >= 14 else (False,):
        for trend in Trend:
            used = taus if trend is Trend.DAMPED else taus[:1]
            member = [Member(tau, 0.0, (), 1) for tau in used]
            rows = family_design(Family(trend, weekly, 0), member, days)
            columns = rows.columns(days.astype(np.float64))
            found = [list(_deviances(shared, each, places)) for each in columns]
            for shifts, parts in enumerate(zip(*found, strict=True)):
                deviances[Family(trend, weekly, shifts)] = np.stack(parts)
    return _Search(days, places, taus, deviances)


def _places(days: Ints, y: Floats) -> Floats:
    """Days on which a level shift may begin; none where the history is short.

    Half of them evenly spaced, half where the four values after differ most from the four before.
    """
    if len(days) < 21:
        return np.empty(0)
    inner = np.arange(_EDGE, len(days) - _EDGE + 1)
    if len(inner) > _PLACES:
        sums = np.concatenate([[0.0], np.cumsum(y)])
        jump = np.abs(sums[inner + _EDGE] - 2 * sums[inner] + sums[inner - _EDGE])
        even = inner[np.linspace(0, len(inner) - 1, _PLACES // 2).round().astype(int)]
        inner = np.union1d(even, inner[np.argsort(-jump, kind="stable")[: _PLACES // 2]])
    result: Floats = days[inner].astype(np.float64)
    return result


@dataclass(frozen=True, slots=True)
class _Shared:
    """What every design shares: whitened values and steps, and their products.

    Parameters
    ----------
    white
        For each autocorrelation.
    y
        float64, shape (phis, n, 1).
    moved
        float64, shape (phis, n, places): a shift at each place.
    gram, along
        Products of `moved` with itself and with `y`: (phis, places, places), (phis, places, 1).
    """

    white: Whitening
    y: Floats
    moved: Floats
    gram: Floats
    along: Floats

    @classmethod
    def of(cls, days: Ints, y: Floats, places: Floats) -> _Shared:
        white = whitening(days, PHIS)
        target = white.apply(y[:, None])
        moved = white.apply(steps(days.astype(np.float64), places))
        turned = moved.transpose(0, 2, 1)
        return cls(white, target, moved, turned @ moved, turned @ target)


def _deviances(shared: _Shared, columns: Floats, places: Floats) -> Iterator[Floats]:
    """−2 log L with 0, 1 and 2 shifts: shapes (phis, 1), (phis, places), (phis, pairs)."""
    n = len(columns)
    basis, _ = np.linalg.qr(shared.white.apply(columns))
    turned = basis.transpose(0, 2, 1)
    inside = turned @ shared.y
    sse = np.square(shared.y).sum(axis=1) - np.square(inside).sum(axis=1)
    yield _deviance(sse, n, shared.white)
    if not len(places):
        return
    # Projecting the shifts off the basis changes only their products, which is all that counts.
    overlap = turned @ shared.moved
    gram = shared.gram - overlap.transpose(0, 2, 1) @ overlap
    along = (shared.along - overlap.transpose(0, 2, 1) @ inside)[:, :, 0]
    power = np.maximum(np.diagonal(gram, axis1=1, axis2=2), 1e-12)
    yield _deviance(sse - along**2 / power, n, shared.white)
    if n < 42:
        return
    yield _deviance(sse - _pair_gain(gram, along, power, places), n, shared.white)


def _pairs(count: int) -> tuple[Ints, Ints]:
    """The places of two shifts: every pair once, the earlier first."""
    first, second = np.triu_indices(count, 1)
    return first, second


def _pair_gain(gram: Floats, along: Floats, power: Floats, places: Floats) -> Floats:
    """How much each pair of shifts takes off the squared error; −∞ where they are too near."""
    i, j = _pairs(len(places))
    cross = gram[:, i, j]
    product = power[:, i] * power[:, j]
    det = product - cross**2
    gain = along[:, i] ** 2 * power[:, j] + along[:, j] ** 2 * power[:, i]
    gain -= 2 * along[:, i] * along[:, j] * cross
    bad = (places[j] - places[i] < _EDGE) | (det < 1e-9 * product)
    result: Floats = np.where(bad, -np.inf, gain / np.where(bad, 1.0, det))
    return result


def _deviance(sse: Floats, n: int, white: Whitening) -> Floats:
    floor = n * _TINY**2
    result: Floats = n * np.log(np.maximum(sse, floor) / n) - 2 * white.log_det[:, None]
    return result


def _parameters(family: Family) -> int:
    """Columns, variance, autocorrelation, damping, and size and place of each shift."""
    trend = {Trend.NONE: 0, Trend.LINEAR: 1, Trend.DAMPED: 2}[family.trend]
    return 3 + 6 * family.weekly + trend + 2 * family.shifts


def _normalised(log_weights: Floats) -> Floats:
    weights = np.exp(log_weights - log_weights.max())
    result: Floats = weights / weights.sum()
    return result


def _shifts(days: Ints, values: Floats, family: Family, member: Member) -> tuple[Shift, ...]:
    """A member's level shifts with their sizes."""
    if not member.begins:
        return ()
    design = family_design(family, [member], days).columns(days.astype(np.float64))
    white = whitening(days, np.array([member.phi]))
    target = white.apply(values[:, None])[0, :, 0]
    beta, *_ = np.linalg.lstsq(white.apply(design)[0], target, rcond=None)
    sizes = beta[-family.shifts :].tolist()
    return tuple(Shift(day, size) for day, size in zip(member.begins, sizes, strict=True))
