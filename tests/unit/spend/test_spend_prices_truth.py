"""A day's sums, priced, against the same requests priced one by one by genai-prices itself."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from workbench.spend.prices import Cause, Prices, RequestSizes, cents, price
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

genai_prices = pytest.importorskip("genai_prices")

TRACE = Path(__file__).parents[4] / "shared" / "data" / "llm" / "azure-2023-code.csv"
MOMENT = datetime(2026, 11, 1, 12, tzinfo=UTC)
MODELS = {"anthropic": "claude-sonnet-4-5", "google": "gemini-2.5-pro"}
OTEL_BOUNDS = np.array([4.0**n for n in range(14)])
"""Buckets of `gen_ai.client.token.usage`: 1, 4, … 65,536, 262,144, …"""


@cache
def trace():
    if not TRACE.exists():
        pytest.skip("the Azure trace is not here: put it in ../shared/data/llm")
    return pd.read_csv(TRACE)


def one_row(provider, model, prompts, outputs, **more):
    """One row of the canonical table that sums the requests up."""
    row = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, np.nan)
    row |= {"day": pd.Timestamp(MOMENT.date()), "profile": "test", "lost": 0.0}
    row |= {"provider": provider, "model": model, "requests": float(len(prompts))}
    row |= {"input": float(np.sum(prompts)), "output": float(np.sum(outputs))}
    row |= {"cache_read": 0.0, "cache_write": 0.0} | more
    return pd.DataFrame([row], columns=list(COLUMNS)).astype({"day": "datetime64[ms]"})


def one_by_one(provider, model, prompts, outputs):
    """What genai-prices charges; equal requests are asked once, for a call takes 0.3 ms."""
    requests = pd.DataFrame({"prompt": prompts, "output": outputs}).value_counts()
    total = Decimal(0)
    for (prompt, output), count in requests.items():
        usage = genai_prices.Usage(input_tokens=int(prompt), output_tokens=int(output))
        asked = genai_prices.calc_price(
            usage, model, provider_id=provider, genai_request_timestamp=MOMENT
        )
        total += asked.total_price * int(count)
    return total


def histogram(prompts):
    inside = np.searchsorted(OTEL_BOUNDS, prompts, side="left")
    return RequestSizes(
        OTEL_BOUNDS,
        np.bincount(inside, minlength=len(OTEL_BOUNDS) + 1).astype(float),
        float(np.sum(prompts)),
    )


@pytest.mark.parametrize("provider", MODELS)
def test_the_azure_trace_costs_what_its_requests_cost(provider):
    """Not within 0.5 % but to the last digit, for the first 1,500 requests asked one by one."""
    model, told = MODELS[provider], trace().head(1500)
    prompts, outputs = told["ContextTokens"], told["GeneratedTokens"]
    sums = price(one_row(provider, model, prompts, outputs), Prices()).sums()
    assert sums["amount"][0] == one_by_one(provider, model, prompts, outputs)
    assert sums["low"][0] <= sums["amount"][0] <= sums["high"][0]


def test_the_whole_trace_makes_no_tier_error():
    """$3 and $15 a million, for no prompt is above 7,437 tokens; the sum given to calc_price: +97 %."""
    model = MODELS["anthropic"]
    prompts, outputs = trace()["ContextTokens"], trace()["GeneratedTokens"]
    by_hand = (Decimal(int(prompts.sum())) * 3 + Decimal(int(outputs.sum())) * 15) / 10**6
    total = price(one_row("anthropic", model, prompts, outputs), Prices()).total()["USD"]
    naive = genai_prices.Usage(input_tokens=int(prompts.sum()), output_tokens=int(outputs.sum()))
    wrong = genai_prices.calc_price(
        naive, model, provider_id="anthropic", genai_request_timestamp=MOMENT
    ).total_price
    assert prompts.max() == 7_437
    assert total == by_hand
    assert (cents(total), cents(wrong)) == (Decimal("57.87"), Decimal("113.89"))


@pytest.mark.parametrize("provider", MODELS)
def test_a_histogram_takes_the_doubt_away(provider):
    """No prompt is above 7,437 tokens, which the buckets up to 65,536 prove: no bounds are left."""
    model = MODELS[provider]
    prompts, outputs = trace()["ContextTokens"], trace()["GeneratedTokens"]
    usage = one_row(provider, model, prompts, outputs)
    without = price(usage, Prices())
    assert list(without.spreads) == [Cause.TIER]
    told = price(usage, Prices(), sizes={(provider, model): histogram(prompts)})
    assert not told.spreads
    assert told.rows["low"][0] == told.rows["high"][0] == told.rows["amount"][0]


@pytest.mark.parametrize("seed", range(0, 6, 2))
def test_bounds_contain_the_truth_where_requests_straddle_a_tier(seed):
    """Drawn requests on both sides of 200,000 tokens, with OpenTelemetry's coarse buckets."""
    rng = np.random.default_rng(seed)
    prompts = np.minimum(rng.lognormal(11 + seed / 4, 1.2, 150).astype(int), 900_000)
    outputs = rng.integers(1, 4000, 150)
    for provider, model in MODELS.items():
        truth = one_by_one(provider, model, prompts, outputs)
        usage = one_row(provider, model, prompts, outputs)
        plain = price(usage, Prices()).sums()
        told = price(usage, Prices(), sizes={(provider, model): histogram(prompts)}).sums()
        for each in (plain, told):
            assert each["low"][0] <= truth <= each["high"][0]
        width = [each["high"][0] - each["low"][0] for each in (plain, told)]
        assert width[1] < width[0]
        assert abs(told["amount"][0] - truth) <= abs(plain["amount"][0] - truth)
