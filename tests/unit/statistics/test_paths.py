"""Drawn futures against the textbook, and first passage against counting."""

import numpy as np
import pytest

from workbench.statistics import (
    Passage,
    ShiftPool,
    average_models,
    backtest,
    coverage,
    first_passage,
    looks_like_counter,
    pool_shifts,
    randomised_pit,
    resets,
    simulate,
)


def _rng(seed=0):
    return np.random.default_rng(seed)


def _line(n=80, slope=1.0, noise=1.0, seed=2):
    days = np.arange(n)
    return days, 50 + slope * days + _rng(seed).normal(0, noise, n)


def test_a_line_goes_on_as_the_textbook_says():
    """Median and width of the forecast 30 days ahead against ordinary least squares."""
    from scipy import stats

    days, y = _line()
    paths = simulate(average_models(days, y, _rng()), start_day=80, horizon=30, rng=_rng(1)).values
    fit = stats.linregress(days, y)
    assert np.median(paths[:, -1]) == pytest.approx(fit.intercept + fit.slope * 109, abs=1.0)
    width = np.quantile(paths[:, -1], 0.9) - np.quantile(paths[:, -1], 0.1)
    residual = np.std(y - fit.intercept - fit.slope * days)
    assert 2.4 * residual < width < 8 * residual


def test_growth_in_thirty_days_is_the_slope():
    days, y = _line(slope=0.7)
    growth = simulate(average_models(days, y, _rng()), start_day=80, horizon=5, rng=_rng()).growth
    assert np.median(growth) == pytest.approx(21, abs=1)


def test_equal_seeds_give_equal_paths():
    days, y = _line()
    drawn = [
        simulate(average_models(days, y, _rng(3)), start_day=80, horizon=9, rng=_rng(4)).values
        for _ in range(2)
    ]
    assert np.array_equal(drawn[0], drawn[1])


def test_a_gap_before_now_is_stepped_over():
    """With the last ten days unseen the forecast begins where the line then is."""
    days, y = _line(noise=0.1)
    paths = simulate(average_models(days, y, _rng()), start_day=90, horizon=3, rng=_rng()).values
    assert np.median(paths[:, 0]) == pytest.approx(50 + 90, abs=0.5)


def test_future_shifts_come_at_their_rate_and_size():
    days, y = _line(slope=0.0, noise=0.01)
    average = average_models(days, y, _rng())
    pool = ShiftPool(0.02, np.array([0.5]))
    still = simulate(average, start_day=80, horizon=100, rng=_rng(), pool=None).values
    moved = simulate(average, start_day=80, horizon=100, rng=_rng(), pool=pool).values
    assert moved[:, -1].mean() - still[:, -1].mean() == pytest.approx(2 * 0.5 * 50, rel=0.1)


def test_a_fleet_teaches_its_rate_of_shifts():
    averages = []
    for seed in range(6):
        days = np.arange(90)
        y = 100 + 20 * (days >= 40) + _rng(seed).normal(0, 1, 90)
        averages.append(average_models(days, y, _rng()))
    pool = pool_shifts(averages)
    assert 0.5 / 90 < pool.per_day < 2 / 90
    assert np.median(pool.sizes) == pytest.approx(0.18, abs=0.03)
    assert pool_shifts([]).per_day < 1 / 365


def test_first_passage_equals_counting():
    paths = _rng().normal(size=(500, 40)).cumsum(axis=1)
    passage = first_passage(paths, 4.0)
    firsts = [next((d + 1 for d, v in enumerate(path) if v >= 4.0), None) for path in paths]
    for day in (1, 10, 40):
        assert passage.chance(day) == sum(f is not None and f <= day for f in firsts) / 500
    reached = sorted(f for f in firsts if f is not None)
    assert passage.quantile(0.3) == reached[149]
    assert passage.chance(0) == 0
    assert passage.quantile(0.999) is None


def test_pit_of_a_true_forecast_is_uniform():
    """Days drawn from the forecast itself: coverage is nominal, the lump at the end included."""
    from scipy import stats

    passage = Passage(np.linspace(0.01, 0.6, 30))
    rng = _rng(7)
    days = []
    for _ in range(4000):
        reached = np.flatnonzero(passage.cumulative >= rng.random())
        days.append(int(reached[0]) + 1 if len(reached) else None)
    pits = [randomised_pit(passage, day, rng) for day in days]
    assert stats.kstest(pits, "uniform").pvalue > 0.01
    exact = coverage([passage] * len(days), days, 0.8)
    assert exact == pytest.approx(0.8, abs=0.02)
    assert exact == pytest.approx(float(np.mean(np.abs(np.array(pits) - 0.5) <= 0.4)), abs=0.03)


def test_backtest_of_a_line_beats_last_week():
    test = backtest(*_line(n=90), _rng())
    assert test is not None
    assert test.beats_naive
    assert (test.origins, test.horizon_days, test.compared) == (4, 14, 56)
    assert test.naive_error == pytest.approx(10.5, abs=2)  # one and a half weeks of slope 1


def test_backtest_says_when_it_is_no_better_than_naive():
    """A weekly pattern that repeats exactly cannot be beaten by any forecast."""
    days = np.arange(70)
    test = backtest(days, np.where(days % 7 == 3, 50.0, 10.0 + days % 7), _rng())
    assert test is not None
    assert test.naive_error == 0
    assert not test.beats_naive or test.error == 0


def test_scaled_errors_equal_a_loop_over_origins():
    """MASE by its definition: each error over the mean change in seven days before its origin."""
    days, y = _line(n=80, slope=0.3, noise=3.0)
    test = backtest(days, y, _rng())
    assert test is not None
    naive = []
    for origin in range(test.origins):
        cut = 80 - 14 * (origin + 1)
        change = np.mean([abs(y[d] - y[d - 7]) for d in range(7, cut)])
        for d in range(cut, cut + 14):
            week_ago = d - 7 if d - 7 < cut else d - 14
            naive.append(abs(y[d] - y[week_ago]) / change)
    assert test.naive_mase == pytest.approx(np.mean(naive))
    assert test.mase == pytest.approx(test.naive_mase * test.relative_error, rel=0.05)
    assert test.relative_bias == pytest.approx(test.bias / np.mean(np.abs(y[-14 * test.origins :])))
    assert test.coverage_95 >= test.coverage_80


def test_long_histories_are_tested_from_more_days_farther_apart():
    short, long = (backtest(*_line(n=n, slope=0.1), _rng()) for n in (40, 300))
    assert (short.origins, short.horizon_days) == (3, 7)
    assert (long.origins, long.horizon_days, long.compared) == (5, 14, 70)


def test_conformal_ratio_of_honest_noise_is_near_one():
    """Over 12 series of white noise the bands need no widening in the median."""
    ratios = [backtest(*_line(slope=0.0, seed=seed), _rng()).conformal_ratio for seed in range(12)]
    assert 0.75 < np.median(ratios) < 1.25


def test_backtest_of_what_never_changed_has_no_scale():
    days = np.arange(60)
    test = backtest(days, np.where(days < 59, 5.0, 6.0), _rng())
    assert test is not None
    assert test.mase is None
    assert test.to_dict()["naive_mase"] is None


def test_backtest_needs_a_fortnight_before_its_first_origin():
    assert backtest(*_line(n=16), _rng()) is None


def test_counters_are_told_from_gauges():
    rng = _rng()
    counter = np.concatenate([rng.uniform(0, 9, 200).cumsum(), rng.uniform(0, 9, 200).cumsum()])
    assert looks_like_counter(counter)
    assert resets(counter) == 1
    assert not looks_like_counter(counter[:200])  # a disk that only fills looks the same
    assert not looks_like_counter(100 + rng.normal(0, 5, 400))
    assert not looks_like_counter(np.abs(rng.normal(0, 5, 400)))
    assert not looks_like_counter(np.where(np.arange(400) % 100 < 50, 0.0, 80.0))


def test_growth_is_that_of_the_trend_and_not_drawn_towards_none():
    """Five weeks with weekdays and noise that carries over, growing by 10 % in 30 days."""
    days, week = np.arange(35), np.array([1, 1, 1, 1, 1, 0.6, 0.5])
    middles, inside = [], 0
    for seed in range(24):
        rng = np.random.default_rng(seed)
        noise = np.zeros(35)
        for day in range(1, 35):
            noise[day] = 0.4 * noise[day - 1] + rng.normal(0, 0.02)
        y = 100 * (week[days % 7] + days / 300 + noise)
        growth = simulate(average_models(days, y, rng), start_day=35, horizon=2, rng=rng).growth
        low, middle, high = np.quantile(growth, [0.1, 0.5, 0.9])
        middles.append(middle)
        inside += low <= 10 <= high
    assert np.mean(middles) == pytest.approx(10, abs=1.5)
    assert inside >= 18
