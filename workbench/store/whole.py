"""A snapshot's samples in two columns of one piece, for stores that fit: answers need no copy.

Memory is taken only for what is filled: the operating system gives pages when they are written.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from workbench.samples import Floats, Ints

__all__ = ["WholeColumns"]

Read = Callable[[int], tuple[Ints, Floats]]
"""Decodes one row group, known by its number, into times and values."""


class WholeColumns:
    """Times and values of all row groups, one behind the other, filled when asked for.

    Parameters
    ----------
    sizes
        int64, shape (row groups,): how many rows each has.
    read
        Decodes one.
    """

    def __init__(self, sizes: Ints, read: Read) -> None:
        self._read = read
        self._cuts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._times: Ints = np.empty(self._cuts[-1], np.int64)
        self._values: Floats = np.empty(self._cuts[-1], np.float64)
        self._filled = np.zeros(len(sizes), bool)

    @property
    def filled_bytes(self) -> int:
        """How much memory is in use."""
        return 16 * int(np.diff(self._cuts)[self._filled].sum())

    def columns(self, row_groups: Ints) -> tuple[Ints, Floats]:
        """Times and values; only the rows of the row groups asked for, here or before, have meaning.

        Two threads may fill one row group at a time: they write the same.
        """
        for number in row_groups[~self._filled[row_groups]].tolist():
            rows = slice(self._cuts[number], self._cuts[number + 1])
            self._times[rows], self._values[rows] = self._read(number)
            self._filled[number] = True
        return self._times, self._values
