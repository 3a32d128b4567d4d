"""The table and the picture of latency beside cost: drawn for real, in every state."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
import vl_convert

from workbench.spend.latency_cost import Interval, LatencyCost, ModelCost
from workbench.views.spend_latency import latency_cost_chart, latency_cost_listing

HOSTILE = "a\"' + datum.x + '</script><b>\n{instance}"
LATENCY = {q: Interval(2.0 * q, q, 3.0 * q) for q in (0.5, 0.95, 0.99)}


def model(name, *, cost=None, latency=None, **more):
    whole = {
        "profile": "gw", "provider": HOSTILE, "model": name, "currency": "USD" if cost else "",
        "requests": 1000.0, "output": 1e5, "per_1000": cost, "per_million": cost, "unpriced": 0.0,
        "latency": latency or {}, "per_token": None, "errors": None, "applications": ("bot",), **more,
    }  # fmt: skip
    return ModelCost(**whole)


def found(*models):
    return LatencyCost(date(2026, 3, 2), date(2026, 3, 8), models)


ALL = found(
    model("dear", cost=Interval(12.5, 12.0, 13.0), latency=LATENCY, errors=0.012,
          per_token=Interval(0.01, 0.005, 0.02), dominated=(("bot", HOSTILE, "cheap"),)),
    model("cheap", cost=Interval(0.02, 0.02, 0.02), latency={**LATENCY, 0.95: Interval(9, 8, np.inf)},
          unpriced=0.25),
    model("free", why="no histogram tells how long its requests take", requests=np.nan),
    model("euro", cost=Interval(1, 1, 1), latency=LATENCY, currency="EUR", profile="other"),
)  # fmt: skip


def test_each_figure_stands_with_its_interval_or_says_that_there_is_none():
    rows = latency_cost_listing(ALL).frame.to_dict("records")
    dear, cheap, free, _ = rows
    assert dear["told by"] == "gw"
    assert dear["1,000 requests"] == "12.50 USD (12.00 – 13.00)"
    assert dear["p50"].replace("\u00a0", " ") == "1 s (500 ms – 1.5 s)"
    assert dear["an output token"].replace("\u00a0", " ") == "10 ms (5 ms – 20 ms)"
    assert dear["failed"] == "1.2 %"
    assert dear["dearer and slower than"].endswith("cheap (bot)")
    assert cheap["1,000 requests"] == "0.0200 USD, without 25.0 % unpriced"
    assert cheap["p95"] == "over 8 s"
    assert (free["1,000 requests"], free["p95"], free["requests"]) == ("no price", "–", "–")


def test_the_table_says_that_like_is_not_compared_with_like_and_why_latency_is_missing():
    note = latency_cost_listing(ALL).note
    assert "no comparison of like with like" in note
    assert "free: no histogram tells" in note
    assert latency_cost_listing(found()).note == ""


def test_a_reason_stands_once_and_what_only_failed_is_no_model_in_use():
    why = "no histogram tells how long its requests take"
    both = [model(name, why=why) for name in ("a", "b")]
    failed = model("asked-for", requests=np.nan, output=np.nan, why=why, errors=1.0)
    listing = latency_cost_listing(found(*both, failed))
    assert listing.frame["model"].tolist() == ["a", "b"]
    assert listing.note.endswith(f"All models: {why}.")


@pytest.mark.parametrize("each", [ALL, found()], ids=["whole", "empty"])
def test_it_draws_and_no_name_becomes_markup(each):
    assert "<b>" not in latency_cost_listing(each)._repr_html_()
    chart = latency_cost_chart(each).to_dict()
    assert vl_convert.vegalite_to_svg(chart).startswith("<svg")


def test_currencies_have_panels_of_their_own_and_endless_intervals_end_at_the_value():
    chart = latency_cost_chart(ALL).to_dict()
    assert len(chart["hconcat"]) == 2
    points = [row for panel in chart["hconcat"] for row in panel["data"]["values"]]
    (cheap,) = (p for p in points if p["label"] == "cheap")
    assert (cheap["p95"], cheap["high"]) == (9, 9)
