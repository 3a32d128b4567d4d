"""How many tokens single requests have: the gateway's histograms, which bound what long ones cost.

The tokens of each minute and route are drawn first, as a whole. A request's are its part of them:
of gamma numbers of one shape the parts of the sum follow a Dirichlet law and do not depend on the
sum, so that drawing both one after the other gives what drawing each request would have given.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np

from workbench.demo.grid import Grid
from workbench.demo.instruments import Observed, histogram_series
from workbench.demo.traffic import GATEWAY, TOKEN_SHAPE, Traffic, grouped
from workbench.demo.truth import TRUTH
from workbench.samples import Ints, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "request_sizes"]

_INPUT: Final = "llm_gateway_request_input_tokens"
_OUTPUT: Final = "llm_gateway_request_output_tokens"

METADATA: Final = (
    MetricMetadata(_INPUT, MetricType.HISTOGRAM, "Input tokens of a served request, cached ones included.", "tokens"),
    MetricMetadata(_OUTPUT, MetricType.HISTOGRAM, "Output tokens of a served request.", "tokens"),
)  # fmt: skip


def request_sizes(
    rng: np.random.Generator, grid: Grid, traffic: Sequence[Traffic]
) -> Iterator[Series]:
    """Both histograms of each provider and model; their sums are the counters of tokens."""
    resets = TRUTH.resets(GATEWAY.job, GATEWAY.instance)
    for labels, routes in grouped(traffic, "provider", "model"):
        for name, bounds, totals in (
            (_INPUT, TRUTH.input_token_buckets, [r.usage.input_tokens for r in routes]),
            (_OUTPUT, TRUTH.output_token_buckets, [r.usage.output_tokens for r in routes]),
        ):
            parts = [
                _sizes(rng, one.usage.served, total, bounds)
                for one, total in zip(routes, totals, strict=True)
            ]
            observed = Observed(np.sum(parts, axis=0), np.sum(totals, axis=0))
            yield from histogram_series(
                GATEWAY,
                name,
                observed,
                bounds,
                grid=grid,
                resets_ms=resets,
                labels=labels,
                parts=1,
            )


def _sizes(rng: np.random.Generator, served: Ints, total: Ints, bounds: Sequence[float]) -> Ints:
    """Share each minute's tokens out to its requests: int64, shape (minutes, bounds + 1)."""
    busy = np.flatnonzero(served)
    counts = served[busy]
    starts = np.cumsum(counts) - counts
    tokens = rng.standard_gamma(TOKEN_SHAPE, int(counts.sum()), dtype=np.float32)
    tokens *= np.repeat((total[busy] / np.add.reduceat(tokens, starts)).astype(np.float32), counts)
    bucket = np.zeros(len(tokens), np.uint8)
    for bound in bounds:  # six comparisons are a sixth of the time of a binary search
        bucket += tokens > bound
    width = len(bounds) + 1
    cells = np.repeat(busy * width, counts) + bucket
    return np.bincount(cells, minlength=len(served) * width).reshape(len(served), width)
