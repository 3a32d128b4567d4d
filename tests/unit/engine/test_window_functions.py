"""Every function of a window gives what a plain loop over that window's samples gives."""

import math
import statistics
from itertools import pairwise

import numpy as np
import pytest
from engine_data import Rows, points
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.engine import Engine

SPAN_MS, STEP_MS, END_MS = 5_000, 1_700, 20_000


def window(times, values, end):
    return [(t, v) for t, v in zip(times, values, strict=True) if end - SPAN_MS < t <= end]


def steps(rows):
    return list(pairwise(v for _, v in rows))


def slope_and_level(rows, origin):
    xs, ys = [(t - origin) / 1000 for t, _ in rows], [v for _, v in rows]
    if len(set(ys)) == 1:
        return 0.0, ys[0]
    mean_x, mean_y = statistics.fmean(xs), statistics.fmean(ys)
    spread = sum((x - mean_x) ** 2 for x in xs)
    slope = sum((x - mean_x) * (y - mean_y) for x, y in zip(xs, ys, strict=True)) / spread
    return slope, mean_y - slope * mean_x


def extrapolated(rows, end, *, counter, per_second):
    (first_t, first), (last_t, last) = rows[0], rows[-1]
    change = last - first
    if counter:
        change += sum(a for a, b in steps(rows) if b < a)
    sampled = (last_t - first_t) / 1000
    distance = sampled / (len(rows) - 1)
    to_start, to_end = (first_t - end + SPAN_MS) / 1000, (end - last_t) / 1000
    to_start = distance / 2 if to_start >= distance * 1.1 else to_start
    to_end = distance / 2 if to_end >= distance * 1.1 else to_end
    if counter and change > 0 and first >= 0:
        to_start = min(to_start, sampled * first / change)
    return change * (sampled + to_start + to_end) / sampled / (SPAN_MS / 1000 if per_second else 1)


def smoothed(rows):
    values = [v for _, v in rows]
    level, trend = values[0], values[1] - values[0]
    for i, value in enumerate(values[1:]):
        if i:
            trend = 0.3 * (level - before) + 0.7 * trend  # noqa: F821 - set in the round before
        before, level = level, 0.6 * value + 0.4 * (level + trend)  # noqa: F841 - read above
    return level


def at_least(n, function):
    return lambda rows, end: function(rows, end) if len(rows) >= n else None


def mad(rows):
    middle = statistics.median(v for _, v in rows)
    return statistics.median(abs(v - middle) for _, v in rows)


TRUTH = {
    "avg_over_time(m[5s])": lambda r, e: math.fsum(v for _, v in r) / len(r),
    "sum_over_time(m[5s])": lambda r, e: math.fsum(v for _, v in r),
    "count_over_time(m[5s])": lambda r, e: len(r),
    "min_over_time(m[5s])": lambda r, e: min(v for _, v in r),
    "max_over_time(m[5s])": lambda r, e: max(v for _, v in r),
    "first_over_time(m[5s])": lambda r, e: r[0][1],
    "last_over_time(m[5s])": lambda r, e: r[-1][1],
    "present_over_time(m[5s])": lambda r, e: 1,
    "stddev_over_time(m[5s])": lambda r, e: statistics.pstdev(v for _, v in r),
    "stdvar_over_time(m[5s])": lambda r, e: statistics.pvariance(v for _, v in r),
    "mad_over_time(m[5s])": lambda r, e: mad(r),
    "quantile_over_time(0.3, m[5s])": lambda r, e: np.quantile([v for _, v in r], 0.3),
    "ts_of_first_over_time(m[5s])": lambda r, e: r[0][0] / 1000,
    "ts_of_last_over_time(m[5s])": lambda r, e: r[-1][0] / 1000,
    "ts_of_min_over_time(m[5s])": lambda r, e: min(r, key=lambda x: (x[1], -x[0]))[0] / 1000,
    "ts_of_max_over_time(m[5s])": lambda r, e: max(r, key=lambda x: (x[1], x[0]))[0] / 1000,
    "changes(m[5s])": lambda r, e: sum(a != b for a, b in steps(r)),
    "resets(m[5s])": lambda r, e: sum(b < a for a, b in steps(r)),
    "rate(m[5s])": at_least(2, lambda r, e: extrapolated(r, e, counter=True, per_second=True)),
    "increase(m[5s])": at_least(2, lambda r, e: extrapolated(r, e, counter=True, per_second=False)),
    "delta(m[5s])": at_least(2, lambda r, e: extrapolated(r, e, counter=False, per_second=False)),
    "idelta(m[5s])": at_least(2, lambda r, e: r[-1][1] - r[-2][1]),
    "irate(m[5s])": at_least(
        2,
        lambda r, e: (
            (r[-1][1] - (r[-2][1] if r[-1][1] >= r[-2][1] else 0)) / (r[-1][0] - r[-2][0]) * 1000
        ),
    ),
    "deriv(m[5s])": at_least(2, lambda r, e: slope_and_level(r, r[0][0])[0]),
    "predict_linear(m[5s], 60)": at_least(2, lambda r, e: np.dot(slope_and_level(r, e), (60, 1))),
    "double_exponential_smoothing(m[5s], 0.6, 0.3)": at_least(2, lambda r, e: smoothed(r)),
}

numbers = st.one_of(st.integers(-3, 30).map(float), st.floats(-1e6, 1e6, allow_subnormal=False))
ragged = st.dictionaries(st.integers(0, END_MS), numbers, max_size=40).map(
    lambda rows: tuple(zip(*sorted(rows.items()), strict=True)) or ((), ())
)


@pytest.mark.parametrize("expression", TRUTH)
@given(series=st.lists(ragged, min_size=1, max_size=4))
@settings(max_examples=25, deadline=None)
def test_every_window_equals_a_loop_over_its_samples(expression, series):
    """All series, all steps, irregular samples, equal and negative values."""
    storage = Rows(*(({"__name__": "m", "i": str(i)}, *s) for i, s in enumerate(series)))
    frame = Engine(storage).range(expression, 0, END_MS, STEP_MS).data
    got = {dict(k)["i"]: dict(rows) for k, rows in points(frame).items()}
    for i, (times, values) in enumerate(series):
        size = max((abs(v) for v in values), default=0)
        for end in range(0, END_MS + 1, STEP_MS):
            rows = window(times, values, end)
            wanted = TRUTH[expression](rows, end) if rows else None
            value = got.get(str(i), {}).get(end)
            assert (value is None) == (wanted is None), (end, rows, value, wanted)
            if wanted is not None:
                assert value == pytest.approx(wanted, rel=1e-7, abs=1e-7 * (1 + size)), (end, rows)


@given(
    values=st.lists(st.floats(-1e15, 1e15, allow_subnormal=False), min_size=1, max_size=60),
    huge=st.sampled_from([0.0, 1e18, 1e100]),
)
@settings(max_examples=80, deadline=None)
def test_sums_are_as_exact_as_fsum(values, huge):
    """Whatever came before a window costs its sum no precision."""
    rows = [huge, -huge, *values]
    storage = Rows(({"__name__": "m"}, [i * 1000 for i in range(len(rows))], rows))
    frame = Engine(storage).range("sum_over_time(m[4s])", 0, 1000 * len(rows), 1000).data
    for end, value in points(frame).get((), []):
        inside = rows[max(0, end // 1000 - 3) : end // 1000 + 1]
        size = math.fsum(abs(v) for v in inside)
        assert value == pytest.approx(math.fsum(inside), rel=1e-15, abs=1e-30 * size)


@pytest.mark.parametrize(
    "expression", ["stddev_over_time(m[1h])", "deriv(m[1h])", "predict_linear(m[1h], 3600)"]
)
def test_long_windows_are_as_exact_as_short_ones(expression):
    """Thousands of samples far from zero: numpy's own fit around the means is the truth."""
    times = np.arange(0, 7_200_000, 1000) + 1_700_000_000_000
    values = 1e6 + np.sin(times / 3e5) + (times - times[0]) / 1e6
    end = int(times[-1]) + 500
    frame = Engine(Rows(({"__name__": "m"}, times, values))).range(expression, end, end, 1).data
    x, y = (times[-3600:] - end) / 1000, values[-3600:]
    slope, level = np.polyfit(x - x.mean(), y - y.mean(), 1)
    wanted = {
        "stddev": y.std(),
        "deriv": slope,
        "predict": y.mean() + level + slope * (3600 - x.mean()),
    }[expression.split("_")[0].split("(")[0]]
    assert frame.values[0, 0] == pytest.approx(wanted, rel=1e-9)


@pytest.mark.parametrize("step_ms", [60_000, 7_000, 300_000])
@pytest.mark.parametrize(
    ("late", "lost"), [([], []), ([301, 640], []), ([], range(500, 540)), ([7, 700], [0, 350, 719])]
)
def test_lines_through_steady_scrapes_with_flaws(late, lost, step_ms):
    """Many series scraped together: fits share their work only where the times really are alike."""
    random = np.random.default_rng(8)
    times = 1_700_000_000_123 + 15_000 * np.arange(720)
    times[late] += 40
    times = np.delete(times, list(lost))
    table = 1e6 + random.normal(0, 1, (7, len(times))).cumsum(axis=1)
    rows = Rows(*(({"__name__": "m", "i": str(i)}, times, row) for i, row in enumerate(table)))
    start, end = int(times[0]) - 100_123, int(times[-1]) + 400_000
    slopes = Engine(rows).range("deriv(m[10m])", start, end, step_ms).data
    ahead = Engine(rows).range("predict_linear(m[10m], 60)", start, end, step_ms).data
    order = [int(labels["i"]) for labels in slopes.labels]
    for k, moment in enumerate(slopes.times_ms.tolist()):
        inside = (times > moment - 600_000) & (times <= moment)
        assert slopes.present[:, k].all() == ahead.present[:, k].all() == (inside.sum() > 1)
        if inside.sum() > 1:
            x, y = (times[inside] - moment) / 1000, table[order][:, inside].T
            slope, level = np.polyfit(x - x.mean(), y - y.mean(axis=0), 1)
            assert slopes.values[:, k] == pytest.approx(slope, rel=1e-7, abs=1e-10)
            wanted = y.mean(axis=0) + level + slope * (60 - x.mean())
            assert ahead.values[:, k] == pytest.approx(wanted, rel=1e-11)


def test_a_large_reset_costs_a_small_increase_nothing():
    """A counter that fell from 1e16 yesterday still counts its tenths today."""
    times = [i * 1000 for i in range(8)]
    storage = Rows(({"__name__": "c_total"}, times, [1e16, 0, 0.1, 0.2, 0.3, 0.1, 0.2, 0.3]))
    frame = Engine(storage).instant("increase(c_total[6s])", 7000).data
    assert frame.values[0, 0] == pytest.approx(0.6, rel=1e-12)


def test_averages_survive_the_overflow_of_their_sum():
    """Two values near the largest float average to themselves."""
    storage = Rows(({"__name__": "m"}, [0, 1000, 2000], [1.5e308, 1.5e308, 1.5e308]))
    engine = Engine(storage)
    assert engine.instant("avg_over_time(m[5s])", 2000).data.values[0, 0] == pytest.approx(1.5e308)
    assert engine.instant("sum_over_time(m[5s])", 2000).data.values[0, 0] == math.inf
