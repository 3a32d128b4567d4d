"""Why spend changed: price, volume, mix and cache, without a remainder.

Spend is a sum over cells, one a model and token class: the tokens in all, times the share of the
model, times the share of the kind (input or output) in the model, times the share of the class in
the kind (cached or not), times the price of a token. The logarithmic mean Divisia index attributes
the change of such a product to its factors exactly and alike in both directions of time (Ang 2004,
"Decomposition analysis for policymaking in energy", LMDI-I).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.samples import Floats
from workbench.spend.logarithms import log_mean, log_ratio
from workbench.spend.usage import TokenClass

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PRICED", "Effects", "effects"]

PRICED: Final = (
    TokenClass.INPUT,
    TokenClass.CACHE_READ,
    TokenClass.CACHE_WRITE,
    TokenClass.OUTPUT,
)
"""The classes that add up to all tokens: reasoning is a part of the output."""

_OUTPUT: Final = PRICED.index(TokenClass.OUTPUT)


@dataclass(frozen=True, slots=True)
class Effects:
    """How much of a change of spend each cause made, in the currency of the spend.

    Parameters
    ----------
    before, after
        Spend of the two periods.
    price
        What the same tokens came to cost otherwise.
    volume
        More or fewer tokens in all, at the mix and the prices that were.
    requests
        The part of `volume` that the number of requests makes; the rest is their length. None
        where they are not counted for every model.
    mix
        Other models, or another share of output.
    cache
        Another share of the input read from or written to the provider's cache.
    arrived, gone
        Spend on models that had none before, and on those that have none any more: what they
        displaced cannot be known, so it is not called mix.
    """

    before: float
    after: float
    price: float
    volume: float
    requests: float | None
    mix: float
    cache: float
    arrived: float
    gone: float

    @property
    def change(self) -> float:
        """Spend after less spend before: all effects, `requests` being a part of `volume`."""
        return self.after - self.before


def effects(before: pd.DataFrame, after: pd.DataFrame) -> Effects:
    """Attribute a change of spend to its causes.

    Parameters
    ----------
    before, after
        One row a model (or anything else that is called mix when its share changes), the index
        its name. A column of tokens for each class of `PRICED` by its name, and one of money
        named ``spend_`` and the class. Only what was priced may stand in them. A column
        ``requests`` may; NaN in it says that they are not counted.

    Examples
    --------
    >>> import pandas as pd
    >>> def month(tokens, price):
    ...     row = {"input": tokens, "spend_input": tokens * price}
    ...     for name in ("cache_read", "cache_write", "output"):
    ...         row |= {name: 0.0, f"spend_{name}": 0.0}
    ...     return pd.DataFrame([row], index=["m"])
    >>> found = effects(month(100.0, 1.0), month(200.0, 1.0))
    >>> round(found.volume, 6), found.price, found.mix
    (100.0, 0.0, 0.0)
    """
    before, after = _used(before), _used(after)
    both = before.index.intersection(after.index)
    old, new = _Cells.of(before.loc[both]), _Cells.of(after.loc[both])
    weight = log_mean(new.spend, old.spend)
    price = float((weight * log_ratio(new.price, old.price)).sum())
    cache = float((weight * log_ratio(new.in_kind, old.in_kind)).sum())
    mix = float((weight * log_ratio(new.kind, old.kind)).sum())
    volume = float(weight.sum() * log_ratio(new.total, old.total))
    calls = _requests(before.loc[both]), _requests(after.loc[both])
    counted = len(both) > 0 and all(n > 0 for n in calls)  # NaN is not above 0
    requests = float(weight.sum() * log_ratio(calls[1], calls[0])) if counted else None
    total_before, total_after = _spend(before), _spend(after)
    arrived = _spend(after.loc[after.index.difference(before.index)])
    gone = -_spend(before.loc[before.index.difference(after.index)])
    # A class that is used in one period only has no ratio: its spend is moved by the cache within
    # the input, and by the mix where it is the output. What was free, and used in both, by the price.
    only = np.where((new.spend > 0) ^ (old.spend > 0), new.spend - old.spend, 0.0)
    free = (new.tokens > 0) & (old.tokens > 0)
    price += float(only[free].sum())
    only[free] = 0.0
    cache += float(only[:, :_OUTPUT].sum())
    mix += float(only[:, _OUTPUT].sum())
    return Effects(total_before, total_after, price, volume, requests, mix, cache, arrived, gone)


@dataclass(frozen=True, slots=True)
class _Cells:
    """The factors of each cell, shape (models, classes)."""

    total: float
    tokens: Floats
    kind: Floats
    in_kind: Floats
    price: Floats
    spend: Floats

    @classmethod
    def of(cls, table: pd.DataFrame) -> _Cells:
        tokens = table[[c.value for c in PRICED]].to_numpy(np.float64)
        spend = table[[f"spend_{c.value}" for c in PRICED]].to_numpy(np.float64)
        kinds = np.empty_like(tokens)
        kinds[:, :_OUTPUT] = tokens[:, :_OUTPUT].sum(axis=1, keepdims=True)
        kinds[:, _OUTPUT] = tokens[:, _OUTPUT]
        total = float(tokens.sum())
        with np.errstate(divide="ignore", invalid="ignore"):
            return cls(total, tokens, kinds / total, tokens / kinds, spend / tokens, spend)


def _used(table: pd.DataFrame) -> pd.DataFrame:
    """Models that were: counters of one that nobody asks stand still, and are no use of it."""
    columns = [name for c in PRICED for name in (c.value, f"spend_{c.value}")]
    return table.loc[(table[columns] > 0).any(axis=1)]


def _spend(table: pd.DataFrame) -> float:
    return float(table[[f"spend_{c.value}" for c in PRICED]].to_numpy(np.float64).sum())


def _requests(table: pd.DataFrame) -> float:
    """Requests of all models; NaN where those of one are not counted."""
    if "requests" not in table:
        return float("nan")
    return float(table["requests"].to_numpy(np.float64).sum())
