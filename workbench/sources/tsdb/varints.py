"""Numbers of varying length, read at many places at once.

Go writes small numbers in few bytes, seven bits each from the lowest on; the highest bit says that
more follow (https://pkg.go.dev/encoding/binary). Sizes and references in an index have 32 bits, so
that one number fits into five bytes and eight can be taken at once.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from workbench.samples import Ints

__all__ = ["U8", "Words", "uvarints", "words_of"]

U8 = np.ndarray[Any, np.dtype[np.uint8]]

Words = np.ndarray[Any, np.dtype[np.uint64]]
"""Shape (bytes - 7,): the eight bytes from each place on, the first one lowest."""

_STOPS: Final = np.uint64(0x80_80_80_80_80)
_SEVEN: Final = [np.uint64(0x7F << 7 * i) for i in range(5)]
_SHIFT: Final = [np.uint64(i) for i in range(5)]
_1: Final = np.uint64(1)


def words_of(raw: U8) -> Words:
    """Look at bytes as overlapping numbers of 64 bits, without a copy; at least eight bytes."""
    return np.ndarray((len(raw) - 7,), "<u8", raw.data, strides=(1,))


def uvarints(words: Words, at: Ints) -> tuple[Ints, Ints]:
    """Read the number at each of some places.

    Parameters
    ----------
    words
        What `words_of` gives.
    at
        Shape (places,): where each number begins, with eight bytes from there on.

    Returns
    -------
    tuple
        The numbers, and where each ends; −1 in place of a number that has more than 32 bits.

    Examples
    --------
    >>> words = words_of(np.array([0xAC, 0x02, 0x7F, 0, 0, 0, 0, 0, 0, 0], np.uint8))
    >>> [each.tolist() for each in uvarints(words, np.array([0, 2]))]
    [[300, 127], [2, 3]]
    """
    taken = words[at]
    stops = ~taken & _STOPS
    # The lowest stop bit less one: a mask of all that belongs to the number.
    below = (stops & -stops) - _1
    taken &= below
    width = (np.bitwise_count(below).astype(np.int64) + 1) >> 3
    numbers = taken & _SEVEN[0]
    for i in range(1, min(5, int(width.max(initial=0)))):
        numbers |= (taken >> _SHIFT[i]) & _SEVEN[i]
    result = numbers.view(np.int64)
    result[(stops == 0) | (result >> 32 != 0)] = -1
    return result, at + width
