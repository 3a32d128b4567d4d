"""A printed backtest: forecasts made from earlier days, compared with what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.averaging import average_models
from workbench.statistics.designs import Week
from workbench.statistics.paths import ShiftPool, pool_shifts, simulate

__all__ = ["Backtest", "backtest"]

_LEAST_DAYS: Final = 14
_WEEK: Final = 7
_MOST: Final = 5
"""Origins where the history is long."""

_APART: Final = 28
"""Days between origins where the history holds so many of them."""

_LEVELS: Final = (0.025, 0.1, 0.5, 0.9, 0.975)

_EXACT: Final = 1e-9
"""Errors below this share of the level are rounding."""


@dataclass(frozen=True, slots=True)
class Backtest:
    """How the forecast did on days that were already known.

    Parameters
    ----------
    origins
        From how many earlier days it forecast.
    horizon_days
        How many days ahead each time.
    compared
        How many forecast days could be compared.
    error, naive_error
        Mean absolute error of the median path, and of "same as the same weekday last week".
    bias
        Mean of forecast minus truth.
    coverage_80
        The share of days within the 80 % band.
    coverage_95
        The same of the 95 % band.
    mase, naive_mase
        Both errors as multiples of the mean absolute change in seven days within what each origin
        had to learn from; None where nothing changed in it.
    relative_bias
        `bias` as a share of the mean absolute truth; 0 where that is 0.
    conformal_ratio
        By how much the 80 % band would have had to be wider, on either side of the median, to hold
        80 % of the truths (split conformal, with the correction for a finite sample); below 1
        where it was wider than it need be.

    Notes
    -----
    The mean absolute scaled error is that of Hyndman and Koehler, International Journal of
    Forecasting 22, 2006, with seven days as the season.
    """

    origins: int
    horizon_days: int
    compared: int
    error: float
    naive_error: float
    bias: float
    coverage_80: float
    coverage_95: float = float("nan")
    mase: float | None = None
    naive_mase: float | None = None
    relative_bias: float = 0.0
    conformal_ratio: float = 1.0

    @property
    def relative_error(self) -> float:
        """Error as a multiple of the naive forecast's; below 1 is better than naive."""
        return self.error / self.naive_error if self.naive_error else float(self.error > 0)

    @property
    def beats_naive(self) -> bool:
        """Whether it was more exact than "same as last week"."""
        return self.relative_error < 1

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "origins": self.origins,
            "horizon_days": self.horizon_days,
            "compared": self.compared,
            "error": self.error,
            "naive_error": self.naive_error,
            "relative_error": self.relative_error,
            "mase": self.mase,
            "naive_mase": self.naive_mase,
            "bias": self.bias,
            "relative_bias": self.relative_bias,
            "coverage_80": self.coverage_80,
            "coverage_95": None if np.isnan(self.coverage_95) else self.coverage_95,
            "conformal_ratio": self.conformal_ratio,
            "beats_naive": self.beats_naive,
        }


@dataclass(frozen=True, slots=True)
class _Origin:
    """What was forecast from one earlier day, and what came; arrays of shape (days compared,).

    Parameters
    ----------
    truth, naive
        What came, and what "same as last week" said.
    quantiles
        float64, shape (levels, days compared).
    scale
        The mean absolute change in seven days before the origin; NaN where none is known.
    """

    truth: Floats
    naive: Floats
    quantiles: Floats
    scale: float

    @property
    def middle(self) -> Floats:
        middle: Floats = self.quantiles[2]
        return middle

    def within(self, level: int) -> Floats:
        """1 where the truth lies between that quantile and its opposite."""
        low, high = self.quantiles[level], self.quantiles[-1 - level]
        inside: Floats = ((self.truth >= low) & (self.truth <= high)).astype(np.float64)
        return inside

    @property
    def misses(self) -> Floats:
        """Errors as multiples of the 80 % band's half on their side."""
        error = self.truth - self.middle
        half = np.where(error > 0, self.quantiles[3] - self.middle, self.middle - self.quantiles[1])
        rounding = _EXACT * max(float(np.abs(self.truth).max()), 1e-300)
        return np.where(np.abs(error) <= rounding, 0.0, np.abs(error) / np.maximum(half, rounding))


def backtest(
    days: Ints,
    values: Floats,
    rng: np.random.Generator,
    *,
    origins: int | None = None,
    horizon: int = 14,
    week: Week | None = None,
    pool: ShiftPool | None = None,
) -> Backtest | None:
    """Forecast from rolling origins and compare.

    Parameters
    ----------
    days, values
        What was observed, shape (n,).
    rng
        Where the paths come from.
    origins
        How many earlier days to forecast from, spaced by the horizon, or by 28 days where the
        history is long; fewer where it is short. Where it is not given, 3 to 5 by its length. None
        comes back where not even one leaves 14 days to learn from.
    horizon
        How many days ahead; a week where the history is short.
    week
        Which weekday each day passes as.
    pool
        Rate and sizes of future level shifts; those of the series alone where it is not given.
    """
    span = int(days[-1] - days[0]) + 1
    ahead = horizon if span >= _LEAST_DAYS + 3 * horizon else _WEEK
    count = origins or max(3, min(_MOST, (span - 2 * _LEAST_DAYS) // ahead))
    stride = _APART if span >= _APART * (count + 2) and ahead <= _APART else ahead
    cuts = [int(days[-1]) + 1 - ahead - stride * i for i in range(count)]
    tester = _Tester(days, values, rng, week, pool)
    parts = [tester.forecast(cut, ahead) for cut in cuts]
    used = [p for p in parts if p is not None]
    return _summary(used, ahead) if used else None


def _summary(parts: list[_Origin], ahead: int) -> Backtest:
    truth = np.concatenate([p.truth for p in parts])
    error = np.concatenate([p.middle - p.truth for p in parts])
    naive = np.concatenate([p.naive - p.truth for p in parts])
    level = float(np.abs(truth).mean())
    error[np.abs(error) <= _EXACT * level] = 0.0
    bias = float(error.mean())
    return Backtest(
        origins=len(parts),
        horizon_days=ahead,
        compared=len(truth),
        error=float(np.abs(error).mean()),
        naive_error=float(np.abs(naive).mean()),
        bias=bias,
        coverage_80=float(np.concatenate([p.within(1) for p in parts]).mean()),
        coverage_95=float(np.concatenate([p.within(0) for p in parts]).mean()),
        mase=_scaled(parts, error),
        naive_mase=_scaled(parts, naive),
        relative_bias=bias / level if level else 0.0,
        conformal_ratio=_conformal(np.concatenate([p.misses for p in parts])),
    )


def _scaled(parts: list[_Origin], error: Floats) -> float | None:
    """The mean of errors each divided by its origin's own scale."""
    scale = np.concatenate([np.full(len(p.truth), p.scale) for p in parts])
    known = np.isfinite(scale) & (scale > 0)
    return float(np.mean(np.abs(error[known]) / scale[known])) if known.any() else None


def _conformal(misses: Floats) -> float:
    """The ⌈0.8 (n + 1)⌉-th smallest miss."""
    rank = min(int(np.ceil(0.8 * (len(misses) + 1))), len(misses))
    return float(np.sort(misses)[rank - 1])


@dataclass(frozen=True, slots=True)
class _Tester:
    """What all origins share; the fields are the parameters of `backtest`."""

    days: Ints
    values: Floats
    rng: np.random.Generator
    week: Week | None
    pool: ShiftPool | None

    def forecast(self, cut: int, ahead: int) -> _Origin | None:
        """Forecast the days from `cut` on from those before it."""
        past = self.days < cut
        future = ~past & (self.days < cut + ahead)
        if past.sum() < _LEAST_DAYS or not future.any():
            return None
        days, values = self.days[past], self.values[past]
        average = average_models(days, values, self.rng, draws=60, week=self.week)
        pool = self.pool or pool_shifts([average])
        drawn = simulate(average, start_day=cut, horizon=ahead, rng=self.rng, pool=pool)
        wanted = self.days[future]
        quantiles = np.quantile(drawn.values, _LEVELS, axis=0)[:, wanted - cut]
        naive = _last_week(days, values, wanted, cut)
        return _Origin(self.values[future], naive, quantiles, _weekly_change(days, values))


def _weekly_change(days: Ints, values: Floats) -> float:
    """The mean absolute change in seven days; NaN where no two days are seven apart."""
    before = np.searchsorted(days, days - _WEEK)
    known = days[before] == days - _WEEK
    return float(np.abs(values[known] - values[before[known]]).mean()) if known.any() else np.nan


def _last_week(days: Ints, values: Floats, wanted: Ints, cut: int) -> Floats:
    """The value of the same weekday in the last week before `cut`; the last one where missing."""
    known = dict(zip(days.tolist(), values.tolist(), strict=True))
    ago = wanted - _WEEK * ((wanted - cut) // _WEEK + 1)
    return np.array([known.get(day, float(values[-1])) for day in ago.tolist()])
