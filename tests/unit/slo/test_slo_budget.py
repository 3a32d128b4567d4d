"""Events, burn rates and budgets against plain loops and figures worked out by hand."""

import numpy as np
import pytest
from slo_frames import DAY, START_MS, STEP_MS, events, steady

from workbench.slo.budget import budget_of, burn_down
from workbench.slo.burn import burn_rates
from workbench.slo.events import trailing

DAY_MS = DAY * STEP_MS


def test_trailing_sums_equal_a_loop_and_leave_no_rounding():
    rng = np.random.default_rng(1)
    values = rng.poisson(3, 400) * 1e6
    values[rng.random(400) < 0.2] = np.nan
    for steps in (1, 7, 400, 999):
        loop = [np.nansum(values[max(i + 1 - steps, 0) : i + 1]) for i in range(400)]
        assert np.allclose(trailing(values, steps), loop, rtol=1e-9, atol=0)
    assert trailing(np.array([0.1, 0.2, 0.0]), 1)[2] == 0.0


def test_a_burn_rate_is_the_share_over_the_budget_and_absent_without_events():
    found = events([0, 1, 0, 4], [100, 100, 0, 100])
    assert burn_rates(found, 0.01, STEP_MS).tolist()[:2] == [0.0, 1.0]
    assert np.isnan(burn_rates(found, 0.01, STEP_MS)[2])
    assert burn_rates(found, 0.01, 2 * STEP_MS)[3] == pytest.approx(4.0)


def test_a_rolling_budget_by_hand():
    """30 days of 100 events a step: 864,000, of which 0.3 % may be bad, and 1,000 were."""
    bad, total = np.zeros(33 * DAY), np.full(33 * DAY, 100.0)
    bad[-50:-10] = 1000 / 40
    found = events(bad, np.maximum(total, bad))
    now = int(found.times_ms[-1])
    budget = budget_of(found, 0.003, (now - 30 * DAY_MS, now), now_ms=now)
    assert (budget.bad, budget.total) == (1000.0, 864_000.0)
    assert budget.allowed == pytest.approx(2592)
    assert budget.left == pytest.approx(1 - 1000 / 2592)
    assert budget.minutes == pytest.approx(30 * 24 * 60 * 0.003)
    assert budget.left_events == pytest.approx(1592)
    assert budget.unseen == 0
    line = burn_down(found, budget, 0.003)
    assert line.left[0] == 1.0
    assert line.left[-1] == pytest.approx(budget.left)


def test_errors_before_the_window_do_not_count():
    bad, total = steady()
    bad[: 3 * DAY] = total[: 3 * DAY]
    found = events(bad, total)
    now = int(found.times_ms[-1])
    budget = budget_of(found, 0.01, (now - 30 * DAY_MS, now), now_ms=now)
    assert budget.bad == bad[3 * DAY :].sum()


def test_a_calendar_budget_counts_what_is_still_to_come():
    """Ten days into a month of thirty: three times the events are expected in all."""
    found = events(np.full(10 * DAY, 1.0), np.full(10 * DAY, 100.0))
    now = int(found.times_ms[-1])
    budget = budget_of(found, 0.01, (START_MS, START_MS + 30 * DAY_MS), now_ms=now)
    assert budget.sli == pytest.approx(0.99)
    assert budget.allowed == pytest.approx(0.01 * 30 * DAY * 100)
    assert budget.left == pytest.approx(2 / 3)


def test_what_was_not_seen_is_told_and_counts_neither_way():
    bad, total = np.full(30 * DAY, 1.0), np.full(30 * DAY, 100.0)
    bad[: 3 * DAY] = total[: 3 * DAY] = np.nan
    found = events(bad, total)
    now = int(found.times_ms[-1])
    budget = budget_of(found, 0.01, (START_MS, now), now_ms=now)
    assert budget.unseen == pytest.approx(0.1)
    assert budget.sli == pytest.approx(0.99)


def test_a_window_before_the_data_is_no_budget():
    found = events([0.0], [0.0])
    assert budget_of(found, 0.01, (START_MS, START_MS + STEP_MS), now_ms=START_MS + STEP_MS) is None


def test_the_interval_is_wilsons_and_widens_where_errors_come_in_bursts():
    """Wilson by scipy for independent errors; with all errors on one day several times as wide."""
    from scipy.stats import binomtest

    bad, total = steady(days=30, share=0.01)
    now = START_MS + 30 * DAY_MS
    even = budget_of(events(bad, total), 0.01, (START_MS, now), now_ms=now)
    count, seen = int(bad.sum()), int(total.sum())
    wilson = binomtest(seen - count, seen).proportion_ci(method="wilson")
    width = wilson.high - wilson.low
    assert 0.95 * width < even.sli_high - even.sli_low < 1.6 * width
    burst = np.zeros_like(bad)
    burst[:DAY] = np.minimum(count / DAY, total[:DAY])
    lumpy = budget_of(events(burst, total), 0.01, (START_MS, now), now_ms=now)
    assert lumpy.sli_high - lumpy.sli_low > 4 * width


def test_the_interval_covers_the_true_chance():
    """200 histories whose days have shares of their own: 95 % intervals hold the mean 90–99 %."""
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(200):
        share = np.repeat(rng.gamma(4, 0.01 / 4, 30), DAY)
        total = np.full(30 * DAY, 50)
        bad = rng.binomial(total, share)
        now = START_MS + 30 * DAY_MS
        found = budget_of(events(bad, total), 0.01, (START_MS, now), now_ms=now)
        inside += found.sli_low <= 0.99 <= found.sli_high
    assert 0.9 <= inside / 200 <= 0.99
