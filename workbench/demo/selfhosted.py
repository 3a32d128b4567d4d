"""The self-hosted model's own server, as vLLM shows it.

It counts the same requests and tokens as the gateway does for that model: whoever adds both
counts them twice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.demo.grid import Grid
from workbench.demo.instruments import Target, counter, gauge
from workbench.demo.truth import TRUTH
from workbench.samples import Floats, Ints, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "Usage", "selfhosted"]

_SERVER: Final = Target("vllm", "gpu-1:8000")
_CUT_SHORT: Final = 0.03
"""Share of the answers that end at the token limit."""

METADATA: Final = (
    MetricMetadata("vllm:prompt_tokens_total", MetricType.COUNTER, "Number of prefill tokens processed."),
    MetricMetadata("vllm:prompt_tokens_cached_total", MetricType.COUNTER, "Number of prompt tokens found in the prefix cache."),
    MetricMetadata("vllm:generation_tokens_total", MetricType.COUNTER, "Number of generation tokens processed."),
    MetricMetadata("vllm:request_success_total", MetricType.COUNTER, "Count of successfully processed requests."),
    MetricMetadata("vllm:num_requests_running", MetricType.GAUGE, "Number of requests in model execution batches."),
    MetricMetadata("vllm:kv_cache_usage_perc", MetricType.GAUGE, "KV-cache usage; 1 means fully used."),
)  # fmt: skip


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


def selfhosted(rng: np.random.Generator, grid: Grid, model: str, usage: Usage) -> Iterator[Series]:
    """The server's series from what the gateway sent it."""
    cut_short = rng.binomial(usage.served, _CUT_SHORT)
    running = usage.served * TRUTH.llm_latency[model].mean_seconds / 60
    cache = running / 4 * np.exp(rng.normal(0, 0.1, len(grid)))
    labels = {"model_name": model, "engine": "0"}
    stopped = usage.served - cut_short
    columns: tuple[tuple[str, dict[str, str], Floats], ...] = (
        ("prompt_tokens_total", {}, counter(usage.input_tokens, grid)),
        ("prompt_tokens_cached_total", {}, counter(usage.cached_tokens, grid)),
        ("generation_tokens_total", {}, counter(usage.output_tokens, grid)),
        ("request_success_total", {"finished_reason": "stop"}, counter(stopped, grid)),
        ("request_success_total", {"finished_reason": "length"}, counter(cut_short, grid)),
        ("num_requests_running", {}, rng.poisson(running).astype(np.float64)),
        ("kv_cache_usage_perc", {}, gauge(cache, decimals=3, high=1.0)),
    )
    for name, extra, values in columns:
        yield _SERVER.labels(f"vllm:{name}", **labels, **extra), grid.times_ms, values
