"""A store in memory gives the rows that a loop over all samples gives, without copying."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workbench.errors import QueryError
from workbench.promql.matcher import Matcher
from workbench.samples import MetricMetadata, MetricType, Samples
from workbench.store import MemoryStore

TIMES = st.lists(st.integers(-30, 30), unique=True, max_size=8)


def make(times_of_series):
    return Samples.from_series(
        ({"n": str(i)}, np.array(t, np.int64), np.array(t, float) * 2)
        for i, t in enumerate(times_of_series)
    )


@settings(deadline=None)
@given(st.lists(TIMES, max_size=6), st.integers(-35, 35), st.integers(-35, 35), st.booleans())
def test_select_gives_the_rows_between_both_ends(times, start, end, narrowed):
    """Ranges include both ends; series without a row are left out; matchers narrow."""
    asked = [Matcher("n", "=~", "[024]")] if narrowed else []
    found = MemoryStore(make(times)).select(asked, start, end)
    wanted = {
        str(i): sorted(t for t in each if start <= t <= end)
        for i, each in enumerate(times)
        if not narrowed or i in (0, 2, 4)
    }
    got = {labels["n"]: t.tolist() for labels, t, _ in found}
    assert got == {n: each for n, each in wanted.items() if each}
    assert np.array_equal(found.values, found.times_ms * 2.0)
    assert found.offsets[0] == 0
    assert found.offsets[-1] == found.rows


def test_the_whole_range_is_given_without_copying():
    """All series, or neighbours, over all their time are views that cannot be written."""
    samples = make([[1, 2], [3, 4], [5]])
    store = MemoryStore(samples)
    for asked in ([], [Matcher("n", "=~", "1|2")], [Matcher("n", "=", "1")]):
        found = store.select(asked, 0, 10)
        assert np.shares_memory(found.values, samples.values)
        assert np.shares_memory(found.times_ms, samples.times_ms)
        with pytest.raises(ValueError, match="read-only"):
            found.values[0] = 0
    assert samples.values.flags.writeable


@pytest.mark.parametrize("far", [2**63 - 1, 2**70])
def test_a_range_as_wide_as_integers_is_no_trouble(far):
    """The largest int64, and beyond, as an open end."""
    assert MemoryStore(make([[1, 2]])).select([], -far, far).rows == 2


def test_bounds_are_the_first_and_last_sample_of_all_series():
    """Empty series have no part in them; an empty store has none."""
    assert MemoryStore(make([[5, 9], [], [-3]])).bounds_ms == (-3, 9)
    assert MemoryStore(make([[], []])).bounds_ms == (0, 0)
    assert MemoryStore(Samples.empty()).bounds_ms == (0, 0)


def test_series_are_those_that_touch_the_range():
    """By their first and last sample; series without samples never do."""
    store = MemoryStore(make([[1, 9], [4], []]))
    assert store.series([], 5, 6) == [{"n": "0"}]
    assert store.series([Matcher("n", "!=", "0")], 0, 9) == [{"n": "1"}]


def test_metadata_is_taken_as_a_mapping_or_one_by_one():
    """Both give the same, by name."""
    one = MetricMetadata("up", MetricType.GAUGE, "Is it up?")
    assert MemoryStore(Samples.empty(), [one]).metadata() == {"up": one}
    assert MemoryStore(Samples.empty(), {"up": one}).metadata() == {"up": one}
    assert MemoryStore(Samples.empty()).metadata() == {}


def test_a_bad_pattern_is_refused_even_where_no_series_is():
    """A mistake in the question does not depend on the data."""
    with pytest.raises(QueryError):
        MemoryStore(Samples.empty()).select([Matcher("a", "=~", "(")], 0, 1)
