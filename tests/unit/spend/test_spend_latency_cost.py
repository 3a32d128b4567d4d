"""Latency beside cost: held against figures by hand and the estate's planted distributions."""

from __future__ import annotations

import json
from datetime import date
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from spend_limits_source import ESTATE_DAYS, estate

from workbench.demo.truth import TRUTH
from workbench.spend.latency_cost import QUANTILES, latency_beside_cost
from workbench.spend.prices import Prices, price, read_price_book
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

FIRST, LAST = date(2026, 3, 2), date(2026, 3, 3)
HOSTILE = 'a"b\n</script>\x00'

BOOK = """provider,model,unit,token_class,price,currency
a,dear,1M tokens,input,10,USD
a,dear,1M tokens,output,100,USD
a,cheap,1M tokens,input,1,USD
a,cheap,1M tokens,output,10,USD
a,euro,1M tokens,input,0.1,EUR
a,euro,1M tokens,output,1,EUR
"""


def usage(*rows):
    """The canonical table of rows that say only what matters."""
    table = pd.DataFrame(
        [{"day": FIRST, "profile": "gw", "provider": "a", "application": "bot", **r} for r in rows]
    ).reindex(columns=list(COLUMNS))
    table["day"] = pd.to_datetime(table["day"]).astype("datetime64[ms]")
    for name in (*DIMENSIONS, "profile"):
        table[name] = pd.Categorical(table[name].astype(object).where(table[name].notna(), ""))
    table[[*FIGURES, "lost"]] = table[[*FIGURES, "lost"]].astype(float)
    return table


def buckets(model, counts, *, day=FIRST, bounds=(1.0, 2.0, 4.0, np.inf), profile="gw"):
    """A day's cumulative buckets of the duration."""
    return [
        (day, profile, "duration", "a", model, le, float(n))
        for le, n in zip(bounds, np.cumsum(counts), strict=True)
    ]


def beside(table, histograms, duplicates=None, first=FIRST, last=LAST):
    names = ["day", "profile", "histogram", "provider", "model", "le", "count"]
    frame = pd.DataFrame(histograms, columns=names)
    frame["day"] = pd.to_datetime(frame["day"]).astype("datetime64[ms]")
    reading = SimpleNamespace(
        histograms=frame, duplicates=table.iloc[:0] if duplicates is None else duplicates
    )
    priced = price(table, Prices(read_price_book(BOOK.encode())))
    return latency_beside_cost(priced, reading, first=first, last=last)


def test_costs_are_all_money_by_requests_and_by_output():
    """dear: 2M × 10 + 0.5M × 100 = 70 USD for 4,000 requests and 0.5M output tokens."""
    found = beside(
        usage(
            {"model": "dear", "input": 2e6, "output": 3e5, "requests": 3000, "errors": 30},
            {
                "model": "dear",
                "input": 0,
                "output": 2e5,
                "requests": 1000,
                "errors": 10,
                "day": LAST,
            },
            {"model": "dear", "input": 9e9, "output": 9e9, "requests": 1, "day": date(2026, 3, 4)},
            {"model": "cheap", "input": 1e6, "output": 1e6, "requests": 1000},
        ),
        [],
    )
    dear, cheap = found.models
    assert (dear.model, dear.currency, dear.requests) == ("dear", "USD", 4000)
    assert dear.per_1000.value == pytest.approx(70 / 4)
    assert dear.per_million.value == pytest.approx(140)
    assert dear.errors == pytest.approx(0.01)
    assert cheap.per_1000.value == pytest.approx(11)
    assert cheap.errors is None
    assert cheap.latency == {}
    assert cheap.why == "no histogram tells how long its requests take"


def test_days_are_summed_and_seconds_a_token_lie_between_the_buckets_ends():
    """400 of 1–2 s on one day, 400 of 2–4 s on the other: the median is 2 s."""
    found = beside(
        usage({"model": "cheap", "input": 1e6, "output": 8e4, "requests": 800}),
        [
            *buckets("cheap", [0, 400, 0, 0]),
            *buckets("cheap", [0, 0, 400, 0], day=LAST, bounds=(1.0, 2.0, 4.0, np.inf)),
            *buckets("cheap", [9000, 0, 0, 0], day=date(2026, 3, 4)),
        ],
    )
    (one,) = found.models
    assert one.latency[0.5].value == pytest.approx(2.0)
    assert one.latency[0.95].low <= one.latency[0.95].value <= one.latency[0.95].high <= 4
    assert one.per_token.low == pytest.approx((400 * 1 + 400 * 2) / 8e4)
    assert one.per_token.high == pytest.approx((400 * 2 + 400 * 4) / 8e4)
    assert one.per_token.low < one.per_token.value < one.per_token.high


def test_days_with_other_buckets_are_joined_on_the_bounds_that_both_have():
    found = beside(
        usage({"model": "cheap", "input": 1e6, "output": 8e4, "requests": 800}),
        [
            *buckets("cheap", [0, 400, 0, 0]),
            *buckets("cheap", [0, 0, 0, 400, 0], day=LAST, bounds=(1.0, 2.0, 3.0, 4.0, np.inf)),
        ],
    )
    assert found.models[0].latency[0.5].value == pytest.approx(2.0)


def test_a_clipped_quantile_has_no_upper_end_and_seconds_a_token_no_upper_bound():
    found = beside(
        usage({"model": "cheap", "input": 1e6, "output": 8e4, "requests": 200}),
        buckets("cheap", [100, 0, 0, 100]),
    )
    one = found.models[0]
    assert np.isinf(one.latency[0.99].high)
    assert np.isinf(one.per_token.high)
    assert one.to_dict()["latency"]["p99"][2] is None
    json.dumps(found.to_dict(), allow_nan=False)


@pytest.mark.parametrize(
    ("counts", "requests", "told"),
    [([0, 400, 0, 0], 400, True), ([0, 400, 0, 0], 900, False), ([0, 400, 0, 0], 100, False)],
)
def test_seconds_a_token_are_told_only_where_durations_are_of_the_same_requests(
    counts, requests, told
):
    found = beside(
        usage({"model": "cheap", "input": 1e6, "output": 8e4, "requests": requests}),
        buckets("cheap", counts),
    )
    assert (found.models[0].per_token is not None) is told


def test_few_durations_tell_nothing():
    found = beside(
        usage({"model": "cheap", "input": 1e6, "output": 8e4, "requests": 50}),
        buckets("cheap", [0, 50, 0, 0]),
    )
    assert found.models[0].latency == {}
    assert "fewer than 100" in found.models[0].why


def test_only_models_of_the_same_application_and_currency_are_held_against_each_other():
    row = {"input": 1e6, "output": 1e6, "requests": 1000}
    found = beside(
        usage(
            {"model": "dear", **row}, {"model": "cheap", **row}, {"model": "euro", **row},
            {"model": "dear", **row, "application": "lonely"},
        ),
        [
            *buckets("dear", [0, 0, 2000, 0]), *buckets("cheap", [1000, 0, 0, 0]),
            *buckets("euro", [1000, 0, 0, 0]),
        ],
    )  # fmt: skip
    by_name = {m.model: m for m in found.models}
    assert by_name["dear"].dominated == (("bot", "a", "cheap"),)
    assert by_name["dear"].applications == ("bot", "lonely")
    assert by_name["cheap"].dominated == by_name["euro"].dominated == ()
    assert [m.model for m in found.front("USD")] == ["cheap"]
    assert [m.model for m in found.front("EUR")] == ["euro"]


def test_intervals_that_overlap_dominate_nothing():
    row = {"input": 1e6, "output": 1e6, "requests": 1000}
    found = beside(
        usage({"model": "dear", **row}, {"model": "cheap", **row}),
        [*buckets("dear", [0, 1000, 0, 0]), *buckets("cheap", [0, 1000, 0, 0])],
    )
    assert [m.dominated for m in found.models] == [(), ()]


def test_what_has_no_price_makes_nothing_look_cheap():
    """Half of the tokens have no price: their requests are not in the cost of a thousand."""
    found = beside(
        usage(
            {"model": "dear", "input": 1e6, "output": 0, "requests": 1000},
            {"model": "dear", "input": 1e6, "output": 0, "requests": 1000, "region": "moon"},
            {"model": "nobody's", "input": 1e6, "output": 1, "requests": 1000},
        ),
        [],
    )
    by_name = {m.model: m for m in found.models}
    assert by_name["nobody's"].per_1000 is None
    assert by_name["nobody's"].unpriced == 1.0
    assert found.models[-1].model == "nobody's"
    assert by_name["dear"].per_1000.value == pytest.approx(10)


def test_durations_that_another_layer_counted_too_are_left_out():
    table = usage({"model": "cheap", "input": 1e6, "output": 1e5, "requests": 400})
    twice = usage({"model": "x/cheap", "profile": "server", "input": 1.0})
    histograms = [
        *buckets("cheap", [0, 400, 0, 0]), *buckets("x/cheap", [0, 0, 0, 400], profile="server"),
    ]  # fmt: skip
    (one,) = beside(table, histograms, twice).models
    assert one.latency[0.99].high <= 2


def test_hostile_names_and_nothing_at_all_come_through():
    found = beside(
        usage({"model": HOSTILE, "provider": HOSTILE, "input": 1.0, "application": HOSTILE}), []
    )
    assert json.loads(json.dumps(found.to_dict(), allow_nan=False))["models"][0]["model"] == HOSTILE
    assert beside(usage({"model": "x"}).iloc[:0], []).models == ()


def test_the_estates_planted_quantiles_lie_in_the_intervals():
    """Of each model p50, p95 and p99 of the law that its durations were drawn from."""
    first, last = ESTATE_DAYS
    _, _, reading = estate()
    priced = price(reading.table, Prices(None))
    found = latency_beside_cost(priced, reading, first=first, last=last)
    assert {m.model for m in found.models} == set(TRUTH.llm_latency)
    for model in found.models:
        truth = TRUTH.llm_latency[model.model]
        for q in QUANTILES:
            assert model.latency[q].low <= truth.quantile(q) <= model.latency[q].high, (
                model.name,
                q,
            )
        seconds = truth.mean_seconds / (model.output / model.requests)
        assert model.per_token.low <= seconds <= 1.6 * model.per_token.high
