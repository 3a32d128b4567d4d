"""Savings and waste as tables and as a picture, whatever the names are."""

from __future__ import annotations

import json
from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd

from workbench.spend.savings.caching import CacheSavings, Unclaimed
from workbench.spend.savings.failures import Bill, WasteKind
from workbench.spend.savings.waste import Waste
from workbench.views.spend_savings import (
    answers_listing,
    cache_listing,
    savings_chart,
    waste_listing,
)

HOSTILE = '<img src=x onerror="alert(1)">\n\x00'
PERIOD = (date(2026, 6, 22), date(2026, 6, 28))


def cached(**changes):
    names = {"provider": "anthropic", "model": "sonnet", "team": "t", "application": "bot"}
    figures = {
        "prompt_version": "v8", "currency": "USD", "input": 1e6, "read": 1e5, "written": 0.0,
        "requests": 10.0, "spend": Decimal(3), "saved": Decimal("0.27"), "premium": Decimal(0),
        "net": Decimal("0.27"), "net_low": 0.27, "net_high": 0.54, "unseen": 0.0, "best": 0.5,
        "missed": 1.08, "missed_high": 2.16, "ten_points": 0.27, "unclaimed": "",
    }  # fmt: skip
    return names | figures | changes


def savings(*rows, answers=()):
    hits = ["provider", "model", "team", "application", "currency", "hits", "share", "low", "high"]
    table = pd.DataFrame(rows, columns=list(cached()))
    told = pd.DataFrame(list(answers), columns=[*hits, "shared"])
    return CacheSavings(*PERIOD, table, told, {"USD": Decimal(30)}, ("a note",))


def waste(*rows):
    names = ["kind", "provider", "model", "team", "application", "currency"]
    columns = [*names, "requests", "low", "high", "bill", "shared"]
    return Waste(*PERIOD, pd.DataFrame(list(rows), columns=columns), {"USD": Decimal(30)})


def timeouts(currency, high, *, shared=False):
    kind, bill = WasteKind.TIMED_OUT.value, Bill.BESIDE.value
    low = 0.0 if currency else np.nan
    return (kind, "openai", HOSTILE, "", "", currency, 12.4, low, high, bill, shared)


def test_the_cache_is_told_with_its_range_and_what_is_unsure_of_it():
    """A reader sees the figure, its bounds, and the most that was missed from nothing on."""
    found = cache_listing(savings(cached(unseen=0.5)))
    row = found.frame.iloc[0]
    assert row["saved"] == "0.27 USD (0.27 – 0.54)"
    assert row["missed"] == "0 – 1.08 USD (at the dearest prices 2.16 USD)"
    assert row["writes uncounted"] == "− 0.50 USD at most"
    assert row["cached"] == "10.0 %"
    assert "A note." in repr(found)


def test_what_is_not_claimed_says_why_in_place_of_a_figure():
    """Absent is absent, never 0."""
    nothing = {"best": np.nan, "missed": np.nan, "missed_high": np.nan, "ten_points": np.nan}
    row = cache_listing(savings(cached(unclaimed=Unclaimed.NO_PRICE.value, **nothing))).frame.iloc[
        0
    ]
    assert row["missed"] == f"not claimed: {Unclaimed.NO_PRICE.value}"
    assert row["best days"] == row["each ten points"] == "–"


def test_answers_without_a_price_have_no_money():
    """Hits are told; money is not made up."""
    names = ("vllm", "llama", "t", HOSTILE)
    rows = [(*names, "", 5.0, np.nan, np.nan, np.nan, False)]
    rows += [(*names, "USD", 2000.0, 0.25, 1.0, 2.0, False)]
    found = answers_listing(savings(answers=rows)).frame
    assert found["saved at least"].tolist() == ["no price", "1.00 USD"]
    assert found["hits"].tolist() == ["5", "2,000"]
    assert found["of requests"].tolist() == ["–", "25.0 %"]


def test_waste_is_told_by_kind_with_what_it_rests_on_and_what_is_invisible():
    """Shared figures are marked; the note tells what no metric shows."""
    found = waste_listing(waste(timeouts("USD", 3.0, shared=True), timeouts("", np.nan)))
    first, second = found.frame.to_dict("records")
    assert first["what"] == "timed out *"
    assert (first["at least"], first["at most"]) == ("0.00 USD", "3.00 USD")
    assert first["of spend"] == "10.00 %"
    assert second["what"] == "timed out, no price"
    assert second["at least"] == second["at most"] == "–"
    assert "shared out" in found.note
    assert "retries inside clients" in found.note


def test_empty_results_say_so():
    """No table without rows."""
    assert "No usage with a price" in repr(cache_listing(savings()))
    assert "No gateway counts" in repr(answers_listing(savings()))
    assert "No request is known" in repr(waste_listing(waste()))
    assert "No cache saved anything" in json.dumps(savings_chart(savings()).to_dict())


def test_names_reach_the_page_as_data_only():
    """Neither markup nor control characters."""
    rows = [cached(application=HOSTILE, provider=HOSTILE)]
    shown = cache_listing(savings(*rows))._repr_html_()
    assert "<img" not in shown
    spec = savings_chart(savings(*rows)).to_dict()
    text = json.dumps(spec)
    assert "\\u0000" not in text
    encodings = json.dumps([panel["encoding"] for panel in spec["hconcat"]])
    assert "onerror" in text
    assert "onerror" not in encodings


def test_the_picture_adds_prompt_versions_and_keeps_currencies_apart():
    """Bars by application: saved, then what was missed; a loss stands left of nothing."""
    rows = [cached(), cached(prompt_version="v7", missed=np.nan)]
    rows += [cached(currency="EUR", net=Decimal(-2), missed=np.nan)]
    spec = savings_chart(savings(*rows)).to_dict()
    bars = [bar for data in spec["hconcat"] for bar in data["data"]["values"]]
    drawn = {(b["currency"], b["what"]): (b["from"], b["to"]) for b in bars if b["money"]}
    assert drawn == {
        ("EUR", "lost"): (0.0, -2.0),
        ("USD", "saved"): (0.0, 0.54),
        ("USD", "missed, at most"): (0.54, 1.62),
    }
