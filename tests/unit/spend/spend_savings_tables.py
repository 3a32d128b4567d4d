"""Tables of usage and readings, made by hand."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd

from workbench.spend.prices import Prices, price
from workbench.spend.reading.reader import EXTRAS, Reading
from workbench.spend.savings.caching import caching
from workbench.spend.savings.waste import waste
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

PRICES = Prices()
"""List prices."""

FIRST = date(2026, 6, 1)
"""The day that `day(0)` is."""


def day(number):
    return pd.Timestamp(FIRST) + pd.Timedelta(days=number)


def row(number, provider, model, **told):
    """One row of the canonical table; tokens that are not given are not counted."""
    made = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, np.nan)
    made |= {"day": day(number), "provider": provider, "model": model, "profile": "gateway"}
    return made | {"lost": 0.0} | told


def usage(rows):
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype({"day": "datetime64[ms]"})
    return table.astype(dict.fromkeys((*DIMENSIONS, "profile"), "category"))


def reading(table, *, extras=(), kinds=(), duplicates=None, self_hosted=(), bounds=None):
    """What is read when a gateway counts the table, and besides it extras and kinds of errors."""
    tokens = table[["input", "cache_read", "cache_write", "output"]].fillna(0.0).sum(axis=1)
    if bounds is None:
        bounds = pd.DataFrame({"low": tokens, "high": tokens, "moved": 0.0})
    columns = ["day", *DIMENSIONS, "profile", *EXTRAS]
    more = [row(0, "", "") | dict.fromkeys(EXTRAS, np.nan) | each for each in extras]
    names = ["day", "provider", "model", "team", "application", "profile", "kind", "errors"]
    told = [row(0, "", "") | each for each in kinds]
    types = {"day": "datetime64[ms]"}
    return Reading(
        table=table,
        bounds=bounds,
        duplicates=table.iloc[:0] if duplicates is None else duplicates,
        extras=pd.DataFrame(more, columns=columns).astype(types),
        kinds=pd.DataFrame(told, columns=names).astype(types),
        histograms=pd.DataFrame(),
        coverage=pd.DataFrame(),
        flaws=(),
        currencies={},
        self_hosted=frozenset(self_hosted),
    )


def last_day(table):
    return table["day"].max().date() if len(table) else FIRST


def saved(table, *, prices=None, first=None, sizes=None, **read):
    """What caches saved: from `first` on, or in all days."""
    found, prices = reading(table, **read), prices or PRICES
    history = price(table, prices, sizes=sizes or {})
    start = first or FIRST
    now = (table["day"] >= pd.Timestamp(start)).to_numpy()
    priced = price(table[now], prices, sizes=sizes or {})
    return caching(priced, history, found, first=start, last=last_day(table), sizes=sizes)


def wasted(table, *, prices=None, **read):
    found = reading(table, **read)
    priced = price(table, prices or PRICES)
    return waste(priced, found, first=FIRST, last=last_day(table))
