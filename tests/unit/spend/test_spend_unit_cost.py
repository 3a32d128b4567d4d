"""Costs per request and per unit of success against single requests, and what is said of versions."""

from __future__ import annotations

import json
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from spend_unit_estate import FIRST, START, STEP, counters, simulate, study

from workbench.errors import InputError, SettingsError
from workbench.spend.counting.days import CalendarDays
from workbench.spend.prices import Prices, price
from workbench.spend.unit_cost.conclusions import conclude_unit_costs
from workbench.spend.unit_cost.costs import UnitCosts, unit_costs
from workbench.spend.unit_cost.differences import PerRequest, difference
from workbench.spend.unit_cost.placing import told_days
from workbench.spend.unit_cost.planning import plan_units
from workbench.spend.unit_cost.spec import load_units
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

pytest.importorskip("genai_prices")

DAYS = 10
LAST = FIRST + timedelta(days=DAYS - 1)
V1 = {"input": 1800, "cached": 0.5, "output": 260, "success": 0.6}
V2 = {"input": 3600, "cached": 0.1, "output": 260, "success": 0.6}
UNIT = 'tickets_total{status="ok"}'


def judged(requests, **given) -> UnitCosts:
    history, extras, units = study(counters(requests, DAYS), DAYS, **given)
    return unit_costs(history, None, units, first=FIRST, last=LAST, extras=extras)


def row(costs: UnitCosts, measure: str, version: str = "", level: str = "version"):
    table = costs.table
    found = table[(table["measure"] == measure) & (table["level"] == level)]
    found = found[found["prompt_version"] == version] if version else found
    assert len(found) == 1
    return found.iloc[0]


def pair(costs: UnitCosts, measure: str):
    return next(p for p in costs.pairs if p.measure == measure and not p.newer.model)


@pytest.fixture(scope="module")
def successive():
    """Version two follows version one after five days."""
    requests = simulate(DAYS, {"v1": {**V1, "days": (0, 5)}, "v2": {**V2, "days": (5, 10)}})
    return requests, judged(requests)


@pytest.fixture(scope="module")
def together():
    """Both run side by side; the second costs more, and succeeds far more often."""
    better = {**V2, "input": 2400, "success": 0.95}
    requests = simulate(DAYS, {"v1": {**V1, "success": 0.3}, "v2": better})
    return requests, judged(requests)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_costs_are_those_of_single_requests(successive, version):
    """Spend, requests, served requests and tickets, through counters, a restart and prices."""
    requests, costs = successive
    mine, cost = requests.of(version), requests.cost(version)
    found = row(costs, "request", version)
    assert found["spend"] == pytest.approx(cost, rel=1e-9)
    assert found["cost"] == pytest.approx(cost / len(mine), rel=1e-9)
    served = row(costs, "served request", version)
    assert served["cost"] == pytest.approx(cost / (~mine["failed"]).sum(), rel=1e-9)
    tickets = row(costs, UNIT, version)
    assert tickets["cost"] == pytest.approx(cost / mine["success"].sum(), rel=1e-9)
    assert tickets["low"] == tickets["cost"] == pytest.approx(tickets["high"])


def test_all_versions_together_and_the_whole_unit(successive):
    """An application's cost is the ratio of its sums, not a mean of its versions'."""
    requests, costs = successive
    whole = requests.cost() / requests.table["success"].sum()
    assert row(costs, UNIT, level="application")["cost"] == pytest.approx(whole)
    assert row(costs, UNIT, level="unit")["cost"] == pytest.approx(whole)


def test_versions_one_after_the_other(successive):
    """The ratio is that of single requests, chance does not explain it, and time might."""
    requests, costs = successive
    found = pair(costs, "request")
    each = [requests.cost(v) / len(requests.of(v)) for v in ("v1", "v2")]
    assert found.found.ratio == pytest.approx(each[1] / each[0])
    assert found.significant
    assert not found.paired
    assert found.successive


def test_the_causes_add_up_and_are_those_planted(successive):
    """Twice the input and a cache that no longer hits: output and prices are as they were."""
    found = pair(successive[1], "request")
    causes = found.requests[2]
    more = found.newer.cost - found.older.cost
    parts = [causes.input, causes.cached, causes.output, causes.price]
    assert sum(parts) == pytest.approx(more)
    assert causes.input > 0.4 * more
    assert causes.cached > 0.2 * more
    assert abs(causes.output) < 0.1 * more
    assert causes.price == pytest.approx(0, abs=1e-12)


def test_a_dearer_version_is_a_warning_that_says_what_it_cannot_tell(successive):
    """By success, with the request beside it, causes, and the confounding."""
    (finding,) = conclude_unit_costs(successive[1])
    assert (finding.code, finding.severity) == ("LLM-UNIT-COST", "warning")
    assert finding.about == f"help/bot v2, {UNIT}"
    for said in ("input tokens", "from the cache", "one ran after the other", "one request"):
        assert said in finding.what


def test_dearer_by_request_and_cheaper_by_success_is_good_news(together):
    """Side by side, so that time explains nothing."""
    _, costs = together
    by_request, by_ticket = pair(costs, "request"), pair(costs, UNIT)
    assert by_request.found.low > 1
    assert by_ticket.found.high < 1
    assert by_request.paired
    assert by_ticket.paired
    (finding,) = conclude_unit_costs(costs)
    assert finding.severity == "info"
    assert "good news" in finding.what
    assert "on the same days" in finding.what


def test_dearer_by_request_alone_is_told_with_what_is_not_shown():
    """Half as much again for a request, and half as many tickets again: a ticket costs the same."""
    even = {**V2, "input": 2400, "success": 0.76}
    costs = judged(simulate(DAYS, {"v1": {**V1, "success": 0.5}, "v2": even}))
    (finding,) = conclude_unit_costs(costs)
    assert finding.severity == "info"
    assert "is not shown" in finding.what
    assert "side by side" in finding.next_step


def test_side_by_side_causes_add_up_to_the_difference_on_those_days(together):
    """The mean requests have the ratio that was tested."""
    found = pair(together[1], "request")
    before, after, causes = found.requests
    each = [r.money.sum() + r.fee for r in (before, after)]
    assert each[1] / each[0] == pytest.approx(found.found.ratio)
    parts = [causes.input, causes.cached, causes.output, causes.price]
    assert sum(parts) == pytest.approx(each[1] - each[0])


def test_two_days_are_too_few():
    """The reason stands in place of a ratio, and nothing is concluded."""
    requests = simulate(DAYS, {"v1": {**V1, "days": (0, 8)}, "v2": {**V2, "days": (8, 10)}})
    costs = judged(requests, units=())
    found = pair(costs, "request")
    assert found.found is None
    assert "2 days" in found.reason
    assert not list(conclude_unit_costs(costs))


def test_without_a_counter_of_success_requests_are_judged():
    """The warning is by request."""
    requests = simulate(DAYS, {"v1": {**V1, "days": (0, 5)}, "v2": {**V2, "days": (5, 10)}})
    (finding,) = conclude_unit_costs(judged(requests, units=()))
    assert finding.about == "help/bot v2, request"


def test_a_restart_of_the_application_is_counted_and_bounded(together):
    """Tickets are those of the truth; what the restart may have hidden is in the upper bound."""
    requests, _ = together
    series = counters(requests, DAYS)
    labels, times, values = series[-1]
    after = times > START + 5 * 86_400_000 + 36_000_000
    series[-1] = (labels, times, np.where(after, values - values[~after][-1], values))
    (counts,) = study(series, DAYS)[2]
    mine = counts.table[counts.table["prompt_version"] == "v2"]
    assert counts.resets == 1
    assert mine["units"].sum() == requests.of("v2")["success"].sum()
    assert mine["low"].sum() == mine["units"].sum() < mine["high"].sum()


def test_a_counter_that_was_added_later_does_not_make_success_dear():
    """Tickets are counted from the fourth day on: the days before say nothing of their cost."""
    requests = simulate(DAYS, {"v1": V1})
    series = counters(requests, DAYS)
    labels, times, values = series[-1]
    late = times >= START + 3 * 86_400_000 + 7_200_000
    series[-1] = (labels, times[late], values[late] - values[late][0])
    history, _, units = study(series, DAYS)
    costs = unit_costs(history, None, units, first=FIRST, last=LAST)
    true = requests.cost(since=4) / requests.of(since=4)["success"].sum()
    found = row(costs, UNIT, level="application")
    assert found["days"] == 6
    assert found["cost"] == pytest.approx(true)


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("nothing_total", "has no series"),
        ('tickets_total{status="ok",job="other"}', "has no series"),
    ],
)
def test_a_counter_that_is_not_there_is_told(successive, unit, said):
    """One finding, and no cost."""
    costs = judged(successive[0], units=(unit,))
    found = [f for f in conclude_unit_costs(costs) if f.code == "LLM-UNITS-MISSING"]
    assert len(found) == 1
    assert said in found[0].what
    assert unit not in set(costs.table["measure"])


def test_a_counter_by_other_names_is_told(successive, tmp_path):
    """A label that the unit names, with values that no spend has."""
    path = tmp_path / "units.toml"
    path.write_text(
        'version = 1\n[[unit]]\nname = "ticket"\ncounter = "tickets_total"\n'
        'labels = { application = "instance" }\n'
    )
    costs = judged(successive[0], units=(path,))
    found = [f for f in conclude_unit_costs(costs) if f.code == "LLM-UNITS-MISSING"]
    assert "100 % of the units of ticket" in found[0].what


# -------------------------------------------------------------------- labels and sharing out


def usage(*rows):
    """The canonical table: nothing but what a row says."""
    plain = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
    plain |= {"profile": "p", "lost": 0.0, "cost": np.nan}
    made = pd.DataFrame([plain | r for r in rows], columns=list(COLUMNS))
    return made.astype({"day": "datetime64[ms]"})


def spent(day, app, version, tokens, requests, *, model="gpt-4o"):
    return {
        "day": f"2026-03-{day + 2:02}", "application": app, "prompt_version": version,
        "provider": "openai", "model": model, "input": tokens, "requests": requests,
    }  # fmt: skip


def test_errors_told_by_model_bound_what_each_application_was_served():
    """Ten errors of the model: between none and ten are each application's, shared by requests."""
    rows = [spent(d, a, "v", 1e6, n) for d in range(3) for a, n in (("a", 75.0), ("b", 25.0))]
    rows += [
        {"day": f"2026-03-{d + 2:02}", "provider": "openai", "model": "gpt-4o", "errors": 10.0}
        for d in range(3)
    ]
    costs = unit_costs(price(usage(*rows), Prices()), first=FIRST, last=LAST)
    found = costs.table[costs.table["measure"] == "served request"].set_index("application")
    assert found.loc["a", ["count", "count_low", "count_high"]].tolist() == [202.5, 195.0, 225.0]
    assert found.loc["b", ["count", "count_low", "count_high"]].tolist() == [67.5, 45.0, 75.0]


def test_units_that_do_not_tell_models_apart_have_no_cost_by_model():
    """A reason instead; the application as a whole is known."""
    rows = [
        spent(d, "bot", "v1", 1e6, 50.0, model=m)
        for d in range(3)
        for m in ("gpt-4o", "gpt-4o-mini")
    ]
    counts = counted_units([("bot", 10.0)] * 3)
    costs = unit_costs(price(usage(*rows), Prices()), None, [counts], first=FIRST, last=LAST)
    table = costs.table[costs.table["measure"] == "done_total"].set_index("level")
    assert table.loc["application", "cost"] == pytest.approx(3 * (2.5 + 0.15) / 30)
    assert table.loc["model", "cost"].isna().all()
    assert set(table.loc["model", "reason"]) == {"the counter does not tell it apart from others"}


def counted_units(amounts, **spec):
    """Units of an application a day, from the first day on."""
    from workbench.spend.unit_cost.reading import UnitCounts
    from workbench.spend.unit_cost.spec import UnitSpec

    made = pd.DataFrame(
        [
            dict.fromkeys(DIMENSIONS, "")
            | {"day": f"2026-03-{d + 2:02}", "application": app, "units": n, "low": n, "high": n}
            for d, (app, n) in enumerate(amounts)
        ]
    ).astype({"day": "datetime64[ms]"})
    unit = UnitSpec.model_validate({"counter": "done_total", **spec})
    return UnitCounts(unit, made.assign(moved=0.0), 1, 0)


def test_a_unit_is_set_against_the_spend_that_it_names():
    """Of two applications one has units; a glob says the same where no label does."""
    rows = [spent(d, a, "v1", 1e6, 50.0) for d in range(3) for a in ("bot", "other")]
    history = price(usage(*rows), Prices())
    for counts in (
        counted_units([("bot", 10.0)] * 3),
        counted_units([("", 10.0)] * 3, of={"application": "bo*"}),
    ):
        costs = unit_costs(history, None, [counts], first=FIRST, last=LAST)
        table = costs.table[costs.table["measure"] == "done_total"]
        assert set(table["application"]) == {"bot", ""}
        assert table["cost"].tolist() == pytest.approx([0.25, 0.25])


def test_a_label_that_means_something_else_is_left_out():
    """`user` of the counter has no value that spend has, and is not what units are set against."""
    rows = [spent(d, "bot", "v1", 1e6, 50.0) | {"user": "ann"} for d in range(3)]
    counts = counted_units([("bot", 10.0)] * 3)
    counts.table["user"] = "session-7"
    costs = unit_costs(price(usage(*rows), Prices()), None, [counts], first=FIRST, last=LAST)
    assert (costs.units[0].by, costs.units[0].ignored) == (("application",), ("user",))
    assert costs.units[0].unplaced == 0


def test_bounds_of_tokens_and_units_widen_the_cost():
    """Least money over most units, most money over least units."""
    rows = [spent(d, "bot", "v1", 1e6, 50.0) for d in range(3)]
    history = price(usage(*rows), Prices())
    counts = counted_units([("bot", 10.0)] * 3)
    counts.table["low"], counts.table["high"] = 8.0, 12.5
    bounds = pd.DataFrame({"low": [0.9] * 3, "high": [1.2] * 3})
    costs = unit_costs(history, bounds, [counts], first=FIRST, last=LAST)
    found = costs.table[costs.table["measure"] == "done_total"].iloc[0]
    assert found["low"] == pytest.approx(0.25 * 0.9 * 10 / 12.5)
    assert found["high"] == pytest.approx(0.25 * 1.2 * 10 / 8)


def test_requests_of_a_response_cache_are_told():
    """A share of the requests has no tokens."""
    rows = [spent(d, "bot", "v1", 1e6, 50.0) for d in range(3)]
    table = usage(*rows)
    extras = table[["day", *DIMENSIONS, "profile"]].assign(response_cache_hits=5.0)
    costs = unit_costs(price(table, Prices()), first=FIRST, last=LAST, extras=extras)
    found = costs.table.iloc[0]
    assert found[["cached", "cached_low", "cached_high"]].tolist() == [0.1, 0.1, 0.1]


def test_currencies_and_what_has_no_price_stay_apart():
    """Requests of an unpriced model are in no figure, and said."""
    rows = [spent(d, "bot", "v1", 1e6, 50.0) for d in range(3)]
    rows += [spent(d, "bot", "v1", 1e6, 70.0, model="nobody-knows") for d in range(3)]
    history = price(usage(*rows), Prices())
    costs = unit_costs(history, first=FIRST, last=LAST)
    assert costs.table["count"].tolist() == [150.0]
    assert costs.unpriced_requests == 210.0
    second = FIRST + timedelta(days=1)
    assert unit_costs(history, first=second, last=second).unpriced_requests == 70.0


def test_nothing_at_all():
    """Empty usage: empty tables, no error."""
    empty = usage()
    costs = unit_costs(
        price(empty, Prices()), None, [counted_units([("bot", 1.0)])], first=FIRST, last=LAST
    )
    assert (len(costs.table), costs.pairs) == (0, ())
    with pytest.raises(InputError, match="before it begins"):
        unit_costs(price(empty, Prices()), first=LAST, last=FIRST)


def test_the_json_form_is_json(successive):
    """Numbers that are not known are null."""
    text = json.dumps(successive[1].to_dict(), allow_nan=False)
    found = json.loads(text)
    assert found["pairs"][0]["older"]["version"] == "v1"
    assert {r["measure"] for r in found["costs"]} == {"request", "served request", UNIT}


def test_many_versions_are_compared_with_the_newest():
    """Eight versions: seven pairs, not 28."""
    rows = [
        spent(d, "bot", f"v{v}", 1e6 * (v + 1), 50.0)
        for d in range(9)
        for v in range(8)
        if d >= v / 3
    ]
    costs = unit_costs(price(usage(*rows), Prices()), first=FIRST, last=LAST)
    pairs = [p for p in costs.pairs if p.measure == "request"]
    assert len(pairs) == 7
    assert {p.newer.version for p in pairs} == {"v7"}


def test_a_class_that_only_one_of_two_has_leaves_no_remainder():
    """A cache that was not used before, and output that is new."""
    one = PerRequest(np.array([100.0, 0, 0, 0]), np.array([3.0, 0, 0, 0]), 0.1)
    two = PerRequest(np.array([40.0, 60, 10, 7]), np.array([1.2, 0.2, 0.4, 2.0]), 0.2)
    found = difference(one, two)
    total = two.money.sum() + two.fee - one.money.sum() - one.fee
    assert found.input + found.cached + found.output + found.price == pytest.approx(total)
    assert found.output == 2.0


def test_rare_successes_are_no_missing_counter():
    """No unit on the first days where few were to be expected: all days count."""
    assert told_days(np.array([0, 0, 1.0, 0, 1]), np.full(5, 10.0)).all()
    assert not told_days(np.zeros(3), np.ones(3)).any()


# -------------------------------------------------------------------- what is asked


def test_what_is_asked_is_the_counter_itself_and_its_targets():
    """Selectors with the conditions of all, in pieces that begin before the first day."""
    days = CalendarDays.between(date(2026, 3, 2), date(2026, 3, 4))
    plan = plan_units(load_units(["a_total", 'b_total{x="y"}']), days, STEP, jobs=["app"])
    assert [q.expression for q in plan.pieces[-1]] == [
        'up{job=~"app"}', 'process_start_time_seconds{job=~"app"}', "a_total", 'b_total{x="y"}',
    ]  # fmt: skip
    assert len({q.key for piece in plan.pieces for q in piece}) == sum(map(len, plan.pieces))
    assert plan_units((), days, STEP, jobs=["app"]).pieces == ()


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("rate(a_total[5m])", "not a plain selector"),
        ("a_total offset 1d", "not a plain selector"),
        ("a_total{", "is not PromQL"),
        ("", "unit of success"),
    ],
)
def test_what_is_no_counter_is_refused(given, said):
    """One message that says what to give."""
    with pytest.raises(InputError, match=said) as error:
        load_units([given])
    assert "give a counter" in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[[unit]]\nname = "a"', "counter"),
        ('[[unit]]\ncounter = "a"\nlabels = { app = "x" }', "'app' is no dimension"),
        ('[[unit]]\ncounter = "sum(a)"', "not a plain selector"),
        ('[[unit]]\ncounter = "a"\nscale = 0', "scale"),
        ('[[unit]]\ncounter = "a"\n[[unit]]\ncounter = "a"', "two units of success"),
        ("version = 2", "version"),
        ("[[unit", "not TOML"),
    ],
)
def test_a_file_that_is_wrong_is_refused(tmp_path, text, said):
    """One message, with the file's name or how such a file is written."""
    path = tmp_path / "units.toml"
    path.write_text(text)
    with pytest.raises(SettingsError, match=said):
        load_units([path])


def test_a_file_of_units(tmp_path):
    """All that a unit may say; a string stands for a list of one."""
    path = tmp_path / "units.toml"
    path.write_text(
        'version = 1\n[[unit]]\nname = "ticket"\ncounter = \'t_total{s="ok"}\'\n'
        'labels = { application = "app", team = ["squad", "team"] }\n'
        'of = { application = "bot*" }\nscale = 0.5\n'
    )
    (unit,) = load_units([str(path)])
    assert unit.labels_of("application") == ("app",)
    assert unit.labels_of("team") == ("squad", "team")
    assert (unit.of, unit.scale) == ({"application": ("bot*",)}, 0.5)
