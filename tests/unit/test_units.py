"""Durations and quantities as text."""

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.units import format_duration, format_quantity, parse_duration


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("5m", 300_000),
        ("1h30m", 5_400_000),
        ("7d", 604_800_000),
        ("1y", 31_536_000_000),
        ("2w", 1_209_600_000),
        ("1d2h3m4s5ms", 93_784_005),
        ("0s", 0),
        (" 5m ", 300_000),
        ("90", 90_000),
        ("1.5", 1_500),
        (15, 15_000),
        (0.25, 250),
        (timedelta(minutes=2), 120_000),
    ],
)
def test_durations_read_as_prometheus_reads_them(text, milliseconds):
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize(
    "bad", ["", "m5", "5m1h", "5x", "-5m", "1.5h", "nan", "inf", None, True, -1, [], timedelta(-1)]
)
def test_what_is_no_duration_is_refused_with_an_example(bad):
    with pytest.raises(InputError, match="is not a duration: write 5m"):
        parse_duration(bad)


@given(st.integers(1, 292 * 365 * 86_400_000))
def test_a_duration_survives_writing_and_reading(milliseconds):
    assert parse_duration(format_duration(milliseconds)) == milliseconds


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0, "bytes", "0 B"),
        (1023, "bytes", "1,023 B"),
        (5 * 2**30, "bytes", "5 GiB"),
        (-1536, "bytes", "-1.5 KiB"),
        (0.5, "ratio", "50 %"),
        (99.95, "percent", "99.95 %"),
        (3e-6, "seconds", "3 µs"),
        (0.0125, "seconds", "12.5 ms"),
        (90, "seconds", "90 s"),
        (3600, "seconds", "60 min"),
        (86_400, "seconds", "24 h"),
        (864_000, "seconds", "10 d"),
        (0, "seconds", "0 s"),
        (1234567, "requests", "1.23M requests"),
        (1, "connections", "1 connection"),
        (1, "series", "1 series"),
        (1, "requests/s", "1 requests/s"),
        (Decimal("0.1"), "USD", "0.10 USD"),
        (float("nan"), "bytes", "no value"),
        (float("inf"), "", "∞"),
        (float("-inf"), "", "−∞"),
    ],
)
def test_quantities_are_written_for_people(value, unit, text):
    assert format_quantity(value, unit) == text


@pytest.mark.parametrize("text", ["1000000y", "293y", "9" * 9000 + "d", "1e300"])
def test_a_duration_that_prometheus_cannot_hold_is_refused(text):
    with pytest.raises(InputError, match="longer than any duration of PromQL"):
        parse_duration(text)
    assert parse_duration("292y") == 292 * 365 * 86_400_000
