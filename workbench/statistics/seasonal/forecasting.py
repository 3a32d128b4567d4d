"""Forecast many seasonal series: members, their ensemble, its intervals and its backtest.

A series is forecast as it would have been on each of the last days; what those forecasts missed
gives the intervals and the backtest. Where the ensemble was no better than "as yesterday", that is
what is given, with intervals of its own.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.seasonal.calendar import Calendar, make_calendar
from workbench.statistics.seasonal.ensemble import combine, known_errors
from workbench.statistics.seasonal.intervals import LEVELS, calibrate, coverage_left_out
from workbench.statistics.seasonal.members import NAMES, member_paths, naive_paths
from workbench.statistics.seasonal.outliers import tamed
from workbench.statistics.seasonal.resolution import block_means, refined, steps_per_block

__all__ = ["QUANTILES", "Method", "SeasonalBacktest", "SeasonalForecast", "forecast_seasonal"]

QUANTILES: Final = (0.025, 0.1, 0.25, 0.5, 0.75, 0.9, 0.975)
"""The rows of a forecast: the ends of its 95, 80 and 50 % intervals, and the middle."""

_AT_ONCE: Final = 16
"""Series that one pass over time takes: few enough that its states stay near the processor."""

_LEAST_DAYS: Final = 2
_WEEKS_DAYS: Final = 14
_MOST_ORIGINS: Final = 28
_ORIGINS_WITH_WEEKS: Final = 6
_LEAST_KNOWN: Final = 0.5
_SPARE_ONE: Final = 5
_ROUNDING: Final = 1e-13


class Method(StrEnum):
    """How a series was forecast."""

    ENSEMBLE = "ensemble"
    NAIVE = "as yesterday"
    CONSTANT = "constant"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class SeasonalBacktest:
    """How forecasts of earlier days did.

    Parameters
    ----------
    origins
        From how many days it was forecast.
    compared
        How many forecast values could be compared.
    error, naive_error
        Mean absolute error of the ensemble, and of "as yesterday" over the same values.
    scale
        Mean absolute change from one day to the next in the whole history: the unit of MASE.
    bias
        Mean of forecast minus truth, of the method used.
    coverage_80, coverage_95
        Share of values within intervals made without them, of the method used.
    """

    origins: int
    compared: int
    error: float
    naive_error: float
    scale: float
    bias: float
    coverage_80: float
    coverage_95: float

    @property
    def mase(self) -> float:
        """Error of the ensemble in units of `scale`; NaN where every day is like the one before."""
        return self.error / self.scale if self.scale else float("nan")

    @property
    def naive_mase(self) -> float:
        """Error of "as yesterday" in units of `scale`."""
        return self.naive_error / self.scale if self.scale else float("nan")

    @property
    def relative_error(self) -> float:
        """Error as a multiple of the naive forecast's; below 1 is better."""
        if self.naive_error:
            return self.error / self.naive_error
        return 1.0 if not self.error else float("inf")

    @property
    def beats_naive(self) -> bool:
        """Whether the ensemble is to be used: "as yesterday" was not clearly more exact.

        From few origins that cannot be told well, and the ensemble is the safer guess: it may have
        been worse by one part in as many as there were.
        """
        return self.error < self.naive_error * _room(self.origins)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "origins": self.origins,
            "compared": self.compared,
            "mase": self.mase if self.scale else None,
            "naive_mase": self.naive_mase if self.scale else None,
            "relative_error": self.relative_error if self.naive_error else None,
            "bias": self.bias,
            "coverage_80": None if np.isnan(self.coverage_80) else self.coverage_80,
            "coverage_95": None if np.isnan(self.coverage_95) else self.coverage_95,
        }


@dataclass(frozen=True, slots=True, eq=False)
class SeasonalForecast:
    """One series' next steps.

    Parameters
    ----------
    method
        How it was forecast.
    reason
        Why there is no forecast; ``""`` where there is one.
    values
        Shape (`QUANTILES`, steps ahead), in the series' unit; of shape (7, 0) without a forecast.
    test
        The backtest; None where there is none.
    weights
        What each member counts for, by name, the most first; empty unless it is an ensemble.
    """

    method: Method
    reason: str
    values: Floats
    test: SeasonalBacktest | None = None
    weights: tuple[tuple[str, float], ...] = ()


def forecast_seasonal(
    values: Floats,
    times_ms: Ints,
    horizon: int,
    *,
    timezone: str = "UTC",
    holidays: Iterable[str | date] = (),
) -> list[SeasonalForecast]:
    """Forecast the next steps of each series.

    Parameters
    ----------
    values
        Shape (steps, series), NaN or infinite where nothing is known.
    times_ms
        Shape (steps,), evenly spaced by a step that divides a day; at least two.
    horizon
        Steps ahead, at least 1.
    timezone, holidays
        See `make_calendar`.

    Raises
    ------
    InputError
        The step, the time zone or a holiday is of no use.

    Examples
    --------
    >>> hours = np.arange(240)
    >>> wave = np.sin(hours / 24 * 2 * np.pi)[:, None] + hours[:, None] % 7 / 100
    >>> [found] = forecast_seasonal(wave, hours * 3_600_000, 24)
    >>> bool(np.abs(found.values[3] - np.sin(hours[:24] / 24 * 2 * np.pi)).max() < 0.1)
    True
    """
    step_ms = int(times_ms[1] - times_ms[0])
    count = steps_per_block(step_ms)
    ahead = -(-horizon // count)
    steps = len(times_ms) // count * count
    times = times_ms[len(times_ms) - steps :]
    later = times_ms[-1] + np.arange(1, ahead * count + 1) * step_ms
    whole = np.concatenate([times, later])
    clock = _Clock(
        make_calendar(whole[::count], step_ms * count, timezone=timezone, holidays=holidays),
        make_calendar(whole, step_ms, timezone=timezone),
        count,
        ahead,
    )
    known = values[len(values) - steps :]
    cleaned = np.where(np.isfinite(known), known, np.nan)
    return [
        SeasonalForecast(f.method, f.reason, f.values[:, :horizon], f.test, f.weights)
        for f in _by_length(cleaned, clock)
    ]


@dataclass(frozen=True, slots=True, eq=False)
class _Clock:
    """Phases of blocks and of steps; steps of a block; blocks ahead."""

    blocks: Calendar
    steps: Calendar
    count: int
    ahead: int

    def since(self, block: int) -> _Clock:
        """The same from a later block on."""
        return _Clock(
            _later(self.blocks, block), _later(self.steps, block * self.count), self.count,
            self.ahead,
        )  # fmt: skip


def _later(calendar: Calendar, step: int) -> Calendar:
    return Calendar(calendar.day[step:], calendar.week[step:], calendar.per_day)


def _by_length(values: Floats, clock: _Clock) -> list[SeasonalForecast]:
    """Forecast series that are known for equally many days together, a few at a time."""
    found: list[SeasonalForecast | None] = [None] * values.shape[1]
    groups: dict[int, list[int]] = {}
    for i in range(values.shape[1]):
        begin, obstacle = _obstacle(values[:, i], clock)
        if obstacle is not None:
            found[i] = obstacle
        else:
            groups.setdefault(begin, []).append(i)
    for begin, members in groups.items():
        for first in range(0, len(members), _AT_ONCE):
            batch = members[first : first + _AT_ONCE]
            results = _forecast(values[begin * clock.count :, batch], clock.since(begin))
            for i, result in zip(batch, results, strict=True):
                found[i] = result
    return [f for f in found if f is not None]


def _obstacle(values: Floats, clock: _Clock) -> tuple[int, SeasonalForecast | None]:
    """The first block of the usable history, and the answer where it allows no forecast."""
    per_day, count = clock.blocks.per_day, clock.count
    known = np.flatnonzero(~np.isnan(values))
    if not len(known):
        return 0, _none("there is no sample in the whole window")
    blocks = len(values) // count
    days = (blocks - int(known[0]) // count) // per_day
    needed = _LEAST_DAYS + 1 + -(-clock.ahead // per_day)
    silent = (len(values) - 1 - int(known[-1])) / (per_day * count)
    if silent >= 1:
        return 0, _none(f"there is no sample of the last {silent:.1f} days")
    if np.ptp(values[known]) == 0 and days >= _LEAST_DAYS:
        level = np.full((len(QUANTILES), clock.ahead * count), values[known[0]])
        return 0, SeasonalForecast(Method.CONSTANT, "", level)
    if days < needed:
        span = f"{days} whole days are known, {needed} are needed for so long a forecast"
        return 0, _none(span)
    share = len(known) / max(len(values) - int(known[0]), 1)
    if share < _LEAST_KNOWN:
        return 0, _none(f"only {share:.0%} of its samples are known".replace("%", " %"))
    return blocks - days * per_day, None


def _none(reason: str) -> SeasonalForecast:
    return SeasonalForecast(Method.NONE, reason, np.empty((len(QUANTILES), 0)))


def _origins(blocks: int, per_day: int) -> list[int]:
    """Whole days before the end at which to forecast as if nothing later were known."""
    days = blocks // per_day
    weeks = days - _WEEKS_DAYS >= _ORIGINS_WITH_WEEKS
    first = max(_WEEKS_DAYS if weeks else _LEAST_DAYS, days - _MOST_ORIGINS)
    return [blocks - per_day * k for k in range(days - first, -1, -1)]


def _forecast(values: Floats, clock: _Clock) -> list[SeasonalForecast]:
    """Forecast series whose history begins with the first step, shape (steps, series)."""
    unit = np.nanmax(np.abs(values), axis=0)
    scaled = values / unit
    count, per_day = clock.count, clock.blocks.per_day
    means = block_means(scaled, count)
    origins = _origins(len(means), per_day)
    members = member_paths(means, clock.blocks, origins, clock.ahead)
    # Members are weighed by what can be forecast: a spike that none foresaw tells nothing of them.
    combined, weights = combine(tamed(means, per_day), members, origins, per_day)
    starts = np.array(origins) * count
    ours = refined(combined, scaled, clock.steps.day, starts, count)
    naive = naive_paths(scaled, clock.steps, starts.tolist(), clock.ahead * count)
    # At the first origin nothing is known of the members yet, as is never so at the last.
    first = 1 if len(origins) > _SPARE_ONE else 0
    errors = known_errors(scaled, np.stack([ours, naive]), starts.tolist())[:, first:-1]
    size = _mean_size(errors)
    ours_off, naive_off = np.nan_to_num(size, nan=np.inf)
    keep = ours_off < naive_off * _room(len(errors[0]))
    used = np.where(keep, errors[0], errors[1])
    path = np.where(keep, ours[-1], naive[-1])
    shaped = used.reshape(len(used), clock.ahead, count, -1)
    history = starts[first:-1] / count
    quantiles = _quantiles(path, shaped, scaled, per_day, history) * unit
    covered = coverage_left_out(shaped, per_day, history=history)
    scale = _mean_size(scaled[None, per_day * count :] - scaled[None, : -per_day * count])[0]
    results: list[SeasonalForecast] = []
    for i in range(values.shape[1]):
        if np.isnan(quantiles[:, :, i]).any():
            results.append(_none("too little is known of the hours to be forecast"))
            continue
        test = SeasonalBacktest(
            origins=len(used),
            compared=int((~np.isnan(used[..., i])).sum()),
            error=float(size[0, i] * unit[i]),
            naive_error=float(size[1, i] * unit[i]),
            scale=float(scale[i] * unit[i]),
            bias=float(-np.nanmean(used[..., i]) * unit[i]),
            coverage_80=float(covered[1, i]),
            coverage_95=float(covered[2, i]),
        )
        method = Method.ENSEMBLE if keep[i] else Method.NAIVE
        shares = _shares(weights[:, i]) if keep[i] else ()
        results.append(SeasonalForecast(method, "", quantiles[:, :, i], test, shares))
    return results


def _mean_size(errors: Floats) -> Floats:
    """Mean absolute errors, shape (kinds, series), of shape (kinds, …, series); NaN if none."""
    known = ~np.isnan(errors)
    axes = tuple(range(1, errors.ndim - 1))
    total = np.where(known, np.abs(errors), 0.0).sum(axis=axes)
    count = known.sum(axis=axes)
    means = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    # Values are at most 1 here: what is left of rounding is no error.
    return np.where(means < _ROUNDING, 0.0, means)


def _room(origins: int) -> float:
    """By which factor the ensemble may have been worse than "as yesterday" and still be taken."""
    return 1 + 1 / max(origins, 1)


def _quantiles(
    path: Floats, errors: Floats, values: Floats, per_day: int, history: Floats
) -> Floats:
    """The forecast with its intervals, shape (`QUANTILES`, steps ahead, series)."""
    margins = calibrate(errors, per_day, history=history)
    below, above = (np.repeat(m, errors.shape[2], axis=1) for m in (margins.below, margins.above))
    rows = [path - below[i] for i in range(len(LEVELS) - 1, -1, -1)]
    rows += [path, *(path + above[i] for i in range(len(LEVELS)))]
    found = np.stack(rows)
    # What has never been below 0 is taken not to go there.
    floor = np.where(np.nanmin(values, axis=0) >= 0, 0.0, -np.inf)
    quantiles: Floats = np.maximum(found, floor)
    return quantiles


def _shares(weights: Floats) -> tuple[tuple[str, float], ...]:
    order = np.argsort(-weights, kind="stable").tolist()
    return tuple((NAMES[i], float(weights[i])) for i in order if weights[i] >= 0.005)
