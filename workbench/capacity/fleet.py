"""Forecasts of many instances: on every core, the same figures whatever their number and order."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.capacity.forecasting import forecast
from workbench.capacity.judging import Judged
from workbench.capacity.outlook import Outlook
from workbench.statistics import (
    Average,
    Backtest,
    DailyPeaks,
    ShiftPool,
    average_models,
    backtest,
    pool_shifts,
)
from workbench.statistics.workers import Workers

__all__ = ["forecast_fleet"]

_FITTING: Final = 0.8
"""The share of the work that is done before the fleet's level shifts are pooled."""


@dataclass(frozen=True, slots=True)
class _Fitted:
    """One instance's models and backtest, and where its random numbers go on."""

    average: Average
    test: Backtest | None
    rng: np.random.Generator


@dataclass(frozen=True, slots=True)
class _Waiting:
    """One instance before its futures are drawn."""

    judged: Judged
    fitted: _Fitted
    pool: ShiftPool
    horizon_days: int


def forecast_fleet(
    judged: Sequence[Judged],
    *,
    horizon_days: int,
    seed: int = 0,
    workers: int | None = None,
    progress: Callable[[int, int], Any] | None = None,
) -> list[Outlook]:
    """Fit every instance, pool the level shifts of each kind, then draw every future.

    Only fans and quantiles are kept of the drawn paths, so that memory grows by some kilobytes an
    instance.

    Parameters
    ----------
    judged
        The instances; those with an obstacle keep the outlook that they have.
    horizon_days
        How far ahead dates are given.
    seed
        With the instance's name it begins the random numbers of each instance.
    workers
        How many processes; by cores and instances where not given.
    progress
        Told how many instances are forecast, and of how many.

    Returns
    -------
    list of Outlook
        One an instance, in their order.
    """
    able = [i for i, each in enumerate(judged) if each.obstacle is None]
    outlooks = [each.outlook for each in judged]
    count, told = len(able), progress or (lambda _done, _total: None)
    with Workers(count, workers) as crew:
        fitted = crew.map(
            _fit,
            [(judged[i].series, _random(seed, judged[i].outlook.name)) for i in able],
            done=lambda done: told(int(done * _FITTING), count),
        )
        pools = _pools([judged[i].outlook for i in able], fitted)
        waiting = [
            _Waiting(judged[i], each, pools[judged[i].outlook.kind], horizon_days)
            for i, each in zip(able, fitted, strict=True)
        ]
        fitting = int(count * _FITTING)
        drawn = crew.map(
            _draw,
            waiting,
            done=lambda done: told(fitting + -(-done * (count - fitting) // count), count),
        )
    for i, outlook in zip(able, drawn, strict=True):
        outlooks[i] = outlook
    return outlooks


def _pools(outlooks: Sequence[Outlook], fitted: Sequence[_Fitted]) -> dict[str, ShiftPool]:
    """How levels shift, by kind of resource: a disk does not shift as a processor does."""
    kinds: dict[str, list[tuple[str, Average]]] = {}
    for outlook, each in zip(outlooks, fitted, strict=True):
        kinds.setdefault(outlook.kind, []).append((outlook.name, each.average))
    # By name, since sums and draws from a pool depend on the order in which it was filled.
    return {
        kind: pool_shifts([average for _, average in sorted(named, key=lambda pair: pair[0])])
        for kind, named in kinds.items()
    }


def _fit(part: tuple[DailyPeaks, np.random.Generator]) -> _Fitted:
    series, rng = part
    average = average_models(series.days, series.values, rng, week=series.week)
    test = backtest(series.days, series.values, rng, week=series.week)
    return _Fitted(average, test, rng)


def _draw(part: _Waiting) -> Outlook:
    fitted = part.fitted
    return forecast(
        part.judged,
        fitted.average,
        horizon_days=part.horizon_days,
        pool=part.pool,
        rng=fitted.rng,
        test=fitted.test,
    )


def _random(seed: int, name: str) -> np.random.Generator:
    """One stream of random numbers a resource, whatever stands beside it."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])
