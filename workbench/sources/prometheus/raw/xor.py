"""XOR chunks decoded in lockstep: sample n of all chunks at once, by numpy.

A chunk (https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md) is a
stream of bits in which each sample can only be found when the one before it is known. Chunks do
not depend on one another though, so thousands of them take each step together; a chunk has 120
samples as a rule. What a chunk holds is Gorilla's compression (Pelkonen et al., VLDB 2015,
section 4.1) of times and of the bits of the values, hence NaN and staleness markers are exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.sources.prometheus.raw.bits import bit, peek, words_of
from workbench.sources.prometheus.raw.protobuf import U8, U64, varints

__all__ = ["decode_chunks"]

_LANES: Final = 1 << 12
"""Chunks decoded together: their state stays in the processor's cache."""

_TIME_PREFIX: Final = np.array([2] * 4 + [3] * 2 + [4] * 2, np.uint64)
_TIME_BITS: Final = np.array([14] * 4 + [17] * 2 + [20, 64], np.uint64)
"""By the three bits after a leading one: bits of the prefix, and of what follows it."""

_0, _1, _11, _31, _51, _57, _60, _62, _63, _64 = (
    np.uint64(n) for n in (0, 1, 11, 31, 51, 57, 60, 62, 63, 64)
)


def decode_chunks(
    data: bytes | bytearray | memoryview, starts: Ints, ends: Ints
) -> tuple[Ints, Ints, Floats]:
    """Decode many chunks.

    Parameters
    ----------
    data
        Bytes in which the chunks stand.
    starts, ends
        int64, shape (chunks,): where the bytes of each begin (with the count of its samples) and
        end.

    Returns
    -------
    tuple
        Offsets, int64, shape (chunks + 1,): where each chunk's samples begin; times, int64
        milliseconds, and values, float64, both of shape (samples,), in the order of the chunks.

    Raises
    ------
    ValueError
        A chunk is damaged.
    """
    raw = np.frombuffer(data, np.uint8)
    counts = _counts(raw, starts, ends)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    times = np.empty(int(offsets[-1]), np.int64)
    bits = np.empty(int(offsets[-1]), np.uint64)
    order = np.argsort(-counts, kind="stable")
    order = order[: np.count_nonzero(counts)]
    words = words_of(raw)
    for first in range(0, len(order), _LANES):
        chosen = order[first : first + _LANES]
        out = offsets[chosen]
        try:
            lanes = _Lanes.begin(raw, words, starts[chosen], counts[chosen])
            for number, (t, v) in enumerate(lanes.steps(counts[chosen])):
                place = out[: len(t)] + number
                times[place], bits[place] = t, v
        except (IndexError, ValueError):
            raise _damaged() from None
        if (lanes.at > bit(ends[chosen])).any():
            raise _damaged()
    return offsets, times, bits.view(np.float64)


def _damaged() -> ValueError:
    return ValueError("an XOR chunk is damaged")


def _counts(raw: U8, starts: Ints, ends: Ints) -> Ints:
    """How many samples each chunk says to have, if its bytes can hold as many."""
    if (starts < 0).any() or (ends - starts < 2).any() or (ends > len(raw)).any():
        raise _damaged()
    counts = raw[starts].astype(np.int64) << 8 | raw[starts + 1]
    # 9 bytes for the first sample, 9 bits for the second, 2 for each of the others at the least
    least = 16 + 72 * (counts > 0) + 9 * (counts > 1) + 2 * np.maximum(counts - 2, 0)
    if (least > 8 * (ends - starts)).any():
        raise _damaged()
    return counts


@dataclass(slots=True)
class _Lanes:
    """Some chunks under way, the longest first.

    Parameters
    ----------
    words
        All bytes.
    at
        The next bit of each chunk.
    t, v
        The last time and the bits of the last value.
    delta
        The last distance of times.
    leading, size
        Zero bits before the last value's changed bits, and how many of these there were.
    """

    words: U64
    at: U64
    t: Ints
    v: U64
    delta: Ints
    leading: U64
    size: U64

    @classmethod
    def begin(cls, raw: U8, words: U64, starts: Ints, counts: Ints) -> _Lanes:
        """Read the first sample of each, and the first distance where there are more."""
        zigzag, ends = varints(raw, starts + 2)
        t = (zigzag >> _1).view(np.int64) ^ -(zigzag & _1).view(np.int64)
        v = peek(words, bit(ends))
        at = bit(ends + 8)
        delta = np.zeros(len(t), np.int64)
        several = int(np.count_nonzero(counts > 1))
        distance, ends = varints(raw, ends[:several] + 8)
        delta[:several] = distance.view(np.int64)
        at[:several] = bit(ends)
        return cls(words, at, t, v, delta, np.zeros(len(t), np.uint64), np.full(len(t), _64))

    def first(self, n: int) -> _Lanes:
        """The `n` longest; what they do is done to these."""
        columns = (self.at, self.t, self.v, self.delta, self.leading, self.size)
        return _Lanes(self.words, *(column[:n] for column in columns))  # type: ignore[arg-type]

    def steps(self, counts: Ints) -> Iterator[tuple[Ints, U64]]:
        """Give times and values of the next sample of every chunk that has one, until none has."""
        yield self.t, self.v
        for number in range(1, int(counts[0])):
            left = self.first(int(np.searchsorted(-counts, -number)))
            window = peek(self.words, left.at)
            if number > 1:
                left.take_times(window)
            left.t += left.delta
            left.take_values(window)
            yield left.t, left.v

    def take_times(self, window: U64) -> None:
        """Read by how much the distance changes; moves on within the window of coming bits."""
        uneven = np.flatnonzero(window >> _63)
        self.at += _1
        head = window[uneven]
        window <<= _1
        if not len(uneven):
            return
        kind = (head >> _60 & np.uint64(7)).view(np.int64)
        prefix, width = _TIME_PREFIX[kind], _TIME_BITS[kind]
        change = (head << prefix) >> (_64 - width)
        self.at[uneven] += prefix + width - _1
        window[uneven] = head << np.minimum(prefix + width, _63)
        # The upper half of each width stands for negative numbers, its very middle does not.
        half = _1 << (width - _1)
        change -= np.where(change > half, half << _1, _0)
        long = np.flatnonzero(width == _64)
        if len(long):
            lanes = uneven[long]
            change[long] = peek(self.words, self.at[lanes] - _64)
            window[lanes] = peek(self.words, self.at[lanes])
        self.delta[uneven] += change.view(np.int64)

    def take_values(self, window: U64) -> None:
        """Read how the bits of the value change."""
        changed = np.flatnonzero(window >> _63)
        self.at += _1
        if not len(changed):
            return
        head = window[changed]
        at = self.at[changed] + _1
        fresh = np.flatnonzero(head >> _62 & _1)
        if len(fresh):
            lanes, head = changed[fresh], head[fresh]
            self.leading[lanes] = head >> _57 & _31
            size = head >> _51 & _63
            size[size == _0] = _64
            self.size[lanes] = size
            at[fresh] += _11
        size = self.size[changed]
        trailing = _64 - self.leading[changed] - size
        if (trailing > _63).any():
            raise _damaged()
        self.v[changed] ^= (peek(self.words, at) >> (_64 - size)) << trailing
        self.at[changed] = at + size
