"""A past period restated: exact beside genai-prices, the price's difference alone, and its caveats."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache

import numpy as np
import pytest
from spend_switch_tables import book, table

from workbench.errors import InputError
from workbench.spend.prices import Prices, RequestSizes, cents, price
from workbench.spend.restating import conclude_restatement, restate

genai_prices = pytest.importorskip("genai_prices")

PRICES = Prices()
FIRST, LAST, NOW = date(2025, 6, 8), date(2025, 6, 11), date(2026, 11, 1)


@cache
def o3_days(seed=3):
    """Four days of o3 around its price cut, fifty requests a day: sums, and what each truly cost."""
    rng = np.random.default_rng(seed)
    rows, then, now = [], Decimal(0), Decimal(0)
    for n in range(4):
        day = FIRST + timedelta(days=n)
        prompts, answers = rng.integers(10, 9000, 50), rng.integers(1, 3000, 50)
        cached = prompts // rng.integers(2, 9, 50)
        for prompt, answer, read in zip(prompts, answers, cached, strict=True):
            told = genai_prices.Usage(
                input_tokens=int(prompt), cache_read_tokens=int(read), output_tokens=int(answer)
            )
            then += cost(told, day)
            now += cost(told, NOW)
        rows.append(
            {
                "day": str(day), "model": "o3", "requests": 50.0,
                "input": float((prompts - cached).sum()), "cache_read": float(cached.sum()),
                "output": float(answers.sum()),
            }
        )  # fmt: skip
    return table(*rows), then, now


def cost(told, day):
    moment = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    return genai_prices.calc_price(
        told, "o3", provider_id="openai", genai_request_timestamp=moment
    ).total_price


def restated(usage, prices=None, **given):
    prices = prices or PRICES
    days = {"first": FIRST, "last": LAST, "now": NOW} | given
    return restate(price(usage, prices), prices, **days)


def test_o3_around_its_price_cut_is_exact_beside_genai_prices():
    """$10 to $2 and $40 to $8 on 10 June 2025: two hundred requests priced one by one, to the digit."""
    usage, then, now = o3_days()
    held = restated(usage).totals["USD"]
    assert (held["then"], held["now"]) == (then, now)
    assert cents(held["difference"]) == cents(now - then) != 0


def test_the_parts_add_up_to_the_difference_and_the_tokens_are_the_same():
    """By token class the money differs by the ratio of the prices and by nothing else."""
    usage, _, _ = o3_days()
    old = usage[usage["day"] < "2025-06-10"].reset_index(drop=True)
    result = restated(old)
    assert sum(r.difference for r in result.rows) == result.totals["USD"]["difference"]
    ratio = {r.token_class: r.now / r.then for r in result.rows if r.then}
    assert ratio["input"] == ratio["output"] == Decimal(1) / 5


def test_which_prices_changed_and_from_when_is_listed():
    usage, _, _ = o3_days()
    found = {(c.token_class, c.before, c.after, c.since) for c in restated(usage).changes}
    assert found == {
        ("input", Decimal(10), Decimal(2), date(2025, 6, 10)),
        ("output", Decimal(40), Decimal(8), date(2025, 6, 10)),
    }
    assert restated(usage, first=date(2025, 6, 10), then=date(2025, 6, 10)).changes == ()


def test_one_day_s_prices_can_stand_on_both_sides():
    usage, _, now = o3_days()
    same = restated(usage, then=NOW)
    assert same.totals["USD"]["then"] == same.totals["USD"]["now"] == now
    assert list(conclude_restatement(same)) == []


def test_a_model_with_one_entry_only_is_named_for_no_earlier_price_is_known():
    failed = {"day": str(FIRST), "model": "gpt-4o-mini", "requests": 0.0, "errors": 3.0}
    usage = table({"day": str(FIRST), "input": 1e6}, {"day": str(FIRST), "model": "o3"}, failed)
    result = restated(usage)
    assert result.undated == (("openai", "gpt-4o"),)
    assert result.totals["USD"]["difference"] == 0


def test_a_price_book_is_restated_by_its_own_days_and_is_no_sparse_history():
    """$2.00 until the end of March 2026, $1.50 from April on; a million tokens in March."""
    prices = Prices(
        book(
            "openai,gpt-4o,*,1M tokens,input,2.00,USD,2026-01-01,2026-03-31,",
            "openai,gpt-4o,*,1M tokens,input,1.50,USD,2026-04-01,,",
        )
    )
    usage = table({"day": "2026-03-15", "input": 1e6})
    days = {"first": date(2026, 3, 1), "last": date(2026, 3, 31)}
    result = restated(usage, prices, **days)
    held = result.totals["USD"]
    assert (held["then"], held["now"]) == (2, Decimal("1.5"))
    [change] = [c for c in result.changes if c.token_class == "input"]
    assert (change.before, change.after, change.since) == (2, Decimal("1.50"), date(2026, 4, 1))
    assert "book.csv" in change.source
    assert result.undated == ()


def test_what_has_a_price_on_one_side_only_is_in_no_sum():
    prices = Prices(book("me,mine,*,1M tokens,input,5,USD,2026-01-01,,"))
    usage = table({"provider": "me", "model": "mine", "day": str(FIRST), "input": 1e6})
    result = restated(usage, prices)
    assert result.rows == ()
    assert result.totals == {}
    assert [u.model for u in result.unpriced_then] == ["mine"]
    assert result.unpriced_now == ()


def test_two_currencies_are_not_subtracted():
    prices = Prices(
        book(
            "me,mine,*,1M tokens,input,5,USD,,2025-12-31,",
            "me,mine,*,1M tokens,input,4,EUR,2026-01-01,,",
        )
    )
    usage = table({"provider": "me", "model": "mine", "day": str(FIRST), "input": 1e6})
    result = restated(usage, prices)
    assert result.foreign == (("me", "mine", "USD", "EUR"),)
    assert result.rows == ()


def test_lengths_of_requests_hold_for_both_sides():
    """All requests are short, so that neither side has a tier to doubt; without that, both do."""
    usage = table(
        {"provider": "google", "model": "gemini-2.5-pro", "day": str(FIRST), "input": 1e7}
    )
    sizes = {("google", "gemini-2.5-pro"): RequestSizes(np.array([2e4, 8e4]), np.array([1e3, 0, 0]), 1e7)}  # fmt: skip
    sure = restated(usage, sizes=sizes).totals["USD"]
    open_ = restated(usage).totals["USD"]
    assert sure["now_low"] == sure["now"] == sure["now_high"] == open_["now"]
    assert open_["then_high"] > open_["then"]


def test_from_two_per_cent_on_it_is_a_finding():
    usage, then, now = o3_days()
    [finding] = conclude_restatement(restated(usage))
    assert finding.code == "LLM-RESTATED"
    assert f"{cents(then):,}" in finding.what
    assert f"{cents(now):,}" in finding.what
    assert list(conclude_restatement(restated(usage.tail(2).reset_index(drop=True)))) == []


def test_an_empty_period_and_a_reversed_one():
    usage, _, _ = o3_days()
    empty = restated(usage, first=date(2024, 1, 1), last=date(2024, 1, 2))
    assert (empty.rows, empty.totals, empty.changes) == ((), {}, ())
    with pytest.raises(InputError, match="before it begins"):
        restated(usage, first=LAST, last=FIRST)


def test_its_json_loses_no_cent():
    usage, then, _ = o3_days()
    told = json.loads(json.dumps(restated(usage).to_dict()))
    assert Decimal(told["totals"]["USD"]["then"]) == cents(then)
