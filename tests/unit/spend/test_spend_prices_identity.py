"""Names of providers and models are read as gateways write them, and what was assumed is said."""

from __future__ import annotations

import pytest

from workbench.spend.prices import Reading, bundled, identify
from workbench.spend.prices.aliases import ALIASES, HUBS, SELF_HOSTED, UNLISTED

CLAUDE = "anthropic.claude-sonnet-4-5-20250929-v1:0"


def read(model, provider="", region=""):
    found = identify(model, provider, region, catalogue=bundled())
    listed = bundled().find(found.provider, found.model)
    return found.provider, listed.model if listed else None, found.region, found.how


@pytest.mark.parametrize(
    ("model", "provider", "expected"),
    [
        ("azure/gpt-4o", "", ("azure", "gpt-4o", "")),
        ("azure/eu/gpt-4o-2024-08-06", "", ("azure", "gpt-4o", "eu")),
        ("azure/global-standard/gpt-4o", "", ("azure", "gpt-4o", "global-standard")),
        ("openai/gpt-4o", "", ("openai", "gpt-4o", "")),
        ("litellm_proxy/openai/gpt-4o", "", ("openai", "gpt-4o", "")),
        (f"bedrock/us-east-1/{CLAUDE}", "", ("aws", f"regional.{CLAUDE}", "us-east-1")),
        (f"bedrock/converse/us.{CLAUDE}", "", ("aws", f"regional.{CLAUDE}", "us")),
        (f"bedrock/global.{CLAUDE}", "", ("aws", f"global.{CLAUDE}", "global")),
        (f"eu.{CLAUDE}", "", ("aws", f"regional.{CLAUDE}", "eu")),
        (
            f"arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.{CLAUDE}",
            "",
            ("aws", f"regional.{CLAUDE}", "eu"),
        ),
        ("vertex_ai/gemini-2.0-flash", "", ("google", "gemini-2.0-flash", "")),
        ("vertex_ai/claude-sonnet-4-5@20250929", "", ("google", "claude-sonnet-4-5", "")),
        (
            "openrouter/anthropic/claude-3.5-sonnet",
            "",
            ("openrouter", "anthropic/claude-3.5-sonnet", ""),
        ),
        ("groq/llama-3.3-70b-versatile", "", ("groq", "llama-3.3-70b-versatile", "")),
        ("ft:gpt-4o-2024-08-06:acme::x", "", ("openai", "ft:gpt-4o", "")),
        ("gpt-35-turbo", "azure", ("azure", "gpt-3.5-turbo", "")),
        ("gpt-5.2-20251211", "openai", ("openai", "gpt-5.2", "")),
    ],
)
def test_a_prefix_or_the_form_of_a_name_tells_the_provider(model, provider, expected):
    if provider:
        assert read(model, provider) == (*expected, Reading.STATED)
    else:
        assert read(model) == (*expected, Reading.PREFIX)


@pytest.mark.parametrize(
    ("label", "provider"),
    [
        ("openai", "openai"),
        ("azure.ai.openai", "azure"),
        ("az.ai.openai", "azure"),
        ("aws.bedrock", "aws"),
        ("gcp.vertex_ai", "google"),
        ("gcp.gemini", "google"),
        ("vertex_ai-anthropic_models", "google"),
        ("anthropic", "anthropic"),
        ("mistral_ai", "mistral"),
        ("x_ai", "x-ai"),
        ("fireworks_ai", "fireworks"),
        ("AWSBedrock", "aws"),
    ],
)
def test_labels_of_opentelemetry_litellm_and_envoy_are_providers(label, provider):
    found = identify("some-model", label, catalogue=bundled())
    assert (found.provider, found.how) == (provider, Reading.STATED)


def test_without_a_provider_the_first_seller_is_assumed_and_said():
    found = identify("gpt-4o", catalogue=bundled())
    assert (found.provider, found.how) == ("openai", Reading.ASSUMED)
    assert "openai is assumed" in found.note


def test_a_stated_provider_that_lacks_the_model_is_never_exchanged_for_another():
    """`openai` is often only the protocol: a Llama behind it has no price there."""
    found = identify("meta-llama/Llama-3.3-70B-Instruct", "openai", catalogue=bundled())
    assert (found.provider, found.how) == ("openai", Reading.STATED)
    assert bundled().find(found.provider, found.model) is None


@pytest.mark.parametrize(
    ("model", "provider", "how"),
    [
        ("llama3", "ollama", Reading.SELF_HOSTED),
        ("openai/gpt-oss-20b", "vllm", Reading.SELF_HOSTED),
        ("hosted_vllm/gpt-4o", "", Reading.SELF_HOSTED),
        ("qwen-max", "dashscope", Reading.UNLISTED),
        ("gpt-4o", "github", Reading.UNLISTED),
        ("no-such-model", "", Reading.UNKNOWN),
    ],
)
def test_what_has_no_list_price_is_told_apart(model, provider, how):
    assert identify(model, provider, catalogue=bundled()).how is how


def test_a_name_that_contradicts_its_label_is_said():
    note = identify("azure/gpt-4o", "openai", catalogue=bundled()).note
    assert note == "labelled openai, but the name says azure"


def test_a_label_of_the_region_wins_over_the_name():
    assert read("azure/eu/gpt-4o", region="swedencentral")[2] == "swedencentral"


@pytest.mark.parametrize(
    "model", ["", "/", "a/", "\x00", "🤖/gpt", "arn:aws:bedrock:::x/", "x" * 5000]
)
def test_hostile_names_are_read_as_unknown(model):
    assert identify(model, catalogue=bundled()).how in (Reading.UNKNOWN, Reading.PREFIX)


def test_aliases_lead_to_providers_that_exist():
    known = set(bundled().providers)
    assert set(ALIASES.values()) | HUBS <= known
    assert not (SELF_HOSTED | UNLISTED) & (set(ALIASES) | known)
