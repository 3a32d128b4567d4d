"""Sums by group that lose nothing: money as integers, and the groups' names."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.spend.prices import exact_by

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Groups", "by_value"]

_MOST: Final = 2**62
"""Combinations of names that 64 bits tell apart."""


def by_value(column: pd.Series, function: Callable[[str], Any]) -> pd.Series:
    """Apply a function to each different text of a column once."""
    import pandas as pd

    codes, values = pd.factorize(column.astype(object))
    found = np.empty(len(values), object)
    found[:] = [function(str(value)) for value in values]
    return pd.Series(found[codes], index=column.index, dtype=object)


class Groups:
    """Rows gathered by what some columns say.

    Parameters
    ----------
    keys
        The columns, one row for each row that is to be added up.

    Attributes
    ----------
    number
        The group of each row, shape (rows,).
    names
        What the columns say of each group, in the order in which the groups were met.
    """

    def __init__(self, keys: pd.DataFrame) -> None:
        import pandas as pd

        number, size = np.zeros(len(keys), np.int64), 1
        for name in keys.columns:
            column = keys[name]
            if isinstance(column.dtype, pd.CategoricalDtype):
                codes, count = column.cat.codes.to_numpy(), len(column.cat.categories) + 1
            else:
                codes, found = pd.factorize(column)
                count = len(found) + 1
            if size * count > _MOST:
                number = pd.factorize(number)[0].astype(np.int64)
                size = len(number) + 1
            number, size = number * count + codes + 1, size * count
        self.number: Ints = pd.factorize(number)[0].astype(np.int64)
        firsts = np.zeros(int(self.number.max(initial=-1)) + 1, np.int64)
        firsts[self.number[::-1]] = np.arange(len(keys))[::-1]  # the first is written last
        self.names: pd.DataFrame = keys.iloc[firsts].reset_index(drop=True)

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self.names)

    def add(self, values: Floats) -> Floats:
        """Add numbers up, NaN as nothing: float64, shape (groups,)."""
        return np.asarray(np.bincount(self.number, np.nan_to_num(values), len(self)), np.float64)

    def add_money(self, nano: Floats) -> list[Decimal]:
        """Add whole nano-units up exactly: a `Decimal` for each group."""
        sums = exact_by(np.rint(nano).astype(np.int64), self.number, len(self))
        return [money or Decimal(0) for money in sums]
