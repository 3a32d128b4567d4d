"""Averaged models against scipy, brute force, and planted truths."""

import numpy as np
import pytest

from workbench.statistics import Trend, average_models
from workbench.statistics.designs import Design, whitening
from workbench.statistics.model_search import Kind, search


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


def _rows(kind, member, days, y, last):
    """Whitened columns and values of one member, by the definitions."""
    design = Design(
        kind.family.trend, kind.family.weekly, 0.0, last,
        np.array([member.tau]), np.array([member.begins]).reshape(1, kind.family.shifts),
    )  # fmt: skip
    white = whitening(days, np.array([member.phi]))
    rows = white.apply(design.columns(days.astype(float)))[0]
    return rows, white.apply(y[:, None])[0, :, 0], white.log_det[0]


def test_every_deviance_equals_a_brute_force_least_squares():
    """Random members of every kind, refitted one by one; restricted ones with log |X'X| as well."""
    rng = _rng()
    days = np.delete(np.arange(60), [7, 20, 21])
    y = rng.normal(size=57).cumsum()
    found = search(days, y)
    for kind in found.kinds:
        table = found.deviances[kind.family][:, kind.phis].ravel()
        whole = found.marginals[kind.family][:, kind.phis].ravel()
        index = int(rng.choice(np.flatnonzero(np.isfinite(table) & (table < 1e9))))
        rows, target, log_det = _rows(kind, found.member(kind, index, 1), days, y, 59.0)
        beta, *_ = np.linalg.lstsq(rows, target, rcond=None)
        sse = float(np.square(target - rows @ beta).sum())
        assert table[index] == pytest.approx(57 * np.log(sse / 57) - 2 * log_det, abs=1e-6)
        volume = np.linalg.slogdet(rows.T @ rows)[1]
        free = 57 - rows.shape[1]
        expected = free * np.log(sse / 57) - 2 * log_det + volume
        assert whole[index] == pytest.approx(expected, abs=1e-6)


def test_weights_add_up_and_are_tempered_bic():
    days, y = _planted(slope=0.3)
    average = average_models(days, y, _rng())
    assert sum(average.weights.values()) == pytest.approx(1)
    found = search(days, y / average.scale)
    raw = {}
    for family, table in found.deviances.items():
        for wanders in (False, True):
            kind = Kind(family, wanders)
            bic = table[:, kind.phis].min() + np.log(90) * kind.parameters
            raw[family] = raw.get(family, 0.0) + np.exp(-0.25 * bic)
    for family, weight in average.weights.items():
        assert weight == pytest.approx(raw[family] / sum(raw.values()), rel=1e-6)


def test_a_random_walk_is_taken_as_one_and_white_noise_is_not():
    """Mean autocorrelation of the draws, over ten series each of 60 days."""
    found = {}
    for name, of in (("walk", np.cumsum), ("white", np.asarray)):
        phis = []
        for seed in range(10):
            y = 100 + of(np.random.default_rng(seed).normal(size=60))
            members = average_models(np.arange(60), y, _rng()).members.values()
            phis.append(np.mean([m.phi for ms in members for m in ms for _ in range(m.draws)]))
        found[name] = np.mean(phis)
    assert found["walk"] > 0.75
    assert found["white"] < 0.4


def test_one_absurd_day_is_left_out_and_moves_nothing():
    days, y = _planted(slope=0.3)
    wild = y.copy()
    wild[50] *= 100
    clean, spoilt = (average_models(days, v, _rng()) for v in (y, wild))
    assert spoilt.spikes.days.tolist() == [50]
    assert spoilt.spikes.sizes[0] == pytest.approx(99 * y[50], rel=0.05)
    assert 50 not in spoilt.days.tolist()
    assert spoilt.scale == pytest.approx(clean.scale, rel=0.05)
    assert clean.spikes.per_day == 0


def test_bursts_and_levels_are_no_spikes():
    """What recurs on one day in ten, what lasts three days, and what has just begun."""
    rng = _rng()
    bursts = np.where(np.arange(100) % 10 == 3, 500.0, 0.0) + rng.normal(10, 1, 100)
    lasting, fresh = rng.normal(10, 1, (2, 100))
    lasting[40:43] = 900
    fresh[99] = 900
    for y in (bursts, lasting, fresh):
        assert len(average_models(np.arange(100), y, _rng()).spikes) == 0


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
