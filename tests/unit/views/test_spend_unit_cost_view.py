"""Unit costs as tables and a picture: figures by hand, reasons in words, hostile names kept as text."""

from __future__ import annotations

import json
from datetime import date
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest

from workbench.spend.prices import Prices, price
from workbench.spend.unit_cost.costs import UnitCosts, unit_costs
from workbench.spend.unit_cost.reading import UnitCounts
from workbench.spend.unit_cost.spec import UnitSpec
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES
from workbench.views.spend_unit_cost import unit_cost_listing, versions_chart, versions_listing

pytest.importorskip("genai_prices")

HOSTILE = "a</script><b>\n'\" datum.x"


def usage(rows) -> pd.DataFrame:
    plain = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
    plain |= {"profile": "p", "lost": 0.0, "cost": np.nan, "provider": "openai"}
    made = pd.DataFrame([plain | r for r in rows], columns=list(COLUMNS))
    return made.astype({"day": "datetime64[ms]"})


def costs_of(days=6, *, units=10.0, app=HOSTILE) -> UnitCosts:
    """Two versions side by side; v2 sends twice as much, each request with 1,000 or 2,000 tokens."""
    rows = [
        {
            "day": f"2026-03-{d + 1:02}", "application": app, "prompt_version": f"v{v}",
            "model": model, "input": v * 1e6 + d * 1e4 * v, "requests": 1000.0,
        }
        for d in range(days)
        for v in (1, 2)
        for model in ("gpt-4o", "gpt-4o-mini")
    ]  # fmt: skip
    counted = [
        dict.fromkeys(DIMENSIONS, "")
        | {"day": f"2026-03-{d + 1:02}", "application": app, "prompt_version": f"v{v}"}
        | dict.fromkeys(("units", "low", "high"), units)
        | {"moved": 0.0}
        for d in range(days)
        for v in (1, 2)
    ]
    table = pd.DataFrame(counted).astype({"day": "datetime64[ms]"})
    unit = UnitCounts(UnitSpec(name="<i>ticket", counter="t_total"), table, 1, 0)
    last = date(2026, 3, days)
    return unit_costs(price(usage(rows), Prices()), None, [unit], first=date(2026, 3, 1), last=last)


COSTS = costs_of()


def test_a_request_costs_what_its_tokens_cost():
    """(2.50 + 0.15) × 3.075 M tokens a day over 4,000 requests, and 1,000 times that."""
    row = unit_cost_listing(COSTS).rows[0]
    assert row[3:7] == ["request", "24k", "0.002037 USD", "2.037 USD"]


def test_what_is_not_told_apart_says_so():
    """By model no ticket is told; the reason stands in place of a cost."""
    shown = unit_cost_listing(COSTS, models=True).rows
    rows = [r for r in shown if r[3] == "<i>ticket" and r[2] == "gpt-4o"]
    assert {r[5] for r in rows} == {"the counter does not tell it apart from others"}


def test_details_stand_below_their_application():
    """First the application, then its versions, then the models of each; the unit's whole last."""
    levels = COSTS.table["level"].tolist()
    assert list(dict.fromkeys(levels)) == ["application", "version", "model", "unit"]
    assert unit_cost_listing(COSTS).rows[-1][0] == "all"


def test_a_pair_shows_ratio_interval_and_how_it_was_compared():
    """Twice the tokens on the same days: input alone, 1,025 tokens at (2.50 + 0.15) ÷ 2 a million."""
    rows = versions_listing(COSTS).rows
    row = next(r for r in rows if r[2] == "request" and r[1] == "all")
    assert row[5:9] == ["×2", "×2 – ×2", "< 0.001", "side by side, 6 days"]
    assert row[10:] == ["0", "0", "0"]
    assert row[9] == "+0.00136"


def test_a_pair_that_cannot_be_compared_says_why():
    """Two days are too few."""
    rows = versions_listing(costs_of(2)).rows
    assert "at least 3 are needed" in str(rows[0][8])


def test_names_are_text_in_tables():
    """No element comes from a name."""
    tags: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):  # noqa: ARG002 - the parser's signature
            tags.add(tag)

    for listing in (unit_cost_listing(COSTS), versions_listing(COSTS)):
        Reader().feed(listing._repr_html_())
    assert not tags & {"b", "i", "script"}


def test_the_picture_is_drawn_with_names_as_data():
    """A dot and a rule a version; the names stand in no expression, and Vega can draw it."""
    vl_convert = pytest.importorskip("vl_convert")
    spec = versions_chart(COSTS).to_dict()
    text = json.dumps(spec)
    assert "datum.x" in text
    assert "calculate" not in text
    assert "expr" not in text
    panels = spec["vconcat"]
    assert len(panels) == 2
    values = panels[0]["layer"][1]["data"]["values"] if "data" in panels[0]["layer"][1] else None
    values = values or panels[0]["data"]["values"]
    assert [v["version"] for v in values] == ["v1", "v2"]
    assert values[1]["cost"] == pytest.approx(2 * values[0]["cost"])
    svg = vl_convert.vegalite_to_svg(spec)
    assert "</script><b>" not in svg


def test_nothing_to_show_is_said():
    """Sentences in place of tables and panels."""
    vl_convert = pytest.importorskip("vl_convert")
    empty = unit_costs(price(usage([]), Prices()), first=date(2026, 3, 1), last=date(2026, 3, 2))
    assert "Nothing with a price" in repr(unit_cost_listing(empty))
    assert "No application has two prompt versions" in versions_listing(empty)._repr_html_()
    drawn = vl_convert.vegalite_to_svg(versions_chart(empty).to_dict())
    assert "No application has two prompt versions" in drawn


def test_two_days_have_no_interval_in_the_picture():
    """The dot alone: its interval is null, which JSON can hold."""
    text = json.dumps(versions_chart(costs_of(2)).to_dict(), allow_nan=False)
    assert '"low": null' in text
