"""A table is priced to the cent, with bounds that have causes; what has no price is never $0."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

from workbench.errors import BadRowsError, InputError
from workbench.spend.prices import (
    NANO,
    Cause,
    Explanation,
    Prices,
    Reason,
    RequestSizes,
    bundled,
    price,
    read_price_book,
)
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES, TokenClass

pytest.importorskip("genai_prices")

HEAD = "provider,model,region,unit,token_class,price,currency,valid_from,valid_to,tier_start\n"


def table(*rows):
    """The canonical table: everything counted and 0 but for what a row says."""
    plain = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
    plain |= {"day": "2026-11-01", "profile": "p", "lost": 0.0, "requests": 1000.0, "cost": np.nan}
    plain |= {"provider": "openai", "model": "gpt-4o"}
    made = pd.DataFrame([plain | row for row in rows], columns=list(COLUMNS))
    return made.astype({"day": "datetime64[ms]"})


def book(*lines):
    return read_price_book((HEAD + "\n".join(lines)).encode(), name="book.csv")


def money(priced, column, row=0):
    value = priced.rows[column].iloc[row]
    return None if value is pd.NA else int(value) * NANO


def test_classes_are_priced_one_by_one_by_hand():
    """gpt-4o: $2.50 input, $1.25 cached, $10 output for a million; reasoning is a part of output."""
    row = {"input": 1e6, "cache_read": 2e6, "output": 3e5, "reasoning": 1e5}
    priced = price(table(row), Prices())
    found = [money(priced, name) for name in ("input", "cache_read", "output", "amount")]
    assert found == [Decimal("2.5"), Decimal("2.5"), Decimal(3), Decimal(8)]
    assert priced.total() == {"USD": Decimal(8)}


def test_many_rows_add_up_as_exact_decimals_do():
    """Ten thousand rows over 40 models against sums in Decimal: half a nano-unit a row and class."""
    rng = np.random.default_rng(3)
    names = [
        (p, m) for p in ("openai", "mistral", "aws", "deepseek") for m in bundled().models(p)[:10]
    ]
    chosen = rng.integers(0, len(names), 10_000)
    models = table(*({"provider": p, "model": m, "requests": 1.0} for p, m in names))
    usage = models.iloc[chosen].reset_index(drop=True)
    classes = ("input", "cache_read", "cache_write", "output")
    for name in classes:
        usage[name] = rng.integers(0, 9_000, len(usage)).astype(float)
    priced = price(usage, Prices())
    exact = Decimal(0)
    for n, (provider, model) in enumerate(names):
        rates = Prices().quote(provider, model, "", "", date(2026, 11, 1)).rates
        if rates is not None:
            exact += rates.per_request * int((chosen == n).sum())
            for name in classes:  # at the base: no request here comes near a tier
                of_class = rates.price(TokenClass(name))
                tokens = int(usage.loc[chosen == n, name].sum())
                exact += of_class.base * tokens / 10**6 if of_class else 0
    total = priced.total()["USD"]
    assert exact > 200
    assert abs(total - exact) <= len(usage) * 4 * NANO / 2
    assert sum(priced.sums(["provider", "model"])["amount"].dropna()) == total


def test_a_price_with_too_many_tiers_is_refused():
    lines = [f"openai,m,,1M tokens,input,2,,,,{n * 1000}" for n in range(10)]
    with pytest.raises(BadRowsError, match="'m' has 9 tiers"):
        book(*lines)


def test_sums_beyond_64_bits_are_exact():
    usage = table(*({"model": "o1-pro", "output": 1e13} for _ in range(3)))
    assert price(usage, Prices()).total() == {"USD": Decimal(18_000_000_000)}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"model": "gpt-4oo"}, Reason.UNKNOWN_MODEL),
        ({"provider": "", "model": "no-such"}, Reason.UNKNOWN_PROVIDER),
        ({"provider": "vllm", "model": "llama"}, Reason.SELF_HOSTED),
        ({"provider": "dashscope", "model": "qwen-max"}, Reason.UNLISTED),
        ({"model": ""}, Reason.NO_MODEL),
        ({"provider": "groq", "model": "whisper-large-v3"}, Reason.OTHER_UNIT),
        ({"model": "text-embedding-3-small"}, Reason.NO_CLASS_PRICE),
    ],
)
def test_what_has_no_price_is_listed_and_not_free(row, reason):
    """The embedding model prices input but no output, of which there are 1,000 tokens."""
    priced = price(table({"input": 5e6, "output": 1000.0} | row, {"input": 1e6}), Prices())
    (found,) = priced.unpriced
    assert (found.reason, found.model) == (reason, row.get("model", "gpt-4o"))
    partly = reason is Reason.NO_CLASS_PRICE
    assert found.tokens == (1000 if partly else 5_001_000)
    assert money(priced, "output") is None
    assert (money(priced, "amount") is None) is not partly
    sums = priced.sums(["model"])
    assert sums["unpriced"].sum() == found.tokens


def test_the_most_unpriced_tokens_stand_first_with_near_names():
    usage = table({"model": "gpt-4oo", "input": 10.0}, {"model": "gpt-4.11-mini", "input": 20.0})
    first, second = price(usage, Prices()).unpriced
    assert (first.tokens, "gpt-4.1-mini" in first.near) == (20, True)
    assert "gpt-4o" in second.near


def test_a_group_without_any_price_has_no_amount():
    usage = table({"team": "a", "model": "x", "input": 1.0}, {"team": "b", "input": 1e6})
    sums = price(usage, Prices()).sums(["team"]).set_index("team")
    assert sums["amount"].to_dict() == {"b": Decimal("2.5"), "a": None}


def test_the_mean_request_takes_the_tier_and_the_bounds_take_both():
    """Sonnet 4.5: $3, above 200,000 tokens $6; two requests of 150,000 on average."""
    row = {"provider": "anthropic", "model": "claude-sonnet-4-5", "input": 3e5, "requests": 2.0}
    priced = price(table(row, row | {"requests": 1.0}, row | {"input": 2e5}), Prices())
    found = [[money(priced, c, n) for c in ("amount", "low", "high")] for n in range(3)]
    assert found[0] == [Decimal("0.9"), Decimal("0.9"), Decimal("1.8")]
    assert found[1] == [Decimal("1.8")] * 3
    assert found[2] == [Decimal("0.6")] * 3


def test_a_histogram_gives_the_share_above_the_tier():
    """Half of the tokens surely above, none in the bucket that the threshold cuts."""
    row = {"provider": "anthropic", "model": "claude-sonnet-4-5", "input": 2e6, "requests": 103.0}
    sizes = RequestSizes(
        np.array([10_000.0, 250_000.0, 400_000.0]), np.array([100.0, 0, 3, 0]), 2e6
    )
    priced = price(table(row), Prices(), sizes={("anthropic", "claude-sonnet-4-5"): sizes})
    low, amount, high = (money(priced, c) for c in ("low", "amount", "high"))
    assert low == 6 + 3  # at least 1,000,000 tokens above: the others hold 1,000,000 at most
    assert high == 6 + Decimal("3.6")  # three requests of 400,000 at most
    assert low <= amount <= high


def test_an_uncounted_cached_share_lies_between_all_and_none():
    priced = price(table({"input": 1e6, "cache_read": np.nan}), Prices())
    found = [money(priced, c) for c in ("low", "amount", "high", "cache_read")]
    assert found == [Decimal("1.25"), Decimal("2.5"), Decimal("2.5"), None]
    assert list(priced.spreads) == [Cause.CACHED]


def test_hours_with_other_prices_bound_a_day():
    """DeepSeek's output: 8 h at $0.55 and 16 h at $1.10."""
    row = {"provider": "deepseek", "model": "deepseek-chat", "output": 1e6}
    priced = price(table(row), Prices())
    found = [money(priced, c) for c in ("low", "amount", "high")]
    assert found == [Decimal("0.55"), Decimal("0.916666667"), Decimal("1.1")]
    assert priced.causes()["cause"].tolist() == ["hour of day"]


def test_regions_of_clouds_and_unpriced_service_tiers_bound_a_price():
    rows = [
        {"provider": "azure", "input": 1e6},
        {"provider": "azure", "region": "global", "input": 1e6},
        {"provider": "azure", "region": "global", "tier": "batch", "input": 1e6},
        {"tier": "batch", "input": 1e6},
    ]
    priced = price(table(*rows), Prices())
    found = [[money(priced, c, n) for c in ("low", "amount", "high")] for n in range(4)]
    assert found[0] == [Decimal("2.25"), Decimal("2.5"), Decimal("2.75")]
    assert found[1] == [Decimal("2.5")] * 3
    assert found[2] == [Decimal("1.25"), Decimal("2.5"), Decimal("2.5")]
    assert found[3] == [Decimal("1.25")] * 3


def test_causes_add_up_to_the_bounds_exactly():
    rng = np.random.default_rng(1)
    rows = [
        {"provider": p, "model": m, "tier": t, "input": float(rng.integers(1e6, 1e9)), "output": 1e5}
        | {"cache_read": rng.choice([np.nan, 1e5]), "cache_write": 1e5, "reasoning": np.nan}
        | {"cost": float(rng.random() * 100)}
        for p, m in (("aws", "amazon.nova-pro-v1:0"), ("anthropic", "claude-sonnet-4-5"),
                     ("perplexity", "sonar-deep-research"), ("azure", "gpt-5.4"))
        for t in ("", "batch", "priority")
    ]  # fmt: skip
    priced = price(table(*rows), Prices())
    down, up = (sum(s[n] for s in priced.spreads.values()) for n in (0, 1))
    assert ((priced.rows["amount"] - priced.rows["low"]) == down).all()
    assert ((priced.rows["high"] - priced.rows["amount"]) == up).all()
    expected = {
        Cause.TIER,
        Cause.CACHED,
        Cause.REGION,
        Cause.LIFETIME,
        Cause.REASONING,
        Cause.SOURCE,
    }
    assert expected <= set(priced.spreads)


def test_a_book_wins_class_by_class_and_says_what_it_leaves_open():
    """Input at $2 by contract; cached tokens at the list's $1.25, which may be $2; output $10."""
    prices = Prices(book("openai,gpt-4o,,1M tokens,input,2,,,,"))
    priced = price(table({"input": 1e6, "cache_read": 1e6, "output": 1e6}), prices)
    found = [money(priced, c) for c in ("input", "cache_read", "output", "low", "high")]
    assert found == [2, Decimal("1.25"), 10, Decimal("13.25"), 14]
    assert list(priced.spreads) == [Cause.BOOK]
    assert priced.rows["source"][0].startswith(
        "book.csv, line 2; cache_read, output from genai-prices"
    )


def test_a_book_prices_what_no_list_has():
    prices = Prices(
        book("vllm,llama,,1M tokens,input,0.10,,,,", "vllm,llama,,1M tokens,output,0.4,,,,")
    )
    usage = table({"provider": "vllm", "model": "llama", "input": 1e6, "output": 1e6})
    priced = price(usage, prices)
    assert (priced.total(), priced.unpriced) == ({"USD": Decimal("0.5")}, ())


def test_a_dated_name_takes_the_contract_of_its_family():
    priced = price(
        table({"model": "gpt-4o-2024-08-06", "input": 1e6}),
        Prices(book("openai,gpt-4o,,1M tokens,input,2,,,,")),
    )
    assert money(priced, "input") == 2


def test_currencies_are_never_added_up():
    prices = Prices(book("openai,gpt-4o,,1M tokens,input,2,EUR,,,"))
    priced = price(table({"input": 1e6}, {"model": "gpt-4.1", "input": 1e6}), prices)
    assert priced.total() == {"USD": Decimal(2), "EUR": Decimal(2)}
    assert set(priced.sums(["provider"])["currency"]) == {"USD", "EUR"}


def test_a_requests_own_price_is_counted_by_the_request():
    lines = ("openai,gpt-4o,,1K requests,,5,,,,",)
    priced = price(table({"input": 1e6, "requests": 3000.0}), Prices(book(*lines)))
    assert (money(priced, "request"), money(priced, "amount")) == (15, 15)


def test_a_past_month_is_restated_at_another_day_s_prices():
    usage = table({"model": "o3", "input": 1e6, "day": "2025-06-09"})
    then, today = Prices(), Prices().at(date(2026, 11, 22))
    totals = [price(usage, each).total()["USD"] for each in (then, today, today.at(None))]
    assert totals == [10, 2, 10]
    assert "all at the prices of 2026-11-22" in today.version


def test_each_day_has_its_own_price():
    days = [{"model": "o3", "input": 1e6, "day": f"2025-06-{d:02}"} for d in (10, 9, 11, 8)]
    priced = price(table(*days), Prices())
    assert [money(priced, "input", n) for n in range(4)] == [2, 10, 2, 10]


@pytest.mark.parametrize(
    ("row", "explanation"),
    [
        ({"cost": 2.5}, Explanation.AGREES),
        ({"cost": 0.0}, Explanation.NO_PRICE),
        ({"cache_read": 1e6, "cost": 5.0}, Explanation.CACHED_FULL),
        ({"cache_read": 1e6, "cost": 2.5}, Explanation.CACHED_FREE),
        ({"cost": 2.75}, Explanation.REGION),
        ({"cost": 2.9, "lost": 2e5}, Explanation.MISSING),
        ({"cost": 9.0}, Explanation.UNEXPLAINED),
        ({"model": "text-embedding-3-small", "output": 1e6, "cost": 9.0}, Explanation.UNPRICED),
        ({"cost": np.nan}, Explanation.NONE),
        (
            {"provider": "anthropic", "model": "claude-sonnet-4-5", "cost": 6.0},
            Explanation.TIER,
        ),
    ],
)
def test_the_gateway_s_own_cost_is_explained(row, explanation):
    priced = price(table({"input": 1e6} | row), Prices())
    assert priced.rows["explanation"][0] == explanation
    if explanation is Explanation.UNEXPLAINED:
        assert money(priced, "high") == 9
        assert money(priced, "difference") == Decimal("6.5")
    elif explanation is not Explanation.TIER:
        assert Cause.SOURCE not in priced.spreads


def test_a_steady_ratio_is_another_price():
    usage = table(*({"input": n * 1e6, "cost": n * 2.5 * 1.37} for n in (1, 2, 3, 4)))
    priced = price(usage, Prices())
    assert set(priced.rows["explanation"]) == {Explanation.PRICE}
    (row,) = priced.disagreements().itertuples()
    assert (row.explanation, row.ours, row.rows) == (Explanation.PRICE, 25, 4)


def test_another_currency_of_the_gateway_is_not_compared():
    priced = price(table({"input": 1e6, "cost": 2.3}), Prices(), own_currency={"p": "EUR"})
    assert priced.rows["explanation"][0] == Explanation.CURRENCY
    assert money(priced, "difference") is None


def test_an_assumed_provider_is_bounded_by_who_else_sells_the_model():
    """gpt-oss-120b: by hand, the cheapest and the dearest output price of all its sellers."""
    catalogue, day = bundled(), date(2026, 11, 1)
    sellers = catalogue.sellers("gpt-oss-120b")
    prices = [
        rates.price(TokenClass.OUTPUT).base
        for seller in sellers
        for _, rates in catalogue.of_day(catalogue.find(seller, "gpt-oss-120b"), day)
    ]
    row = {"provider": "", "model": "gpt-oss-120b", "output": 1e6}
    priced = price(table(row), Prices())
    assert len(sellers) > 1
    assert (money(priced, "low"), money(priced, "high")) == (min(prices), max(prices))


def test_missing_labels_are_empty_labels():
    usage = table({"input": 1e6})
    usage["region"] = None
    assert price(usage, Prices()).total() == {"USD": Decimal("2.5")}


def test_assumptions_are_said():
    rows = ({"provider": "", "input": 1.0}, {"tier": "turbo", "input": 1.0})
    notes = " ".join(price(table(*rows), Prices()).notes)
    assert "assumed provider" in notes
    assert "service tier 'turbo' is not known" in notes
    assert "the list prices of 1 model carry no date" in notes


@pytest.mark.parametrize("value", [-1.0, np.inf])
def test_impossible_counts_are_refused_with_their_row(value):
    with pytest.raises(BadRowsError, match=r"the usage of 'openai' .* has (-1|inf) for 'input'"):
        price(table({}, {"input": value}), Prices())


@pytest.mark.parametrize("row", [{"input": 1e14, "output": 1e13}, {"cost": 1e10}])
def test_money_beyond_64_bits_is_refused_by_whose_it_is(row):
    """Classes that fit one by one need not fit together."""
    with pytest.raises(BadRowsError, match=r"'openai' 'o1-pro'.* costs .* match="):
        price(table({}, {"model": "o1-pro", **row}), Prices())


def test_an_empty_table_costs_nothing_of_any_currency():
    priced = price(table({}).iloc[:0], Prices())
    assert (priced.total(), priced.unpriced, len(priced.sums(["team"]))) == ({}, (), 0)
    assert priced.disagreements().empty
    assert priced.causes().empty


def test_categories_and_any_index_are_kept():
    usage = table({"input": 1e6, "team": "a"}, {"input": 2e6, "team": "b"}).set_index(
        pd.Index([7, 3])
    )
    usage = usage.astype(dict.fromkeys(DIMENSIONS, "category"))
    priced = price(usage, Prices())
    assert list(priced.rows.index) == [7, 3]
    assert priced.sums(["team"])["amount"].tolist() == [5, Decimal("2.5")]


def test_an_unknown_dimension_is_suggested():
    with pytest.raises(InputError, match="did you mean 'team'"):
        price(table({}), Prices()).sums(["teams"])
