"""Spend on the embedded estate, held against its raw counters priced one by one."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import numpy as np
import pytest

import workbench
from workbench.errors import InputError, SettingsError
from workbench.spend.conclusions import conclude
from workbench.views.renderer import chart_bundle

BUDGETS = """
[[budget]]
name = "support"
team = "support"
amount = "10"
owner = "sam"
[[budget]]
name = "room enough"
amount = "1000000"
"""


@pytest.fixture(scope="module")
def wb():
    return workbench.connect("demo:")


@pytest.fixture(scope="module")
def study(wb, tmp_path_factory):
    file = tmp_path_factory.mktemp("spend") / "budgets.toml"
    file.write_text(BUDGETS)
    return wb.spend(last="3d", history="16d", budgets=file)


def increase(wb, metric, first, last, **labels):
    """Tokens between two moments, from raw samples: falls begin anew at 0."""
    matchers = ",".join(f'{k}="{v}"' for k, v in labels.items())
    frame = wb.source.query_range(
        f"{metric}{{{matchers}}}", wb.window(start=first, end=last, step="1m", align=False)
    ).data
    total = 0.0
    for values, present in zip(frame.values, frame.present, strict=True):
        known = values[present]
        steps = np.diff(known)
        total += float(np.where(steps < 0, known[1:], steps).sum())
    return total


def test_money_is_that_of_the_raw_counters_priced_by_hand(wb, study):
    """gpt-4o-mini of the team growth: no tiers, cached tokens at their own price."""
    from genai_prices import Usage, calc_price

    first, last = "2026-06-26T00:00:00Z", "2026-06-29T00:00:00Z"
    labels = {"model": "gpt-4o-mini", "team": "growth"}
    tokens = [
        increase(wb, f"llm_gateway_{name}_tokens_total", first, last, **labels)
        for name in ("input", "cached_input", "output")
    ]
    usage = Usage(
        input_tokens=round(tokens[0]),
        cache_read_tokens=round(tokens[1]),
        output_tokens=round(tokens[2]),
    )
    truth = calc_price(
        usage, "gpt-4o-mini", provider_id="openai",
        genai_request_timestamp=datetime(2026, 6, 27, tzinfo=UTC),
    ).total_price  # fmt: skip
    table = study.result.by("model", "team")
    row = table[(table["model"] == "gpt-4o-mini") & (table["team"] == "growth")].iloc[0]
    assert float(row["amount"]) == pytest.approx(float(truth), rel=0.002)
    assert row["low"] <= float(truth) * 1.0005
    assert row["high"] >= float(truth) * 0.9995


def test_every_way_of_adding_up_gives_the_same_total(study):
    totals = {
        sum((a for a in study.result.by(*d)["amount"] if a is not None), Decimal(0))
        for d in ([], ["team"], ["model", "prompt_version"], ["day"])
    }
    assert len(totals) == 1  # exact: nothing is rounded in a row


def test_what_has_no_price_stands_first_and_is_in_no_sum(study):
    first = study.table.iloc[0]
    assert (first["model"], first["spend"]) == ("llama-3.1-8b-instruct", "no price")
    (found,) = conclude((), study.result.priced, {}, (), study.result.last)
    assert (found.code, found.about) == ("LLM-UNPRICED", "vllm/llama-3.1-8b-instruct")


def test_a_past_period_is_restated_at_the_prices_of_the_sources_today(wb):
    """Not of the period's own end: that would say little of a past month."""
    past = wb.spend(last="2d", history="4d", end="2026-06-10")
    assert past.restated().result.now.isoformat() == "2026-06-29"
    assert past.restated("2026-06-01").result.now.isoformat() == "2026-06-01"


def test_where_its_machines_are_known_a_model_lacks_no_price(study):
    """The estate's file tells what a card costs an hour."""
    assert "LLM-UNPRICED" not in {f.code for f in study.findings}
    assert [m.model for m in study.result.answers.self_hosted.models] == ["llama-3.1-8b-instruct"]
    (row,) = [row for row in study.headline.rows if row[0] == "own machines"]
    assert row[1] == "122.40 USD"  # two cards, three days, 0.85 an hour


def test_gateway_and_server_are_not_added(study):
    assert "LLM-SAME-TRAFFIC" in {f.code for f in study.findings}
    assert set(study.result.priced.usage["profile"].astype(str)) == {"llm_gateway"}


def test_a_broken_budget_is_an_error_for_its_owner_and_one_with_room_is_nothing(study):
    (found,) = [f for f in study.findings if f.code == "LLM-BUDGET"]
    assert found.severity.value == "error"
    assert found.owner == "sam"
    names = [row[0] for row in study.budgets.rows]
    assert names == ["all spend in USD", "support", "room enough"]


def test_the_causes_of_the_change_add_up(study):
    (found,) = study.result.effects.values()
    parts = found.price + found.volume + found.mix + found.cache + found.arrived + found.gone
    assert parts == pytest.approx(found.change, abs=1e-6)


def test_it_is_drawn_and_told_as_json(study):
    assert chart_bundle(study.chart().to_dict())
    result = study.to_dict()["result"]
    assert result["price_data"].startswith("genai-prices")
    assert Decimal(result["total"]["USD"]) > 0


@pytest.mark.parametrize("last", ["36h", "0d", "12h"])
def test_a_period_is_of_whole_days(wb, last):
    with pytest.raises(InputError, match="whole days"):
        wb.spend(last=last)


def test_a_source_without_language_models_is_told_so():
    times = np.arange(0, 30 * 86_400_000, 3_600_000)
    source = workbench.snapshot([({"__name__": "up", "job": "a"}, times, np.ones(len(times)))])
    with pytest.raises(InputError, match="no metric of a language model"):
        workbench.connect(source).spend()


def test_a_price_book_that_is_none_is_refused(wb, tmp_path):
    (tmp_path / "book.csv").write_text("a,b\n1,2\n")
    with pytest.raises((SettingsError, InputError), match=r"book\.csv"):
        wb.spend(last="1d", history="2d", prices=tmp_path / "book.csv")
