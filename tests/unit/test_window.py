"""Time ranges and their grids."""

from datetime import UTC, date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.window import Window, format_time, parse_time

NOW = 1_800_000_000_000


@pytest.mark.parametrize(
    "moment",
    [
        "2027-01-15T08:00:00Z",
        "2027-01-15T08:00:00",
        "2027-01-15T09:00:00+01:00",
        "1800000000",
        1_800_000_000,
        1_800_000_000.0,
        datetime(2027, 1, 15, 8, tzinfo=UTC),
        datetime(2027, 1, 15, 8),  # noqa: DTZ001 - naive is UTC
        datetime(2027, 1, 15, 10, tzinfo=timezone(timedelta(hours=2))),
        pd.Timestamp("2027-01-15T08:00", tz="UTC"),
        "now",
    ],
)
def test_one_moment_in_many_words(moment):
    assert parse_time(moment, now_ms=NOW) == NOW


def test_relative_moments_and_dates():
    assert parse_time("now-1h", now_ms=NOW) == NOW - 3_600_000
    assert parse_time("now - 1h", now_ms=NOW) == NOW - 3_600_000
    assert parse_time(date(1970, 1, 2), now_ms=NOW) == 86_400_000
    assert parse_time("1970-01-02", now_ms=NOW) == 86_400_000


@pytest.mark.parametrize(
    "bad", ["", "yesterday", "2027-13-01", "now+1h", "now-xyz", None, [], True, "nan", float("inf")]
)
def test_what_is_no_moment_is_refused(bad):
    with pytest.raises(InputError):
        parse_time(bad, now_ms=NOW)


@given(st.integers(0, 4_000_000_000_000))
def test_a_moment_survives_writing_and_reading(ms):
    assert parse_time(format_time(ms), now_ms=0) == ms


def test_a_window_includes_both_ends():
    window = Window(0, 3_600_000, 60_000)
    assert len(window) == len(window.steps) == 61
    assert window.steps[-1] == 3_600_000


def test_last_ends_at_the_sources_now_and_is_aligned():
    window = Window.resolve(now_ms=NOW + 12_345, last="1h", step="1m")
    assert (window.start_ms, window.end_ms) == (NOW - 3_600_000, NOW)
    loose = Window.resolve(now_ms=NOW + 12_345, last="1h", step="1m", align=False)
    assert (loose.start_ms, loose.end_ms) == (NOW + 12_345 - 3_600_000, NOW + 12_345)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"last": "1h", "step": 0}, "step is 0 ms: give a step above 0"),
        ({"start": "now", "end": "now-1h"}, "is before the start"),
        ({"start": "now-1h", "last": "1h"}, "both start .* and last"),
    ],
)
def test_impossible_windows_are_refused_with_what_to_do(words, message):
    with pytest.raises(InputError, match=message):
        Window.resolve(now_ms=NOW, **words)


@pytest.mark.parametrize("last", ["5m", "1h", "6h", "7d", "35d", "1y"])
def test_a_step_not_given_keeps_the_grid_drawable(last):
    window = Window.resolve(now_ms=NOW, last=last)
    assert len(window) <= 722
    assert len(window) > 100 or window.step_ms == 1000 or last == "1y"


@given(st.integers(0, 10**6), st.integers(0, 5000), st.integers(1, 7), st.integers(1, 999))
def test_pieces_join_without_gap_or_overlap(start, points, step, piece):
    window = Window(start, start + points * step, step)
    joined = np.concatenate([w.steps for w in window.split(piece)])
    assert np.array_equal(joined, window.steps)
    assert all(len(w) <= piece for w in window.split(piece))


@pytest.mark.parametrize("value", [1782691200000, "1e20", "9999-12-31T23:59:59-14:00", -1e12])
def test_a_moment_that_no_calendar_writes_is_refused(value):
    """Milliseconds in place of seconds are the usual cause, and the message says so."""
    with pytest.raises(InputError, match="outside the years 1 to 9999: give Unix times in seconds"):
        parse_time(value, now_ms=0)


def test_a_range_that_begins_before_the_year_1_is_refused():
    with pytest.raises(InputError, match="before the year 1: give a shorter range"):
        Window.resolve(now_ms=0, end="0100-01-01", last="290y")
