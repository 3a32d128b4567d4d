"""Usage at a given load: against known laws, statsmodels, and days that were held out."""

import numpy as np
import pytest
from load_simulation import LAWS, autoregressive, loads, usages

from workbench.statistics.regression import (
    Shape,
    fit_relation,
    fold_days,
    hold_out,
    last_break,
)

ONE = np.ones(1)


def _drawn(seed=0, days=35, law="line", **how):
    rng = np.random.default_rng(seed)
    load = loads(rng, days)
    return load, usages(rng, load, LAWS[law], **how), rng


def test_the_slope_is_the_one_that_was_put_in():
    load, usage, rng = _drawn()
    low, middle, high = fit_relation(load, usage, rng).slope_at(0.8)
    assert low < 31 < high
    assert middle == pytest.approx(31, rel=0.02)


def test_the_robust_line_agrees_with_that_of_statsmodels():
    """Spikes in 3 % of the hours bend ordinary least squares, and neither of the robust fits."""
    from statsmodels.api import RLM, add_constant
    from statsmodels.robust.norms import HuberT

    load, usage, rng = _drawn(2, days=10, memory=0.0)
    usage[rng.random(usage.shape) < 0.03] += 60
    theirs = RLM(usage.ravel(), add_constant(load.ravel()), M=HuberT()).fit().params[1]
    ours = fit_relation(load, usage, rng).slope_at(0.8)[1]
    assert ours == pytest.approx(theirs, rel=0.02)
    assert ours == pytest.approx(31, rel=0.02)


def test_the_bootstrap_is_as_wide_as_errors_that_allow_for_autocorrelation():
    """Its slope's standard error lies near that of Newey and West, and above the ordinary one."""
    from statsmodels.api import OLS, add_constant

    ratios = []
    for seed in range(8):
        load, usage, rng = _drawn(seed, memory=0.8)
        x = add_constant(load.ravel())
        ordinary = OLS(usage.ravel(), x).fit()
        hac = ordinary.get_robustcov_results("HAC", maxlags=24).bse[1]
        found = fit_relation(load, usage, rng, test=False)
        line = found.curves.terms[(found.curves.terms[:, 2:4] == 0).all(axis=1), 1] / found.top
        ratios.append(line.std() / hac)
    assert 0.6 < np.mean(ratios) < 1.8


def test_peaks_hold_at_loads_never_seen():
    """Nominal 80 % of the next day's peak at +30 %: over four laws, growing and even noise."""
    inside = []
    for law in LAWS:
        for noise in ("even", "growing"):
            for seed in range(6):
                rng = np.random.default_rng(seed)
                load = loads(rng, 36)
                load[-1] *= 1.3
                usage = usages(np.random.default_rng([seed, 5]), load, LAWS[law], noise=noise)
                found = fit_relation(load[:-1], usage[:-1], rng, test=False)
                low, high = np.quantile(found.peaks(load[-1], ONE, rng), (0.1, 0.9))
                inside.append(low <= usage[-1].max() <= high)
    assert 0.65 <= np.mean(inside) <= 0.93


@pytest.mark.parametrize(("law", "shape"), [("convex", Shape.CURVE), ("bend", Shape.BEND)])
def test_what_is_no_line_is_told(law, shape):
    load, usage, rng = _drawn(3, law=law, memory=0.5)
    found = fit_relation(load, usage, rng)
    assert found.shape is shape
    assert found.curvature_p < 0.01


def test_a_line_is_no_curve():
    found = [fit_relation(*_drawn(seed)) for seed in range(8)]
    assert sum(f.shape is Shape.LINE for f in found) >= 6
    assert sum(f.curvature_p < 0.01 for f in found) <= 1


def test_a_cost_that_changes_week_by_week_is_taken_as_it_is_now():
    """Requests that become 3 % cheaper a week: the slope is that of the last day."""
    rng = np.random.default_rng(4)
    load = loads(rng, 35)
    weeks = np.arange(-34, 1)[:, None] / 7
    usage = 4 + 31 * load * 1.03**-weeks + autoregressive(rng, load.size, 0.5, 0.5).reshape(35, 24)
    found = fit_relation(load, usage, rng)
    assert found.drift == pytest.approx(-0.03, abs=0.008)
    assert found.slope_at(0.8)[1] == pytest.approx(31, rel=0.03)


def test_a_release_that_makes_requests_dearer_starts_a_new_relation():
    load, usage, _ = _drawn(5)
    usage[22:] += 12 * load[22:]
    assert abs(last_break(load, usage) - 22) <= 1


def test_stable_relations_have_no_break():
    breaks = [last_break(*_drawn(seed, memory=0.9)[:2]) for seed in range(20)]
    assert sum(b > 0 for b in breaks) <= 1


def test_a_nightly_job_does_not_grow_with_the_load():
    """Its 40 units at three in the morning are the peak of a day, and stay so at +30 %."""
    rng = np.random.default_rng(6)
    load = loads(rng, 28)
    usage = 2 + 10 * load + rng.normal(0, 0.2, load.shape)
    usage[:, 3] += 40
    found = fit_relation(load, usage, rng)
    now, then = np.median(found.peaks(load[-3], np.array([1.0, 1.3]), rng), axis=0)
    assert 40 < now < 47
    assert then - now < 3


def test_what_is_borne_is_where_peaks_reach_the_limit():
    load, usage, rng = _drawn(7)
    found = fit_relation(load, usage, rng)
    day = load[np.argmax(load.max(axis=1))]
    borne = np.median(found.borne(day, 50.0, np.random.default_rng(1)))
    peaks = found.peaks(day, np.array([borne]), np.random.default_rng(1))
    assert (peaks > 50).mean() == pytest.approx(0.5, abs=0.05)
    assert np.isinf(found.borne(day, 1e9, rng)).all()
    assert (found.borne(day, 0.1, rng) == 0).all()


def test_usage_that_is_held_back_by_its_limit_does_not_flatten_the_relation():
    load, usage, rng = _drawn(8, days=28)
    limit = np.full(usage.shape, 28.0)
    held = np.minimum(usage, limit)
    blind = np.median(fit_relation(load, held, rng).peaks(load.max(axis=0), ONE, rng))
    found = fit_relation(load, held, rng, limit=limit)
    told = np.median(found.peaks(load.max(axis=0), ONE, rng))
    truth = usage.max()
    assert found.held_back > 10
    assert abs(told - truth) < 0.5 * abs(blind - truth)


def test_days_that_were_held_out_tell_how_good_it_is():
    load, usage, rng = _drawn(9)
    good = hold_out(load, usage, rng)
    assert good.days == 14
    assert good.coverage_80 >= 0.5
    assert abs(good.bias) < 0.03
    load[7:], usage[7:] = np.nan, np.nan
    assert hold_out(load, usage, rng) is None


def test_equal_seeds_give_equal_figures_and_gaps_are_no_zeros():
    load, usage, _ = _drawn(10)
    usage[4, :20], load[11] = np.nan, np.nan
    first, second = (
        fit_relation(load, usage, np.random.default_rng(1)).slope_at(0.8) for _ in range(2)
    )
    assert (first == second).all()
    assert first[1] == pytest.approx(31, rel=0.03)


def test_folding_counts_days_back_from_the_end_and_leaves_gaps_unknown():
    times = np.arange(1, 73) * 3_600_000
    values = np.arange(72.0)
    values[30] = np.nan
    grid = fold_days(times, values, end_ms=int(times[-1]), step_ms=3_600_000)
    assert grid.shape == (3, 24)
    assert grid[2, 23] == 71
    assert np.isnan(grid[1, 6])
    assert np.isnan(grid).sum() == 1


def test_usage_that_load_fits_exactly_is_fitted_exactly():
    load = loads(np.random.default_rng(11), 10)
    found = fit_relation(load, 3 + 2 * load, np.random.default_rng(0))
    assert found.explained == pytest.approx(1)
    assert np.median(found.peaks(load[-1] * 1.3, ONE, np.random.default_rng(0))) == pytest.approx(
        3 + 2.6 * load[-1].max(), rel=1e-3
    )


def test_what_stands_at_its_limit_nearly_always_shows_no_more_than_that():
    load, usage, rng = _drawn(12, days=14)
    limit = np.full(usage.shape, 5.0)
    found = fit_relation(load, np.minimum(usage, limit), rng, limit=limit)
    assert np.isfinite(found.peaks(load[-1], ONE, rng)).all()
