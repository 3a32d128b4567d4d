"""Histogram chunks written one bit after the other, by the format's description: the judge.

https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/chunks.md
"""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from itertools import groupby, pairwise

from xor_reference import BitWriter, _add_value

from workbench.native import CUSTOM, Histogram
from workbench.samples import STALE_NAN

WIDTHS = (3, 6, 9, 12, 18, 25, 56, 64)

Sample = tuple[int, Histogram | None]
"""A time, and a histogram or a staleness marker."""


def bits_of(value: float) -> int:
    """The 64 bits of a float."""
    return int(struct.unpack(">Q", struct.pack(">d", value))[0])


def add_unsigned(out: BitWriter, value: int) -> None:
    """Append a varbit without a sign."""
    if value == 0:
        out.add(0, 1)
        return
    ones = next(i for i, width in enumerate(WIDTHS, 1) if value < 1 << width)
    add_wide(out, ones, value)


def add_signed(out: BitWriter, value: int) -> None:
    """Append a varbit with a sign."""
    if value == 0:
        out.add(0, 1)
        return
    fits = [i for i, w in enumerate(WIDTHS[:-1], 1) if -(1 << (w - 1)) < value <= 1 << (w - 1)]
    add_wide(out, min(fits, default=8), value)


def add_wide(out: BitWriter, ones: int, value: int) -> None:
    """Append so many ones, a zero unless there are eight, and the number."""
    out.add((1 << ones) - 1, ones)
    if ones < 8:
        out.add(0, 1)
    out.add(value, WIDTHS[ones - 1])


def spans_of(index: Sequence[int]) -> list[tuple[int, int]]:
    """Offset and length of each run of indices."""
    runs = [
        [i for _, i in run] for _, run in groupby(enumerate(index), lambda pair: pair[1] - pair[0])
    ]
    starts = [run[0] for run in runs]
    gaps = [b[0] - a[-1] - 1 for a, b in pairwise(runs)]
    return [(o, len(run)) for o, run in zip([*starts[:1], *gaps], runs, strict=True)]


def add_head(out: BitWriter, samples: int, flags: int, like: Histogram | None) -> None:
    """Append what the samples have in common; a chunk of staleness markers alone has nothing."""
    like = like or Histogram()
    out.add(samples, 16)
    out.add(flags << 6, 8)
    threshold = like.zero_threshold
    fraction, exponent = math.frexp(threshold)
    if threshold == 0:
        out.add(0, 8)
    elif fraction == 0.5 and -242 <= exponent <= 11:
        out.add(exponent + 243, 8)
    else:
        out.add(255, 8)
        out.add(bits_of(threshold), 64)
    add_signed(out, like.schema)
    for side in (like.positive, like.negative):
        spans = spans_of(side.index.tolist())
        add_unsigned(out, len(spans))
        for offset, length in spans:
            add_unsigned(out, length)
            add_signed(out, offset)
    if like.schema == CUSTOM:
        add_unsigned(out, len(like.custom_values))
        for bound in like.custom_values:
            add_bound(out, bound)


def add_bound(out: BitWriter, bound: float) -> None:
    """Append a custom bound: in thousandths where they are whole and few."""
    whole = round(bound * 1000) if 0 <= bound * 1000 <= 33554430 else -1
    if whole >= 0 and whole / 1000 == bound:
        add_unsigned(out, whole + 1)
    else:
        out.add(0, 1)
        out.add(bits_of(bound), 64)


class Floats:
    """Floats that are compressed one against the one before, each with a state of its own."""

    def __init__(self) -> None:
        self.states: dict[int, tuple[int, int, int]] = {}

    def add(self, out: BitWriter, place: int, value: float) -> None:
        """Append the float at a place of a sample."""
        bits = bits_of(value)
        if place not in self.states:
            out.add(bits, 64)
            self.states[place] = bits, -1, -1
            return
        before, leading, trailing = self.states[place]
        self.states[place] = bits, *_add_value(out, bits ^ before, leading, trailing)


def encode_integers(samples: Sequence[Sample], flags: int = 0) -> bytes:
    """Write a chunk of histograms whose counts are whole; all have the same buckets."""
    out = BitWriter()
    add_head(out, len(samples), flags, next((h for _, h in samples if h), None))
    values: list[int] = []
    changes: list[int] = []
    time = distance = 0
    floats = Floats()
    for number, (t, histogram) in enumerate(samples):
        _add_time(out, number, t - time, distance)
        time, distance = t, t - time
        heads = [0, 0] if histogram is None else [int(histogram.count), int(histogram.zero_count)]
        buckets: list[int] = []
        for side in (histogram.positive, histogram.negative) if histogram else ():
            counts = [int(count) for count in side.counts]
            buckets += [b - a for a, b in zip([0, *counts], counts, strict=False)]
        stale = histogram is None
        for place, value in enumerate([*heads, *buckets]):
            if place == 2:
                floats.add(out, 0, histogram.sum if histogram else 0)
            if number == 0:
                (add_unsigned if place < 2 else add_signed)(out, value)
                values.append(value)
                changes.append(0)
                continue
            change = 0 if stale else value - values[place]
            add_signed(out, change - (changes[place] if number > 1 else 0))
            values[place] += change
            changes[place] = change
        if len(buckets) == 0:
            floats.add(out, 0, STALE_NAN if stale else histogram.sum)
    return out.to_bytes()


def encode_floats(samples: Sequence[Sample], flags: int = 0) -> bytes:
    """Write a chunk of histograms whose counts are floats; all have the same buckets."""
    out = BitWriter()
    add_head(out, len(samples), flags, next((h for _, h in samples if h), None))
    time = distance = 0
    floats = Floats()
    for number, (t, one) in enumerate(samples):
        _add_time(out, number, t - time, distance)
        time, distance = t, t - time
        values = [0.0, 0.0, STALE_NAN]
        if one:
            values = [one.count, one.zero_count, one.sum, *one.positive.counts]
            values += one.negative.counts.tolist()
        for place, value in enumerate(values):
            floats.add(out, place, value)
    return out.to_bytes()


def _add_time(out: BitWriter, number: int, distance: int, before: int) -> None:
    add_signed(out, distance - before if number > 1 else distance)
