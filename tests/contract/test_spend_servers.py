"""`wb.spend` on real servers that hold what single requests are known to have used and cost."""

from __future__ import annotations

import itertools
import json
from datetime import timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
import spend_company as company
from servers import blocks_from, exposition, import_into, needs, prometheus, victoriametrics

import workbench
from workbench.session.spend.reconciling import reconcile_study
from workbench.spend.exports.focus import FocusAccount, focus_table

pytestmark = pytest.mark.servers

KEYS = ["day", "provider", "model", "team", "application", "profile"]
FIGURES = ["input", "cache_read", "output", "requests", "errors", "rate_limited", "lost"]
PERIOD = slice(-7, None)

MACHINES = """
[[machine]]
name = "gpu"
price_per_hour = "0.80"
count_from = "count(DCGM_FI_DEV_GPU_UTIL)"
serves = { profile = "vllm", model = "meta/*" }
"""


@pytest.fixture(scope="module")
def accounts():
    """All requests."""
    return company.company()


@pytest.fixture(scope="module")
def money(accounts):
    """What each request to a model with a price cost, by model."""
    every = [a for group in accounts.values() for a in group if a.provider != "vllm"]
    return {a.model: a.money() for a in every}


@pytest.fixture(scope="module")
def studies(accounts, tmp_path_factory):
    """The same study of the same samples: in memory, in a Prometheus, in a VictoriaMetrics."""
    folder = tmp_path_factory.mktemp("company")
    machines, text = folder / "machines.toml", folder / "company.openmetrics"
    machines.write_text(MACHINES)
    series = company.scraped(accounts)
    with text.open("w") as file:
        file.writelines(exposition(series, per_second=1))
        file.write("# EOF\n")
    blocks_from(needs("promtool"), text, folder / "data", longest="1000h")

    def study(source):
        return (
            workbench.connect(source)
            .spend(
                history=f"{len(company.DAYS)}d", end=company.END_MS / 1000, timezone=company.ZONE,
                units="tickets_resolved_total", machines=str(machines),
            )
            .result
        )  # fmt: skip

    result = {"memory": study(workbench.snapshot(series))}
    with prometheus(folder) as server:
        result["prometheus"] = study(server.url)
    with victoriametrics(folder / "victoriametrics") as server:
        import_into(server.url, series)
        result["victoriametrics"] = study(server.url)
    return result


@pytest.fixture(params=["memory", "prometheus", "victoriametrics"])
def result(studies, request):
    """The study of one of them."""
    return studies[request.param]


def by_day(numbers, amounts):
    """Sums of requests' amounts by the number of their day."""
    sums = [Decimal(0)] * len(company.DAYS)
    for number, amount in zip(numbers, amounts, strict=True):
        if 0 <= number < len(sums):
            sums[number] += amount
    return np.array(sums).astype(float)


def found_money(result, model):
    """Spend of a model by day of the history."""
    sums = result.history.sums(("day", "model"))
    own = sums[sums["model"].astype(str) == model].sort_values("day")
    return own["amount"].astype(float).to_numpy()


def test_tokens_and_requests_of_each_day_are_those_of_the_requests(accounts, result):
    """Exactly, but on the day of the restart, of which less is known and that is told."""
    table = result.reading.table
    restart = company.DAYS.index(company.RESTART_DAY)
    for account in (a for group in accounts.values() for a in group):
        own = table[table["model"].astype(str) == account.model].groupby("day")
        found = own[["input", "cache_read", "output", "requests"]].sum().to_numpy()
        days = account.scraped_days
        each = np.column_stack([account.tokens, np.ones(len(days))])
        each[:, 0] -= each[:, 1]
        truth = np.stack([each[days == n].sum(axis=0) for n in range(len(company.DAYS))])
        clean = np.arange(len(truth)) != restart
        np.testing.assert_allclose(found[clean], truth[clean], rtol=1e-12)
        missed = (truth - found)[restart, :3].sum()
        rows = (table["model"].astype(str) == account.model).to_numpy()
        rows = rows & (table["day"].dt.date == company.RESTART_DAY).to_numpy()
        assert 0 <= missed <= (result.reading.bounds["high"][rows] - found[restart, :3].sum()).sum()


def test_spend_of_each_day_is_the_sum_of_its_requests(accounts, money, result):
    """Of those asleep at midnight exactly, with 23 hours too; all together within 0.5 %."""
    restart = company.DAYS.index(company.RESTART_DAY)
    clean = np.arange(len(company.DAYS)) != restart
    truth = np.zeros(len(company.DAYS))
    for account in (a for group in accounts.values() for a in group if a.model in money):
        found, costs = found_money(result, account.model), money[account.model]
        days = by_day(account.days, costs)
        truth += days
        seen = by_day(account.scraped_days, costs)
        np.testing.assert_allclose(found[clean], seen[clean], rtol=1e-6)
        if not account.night:
            np.testing.assert_allclose(found[clean], days[clean], rtol=1e-6)
    daily = result.daily.sort_values("day")
    np.testing.assert_allclose(daily["amount"], truth, rtol=0.005)
    assert (daily["low"] <= truth * 1.005).all()
    assert (daily["high"] >= truth * 0.995).all()


def test_the_period_by_team_and_model_lies_within_its_bounds(accounts, money, result):
    """To the cent, but for what the restart hid; the models are all there, and no other."""
    table = result.by("team", "model").set_index("model")
    assert set(table.index) == {a.model for group in accounts.values() for a in group}
    for account in (a for group in accounts.values() for a in group if a.model in money):
        row = table.loc[account.model]
        truth = by_day(account.days, money[account.model])[PERIOD].sum()
        assert row["team"] == account.team
        assert float(row["amount"]) == pytest.approx(truth, rel=0.005, abs=0.006)
        assert row["low"] * 0.995 <= truth <= row["high"] * 1.005
        assert row["unpriced"] == 0
    assert table.loc["llama-3.1-8b", "amount"] is None


def test_a_client_and_the_server_behind_it_count_once(result):
    """VLLM sees nine requests of ten of what the client counts: the same traffic."""
    told = [f for f in result.findings if f.code == "LLM-SAME-TRAFFIC"]
    assert len(told) == 1
    assert "llama-3.1-8b" in told[0].about
    assert set(result.history.usage["profile"].astype(str)) == {"litellm", "otel_genai"}


def test_a_success_costs_what_the_requests_cost_by_those_that_helped(accounts, money, result):
    desk = accounts["gateway"][0]
    solved = int(desk.solved[desk.days >= len(company.DAYS) - 7].sum())
    spent = by_day(desk.days, money[desk.model])[PERIOD].sum()
    costs = result.answers.unit_costs.to_dict()["costs"]
    (cost,) = [
        c for c in costs
        if c["measure"] == "tickets_resolved_total" and c["application"] == desk.application
    ]  # fmt: skip
    assert cost["count"] == solved
    assert cost["cost"] == pytest.approx(spent / solved, rel=0.005)


def test_refusals_and_what_was_left_are_those_of_the_requests(accounts, result):
    limits = result.answers.rate_limits
    refused = {r.model: r.refused for r in limits.refusals}
    truth = {
        a.model: a.refused[a.scraped_days >= len(company.DAYS) - 7].sum()
        for group in accounts.values()
        for a in group
    }
    assert set(refused) == set(truth)
    for model, count in truth.items():
        assert count - 2 <= refused[model] <= count, model  # the restart may have hidden some
    (left,) = limits.remaining
    assert (left.model, left.lowest, left.highest) == ("gpt-4o", 20, 500)


def test_machines_are_paid_while_they_are_there(result):
    """Seven days of 167 hours in all, two GPUs, one of which was away for one of the days."""
    (machine,) = result.answers.self_hosted.machines
    assert machine.hours == machine.hours_low == machine.hours_high == 2 * 167 - 24
    assert machine.amount == Decimal("0.80") * 310
    (model,) = result.answers.self_hosted.models
    assert model.model == "meta/llama-3.1-8b"


def test_sums_by_any_two_dimensions_and_the_focus_export_add_up_to_the_same(studies):
    result = studies["prometheus"]
    total = result.priced.total()["USD"]
    for pair in itertools.combinations(("day", "provider", "model", "team", "application"), 2):
        assert result.priced.sums(pair)["amount"].dropna().sum() == total
        cents = result.by(*pair)["amount"].dropna()
        assert abs(cents.sum() - total) <= Decimal("0.005") * len(cents)
    table = focus_table(result.priced, FocusAccount("acme", "Acme", zone=company.ZONE)).table
    assert table["BilledCost"].sum() == total
    sums = table.groupby("x_Model")["BilledCost"].sum()
    for model, amount in result.by("model").dropna().set_index("model")["amount"].items():
        assert abs(sums[model] - amount) <= Decimal("0.005")
    off = table["PricingQuantity"] * table["ContractedUnitPrice"] - table["BilledCost"]
    assert off.abs().max() <= Decimal("1e-9")


PRICES = {"gpt-4o": ("2.5", "1.25", "10"), "gpt-4o-mini": ("0.15", "0.075", "0.6")}
"""Dollars a million tokens of input, cached input and output."""


def test_an_invoice_of_the_requests_shows_what_went_past_the_gateway(accounts, studies, tmp_path):
    """Seven tokens of a hundred of one model, planted; the rest agrees."""
    days, planted = company.DAYS[1:-1], Decimal(0)
    lines = ["start_time_iso,end_time_iso,amount_value,amount_currency,line_item,quantity"]
    for account in (a for a in accounts["gateway"] if a.model in PRICES):
        more = Decimal("0.07") if account.model == "gpt-4o" else Decimal(0)
        for number, day in enumerate(days, 1):
            whole, cached, output = account.tokens[account.days == number].sum(axis=0).tolist()
            classes = ("input", "cached input", "output")
            used = zip(
                classes, (whole - cached, cached, output), PRICES[account.model], strict=True
            )
            for name, tokens, price in used:
                past = int(tokens * more)
                planted += past * Decimal(price) / 1_000_000
                money = (tokens + past) * Decimal(price) / 1_000_000
                lines.append(
                    f"{day}T00:00:00Z,{day + timedelta(days=1)}T00:00:00Z,{money},usd,"
                    f'"{account.model}, {name}",{tokens + past}'
                )
    path = tmp_path / "costs.csv"
    path.write_text("\n".join(lines))
    found = reconcile_study(studies["prometheus"], str(path), until=days[-1].isoformat())
    table = found.result.to_table()
    kinds = table[table["amount"].abs() > 0.005]
    assert kinds[["kind", "model"]].to_numpy().tolist() == [["traffic past the gateway", "gpt-4o"]]
    assert float(kinds["amount"].iloc[0]) == pytest.approx(float(planted), rel=0.01)


@pytest.mark.parametrize("server", ["prometheus", "victoriametrics"])
def test_the_servers_tell_what_the_embedded_engine_tells(studies, server):
    ours, theirs = studies["memory"], studies[server]
    for one, other in ((ours.reading.table, theirs.reading.table), (ours.daily, theirs.daily)):
        keys = [k for k in [*KEYS, "currency"] if k in one.columns]
        figures = [f for f in [*FIGURES, "amount", "low", "high"] if f in one.columns]
        a, b = (
            t.astype(dict.fromkeys([k for k in keys if k != "day"], str)).set_index(keys)[figures]
            for t in (one, other)
        )
        pd.testing.assert_frame_equal(a.sort_index(), b.sort_index(), rtol=1e-9, atol=1e-9)
    pd.testing.assert_frame_equal(ours.to_table(), theirs.to_table(), rtol=1e-9)
    ours, theirs = ours.answers, theirs.answers
    assert text(ours.unit_costs) == text(theirs.unit_costs)
    assert text(ours.waste) == text(theirs.waste)
    assert ours.self_hosted.machines == theirs.self_hosted.machines


def text(answer):
    """An answer as JSON, its numbers to nine digits."""
    data = json.loads(json.dumps(answer.to_dict(), default=str), parse_float=float)
    return json.dumps(_rounded(data), sort_keys=True)


def _rounded(data):
    if isinstance(data, dict):
        return {key: _rounded(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_rounded(value) for value in data]
    return float(f"{data:.9g}") if isinstance(data, float) else data
