"""CRC-32C (Castagnoli), the checksum of remote-read frames, by numpy in place of machine code.

A register is linear over GF(2): messages are cut into lanes of one width, all lanes are worked
through at once, and the lanes' registers are then joined, each moved on by as many zero bytes as
bytes stand at its right, which takes a table for each power of two. Reflected polynomial 0x82F63B78, RFC 3720 appendix B.4.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

__all__ = ["checksums", "crc32c"]

_U32 = np.ndarray[Any, np.dtype[np.uint32]]

_POLYNOMIAL: Final = 0x82F63B78
_WIDTH: Final = 64
"""Bytes of a lane: few enough steps, and enough lanes in a frame of a megabyte to pay for each."""
_ALL: Final = 0xFFFFFFFF


def crc32c(data: bytes | bytearray) -> int:
    """Give the checksum of some bytes.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    return int(checksums(data, [0], [len(data)])[0])


def checksums(data: bytes | bytearray, starts: Sequence[int], ends: Sequence[int]) -> _U32:
    """Give the checksums of many stretches of some bytes, at least one.

    Returns
    -------
    ndarray
        uint32, shape (stretches,).

    Examples
    --------
    >>> [hex(each) for each in checksums(b"x123456789", [1, 0], [10, 0])]
    ['0xe3069283', '0x0']
    """
    raw = np.frombuffer(data, np.uint8)
    # Zeros in front of a message leave an empty register empty; four bytes that turn it into
    # ones are what the standard's start value of ones amounts to.
    lanes = np.array([-(-(b - a + 4) // _WIDTH) for a, b in zip(starts, ends, strict=True)])
    stops = np.cumsum(lanes)
    padded = np.zeros(int(stops[-1]) * _WIDTH, np.uint8)
    for a, b, stop in zip(starts, ends, (stops * _WIDTH).tolist(), strict=True):
        padded[stop - (b - a) - 4 : stop - (b - a)] = _START
        padded[stop - (b - a) : stop] = raw[a:b]
    registers = _advanced(np.zeros(len(padded) // _WIDTH, np.uint32), padded.reshape(-1, _WIDTH))
    right = np.repeat(stops, lanes) - 1 - np.arange(len(registers))
    for doubled in range(int(lanes.max()).bit_length()):
        chosen = np.flatnonzero(right >> doubled & 1)
        registers[chosen] = _moved(registers[chosen], doubled)
    joined: _U32 = np.bitwise_xor.reduceat(registers, stops - lanes) ^ np.uint32(_ALL)
    return joined


def _table() -> _U32:
    table: _U32 = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        table = np.bitwise_xor(table >> 1, (table & 1) * np.uint32(_POLYNOMIAL))
    return table


_TABLE: Final = _table()


def _start() -> bytes:
    """Find the four bytes that turn an empty register into ones, by stepping backwards."""
    by_top = {int(entry) >> 24: index for index, entry in enumerate(_TABLE.tolist())}
    register = _ALL
    for _ in range(4):
        index = by_top[register >> 24]
        register = ((register ^ int(_TABLE[index])) << 8 & _ALL) | index
    # Stepping forward from 0, byte i meets register byte i, so the bytes are the register itself.
    return register.to_bytes(4, "little")


_START: Final = np.frombuffer(_start(), np.uint8)


def _pairs() -> _U32:
    """What two zero bytes make of each register whose upper half is empty."""
    registers = np.arange(1 << 16, dtype=np.uint32)
    for _ in range(2):
        registers = _TABLE[registers & 0xFF] ^ (registers >> 8)
    return registers


_PAIRS: Final = _pairs()


def _advanced(registers: _U32, rows: np.ndarray[Any, np.dtype[np.uint8]]) -> _U32:
    """Feed each register its row of bytes, two at a time."""
    for column in np.ascontiguousarray(rows.view("<u2").T):
        registers = _PAIRS.take((registers ^ column) & 0xFFFF) ^ (registers >> 16)
    return registers


@lru_cache
def _mover(doubled: int) -> _U32:
    """Tables, shape (4, 256), that move a register on by ``_WIDTH * 2**doubled`` zero bytes."""
    basis = np.uint32(1) << np.arange(32, dtype=np.uint32)
    if doubled:
        images = _moved(_moved(basis, doubled - 1), doubled - 1)
    else:
        images = _advanced(basis, np.zeros((32, _WIDTH), np.uint8))
    tables = np.zeros((4, 256), np.uint32)
    for bit in range(8):
        tables[:, 1 << bit : 2 << bit] = tables[:, : 1 << bit] ^ images[bit::8, None]
    return tables


def _moved(registers: _U32, doubled: int) -> _U32:
    tables = _mover(doubled)
    moved: _U32 = (
        tables[0][registers & 0xFF]
        ^ tables[1][(registers >> 8) & 0xFF]
        ^ tables[2][(registers >> 16) & 0xFF]
        ^ tables[3][registers >> 24]
    )
    return moved
