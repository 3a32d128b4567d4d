"""Whose model an invoice's line means, and which of ours that is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from workbench.spend.prices import Catalogue, identify

__all__ = ["Model", "ModelNames"]

Model = tuple[str, str]
"""Provider and model in one form for invoice and table."""

_PARTS: Final = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
"""Words and numbers, also of names in camel case."""
_NOISE: Final = frozenset(
    {"amazon", "anthropic", "apac", "eu", "global", "meta", "mistral", "regional", "us", "v"}
)
_VERSION: Final = re.compile(r"[-@]?20\d{2}-?\d{2}-?\d{2}|[-:]v\d+(?::\d+)?$|-latest$|\b\d{4}\b")
"""Dates and revisions, which invoices leave out."""


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
        """Name a model of an invoice: by the price data, else by its words.

        Invoices abbreviate: ``Claude4.5Sonnet``. A name with the same words and numbers, in any order,
        as one that we saw at the provider, or else as one of the price data, is taken to be that one.
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
        seen = [each for each in self.seen if each[0] == found[0]]
        listed = [(found[0], each) for each in self.catalogue.models(found[0])]
        for known in (seen, listed) if words else ():
            like = [each for each in known if _words(each[1]) == words]
            if like:
                self.notes.append(f"the invoice's {model!r} is taken to be {like[0][1]!r}")
                return like[0]
        self.unknown.add(found)
        return found

    def _named(self, provider: str, model: str) -> Model:
        listed = self.catalogue.find(provider, model)
        return (provider, listed.model) if listed else (provider, model)


def _words(name: str) -> frozenset[str]:
    plain = _VERSION.sub("", _VERSION.sub("", name))
    return frozenset(part.casefold() for part in _PARTS.findall(plain)) - _NOISE
