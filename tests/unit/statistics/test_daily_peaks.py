"""Daily peaks against loops and hand-made days."""

import numpy as np

from workbench.statistics import DAY_MS, daily_peaks

HOUR = 3_600_000
NOW = 1_780_000_000_000


def _series(hours, rng):
    times = NOW - np.arange(hours)[::-1] * HOUR
    return times, rng.normal(100, 10, hours), np.ones(hours, bool)


def test_peaks_and_lows_equal_a_loop_over_blocks_that_end_now():
    times, values, present = _series(24 * 9, np.random.default_rng(1))
    found = daily_peaks(times, values, present, end_ms=NOW)
    assert len(found) == 9
    for day in range(9):
        end = NOW - (8 - day) * DAY_MS
        block = [v for t, v in zip(times, values, strict=True) if end - DAY_MS < t <= end]
        assert found.peaks[day] == max(block)
        assert found.lows[day] == min(block)


def test_a_day_with_too_few_samples_is_missing_and_counted():
    times, values, present = _series(24 * 6, np.random.default_rng(2))
    present[24 * 2 + 3 : 24 * 3] = False
    found = daily_peaks(times, values, present, end_ms=NOW)
    assert found.days.tolist() == [0, 1, 3, 4, 5]
    assert found.missing == 1
    assert len(found.values) == 5


def test_the_partial_first_block_is_left_out_silently():
    times, values, present = _series(24 * 4 + 5, np.random.default_rng(3))
    found = daily_peaks(times, values, present, end_ms=NOW)
    assert (len(found), found.missing) == (4, 0)


def test_nan_infinity_and_later_samples_are_absent():
    times, values, present = _series(48, np.random.default_rng(4))
    values[30], values[31] = np.inf, np.nan
    found = daily_peaks(times, values, present, end_ms=NOW)
    assert np.isfinite(found.peaks).all()
    earlier = daily_peaks(times, values, present, end_ms=NOW - DAY_MS)
    assert earlier.peaks.tolist() == [values[:24].max()]


def test_nothing_at_all_gives_no_days():
    found = daily_peaks(np.arange(3) * HOUR, np.zeros(3), np.zeros(3, bool), end_ms=NOW)
    assert (len(found), len(found.days)) == (0, 0)


def test_a_daily_grid_is_taken_as_it_is():
    times = NOW - np.arange(20)[::-1] * DAY_MS
    found = daily_peaks(times, np.arange(20.0), np.ones(20, bool), end_ms=NOW)
    assert found.peaks.tolist() == list(range(20))


def test_the_middle_of_each_day_lies_within_it():
    times, values, present = _series(24 * 3, np.random.default_rng(5))
    found = daily_peaks(times, values, present, end_ms=NOW)
    assert found.times_ms[-1] == NOW - DAY_MS // 2
    assert np.diff(found.times_ms).tolist() == [DAY_MS, DAY_MS]
