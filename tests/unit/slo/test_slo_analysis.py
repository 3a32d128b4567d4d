"""The analysis as a whole: what it finds in plain and in bad histories, and that it never guesses."""

import json

import numpy as np
import pytest
from slo_frames import DAY, START_MS, STEP_MS, answers, frame, objective, ratio_objective, steady

from workbench.errors import InputError
from workbench.findings import Severity
from workbench.promql import parse
from workbench.slo.analysis import analyse
from workbench.slo.indicator import Latency
from workbench.slo.planning import history, questions
from workbench.slo.result import Verdict

NOW_MS = START_MS + 33 * DAY * STEP_MS


def _judged(one, frames, days=33):
    return analyse([one], frames, now_ms=START_MS + days * DAY * STEP_MS)


def _codes(result):
    return {f.code for f in result.findings}


def _counts(bad, total, **changes):
    one = objective(**changes)
    return _judged(one, answers(one, bad, total), len(bad) // DAY)


# ------------------------------------------------------------------ what is asked


def test_ranges_tile_the_grid_so_that_no_event_counts_twice():
    asked = questions([objective()], now_ms=NOW_MS + 1)
    for question in asked[:2]:
        parse(question.expression)
        assert "[5m]" in question.expression
        assert question.window.step_ms == STEP_MS
        assert question.window.start_ms - STEP_MS == NOW_MS - 33 * DAY * STEP_MS
        assert question.window.end_ms == NOW_MS


def test_a_month_is_asked_in_one_piece_and_long_windows_more_coarsely():
    for window, most in (
        ("1h", 11_000),
        ("7d", 11_000),
        ("30d", 11_000),
        ("90d", 11_000),
        ("year", 11_000),
    ):
        grid = history(objective(window=window), now_ms=NOW_MS)
        assert len(grid) <= most
        assert 3_600_000 % grid.step_ms == 0


def test_the_history_of_a_calendar_reaches_to_its_beginning():
    grid = history(objective(window="month"), now_ms=NOW_MS)
    assert grid.start_ms <= objective(window="month").period(NOW_MS - 1)[0]


def test_a_step_that_does_not_divide_an_hour_or_exceeds_the_history_is_refused():
    with pytest.raises(InputError, match="7m does not divide an hour"):
        history(objective(), now_ms=NOW_MS, step_ms=420_000)
    with pytest.raises(InputError, match="0s does not divide an hour"):
        history(objective(), now_ms=NOW_MS, step_ms=0)
    with pytest.raises(InputError, match="shorter than a step"):
        history(objective(), now_ms=NOW_MS, last_ms=60_000, step_ms=STEP_MS)


# ------------------------------------------------------------------ what is found


def test_a_kept_objective_has_no_finding():
    result = _counts(*steady(share=0.002))
    assert result.findings == ()
    (standing,) = result.standings
    assert standing.verdict is Verdict.KEPT
    assert standing.budget.left == pytest.approx(0.8, abs=0.01)


def test_a_spent_budget_is_an_error():
    result = _counts(*steady(share=0.02))
    assert result.standings[0].verdict is Verdict.SPENT
    assert {"SLO-BUDGET-SPENT", "SLO-TOO-TIGHT", "SLO-BURNING"} <= _codes(result)
    tight = next(f for f in result.findings if f.code == "SLO-TOO-TIGHT")
    assert tight.evidence["reachable"] == pytest.approx(0.975, abs=0.001)
    assert tight.owner == "team-shop"


def test_one_incident_does_not_make_a_target_too_tight():
    bad, total = steady(share=0.001)
    bad[6000 : 6000 + DAY] = total[6000 : 6000 + DAY]
    assert "SLO-TOO-TIGHT" not in _codes(_counts(bad, total))


def test_an_outage_now_burns_and_is_the_most_urgent_finding():
    bad, total = steady(share=0.0005)
    bad[-8:] = total[-8:] * 0.6
    result = _counts(bad, total)
    assert result.standings[0].verdict is Verdict.BURNING
    first = result.findings[0]
    assert (first.code, first.severity) == ("SLO-BURNING", Severity.ERROR)
    assert "1h/5m" in first.evidence["pairs"]


def test_a_leak_after_a_deploy_is_dated_with_its_interval():
    low, total = steady(share=0.002)
    high, _ = steady(share=0.02)
    bad = np.where(np.arange(33 * DAY) < 27 * DAY, low, high)
    found = next(f for f in _counts(bad, total).findings if f.code == "SLO-RUN-OUT")
    assert found.severity is Severity.ERROR
    assert found.evidence["date_low_80"] <= found.evidence["date"] <= found.evidence["date_high_80"]


def test_a_young_history_is_judged_by_what_there_is_and_says_so():
    """Ten days of a window of thirty."""
    bad, total = np.full(33 * DAY, np.nan), np.full(33 * DAY, np.nan)
    bad[-10 * DAY :], total[-10 * DAY :] = steady(days=10, share=0.002)
    result = _counts(bad, total)
    gap = next(f for f in result.findings if f.code == "SLO-GAPS")
    assert gap.severity is Severity.WARNING
    assert gap.evidence["unseen"] == pytest.approx(2 / 3, abs=0.01)


@pytest.mark.parametrize(("days", "severity"), [(33, Severity.ERROR), (10, Severity.WARNING)])
def test_a_budget_spent_in_the_third_of_the_window_that_was_seen_is_a_warning(days, severity):
    bad, total = np.full(33 * DAY, np.nan), np.full(33 * DAY, np.nan)
    bad[-days * DAY :], total[-days * DAY :] = steady(days=days, share=0.03)
    found = next(f for f in _counts(bad, total).findings if f.code == "SLO-BUDGET-SPENT")
    assert found.severity is severity


def test_low_traffic_is_told_with_the_min_events_that_mend_it():
    """Some five requests an hour, target 99.9 %: one error in six hours is a burn rate of 35."""
    bad, total = steady(rate=0.4, share=0.0)
    bad[4000] = total[4000] = 1
    result = _counts(bad, total, target=0.999)
    found = next(f for f in result.findings if f.code == "SLO-LOW-TRAFFIC")
    assert found.evidence["min_events"] == 167  # 6h/30m above 6: 1 / (6 · 0.001) and one more
    again = _counts(bad, total, target=0.999, min_events=167)
    assert "SLO-LOW-TRAFFIC" not in _codes(again)
    assert not [e for e in again.standings[0].replay.episodes if e.pair.severity == "page"]


def test_an_alert_that_keeps_coming_back_is_noisy():
    bad, total = steady(share=0.001)
    for at in range(3 * DAY, 33 * DAY, DAY):
        bad[at : at + 5] = total[at : at + 5]
    assert "SLO-NOISY-ALERT" in _codes(_counts(bad, total))


def test_alerts_that_are_switched_off_or_can_never_come_are_not_replayed():
    bad, total = steady(share=0.001)
    off = _counts(bad, total, alerting={"page": {"alert": False}}).standings[0]
    assert {p.pair.severity for p in off.replay.pairs} == {"ticket"}
    loose = _counts(bad, total, target=0.9).standings[0]
    assert "1h/5m" not in {p.pair.long + "/" + p.pair.short for p in loose.replay.pairs}
    assert any("can never come" in n for n in loose.notes)


# ------------------------------------------------------------------ bad input


def test_no_such_metric_is_a_finding_with_the_hint():
    one = objective()
    result = analyse(
        [one], {}, now_ms=NOW_MS, hints={one.key: "the source has no metric 'hits_total'"}
    )
    (found,) = result.findings
    assert found.code == "SLO-NO-DATA"
    assert "no metric 'hits_total'" in found.what
    assert result.standings[0].budget is None


def test_no_events_at_all_and_none_in_the_window_are_findings():
    nothing = np.zeros(33 * DAY)
    assert _codes(_counts(nothing, nothing)) == {"SLO-NO-EVENTS"}
    bad, total = steady()
    total[2 * DAY :] = bad[2 * DAY :] = 0
    assert _codes(_counts(bad, total)) == {"SLO-NO-EVENTS"}


def test_nan_everywhere_is_no_data_and_infinite_values_are_left_out():
    empty = np.full(33 * DAY, np.nan)
    assert _codes(_counts(empty, empty)) == {"SLO-NO-DATA"}
    bad, total = steady(share=0.002)
    kept = _counts(bad, total).standings[0].budget.sli
    bad[5], total[77] = np.inf, np.inf
    assert _counts(bad, total).standings[0].budget.sli == pytest.approx(kept, abs=1e-5)


def test_more_bad_events_than_events_give_no_figure():
    _, total = steady()
    result = _counts(total * 1.5, total)
    assert _codes(result) == {"SLO-UNUSABLE"}
    assert result.standings[0].budget is None


def test_counters_that_are_none_give_no_figure():
    one = objective()
    frames = answers(one, *steady()) | {f"resets {one.key}": frame([0.5])}
    assert _codes(_judged(one, frames)) == {"SLO-UNUSABLE"}


def test_several_series_give_no_figure():
    one = objective()
    bad, total = steady()
    frames = answers(one, bad, total) | {f"total {one.key}": frame(total, total)}
    (found,) = _judged(one, frames).findings
    assert "2 series" in found.what


def test_a_threshold_on_no_bucket_boundary_gives_no_figure():
    one = objective(sli=Latency(histogram="seconds", threshold="333ms"))
    (found,) = _judged(one, {f"total {one.key}": frame(steady()[1])}).findings
    assert found.code == "SLO-UNUSABLE"
    assert "no bucket boundary at the threshold, 333 ms (le 0.333)" in found.what


def test_an_objective_that_never_saw_an_error_says_so():
    _, total = steady()
    assert _codes(_counts(np.zeros_like(total), total)) == {"SLO-NO-ERRORS"}


@pytest.mark.parametrize(("values", "code"), [
    ([1.7, 0.5], "SLO-UNUSABLE"), ([-0.2, 0.5], "SLO-UNUSABLE"), ([np.nan, np.nan], "SLO-NO-DATA"),
    ([99.0, 98.0], "SLO-UNUSABLE"),
])  # fmt: skip
def test_a_ratio_outside_0_to_1_gives_no_figure(values, code):
    one = ratio_objective()
    assert _codes(_judged(one, {f"ratio {one.key}": frame(np.tile(values, 33 * DAY // 2))})) == {
        code
    }


def test_a_ratio_alone_is_judged_by_time_and_says_what_it_cannot_tell():
    one = ratio_objective()
    bad, total = steady(share=0.004)
    (standing,) = _judged(one, {f"ratio {one.key}": frame(bad / total)}).standings
    assert standing.budget.left == pytest.approx(0.6, abs=0.02)
    assert (standing.budget.bad, standing.budget.sli_low, standing.budget.allowed) == (
        None,
        None,
        None,
    )
    assert standing.least_events == 0
    assert standing.replay.pairs[0].typical_events is None
    assert any("Only a ratio is known" in n for n in standing.notes)


# ------------------------------------------------------------------ form


def test_the_result_is_json_and_the_same_in_any_order_of_objectives():
    one, two = objective(), objective(name="other", target=0.995, window="week")
    frames = answers(one, *steady()) | answers(two, *steady(share=0.01, seed=4))
    first = analyse([one, two], frames, now_ms=NOW_MS).to_dict(series=True)
    assert first == analyse([two, one], frames, now_ms=NOW_MS).to_dict(series=True)
    text = json.dumps(first, allow_nan=False)
    assert '"forecast"' in text


def test_tables_have_one_row_an_objective_and_an_episode_even_where_there_is_none():
    empty = analyse([objective()], {}, now_ms=NOW_MS)
    assert len(empty.to_table()) == 1
    assert empty.alerts().empty
    assert empty.alerts().columns[0] == "objective"
    none = analyse([], {}, now_ms=NOW_MS)
    assert none.to_table().empty
