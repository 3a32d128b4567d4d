"""Profiles: the shipped ones, a user's own, and which of them fit what is there."""

from datetime import date

import pytest

from workbench.errors import SettingsError
from workbench.promql.parsing import parse
from workbench.spend.planning import plan_usage
from workbench.spend.profiles.detection import detect, detect_by_job
from workbench.spend.profiles.profile import COUNTED, Histograms
from workbench.spend.profiles.shipped import (
    load_profile,
    profile_names,
    shipped_profile,
    shipped_profiles,
)

OWN = """
name = "ours"
title = "Our gateway"
layer = "gateway"
input_includes_cached = "no"
output_includes_reasoning = "yes"
[labels]
model = "llm"
team = ["squad", "team"]
[measures]
input = "our_prompt_tokens_total"
output = { metric = "our_tokens_total", match = { kind = ["out", "gen"] }, scale = 1000 }
"""


def written(tmp_path, text):
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    return path


def everything(profile):
    """All metric names that a profile may read."""
    names = {m.metric for measure in COUNTED for m in profile.alternatives(measure)}
    names |= {
        f"{h.metric}_bucket"
        for n in Histograms.model_fields
        for h in getattr(profile.histograms, n)
    }
    return names | {r.split("|")[0].strip() for r in profile.requires}


def test_all_the_systems_of_the_reference_have_a_profile():
    assert set(profile_names()) == {
        "apisix",
        "bifrost",
        "envoy_ai_gateway",
        "higress",
        "kong",
        "litellm",
        "llm_gateway",
        "openlit",
        "otel_genai",
        "portkey",
        "sglang",
        "tgi",
        "vllm",
    }


@pytest.mark.parametrize("name", profile_names())
def test_each_profile_is_found_by_its_own_metrics_alone(name):
    """Nothing else fits them, nothing of it is missing, and its file says what it was read from."""
    profile = shipped_profile(name)
    assert profile.name == name
    fits = detect(everything(profile))
    assert [fit.profile.name for fit in fits] == [name]
    assert not set(fits[0].missing) & {m for m in COUNTED if profile.alternatives(m)}
    assert set(fits[0].histograms) == {
        n for n in Histograms.model_fields if getattr(profile.histograms, n)
    }


def test_no_profile_reads_a_total_beside_its_parts():
    """Totals of tokens, and breakdowns of a counter, are in no measure."""
    for profile in shipped_profiles():
        for measure in COUNTED:
            for m in profile.alternatives(measure):
                assert "total_token" not in m.metric.removesuffix("_total")
                assert not m.metric.endswith(("_5m_total", "_1h_total"))
                values = [v for each in m.match.values() for v in each]
                assert "total" not in values
                assert "total_tokens" not in values


def test_a_metric_shared_by_token_types_is_always_matched_by_type():
    """No profile reads all types of a metric whose types break one another down."""
    shared = ("gen_ai_client_token_usage", "gen_ai.client.token.usage", "ai_llm_tokens_total")
    for profile in shipped_profiles():
        for measure in COUNTED:
            for m in profile.alternatives(measure):
                if any(s in m.metric for s in shared):
                    assert any("type" in label for label in m.match), (profile.name, m)


@pytest.mark.parametrize("profile", shipped_profiles(), ids=lambda p: p.name)
def test_every_question_parses_and_needs_dots_only_for_names_with_dots(profile):
    """A server before Prometheus 3 refuses quoted labels, even of metrics it does not have."""
    fits = detect(everything(profile), [profile])
    plan = plan_usage(
        fits, date(2026, 3, 28), date(2026, 3, 30), zone="Europe/Berlin", jobs=["a.b"]
    )
    for question in plan.questions:
        parse(question.expression)
        of_a_dotted_metric = '{"gen_ai.' in question.expression
        assert of_a_dotted_metric or '"gen_ai.' not in question.expression


def test_several_profiles_fit_at_once():
    names = everything(shipped_profile("litellm")) | everything(shipped_profile("vllm"))
    names |= {"gen_ai_client_token_usage_sum", "go_goroutines"}
    fits = {fit.profile.name: fit for fit in detect(names)}
    assert set(fits) == {"litellm", "vllm", "otel_genai"}
    assert fits["otel_genai"].missing == (
        "cache_read",
        "cache_write",
        "reasoning",
        "requests",
        "errors",
        "rate_limited",
    )


def test_the_more_special_profile_keeps_the_names_it_shares():
    """OpenLIT's cost tells it from plain OpenTelemetry, the server's duration tells Envoy."""
    shared = {"gen_ai_client_token_usage_sum"}
    assert [f.profile.name for f in detect(shared)] == ["otel_genai"]
    assert [f.profile.name for f in detect(shared | {"gen_ai_usage_cost_sum"})] == ["openlit"]
    envoy = shared | {"gen_ai_server_request_duration_seconds_count"}
    assert [f.profile.name for f in detect(envoy)] == ["envoy_ai_gateway"]
    assert detect(["up", "gen_ai_server_request_duration_seconds_count"]) == ()


def test_one_name_in_two_jobs_is_read_by_two_profiles():
    """A client and a gateway that share names are told apart by job."""
    fits = detect_by_job(
        {
            "app": ["gen_ai_client_token_usage_sum"],
            "envoy": [
                "gen_ai_client_token_usage_sum",
                "gen_ai_server_request_duration_seconds_count",
            ],
            "vllm": ["vllm:prompt_tokens_total"],
        }
    )
    found = {f.profile.name: [(m.name, m.op, m.value) for m in f.where] for f in fits}
    assert found == {
        "envoy_ai_gateway": [("job", "=", "envoy")],
        "otel_genai": [("job", "=", "app")],
        "vllm": [],
    }


def test_a_users_own_profile(tmp_path):
    profile = load_profile(written(tmp_path, OWN))
    assert profile.labels.team == ("squad", "team")
    (output,) = profile.alternatives("output")
    assert [(m.name, m.op, m.value) for m in output.matchers] == [("kind", "=~", "out|gen")]
    assert output.scale == 1000
    fits = detect(
        {"our_tokens_total", "litellm_spend_metric_total"}, [profile, *shipped_profiles()]
    )
    assert [f.profile.name for f in fits] == ["ours", "litellm"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[labels]", "[labels]\nmodle = 'x'", "did you mean 'model'"),
        ("[measures]", "[measures]\ninputs = 'x_total'", "did you mean 'input'"),
        ("layer =", "laier =", "did you mean 'layer'"),
        ('"gateway"', '"proxy"', "layer: input should be 'client', 'gateway' or 'server'"),
        ("scale = 1000", "scale = -1", "scale"),
        ("[measures]", "[measures]\ncost = 'x_total'", "needs a currency"),
        ("[measures]", "[measures]\nrequests = ['a_total', 'a_total']", "the same metric twice"),
        ("[labels]", "[constants]\nteams = 'x'\n[labels]", "constants.teams is no dimension"),
        ("[labels]", "[labels", "is not TOML"),
    ],
)
def test_a_wrong_profile_is_refused_by_the_key_that_is_wrong(tmp_path, old, new, said):
    path = written(tmp_path, OWN.replace(old, new, 1))
    with pytest.raises(SettingsError) as error:
        load_profile(path)
    assert said in str(error.value)
    assert str(path) in str(error.value)


def test_a_profile_that_cannot_be_read_is_refused(tmp_path):
    (tmp_path / "latin.toml").write_bytes(b'title = "\xe9"')
    for name in ("nowhere.toml", "latin.toml", "."):
        with pytest.raises(SettingsError, match="cannot be read"):
            load_profile(tmp_path / name)
    with pytest.raises(SettingsError, match="did you mean 'litellm'"):
        shipped_profile("litelm")
