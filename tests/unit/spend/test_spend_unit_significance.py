"""Intervals and tests of costs per unit hold what they promise, on days whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from workbench.spend.unit_cost.significance import (
    Contrast,
    DailyRate,
    contrast,
    day_weights,
    holm,
    mean_interval,
    next_interval,
)

WEEK = np.array([1, 1, 1, 1, 0.92, 0.35, 0.3])


def wandering(rng, count, memory, size):
    """An AR(1) of a standard deviation."""
    found = np.empty(count)
    found[0] = rng.normal(0, size)
    for day in range(1, count):
        found[day] = memory * found[day - 1] + rng.normal(0, size * np.sqrt(1 - memory**2))
    return found


def two_versions(rng, one, other, *, together, memory=0.3, effect=1.0, season=0.05):
    """Requests of two versions: weekdays, growth, days that differ and resemble their neighbours."""
    count = one if together else one + other
    day = np.arange(count)
    weekday = (day + rng.integers(7)) % 7
    common = wandering(rng, count, memory, 0.08) + season * (weekday >= 5)
    result = []
    for version in (0, 1):
        busy = np.ones(count, bool) if together else (day < one) == (version == 0)
        share = 0.5 if together else 1.0
        requests = rng.poisson(2000 * WEEK[weekday] * share * 1.06 ** (day / 7))
        mean = np.exp(common + wandering(rng, count, memory, 0.04)) * effect**version
        cost = rng.gamma(np.maximum(1.5 * requests, 1e-9), mean / 1.5)
        result.append(DailyRate(day[busy], cost[busy], requests[busy].astype(float)))
    return result


def found_of(pair) -> Contrast:
    found = contrast(*pair)
    assert isinstance(found, Contrast)
    return found


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [(5, 5, False), (21, 7, False), (7, 7, True), (28, 28, True)],
)
def test_of_equal_versions_few_are_called_different(one, other, together):
    """About 5 of 100, with weekdays and days that resemble each other; 250 draws leave ±2.8."""
    rng = np.random.default_rng(11)
    draws = [found_of(two_versions(rng, one, other, together=together)).p for _ in range(250)]
    assert 0.01 <= np.mean(np.array(draws) < 0.05) <= 0.09


@pytest.mark.parametrize(("one", "other", "together"), [(14, 14, False), (5, 5, True)])
def test_a_fifth_more_is_found_and_its_interval_holds_it(one, other, together):
    """+20 % is seen in most cases, and 95 of 100 intervals hold it."""
    rng = np.random.default_rng(12)
    found = [
        found_of(two_versions(rng, one, other, together=together, effect=1.2)) for _ in range(120)
    ]
    assert np.mean([f.p < 0.05 for f in found]) > 0.75
    assert np.mean([f.low <= 1.2 <= f.high for f in found]) > 0.9


def test_the_next_week_lies_within_its_interval():
    """95 of 100 of the next weeks do."""
    rng = np.random.default_rng(13)
    held = 0
    for _ in range(200):
        whole = two_versions(rng, 14, 14, together=True)[0]
        week, following = whole.on(np.arange(7)), whole.on(np.arange(7, 14))
        found = next_interval(week)
        assert found is not None
        held += found[0] <= following.value <= found[1]
    assert 0.9 <= held / 200 <= 0.99


def test_days_of_one_size_without_memory_are_a_t_test():
    """Variance and degrees of freedom are those of Student, which SciPy tells.

    The memory found is set to nought by days that alternate, and the logarithm is linear where
    days hardly differ.
    """
    a = 10 + 1e-4 * np.array([1.0, -1, 1.1, -0.9, 1, -1.2, 0.8, -1])
    b = 10 + 1e-4 * np.array([1.5, -0.5, 1.3, -0.7, 1.2, -0.9, 1.4, -0.8])
    units = np.full(8, 5.0)
    found = found_of(
        (DailyRate(np.arange(8), a * 5, units), DailyRate(np.arange(8, 16), b * 5, units))
    )
    assert found.freedom == pytest.approx(stats.ttest_ind(a, b, equal_var=False).df, rel=1e-3)
    assert found.p == pytest.approx(stats.ttest_ind(a, b, equal_var=False).pvalue, rel=1e-3)


def test_what_days_have_in_common_falls_out_side_by_side():
    """Days that differ by a factor of ten, and a ratio of two on each: no doubt is left."""
    days, units = np.arange(6), np.array([10.0, 20, 30, 10, 5, 40])
    cost = units * np.array([1.0, 10, 2, 7, 3, 9])
    found = found_of((DailyRate(days, cost, units), DailyRate(days, 2 * cost, units)))
    assert found.paired
    assert (found.ratio, found.low, found.high) == pytest.approx((2, 2, 2))


def test_a_roll_out_in_steps_is_not_taken_for_a_dearer_version():
    """Costs rise by the day while the new version takes over: on each day both cost the same."""
    days = np.arange(10)
    share = np.linspace(0.05, 0.95, 10)
    cost = np.exp(0.1 * days)
    one = DailyRate(days, 1000 * (1 - share) * cost, 1000 * (1 - share))
    two = DailyRate(days, 1000 * share * cost, 1000 * share)
    assert two.value > 1.2 * one.value
    assert found_of((one, two)).ratio == pytest.approx(1.0)


def test_weights_give_the_same_ratio():
    """`day_weights` is what `contrast` weighs days by."""
    rng = np.random.default_rng(4)
    for together in (True, False):
        one, two = two_versions(rng, 6, 6, together=together)
        weights = day_weights(one, two)
        means = [(r.cost @ w) / (r.units @ w) for r, w in zip((one, two), weights, strict=True)]
        assert means[1] / means[0] == pytest.approx(found_of((one, two)).ratio)


def test_few_days_and_free_requests_are_not_judged():
    """Two days are too few; what costs nothing has no ratio."""
    two = DailyRate(np.arange(2), np.ones(2), np.ones(2))
    five = DailyRate(np.arange(5), np.ones(5), np.ones(5))
    free = DailyRate(np.arange(5), np.zeros(5), np.ones(5))
    assert contrast(two, five) == "one of the two was seen on 2 days, at least 3 are needed"
    assert contrast(five, free) == "one of the two cost nothing"
    assert next_interval(two) is mean_interval(two) is next_interval(free) is None
    assert np.isnan(DailyRate(np.arange(0), np.ones(0), np.ones(0)).value)


def test_days_without_a_unit_count_with_their_cost():
    """A day of cost and no success is a day like others."""
    rate = DailyRate(np.arange(5), np.full(5, 10.0), np.array([2.0, 0, 3, 0, 5]))
    assert rate.value == 5.0
    assert rate.enough == 3
    found = mean_interval(rate)
    assert found is not None
    assert found[0] < 5.0 < found[1]


def test_equal_days_have_no_doubt():
    """Nothing varied, so the interval is a point and equal versions are equal."""
    one = DailyRate(np.arange(4), np.full(4, 8.0), np.full(4, 4.0))
    two = DailyRate(np.arange(4, 8), np.full(4, 8.0), np.full(4, 4.0))
    found = found_of((one, two))
    assert (found.ratio, found.p) == (1.0, 1.0)


def test_holm_against_a_loop():
    """Steps down from the smallest: each times the number of those that are left."""
    rng = np.random.default_rng(1)
    ps = rng.random(7).tolist()
    want = [0.0] * 7
    for place, i in enumerate(np.argsort(ps)):
        before = max((want[j] for j in np.argsort(ps)[:place]), default=0.0)
        want[i] = min(max((7 - place) * ps[i], before), 1.0)
    assert holm(ps) == pytest.approx(want)
    assert holm([]) == []


@pytest.mark.parametrize("paired", [True, False])
def test_what_differs_is_what_a_permutation_test_says_differs(paired):
    """Labels of days are dealt anew, or turned round within days: no formula, the same verdicts."""
    rng = np.random.default_rng(12)
    days, agreed, runs = 10, 0, 40
    for run in range(runs):
        units = rng.poisson((200, 150), (days, 2)).astype(float)
        common = np.exp(0.09 * rng.standard_normal((days, 1 if paired else 2)))
        cost = (
            units
            * common
            * np.exp(0.05 * rng.standard_normal((days, 2)))
            * (1, 1 + 0.2 * (run % 2))
        )
        first, second = (
            DailyRate(np.arange(days) + (0 if paired else n * days), cost[:, n], units[:, n])
            for n in (0, 1)
        )
        dealt = rng.random((999, 2 * days)).argsort(axis=1) < days
        if paired:
            half = rng.random((999, days)) < 0.5
            dealt = np.concatenate([half, ~half], axis=1)
        chosen = np.concatenate([[[True] * days + [False] * days], dealt])
        c, n = (np.concatenate([x[:, 0], x[:, 1]]) for x in (cost, units))
        if paired:
            alike = units.prod(axis=1) / units.sum(axis=1)
            c, n = c / n * np.tile(alike, 2), np.tile(alike, 2)
        one, two = ((k @ c) / (k @ n) for k in (chosen, ~chosen))
        log = np.abs(np.log(two / one))
        p = float((log >= log[0] - 1e-12).mean())
        found = contrast(first, second)
        assert found.paired == paired
        agreed += (found.p < 0.05) == (p < 0.05)
    assert agreed >= 0.85 * runs
