"""A series taken apart: as statsmodels does it, with gaps, spikes and changes of the clock."""

import json

import numpy as np
import pytest
from statsmodels.tsa.seasonal import MSTL

from workbench.capacity.hourly.analysis import analyse_hourly
from workbench.capacity.hourly.parts import hourly_parts, stl_options, take_apart
from workbench.errors import InputError
from workbench.frame import Frame
from workbench.views.forecast_parts import parts_chart

HOUR_MS = 3_600_000
MONDAY_MS = 1_767_571_200_000
"""2026-01-05T00:00:00Z."""
STEPS = 35 * 24
HOSTILE = "</script><script>alert(1)</script>\n\0'\"{{datum}}"

times = MONDAY_MS + np.arange(STEPS, dtype=np.int64) * HOUR_MS
hours = np.arange(STEPS)
DAY = 20 * np.sin(hours * 2 * np.pi / 24)
WEEK = np.where(hours // 24 % 7 >= 5, -15.0, 6.0)
LEVEL = 100 + hours * 0.05


def noisy(seed=0, size=2.0):
    return LEVEL + DAY + WEEK + np.random.default_rng(seed).normal(0, size, STEPS)


def off(found, truth):
    return float(np.sqrt(np.mean((found - truth) ** 2)))


def test_without_gaps_and_spikes_it_is_statsmodels_own_answer():
    values = noisy()
    parts = take_apart(times, values)
    direct = MSTL(values, periods=(24, 168), stl_kwargs=stl_options({"day": 24, "week": 168})).fit()
    np.testing.assert_allclose(parts.level, direct.trend, rtol=1e-9)
    np.testing.assert_allclose(parts.seasons["day"], direct.seasonal[:, 0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(parts.seasons["week"], direct.seasonal[:, 1], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(parts.remainder, direct.resid, rtol=1e-7, atol=1e-9)


def test_gaps_take_no_part_and_the_planted_parts_are_found():
    """A long gap and a tenth of the steps at random; the remainder is unknown there."""
    values = noisy()
    values[300:350] = np.nan
    values[np.random.default_rng(1).random(STEPS) < 0.1] = np.nan
    parts = take_apart(times, values)
    assert (np.isnan(parts.remainder) == np.isnan(values)).all()
    assert not np.isnan(parts.level).any()
    assert off(parts.seasons["day"], DAY) < 2
    assert off(parts.seasons["week"], WEEK) < 2
    assert off(parts.level, LEVEL) < 1
    known = ~np.isnan(values)
    total = parts.level + parts.seasons["day"] + parts.seasons["week"] + parts.remainder
    np.testing.assert_allclose(total[known], values[known])


def test_a_spike_stays_in_the_remainder():
    values = noisy()
    values[427] += 80
    parts = take_apart(times, values)
    assert parts.remainder[427] > 70
    assert off(parts.seasons["week"], WEEK) < 2


def test_patterns_follow_the_clocks_of_the_place():
    """Where clocks go forward the pattern moves an hour in UTC; by local time it is one pattern."""
    start = 1_773_014_400_000  # 2026-03-09, three weeks before the change in Berlin
    moments = start + np.arange(STEPS, dtype=np.int64) * HOUR_MS
    change = 1_774_746_000_000
    local = moments + np.where(moments >= change, 2, 1) * HOUR_MS
    day = 20 * np.sin(local / HOUR_MS * 2 * np.pi / 24) ** 5
    values = 100 + day + np.random.default_rng(2).normal(0, 0.5, STEPS)
    there = take_apart(moments, values, timezone="Europe/Berlin")
    utc = take_apart(moments, values)
    assert off(there.seasons["day"], day) < 1
    assert off(utc.seasons["day"], day) > 2 * off(there.seasons["day"], day)


@pytest.mark.parametrize(
    ("steps", "step_ms", "seasons"),
    [
        (STEPS, HOUR_MS, {"day", "week"}),
        (10 * 24, HOUR_MS, {"day"}),
        (60, 24 * HOUR_MS, {"week"}),
    ],
)
def test_only_seasons_that_were_seen_twice_are_told(steps, step_ms, seasons):
    moments = MONDAY_MS + np.arange(steps, dtype=np.int64) * step_ms
    values = 50 + np.sin(np.arange(steps) / 3) + np.arange(steps) / 100
    parts = take_apart(moments, values)
    assert set(parts.seasons) == seasons
    assert all(0 <= parts.strength(name) <= 1 for name in seasons)


def test_too_little_gives_a_reason_and_no_parts():
    assert "two days" in take_apart(times[:40], noisy()[:40]).reason
    sparse = np.where(np.arange(STEPS) % 3 == 0, noisy(), np.nan)
    assert "280 of 840 steps" in take_apart(times, sparse).reason


@pytest.fixture(scope="module")
def three():
    return _result([{"path": "/a"}, {"path": "/ab"}, {"path": HOSTILE}])


def _result(labels, step_ms=HOUR_MS, count=STEPS):
    moments = MONDAY_MS + np.arange(count, dtype=np.int64) * step_ms
    values = np.array([np.resize(noisy(i), count) for i in range(len(labels))])
    frame = Frame("matrix", labels, moments, values, values == values, "load")  # noqa: PLR0124
    return analyse_hourly(
        frame, expression="load", horizon_ms=24 * HOUR_MS, step_ms=step_ms, unit="requests"
    )


def test_a_series_is_chosen_by_its_name_or_a_part_of_it(three):
    assert hourly_parts(three).name == '{path="/a"}'
    assert hourly_parts(three, '{path="/a"}').name == '{path="/a"}'
    for wanted, said in (("/", "series are called '/'"), ("nothing", "no series are called")):
        with pytest.raises(InputError, match=said):
            hourly_parts(three, wanted)


def test_the_picture_holds_every_part_and_hostile_names_stay_text(three):
    chart = parts_chart(hourly_parts(three, "script"))
    spec = chart.to_dict(validate=False)
    assert len(spec["vconcat"]) == 4
    assert set(chart.datasets) == {"observed", "day", "week", "remainder", "zero"}
    row = chart.datasets["observed"][100]
    assert row["observed"] == pytest.approx(noisy(2)[100], rel=1e-5)
    assert "\0" not in json.dumps(spec["title"])
    nothing = parts_chart(take_apart(times[:40], noisy()[:40]))
    assert "two days" in json.dumps(nothing.datasets)


def test_finer_steps_become_means_of_an_hour():
    parts = hourly_parts(_result([{}], step_ms=HOUR_MS // 4, count=STEPS * 4 + 1))
    assert len(parts.times_ms) == STEPS
    assert int(np.diff(parts.times_ms)[0]) == HOUR_MS
    table = parts.to_table()
    assert list(table) == ["time", "observed", "level", "day", "week", "remainder"]
