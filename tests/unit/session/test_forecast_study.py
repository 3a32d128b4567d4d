"""`wb.forecast` from PromQL to a study: what comes, what is found, what is refused."""

import json
import logging

import numpy as np
import pytest

import workbench
from workbench.capacity.hourly.analysis import analyse_hourly
from workbench.errors import InputError
from workbench.frame import Frame

HOUR_MS = 3_600_000
START_MS = 1_767_571_200_000
STEPS = 30 * 24
HOSTILE = '</script>\n"\\{}\0'


def _waves(noise=0.5, steps=STEPS):
    hours = np.arange(steps)
    rng = np.random.default_rng(6)
    return 50 + 20 * np.sin(hours * 2 * np.pi / 24) + rng.normal(0, noise, steps)


@pytest.fixture(scope="module")
def wb():
    times = START_MS + np.arange(STEPS, dtype=np.int64) * HOUR_MS
    rng = np.random.default_rng(1)
    shapes = np.repeat(rng.normal(50, 5, (10, 24)), 3, axis=0).reshape(-1)
    counter = np.cumsum(rng.uniform(1, 2, STEPS))
    counter[400:] -= counter[400] - 1
    values = {
        "load": _waves(),
        "erratic": shapes + rng.normal(0, 0.01, STEPS),
        "hits": counter,
        "fixed": np.full(STEPS, 3.0),
    }
    series = [({"__name__": name}, times, v) for name, v in values.items()]
    series.append(({"__name__": "new"}, times[-60:], _waves()[-60:]))
    gone = np.arange(STEPS) % 5 > 0
    series.append(({"__name__": "gaps", "path": HOSTILE}, times[gone], _waves()[gone]))
    return workbench.connect(workbench.snapshot(series))


def test_the_study_holds_the_next_two_days_with_intervals_and_backtest(wb):
    """The wave goes on; the table says how good the past forecasts were, the numbers are there."""
    study = wb.forecast("load", unit="requests")
    [row] = study.table.to_dict("records")
    assert row["series"] == "load"
    assert row["method"] == "ensemble"
    assert float(row["error / naive"]) < 0.9
    assert row["80 % held"].endswith("%")
    numbers = study.result.to_table()
    assert list(numbers)[:2] == ["time", "series"]
    assert len(numbers) == 48
    last = START_MS + (STEPS - 1) * HOUR_MS
    assert numbers["time"].iloc[0].value // 10**6 == last + HOUR_MS
    hours = STEPS + np.arange(48)
    truth = 50 + 20 * np.sin(hours * 2 * np.pi / 24)
    assert np.abs(numbers["q50"] - truth).max() < 2
    assert (numbers["q2.5"] < truth).mean() > 0.95
    assert (numbers["q97.5"] > truth).mean() > 0.95
    assert study.findings == ()
    assert study.provenance[0].expression == "load"
    assert json.loads(json.dumps(study.to_dict(), allow_nan=False))["kind"] == "forecast"


@pytest.mark.parametrize(
    ("expression", "code", "says"),
    [
        ("erratic", "CAP-FORECAST-NO-BETTER", "as it was yesterday"),
        ("new", "CAP-TOO-LITTLE-DATA", "2 whole days are known"),
        ("hits", "CAP-NOT-A-GAUGE", "is no gauge"),
        ("gaps", "CAP-GAPS", "lacks 143 of 841 steps"),
        ("nothing_of_that_name", "CAP-METRICS-MISSING", "gives no series"),
    ],
)
def test_what_limits_a_forecast_is_a_finding(wb, expression, code, says):
    found = {f.code: f for f in wb.forecast(expression, horizon="1d").findings}
    assert says in found[code].what
    assert found[code].next_step
    assert found[code].where == expression


def test_what_never_moves_is_forecast_to_stay(wb):
    study = wb.forecast("fixed")
    assert study.table.loc[0, ["highest hour", "method"]].tolist() == ["3", "constant"]
    assert study.findings == ()


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"step": "7h"}, "does not divide a day"),
        ({"horizon": "10m"}, "horizon of 10m"),
        ({"horizon": "90d"}, "horizon of 90d"),
        ({"timezone": "Nowhere"}, "is not a time zone"),
        ({"holidays": "soon"}, "is not a date"),
    ],
)
def test_what_is_asked_wrongly_is_refused(wb, asked, says):
    with pytest.raises(InputError, match=says):
        wb.forecast("load", **asked)


def test_more_series_than_anyone_reads_are_refused():
    count = 501
    times = np.arange(2, dtype=np.int64) * HOUR_MS
    labels = [{"i": str(i)} for i in range(count)]
    ones = np.ones((count, 2))
    frame = Frame("matrix", labels, times, ones, ones > 0, "x")
    with pytest.raises(InputError, match="501 series, more than 500"):
        analyse_hourly(frame, expression="x", horizon_ms=48 * HOUR_MS, step_ms=HOUR_MS)


def test_a_wrong_expression_is_an_error_of_the_source(wb):
    with pytest.raises(workbench.WorkbenchError):
        wb.forecast("load[")


def test_series_keep_the_order_of_the_answer_and_their_own_forecasts(wb, caplog):
    """One call for all of them gives each what it would have had alone."""
    with caplog.at_level(logging.WARNING):
        together = wb.forecast('{__name__=~"load|fixed|gaps"}', horizon="1d").result
    for each in together.series:
        [alone] = wb.forecast(each.labels["__name__"], horizon="1d").result.series
        np.testing.assert_allclose(each.forecast.values, alone.forecast.values, rtol=1e-9)
