"""The lockstep decoder against an independent one that reads bit by bit."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from xor_reference import decode, encode

from workbench.samples import STALE_NAN, is_stale
from workbench.sources.prometheus.raw import xor
from workbench.sources.prometheus.raw.xor import decode_chunks

ODD_BITS = [
    0,
    1,
    1 << 63,
    (1 << 64) - 1,
    0x7FF0000000000002,  # a staleness marker
    0x7FF8000000000001,  # an ordinary NaN
    0xFFF0000000000000,
]
EDGES = [
    side + shift
    for width in (14, 17, 20)
    for side in (1 << (width - 1), -(1 << (width - 1)))
    for shift in (-1, 0, 1)
]

values = st.one_of(
    st.integers(0, 2**64 - 1),
    st.sampled_from(ODD_BITS),
    st.floats(width=64).map(lambda x: struct.unpack(">Q", struct.pack(">d", x))[0]),
    st.integers(0, 100).map(lambda x: struct.unpack(">Q", struct.pack(">d", x))[0]),
)
changes = st.one_of(
    st.just(0), st.sampled_from(EDGES), st.integers(-(2**13), 2**13), st.integers(-(2**40), 2**40)
)


@st.composite
def chunks(draw):
    """Samples whose distances change by any width, with values of any bits."""
    time = draw(st.integers(-(2**50), 2**50))
    delta = draw(st.integers(0, 2**30))
    rows = draw(st.lists(st.tuples(changes, values), max_size=12))
    samples = []
    for number, (change, bits) in enumerate(rows):
        if number > 1:
            delta += change
        if number:
            time += delta
        samples.append((time, bits))
    return samples


def decoded(encoded):
    """What the decoder makes of chunks that stand behind one another, with some bytes between."""
    data, starts, ends = b"\xff", [], []
    for each in encoded:
        starts.append(len(data))
        data += each
        ends.append(len(data))
        data += b"\xaa\xff"
    offsets, times, floats = decode_chunks(
        data, np.array(starts, np.int64), np.array(ends, np.int64)
    )
    bits = floats.view(np.uint64).tolist()
    pairs = list(zip(times.tolist(), bits, strict=True))
    return [pairs[a:b] for a, b in itertools.pairwise(offsets)]


@given(st.lists(chunks(), min_size=1, max_size=8))
def test_any_chunks(many):
    """Any times, any bits, any number of samples, in any order of lengths."""
    encoded = [encode(samples) for samples in many]
    assert decoded(encoded) == [decode(each) for each in encoded] == many


@given(st.lists(chunks(), min_size=1, max_size=8))
def test_any_chunks_two_at_a_time(many):
    """The same when they do not all fit into one round."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(xor, "_LANES", 2)
        assert decoded([encode(samples) for samples in many]) == many


def test_a_long_chunk_of_a_scrape_with_jitter():
    """As servers write them: 120 samples and more, times that jitter, a counter, then stale."""
    random = np.random.default_rng(5)
    times = np.cumsum(random.integers(14_900, 15_100, 1_000)) + 1_700_000_000_000
    floats = np.append(np.cumsum(random.integers(0, 9, 999)) / 4, STALE_NAN)
    samples = list(zip(times.tolist(), floats.view(np.uint64).tolist(), strict=True))
    data = encode(samples)
    offsets, got_times, got = decode_chunks(data, np.array([0]), np.array([len(data)]))
    assert offsets.tolist() == [0, 1_000]
    assert got_times.tolist() == times.tolist()
    assert got.tobytes() == floats.tobytes()
    assert is_stale(got).tolist() == [False] * 999 + [True]


@given(chunks(), st.data())
def test_a_truncated_chunk_is_refused(samples, data):
    """It ends before the samples that it says to have; what follows is another chunk's."""
    encoded = encode(samples)
    cut = data.draw(st.integers(0, len(encoded) - 1))
    with pytest.raises(ValueError, match="damaged"):
        decode_chunks(encoded[:cut] + b"\xff" * 40, np.array([0]), np.array([cut]))


@given(st.binary(min_size=2, max_size=80))
def test_garbage_is_read_as_the_reference_does_or_refused(garbage):
    """Hostile bytes end in an error, not in a hang, a crash or another reading."""
    try:
        _, times, floats = decode_chunks(garbage, np.array([0]), np.array([len(garbage)]))
    except ValueError:
        return
    want = decode(garbage)
    assert floats.view(np.uint64).tolist() == [bits for _, bits in want]
    assert [t % 2**64 for t in times.tolist()] == [t % 2**64 for t, _ in want]


def test_no_chunk_at_all():
    """Nothing in, nothing out."""
    offsets, times, floats = decode_chunks(b"", np.zeros(0, np.int64), np.zeros(0, np.int64))
    assert (offsets.tolist(), times.tolist(), floats.tolist()) == ([0], [], [])
