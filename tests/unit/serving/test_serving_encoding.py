"""The fast JSON is the slow JSON."""

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from workbench.frame import Frame, NativeHistogram
from workbench.native import Buckets, Histogram, no_histograms
from workbench.samples import STALE_NAN, Samples
from workbench.serving.encoding import encoded

floats = st.one_of(
    st.floats(width=64),
    st.integers(-(2**60), 2**60).map(float),
    st.sampled_from([-0.0, 1e-4, 9.9999e-5, 1e15, 999_999_999_999_999.9, 1e16, 1e21, 5e-324]),
    st.just(STALE_NAN),
)
times = st.integers(-(10**12), 10**13)


def plain(data):
    """What `to_api` gives, by way of text, so that 1.0 and 1 are told apart where they matter."""
    return orjson.loads(orjson.dumps(data.to_api()))


def frame(kind, grid, values, present, histograms=None):
    labels = [{"__name__": "m", "i": str(i), "hostile": 'a"\\\n'} for i in range(len(values))]
    return Frame(kind, labels, grid, values, present, histograms=histograms or {})


@given(st.data())
def test_every_matrix_is_written_as_the_plain_form_writes_it(data):
    shape = data.draw(st.tuples(st.integers(0, 4), st.integers(0, 6)))
    values = data.draw(arrays.arrays(np.float64, shape, elements=floats))
    present = data.draw(arrays.arrays(np.bool_, shape))
    start, step = data.draw(times), data.draw(st.integers(1, 10**6))
    made = frame("matrix", start + step * np.arange(shape[1]), values, present)
    text, cut = encoded(made)
    assert not cut
    assert orjson.loads(text + b"}") == plain(made)


@given(st.lists(st.tuples(floats, st.booleans()), max_size=6), times)
def test_every_vector_is_written_as_the_plain_form_writes_it(rows, at):
    values = np.array([[v] for v, _ in rows]).reshape(len(rows), 1)
    present = np.array([[p] for _, p in rows], dtype=bool).reshape(len(rows), 1)
    made = frame("vector", np.array([at]), values, present)
    assert orjson.loads(encoded(made)[0] + b"}") == plain(made)


@given(st.lists(st.dictionaries(times, floats, max_size=5), max_size=4))
def test_raw_samples_are_written_as_the_plain_form_writes_them(series):
    samples = Samples.from_series(
        ({"i": str(i)}, np.array(sorted(own), np.int64), np.array([own[t] for t in sorted(own)]))
        for i, own in enumerate(series)
    )
    expected = plain(samples)
    expected["result"] = [row for row in expected["result"] if row["values"]]
    assert orjson.loads(encoded(samples)[0] + b"}") == expected


def test_the_text_is_prometheus_own():
    """Digits as strconv writes them, times without a useless fraction."""
    values = np.array([[1.0, 0.1, 1e-7, 1e20, np.inf, np.nan]])
    made = frame("matrix", np.arange(6) * 1500, values, np.ones((1, 6), bool))
    points = b'[0,"1"],[1.5,"0.1"],[3,"1e-07"],[4.5,"100000000000000000000"],[6,"+Inf"],[7.5,"NaN"]'
    assert points in encoded(made)[0]


@pytest.mark.parametrize("kind", ["vector", "matrix"])
def test_native_histograms_stand_beside_floats(kind):
    steps = 1 if kind == "vector" else 3
    one = NativeHistogram(3.0, 4.5, ((0, 1.0, 2.0, 3.0),))
    values = np.full((2, steps), 7.0)
    made = frame(kind, np.arange(steps) * 1000, values, np.ones((2, steps), bool), {(1, 0): one})
    assert orjson.loads(encoded(made)[0] + b"}") == plain(made)
    assert b'"histogram' in encoded(made)[0]


def test_native_histograms_of_a_range_selector_are_written():
    """A series of floats, one of histograms, and one that holds both, as `to_api` writes them."""
    times, values = np.array([0, 1000, 2000]), np.array([1.0, 2.0, 3.0])
    one = Histogram(0, 3.0, 4.5, positive=Buckets.dense(1, [1.0, 2.0]))
    all_native, some = no_histograms(3), no_histograms(3)
    all_native[:] = one
    some[1] = one
    columns = {"floats": None, "none": no_histograms(3), "native": all_native, "both": some}
    samples = Samples.from_series(
        ({"i": name}, times, values, column) for name, column in columns.items()
    )
    written = orjson.loads(encoded(samples)[0] + b"}")
    expected = plain(samples)
    for row in (*written["result"], *expected["result"]):
        row.setdefault("histograms", [])
        row.setdefault("values", [])
    assert written == expected
    assert [len(row["histograms"]) for row in written["result"]] == [0, 0, 3, 1]


@pytest.mark.parametrize(("most", "rows", "cut"), [(None, 3, False), (3, 3, False), (2, 2, True)])
def test_a_limit_counts_series_that_have_samples(most, rows, cut):
    present = np.array([[True], [False], [True], [True]])
    made = frame("matrix", np.array([0]), np.ones((4, 1)), present)
    text, was_cut = encoded(made, most)
    assert len(orjson.loads(text + b"}")["result"]) == rows
    assert was_cut is cut


def test_scalars_and_strings():
    nothing = np.empty((0, 1))
    text = Frame("string", (), np.array([1500]), nothing, nothing.astype(bool), text='a"b')
    assert encoded(text)[0] == b'{"resultType":"string","result":[1.5,"a\\"b"]'
    scalar = Frame("scalar", ({},), np.array([0]), np.array([[2.0]]), np.ones((1, 1), bool))
    assert encoded(scalar)[0] == b'{"resultType":"scalar","result":[0.0,"2"]'
