"""Every averaged model of one daily series with its likelihood, found in a few products.

Two figures are kept of each model: the deviance at the best coefficients, by which kinds of model
are compared (BIC), and the marginal one with coefficients and noise level integrated out under
flat priors (restricted likelihood), by which members of a kind are. The second matters where the
level wanders: at the best coefficients a trend or a shift takes up some of the wandering, and the
autocorrelation looks smaller than it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.designs import Design, Trend, Week, Whitening, steps, whitening

__all__ = ["PHIS", "Family", "Kind", "Member", "Search", "family_design", "search"]

PHIS: Final = np.array([0.0, 0.3, 0.5, 0.7, 0.85, 0.95, 0.99, 0.998])
"""Autocorrelations from one day to the next that are weighed; the last is as good as a random walk."""

_DAMPINGS: Final = (0.35, 0.8)
"""Time constants of damped trends, as shares of the history's length."""

_PLACES: Final = 40
"""At most so many places are tried for a level shift."""

_EDGE: Final = 4
"""A level shift is looked for no nearer than this many observations to an end or another shift."""

_TINY: Final = 1e-9
"""Residuals below this share of the scale are rounding: the fit is exact."""


@dataclass(frozen=True, slots=True, order=True)
class Family:
    """One shape of model."""

    trend: Trend
    weekly: bool
    shifts: int


@dataclass(frozen=True, slots=True, order=True)
class Kind:
    """A family whose level returns, with an autocorrelation to be found, or wanders freely."""

    family: Family
    wanders: bool

    @property
    def parameters(self) -> int:
        """Columns, variance, autocorrelation, damping, and size and place of each shift."""
        family = self.family
        trend = {Trend.NONE: 0, Trend.LINEAR: 1, Trend.DAMPED: 2}[family.trend]
        return 2 + (not self.wanders) + 6 * family.weekly + trend + 2 * family.shifts

    @property
    def phis(self) -> slice:
        """Its autocorrelations among `PHIS`."""
        last = len(PHIS) - 1
        return slice(last, None) if self.wanders else slice(0, last)


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
class Search:
    """Every model of one series with its likelihood.

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
    marginals
        The same of the restricted likelihood.
    """

    days: Ints
    places: Floats
    taus: tuple[float, ...]
    deviances: dict[Family, Floats]
    marginals: dict[Family, Floats]

    @property
    def kinds(self) -> list[Kind]:
        """All kinds of model, in a fixed order."""
        return [Kind(f, wanders) for f in sorted(self.deviances) for wanders in (False, True)]

    def bic(self, kind: Kind) -> float:
        """Schwarz' criterion of a kind: small is good."""
        best = float(self.deviances[kind.family][:, kind.phis].min())
        return best + float(np.log(len(self.days))) * kind.parameters

    def draw(self, kind: Kind, rng: np.random.Generator, draws: int) -> list[Member]:
        """Members of one kind by their restricted likelihood."""
        table = self.marginals[kind.family][:, kind.phis]
        weights = np.exp(-0.5 * (table - table.min())).ravel()
        drawn = rng.choice(weights.size, draws, p=weights / weights.sum())
        chosen, counts = np.unique(drawn, return_counts=True)
        pairs = zip(chosen.tolist(), counts.tolist(), strict=True)
        return [self.member(kind, index, count) for index, count in pairs]

    def best(self, kind: Kind) -> Member:
        """The most likely member of one kind."""
        return self.member(kind, int(np.argmin(self.deviances[kind.family][:, kind.phis])), 1)

    def member(self, kind: Kind, index: int, draws: int) -> Member:
        """The member at a place in a kind's flattened table."""
        shape = self.deviances[kind.family][:, kind.phis].shape
        tau, phi, place = np.unravel_index(index, shape)
        begins = tuple(float(self.places[i]) for i in self._chosen(kind.family.shifts, int(place)))
        return Member(self.taus[tau], float(PHIS[kind.phis][phi]), begins, draws)

    def _chosen(self, shifts: int, place: int) -> tuple[int, ...]:
        """The places of a member's shifts."""
        if shifts < 2:
            return (place,) * shifts
        first, second = _pairs(len(self.places))
        return int(first[place]), int(second[place])


def family_design(
    family: Family, members: Sequence[Member], days: Ints, week: Week | None = None
) -> Design:
    """The columns of some members of one family, fitted to the days observed."""
    return Design(
        family.trend,
        family.weekly,
        float(days[0]),
        float(days[-1]),
        np.array([m.tau for m in members]),
        np.array([m.begins for m in members]).reshape(len(members), family.shifts),
        week or Week(),
    )


def search(days: Ints, y: Floats, week: Week | None = None) -> Search:
    """The likelihood of every model.

    Parameters
    ----------
    days
        int64, shape (n,), ascending.
    y
        float64, shape (n,), scaled to a standard deviation near 1.
    week
        Which weekday each day passes as.
    """
    taus = tuple(share * float(days[-1] - days[0] + 1) for share in _DAMPINGS)
    places = _places(days, y)
    shared = _Shared.of(days, y, places)
    deviances: dict[Family, Floats] = {}
    marginals: dict[Family, Floats] = {}
    for weekly in (False, True) if len(days) >= 14 else (False,):
        for trend in Trend:
            used = taus if trend is Trend.DAMPED else taus[:1]
            member = [Member(tau, 0.0, (), 1) for tau in used]
            rows = family_design(Family(trend, weekly, 0), member, days, week)
            columns = rows.columns(days.astype(np.float64))
            found = [list(_likelihoods(shared, each, places)) for each in columns]
            for shifts, parts in enumerate(zip(*found, strict=True)):
                family = Family(trend, weekly, shifts)
                deviances[family] = np.stack([best for best, _ in parts])
                marginals[family] = np.stack([whole for _, whole in parts])
    return Search(days, places, taus, deviances, marginals)


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

    def pair(self, sse: Floats, columns: int, volume: Floats) -> tuple[Floats, Floats]:
        """Deviance and restricted deviance from squared errors and log |X'X|."""
        n = self.y.shape[1]
        spread = np.log(np.maximum(sse, n * _TINY**2) / n)
        fixed = 2 * self.white.log_det[:, None]
        return n * spread - fixed, (n - columns) * spread - fixed + volume


def _likelihoods(
    shared: _Shared, columns: Floats, places: Floats
) -> Iterator[tuple[Floats, Floats]]:
    """Both deviances with 0, 1 and 2 shifts: shapes (phis, 1), (phis, places), (phis, pairs)."""
    n, k = columns.shape
    basis, corner = np.linalg.qr(shared.white.apply(columns))
    diagonal = np.abs(np.diagonal(corner, axis1=1, axis2=2))
    volume = 2 * np.log(np.maximum(diagonal, _TINY)).sum(axis=1)[:, None]
    turned = basis.transpose(0, 2, 1)
    inside = turned @ shared.y
    sse = np.square(shared.y).sum(axis=1) - np.square(inside).sum(axis=1)
    yield shared.pair(sse, k, volume)
    if not len(places):
        return
    # Projecting the shifts off the basis changes only their products, which is all that counts.
    overlap = turned @ shared.moved
    gram = shared.gram - overlap.transpose(0, 2, 1) @ overlap
    along = (shared.along - overlap.transpose(0, 2, 1) @ inside)[:, :, 0]
    power = np.maximum(np.diagonal(gram, axis1=1, axis2=2), 1e-12)
    yield shared.pair(sse - along**2 / power, k + 1, volume + np.log(power))
    if n < 42:
        return
    gain, det = _pair_gain(gram, along, power, places)
    yield shared.pair(sse - gain, k + 2, volume + np.log(det))


def _pairs(count: int) -> tuple[Ints, Ints]:
    """The places of two shifts: every pair once, the earlier first."""
    first, second = np.triu_indices(count, 1)
    return first, second


def _pair_gain(gram: Floats, along: Floats, power: Floats, places: Floats) -> tuple[Floats, Floats]:
    """How much each pair of shifts takes off the squared error, and the determinant of the pair.

    The gain is −∞ where they are too near.
    """
    i, j = _pairs(len(places))
    cross = gram[:, i, j]
    product = power[:, i] * power[:, j]
    det = product - cross**2
    gain = along[:, i] ** 2 * power[:, j] + along[:, j] ** 2 * power[:, i]
    gain -= 2 * along[:, i] * along[:, j] * cross
    bad = (places[j] - places[i] < _EDGE) | (det < 1e-9 * product)
    whole = np.where(bad, 1.0, det)
    return np.where(bad, -np.inf, gain / whole), whole
