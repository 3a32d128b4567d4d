"""Waste as a range, the gateway's own cache of answers, and events shared out over accounts."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from spend_savings_tables import day, reading, row, saved, usage, wasted

from workbench.spend.prices import Entry, PriceBook, Prices
from workbench.spend.savings.caching import CacheSavings
from workbench.spend.savings.conclusions import conclude_savings
from workbench.spend.savings.failures import TERMS, Bill, WasteKind, kind_of

GPT, MINI = ("openai", "gpt-4o"), ("openai", "gpt-4o-mini")

OWN_PRICE = Prices(
    PriceBook(
        tuple(
            Entry(n, "vllm", "llama-3.1-8b-instruct", what, Decimal(1))
            for n, what in enumerate(("input", "output"))
        )
    )
)


def served(number, account, application, requests, **more):
    """Requests of 1,000 tokens of input: a quarter of a cent each on gpt-4o."""
    counted = {"input": 1000.0 * requests, "cache_read": 0.0, "cache_write": 0.0, "output": 0.0}
    told = {"application": application, "requests": float(requests)}
    return row(number, *account, **(told | counted | more))


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        ("timeout 504", WasteKind.TIMED_OUT),
        ("Timeout 408", WasteKind.TIMED_OUT),
        ("APITimeoutError", WasteKind.TIMED_OUT),
        ("RateLimitError 429", WasteKind.RATE_LIMITED),
        ("ThrottlingException", WasteKind.RATE_LIMITED),
        ("ContentPolicyViolationError 400", WasteKind.FILTERED),
        ("content_filter", WasteKind.FILTERED),
        ("invalid_request 400", WasteKind.INVALID),
        ("ContextWindowExceededError 400", WasteKind.INVALID),
        ("AuthenticationError 401", WasteKind.DENIED),
        ("NotFoundError 404", WasteKind.DENIED),
        ("ServiceUnavailableError 503", WasteKind.OVERLOADED),
        ("overloaded_error 529", WasteKind.OVERLOADED),
        ("upstream 502", WasteKind.PROVIDER_FAILED),
        ("InternalServerError 500", WasteKind.PROVIDER_FAILED),
        ("client_disconnected 499", WasteKind.BROKEN_OFF),
        ("CancelledError", WasteKind.BROKEN_OFF),
        ("", WasteKind.UNKNOWN),
        ("_OTHER", WasteKind.UNKNOWN),
        ("4290", WasteKind.UNKNOWN),
        ("\x00\n<script>" * 9999, WasteKind.UNKNOWN),
    ],
)
def test_an_error_is_told_by_its_name_or_its_status(error, kind):
    """As gateways and clients write them, and as nobody should."""
    assert kind_of(error) is kind


def test_every_kind_has_terms_and_says_what_its_range_rests_on():
    """What was refused costs nothing; all else has a most."""
    assert set(TERMS) == set(WasteKind)
    for terms in TERMS.values():
        assert terms.assumption
        assert terms.at_most == (terms.bill in (Bill.BESIDE, Bill.INSIDE))


def test_failed_requests_cost_from_nothing_to_a_mean_request_each():
    """Ten timeouts among 100 requests: those served cost 25 cents in all, 0.25 / 90 each."""
    rows = [served(0, GPT, "bot", 100), row(0, *GPT, application="bot", errors=10.0)]
    kinds = [row(0, *GPT, application="bot") | {"kind": "timeout 504", "errors": 10.0}]
    found = wasted(usage(rows), kinds=kinds).table
    assert len(found) == 1
    assert found["bill"][0] == Bill.BESIDE.value
    assert (found["requests"][0], found["low"][0]) == (10.0, 0.0)
    assert found["high"][0] == pytest.approx(10 * 0.25 / 90)


def test_the_dearest_days_mean_is_the_most():
    """A day on which requests were four times as long; a day with one odd request is left out."""
    rows = [served(0, GPT, "bot", 100), served(1, GPT, "bot", 100, input=4e5)]
    rows += [served(2, GPT, "bot", 1, input=1e6)]
    kinds = [row(0, *GPT, application="bot") | {"kind": "504", "errors": 2.0}]
    found = wasted(usage(rows), kinds=kinds).table
    assert found["high"][0] == pytest.approx(2 * 1.0 / 100)


def test_errors_known_by_model_only_are_shared_out_and_none_is_lost():
    """In proportion to requests, and said; the sum stays."""
    rows = [served(n % 7, GPT, f"app{n}", 10 * (n + 1)) for n in range(20)]
    kinds = [row(0, *GPT) | {"kind": "502", "errors": 21.0}]
    found = wasted(usage(rows), kinds=kinds)
    assert found.table["shared"].all()
    assert found.table["requests"].sum() == pytest.approx(21.0)
    shares = found.table.set_index("application")["requests"]
    assert shares["app19"] == pytest.approx(20 * shares["app0"])
    assert found.by()["requests"].tolist() == pytest.approx([21.0])


def test_errors_without_a_kind_are_told_as_unknown_once():
    """Twelve errors, seven of a kind: five of none; refused ones are told by their own counter."""
    rows = [
        served(0, GPT, "bot", 100),
        row(0, *GPT, application="bot", errors=12.0, rate_limited=4.0),
    ]
    kinds = [
        row(0, *GPT, application="bot") | {"kind": kind, "errors": count}
        for kind, count in (("502", 3.0), ("429", 4.0))
    ]
    found = wasted(usage(rows), kinds=kinds).by().set_index("kind")["requests"]
    assert found.to_dict() == {
        WasteKind.PROVIDER_FAILED.value: 3.0,
        WasteKind.UNKNOWN.value: 5.0,
        WasteKind.RATE_LIMITED.value: 4.0,
    }


def test_what_was_refused_costs_nothing_but_at_azure_an_invalid_request_may():
    """Azure bills requests that its filter or input limit refused."""
    azure = ("azure", "gpt-4o")
    rows = [served(0, GPT, "a", 100), served(0, azure, "b", 100)]
    kinds = [
        row(0, *account) | {"kind": kind, "errors": 5.0}
        for account in (GPT, azure)
        for kind in ("invalid_request 400", "401", "429", "529")
    ]
    found = wasted(usage(rows), kinds=kinds).table
    dear = found[found["high"] > 0]
    assert [tuple(r) for r in dear[["provider", "kind"]].to_numpy()] == [
        ("azure", WasteKind.INVALID.value)
    ]


def cut_by_a_server(prices):
    """A gateway and a server tell of the same traffic; the server alone tells what was cut."""
    account = ("vllm", "llama-3.1-8b-instruct")
    table = usage([served(0, account, "search", 100), served(0, GPT, "bot", 100)])
    twin = {"profile": "vllm", "provider": "self-hosted"}
    dropped = usage([served(0, ("", "Meta/llama-3.1-8b-instruct"), "", 100) | twin])
    extras = [
        row(0, "self-hosted", "Meta/llama-3.1-8b-instruct", application="vllm")
        | {"profile": "vllm", "cut_by_length": 3.0, "preempted": 2.0}
    ]
    told = {"extras": extras, "duplicates": dropped, "self_hosted": ["vllm"]}
    return wasted(table, prices=prices, **told).table.set_index("kind")


def test_cut_answers_of_ones_own_machines_have_no_price():
    """They take machine time: no money is made up."""
    found = cut_by_a_server(Prices())
    assert found.loc[WasteKind.CUT.value, "application"] == "search"
    assert found.loc[WasteKind.CUT.value, "bill"] == Bill.MACHINES.value
    assert np.isnan(found["high"]).all()


def test_cut_answers_cost_what_the_gateway_says_where_it_has_a_price():
    """A price book gives the own model a price: $1 a million, 1,000 tokens a request."""
    found = cut_by_a_server(OWN_PRICE)
    assert found.loc[WasteKind.CUT.value, "high"] == pytest.approx(3 * 0.001)
    assert found.loc[WasteKind.CUT.value, "bill"] == Bill.INSIDE.value
    assert found.loc[WasteKind.PREEMPTED.value, "high"] == 0.0


def test_the_same_failures_told_by_two_layers_count_once():
    """Errors of a profile whose traffic is another's are left out, whether they name a model or not."""
    rows = [served(0, GPT, "bot", 100)]
    twin = usage([served(0, GPT, "client", 100) | {"profile": "client"}])
    kinds = [
        row(0, *GPT) | {"kind": "504", "errors": 5.0, "profile": profile}
        for profile in ("gateway", "client")
    ]
    kinds += [row(0, "", "") | {"kind": "504", "errors": 7.0, "profile": "client"}]
    found = wasted(usage(rows), kinds=kinds, duplicates=twin)
    assert found.table["requests"].sum() == 5.0


def test_attempts_told_by_the_name_of_a_group_of_models_go_to_the_teams_accounts():
    """A fallback names the group that was asked for, which no account has."""
    rows = [served(0, GPT, "bot", 100), served(0, MINI, "other", 100)]
    extras = [row(0, "", "best-model", application="bot") | {"retried": 4.0}]
    found = wasted(usage(rows), extras=extras).table
    assert found[["model", "kind", "requests"]].to_numpy().tolist() == [
        ["gpt-4o", WasteKind.RETRIED.value, 4.0]
    ]


def test_events_of_nobody_keep_their_names_and_have_no_money():
    """Hostile names included."""
    name = '<script>"\n\x00'
    kinds = [row(0, name, name, team=name) | {"kind": name, "errors": 4.0}]
    found = wasted(usage([served(0, GPT, "bot", 100)]), kinds=kinds).table
    assert found["provider"].tolist() == [name]
    assert np.isnan(found["high"][0])
    assert found["bill"].tolist() == [Bill.UNPRICED.value]


def test_failures_cost_what_nobody_knows_where_requests_are_not_counted():
    """Not 0: nothing divides the spend."""
    rows = [served(0, GPT, "bot", 0, input=5e5)]
    kinds = [row(0, *GPT) | {"kind": kind, "errors": 5.0} for kind in ("504", "401")]
    found = wasted(usage(rows), kinds=kinds).table.set_index("kind")
    assert np.isnan(found.loc[WasteKind.TIMED_OUT.value, "high"])
    assert found.loc[WasteKind.TIMED_OUT.value, "bill"] == Bill.UNCOUNTED.value
    assert found.loc[WasteKind.DENIED.value, "high"] == 0.0


def test_requests_told_by_model_only_give_the_models_mean():
    """Tokens by application, requests by model: 300,000 tokens, 200 requests."""
    rows = [served(0, GPT, app, 0, input=n * 1e5) for n, app in ((1, "a"), (2, "b"))]
    rows += [row(0, *GPT, requests=200.0)]
    kinds = [row(0, *GPT, application="b") | {"kind": "504", "errors": 5.0}]
    kinds += [row(0, *GPT) | {"kind": "502", "errors": 6.0}]
    found = wasted(usage(rows), kinds=kinds).table.set_index(["kind", "application"])
    timeout, failed = WasteKind.TIMED_OUT.value, WasteKind.PROVIDER_FAILED.value
    assert found.loc[(timeout, "b"), "high"] == pytest.approx(5 * 0.75 / 200)
    assert found.loc[(failed, "b"), "requests"] == pytest.approx(4.0)  # by tokens
    assert found.loc[(failed, "a"), "high"] == pytest.approx(2 * 0.75 / 200)


def test_what_is_free_by_contract_wastes_nothing():
    """A price of 0 is a price."""
    free = [Entry(n, *MINI, what, Decimal(0)) for n, what in enumerate(("input", "output"))]
    kinds = [row(0, *MINI) | {"kind": "504", "errors": 5.0}]
    prices = Prices(PriceBook(tuple(free)))
    found = wasted(usage([served(0, MINI, "bot", 10)]), kinds=kinds, prices=prices)
    assert found.table[["currency", "high"]].to_numpy().tolist() == [["USD", 0.0]]
    assert list(conclude_savings(nothing_saved(usage([])), found)) == []


def test_an_empty_table_wastes_nothing():
    """No row, no money."""
    assert len(wasted(usage([])).table) == 0
    assert wasted(usage([])).total() == {}


def test_answers_from_the_gateways_cache_save_between_the_cheapest_and_the_dearest_mean():
    """1,000 requests a day, 200 answered by the gateway, the others of any length: truth inside."""
    rng = np.random.default_rng(3)
    rows, extras, true = [], [], 0.0
    for n in range(14):
        lengths = rng.gamma(2.0, 600.0 + 40.0 * n, 1000)
        true += lengths[:200].sum() * 2.5e-6
        rows.append(served(n, GPT, "bot", 1000, input=float(round(lengths[200:].sum()))))
        told = {"response_cache_hits": 200.0, "response_cache_misses": 800.0}
        extras.append(row(n, *GPT, application="bot") | told)
    found = saved(usage(rows), extras=extras).answers.iloc[0]
    assert (found["hits"], found["share"]) == (2800.0, 0.2)
    assert found["low"] <= true <= found["high"]
    # Mean lengths went up by 1 to 1.9, and requests may contain the hits or not: by 1.25.
    assert found["high"] / found["low"] < 1.9 * 1.25 * 1.1


def test_hits_without_misses_have_no_share():
    """Bifrost counts hits only."""
    extras = [row(0, *GPT, application="bot") | {"response_cache_hits": 5.0}]
    found = saved(usage([served(0, GPT, "bot", 100)]), extras=extras).answers.iloc[0]
    assert np.isnan(found["share"])
    assert found["high"] == pytest.approx(5 * 0.25 / 95)


def nothing_saved(table):
    found = saved(table)
    return CacheSavings(
        found.first, found.last, found.table.iloc[:0], found.answers, found.spend, ()
    )


@pytest.mark.parametrize(("errors", "severity"), [(1.0, None), (5.0, "info"), (20.0, "warning")])
def test_waste_is_a_finding_from_a_fiftieth_of_the_spend_on(errors, severity):
    """1 % is none, 5 % is info, a fifth is a warning."""
    table = usage([served(0, GPT, "bot", 100)])
    kinds = [row(0, *GPT) | {"kind": "504", "errors": errors}]
    found = list(conclude_savings(nothing_saved(table), wasted(table, kinds=kinds)))
    assert [f.severity.value for f in found] == ([severity] if severity else [])
    for each in found:
        assert each.code == "LLM-WASTE"
        assert each.evidence["at_most"] == pytest.approx(errors * 0.0025, abs=0.005)


def test_days_outside_the_period_are_left_out():
    """Errors of the day after the last are not this period's."""
    table = usage([served(0, GPT, "bot", 100)])
    kinds = [row(n, *GPT) | {"kind": "504", "errors": 1.0} for n in (-1, 0, 1)]
    assert wasted(table, kinds=kinds).table["requests"].tolist() == [1.0]
    assert day(1) > day(0)
    assert len(reading(table, kinds=kinds).kinds) == 3
