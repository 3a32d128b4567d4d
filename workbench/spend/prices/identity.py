"""Whose model a row means: provider labels and model names of any gateway, read into one form.

The same model is called ``gpt-4o``, ``azure/eu/gpt-4o-2024-08-06``, ``openrouter/openai/gpt-4o`` and
``ft:gpt-4o:acme::x``, and costs something else each time. What was read, and from what, stands
beside the result; nothing is taken for granted without saying so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from workbench.spend.prices.aliases import ALIASES, HUBS, SELF_HOSTED, UNLISTED
from workbench.spend.prices.catalogue import Catalogue

__all__ = ["ModelId", "Reading", "identify", "provider_id"]


class Reading(StrEnum):
    """From what the provider was read."""

    STATED = "stated"
    """The provider's label names it."""
    PREFIX = "prefix"
    """The form of the model's name tells: a prefix, an ARN, a vendor's spelling."""
    ASSUMED = "assumed provider"
    """Nothing tells: it is the first provider that sells such a model."""
    SELF_HOSTED = "self-hosted"
    """A server of one's own, paid by the hour."""
    UNLISTED = "no listed prices"
    """A provider that the price data does not know."""
    UNKNOWN = "unknown"
    """Neither label nor name tells anything."""


@dataclass(frozen=True, slots=True)
class ModelId:
    """A model at a provider.

    Attributes
    ----------
    provider
        The price data's id; what the label said where the data does not know it.
    model
        The name by which the price data finds it; the cleaned name where it does not.
    region
        As the label, or the name, says; ``""`` where neither does. Geographic profiles of Bedrock
        (``eu``, ``global``) count as regions.
    how
        From what the provider was read.
    note
        What was changed or assumed in reading, as a sentence for people; ``""`` where nothing.
    """

    provider: str
    model: str
    region: str
    how: Reading
    note: str = ""


_REGION: Final = re.compile(r"[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d+")
_AZURE_REGION: Final = re.compile(r"(eu|us|global|global-standard)/(.+)")
_ARN: Final = re.compile(r"arn:aws[\w-]*:bedrock:([\w-]*):\d*:([\w-]+)/(.+)")
_BEDROCK: Final = re.compile(
    r"(?:(us-gov|us|eu|apac|jp|au|ca|global)\.)?"
    r"(?:ai21|amazon|anthropic|cohere|deepseek|meta|mistral|moonshotai?|nvidia|openai|qwen|writer|zai)"
    r"\.[\w.:-]+"
)
_ROUTES: Final = frozenset({"converse", "converse_like", "invoke", "llama", "deepseek_r1"})
"""Segments that LiteLLM puts between ``bedrock/`` and the model."""
_DATE: Final = re.compile(r"[-@](?:20\d{2}-?\d{2}-?\d{2}|latest|default)$")
_VERSION: Final = re.compile(r":\d+(?::\w+)?$")
_PATH: Final = re.compile(r"accounts/[^/]+/models/")


def provider_id(name: str, catalogue: Catalogue) -> str:
    """Give the price data's id of a provider's name, ``""`` where it is none that is known.

    Examples
    --------
    >>> from workbench.spend.prices.catalogue import bundled
    >>> provider_id("azure.ai.openai", bundled()), provider_id("nobody", bundled())
    ('azure', '')
    """
    name = name.strip().lower()
    if name in catalogue.providers:
        return name
    if name.startswith("vertex_ai"):  # LiteLLM: vertex_ai-anthropic_models and other families
        return "google"
    return ALIASES.get(name, "")


def identify(model: str, provider: str = "", region: str = "", *, catalogue: Catalogue) -> ModelId:
    """Read a provider's label and a model's name.

    Parameters
    ----------
    model, provider, region
        As a gateway labels them; ``""`` for a label that it does not have.
    catalogue
        Tells which providers and models there are.

    Examples
    --------
    >>> from workbench.spend.prices.catalogue import bundled
    >>> identify("azure/eu/gpt-4o", catalogue=bundled())
    ModelId(provider='azure', model='gpt-4o', region='eu', how=<Reading.PREFIX: 'prefix'>, note='')
    >>> identify("gpt-4o", catalogue=bundled()).how
    <Reading.ASSUMED: 'assumed provider'>
    """
    label, name = provider.strip().lower(), model.strip()
    if label in SELF_HOSTED:
        return ModelId(label, name, region, Reading.SELF_HOSTED)
    if label in UNLISTED:
        return ModelId(label, name, region, Reading.UNLISTED)
    stated = provider_id(label, catalogue)
    prefix, rest, note = _prefix(name, stated, catalogue)
    if prefix in SELF_HOSTED | UNLISTED:
        how = Reading.SELF_HOSTED if prefix in SELF_HOSTED else Reading.UNLISTED
        return ModelId(prefix, rest, region, how, note)
    owner = prefix or stated or _form(rest)
    if not owner:
        return _assume(rest, label, region, catalogue)
    read_region, rest = _regional(owner, rest)
    found, changed = _spelling(owner, rest, catalogue)
    how = Reading.STATED if stated == owner else Reading.PREFIX
    notes = "; ".join(each for each in (note, changed) if each)
    return ModelId(owner, found, region or read_region, how, notes)


def _prefix(name: str, stated: str, catalogue: Catalogue) -> tuple[str, str, str]:
    """Take a provider off the front of a name: its id, the rest, and what to say of it."""
    if name.lower().startswith("litellm_proxy/"):
        name = name.split("/", 1)[1]
    head, slash, rest = name.partition("/")
    head = head.lower()
    if not slash or not rest:
        return "", name, ""
    if not stated and head in SELF_HOSTED | UNLISTED:
        return head, rest, ""
    found = provider_id(head, catalogue)
    if not found or (stated in HUBS and found != stated):
        return "", name, ""
    if not stated or found == stated:
        return found, rest, ""
    # A label "openai" often names the protocol only: whoever speaks it may be somebody else.
    if stated != "openai" and catalogue.find(stated, rest) is not None:
        return stated, rest, f"the name says {found}, priced at {stated} as it is labelled"
    return found, rest, f"labelled {stated}, but the name says {found}"


def _form(name: str) -> str:
    """Give the provider whose spelling a bare name has."""
    if _ARN.fullmatch(name.lower()) or _BEDROCK.fullmatch(name.lower()):
        return "aws"
    return "openai" if name.lower().startswith("ft:gpt-") else ""


def _regional(owner: str, name: str) -> tuple[str, str]:
    """Read the region out of a name, and take it off where it is no part of the model's own name."""
    if owner == "azure" and (match := _AZURE_REGION.fullmatch(name)):
        return match[1], match[2]
    if owner != "aws":
        return "", name
    region = ""
    if match := _ARN.fullmatch(name):
        region, name = match[1], match[3]
    while "/" in name:
        head, _, rest = name.partition("/")
        if _REGION.fullmatch(head):
            region = head
        elif head not in _ROUTES and not head.endswith("-commitment"):
            break
        name = rest
    geographic = _BEDROCK.fullmatch(name.lower())
    return (geographic[1] or region if geographic else region), name


def _spelling(owner: str, name: str, catalogue: Catalogue) -> tuple[str, str]:
    """Find the spelling that the price data knows; the name as it is where it knows none."""
    candidates = [(name, "")]
    short = _PATH.sub("", name)
    if short != name:
        candidates.append((short, ""))
    for pattern, what in ((_DATE, "date"), (_VERSION, "version")):
        if (cut := pattern.sub("", short)) != short:
            candidates.append((cut, f"priced without the {what} of its name"))
    for each, note in candidates:
        if catalogue.find(owner, each) is not None:
            return each, note
    return name, ""


def _assume(name: str, label: str, region: str, catalogue: Catalogue) -> ModelId:
    short, note = name, ""
    for each in (name, _DATE.sub("", name)):
        sellers = catalogue.sellers(each) if each else ()
        if sellers:
            said = f"label {label!r} is no known provider" if label else "no provider is labelled"
            note = f"{said}: {sellers[0]} is assumed, the first of {len(sellers)} that sell it"
            return ModelId(sellers[0], each, region, Reading.ASSUMED, note)
    return ModelId(label, short, region, Reading.UNKNOWN, note)
