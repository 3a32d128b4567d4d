"""Possible futures of a daily series, drawn from its averaged models.

Each path has its own model, coefficients, noise level and innovations: the spread of the paths
holds what is unknown about all four. Innovations are drawn from the model's own residuals, so
that heavy tails stay heavy, and now and then from a heavier tail than was seen. Level shifts go
on happening at the rate pooled over a fleet, spikes at that of the series.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats
from workbench.statistics.averaging import Average
from workbench.statistics.designs import SLOPE_DAYS, Design, Trend, whitening
from workbench.statistics.model_search import Family, Member, family_design

__all__ = ["Paths", "ShiftPool", "pool_shifts", "simulate"]

_REPEATS: Final = 8
"""Paths drawn from each drawn member."""

_LEAST_STEADY: Final = 160
"""So many paths of models must be there for a growth to be told from them."""

_UNSEEN: Final = 4.0
"""Innovations are drawn as if so many more had been seen from a Student distribution: the draws of
a Dirichlet process, so that a short history does not bound what may come."""

_UNSEEN_FREEDOM: Final = 3.0
"""Its degrees of freedom."""

_PRIOR_DAYS: Final = 120.0
"""The pool starts as if one quarter of a shift had been seen in so many days …"""

_PRIOR_SHIFTS: Final = 0.25

_PRIOR_SIZES: Final = (-0.05, 0.05)
"""… of these sizes, as shares of the level."""


@dataclass(frozen=True, slots=True)
class ShiftPool:
    """How often levels shift in a fleet, and by how much.

    Parameters
    ----------
    per_day
        Expected level shifts of one series in one day.
    sizes
        float64, shape (shifts,): sizes seen, as shares of the level of their series.
    """

    per_day: float
    sizes: Floats


def pool_shifts(averages: Sequence[Average]) -> ShiftPool:
    """Learn from many series together how often and how far levels shift."""
    count = sum(a.expected_shifts for a in averages)
    days = sum(float(a.days[-1] - a.days[0] + 1) for a in averages)
    sizes = [s.size / max(_level(a), 1e-12) for a in averages for s in a.shifts]
    rate = (_PRIOR_SHIFTS + count) / (_PRIOR_DAYS + days)
    return ShiftPool(rate, np.array([*_PRIOR_SIZES, *np.clip(sizes, -1.0, 1.0)]))


def _level(average: Average) -> float:
    return float(np.median(np.abs(average.values)))


@dataclass(frozen=True, slots=True)
class Paths:
    """Drawn futures.

    Parameters
    ----------
    values
        float64, shape (paths, horizon): the peak of each coming day.
    growth
        float64, shape (draws,): the growth of a steady trend in 30 days, by the models that have
        one; by all where hardly any has.
    """

    values: Floats
    growth: Floats


def simulate(
    average: Average,
    *,
    start_day: int,
    horizon: int,
    rng: np.random.Generator,
    pool: ShiftPool | None = None,
) -> Paths:
    """Draw futures.

    Parameters
    ----------
    average
        The weighed models.
    start_day
        The first day to forecast; later than the last observed one where the data ends early.
    horizon
        How many days.
    pool
        Rate and sizes of future level shifts; none where it is not given.

    Returns
    -------
    Paths
        Eight paths for each draw of the average.
    """
    last = int(average.days[-1])
    future = np.arange(last + 1, start_day + horizon, dtype=np.float64)
    parts = [
        _of_family(average, f, members, future, rng=rng) for f, members in average.members.items()
    ]
    values = np.concatenate([p.values for p in parts])[:, start_day - last - 1 :]
    if pool is not None:
        values = values + _future_shifts(values.shape, pool, _level(average), rng)
    if len(average.spikes):
        values = values + average.spikes.draw(values.shape, rng)
    return Paths(values, _steady_growth(average, parts))


def _of_family(
    average: Average,
    family: Family,
    members: list[Member],
    future: Floats,
    *,
    rng: np.random.Generator,
) -> Paths:
    """The paths of all drawn members of one family, in one batch of equal shapes."""
    design = family_design(family, members, average.days, average.week)
    phi = np.array([m.phi for m in members])
    white = whitening(average.days, phi)
    past = design.columns(average.days.astype(np.float64))
    y = average.values / average.scale
    repeat = np.repeat(np.arange(len(members)), [m.draws for m in members])
    targets = white.apply(y[:, None])[:, :, 0]
    beta, sigma, pool = _posterior(white.apply(past), targets, repeat, rng)
    ahead = design.columns(future)[repeat] @ beta
    rest = y[-1] - np.einsum("bk,bkr->br", past[repeat, -1], beta)
    noise = _errors(_innovations(pool[repeat], sigma, len(future), rng), rest, phi[repeat])
    paths = np.moveaxis(ahead + noise, 1, 2).reshape(-1, len(future)) * average.scale
    return Paths(paths, _growth(design, repeat, beta) * average.scale)


def _posterior(
    rows: Floats, targets: Floats, repeat: np.ndarray, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats]:
    """Draw coefficients and noise levels: Student-t posteriors under flat priors.

    Returns
    -------
    beta, sigma, residuals
        Shapes (draws, columns, repeats), (draws, repeats) and (members, n); residuals are
        standardised.
    """
    n, k = rows.shape[1:]
    q, r = np.linalg.qr(rows)
    r = r + 1e-10 * np.eye(k)
    mean = np.linalg.solve(r, np.einsum("bnk,bn->bk", q, targets)[:, :, None])
    residuals = targets - (rows @ mean)[:, :, 0]
    sse = np.einsum("bn,bn->b", residuals, residuals)
    shape = (len(repeat), _REPEATS)
    sigma = np.sqrt(sse[repeat, None] / rng.chisquare(max(n - k, 1), shape))
    normal = rng.standard_normal((len(repeat), k, _REPEATS)) * sigma[:, None, :]
    beta = mean[repeat] + np.linalg.solve(r[repeat], normal)
    return beta, sigma, residuals / np.sqrt(np.maximum(sse[:, None] / n, 1e-300))


def _innovations(pool: Floats, sigma: Floats, horizon: int, rng: np.random.Generator) -> Floats:
    """Noise drawn from each draw's own residuals: shape (horizon, draws, repeats)."""
    draws, n = pool.shape
    chosen = rng.integers(0, n, (horizon, draws, _REPEATS))
    result: Floats = pool[np.arange(draws)[:, None], chosen]
    unseen = rng.random(result.shape) < _UNSEEN / (_UNSEEN + n)
    result[unseen] = rng.standard_t(_UNSEEN_FREEDOM, int(unseen.sum()))
    result *= sigma
    return result


def _errors(innovations: Floats, rest: Floats, phi: Floats) -> Floats:
    """AR(1) errors from the last observed one on: shape (draws, horizon, repeats)."""
    for day in range(len(innovations)):
        rest = phi[:, None] * rest + innovations[day]
        innovations[day] = rest
    return np.moveaxis(innovations, 0, 1)


def _growth(design: Design, repeat: np.ndarray, beta: Floats) -> Floats:
    """The trend's part of the coming 30 days, shape (draws · repeats,)."""
    if design.trend is Trend.NONE:
        return np.zeros(beta.shape[0] * beta.shape[2])
    at = design.trend_column
    rise = design.columns(np.array([design.last + SLOPE_DAYS]))[:, 0, at]
    growth: Floats = (rise[repeat, None] * beta[:, at, :]).ravel()
    return growth


def _steady_growth(average: Average, parts: Sequence[Paths]) -> Floats:
    """The growth of models with a steady trend and as many level shifts as are evident.

    What other models say is that there is no trend, or that it ends, which is for the forecast and
    not for the rate; and a shift that was none only blurs the rate.
    """
    pairs = list(zip(average.members, parts, strict=True))
    steady = [p.growth for f, p in pairs if f.trend is Trend.LINEAR]
    same = [
        p.growth for f, p in pairs if f.trend is Trend.LINEAR and f.shifts == len(average.evident)
    ]
    for chosen in (same, steady):
        if sum(map(len, chosen)) >= _LEAST_STEADY:
            return np.concatenate(chosen)
    return np.concatenate([p.growth for p in parts])


def _future_shifts(
    shape: tuple[int, ...], pool: ShiftPool, level: float, rng: np.random.Generator
) -> Floats:
    paths, horizon = shape
    counts = rng.poisson(pool.per_day * horizon, paths)
    path = np.repeat(np.arange(paths), counts)
    sizes = rng.choice(pool.sizes, len(path)) * level
    at = path * horizon + rng.integers(0, horizon, len(path))
    jumps = np.bincount(at, sizes, minlength=paths * horizon).reshape(shape)
    moved: Floats = np.cumsum(jumps, axis=1)
    return moved
