"""Remote-read answers of samples in place of chunks: floats, native histograms, damage."""

from __future__ import annotations

import contextlib
import struct

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from native_feed import field, snappy, time_series, truth, varint, zigzag

from workbench.errors import BadAnswerError
from workbench.native import CUSTOM, Buckets, Histogram, ResetHint
from workbench.samples import NativeSeries, is_stale
from workbench.sources.prometheus.raw.sampled import unpack_sampled

ALWAYS = (-(2**60), 2**60)


def answer(*queries: list[bytes]) -> bytes:
    """A snappy block with the series of each query."""
    return snappy(b"".join(field(1, b"".join(field(1, one) for one in each)) for each in queries))


def whole(one: NativeSeries) -> bytes:
    """A series with all its samples."""
    return time_series(one, slice(None))


def read(
    block: bytes, window: tuple[int, int] = ALWAYS
) -> tuple[list[NativeSeries], tuple[str, ...]]:
    """Everything that a block holds."""
    found = unpack_sampled(block)
    raw = found.decode([labels for _, labels in found.series], window)
    return [(*one, None)[:4] for one in raw.series], raw.problems  # type: ignore[misc]


def test_all_that_a_server_may_hold() -> None:
    """Integers, floats, gauges, a staleness marker, floats before: hints and all."""
    got, problems = read(answer([whole(one) for one in truth()]))
    assert problems == ()
    by_kind = {labels["kind"]: columns for labels, *columns in got}
    for labels, times, values, native in truth():
        t, v, h = by_kind[labels["kind"]]
        assert t.tolist() == times.tolist()
        assert v.tobytes() == values.tobytes()
        assert is_stale(v).tolist() == is_stale(values).tolist()
        assert (h is None) == (native is None)
        for one, other in zip(*(([], []) if h is None else (h, native)), strict=True):
            assert (one is None) == (other is None)
            assert one is None or (one.same(other) and one.hint is other.hint)
    assert any(is_stale(columns[1]).any() for columns in by_kind.values())


def test_a_block_that_is_compressed() -> None:
    """As a server sends it."""
    [one] = [one for one in truth() if one[0]["kind"] == "plain"]
    body = field(1, field(1, whole(one)))
    block = pa.Codec("snappy").compress(body, asbytes=True)
    assert len(block) < len(body)
    [(labels, times, values, native)] = read(block, (int(one[1][3]), int(one[1][9])))[0]
    assert (labels, native) == (one[0], None)
    assert times.tolist() == one[1][3:10].tolist()
    assert values.tolist() == one[2][3:10].tolist()


def custom(schema: int, bounds: tuple[float, ...], index: int = 0) -> bytes:
    """A histogram message with bounds of its own, both ways in which a list may be written."""
    span = varint(1 << 3) + zigzag(index) + field(2, 2)
    out = field(1, 3) + field(3, 4.5) + varint(4 << 3) + zigzag(schema) + field(11, span)
    out += field(12, zigzag(1) + zigzag(1)) + field(14, 2) + field(15, 7)
    out += field(16, struct.pack(f"<{len(bounds) - 1}d", *bounds[:-1])) + field(16, bounds[-1])
    return field(1, field(1, b"a") + field(2, b"b")) + field(4, out)


def test_custom_bounds() -> None:
    """They stand beside the counts."""
    [(labels, times, _, native)], _ = read(answer([custom(CUSTOM, (0.5, 1.0, 2.5))]))
    assert (labels, times.tolist()) == ({"a": "b"}, [7])
    assert native is not None
    want = Histogram(
        CUSTOM, 3.0, 4.5, positive=Buckets.dense(0, [1, 2]), custom_values=(0.5, 1.0, 2.5)
    )
    assert native[0].same(want)
    assert native[0].hint is ResetHint.NOT_RESET


@pytest.mark.parametrize(("bounds", "index"), [((1.0, 0.5), 0), ((0.5, 1.0), 2), ((0.5, 1.0), -1)])
def test_custom_bounds_that_cannot_be(bounds: tuple[float, ...], index: int) -> None:
    """They must rise, and each bucket must have some."""
    with pytest.raises(BadAnswerError, match="damaged"):
        read(answer([custom(CUSTOM, bounds, index)]))


def test_a_schema_of_the_future_is_told() -> None:
    """Its histograms are counted by series, the samples beside them kept."""
    body = custom(9, (0.5, 1.0)) + field(2, field(1, 3.0) + field(2, 9))
    [(_, times, values, native)], problems = read(answer([body]))
    assert (times.tolist(), values.tolist(), native) == ([9], [3.0], None)
    assert problems == ("native histograms of an unknown schema are not copied: 1 series",)


def test_a_series_in_two_queries_and_twice_in_one() -> None:
    """Queries are told apart; of two values at one time the first is kept."""
    labels = field(1, field(1, b"a") + field(2, b"b"))
    one, two = (labels + field(2, field(1, v) + field(2, -5)) for v in (1.0, 2.0))
    found = unpack_sampled(answer([one, two], [], [two]))
    assert found.series == [(0, {"a": "b"}), (2, {"a": "b"})]
    raw = found.decode([{"q": "0"}, {"q": "2"}], ALWAYS)
    assert [(t.tolist(), v.tolist()) for _, t, v in raw.series] == [([-5], [1.0]), ([-5], [2.0])]
    assert raw.problems == ("of two values at one time the first was kept: 1 samples",)
    assert unpack_sampled(answer()).decode([], ALWAYS).series == []


@given(st.data())
def test_damage_ends_in_one_error(data: st.DataObject) -> None:
    """Whatever the bytes are; a length that promises the impossible is refused unread."""
    good = answer([custom(CUSTOM, (0.5, 1.0, 2.5))])
    block = bytearray(data.draw(st.binary(max_size=40) | st.just(good)))
    if block:
        block[data.draw(st.integers(0, len(block) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(BadAnswerError):
        read(bytes(block))
    with pytest.raises(BadAnswerError):
        unpack_sampled(varint(1 << 40) + good)


def test_times_are_columns_of_integers() -> None:
    """Times keep all their digits."""
    labels = field(1, field(1, b"a") + field(2, b"b"))
    at = 2**53 + 1
    [(_, times, _, _)], _ = read(answer([labels + field(2, field(1, 1.0) + field(2, at))]))
    assert times.dtype == np.int64
    assert times.tolist() == [at]
