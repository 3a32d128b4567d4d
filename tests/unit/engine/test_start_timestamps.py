"""Start timestamps: resets that no value shows, and a zero where a counter says it began."""

import math

import numpy as np
import pytest

from workbench.engine import Engine
from workbench.errors import InputError
from workbench.native import Buckets, Histogram
from workbench.samples import Samples
from workbench.store import MemoryStore, SnapshotStore, write_snapshot

SPAN = 50_000


def drawn(random, times):
    """Counters that fall, pause and are restarted, with starts that are right, wrong or unknown."""
    values = np.cumsum(random.integers(0, 9, len(times))).astype(float)
    for reset in sorted(random.integers(1, len(times), 3).tolist()):
        values[reset:] -= values[reset]
    kinds = random.integers(0, 6, len(times))
    before = np.concatenate([[0], times[:-1]])
    choices = [
        np.zeros(len(times), np.int64),
        before,
        before + 1,
        times,
        times + 3,
        times - random.integers(1, 60_000, len(times)),
    ]
    starts = np.choose(kinds, choices).astype(np.int64)
    return values, np.maximum(starts, 0)


def series_of(*, shared: bool):
    """Fifty series; those that share their times are many enough to be evaluated as a table."""
    random = np.random.default_rng(5)
    grid = 1_000_000 + np.cumsum(random.integers(3_000, 20_000, 120))
    for i in range(50):
        times = grid if shared else grid[random.random(120) < 0.8] + i
        values, starts = drawn(random, times)
        yield {"__name__": "c_total", "i": str(i)}, times, values, None, starts


def is_reset(i, times, values, starts):
    """The rules, written out for one pair of samples."""
    if values[i] < values[i - 1]:
        return True
    if starts[i] == 0 or starts[i] >= times[i] or starts[i] < times[i - 1]:
        return False
    return starts[i] > times[i - 1] or 0 < starts[i - 1] < times[i - 1]


def walked(name, end, times, values, starts):
    """The value of one window, sample after sample."""
    rows = [i for i, t in enumerate(times) if end - SPAN < t <= end]
    if not rows:
        return None
    resets = [i for i in rows[1:] if is_reset(i, times, values, starts)]
    if name == "resets":
        return float(len(resets))
    first, last = rows[0], rows[-1]
    if name == "irate":
        if len(rows) < 2:
            return None
        change = values[last] - (0 if last in resets else values[last - 1])
        return change / (times[last] - times[last - 1]) * 1000
    change = values[last] - values[first] + sum(values[i - 1] for i in resets)
    distance = (times[last] - times[first]) / max(len(rows) - 1, 1)
    right = end - times[last]
    right = distance / 2 if right >= distance * 1.1 else right
    if end - SPAN < starts[first] < times[first] and starts[first]:
        change += values[first]
        left, sampled = 0, times[last] - starts[first]
    else:
        if len(rows) < 2:
            return None
        sampled = times[last] - times[first]
        left = times[first] - (end - SPAN)
        left = distance / 2 if left >= distance * 1.1 else left
        if change > 0:
            left = min(left, sampled * values[first] / change)
    change *= (sampled + left + right) / sampled
    return change / SPAN * 1000 if name == "rate" else change


@pytest.mark.parametrize("shared", [True, False])
@pytest.mark.parametrize("name", ["increase", "rate", "irate", "resets"])
def test_windows_agree_with_a_walk_through_their_samples(name, shared):
    """The kernels give what the rules say of each window, on shared times and on others."""
    series = list(series_of(shared=shared))
    start, end, step = 990_000, 2_400_000, 7_000
    engine = Engine(MemoryStore(Samples.from_series(series)))
    frame = engine.range(f"{name}(c_total[50s])", start, end, step).data
    found = {labels["i"]: row for row, labels in enumerate(frame.labels)}
    some = 0
    for labels, times, values, _, starts in series:
        row = found[labels["i"]]
        columns = times.tolist(), values.tolist(), starts.tolist()
        for at, moment in enumerate(range(start, end + 1, step)):
            wanted = walked(name, moment, *columns)
            assert frame.present[row, at] == (wanted is not None)
            if wanted is not None:
                assert math.isclose(frame.values[row, at], wanted, rel_tol=1e-9, abs_tol=1e-9)
                some += 1
    assert some > 1000


def test_a_delta_counts_each_time():
    """Ten requests every minute, each sample starting where the one before ended."""
    times = np.arange(1, 7) * 60_000
    values = np.full(6, 10.0)
    labels = {"__name__": "d_total"}
    with_starts = MemoryStore(
        Samples.from_series([(labels, times, values, None, times - 60_000 + (times == 60_000))])
    )
    without = MemoryStore(Samples.from_series([(labels, times, values)]))
    query = "increase(d_total[5m])"
    assert Engine(with_starts).instant(query, 360_000).data.values.tolist() == [[50.0]]
    assert Engine(without).instant(query, 360_000).data.values.tolist() == [[0.0]]


def test_subqueries_and_gauges_know_no_starts():
    """A subquery's samples are computed; ``delta`` and ``changes`` are not about counters."""
    [labels, times, values, _, starts] = next(series_of(shared=True))
    both = [
        Engine(MemoryStore(Samples.from_series([one])))
        for one in ((labels, times, values, None, starts), (labels, times, values))
    ]
    for query in ("increase(c_total[2m:10s])", "delta(c_total[1m])", "changes(c_total[1m])"):
        with_starts, without = (
            each.range(query, 1_000_000, 2_000_000, 10_000).data for each in both
        )
        np.testing.assert_array_equal(with_starts.values, without.values)


def test_one_histogram_with_a_start_is_enough():
    """The first sample of all counts from where it says it began."""
    one = Histogram(schema=0, count=60, sum=90, positive=Buckets.dense(0, [20, 40]))
    rows = np.array([60_000]), np.array([math.nan]), np.array([one], object), np.array([30_000])
    engine = Engine(MemoryStore(Samples.from_series([({"__name__": "h"}, *rows)])))
    frame = engine.instant("histogram_quantile(0.5, increase(h[1m]))", 60_000).data
    assert frame.values.tolist() == [[2 ** (10 / 40)]]
    assert engine.instant("histogram_count(increase(h[1m]))", 60_000).data.values.tolist() == [[60]]
    assert len(engine.instant("increase(h[20s])", 60_000).data) == 0


def test_start_timestamp_gives_seconds_and_zero_where_unknown():
    """Of a selector the newest sample's start, of anything computed nothing."""
    rows = np.array([1_000, 2_000]), np.ones(2), None, np.array([500, 0])
    engine = Engine(MemoryStore(Samples.from_series([({"__name__": "m"}, *rows)])))
    frame = engine.range("start_timestamp(m)", 1_000, 2_000, 1_000).data
    assert frame.values.tolist() == [[0.5, 0.0]]
    assert frame.labels == ({},)
    assert len(engine.instant("start_timestamp(m + 0)", 1_000).data) == 0
    plain = Engine(MemoryStore(Samples.from_series([({"__name__": "m"}, *rows[:2])])))
    assert plain.instant("start_timestamp(m)", 1_000).data.values.tolist() == [[0.0]]


def test_samples_keep_their_starts():
    """Collected, selected and asked for raw, each sample has the start it was given."""
    series = list(series_of(shared=False))
    samples = Samples.from_series(series)
    again = Samples.from_series(samples)
    np.testing.assert_array_equal(again.starts_ms, samples.starts_ms)
    data = Engine(MemoryStore(samples)).instant('c_total{i=~"7|9"}[3m]', 1_500_000).data
    for labels, times, _, _, starts in data.started_series():
        _, own, _, _, all_starts = series[int(labels["i"])]
        np.testing.assert_array_equal(starts, all_starts[np.isin(own, times)])


def test_samples_without_starts_have_no_column():
    """Absent is the normal case."""
    rows = np.array([5, 3]), np.ones(2)
    assert Samples.from_series([({"a": "b"}, *rows)]).starts_ms is None
    mixed = Samples.from_series([({"a": "b"}, *rows), ({"a": "c"}, *rows, None, np.array([4, 2]))])
    assert mixed.starts_ms.tolist() == [0, 0, 2, 4]


@pytest.mark.parametrize("starts", [np.array([1]), np.array([1.5, 2.5])])
def test_wrong_starts_are_refused(starts):
    """One whole number a sample."""
    rows = np.array([1, 2]), np.ones(2), None, starts
    with pytest.raises(InputError, match="start timestamps of shape"):
        Samples.from_series([({"a": "b"}, *rows)])


def test_a_snapshot_says_that_it_leaves_starts_out(tmp_path):
    """Nothing is dropped in silence."""
    rows = np.array([1, 2]), np.ones(2), None, np.array([1, 0])
    samples = Samples.from_series([({"__name__": "m"}, *rows)])
    manifest = write_snapshot(tmp_path / "s", samples, notes=["mine"])
    assert manifest.notes == ("mine", "1 start timestamps of samples are left out")
    assert SnapshotStore(tmp_path / "s").manifest.notes == manifest.notes
    plain = write_snapshot(tmp_path / "t", [({"__name__": "m"}, *rows[:2])])
    assert plain.notes == ()
