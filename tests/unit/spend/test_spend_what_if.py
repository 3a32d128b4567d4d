"""What another model would have cost: the range holds what can be, and says when nothing is known."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from spend_switch_tables import book, reading, table

from workbench.errors import InputError
from workbench.spend.prices import Prices, Reason, RequestSizes, as_floats, price
from workbench.spend.reading.request_sizes import request_sizes
from workbench.spend.what_if.analysis import what_if
from workbench.spend.what_if.findings import conclude_what_if
from workbench.spend.what_if.lengths import output_factor
from workbench.spend.what_if.moving import Corner, Factors, Label, cost_range, moved_usage
from workbench.spend.what_if.ranges import Range
from workbench.spend.what_if.result import Sign
from workbench.spend.what_if.switch import parse_switch
from workbench.spend.what_if.tokenizers import tokenizer_factor

genai_prices = pytest.importorskip("genai_prices")

PRICES = Prices()
DAY = date(2026, 11, 1)
SURE = {"tokenizer": 1, "output": 1, "cached": 1}
TOKENS = {"input": 1e6, "cache_read": 5e5, "output": 2e5}


def ask(usage, switch, prices=None, histograms=(), by=("team", "application")):
    prices = prices or PRICES
    priced = price(usage, prices)
    told = reading(usage, histograms)
    return what_if(priced, told, prices, switch, first=DAY, last=DAY, by=by)


def only(result):
    [target] = result.targets
    [outcome] = target.outcomes
    return outcome


def test_with_sure_factors_it_is_the_other_price_list_by_hand():
    """gpt-4o: $2.50, $1.25 cached, $10; gpt-4o-mini: $0.15, $0.075 cached, $0.60 for a million."""
    found = only(ask(table(TOKENS), parse_switch("gpt-4o", "gpt-4o-mini", **SURE)))
    assert found.now.expected == pytest.approx(2.5 + 0.625 + 2)
    assert found.then.low == found.then.high == pytest.approx(0.15 + 0.0375 + 0.12)
    assert found.saving.expected == pytest.approx(4.8175)
    assert found.sign is Sign.CHEAPER
    assert not any(sum(both) for both in found.doubts.values())


spans = st.tuples(st.floats(0.3, 3), st.floats(0.3, 3)).map(sorted)
inside = st.floats(0, 1)
targets = st.sampled_from(
    ["google/gemini-2.5-pro", "anthropic/claude-sonnet-4-5", "openai/gpt-4o-mini", "openai/o3"]
)


def any_usage(seed):
    """Thirty rows of every size, some of one request, some without a count of cached tokens."""
    rng = np.random.default_rng(seed)
    size = np.exp(rng.uniform(0, 16, (30, 3)))
    many = np.where(rng.random(30) < 0.2, 1.0, np.rint(np.exp(rng.uniform(0, 8, 30))))
    cached = np.where(rng.random(30) < 0.3, np.nan, size[:, 1])
    return table(
        *(
            {"input": i, "cache_read": r, "output": o / 10, "requests": n}
            for (i, _, o), r, n in zip(size, cached, many, strict=True)
        )
    )


@settings(max_examples=8, deadline=None, phases=[Phase.generate])  # to shrink takes minutes
@given(targets, st.lists(st.tuples(spans, inside), min_size=3, max_size=3), st.integers(0, 2**32))
def test_whatever_lies_between_the_ends_costs_something_between_the_bounds(name, factors, seed):
    """Tiers, caches with a price for writing, uncounted caches: any factors inside, row by row."""
    label, usage = Label(*name.split("/")), any_usage(seed)
    ends = [span for span, _ in factors]
    ends[2] = [end / 3 for end in ends[2]]  # how much is still cached: at most all of it
    supposed = Factors(*(Range.between(*span) for span in ends))
    costs = cost_range(usage, PRICES, label, supposed)
    at = [
        min(max(low + (high - low) * u, low), high)
        for (low, high), (_, u) in zip(ends, factors, strict=True)
    ]
    between = price(moved_usage(usage, label, Corner(*at), supposed), PRICES).rows
    slack = 2e-9 + 1e-12 * costs.high  # each row and class is rounded to a nano-unit
    for column in ("amount", "low", "high"):
        money = as_floats(between[column])
        assert (money >= costs.low - slack).all()
        assert (money <= costs.high + slack).all()
    moved = sum(down for down, _ in costs.doubts.values())
    assert costs.expected - moved == pytest.approx(costs.low, abs=1e-6)


@pytest.mark.parametrize("with_histogram", [False, True])
def test_requests_priced_one_by_one_by_genai_prices_lie_within(with_histogram):
    """300 requests, some beyond the tier at 200,000 tokens, each with a tokenizer and length of its own."""
    rng = np.random.default_rng(7)
    prompts = np.rint(np.exp(rng.normal(10.8, 1.1, 300)))
    answers = np.rint(np.exp(rng.normal(6, 1, 300)))
    t, o = rng.uniform(0.9, 1.2, 300), rng.uniform(0.8, 1.3, 300)
    moment = datetime(2026, 11, 1, 12, tzinfo=UTC)
    truth = Decimal(0)
    for prompt, answer in zip(np.rint(prompts * t), np.rint(answers * t * o), strict=True):
        told = genai_prices.Usage(input_tokens=int(prompt), output_tokens=int(answer))
        truth += genai_prices.calc_price(
            told, "gemini-2.5-pro", provider_id="google", genai_request_timestamp=moment
        ).total_price
    row = {"input": prompts.sum(), "output": answers.sum(), "requests": 300.0}
    edges = 4.0 ** np.arange(12)
    counted = np.bincount(np.searchsorted(edges, prompts), minlength=13).astype(float)
    costs = cost_range(
        table(row),
        PRICES,
        Label("google", "gemini-2.5-pro"),
        Factors(Range.between(0.9, 1.2), Range.between(0.8, 1.3), Range(1, 1, 1)),
        sizes=RequestSizes(edges, counted, float(prompts.sum())) if with_histogram else None,
    )
    assert costs.low[0] <= float(truth) <= costs.high[0]
    assert costs.high[0] / costs.low[0] < (4.1 if with_histogram else 4.7)


def test_a_histogram_narrows_the_range():
    """No request is longer than 1,000 tokens, so that no tier can be reached."""
    usage, factors = table({"input": 1e6, "requests": 2000.0}), Factors(*[Range(1, 1, 1)] * 3)
    label = Label("google", "gemini-2.5-pro")
    sizes = RequestSizes(np.array([1000.0, 4000.0]), np.array([2000.0, 0, 0]), 1e6)
    wide = cost_range(usage, PRICES, label, factors)
    tight = cost_range(usage, PRICES, label, factors, sizes=sizes)
    assert wide.high[0] == pytest.approx(2 * tight.high[0])
    assert tight.high[0] == pytest.approx(1.25)


def test_the_doubts_add_up_to_the_range():
    found = only(ask(table(TOKENS), parse_switch("gpt-4o", "google/gemini-2.5-pro")))
    for side, bound in ((0, found.then.low), (1, found.then.high)):
        summed = sum(both[side] for both in found.doubts.values())
        assert abs(found.then.expected - bound) == pytest.approx(summed)


def test_a_cold_cache_of_a_provider_who_bills_writes_costs_a_quarter_more_than_input():
    """claude-sonnet-4-5: $3 input, $0.30 read, $3.75 written; half a million tokens were read."""
    factors = Factors(Range(1, 1, 1), Range(1, 1, 1), Range(0, 1, 1))
    label = Label("anthropic", "claude-sonnet-4-5")
    small = {"input": 1000.0, "cache_read": 5e5, "output": 0.0, "requests": 1e6}
    costs = cost_range(table(small), PRICES, label, factors)
    assert costs.expected[0] == pytest.approx(0.003 + 0.15)
    cold = costs.expected[0] + sum(
        up for doubt, (_, [up]) in costs.doubts.items() if doubt == "cache"
    )
    assert cold == pytest.approx(0.003 + 1.875)


def test_part_of_the_traffic_saves_that_part():
    whole = only(ask(table(TOKENS), parse_switch("gpt-4o", "gpt-4o-mini")))
    part = only(ask(table(TOKENS), parse_switch("gpt-4o", "gpt-4o-mini", share=0.25)))
    assert part.now == whole.now
    for bound in ("low", "expected", "high"):
        assert getattr(part.saving, bound) == pytest.approx(getattr(whole.saving, bound) / 4)
    assert part.now.expected - part.saving.expected == pytest.approx(part.then.expected)
    assert part.break_even.expected == pytest.approx(whole.break_even.expected)


def test_at_the_break_even_nothing_is_saved():
    """Asked again with answers of exactly that length, both models cost the same."""
    sure = {"tokenizer": 1.1, "cached": 0.5}
    first = only(ask(table(TOKENS), parse_switch("gpt-4o", "claude-haiku-4-5", **sure, output="0.8-1.3")))  # fmt: skip
    at = first.break_even
    assert at.low == at.expected == at.high
    again = only(ask(table(TOKENS), parse_switch("gpt-4o", "claude-haiku-4-5", **sure, output=at.expected)))  # fmt: skip
    assert again.saving.expected == pytest.approx(0, abs=1e-9)
    assert f"{at.expected:.2g}" in first.statement


def test_what_is_dearer_however_short_the_answers_is_called_so():
    found = only(ask(table(TOKENS), parse_switch("gpt-4o", "claude-opus-4-1", tokenizer=1.2)))
    assert found.sign is Sign.DEARER
    assert found.break_even.expected == 0
    assert found.statement == "expected to be dearer however short the answers"


def test_models_that_share_a_tokenizer_have_no_doubt_about_it_and_unknown_ones_the_most():
    assert tokenizer_factor("gpt-4o", "gpt-4o-mini-2024-07-18").is_sure
    assert tokenizer_factor("claude-3-5-sonnet", "claude-sonnet-4-5").is_sure
    assert tokenizer_factor("claude-sonnet-4-6", "claude-sonnet-5").low == 1
    assert not tokenizer_factor("mistral-7b", "mistral-nemo").is_sure
    known = tokenizer_factor("gpt-4o", "gemini-2.5-pro")
    unknown = tokenizer_factor("gpt-4o", "in-house")
    assert unknown.low < known.low < 1 < known.high < unknown.high


def test_claude_makes_as_many_tokens_of_gpt_4o_s_as_was_measured():
    """16 % more on articles, 21 % on mathematics, 30 % on Python."""
    factor = tokenizer_factor("gpt-4o", "claude-3-5-sonnet")
    assert factor.low < 1.16
    assert factor.high > 1.30


def test_reasoning_widens_the_length_of_answers_and_is_said():
    result = ask(table(TOKENS), parse_switch("gpt-4o", "o3"))
    assert only(result).then.high > 3 * only(result).then.expected / 2
    assert output_factor("gpt-4o", "o3").high == 8
    assert "may reason" in result.targets[0].notes[0]


def test_reasoning_that_was_counted_falls_away_with_a_model_that_does_not_reason():
    """Of 200,000 tokens of output 150,000 were reasoning: 50,000 are left, at $0.60 a million."""
    row = {"model": "o3", "output": 2e5, "reasoning": 1.5e5}
    found = only(ask(table(row), parse_switch("o3", "gpt-4o-mini", **SURE)))
    assert found.then.expected == pytest.approx(0.03)


def test_a_model_without_a_price_is_not_judged_and_near_names_are_given():
    result = ask(table(TOKENS), parse_switch("gpt-4o", ["gpt-4o-mimi", "gpt-4o-mini"]))
    missing, known = result.targets
    assert not missing.outcomes
    assert missing.reason in (Reason.UNKNOWN_PROVIDER, Reason.UNKNOWN_MODEL)
    assert "gpt-4o-mini" in missing.near
    assert len(known.outcomes) == 1
    first, second = conclude_what_if(result)
    assert (first.severity, second.severity) == ("warning", "info")
    assert "gpt-4o-mini" in first.next_step


def test_machines_of_ones_own_have_no_cost_to_compare_with():
    usage = table(TOKENS | {"provider": "vllm", "model": "llama-3.1-8b"}, TOKENS)
    result = ask(usage, parse_switch("*", "gpt-4o-mini", **SURE))
    compared, own = result.targets[0].outcomes
    assert compared.now.expected == pytest.approx(5.125)
    assert (own.now, own.saving, own.break_even) == (None, None, None)
    assert own.then.expected == pytest.approx(0.3075)
    json.dumps(result.to_dict(), allow_nan=False)


def test_money_of_two_currencies_is_not_subtracted():
    prices = Prices(
        book(
            "openai,gpt-4o-mini,*,1M tokens,input,0.14,EUR,,,",
            "openai,gpt-4o-mini,*,1M tokens,output,0.56,EUR,,,",
        )
    )
    found = only(ask(table(TOKENS), parse_switch("gpt-4o", "gpt-4o-mini"), prices))
    assert (found.currency, found.now, found.saving) == ("EUR", None, None)


def test_a_bare_name_stays_with_the_seller_or_goes_to_who_is_in_use():
    azure = table(TOKENS | {"provider": "azure"}, {"provider": "google", "model": "gemini-2.5-pro"})
    result = ask(azure, parse_switch("gpt-4o", ["gpt-4o-mini", "gemini-2.5-pro"]))
    assert [m.new.name for t in result.targets for m in t.moves] == [
        "azure/gpt-4o-mini",
        "google/gemini-2.5-pro",
    ]


def test_only_the_accounts_that_are_asked_for_move():
    usage = table(
        TOKENS | {"team": "a", "application": "x"}, TOKENS | {"team": "b", "prompt_version": "v2"}
    )
    switch = parse_switch("openai/gpt-4*", "gpt-4o-mini", team="b", **SURE)
    result = ask(usage, switch, by=("team",))
    assert only(result).now.expected == pytest.approx(5.125)
    assert result.to_table()["team"].tolist() == ["b"]
    assert result.targets[0].moves[0].requests == 1000


def test_groups_add_up_to_the_whole():
    rng = np.random.default_rng(1)
    usage = table(
        *(
            {"team": f"t{n % 3}", "input": rng.uniform(0, 1e6), "output": rng.uniform(0, 1e5)}
            for n in range(20)
        )
    )
    result = ask(usage, parse_switch("*", "gemini-2.5-flash"))
    groups, whole = result.to_table(), only(result)
    assert len(groups) == 3
    for name, span in (("now", whole.now), ("then", whole.then), ("saving", whole.saving)):
        assert groups[name].sum() == pytest.approx(span.expected)
        assert groups[f"{name}_low"].sum() == pytest.approx(span.low)
        assert groups[f"{name}_high"].sum() == pytest.approx(span.high)


def test_usage_of_the_target_itself_does_not_move():
    usage = table(TOKENS, TOKENS | {"model": "gpt-4o-mini"})
    assert [m.old.model for m in ask(usage, parse_switch("*", "gpt-4o-mini")).targets[0].moves] == [
        "gpt-4o"
    ]
    same = ask(usage, parse_switch("gpt-4o-mini", "gpt-4o-mini")).targets[0]
    assert same.notes == ("all of the chosen usage is of this model already",)


@pytest.mark.parametrize(
    ("to", "moves"), [("gpt-4o-2024-08-06", 0), ("openai/gpt-4o", 0), ("gpt-4o-2024-05-13", 1)]
)
def test_a_dated_name_is_another_model_only_where_it_has_other_prices(to, moves):
    """Of gpt-4o the list has one date apart: it cost twice as much."""
    target = ask(table(TOKENS), parse_switch("gpt-4o", to)).targets[0]
    assert len(target.moves) == moves


def test_latency_is_told_where_the_model_is_in_use():
    """Half of the requests end within a second, and all within four."""
    told = [
        (str(DAY), "p", "duration", "openai", "gpt-4o-mini", le, n)
        for le, n in ((1.0, 50.0), (4.0, 100.0), (np.inf, 100.0))
    ]
    target = ask(table(TOKENS), parse_switch("gpt-4o", "openai/gpt-4o-mini"), histograms=told)
    median, high = target.targets[0].latency
    assert median == pytest.approx(1.0)
    assert 1 < high <= 4
    assert target.targets[0].moves[0].latency is None


def test_requests_too_long_for_the_new_model_are_told():
    told = [
        (str(DAY), "p", "request_input_tokens", "openai", "gpt-4.1", le, n)
        for le, n in ((1000.0, 10.0), (500_000.0, 20.0), (np.inf, 20.0))
    ]
    usage = table({"model": "gpt-4.1", "input": 2e6, "requests": 20.0})
    assert request_sizes(reading(usage, told))["openai", "gpt-4.1"].counts.tolist() == [10, 10, 0]
    notes = ask(usage, parse_switch("gpt-4.1", "gpt-4o-mini"), histograms=told).targets[0].notes
    assert any("50 % of the requests may be longer than the 128,000 tokens" in n for n in notes)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"to": "gpt-*"}, "no name of one model"),
        ({"to": []}, "to"),
        ({"to": "a", "share": 0}, "share"),
        ({"to": "a", "output": "2-1"}, "descends"),
        ({"to": "a", "output": float("nan")}, "output is nan"),
        ({"to": "a", "cached": 1.5}, "within 0 and 1"),
        ({"to": "a", "tokenizer": "1" * 80}, "tokenizer is"),
        ({"to": "a", "taem": "x"}, "taem is unknown"),
    ],
)
def test_a_switch_that_makes_no_sense_is_refused(given, said):
    with pytest.raises(InputError, match=said):
        parse_switch("gpt-4o", **given)


def test_a_switch_of_nothing_says_what_there_is():
    with pytest.raises(InputError, match="did you mean 'gpt-4o'"):
        ask(table(TOKENS), parse_switch("gpt-4p", "gpt-4o-mini"))
    with pytest.raises(InputError, match="no dimension of spend"):
        ask(table(TOKENS), parse_switch("gpt-4o", "gpt-4o-mini"), by=("taem",))


def test_hostile_names_stay_text():
    name = "</script>\0\n'\"{{x}}[a-"
    usage = table(TOKENS | {"team": name, "application": name}, TOKENS | {"model": name})
    result = ask(usage, parse_switch("*", ["gpt-4o-mini", "\0nope\n"]))
    json.dumps(result.to_dict(), allow_nan=False)
    assert name in result.to_table()["team"].tolist()


def test_errors_of_a_model_that_was_only_asked_for_move_nothing():
    """They have no tokens: a gateway may name what was asked for, which is no model of its own."""
    switch = parse_switch("*gpt-4o", "gpt-4o-mini", **SURE)
    failed = {"provider": "", "model": "openai/gpt-4o", "requests": 0.0, "errors": 7.0}
    [target] = ask(table(TOKENS, failed), switch).targets
    assert [m.old.name for m in target.moves] == ["openai/gpt-4o"]
    assert target.moves[0].tokens == sum(TOKENS.values())


def test_a_book_is_not_said_to_name_what_nobody_uses_because_something_else_is_supposed():
    """Its model is used, only not by what would move."""
    mine = Prices(book("openai,acme-1,,1M tokens,input,3,USD,2026-01-01,,"))
    usage = table(TOKENS, {"model": "acme-1", "input": 1e6})
    [target] = ask(usage, parse_switch("gpt-4o", "gpt-4o-mini"), mine).targets
    assert not [note for note in target.notes if "acme-1" in note]
