"""From counters of real schemas to the canonical table, through the embedded engine."""

from datetime import date

import numpy as np
import pytest
from spend_counting_source import DAY, START, STEP, read, steady

from workbench.errors import InputError
from workbench.findings import Severity
from workbench.spend.planning import plan_usage
from workbench.spend.profiles.detection import detect
from workbench.spend.profiles.profile import UsageProfile
from workbench.spend.reading.reader import UsageReader
from workbench.spend.usage import COLUMNS, DIMENSIONS, REQUEST_INPUT

N = 288
"""Steps of a day."""

GPT = {"model": "gpt-4o", "api_provider": "openai", "team_alias": "web", "user": "None"}


def litellm(name, per_step, **labels):
    return steady(f"litellm_{name}_total", per_step, **GPT, **labels)


def codes(reading):
    return {f.code for f in reading.flaws}


def test_no_request_is_longer_than_the_highest_step_of_its_counters():
    """Steps at random, with samples missing and restarts, against the longest run between samples."""
    rng = np.random.default_rng(8)
    labels, times, _ = steady("llm_gateway_input_tokens_total", 0.0, model="m", provider="p")
    sizes = rng.integers(0, 9_000, len(times)).astype(float)
    values = np.cumsum(sizes)
    for restart in (60, 200):
        values[restart:] -= values[restart] - sizes[restart]
    here = rng.random(len(times)) > 0.1
    here[[0, 1, -1]] = True
    table = read([(labels, times[here], values[here])]).table
    known, after = values[here], times[here] > START
    steps = np.diff(known, prepend=0.0)
    steps = np.where(steps < 0, known, steps)
    assert table["request_input_most"].tolist() == [steps[after].max()]
    assert table["request_input_least"].isna().all()


def test_where_cached_tokens_are_counted_apart_a_request_may_have_the_highest_steps_of_both():
    profile = UsageProfile(
        name="ours",
        title="Ours",
        layer="gateway",
        input_includes_cached="no",
        output_includes_reasoning="yes",
        labels={},
        measures={"input": "our_tokens_total", "cache_read": "our_cached_tokens_total"},
    )
    series = [steady("our_tokens_total", 100.0), steady("our_cached_tokens_total", 40.0)]
    assert read(series, profiles=[profile]).table["request_input_most"].tolist() == [140.0]


def test_the_table_has_the_columns_that_all_agree_on():
    reading = read([litellm("input_tokens_metric", 100), litellm("output_tokens_metric", 7)])
    assert tuple(reading.table.columns) == (*COLUMNS, *REQUEST_INPUT)
    row = reading.table.iloc[0]
    assert (row["provider"], row["model"], row["team"], row["user"]) == (
        "openai",
        "gpt-4o",
        "web",
        "",
    )
    assert row["input"] == 100 * N
    assert row["output"] == 7 * N
    assert np.isnan(row["cache_read"])
    assert np.isnan(row["requests"])
    assert row["lost"] == 0
    assert str(row["day"].date()) == "2026-03-02"
    assert str(reading.table["day"].dtype) == "datetime64[ms]"
    for name in (*DIMENSIONS, "profile"):
        assert str(reading.table[name].dtype) == "category"
    assert reading.bounds.iloc[0].tolist() == [107 * N, 107 * N, 0]


def test_cached_tokens_are_taken_out_of_the_input_and_twins_are_read_once():
    """LiteLLM tells cached tokens twice; both and the total are on the page."""
    reading = read(
        [
            litellm("input_tokens_metric", 100),
            litellm("total_tokens_metric", 110),
            litellm("input_cached_tokens_metric", 40),
            litellm("provider_cache_read_input_tokens_metric", 40),
            litellm("input_cache_creation_tokens_metric", 10),
            litellm("output_tokens_metric", 10),
            litellm("output_reasoning_tokens_metric", 4),
            litellm("spend_metric", 0.25),
        ]
    )
    row = reading.table.iloc[0]
    figures = {name: row[name] / N for name in ("input", "cache_read", "cache_write", "output")}
    assert figures == {"input": 50, "cache_read": 40, "cache_write": 10, "output": 10}
    assert row["reasoning"] == 4 * N
    assert row["cost"] == pytest.approx(0.25 * N)
    assert reading.currencies == {"litellm": "USD"}
    assert "LLM-TWIN-COUNTERS" in codes(reading)


def test_an_upgrade_that_renames_metrics_loses_and_doubles_nothing():
    """Old names until noon, new ones after; the half day of each is added up."""
    noon = START + 43_200_000
    reading = read(
        [
            steady("litellm_input_tokens_total", 10, end=noon, **GPT),
            steady("litellm_input_tokens_metric_total", 10, start=noon + STEP, **GPT),
        ]
    )
    assert reading.table["input"].sum() == 10 * (N - 1)


def test_cached_above_input_is_clamped_and_told():
    reading = read([litellm("input_tokens_metric", 10), litellm("input_cached_tokens_metric", 25)])
    assert reading.table["input"].tolist() == [0]
    flaw = next(f for f in reading.flaws if f.code == "LLM-CACHED-ABOVE-INPUT")
    assert flaw.evidence["over_tokens"] == 15 * N


def test_cached_tokens_with_fewer_labels_are_shared_out():
    """Two teams, and a cached counter that knows no team: it is taken out of both alike."""
    reading = read(
        [
            gateway("gpt-4o", 300, team="a"),
            gateway("gpt-4o", 100, team="b"),
            gateway("o3", 50, team="b"),
            steady("llm_gateway_cached_input_tokens_total", 80, model="gpt-4o"),
        ]
    )
    rows = {(r.model, r.team): (r.input / N, r.cache_read / N) for r in reading.table.itertuples()}
    assert rows[("gpt-4o", "a")] == (240, 60)
    assert rows[("gpt-4o", "b")] == (80, 20)
    assert rows[("o3", "b")][0] == 50
    assert len(rows) == 3
    assert codes(reading) >= {"LLM-LABELS-DIFFER"}
    assert "LLM-CACHED-ABOVE-INPUT" not in codes(reading)


def test_where_nobody_knows_the_user_says_whether_input_contains_cached_tokens():
    series = [
        steady("bifrost_input_tokens_total", 100, provider="openai", model="gpt-4o"),
        steady("bifrost_cache_read_input_tokens_total", 30, provider="openai", model="gpt-4o"),
    ]
    unsaid = read(series)
    assert unsaid.table["input"].tolist() == [70 * N]
    assert "LLM-CACHED-UNKNOWN" in codes(unsaid)
    for says, left in ((True, 70), (False, 100)):
        reading = read(series, said={"bifrost": says})
        assert reading.table["input"].tolist() == [left * N]
        assert "LLM-CACHED-UNKNOWN" not in codes(reading)
    with pytest.raises(InputError, match="did you mean 'bifrost'"):
        read(series, said={"bifrst": True})


def test_token_types_are_read_one_by_one_and_never_their_total():
    """Envoy AI Gateway with all its types, and a total that some versions add."""
    types = {"input": 100, "cached_input": 30, "output": 20, "reasoning": 5, "total": 120}
    labels = {"gen_ai_provider_name": "openai", "gen_ai_request_model": "o3"}
    series = [
        steady("gen_ai_client_token_usage_sum", n, gen_ai_token_type=t, **labels)
        for t, n in types.items()
    ]
    series.append(steady("gen_ai_server_request_duration_seconds_count", 1, **labels))
    reading = read(series)
    row = reading.table.iloc[0]
    assert row["profile"] == "envoy_ai_gateway"
    assert [row[c] / N for c in ("input", "cache_read", "output", "reasoning")] == [70, 30, 20, 5]
    assert row["requests"] == N


def test_names_with_dots_are_read():
    labels = {"gen_ai.provider.name": "anthropic", "gen_ai.response.model": "claude-sonnet-4-5"}
    reading = read(
        [
            steady("gen_ai.client.inference.usage.input_tokens_total", 9, **labels),
            steady("gen_ai.client.token.usage_sum", 9, **labels, **{"gen_ai.token.type": "input"}),
            steady("gen_ai.client.token.usage_sum", 2, **labels, **{"gen_ai.token.type": "output"}),
        ]
    )
    row = reading.table.iloc[0]
    assert (row["provider"], row["model"]) == ("anthropic", "claude-sonnet-4-5")
    assert (row["input"], row["output"]) == (9 * N, 2 * N)


def gateway(model, per_step, **labels):
    return steady("llm_gateway_input_tokens_total", per_step, model=model, **labels)


def client(model, per_step):
    labels = {"gen_ai_response_model": model, "gen_ai_token_type": "input", "instance": "app:1"}
    return steady("gen_ai_client_token_usage_sum", per_step, **labels)


def server(model, per_step):
    return steady("vllm:prompt_tokens_total", per_step, model_name=model, instance="gpu:1")


def test_traffic_that_client_gateway_and_server_count_is_kept_once():
    """gpt-4o by two, Qwen by three, and what only one of them sees."""
    reading = read(
        [
            gateway("azure/gpt-4o", 1000),
            gateway("qwen2.5-7b", 300),
            client("gpt-4o-2024-08-06", 960),
            client("qwen2.5-7b", 290),
            client("claude-opus-4", 50),
            server("Qwen/Qwen2.5-7B", 310),
            server("mistral-7b", 70),
        ]
    )
    kept = {(r.profile, r.model): r.input / N for r in reading.table.itertuples()}
    assert kept == {
        ("llm_gateway", "azure/gpt-4o"): 1000,
        ("llm_gateway", "qwen2.5-7b"): 300,
        ("otel_genai", "claude-opus-4"): 50,
        ("vllm", "mistral-7b"): 70,
    }
    assert reading.duplicates["input"].sum() == (960 + 290 + 310) * N
    assert sum(f.code == "LLM-SAME-TRAFFIC" for f in reading.flaws) == 3
    assert reading.self_hosted == {"vllm"}
    assert len(reading.bounds) == len(reading.table)


def test_traffic_that_only_looks_alike_is_kept_and_told():
    """A client that goes past the gateway with another volume of the same model."""
    reading = read([gateway("gpt-4o", 1000), client("gpt-4o", 400)])
    assert reading.table["input"].sum() == 1400 * N
    flaw = next(f for f in reading.flaws if f.code == "LLM-TWO-LAYERS")
    assert flaw.severity is Severity.WARNING
    assert flaw.evidence["both_at_most"] == 400 * N


def test_counters_that_count_requests_as_tokens_are_noticed():
    series = [gateway("gpt-4o", 4), steady("llm_gateway_requests_total", 3, model="gpt-4o")]
    assert "LLM-TOKENS-LIKE-REQUESTS" in codes(read(series))
    series = [gateway("gpt-4o", 400), steady("llm_gateway_requests_total", 3, model="gpt-4o")]
    assert "LLM-TOKENS-LIKE-REQUESTS" not in codes(read(series))


def test_odd_token_counts_are_noticed():
    reading = read([gateway("gpt-4o", 10.5)])
    assert "LLM-ODD-COUNTS" in codes(reading)


def test_errors_are_told_by_kind_and_rate_limited_ones_apart():
    labels = {"requested_model": "gpt-4o", "team_alias": "web"}
    reading = read(
        [
            litellm("input_tokens_metric", 10),
            steady(
                "litellm_proxy_failed_requests_metric_total",
                2,
                exception_class="RateLimitError",
                exception_status="429",
                **labels,
            ),
            steady(
                "litellm_proxy_failed_requests_metric_total",
                1,
                exception_class="Timeout",
                exception_status="408",
                **labels,
            ),
        ]
    )
    assert reading.table["errors"].sum() == 3 * N
    assert reading.table["rate_limited"].sum() == 2 * N
    kinds = {r.kind: r.errors for r in reading.kinds.itertuples()}
    assert kinds == {"RateLimitError 429": 2 * N, "Timeout 408": N}


def test_several_workers_say_how_to_mend_it():
    """Two workers in turn behind one port of LiteLLM."""
    labels, times, line = litellm("input_tokens_metric", 10)
    turns = np.where(np.arange(len(times)) % 2, line + 5000, 0.5 * line)
    reading = read([(labels, times, turns)])
    flaw = next(f for f in reading.flaws if f.code == "LLM-SEVERAL-WORKERS")
    assert "PROMETHEUS_MULTIPROC_DIR" in flaw.mend
    assert flaw.evidence["low"] <= 15 * N <= flaw.evidence["high"]
    bounds = reading.bounds.iloc[0]
    assert bounds["low"] <= 15 * N <= bounds["high"]


def test_a_day_of_23_hours_and_days_without_data():
    """Berlin's last Sunday of March, of a source whose data ends on it."""
    end = 1_774_821_600_000  # 2026-03-30 00:00 in Berlin
    reading = read(
        [
            gateway("gpt-4o", 10),
            gateway("gpt-4o", 10, start=1_774_600_000_000 // STEP * STEP, end=end, user="x"),
        ],
        first=date(2026, 3, 28),
        last=date(2026, 3, 30),
        zone="Europe/Berlin",
    )
    assert reading.table["input"].tolist() == [10 * 288, 10 * 276]
    assert reading.coverage["coverage"].tolist() == [1, 1, 0]
    assert "LLM-NO-DATA" in codes(reading)


def test_histograms_are_read_by_day_and_model():
    """Requests of 1,000 and 100,000 tokens: how many lie above a tier's bound."""
    labels = {"model": "gpt-4o", "provider": "openai"}
    name = "llm_gateway_request_input_tokens_bucket"
    reading = read(
        [
            gateway("gpt-4o", 1000, provider="openai"),
            steady(name, 3, le="65536.0", **labels),
            steady(name, 4, le="+Inf", **labels),
        ]
    )
    counts = reading.histograms.set_index("le")["count"]
    assert counts[65536.0] == pytest.approx(3 * N, rel=0.01)
    assert counts[np.inf] == pytest.approx(4 * N, rel=0.01)


def test_hostile_label_values_stay_as_they_are():
    nasty = 'a"b\\c\n<script>{x="y"}\x00é'
    reading = read([gateway("gpt-4o", 1, team=nasty, user="=cmd()")])
    assert reading.table["team"].tolist() == [nasty]
    assert reading.table["user"].tolist() == ["=cmd()"]


def test_a_source_without_any_usage_gives_an_empty_table():
    profile = UsageProfile(
        name="ours",
        title="Ours",
        layer="gateway",
        input_includes_cached="yes",
        output_includes_reasoning="yes",
        labels={},
        measures={"input": "our_tokens_total"},
    )
    fits = detect(["our_tokens_total"], [profile])
    reading = UsageReader(plan_usage(fits, DAY, DAY)).finish()
    assert len(reading.table) == 0
    assert tuple(reading.table.columns) == (*COLUMNS, *REQUEST_INPUT)
    assert "LLM-NO-DATA" in codes(reading)


def test_pieces_join_without_gap_or_overlap_and_keep_to_the_limits():
    """Whatever the number of series and the zone, each grid point is asked once."""
    fits = detect(["vllm:prompt_tokens_total"])
    for series in (1, 900, 20_000, 50_000, 400_000):
        for zone, first, last in (
            ("UTC", date(2026, 2, 1), date(2026, 2, 28)),
            ("Europe/Berlin", date(2026, 3, 1), date(2026, 3, 31)),
            ("Asia/Kolkata", date(2026, 10, 1), date(2026, 10, 31)),
        ):
            plan = plan_usage(fits, first, last, zone=zone, series=series, step="1h")
            windows = [piece[0].window for piece in plan.pieces]
            points = np.concatenate([w.steps for w in windows])
            assert (np.diff(points) == 3_600_000).all()
            assert points[0] == plan.days.start_ms // 3_600_000 * 3_600_000 - 86_400_000
            assert points[-1] >= plan.days.end_ms > points[-1] - 3_600_000
            assert max(len(w) for w in windows) * series <= 16_000_000
            assert len({q.key for q in plan.questions}) == len(plan.questions)


def test_a_plan_refuses_what_cannot_be_asked():
    fits = detect(["vllm:prompt_tokens_total"])
    with pytest.raises(InputError, match="no LLM profile"):
        plan_usage((), DAY, DAY)
    with pytest.raises(InputError, match="hour"):
        plan_usage(fits, DAY, DAY, step="7m")
    with pytest.raises(InputError, match="not begun"):
        plan_usage(fits, DAY, DAY, now_ms=START)


def test_errors_that_only_one_of_two_profiles_counts_are_kept():
    failed = steady("llm_gateway_errors_total", 2, model="gpt-4o", error_type="timeout")
    reading = read([gateway("gpt-4o", 1000), failed, server("mistral-7b", 70)])
    assert reading.kinds["errors"].sum() == 2 * N
