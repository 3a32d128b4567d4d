"""A snapshot's samples in two columns of one piece, for stores that fit: answers need no copy.

Memory is taken only for what is filled: the operating system gives pages when they are written,
small ones for small questions, so that a question takes no more than its samples need.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints

__all__ = ["WholeColumns"]

Read = Callable[[Ints], Iterable[tuple[Ints, Floats]]]
"""Decodes row groups, known by their numbers, into times and values, one after the other."""

_HUGE_FROM: Final = 1 << 24
"""Columns that get as many bytes at once get them in huge pages: twice as fast, rounded up."""


class WholeColumns:
    """Times and values of all row groups, one behind the other, filled when asked for.

    Parameters
    ----------
    sizes
        int64, shape (row groups,): how many rows each has.
    read
        Decodes some.
    """

    def __init__(self, sizes: Ints, read: Read) -> None:
        self._read = read
        self._cuts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        size = 8 * max(1, int(self._cuts[-1]))
        self._memory = [mmap.mmap(-1, size, mmap.MAP_PRIVATE | mmap.MAP_ANON) for _ in range(2)]
        self._times: Ints = np.frombuffer(self._memory[0], np.int64, self._cuts[-1])
        self._values: Floats = np.frombuffer(self._memory[1], np.float64, self._cuts[-1])
        self._filled = np.zeros(len(sizes), bool)

    @property
    def filled_bytes(self) -> int:
        """How much memory is in use."""
        return 16 * int(np.diff(self._cuts)[self._filled].sum())

    def columns(self, row_groups: Ints) -> tuple[Ints, Floats]:
        """Times and values; only the rows of the row groups asked for, here or before, have meaning.

        Two threads may fill one row group at a time: they write the same.
        """
        missing = row_groups[~self._filled[row_groups]]
        if len(missing):
            self._fill(missing)
        return self._times, self._values

    def _fill(self, missing: Ints) -> None:
        import pyarrow as pa

        self._prepare(missing)
        decoded = iter(self._read(missing))
        for number in missing.tolist():
            rows = slice(self._cuts[number], self._cuts[number + 1])
            self._times[rows], self._values[rows] = next(decoded)  # held no longer than this
            self._filled[number] = True
        # What decoding needed is free again, but not yet the system's: some megabytes.
        pa.default_memory_pool().release_unused()

    def _prepare(self, missing: Ints) -> None:
        """Ask for huge pages where much is to be filled, on systems that have them."""
        if not hasattr(mmap, "MADV_HUGEPAGE"):
            return
        start, end = 8 * int(self._cuts[missing[0]]), 8 * int(self._cuts[missing[-1] + 1])
        start -= start % mmap.PAGESIZE
        if 8 * int(np.diff(self._cuts)[missing].sum()) >= _HUGE_FROM:
            for memory in self._memory:
                memory.madvise(mmap.MADV_HUGEPAGE, start, end - start)
