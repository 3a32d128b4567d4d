"""Native histograms, many at once: the same as one window, one step, one histogram at a time."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.engine.annotations import Annotations
from workbench.engine.kernels.windows import over_windows
from workbench.engine.limits import Limits, Meter
from workbench.engine.native import change, rates, tables
from workbench.engine.native.arithmetic import is_reset
from workbench.engine.native.blocks import averaged, block_of, stacked, summed
from workbench.engine.native.groups import _reduced
from workbench.engine.native.quantiles import quantiles
from workbench.engine.native.tables import ROWS, histograms_of, resets_in, runs_of
from workbench.engine.native.windows import measured
from workbench.engine.values import Ranges
from workbench.native import CUSTOM, Buckets, Histogram, ResetHint, is_native, no_histograms


def buckets(counts):
    index = sorted(counts)
    return Buckets(np.array(index, np.int64), np.array([counts[i] for i in index], float))


def walked(seed, rows=300):
    """A counter that is reset, loses buckets and changes its resolution and its zero bucket."""
    random = np.random.default_rng(seed)
    schema, threshold, above, below, zero = 3, 2.0**-20, {}, {}, 0.0
    for _ in range(rows):
        if random.random() < 0.02:
            above, below, zero = {}, {}, 0.0
        if random.random() < 0.02:
            schema, threshold = (
                int(random.integers(0, 4)),
                float(random.choice([0, 2.0**-20, 0.01])),
            )
            above, below, zero = {}, {}, 0.0
        for _ in range(random.integers(0, 6)):
            side = above if random.random() < 0.7 else below
            index = int(random.integers(-9, 20))
            side[index] = side.get(index, 0) + float(random.integers(1, 5))
        zero += float(random.random() < 0.3)
        count = sum(above.values()) + sum(below.values()) + zero
        hint = ResetHint(int(random.choice([0, 0, 0, 0, 0, 1, 2])))
        hint = ResetHint.GAUGE if random.random() < 0.01 else hint
        yield Histogram(
            schema, count, count / 3, threshold, zero, buckets(above), buckets(below), (), hint
        )


def column(histograms):
    filled = no_histograms(len(histograms))
    filled[:] = histograms
    return filled


def ranges_of(seeds, ends, span):
    series = [list(walked(seed)) for seed in seeds]
    sizes = [len(each) for each in series]
    random = np.random.default_rng(3)
    times = [np.cumsum(random.integers(5_000, 20_000, size)) for size in sizes]
    return Ranges(
        [{"__name__": "h", "i": str(i)} for i in seeds],
        np.zeros(len(series), bool),
        np.cumsum([0, *sizes]),
        np.concatenate(times),
        np.full(sum(sizes), np.nan),
        ends,
        span,
        histograms=column([h for each in series for h in each]),
    )


def as_numbers(h):
    """Everything of a histogram, to be compared exactly."""
    sides = (h.positive.index, h.positive.counts, h.negative.index, h.negative.counts)
    fixed = (h.schema, h.count, h.sum, h.zero_threshold, h.zero_count, h.custom_values, h.hint)
    return (*fixed, *(side.tolist() for side in sides))


@pytest.mark.parametrize("span", [20_000, 90_000, 600_000])
@pytest.mark.parametrize("name", ["rate", "increase", "delta"])
def test_many_windows_at_once_are_each_window_alone(name, span):
    """The same histograms to the last bit, the same gaps, the same warnings."""
    ranges = ranges_of([1, 2, 3], np.arange(0, 4_000_000, 17_000), span)
    notes = Annotations(), Annotations()
    slow, fast = (
        measured(
            ranges,
            lambda windows: over_windows(windows, None, None),
            getattr(change, name),
            Meter(Limits()),
            said,
            at_once=at_once,
        )
        for said, at_once in zip(notes, (None, getattr(rates, name)), strict=True)
    )
    np.testing.assert_array_equal(slow.present, fast.present)
    assert slow.present.sum() > 300
    for cell in zip(*np.nonzero(slow.present), strict=True):
        assert as_numbers(fast.histograms[cell]) == as_numbers(slow.histograms[cell])
    assert notes[0].warnings == notes[1].warnings
    assert notes[0].warnings


def test_most_windows_are_done_at_once():
    """Otherwise the test above compares the slow way with itself."""
    ranges = ranges_of([1], np.arange(0, 4_000_000, 17_000), 90_000)
    resets = resets_in(ranges.histograms.tolist())
    _, done = rates.rate(ranges, resets, Meter(Limits()), Annotations())
    assert done.mean() > 0.5


def test_resets_are_those_of_each_pair():
    """Over more rows than one table takes, with gaps of floats."""
    histograms = [h for seed in range(6) for h in walked(seed)]
    assert len(histograms) > ROWS
    histograms[100] = histograms[700] = None
    wanted = [
        now is not None and before is not None and is_reset(now, before)
        for before, now in zip([None, *histograms], histograms, strict=False)
    ]
    assert resets_in(histograms).tolist() == wanted
    assert 100 < sum(wanted) < len(wanted) - 100


def test_runs_end_where_the_layout_changes():
    """Buckets may come and go; resolution, zero bucket and custom bounds may not."""
    one = Histogram(schema=2, positive=Buckets.dense(0, [1]))
    other = replace(one, positive=Buckets.dense(3, [1, 2]))
    wide = replace(one, zero_threshold=0.5)
    custom = Histogram(CUSTOM, custom_values=(1.0,))
    row = [None, one, other, wide, wide, None, custom, replace(custom, custom_values=(2.0,))]
    assert list(runs_of(row)) == [(1, 3), (3, 5), (6, 7), (7, 8)]
    assert list(runs_of([])) == []


def test_histograms_come_back_from_their_table_without_empty_buckets():
    """The way there and back loses nothing but buckets without observations."""
    rows = [replace(h, schema=3, zero_threshold=0.0) for h in walked(9, rows=80)]
    block = stacked(rows)
    for made, given in zip(
        histograms_of(block, block.table, [h.hint for h in rows]), rows, strict=True
    ):
        assert as_numbers(made) == as_numbers(given.compact())
    assert histograms_of(block, block.table[:0], []) == []


@pytest.mark.parametrize("mean", [False, True])
def test_steps_are_added_up_as_each_alone(mean):
    """Members that are absent at a step add nothing; a sum that overflows is left to the walk."""
    random = np.random.default_rng(4)
    rows = [replace(h, schema=3, zero_threshold=0.0) for h in walked(8, rows=200)]
    rows[3] = replace(rows[3], sum=1.7e308)
    rows[43] = replace(rows[43], sum=1.7e308)
    there = random.random((8, 40)) < 0.6
    there[0, 3] = there[1, 3] = True
    grid = no_histograms(there.shape)
    grid[there] = column(rows[: int(there.sum())])
    block = stacked(grid[there].tolist())
    found, fine = _reduced(block, there, mean=mean)
    for step in range(there.shape[1]):
        members = grid[there[:, step], step].tolist()
        if not fine[step] or not members:
            continue
        alone = block_of(members)
        row = (averaged if mean else summed)(alone.table)
        [made] = histograms_of(block, found[step][None], [ResetHint.UNKNOWN])
        wanted = alone.histogram(row, ResetHint.UNKNOWN).compact()
        assert as_numbers(made) == as_numbers(wanted)
    assert fine.sum() >= 35


def test_quantiles_of_many_are_those_of_each():
    """Whatever stands beside it, a histogram's quantile is its own."""
    random = np.random.default_rng(6)
    rows = [h for seed in range(3) for h in walked(seed)]
    rows += [
        Histogram(CUSTOM, 6, 9, positive=Buckets.dense(0, [1, 2, 3]), custom_values=(1.0, 2.0)),
        Histogram(CUSTOM, 2, 9, positive=Buckets.dense(0, [1, 1]), custom_values=(-1.0,)),
        Histogram(0, 5, np.nan, positive=Buckets.dense(0, [1, 2])),
        Histogram(0, 4, 0, 0.5, 4),
        Histogram(),
    ]
    q = random.choice([0, 0.1, 0.5, 0.9, 1, -1, 2, np.nan], len(rows))
    alone = [quantiles(np.array([p]), [h])[0] for p, h in zip(q, rows, strict=True)]
    np.testing.assert_array_equal(quantiles(q, rows), alone)
    last = quantiles(np.array([0.5, 0.5, 0.9, 0.5, 0.5]), rows[-5:])
    np.testing.assert_allclose(last, [2.0, -1.0, np.nan, 0.0, np.nan])


def test_buckets_far_apart_make_no_table(monkeypatch):
    """Then each window, pair, step and histogram is dealt with alone, and nothing else changes."""
    series = ranges_of([1], np.arange(0, 4_000_000, 17_000), 90_000)
    rows = series.histograms.tolist()
    resets, q = resets_in(rows), np.full(len(rows), 0.7)
    values = quantiles(q, rows)
    assert (
        tables.tabled([Histogram(positive=Buckets.dense(i << 20, [1])) for i in range(5000)])
        is None
    )
    monkeypatch.setattr(tables, "_CELLS", 10)
    np.testing.assert_array_equal(resets_in(rows), resets)
    np.testing.assert_array_equal(quantiles(q, rows), values)
    found, done = rates.rate(series, resets, Meter(Limits()), Annotations())
    assert not is_native(found).any()
    assert done.mean() < 0.2  # windows of one sample
