"""What binds first, by when to order, and what else changed then."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.capacity import Event, Resource, analyse
from workbench.capacity.binding import bindings
from workbench.capacity.coincidence import moments
from workbench.capacity.lead_time import order_by
from workbench.capacity.outlook import Change, Outlook, Saturation, Verdict
from workbench.frame import Frame
from workbench.statistics import DAY_MS, DailyPeaks

NOW = 1_780_000_000_000
DAYS = 180


def _saturation(cumulative):
    return Saturation(
        {}, None, (None, None), (None, None), False, 0.0, np.asarray(cumulative, float)
    )


def _outlook(name, *, service="shop", cumulative=None, share=0.5, verdict=Verdict.POSSIBLE, **more):
    days = len(more.get("limits", np.zeros(60)))
    history = DailyPeaks(NOW, np.full(days, 10.0), np.zeros(days), np.ones(days), 0)
    fields = {"limits": np.full(days, 20.0), "limit": 20.0, "peak_p95": 20.0 * share, **more}
    return Outlook(
        name, {}, "cores", "", name, verdict, history,
        saturation=None if cumulative is None else _saturation(cumulative), service=service, **fields,
    )  # fmt: skip


def test_the_chance_to_bind_first_is_that_of_drawn_days():
    """Against a million draws from the same three laws."""
    rng = np.random.default_rng(3)
    laws = [rng.dirichlet(np.ones(DAYS + 1)) for _ in range(3)]  # the last cell: not at all
    outlooks = [
        _outlook(n, cumulative=np.cumsum(p)[:DAYS]) for n, p in zip("abc", laws, strict=True)
    ]
    (found,) = bindings(outlooks, horizon_days=DAYS // 2)
    draws = np.stack([rng.choice(DAYS + 1, 1_000_000, p=p) for p in laws])
    least = draws.min(axis=0)
    shared = (draws == least).sum(axis=0)
    for rank in found.ranks:
        i = "abc".index(rank.outlook.name)
        wins = ((draws[i] == least) & (least < DAYS)) / shared
        assert rank.first == pytest.approx(wins.mean(), abs=0.005)
    assert found.fills == pytest.approx((least < DAYS).mean(), abs=0.002)
    assert sum(r.first for r in found.ranks) == pytest.approx(found.fills, abs=1e-3)


def test_where_nothing_fills_the_fullest_at_its_peak_binds():
    low = _outlook("low", cumulative=np.zeros(DAYS), share=0.3)
    high = _outlook("high", cumulative=np.zeros(DAYS), share=0.6)
    none = _outlook("none", share=0.0, limit=None)
    (found,) = bindings([low, high, none], horizon_days=90)
    assert found.first.outlook.name == "high"
    assert not found.in_sight
    assert found.unknown == 1


def test_what_is_full_binds_before_all_others():
    full = _outlook("full", verdict=Verdict.FULL, share=1.0)
    soon = _outlook("soon", cumulative=np.linspace(0, 1, DAYS))
    (found,) = bindings([soon, full], horizon_days=90)
    assert found.first.outlook.name == "full"
    assert found.first.first == pytest.approx(1.0)


@pytest.mark.parametrize("count", [2, 3, 14, 200])
def test_what_is_full_together_shares_being_first(count):
    outlooks = [_outlook(f"r{i}", verdict=Verdict.FULL, share=1.0) for i in range(count)]
    (found,) = bindings(outlooks, horizon_days=90)
    assert [r.first for r in found.ranks] == pytest.approx([1 / count] * count)


def test_a_service_of_which_nothing_is_known_has_no_row():
    assert bindings([_outlook("a", limit=None), _outlook("b", service="")], horizon_days=90) == ()


@pytest.mark.parametrize(
    ("lead", "days", "late", "chance"),
    [(0, 30, False, 0.0), (14, 16, False, 0.0), (40, -10, True, 0.5), (1000, -970, True, 0.9)],
)
def test_an_order_is_in_time_with_nine_chances_in_ten(lead, days, late, chance):
    """Full on day 31 with 10.1 %, on day 40 with 50 %, at last with 90 %."""
    cumulative = np.zeros(DAYS)
    cumulative[30:], cumulative[39:], cumulative[100:] = 0.101, 0.5, 0.9
    found = order_by(_saturation(cumulative), lead)
    assert (found.days, found.late) == (days, late)
    assert found.chance == pytest.approx(chance)


def test_what_does_not_fill_needs_no_order():
    assert order_by(_saturation(np.full(DAYS, 0.1)), 14) is None


def _shifted(name, day, *, service="", size=5.0, precision_ms=DAY_MS):
    return _outlook(
        name, service=service, changes=(Change(NOW - (60 - day) * DAY_MS, size, precision_ms),)
    )


def test_shifts_that_come_together_are_one_moment_only_beyond_chance():
    fleet = [_outlook(f"quiet {i}") for i in range(20)]
    two = moments([*fleet, _shifted("a", 30), _shifted("b", 10)], [])
    assert [len(m.shifted) for m in two] == [1, 1]
    four = moments([*fleet, *(_shifted(n, 30) for n in "abcd")], [])
    assert [len(m.shifted) for m in four] == [4]
    assert four[0].together


def test_shifts_of_one_service_are_one_moment():
    found = moments([_shifted("a", 30, service="shop"), _shifted("b", 30, service="shop")], [])
    assert [len(m.shifted) for m in found] == [2]


def test_an_event_then_is_named_and_one_of_another_week_is_not():
    then, else_when = NOW - 30 * DAY_MS, NOW - 20 * DAY_MS
    found = moments([_shifted("a", 30)], [Event(then, "release 2"), Event(else_when, "release 3")])
    assert [e.title for e in found[0].events] == ["release 2"]


def test_a_chance_group_of_unrelated_shifts_is_rare():
    """Fleets whose shifts are independent: at most two in a hundred moments claim otherwise."""
    rng = np.random.default_rng(8)
    claimed = total = 0
    for _ in range(60):
        days = rng.integers(1, 59, 12)
        fleet = [_shifted(f"r{i}", int(d)) for i, d in enumerate(days)]
        found = moments([*fleet, *(_outlook(f"q{i}") for i in range(28))], [])
        claimed += sum(m.together for m in found)
        total += len(found)
    assert claimed <= 0.02 * total


def test_the_limit_that_changed_then_is_named():
    limits = np.full(60, 20.0)
    limits[30:] = 40.0
    one = _outlook("a", limits=limits, changes=(Change(NOW - 30 * DAY_MS, 5.0),))
    assert moments([one], [])[0].limits == ("a",)


def _frames(values):
    times = NOW - np.arange(len(values) - 1, -1, -1) * 3_600_000
    present = np.ones((1, len(values)), bool)
    return {"usage disk": Frame("matrix", ({},), times.astype(np.int64), values[None, :], present)}


def _hourly(days, slope, jump=0.0, jump_day=0):
    hours = np.arange(days * 24)
    rng = np.random.default_rng(1)
    noise = rng.normal(0, 0.4, len(hours))
    return 50 + slope * hours / 24 + noise + np.where(hours >= jump_day * 24, jump, 0.0)


def test_an_order_by_date_stands_in_the_finding_and_the_json():
    resource = Resource(name="disk", usage="used", limit=100.0, unit="GiB", peak="sample")
    frames = _frames(_hourly(60, 0.5))  # at 80 after 60 days: full in some 40
    found = analyse([resource], frames, now_ms=NOW, lead_time="21d")
    (outlook,) = found.outlooks
    assert outlook.order is not None
    assert outlook.order.days == pytest.approx(outlook.saturation.interval_80[0] - 21, abs=1.5)
    (finding,) = [f for f in found.findings if f.code == "CAP-SATURATION"]
    assert "(it takes 21d)" in finding.next_step
    assert outlook.to_dict()["order_by"]["lead_days"] == 21


def test_an_order_that_comes_too_late_is_an_error_and_says_how_likely_it_is_full_before():
    resource = Resource(name="disk", usage="used", limit=100.0, peak="sample", lead_time="60d")
    found = analyse([resource], _frames(_hourly(60, 0.5)), now_ms=NOW, lead_time="1d")
    (finding,) = [f for f in found.findings if f.code == "CAP-SATURATION"]
    assert finding.severity.value == "error"
    assert "order" in finding.next_step
    assert "today" in finding.next_step
    assert "before that it is full with a chance of" in finding.next_step


def test_a_planted_shift_is_a_finding_with_the_release_of_that_day():
    resource = Resource(name="disk", usage="used", limit=400.0, unit="cores", peak="sample")
    values = _hourly(60, 0.0, jump=30.0, jump_day=50)
    release = Event(NOW - 10 * DAY_MS, "checkout 2.4.0")
    found = analyse([resource], _frames(values), now_ms=NOW, events=[release])
    (finding,) = [f for f in found.findings if f.code == "CAP-LEVEL-SHIFT"]
    assert "rose by" in finding.what
    assert "checkout 2.4.0" in finding.what
    assert finding.evidence["share"] == pytest.approx(0.6, abs=0.03)


def test_an_old_shift_stands_in_the_result_and_is_no_finding():
    resource = Resource(name="disk", usage="used", limit=400.0, peak="sample")
    values = _hourly(90, 0.0, jump=30.0, jump_day=20)
    found = analyse([resource], _frames(values), now_ms=NOW)
    assert not [f for f in found.findings if f.code == "CAP-LEVEL-SHIFT"]
    assert len(found.moments) == 1


def test_a_shift_that_all_samples_show_is_told_with_its_hour():
    """And of two releases of that day only the one of that hour is named."""
    resource = Resource(name="disk", usage="used", limit=400.0, unit="cores", peak="sample")
    values = _hourly(60, 0.0, jump=30.0, jump_day=50)
    begins = NOW - (60 - 50) * DAY_MS + 3_600_000
    events = [Event(begins - 1_200_000, "the one"), Event(begins - 9 * 3_600_000, "another")]
    found = analyse([resource], _frames(values), now_ms=NOW, events=events)
    (moment,) = found.moments
    assert abs((moment.start_ms + moment.end_ms) // 2 - begins) <= 2 * 3_600_000
    assert [e.title for e in moment.events] == ["the one"]
    (finding,) = [f for f in found.findings if f.code == "CAP-LEVEL-SHIFT"]
    assert " UTC" in finding.what
