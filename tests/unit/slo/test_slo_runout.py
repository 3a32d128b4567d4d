"""Run-out: what is left in given futures against plain loops, and forecasts of plain histories."""

import numpy as np
import pytest
from slo_frames import DAY, STEP_MS, events, steady

from workbench.slo.events import Events
from workbench.slo.forecasting import forecast_left
from workbench.slo.futures import Futures
from workbench.slo.incidents import split_incidents
from workbench.slo.runout import left_calendar, left_rolling, run_out


@pytest.mark.parametrize(
    ("past", "window", "ahead"), [(40, 24, 60), (10, 24, 60), (40, 24, 12), (30, 30, 30)]
)
def test_a_rolling_window_equals_a_loop(past, window, ahead):
    rng = np.random.default_rng(past)
    bad, total = rng.poisson(2, past) * 1.0, rng.poisson(50, past) + 1.0
    futures = Futures(rng.poisson(3, (4, ahead)) * 1.0, rng.poisson(50, (4, ahead)) + 1.0)
    left = left_rolling(bad, total, futures, window, 0.05)
    for path in range(4):
        whole = (
            np.concatenate([bad, futures.bad[path]]),
            np.concatenate([total, futures.total[path]]),
        )
        for hour in range(ahead):
            end = past + hour + 1
            b, n = (x[max(end - window, 0) : end].sum() for x in whole)
            assert left[path, hour] == pytest.approx(1 - b / n / 0.05)


def test_a_calendar_budget_equals_a_loop_and_begins_anew():
    rng = np.random.default_rng(3)
    bad, total = rng.poisson(2, 20) * 1.0, np.full(20, 50.0)
    futures = Futures(rng.poisson(3, (3, 50)) * 1.0, np.full((3, 50), 50.0))
    left = left_calendar(bad, total, futures, [(-10, 20), (20, 50)], 0.05)
    for path in range(3):
        allowed = 0.05 * 30 * 50
        for hour in range(20):
            gone = bad[10:].sum() + futures.bad[path, : hour + 1].sum()
            assert left[path, hour] == pytest.approx(1 - gone / allowed)
        for hour in range(20, 50):
            assert left[path, hour] == pytest.approx(
                1 - futures.bad[path, 20 : hour + 1].sum() / allowed
            )


def test_a_date_stands_only_where_the_chance_is_four_of_five():
    left = np.ones((10, 48))
    left[:7, 30:] = -0.1
    found = run_out(left, now_ms=0, spent=False, window_days=1)
    assert not found.dated
    assert found.to_dict()["date"] is None
    assert found.to_dict()["low_80"] is None
    left[:9, 30:] = -0.1
    found = run_out(left, now_ms=0, spent=False, window_days=1)
    assert (found.dated, found.hours, found.chances[1]) == (True, 31, 0.0)


def test_a_spent_budget_tells_of_its_return():
    left = np.full((10, 48), -0.5)
    left[:, 40:] = 0.2
    found = run_out(left, now_ms=0, spent=True, window_days=30)
    assert (found.hours, found.to_dict()["of"]) == (41, "return")


def _forecast(bad, total, budget, days=90):
    rng = np.random.default_rng(0)
    left = forecast_left(
        events(bad, total), budget, window_hours=720, bounds=None, horizon_hours=24 * days, rng=rng
    )
    return run_out(left, now_ms=0, spent=False, window_days=30)


def test_a_shift_after_a_deploy_is_dated_by_hand():
    """0.2 % for 27 days, 1.2 % for 6; with 0.6 % allowed, 30-day share reaches it after 6 days more."""
    low, total = steady(33, share=0.002)
    high, _ = steady(33, share=0.012)
    bad = np.where(np.arange(33 * DAY) < 27 * DAY, low, high)
    found = _forecast(bad, total, 0.006)
    assert found.dated
    assert found.interval_80[0] / 24 <= 6 <= found.interval_80[1] / 24
    assert found.hours / 24 == pytest.approx(6, abs=1.5)


def test_a_quiet_service_far_below_its_budget_never_runs_out():
    found = _forecast(*steady(33, share=0.002), 0.01)
    assert found.chances[90] < 0.05


def test_an_old_incident_falls_out_of_the_window():
    """An hour of 60 % ten days ago: the budget comes back in steps, the median rises after day 20."""
    bad, total = steady(33, share=0.002)
    at = 23 * DAY
    bad[at : at + 12] = total[at : at + 12] * 0.6
    left = np.median(
        forecast_left(
            events(bad, total), 0.005, window_hours=720, bounds=None, horizon_hours=720,
            rng=np.random.default_rng(0),
        ), axis=0,
    )  # fmt: skip
    assert left[24 * 20 + 3] > left[24 * 19] + 0.1


def test_a_running_incident_makes_running_out_as_likely_as_it_may_last():
    """0.3 % of 720 h are 4.3 h at 50 %; one has passed, and 3.3 more have a chance of 4.3 ** -1.5."""
    bad, total = steady(33, share=0.002)
    assert _forecast(bad, total, 0.005).chances[30] < 0.02
    bad[-12:] = total[-12:] * 0.5
    assert _forecast(bad, total, 0.005).chances[30] == pytest.approx(4.3**-1.5, abs=0.04)


def test_incidents_are_found_where_they_were_and_a_day_long_rise_is_none():
    bad, total = steady(33, share=0.002)
    bad[2000:2018] = total[2000:2018] * 0.3
    bad[5000 : 5000 + 2 * DAY] = total[5000 : 5000 + 2 * DAY] * 0.02
    found = split_incidents(events(bad, total), least_share=0.005).incidents
    start = int(events(bad, total).times_ms[2000]) - STEP_MS
    (one,) = [i for i in found if i.share > 0.1]
    assert (one.start_ms, one.duration_ms) == (start, 18 * STEP_MS)
    assert not [i for i in found if i.duration_ms > DAY * STEP_MS]


def test_a_daily_peak_of_errors_is_no_incident():
    """The share is ten times as high from noon to one every day."""
    rng = np.random.default_rng(0)
    share = np.where(np.arange(33 * DAY) % DAY // 12 == 12, 0.02, 0.002)
    total = np.full(33 * DAY, 500)
    found = split_incidents(events(rng.binomial(total, share), total))
    assert len(found.incidents) <= 1
    assert found.profile[12] > 4 * np.delete(found.profile, 12).max()


def test_three_days_are_enough_for_a_forecast_and_gaps_do_not_break_it():
    bad, total = steady(4, share=0.01)
    total[100:160] = bad[100:160] = np.nan
    assert 0 <= _forecast(bad, total, 0.02).chances[30] <= 1


def test_equal_histories_give_equal_forecasts():
    bad, total = steady(20)
    one, two = _forecast(bad, total, 0.006), _forecast(bad, total, 0.006)
    assert one.passage.cumulative.tolist() == two.passage.cumulative.tolist()


def test_a_ratio_alone_can_be_forecast():
    bad, total = steady(33, share=0.004)
    only = Events(
        events(bad, total).times_ms, bad / total, np.ones(len(bad)), STEP_MS, counted=False
    )
    left = forecast_left(
        only, 0.01, window_hours=720, bounds=None, horizon_hours=240, rng=np.random.default_rng(0)
    )
    assert np.median(left[:, 0]) == pytest.approx(0.6, abs=0.03)
