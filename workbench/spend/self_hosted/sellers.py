"""Who sells an open-weight model by the token, whatever each seller calls it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date
from typing import Final

from workbench.spend.prices import Prices
from workbench.spend.prices.rates import Rates
from workbench.spend.usage import TokenClass

__all__ = ["open_model", "sellers_of"]

_WORDS: Final = re.compile(r"[a-z]+|\d+")
_AFTER: Final = re.compile(r"(-v\d+)?:[\w-]+$|[-_]bf16$|[-_]fp16$")
_SAME: Final = frozenset(
    {
        "chat",
        "databricks",
        "hf",
        "instant",
        "instruct",
        "it",
        "meta",
        "p",
        "turbo",
        "v",
        "versatile",
    }
)
"""Words of a name that tell how it is served, not which weights it has."""


def open_model(name: str) -> tuple[str, ...]:
    """What is the same in all names of one model: its family, version and size.

    Quantised forms (``fp8``, ``awq``) and models made from it are other models.

    Examples
    --------
    >>> open_model("llama-v3p1-8b-instruct") == open_model("meta-llama/Llama-3.1-8B-Instruct")
    True
    >>> open_model("llama-3.1-8b-instruct-fp8") == open_model("llama-3.1-8b-instruct")
    False
    """
    last = name.strip().lower().rsplit("/", 1)[-1]
    return tuple(w for w in _WORDS.findall(_AFTER.sub("", last)) if w not in _SAME)


def sellers_of(model: str, prices: Prices, day: date) -> Iterator[tuple[str, str, Rates]]:
    """Provider, model and rates of everyone who sells a model on a day for more than nothing.

    Parameters
    ----------
    model
        As one's own server calls it.
    prices
        List prices.
    day
        Of the prices.
    """
    wanted = open_model(model)
    catalogue = prices.catalogue
    if len(wanted) < 2:
        return  # a family alone is no model
    for provider in catalogue.providers:
        for name in catalogue.models(provider):
            if open_model(name) != wanted:
                continue
            rates = prices.quote(provider, name, "", "", day).rates
            if rates is not None and _is_sold(rates):
                yield provider, name, rates


def _is_sold(rates: Rates) -> bool:
    """Both sides have a price: a free tier has limits that are not told, and is no offer."""
    both = [rates.price(c) for c in (TokenClass.INPUT, TokenClass.OUTPUT)]
    return all(price is not None and price.base > 0 for price in both)
