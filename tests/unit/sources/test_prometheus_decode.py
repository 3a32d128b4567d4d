"""Decoding agrees with `json` and a loop, whatever stands in labels and values."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import BadAnswerError, TooExpensiveError
from workbench.frame import Frame
from workbench.samples import Samples, format_value
from workbench.sources.prometheus.decode import decode_instant, decode_range
from workbench.sources.prometheus.spans import SpanReader, cut
from workbench.window import Window

WINDOW = Window(1_700_000_000_250, 1_700_000_000_250 + 9 * 15_000, 15_000)

hostile = st.one_of(
    st.text(max_size=12),
    st.sampled_from(
        ['"values":[[', '\\"values\\":[[1,"2"]]', "]]", '"]]}', "\x00", "</script>", "NaN", "ü\n\t"]
    ),
)
value = st.one_of(
    st.floats(),
    st.sampled_from([0.0, -0.0, 1e21, 2.0**63, 5e-324, math.inf, -math.inf, math.nan]),
    st.integers(-(10**20), 10**20).map(float),
)


@st.composite
def answers(draw: Any) -> dict[str, Any]:
    """A matrix answer with gaps, in the order and spacing in which servers write it."""
    rows = []
    for _ in range(draw(st.integers(0, 4))):
        steps = sorted(draw(st.sets(st.integers(0, len(WINDOW) - 1))))
        points = [
            [(WINDOW.start_ms + step * WINDOW.step_ms) / 1000, format_value(draw(value))]
            for step in steps
        ]
        rows.append(
            {"metric": draw(st.dictionaries(hostile, hostile, max_size=3)), "values": points}
        )
    return {
        "status": "success",
        "data": {"resultType": "matrix", "result": rows},
        "warnings": draw(st.lists(hostile, max_size=2, unique=True)),
    }


def same(one: float, two: float) -> bool:
    """Equal, NaN to itself too."""
    return one == two or (math.isnan(one) and math.isnan(two))


@settings(max_examples=200)
@given(
    answer=answers(),
    fast=st.booleans(),
    separators=st.sampled_from([(",", ":"), (", ", ": ")]),
    indent=st.sampled_from([None, 1]),
    ascii_only=st.booleans(),
)
def test_every_body_decodes_as_json_does(
    answer: dict[str, Any],
    fast: bool,
    separators: tuple[str, str],
    indent: int | None,
    ascii_only: bool,
) -> None:
    """Compact as servers write, or with blanks as a proxy may: the same frame."""
    body = json.dumps(answer, separators=separators, indent=indent, ensure_ascii=ascii_only).encode(
        "utf-8", "surrogatepass"
    )
    decoded = decode_range(body, WINDOW, "x", most=10**6, fast=fast)
    frame = decoded.data
    assert isinstance(frame, Frame)
    rows = answer["data"]["result"]
    assert [dict(each) for each in frame.labels] == [row["metric"] for row in rows]
    assert decoded.warnings == tuple(answer["warnings"])
    for number, row in enumerate(rows):
        plain = {round(t * 1000): float(text) for t, text in row["values"]}
        assert frame.present[number].sum() == len(plain)
        for time, got, present in zip(
            frame.times_ms.tolist(),
            frame.values[number].tolist(),
            frame.present[number],
            strict=True,
        ):
            assert same(got, plain[time]) if present else (time not in plain and math.isnan(got))


@pytest.mark.parametrize("fast", [True, False])
def test_a_whole_series_and_its_milliseconds(fast: bool) -> None:
    """Times that are no exact binary numbers fall on their steps."""
    window = Window(1_700_000_000_001, 1_700_000_000_001 + 999 * 7, 7)
    points = ",".join(f'[{t / 1000:.3f},"{i}"]' for i, t in enumerate(window.steps.tolist()))
    body = (
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[%b]}]}}'
        % points.encode()
    )
    frame = decode_range(body, window, "x", most=10**6, fast=fast).data
    assert isinstance(frame, Frame)
    assert frame.present.all()
    assert frame.values[0].tolist() == list(range(1_000))


@pytest.mark.parametrize("cut_at", range(1, 140))
def test_a_body_cut_off_anywhere_is_a_bad_answer(cut_at: int) -> None:
    """Truncation never gives a smaller frame."""
    body = b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"a":"b"},"values":[[1,"2"],[2,"3"]]},{"metric":{},"values":[[1,"5"]]}]}}'
    assert len(body) > cut_at
    with pytest.raises(BadAnswerError):
        decode_range(body[:cut_at], Window(1_000, 2_000, 1_000), "x", most=100)


def test_label_values_that_are_not_utf8_are_kept_readable() -> None:
    """Some servers store any bytes."""
    body = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{"a":"x\xff"},"value":[1,"2"]}]}}'
    frame = decode_instant(body, 1_000, "x", most=10).data
    assert frame.labels[0]["a"] == "x\ufffd"


def test_a_frame_holds_cells_not_points() -> None:
    """A thousand sparse series on a long grid cost as much memory as full ones, and count so."""
    rows = ",".join(f'{{"metric":{{"i":"{i}"}},"values":[[0,"1"]]}}' for i in range(100))
    body = f'{{"status":"success","data":{{"resultType":"matrix","result":[{rows}]}}}}'.encode()
    with pytest.raises(TooExpensiveError, match="100 series at 1,001 steps, 100,100 samples"):
        decode_range(body, Window(0, 1_000_000, 1_000), "x", most=100_000)


def test_native_histograms_of_a_vector() -> None:
    body = b'{"status":"success","data":{"resultType":"vector","result":[{"metric":{},"histogram":[1,{"count":"2","sum":"NaN"}]},{"metric":{"a":"b"},"value":[1,"+Inf"]}]}}'
    frame = decode_instant(body, 1_000, "x", most=10).data
    assert isinstance(frame, Frame)
    assert frame.present.all()
    assert frame.histograms[0, 0].count == 2
    assert math.isnan(frame.histograms[0, 0].sum)
    assert frame.values[1, 0] == math.inf


def test_native_histograms_of_a_range_selector() -> None:
    """Between floats, by time; those that cannot be rebuilt are left out, which is said."""
    exponential = b'{"count":"3","sum":"4.5","buckets":[[0,"0.5","1","1"],[0,"1","2","2"]]}'
    custom = b'{"count":"3","sum":"4.5","buckets":[[0,"0.5","1","1"],[0,"1","2.5","2"]]}'
    body = (
        b'{"status":"success","data":{"resultType":"matrix","result":['
        b'{"metric":{"a":"b"},"values":[[1,"7"],[3,"8"]],"histograms":[[2,%b]]},'
        b'{"metric":{},"histograms":[[1,%b],[2,%b]]}]}}' % (exponential, exponential, custom)
    )
    decoded = decode_instant(body, 3_000, "x[1m]", most=10)
    assert isinstance(decoded.data, Samples)
    [(labels, times, values, native)] = decoded.data.native_series()
    assert (labels, times.tolist()) == ({"a": "b"}, [1_000, 2_000, 3_000])
    assert native is not None
    assert [h and h.positive.counts.tolist() for h in native] == [None, [1.0, 2.0], None]
    assert np.isnan(values).tolist() == [False, True, False]
    [gap] = decoded.gaps
    assert "whose buckets are not exponential are left out" in gap


def test_the_samples_that_the_server_read_are_known() -> None:
    body = b'{"status":"success","data":{"resultType":"vector","result":[],"stats":{"samples":{"totalQueryableSamples":123}}}}'
    assert decode_instant(body, 0, "x", most=1).samples_read == 123
    assert decode_instant(body.replace(b"samples", b"others"), 0, "x", most=1).samples_read is None


def test_the_cut_leaves_what_only_looks_like_points() -> None:
    """In a label's value the quotes are escaped; a label called `values` holds no list."""
    body = json.dumps(
        {"metric": {"a": '"values":[[1,"2"]]', "values": "x"}, "values": [[1, "2"]]},
        separators=(",", ":"),
    ).encode()
    found = cut(body)
    assert len(found.spans) == 1
    assert json.loads(found.skeleton) == {
        "metric": {"a": '"values":[[1,"2"]]', "values": "x"},
        "values": 0,
    }


@given(
    st.lists(st.tuples(st.integers(0, 2**41), st.floats(allow_nan=False)), min_size=1, max_size=30)
)
def test_both_readers_agree_bit_by_bit(points: list[tuple[int, float]]) -> None:
    """simdjson and `float` round alike."""
    span = (
        "[" + ",".join(f'[{t / 1000:.3f},"{format_value(v)}"]' for t, v in points) + "]"
    ).encode()
    for fast in (True, False):
        times, values = SpanReader(fast=fast).read(span)
        assert times.tolist() == [t for t, _ in points]
        np.testing.assert_array_equal(values, np.array([v for _, v in points]))
