"""Verdicts on windows and pairs: what is said, what is corrected for, what is refused."""

import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

sys.path.insert(0, str(Path(__file__).parents[1] / "statistics"))
from request_simulation import EDGES, WORLDS, World, simulate

from workbench.errors import InputError
from workbench.latency.comparing import (
    Span,
    Subject,
    Verdict,
    compare,
    subject_around,
    subject_of_pair,
)
from workbench.latency.verdicts import notes_on
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.comparison import Method

MINUTE = 60_000
START = 1_767_225_600_000
STEPS = 1560
TIMES = START + np.arange(1, STEPS + 1) * MINUTE
DEPLOY = START + 1500 * MINUTE
SPANS = Span(DEPLOY - 60 * MINUTE, DEPLOY), Span(DEPLOY, DEPLOY + 60 * MINUTE)
BUSY = World("busy", 300, 0.9, 0.3, 5, 0.8, 0.05)


def day(seed, *, slower=0.0, world=BUSY, rate=1.0):
    """Minutes of a day and two hours; the last hour is slower."""
    rng = np.random.default_rng(seed)
    moods = simulate(world, rng, 1, STEPS)
    counts = moods.draw(rng, rate=rate).counts[0]
    counts[1500:] = moods.draw(rng, slice(1500, None), slower=slower, rate=rate).counts[0]
    return BucketCounts(EDGES, counts)


def around(buckets, title="deploy 2.4.0", group=None, **options):
    return subject_around(title, group or {}, TIMES, buckets, SPANS, step_ms=MINUTE, **options)


def change(seed, **options):
    return compare([around(day(seed, **options))])[0]


def test_a_deploy_that_makes_requests_a_quarter_slower_is_seen():
    found = change(1, slower=np.log(1.25))
    assert found.verdict is Verdict.SLOWER
    for each in found.changes:
        assert each.low < 1.25 < each.high
        assert each.certain_low < each.ratio < each.certain_high
        assert each.method is Method.PLACEBO
    assert "p99 +" in found.why
    assert found.ks[0] > 0.08  # of two log-normals so far apart it is 0.11
    assert found.requests_after == pytest.approx(18_000, rel=0.4)


def test_one_that_makes_them_faster_too():
    assert change(2, slower=-np.log(1.25)).verdict is Verdict.FASTER


def test_no_difference_is_said_with_what_would_have_been_seen():
    found = change(3)
    assert found.verdict is Verdict.NO_DIFFERENCE
    assert "would be seen four times in five: p50 +" in found.why
    for each in found.changes:
        assert 1.0 < each.detectable < 1.5
        assert each.p_adjusted >= each.p


def test_what_is_detectable_is_detected_four_times_in_five():
    """40 deploys of the detectable size, one quantile: 80 % are called slower."""
    size = np.median([compare([around(day(s))], [0.5])[0].changes[0].detectable for s in range(9)])
    found = [
        compare([around(day(100 + s, slower=np.log(size)))], [0.5])[0].verdict for s in range(40)
    ]
    assert 0.6 < np.mean([v is Verdict.SLOWER for v in found]) < 0.97


def test_a_wide_interval_is_no_absence_of_a_difference():
    """A system that swings by itself: a change of half could hide."""
    wild = World("wild", 60, 0.9, 0.5, 2, 0.97, 0.6)
    found = change(4, world=wild)
    assert found.verdict is Verdict.CANNOT_TELL
    assert "may be anything" in found.why


def test_many_null_groups_give_one_false_alarm_in_twenty_calls():
    """20 groups × 3 quantiles: uncorrected, three of sixty would alarm in each call."""
    rng = np.random.default_rng(5)
    calls = 20
    seen = simulate(WORLDS[1], rng, 20 * calls, 780).draw(rng)
    times = START + np.arange(1, 781) * MINUTE
    spans = Span(times[659], times[719]), Span(times[719], times[779])
    alarms = 0
    for call in range(calls):
        some = [
            subject_around("d", {"n": str(i)}, times, seen[i], spans, step_ms=MINUTE)
            for i in range(20 * call, 20 * call + 20)
        ]
        verdicts = [c.verdict for c in compare(some)]
        alarms += Verdict.SLOWER in verdicts or Verdict.FASTER in verdicts
    assert alarms <= 4


def test_p_values_are_adjusted_as_statsmodels_does():
    """Holm's correction over subjects and quantiles; what abstained does not count."""
    subjects = [around(day(s, slower=0.03)) for s in (11, 12)]
    subjects.append(around(day(13, world=World("quiet", 5))))
    changes = [c for found in compare(subjects) for c in found.changes]
    judged = [c for c in changes if c.p is not None]
    assert len(judged) == 8
    expected = multipletests([c.p for c in judged], method="holm")[1]
    assert [c.p_adjusted for c in judged] == pytest.approx(expected)


def test_different_subjects_are_judged_in_their_order():
    """Layouts, lengths and pairs mixed in one call give what each gives alone."""
    thin = around(day(6), title="thin")
    short = subject_around(
        "short", {}, TIMES, day(7), (Span(DEPLOY - 30 * MINUTE, DEPLOY), SPANS[1]), step_ms=MINUTE
    )
    pair = subject_of_pair("pair", {}, TIMES, (day(8), day(9)), SPANS[1], step_ms=MINUTE)
    every = [thin, pair, short, thin]
    found = compare(every)
    assert [c.title for c in found] == ["thin", "pair", "short", "thin"]
    for one, subject in zip(found, every, strict=True):
        alone = compare([subject])[0]
        assert [c.p for c in one.changes] == pytest.approx([c.p for c in alone.changes])


def test_two_versions_at_the_same_time():
    """A canary a fifth slower than stable, with a tenth of the traffic; before, both were alike."""
    rng = np.random.default_rng(10)
    moods = simulate(World("pair", 600, 0.9, 0.3, 5, 0.9, 0.2), rng, 1, STEPS)
    stable = moods.draw(rng).counts[0]
    canary = moods.draw(rng, rate=0.2).counts[0]
    canary[1500:] = moods.draw(rng, slice(1500, None), slower=np.log(1.2), rate=0.2).counts[0]
    canary[:700] = 0.0  # it did not exist yet
    pair = BucketCounts(EDGES, stable), BucketCounts(EDGES, canary)
    subject = subject_of_pair("canary against stable", {}, TIMES, pair, SPANS[1], step_ms=MINUTE)
    assert len(subject.history[0].counts) == 800
    found = compare([subject])[0]
    assert found.verdict is Verdict.SLOWER
    assert found.changes[0].method is Method.PLACEBO
    assert found.changes[0].ratio == pytest.approx(1.2, abs=0.05)
    assert found.changes[0].usual == pytest.approx(1.0, abs=0.02)


def test_a_difference_that_was_always_there_is_said():
    pair = day(14), BucketCounts(EDGES, np.roll(day(15).counts, 1, axis=1))
    found = compare([subject_of_pair("b", {}, TIMES, pair, SPANS[1], step_ms=MINUTE)])[0]
    assert found.verdict is Verdict.SLOWER
    assert any("usually differed" in note for note in found.notes)


def test_overlapping_and_swapped_windows_are_refused():
    before, after = SPANS
    for spans, words in (
        ((Span(before.start_ms, before.end_ms + MINUTE), after), "overlap"),
        ((after, before), "earlier"),
        ((before, before), "overlap"),
    ):
        with pytest.raises(InputError, match=words):
            subject_around("d", {}, TIMES, day(1), spans, step_ms=MINUTE)
    with pytest.raises(InputError, match="covers nothing"):
        Span(5, 5)


def test_a_rollout_between_the_windows_is_left_out_of_both_and_of_placebos():
    spans = SPANS[0], Span(DEPLOY + 10 * MINUTE, DEPLOY + 40 * MINUTE)
    subject = subject_around("d", {}, TIMES, day(1), spans, step_ms=MINUTE)
    assert subject.gap == 10
    assert len(subject.after.counts) == 30
    assert compare([subject])[0].verdict is Verdict.NO_DIFFERENCE


@pytest.mark.parametrize("which", ["before", "after", "both"])
def test_windows_without_requests_abstain(which):
    seen = day(1)
    if which != "after":
        seen.counts[1440:1500] = 0
    if which != "before":
        seen.counts[1500:] = 0
    found = compare([around(seen)])[0]
    assert found.verdict is Verdict.CANNOT_TELL
    assert "none" in found.why
    assert found.ks == (None, None)
    assert all(c.p is None and c.ratio is None for c in found.changes)


def test_too_few_requests_are_said_with_numbers():
    """300 an hour: p50 and p95 are judged, p99 not."""
    found = change(20, world=World("quiet", 5))
    assert found.changes[2].why_not.startswith("p99 needs 1,000 requests in each window; there are")
    assert found.changes[1].why_not == ""
    assert "p99 needs" in found.why


def test_a_clipped_tail_is_said():
    seen = day(21)
    seen.counts[1500:, -1] += 10
    found = compare([around(seen)])[0]
    assert "above the last finite bucket (10 s)" in found.changes[2].why_not
    assert found.changes[2].ratio is None
    assert found.wasserstein_seconds[1] is None


def test_no_history_is_called_approximate():
    found = compare([around(day(22), history_ms=0)])[0]
    assert {c.method for c in found.changes} == {Method.BLOCKS}
    assert any(note.startswith("approximate") for note in found.notes)


def test_buckets_that_a_deploy_changed_are_cut_to_those_shared():
    seen = day(23)
    edges = np.delete(EDGES, 5)
    subject = Subject(
        "new buckets", {}, seen[1440:1500], seen[1500:].coarsened(edges), *SPANS, MINUTE,
        (seen[:1440],),
    )  # fmt: skip
    found = compare([subject])[0]
    assert found.verdict is Verdict.NO_DIFFERENCE
    assert any("buckets differ" in note for note in found.notes)
    strange = Subject("s", {}, seen[:60], BucketCounts(np.array([0.0, 7, np.inf]), np.ones((9, 2))),
                      *SPANS, MINUTE)  # fmt: skip
    with pytest.raises(InputError, match="no boundary in common"):
        compare([strange])


def test_the_json_form_is_json_and_hostile_labels_stay_text():
    subject = around(day(24), title='"><script>\x00\n', group={"path": "\ud800\x00<b>"})
    document = compare([subject])[0].to_dict()
    again = json.loads(json.dumps(document, allow_nan=False))
    assert again["group"] == {"path": "\ud800\x00<b>"}
    assert again["before"]["end"] == again["after"]["start"]
    assert again["changes"][2]["quantile"] == 0.99


def test_nothing_to_compare_is_no_comparison():
    assert compare([]) == ()


def test_quantiles_outside_are_refused():
    for wrong in ([1.5], [0.0], [float("nan")], []):
        with pytest.raises(InputError, match="quantiles"):
            compare([around(day(1))], wrong)


def test_the_note_says_which_quantile_is_approximate_and_why():
    """There may be history enough for p50, and p99 above the last bucket in most of it."""
    edges = np.array([0.0, 0.1, 1.0, np.inf])
    counts = BucketCounts(edges, np.full((660, 3), [60.0, 39.5, 0.5]))
    hour = 3_600_000
    spans = Span(10 * hour, 11 * hour), Span(11 * hour, 12 * hour)
    one = Subject("deploy", {}, counts[:60], counts[:60], *spans, 60_000, (counts,))
    first, *rest = compare([one])[0].changes
    changes = [
        replace(first, method=Method.BLOCKS),
        *(replace(c, method=Method.PLACEBO) for c in rest),
    ]
    (note, *_) = notes_on(changes, 0.05)
    assert note.startswith("approximate for p50: too few earlier windows tell it")
    (note, *_) = notes_on([replace(c, method=Method.BLOCKS) for c in changes], 0.05)
    assert note.startswith("approximate: there is too little history")
