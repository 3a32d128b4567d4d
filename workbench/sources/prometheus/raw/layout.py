"""The head of a histogram chunk: how many samples it has, and which buckets all of them share.

The format: https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from workbench.native import CUSTOM, Ints, ResetHint

__all__ = ["Layout", "index_of", "is_known", "read_layout"]

_WIDTHS: Final = (0, 3, 6, 9, 12, 18, 25, 56, 64)
"""Bits of a varbit by the ones before it."""
_GAUGE: Final = 3
_LARGEST: Final = (1 << 31) - 1
_RAW_THRESHOLD: Final = 255


@dataclass(frozen=True, slots=True)
class Layout:
    """What the samples of a chunk have in common.

    Parameters
    ----------
    samples
        How many there are.
    schema, zero_threshold, positive, negative, custom_values
        As in `workbench.native.Histogram`; of the buckets the indices.
    first, others
        What is known of counter resets before the first sample, and before any other.
    bit
        Where the first sample begins, as a position of a bit in the data.
    """

    samples: int
    schema: int
    zero_threshold: float
    positive: Ints
    negative: Ints
    custom_values: tuple[float, ...]
    first: ResetHint
    others: ResetHint
    bit: int

    @property
    def buckets(self) -> int:
        """How many numbers a sample has for its buckets."""
        return len(self.positive) + len(self.negative)


def is_known(schema: int) -> bool:
    """Whether a schema is one that a `Histogram` can have."""
    return -4 <= schema <= 8 or schema == CUSTOM


def index_of(spans: list[tuple[int, int]]) -> Ints:
    """The indices of buckets that are given as spans: each an offset and a length.

    The first offset is the first index, the others are the buckets left out in between.

    Raises
    ------
    ValueError
        They are negative where they must not be, or beyond 32 bits.

    Examples
    --------
    >>> index_of([(-1, 2), (3, 1)]).tolist()
    [-1, 0, 4]
    """
    parts: list[np.ndarray[Any, np.dtype[np.int64]]] = []
    at = 0
    for number, (offset, length) in enumerate(spans):
        at += offset
        if length < 0 or (number and offset < 0) or not -_LARGEST <= at <= _LARGEST - length:
            msg = "spans of buckets are damaged"
            raise ValueError(msg)
        parts.append(np.arange(at, at + length, dtype=np.int64))
        at += length
    return np.concatenate(parts) if parts else np.zeros(0, np.int64)


def read_layout(data: bytes | bytearray, start: int, end: int) -> Layout:
    """Read the head of the chunk in ``data[start:end]``.

    The hint of the first sample is that which Prometheus gives it when it reads a chunk: unknown,
    whatever the head says, since the chunk before it may be missing.

    Raises
    ------
    ValueError
        The chunk is damaged.
    """
    bits = _Bits(data, start, end)
    samples, flags = bits.take(16), bits.take(8)
    threshold = _zero_threshold(bits)
    schema = bits.signed()
    positive, negative = _spans(bits), _spans(bits)
    custom = tuple(_bound(bits) for _ in range(bits.count())) if schema == CUSTOM else ()
    if schema == CUSTOM and not _is_custom(custom, positive, negative):
        raise _damaged()
    if not threshold >= 0 or samples * 4 > bits.left:
        raise _damaged()
    gauge = flags >> 6 == _GAUGE
    hints = (
        (ResetHint.GAUGE, ResetHint.GAUGE) if gauge else (ResetHint.UNKNOWN, ResetHint.NOT_RESET)
    )
    return Layout(samples, schema, threshold, positive, negative, custom, *hints, bits.at)


def _is_custom(bounds: tuple[float, ...], positive: Ints, negative: Ints) -> bool:
    """Whether all buckets have bounds, and these rise."""
    rising = all(a < b for a, b in pairwise(bounds))
    within = not len(positive) or (positive[0] >= 0 and positive[-1] <= len(bounds))
    return rising and bool(within) and not len(negative) and not any(map(math.isnan, bounds))


def _zero_threshold(bits: _Bits) -> float:
    byte = bits.take(8)
    if byte == _RAW_THRESHOLD:
        return bits.float()
    return math.ldexp(0.5, byte - 243) if byte else 0.0


def _spans(bits: _Bits) -> Ints:
    spans = []
    total = 0
    for _ in range(bits.count()):
        length, offset = bits.unsigned(), bits.signed()
        total += length
        if total > bits.end:  # each bucket takes a bit at the least
            raise _damaged()
        spans.append((offset, length))
    return index_of(spans)


def _bound(bits: _Bits) -> float:
    """A bound in thousandths, plus one; after a zero all 64 bits of it."""
    thousandths = bits.unsigned()
    return (thousandths - 1) / 1000 if thousandths else bits.float()


def _damaged() -> ValueError:
    return ValueError("a histogram chunk is damaged")


class _Bits:
    """One stream of bits, read number by number."""

    def __init__(self, data: bytes | bytearray, start: int, end: int) -> None:
        self._data = data
        self.at = 8 * start
        self.end = 8 * end

    @property
    def left(self) -> int:
        """How many bits are left."""
        return self.end - self.at

    def take(self, width: int) -> int:
        """Read a number of so many bits, 64 at the most."""
        stop = self.at + width
        if stop > self.end:
            raise _damaged()
        last = -(-stop // 8)
        number = int.from_bytes(self._data[self.at // 8 : last], "big") >> (8 * last - stop)
        self.at = stop
        return number & ((1 << width) - 1)

    def unsigned(self) -> int:
        """Read a varbit."""
        return self.take(self._width())

    def signed(self) -> int:
        """Read a varbit that has a sign."""
        width = self._width()
        number = self.take(width)
        half = 1 << (width - 1) if width else 0
        # 64 bits are a plain two's complement; the middle of any other width is positive
        negative = number >= half if width == 64 else number > half
        return number - (1 << width) if negative else number

    def count(self) -> int:
        """Read how many things follow, each of which takes a bit at the least."""
        number = self.unsigned()
        if number > self.left:
            raise _damaged()
        return number

    def float(self) -> float:
        """Read 64 bits of a float."""
        [value] = struct.unpack(">d", self.take(64).to_bytes(8, "big"))
        return float(value)

    def _width(self) -> int:
        ones = 0
        while ones < 8 and self.take(1):
            ones += 1
        return _WIDTHS[ones]
