"""As much of protocol buffers and snappy as remote-read takes: varints, fields, literal blocks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from workbench.samples import Ints

__all__ = [
    "U8",
    "U64",
    "Field",
    "field_of",
    "fields",
    "snappy_literal",
    "varint",
    "varint_at",
    "varints",
]

U8 = np.ndarray[Any, np.dtype[np.uint8]]
U64 = np.ndarray[Any, np.dtype[np.uint64]]

Field = tuple[int, int, int]
"""A field's number, then its value, or where its bytes begin, then where they end."""

_MOST_BYTES: Final = 10
"""Of a varint: 64 bits, seven in each."""
_LITERAL: Final = 1 << 16
"""Bytes of one literal; two bytes say its length."""


def varint(value: int) -> bytes:
    """Write an unsigned number; a negative one as its 64-bit complement.

    Examples
    --------
    >>> varint(300).hex()
    'ac02'
    """
    value &= (1 << 64) - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field_of(number: int, value: int | bytes) -> bytes:
    """Write one field: a number as a varint, bytes with their length in front."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def snappy_literal(data: bytes) -> bytes:
    r"""Wrap bytes as a snappy block without compressing: its length, then literals.

    The format: https://github.com/google/snappy/blob/main/format_description.txt

    Examples
    --------
    >>> snappy_literal(b"abc")
    b'\x03\xf4\x02\x00abc'
    """
    out = bytearray(varint(len(data)))
    for start in range(0, len(data), _LITERAL):
        piece = data[start : start + _LITERAL]
        out += b"\xf4" + (len(piece) - 1).to_bytes(2, "little") + piece
    return bytes(out)


def varint_at(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """Read an unsigned number; give it and where it ends.

    Raises
    ------
    IndexError
        The data end within it.
    ValueError
        It is longer than 64 bits.
    """
    value = data[at]
    if value < 0x80:
        return value, at + 1
    value &= 0x7F
    for number in range(1, _MOST_BYTES):
        byte = data[at + number]
        value |= (byte & 0x7F) << (7 * number)
        if byte < 0x80:
            return value, at + number + 1
    msg = "a varint is too long"
    raise ValueError(msg)


def fields(data: bytes | bytearray, start: int, end: int) -> Iterator[Field]:
    """Walk over the fields of a message; those of 32 bits are passed over, those of 64 are bytes.

    Raises
    ------
    IndexError, ValueError
        The message is damaged.
    """
    at = start
    while at < end:
        key, at = varint_at(data, at)
        value, after = varint_at(data, at) if key & 7 in (0, 2) else (0, at)
        if key & 7 == 0:
            at = after
            yield key >> 3, value, after
        elif key & 7 == 2:
            at = after + value
            if at > end:
                break
            yield key >> 3, after, at
        elif key & 7 == 1:
            at += 8
            if at > end:
                break
            yield key >> 3, at - 8, at
        elif key & 7 == 5:
            at += 4
        else:
            msg = f"a field of wire type {key & 7}"
            raise ValueError(msg)
    if at != end:
        msg = "a field reaches past its message"
        raise ValueError(msg)


def varints(data: U8, at: Ints) -> tuple[U64, Ints]:
    """Read many unsigned numbers at once.

    Parameters
    ----------
    data
        uint8, shape (bytes,).
    at
        int64, shape (n,): where each begins.

    Returns
    -------
    tuple
        The numbers, uint64, and where each ends, int64; both of shape (n,).

    Raises
    ------
    IndexError
        One reaches past the data.
    ValueError
        One is longer than 64 bits.

    Examples
    --------
    >>> numbers, ends = varints(np.array([5, 0xAC, 2], np.uint8), np.array([0, 1]))
    >>> numbers.tolist(), ends.tolist()
    ([5, 300], [1, 3])
    """
    first = data[at]
    values = (first & 0x7F).astype(np.uint64)
    ends = at + 1
    more = np.flatnonzero(first & 0x80)
    for number in range(1, _MOST_BYTES):
        if not len(more):
            return values, ends
        byte = data[ends[more]]
        values[more] |= (byte & 0x7F).astype(np.uint64) << np.uint64(7 * number)
        ends[more] += 1
        more = more[(byte & 0x80) != 0]
    if len(more):
        msg = "a varint is too long"
        raise ValueError(msg)
    return values, ends
