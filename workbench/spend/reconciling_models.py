"""Whose model an invoice's line means, and which of ours that is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from workbench.spend.prices import Catalogue, identify

__all__ = ["Model", "ModelNames"]

Model = tuple[str, str]
"""Provider and model in one form for invoice and table."""

_PARTS: Final = re.compile(r"\d+|[a-z]+")
_NOISE: Final = frozenset(
    {"amazon", "anthropic", "meta", "mistral", "v", "us", "eu", "global", "apac"}
)
_VERSION: Final = re.compile(r"[-@]?(?:20\d{2}-?\d{2}-?\d{2})|[-:]v\d+(?::\d+)?$|-latest$")


@dataclass(slots=True)
class ModelNames:
    """Gives models one name.

    Parameters
    ----------
    catalogue
        Which models there are.
    """

    catalogue: Catalogue
    seen: dict[Model, None] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    unknown: set[Model] = field(default_factory=set)
    read: dict[tuple[str, str], Model] = field(default_factory=dict)

    def ours(self, provider: str, model: str) -> Model:
        """Name a model of our table, which has been identified."""
        found = self._named(provider, model)
        self.seen.setdefault(found)
        return found

    def billed(self, provider: str, model: str) -> Model:
        """Name a model of an invoice: by the price data, else by the models that we saw.

        Invoices abbreviate. A name whose words and numbers are all in the name of exactly one model
        that we saw at the provider, with no other version number, is taken to be that one.
        """
        key = (provider, model)
        if key not in self.read:
            self.read[key] = self._read(provider, model)
        return self.read[key]

    def _read(self, provider: str, model: str) -> Model:
        identity = identify(model, provider, catalogue=self.catalogue)
        found = self._named(identity.provider or provider, identity.model)
        if found in self.seen or self.catalogue.find(*found) is not None:
            return found
        words = _words(model)
        like = [
            each for each in self.seen if each[0] == found[0] and words and _fits(words, each[1])
        ]
        if len(like) == 1:
            self.notes.append(f"the invoice's {model!r} is taken to be {like[0][1]!r}")
            return like[0]
        self.unknown.add(found)
        return found

    def _named(self, provider: str, model: str) -> Model:
        listed = self.catalogue.find(provider, model)
        return (provider, listed.model) if listed else (provider, model)


def _words(name: str) -> frozenset[str]:
    plain = _VERSION.sub("", _VERSION.sub("", name.casefold()))
    return frozenset(_PARTS.findall(plain)) - _NOISE


def _fits(words: frozenset[str], name: str) -> bool:
    other = _words(name)
    versions = [{w for w in each if w.isdigit()} for each in (words, other)]
    return words <= other and versions[0] == versions[1]
