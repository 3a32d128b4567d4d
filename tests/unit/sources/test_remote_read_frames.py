"""Frames of remote-read answers, written here by hand: labels, chunks, damage, what is not copied."""

from __future__ import annotations

import contextlib
from pathlib import Path

import numpy as np
import pytest
from histogram_reference import Sample, encode_floats, encode_integers
from hypothesis import given
from hypothesis import strategies as st
from xor_reference import encode

from workbench.errors import BadAnswerError
from workbench.frame import Frame
from workbench.native import CUSTOM, Buckets, Histogram, ResetHint
from workbench.promql.matcher import Matcher
from workbench.samples import STALE_NAN, is_stale
from workbench.sources.prometheus.raw import export
from workbench.sources.prometheus.raw.crc32c import crc32c
from workbench.sources.prometheus.raw.export import _line, _read, _simd_line, lines, simdjson
from workbench.sources.prometheus.raw.frames import decode, unpack
from workbench.sources.prometheus.raw.remote_read import request
from workbench.sources.snapshot import open_snapshot
from workbench.store import write_snapshot

ALWAYS = (-(2**60), 2**60)

Rows = list[tuple[int, float]]


def checksum(data: bytes) -> int:
    """CRC-32C bit by bit."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def number(value: int) -> bytes:
    """A varint."""
    value %= 1 << 64
    if value < 128:
        return bytes([value])
    return bytes([value & 127 | 128]) + number(value >> 7)


def entry(field: int, value: int | bytes) -> bytes:
    """A protobuf field."""
    if isinstance(value, int):
        return number(field << 3) + number(value)
    return number(field << 3 | 2) + number(len(value)) + value


def chunk(rows: Rows, kind: int = 1) -> bytes:
    """One chunk of a series."""
    bits = np.array([v for _, v in rows]).view(np.uint64).tolist()
    data = encode([(t, b) for (t, _), b in zip(rows, bits, strict=True)])
    first, last = min(t for t, _ in rows), max(t for t, _ in rows)
    return entry(1, first) + entry(2, last) + entry(3, kind) + entry(4, data)


def series(labels: dict[str, str], *chunks: bytes) -> bytes:
    """A series with its chunks."""
    pairs = [entry(1, entry(1, k.encode()) + entry(2, v.encode())) for k, v in labels.items()]
    return b"".join([*pairs, *(entry(2, each) for each in chunks)])


def frame(*many: bytes, query: int = 0) -> bytes:
    """A frame of series."""
    message = b"".join(entry(1, each) for each in many) + (entry(2, query) if query else b"")
    return number(len(message)) + checksum(message).to_bytes(4, "big") + message


def read(body: bytes, window: tuple[int, int] = ALWAYS) -> tuple[list, tuple[str, ...]]:
    """Everything that a body holds."""
    packed = unpack(body)
    raw = decode(packed, [labels for _, labels in packed.series], window)
    return [(dict(k), list(zip(t.tolist(), v.tolist(), strict=True))) for k, t, v in raw.series], (
        raw.problems
    )


@given(st.binary(max_size=700))
def test_the_checksum(data: bytes) -> None:
    """Equal to one made bit by bit."""
    assert crc32c(data) == checksum(data)


def test_a_series_in_several_frames_and_chunks() -> None:
    """Chunks out of order, overlapping, and in a later frame come together, sorted, once."""
    a, b = {"__name__": "m", "i": 'ü"\n'}, {"__name__": "a"}
    body = frame(
        series(a, chunk([(30, 3.0), (40, 4.0)]), chunk([(10, 1.0), (20, 2.0), (30, 3.0)]))
    ) + frame(series(b, chunk([(5, 5.0)])), series(a, chunk([(50, 5.0)])))
    assert read(body) == (
        [(b, [(5, 5.0)]), (a, [(10, 1.0), (20, 2.0), (30, 3.0), (40, 4.0), (50, 5.0)])],
        (),
    )


def test_one_label_set_in_two_queries_is_two_series() -> None:
    """Queries are told apart: external labels may make series of two look alike."""
    labels = {"__name__": "m"}
    body = frame(series(labels, chunk([(1, 1.0)]))) + frame(
        series(labels, chunk([(1, 2.0)])), query=1
    )
    assert [query for query, _ in unpack(body).series] == [0, 1]


@pytest.mark.parametrize("window", [(10, 40), (11, 39), (20, 20), (41, 50), (0, 9)])
def test_chunks_are_cut_to_the_window(window: tuple[int, int]) -> None:
    """Both ends belong to it; a series with nothing in it is left out."""
    rows = [(10, 1.0), (20, 2.0), (30, 3.0), (40, 4.0)]
    kept = [(t, v) for t, v in rows if window[0] <= t <= window[1]]
    found, _ = read(frame(series({"a": "b"}, chunk(rows[:2]), chunk(rows[2:]))), window)
    assert [each for _, each in found] == ([kept] if kept else [])


def test_stale_markers_keep_their_bits() -> None:
    """And are told from NaN."""
    packed = unpack(frame(series({"a": "b"}, chunk([(1, STALE_NAN), (2, float("nan"))]))))
    [(_, _, values)] = decode(packed, [{"a": "b"}], ALWAYS).series
    assert is_stale(values).tolist() == [True, False]


def packed_histograms(samples: list[Sample], kind: int = 2, flags: int = 0) -> bytes:
    """One chunk of native histograms."""
    data = (encode_integers if kind == 2 else encode_floats)(samples, flags)
    times = [t for t, _ in samples]
    return entry(1, min(times)) + entry(2, max(times)) + entry(3, kind) + entry(4, data)


def test_what_is_not_copied_is_counted() -> None:
    """Chunks of other kinds, histograms of other schemas, moments with two values."""
    strange = [(1, Histogram(9, 1.0, 1.0))]
    body = frame(
        series({"a": "1"}, chunk([(1, 1.0)], 5), chunk([(2, 1.0)], 6)),
        series({"a": "2"}, chunk([(1, 1.0)], 5), chunk([(5, 1.0)]), packed_histograms(strange)),
        series({"a": "3"}, chunk([(1, 1.0), (2, 2.0)]), chunk([(2, 3.0), (3, 3.0)])),
    )
    found, problems = read(body)
    assert [rows for _, rows in found] == [[(5, 1.0)], [(1, 1.0), (2, 2.0), (3, 3.0)]]
    assert problems == (
        "samples packed in ways that are not known here (5, 6) are not copied: 2 series",
        "native histograms of an unknown schema are not copied: 1 series",
        "of two values at one time the first was kept: 1 samples",
    )


def histogram(count: float, *, hint: ResetHint = ResetHint.UNKNOWN) -> Histogram:
    """A histogram with one bucket."""
    return Histogram(0, count, 2 * count, positive=Buckets.dense(1, [count]), hint=hint)


def test_a_series_of_floats_and_histograms() -> None:
    """Floats first, then histograms of both kinds, a staleness marker, and floats again."""
    labels = {"__name__": "m"}
    body = frame(
        series(labels, chunk([(1, 1.0), (2, 2.0)]), chunk([(9, 9.0)])),
        series(
            labels,
            packed_histograms([(3, histogram(1)), (4, histogram(2)), (5, None)]),
            packed_histograms([(6, histogram(1.5)), (7, histogram(2.5))], 3),
        ),
        series({"__name__": "n"}, chunk([(4, 4.0)])),
    )
    packed = unpack(body)
    raw = decode(packed, [labels for _, labels in packed.series], (2, 9))
    [(got, times, values, native), other] = raw.series
    assert (got, len(other), raw.problems) == (labels, 3, ())
    assert times.tolist() == [2, 3, 4, 5, 6, 7, 9]
    assert is_stale(values).tolist() == [t == 5 for t in times.tolist()]
    assert [h and h.count for h in native] == [None, 1.0, 2.0, None, 1.5, 2.5, None]
    assert [h.hint.name for h in native if h] == ["UNKNOWN", "NOT_RESET"] * 2


def test_chunks_of_histograms_that_overlap() -> None:
    """Each moment once; a hint that spoke of another sample is dropped, a gauge stays a gauge."""
    early = [(t, histogram(t)) for t in (1, 2, 3, 5)]
    late = [(t, histogram(t)) for t in (3, 4, 5, 6)]
    other = [(t, histogram(t + (t == 4))) for t in (4, 5)]
    for flags, hints in ((0, "URRUUU"), (3, "GGGGGG")):
        chunks = [packed_histograms(each, 2, flags) for each in (early, late, other)]
        packed = unpack(frame(series({"a": "b"}, *chunks)))
        raw = decode(packed, [{"a": "b"}], ALWAYS)
        [(_, times, _, native)] = raw.series
        assert times.tolist() == [1, 2, 3, 4, 5, 6]
        assert [h.count for h in native] == [1, 2, 3, 4, 5, 6]
        initials = {"UNKNOWN": "U", "NOT_RESET": "R", "GAUGE": "G"}
        assert "".join(initials[h.hint.name] for h in native) == hints
        assert raw.problems == ("of two values at one time the first was kept: 1 samples",)


@given(st.data())
def test_damage_is_refused(data: st.DataObject) -> None:
    """A truncated body, one with a changed byte, one with an error's text behind it."""
    whole = frame(series({"a": "b"}, chunk([(1, 1.0), (2, 2.5)]))) * 2
    half = len(whole) // 2
    cut = data.draw(st.integers(1, len(whole) - 1).filter(lambda n: n != half))
    at = data.draw(st.integers(0, len(whole) - 1))
    changed = bytearray(whole)
    changed[at] ^= data.draw(st.integers(1, 255))
    for body in (whole[:cut], bytes(changed), whole + b"context canceled\n"):
        with pytest.raises(BadAnswerError, match="damaged or broke off"):
            unpack(body)


@given(st.binary(max_size=60))
def test_hostile_messages_end_in_one_error(message: bytes) -> None:
    """Whatever a frame with a right checksum holds."""
    body = number(len(message)) + checksum(message).to_bytes(4, "big") + message
    with contextlib.suppress(BadAnswerError):
        packed = unpack(body)
        decode(packed, [labels for _, labels in packed.series], ALWAYS)


def test_a_request() -> None:
    """Byte by byte: equality goes as a regular expression, times may be negative."""
    matchers = [Matcher("a", "=", "x.y"), Matcher("b", "!=", ""), Matcher("c", "!~", "z+")]
    query = entry(1, -5) + entry(2, 300)
    query += entry(3, entry(1, 2) + entry(2, b"a") + entry(3, rb"x\.y"))
    query += entry(3, entry(1, 1) + entry(2, b"b") + entry(3, b""))
    query += entry(3, entry(1, 3) + entry(2, b"c") + entry(3, b"z+"))
    message = entry(1, query) + entry(2, 1)
    block = number(len(message)) + b"\xf4" + (len(message) - 1).to_bytes(2, "little") + message
    assert request([matchers], (-5, 300)) == block


@given(st.lists(st.binary(max_size=20), max_size=5), st.integers(1, 7))
def test_lines_of_a_body_in_pieces(parts: list[bytes], size: int) -> None:
    """However the body is cut."""
    body = b"\n".join(parts)
    pieces = (body[i : i + size] for i in range(0, len(body), size))
    assert list(lines(pieces)) == [line for line in body.split(b"\n") if line]


LINE = b'{"metric":{"__name__":"m","a":"]\\"values\\":[1"},"values":[%s],"timestamps":[1,2,3]}'


@pytest.mark.parametrize("decoder", [_line, *([_simd_line()] if simdjson else [])])
@pytest.mark.parametrize(
    ("values", "want"),
    [
        (b"1,2.5,-3e300", [1.0, 2.5, -3e300]),
        (b"1,null,2", [1.0, STALE_NAN, 2.0]),
        (b'"Infinity",-0.5,"-Infinity"', [float("inf"), -0.5, float("-inf")]),
        (b"+Inf,-Inf,NaN", [float("inf"), float("-inf"), STALE_NAN]),
    ],
)
def test_values_of_an_export(
    monkeypatch: pytest.MonkeyPatch, decoder: object, values: bytes, want: list[float]
) -> None:
    """Numbers, null and infinities as all versions write them, under labels that look alike."""
    monkeypatch.setattr(export, "simdjson", True)
    monkeypatch.setattr(export, "_simd_line", lambda: decoder)
    raw = _read(iter([LINE % values + b"\n"]), (0, 10))
    [(labels, times, got)] = raw.series
    assert labels == {"__name__": "m", "a": ']"values":[1'}
    assert times.tolist() == [1, 2, 3]
    assert got.tobytes() == np.array(want).tobytes()


@pytest.mark.parametrize(
    "body",
    [
        b"cannot export data",
        LINE % b"1,2",
        LINE % b"1,2,x",
        (LINE % b"1,2,3")[:-9],
        b'{"metric":{}}',
        b"[]",
    ],
)
def test_a_damaged_export_is_refused(body: bytes) -> None:
    """Text of an error, a line that broke off, columns of two lengths."""
    with pytest.raises(BadAnswerError, match="damaged or broke off"):
        _read(iter([LINE % b"1,2,3" + b"\n", body]), (0, 10))


def test_custom_bounds_from_a_chunk_to_an_answer(tmp_path: Path) -> None:
    """Read from a chunk, kept in a snapshot, asked by PromQL: quantiles within custom bounds."""
    bounds = (0.1, 0.25, 1.0)
    samples: list[Sample] = [
        (n * 15_000, Histogram(CUSTOM, 4.0 * n, 1.0 * n, positive=counts, custom_values=bounds))
        for n in range(1, 41)
        for counts in [Buckets(np.array([0, 2]), np.array([1.0 * n, 3.0 * n]))]
    ]
    packed = unpack(frame(series({"__name__": "h"}, packed_histograms(samples))))
    write_snapshot(tmp_path / "copy", decode(packed, [{"__name__": "h"}], ALWAYS).series)
    source = open_snapshot(str(tmp_path / "copy"))
    for expression, want in {
        "histogram_count(increase(h[5m]))": 4.0 * 20,
        "histogram_quantile(0.25, rate(h[5m]))": 0.1,
        "histogram_quantile(0.625, rate(h[5m]))": 0.25 + 0.75 / 2,
    }.items():
        answer = source.query(expression, 600_000).data
        assert isinstance(answer, Frame)
        assert answer.values.tolist() == [[pytest.approx(want)]]
    shown = source.query("h", 600_000).data
    assert isinstance(shown, Frame)
    assert shown.histograms[0, 0].rows().upper.tolist() == [0.1, 1.0]
