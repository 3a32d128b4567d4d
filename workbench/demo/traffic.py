"""What each route of the LLM gateway did, minute by minute, and how the gateway shows a counter.

Of a route's requests some are answered by the gateway's own response cache, some fail (those
refused by a rate limit are among them); the provider serves the rest. Only served requests have
tokens and a duration.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.demo.grid import Grid
from workbench.demo.instruments import Target, counter
from workbench.demo.planted import Route
from workbench.demo.truth import TRUTH
from workbench.samples import Floats, Ints, Series

__all__ = [
    "ERRORS",
    "GATEWAY",
    "LIMIT_KIND",
    "TOKEN_SHAPE",
    "Traffic",
    "Usage",
    "grouped",
    "route_labels",
    "simulate_route",
    "summed",
    "tally",
]

GATEWAY: Final = Target("llm-gateway", "gateway-1:4000")
TOKEN_SHAPE: Final = 1.6
"""Shape of the gamma law of one request's tokens; a sum of requests is gamma again."""
LIMIT_KIND: Final = ("rate_limited", "429")
ERRORS: Final = {
    ("timeout", "504"): 0.002,
    ("upstream", "502"): 0.003,
    ("invalid_request", "400"): 0.004,
}
"""Share of the requests that fail otherwise, by error type and HTTP status."""

_RATE_LIMITED: Final = 0.012
"""Share of the requests that are refused at the peak; it falls with the square of the load."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a provider served in each minute; every array is int64 of shape (minutes,).

    Parameters
    ----------
    served
        Requests.
    input_tokens, cached_tokens, output_tokens
        Of those requests; input includes cached.
    """

    served: Ints
    input_tokens: Ints
    cached_tokens: Ints
    output_tokens: Ints


@dataclass(frozen=True, slots=True)
class Traffic:
    """What a route did in each minute; every array is int64 of shape (minutes,)."""

    route: Route
    requests: Ints
    hits: Ints
    failed: dict[tuple[str, str], Ints]
    """By error type and HTTP status."""
    usage: Usage


def simulate_route(rng: np.random.Generator, grid: Grid, route: Route, load: Floats) -> Traffic:
    """Draw a route's requests, and the tokens of those that were served."""
    active = grid.between(route.from_ms or 0, route.until_ms or TRUTH.end_ms + 1)
    requests = rng.poisson(np.where(active, load * route.peak_per_minute, 0.0))
    hits = rng.binomial(requests, route.response_cache_share)
    limited = rng.binomial(requests - hits, np.minimum(_RATE_LIMITED * np.square(load), 0.2))
    left = requests - hits - limited
    failed = {LIMIT_KIND: limited}
    for kind, share in ERRORS.items():
        failed[kind] = rng.binomial(left, share)
        left = left - failed[kind]
    sent = _token_sum(rng, left, route.input_tokens)
    cached_share = route.cached_share * np.exp(rng.normal(0, 0.05, len(grid)))
    cached = np.floor(sent * np.minimum(cached_share, 1.0)).astype(np.int64)
    received = _token_sum(rng, left, route.output_tokens)
    return Traffic(route, requests, hits, failed, Usage(left, sent, cached, received))


def _token_sum(rng: np.random.Generator, served: Ints, mean: int) -> Ints:
    """Tokens of so many requests of a known mean; at least one token a request."""
    drawn = rng.gamma(TOKEN_SHAPE * served, mean / TOKEN_SHAPE)
    return np.maximum(np.rint(drawn).astype(np.int64), served)


def route_labels(route: Route) -> dict[str, str]:
    """The labels of a counter that tells routes apart."""
    return {
        "provider": route.provider,
        "model": route.model,
        "team": route.team,
        "application": route.application,
        "prompt_version": route.prompt_version,
    }


def tally(
    grid: Grid,
    name: str,
    increments: Ints,
    labels: dict[str, str],
    from_ms: int | None = None,
) -> Series:
    """A counter of the gateway; a series appears with the first use of its labels."""
    values = counter(increments, grid, TRUTH.resets(GATEWAY.job, GATEWAY.instance))
    begin = grid.index(from_ms) if from_ms else 0
    return GATEWAY.labels(f"llm_gateway_{name}", **labels), grid.times_ms[begin:], values[begin:]


def grouped(
    traffic: Sequence[Traffic], *names: str
) -> Iterator[tuple[dict[str, str], list[Traffic]]]:
    """Routes that share the values of some labels, in the order of their first."""
    groups: dict[tuple[str, ...], list[Traffic]] = {}
    for one in traffic:
        labels = route_labels(one.route)
        groups.setdefault(tuple(labels[name] for name in names), []).append(one)
    for values, routes in groups.items():
        yield dict(zip(names, values, strict=True)), routes


def summed(columns: Iterable[Ints]) -> Ints:
    """Columns of minutes added up."""
    return np.asarray(np.sum(list(columns), axis=0))
