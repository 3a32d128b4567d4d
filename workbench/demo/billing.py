"""What the gateway says that requests cost and how much more it may ask, and what came of them.

Its own figure of cost has mistakes, as those of real gateways have; `TRUTH.gateway_billing` says
which. Tickets are resolved, or not, in the team's own tool, which counts them by prompt version.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from workbench.demo.grid import Grid
from workbench.demo.instruments import Target, counter
from workbench.demo.traffic import GATEWAY, LIMIT_KIND, Traffic, grouped, route_labels, summed
from workbench.demo.truth import TRUTH
from workbench.samples import Floats, Ints, MetricMetadata, MetricType, Series

__all__ = ["DESK", "METADATA", "billing"]

DESK: Final = Target("support-desk", "desk-1:8080")
_COST: Final = "llm_gateway_cost_usd_total"
_RESOLVED: Final = "my_app_tickets_resolved_total"

METADATA: Final = (
    MetricMetadata(_COST, MetricType.COUNTER, "Cost of served requests in USD, as the gateway works it out."),
    MetricMetadata("llm_gateway_remaining_requests", MetricType.GAUGE, "Requests that the provider's rate limit leaves for this minute."),
    MetricMetadata("llm_gateway_remaining_tokens", MetricType.GAUGE, "Tokens that the provider's rate limit leaves for this minute."),
    MetricMetadata(_RESOLVED, MetricType.COUNTER, "Tickets that were resolved without a person."),
)  # fmt: skip


def billing(rng: np.random.Generator, grid: Grid, traffic: Sequence[Traffic]) -> Iterator[Series]:
    """Costs by route, remaining limits by model, and resolved tickets by prompt version."""
    resets = TRUTH.resets(GATEWAY.job, GATEWAY.instance)
    for one in traffic:
        begin = grid.index(one.route.from_ms) if one.route.from_ms else 0
        dollars = counter(_nano_usd(one), grid, resets) / 1e9
        labels = GATEWAY.labels(_COST, **route_labels(one.route))
        yield labels, grid.times_ms[begin:], dollars[begin:]
    yield from _headroom(grid, traffic)
    for labels, routes in grouped(traffic, "application", "prompt_version"):
        share = TRUTH.resolved_shares.get((labels["application"], labels["prompt_version"]))
        if share is not None:
            begin = grid.index(min(r.route.from_ms or 0 for r in routes))
            values = counter(rng.binomial(summed(r.usage.served for r in routes), share), grid)
            yield DESK.labels(_RESOLVED, **labels), grid.times_ms[begin:], values[begin:]


def _nano_usd(one: Traffic) -> Ints:
    """What the gateway adds to its figure in each minute: billionths of a dollar."""
    rules, route, usage = TRUTH.gateway_billing, one.route, one.usage
    price = rules.prices.get(route.model)
    if price is None or route.model in rules.unpriced:
        return np.zeros_like(usage.served)
    for_input, for_cached, for_output = price.nano_usd()
    if route.provider in rules.cached_as_input:
        for_cached = for_input
    fresh = usage.input_tokens - usage.cached_tokens
    return fresh * for_input + usage.cached_tokens * for_cached + usage.output_tokens * for_output


def _headroom(grid: Grid, traffic: Sequence[Traffic]) -> Iterator[Series]:
    """Limits less what the last minute used: requests that were sent on, and all their tokens."""
    for labels, routes in grouped(traffic, "provider", "model"):
        limit = TRUTH.rate_limits.get(labels["model"])
        if limit is None:
            continue
        sent = summed(r.requests - r.hits - r.failed[LIMIT_KIND] for r in routes)
        tokens = summed(r.usage.input_tokens + r.usage.output_tokens for r in routes)
        for name, allowed, used in (
            ("requests", limit.requests, sent),
            ("tokens", limit.tokens, tokens),
        ):
            left: Floats = np.maximum(allowed - used, 0).astype(np.float64)
            yield GATEWAY.labels(f"llm_gateway_remaining_{name}", **labels), grid.times_ms, left
