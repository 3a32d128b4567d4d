"""The recursion that runs for many series and parameters at once, against loops and statsmodels."""

import numpy as np
import pytest
from seasonal_families import HOUR_MS, START_MS, draw, weekly
from statsmodels.tsa.holtwinters import ExponentialSmoothing

from workbench.statistics.seasonal.calendar import make_calendar
from workbench.statistics.seasonal.decomposition import decomposed_path, start_of
from workbench.statistics.seasonal.smoothing import DOUBLE, Grid, sweep

STEPS, AHEAD = 24 * 21, 48
VALUES = draw(weekly, 3, 5, STEPS)
CALENDAR = make_calendar(START_MS + np.arange(STEPS + AHEAD) * HOUR_MS, HOUR_MS)


def _loop(values, start, grid, number, series, origin):  # noqa: PLR0917 - as the formulas name them
    """One set of parameters by scalar arithmetic; forecasts, and errors of the next step."""
    alpha, beta, phi = (float(getattr(grid, n)[number]) for n in ("level", "trend", "damping"))
    gamma, delta, rho = (float(getattr(grid, n)[number]) for n in ("daily", "weekly", "carry"))
    level, trend, error = float(start.level[series]), 0.0, 0.0
    daily, week = start.daily[:, series].tolist(), start.weekly[:, series].tolist()
    for step in range(origin):
        d, w = int(CALENDAR.day[step]), int(CALENDAR.week[step])
        base = level + phi * trend + daily[d] + week[w]
        value = float(values[step, series])
        learnt = 0.0 if np.isnan(value) else value - base
        error = rho * error if np.isnan(value) else learnt
        level = level + phi * trend + alpha * learnt
        trend = phi * trend + beta * learnt
        daily[d] += gamma * learnt
        week[w] += delta * learnt
    path = []
    for k in range(1, AHEAD + 1):
        d, w = int(CALENDAR.day[origin + k - 1]), int(CALENDAR.week[origin + k - 1])
        drift = trend * sum(phi**j for j in range(1, k + 1))
        path.append(level + drift + daily[d] + week[w] + rho**k * error)
    return np.array(path)


@pytest.mark.parametrize("gaps", [False, True])
def test_a_sweep_gives_what_a_plain_loop_gives(gaps):
    """Every set of parameters, with and without missing values, from two origins."""
    values = VALUES.copy()
    if gaps:
        values[np.random.default_rng(1).random(values.shape) < 0.1] = np.nan
    start = start_of(values[:336], CALENDAR, weekly=True)
    origins = [400, STEPS]
    for number in (0, 7, 71, len(DOUBLE) - 1):
        names = ("level", "trend", "damping", "daily", "weekly", "carry")
        one = Grid(*(getattr(DOUBLE, n)[number : number + 1] for n in names))
        found = sweep(values, CALENDAR, one, start, origins=origins, horizon=AHEAD).ahead
        for i, origin in enumerate(origins):
            expected = [_loop(values, start, DOUBLE, number, s, origin) for s in range(3)]
            np.testing.assert_allclose(found[i], np.transpose(expected), rtol=1e-10)


def test_with_one_season_it_is_the_holt_winters_method_of_statsmodels():
    """Equal parameters and starting values give equal forecasts.

    But for the hour of the last value: there statsmodels forecasts with the season as it was before
    that value, whose own recursion had updated it.
    """
    same = np.arange(AHEAD) % 24 != 23
    alpha, beta, gamma, phi = 0.3, 0.05, 0.2, 0.95
    start = start_of(VALUES[:48], CALENDAR, weekly=False)
    grid = Grid.crossed([alpha], [(beta, phi)], [(gamma, 0.0)], [0.0])
    found = sweep(VALUES, CALENDAR, grid, start, origins=[STEPS], horizon=AHEAD).ahead[0]
    for series in range(3):
        model = ExponentialSmoothing(
            VALUES[:, series], trend="add", damped_trend=True, seasonal="add", seasonal_periods=24,
            initialization_method="known", initial_level=start.level[series], initial_trend=0.0,
            initial_seasonal=start.daily[:, series],
        )  # fmt: skip
        fitted = model.fit(
            smoothing_level=alpha, smoothing_trend=beta, smoothing_seasonal=gamma,
            damping_trend=phi, optimized=False,
        )  # fmt: skip
        np.testing.assert_allclose(found[same, series], fitted.forecast(AHEAD)[same], rtol=1e-8)


def test_parameters_are_chosen_by_forecasts_of_a_day():
    """The choice is the set whose 24-step squared errors, known by the origin, add up to least."""
    start = start_of(VALUES[:336], CALENDAR, weekly=True)
    grid = Grid.crossed([0.02, 0.9], [(0.0, 1.0)], [(0.1, 0.1)], [0.0])
    found = sweep(
        VALUES, CALENDAR, grid, start, origins=[STEPS], horizon=AHEAD, judged_from=336
    ).ahead[0]
    cuts = range(336, STEPS - 23, 6)
    for series in range(3):
        errors = [
            sum(
                np.sum((_loop(VALUES, start, grid, n, series, c)[:24] - VALUES[c : c + 24, series]) ** 2)
                for c in cuts
            )
            for n in range(2)
        ]  # fmt: skip
        best = _loop(VALUES, start, grid, int(np.argmin(errors)), series, STEPS)
        np.testing.assert_allclose(found[:, series], best, rtol=1e-10)


def test_a_forecast_rests_on_nothing_after_its_origin():
    """Other values after an origin leave what was forecast from it as it was."""
    other = VALUES.copy()
    other[420:] += 100.0
    start = start_of(VALUES[:336], CALENDAR, weekly=True)
    before, after = (
        sweep(v, CALENDAR, DOUBLE, start, origins=[420], horizon=AHEAD, judged_from=336)
        for v in (VALUES, other)
    )
    np.testing.assert_array_equal(before.ahead, after.ahead)
    np.testing.assert_array_equal(before.one_step, after.one_step)


def test_averages_find_the_parts_that_a_series_is_made_of():
    """Without noise, day and week and level come back."""
    hours = np.arange(STEPS + AHEAD)
    whole = 7 + np.sin(hours * 2 * np.pi / 24) + 0.5 * (hours // 24 % 7 >= 5)
    found = decomposed_path(whole[:STEPS, None], CALENDAR, STEPS, AHEAD, weekly=True)
    assert np.abs(found[:, 0] - whole[STEPS:]).max() < 0.2
