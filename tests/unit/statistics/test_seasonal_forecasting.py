"""Forecasts of the next hours: exact enough, with intervals that hold, and sane on odd series."""

import re
from datetime import UTC, datetime

import numpy as np
import pytest
from seasonal_families import (
    HOUR_MS,
    START_MS,
    draw,
    heavy,
    idle,
    multiplied,
    shifted,
    wandering,
    weekly,
)

from workbench.errors import InputError
from workbench.statistics.seasonal import Method, forecast_seasonal
from workbench.statistics.seasonal.calendar import make_calendar
from workbench.statistics.seasonal.ensemble import combine
from workbench.statistics.seasonal.intervals import calibrate, coverage_left_out
from workbench.statistics.seasonal.outliers import tamed

AHEAD = 48
STEPS = 28 * 24
HOURS = np.arange(STEPS)
NOISE = np.random.default_rng(3).normal(0, 0.3, STEPS)
USUAL = 10 + 3 * np.sin(HOURS * 2 * np.pi / 24) + NOISE
NEXT = 10 + 3 * np.sin(np.arange(AHEAD) * 2 * np.pi / 24)
SHAPES = np.random.default_rng(0).normal(0, 5, (10, 24))
RESTLESS = np.repeat(SHAPES, 3, axis=0)[:28].reshape(-1) + NOISE / 30
"""A new pattern every third day: only copying the day before is right two times of three."""
MIDDLE = 3


def forecast(values, step_ms=HOUR_MS, horizon=AHEAD, **place):
    values = np.asarray(values, np.float64)
    times = START_MS + np.arange(len(values)) * step_ms
    [found] = forecast_seasonal(values.reshape(len(values), -1), times, horizon, **place)
    return found


def test_on_simulated_series_intervals_hold_and_errors_are_far_below_the_naive_ones():
    """Truths after 36 seeded series: 80 and 95 % intervals, MASE against "as yesterday"."""
    inside_80, inside_95, ours, naive = [], [], [], []
    for family in (weekly, multiplied, heavy):
        values = draw(family, 12, 9, STEPS + 24 + AHEAD)[24:]
        times = START_MS + np.arange(STEPS) * HOUR_MS
        past, truth = values[:STEPS], values[STEPS:]
        for i, found in enumerate(forecast_seasonal(past, times, AHEAD)):
            right, fan = truth[:, i], found.values
            inside_80.append(np.mean((right >= fan[1]) & (right <= fan[5])))
            inside_95.append(np.mean((right >= fan[0]) & (right <= fan[6])))
            scale = np.abs(past[24:, i] - past[:-24, i]).mean()
            ours.append(np.abs(fan[MIDDLE] - right).mean() / scale)
            yesterday = past[STEPS - 24 + np.arange(AHEAD) % 24, i]
            naive.append(np.abs(yesterday - right).mean() / scale)
    assert 0.75 <= np.mean(inside_80) <= 0.87
    assert 0.92 <= np.mean(inside_95) <= 0.985
    assert np.mean(ours) < 0.83 * np.mean(naive)


def test_the_backtest_is_of_forecasts_that_could_have_been_made():
    """A wholly new level in the last two days changes no forecast made before, only its errors."""
    changed = USUAL.copy()
    changed[-48:] += 30.0
    before, after = forecast(USUAL).test, forecast(changed).test
    assert before.relative_error < 0.9
    assert after.error > 2 * before.error
    assert after.origins == before.origins == 13


def test_series_beside_one_another_change_nothing():
    """Seventeen series in one call, more than one pass takes, and some alone give equal figures."""
    values = draw(weekly, 17, 2, STEPS)
    times = START_MS + HOURS * HOUR_MS
    together = forecast_seasonal(values, times, AHEAD)
    for i in (0, 16):
        alone = forecast(values[:, i])
        np.testing.assert_allclose(together[i].values, alone.values, rtol=1e-9)


SPOILT = {
    "whole": USUAL,
    "a fifth missing": np.where(NOISE > 0.25, np.nan, USUAL),
    "two days missing": np.where((HOURS > 300) & (HOURS < 345), np.nan, USUAL),
    "the last 20 hours missing": np.where(HOURS >= STEPS - 20, np.nan, USUAL),
    "one hour of every day missing": np.where(HOURS % 24 == 5, np.nan, USUAL),
    "spikes, one in the first hour": np.where(HOURS % 97 == 0, 1e6, USUAL),
    "infinities": np.where(HOURS % 50 == 7, np.inf, USUAL),
    "a level that changed": np.where(HOURS < 300, USUAL - 8, USUAL),
    "a series that is new": np.where(HOURS < 400, np.nan, USUAL),
    "tiny": USUAL * 1e-250,
    "huge": USUAL * 1e250,
}
"""What is wrong with a series whose pattern is plain."""


@pytest.fixture(scope="module")
def spoilt():
    """All of them, forecast in one call."""
    values = np.stack(list(SPOILT.values()), axis=1)
    found = forecast_seasonal(values, START_MS + HOURS * HOUR_MS, AHEAD)
    return dict(zip(SPOILT, found, strict=True))


@pytest.mark.parametrize("name", list(SPOILT)[:-2])
def test_what_is_missing_or_wild_does_not_spoil_the_forecast(spoilt, name):
    """The pattern of the day goes on to within a few times the noise."""
    found = spoilt[name]
    assert found.method is Method.ENSEMBLE
    ever = ~np.isnan(SPOILT[name].reshape(-1, 24)).all(axis=0)
    off = np.abs(found.values[MIDDLE] - NEXT)[np.tile(ever, 2)]
    assert off.mean() < 0.5
    assert off.max() < 2.5
    assert (np.diff(found.values, axis=0) >= 0).all()


@pytest.mark.parametrize(("name", "factor"), [("tiny", 1e-250), ("huge", 1e250)])
def test_the_unit_does_not_matter(spoilt, name, factor):
    """Scaled values give the scaled forecast."""
    whole = spoilt["whole"].values
    np.testing.assert_allclose(spoilt[name].values / factor, whole, rtol=1e-9)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (np.full(STEPS, np.nan), "no sample in the whole window"),
        (USUAL[:100], "4 whole days are known, 5 are needed"),
        (np.where(HOURS >= STEPS - 40, np.nan, USUAL), "no sample of the last 1.7 days"),
        (np.where(HOURS % 3 > 0, np.nan, USUAL), r"only 33 % of its samples"),
    ],
)
def test_with_too_little_it_abstains_and_says_why(values, reason):
    found = forecast(values)
    assert found.method is Method.NONE
    assert found.values.shape == (7, 0)
    assert found.test is None
    assert re.search(reason, found.reason)


def test_a_constant_stays():
    found = forecast(np.full(STEPS, 5.0))
    assert found.method is Method.CONSTANT
    assert (found.values == 5.0).all()
    assert found.test is None


def test_a_perfect_repetition_has_no_error_and_no_division_by_it():
    found = forecast(np.tile(np.arange(24.0), 28))
    assert found.test.naive_error == 0.0
    assert found.test.to_dict()["mase"] is None
    np.testing.assert_allclose(found.values[MIDDLE], np.tile(np.arange(24.0), 2), atol=1e-12)


def test_where_nothing_beats_yesterday_yesterday_is_given():
    """A new pattern every third day: only copying the day before is right two times of three."""
    found = forecast(RESTLESS, horizon=24)
    assert found.method is Method.NAIVE
    assert not found.test.beats_naive
    np.testing.assert_allclose(found.values[MIDDLE], RESTLESS[-24:])


def test_what_is_mostly_idle_stays_at_or_above_0():
    values = draw(idle, 5, 1, STEPS)
    for found in forecast_seasonal(values, START_MS + HOURS * HOUR_MS, AHEAD):
        assert found.values.min() >= 0
        assert found.test.relative_error < 1


@pytest.mark.parametrize(("days", "widest"), [(6, 20.0), (10, 8.0), (15, 6.0), (21, 4.0)])
def test_a_short_history_gives_a_wider_interval(days, widest):
    """95 % of the noise are 1.2 wide; from two past days nobody can know that."""
    found = forecast(USUAL[: 24 * days])
    width = (found.values[6] - found.values[0]).mean()
    assert 1.0 < width < widest
    assert np.abs(found.values[MIDDLE] - NEXT).mean() < 0.6


@pytest.mark.parametrize(
    ("step_ms", "per_day", "horizon"),
    [(300_000, 288, 60), (900_000, 96, 200), (6 * HOUR_MS, 4, 8), (24 * HOUR_MS, 1, 7)],
)
def test_other_steps_find_the_same_pattern(step_ms, per_day, horizon):
    """A wave of a day, or of a week where the step is a day, goes on."""
    period = per_day if per_day > 1 else 7
    steps = np.arange(21 * per_day if per_day > 1 else 60)
    noise = np.random.default_rng(4).normal(0, 0.2, len(steps))
    found = forecast(10 + 3 * np.sin(steps * 2 * np.pi / period) + noise, step_ms, horizon)
    ahead = len(steps) + np.arange(horizon)
    truth = 10 + 3 * np.sin(ahead * 2 * np.pi / period)
    assert found.values.shape == (7, horizon)
    assert np.abs(found.values[MIDDLE] - truth).mean() < 0.6


@pytest.mark.parametrize("step_ms", [7 * HOUR_MS, 48 * HOUR_MS, 7000])
def test_a_step_that_does_not_divide_a_day_is_refused(step_ms):
    with pytest.raises(InputError, match="does not divide a day"):
        forecast(USUAL, step_ms)


def test_the_pattern_follows_the_clocks_of_its_place():
    """In Berlin clocks changed on 29 March 2026: work begins at the same local hour, in UTC one earlier."""
    end = int(datetime(2026, 3, 29, tzinfo=UTC).timestamp() * 1000)
    times = end + np.arange(-STEPS, 0) * HOUR_MS
    local = make_calendar(times, HOUR_MS, timezone="Europe/Berlin").day
    values = np.where((local >= 9) & (local < 17), 100.0, 10.0)[:, None]
    values = values + np.random.default_rng(1).normal(0, 1, values.shape)
    [berlin] = forecast_seasonal(values, times, AHEAD, timezone="Europe/Berlin")
    later = times[-1] + np.arange(1, AHEAD + 1) * HOUR_MS
    wanted = make_calendar(later, HOUR_MS, timezone="Europe/Berlin").day
    busy = (wanted >= 9) & (wanted < 17)
    assert (berlin.values[MIDDLE, busy] > 90).all()
    assert (berlin.values[MIDDLE, ~busy] < 20).all()
    [utc] = forecast_seasonal(values, times, AHEAD)
    assert (utc.values[MIDDLE, busy] < 20).any()


def test_a_holiday_passes_as_a_sunday():
    """Weekends are idle; a Monday that is a holiday is forecast idle as well."""
    idle_day = HOURS // 24 % 7 >= 5
    values = np.where(idle_day, 10.0, 100.0) + NOISE
    monday = np.datetime64(START_MS + STEPS * HOUR_MS, "ms").astype("datetime64[D]")
    plain = forecast(values, horizon=24)
    free = forecast(values, horizon=24, holidays=[str(monday)])
    assert plain.values[MIDDLE].mean() > 80
    assert free.values[MIDDLE].mean() < 40


@pytest.mark.parametrize("zone", ["Mars/Olympus", "", "../etc/passwd", "\0"])
def test_an_unknown_time_zone_is_refused(zone):
    with pytest.raises(InputError, match="is not a time zone"):
        forecast(USUAL, timezone=zone)


def test_what_is_no_date_is_refused():
    with pytest.raises(InputError, match="is not a date"):
        forecast(USUAL, holidays=["Christmas"])


def test_spikes_are_cut_and_lasting_changes_kept():
    spiked, risen = USUAL.copy(), USUAL.copy()
    spiked[500] = 1e5
    risen[500:] += 40
    assert tamed(spiked[:, None], 24)[500, 0] < 60
    np.testing.assert_array_equal(tamed(USUAL[:, None], 24)[:, 0], USUAL)
    assert (tamed(risen[:, None], 24)[503:, 0] == risen[503:]).all()


def test_a_spike_does_not_lift_the_day_after():
    """In a short history the day after has only the day of the spike beside it."""
    values = np.where((HOURS >= 136) & (HOURS < 138), 1e4, USUAL)[: 9 * 24]
    assert tamed(values[:, None], 24).max() < 40


def test_one_weekend_is_enough_to_foresee_the_next():
    """From the second Saturday's first hour: idle at the weekend, though the day before was not."""
    idle_day = HOURS // 24 % 7 >= 5
    values = np.where(idle_day, 10.0, 100.0) + NOISE
    found = forecast(values[: 13 * 24], horizon=24)
    assert found.values[MIDDLE].mean() < 40
    assert "same hour a week ago, at today's level" in dict(found.weights)


def test_yesterday_is_given_exactly_where_the_backtest_says_so():
    values = np.concatenate([draw(kind, 4, 4, STEPS) for kind in (idle, shifted, wandering)], 1)
    times = START_MS + HOURS * HOUR_MS
    found = forecast_seasonal(np.column_stack([values, RESTLESS]), times, 24)
    assert {each.method for each in found} == {Method.NAIVE, Method.ENSEMBLE}
    for each in found:
        assert (each.method is Method.ENSEMBLE) == each.test.beats_naive


def test_the_member_that_was_right_counts_nearly_all():
    """Of three members the one with a tenth of the error; and no member that cannot tell."""
    rng = np.random.default_rng(2)
    origins = list(range(48, 24 * 15, 24))
    values = rng.normal(0, 1, (24 * 14, 1))
    padded = np.concatenate([values, np.zeros((48, 1))])
    truth = np.stack([padded[o : o + 24] for o in [*origins[:-1], 24 * 14]])
    paths = np.stack([truth + 0.1, truth + 1.0, np.full_like(truth, np.nan)])
    combined, weights = combine(values, paths, [*origins[:-1], 24 * 14], 24)
    assert weights[0, 0] > 0.999
    assert weights[2, 0] == 0
    assert np.isfinite(combined).all()


def test_a_member_that_begins_later_is_not_judged_by_easier_days():
    """Ten hard days, then ten easy ones: the late member is twice as wrong on the days of both."""
    rng = np.random.default_rng(6)
    origins = [24 * day for day in range(2, 23)]
    size = np.where(np.arange(21) < 10, 5.0, 0.1)[:, None, None]
    values = rng.normal(0, 1, (22 * 24, 1))
    truth = np.stack([np.concatenate([values, np.zeros((24, 1))])[o : o + 24] for o in origins])
    late = np.where(size < 1, truth + 2 * size, np.nan)
    _, weights = combine(values, np.stack([truth + size, truth - size, late]), origins, 24)
    assert weights[2, 0] < 0.02
    assert weights[:2, 0].sum() > 0.98


def test_margins_trust_origins_by_what_they_knew():
    """Errors shrink as the history grows: counting all alike would give wider margins."""
    known = np.arange(3.0, 13.0)
    errors = (
        np.random.default_rng(7).normal(0, 1, (10, 24, 1, 1)) * (12 / known)[:, None, None, None]
    )
    alike, trusted = calibrate(errors, 24), calibrate(errors, 24, history=known)
    assert (trusted.above[1] < alike.above[1]).all()
    assert trusted.above[1].mean() > 1.2


def test_margins_are_the_quantiles_of_errors():
    """Many normal errors whose size depends on the hour: margins near the known quantiles."""
    size = 2 + np.sin(np.arange(24) * 2 * np.pi / 24)
    errors = np.random.default_rng(5).normal(0, 1, (400, 24, 1, 1)) * size[None, :, None, None]
    margins = calibrate(errors[-60:], 24)
    above = margins.above[2, :, 0]
    np.testing.assert_allclose(above / (1.96 * size), 1, atol=0.45)  # 15 % are those of all hours
    assert above.mean() == pytest.approx(1.96 * size.mean(), rel=0.1)
    assert above[6] > 1.8 * above[18]
    assert coverage_left_out(errors[-60:], 24)[1, 0] == pytest.approx(0.8, abs=0.04)
