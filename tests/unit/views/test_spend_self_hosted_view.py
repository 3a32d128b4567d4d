"""Self-hosted models as tables and a picture: in every state, with hostile names, drawn for real."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from decimal import Decimal

import pandas as pd
import pytest
import vl_convert

from workbench.spend.self_hosted import BreakEven, MachineHours, ModelCost, Offer, SelfHosted
from workbench.views.spend_self_hosted import (
    break_even_chart,
    break_even_listing,
    self_hosted_accounts_listing,
    self_hosted_listing,
)

HOSTILE = "a\"' + datum.x + '</script><b>&\\n{model}"
COST = ModelCost(
    "vllm", HOSTILE, "gpu", "USD", 7, 7, 336.0, 330.0, 340.0, Decimal(268), Decimal(264),
    Decimal(272), 9e6, 3e6, 3e6, 4000.0, idle=0.75, idle_low=0.7, idle_high=0.8, prefill=0.25,
    preempted=12.0, recomputed=(Decimal(0), Decimal("0.0421")), cache_peak=0.4, peak=900.0,
)  # fmt: skip
OFFERS = (
    Offer("near", HOSTILE, Decimal(40), Decimal(55), 6e7, 5e7, "list"),
    Offer("far", "m", Decimal(90), Decimal(90), 3e7, 3e7, "list"),
)
BESIDE = BreakEven(HOSTILE, "gpu", "USD", Decimal("1165.32"), 2.1e6, 7.8e7, OFFERS)


def result(models=(COST,), break_even=(BESIDE,), machines=(), notes=()):
    accounts = pd.DataFrame(
        {
            "day": pd.to_datetime(["2026-03-02", "2026-03-02"]),
            "model": "m", "team": [HOSTILE, ""], "application": "", "user": "",
            "prompt_version": "", "currency": "USD", "amount": [200 * 10**9, 68 * 10**9],
            "tokens": [1.5e7, 0.0],
        }
    )  # fmt: skip
    return SelfHosted(
        date(2026, 3, 2), date(2026, 3, 8), "UTC", tuple(machines), tuple(models), pd.DataFrame(),
        accounts, tuple(break_even), tuple(notes), "prices 1",
    )  # fmt: skip


def test_the_table_tells_money_with_its_bounds():
    """Figures of one model, worked out by hand."""
    (row,) = self_hosted_listing(result()).frame.to_dict("records")
    assert row["cost"] == "268.00 USD (264.00 to 272.00)"
    assert row["machine hours"] == "336.0 (330.0 to 340.0)"
    assert row["idle"] == "75 % (70 to 80 %)"
    assert row["paid for idling"] == "201.00 USD"
    assert row["a million"] == "17.87 USD"
    assert row["when busy"] == "4.47 USD"
    assert row["a million input"] == "7.44 USD"
    assert row["a million output"] == "67.00 USD"
    assert row["computed anew"] == "12 requests, 0.0421 USD"


def test_what_nobody_tells_is_not_told():
    """No gauge, no seconds, no preemptions, no rate: no zero in their place, but ranges."""
    bare = replace(
        COST, idle=None, idle_low=None, idle_high=None, prefill=None, preempted=None,
        recomputed=None, cache_peak=None, peak=None,
    )  # fmt: skip
    (row,) = self_hosted_listing(result([bare])).frame.to_dict("records")
    assert (row["idle"], row["paid for idling"], row["when busy"]) == ("not told", "–", "–")
    assert row["computed anew"] == "not told"
    assert row["a million input"] == "0.00 to 22.33 USD"
    assert row["a million output"] == "22.33 to 89.33 USD"


def test_machines_that_serve_nothing_stand_first():
    """Their money is in the table too."""
    spare = MachineHours("spare", "EUR", 168.0, 168.0, 168.0, *[Decimal(168)] * 3, serves=())
    listing = self_hosted_listing(result(machines=[spare], notes=["spare serves nothing"]))
    assert listing.frame["model"].iloc[0] == "spare: serves nothing that is counted"
    assert listing.frame["cost"].iloc[0] == "168.00 EUR"
    assert "Spare serves nothing." in listing.note


def test_accounts_are_told_by_any_dimension():
    """What nobody used stands with nobody."""
    frame = self_hosted_accounts_listing(result(), "team").frame
    assert frame["cost"].tolist() == ["200.00 USD", "68.00 USD"]
    assert frame["tokens"].tolist() == ["15M", "–"]


def test_sellers_stand_with_the_volume_from_which_machines_pay():
    """A range where the cache is in doubt; beyond what was seen it says so."""
    few = replace(BESIDE, capacity=4e7)
    first, second = break_even_listing(result(break_even=[few])).frame.to_dict("records")
    assert first["there, a month"] == "40.00 to 55.00 USD"
    assert first["own machines are cheaper from"] == "50M to 60M, not seen"
    assert second["own machines are cheaper from"] == "30M"
    assert second["own machines, a month"] == "1,165.32 USD"
    none = replace(BESIDE, offers=(), left_out=("groq x is priced in USD",))
    (row,) = break_even_listing(result(break_even=[none])).frame.to_dict("records")
    assert row["seller"] == "groq x is priced in USD"


@pytest.mark.parametrize(
    "beside",
    [
        BESIDE,
        replace(BESIDE, offers=OFFERS[1:], volume=4e8, capacity=None),
        replace(BESIDE, offers=()),
    ],
)
def test_the_picture_draws_in_every_state_and_names_are_data(beside):
    """Vega runs it; nothing of a hostile name stands in an expression or as a field."""
    spec = break_even_chart(result(break_even=[beside])).to_dict()
    svg = vl_convert.vegalite_to_svg(json.dumps(spec))
    assert "<svg" in svg
    assert "</script>" not in svg


def test_six_models_are_drawn_and_the_others_are_told():
    """A wall of pictures is none."""
    spec = break_even_chart(result(break_even=[BESIDE] * 7)).to_dict(validate=False)
    assert len(spec["concat"]) == 6
    assert "1 more" in spec["title"]["subtitle"]


def test_lines_cross_at_the_break_even_volume():
    """The band's edges, read at the volumes of the offers, are what the machines cost."""
    spec = break_even_chart(result()).to_dict()
    band = spec["concat"][0]["layer"][0]["data"]["values"]
    for point in band:
        assert point["low"] == pytest.approx(40 * point["volume"] / 2.1e6)
        assert point["high"] == pytest.approx(90 * point["volume"] / 2.1e6)
        assert point["own"] == pytest.approx(1165.32)
    assert band[0]["volume"] < 2.1e6
    assert band[-1]["volume"] > 6e7


def test_empty_results_say_why():
    """No machines, no models: sentences instead of bare tables."""
    nothing = result(models=(), break_even=())
    assert "machines=" in repr(self_hosted_listing(nothing))
    assert "Nothing was served" in repr(break_even_listing(nothing))
    assert "<p>" in break_even_listing(nothing)._repr_html_()
    assert "<script" not in self_hosted_listing(result())._repr_html_().replace(HOSTILE, "")
