"""CRC-32C of very many short stretches of bytes, all worked through in step.

`crc32c` cuts long messages into lanes; an index has a million messages of fifty bytes. Here each
message is a lane of its own, the longest first, so that those that still have bytes left are
always the front of one array.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

import numpy as np

from workbench.samples import Ints
from workbench.sources.prometheus.raw.crc32c import checksums
from workbench.sources.tsdb.varints import U8

__all__ = ["short_checksums"]

_U32 = np.ndarray[Any, np.dtype[np.uint32]]

_ALL: Final = np.uint32(0xFFFFFFFF)
_REVERSED: Final = 0x82F63B78
_LONG: Final = 4_096
"""Bytes from which on a message is cut into lanes: a step costs the same for one as for many."""


def short_checksums(raw: U8, starts: Ints, lengths: Ints) -> _U32:
    """Give the checksum of each stretch of some bytes.

    Parameters
    ----------
    raw
        All bytes.
    starts, lengths
        Shape (stretches,): where each begins, and how many bytes it has.

    Returns
    -------
    ndarray
        uint32, shape (stretches,).

    Examples
    --------
    >>> raw = np.frombuffer(b"x123456789", np.uint8)
    >>> [hex(each) for each in short_checksums(raw, np.array([1, 0]), np.array([9, 0]))]
    ['0xe3069283', '0x0']
    """
    result = np.empty(len(starts), np.uint32)
    order = np.argsort(-lengths, kind="stable")
    many = int(np.count_nonzero(lengths >= _LONG))
    for i in order[:many].tolist():
        part = raw[starts[i] : starts[i] + lengths[i]].tobytes()
        result[i] = checksums(part, [0], [len(part)])[0]
    order = order[many:]
    result[order] = _in_step(raw, starts[order], lengths[order])
    return result


def _in_step(raw: U8, starts: Ints, lengths: Ints) -> _U32:
    """Give the checksums of stretches that stand in the order of their lengths, longest first."""
    by_two, by_one = _tables()
    registers = np.full(len(starts), _ALL)
    longest = int(lengths[0]) if len(lengths) else 0
    left = np.searchsorted(-lengths, -np.arange(1, longest + 1), side="right").tolist()
    for place in range(0, longest - 1, 2):
        front = slice(left[place + 1])
        at = starts[front] + place
        two = raw[at] | raw[at + 1].astype(np.uint32) << np.uint32(8)
        register = registers[front]
        registers[front] = by_two[(register ^ two) & 0xFFFF] ^ register >> np.uint32(16)
    odd = np.flatnonzero(lengths & 1)
    register = registers[odd] ^ raw[starts[odd] + lengths[odd] - 1]
    registers[odd] = by_one[register & 0xFF] ^ registers[odd] >> np.uint32(8)
    return registers ^ _ALL


@cache
def _tables() -> tuple[_U32, _U32]:
    """What a register becomes by two bytes, and by one, that are added to its lowest ones."""
    table: _U32 = np.arange(1 << 16, dtype=np.uint32)
    tables = []
    for _ in range(2):
        for _ in range(8):
            table = np.bitwise_xor(table >> 1, (table & 1) * np.uint32(_REVERSED))
        tables.append(table)
    return tables[1], tables[0][:256]
