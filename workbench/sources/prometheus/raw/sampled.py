"""The body of a remote-read answer of samples: what servers give that do not stream chunks.

A snappy block that holds a ``ReadResponse``
(https://github.com/prometheus/prometheus/blob/main/prompb/remote.proto): per query its series, per
series its floats and its native histograms, each a message of its own.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from workbench.errors import BadAnswerError
from workbench.native import CUSTOM, Buckets, Floats, Histogram, Ints, ResetHint, no_histograms
from workbench.samples import STALE_NAN, Labels, is_stale
from workbench.sources.prometheus.raw.layout import index_of, is_known
from workbench.sources.prometheus.raw.protobuf import fields, varint_at
from workbench.sources.prometheus.raw.samples import Raw, assemble

__all__ = ["Sampled", "read_histogram", "unpack_sampled"]

_MOST_TIMES: Final = 64
"""By how much snappy makes things smaller at the very most, with room to spare."""
_MEND: Final = "ask again; if it stays so, look at the server's log, or at the proxy in between"

_Message = bytes | bytearray
_Place = tuple[int, int]
_Row = tuple[int, float, Histogram | None]


@dataclass(slots=True)
class Sampled:
    """Series and their samples.

    Parameters
    ----------
    series
        Each with the number of the query it answers; none stands twice.
    times, values, histograms
        Of each series, in the order of the answer.
    strange
        Series with histograms of a schema that is unknown here.
    """

    series: list[tuple[int, Labels]] = field(default_factory=list)
    times: list[list[int]] = field(default_factory=list)
    values: list[list[float]] = field(default_factory=list)
    histograms: list[list[Histogram | None]] = field(default_factory=list)
    strange: set[int] = field(default_factory=set)

    def decode(self, labels: Sequence[Labels], window: tuple[int, int]) -> Raw:
        """Give the samples within a window, under these label sets."""
        rows = np.array([len(each) for each in self.times], np.int64)
        native = no_histograms(int(rows.sum()))
        native[:] = [one for each in self.histograms for one in each]
        series, conflicts = assemble(
            labels,
            rows,
            np.array([t for each in self.times for t in each], np.int64),
            np.array([v for each in self.values for v in each], np.float64),
            window,
            histograms=native,
        )
        problems = []
        if self.strange:
            many = len(self.strange)
            problems.append(
                f"native histograms of an unknown schema are not copied: {many:,} series"
            )
        if conflicts:
            problems.append(f"of two values at one time the first was kept: {conflicts:,} samples")
        return Raw(series, tuple(problems))


def unpack_sampled(block: bytes | bytearray) -> Sampled:
    """Read an answer.

    Raises
    ------
    BadAnswerError
        It is truncated, damaged, or something else.
    """
    found = Sampled()
    known: dict[tuple[int, frozenset[tuple[str, str]]], int] = {}
    try:
        body = _unpacked(block)
        results = [(a, b) for number, a, b in fields(body, 0, len(body)) if number == 1]
        for query, (start, end) in enumerate(results):
            for number, first, last in fields(body, start, end):
                if number == 1:
                    _take_series(found, known, query, body, (first, last))
    except (IndexError, ValueError, OSError, struct.error):
        msg = "the server's remote-read answer is damaged or broke off"
        raise BadAnswerError(msg, _MEND) from None
    return found


def _unpacked(block: bytes | bytearray) -> bytes:
    """Unpack a snappy block, which begins with how long it will be."""
    import pyarrow as pa

    size, _ = varint_at(block, 0)
    if size > _MOST_TIMES * len(block):
        raise ValueError
    return bytes(pa.Codec("snappy").decompress(bytes(block), decompressed_size=size, asbytes=True))


def _take_series(
    found: Sampled,
    known: dict[tuple[int, frozenset[tuple[str, str]]], int],
    query: int,
    body: _Message,
    place: _Place,
) -> None:
    labels: dict[str, str] = {}
    rows: list[_Row | None] = []
    for number, first, last in fields(body, *place):
        if number == 1:
            parts = {n: body[a:b].decode() for n, a, b in fields(body, first, last)}
            labels[parts.get(1, "")] = parts.get(2, "")
        elif number == 2:
            rows.append(_read_float(body, (first, last)))
        elif number == 4:
            rows.append(_read_native(body, (first, last)))
    key = (query, frozenset(labels.items()))
    owner = known.setdefault(key, len(found.series))
    if owner == len(found.series):
        found.series.append((query, labels))
        found.times.append([])
        found.values.append([])
        found.histograms.append([])
    for row in rows:
        if row is None:
            found.strange.add(owner)
            continue
        found.times[owner].append(row[0])
        found.values[owner].append(row[1])
        found.histograms[owner].append(row[2])


def _read_float(body: _Message, place: _Place) -> _Row:
    numbers = {n: (a, b) for n, a, b in fields(body, *place)}
    return _signed(numbers[2][0]) if 2 in numbers else 0, _number(body, numbers, 1), None


def _read_native(body: _Message, place: _Place) -> _Row | None:
    """One histogram, or the staleness marker that stands in its sum; None of an unknown schema."""
    time, histogram = read_histogram(body, place)
    if histogram is None:
        return None
    stale = is_stale(np.array([histogram.sum]))[0]
    return (time, STALE_NAN, None) if stale else (time, np.nan, histogram)


def read_histogram(body: _Message, place: _Place) -> tuple[int, Histogram | None]:
    """Read a ``Histogram`` message: its time, and the histogram if its schema is known.

    Raises
    ------
    IndexError, ValueError
        The message is damaged.
    """
    single: dict[int, _Place] = {}
    many: dict[int, list[_Place]] = {}
    for number, first, last in fields(body, *place):
        single[number] = first, last
        many.setdefault(number, []).append((first, last))
    time = _signed(single[15][0]) if 15 in single else 0
    schema = _zigzag(single[4][0]) if 4 in single else 0
    if not is_known(schema):
        return time, None
    custom = tuple(_floats(body, many.get(16, [])).tolist()) if schema == CUSTOM else ()
    hint = single[14][0] if 14 in single else 0
    positive, negative = (
        _buckets(body, [many.get(n + base, []) for n in range(3)], is_float=2 in single)
        for base in (11, 8)
    )
    if schema == CUSTOM and not _fits(positive, negative, custom):
        raise ValueError
    return time, Histogram(
        schema,
        float(single[1][0]) if 1 in single else _number(body, single, 2),
        _number(body, single, 3),
        _number(body, single, 5),
        float(single[6][0]) if 6 in single else _number(body, single, 7),
        positive,
        negative,
        custom,
        ResetHint(hint),
    )


def _buckets(body: _Message, parts: Sequence[Sequence[_Place]], *, is_float: bool) -> Buckets:
    """Buckets of one sign from their spans, the differences of their counts, or these themselves."""
    spans = []
    for first, last in parts[0]:
        numbers = {n: value for n, value, _ in fields(body, first, last)}
        spans.append((_zigzag(numbers.get(1, 0)), numbers.get(2, 0)))
    if is_float:
        counts = _floats(body, parts[2])
    else:
        differences = [_zigzag(each) for place in parts[1] for each in _varints(body, place)]
        counts = np.cumsum(np.array(differences, np.int64)).astype(np.float64)
    if sum(length for _, length in spans) != len(counts):
        raise ValueError
    return Buckets(index_of(spans), counts)


def _fits(positive: Buckets, negative: Buckets, bounds: Sequence[float]) -> bool:
    """Whether the buckets of a custom histogram have bounds, which rise."""
    index: Ints = positive.index
    within = not len(index) or (index[0] >= 0 and index[-1] <= len(bounds))
    return bool(within) and not len(negative) and bool((np.diff(bounds) > 0).all())


def _varints(body: _Message, place: _Place) -> Iterator[int]:
    at, end = place
    while at < end:
        value, at = varint_at(body, at)
        yield value
    if at != end:
        raise ValueError


def _floats(body: _Message, places: Sequence[_Place]) -> Floats:
    return np.frombuffer(b"".join(body[a:b] for a, b in places), "<f8").astype(np.float64)


def _float(body: _Message, place: _Place) -> float:
    [value] = struct.unpack("<d", body[slice(*place)])
    return float(value)


def _number(body: _Message, found: dict[int, _Place], number: int) -> float:
    """A float, 0 where its field is left out."""
    return _float(body, found[number]) if number in found else 0.0


def _zigzag(value: int) -> int:
    return (value >> 1) ^ -(value & 1)


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value
