"""What the truth says is what the samples show, measured anew with numpy and scipy."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from workbench.demo import TRUTH
from workbench.demo.disks import filling_disk_bytes
from workbench.demo.grid import activity
from workbench.window import format_time

DAY = 86_400_000
MINUTE = 60_000
WEEK = 7 * DAY


def days(times):
    return (times - TRUTH.start_ms) / DAY


# ------------------------------------------------------------------ time and season


def test_the_estate_begins_on_a_monday_and_keeps_one_offset_throughout():
    """The local calendar is the one of the stated time zone, checked against zoneinfo."""
    zone = ZoneInfo(TRUTH.time_zone)
    for at in range(TRUTH.start_ms, TRUTH.end_ms + 1, DAY // 2):
        local = datetime.fromtimestamp(at / 1000, zone)
        assert local.utcoffset().total_seconds() == TRUTH.utc_offset_hours * 3600
    assert datetime.fromtimestamp(TRUTH.start_ms / 1000, zone).weekday() == 0
    assert TRUTH.end_ms - TRUTH.start_ms == 5 * WEEK


def test_activity_peaks_at_one_on_weekdays_and_falls_at_the_weekend():
    """The season is normalised to an ordinary weekday's peak, by local days."""
    zone = ZoneInfo(TRUTH.time_zone)
    times = np.arange(TRUTH.start_ms, TRUTH.start_ms + 2 * WEEK, MINUTE)
    by_day = {}
    for at, value in zip(times.tolist(), activity(times).tolist(), strict=True):
        local = datetime.fromtimestamp(at / 1000, zone)
        by_day.setdefault(local.date(), []).append((value, local.weekday()))
    for values in by_day.values():
        if len(values) == 1440:
            expected = TRUTH.weekday_factors[values[0][1]]
            assert max(value for value, _ in values) == pytest.approx(expected, abs=1e-3)


def per_minute(estate, gained):
    return np.sum([gained(v) for _, _, v in estate.find("my_app_api_requests_total")], axis=0)


def test_lunch_dips_and_the_weekend_is_quiet(estate, gained):
    """Mean requests of local hours: less at lunch than before and after, few on Sundays."""
    requests = per_minute(estate, gained)
    local = (np.arange(1, len(requests) + 1) + TRUTH.utc_offset_hours * 60) / 60
    hour, day = local % 24, (local // 24).astype(int) % 7

    def mean(at_hour, chosen):
        return requests[(np.abs(hour - at_hour) < 0.25) & np.isin(day, chosen)].mean()

    weekdays = [0, 1, 2, 3]
    assert mean(TRUTH.lunch_dip_hour, weekdays) < 0.85 * mean(10.75, weekdays)
    assert mean(TRUTH.lunch_dip_hour, weekdays) < 0.80 * mean(15.5, weekdays)
    assert mean(15.5, [6]) / mean(15.5, weekdays) == pytest.approx(0.30, rel=0.08)


def test_traffic_grows_as_stated(estate, gained):
    """A line through the log of weekly requests has the stated slope."""
    requests = per_minute(estate, gained)
    weekly = np.log([requests[n * 10_080 : (n + 1) * 10_080].sum() for n in range(5)])
    slope = np.polyfit(np.arange(5), weekly, 1)[0]
    assert np.expm1(slope) == pytest.approx(TRUTH.demand_growth_per_week, abs=0.006)


# ------------------------------------------------------------------ capacity


def used(estate, instance, mountpoint):
    where = {"instance": instance, "mountpoint": mountpoint}
    _, times, size = estate.one("node_filesystem_size_bytes", **where)
    _, _, avail = estate.one("node_filesystem_avail_bytes", **where)
    return times, size - avail, size


@pytest.mark.parametrize(("share", "field"), [(1.0, "full_at_ms"), (0.9, "ninety_percent_at_ms")])
def test_the_noise_free_disk_reaches_its_size_at_the_stated_minute(share, field):
    """A brute-force walk over the minutes ends where the truth says."""
    disk = TRUTH.filling_disk
    times = np.arange(TRUTH.start_ms, TRUTH.start_ms + 90 * DAY, MINUTE)
    at = int(times[np.argmax(filling_disk_bytes(times) >= share * disk.size_bytes)])
    assert format_time(at) == format_time(getattr(disk, field))


def test_the_samples_of_the_filling_disk_lead_to_the_stated_date(estate):
    """Least squares on line and season, from the samples alone, meet the limit within a day."""
    disk = TRUTH.filling_disk
    times, taken, size = used(estate, disk.instance, disk.mountpoint)
    design = np.column_stack([np.ones(len(times)), days(times), activity(times)])
    terms = np.linalg.lstsq(design, taken, rcond=None)[0]
    future = np.arange(TRUTH.end_ms, TRUTH.end_ms + 60 * DAY, MINUTE)
    forecast = terms[0] + terms[1] * days(future) + terms[2] * activity(future)
    at = int(future[np.argmax(forecast >= size[0])])
    assert abs(at - disk.full_at_ms) < DAY
    assert taken.max() < 0.9 * size[0]


def test_daily_peaks_alone_lead_near_the_stated_date(estate):
    """Whoever knows no season, but draws a line through weekday maxima, is right to two days."""
    disk = TRUTH.filling_disk
    _, taken, size = used(estate, disk.instance, disk.mountpoint)
    peaks = taken[:-1].reshape(35, 1440).max(axis=1)
    workdays = np.array([d for d in range(35) if d % 7 < 4])
    slope, start = np.polyfit(workdays + 0.55, peaks[workdays], 1)
    at = TRUTH.start_ms + (size[0] - start) / slope * DAY
    assert abs(at - disk.full_at_ms) < 2 * DAY


def test_no_other_disk_fills_within_half_a_year(estate):
    """Lines through the weekly maxima of the others stay below their sizes; one is flat."""
    disk = TRUTH.filling_disk
    flat = 0
    others = [x[0] for x in estate.find("node_filesystem_size_bytes")]
    for labels in others:
        if (labels["instance"], labels["mountpoint"]) == (disk.instance, disk.mountpoint):
            continue
        times, taken, size = used(estate, labels["instance"], labels["mountpoint"])
        week = np.minimum(days(times) // 7, 4).astype(int)
        peaks = np.array([taken[week == n].max() for n in range(5)])
        slope = np.polyfit(np.arange(5), peaks, 1)[0]
        assert peaks.max() + 26 * max(slope, 0) < 0.95 * size[0], labels
        flat += int(np.ptp(taken) == 0)
    assert len(others) == 6
    assert flat == 1


def test_the_pool_is_close_at_its_peak_does_not_grow_and_never_fills(estate):
    """Weekday peaks stand near 35 of 40 in the first week and in the last; 40 is never met."""
    pool = TRUTH.pool
    for _, _, in_use in estate.find("go_sql_in_use_connections"):
        assert in_use.max() < pool.limit
        peaks = in_use[:-1].reshape(35, 1440).max(axis=1)
        assert 33 <= peaks[[0, 1, 2, 3]].mean() <= 38
        assert abs(peaks[[28, 29, 30, 31]].mean() - peaks[[0, 1, 2, 3]].mean()) <= 1.5
    for labels, _, in_use in estate.find("go_sql_in_use_connections"):
        where = {"instance": labels["instance"]}
        idle = estate.one("go_sql_idle_connections", **where)[2]
        opened = estate.one("go_sql_open_connections", **where)[2]
        assert (in_use + idle == opened).all()
        assert (opened <= pool.limit).all()


def test_the_modes_of_each_cpu_sum_to_the_time_that_passed(estate):
    """Sixty seconds a minute, to the hundredth."""
    for cpu in {(x[0]["instance"], x[0]["cpu"]) for x in estate.find("node_cpu_seconds_total")}:
        modes = estate.find("node_cpu_seconds_total", instance=cpu[0], cpu=cpu[1])
        passed = (modes[0][1] - TRUTH.start_ms) / 1000
        assert np.allclose(np.sum([v for _, _, v in modes], axis=0), passed, rtol=0, atol=1e-6)
