"""Savings by the prompt cache against genai-prices itself, asked with the cache and without."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from spend_savings_tables import FIRST, PRICES, row, saved, usage, wasted

from workbench.spend.prices import Entry, PriceBook, Prices, RequestSizes, price
from workbench.spend.savings.caching import Unclaimed
from workbench.spend.savings.conclusions import conclude_savings

genai_prices = pytest.importorskip("genai_prices")

MOMENT = datetime(2026, 6, 1, 12, tzinfo=UTC)
SONNET, GPT = ("anthropic", "claude-sonnet-4-5"), ("openai", "gpt-4o")


def list_price(account, total, **cached):
    """What genai-prices charges for one request, its input with cached tokens in it."""
    asked = genai_prices.Usage(input_tokens=int(total), output_tokens=10, **cached)
    return genai_prices.calc_price(
        asked, account[1], provider_id=account[0], genai_request_timestamp=MOMENT
    ).total_price


def truth(account, total, read, written=0):
    cached = {"cache_read_tokens": int(read), "cache_write_tokens": int(written)}
    return list_price(account, total) - list_price(account, total, **cached)


def tokens(total, read, written=0.0, requests=1.0, **more):
    plain = total - read - (0.0 if np.isnan(written) else written)
    counted = {"input": plain, "cache_read": read, "cache_write": written, "output": 10.0}
    return counted | {"requests": requests} | more


def days(account, shares, total=1e6, requests=100.0, **more):
    return [
        row(n, *account, **tokens(total, s * total, 0.0, requests, application="bot") | more)
        for n, s in enumerate(shares)
    ]


@pytest.mark.parametrize(
    ("account", "total", "read", "written"),
    [
        (GPT, 9_000, 4_096, 0),
        (SONNET, 50_000, 30_000, 7_000),
        (SONNET, 50_000, 1_000, 40_000),
        (SONNET, 300_000, 210_000, 30_000),
        (("google", "gemini-2.5-pro"), 12_345, 6_789, 0),
        (("openai", "gpt-4o-mini"), 77_777, 33_333, 0),
    ],
)
def test_what_was_saved_is_the_list_price_without_the_cache_less_that_with_it(
    account, total, read, written
):
    """To the last digit, long-context prices and the premium on writes included."""
    found = saved(usage([row(0, *account, **tokens(total, read, written))])).table.iloc[0]
    assert found["net"] == truth(account, total, read, written)
    assert found["net"] == found["saved"] - found["premium"]
    # One request has one tier; only the lifetime of what was written is in doubt.
    assert found["net_high"] == pytest.approx(float(found["net"]), abs=1e-9)
    if not written:
        assert found["net_low"] == pytest.approx(float(found["net"]), abs=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_bounds_hold_the_truth_when_long_requests_are_among_short_ones(seed):
    """Requests priced one by one; with a histogram of their lengths the bounds are narrower."""
    rng = np.random.default_rng(seed)
    total = np.where(rng.random(40) < 0.3, rng.integers(210_000, 400_000, 40), 20_000)
    read = np.floor(total * rng.random(40) * (total < 30_000 if seed % 2 else 1))
    true = sum((truth(SONNET, t, r) for t, r in zip(total, read, strict=True)), Decimal(0))
    table = usage([row(0, *SONNET, **tokens(total.sum(), read.sum(), 0.0, 40.0))])
    edges = np.array([65_536.0, 262_144.0])
    counts = np.bincount(np.searchsorted(edges, total), minlength=3).astype(float)
    wide = saved(table).table.iloc[0]
    sizes = {SONNET: RequestSizes(edges, counts, float(total.sum()))}
    narrow = saved(table, sizes=sizes).table.iloc[0]
    for found in (wide, narrow):
        assert found["net_low"] - 1e-9 <= float(true) <= found["net_high"] + 1e-9
        assert found["net_low"] <= float(found["net"]) <= found["net_high"]
    width, less = (f["net_high"] - f["net_low"] for f in (wide, narrow))
    assert less <= width + 1e-9


@pytest.mark.parametrize("tier", ["", "flex"])
def test_what_was_saved_is_the_difference_of_two_pricings_of_the_table(tier):
    """Any account, sizes, prices by the hour and by assumption: to a nano-unit a row and class."""
    rng = np.random.default_rng(7)
    accounts = [GPT, SONNET, ("", "gpt-4o"), ("google", "gemini-2.5-pro"), ("azure", "gpt-4o")]
    accounts += [("deepseek", "deepseek-chat"), ("aws", "anthropic.claude-sonnet-4-5-v1:0")]
    accounts += [("mistral", "devstral-small")]
    rows = []
    for n in range(60):
        total, read, written = np.sort(rng.integers(0, 900_000, 3))[::-1]
        more = {"requests": float(rng.integers(1, 9)), "tier": tier, "application": str(n)}
        counted = tokens(float(total), float(read - written), float(written), **more)
        rows.append(row(n % 9, *accounts[n % len(accounts)], **counted))
    table = usage(rows)
    plain = table.copy()
    plain["input"] = table[["input", "cache_read", "cache_write"]].sum(axis=1)
    plain[["cache_read", "cache_write"]] = 0.0
    with_cache, without = price(table, PRICES), price(plain, PRICES)
    found = saved(table).table.set_index("application")
    true = (without.rows["amount"] - with_cache.rows["amount"]).astype(float) * 1e-9
    for name, value in zip(table["application"], true, strict=True):
        if name in found.index:
            assert float(found.loc[name, "net"]) == pytest.approx(value, abs=5e-9)
    assert len(found) > 40
    assert (found["net_low"] <= found["net"].astype(float)).all()
    assert (found["net_high"] >= found["net"].astype(float)).all()


def test_no_doubt_about_tiers_is_left_where_the_longest_request_is_known():
    """A million tokens of input in requests of which none had more than 30,000."""
    table = usage([row(0, *SONNET, **tokens(1e6, 5e5, 0.0, 100.0))])
    known = table.assign(request_input_least=np.nan, request_input_most=30_000.0)
    wide, narrow = (saved(t).table.iloc[0] for t in (table, known))
    assert wide["net_high"] == pytest.approx(2.70)
    assert narrow["net_low"] == narrow["net_high"] == pytest.approx(1.35)


def test_an_hour_long_cache_makes_writing_dearer_and_is_within_the_bounds():
    """Writes for an hour cost $6 a million in place of $3.75."""
    found = saved(usage([row(0, *SONNET, **tokens(100_000, 0.0, 100_000.0))])).table.iloc[0]
    assert found["premium"] == Decimal("0.075")
    assert found["net_low"] == pytest.approx(-0.3)
    assert found["net_high"] == pytest.approx(-0.075)


def test_writes_that_nobody_counts_are_told_beside_what_was_saved():
    """At the most all other input was written for an hour: 40,000 tokens at $3 a million more."""
    savings = saved(usage([row(0, *SONNET, **tokens(50_000, 10_000, np.nan))]))
    found = savings.table.iloc[0]
    assert found["net"] == Decimal("0.027")
    assert found["unseen"] == pytest.approx(0.12)
    assert (savings.unseen("USD"), savings.unseen("EUR")) == (found["unseen"], 0.0)
    assert saved(usage([row(0, *GPT, **tokens(50_000, 10_000, np.nan))])).table["unseen"][0] == 0.0


def test_lost_tokens_widen_the_bounds_and_not_the_figure():
    """A tenth of the row's tokens may have been missed."""
    table = usage([row(0, *GPT, **tokens(9_990.0, 5_000.0))])
    bounds = pd.DataFrame({"low": [10_000.0], "high": [11_000.0], "moved": [0.0]})
    found = saved(table, bounds=bounds).table.iloc[0]
    assert found["net"] == Decimal("0.00625")
    assert found["net_high"] == pytest.approx(0.00625 * 1.1)


def test_missed_is_the_best_days_share_less_this_weeks_by_hand():
    """Fourteen days at 55 %, seven at 10 %: 7 million tokens × 45 points × $2.70 a million."""
    table = usage(days(SONNET, [0.55] * 14 + [0.10] * 7))
    found = saved(table, first=FIRST + timedelta(days=14)).table.iloc[0]
    assert found["best"] == pytest.approx(0.55)
    assert found["missed"] == pytest.approx(7 * 0.45 * 2.70)
    assert found["ten_points"] == pytest.approx(7 * 0.10 * 2.70)


def test_a_single_lucky_day_is_no_best_day():
    """The share must have been reached on one day in ten."""
    shares = [0.2] * 20 + [0.9]
    found = saved(usage(days(GPT, shares))).table.iloc[0]
    assert found["best"] == pytest.approx(0.2)


def test_days_with_little_input_tell_no_share():
    """Two Sundays on which nearly all was cached are left out."""
    rows = days(GPT, [0.2] * 10)
    rows += [row(10 + n, *GPT, **tokens(1e4, 9e3, 0.0, 2.0, application="bot")) for n in range(2)]
    assert saved(usage(rows)).table["best"][0] == pytest.approx(0.2)


@pytest.mark.parametrize(
    ("rows", "why"),
    [
        (days(("mistral", "devstral-small"), [0.0] * 9), Unclaimed.NO_PRICE),
        (days(GPT, [0.5, 0.1] * 4, requests=2_000.0), Unclaimed.SHORT),
        (days(GPT, [0.0] * 9), Unclaimed.NEVER),
        (days(GPT, [0.5, 0.1]), Unclaimed.FEW_DAYS),
        (days(GPT, [0.0] * 9, cache_read=np.nan), Unclaimed.NOT_COUNTED),
    ],
)
def test_nothing_is_claimed_where_nothing_is_known(rows, why):
    """Each reason stands in the place of a figure; ten points stay arithmetic."""
    found = saved(usage(rows)).table.iloc[0]
    assert found["unclaimed"] == why.value
    assert np.isnan(found["missed"])
    if why in (Unclaimed.NEVER, Unclaimed.FEW_DAYS):
        assert found["ten_points"] == pytest.approx(len(rows) * 1e6 * 0.1 * 1.25e-6)


def test_an_empty_table_and_one_of_nothing_but_nan_save_nothing():
    """No row, no figure, no error."""
    for table in (usage([]), usage([row(0, *GPT), row(1, "", "", errors=3.0)])):
        found = saved(table)
        assert len(found.table) == len(found.answers) == 0
        assert found.to_dict()["prompt_cache"] == []
        assert list(conclude_savings(found, wasted(usage([])))) == []


def test_more_cached_than_input_and_no_requests_are_counted_as_they_are():
    """Tokens are disjoint here: cached ones may be all there are."""
    found = saved(usage([row(0, *GPT, input=0.0, cache_read=1e6, requests=0.0)])).table.iloc[0]
    assert found["net"] == Decimal("1.25")
    assert found["missed"] != found["missed"]


def test_currencies_stay_apart_and_what_has_no_price_is_left_out():
    """A contract in euros, a list price in dollars, a model that nobody sells."""
    euros = [
        Entry(n, "openai", "gpt-4o-mini", what, Decimal(price), "EUR")
        for n, (what, price) in enumerate([("input", "1"), ("cache_read", "0.25")])
    ]
    rows = [
        row(0, *account, **tokens(1e6, 4e5), application=f"=<b>{n}\n")
        for n, account in enumerate((GPT, ("openai", "gpt-4o-mini"), ("nobody", "no-such-model")))
    ]
    found = saved(usage(rows), prices=Prices(PriceBook(tuple(euros)))).table
    assert dict(zip(found["currency"], found["net"], strict=True)) == {
        "USD": Decimal("0.5"),
        "EUR": Decimal("0.3"),
    }


def test_an_assumed_sellers_prices_are_each_in_doubt():
    """Where nobody says who sold, the bounds of a difference are those of two prices."""
    found = saved(usage([row(0, "", "gpt-4o", **tokens(1e4, 5e3))])).table.iloc[0]
    assert found["net_low"] <= float(found["net"]) <= found["net_high"]


def test_a_share_that_fell_is_a_finding_and_small_change_is_none():
    """A third of the spend is a warning; noise in another application says nothing."""
    quiet = days(GPT, [0.30, 0.31] * 10 + [0.30], application="quiet")
    table = usage(days(SONNET, [0.55] * 14 + [0.10] * 7) + quiet)
    found = list(conclude_savings(saved(table, first=FIRST + timedelta(14)), wasted(usage([]))))
    assert [(f.code, f.severity.value) for f in found] == [("LLM-CACHE", "warning")]
    assert "bot on anthropic/claude-sonnet-4-5" in found[0].about
    assert found[0].evidence["missed_at_most"] == pytest.approx(8.50, abs=0.01)


def test_a_cache_that_is_written_and_not_read_is_a_loss():
    """At every price it may have."""
    table = usage([row(0, *SONNET, **tokens(1e6, 1e4, 9e5, 100.0), application="bot")])
    found = list(conclude_savings(saved(table), wasted(usage([]))))
    assert [f.about for f in found] == ["bot on anthropic/claude-sonnet-4-5 at a loss"]
    assert found[0].evidence["loss_at_least"] == pytest.approx(0.9 * 0.75 - 0.01 * 2.7, abs=0.06)


def test_the_json_form_has_money_as_text_and_no_nan():
    """A figure that is not claimed is null."""
    told = saved(usage(days(GPT, [0.5, 0.1]))).to_dict()["prompt_cache"][0]
    assert told["net"] == "0.75"
    assert told["missed"] is None
    assert set(told) >= {"provider", "currency", "net_low", "unclaimed"}
