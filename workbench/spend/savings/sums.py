"""Sums by group that lose nothing: money as integers, and the groups' names."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from workbench.spend.prices import NANO

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Groups"]

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


class Groups:
    """Rows gathered by what some columns say.

    Parameters
    ----------
    keys
        The columns, one row for each row that is to be added up.
    """

    def __init__(self, keys: pd.DataFrame) -> None:
        grouping = keys.groupby(list(keys.columns), sort=False, observed=True, dropna=False)
        self.number: Ints = np.asarray(grouping.ngroup(), np.int64)
        firsts = np.unique(self.number, return_index=True)[1]
        self.names: pd.DataFrame = keys.iloc[firsts].astype(object).reset_index(drop=True)

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self.names)

    def add(self, values: Floats) -> Floats:
        """Add numbers up, NaN as nothing: float64, shape (groups,)."""
        return np.asarray(np.bincount(self.number, np.nan_to_num(values), len(self)), np.float64)

    def add_money(self, nano: Floats) -> list[Decimal]:
        """Add whole nano-units up exactly: a `Decimal` for each group."""
        # Units and nano-units apart: 64 bits hold the sums of both.
        exact = np.rint(nano).astype(np.int64)
        sums = np.zeros((2, len(self)), np.int64)
        for n, part in enumerate((exact // 10**9, exact % 10**9)):
            np.add.at(sums[n], self.number, part)
        return [(int(w) * 10**9 + int(n)) * NANO for w, n in sums.T]
