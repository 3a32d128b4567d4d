"""CPU requests: formulas against plain loops, and stated risks against simulated weeks to come."""

import numpy as np
import pytest
from usage_simulation import (
    A_DAY,
    STEP_MS,
    grid,
    memory_noise,
    simulated_fleet,
    usage_from,
)

from workbench.capacity.sizing.containers import Container, ContainerKey
from workbench.capacity.sizing.cpu import advise_cpu, fit_cpu, unused_share
from workbench.capacity.sizing.peer_rules import krr_cpu, vpa_cpu
from workbench.capacity.sizing.quantiles import (
    MARGINS,
    PastExceedance,
    Usage,
    anchor_of,
    margin_for,
    past_exceedance,
    slot_weights,
    weighted_quantile,
    widened,
)
from workbench.capacity.sizing.working_hours import hours_of_week, parse_hours
from workbench.errors import InputError

DAY_MS = A_DAY * STEP_MS


def _container(values, *, present=None, **more):
    kept = np.ones(len(values), bool) if present is None else present
    times = grid(len(values) / A_DAY)[kept]
    nothing = np.empty(0, np.int64), np.empty(0)
    key = ContainerKey("shop", "cart", "web", "Deployment")
    return Container(key, times, values[kept], None, *nothing, STEP_MS, **more)


def _advice(values, *, present=None, risk=0.05, hours="", zone="UTC", limit="none", **more):
    container = _container(values, present=present, **more)
    rules = {"risk": risk, "hours": parse_hours(hours), "zone": zone, "limit": limit}
    return advise_cpu([container], **rules)[0][1]


def _brute_weights(usage):
    weights = [0.5 ** ((usage.times_ms[-1] - t) / (4 * DAY_MS)) for t in usage.times_ms]
    totals = {}
    for slot, weight in zip(usage.slots, weights, strict=True):
        totals[slot] = totals.get(slot, 0.0) + weight
    least = 0.5 * np.median(list(totals.values()))
    scaled = [w / max(totals[s], least) for s, w in zip(usage.slots, weights, strict=True)]
    return np.array(scaled) / sum(scaled)


def test_weights_and_anchor_agree_with_a_plain_loop():
    usage = usage_from(np.random.default_rng(0).gamma(2.0, size=9 * A_DAY))
    weights = _brute_weights(usage)
    np.testing.assert_allclose(slot_weights(usage), weights, rtol=1e-9)
    held, wanted = 0.0, None
    for value, weight in sorted(zip(usage.values.tolist(), weights.tolist(), strict=True)):
        held += weight
        if held >= 0.85 - 1e-12:
            wanted = value
            break
    assert anchor_of(usage, 0.05) == pytest.approx(wanted)


def test_equal_weights_give_the_inverse_of_the_empirical_distribution():
    values = np.random.default_rng(1).random(101)
    for share in (0.05, 0.5, 0.9):
        wanted = np.quantile(values, share, method="inverted_cdf")
        assert weighted_quantile(values, np.ones(101), share) == wanted


def test_past_weeks_and_margin_agree_with_a_plain_loop():
    usage = usage_from(np.random.default_rng(2).lognormal(0, 0.4, 12 * A_DAY))
    past = past_exceedance(usage, 0.05)
    end, rows, days = int(usage.times_ms[-1]), [], []
    for back in range(8, 0, -1):
        origin = end - back * DAY_MS
        before = usage.times_ms <= origin
        known = Usage(usage.times_ms[before], usage.values[before], usage.slots[before])
        until = origin + min(back, 7) * DAY_MS
        after = usage.values[(usage.times_ms > origin) & (usage.times_ms <= until)]
        rows.append([(after > m * anchor_of(known, 0.05)).mean() for m in MARGINS])
        days.append(min(back, 7))
    np.testing.assert_allclose(past.shares[-8:], rows, atol=1e-12)
    assert past.days == pytest.approx(np.mean([7, *days][-len(past.shares) :]))
    mean = np.mean(past.shares, axis=0)
    wanted = np.interp(-0.05, -mean, MARGINS)
    assert margin_for(past, [past], 0.05) == pytest.approx(widened(wanted, past.days), rel=1e-6)


def test_a_container_without_a_past_borrows_the_margin_of_the_others():
    one = np.where(MARGINS < 2.0, 1.0, 0.0)[None, :]
    none = PastExceedance(np.empty((0, len(MARGINS))), 0.0)
    assert margin_for(none, [PastExceedance(one, 7.0), none], 0.05) == pytest.approx(2.0, rel=0.02)
    assert margin_for(none, [none], 0.05) == 1.0


@pytest.mark.parametrize("risk", [0.02, 0.05, 0.15])
def test_without_drift_the_stated_risk_is_the_realised_one(risk):
    rng = np.random.default_rng(3)
    values = [np.exp(0.3 * memory_noise(rng, 35 * A_DAY, 0.8)) for _ in range(10)]
    fits = fit_cpu([usage_from(v[: 28 * A_DAY]) for v in values], risk)
    weeks = [v[28 * A_DAY :] for v in values]
    realised = np.mean([(w > f.request).mean() for w, f in zip(weeks, fits, strict=True)])
    assert realised == pytest.approx(risk, rel=0.2)


def test_with_drifts_shifts_and_bursts_the_stated_risk_holds_and_less_is_unused_than_by_krr():
    fleet = simulated_fleet(np.random.default_rng(4), containers=24, days=28)
    cut = int(fleet[0].times_ms[-1]) - 7 * DAY_MS
    past = [u.between(0, cut) for u in fleet]
    weeks = [u.between(cut, cut + 7 * DAY_MS).values for u in fleet]

    def judged(requests):
        pairs = list(zip(requests, weeks, strict=True))
        unused = np.mean([unused_share(w, r) for r, w in pairs])
        return np.mean([(w > r).mean() for r, w in pairs]), unused

    ours, _ = judged([f.request for f in fit_cpu(past, 0.05)])
    krr, krr_unused = judged([krr_cpu(u.times_ms, u.values).target for u in past])
    assert 0.025 <= ours <= 0.075
    risks = (0.04, 0.07, 0.12)
    line = np.array([judged([f.request for f in fit_cpu(past, r)]) for r in risks])
    assert np.interp(krr, line[:, 0], line[:, 1]) < krr_unused


def test_a_weekend_at_the_end_does_not_make_mondays_request():
    at = np.arange(14 * A_DAY)
    working = at // A_DAY % 7 < 5
    values = np.where(working, 1.0, 0.1) * np.random.default_rng(5).uniform(0.9, 1.1, len(at))
    assert _advice(values).ours.request > 0.95
    halved = vpa_cpu(grid(14), values)
    assert halved.low < 0.2  # what its median, by then mostly weekend, lets a request fall to


def test_constant_usage_is_what_is_requested():
    advice = _advice(np.full(21 * A_DAY, 0.4))
    assert advice.ours.request == pytest.approx(0.4)
    assert advice.ours.exceeded == 0.0
    assert advice.busiest_chance == 0.0


def test_rare_bursts_are_not_provided_for_and_told_of_at_their_hour():
    values = np.random.default_rng(6).uniform(0.18, 0.2, 28 * A_DAY)
    at = np.arange(len(values))
    burst = (at // A_DAY % 7 == 1) & (at % A_DAY // 12 == 9)
    values[burst] = 3.0
    advice = _advice(values)
    assert advice.ours.request < 0.3
    assert (advice.busiest_hour, advice.busiest_chance) == (33, pytest.approx(1.0))
    assert _advice(values, limit="peak").limit >= 3.0


@pytest.mark.parametrize("idle", [0.0, 0.001])
def test_bursts_that_are_not_rare_are_provided_for_however_far_they_are(idle):
    rng = np.random.default_rng(9)
    values = np.where(rng.random(28 * A_DAY) < 0.1, 2.0, idle)
    advice = _advice(values)
    assert advice.ours.request == pytest.approx(2.0)
    assert advice.ours.exceeded == 0.0


def test_idle_containers_get_the_least_that_can_be_asked_for():
    advice = _advice(np.zeros(14 * A_DAY))
    assert advice.ours.request == 0.01
    assert advice.ours.unused is None


def test_gaps_and_a_lost_weekday_keep_the_request():
    rng = np.random.default_rng(7)
    values = np.exp(0.2 * memory_noise(rng, 28 * A_DAY, 0.7))
    present = rng.random(len(values)) > 0.3
    present[10 * A_DAY : 12 * A_DAY] = False
    whole, gappy = _advice(values), _advice(values, present=present)
    assert gappy.ours.request == pytest.approx(whole.ours.request, rel=0.05)


@pytest.mark.parametrize(
    ("days", "every", "said"), [(6, 1, "6.0 days"), (14, 36, "points"), (0, 1, "no sample")]
)
def test_too_little_history_gives_no_advice(days, every, said):
    from workbench.capacity.sizing.cpu import cpu_obstacle

    values = np.ones(days * A_DAY)
    present = np.arange(len(values)) % every == 0
    assert _advice(values, present=present) is None
    times = grid(days)[present]
    found = cpu_obstacle(Usage(times, values[present], hours_of_week(times, "UTC")))
    assert said in found


def test_todays_request_and_limit_are_judged():
    values = np.tile(np.repeat([0.2, 0.8], A_DAY // 2), 14)
    advice = _advice(values, cpu_request=0.5, cpu_limit=0.8)
    assert advice.chance_now == pytest.approx(0.5, abs=0.01)
    assert advice.at_limit == pytest.approx(0.5)
    assert advice.limit is None
    assert _advice(values, cpu_limit=0.7, limit="keep").limit == pytest.approx(
        advice.ours.request, rel=1e-9
    )
    assert _advice(values, limit="keep").limit is None


def test_only_working_hours_count_where_they_are_asked_for():
    at = np.arange(28 * A_DAY)
    hour, weekday = at % A_DAY // 12, at // A_DAY % 7
    working = (weekday < 5) & (hour >= 8) & (hour < 18)
    values = np.where(working, 0.3, 2.0) * np.random.default_rng(8).uniform(0.95, 1.05, len(at))
    assert _advice(values).ours.request > 1.9
    assert _advice(values, hours="mon-fri 08:00-18:00").ours.request == pytest.approx(
        0.31, abs=0.02
    )


def test_hours_follow_the_local_clock_over_a_change_of_it():
    # 29 March 2026, a Sunday: 02:00 becomes 03:00 in Berlin at 01:00 UTC.
    start = 1_774_742_400_000
    times = start + (np.arange(4) + 1) * 3_600_000
    assert (hours_of_week(times, "Europe/Berlin") - 144).tolist() == [1, 3, 4, 5]
    assert (hours_of_week(times, "UTC") - 144).tolist() == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("mon-fri 08:00-18:00", 50),
        ("sat,sun", 48),
        ("sun-mon 0-24", 48),
        ("22-06", 56),
        ("mon 8-12; mon 11-13", 5),
    ],
)
def test_working_hours_are_read(text, hours):
    assert sum(parse_hours(text).slots) == hours


@pytest.mark.parametrize("text", ["noon", "mon 8-8", "mon 25-26", "mo-fr 8-18", "mon 8:30-9", "; "])
def test_other_hours_are_refused_with_an_example(text):
    with pytest.raises(InputError, match="are no hours of a week: write days and hours such as"):
        parse_hours(text)
    with pytest.raises(InputError, match="not a time zone: give an IANA name"):
        hours_of_week(grid(1), "Berlin/../etc")
