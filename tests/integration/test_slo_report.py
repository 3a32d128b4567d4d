"""The SLO report from end to end, on the embedded estate: its figures against what was planted."""

import numpy as np
import pytest

import workbench
from workbench.demo import TRUTH
from workbench.findings import Severity
from workbench.reporting import Status
from workbench.reporting.record import read_record
from workbench.window import parse_time

MINUTE_MS = 60_000
DAY_MS = 86_400_000
INCIDENT = TRUTH.incident


@pytest.fixture(scope="module")
def study():
    return workbench.connect("demo:").slo()


def _standing(study, name):
    return next(s for s in study.result.standings if s.objective.name == name)


def _counted(wb, selector, start_ms, end_ms):
    """What counters rose by, from their raw samples; a value that falls is a process that began anew."""
    span = f"{(end_ms - start_ms) // MINUTE_MS + 1}m"
    samples = wb.ask(f"{selector}[{span}]", end_ms).data
    total = 0.0
    for i in range(len(samples)):
        rows = slice(samples.offsets[i], samples.offsets[i + 1])
        values = samples.values[rows][samples.times_ms[rows] >= start_ms]
        rise = np.diff(values)
        total += float(np.where(rise < 0, values[1:], rise).sum())
    return total


@pytest.mark.parametrize(
    ("name", "all_of", "bad_of"),
    [
        ("answers", '{__name__="my_app_api_requests_total",job="checkout"}', ',status=~"5..",'),
        (
            "payments",
            '{__name__="my_app_api_requests_total",job="checkout",path="/api/payment"}',
            ',status=~"5..",',
        ),
        ("payments this month", '{__name__="my_app_api_requests_total",path="/api/payment"}', ',status=~"5..",'),
    ],
)  # fmt: skip
def test_events_and_budget_equal_the_raw_counters(study, name, all_of, bad_of):
    wb = workbench.connect("demo:")
    found = _standing(study, name)
    start = found.budget.start_ms
    total = _counted(wb, all_of, start, TRUTH.end_ms)
    bad = _counted(wb, all_of.replace(",", bad_of, 1), start, TRUTH.end_ms)
    assert found.budget.total == pytest.approx(total, rel=2e-3)
    assert found.budget.bad == pytest.approx(bad, rel=5e-3)
    if not found.objective.is_calendar:
        assert found.budget.left == pytest.approx(
            1 - bad / total / found.objective.budget, abs=0.01
        )


@pytest.mark.parametrize("name", ["answers", "payments", "fast checkout", "payments this month"])
def test_the_planted_incident_is_found_with_its_true_times_and_pages(study, name):
    """Its first and last step hold its true ends; a page is on within it, and over soon after it."""
    played = _standing(study, name).replay
    ((incident, delay),) = played.delays
    assert incident.start_ms <= INCIDENT.start_ms < incident.start_ms + 10 * MINUTE_MS
    assert incident.end_ms - 5 * MINUTE_MS <= INCIDENT.end_ms <= incident.end_ms + 5 * MINUTE_MS
    assert delay <= 60 * MINUTE_MS
    pages = [e for e in played.pairs[0].episodes if e.pair.severity == "page"]
    (page,) = pages
    assert INCIDENT.start_ms < page.start_ms < INCIDENT.end_ms
    assert INCIDENT.end_ms - 10 * MINUTE_MS <= page.end_ms <= INCIDENT.end_ms + 15 * MINUTE_MS


def test_the_incident_alone_took_the_budget_that_was_planted(study):
    """65 % of the payments of 90 minutes failed, less the usual ones: within 3 %."""
    wb = workbench.connect("demo:")
    selector = '{__name__="my_app_api_requests_total",job="checkout",path="/api/payment"}'
    requests = _counted(wb, selector, INCIDENT.start_ms - MINUTE_MS, INCIDENT.end_ms - MINUTE_MS)
    planted = (INCIDENT.error_share["/api/payment"] - 0.004) * requests
    ((incident, _),) = _standing(study, "payments").replay.delays
    assert incident.bad == pytest.approx(planted, rel=0.03)


def test_the_slow_release_runs_the_latency_budget_out(study):
    """2.4.0 made 1.7 % of the orders slow, 1.5 % may be: the date lies a few days ahead."""
    found = next(f for f in study.findings if f.code == "SLO-RUN-OUT")
    assert found.about == "checkout: fast checkout"
    assert found.severity is Severity.ERROR
    low, high = (parse_time(found.evidence[f"date_{e}_80"], now_ms=0) for e in ("low", "high"))
    assert TRUTH.end_ms < low < high < TRUTH.end_ms + 14 * DAY_MS


def test_a_rolling_budget_comes_back_when_the_incident_leaves_the_window(study):
    ahead = _standing(study, "payments").run_out
    assert ahead.spent
    assert abs(ahead.time_ms(ahead.hours) - (INCIDENT.end_ms + 30 * DAY_MS)) <= DAY_MS


def test_a_calendar_budget_comes_back_with_the_next_month_of_berlin(study):
    ahead = _standing(study, "payments this month").run_out
    assert ahead.time_ms(ahead.hours) == parse_time("2026-06-30T22:00:00Z", now_ms=0)


@pytest.mark.lab
def test_the_report_is_rendered_with_its_chart_and_findings(documents):
    """The one that the guide tells to run."""
    done, folder = documents.holding("docs/slo.md", "workbench report slo --source demo:\n")
    file = folder / done.stdout.split()[-1]
    record = read_record(file.with_suffix(".json"))
    assert (record.error, record.status) == (None, Status.COMPLETE)
    assert {"SLO-BUDGET-SPENT", "SLO-RUN-OUT", "SLO-BURNING"} <= {f.code for f in record.findings}
    page = file.read_text(encoding="utf-8")
    assert "checkout: fast checkout" in page
    assert "1h/5m &gt; 14.4" in page or "1h/5m > 14.4" in page
