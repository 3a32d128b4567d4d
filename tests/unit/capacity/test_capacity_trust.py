"""How far a backtest lets a forecast be trusted: kept, widened, or left without a date."""

import numpy as np
import pytest
from capacity_simulation import DAY_MS, START_MS

from workbench.capacity import Verdict
from workbench.capacity.forecasting import forecast
from workbench.capacity.judging import Judged
from workbench.capacity.outlook import Outlook
from workbench.statistics import (
    Backtest,
    average_models,
    daily_peaks,
    pool_shifts,
)

DAYS = 60


def _forecast(test):
    """A line that reaches its limit after some weeks, forecast with that backtest."""
    peaks = 500 + 5 * np.arange(DAYS) + np.random.default_rng(1).normal(0, 6, DAYS)
    times = START_MS + np.arange(1, DAYS + 1) * DAY_MS
    series = daily_peaks(times, peaks, np.ones(DAYS, bool), end_ms=int(times[-1]))
    known = Outlook(
        "r", {}, "", "", "r", Verdict.UNLIKELY, series, np.full(DAYS, 1000.0), limit=1000.0
    )
    average = average_models(series.days, series.values, np.random.default_rng(2))
    return forecast(
        Judged(known, series, 1.0, None), average,
        horizon_days=90, pool=pool_shifts([average]), rng=np.random.default_rng(3), test=test,
    )  # fmt: skip


def _test(relative, ratio):
    return Backtest(3, 14, 42, relative, 1.0, 0.0, 0.8, 0.95, conformal_ratio=ratio)


def _width(outlook):
    return outlook.fan.values[5] - outlook.fan.values[1]


def test_what_beats_last_week_is_kept_however_wide():
    plain, narrow, wide = (_forecast(t) for t in (_test(0.5, 1.0), _test(0.9, 0.4), _test(0.9, 2)))
    assert plain.verdict is Verdict.DATED
    for each in (narrow, wide):
        assert np.array_equal(_width(each), _width(plain))
        assert each.notes == ()


def test_what_does_not_is_widened_by_its_misses_and_says_so():
    plain, widened = _forecast(_test(0.5, 1.0)), _forecast(_test(1.2, 1.6))
    assert _width(widened) == pytest.approx(1.6 * _width(plain), rel=1e-6)
    assert np.allclose(widened.fan.values[3], plain.fan.values[3])
    (note,) = widened.notes
    assert "1.20 times that of 'same as last week'" in note
    assert "widened 1.60 times" in note


def test_a_band_is_never_narrowed():
    plain, kept = _forecast(_test(0.5, 1.0)), _forecast(_test(1.2, 0.6))
    assert np.array_equal(_width(kept), _width(plain))
    assert "kept as it is" in kept.notes[0]


@pytest.mark.parametrize(("relative", "ratio"), [(1.6, 1.0), (1.1, 3.5)])
def test_guesswork_gets_a_chance_but_no_date(relative, ratio):
    outlook = _forecast(_test(relative, ratio))
    assert outlook.verdict is Verdict.POSSIBLE
    assert not outlook.saturation.dated
    assert outlook.saturation.chances[90] > 0.5
    assert "no date is given" in outlook.notes[0]


def test_without_a_backtest_that_is_said():
    assert "too short for a backtest" in _forecast(None).notes[0]
