"""Names and globs by which files and switches say of whose usage they speak."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
from pydantic import BeforeValidator

from workbench.frame import Bools

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Names", "fits", "one_is_many", "repeated", "takes"]


def one_is_many(given: Any) -> Any:
    """Take one text as a tuple of one, as people write it; leave the rest to be judged.

    Examples
    --------
    >>> one_is_many("gpt-4o*"), one_is_many(["gpt-4o", "o3"])
    (('gpt-4o*',), ['gpt-4o', 'o3'])
    """
    return (given,) if isinstance(given, str) else given


Names = Annotated[tuple[str, ...], BeforeValidator(one_is_many)]
"""Texts of a file or a call; one may stand without a list around it."""


def fits(name: str, globs: Iterable[str]) -> bool:
    """Whether a name is one of some names or globs, its case as written.

    Examples
    --------
    >>> fits("gpt-4o-mini", ["o3", "gpt-4o*"]), fits("GPT-4o", ["gpt-4o*"])
    (True, False)
    """
    return any(fnmatchcase(name, glob) for glob in globs)


def takes(table: pd.DataFrame, scope: Mapping[str, Iterable[str]]) -> Bools:
    """Which rows have one of the names in every dimension of a scope.

    Parameters
    ----------
    table
        Its columns text or categories; each different text is looked at once.
    scope
        Names or globs by column. One that has none takes all, an absent value fits none.

    Returns
    -------
    ndarray of bool, shape (rows,)

    Examples
    --------
    >>> import pandas as pd
    >>> table = pd.DataFrame({"team": ["a", "b", "a"], "model": ["o3", "o3", "gpt-4o"]})
    >>> takes(table, {"team": ["a"], "model": ["gpt-*", "o*"]}).tolist()
    [True, False, True]
    """
    import pandas as pd

    kept = np.ones(len(table), np.bool_)
    for dimension, globs in scope.items():
        if globs := tuple(globs):
            codes, values = pd.factorize(table[dimension])
            found = [fits(str(value), globs) for value in values]
            kept &= np.array([*found, False])[codes]  # an absent one has code −1
    return kept


def repeated(names: Iterable[str]) -> str | None:
    """Give the first by the alphabet of the names that stand more than once.

    Examples
    --------
    >>> repeated(["b", "a", "b", "a"])
    'a'
    """
    given = sorted(names)
    return next((one for one, another in pairwise(given) if one == another), None)
