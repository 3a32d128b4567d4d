"""One series taken apart: level, pattern of the day, pattern of the week, and what is left.

Cleveland's STL by loess for several seasons (Bandara, Hyndman and Bergmeir's MSTL), as statsmodels
computes it. It is for looking at: the forecast has models of its own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.capacity.hourly.result import HourlyForecast, HourlyResult
from workbench.errors import InputError, did_you_mean
from workbench.samples import Floats, Ints
from workbench.statistics.seasonal.outliers import tamed

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["HourlyParts", "hourly_parts", "stl_options", "take_apart"]

_DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
_WEEK_DAYS: Final = 7
_LEAST_KNOWN: Final = 0.5
"""Of less of the steps nothing can be told."""

_REFITS: Final = 2
"""Steps that are not known become what the parts say, and the parts are found anew, so often."""


@dataclass(frozen=True, slots=True, eq=False)
class HourlyParts:
    """The parts of one series; level, seasons and remainder add up to what was observed.

    Parameters
    ----------
    name, unit
        Of the series.
    times_ms
        int64, shape (steps,): by the hour, or the series' own step where that is longer.
    observed
        Shape (steps,); NaN where nothing is known. Means of an hour where the step is shorter.
    level
        Shape (steps,): what changes slowly.
    seasons
        ``day`` and ``week``, as far as the history is long enough: shape (steps,).
    remainder
        Shape (steps,); NaN where nothing was observed.
    reason
        Why there are no parts, ``""`` where there are.
    """

    name: str
    unit: str
    times_ms: Ints
    observed: Floats
    level: Floats = field(default_factory=lambda: np.empty(0))
    seasons: Mapping[str, Floats] = field(default_factory=dict)
    remainder: Floats = field(default_factory=lambda: np.empty(0))
    reason: str = ""

    def strength(self, season: str) -> float:
        """How much of a season with the remainder is the season: 0 is nothing, 1 is all.

        1 − Var(R) / Var(S + R), not below 0 (Wang, Smith and Hyndman 2006).
        """
        known = ~np.isnan(self.remainder)
        rest, pattern = self.remainder[known], self.seasons[season][known]
        whole = float(np.var(pattern + rest))
        return max(0.0, 1.0 - float(np.var(rest)) / whole) if whole > 0 else 0.0

    def to_table(self) -> pd.DataFrame:
        """The parts as numbers: ``time`` (UTC), ``observed``, ``level``, the seasons, ``remainder``."""
        import pandas as pd

        columns = {"observed": self.observed, "level": self.level, **self.seasons}
        if self.reason:
            columns = {"observed": self.observed}
        else:
            columns["remainder"] = self.remainder
        return pd.DataFrame({"time": pd.to_datetime(self.times_ms, unit="ms", utc=True), **columns})


def hourly_parts(result: HourlyResult, series: str | None = None) -> HourlyParts:
    """Take one series of a forecast apart.

    Parameters
    ----------
    result
        Of `workbench.capacity.hourly.analysis.analyse_hourly`.
    series
        Its name as it stands in the table, or a part that only one has; None for the first that
        has a forecast.

    Raises
    ------
    InputError
        There is no series, or none or several have such a name.
    """
    chosen = _chosen(result, series)
    times, observed = _by_the_hour(result.times_ms, chosen.history)
    made = take_apart(times, observed, timezone=result.timezone)
    return HourlyParts(
        chosen.name, result.unit, times, observed, made.level, made.seasons, made.remainder, made.reason
    )  # fmt: skip


def _chosen(result: HourlyResult, wanted: str | None) -> HourlyForecast:
    if not result.series:
        msg = f"{result.expression} gives no series"
        raise InputError(msg, "ask for another expression or a longer history")
    if wanted is None:
        return next((each for each in result.series if each.known), result.series[0])
    found = [each for each in result.series if each.name == wanted]
    found = found or [each for each in result.series if wanted in each.name]
    if len(found) != 1:
        names = [each.name for each in result.series]
        msg = f"{len(found) or 'no'} series are called {wanted[:80]!r}"
        raise InputError(msg, did_you_mean(wanted, names) or f"one of them is {names[0][:80]}")
    return found[0]


def _by_the_hour(times_ms: Ints, values: Floats) -> tuple[Ints, Floats]:
    """Means of an hour where the step is shorter: fine steps have no pattern that can be seen."""
    step = int(times_ms[1] - times_ms[0]) if len(times_ms) > 1 else _HOUR_MS
    count = max(_HOUR_MS // step, 1)
    if count == 1:
        return times_ms, values
    kept = len(values) // count * count  # the last steps, whole hours
    table = values[len(values) - kept :].reshape(-1, count)
    known = ~np.isnan(table)
    total = np.where(known, table, 0.0).sum(axis=1)
    enough = known.sum(axis=1) * 2 >= count
    means = np.where(enough, total / np.maximum(known.sum(axis=1), 1), np.nan)
    return times_ms[len(values) - kept :].reshape(-1, count)[:, -1], means


def take_apart(times_ms: Ints, observed: Floats, *, timezone: str = "UTC") -> HourlyParts:
    """Find level, day, week and remainder.

    Parameters
    ----------
    times_ms
        int64, shape (steps,): evenly spaced, ascending.
    observed
        Shape (steps,); NaN where nothing is known. Such steps take no part: they are filled with
        what the parts say of them, and the parts are found anew.
    timezone
        Patterns follow its clocks: on the day on which they change an hour is left out or doubled.

    Returns
    -------
    HourlyParts
        Without a name; with a reason and no parts where two whole days are not known.
    """
    reason = _obstacle(times_ms, observed)
    if reason:
        return HourlyParts("", "", times_ms, observed, reason=reason)
    step = int(times_ms[1] - times_ms[0])
    place, length = _places(times_ms, step, timezone)
    periods = _periods(step, length)
    if not periods:
        return HourlyParts("", "", times_ms, observed, reason="it is shorter than two days")
    local = np.full(length, np.nan)
    local[place] = observed  # of a doubled hour the second
    level, seasons = _decomposed(local, periods)
    level, seasons = level[place], {name: part[place] for name, part in seasons.items()}
    remainder = observed - level - sum(seasons.values())
    return HourlyParts("", "", times_ms, observed, level, seasons, remainder)


def _obstacle(times_ms: Ints, observed: Floats) -> str:
    known = int((~np.isnan(observed)).sum())
    if len(times_ms) < 2 or known < _LEAST_KNOWN * len(observed):
        return f"{known} of {len(observed)} steps are known"
    return ""


def _places(times_ms: Ints, step: int, timezone: str) -> tuple[Ints, int]:
    """Where each step stands on a grid of local time, and how long that grid is."""
    import pandas as pd

    aware = pd.to_datetime(times_ms, unit="ms", utc=True).tz_convert(timezone).tz_localize(None)
    clock = np.asarray(aware.to_numpy().astype("datetime64[ms]").astype(np.int64))
    place: Ints = (clock - clock[0] + step // 2) // step
    return place, int(place.max()) + 1


def _periods(step: int, length: int) -> dict[str, int]:
    """The seasons that are longer than a step and seen more than twice."""
    known = {"day": _DAY_MS // step, "week": _WEEK_DAYS * _DAY_MS // step}
    return {name: period for name, period in known.items() if period > 1 and length > 2 * period}


def _decomposed(values: Floats, periods: Mapping[str, int]) -> tuple[Floats, dict[str, Floats]]:
    """Level and seasons on a grid of local time, gaps filled."""
    missing = np.isnan(values)
    if "day" in periods:  # a spike is no part of a pattern: it stays in the remainder
        values = tamed(values[:, None], periods["day"])[:, 0]
    filled = _first_guess(values, max(periods.values()))
    level, seasons = _mstl(filled, periods)
    for _ in range(_REFITS if missing.any() else 0):
        filled[missing] = (level + sum(seasons.values()))[missing]
        level, seasons = _mstl(filled, periods)
    return level, seasons


def _first_guess(values: Floats, period: int) -> Floats:
    """Unknown steps as the median of their phase, or as a line between their neighbours."""
    steps = np.arange(len(values))
    filled = values.copy()
    for phase in range(period):
        column = filled[phase::period]
        known = column[~np.isnan(column)]
        if len(known):
            column[np.isnan(column)] = np.median(known)
    known_steps = ~np.isnan(filled)
    filled[~known_steps] = np.interp(steps[~known_steps], steps[known_steps], filled[known_steps])
    return filled


def _mstl(values: Floats, periods: Mapping[str, int]) -> tuple[Floats, dict[str, Floats]]:
    """By statsmodels; robust, and by local means, for few weeks are seen."""
    from statsmodels.tsa.seasonal import MSTL

    found = MSTL(values, periods=tuple(periods.values()), stl_kwargs=stl_options(periods)).fit()
    columns = np.asarray(found.seasonal, np.float64).reshape(len(values), -1)
    seasons = {name: columns[:, i] for i, name in enumerate(periods)}
    return np.asarray(found.trend, np.float64), seasons


def stl_options(periods: Mapping[str, int]) -> dict[str, int | bool]:
    """How each STL smooths: a line through five weeks would follow their noise.

    Level and low pass are found at every half of the shortest season and joined by lines, which
    takes a tenth of the time and changes the figures by about a fiftieth of the season.
    """
    jump = max(min(periods.values()) // 2, 1)
    return {"robust": True, "seasonal_deg": 0, "trend_jump": jump, "low_pass_jump": jump}
