"""FOCUS, showback and JSON: the right columns and money, and nothing that a spreadsheet runs."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import OutputError
from workbench.spend.exports import focus
from workbench.spend.exports.focus import FocusAccount, focus_table
from workbench.spend.exports.showback import (
    csv_text,
    guarded,
    number_text,
    showback,
    spend_data,
    write_csv,
    write_json,
)
from workbench.spend.prices import Prices, price, read_price_book
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

pytest.importorskip("genai_prices")

ACCOUNT = FocusAccount("acme-1", "Acme")
NUMBER = re.compile(r"-?\d+(\.\d+)?")


def table(*rows):
    plain = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
    plain |= {"day": "2026-11-01", "profile": "litellm", "lost": 0.0, "requests": 10.0}
    plain |= {"provider": "openai", "model": "gpt-4o", "cost": np.nan}
    made = pd.DataFrame([plain | row for row in rows], columns=list(COLUMNS))
    return made.astype({"day": "datetime64[ms]"})


def read(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_all_columns_of_focus_stand_in_its_order_and_ours_after_them():
    """57 columns in 1.2, in the order of the alphabet; the mandatory ones are among them."""
    made = focus_table(price(table({"input": 1e6}), Prices()), ACCOUNT).table
    assert tuple(made.columns) == focus.COLUMNS + focus.OWN_COLUMNS
    assert (len(focus.COLUMNS), len(focus.MANDATORY)) == (57, 21)
    assert list(focus.COLUMNS) == sorted(focus.COLUMNS)
    assert set(focus.COLUMNS) >= focus.MANDATORY
    assert all(name.startswith("x_") for name in focus.OWN_COLUMNS)


def test_quantities_prices_and_costs_by_hand():
    """Two million tokens of input at $2.50, 100,000 of output at $10, in one billing month."""
    usage = table({"input": 2e6, "output": 1e5, "team": "search"})
    rows = read(
        csv_text(focus_table(price(usage, Prices()), ACCOUNT, queries={"litellm": "q"}).table)
    )
    by_meter = {row["SkuMeter"]: row for row in rows}
    assert set(by_meter) == {"Input Tokens", "Output Tokens"}
    row = by_meter["Input Tokens"]
    assert (row["ConsumedQuantity"], row["ConsumedUnit"]) == ("2000000", "Tokens")
    assert (row["PricingQuantity"], row["PricingUnit"]) == ("2", "1000000 Tokens")
    assert (row["ListUnitPrice"], row["ListCost"], row["BilledCost"]) == ("2.5", "5", "5")
    assert (row["ServiceCategory"], row["ServiceSubcategory"]) == (
        "AI and Machine Learning", "Generative AI",
    )  # fmt: skip
    assert by_meter["Output Tokens"]["BilledCost"] == "1"
    assert (row["BillingPeriodStart"], row["BillingPeriodEnd"]) == (
        "2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z",
    )  # fmt: skip
    assert json.loads(row["Tags"]) == {"team": "search"}
    assert json.loads(row["SkuPriceDetails"])["TokenClass"] == "input"
    assert (row["x_Query"], row["SubAccountName"], row["ChargeClass"]) == ("q", "search", "")
    assert row["x_PriceVersion"]


def test_mandatory_columns_have_values_and_unit_prices_make_the_costs():
    """A tiered model and a contract price: price times quantity is the cost, as FOCUS demands."""
    book = read_price_book(b"provider,model,unit,price\nopenai,gpt-4o,1M input tokens,2\n")
    usage = table(
        {"input": 1234567.0, "output": 7.0},
        {"provider": "google", "model": "gemini-2.5-pro", "input": 5e6, "requests": 20.0},
    )
    made = focus_table(price(usage, Prices(book)), ACCOUNT).table
    for name in focus.MANDATORY - {"ChargeClass"}:
        assert made[name].notna().all(), name
    for unit, cost in (("ListUnitPrice", "ListCost"), ("ContractedUnitPrice", "ContractedCost")):
        assert (made[unit] * made["PricingQuantity"] == made[cost]).all()
    mine = made[made["SkuId"] == "openai/gpt-4o/input"].iloc[0]
    assert (mine["ContractedUnitPrice"], mine["ListUnitPrice"]) == (Decimal(2), Decimal("2.5"))
    assert abs(mine["ContractedCost"] - mine["BilledCost"]) < Decimal("1e-8")
    long = made[made["x_Model"] == "gemini-2.5-pro"].iloc[0]
    assert long["x_CostLow"] <= long["BilledCost"] <= long["x_CostHigh"]


def test_rows_add_up_to_the_spend_and_what_has_no_price_is_left_out():
    usage = table({"input": 3e6, "output": 1e6}, {"model": "no-such", "input": 9e6})
    priced = price(usage, Prices())
    made = focus_table(priced, ACCOUNT)
    assert sum(made.table["BilledCost"]) == priced.total()["USD"]
    assert [each.model for each in made.left_out] == ["no-such"]


def test_days_of_the_readers_zone_are_moments_in_utc():
    """The day of the autumn change in Berlin has 25 hours."""
    usage = table({"day": "2026-10-25", "input": 1.0})
    account = FocusAccount("a", "A", zone="Europe/Berlin")
    row = focus_table(price(usage, Prices()), account).table.iloc[0]
    assert row["ChargePeriodStart"] == "2026-10-24T22:00:00Z"
    assert row["ChargePeriodEnd"] == "2026-10-25T23:00:00Z"
    assert row["BillingPeriodStart"] == "2026-09-30T22:00:00Z"


def test_numbers_have_no_exponents_and_no_guards():
    """Formats of FOCUS: digits, one point, a minus at most."""
    usage = table({"input": 1.0, "output": 123456789.0})
    made = focus_table(price(usage, Prices()), ACCOUNT).table
    for row in read(csv_text(made)):
        for name in ("BilledCost", "ListUnitPrice", "PricingQuantity", "ConsumedQuantity"):
            assert NUMBER.fullmatch(row[name])
    assert csv_text(pd.DataFrame({"x": [Decimal("-5.10"), 1e-9, float("nan"), None]})) == (
        'x\n-5.1\n0.000000001\n""\n""\n'
    )


def test_formulas_in_labels_are_text():
    """Teams of hostile names; JSON in a cell begins with a brace, and numbers are no text."""
    starts = ["=", "+", "-", "@", "\t", "\r", " =", "＝"]
    hostile = [{"team": f'{start}cmd|" /C calc"!A0', "input": 1e6} for start in starts]
    priced = price(table(*hostile), Prices())
    for made in (showback(priced), focus_table(priced, ACCOUNT).table):
        rows = list(csv.reader(io.StringIO(csv_text(made), newline="")))[1:]
        assert len(rows) == len(starts)
        assert not [c for row in rows for c in row if c.lstrip(" ")[:1] in {*"=+-@\t\r＝"} - {""}]


@given(st.text(max_size=20))
@settings(max_examples=40, deadline=None)
def test_guarded_text_keeps_its_content(text):
    kept = text.replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    assert guarded(text) in {kept, f"'{kept}"}
    assert guarded(text).lstrip(" ")[:1] not in set("=+-@\t\r\n")


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=9, min_value=-(10**9), max_value=10**9
    )
)
@settings(max_examples=40, deadline=None)
def test_numbers_survive_being_written(value):
    assert Decimal(number_text(value)) == value
    assert NUMBER.fullmatch(number_text(value))


def test_showback_by_team_and_month_by_hand():
    usage = table(
        {"team": "a", "input": 1e6},
        {"team": "a", "input": 1e6, "day": "2026-11-02"},
        {"team": "b", "output": 1e6},
        {"team": "a", "input": 4e6, "day": "2026-10-31"},
        {"team": "a", "model": "no-such", "input": 7.0},
        {"model": "no-such", "requests": 0.0, "errors": 9.0},
    )
    made = showback(price(usage, Prices()))
    assert set(made["team"]) == {"a", "b"}
    rows = {(r.month, r.team, r.currency): r for r in made.itertuples()}
    november = rows[date(2026, 11, 1), "a", "USD"]
    assert (november.cost, november.previous, november.input) == (Decimal(5), Decimal(10), 2e6)
    assert november.share == pytest.approx(1 / 3)
    assert rows[date(2026, 11, 1), "b", "USD"].cost == Decimal(10)
    nameless = rows[date(2026, 11, 1), "a", ""]
    assert (nameless.cost, nameless.unpriced_tokens) == (None, 7.0)


def test_json_holds_money_as_text_and_its_provenance(tmp_path):
    priced = price(
        table({"team": "=a", "input": 1e6}, {"model": "no-such", "input": 7.0}), Prices()
    )
    write_json(spend_data(priced, {"litellm": "increase(x[1d])"}), tmp_path / "spend.json")
    told = json.loads((tmp_path / "spend.json").read_text())
    assert told["totals"] == {"USD": "2.5"}
    assert told["queries"] == {"litellm": "increase(x[1d])"}
    assert (told["first"], told["unpriced"][0]["model"]) == ("2026-11-01", "no-such")
    assert told["prices"] == priced.version


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    made = pd.DataFrame({"a": ["\ud800", 'x,"y"\n']}, dtype=object)
    write_csv(made, tmp_path / "x.csv")
    assert (tmp_path / "x.csv").read_bytes() == b'a\n?\n"x,""y""\n"\n'
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(OutputError, match="cannot be written"):
        write_csv(made, folder)
    with pytest.raises(OutputError, match="cannot be written"):
        write_csv(made, tmp_path / "no" / "such.csv")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["folder", "x.csv"]


def test_an_empty_table_is_a_header():
    priced = price(table({"input": 1.0}).iloc[:0], Prices())
    assert len(read(csv_text(focus_table(priced, ACCOUNT).table))) == 0
    assert showback(priced).empty
    assert spend_data(priced)["totals"] == {}
