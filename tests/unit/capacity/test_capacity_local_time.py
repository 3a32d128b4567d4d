"""A study that follows the clocks and holidays of Berlin, over the change of March."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from capacity_simulation import BERLIN_HOLIDAYS, BERLIN_NOW_MS, DAY_MS, HOUR_MS

from workbench.capacity import Resource, analyse
from workbench.frame import Frame

BERLIN = ZoneInfo("Europe/Berlin")
PAST, AHEAD = 40, 56
POOL = Resource(name="pool {id}", usage="used", limit=10_000, by=("id",), peak="sample")


def _estate(rows=6):
    """Hourly usage by local time: peaks of 100, of 60 on Sundays and holidays; past and to come."""
    now = datetime.fromtimestamp(BERLIN_NOW_MS / 1000, BERLIN)
    start = round((now - timedelta(days=PAST)).timestamp() * 1000)
    end = round((now + timedelta(days=AHEAD)).timestamp() * 1000)
    times = np.arange(start + HOUR_MS, end + 1, HOUR_MS)
    local = [datetime.fromtimestamp((t - HOUR_MS) / 1000, BERLIN) for t in times.tolist()]
    free = np.array([d.weekday() == 6 or f"{d:%Y-%m-%d}" in BERLIN_HOLIDAYS for d in local])
    shape = np.where(free, 60.0, 100.0) * np.sin(np.pi * np.array([d.hour for d in local]) / 23)
    rng = np.random.default_rng(8)
    usage = shape + rng.normal(0, 1.5, (rows, len(times)))
    dates = [f"{now + timedelta(days=d):%Y-%m-%d}" for d in range(AHEAD)]
    truth = usage[:, times > BERLIN_NOW_MS].reshape(rows, AHEAD, 24).max(axis=2)
    return times, usage, dates, truth


def _forecast(times, usage, **options):
    known = times <= BERLIN_NOW_MS
    labels = [{"id": str(i)} for i in range(len(usage))]
    values = usage[:, known]
    frame = Frame("matrix", labels, times[known], values, np.ones(values.shape, bool))
    frames = {f"usage {POOL.key}": frame}
    result = analyse([POOL], frames, now_ms=BERLIN_NOW_MS, horizon_days=AHEAD, workers=1, **options)
    return sorted(result.outlooks, key=lambda o: o.name)


def test_holidays_are_forecast_as_sundays_and_far_better_than_without():
    times, usage, dates, truth = _estate()
    free = np.isin(dates, BERLIN_HOLIDAYS)
    assert free.sum() == 3
    errors = {}
    for name, options in (
        ("plain", {}),
        ("local", {"timezone": "Europe/Berlin", "holidays": BERLIN_HOLIDAYS}),
    ):
        middle = np.array([o.fan.values[3] for o in _forecast(times, usage, **options)])
        errors[name] = np.abs(middle - truth)
    assert errors["local"][:, free].mean() < 0.2 * errors["plain"][:, free].mean()
    assert errors["local"].mean() < 0.5 * errors["plain"].mean()


def test_days_are_as_long_as_the_clocks_make_them():
    times, usage, dates, _ = _estate(rows=1)
    (outlook,) = _forecast(times, usage, timezone="Europe/Berlin", holidays=BERLIN_HOLIDAYS)
    hours = np.diff(outlook.history.edges_ms) // HOUR_MS
    assert len(outlook.history) == PAST
    assert sorted(set(hours.tolist())) == [23, 24]
    short = int(np.flatnonzero(hours == 23)[0])
    local = [datetime.fromtimestamp(t / 1000, BERLIN) for t in outlook.history.edges_ms.tolist()]
    assert f"{local[short]:%Y-%m-%d}" == "2026-03-29"
    assert {(t.hour, t.minute) for t in local} == {(0, 0)}
    assert outlook.history.coverage.min() == pytest.approx(1)
    shown = [datetime.fromtimestamp(t / 1000, BERLIN) for t in outlook.fan.times_ms.tolist()]
    assert [f"{t:%Y-%m-%d}" for t in shown] == dates


def test_october_has_a_day_of_twenty_five_hours():
    from workbench.statistics import daily_peaks

    now = round(datetime(2026, 10, 27, 9, tzinfo=BERLIN).timestamp() * 1000)
    times = now - np.arange(24 * 6)[::-1] * HOUR_MS
    found = daily_peaks(
        times, np.ones(len(times)), np.ones(len(times), bool), end_ms=now, timezone="Europe/Berlin"
    )
    assert (np.diff(found.edges_ms) // HOUR_MS).tolist()[-3:] == [25, 24, 24]
    assert np.diff(found.ends_ahead(3)).tolist() == [DAY_MS, DAY_MS]
