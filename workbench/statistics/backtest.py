"""A printed backtest: forecasts made from earlier days, compared with what came."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.averaging import average_models
from workbench.statistics.paths import simulate

__all__ = ["Backtest", "backtest"]

_LEAST_DAYS: Final = 14
_WEEK: Final = 7


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
    """

    origins: int
    horizon_days: int
    compared: int
    error: float
    naive_error: float
    bias: float
    coverage_80: float

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
            "bias": self.bias,
            "coverage_80": self.coverage_80,
            "beats_naive": self.beats_naive,
        }


def backtest(
    days: Ints, values: Floats, rng: np.random.Generator, *, origins: int = 3, horizon: int = 14
) -> Backtest | None:
    """Forecast from rolling origins and compare.

    Parameters
    ----------
    days, values
        What was observed, shape (n,).
    origins
        How many earlier days to forecast from, spaced by the horizon; fewer where the history
        is short. None comes back where not even one leaves 14 days to learn from.
    horizon
        How many days ahead; a week where the history is short.
    """
    span = int(days[-1] - days[0]) + 1
    ahead = horizon if span >= _LEAST_DAYS + 3 * horizon else _WEEK
    cuts = [int(days[-1]) + 1 - ahead * (i + 1) for i in range(origins)]
    parts = [_one(days, values, cut, ahead, rng) for cut in cuts]
    used = [p for p in parts if p is not None]
    if not used:
        return None
    truth, middle, naive, inside = (np.concatenate(column) for column in zip(*used, strict=True))
    return Backtest(
        origins=len(used),
        horizon_days=ahead,
        compared=len(truth),
        error=float(np.abs(middle - truth).mean()),
        naive_error=float(np.abs(naive - truth).mean()),
        bias=float((middle - truth).mean()),
        coverage_80=float(inside.mean()),
    )


def _one(
    days: Ints, values: Floats, cut: int, ahead: int, rng: np.random.Generator
) -> tuple[Floats, Floats, Floats, Floats] | None:
    """Truth, median, naive forecast and being inside the band, for the days after one origin."""
    past, future = days < cut, (days >= cut) & (days < cut + ahead)
    if past.sum() < _LEAST_DAYS or not future.any():
        return None
    average = average_models(days[past], values[past], rng, draws=60)
    paths = simulate(average, start_day=cut, horizon=ahead, rng=rng).values
    low, middle, high = np.quantile(paths, [0.1, 0.5, 0.9], axis=0)[:, days[future] - cut]
    truth = values[future]
    inside = ((truth >= low) & (truth <= high)).astype(np.float64)
    return truth, middle, _last_week(days[past], values[past], days[future], cut), inside


def _last_week(days: Ints, values: Floats, wanted: Ints, cut: int) -> Floats:
    """The value of the same weekday in the last week before `cut`; the last one where missing."""
    known = dict(zip(days.tolist(), values.tolist(), strict=True))
    ago = wanted - _WEEK * ((wanted - cut) // _WEEK + 1)
    return np.array([known.get(day, float(values[-1])) for day in ago.tolist()])
