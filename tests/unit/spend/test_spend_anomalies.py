"""Planted anomalies are found, told once, and put down to who made them and why; noise is not told."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from spend_anomaly_estate import START, Account, company, estate

from workbench.findings import Severity
from workbench.spend.changes.anomalies import find_anomalies
from workbench.spend.changes.anomaly_findings import conclude_anomalies
from workbench.spend.changes.departures import Search
from workbench.spend.changes.ordinary import Fit, Ordinary, Span

WEEK = np.array([1.0, 1.05, 1.1, 1.05, 0.95, 0.4, 0.3])
FACTORS = {
    "requests": "requests",
    "input": "input per request",
    "output": "output per request",
    "cached": "cached share of input",
}


def found(accounts, days=35, **how):
    """The anomalies of the last week of an estate."""
    history, dates = estate(accounts, days, **how)
    return find_anomalies(history, dates, first=dates[-7], last=dates[-1])


def one(accounts, days=35, **how):
    (anomaly,) = found(accounts, days, **how)
    return anomaly


def noise(rng, series, days, spread, *, growth=0.003, ends=0.0, first=20_600):
    """Log-normal daily spend with weekdays, growth and month ends, shape (series, days)."""
    numbers = np.arange(first, first + days)
    month, later = ((numbers + d).astype("datetime64[D]").astype("datetime64[M]") for d in (0, 2))
    usual = WEEK[numbers % 7] * np.exp(growth * np.arange(days) + ends * (month != later))
    return numbers, usual * rng.lognormal(3, 1, (series, 1)) * np.exp(
        rng.normal(0, spread, (series, days))
    )


@pytest.mark.parametrize(
    ("spread", "ends", "weeks"), [(0.1, 0.0, 13), (0.25, 0.0, 13), (0.1, 0.3, 6)]
)
def test_twenty_groups_give_about_one_false_alarm_a_quarter(spread, ends, weeks):
    """At most 3 in 13 weekly reports: of a Poisson count with mean 1, 98 % have no more."""
    alarms = 0
    for week in range(weeks):
        rng = np.random.default_rng(week)
        numbers, spend = noise(rng, 20, 35, spread, ends=ends, first=20_600 + 7 * week)
        search = Search(Ordinary.of(numbers), 28, 34, 20)
        alarms += sum(map(len, search.run(spend)))
    assert alarms <= 3


def power(size, spread, runs, start, stop=None):
    """How many planted departures are found, and the days by which their beginning is missed."""
    missed = []
    for seed in range(runs):
        numbers, spend = noise(np.random.default_rng(seed), 1, 35, spread)
        spend[:, start:stop] *= size
        ones = Search(Ordinary.of(numbers), 28, 34, 21).run(spend)[0]
        missed += [d.start - start for d in ones if d.size > 0 and abs(d.start - start) <= 3]
    return len(missed) / runs, missed


def test_a_day_of_twice_the_spend_is_found_among_twenty_groups():
    """With 10 % of noise four in five, with 5 % all, on the right day."""
    share, missed = power(2.0, 0.1, 30, 31, 32)
    assert share >= 0.65
    assert not any(missed)
    assert power(2.0, 0.05, 10, 31, 32)[0] == 1.0


def test_a_lasting_rise_by_a_third_is_found_after_a_week():
    """With 5 % of noise nine in ten, within a day."""
    share, missed = power(1.3, 0.05, 30, 28)
    assert share >= 0.8
    assert np.mean(np.abs(missed)) <= 0.5


@pytest.mark.parametrize("name", FACTORS)
@pytest.mark.parametrize(("start", "stop", "kind"), [(31, 32, "spike"), (28, None, "shift")])
def test_who_and_why_are_told_of_what_was_planted(name, start, stop, kind):
    """Each cause in a team, once, with the right cause first, and causes that add up."""
    accounts = company(3)
    who = accounts[1]
    who.model, who.requests, who.input, who.cached = "claude", 40_000, 6_000.0, 0.8
    who.change(start, stop, **{name: 0.05 if name == "cached" else 3.0})
    anomaly = one(accounts, seed=1)
    assert [c.values["team"] for c in anomaly.who] == [who.team]
    assert anomaly.causes[0].factor.value == FACTORS[name]
    assert (anomaly.kind.value, anomaly.first) == (kind, START + timedelta(days=start))
    assert sum(c.money for c in anomaly.causes) == pytest.approx(float(anomaly.excess), abs=0.01)


def test_what_was_to_be_expected_is_what_would_have_been():
    """The same estate without the plant, by the same noise, lies within 3 % and mostly within 80 %."""
    inside, errors = [], []
    for seed in range(6):
        plain, dates = estate(company(3), seed=seed)
        rows = plain.usage["team"].astype(str).to_numpy() == "team-1"
        late = (plain.usage["day"].dt.date >= dates[28]).to_numpy()
        truth = float(plain.rows.loc[rows & late, "amount"].sum()) * 1e-9
        accounts = company(3)
        accounts[1].change(28, requests=2.0)
        anomaly = one(accounts, seed=seed)
        inside.append(float(anomaly.low) <= truth <= float(anomaly.high))
        errors.append(float(anomaly.expected) / truth - 1)
    assert abs(np.mean(errors)) < 0.05
    assert sum(inside) >= 3


def test_a_prompt_version_that_took_another_s_place_is_named():
    old = Account(team="s", application="bot", prompt_version="v7", cached=0.55).change(
        28, requests=0
    )
    new = Account(team="s", application="bot", prompt_version="v8", cached=0.10, input=6300.0)
    anomaly = one([*company(4), old, new.change(0, 28, requests=0)])
    (who,) = anomaly.who
    assert (who.values["prompt_version"], who.instead_of) == ("v8", {"prompt_version": "v7"})
    figures = {c.factor.value: (c.before, c.after) for c in anomaly.causes}
    assert figures["input per request"] == pytest.approx((2000, 6300), rel=0.01)
    assert figures["cached share of input"] == pytest.approx((0.55, 0.10), abs=0.01)
    assert "prompt version v8 in place of v7; input per request 2,000 → 6,300 tokens" in anomaly.why


def test_a_model_that_took_another_s_place_is_told_of_the_application_once():
    accounts = company(4)
    accounts[2].change(28, requests=0)
    new = Account(team="team-2", application="app-2", model="claude").change(0, 28, requests=0)
    anomaly = one([*accounts, new])
    assert anomaly.level == "application"
    assert anomaly.who[0].instead_of == {"model": "mini"}
    assert anomaly.causes[0].factor.value == "model"


def test_a_model_of_like_cost_that_took_another_s_place_is_no_anomaly():
    accounts = company(4)
    accounts[0].change(28, requests=0)
    new = Account(team="team-0", application="app-0", model="claude", requests=60_000, output=210.0)
    assert not found([*accounts, new.change(0, 28, requests=0)])


def test_one_user_is_named_and_a_large_one_is_not_to_blame_for_what_all_do():
    users = [Account(team="t", application="a", user=f"u{n}", requests=3000) for n in range(8)]
    users[5].change(31, 32, requests=20)
    assert one([*company(3), *users]).who[0].values["user"] == "u5"
    users = [Account(team="t", application="a", user=f"u{n}", requests=3000) for n in range(8)]
    users[0].requests = 300_000
    anomaly = one([*company(3), *(u.change(31, 32, requests=2) for u in users)])
    assert "user" not in anomaly.who[0].values


def test_a_dearer_price_in_several_teams_is_one_anomaly():
    accounts = [
        Account(team=f"t{n}", application=f"a{n}", model="claude" if n < 4 else "gpt")
        for n in range(8)
    ]
    anomaly = one(accounts, dearer=("claude", 28, 1.4))
    assert anomaly.level == "several groups"
    assert {c.values["model"] for c in anomaly.who} == {"claude"}
    assert anomaly.causes[0].factor.value == "price"
    assert anomaly.causes[0].after / anomaly.causes[0].before == pytest.approx(1.4, rel=1e-3)


def test_a_small_team_s_explosion_is_not_hidden_by_a_large_one_s_noise():
    small = Account(team="small", application="x", requests=1000).change(33, requests=10)
    anomaly = one([Account(requests=200_000), small], noise=0.08)
    assert (anomaly.who[0].values["team"], anomaly.share < 0.1) == ("small", True)


def test_spend_that_vanished_and_spend_that_is_new_are_each_told_once():
    gone = company(4)
    gone[0].change(30, requests=0)
    drop = one(gone)
    assert (drop.excess < 0, drop.first) == (True, START + timedelta(days=30))
    assert drop.actual == 0
    fresh = one([*company(4), Account(team="new").change(0, 29, requests=0)])
    assert fresh.who[0].values["team"] == "new"
    assert (drop.share, fresh.share) == (pytest.approx(-0.5, abs=0.3), pytest.approx(0.15, abs=0.1))


def test_a_surge_that_ended_has_an_end_and_what_was_over_before_is_not_told():
    ended, over = company(3), company(3)
    ended[0].change(20, 30, requests=2.0)
    over[0].change(12, 20, requests=2.0)
    anomaly = one(ended)
    assert (anomaly.first, anomaly.last) == (START + timedelta(days=20), START + timedelta(days=29))
    assert not found(over)


def test_a_month_end_alone_is_no_anomaly():
    """One month end within five weeks, 35 % above the other days: it may well be like the others."""
    for seed in range(2):
        assert not found(company(5), seed=seed, ends=0.3, start=date(2026, 4, 2))


@pytest.mark.parametrize("days", [8, 13])
def test_less_than_two_weeks_tell_nothing(days):
    accounts = company(2)
    accounts[0].change(6, 7, requests=10)
    assert not found(accounts, days)


def test_days_that_were_not_seen_are_not_taken_for_days_without_spend():
    history, dates = estate(company(3))
    hidden = (history.usage["day"].dt.date >= dates[32]).to_numpy()
    part = SimpleNamespace(usage=history.usage[~hidden], rows=history.rows[~hidden])
    ask = {"first": dates[-7], "last": dates[-1]}
    assert not find_anomalies(part, dates[:32], **ask)
    assert {a.first for a in find_anomalies(part, dates, **ask)} == {dates[32]}


def test_currencies_are_looked_at_apart_and_what_has_no_price_is_in_none():
    accounts = [*company(2), Account(team="own", model="unlisted").change(31, 32, requests=50)]
    assert not found(accounts)


def test_requests_that_are_not_counted_leave_tokens_as_the_cause():
    accounts = company(3)
    accounts[1].change(31, 32, requests=3.0)
    history, dates = estate(accounts)
    history.usage["requests"] = np.nan
    (anomaly,) = find_anomalies(history, dates, first=dates[-7], last=dates[-1])
    assert anomaly.causes[0].factor.value == "tokens"


def test_the_finding_names_the_team_and_its_severity_follows_the_size():
    accounts = company(5)
    accounts[4].change(31, 32, input=3.0)
    large = company(5)
    large[0].change(28, requests=4.0)
    drop = company(5)
    drop[0].change(28, requests=0.0)
    (small,), (big,), (less,) = (
        list(conclude_anomalies(found(a))) for a in (accounts, large, drop)
    )
    assert (small.code, small.owner) == ("LLM-ANOMALY", "team-4")
    assert small.next_step.startswith("ask team-4; look for longer instructions")
    assert (big.severity, less.severity) == (Severity.WARNING, Severity.INFO)
    assert "exported" in less.next_step


def test_the_json_form_has_money_as_text_and_all_that_is_told():
    accounts = company(3)
    accounts[0].change(31, 32, requests=3.0)
    told = one(accounts).to_dict()
    assert (told["kind"], told["first"], told["last"]) == ("spike", "2026-06-25", "2026-06-25")
    assert float(told["actual"]) - float(told["expected"]) == pytest.approx(
        float(told["excess"]), abs=0.011
    )
    assert told["what"].endswith("USD)")


def test_the_regression_is_generalised_least_squares():
    """Size and error against the textbook's formula with the whole covariance, gaps included."""
    numbers, spend = noise(np.random.default_rng(2), 1, 38, 0.1)
    seen = np.delete(np.arange(38), [5, 6, 20])
    ordinary, span = Ordinary.of(numbers[seen]), Span(31, 32)
    fit = Fit.of(ordinary, spend[0, seen], [span])
    logs = ordinary.logarithms(spend[:, seen])[0][0]
    design = np.column_stack([ordinary.base, ordinary.columns([span])])
    precision = np.linalg.inv(fit.phi ** np.abs(np.subtract.outer(seen, seen)))
    covariance = np.linalg.inv(design.T @ precision @ design)
    beta = covariance @ design.T @ precision @ logs
    left = logs - design @ beta
    variance = left @ precision @ left / (len(seen) - design.shape[1]) + Fit.FLOOR**2
    assert fit.size(span) == pytest.approx(beta[-1])
    assert fit.scores()[0] == pytest.approx(abs(beta[-1]) / np.sqrt(variance * covariance[-1, -1]))
