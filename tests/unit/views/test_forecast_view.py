"""Forecasts drawn: what stands in the picture, and that hostile labels stay text."""

import json

import numpy as np
import pytest

from workbench.capacity.hourly.analysis import analyse_hourly
from workbench.frame import Frame
from workbench.views.export import chart_file
from workbench.views.forecast import forecast_chart, forecast_table

HOUR_MS = 3_600_000
STEPS = 12 * 24
HOSTILE = "</script><script>alert(1)</script>\n\0'\"{{datum}}"


def _result(count, *, short=False):
    """As many series, the first hostile by name, the last without any sample."""
    times = 1_767_571_200_000 + np.arange(STEPS, dtype=np.int64) * HOUR_MS
    rng = np.random.default_rng(2)
    wave = 5e9 + 1e9 * np.sin(np.arange(STEPS) * 2 * np.pi / 24)
    values = wave + rng.normal(0, 1e8, (count, STEPS))
    values[-1] = np.nan
    if short:
        values[:, :-30] = np.nan
    labels = [{"path": HOSTILE}, *({"path": f"/{i}"} for i in range(1, count))]
    frame = Frame("matrix", labels, times, values, ~np.isnan(values), "used")
    return analyse_hourly(
        frame, expression="used", horizon_ms=24 * HOUR_MS, step_ms=HOUR_MS, unit="bytes"
    )


@pytest.fixture(scope="module")
def many():
    return _result(15)


@pytest.fixture(scope="module")
def drawn(many):
    return forecast_chart(many)


def test_the_picture_holds_a_panel_a_series_up_to_twelve_and_counts_the_others(drawn):
    spec = drawn.to_dict(validate=False)
    assert len(spec["vconcat"][0]["concat"]) == 12
    notes = " ".join(spec["title"]["subtitle"])
    assert "the first 12 of 14 series" in notes
    assert "1 series without a forecast" in notes


def test_bands_hold_each_other_and_the_line(drawn):
    """95 % around 80 % around 50 % around the middle, in the axis' own unit."""
    fans = [rows for name, rows in drawn.datasets.items() if name.startswith("fan")]
    assert len(fans) == 12
    for row in fans[0]:
        ends = [row[f"q{i}"] for i in range(7)]
        assert ends == sorted(ends)
        assert 3 < row["q3"] < 7  # of about 5 × 10⁹ bytes, in GiB
    past = next(rows for name, rows in drawn.datasets.items() if name.startswith("past"))
    assert len(past) == 7 * 24 + 1


def test_a_single_series_is_drawn_wide():
    result = _result(2)
    panel = forecast_chart(result).to_dict()["vconcat"][0]["concat"][0]
    assert panel["width"] == 680


def test_without_any_forecast_the_picture_says_so():
    chart = forecast_chart(_result(3, short=True))
    assert "No series could be forecast" in json.dumps(chart.datasets)


def test_hostile_labels_become_text_in_table_and_files(many):
    table = forecast_table(many)
    assert len(table) == 15
    assert "\n" not in table.loc[0, "series"]
    assert table.loc[14, "method"] == "none"
    assert "no sample in the whole window" in table.loc[14, "remarks"]
    page = chart_file(forecast_chart(_result(2)), ".html")
    assert b"<script>alert(1)" not in page
