"""Chunks of native histograms decoded in lockstep: number n of sample m of many chunks at once.

A sample (https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md) is a time,
a count, the count of the zero bucket, a sum, and a number for each bucket that its chunk has. In a
chunk of *integer* histograms all but the sum are varbits: the first sample's numbers, then how they
change, then how that changes; buckets hold the difference to the bucket before. In a chunk of
*float* histograms all but the time are floats, compressed as in chunks of floats. A sum that is a
staleness marker has no buckets after it.

Chunks with about as many buckets walk together; a lane is a chunk under way.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.native import Bools, Buckets, Floats, Histogram, Histograms, Ints, no_histograms
from workbench.samples import STALE_NAN, is_stale
from workbench.sources.prometheus.raw.bits import bit, peek, signed, varbits, words_of
from workbench.sources.prometheus.raw.layout import Layout, is_known, read_layout
from workbench.sources.prometheus.raw.protobuf import U64

__all__ = ["DecodedHistograms", "decode_histograms"]

_LANES: Final = 1 << 11
_COUNT, _ZERO, _SUM, _BUCKETS = range(4)
"""Columns of a sample's numbers."""

_0, _1, _31, _51, _57, _62, _63, _64 = (np.uint64(n) for n in (0, 1, 31, 51, 57, 62, 63, 64))


@dataclass(frozen=True, slots=True)
class DecodedHistograms:
    """What many chunks hold.

    Parameters
    ----------
    offsets
        int64, shape (chunks + 1,): where each chunk's samples begin.
    times_ms
        int64, shape (samples,).
    values
        float64, shape (samples,): NaN, or the staleness marker.
    histograms
        Shape (samples,): None where the sample is a staleness marker.
    unknown
        bool, shape (chunks,): which chunks have a schema that no `Histogram` can have; none of
        their samples is here.
    """

    offsets: Ints
    times_ms: Ints
    values: Floats
    histograms: Histograms
    unknown: Bools


def decode_histograms(
    data: bytes | bytearray, starts: Ints, ends: Ints, floats: Bools
) -> DecodedHistograms:
    """Decode many chunks.

    Parameters
    ----------
    data
        Bytes in which the chunks stand.
    starts, ends
        int64, shape (chunks,): where the bytes of each begin (with the count of its samples) and
        end.
    floats
        bool, shape (chunks,): which are of float histograms.

    Raises
    ------
    ValueError
        A chunk is damaged.
    """
    places = zip(starts.tolist(), ends.tolist(), strict=True)
    if (starts < 0).any() or (ends > len(data)).any():
        raise _damaged()
    layouts = [read_layout(data, start, end) for start, end in places]
    unknown = np.array([not is_known(each.schema) for each in layouts], bool)
    counts = np.array([each.samples for each in layouts], np.int64)
    counts[unknown] = 0
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    times = np.empty(int(offsets[-1]), np.int64)
    values = np.full(len(times), np.nan)
    histograms = no_histograms(len(times))
    words = words_of(np.frombuffer(data, np.uint8))
    for chosen in _groups(layouts, counts, floats):
        lanes = _Lanes(words, [layouts[i] for i in chosen], is_float=bool(floats[chosen[0]]))
        try:
            rows = _Rows.collected(lanes.steps())
        except IndexError:
            raise _damaged() from None
        if (lanes.at > bit(ends[chosen])).any():
            raise _damaged()
        for lane, number in enumerate(chosen.tolist()):
            place = slice(offsets[number], offsets[number + 1])
            times[place], stale, numbers = rows.of(lane)
            values[place][stale] = STALE_NAN
            made = _histograms(layouts[number], numbers, is_float=lanes.is_float)
            for at, one in zip(np.flatnonzero(~stale) + place.start, made, strict=True):
                histograms[at] = one
    return DecodedHistograms(offsets, times, values, histograms, unknown)


def _damaged() -> ValueError:
    return ValueError("a histogram chunk is damaged")


def _groups(layouts: list[Layout], counts: Ints, floats: Bools) -> Iterator[Ints]:
    """Chunks of one kind that have about as many buckets: at most twice as many as any other."""
    sizes = np.array([each.buckets for each in layouts], np.int64)
    classes = np.array([size.bit_length() * 2 for size in sizes.tolist()], np.int64) + floats
    for each in np.unique(classes[counts > 0]).tolist():
        members = np.flatnonzero((classes == each) & (counts > 0))
        for first in range(0, len(members), _LANES):
            yield members[first : first + _LANES]


@dataclass(frozen=True, slots=True)
class _Step:
    """One sample of each chunk that has one left: lanes, times, and numbers where not stale."""

    lanes: Ints
    times: Ints
    stale: Bools
    numbers: U64


@dataclass(frozen=True, slots=True)
class _Rows:
    """All samples of a group, chunk by chunk; `filled` counts those that are not stale."""

    starts: Ints
    times: Ints
    stale: Bools
    filled: Ints
    numbers: U64

    @classmethod
    def collected(cls, steps: Iterator[_Step]) -> _Rows:
        """Put the steps' samples into the order of their chunks."""
        each = list(steps)
        lanes = np.concatenate([step.lanes for step in each])
        stale = np.concatenate([step.stale for step in each])
        order = np.argsort(lanes, kind="stable")
        inner = np.argsort(lanes[~stale], kind="stable")
        starts = np.searchsorted(lanes[order], np.arange(int(lanes.max()) + 2))
        return cls(
            starts,
            np.concatenate([step.times for step in each])[order],
            stale[order],
            np.concatenate([[0], np.cumsum(~stale[order])]),
            np.concatenate([step.numbers for step in each])[inner],
        )

    def of(self, lane: int) -> tuple[Ints, Bools, U64]:
        """Times of a chunk's samples, which are stale, and the numbers of the others."""
        a, b = self.starts[lane], self.starts[lane + 1]
        return self.times[a:b], self.stale[a:b], self.numbers[self.filled[a] : self.filled[b]]


def _histograms(layout: Layout, numbers: U64, *, is_float: bool) -> Iterator[Histogram]:
    """The histograms of one chunk, from their numbers, shape (samples, 3 + buckets or more)."""
    middle, end = _BUCKETS + len(layout.positive), _BUCKETS + layout.buckets
    sides = numbers[:, _BUCKETS:middle], numbers[:, middle:end]
    totals = numbers[:, :_SUM]
    sums = np.ascontiguousarray(numbers[:, _SUM]).view(np.float64)
    heads: Floats
    if is_float:
        positive, negative = (np.ascontiguousarray(each).view(np.float64) for each in sides)
        heads = np.ascontiguousarray(totals).view(np.float64)
    else:
        positive, negative = (
            np.cumsum(np.ascontiguousarray(each).view(np.int64), axis=1).astype(np.float64)
            for each in sides
        )
        heads = totals.astype(np.float64)
    rows = zip(heads.tolist(), sums.tolist(), positive, negative, strict=True)
    for at, ((count, zero), total, above, below) in enumerate(rows):
        yield Histogram(
            layout.schema,
            count,
            total,
            layout.zero_threshold,
            zero,
            Buckets(layout.positive, above),
            Buckets(layout.negative, below),
            layout.custom_values,
            layout.others if at else layout.first,
        )


class _Lanes:
    """Some chunks of one kind under way."""

    def __init__(self, words: U64, layouts: list[Layout], *, is_float: bool) -> None:
        self.words = words
        self.is_float = is_float
        self.at = np.array([each.bit for each in layouts], np.uint64)
        self.counts = np.array([each.samples for each in layouts], np.int64)
        self.buckets = np.array([each.buckets for each in layouts], np.int64)
        self.t = np.zeros(len(layouts), np.int64)
        self.delta = np.zeros(len(layouts), np.int64)
        shape = (_BUCKETS + int(self.buckets.max()), len(layouts))
        self.numbers = np.zeros(shape, np.uint64)
        # Of a varbit: how it last changed. Of a float: zero bits before its changed bits, and how
        # many these are.
        self.state = np.zeros((2, *shape), np.uint64)

    def steps(self) -> Iterator[_Step]:
        """Read a sample of every chunk that has one, until none has."""
        for number in range(int(self.counts.max())):
            left = np.flatnonzero(self.counts > number)
            self._take_times(left, number)
            for column in (_COUNT, _ZERO, _SUM):
                self._take(column, left, number)
            stale = is_stale(self.numbers[_SUM, left].view(np.float64))
            filled = left[~stale]
            sizes = self.buckets[filled]
            least = int(sizes.min(initial=len(self.numbers)))
            for column in range(_BUCKETS, _BUCKETS + int(sizes.max(initial=0))):
                having = filled if column < _BUCKETS + least else filled[sizes > column - _BUCKETS]
                self._take(column, having, number)
            yield _Step(left, self.t[left], stale, self.numbers[:, filled].T)

    def _take_times(self, lanes: Ints, number: int) -> None:
        change = self._signed(lanes)
        if number == 0:
            self.t[lanes] = change
            return
        self.delta[lanes] += change
        self.t[lanes] += self.delta[lanes]

    def _take(self, column: int, lanes: Ints, number: int) -> None:
        """Read one number of a sample."""
        raw = self.is_float or column == _SUM
        if number == 0 and raw:
            self.numbers[column, lanes] = peek(self.words, self.at[lanes])
            self.at[lanes] += _64
        elif number == 0 and column < _SUM:
            values, _, self.at[lanes] = varbits(self.words, self.at[lanes])
            self.numbers[column, lanes] = values
        elif number == 0:
            self.numbers[column, lanes] = self._signed(lanes).view(np.uint64)
        elif raw:
            self._take_float(column, lanes)
        else:
            self.state[0, column, lanes] += self._signed(lanes).view(np.uint64)
            self.numbers[column, lanes] += self.state[0, column, lanes]

    def _signed(self, lanes: Ints) -> Ints:
        values, widths, self.at[lanes] = varbits(self.words, self.at[lanes])
        return signed(values, widths)

    def _take_float(self, column: int, lanes: Ints) -> None:
        """Read how the bits of a float change."""
        window = peek(self.words, self.at[lanes])
        self.at[lanes] += _1
        found = window >> _63 == _1
        changed, head = lanes[found], window[found]
        if not len(changed):
            return
        leading, size = self.state[:, column]
        at = self.at[changed] + _1
        fresh = head >> _62 & _1 == _1
        leading[changed[fresh]] = head[fresh] >> _57 & _31
        bits = head[fresh] >> _51 & _63
        size[changed[fresh]] = np.where(bits == _0, _64, bits)
        at[fresh] += np.uint64(11)
        width = size[changed]
        trailing = _64 - leading[changed] - width
        if (trailing > _63).any():
            raise _damaged()
        self.numbers[column, changed] ^= (peek(self.words, at) >> (_64 - width)) << trailing
        self.at[changed] = at + width
