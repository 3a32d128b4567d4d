"""Counters to increases per calendar day, against a slow loop and planted truths."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spend_counting_truth import STEP, by_loop, count, days_of, frame, grid

from workbench.errors import InputError
from workbench.spend.counting.days import CalendarDays
from workbench.spend.counting.increase import Counting
from workbench.spend.counting.targets import Targets

ONE = days_of(date(2026, 3, 2), date(2026, 3, 2))
THREE = days_of(date(2026, 3, 2), date(2026, 3, 4))


@st.composite
def counters(draw):
    """Counters with falls and holes, on grids that need not meet midnight, cut anywhere."""
    step = draw(st.sampled_from([300_000, 420_000, 3_600_000]))
    zone = draw(st.sampled_from(["UTC", "Asia/Kolkata", "Europe/Berlin"]))
    days = CalendarDays.between(date(2026, 3, 28), date(2026, 3, 30), zone)
    start = days.start_ms - draw(st.integers(1, 30)) * step + draw(st.integers(0, 2)) * 60_000
    columns = draw(st.integers(2, 120))
    times = start + np.arange(columns) * max(step, (days.end_ms - start) // columns // step * step)
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    rows = draw(st.integers(1, 5))
    values = rng.poisson(30, (rows, columns)).cumsum(axis=1).astype(float)
    for row in values:
        for place in np.sort(rng.integers(1, columns, rng.integers(0, 3))):
            row[place:] -= row[place] - rng.integers(0, 5)
        if rng.random() < 0.5:
            row[rng.random(columns) < 0.2] = np.nan
    cuts = sorted({int(c) for c in rng.integers(1, columns, rng.integers(0, 4))})
    return days, values, times, cuts, int(times[1] - times[0])


@given(counters())
@settings(max_examples=60, deadline=None)
def test_any_counter_agrees_with_the_slow_loop(case):
    """The vectorised rules give what a loop over single samples gives, however time is cut."""
    days, values, times, cuts, step = case
    # A first value of a series whose page was seen counts, which the loop does not know.
    labels = [{"job": "gw", "instance": f"i{i}"} for i in range(len(values))]
    counted = count(days, values, times, cuts=cuts, step=step, labels=labels)
    kept = ~counted.several & (counted.first_ms >= 0)
    expected = by_loop(days, values, times)[[int(x["instance"][1:]) for x in counted.labels]]
    np.testing.assert_allclose(
        np.nan_to_num(counted.increase)[kept], expected[kept], atol=1e-6, rtol=1e-9
    )


def test_days_of_23_and_25_hours_get_what_was_used_in_them():
    """A counter of one token a minute counts 1,380, 1,440 and 1,500 on such days in Berlin."""
    for first, hours in ((date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)):
        days = days_of(first, first, "Europe/Berlin")
        times = grid(days.start_ms - 10 * STEP, days.end_ms)
        counted = count(days, times / 60_000 - times[0] / 60_000, times, cuts=[10, 100])
        assert counted.increase.tolist() == [[hours * 60]]


def test_nothing_is_extrapolated_past_the_data():
    """Data that ends at noon gives what was counted by noon, and the next day is absent."""
    times = grid(THREE.start_ms - STEP, THREE.start_ms + 12 * 3_600_000)
    counted = count(THREE, np.arange(len(times)), times)
    assert counted.increase[0, 0] == 144
    assert np.isnan(counted.increase[0, 1:]).all()


def test_a_gap_over_midnight_is_shared_out_and_said():
    """Its sum is exact; what either day may have of it stands in `moved`."""
    times = grid(THREE.start_ms, THREE.end_ms)
    values = np.arange(len(times), dtype=float)
    values[288 - 12 : 288 + 36] = np.nan  # from 23:00 to 03:00
    counted = count(THREE, values, times, cuts=[289, 577])
    assert np.nansum(counted.increase) == len(times) - 1
    assert counted.increase[0, :2].tolist() == [288, 288]
    assert (counted.moved[0, :2] > 30).all()
    assert counted.moved[0, 2] == 0
    assert counted.bridged[0] == 49
    assert counted.lost.sum() == 0


def test_what_happened_before_a_restart_in_a_gap_is_lost_and_not_counted():
    """Ten tokens a step, two hours unseen, a restart half an hour before the end."""
    times = grid(ONE.start_ms, ONE.end_ms)
    truth = np.arange(len(times)) * 10.0
    values = truth.copy()
    values[100:124] = np.nan
    values[124:] = truth[124:] - truth[118]
    counted = count(ONE, values, times, cuts=[60, 110])
    seen = truth[99] + values[-1]
    assert counted.increase[0, 0] == seen
    missed = truth[-1] - seen
    assert counted.lost[0, 0] == pytest.approx(missed, rel=0.01)
    assert counted.low[0, 0] <= truth[-1] <= counted.high[0, 0]
    assert counted.resets.tolist() == [1]


def test_the_start_time_of_a_process_tells_when_the_restart_was():
    """With it the loss is told by time: of a step of 50 tokens, four fifths were before."""
    times = grid(ONE.start_ms, ONE.end_ms)
    values = np.arange(len(times)) * 50.0
    values[100:] -= values[100]
    targets = Targets()
    starts = np.where(np.arange(len(times)) < 100, 1.0, (times[99] + 0.8 * STEP) / 1000)
    targets.add_starts(frame(starts, times))
    counted = count(ONE, values, times, targets=targets)
    assert counted.lost[0, 0] == pytest.approx(40)


def test_a_restart_that_no_value_shows_is_known_from_the_start_time():
    """A counter at 3 that began anew and stands at 5 increased by 5."""
    times = grid(ONE.start_ms, ONE.end_ms)
    values = np.where(np.arange(len(times)) < 100, 3.0, 5.0)
    targets = Targets()
    starts = np.where(np.arange(len(times)) < 100, 1.0, times[99] / 1000 + 60)
    targets.add_starts(frame(starts, times))
    assert count(ONE, values, times, targets=targets).increase[0, 0] == 5
    assert count(ONE, values, times).increase[0, 0] == 2


def test_a_point_that_shows_a_sample_of_before_the_restart_is_not_the_new_process():
    """Scraped as often as read: the process began anew after the scrape that a point stands for.

    The old value stays for one point more where the new process has not counted yet.
    """
    times = grid(ONE.start_ms, ONE.end_ms)
    truth = np.arange(len(times)) * 10.0
    starts = np.where(np.arange(len(times)) < 101, 1.0, (times[99] + 0.8 * STEP) / 1000)
    for quiet in (0, 1, 5):
        values = truth.copy()
        values[101:] -= truth[100]
        values[101 : 101 + quiet] = np.nan
        values[101 : 101 + min(quiet, 1)] = values[100]
        for cuts in ((), (100,), (101,), (102,), (60, 103)):
            targets = Targets()
            targets.add_starts(frame(starts, times))
            counted = count(ONE, values, times, targets=targets, cuts=cuts)
            assert counted.increase[0, 0] == truth[-1], (quiet, cuts)
            assert counted.resets.tolist() == [1]


def test_a_start_time_of_long_ago_that_is_told_late_is_no_restart():
    """An exporter that learns to tell its start time, and workers whose start times take turns."""
    times = grid(ONE.start_ms, ONE.end_ms)
    values = np.arange(len(times)) * 10.0
    for starts in (
        np.where(np.arange(len(times)) < 100, np.nan, 1.0),
        np.where(np.arange(len(times)) % 7 < 5, 1.0, 2.0),
    ):
        targets = Targets()
        targets.add_starts(frame(starts, times))
        assert count(ONE, values, times, targets=targets).increase[0, 0] == values[-1]


def test_restarts_seen_by_many_counters_of_a_target_are_dated_by_all_of_them():
    """Rare requests of 200 users: what each lost is not known, but what all lost is."""
    rng = np.random.default_rng(5)
    times = grid(ONE.start_ms, ONE.end_ms)
    labels = [{"job": "gw", "instance": "a", "user": str(i)} for i in range(200)]
    lost = estimated = 0.0
    fine = rng.poisson(0.02, (200, 30 * (len(times) - 1))).cumsum(axis=1)  # every 10 s
    truth = np.column_stack([np.zeros(200), fine[:, 29::30]])
    for restart in (100, 200):
        values = truth.copy()
        at = fine[:, 30 * (restart - 1) + 23]  # 240 s into a step of 300 s
        values[:, restart:] -= at[:, None]
        counted = count(ONE, values, times, labels=labels)
        lost += (at - truth[:, restart - 1]).sum()
        estimated += counted.lost.sum()
        assert counted.low.sum() <= truth[:, -1].sum() <= counted.high.sum()
    assert estimated == pytest.approx(lost, rel=0.35)


def test_first_values_count_only_where_something_says_they_are_new():
    """The four rules, each on a counter that comes at noon with 70 and makes 1 a step."""
    times = grid(ONE.start_ms, ONE.end_ms)
    noon = 144
    there = np.arange(len(times), dtype=float)
    born = np.where(np.arange(len(times)) < noon, np.nan, 70 + there - noon)
    page = [{"job": "gw", "instance": "a", "user": u} for u in ("x", "y")]
    other = [{"job": "gw", "instance": i} for i in ("a", "b")]

    known = count(ONE, [there, born], times, labels=page)
    assert known.increase[:, 0].tolist() == [288, 70 + 144]
    assert known.born.tolist() == [0, 70]

    alone = count(ONE, [there, born], times, labels=other)
    assert alone.increase[:, 0].tolist() == [288, 144]
    assert alone.unknown.tolist() == [0, 70]
    assert alone.lost[1, 0] == 70

    for hours, expected in ((1, 70 + 144), (30, 144)):
        targets = Targets()
        targets.add_starts(
            frame([born * 0 + (times[noon] - hours * 3_600_000) / 1000], times, other[1:])
        )
        counted = count(ONE, [there, born], times, labels=other, targets=targets)
        assert counted.increase[1, 0] == expected

    up = Targets()
    up.add_up(frame([there * 0 + 1], times, other[1:]))
    assert count(ONE, [there, born], times, labels=other, targets=up).increase[1, 0] == 214

    first = count(ONE, [there + 1e9], times)
    assert first.increase[0, 0] == 288
    assert first.lost.sum() == first.unknown.sum() == 0


def test_a_renamed_series_does_not_count_its_history_again():
    """A label added by relabelling ends one series and begins another with the same value."""
    times = grid(ONE.start_ms, ONE.end_ms)
    there = 1e6 + np.arange(len(times), dtype=float)
    early = np.arange(len(times)) < 150
    labels = [
        {"job": "gw", "instance": "a", "user": "x"},
        {"job": "gw", "instance": "a", "user": "x", "zone": "eu"},
    ]
    values = [np.where(early, there, np.nan), np.where(early, np.nan, there)]
    counted = count(ONE, values, times, labels=labels)
    assert np.nansum(counted.increase) == 287
    assert counted.born.sum() == 0


def test_several_workers_behind_one_port_are_found_and_bounded():
    """Four workers, each scrape shows one of them: the truth lies within the bounds."""
    rng = np.random.default_rng(11)
    times = grid(THREE.start_ms, THREE.end_ms)
    workers = 5e5 * np.array([1, 0.7, 0.5, 0.2])[:, None] + rng.poisson(40, (4, len(times))).cumsum(
        axis=1
    )
    shown = workers[rng.integers(0, 4, len(times)), np.arange(len(times))]
    steady = np.arange(len(times)) * 3.0
    labels = [{"job": "gw", "instance": "a", "user": u} for u in "xy"]
    counted = count(THREE, [shown, steady], times, labels=labels, cuts=[100, 289, 577])
    assert counted.several.tolist() == [True, False]
    for day in (1, 2):
        truth = workers[:, 288 * (day + 1)].sum() - workers[:, 288 * day].sum()
        assert counted.low[0, day] <= truth <= counted.high[0, day]
        assert counted.increase[0, day] == pytest.approx(truth, rel=0.05)
        assert counted.low[0, day] < 0.5 * truth
    assert counted.increase[1].tolist() == [864] * 3


def test_a_process_that_keeps_crashing_is_not_taken_for_workers():
    """Restarts every two hours fall to near 0 and count their way up again."""
    times = grid(ONE.start_ms, ONE.end_ms)
    values = (np.arange(len(times)) % 24) * 10.0
    counted = count(ONE, values, times)
    assert not counted.several[0]
    assert counted.resets[0] == 12
    assert counted.increase[0, 0] == 12 * 230
    assert counted.low[0, 0] <= 2880 <= counted.high[0, 0]


@pytest.mark.parametrize("every", [4, 12])
def test_restarts_every_hour_for_days_are_restarts(every):
    """However many runs there were: each falls at once, and climbs back in several steps."""
    times = grid(THREE.start_ms, THREE.end_ms)
    rng = np.random.default_rng(5)
    used = rng.poisson(rng.uniform(20, 60, len(times))).astype(float)
    values = np.concatenate([np.cumsum(run) for run in np.array_split(used, len(times) // every)])
    counted = count(THREE, values, times)
    assert not counted.several.any()
    truth = used[1:].sum()
    assert np.nansum(counted.increase[0]) == pytest.approx(truth, rel=1e-9)


def test_odd_samples_are_left_out_and_told():
    """Samples below 0, infinite ones and fractions."""
    times = grid(ONE.start_ms, ONE.end_ms)
    values = np.arange(len(times)) * 1.0
    values[50], values[60], values[-1] = -5, np.inf, 287.5
    counted = count(ONE, values, times)
    assert counted.increase[0, 0] == 287.5
    assert counted.left_out[0] == 2
    assert counted.fractional[0]


def test_a_series_that_ended_lost_half_a_step():
    """A pod that went away is likely to have counted on for half a step."""
    times = grid(ONE.start_ms, ONE.end_ms)
    values = np.arange(len(times)) * 10.0
    gone = np.where(np.arange(len(times)) < 100, values, np.nan)
    counted = count(ONE, [values, gone], times, cuts=[90, 150])
    assert counted.lost[:, 0].tolist() == [0, pytest.approx(5)]
    assert counted.most_lost[1, 0] == pytest.approx(10)


def test_series_come_and_go_in_any_order():
    """Frames of one piece need not have the series of another, nor their order."""
    times = grid(THREE.start_ms, THREE.end_ms)
    labels = [{"job": "gw", "instance": "a", "user": str(i)} for i in range(3)]
    counting = Counting(THREE, STEP, targets := Targets())
    line = np.arange(len(times), dtype=float)
    counting.add(frame([line[:289], 2 * line[:289]], times[:289], [labels[0], labels[1]]))
    counting.add(frame([3 * line[289:577] - 3 * 289], times[289:577], [labels[2]]))
    counting.add(frame([2 * line[577:], line[577:]], times[577:], [labels[1], labels[0]]))
    targets.reached(int(times[-1]))
    counted = counting.finish()
    assert np.nansum(counted.increase, axis=1).tolist() == [864, 1728, 3 * 287]
    assert np.isnan(counted.increase[2]).tolist() == [True, False, True]


def test_days_refuse_what_is_no_range_of_days():
    for first, last, zone in (
        (date(2026, 1, 2), date(2026, 1, 1), "UTC"),
        (date(2016, 1, 2), date(2026, 1, 1), "UTC"),
        (date(2026, 1, 1), date(2026, 1, 2), "Mars/Olympus"),
    ):
        with pytest.raises(InputError):
            CalendarDays.between(first, last, zone)
