"""Native histograms against the observations that they were made of."""

import numpy as np
import pytest

from workbench.native import (
    CUSTOM,
    Buckets,
    Histogram,
    ResetHint,
    is_native,
    no_histograms,
    or_none,
    upper_bounds,
)
from workbench.samples import Samples, histogram_to_api


def sparse(index):
    found, counts = np.unique(index, return_counts=True)
    return Buckets(found, counts.astype(float))


def observed(values, schema, zero_threshold=0.0):
    """The exponential histogram of observations, bucket by bucket from the definition."""
    values = np.asarray(values, float)
    width = 2.0**-schema
    zero = np.abs(values) <= zero_threshold
    positive, negative = values[~zero & (values > 0)], -values[~zero & (values < 0)]
    index = [np.ceil(np.log2(each) / width).astype(np.int64) for each in (positive, negative)]
    return Histogram(
        schema,
        float(len(values)),
        float(values.sum()),
        zero_threshold,
        float(zero.sum()),
        *map(sparse, index),
    )


@pytest.mark.parametrize("schema", range(-4, 9))
def test_bounds_are_powers_of_the_base(schema):
    """They are ``2 ** (index / 2 ** schema)`` to within a few units in the last place."""
    index = np.arange(-40, 41)
    exact = 2.0 ** (index.astype(np.longdouble) * np.longdouble(2.0) ** -schema)
    finite = (exact > 1e-300) & (exact < 1e300)
    found = upper_bounds(index, schema)[finite]
    np.testing.assert_allclose(found, exact[finite].astype(float), rtol=1e-15)


def test_whole_powers_of_two_are_exact():
    """No rounding where none is needed."""
    for schema in range(9):
        index = np.arange(-30, 31) << schema
        assert upper_bounds(index, schema).tolist() == [2.0**k for k in range(-30, 31)]


@pytest.mark.parametrize("schema", [-4, -1, 0, 3, 8])
def test_the_last_finite_bucket_ends_at_the_largest_float(schema):
    """The bucket behind it is for infinite observations."""
    last = 1024 << schema if schema >= 0 else 1024 >> -schema
    found = upper_bounds(np.array([last, last + 1]), schema)
    assert found.tolist() == [np.finfo(float).max, np.inf]


@pytest.mark.parametrize("steps", [1, 2, 5])
def test_a_lower_resolution_is_that_of_the_observations(steps):
    """Merging buckets gives what bucketing the observations anew would give."""
    random = np.random.default_rng(steps)
    values = random.lognormal(0, 2, 500) * random.choice([-1, 1], 500)
    fine, coarse = observed(values, 4), observed(values, 4 - steps)
    assert fine.at_schema(4 - steps).same(coarse)
    assert not fine.same(coarse)


def test_all_buckets_in_ascending_order():
    """Negative ones mirrored, the zero bucket between, neighbours cut off at it."""
    histogram = Histogram(
        0, 10, 1.0, 0.75, 2, Buckets.dense(0, [1, 3]), Buckets.dense(1, [4]), hint=ResetHint.GAUGE
    )
    rows = histogram.rows()
    assert rows.lower.tolist() == [-2.0, -0.75, 0.75, 1.0]
    assert rows.upper.tolist() == [-1.0, 0.75, 1.0, 2.0]
    assert rows.counts.tolist() == [4, 2, 1, 3]
    assert rows.rules.tolist() == [1, 3, 0, 0]


def test_the_form_of_the_http_api():
    """Bounds, counts and rules as strings and numbers; empty buckets are left out."""
    custom = Histogram(
        CUSTOM, 6, 12.5, positive=Buckets.dense(0, [1, 0, 5]), custom_values=(0.1, 2.5)
    )
    assert histogram_to_api(custom) == {
        "count": "6",
        "sum": "12.5",
        "buckets": [[3, "-Inf", "0.1", "1"], [0, "2.5", "+Inf", "5"]],
    }
    assert histogram_to_api(Histogram()) == {"count": "0", "sum": "0"}


def test_as_text():
    """The form that count_values makes a label's value of."""
    histogram = Histogram(0, 3, 1e21, 0.001, 1, Buckets.dense(0, [2]), Buckets.dense(1, [1]))
    expected = "{count:3, sum:1e+21, [-2,-1):1, [-0.001,0.001]:1, (0.5,1]:2}"
    assert str(histogram) == expected


def test_samples_carry_histograms_beside_floats():
    """Sorted with their times; a float's place holds None, a histogram's value is NaN."""
    histogram = Histogram(0, 1, 2.0)
    column = no_histograms(3)
    column[0] = histogram
    series = {"a": "b"}, np.array([30, 10, 20]), np.array([9.0, 1.0, 2.0]), column
    samples = Samples.from_series([({"c": "d"}, np.array([5]), np.array([7.0])), series])
    assert samples.times_ms.tolist() == [5, 10, 20, 30]
    assert samples.values[:3].tolist() == [7, 1, 2]
    assert np.isnan(samples.values[3])
    assert samples.histograms[3] is histogram
    assert is_native(samples.histograms).tolist() == [False, False, False, True]
    row = samples.to_api()["result"][1]
    assert row["values"] == [[0.01, "1"], [0.02, "2"]]
    assert row["histograms"] == [[0.03, {"count": "1", "sum": "2"}]]
    assert Samples.from_series(samples).histograms[3] is histogram
    assert or_none(no_histograms(2)) is None
