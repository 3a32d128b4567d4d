"""The gateway's own cost beside ours: sums, bounds of our own, causes, and when it is a finding."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import pytest
from spend_switch_tables import book, table

from workbench.spend.own_cost import conclude_own_cost, own_costs
from workbench.spend.prices import Explanation, Prices, price

pytest.importorskip("genai_prices")

PRICES = Prices()


def costs(*rows, prices=None, **given):
    return own_costs(price(table(*rows), prices or PRICES, **given))


def test_cached_tokens_billed_as_input_are_found_with_their_money():
    """Ours: $2.50 + $1.25; the gateway's: two million at $2.50."""
    row = {"input": 1e6, "cache_read": 1e6, "cost": 5.0}
    [found] = costs(row, row | {"day": "2026-11-02"})
    assert (found.own, found.ours, found.difference) == (10, Decimal("7.5"), Decimal("2.5"))
    assert found.explanations == ((Explanation.CACHED_FULL.value, Decimal("2.5")),)
    assert found.share == pytest.approx(1 / 3)
    assert found.differs
    assert found.days == 2


def test_both_agree_within_a_hundredth():
    [found] = costs({"input": 1e7, "cost": 25.1})
    assert found.explanations == ()
    assert not found.differs


def test_the_gateways_figure_has_no_part_in_the_bounds_that_judge_it():
    """An unexplained figure stretches the bounds of the report; here it must not excuse itself."""
    priced = price(table({"input": 1e7, "cost": 77.0}), PRICES)
    assert int(priced.rows["high"].iloc[0]) == 77_000_000_000
    [found] = own_costs(priced)
    assert (found.low, found.high) == (25, 25)
    assert not found.within
    [finding] = conclude_own_cost(priced)
    assert (finding.code, finding.severity) == ("LLM-OWN-COST", "warning")


def test_a_figure_within_our_bounds_is_only_told():
    """gemini-2.5-pro: $12.50 below the tier and $25.00 above it; the gateway says $20."""
    row = {"provider": "google", "model": "gemini-2.5-pro", "input": 1e7, "cost": 20.0}
    priced = price(table(row), PRICES)
    [found] = own_costs(priced)
    assert found.within
    assert [f.severity for f in conclude_own_cost(priced)] == ["info"]


@pytest.mark.parametrize(
    ("cost", "told"), [(254.9, False), (255.1, True), (245.1, False), (0.0, True)]
)
def test_from_two_per_cent_on_it_is_a_finding(cost, told):
    assert bool(list(conclude_own_cost(price(table({"input": 1e8, "cost": cost}), PRICES)))) is told


def test_less_than_one_unit_of_money_is_none():
    """A dollar less a cent, though it is four times ours."""
    [found] = costs({"input": 1e5, "cost": 1.24})
    assert found.difference == Decimal("0.99")
    assert not found.differs


def test_no_price_here_and_another_currency_are_not_subtracted():
    rows = (
        {"model": "unheard-of", "input": 1e6, "cost": 3.0},
        {"profile": "q", "input": 1e6, "cost": 2.5},
    )
    found = {c.model: c for c in costs(*rows, own_currency={"q": "EUR"})}
    assert found["unheard-of"].ours is None
    assert found["gpt-4o"].difference is None
    assert found["gpt-4o"].explanations[0][0] == Explanation.CURRENCY.value
    assert not found["gpt-4o"].within


def test_rows_add_up_by_profile_and_model_and_agree_with_the_disagreements():
    rows = [
        {"day": f"2026-11-0{d}", "model": m, "profile": p, "input": 1e6 * d, "cost": 9.0 * d}
        for d in (1, 2, 3)
        for m in ("gpt-4o", "o3")
        for p in ("a", "b")
    ]
    priced = price(table(*rows, {"input": 1e6}), PRICES)
    found = own_costs(priced)
    assert len(found) == 4
    lists = priced.disagreements()
    assert sum(c.difference for c in found) == sum(lists["difference"])
    assert all(c.own == 54 for c in found)
    assert abs(found[0].difference) >= abs(found[-1].difference)


def test_a_period_can_be_chosen():
    rows = [{"day": f"2026-11-0{d}", "input": 1e7, "cost": 50.0} for d in (1, 2, 3)]
    priced = price(table(*rows), PRICES)
    [found] = own_costs(priced, first=date(2026, 11, 2), last=date(2026, 11, 2))
    assert found.own == 50
    assert json.loads(json.dumps(found.to_dict()))["own"] == "50.00"


def test_a_contracts_prices_settle_it():
    prices = Prices(book("openai,gpt-4o,*,1M tokens,input,5.00,USD,,,"))
    [found] = costs({"input": 1e7, "cost": 50.0}, prices=prices)
    assert (found.difference, found.explanations) == (0, ())


def test_without_any_own_cost_there_is_nothing_to_tell():
    assert costs({"input": 1e6}) == ()
    assert costs() == ()
