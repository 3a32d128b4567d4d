"""Connecting and asking, over data in memory and on disk."""

import logging

import numpy as np
import pandas as pd
import pytest

import workbench
from workbench.errors import InputError, QueryError, SettingsError, SnapshotError
from workbench.promql import Question
from workbench.session.plan import estimate
from workbench.session.study import STUDY_MIME
from workbench.store import write_snapshot

MINUTES = np.arange(0, 7_200_001, 60_000, dtype=np.int64)
SERIES = [
    (
        {"__name__": "http_requests_total", "job": "api", "code": "200"},
        MINUTES,
        60.0 * np.arange(len(MINUTES)),
    ),
    ({"__name__": "http_requests_total", "job": "web"}, MINUTES, 120.0 * np.arange(len(MINUTES))),
    ({"__name__": "queue_size", "job": "api"}, MINUTES[:61], np.arange(61.0)),
]


@pytest.fixture
def wb():
    return workbench.connect(workbench.snapshot(SERIES))


def test_an_instant_query_gives_one_row_a_series(wb):
    table = wb.query("rate(http_requests_total[10m])")
    assert list(table.columns) == ["code", "job", "value"]
    assert dict(zip(table["job"], table["value"], strict=True)) == {"api": 1.0, "web": 2.0}


def test_an_instant_at_another_time(wb):
    assert wb.query("queue_size", at="1970-01-01T00:30:00Z")["value"].tolist() == [30]
    assert wb.query("queue_size", at="now-90m")["value"].tolist() == [30]
    assert wb.query("queue_size", at=1800)["value"].tolist() == [30]
    assert wb.query("queue_size").empty


def test_a_range_selector_gives_one_row_a_sample(wb):
    table = wb.query("queue_size[3m]", at=600)
    assert table["value"].tolist() == [8, 9, 10]
    assert list(table.columns) == ["time", "__name__", "job", "value"]


def test_a_range_query_gives_a_wide_frame(wb):
    wide = wb.query_range("sum by (job) (rate(http_requests_total[5m]))", last="1h", step="1m")
    assert wide.shape == (61, 2)
    assert wide.columns.name == "job"
    assert wide.index[-1] == pd.Timestamp("1970-01-01T02:00Z")
    assert wide["web"].tolist() == pytest.approx([2.0] * 61)
    long = wb.query_range("queue_size", start=0, end=600, step="5m", form="long")
    assert long["value"].tolist() == [0, 5, 10]


def test_numbers_of_numpy_are_durations_too(wb):
    assert len(wb.query_range("queue_size", end=3600, last=np.int64(600), step=np.int64(60))) == 11


def test_raw_is_what_the_http_api_gives(wb):
    assert wb.query("vector(1)", at=5, raw=True) == {
        "resultType": "vector",
        "result": [{"metric": {}, "value": [5.0, "1"]}],
    }
    assert wb.query("1 + 1", at=5, raw=True) == {"resultType": "scalar", "result": [5.0, "2"]}
    raw = wb.query_range("queue_size", start=0, end=60, step=60, raw=True)
    assert raw["resultType"] == "matrix"
    assert raw["result"][0]["values"] == [[0.0, "0"], [60.0, "1"]]


def test_looking_around(wb):
    assert wb.labels() == ["__name__", "code", "job"]
    assert wb.label_values("job") == ["api", "web"]
    assert wb.label_values("job", "queue_size") == ["api"]
    assert wb.metrics()["name"].tolist() == ["http_requests_total", "queue_size"]
    found = wb.series('{job="api"}')
    assert sorted(found["__name__"]) == ["http_requests_total", "queue_size"]
    assert list(found.columns) == ["__name__", "code", "job"]


def test_nothing_is_asked_twice(wb):
    first = wb.ask("queue_size", 600_000)
    assert wb.ask("queue_size", 600_000) is first
    assert wb.ask("queue_size", 660_000) is not first


def test_a_plan_is_asked_whole_and_by_its_keys(wb):
    window = wb.window(end=3600, last="10m", step="1m")
    got = wb.ask_all(
        [Question("a", "queue_size", window), Question("b", "http_requests_total", window)]
    )
    assert [len(got[k].data) for k in "ab"] == [1, 2]


def test_an_estimate_counts_what_would_be_read(wb):
    """Two hours of one sample a minute: the estimate may not be further off than its probe's grain."""
    (got,) = estimate(
        wb, [Question("q", "sum(rate(http_requests_total[5m]))", wb.window(last="1h", step="1m"))]
    )
    assert (got.series, got.steps) == (2, 61)
    assert got.samples == pytest.approx(2 * 65, rel=0.05)


def test_an_unknown_metric_is_said_with_near_names(wb, caplog):
    with caplog.at_level(logging.WARNING, "workbench"):
        assert wb.query("http_request_total").empty
    assert "did you mean 'http_requests_total'" in caplog.text


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (lambda wb: wb.query("sum(rate(x[5m])"), QueryError),
        (lambda wb: wb.query_range("up", last="1h", step=0), InputError),
        (lambda wb: wb.query_range("up", start="now", end="now-1h"), InputError),
        (lambda wb: wb.capacity(horizon_days=0), InputError),
        (lambda _: workbench.connect("snapshot:/nowhere"), SnapshotError),
        (lambda _: workbench.connect("nowhere"), SettingsError),
        (lambda _: workbench.connect("http://x", bearer_tokn_file="y"), SettingsError),
        (lambda wb: workbench.connect(wb.source, retries=1), SettingsError),
        (lambda _: workbench.connect(5), SettingsError),
        (lambda _: workbench.snapshot(5), InputError),
        (lambda _: workbench.snapshot("abc"), InputError),
        (lambda wb: wb.query_range("up", form="bogus"), InputError),
    ],
)
def test_wrong_questions_raise_from_the_tree(wb, call, error):
    with pytest.raises(error) as caught:
        call(wb)
    assert isinstance(caught.value, workbench.WorkbenchError)
    assert caught.value.mend


def test_a_frame_goes_in_and_comes_out(wb):
    wide = wb.query_range("queue_size", start=0, end=3600, step="1m")
    again = workbench.connect(workbench.snapshot(wide))
    pd.testing.assert_frame_equal(
        again.query_range("queue_size", start=0, end=3600, step="1m"), wide, check_freq=False
    )


def test_a_snapshot_on_disk_answers_like_one_in_memory(wb, tmp_path):
    write_snapshot(tmp_path / "kept", SERIES)
    with workbench.connect(f"snapshot:{tmp_path / 'kept'}") as kept:
        expression = "sum by (job) (rate(http_requests_total[5m]))"
        assert kept.query_range(expression, last="1h", step="1m", raw=True) == wb.query_range(
            expression, last="1h", step="1m", raw=True
        )


def test_a_study_shows_itself_and_leaves_its_figures_in_the_notebook(wb):
    study = wb.capacity(last="2h", step="5m")
    bundle = study._repr_mimebundle_()
    assert bundle[STUDY_MIME]["kind"] == "capacity"
    assert set(bundle) == {"text/plain", "text/html", STUDY_MIME}
    assert "<Study capacity" in bundle["text/plain"]


def test_the_embedded_estate_has_no_name():
    with pytest.raises(SettingsError, match="'demo:x' is no source"):
        workbench.connect("demo:x")
