"""A query stops before it takes more memory or time than it may."""

import numpy as np
import pytest
from engine_data import Rows, every

from workbench.engine import Engine, Limits
from workbench.errors import TooExpensiveError

SERIES = [every(1000, *range(100), i=str(i)) for i in range(10)]


def test_reading_too_many_samples_is_refused():
    """Ten series of a hundred samples are more than five hundred."""
    engine = Engine(Rows(*SERIES), limits=Limits(max_samples=500))
    with pytest.raises(TooExpensiveError, match="reads more than 500 samples"):
        engine.instant("sum_over_time(m[1h])", 99_000)
    assert engine.instant("sum_over_time(m[10s])", 99_000).samples_read == 100


def test_a_large_result_is_refused_before_it_is_made():
    """Ten million steps of ten series are refused; their memory is never asked for."""
    engine = Engine(Rows(*SERIES), limits=Limits(max_samples=20_000_000))
    with pytest.raises(TooExpensiveError, match=r"10 series × 10,000,001 steps"):
        engine.range("m", 0, 10_000_000_000, 1000)


def test_a_subquery_too_fine_is_refused():
    """A year at a millisecond is 31 thousand million moments."""
    with pytest.raises(TooExpensiveError, match="steps is more than"):
        Engine(Rows(*SERIES)).instant("sum_over_time(m[1y:1ms])", 99_000)


def test_time_runs_out():
    """No time at all is enough for nothing."""
    engine = Engine(Rows(*SERIES), limits=Limits(timeout_seconds=-1))
    with pytest.raises(TooExpensiveError, match="took longer than -1 s"):
        engine.instant("m", 0)


def test_the_same_selection_is_read_once():
    """Both sides of a division ask for the same samples."""
    evaluation = Engine(Rows(*SERIES)).instant("m / m", 99_000)
    assert evaluation.samples_read == 1000
    assert np.isfinite(evaluation.data.values).all()


def test_more_points_than_a_server_would_give_come_back_whole():
    """Thirty days at a minute are 43,200 points a series."""
    frame = Engine(Rows(*SERIES)).range("m", 0, 43_199 * 60_000, 60_000).data
    assert frame.values.shape == (10, 43_200)


def test_an_interrupt_passes_through():
    """Ctrl-C while storage is read is not swallowed."""

    class Interrupted(Rows):
        def select(self, *_):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Engine(Interrupted()).instant("m", 0)
