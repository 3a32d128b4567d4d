"""Totals of a period are forecast with intervals that hold, and breaches with dates."""

from __future__ import annotations

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
    """Of 80 months with weekdays, growth and noise that carries over; 80 % within chance."""
    inside = []
    for seed in range(80):
        rng = np.random.default_rng(seed)
        known, left = int(rng.integers(28, 60)), int(rng.integers(4, 24))
        all_days = spend(rng, known + left)
        found = outlook(
            np.arange(known), all_days[:known], spent=0.0, left=left, rng=rng, origins=0
        )
        truth = all_days[known:].sum()
        inside.append(found.total(0.1) <= truth <= found.total(0.9))
    assert 0.68 <= np.mean(inside) <= 0.92


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
