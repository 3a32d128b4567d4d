"""Small tables of usage, and a reading around them, for what is asked of prices."""

from __future__ import annotations

import numpy as np
import pandas as pd

from workbench.spend.prices import read_price_book
from workbench.spend.reading.reader import Reading
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES

HEAD = "provider,model,region,unit,token_class,price,currency,valid_from,valid_to,tier_start\n"
HISTOGRAM = ["day", "profile", "histogram", "provider", "model", "le", "count"]


def table(*rows):
    """The canonical table: everything counted and 0 but for what a row says."""
    plain = dict.fromkeys(DIMENSIONS, "") | dict.fromkeys(FIGURES, 0.0)
    plain |= {"day": "2026-11-01", "profile": "p", "lost": 0.0, "requests": 1000.0, "cost": np.nan}
    plain |= {"provider": "openai", "model": "gpt-4o"}
    made = pd.DataFrame([plain | row for row in rows], columns=list(COLUMNS))
    return made.astype({"day": "datetime64[ms]"})


def book(*lines):
    """A price book of some lines."""
    return read_price_book((HEAD + "\n".join(lines)).encode(), name="book.csv")


def reading(usage, histograms=()):
    """A reading that has read a table, and histograms as rows of `HISTOGRAM`."""
    told = pd.DataFrame(list(histograms), columns=HISTOGRAM).astype(
        {"day": "datetime64[ms]", "le": "float64", "count": "float64"}
    )
    none = usage.iloc[:0]
    return Reading(
        table=usage,
        bounds=pd.DataFrame({"low": [], "high": [], "moved": []}),
        duplicates=none,
        extras=none,
        kinds=none,
        histograms=told,
        coverage=pd.DataFrame({"day": [], "profile": [], "coverage": []}),
        flaws=(),
        currencies={},
        self_hosted=frozenset(),
    )
