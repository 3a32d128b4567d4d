"""A query stops before it takes more memory or time than it may."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest
from engine_data import Rows, every

import workbench
from workbench.engine import Engine, Limits
from workbench.errors import TooExpensiveError
from workbench.samples import Samples
from workbench.store import MemoryStore, SnapshotStore, write_snapshot

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


def test_the_limits_of_a_source_are_its_settings(tmp_path):
    """What `workbench.toml` or `connect` says reaches the engine, and the refusal names it."""
    write_snapshot(tmp_path / "s", SERIES)
    source = f"snapshot:{tmp_path / 's'}"
    assert len(workbench.connect(source).query("m", at="1970-01-01T00:01:39Z")) == 10
    for limits, said in (
        ({"max_samples": 9}, "reads more than 9 samples.*max_samples"),
        ({"timeout_seconds": 1e-9}, "took longer than 1e-09 s.*timeout_seconds"),
    ):
        limited = workbench.connect(source, **limits)
        with pytest.raises(TooExpensiveError, match=f"(?s){said}"):
            limited.query("m", at="1970-01-01T00:01:39Z")


@pytest.mark.parametrize("cache_bytes", [0, 1 << 20])
def test_samples_are_counted_before_any_is_copied(tmp_path, cache_bytes):
    """Whoever refuses what a store is about to give gets nothing, and nothing is counted twice."""
    write_snapshot(tmp_path / "s", SERIES)
    stores = (
        MemoryStore(Samples.from_series(SERIES)),
        SnapshotStore(tmp_path / "s", cache_bytes=cache_bytes),
    )
    for store in stores:
        told = []
        assert store.select([], 10_000, 19_000, told.append).rows == sum(told) == 100

        def refuse(samples):
            raise TooExpensiveError(str(samples), "")

        with pytest.raises(TooExpensiveError, match="1000"):
            store.select([], 0, 99_000, refuse)


HEAVY = """
import sys
import numpy as np
from workbench.engine import Engine, Limits
from workbench.samples import Samples
from workbench.store import MemoryStore

times = np.arange(200_000) * 1000
series = [({"__name__": "m", "i": str(i)}, times, np.sin(times + i)) for i in range(20)]
engine = Engine(MemoryStore(Samples.from_series(series)), limits=Limits(10**9, 10**6))
print("ready", flush=True)
engine.range(sys.argv[1], 100_000_000, 200_000_000, 1000)
"""


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
@pytest.mark.parametrize(
    "expression",
    [
        "quantile_over_time(0.9, m[1d])",
        "mad_over_time(m[1h])",
        "double_exponential_smoothing(m[1h], 0.5, 0.5)",
        "sum(ts_of_max_over_time(m[1h]))",
        "max_over_time(quantile_over_time(0.9, m[2h])[1d:1m])",
    ],
)
def test_ctrl_c_stops_a_query_that_would_take_very_long(expression):
    """The process ends by the interrupt, long before it would have an answer."""
    command = [sys.executable, "-c", HEAVY, expression]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.send_signal(signal.SIGINT)
        _, error = process.communicate(timeout=180)
    assert error.rstrip().endswith(b"KeyboardInterrupt"), error.decode()


def test_a_grid_too_long_is_refused_before_it_is_made():
    """400 days at a millisecond would take 257 GiB for their times alone."""
    with pytest.raises(TooExpensiveError, match="34,560,000,001 steps"):
        Engine(Rows(*SERIES)).range("m", 0, 400 * 86_400_000, 1)
