"""Chunks of native histograms, written here bit by bit, are read as they were meant.

Custom bounds are tested here alone: Prometheus has them since 2.55, and the server that the
contract tests run is older.
"""

from __future__ import annotations

import contextlib
import math
from itertools import pairwise

import numpy as np
import pytest
from histogram_reference import Sample, encode_floats, encode_integers
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.native import CUSTOM, Buckets, Histogram, ResetHint
from workbench.samples import is_stale
from workbench.sources.prometheus.raw.histograms import decode_histograms
from workbench.sources.prometheus.raw.layout import index_of

STALE = None
GAUGE = 3


def decoded(chunks: list[tuple[bytes, bool]]) -> list[list[Sample]]:
    """Decode chunks that stand in one body, with bytes between them."""
    body, places = bytearray(b"\xff"), []
    for data, _ in chunks:
        places.append((len(body), len(body) + len(data)))
        body += data + b"\xff"
    starts, ends = np.array(places, np.int64).reshape(-1, 2).T
    found = decode_histograms(body, starts, ends, np.array([f for _, f in chunks], bool))
    assert (is_stale(found.values) == (found.histograms == np.array(None))).all()
    assert np.isnan(found.values).all()
    samples = list(zip(found.times_ms.tolist(), found.histograms.tolist(), strict=True))
    cuts = found.offsets.tolist()
    return [samples[a:b] for a, b in pairwise(cuts)]


def check(found: list[Sample], want: list[Sample]) -> None:
    """Samples are the same, whatever their hints."""
    assert [t for t, _ in found] == [t for t, _ in want]
    for (_, one), (_, other) in zip(found, want, strict=True):
        assert (one is None) == (other is None)
        assert one is None or (one.same(other) and one.alike(other))


def buckets(draw: st.DrawFn, index: list[int], count: st.SearchStrategy[float]) -> Buckets:
    """Counts for the buckets of a chunk."""
    counts = draw(st.lists(count, min_size=len(index), max_size=len(index)))
    return Buckets(np.array(index, np.int64), np.array(counts, np.float64))


@st.composite
def chunks(draw: st.DrawFn) -> tuple[list[Sample], bool]:
    """The samples of a chunk, and whether their counts are floats."""
    is_float = draw(st.booleans())
    custom = draw(st.booleans())
    count: st.SearchStrategy[float] = (
        st.floats(0, 1e300) if is_float else st.integers(0, 2**50).map(float) | st.just(0.0)
    )
    positive = sorted(draw(st.sets(st.integers(-2_000, 2_000), max_size=9)))
    negative = sorted(draw(st.sets(st.integers(-9, 9), max_size=5)))
    bounds: tuple[float, ...] = ()
    if custom:
        bounds = tuple(sorted(draw(st.sets(st.floats(-5, 1e6) | st.just(0.25), max_size=9))))
        positive, negative = sorted({i % (len(bounds) + 1) for i in positive}), []
    threshold = draw(st.sampled_from([0.0, 2.0**-128, 2.0**10, 2.0**-243, 0.001, 2.0**11]))
    schema = CUSTOM if custom else draw(st.integers(-4, 8))
    times = draw(st.lists(st.integers(0, 2**40), min_size=1, max_size=8, unique=True))
    made: list[Sample] = [
        (
            t,
            Histogram(
                schema,
                draw(count),
                draw(st.floats()),
                threshold,
                draw(count),
                buckets(draw, positive, count),
                buckets(draw, negative, count),
                bounds,
            ),
        )
        for t in sorted(times)
    ]
    stale = [(made[-1][0] + 1 + i, STALE) for i in range(draw(st.integers(0, 2)))]
    return [*made, *stale], is_float


@settings(max_examples=80)
@given(st.lists(chunks(), max_size=6))
def test_any_chunks_are_read_back(many: list[tuple[list[Sample], bool]]) -> None:
    """Integers and floats, custom bounds, staleness markers, chunks of all sizes together."""
    encoded = [
        (encode_floats(samples) if is_float else encode_integers(samples), is_float)
        for samples, is_float in many
    ]
    for found, (want, _) in zip(decoded(encoded), many, strict=True):
        check(found, want)


def steady(count: int, size: int, *, custom: bool = False) -> list[Sample]:
    """A series that grows in `size` buckets."""
    return [
        (
            1_000_000 + 15_000 * n,
            Histogram(
                CUSTOM if custom else 3,
                float(n * size),
                0.1 * n,
                positive=Buckets.dense(0, [float(n)] * size),
                custom_values=tuple(0.1 * (i + 1) for i in range(size - 1)) if custom else (),
            ),
        )
        for n in range(count)
    ]


def test_many_chunks_of_many_sizes() -> None:
    """From no bucket to 160, one sample to 300."""
    many = [steady(1 + 7 * i % 300, i) for i in (*range(0, 160, 7), 160)]
    for found, want in zip(decoded([(encode_integers(m), False) for m in many]), many, strict=True):
        check(found, want)


@pytest.mark.parametrize("encode", [encode_integers, encode_floats])
def test_custom_bounds(encode: object) -> None:
    """Bounds in thousandths, and such as take all their bits: 0.1 × 3 is not 0.3."""
    want = steady(5, 9, custom=True)
    [found] = decoded([(encode(want), encode is encode_floats)])  # type: ignore[operator]
    check(found, want)
    assert found[0][1] is not None
    assert found[0][1].custom_values[2] == 0.1 * 3 != 0.3


@pytest.mark.parametrize(
    ("flags", "hints"),
    [
        (0, [ResetHint.UNKNOWN, ResetHint.NOT_RESET]),
        (1, [ResetHint.UNKNOWN, ResetHint.NOT_RESET]),
        (2, [ResetHint.UNKNOWN, ResetHint.NOT_RESET]),
        (GAUGE, [ResetHint.GAUGE, ResetHint.GAUGE]),
    ],
)
def test_hints(flags: int, hints: list[ResetHint]) -> None:
    """A chunk's first sample may follow another than the head says; gauges are gauges."""
    for encode, is_float in ((encode_integers, False), (encode_floats, True)):
        [found] = decoded([(encode(steady(2, 3), flags), is_float)])
        assert [h.hint for _, h in found if h] == hints


def test_a_schema_of_the_future_is_told() -> None:
    """Its chunk gives no sample, the one beside it all of its own."""
    strange = [(1, Histogram(9, 1.0, 1.0, positive=Buckets.dense(0, [1.0])))]
    bodies = [encode_integers(strange), encode_integers(steady(2, 3))]
    body = b"".join(bodies)
    starts = np.array([0, len(bodies[0])], np.int64)
    ends = np.array([len(bodies[0]), len(body)], np.int64)
    found = decode_histograms(body, starts, ends, np.zeros(2, bool))
    assert found.unknown.tolist() == [True, False]
    assert found.offsets.tolist() == [0, 0, 2]


@given(st.data())
def test_damage_ends_in_one_error(data: st.DataObject) -> None:
    """Whatever a chunk's bytes are: samples or a ValueError, soon and within little memory."""
    good = encode_integers(steady(3, 4, custom=data.draw(st.booleans())))
    body = bytearray(data.draw(st.binary(max_size=60) | st.just(good)))
    if body:
        body[data.draw(st.integers(0, len(body) - 1))] ^= data.draw(st.integers(1, 255))
    is_float = np.array([data.draw(st.booleans())])
    with contextlib.suppress(ValueError):
        decode_histograms(body, np.array([0]), np.array([len(body)]), is_float)


@pytest.mark.parametrize("cut", range(1, 30))
def test_a_chunk_cut_short_is_damaged(cut: int) -> None:
    """Even where other bytes follow it."""
    whole = encode_floats(steady(3, 4))
    end = len(whole) - cut
    with pytest.raises(ValueError, match="damaged"):
        decode_histograms(whole + b"\0" * 99, np.array([0]), np.array([end]), np.array([True]))


@pytest.mark.parametrize(
    "spans", [[(0, -1)], [(0, 1), (-1, 1)], [(2**31, 1)], [(0, 2**31)], [(-(2**40), 1)]]
)
def test_spans_that_cannot_be(spans: list[tuple[int, int]]) -> None:
    """Backwards, or beyond 32 bits."""
    with pytest.raises(ValueError, match="spans"):
        index_of(spans)


@pytest.mark.parametrize("bounds", [(2.0, 1.0), (1.0, 1.0), (math.nan,)])
def test_custom_bounds_that_cannot_be(bounds: tuple[float, ...]) -> None:
    """Bounds must rise."""
    body = encode_integers([(1, Histogram(CUSTOM, custom_values=bounds))])
    with pytest.raises(ValueError, match="damaged"):
        decode_histograms(body, np.array([0]), np.array([len(body)]), np.array([False]))
