"""Holt-Winters with up to two seasons: one pass over time for many series and parameters at once.

The error-correction form, with Taylor's carried-over error (Exponentially weighted methods for
forecasting intraday time series with multiple seasonal cycles, Int. J. Forecasting 26, 2010)::

    base  = level + φ·trend + daily[hour of day] + weekly[hour of week]
    error = value − base
    level ← level + φ·trend + α·error        daily[…]  ← daily[…] + γ·error
    trend ← φ·trend + β·error                weekly[…] ← weekly[…] + δ·error

and a forecast k steps ahead adds ρᵏ·error. With δ = ρ = 0 it is the additive damped Holt-Winters
method. Parameters are chosen anew at every origin, by errors that were known by then.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.seasonal.calendar import Calendar

__all__ = ["DAILY", "DOUBLE", "Grid", "Start", "Sweep", "sweep"]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """Sets of parameters, each an array of shape (sets,).

    Parameters
    ----------
    level, trend, damping, daily, weekly, carry
        α, β, φ, γ, δ and ρ.
    """

    level: Floats
    trend: Floats
    damping: Floats
    daily: Floats
    weekly: Floats
    carry: Floats

    def __len__(self) -> int:
        """How many sets there are."""
        return len(self.level)

    @classmethod
    def crossed(
        cls,
        level: Sequence[float],
        trend: Sequence[tuple[float, float]],
        seasons: Sequence[tuple[float, float]],
        carry: Sequence[float],
    ) -> Grid:
        """Every combination.

        Parameters
        ----------
        level
            α.
        trend
            Pairs of β / α and φ.
        seasons
            Pairs of γ and δ.
        carry
            ρ.

        Examples
        --------
        >>> len(Grid.crossed([0.1, 0.5], [(0.0, 1.0)], [(0.1, 0.0)], [0.0, 0.5, 0.9]))
        6
        """
        sets = [
            (a, a * b, phi, g, d, r)
            for a, (b, phi), (g, d), r in product(level, trend, seasons, carry)
        ]
        return cls(*np.array(sets, np.float64).T)


DAILY = Grid.crossed(
    (0.01, 0.05, 0.2, 0.5, 0.95),
    ((0.0, 1.0), (0.02, 0.995)),
    ((0.03, 0.0), (0.1, 0.0), (0.3, 0.0)),
    (0.0, 0.7, 0.95),
)
"""One season."""

DOUBLE = Grid.crossed(
    (0.003, 0.02, 0.1, 0.4, 0.95),
    ((0.0, 1.0), (0.02, 0.995)),
    ((0.0, 0.1), (0.03, 0.05), (0.05, 0.25), (0.15, 0.1), (0.2, 0.3)),
    (0.0, 0.7, 0.95),
)
"""Two seasons."""


@dataclass(frozen=True, slots=True, eq=False)
class Start:
    """Where the recursion begins.

    Parameters
    ----------
    level
        Shape (series,).
    daily, weekly
        Shape (phases, series).
    """

    level: Floats
    daily: Floats
    weekly: Floats


@dataclass(frozen=True, slots=True, eq=False)
class Sweep:
    """Forecasts from every origin, shape (origins, steps ahead, series).

    Parameters
    ----------
    ahead
        By the parameters whose forecasts of a day ahead were best before the origin.
    one_step
        By those whose forecasts of the next step were.
    """

    ahead: Floats
    one_step: Floats


def sweep(
    values: Floats,
    calendar: Calendar,
    grid: Grid,
    start: Start,
    *,
    origins: Sequence[int],
    horizon: int,
    judged_from: int = 0,
) -> Sweep:
    """Run over the history once and forecast from every origin.

    Parameters
    ----------
    values
        Shape (steps, series); NaN where nothing is known: the states then stand still.
    calendar
        Of the steps and of `horizon` more.
    grid
        The parameters to choose from.
    start
        States before the first step.
    origins
        Numbers of steps, ascending: a forecast from an origin knows the values before it.
    horizon
        Steps ahead.
    judged_from
        From which step on forecasts count for choosing.
    """
    state = _begin(start, len(grid))
    judge = _Judge(values, calendar, grid, judged_from)
    wanted = set(origins)
    paths: list[Floats] = []
    for step in range(len(values) + 1):
        judge.look(step, state)
        if step in wanted:
            days, weeks = (p[step : step + horizon] for p in (calendar.day, calendar.week))
            best = (judge.best(judge.ahead), judge.best(judge.next))
            paths.append(np.stack([_chosen_path(state, grid, b, days, weeks) for b in best]))
        if step < len(values):
            _learn(state, grid, values[step], calendar.day[step], calendar.week[step])
            judge.count(step, state)
    found = np.stack(paths)
    return Sweep(found[:, 0], found[:, 1])


@dataclass(slots=True, eq=False)
class _State:
    """What the recursion knows, for every series and set of parameters.

    `innovation` is what the carried error did not foresee of the last error.
    """

    level: Floats
    trend: Floats
    daily: Floats
    weekly: Floats
    error: Floats
    innovation: Floats


def _begin(start: Start, sets: int) -> _State:
    def spread(values: Floats) -> Floats:
        return np.repeat(values[..., None], sets, axis=-1)

    nothing = np.zeros((len(start.level), sets))
    return _State(
        spread(start.level), nothing.copy(), spread(start.daily), spread(start.weekly),
        nothing.copy(), nothing.copy(),
    )  # fmt: skip


def _learn(state: _State, grid: Grid, value: Floats, day: int, week: int) -> None:
    """Learn from one value; where it is NaN only time passes."""
    daily, weekly = state.daily[day], state.weekly[week]
    state.trend *= grid.damping
    state.level += state.trend
    carried = grid.carry * state.error
    error = value[:, None] - state.level
    error -= daily
    error -= weekly
    learnt = error
    missing = np.isnan(value)
    if missing.any():
        error[missing] = carried[missing]
        learnt = np.where(missing[:, None], 0.0, error)
    state.innovation = error - carried
    state.level += grid.level * learnt
    state.trend += grid.trend * learnt
    daily += grid.daily * learnt
    weekly += grid.weekly * learnt
    state.error = error


def _chosen_path(state: _State, grid: Grid, best: Ints, days: Ints, weeks: Ints) -> Floats:
    """The path of one set of parameters a series, shape (horizon, series)."""
    rows = np.arange(len(best))
    one = _State(
        state.level[rows, best], state.trend[rows, best], state.daily[:, rows, best],
        state.weekly[:, rows, best], state.error[rows, best], state.innovation[rows, best],
    )  # fmt: skip
    return _path(one, grid.damping[best], grid.carry[best], days, weeks)


def _path(state: _State, damping: Floats, carry: Floats, days: Ints, weeks: Ints) -> Floats:
    """Forecasts of the steps with these phases, shape (steps, …) where the level's shape is …."""
    steps = np.arange(1, len(days) + 1).reshape(-1, *(1,) * state.level.ndim)
    path: Floats = state.daily[days] + state.weekly[weeks]
    path += state.level
    path += state.trend * np.cumsum(damping**steps, axis=0)
    path += state.error * carry**steps
    return path


class _Judge:
    """How wrong each set of parameters has been, by forecasts of a day and of the next step.

    A forecast of a day is made four times a day and counts once its day is over, so that what is
    chosen at an origin rests on nothing after it.
    """

    def __init__(self, values: Floats, calendar: Calendar, grid: Grid, judged_from: int) -> None:
        self._values, self._calendar, self._grid = values, calendar, grid
        self._from, self._span = judged_from, calendar.per_day
        self._every = max(calendar.per_day // 4, 1)
        self._pending: deque[tuple[int, Floats]] = deque()
        self.ahead = np.zeros((values.shape[1], len(grid)))
        self.next = np.zeros_like(self.ahead)

    def look(self, step: int, state: _State) -> None:
        """Count forecasts whose day is over, and make one where it is time for it."""
        while self._pending and self._pending[0][0] <= step:
            self.ahead += self._pending.popleft()[1]
        last = step + self._span
        if step < self._from or (step - self._from) % self._every or last > len(self._values):
            return
        grid = self._grid
        days, weeks = self._calendar.day[step:last], self._calendar.week[step:last]
        path = _path(state, grid.damping, grid.carry, days, weeks)
        path -= self._values[step:last, :, None]
        self._pending.append((last, np.nansum(path * path, axis=0)))

    def count(self, step: int, state: _State) -> None:
        """Count the last step's error."""
        if step >= self._from:
            self.next += state.innovation * state.innovation

    def best(self, errors: Floats) -> Ints:
        """The number of the best set of each series, shape (series,)."""
        best: Ints = np.argmin(errors, axis=1)
        return best
