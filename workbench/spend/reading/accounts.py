"""Series to accounts: which provider, model, team and so on a series' labels tell."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from workbench.samples import Floats, Ints, Labels
from workbench.spend.profiles.profile import UsageProfile
from workbench.spend.usage import DIMENSIONS

__all__ = ["Accounts", "first_label", "sum_by"]


def first_label(labels: Labels, names: Sequence[str], nobody: Sequence[str] = ()) -> str:
    """The first of some labels that a series has with a value that names somebody.

    Examples
    --------
    >>> first_label({"user": "None", "end_user": "ann"}, ["user", "end_user"], nobody=["None"])
    'ann'
    """
    for name in names:
        value = labels.get(name, "")
        if value and value not in nobody:
            return value
    return ""


class Accounts:
    """The accounts of one profile, numbered in the order in which they are met.

    Parameters
    ----------
    profile
        Which labels tell which dimension.
    """

    def __init__(self, profile: UsageProfile) -> None:
        self._profile = profile
        self._numbers: dict[tuple[str, ...], int] = {}

    def __len__(self) -> int:
        """How many accounts there are."""
        return len(self._numbers)

    @property
    def keys(self) -> list[tuple[str, ...]]:
        """The dimensions of each, in the order of `DIMENSIONS`."""
        return list(self._numbers)

    def of(self, labels: Sequence[Labels]) -> Ints:
        """The number of each series' account: int64, shape (series,)."""
        profile, numbers = self._profile, self._numbers
        names = [getattr(profile.labels, d) for d in DIMENSIONS]
        constants = [profile.constants.get(d, "") for d in DIMENSIONS]
        nobody = profile.nobody
        result = np.empty(len(labels), np.int64)
        for i, each in enumerate(labels):
            key = tuple(
                (first_label(each, n, nobody) if n else "") or c
                for n, c in zip(names, constants, strict=True)
            )
            result[i] = numbers.setdefault(key, len(numbers))
        return result

    def columns(self, rows: Ints) -> dict[str, Any]:
        """The dimensions of some accounts, as categorical columns."""
        import pandas as pd

        keys = self.keys
        result = {}
        for place, name in enumerate(DIMENSIONS):
            told = np.array([key[place] for key in keys], dtype=object)
            codes, categories = pd.factorize(told, sort=True)
            result[name] = pd.Categorical.from_codes(
                codes[rows], categories=pd.Index(categories, dtype="str")
            )
        return result


def sum_by(numbers: Ints, values: Floats, count: int) -> Floats:
    """Sum rows by number; NaN where a column of a number has nothing but NaN.

    Parameters
    ----------
    numbers
        int64, shape (rows,), below `count`.
    values
        float64, shape (rows, columns).
    count
        How many numbers there are.
    """
    result = np.full((count, values.shape[1]), np.nan)
    if not len(numbers):
        return result
    order = np.argsort(numbers, kind="stable")
    found, starts = np.unique(numbers[order], return_index=True)
    there = np.isfinite(values[order])
    sums = np.add.reduceat(np.where(there, values[order], 0.0), starts, axis=0)
    some = np.logical_or.reduceat(there, starts, axis=0)
    result[found] = np.where(some, sums, np.nan)
    return result
