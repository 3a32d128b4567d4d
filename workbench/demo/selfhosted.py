"""The self-hosted model's own server, as vLLM shows it.

It counts the same requests and tokens as the gateway does for that model: whoever adds both
counts them twice. Beside it stands the exporter of its GPUs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from workbench.demo.grid import Grid
from workbench.demo.instruments import Target, counter, gauge
from workbench.demo.traffic import Usage
from workbench.demo.truth import TRUTH
from workbench.samples import Floats, Ints, MetricMetadata, MetricType, Series

__all__ = ["METADATA", "selfhosted"]

_SERVER: Final = Target("vllm", "gpu-1:8000")
_EXPORTER: Final = Target("dcgm-exporter", "gpu-1:9400")
_CUT_SHORT: Final = 0.03
"""Share of the answers that end at the token limit."""

METADATA: Final = (
    MetricMetadata("vllm:prompt_tokens_total", MetricType.COUNTER, "Number of prefill tokens processed."),
    MetricMetadata("vllm:prompt_tokens_cached_total", MetricType.COUNTER, "Number of prompt tokens found in the prefix cache."),
    MetricMetadata("vllm:generation_tokens_total", MetricType.COUNTER, "Number of generation tokens processed."),
    MetricMetadata("vllm:request_success_total", MetricType.COUNTER, "Count of successfully processed requests."),
    MetricMetadata("vllm:num_requests_running", MetricType.GAUGE, "Number of requests in model execution batches."),
    MetricMetadata("vllm:kv_cache_usage_perc", MetricType.GAUGE, "KV-cache usage; 1 means fully used."),
    MetricMetadata("vllm:num_requests_waiting", MetricType.GAUGE, "Number of requests waiting to be processed."),
    MetricMetadata("vllm:num_preemptions_total", MetricType.COUNTER, "Number of requests that were broken off and computed anew."),
    MetricMetadata("vllm:request_prefill_time_seconds", MetricType.HISTOGRAM, "Time that requests spent in prefill.", "seconds"),
    MetricMetadata("vllm:request_decode_time_seconds", MetricType.HISTOGRAM, "Time that requests spent in decode.", "seconds"),
    MetricMetadata("DCGM_FI_DEV_GPU_UTIL", MetricType.GAUGE, "GPU utilization (in %)."),
)  # fmt: skip


def selfhosted(
    rng: np.random.Generator, own: np.random.Generator, grid: Grid, model: str, usage: Usage
) -> Iterator[Series]:
    """The server's series from what the gateway sent it; `own` draws what was added later."""
    cut_short = rng.binomial(usage.served, _CUT_SHORT)
    running = usage.served * TRUTH.llm_latency[model].mean_seconds / 60
    cache = running / 4 * np.exp(rng.normal(0, 0.1, len(grid)))
    stopped = usage.served - cut_short
    at_work = rng.poisson(running)
    columns: tuple[tuple[str, dict[str, str], Floats], ...] = (
        ("prompt_tokens_total", {}, counter(usage.input_tokens, grid)),
        ("prompt_tokens_cached_total", {}, counter(usage.cached_tokens, grid)),
        ("generation_tokens_total", {}, counter(usage.output_tokens, grid)),
        ("request_success_total", {"finished_reason": "stop"}, counter(stopped, grid)),
        ("request_success_total", {"finished_reason": "length"}, counter(cut_short, grid)),
        ("num_requests_running", {}, at_work.astype(np.float64)),
        ("kv_cache_usage_perc", {}, gauge(cache, decimals=3, high=1.0)),
        *((name, {}, values) for name, values in _work(own, grid, usage, running)),
    )
    labels = {"model_name": model, "engine": "0"}
    for name, extra, values in columns:
        yield _SERVER.labels(f"vllm:{name}", **labels, **extra), grid.times_ms, values
    yield from _gpus(own, grid, at_work)


def _work(
    rng: np.random.Generator, grid: Grid, usage: Usage, running: Floats
) -> Iterator[tuple[str, Floats]]:
    """What the server tells of its work; the buckets of both times are dropped at the scrape."""
    server, noise = TRUTH.model_server, rng.normal(1, 0.02, (2, len(grid)))
    fresh = usage.input_tokens - usage.cached_tokens
    prefill_ms = np.rint(fresh * noise[0] * 1000 / server.prefill_tokens_per_second)
    decode_ms = np.rint(usage.output_tokens * noise[1] * 1000 * server.decode_seconds_per_token)
    preempted = np.minimum(server.preempted_share * np.square(running / running.max()), 1.0)
    yield "num_requests_waiting", rng.poisson(running / 20).astype(np.float64)
    yield "num_preemptions_total", counter(rng.binomial(usage.served, preempted), grid)
    for kind, spent_ms in (("prefill", prefill_ms), ("decode", decode_ms)):
        yield f"request_{kind}_time_seconds_sum", counter(spent_ms.astype(np.int64), grid) / 1000
        yield f"request_{kind}_time_seconds_count", counter(usage.served, grid)


def _gpus(rng: np.random.Generator, grid: Grid, at_work: Ints) -> Iterator[Series]:
    """Each GPU is busy at the moments at which a request runs."""
    server = TRUTH.model_server
    for gpu in range(server.gpus):
        busy = gauge(rng.normal(server.busy_percent, 6, len(grid)), low=1, high=100)
        labels = {
            "gpu": str(gpu),
            "device": f"nvidia{gpu}",
            "modelName": server.gpu_model,
            "Hostname": _SERVER.instance.partition(":")[0],
        }
        name = "DCGM_FI_DEV_GPU_UTIL"
        yield _EXPORTER.labels(name, **labels), grid.times_ms, np.where(at_work > 0, busy, 0.0)
