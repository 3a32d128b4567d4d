"""`wb.slo` from a file and a source to findings: series with a known share, and what is refused."""

import numpy as np
import pytest

import workbench
from workbench.errors import InputError, SettingsError
from workbench.reporting.plan import plan_report
from workbench.session.slo import plan_slo

MINUTE_MS = 60_000
START_MS = 1_767_225_600_000
FILE = """
version = 1
[[objective]]
name = "answers"
service = "shop"
target = 0.99
window = "7d"
[objective.sli]
kind = "availability"
total = 'hits_total{job="shop"}'
bad = 'hits_total{job="shop",code=~"5.."}'
"""


def _source(days=9, reset=True):
    """100 hits a minute, one of them bad; the process restarts on day 5."""
    times = START_MS + np.arange(days * 1440, dtype=np.int64) * MINUTE_MS
    series = []
    for code, rate in (("200", 99.0), ("500", 1.0)):
        counted = np.arange(len(times)) * rate
        if reset:
            counted[5 * 1440 :] -= counted[5 * 1440]
        series.append(({"__name__": "hits_total", "job": "shop", "code": code}, times, counted))
    return workbench.connect(workbench.snapshot(series))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "my slo.toml"
    path.write_text(FILE)
    return path


def test_the_share_comes_out_as_it_was_counted_over_a_restart(file):
    study = _source().slo(objectives=file)
    (standing,) = study.result.standings
    assert standing.budget.sli == pytest.approx(0.99, abs=1e-5)
    assert standing.budget.total == pytest.approx(7 * 1440 * 100, rel=1e-3)
    assert standing.budget.bad == pytest.approx(7 * 1440, rel=1e-3)
    assert study.table.loc[0, "objective"] == "shop: answers"
    assert len(study.provenance) == 3
    assert study.to_dict()["kind"] == "slo"
    study.chart().to_dict()


def test_a_counter_that_starts_anew_at_each_scrape_gives_no_figure(file):
    times = START_MS + np.arange(9 * 1440, dtype=np.int64) * MINUTE_MS
    rng = np.random.default_rng(0)
    series = [
        (
            {"__name__": "hits_total", "job": "shop", "code": c},
            times,
            rng.poisson(m, len(times)) * 1.0,
        )
        for c, m in (("200", 99), ("500", 1))
    ]
    study = workbench.connect(workbench.snapshot(series)).slo(objectives=str(file))
    assert [f.code for f in study.findings] == ["SLO-UNUSABLE"]
    assert "no counters" in study.findings[0].what


def test_an_unknown_metric_is_named_with_the_nearest(file, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text(FILE.replace("hits_total", "hit_total"))
    (found,) = _source().slo(objectives=[other]).findings
    assert found.code == "SLO-NO-DATA"
    assert "did you mean 'hits_total'" in found.what


def test_a_window_outside_the_data_says_where_the_data_are(file):
    (found,) = _source().slo(objectives=file, end="2025-06-01").findings
    assert "the data reach from 2026-01-01" in found.what


def test_without_a_file_the_message_writes_one_for_this_source(tmp_path):
    times = START_MS + np.arange(60, dtype=np.int64) * MINUTE_MS
    labels = {"__name__": "cart_requests_total", "status": "200"}
    wb = workbench.connect(workbench.snapshot([(labels, times, times * 0.0 + 1)]))
    with pytest.raises(InputError, match="no objectives are given") as caught:
        wb.slo()
    advice = caught.value.mend
    assert "cart_requests_total{status=~" in advice
    path = tmp_path / "slo.toml"
    path.write_text(advice[advice.index("[[objective]]") :])
    assert [f.code for f in wb.slo(objectives=path).findings] == ["SLO-NO-EVENTS"]


def test_a_file_that_is_missing_is_refused(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        _source().slo(objectives=tmp_path / "none.toml")


def test_an_openslo_file_is_judged_too(tmp_path):
    path = tmp_path / "open.yaml"
    path.write_text("""
apiVersion: openslo/v1
kind: SLO
metadata: {name: answers}
spec:
  service: shop
  budgetingMethod: Occurrences
  timeWindow: [{duration: 7d, isRolling: true}]
  objectives: [{target: 0.98}]
  indicator:
    metadata: {name: share}
    spec:
      ratioMetric:
        counter: true
        bad: {metricSource: {type: Prometheus, spec: {query: 'sum(hits_total{code="500"})'}}}
        total: {metricSource: {type: Prometheus, spec: {query: 'sum(hits_total)'}}}
""")
    study = _source().slo(objectives=path)
    (standing,) = study.result.standings
    assert standing.budget.left == pytest.approx(0.5, abs=0.01)


def test_the_plan_tells_what_would_be_asked(file):
    wb = _source()
    found, asked, end_ms = plan_slo(wb, objectives=file)
    assert [o.name for o in found.objectives] == ["answers"]
    assert [q.key.split()[0] for q in asked] == ["total", "bad", "resets"]
    assert end_ms == asked[0].window.end_ms


def test_a_dry_run_of_the_report_estimates_each_question():
    rows = plan_report("slo", {"last": "1d"}, source="demo:")
    assert len(rows) == 12
    assert all(r.samples > 0 for r in rows)
