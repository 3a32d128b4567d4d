"""What gateways and conventions call the providers, as the price data calls them. Data, no code.

Collected from OpenTelemetry's `gen_ai.provider.name` (and the older `gen_ai.system`), LiteLLM's
`api_provider` and model prefixes, and Envoy AI Gateway's backend schemas. Keys are in lower case.
"""

from __future__ import annotations

from typing import Final

__all__ = ["ALIASES", "HUBS", "SELF_HOSTED", "UNLISTED"]

_NAMES: Final = {
    "anthropic": ("anthropic_text",),
    "arcee": ("arcee_ai",),
    "aws": (
        "aws.bedrock",
        "aws_bedrock",
        "awsbedrock",
        "awsanthropic",
        "amazon-bedrock",
        "amazon_bedrock",
        "bedrock",
        "bedrock_converse",
        "bedrock_mantle",
    ),
    "azure": (
        "az.ai.inference",
        "az.ai.openai",
        "azure.ai.inference",
        "azure.ai.openai",
        "azure-openai",
        "azure_ai",
        "azure_openai",
        "azure_text",
        "azureopenai",
    ),
    "cloudflare": ("workers-ai", "workers_ai"),
    "cohere": ("cohere_chat",),
    "fireworks": ("fireworks-ai", "fireworks_ai"),
    "github-copilot": ("copilot", "github_copilot"),
    "google": (
        "gcp.gemini",
        "gcp.gen_ai",
        "gcp.vertex_ai",
        "gcpanthropic",
        "gcpvertexai",
        "gemini",
        "google_ai_studio",
        "google_genai",
        "vertex",
        "vertex-ai",
        "vertex_ai",
        "vertex_ai_beta",
        "vertexai",
    ),
    "meta": ("meta_llama",),
    "mistral": ("codestral", "mistral_ai", "mistralai", "text-completion-codestral"),
    "moonshotai": ("moonshot", "moonshot_ai"),
    "openai": ("chatgpt", "openai_chat", "text-completion-openai"),
    "together": ("together-ai", "together_ai", "togetherai"),
    "voyageai": ("voyage",),
    "x-ai": ("x_ai", "xai"),
    "zai": ("z_ai", "z.ai"),
    "zhipuai": ("zhipu", "zhipu_ai"),
}

ALIASES: Final = {alias: name for name, aliases in _NAMES.items() for alias in aliases}
"""Alias to the price data's provider id."""

HUBS: Final = frozenset(
    {
        "baseten",
        "cloudflare",
        "databricks",
        "fireworks",
        "github-copilot",
        "groq",
        "novita",
        "openrouter",
        "quicksilverpro",
        "together",
    }
)
"""Providers whose model names begin with the maker's: ``anthropic/claude-…`` at openrouter is a name,
not a provider and a name."""

SELF_HOSTED: Final = frozenset(
    {
        "docker_model_runner",
        "hosted_vllm",
        "infinity",
        "lemonade",
        "llama.cpp",
        "llama_cpp",
        "llamafile",
        "lm_studio",
        "localai",
        "ollama",
        "ollama_chat",
        "oobabooga",
        "petals",
        "sagemaker",
        "sagemaker_chat",
        "self-hosted",
        "sglang",
        "text-generation-inference",
        "tgi",
        "triton",
        "vllm",
        "xinference",
    }
)
"""Servers that are paid by the hour of a machine, not by the token."""

UNLISTED: Final = frozenset(
    {
        "ai21",
        "dashscope",
        "deepinfra",
        "friendliai",
        "github",
        "huggingface",
        "hyperbolic",
        "ibm.watsonx.ai",
        "lambda_ai",
        "nebius",
        "nlp_cloud",
        "nvidia_nim",
        "predibase",
        "replicate",
        "sambanova",
        "snowflake",
        "volcengine",
        "watsonx",
        "watsonx_text",
    }
)
"""Providers that have prices, but none in the data: another's price would be a wrong one."""
