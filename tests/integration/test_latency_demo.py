"""The latency study of the embedded estate against the laws that its requests follow."""

from __future__ import annotations

import numpy as np
import pytest

import workbench
from workbench.demo.truth import TRUTH
from workbench.session.latency_study import LatencyStudy
from workbench.window import parse_time

METRIC = "my_app_api_request_duration_seconds"


@pytest.fixture(scope="module")
def quiet() -> LatencyStudy:
    """Two days after the second deploy and before the third, in which nothing happens."""
    wb = workbench.connect("demo:")
    return wb.latency(
        METRIC, last="2d", end="2026-06-24T00:00Z", compare="none", objectives="250ms",
        quantiles="0.5 0.9 0.95 0.99",
    )  # fmt: skip


@pytest.fixture(scope="module")
def fortnight() -> LatencyStudy:
    """The default study: the incident and two deploys are in it."""
    return workbench.connect("demo:").latency(METRIC)


def law(path):
    endpoint = next(e for e in TRUTH.endpoints if e.path == path)
    changed = [d.latency for d in TRUTH.deploys if d.path == path and d.latency]
    return changed[-1] if changed else endpoint.latency


def test_intervals_hold_the_true_quantiles_and_estimates_are_near(quiet):
    errors, by_rule = [], []
    assert len(quiet.result.distributions) == len(TRUTH.endpoints)
    for each in quiet.result.distributions:
        for q in each.quantiles:
            true = law(each.labels["path"]).quantile(q.q)
            assert q.bucket_low <= true <= q.bucket_high
            assert q.low <= true <= q.high, (each.name, q)
            errors.append(abs(q.value / true - 1))
            by_rule.append(abs(q.promql / true - 1))
    assert np.mean(errors) < 0.05
    assert np.mean(by_rule) > 2 * np.mean(errors)


def test_shares_and_means_are_those_of_the_law(quiet):
    for each in quiet.result.distributions:
        true = law(each.labels["path"])
        (share,) = each.shares
        assert share.value == pytest.approx(true.cdf(0.25), abs=0.003)
        assert each.mean_seconds == pytest.approx(true.mean_seconds, rel=0.03)


def test_the_incident_is_seen_when_it_happened(fortnight):
    payment = next(d for d in fortnight.result.distributions if d.labels["path"] == "/api/payment")
    series = payment.over_time
    p50 = series.value[:, series.quantiles.index(0.5)]
    slow = series.times_ms[p50 > 1.0]
    incident = TRUTH.incident
    step = fortnight.result.window.step_ms
    assert incident.start_ms <= slow.min() <= incident.start_ms + 2 * step
    assert incident.end_ms - step <= slow.max() <= incident.end_ms + step


def test_only_the_deploy_that_changed_latency_is_called_slower(fortnight):
    """Though the incident, two days before, is in the history that tells what is usual."""
    deploys = fortnight.result.deploys_of(fortnight.result.distributions[0])
    assert [d.title for d in deploys] == ["version 2.4.0", "version 2.5.0"]
    assert deploys[0].at_ms == pytest.approx(
        parse_time("2026-06-18T09:30Z", now_ms=0), abs=fortnight.result.window.step_ms
    )
    verdicts = {(c.title, c.group["path"]): c.verdict.value for c in fortnight.result.comparisons}
    slower = {key for key, verdict in verdicts.items() if verdict == "slower"}
    assert slower == {("version 2.4.0", "/api/checkout")}
    assert not [v for v in verdicts.values() if v == "faster"]


def test_the_ratio_of_the_deploy_is_the_true_one(fortnight):
    (changed,) = [
        c for c in fortnight.result.comparisons
        if c.title == "version 2.4.0" and c.group["path"] == "/api/checkout"
    ]  # fmt: skip
    before = next(e for e in TRUTH.endpoints if e.path == "/api/checkout").latency
    after = law("/api/checkout")
    for change in changed.changes:
        true = after.quantile(change.q) / before.quantile(change.q)
        assert change.low <= true <= change.high
