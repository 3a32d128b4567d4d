"""The alerts' replay against a plain loop over the history, and what single events do."""

import numpy as np
import pytest
from slo_frames import DAY, START_MS, STEP_MS, events, objective, steady

from workbench.slo.incidents import split_incidents
from workbench.slo.pairs import burn_pairs
from workbench.slo.replay import replay

PAIRS = burn_pairs(objective())


def _replayed(bad, total, budget=0.01, **changes):
    given = {"start_ms": START_MS, "allowed": budget * np.nansum(total), **changes}
    return replay(events(bad, total), budget, PAIRS, **given)


def _by_hand(bad, total, pair, budget, least=0.0):
    """Whether the alert is on at each step, by a loop."""
    on = []
    for i in range(len(bad)):
        burns = []
        for span in (pair.long_ms, pair.short_ms):
            rows = slice(max(i + 1 - span // STEP_MS, 0), i + 1)
            n = total[rows].sum()
            burns.append(bad[rows].sum() / n / budget if n else 0.0)
        enough = total[max(i + 1 - pair.long_ms // STEP_MS, 0) : i + 1].sum() >= least
        on.append(min(burns) > pair.factor and enough)
    return np.array(on)


@pytest.mark.parametrize("least", [0.0, 1190.0])
def test_every_evaluation_equals_a_loop(least):
    """Bursts of all sizes over six days; episodes cover exactly the steps that a loop finds."""
    rng = np.random.default_rng(2)
    bad, total = steady(days=6, share=0.01)
    for _ in range(12):
        at, length = rng.integers(0, 6 * DAY - 80), rng.integers(1, 80)
        bad[at : at + length] = total[at : at + length] * rng.uniform(0.05, 0.9)
    found = _replayed(bad, total, least_events=least)
    fired = 0
    for pair, played in zip(PAIRS, found.pairs, strict=True):
        hand = _by_hand(bad, total, pair, 0.01, least)
        mine = np.zeros(len(bad), bool)
        grid = events(bad, total).times_ms
        for e in played.episodes:
            mine |= (grid >= e.start_ms) & ((grid < e.end_ms) | e.running)
        assert (mine == hand).all()
        assert played.minutes == hand.sum() * 5
        assert len(played.episodes) == int(np.sum(np.diff(np.concatenate([[0], hand])) == 1))
        fired += len(played.episodes)
    assert fired > 10


def test_an_outage_is_told_of_at_once_and_its_share_of_the_budget_is_said():
    """All of an hour fails: the page comes within two steps, the incident is the one planted."""
    bad, total = steady(days=33, share=0.001)
    bad[6000:6012] = total[6000:6012]
    incidents = split_incidents(events(bad, total), least_share=0.01).incidents
    found = _replayed(bad, total, incidents=incidents)
    ((incident, delay),) = found.delays
    assert incident.start_ms == START_MS + 6000 * STEP_MS
    assert STEP_MS <= delay <= 3 * STEP_MS
    first = found.episodes[0]
    assert first.pair.severity == "page"
    assert first.spent == pytest.approx(bad[5990:6012].sum() / (0.01 * total.sum()), rel=0.1)


def test_firings_before_the_window_do_not_count():
    bad, total = steady(days=10)
    bad[100:112] = total[100:112]
    found = _replayed(bad, total, start_ms=START_MS + 2 * DAY * STEP_MS)
    assert not [e for e in found.episodes if e.start_ms < START_MS + 2 * DAY * STEP_MS]
    assert found.pairs[0].episodes == ()


def test_one_event_in_a_quiet_hour_pages_and_min_events_stops_it():
    """One request a step, target 99.9 %: an error in an hour of twelve is a burn rate of 83."""
    bad, total = np.zeros(4 * DAY), np.ones(4 * DAY)
    bad[600] = 1
    loud = _replayed(bad, total, 0.001)
    assert len(loud.pairs[0].episodes) == 1
    assert loud.pairs[0].least_events == 70
    assert loud.pairs[0].single == 1.0
    assert loud.pairs[0].typical_events == 12
    quiet = _replayed(bad, total, 0.001, least_events=70.0)
    assert quiet.pairs[0].episodes == ()
    assert quiet.pairs[0].single == 0.0


@pytest.mark.parametrize("pair", PAIRS, ids=lambda p: p.long)
def test_the_least_events_are_the_least_with_which_one_bad_event_is_not_enough(pair):
    found = _replayed(np.zeros(10), np.ones(10), 0.001)
    least = next(p.least_events for p in found.pairs if p.pair == pair)
    assert 1 / (least * 0.001) <= pair.factor < 1 / ((least - 1) * 0.001) + 1e-9


def test_an_alert_that_comes_and_goes_is_counted_as_flapping():
    bad, total = steady(days=5, share=0.001)
    for at in range(600, 700, 12):
        bad[at : at + 4] = total[at : at + 4]
    page = _replayed(bad, total).pairs[0]
    assert page.flaps >= 5


def test_an_alert_that_is_on_at_the_end_runs_on():
    bad, total = steady(days=5, share=0.001)
    bad[-6:] = total[-6:]
    last = _replayed(bad, total).pairs[0].episodes[-1]
    assert last.running
    assert last.end_ms == START_MS + 5 * DAY * STEP_MS


def test_the_table_joins_firings_that_follow_each_other_closely():
    """A ticket alert at its threshold comes and goes; the table has one row for it, with the count."""
    from slo_frames import answers

    from workbench.slo.analysis import analyse

    bad, total = steady(share=0.0101, seed=3)
    one = objective()
    result = analyse([one], answers(one, bad, total), now_ms=START_MS + 33 * DAY * STEP_MS)
    tickets = [e for e in result.standings[0].replay.episodes if e.pair.severity == "ticket"]
    table = result.alerts()
    rows = table[table["severity"] == "ticket"]
    assert rows["times"].sum() == len(tickets) > len(rows) > 0
    assert rows["minutes"].sum() == sum(e.end_ms - e.start_ms for e in tickets) / 60_000
