"""Averaged models against scipy, brute force, and planted truths."""

import numpy as np
import pytest

from workbench.statistics import Trend, average_models
from workbench.statistics.averaging import _parameters, _search
from workbench.statistics.designs import Design, whitening


def _rng():
    return np.random.default_rng(0)


def _planted(n=90, slope=0.0, shift=0.0, noise=1.0, seed=1):
    rng = np.random.default_rng(seed)
    days = np.arange(n)
    y = 100 + slope * days + shift * (days >= n // 2) + rng.normal(0, noise, n)
    return days, y


def test_whitening_gives_the_exact_gaussian_likelihood_with_gaps():
    """Against scipy's multivariate normal with the AR(1) covariance of the days observed."""
    from scipy.stats import multivariate_normal

    days = np.array([0, 1, 2, 5, 6, 9, 10])
    y = _rng().normal(size=7)
    for phi in (0.0, 0.4, 0.9):
        white = whitening(days, np.array([phi]))
        rows = white.apply(y[:, None])[0, :, 0]
        ours = -0.5 * rows @ rows - 3.5 * np.log(2 * np.pi) + white.log_det[0]
        gaps = np.abs(days[:, None] - days[None, :])
        covariance = phi**gaps / (1 - phi**2)
        assert ours == pytest.approx(multivariate_normal(np.zeros(7), covariance).logpdf(y))


def test_every_deviance_equals_a_brute_force_least_squares():
    """Random members of every family, refitted one by one."""
    rng = _rng()
    days = np.delete(np.arange(60), [7, 20, 21])
    y = rng.normal(size=57).cumsum()
    search = _search(days, y)
    for family, table in search.deviances.items():
        index = int(rng.choice(np.flatnonzero(np.isfinite(table.ravel()) & (table.ravel() < 1e9))))
        member = search._member(family, index, 1)
        design = Design(
            family.trend, family.weekly, 0.0, 59.0,
            np.array([member.tau]), np.array([member.begins]).reshape(1, family.shifts),
        )  # fmt: skip
        white = whitening(days, np.array([member.phi]))
        rows = white.apply(design.columns(days.astype(float)))[0]
        target = white.apply(y[:, None])[0, :, 0]
        beta, *_ = np.linalg.lstsq(rows, target, rcond=None)
        sse = float(np.square(target - rows @ beta).sum())
        expected = 57 * np.log(sse / 57) - 2 * white.log_det[0]
        assert table.ravel()[index] == pytest.approx(expected, abs=1e-6)


def test_weights_add_up_and_are_tempered_bic():
    days, y = _planted(slope=0.3)
    average = average_models(days, y, _rng())
    assert sum(average.weights.values()) == pytest.approx(1)
    search = _search(days, y / average.scale)
    bic = {f: d.min() + np.log(90) * _parameters(f) for f, d in search.deviances.items()}
    best = min(bic, key=bic.__getitem__)
    for family, weight in average.weights.items():
        expected = np.exp(-0.25 * (bic[family] - bic[best]))
        assert weight / average.weights[best] == pytest.approx(expected, rel=1e-6)


def test_a_planted_shift_is_found_at_its_day_with_its_size():
    days, y = _planted(shift=12.0)
    (shift,) = average_models(days, y, _rng()).shifts
    assert abs(shift.day - 45) <= 1
    assert shift.size == pytest.approx(12, abs=1)


def test_pure_noise_has_no_shift_and_little_trend():
    average = average_models(*_planted(), _rng())
    assert average.shifts == ()
    assert average.chance(trend=Trend.NONE) > 0.5


def test_steady_growth_is_a_trend():
    average = average_models(*_planted(slope=0.4), _rng())
    assert average.chance(trend=Trend.NONE) < 0.05


def test_short_histories_try_no_shift():
    days, y = _planted(n=18)
    assert {f.shifts for f in average_models(days, y, _rng()).weights} == {0}


def test_an_exact_line_is_no_division_by_zero():
    days = np.arange(40)
    average = average_models(days, 5.0 + 2.0 * days, _rng())
    assert np.isfinite(list(average.weights.values())).all()


def test_draws_are_as_many_as_asked_for():
    days, y = _planted(shift=5.0, slope=0.1)
    average = average_models(days, y, _rng(), draws=77)
    assert sum(m.draws for members in average.members.values() for m in members) == 77


def test_scaling_the_values_changes_no_weight():
    days, y = _planted(slope=0.2, shift=3.0)
    small = average_models(days, y, _rng()).weights
    large = average_models(days, y * 1e12, _rng()).weights
    for family, weight in small.items():
        assert large[family] == pytest.approx(weight, abs=1e-6)
