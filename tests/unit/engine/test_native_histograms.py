"""Queries of native histograms against the observations and the floats behind them."""

from dataclasses import replace

import numpy as np
import pytest

from workbench.engine import Engine
from workbench.engine.native.arithmetic import added, is_reset, subtracted
from workbench.engine.native.blocks import averaged, block_of, summed, zero_widened
from workbench.engine.native.measures import fraction, variance
from workbench.engine.native.quantiles import quantiles
from workbench.engine.native.trim import trimmed
from workbench.native import CUSTOM, Buckets, Histogram, ResetHint, no_histograms
from workbench.samples import STALE_NAN, Samples
from workbench.store import MemoryStore

MINUTE = 60_000


def observed(values, schema=3):
    """The histogram of positive observations, from the definition."""
    index = np.ceil(np.log2(values) * 2.0**schema).astype(np.int64)
    found, counts = np.unique(index, return_counts=True)
    return Histogram(
        schema,
        float(len(values)),
        float(np.sum(values)),
        positive=Buckets(found, counts.astype(float)),
    )


def custom(values, bounds):
    """The custom-bucket histogram of observations."""
    index, counts = np.unique(np.searchsorted(bounds, values), return_counts=True)
    return Histogram(
        CUSTOM,
        float(len(values)),
        float(np.sum(values)),
        positive=Buckets(index, counts.astype(float)),
        custom_values=tuple(bounds),
    )


def column(histograms):
    filled = no_histograms(len(histograms))
    filled[:] = histograms
    return filled


def counters(seed, series=4, rows=60):
    """Counters of observations that are now and then reset, as histograms and as floats."""
    random = np.random.default_rng(seed)
    for i in range(series):
        times = np.cumsum(random.integers(9_000, 21_000, rows))
        seen, histograms = np.zeros(0), []
        for _ in range(rows):
            if len(seen) > 8 and random.random() < 0.08:  # so that the count falls, too
                seen = np.zeros(0)
            seen = np.concatenate([seen, random.lognormal(0, 1, random.integers(1, 9))])
            histograms.append(observed(seen))
        labels = {"i": str(i), "half": str(i % 2)}
        nothing = np.full(rows, np.nan)
        yield {"__name__": "h", **labels}, times, nothing, column(histograms)
        counts = np.array([h.count for h in histograms])
        yield {"__name__": "h_count", **labels}, times, counts
        yield {"__name__": "h_sum", **labels}, times, np.array([h.sum for h in histograms])


def quantile(q, histogram):
    return quantiles(np.array([q]), [histogram])[0]


def table(engine, query, *, start=5 * MINUTE, end=12 * MINUTE, step=45_000):
    frame = engine.range(query, start, end, step).data
    names = [tuple(sorted(x.items())) for x in frame.labels]
    order = sorted(range(len(names)), key=names.__getitem__)
    assert not frame.histograms
    return [names[i] for i in order], frame.values[order], frame.present[order]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(
    ("native", "floats"),
    [
        ("histogram_count(h)", "h_count + 0"),
        ("histogram_count(rate(h[3m]))", "rate(h_count[3m])"),
        ("histogram_count(increase(h[100s] offset 30s))", "increase(h_count[100s] offset 30s)"),
        ("histogram_count(irate(h[3m]))", "irate(h_count[3m])"),
        ("histogram_count(sum by (half) (rate(h[3m])))", "sum by (half) (rate(h_count[3m]))"),
        ("histogram_count(avg(h))", "avg(h_count)"),
        ("histogram_sum(avg_over_time(h[2m]))", "avg_over_time(h_sum[2m])"),
        ("histogram_sum(sum_over_time(h[2m]))", "sum_over_time(h_sum[2m])"),
        ("histogram_count(delta(h[3m]))", "delta(h_count[3m])"),
        ("histogram_sum(idelta(h[3m]))", "idelta(h_sum[3m])"),
        ("histogram_sum(last_over_time(h[1m]))", "last_over_time(h_sum[1m]) + 0"),
        ("histogram_avg(h)", "h_sum / h_count"),
        ("resets(h[4m])", "resets(h_count[4m])"),
        ("count_over_time(h[4m])", "count_over_time(h_count[4m])"),
        ("timestamp(h)", "timestamp(h_count)"),
        ("histogram_count(increase(h[2m] anchored))", "increase(h_count[2m] anchored)"),
        ("histogram_count(rate(h[2m] smoothed))", "rate(h_count[2m] smoothed)"),
        ("histogram_sum(delta(h[100s] smoothed))", "delta(h_sum[100s] smoothed)"),
        ("resets(h[4m] anchored)", "resets(h_count[4m] anchored)"),
        ("histogram_sum(-h * 2 / 4)", "-h_sum * 2 / 4"),
        ("histogram_sum(h - on (half) group_left () h{i=~'0|1'})", None),
        ("histogram_count(sum_over_time(rate(h[1m])[3m:30s]))", None),
    ],
)
def test_a_histogram_counts_as_its_floats_do(seed, native, floats):
    """Counts and sums of histograms change as the same counters kept as floats do."""
    engine = Engine(MemoryStore(Samples.from_series(counters(seed))))
    if floats is None:
        kind = "sum" if "histogram_sum" in native else "count"
        floats = native[native.index("(") + 1 : -1]
        floats = floats.replace("h{", f"h_{kind}{{").replace("h[", f"h_{kind}[")
        floats = floats.replace("h -", f"h_{kind} -")
    names, values, present = table(engine, native)
    wanted_names, wanted, wanted_present = table(engine, floats)
    assert names == wanted_names
    assert len(names)
    np.testing.assert_array_equal(present, wanted_present)
    np.testing.assert_allclose(values[present], wanted[present], rtol=1e-9)


@pytest.mark.parametrize("q", [0.01, 0.3, 0.5, 0.9, 0.99])
def test_a_quantile_lies_in_the_bucket_of_the_true_one(q):
    """Within one bucket's width of the observations' own quantile, from either end."""
    values = np.random.default_rng(7).lognormal(1, 1, 2_000)
    found = quantile(q, observed(values))
    true = np.quantile(values, q, method="inverted_cdf")
    assert abs(np.log2(found / true)) <= 2.0**-3
    mirrored = observed(values)
    mirrored = replace(mirrored, positive=mirrored.negative, negative=mirrored.positive)
    assert quantile(1 - q, mirrored) == pytest.approx(-found)


def test_quantile_and_fraction_are_inverse():
    """The share below a quantile is the quantile's own, in all kinds of histograms."""
    values = np.random.default_rng(3).lognormal(1, 1, 500)
    for histogram in (observed(values), custom(values, [0.5, 1, 2, 4, 8, 1e6])):
        for q in np.linspace(0.02, 0.98, 25).tolist():
            bound = quantile(q, histogram)
            assert fraction(float("-inf"), bound, histogram) == pytest.approx(q)
            kept = trimmed(histogram, bound, lower=False)
            cut = trimmed(histogram, bound, lower=True)
            assert kept.count == pytest.approx(q * histogram.count)
            assert kept.count + cut.count == pytest.approx(histogram.count)


def test_the_variance_is_near_that_of_the_observations():
    """Every bucket at its mean: good to the buckets' width."""
    values = np.random.default_rng(5).lognormal(1, 0.5, 5_000)
    assert variance(observed(values, 6)) == pytest.approx(values.var(), rel=0.02)


@pytest.mark.parametrize("schemas", [(3, 3), (5, 2), (0, 4)])
def test_a_sum_is_the_histogram_of_all_observations(schemas):
    """Also where resolutions differ; and what was added can be taken away again."""
    random = np.random.default_rng(11)
    left, right = random.lognormal(0, 1, 300), random.lognormal(1, 1, 200)
    total, _ = added(observed(left, schemas[0]), observed(right, schemas[1]))
    together = observed(np.concatenate([left, right]), min(schemas))
    assert total.schema == min(schemas)
    assert total.positive.index.tolist() == together.positive.index.tolist()
    assert total.positive.counts.tolist() == together.positive.counts.tolist()
    back, _ = subtracted(total, observed(right, schemas[1]))
    assert back.positive.counts.tolist() == observed(left, min(schemas)).positive.counts.tolist()
    assert back.hint is ResetHint.GAUGE


def test_custom_bounds_are_reconciled_to_those_that_all_share():
    """As if the observations had been put into those buckets from the start."""
    random = np.random.default_rng(2)
    left, right = random.uniform(0, 10, 200), random.uniform(0, 10, 100)
    block = block_of([custom(left, [1, 2, 4, 8]), custom(right, [2, 3, 8, 9])])
    wanted = custom(np.concatenate([left, right]), [2, 8])
    assert block.reconciled
    assert block.custom_values == (2.0, 8.0)
    assert summed(block.table)[3:].tolist() == wanted.positive.counts.tolist()


def test_a_zero_bucket_takes_in_whole_buckets():
    """A threshold inside a filled bucket moves to that bucket's end; nothing is lost."""
    histogram = Histogram(0, 10, 0, 0.01, 1, Buckets.dense(0, [2, 0, 4]), Buckets.dense(1, [3]))
    wider = zero_widened(histogram, 0.7)
    assert (wider.zero_threshold, wider.zero_count) == (1.0, 3.0)
    assert wider.positive.compact().counts.tolist() == [4]
    widest = zero_widened(histogram, 1.5)
    assert (widest.zero_threshold, widest.zero_count) == (2.0, 6.0)
    assert widest.negative.counts.tolist() == []


def test_a_mean_survives_sums_that_overflow():
    """The mean of huge counts is finite where their sum is not."""
    table = np.array([[1.5e308, 1.0], [1.5e308, 2.0], [1.5e308, 6.0]])
    np.testing.assert_allclose(averaged(table), [1.5e308, 3.0], rtol=1e-12)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, False),
        ({"count": 2.0}, True),
        ({"schema": 4}, True),
        ({"positive": Buckets.dense(1, [1, 3])}, True),
        ({"positive": Buckets.dense(1, [2, 1])}, False),
        ({"positive": Buckets.dense(2, [9])}, True),
        ({"zero_count": 0.0}, True),
        ({"zero_threshold": 0.01}, True),
        ({"zero_threshold": 0.5}, False),
        ({"count": 1.0, "hint": ResetHint.NOT_RESET}, False),
        ({"hint": ResetHint.RESET}, True),
    ],
)
def test_a_reset_shows_in_any_count(change, expected):
    """And in a finer resolution or a narrower zero bucket; a hint decides before all."""
    before = Histogram(3, 4, 5.0, 0.1, 1, Buckets.dense(1, [2, 1]))
    assert is_reset(replace(before, **change), before) is expected


def store(*series):
    return Engine(MemoryStore(Samples.from_series(series)))


def mixed():
    histograms = no_histograms(4)
    histograms[2:] = [observed([1.0, 2.0]), observed([1.0, 2.0, 3.0])]
    times = np.arange(1, 5) * 15_000
    return store(({"__name__": "m_total"}, times, np.array([1.0, 2.0, 0, 0]), histograms))


@pytest.mark.parametrize("query", ["rate(m_total[1m])", "sum_over_time(m_total[1m])"])
def test_floats_and_histograms_in_one_window_give_nothing_and_a_warning(query):
    """Never a number made of half the samples."""
    got = mixed().instant(query, 60_000)
    assert not len(got.data)
    assert got.warnings == (
        'PromQL warning: encountered a mix of histograms and floats for metric name "m_total"',
    )


def test_functions_of_floats_pass_histograms_over_and_say_so():
    """The greatest float of the window, with an info; none where there are only histograms."""
    got = mixed().instant("max_over_time(m_total[1m])", 60_000)
    assert got.data.values.tolist() == [[2.0]]
    assert "ignored histograms in a range" in got.infos[0]
    assert not len(mixed().instant("max_over_time(m_total[20s])", 60_000).data)
    assert not len(mixed().instant("abs(m_total) or ceil(m_total)", 60_000).data)


@pytest.mark.parametrize("op", ["+", "-", "%", "^", "<", "=="])
def test_a_histogram_and_a_number_do_not_combine(op):
    """Dropped, with an info that names both kinds."""
    got = mixed().instant(f"m_total {op} 2", 60_000)
    assert not len(got.data)
    [info] = got.infos
    assert info.endswith(f'for binary operator "{op}": histogram {op} float')


def test_a_staleness_marker_ends_a_series_of_histograms():
    """Nothing after it, as for floats."""
    histograms = no_histograms(2)
    histograms[0] = observed([1.0])
    engine = store(({"__name__": "m"}, np.array([0, 10_000]), np.array([0, STALE_NAN]), histograms))
    assert len(engine.instant("m", 5_000).data) == 1
    assert not len(engine.instant("m", 15_000).data)
    assert engine.instant("m[1m]", 15_000).data.histograms[0] is histograms[0]


def test_a_result_has_the_form_of_the_http_api():
    """Bucket rows in the frame, floats and histograms of one series apart."""
    frame = mixed().range("m_total", 15_000, 60_000, 15_000).data
    [row] = frame.to_api()["result"]
    assert row["values"] == [[15.0, "1"], [30.0, "2"]]
    assert [t for t, _ in row["histograms"]] == [45.0, 60.0]
    buckets = row["histograms"][1][1]["buckets"]
    assert [(rule, high, count) for rule, _, high, count in buckets][:2] == [
        (0, "1", "1"),
        (0, "2", "1"),
    ]
