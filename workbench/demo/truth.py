"""What is true of the embedded estate: every planted fact, as data.

The simulation reads these figures, the tests measure them in its output, and the page
``docs/demo-estate.md`` tells them. Times are milliseconds since the epoch, UTC.

The company is a small web shop whose people and customers live in Berlin (UTC+2 for the whole
of the estate; no public holidays are simulated).
"""

from __future__ import annotations

from decimal import Decimal
from types import MappingProxyType
from typing import Final

from workbench.demo.latency import LatencyMix
from workbench.demo.planted import (
    Cluster,
    ConnectionPool,
    Deploy,
    Endpoint,
    Explosion,
    FillingDisk,
    Gap,
    Incident,
    PromptChange,
    Restart,
    Route,
    Truth,
    Workload,
)
from workbench.demo.planted_llm import GatewayBilling, GatewayPrice, ModelServer, RateLimit
from workbench.window import parse_time

__all__ = ["GIB", "MIB", "TRUTH"]

GIB: Final = 1024**3
MIB: Final = 1024**2


def _at(text: str) -> int:
    return parse_time(text, now_ms=0)


_PROMPT_CHANGE: Final = PromptChange(
    at_ms=_at("2026-06-22T07:00Z"),
    team="support",
    application="support-bot",
    model="claude-sonnet-4-5",
    before="v7",
    after="v8",
)

_ENDPOINTS: Final = (
    Endpoint("GET", "/api/products", 320, LatencyMix(0.024, 0.50, 0.18, 0.50, 0.010), 0.012, 0.001),
    Endpoint("GET", "/api/cart", 180, LatencyMix(0.015, 0.45, 0.12, 0.50, 0.008), 0.004, 0.001),
    Endpoint("POST", "/api/checkout", 60, LatencyMix(0.080, 0.45, 0.60, 0.40, 0.004), 0.002, 0.003),
    Endpoint("POST", "/api/payment", 45, LatencyMix(0.210, 0.35, 1.40, 0.45, 0.010), 0.0, 0.004),
)

_ROUTES: Final = (
    Route("openai", "gpt-4o-mini", "support", "ticket-triage", "v3", 26, 820, 60, 0.30, 0.06),
    Route("openai", "gpt-4o", "support", "ticket-triage", "v3", 3, 1_400, 220, 0.25, 0.02),
    Route(
        "anthropic", "claude-sonnet-4-5", "support", "support-bot", "v7",
        11, 1_800, 260, 0.55, 0.04, until_ms=_PROMPT_CHANGE.at_ms,
    ),
    Route(
        "anthropic", "claude-sonnet-4-5", "support", "support-bot", "v8",
        11, 6_300, 410, 0.10, 0.04, from_ms=_PROMPT_CHANGE.at_ms,
    ),
    Route("google", "gemini-2.5-flash", "search", "product-search", "v2", 55, 410, 45, 0.0, 0.31),
    Route("google", "gemini-2.5-pro", "data", "report-writer", "v1", 2, 9_500, 1_300, 0.40, 0.0),
    Route("openai", "gpt-4o-mini", "growth", "copywriter", "v4", 7, 650, 380, 0.10, 0.01),
    Route("anthropic", "claude-sonnet-4-5", "data", "report-writer", "v1", 1.5, 7_200, 1_100, 0.35, 0.0),
    Route("vllm", "llama-3.1-8b-instruct", "search", "query-rewrite", "v1", 60, 240, 24, 0.45, 0.12),
)  # fmt: skip

_BILLING: Final = GatewayBilling(
    prices=MappingProxyType(
        {
            "gpt-4o-mini": GatewayPrice(Decimal("0.15"), Decimal("0.075"), Decimal("0.6")),
            "gpt-4o": GatewayPrice(Decimal("2.5"), Decimal("1.25"), Decimal(10)),
            "claude-sonnet-4-5": GatewayPrice(Decimal(3), Decimal("0.3"), Decimal(15)),
            "gemini-2.5-flash": GatewayPrice(Decimal("0.3"), Decimal("0.03"), Decimal("2.5")),
            "gemini-2.5-pro": GatewayPrice(Decimal("1.25"), Decimal("0.125"), Decimal(10)),
        }
    ),
    cached_as_input=("anthropic",),
    unpriced=("gemini-2.5-pro",),
)

_CLUSTER: Final = Cluster(
    namespace="storefront",
    workloads=(
        Workload(
            "Deployment", "web", "web", 2, 0.05, 0.40, 0.03, 0, 420, 0, 60, 2.0, 2.0, 2_048, 2_048,
            "requests and limits far too large; the rollout changes nothing", rolled_out=True,
        ),
        Workload(
            "StatefulSet", "search", "engine", 1, 0.10, 0.60, 0.0, 0, 1_240, 12, 0,
            0.25, 1.0, 1_024, 4_096,
            "both requests too small; memory grows",
        ),
        Workload(
            "Deployment", "worker", "worker", 1, 0.02, 0.60, 0.0, 10, 330, 0, 0, 0.0, 0.0, 512, 512,
            "no CPU request; its memory limit is too small", killed=True,
        ),
        Workload(
            "StatefulSet", "cache", "cache", 1, 0.05, 0.06, 0.0, 0, 620, 0, 10,
            0.15, 0.0, 768, 1_024,
            "nothing",
        ),
    ),
    replica_sets=("6d5f8c7b9c", "79c4d6f5b8"),
    pod_suffixes=("k2v7x", "q9z4m"),
    rollout_ms=_at("2026-06-11T09:00Z"),
    killed_ms=_at("2026-06-19T01:10Z"),
)  # fmt: skip

TRUTH: Final = Truth(
    seed=20260525,
    start_ms=_at("2026-05-25T00:00Z"),
    end_ms=_at("2026-06-29T00:00Z"),
    time_zone="Europe/Berlin",
    utc_offset_hours=2,
    weekday_factors=(1.0, 1.0, 1.0, 1.0, 0.92, 0.35, 0.30),
    lunch_dip_hour=12.6,
    demand_wander=0.05,
    demand_growth_per_week=0.03,
    llm_growth_per_week=0.06,
    checkout_instances=("checkout-1:8080", "checkout-2:8080"),
    latency_buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
    endpoints=_ENDPOINTS,
    cpu_seconds_per_request=0.004,
    workers=32,
    queue_capacity=2_000,
    incident=Incident(
        start_ms=_at("2026-06-16T12:10Z"),
        end_ms=_at("2026-06-16T13:40Z"),
        api_name="payments",
        error_share=MappingProxyType({"/api/payment": 0.65, "/api/checkout": 0.30}),
        latency=MappingProxyType(
            {
                "/api/payment": LatencyMix(4.0, 0.60, 9.0, 0.20, 0.30),
                "/api/checkout": LatencyMix(0.9, 0.70, 6.0, 0.40, 0.20),
            }
        ),
        queue_per_minute=9,
        drain_minutes=25,
    ),
    deploys=(
        Deploy(_at("2026-05-25T00:00Z"), "2.3.1"),
        Deploy(
            _at("2026-06-18T09:30Z"),
            "2.4.0",
            path="/api/checkout",
            latency=LatencyMix(0.080, 0.45, 0.60, 0.40, 0.025),
        ),
        Deploy(_at("2026-06-25T08:00Z"), "2.5.0"),
    ),
    restarts=(
        Restart(_at("2026-06-05T02:17Z"), "checkout", "checkout-2:8080"),
        Restart(_at("2026-06-11T04:05Z"), "llm-gateway", "gateway-1:4000"),
    ),
    gap=Gap(_at("2026-06-10T03:00Z"), _at("2026-06-10T03:25Z"), "node", "app-2:9100"),
    explosion=Explosion(_at("2026-06-25T08:00Z"), "my_app_cart_updates_total", "user_id"),
    filling_disk=FillingDisk(
        instance="db-1:9100",
        mountpoint="/var/lib/postgresql",
        size_bytes=500 * GIB,
        start_bytes=300 * GIB,
        growth_bytes_per_day=3.08 * GIB,
        daily_peak_bytes=24 * GIB,
        full_at_ms=_at("2026-07-21T12:40Z"),
        ninety_percent_at_ms=_at("2026-07-06T07:58Z"),
    ),
    pool=ConnectionPool(limit=40, base=4.0, peak=31.0),
    llm_buckets=(0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 30.0, 60.0, 120.0, 300.0),
    llm_latency=MappingProxyType(
        {
            "gpt-4o-mini": LatencyMix(0.9, 0.45, 6.0, 0.5, 0.010),
            "gpt-4o": LatencyMix(2.1, 0.50, 14.0, 0.5, 0.015),
            "claude-sonnet-4-5": LatencyMix(3.4, 0.50, 22.0, 0.4, 0.020),
            "gemini-2.5-flash": LatencyMix(0.6, 0.40, 4.0, 0.5, 0.008),
            "gemini-2.5-pro": LatencyMix(8.5, 0.45, 38.0, 0.3, 0.030),
            "llama-3.1-8b-instruct": LatencyMix(0.32, 0.35, 1.8, 0.4, 0.010),
        }
    ),
    routes=_ROUTES,
    prompt_change=_PROMPT_CHANGE,
    cluster=_CLUSTER,
    input_token_buckets=(256, 1_024, 4_096, 16_384, 65_536, 262_144),
    output_token_buckets=(64, 512, 4_096),
    gateway_billing=_BILLING,
    rate_limits=MappingProxyType(
        {
            "gpt-4o-mini": RateLimit(66, 400_000),
            "gpt-4o": RateLimit(60, 200_000),
            "claude-sonnet-4-5": RateLimit(100, 800_000),
            "gemini-2.5-flash": RateLimit(300, 500_000),
            "gemini-2.5-pro": RateLimit(30, 500_000),
        }
    ),
    resolved_shares=MappingProxyType(
        {
            ("ticket-triage", "v3"): 0.88,
            ("support-bot", "v7"): 0.62,
            ("support-bot", "v8"): 0.71,
        }
    ),
    model_server=ModelServer(
        gpus=2,
        gpu_model="NVIDIA L4",
        prefill_tokens_per_second=4_000,
        decode_seconds_per_token=0.012,
        preempted_share=0.002,
        busy_percent=78,
    ),
)
