"""Raw samples, and numbers and labels as Prometheus writes them."""

import math
import struct

import numpy as np
import promql_parser
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError
from workbench.samples import STALE_NAN, Samples, format_labels, format_value, is_stale


def series(name, times, values, **labels):
    return {"__name__": name, **labels}, np.array(times, np.int64), np.array(values, np.float64)


def test_series_stand_in_flat_columns():
    samples = Samples.from_series([series("a", [1, 2], [10, 20]), series("b", [5], [50])])
    assert (len(samples), samples.rows) == (2, 3)
    assert samples.offsets.tolist() == [0, 2, 3]
    assert [(dict(n), t.tolist(), v.tolist()) for n, t, v in samples] == [
        ({"__name__": "a"}, [1, 2], [10, 20]),
        ({"__name__": "b"}, [5], [50]),
    ]


def test_unsorted_times_are_sorted_and_an_empty_label_is_absent():
    samples = Samples.from_series([series("a", [2, 1], [20, 10], job="")])
    assert samples.times_ms.tolist() == [1, 2]
    assert samples.values.tolist() == [10, 20]
    assert samples.labels[0] == {"__name__": "a"}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([series("a", [1], [1]), series("a", [2], [2])], "series a stands twice"),
        ([series("a", [1, 1], [1, 2])], "two samples at 1 ms"),
        ([({}, np.array([1]), np.array([1.0, 2.0]))], r"times have shape \(1,\), values \(2,\)"),
        ([({}, np.array([1.0]), np.array([1.0]))], "times are float64: give int64"),
    ],
)
def test_what_is_no_series_is_refused(bad, message):
    with pytest.raises(InputError, match=message):
        Samples.from_series(bad)


def test_the_stale_marker_keeps_its_bits():
    assert struct.pack(">d", STALE_NAN).hex() == "7ff0000000000002"
    samples = Samples.from_series([series("a", [1, 2, 3], [math.nan, STALE_NAN, 1])])
    assert is_stale(samples.values).tolist() == [False, True, False]


@given(st.floats())
def test_a_value_survives_writing_and_reading(value):
    back = float(format_value(value))
    assert back == value or (math.isnan(back) and math.isnan(value))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"), (-0.0, "-0"), (1e20, "100000000000000000000"), (1e21, "1e+21"), (1e-6, "0.000001"),
        (1.5e-7, "1.5e-07"), (1e300, "1e+300"), (123456789.125, "123456789.125"), (1 / 3, "0.3333333333333333"),
    ],
)  # fmt: skip
def test_values_are_written_as_prometheus_writes_them(value, text):
    """The forms that Go's strconv gives, of which Prometheus' JSON is made."""
    assert format_value(value) == text


@given(st.text(min_size=1))
def test_label_values_are_escaped_so_that_they_read_back(value):
    """Read back by an independent parser of PromQL."""
    text = format_labels({"l": value})
    assert "\n" not in text
    (matcher,) = promql_parser.parse("x" + text).matchers.matchers
    assert matcher.value == value
