"""List prices taken out of genai-prices give what genai-prices itself would charge, to the last digit."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from workbench.spend.prices import Listed, Price, Rates, bundled
from workbench.spend.prices.rates import combine
from workbench.spend.usage import TokenClass

genai_prices = pytest.importorskip("genai_prices")

CONTEXTS = {
    "": None,
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
}
DATES = (
    datetime(2024, 5, 20, 3, tzinfo=UTC),
    datetime(2025, 6, 9, 23, 59, tzinfo=UTC),
    datetime(2025, 6, 10, tzinfo=UTC),
    datetime(2026, 9, 10, 2, 30, tzinfo=UTC),
    datetime(2026, 11, 22, 12, tzinfo=UTC),
)


def everything():
    from genai_prices.data_snapshot import get_snapshot

    return [(p, m) for p in get_snapshot().providers for m in p.models]


def charge(provider, model, tokens, moment, context):
    """What genai-prices charges for one request: `input_tokens` there includes cached ones."""
    total = sum(tokens[c] for c in ("input", "cache_read", "cache_write"))
    usage = genai_prices.Usage(
        input_tokens=total,
        cache_read_tokens=tokens["cache_read"],
        cache_write_tokens=tokens["cache_write"],
        output_tokens=tokens["output"],
        output_reasoning_tokens=tokens["reasoning"],
    )
    return model.calc_price(
        usage, provider, genai_request_timestamp=moment, price_context=context
    ).total_price


def draw(rng):
    """Token counts of a request, on both sides of every tier and exactly on the commonest."""
    size = rng.choice([0, 37, 31_999, 128_000, 150_000, 200_000, 200_001, 272_001, 900_000])
    read, write = rng.randint(0, size // 2), rng.randint(0, size // 4)
    output = rng.choice([0, 1, 777, 64_000])
    return {
        "input": size - read - write,
        "cache_read": read,
        "cache_write": write,
        "output": output,
        "reasoning": rng.randint(0, output),
    }


def test_every_model_costs_what_calc_price_says():
    """All models of the data, a random request, day and context for each; tiered ones thrice."""
    rng, catalogue, compared = random.Random(7), bundled(), 0
    for provider, model in everything():
        listed = Listed(provider.id, model.id, own=True, context_window=None, info=model)
        for _ in range(3 if "TieredPrices" in repr(model.prices) else 1):
            tier, tokens = rng.choice(list(CONTEXTS)), draw(rng)
            moment = rng.choice(DATES) + timedelta(minutes=rng.randint(0, 1439))
            ours = catalogue.rates(listed, moment, tier).cost(
                {TokenClass(name): n for name, n in tokens.items()}
            )
            theirs = charge(provider, model, tokens, moment, CONTEXTS[tier])
            assert ours == theirs, (provider.id, model.id, tier, moment, tokens)
            compared += 1
    assert compared > 2500


@pytest.mark.parametrize("model", ["gpt-4o", "o3", "gpt-5.4", "claude-sonnet-4-5", "mistral-large"])
@pytest.mark.parametrize("provider", ["openai", "anthropic", "azure", "mistral"])
def test_found_by_name_it_costs_what_the_public_function_says(provider, model):
    """`calc_price` itself, which also ignores contexts of a model that is sold by another."""
    tokens = {
        "input": 150_001,
        "cache_read": 70_000,
        "cache_write": 3,
        "output": 999,
        "reasoning": 9,
    }
    listed = bundled().find(provider, model)
    usage = genai_prices.Usage(
        input_tokens=220_004, cache_read_tokens=70_000, cache_write_tokens=3, output_tokens=999
    )
    for tier, context in CONTEXTS.items():
        try:
            theirs = genai_prices.calc_price(
                usage,
                model,
                provider_id=provider,
                genai_request_timestamp=DATES[-1],
                price_context=context,
            ).total_price
        except LookupError:
            assert listed is None
            continue
        ours = bundled().rates(listed, DATES[-1], tier)
        assert ours.cost({TokenClass(name): n for name, n in tokens.items()}) == theirs


def test_a_price_changes_on_its_day():
    """o3 went from $10 to $2 on 2025-06-10, and says since when; its first price has no date."""
    catalogue = bundled()
    o3 = catalogue.find("openai", "o3")
    before, after = (catalogue.of_day(o3, date(2025, 6, day))[0][1] for day in (9, 10))
    assert (before.price(TokenClass.INPUT).base, after.price(TokenClass.INPUT).base) == (10, 2)
    assert (before.valid_from, before.valid_to) == (None, date(2025, 6, 10))
    assert after.valid_from == date(2025, 6, 10)


def test_a_discount_that_came_later_does_not_date_the_list_price():
    """Batch prices of gpt-4o came on 2026-10-14; its standard price has no date."""
    catalogue, day = bundled(), date(2026, 11, 1)
    gpt = catalogue.find("openai", "gpt-4o")
    dated = [catalogue.of_day(gpt, day, tier)[0][1].valid_from for tier in ("", "batch")]
    assert dated == [None, date(2026, 10, 14)]


def test_hours_of_a_day_share_it_and_cost_what_each_hour_costs():
    """DeepSeek's discount: 16 of 24 hours at the higher price, UTC."""
    catalogue = bundled()
    model = catalogue.find("deepseek", "deepseek-chat")
    hours = catalogue.of_day(model, date(2026, 1, 15))
    lasting = {rates.price(TokenClass.OUTPUT).base: seconds / 3600 for seconds, rates in hours}
    assert lasting == {Decimal("0.55"): 8, Decimal("1.1"): 16}


def test_a_tier_begins_above_its_start_and_takes_the_whole_request():
    rates = Rates({TokenClass.INPUT: Price(Decimal(3), ((200_000, Decimal(6)),))})
    costs = [rates.cost({TokenClass.INPUT: n}) for n in (200_000, 200_001)]
    assert costs == [Decimal("0.6"), Decimal("1.200006")]


def test_cached_tokens_reach_a_tier_together_with_the_others():
    rates = Rates({TokenClass.INPUT: Price(Decimal(3), ((200_000, Decimal(6)),))})
    cost = rates.cost({TokenClass.INPUT: 1, TokenClass.CACHE_READ: 200_000})
    assert cost == Decimal("1.200006")


def test_the_lowest_of_two_keeps_every_tier():
    one = Rates({TokenClass.INPUT: Price(Decimal(3), ((100, Decimal(6)),))})
    other = Rates({TokenClass.INPUT: Price(Decimal(4), ((200, Decimal(5)),))})
    low = combine([one, other], min).price(TokenClass.INPUT)
    assert [low.at(n) for n in (100, 101, 200, 201)] == [3, 4, 4, 5]


def test_the_version_names_package_and_data():
    assert bundled().version.startswith(f"genai-prices {genai_prices.__version__}")
