"""Money shared out in proportion, so that the parts add up to it, billionth by billionth."""

from __future__ import annotations

import numpy as np

from workbench.samples import Floats, Ints

__all__ = ["share_out"]


def share_out(totals: Ints, groups: Ints, weights: Floats) -> Ints:
    """Share each group's total out to its rows.

    Parameters
    ----------
    totals
        int64, shape (groups,), at least 0.
    groups
        int64, shape (rows,): the group of each row.
    weights
        float64, shape (rows,), at least 0; a group without any weight is shared out evenly.

    Returns
    -------
    int64 array, shape (rows,)
        The largest remainders are rounded up, so that the rows of a group add up to its total. A
        group without rows keeps its total: nobody is given it.

    Examples
    --------
    >>> share_out(np.array([100]), np.array([0, 0, 0]), np.array([1.0, 1.0, 1.0])).tolist()
    [34, 33, 33]
    """
    count = len(totals)
    sums = np.bincount(groups, weights, count)
    rows = np.bincount(groups, minlength=count)
    with np.errstate(divide="ignore", invalid="ignore"):
        share = np.where(sums[groups] > 0, weights / sums[groups], 1.0 / rows[groups])
    exact = share * totals[groups]
    parts = np.floor(exact).astype(np.int64)
    given = np.zeros(count, np.int64)
    np.add.at(given, groups, parts)
    left = totals - given
    # By group, the largest remainder first; the first `left` rows of each get one more. A total so
    # large that floats lose its last digits has more left than rows, and the first takes the rest.
    order = np.lexsort((-(exact - parts), groups))
    rank = np.empty(len(groups), np.int64)
    starts = np.cumsum(rows) - rows
    rank[order] = np.arange(len(groups)) - starts[groups[order]]
    more = (rank < left[groups]).astype(np.int64)
    result = parts + more
    rest = totals.copy()
    np.subtract.at(rest, groups, result)
    first = order[starts[rows > 0]]
    result[first] += rest[groups[first]]
    return np.asarray(result, dtype=np.int64)
