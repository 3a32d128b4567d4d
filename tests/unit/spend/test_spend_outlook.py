"""Totals of a period are forecast with intervals that hold, and breaches with dates."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest

from workbench.spend.budgeting.outlook import Outlook, outlook

WEEK = np.array([1.0, 1.05, 1.1, 1.05, 0.95, 0.4, 0.3])


def spend(rng, days, *, growth=0.003, noise=0.08):
    wander = np.zeros(days)
    for day in range(1, days):
        wander[day] = 0.4 * wander[day - 1] + rng.normal(0, noise)
    return 100 * WEEK[np.arange(days) % 7] * np.exp(growth * np.arange(days) + wander)


def test_the_interval_of_the_total_covers_what_comes():
    """Of 60 months with weekdays, growth and noise that carries over; 80 % within chance."""
    inside = []
    for seed in range(60):
        rng = np.random.default_rng(seed)
        known, left = int(rng.integers(28, 60)), int(rng.integers(4, 24))
        all_days = spend(rng, known + left)
        found = outlook(
            np.arange(known), all_days[:known], spent=0.0, left=left, rng=rng, origins=0
        )
        truth = all_days[known:].sum()
        inside.append(found.total(0.1) <= truth <= found.total(0.9))
    assert 0.66 <= np.mean(inside) <= 0.94


def test_a_month_end_that_was_seen_is_expected_again():
    """Two days of double spend at each month's end: with dates the next is forecast."""
    rng = np.random.default_rng(5)
    first = date(2026, 1, 19)
    dates = [first + timedelta(days=n) for n in range(103)]
    ends = np.array([(d + timedelta(days=2)).month != d.month for d in dates])
    each = spend(rng, 103, growth=0.0, noise=0.05) * np.where(ends, 2.0, 1.0)
    known = (date(2026, 4, 25) - first).days
    days, past = np.arange(known), each[:known]
    truth = each[known : known + 6].sum()
    middle = [
        outlook(days, past, spent=0.0, left=6, rng=rng, first=told, origins=0).total(0.5)
        for told in (first, None)
    ]
    assert middle[0] == pytest.approx(truth, rel=0.08)
    assert middle[1] < 0.85 * truth


def test_a_level_shift_is_where_the_forecast_begins():
    """Spend that doubled twelve days ago is not forecast at a mean of before and after."""
    rng = np.random.default_rng(6)
    each = spend(rng, 60, growth=0.0, noise=0.05) * np.where(np.arange(60) < 28, 1.0, 2.0)
    found = outlook(np.arange(40), each[:40], spent=0.0, left=20, rng=rng, origins=0)
    assert found.total(0.5) == pytest.approx(each[40:].sum(), rel=0.15)


def test_an_odd_last_day_may_be_one_day_or_the_first_of_many():
    """Three times the usual yesterday: most likely that was all, and it may be the new level."""
    each = np.exp(np.random.default_rng(1).normal(0, 0.1, 35))
    each[-1] *= 3
    found = outlook(
        np.arange(35), each, spent=0.0, left=20, rng=np.random.default_rng(2), origins=0
    )
    assert found.total(0.5) < 30
    assert found.total(0.95) > 50


def test_growth_is_not_carried_through_a_year():
    """A third more each month makes a month more, then ever less: not thirty times in a year."""
    rng = np.random.default_rng(9)
    each = spend(rng, 70, growth=0.01, noise=0.03)
    found = outlook(np.arange(70), each, spent=0.0, left=365, rng=rng, origins=0)
    days = np.diff(np.median(found.totals, axis=0))
    month = days[21:28].mean() / each[-7:].mean()
    year = days[-7:].mean() / each[-7:].mean()
    assert 1.2 < month < 1.5
    assert month < year < 3.0


def test_days_before_the_first_spend_are_no_history():
    """A team that began twenty days ago is forecast as if it had been read from then on."""
    each = np.concatenate([np.zeros(30), spend(np.random.default_rng(2), 20)])
    whole = outlook(np.arange(50), each, spent=0.0, left=9, rng=np.random.default_rng(1), origins=0)
    begun = outlook(
        np.arange(30, 50), each[30:], spent=0.0, left=9, rng=np.random.default_rng(1), origins=0
    )
    assert np.array_equal(whole.totals, begun.totals)


def test_days_that_cost_nothing_are_forecast_too():
    """Spend on weekdays alone: what adds has no logarithm, and no future is below 0."""
    rng = np.random.default_rng(3)
    each = np.where(np.arange(63) % 7 < 5, rng.normal(100, 8, 63), 0.0)
    found = outlook(np.arange(42), each[:42], spent=0.0, left=21, rng=rng, origins=0)
    assert found.total(0.1) <= each[42:].sum() <= found.total(0.9)
    assert (np.diff(found.totals, axis=1) >= 0).all()


def test_what_was_spent_is_in_the_total_and_the_chance():
    rng = np.random.default_rng(1)
    found = outlook(np.arange(40), spend(rng, 40, noise=0.01), spent=1000.0, left=10, rng=rng)
    assert found.total(0.5) == pytest.approx(1000 + 10 * 94, rel=0.15)
    assert found.chance(1000.0) == 1.0
    assert found.chance(1e6) == 0.0
    assert found.test.error < 0.1


def test_a_breach_is_dated_on_the_day_on_which_the_sum_passes_the_amount():
    totals = np.cumsum(np.full((100, 20), 10.0), axis=1)
    one = Outlook(0.0, totals, None)
    assert one.breach(95.0) == 10
    assert one.breach(200.0) is None
    assert Outlook(50.0, totals, None).breach(49.0) == 0


def test_a_breach_that_half_the_futures_lack_has_an_early_date_only():
    totals = np.cumsum(np.repeat([[10.0], [1.0]], 50, axis=0).repeat(20, axis=1), axis=1)
    one = Outlook(0.0, totals, None)
    assert one.breach(95.0, 0.1) == 10
    assert one.breach(95.0, 0.9) is None


def test_two_weeks_are_the_least_history():
    rng = np.random.default_rng(1)
    assert outlook(np.arange(13), np.ones(13), spent=0.0, left=5, rng=rng) is None


def test_spend_that_never_changes_goes_on_as_it_is():
    found = outlook(
        np.arange(30), np.full(30, 7.0), spent=70.0, left=5, rng=np.random.default_rng(1)
    )
    assert (found.total(0.1), found.total(0.9)) == (105.0, 105.0)


def test_a_period_without_days_left_is_what_was_spent():
    found = outlook(
        np.arange(30), np.arange(30.0), spent=70.0, left=0, rng=np.random.default_rng(1)
    )
    assert (found.total(0.5), found.chance(60.0), found.breach(60.0)) == (70.0, 1.0, 0)
