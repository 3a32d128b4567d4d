"""A switch of models, a restatement and own cost drawn: what stands there, and that names stay text."""

from datetime import date

import numpy as np
import pandas as pd
import pytest

from workbench.spend.own_cost import own_costs
from workbench.spend.prices import Prices, price
from workbench.spend.reading.reader import Reading
from workbench.spend.restating import restate
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES
from workbench.spend.what_if.analysis import what_if
from workbench.spend.what_if.switch import parse_switch
from workbench.views.export import chart_file
from workbench.views.spend_restated import (
    own_cost_listing,
    price_changes_listing,
    restated_listing,
)
from workbench.views.spend_what_if import (
    what_if_assumptions_listing,
    what_if_chart,
    what_if_groups_listing,
    what_if_listing,
)

pytest.importorskip("genai_prices")

HOSTILE = "</script><script>alert(1)</script>\n\0'\"{{datum}}"
PRICES = Prices()
DAY = date(2025, 6, 9)


def usage(*rows):
    plain = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
    plain |= {"day": str(DAY), "profile": "p", "lost": 0.0, "requests": 1000.0, "cost": np.nan}
    plain |= {"provider": "openai", "model": "o3", "input": 1e7, "output": 1e6}
    made = pd.DataFrame([plain | row for row in rows], columns=list(COLUMNS))
    return made.astype({"day": "datetime64[ms]"})


def asked(table, to):
    empty = table.iloc[:0]
    columns = ["day", "profile", "histogram", "provider", "model", "le", "count"]
    told = Reading(
        table=table, bounds=empty, duplicates=empty, extras=empty, kinds=empty,
        histograms=pd.DataFrame(columns=columns).astype({"day": "datetime64[ms]"}), coverage=empty,
        flaws=(), currencies={}, self_hosted=frozenset(),
    )  # fmt: skip
    priced = price(table, PRICES)
    return what_if(priced, told, PRICES, parse_switch("o3", to), first=DAY, last=DAY)


@pytest.fixture(scope="module")
def result():
    return asked(
        usage({"team": HOSTILE}, {"team": "b"}), ["gpt-4o-mini", "claude-opus-4-1", "gpt-4o-mimi"]
    )


def test_the_table_says_cost_range_verdict_and_what_is_not_known(result):
    frame = what_if_listing(result).frame.set_index("to")
    assert frame.loc["gpt-4o-mimi", "verdict"] == "no price"
    assert "gpt-4o-mimi: no known provider sells" in what_if_listing(result).note
    assert "near names" in what_if_listing(result).note
    mini = frame.loc["gpt-4o-mini"]
    assert mini["cost now"] == "280.00 USD"  # 20 million at $10 and 2 million at $40
    assert (mini["verdict"], mini["there"]) == ("cheaper", "not known")
    assert "headroom" in what_if_listing(result).note


def test_the_groups_and_the_assumptions_have_a_row_each(result):
    groups = what_if_groups_listing(result).frame
    assert len(groups) == 4
    assumed = what_if_assumptions_listing(result).frame.set_index("to")
    assert assumed.loc["openai/gpt-4o-mini", "tokens per token"] == (
        "1 ×: both have the tokenizer o200k"
    )


def test_the_chart_holds_now_once_and_each_target_s_range(result):
    spec = what_if_chart(result).to_dict(validate=True)
    rows = spec["datasets"]["ranges_0"]
    assert [r["name"].split(":")[0] for r in rows] == ["now", "gpt-4o-mini", "claude-opus-4-1"]
    assert all(r["low"] <= r["expected"] <= r["high"] for r in rows)
    assert rows[0]["expected"] == 280


def test_without_anything_to_compare_a_sentence_stands_in_place_of_the_picture():
    none = asked(usage({}), "gpt-4o-mimi")
    assert "message" in what_if_chart(none).to_dict(validate=True)["datasets"]
    assert len(what_if_groups_listing(none)) == 0


def test_hostile_names_are_text_in_page_and_picture():
    found = asked(usage({"team": HOSTILE, "application": HOSTILE}), ["gpt-4o-mini", HOSTILE])
    for listing in (
        what_if_listing(found),
        what_if_groups_listing(found),
        what_if_assumptions_listing(found),
    ):
        assert "<script>alert" not in listing._repr_html_()
    drawn = chart_file(what_if_chart(found), ".svg").decode()
    assert "gpt-4o-mini" in drawn
    assert "<script>alert" not in drawn


@pytest.fixture(scope="module")
def restatement():
    table = usage({}, {"model": "gpt-4o"}, {"model": HOSTILE})
    return restate(price(table, PRICES), PRICES, first=DAY, last=DAY, now=date(2026, 11, 1))


def test_the_restated_table_begins_with_all_and_ends_with_its_caveats(restatement):
    """o3: $140 at $10 and $40, $28 at $2 and $8; gpt-4o: $35 on both sides."""
    listing = restated_listing(restatement)
    first = listing.frame.iloc[0]
    assert first["prices then"] == "175.00 USD"
    assert first["prices of 2026-11-01"] == "63.00 USD"
    assert first["difference"] == "−112.00 USD"
    assert "No earlier price is known of gpt-4o" in listing.note
    assert "Without a price now, and in no sum" in listing.note
    assert "<script>alert" not in listing._repr_html_()


def test_the_price_changes_have_old_new_and_day(restatement):
    frame = price_changes_listing(restatement).frame
    assert frame.loc[0, ["before", "after", "from"]].tolist() == [
        "10 USD a million", "2 USD a million", "2025-06-10",
    ]  # fmt: skip


def test_own_cost_stands_beside_ours_with_its_cause():
    table = usage({"cost": 140.5}, {"model": HOSTILE, "cost": 3.0}, {"provider": "x", "cost": 0.0})
    listing = own_cost_listing(own_costs(price(table, PRICES)))
    frame = listing.frame
    assert sorted(frame["why"]) == ["both agree", "no price here", "the gateway had no price"]
    assert "<script>alert" not in listing._repr_html_()
    assert "no source" in own_cost_listing(()).empty.lower()


def test_what_holds_for_every_target_is_said_once():
    """List prices without a date are a remark on all of them."""
    note = what_if_listing(asked(usage({}), ["gpt-4o-mini", "gpt-4o"])).note
    assert note.count("carry no date") == 1
