"""Where profiles come from: those that ship with the workbench, and a user's own file."""

from __future__ import annotations

from functools import cache
from importlib import resources as packaged
from pathlib import Path
from typing import Any, Final

from workbench.errors import SettingsError, did_you_mean
from workbench.spend.profiles.profile import (
    CounterMetric,
    Dimensions,
    HistogramMetric,
    Histograms,
    Measures,
    UsageProfile,
)
from workbench.validation import model_from_toml, text_of_file

__all__ = ["load_profile", "profile_names", "shipped_profile", "shipped_profiles"]

_MODELS: Final = (
    UsageProfile,
    Dimensions,
    Measures,
    Histograms,
    CounterMetric,
    HistogramMetric,
)
_EXAMPLE: Final = (
    "start from a shipped profile: see docs/llm-spend.md; the least is name, title, layer, "
    "input_includes_cached, output_includes_reasoning, [labels] and [measures]"
)


def profile_names() -> list[str]:
    """The names of the profiles that ship, sorted.

    Examples
    --------
    >>> "litellm" in profile_names()
    True
    """
    return sorted(
        f.name.removesuffix(".toml") for f in _folder().iterdir() if f.name.endswith(".toml")
    )


@cache
def shipped_profile(name: str) -> UsageProfile:
    """A profile that ships with the workbench.

    Raises
    ------
    SettingsError
        There is none of that name.

    Examples
    --------
    >>> shipped_profile("vllm").layer
    'server'
    """
    known = profile_names()
    if name not in known:
        msg = f"there is no LLM profile {name!r}"
        raise SettingsError(msg, did_you_mean(name, known) or f"use one of {', '.join(known)}")
    return _parse(_folder().joinpath(f"{name}.toml").read_text(encoding="utf-8"), name)


def shipped_profiles() -> tuple[UsageProfile, ...]:
    """All profiles that ship, sorted by name."""
    return tuple(shipped_profile(name) for name in profile_names())


def load_profile(path: Path | str) -> UsageProfile:
    """Read a user's own profile.

    Raises
    ------
    SettingsError
        The file cannot be read, is no TOML, or holds something unknown or wrong; the message
        names the key and near ones.
    """
    path = Path(path)
    text = text_of_file(path, f"LLM profile {str(path)!r}")
    return _parse(text, str(path))


def _folder() -> Any:
    return packaged.files("workbench.conventions").joinpath("llm")


def _parse(text: str, what: str) -> UsageProfile:
    return model_from_toml(text, f"LLM profile {what!r}", UsageProfile, *_MODELS, example=_EXAMPLE)
