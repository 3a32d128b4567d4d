"""Exact counts of distinct combinations over columns of digits.

A row of several columns becomes one integer, written in a base of its own for each column (mixed
radix); where that does not fit into 63 bits, what there is so far is numbered densely. Distinct
integers are then counted by marking where there are few possible ones, else by sorting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

__all__ = ["Digits", "Keys", "count_distinct", "count_without_each", "dense", "row_keys"]

Digits = np.ndarray[Any, np.dtype[np.int32]]
"""int32, shape (rows,): 0 … width - 1."""

Keys = np.ndarray[Any, np.dtype[np.int64]]
"""int64, shape (rows,): equal where rows are."""

_LARGEST: Final = 1 << 62


def row_keys(
    columns: Sequence[Digits | Keys], widths: Sequence[int], rows: int
) -> tuple[Keys, int]:
    """Give rows one key each, and tell how many keys there could be.

    Parameters
    ----------
    columns, widths
        Digits, and how many different ones each column can have.
    rows
        How many rows there are: with no columns all of them are equal.

    Examples
    --------
    >>> row_keys([np.array([0, 1, 1]), np.array([2, 0, 2])], [2, 3], 3)
    (array([2, 3, 5]), 6)
    """
    keys = np.zeros(rows, np.int64)
    size = 1
    for column, width in zip(columns, widths, strict=True):
        if width <= 1:
            continue
        if size > _LARGEST // width:
            keys, size = dense(keys)
        keys *= width
        keys += column
        size *= width
    return keys, size


def dense(keys: Keys) -> tuple[Keys, int]:
    """Number keys anew, 0 … distinct - 1; also how many there are, at least 1."""
    kept, inverse = np.unique(keys, return_inverse=True)
    return inverse.astype(np.int64, copy=False), max(1, len(kept))


def count_distinct(keys: Keys, size: int) -> int:
    """How many different keys there are, of `size` possible ones.

    Examples
    --------
    >>> count_distinct(np.array([7, 3, 7]), 10)
    2
    """
    if not len(keys):
        return 0
    if size <= 8 * len(keys):
        seen = np.zeros(size, np.bool_)
        seen[keys] = True
        return int(np.count_nonzero(seen))
    ordered = np.sort(keys)
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1]))


def count_without_each(columns: Sequence[Digits], widths: Sequence[int], rows: int) -> list[int]:
    """How many different rows are left without each column in turn.

    The columns are gathered into as few keys as fit; a column is taken out of its key by
    subtraction, so that each count costs one pass and one sort.

    Parameters
    ----------
    columns, widths
        Digits, and how many different ones each column can have.
    rows
        How many rows there are.

    Examples
    --------
    >>> count_without_each([np.array([0, 1, 1]), np.array([2, 2, 0])], [2, 3], 3)
    [2, 2]
    """
    bins = _bins(widths, _LARGEST // (rows + 1))
    keyed = [row_keys([columns[j] for j in b], [widths[j] for j in b], rows) for b in bins]
    whole = -1
    left = [0] * len(widths)
    for i, chosen in enumerate(bins):
        others = [dense(keys) for k, (keys, _) in enumerate(keyed) if k != i]
        rest, rest_size = row_keys([o[0] for o in others], [o[1] for o in others], rows)
        if len(others) > 1:
            rest, rest_size = dense(rest)
        keys, size = keyed[i]
        stride = size
        for j in chosen:
            if widths[j] <= 1:
                if whole < 0:
                    whole = count_distinct(keys * rest_size + rest, size * rest_size)
                left[j] = whole
                continue
            stride //= widths[j]
            without = keys - columns[j] * np.int64(stride)
            if len(bins) > 1:
                without *= rest_size
                without += rest
            left[j] = count_distinct(without, size * rest_size)
    return left


def _bins(widths: Sequence[int], most: int) -> list[list[int]]:
    """Columns gathered so that each bin's product of widths is at most `most`."""
    bins: list[list[int]] = [[]]
    size = 1
    for j, width in enumerate(widths):
        if size * max(1, width) > most and bins[-1]:
            bins.append([])
            size = 1
        bins[-1].append(j)
        size *= max(1, width)
    return bins
