"""Possible futures of a daily series, drawn from its averaged models.

Each path has its own model, coefficients, noise level and innovations: the spread of the paths
holds what is unknown about all four. Innovations are drawn from the model's own residuals, so
that heavy tails stay heavy. Level shifts go on happening at the rate pooled over a fleet.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats
from workbench.statistics.averaging import Average, Member
from workbench.statistics.designs import SLOPE_DAYS, Trend, steps, whitening

__all__ = ["Paths", "ShiftPool", "pool_shifts", "simulate"]

_REPEATS: Final = 8
"""Paths drawn from each drawn member."""

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
        float64, shape (paths,): the trend's own growth in the first 30 days.
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
    parts = [_of_members(average, members, future, rng) for members in average.members.values()]
    values = np.concatenate([p.values for p in parts])[:, start_day - last - 1 :]
    if pool is not None:
        values = values + _future_shifts(values.shape, pool, _level(average), rng)
    return Paths(values, np.concatenate([p.growth for p in parts]))


def _of_members(
    average: Average, members: list[Member], future: Floats, rng: np.random.Generator
) -> Paths:
    """The paths of all drawn members of one family, in one batch of equal shapes."""
    days, y = average.days.astype(np.float64), average.values / average.scale
    whites = [whitening(average.days, m.phi) for m in members]
    designs = np.stack([_design(m, days) for m in members])
    rows = np.stack([w.apply(d) for w, d in zip(whites, designs, strict=True)])
    targets = np.stack([w.apply(y) for w in whites])
    repeat = np.repeat(np.arange(len(members)), [m.draws for m in members])
    beta, sigma, pool = _posterior(rows, targets, repeat, rng)
    ahead = np.stack([_design(m, future) for m in members])[repeat] @ beta
    rest = y[-1] - np.einsum("bk,bkr->br", designs[repeat, -1], beta)
    phi = np.array([m.phi for m in members])[repeat]
    noise = _errors(_innovations(pool[repeat], sigma, len(future), rng), rest, phi)
    paths = np.moveaxis(ahead + noise, 1, 2).reshape(-1, len(future)) * average.scale
    growth = _growth(members, repeat, beta, days[-1]) * average.scale
    return Paths(paths, growth)


def _design(member: Member, days: Floats) -> Floats:
    return np.hstack([member.regressors.columns(days), steps(days, np.array(member.begins))])


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
    result: Floats = pool[np.arange(draws)[:, None], chosen] * sigma
    return result


def _errors(innovations: Floats, rest: Floats, phi: Floats) -> Floats:
    """AR(1) errors from the last observed one on: shape (draws, horizon, repeats)."""
    for day in range(len(innovations)):
        rest = phi[:, None] * rest + innovations[day]
        innovations[day] = rest
    return np.moveaxis(innovations, 0, 1)


def _growth(members: list[Member], repeat: np.ndarray, beta: Floats, last: float) -> Floats:
    """The trend's part of the coming 30 days, shape (draws · repeats,)."""
    rise = np.zeros(len(members))
    column = members[0].regressors.count - 1
    if members[0].regressors.trend is not Trend.NONE:
        ends = np.array([last, last + SLOPE_DAYS])
        rise = np.array([np.diff(m.regressors.columns(ends)[:, -1])[0] for m in members])
    growth: Floats = (rise[repeat, None] * beta[:, column, :]).ravel()
    return growth


def _future_shifts(
    shape: tuple[int, ...], pool: ShiftPool, level: float, rng: np.random.Generator
) -> Floats:
    paths, horizon = shape
    counts = rng.poisson(pool.per_day * horizon, paths)
    path = np.repeat(np.arange(paths), counts)
    result = np.zeros(shape)
    sizes = rng.choice(pool.sizes, len(path)) * level
    np.add.at(result, (path, rng.integers(0, horizon, len(path))), sizes)
    return np.cumsum(result, axis=1)
