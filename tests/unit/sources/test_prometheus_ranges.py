"""Long ranges: cut without gap or overlap, joined to what one answer would have been."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.frame import Frame, NativeHistogram
from workbench.sources.prometheus.decode import Decoded
from workbench.sources.prometheus.ranges import ask_pieces, join, pieces, pin_ends
from workbench.window import Window


@given(
    points=st.integers(1, 60_000),
    step=st.integers(1, 10**6),
    most=st.integers(40, 30_000),
    rest=st.integers(0, 10**6),
)
def test_pieces_hold_every_step_once(points: int, step: int, most: int, rest: int) -> None:
    """Their grids, one after the other, are the whole grid; none is longer than allowed."""
    window = Window(7, 7 + (points - 1) * step + rest % step, step)
    parts = pieces(window, most)
    assert max(len(part) for part in parts) <= most
    np.testing.assert_array_equal(np.concatenate([part.steps for part in parts]), window.steps)


def test_what_fits_is_not_cut() -> None:
    assert len(pieces(Window(0, 10_999_000, 1_000))) == 1
    assert [len(part) for part in pieces(Window(0, 43_199_000, 1_000))] == [4_320] * 10


@pytest.mark.parametrize(
    ("expression", "pinned"),
    [
        ("up @ end()", "up @ 100"),
        ("up @start () + up @ end( )", "up @10 + up @ 100"),
        ("rate(x[5m] @ end()) / range()", "rate(x[5m] @ 100) / 90"),
        ('{a="@ end()"} @ end()', '{a="@ end()"} @ 100'),
        ("{a='\\'end()'} @ end()", "{a='\\'end()'} @ 100"),
        ("{a=`end()\\`} @ end()", "{a=`end()\\`} @ 100"),
        ('up # end() of "it"\n@ end()', 'up # end() of "it"\n@ 100'),
        ("my_start() + trend() + job:end()", "my_start() + trend() + job:end()"),
        ("start + end", "start + end"),
        ("sum by (start, end) (up)", "sum by (start, end) (up)"),
    ],
)
def test_ends_are_pinned_outside_strings_and_comments(expression: str, pinned: str) -> None:
    assert pin_ends(expression, Window(10_000, 100_000, 1_000)) == pinned


def test_large_times_are_written_without_exponent() -> None:
    """PromQL takes 1e9 for a duration nowhere; an `@` wants plain digits."""
    assert (
        pin_ends("x @ start() + x @ end()", Window(1_700_000_000_500, 2_000_000_000_000, 500))
        == "x @ 1700000000.5 + x @ 2000000000"
    )


def _frame(labels: list[dict[str, str]], window: Window, base: float) -> Frame:
    values = base + np.arange(len(labels) * len(window), dtype=np.float64).reshape(
        len(labels), len(window)
    )
    return Frame("matrix", labels, window.steps, values, np.ones(values.shape, bool), "x")


def test_series_that_come_and_go_are_joined_in_order() -> None:
    """One in both pieces, one in the first only, one in the second only; sorted as servers do."""
    window = Window(0, 3_000, 1_000)
    first, second = window.split(2)
    one = _frame([{"a": "2"}, {"a": "1", "b": "x"}], first, 0)
    two = _frame([{"a": "1"}, {"a": "2"}], second, 100)
    two = Frame(
        two.kind,
        two.labels,
        two.times_ms,
        two.values,
        two.present,
        "x",
        {(1, 0): NativeHistogram(1, 2)},
    )
    joined = join([Decoded(one, ("w",), ("g",), 5), Decoded(two, ("w", "v"), (), 6)], window, "x")
    frame = joined.data
    assert isinstance(frame, Frame)
    assert [dict(each) for each in frame.labels] == [{"a": "1"}, {"a": "1", "b": "x"}, {"a": "2"}]
    assert frame.present.tolist() == [
        [False, False, True, True],
        [True, True, False, False],
        [True] * 4,
    ]
    assert frame.values[0, 2:].tolist() == [100, 101]
    assert frame.values[1, :2].tolist() == [2, 3]
    assert frame.values[2].tolist() == [0, 1, 102, 103]
    assert list(frame.histograms) == [(2, 2)]
    assert (joined.warnings, joined.gaps, joined.samples_read) == (("w", "v"), ("g",), 11)


def test_empty_pieces_join_to_an_empty_frame() -> None:
    window = Window(0, 3_000, 1_000)
    joined = join([Decoded(_frame([], part, 0)) for part in window.split(2)], window, "x")
    assert isinstance(joined.data, Frame)
    assert joined.data.values.shape == (0, 4)
    assert joined.samples_read is None


def test_two_threads_at_most_and_in_order() -> None:
    """The answers come in the order of the pieces, whichever was quicker."""
    under_way, most, lock = 0, 0, threading.Lock()
    pause = threading.Event()

    def ask(part: Window) -> Decoded:
        nonlocal under_way, most
        with lock:
            under_way += 1
            most = max(most, under_way)
        pause.wait(0.02 if part.start_ms == 0 else 0.005)
        with lock:
            under_way -= 1
        return Decoded(_frame([], part, 0))

    parts = list(Window(0, 9_000, 1_000).split(1))
    found = ask_pieces(ask, parts)
    assert [each.data.times_ms[0] for each in found] == [part.start_ms for part in parts]  # type: ignore[union-attr]
    assert most == 2


def test_the_error_of_a_piece_is_raised() -> None:
    def ask(part: Window) -> Decoded:
        if part.start_ms:
            raise KeyError(part.start_ms)
        return Decoded(_frame([], part, 0))

    with pytest.raises(KeyError):
        ask_pieces(ask, list(Window(0, 9_000, 1_000).split(1)))
