"""Frames and the pandas forms in which people hold them."""

import numpy as np
import pandas as pd
import pytest

from workbench.errors import InputError
from workbench.frame import Frame, NativeHistogram, samples_from_frame, samples_to_long
from workbench.samples import Samples

TIMES = np.array([0, 60_000, 120_000], np.int64)


def frame(labels, values, present=None, kind="matrix"):
    values = np.array(values, np.float64).reshape(len(labels), -1)
    present = ~np.isnan(values) if present is None else np.array(present, bool)
    return Frame(kind, labels, TIMES[: values.shape[1]], values, present, "the expression")


TWO = frame(
    [{"__name__": "up", "job": "a"}, {"__name__": "up", "instance": "i"}],
    [[1, np.nan, 3], [4, 5, np.nan]],
    [[True, True, True], [True, True, False]],
)
"""`up{job="a"}` holds a NaN at one minute; `up{instance="i"}` is absent at two."""


def test_wide_has_a_multiindex_of_sorted_label_names():
    wide = TWO.to_wide()
    assert wide.index.name == "time"
    assert str(wide.index.tz) == "UTC"
    assert wide.columns.names == ["__name__", "instance", "job"]
    assert list(wide.columns) == [("up", "", "a"), ("up", "i", "")]
    assert wide.iloc[0].tolist() == [1, 4]


def test_wide_has_a_plain_index_for_one_label_or_none():
    one = frame([{"job": "a"}, {"job": "b"}], [[1, 2, 3], [4, 5, 6]]).to_wide()
    assert one.columns.name == "job"
    assert list(one.columns) == ["a", "b"]
    none = frame([{}], [[1, 2, 3]]).to_wide()
    assert none.columns.name == "series"
    assert list(none.columns) == ["the expression"]
    assert none.columns.nlevels == 1


def test_an_empty_result_is_an_empty_frame():
    wide = Frame.empty("matrix", TIMES, "nothing").to_wide()
    assert wide.empty
    assert wide.index.name == "time"
    assert wide.columns.name == "series"
    assert list(Frame.empty("matrix", TIMES).to_long().columns) == ["time", "value"]
    assert list(Frame.empty("vector", TIMES[:1]).to_table().columns) == ["value"]


def test_long_keeps_a_nan_sample_and_leaves_out_what_is_absent():
    long = TWO.to_long()
    assert len(long) == 5
    assert list(long.columns) == ["time", "__name__", "instance", "job", "value"]
    assert all(
        isinstance(long[c].dtype, pd.CategoricalDtype) for c in ("__name__", "instance", "job")
    )
    assert long["value"].isna().sum() == 1


def test_labels_called_time_and_value_get_an_underscore_and_lose_it_again():
    one = frame([{"time": "t", "value": "v", "time_": "u"}], [[1, 2, 3]])
    long = one.to_long()
    assert sorted(long.columns) == ["time", "time_", "time__", "value", "value_"]
    assert dict(samples_from_frame(long).labels[0]) == dict(one.labels[0])


def test_the_api_form_tells_nan_from_absent():
    rows = TWO.to_api()["result"]
    assert rows[0]["values"] == [[0.0, "1"], [60.0, "NaN"], [120.0, "3"]]
    assert rows[1]["values"] == [[0.0, "4"], [60.0, "5"]]


def test_the_api_forms_of_scalar_string_vector_and_histogram():
    scalar = Frame("scalar", [{}], TIMES[:1], np.ones((1, 1)), np.ones((1, 1), bool))
    assert scalar.to_api() == {"resultType": "scalar", "result": [0.0, "1"]}
    string = Frame("string", [{}], TIMES[:1], np.ones((1, 1)), np.ones((1, 1), bool), text="hi")
    assert string.to_api() == {"resultType": "string", "result": [0.0, "hi"]}
    assert string.to_table()["value"].tolist() == ["hi"]
    vector = frame([{"a": "b"}], [[7]], kind="vector")
    assert vector.to_api()["result"] == [{"metric": {"a": "b"}, "value": [0.0, "7"]}]
    native = NativeHistogram(2, 3.5, ((0, 1.0, 2.0, 2.0),))
    mixed = Frame(
        "matrix",
        [{}],
        TIMES[:2],
        np.array([[1, np.nan]]),
        np.ones((1, 2), bool),
        histograms={(0, 1): native},
    )
    row = mixed.to_api()["result"][0]
    assert row["values"] == [[0.0, "1"]]
    assert row["histograms"] == [
        [60.0, {"count": "2", "sum": "3.5", "buckets": [[0, "1", "2", "2"]]}]
    ]


@pytest.mark.parametrize("form", ["to_wide", "to_long"])
def test_both_forms_come_back_as_the_same_samples(form):
    back = samples_from_frame(getattr(TWO, form)())
    assert {tuple(sorted(n.items())): v.tolist() for n, _, v in back} == {
        (("__name__", "up"), ("job", "a")): [1, 3],
        (("__name__", "up"), ("instance", "i")): [4, 5],
    }


def test_an_ordinary_frame_of_named_columns_holds_metrics():
    plain = pd.DataFrame(
        {"cpu": [1.0, 2.0], "mem": [3.0, np.nan]},
        index=pd.to_datetime(["2026-01-01", "2026-01-02"]),
    )
    back = {n["__name__"]: v.tolist() for n, _, v in samples_from_frame(plain)}
    assert back == {"cpu": [1, 2], "mem": [3]}
    moved = plain.reset_index(names="time")
    assert {n["__name__"]: v.tolist() for n, _, v in samples_from_frame(moved)} == back


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (pd.DataFrame({"a": [1.0]}), "index is int64"),
        (pd.DataFrame({"a": ["x"]}, index=pd.to_datetime(["2026-01-01"])), "not numbers"),
        (pd.DataFrame({"time": pd.to_datetime(["2026-01-01"]), "value": ["x"]}), "not numbers"),
    ],
)
def test_a_frame_of_neither_shape_is_refused(bad, message):
    with pytest.raises(InputError, match=message):
        samples_from_frame(bad)


def test_raw_samples_have_a_long_form():
    samples = Samples.from_series([({"__name__": "a"}, np.array([1, 2]), np.array([1.0, 2.0]))])
    assert samples_to_long(samples)["value"].tolist() == [1, 2]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"time": [1767225600, 1767225660]}, "holds numbers .int64., whose unit is not known"),
        ({"time": ["x", "y"]}, "holds what is no time"),
        ({"time": [pd.Timestamp("2026-01-01"), pd.NaT]}, "1 of 2 times are missing"),
        ({"value": pd.to_datetime(["2026-01-01"] * 2)}, "not numbers .datetime64"),
        ({"value": pd.to_timedelta(["1s", "2s"])}, "not numbers .timedelta64"),
        ({"value": [1j, 2]}, "not numbers .complex128"),
    ],
)
def test_a_frame_that_would_be_misread_is_refused(change, why):
    """Numbers as times would be nanoseconds, times as values a count of them, NaT the year -290308."""
    good = {"time": pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True), "value": [1.0, 2.0]}
    with pytest.raises(InputError, match=why):
        samples_from_frame(pd.DataFrame({**good, **change}))


def test_a_label_column_that_stands_twice_is_refused():
    frame = pd.DataFrame([["2026-01-01", "a", "b", 1.0]], columns=["time", "job", "job", "value"])
    with pytest.raises(InputError, match="column 'job' stands twice"):
        samples_from_frame(frame)


@pytest.mark.parametrize("names", [[None, "job"], ["job", None], [None, None]])
def test_column_levels_without_a_name_are_refused(names):
    """They would become labels called "None"."""
    columns = pd.MultiIndex.from_tuples([("a", "x"), ("b", "y")], names=names)
    frame = pd.DataFrame(np.ones((2, 2)), pd.to_datetime([0, 1], unit="s", utc=True), columns)
    with pytest.raises(InputError, match=rf"level {names.index(None)} .* has no name.*names = "):
        samples_from_frame(frame)
    frame.columns.names = ["job", "path"]
    assert samples_from_frame(frame).labels[0] == {"job": "a", "path": "x"}
