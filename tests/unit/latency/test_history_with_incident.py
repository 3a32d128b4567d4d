"""An incident in the history neither hides a change nor makes one."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.latency.change_findings import of_comparisons
from workbench.latency.comparing import Span, Verdict, compare, subject_around
from workbench.statistics.buckets import BucketCounts

EDGES = np.array([0.0, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, np.inf])
MINUTE = 60_000
STEP = 15 * MINUTE
STEPS = 4 * 24 * 7
DEPLOY = STEPS - 12


def week(seed: int, *, slower: float = 1.0, incident: bool = True):
    """A week of requests; for two hours they take ten times as long, and so many after a deploy."""
    rng = np.random.default_rng(seed)
    steps = []
    for step in range(STEPS):
        factor = 10.0 if incident and 400 <= step < 408 else slower if step >= DEPLOY else 1.0
        seen = np.sort(factor * rng.lognormal(np.log(0.08), 0.5, 800))
        steps.append(np.diff(np.searchsorted(seen, EDGES[1:], side="right"), prepend=0))
    times = (1 + np.arange(STEPS)) * STEP
    spans = Span((DEPLOY - 12) * STEP, DEPLOY * STEP), Span(DEPLOY * STEP, STEPS * STEP)
    buckets = BucketCounts(EDGES, np.array(steps, float))
    return subject_around("deploy", {}, times, buckets, spans, step_ms=STEP)


def test_a_change_is_seen_behind_an_incident_and_it_is_said():
    (found,) = compare([week(1, slower=1.5)])
    assert found.verdict is Verdict.SLOWER
    for change in found.changes:
        assert change.low <= 1.5 <= change.high
        assert 0 < change.left_out < 0.15 * (change.windows + change.left_out)
    assert any("incident" in note for note in found.notes)


@pytest.mark.parametrize("seed", range(2, 6))
def test_no_change_is_made_of_it(seed):
    (found,) = compare([week(seed)])
    assert found.verdict is Verdict.NO_DIFFERENCE


def test_a_quiet_history_leaves_nothing_out():
    (found,) = compare([week(7, incident=False)])
    assert {change.left_out for change in found.changes} == {0}
    assert not any("incident" in note for note in found.notes)


def test_a_deploy_that_changed_nothing_is_told_with_what_would_have_been_seen():
    (finding,) = of_comparisons(compare([week(7, incident=False)]))
    assert (finding.code, finding.about) == ("LAT-NO-DIFFERENCE", "deploy")
    assert "no difference seen with deploy in 1 group" in finding.what
    assert "of p99 by +" in finding.what


def test_one_group_that_changed_speaks_for_its_deploy():
    changed = compare([week(1, slower=1.5), week(7, incident=False)])
    assert [f.code for f in of_comparisons(changed)] == ["LAT-SLOWER"]
