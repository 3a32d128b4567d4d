"""Streams of bits read in lockstep: the next number of many streams at once, by numpy.

What chunks of a Prometheus' storage are made of. A *varbit* is a number of few bits where it is
small: ones say how wide it is, a zero ends them, then it follows
(https://github.com/prometheus/prometheus/blob/main/tsdb/chunkenc/varbit.go).
"""

from __future__ import annotations

import numpy as np

from workbench.samples import Ints
from workbench.sources.prometheus.raw.protobuf import U8, U64

__all__ = ["bit", "peek", "signed", "varbits", "words_of"]

_1, _6, _8, _63, _64 = (np.uint64(n) for n in (1, 6, 8, 63, 64))


def words_of(raw: U8) -> U64:
    """The bytes as numbers of 64 bits, first bit highest, with room to look past the end."""
    padded = np.zeros(len(raw) // 8 * 8 + 24, np.uint8)
    padded[: len(raw)] = raw
    words: U64 = padded.view(">u8").astype(np.uint64)
    return words


def peek(words: U64, at: U64) -> U64:
    """The next 64 bits from each of some bit positions.

    Raises
    ------
    IndexError
        A position is past the end.
    """
    index, shift = (at >> _6).view(np.int64), at & _63
    following = words[index + 1] >> _1
    result: U64 = np.bitwise_or(words[index] << shift, following >> (_63 - shift))
    return result


def bit(at: Ints) -> U64:
    """Positions of bytes as positions of bits."""
    position: U64 = at.view(np.uint64) << np.uint64(3)
    return position


def _by_ones() -> tuple[U64, U64]:
    """Bits of the prefix and of the number, by the first byte."""
    ones = np.array([8 - (~byte & 0xFF).bit_length() for byte in range(256)])
    widths = np.array([0, 3, 6, 9, 12, 18, 25, 56, 64], np.uint64)
    return np.minimum(ones + 1, 8).astype(np.uint64), widths[ones]


_PREFIX, _WIDTH = _by_ones()


def varbits(words: U64, at: U64) -> tuple[U64, U64, U64]:
    """Read the varbit at each of some bit positions.

    Returns
    -------
    tuple
        The bits of each number, how many there are (0 for the number 0), and where it ends.

    Raises
    ------
    IndexError
        One begins past the end.

    Examples
    --------
    >>> words = words_of(np.array([0b10011000, 0, 0], np.uint8))
    >>> [each.tolist() for each in varbits(words, np.array([0, 5], np.uint64))]
    [[3, 0], [3, 0], [5, 6]]
    """
    head = peek(words, at)
    values, widths, ends = np.zeros_like(head), np.zeros_like(head), at + _1
    wide = np.flatnonzero(head >> _63)
    if len(wide):
        head = head[wide]
        first = (head >> np.uint64(56)).view(np.int64)
        prefix, width = _PREFIX[first], _WIDTH[first]
        values[wide] = (head << prefix) >> (_64 - width)
        widths[wide], ends[wide] = width, at[wide] + prefix + width
        if (width == _64).any():
            whole = wide[width == _64]
            values[whole] = peek(words, at[whole] + _8)
    return values, widths, ends


def signed(values: U64, widths: U64) -> Ints:
    """Varbits as numbers with a sign: the upper half of each width stands for negative ones.

    Its very middle does not: three bits hold −3 … 4.
    """
    half = _1 << (np.maximum(widths, _1) - _1)
    numbers = values.view(np.int64)
    short = (values > half) & (widths < _64)
    return np.where(short, numbers - (half << _1).view(np.int64), numbers)
