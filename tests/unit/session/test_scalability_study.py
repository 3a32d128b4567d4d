"""`wb.scalability` from PromQL to a study: peaks that are known, and none that is made up."""

import json

import numpy as np
import pytest

import workbench
from workbench.errors import InputError
from workbench.statistics.scalability import usl

START_MS = 1_767_571_200_000
LAWS = {"past": (0.03, 0.001, 60), "open": (0.05, 0.0, 50), "calm": (0.02, 0.0008, 2)}


@pytest.fixture(scope="module")
def wb():
    """Throughput by known laws at a concurrency that wanders; latency by Little's law."""
    rng = np.random.default_rng(2)
    times = START_MS + np.arange(400, dtype=np.int64) * 300_000
    series = []
    for job, (contention, coherency, top) in LAWS.items():
        n = 1 + (top - 1) * (0.5 + 0.5 * np.sin(np.arange(400) / 23))
        x = usl(n, 100, contention, coherency) * rng.normal(1, 0.02, 400)
        series += [
            ({"__name__": name, "job": job}, times, values)
            for name, values in (("tps", x), ("busy", n), ("took", n / x))
        ]
    series.append(({"__name__": "tps", "job": '"><script>'}, times, np.ones(400)))
    return workbench.connect(workbench.snapshot(series))


def _rows(study):
    return {row["series"]: row for row in study.table.to_dict("records")}


@pytest.mark.parametrize("how", [{"concurrency": "busy"}, {"latency": "took"}])
def test_a_peak_is_found_whether_concurrency_is_measured_or_follows_from_latency(wb, how):
    """N* = √(0.97/0.001) = 31.1, of which the busy hours have nearly twice as many."""
    study = wb.scalability(throughput="tps", by="job", last="1d", **how)
    rows = _rows(study)
    past = rows['{job="past"}']
    assert past["verdict"] == "past its peak"
    assert float(past["peak at N*"]) == pytest.approx(31.1, rel=0.06)
    assert past["twice as many give"].startswith("-")
    assert rows['{job="open"}']["verdict"] == "no peak seen"
    assert rows['{job="open"}']["peak at N*"] == "–"
    assert "Concurrency was only" in rows['{job="calm"}']["remarks"]
    codes = [f.code for f in study.findings]
    assert codes[0] == "CAP-PAST-PEAK"
    assert {"CAP-NO-PEAK-SEEN", "CAP-NOT-SCALED"} <= set(codes)
    assert json.loads(json.dumps(study.to_dict(), allow_nan=False))["kind"] == "scalability"


def test_the_picture_holds_points_law_and_peak_and_nothing_hostile(wb):
    chart = wb.scalability(throughput="tps", concurrency="busy", last="1d").chart()
    spec = chart.to_dict(validate=True)
    assert {"seen_0", "law_0", "peak_0"} <= set(spec["datasets"])
    assert "2 series more in the table" in spec["title"]["subtitle"]
    assert "<script>" not in json.dumps(spec)


def test_nothing_is_a_finding(wb):
    study = wb.scalability(throughput="no_such_thing", concurrency="busy", last="1d")
    assert [f.code for f in study.findings] == ["CAP-METRICS-MISSING"]
    assert "No law could be fitted" in json.dumps(study.chart().to_dict())


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"throughput": "tps"}, "neither concurrency nor latency"),
        ({"throughput": "tps", "concurrency": "a", "latency": "b"}, "both"),
        ({"throughput": "", "concurrency": "a"}, "throughput is empty"),
    ],
)
def test_what_is_asked_wrongly_is_refused(wb, asked, says):
    with pytest.raises(InputError, match=says):
        wb.scalability(**asked)
