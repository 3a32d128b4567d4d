"""The body of a remote-read answer: frames of series, each with chunks that are still packed.

The answer to a request that accepts ``STREAMED_XOR_CHUNKS`` is a row of frames: the length as a
varint, a CRC-32C in four bytes, and a ``ChunkedReadResponse``
(https://github.com/prometheus/prometheus/blob/main/prompb/remote.proto). A series that is too
long for one frame goes on in the next.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from workbench.errors import BadAnswerError
from workbench.native import Histograms, no_histograms
from workbench.samples import Floats, Ints, Labels
from workbench.sources.prometheus.raw.crc32c import checksums
from workbench.sources.prometheus.raw.histograms import decode_histograms
from workbench.sources.prometheus.raw.protobuf import fields, varint_at, varints
from workbench.sources.prometheus.raw.samples import Raw, assemble
from workbench.sources.prometheus.raw.xor import decode_chunks

__all__ = ["Packed", "decode", "unpack"]

_XOR: Final = 1
_HISTOGRAMS: Final = 2
_FLOAT_HISTOGRAMS: Final = 3
_CHECKED_FRAMES: Final = 50
"""Checked together: Prometheus fills a frame with one series, up to a megabyte."""
_MEND: Final = "ask again; if it stays so, look at the server's log, or at the proxy in between"


@dataclass(slots=True)
class Packed:
    """Series whose chunks are still packed.

    Parameters
    ----------
    body
        The answer; positions refer to it.
    series
        Each with the number of the query it answers; none stands twice.
    owners, starts, ends
        Of each chunk: its series, and where its message stands.
    """

    body: bytes | bytearray
    series: list[tuple[int, Labels]] = field(default_factory=list)
    owners: list[int] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)


def unpack(body: bytes | bytearray) -> Packed:
    """Find the series and their chunks.

    Raises
    ------
    BadAnswerError
        The answer is truncated, damaged, or something else.
    """
    packed = Packed(body)
    known: dict[tuple[int, frozenset[tuple[str, str]]], int] = {}
    try:
        for start, end in _frames(body):
            message = list(fields(body, start, end))
            query = next((value for number, value, _ in message if number == 2), 0)
            for number, first, last in message:
                if number == 1:
                    _take_series(packed, known, query, (first, last))
    except (IndexError, ValueError):
        msg = "the server's remote-read answer is damaged or broke off"
        raise BadAnswerError(msg, _MEND) from None
    return packed


def _frames(body: bytes | bytearray) -> list[tuple[int, int]]:
    """Where the message of each frame stands; all checksums are right."""
    places: list[tuple[int, int]] = []
    at = 0
    while at < len(body):
        size, at = varint_at(body, at)
        start, end = at + 4, at + 4 + size
        if end > len(body):
            raise ValueError
        places.append((start, end))
        at = end
    for first in range(0, len(places), _CHECKED_FRAMES):
        starts, ends = zip(*places[first : first + _CHECKED_FRAMES], strict=True)
        written = [int.from_bytes(body[start - 4 : start], "big") for start in starts]
        if checksums(body, starts, ends).tolist() != written:
            raise ValueError
    return places


def _take_series(
    packed: Packed,
    known: dict[tuple[int, frozenset[tuple[str, str]]], int],
    query: int,
    place: tuple[int, int],
) -> None:
    body = packed.body
    labels: dict[str, str] = {}
    chunks: list[tuple[int, int]] = []
    for number, first, last in fields(body, *place):
        if number == 2:
            chunks.append((first, last))
        elif number == 1:
            parts = {n: body[a:b].decode() for n, a, b in fields(body, first, last)}
            labels[parts.get(1, "")] = parts.get(2, "")
    key = (query, frozenset(labels.items()))
    owner = known.setdefault(key, len(packed.series))
    if owner == len(packed.series):
        packed.series.append((query, labels))
    for first, last in chunks:
        packed.owners.append(owner)
        packed.starts.append(first)
        packed.ends.append(last)


def decode(packed: Packed, labels: Sequence[Labels], window: tuple[int, int]) -> Raw:
    """Decode the samples within a window.

    Parameters
    ----------
    packed
        See `unpack`.
    labels
        The label set to give each of its series.
    window
        First and last moment wanted, in milliseconds since the epoch.

    Raises
    ------
    BadAnswerError
        A chunk is damaged.
    """
    try:
        columns = _decoded(packed, len(labels), _chunks(packed, window))
    except (IndexError, ValueError):
        msg = "the server's remote-read answer holds a damaged chunk"
        raise BadAnswerError(msg, _MEND) from None
    series, conflicts = assemble(
        labels,
        columns.rows,
        columns.times,
        columns.values,
        window,
        histograms=columns.histograms,
    )
    problems = [*columns.problems]
    if conflicts:
        problems.append(f"of two values at one time the first was kept: {conflicts:,} samples")
    return Raw(series, tuple(problems))


@dataclass(frozen=True, slots=True)
class _Columns:
    """Samples in the order of their series; `rows` says how many each has."""

    rows: Ints
    times: Ints
    values: Floats
    histograms: Histograms | None = None
    problems: tuple[str, ...] = ()


def _decoded(packed: Packed, series: int, chunks: tuple[Ints, Ints, Ints, Ints]) -> _Columns:
    """The samples of chunks of every kind, of so many series."""
    owners, kinds, starts, ends = chunks
    xor = kinds == _XOR
    offsets, times, values = decode_chunks(packed.body, starts[xor], ends[xor])
    rows = np.zeros(series, np.int64)
    np.add.at(rows, owners[xor], np.diff(offsets))
    if xor.all():
        return _Columns(rows, times, values)
    native = (kinds == _HISTOGRAMS) | (kinds == _FLOAT_HISTOGRAMS)
    found = decode_histograms(
        packed.body, starts[native], ends[native], kinds[native] == _FLOAT_HISTOGRAMS
    )
    problems = []
    if others := len(np.unique(owners[~xor & ~native])):
        numbers = ", ".join(map(str, np.unique(kinds[~xor & ~native]).tolist()))
        problems.append(
            f"samples packed in ways that are not known here ({numbers}) are not copied: "
            f"{others:,} series"
        )
    if found.unknown.any():
        many = len(np.unique(owners[native][found.unknown]))
        problems.append(f"native histograms of an unknown schema are not copied: {many:,} series")
    # Stable, so that among equals what stands first stays first.
    native_owner = np.repeat(owners[native], np.diff(found.offsets))
    owner = np.concatenate([np.repeat(np.arange(series), rows), native_owner])
    order = np.argsort(owner, kind="stable")
    histograms = np.concatenate([no_histograms(len(times)), found.histograms])
    return _Columns(
        rows + np.bincount(native_owner, minlength=series),
        np.concatenate([times, found.times_ms])[order],
        np.concatenate([values, found.values])[order],
        histograms[order],
        tuple(problems),
    )


def _chunks(packed: Packed, window: tuple[int, int]) -> tuple[Ints, Ints, Ints, Ints]:
    """Owner, encoding, and place of the data of each chunk that reaches into the window.

    Messages are walked in step, a field of all of them at a time. Chunks are given in the order
    of their series, for a series may go on in a later frame.
    """
    body = np.frombuffer(packed.body, np.uint8)
    owners = np.array(packed.owners, np.int64)
    at, stop = np.array(packed.starts, np.int64), np.array(packed.ends, np.int64)
    numbers = np.zeros((5, len(at)), np.int64)  # by field: 1 first time, 2 last time, 3 encoding
    begin, end = np.zeros(len(at), np.int64), np.zeros(len(at), np.int64)
    left = np.flatnonzero(at < stop)
    while len(left):
        keys, after = varints(body, at[left])
        values, after = varints(body, after)
        signed, wires = values.view(np.int64), keys & np.uint64(7)
        which = np.minimum(keys >> np.uint64(3), np.uint64(4)).view(np.int64)
        data = wires == 2
        if not (data | (wires == 0)).all() or (signed[data] < 0).any():
            raise ValueError
        numbers[np.where(data, 0, which), left] = signed
        payload = data & (keys >> np.uint64(3) == 4)
        begin[left[payload]] = after[payload]
        at[left] = np.where(data, after + signed, after)
        end[left[payload]] = at[left[payload]]
        left = left[at[left] < stop[left]]
    if (at != stop).any():
        raise ValueError
    kept = np.flatnonzero((numbers[1] <= window[1]) & (numbers[2] >= window[0]))
    kept = kept[np.argsort(owners[kept], kind="stable")]
    return owners[kept], numbers[3][kept], begin[kept], end[kept]
