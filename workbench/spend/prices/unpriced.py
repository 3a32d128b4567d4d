"""What has no price, most tokens first, and what a reader of the money must know besides."""

from __future__ import annotations

import difflib
from dataclasses import replace
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from workbench.spend.prices.catalogue import STANDARD_TIERS, Catalogue
from workbench.spend.prices.identity import Reading, identify
from workbench.spend.prices.priced import Unpriced
from workbench.spend.prices.quoted import Quoted
from workbench.spend.prices.quoting import Prices, Reason
from workbench.units import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["list_unpriced", "remarks"]

_MOST_NOTES: Final = 50
"""Model names come from clients: there may be thousands of odd ones."""

_SUGGESTED: Final = 20
"""How many of the largest get near names: the search takes milliseconds, and labels are hostile."""

_TIERS: Final = STANDARD_TIERS | {"batch", "flex", "priority", "fast"}


def list_unpriced(
    usage: pd.DataFrame,
    quoted: Quoted,
    tokens: npt.NDArray[np.float64],
    catalogue: Catalogue,
) -> tuple[Unpriced, ...]:
    """Gather tokens without a price by account and reason, most first.

    Parameters
    ----------
    usage
        The table.
    quoted
        Its quotes.
    tokens
        Without a price in each row, shape (rows,).
    catalogue
        For near names.
    """
    import pandas as pd

    quotes, labels, number = quoted.quotes, quoted.labels, quoted.number
    days = pd.DatetimeIndex(usage["day"])
    requests = usage["requests"].fillna(0.0).to_numpy(np.float64)
    rows = np.flatnonzero(tokens > 0)
    keys = [(*labels[n], quotes[n].reason or Reason.NO_CLASS_PRICE) for n in range(len(quotes))]
    numbered = {key: n for n, key in enumerate(dict.fromkeys(keys))}
    group = np.array([numbered[key] for key in keys], np.intp)[number[rows]]
    order = np.argsort(group, kind="stable")
    found = []
    for key, n in numbered.items():
        left, right = np.searchsorted(group[order], [n, n + 1])
        mine = rows[order[left:right]]
        if len(mine):
            sums = float(tokens[mine].sum()), float(requests[mine].sum())
            span = days[mine].min().date(), days[mine].max().date()
            found.append(Unpriced(*key[:4], key[4], *sums, *span))
    found.sort(key=lambda each: -each.tokens)
    return tuple(
        _with_near(each, catalogue) if n < _SUGGESTED else each for n, each in enumerate(found)
    )


def _with_near(each: Unpriced, catalogue: Catalogue) -> Unpriced:
    if each.reason not in (Reason.UNKNOWN_MODEL, Reason.UNKNOWN_PROVIDER) or len(each.model) > 200:
        return each
    provider = identify(each.model, each.provider, catalogue=catalogue).provider
    names = catalogue.models(provider) or tuple(
        name
        for name in ("openai", "anthropic", "google", "mistral")
        for name in catalogue.models(name)
    )
    bare = each.model.lower().rpartition("/")[2]
    near = difflib.get_close_matches(bare, names, n=3, cutoff=0.6)
    return replace(each, near=tuple(near))


def remarks(quoted: Quoted, prices: Prices) -> tuple[str, ...]:
    """Say what was assumed about names, tiers and the price book.

    Parameters
    ----------
    quoted
        The table's quotes.
    prices
        Whose book is looked through.
    """
    notes = []
    for quote, (_, model, _, tier) in zip(quoted.quotes, quoted.labels, strict=True):
        if quote.rates is not None and quote.identity.note:
            kind = "assumed provider: " if quote.identity.how is Reading.ASSUMED else ""
            notes.append(f"{model}: {kind}{quote.identity.note}")
        if tier.strip().lower() not in _TIERS:
            notes.append(f"{model}: service tier {tier!r} is not known, priced as standard")
    undated = {
        model
        for quote, (_, model, _, _) in zip(quoted.quotes, quoted.labels, strict=True)
        if quote.rates is not None and not quote.rates.contract and quote.rates.valid_from is None
    }
    if undated:
        what = counted(len(undated), "model")
        notes.append(
            f"the list prices of {what} carry no date: a change in the past would not show"
        )
    used = {(provider, model) for provider, model, _, _ in quoted.labels}
    said = list(dict.fromkeys([*prices.book.remarks(prices.catalogue, used), *reversed(notes)]))
    more = (
        [f"{len(said) - _MOST_NOTES} more remarks of this kind"] if len(said) > _MOST_NOTES else []
    )
    return (*said[:_MOST_NOTES], *more)
