"""What the estate tells of LLM spend: sizes of requests, costs, limits, tickets, the model's server."""

from __future__ import annotations

import numpy as np
import pytest

from workbench.demo import TRUTH

SPAN = (TRUTH.start_ms, TRUTH.end_ms)
SHAPE = 1.6
MODELS = sorted({(r.provider, r.model) for r in TRUTH.routes})


def routes_of(model):
    return [r for r in TRUTH.routes if r.model == model]


@pytest.mark.parametrize("kind", ["input", "output"])
@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_sums_and_counts_of_request_sizes_are_those_of_the_counters(
    estate, gained, provider, model, kind
):
    """Tokens and served requests agree minute by minute, and buckets allow each minute's sum."""
    where = {"provider": provider, "model": model}
    name = f"llm_gateway_request_{kind}_tokens"
    total = gained(estate.one(f"{name}_sum", **where)[2])
    counters = estate.find(f"llm_gateway_{kind}_tokens_total", **where)
    expected = np.zeros(len(total))
    for _, _, values in counters:
        own = gained(values)
        expected[len(expected) - len(own) :] += own
        if len(own) < len(expected):
            expected[len(expected) - len(own) - 1] += values[0]
    assert np.array_equal(total, expected)
    count = estate.one(f"{name}_count", **where)[2]
    served = estate.one("llm_gateway_request_duration_seconds_count", **where)[2]
    assert np.array_equal(count, served)
    found = {float(x[0]["le"]): x[2] for x in estate.find(f"{name}_bucket", **where)}
    assert np.array_equal(found[np.inf], count)
    finite = sorted(found)[:-1]
    own = np.diff(np.column_stack([gained(found[b]) for b in [*finite, np.inf]]), prepend=0)
    assert (own >= 0).all()
    assert (total >= own @ np.array([0, *finite]) * (1 - 1e-6)).all()
    closed = own[:, -1] == 0
    assert (total <= own[:, :-1] @ np.array(finite) * (1 + 1e-6))[closed].all()


@pytest.mark.parametrize(("provider", "model"), MODELS)
def test_single_requests_are_gamma_around_the_routes_means(estate, provider, model):
    """Shares below each bound are those of scipy's law, mixed over the model's routes."""
    stats = pytest.importorskip("scipy.stats")
    where = {"provider": provider, "model": model}
    name = "llm_gateway_request_input_tokens"
    count = estate.increase(f"{name}_count", *SPAN, **where)
    weights, means = [], []
    for route in routes_of(model):
        own = {n: getattr(route, n) for n in ("team", "application", "prompt_version")}
        tokens = estate.increase("llm_gateway_input_tokens_total", *SPAN, **where, **own)
        weights.append(tokens / route.input_tokens)
        means.append(route.input_tokens)
    for bound in TRUTH.input_token_buckets:
        below = estate.increase(f"{name}_bucket", *SPAN, le=f"{bound:g}", **where)
        p = np.average(
            stats.gamma.cdf(bound, SHAPE, scale=np.array(means) / SHAPE), weights=weights
        )
        assert below / count == pytest.approx(p, abs=5 * np.sqrt(p * (1 - p) / count) + 1e-4), bound


def test_the_gateways_cost_has_its_two_mistakes_and_no_other(estate):
    """Recomputed in plain arithmetic from the counters of tokens."""
    rules = TRUTH.gateway_billing
    wrong = set()
    for route in TRUTH.routes:
        where = {n: getattr(route, n) for n in ("model", "application", "prompt_version")}
        fresh, cached, out, cost = (
            estate.increase(f"llm_gateway_{n}_total", *SPAN, **where)
            for n in ("input_tokens", "cached_input_tokens", "output_tokens", "cost_usd")
        )
        if route.model not in rules.prices:
            assert (route.provider, cost) == ("vllm", 0)
            continue
        price = rules.prices[route.model]
        into, from_cache, back = (float(p) / 1e6 for p in (price.input, price.cached, price.output))
        right = (fresh - cached) * into + cached * from_cache + out * back
        if cost == pytest.approx(right, rel=1e-9):
            continue
        wrong.add(route.model)
        expected = 0 if route.model in rules.unpriced else fresh * into + out * back
        assert cost == pytest.approx(expected, rel=1e-9)
    assert wrong == {"claude-sonnet-4-5", "gemini-2.5-pro"}


def test_the_planted_prices_are_list_prices():
    """The bundled price data says the same of each model for the estate's middle."""
    from datetime import date

    from workbench.spend.prices import Prices
    from workbench.spend.usage import TokenClass

    seller = {r.model: r.provider for r in TRUTH.routes}
    for model, price in TRUTH.gateway_billing.prices.items():
        rates = Prices().quote(seller[model], model, "", "", date(2026, 6, 15)).rates
        classes = (TokenClass.INPUT, TokenClass.CACHE_READ, TokenClass.OUTPUT)
        listed = tuple(rates.price(c).base for c in classes)
        assert listed == (price.input, price.cached, price.output), model


def test_one_model_comes_near_its_limit_and_none_meets_it(estate):
    """What remains is the limit less the minute's use; at the peak one has a tenth left."""
    near = set()
    for model, limit in TRUTH.rate_limits.items():
        for kind, allowed in (("requests", limit.requests), ("tokens", limit.tokens)):
            left = estate.one(f"llm_gateway_remaining_{kind}", model=model)[2]
            assert 0 < left.min() < left.max() <= allowed
            if left.min() < 0.1 * allowed:
                near.add((model, kind))
    assert near == {("gpt-4o-mini", "requests")}
    for model, limit in TRUTH.rate_limits.items():
        left = estate.one("llm_gateway_remaining_requests", model=model)[2]
        sent = (limit.requests - left).sum()
        served = estate.increase("llm_gateway_request_duration_seconds_count", *SPAN, model=model)
        failed = estate.increase("llm_gateway_errors_total", *SPAN, model=model)
        refused = estate.increase("llm_gateway_errors_total", *SPAN, model=model, status="429")
        assert sent == served + failed - refused


def test_tickets_are_resolved_with_the_stated_chance(estate):
    """Of served requests, within five standard errors; v8 is dearer by request and by ticket."""
    per_ticket = {}
    for (application, version), share in TRUTH.resolved_shares.items():
        routes = [
            r for r in TRUTH.routes if (r.application, r.prompt_version) == (application, version)
        ]
        won = estate.increase(
            "my_app_tickets_resolved_total", *SPAN, application=application, prompt_version=version
        )
        where = {"application": application, "prompt_version": version}
        dollars = estate.increase("llm_gateway_cost_usd_total", *SPAN, **where)
        requests = estate.increase("llm_gateway_invocation_total", *SPAN, **where)
        if version == routes[0].prompt_version and len(routes) == 1:
            hits = routes[0].response_cache_share
            assert won / (requests * (1 - hits)) == pytest.approx(share, rel=0.04)
        per_ticket[version] = (dollars / requests, dollars / won)
    assert per_ticket["v8"] > per_ticket["v7"]
    assert per_ticket["v8"][1] > 1.5 * per_ticket["v7"][1]


def test_the_servers_time_and_its_idle_gpus_are_as_stated(estate):
    """Prefill and decode by the token; GPUs show 0 exactly where no request runs."""
    server = TRUTH.model_server
    cached = estate.increase("vllm:prompt_tokens_cached_total", *SPAN)
    fresh = estate.increase("vllm:prompt_tokens_total", *SPAN) - cached
    out = estate.increase("vllm:generation_tokens_total", *SPAN)
    prefill = estate.increase("vllm:request_prefill_time_seconds_sum", *SPAN)
    decode = estate.increase("vllm:request_decode_time_seconds_sum", *SPAN)
    assert fresh / prefill == pytest.approx(server.prefill_tokens_per_second, rel=0.002)
    assert decode / out == pytest.approx(server.decode_seconds_per_token, rel=0.002)
    running = estate.one("vllm:num_requests_running")[2]
    gpus = estate.find("DCGM_FI_DEV_GPU_UTIL")
    assert len(gpus) == server.gpus
    for _, _, busy in gpus:
        assert np.array_equal(busy == 0, running == 0)
        assert busy[busy > 0].mean() == pytest.approx(server.busy_percent, abs=0.5)
        assert (busy == 0).mean() == pytest.approx(0.88, abs=0.005)
    assert 0 < estate.increase("vllm:num_preemptions_total", *SPAN) < 600
