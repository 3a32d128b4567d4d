"""Native histograms in stores: what is kept comes back, and older readers are not led astray."""

import json
import shutil

import numpy as np
import pytest

from workbench.errors import InputError, SnapshotError
from workbench.native import CUSTOM, Buckets, Histogram, ResetHint, no_histograms
from workbench.promql.matcher import Matcher
from workbench.samples import STALE_NAN, Samples
from workbench.store import MemoryStore, SnapshotStore, read_manifest, write_snapshot, writer
from workbench.store.joining import join_snapshots

ALL = -(2**62), 2**62


def histogram(random):
    """One of any kind: exponential, custom, empty, with extreme numbers."""
    if random.random() < 0.3:
        bounds = np.unique(random.normal(0, 10, 5))
        index = np.sort(random.choice(len(bounds) + 1, 3, replace=False)).astype(np.int64)
        buckets = Buckets(index, random.integers(0, 9, 3).astype(float))
        return Histogram(
            CUSTOM,
            float(buckets.counts.sum()),
            -0.0,
            positive=buckets,
            custom_values=tuple(bounds.tolist()),
            hint=ResetHint(int(random.integers(4))),
        )
    sides = []
    for _ in range(2):
        index = np.unique(random.integers(-(2**31), 2**31, random.integers(0, 6)))
        sides.append(Buckets(index, random.normal(0, 1e9, len(index))))
    total = random.choice([0.1, np.inf, np.nan, 5e-324])
    return Histogram(
        int(random.integers(-4, 9)),
        float(random.integers(0, 100)),
        float(total),
        1e-9,
        2.0,
        sides[0],
        sides[1],
        hint=ResetHint(int(random.integers(4))),
    )


def series(seed, count=12, rows=7):
    """Series of histograms, of floats, and of both with staleness markers."""
    random = np.random.default_rng(seed)
    for i in range(count):
        times = np.cumsum(random.integers(1, 1000, rows))
        values = random.normal(0, 1, rows)
        values[random.random(rows) < 0.2] = STALE_NAN
        histograms = None
        if i % 3:
            histograms = no_histograms(rows)
            for row in np.flatnonzero(random.random(rows) < (1.0 if i % 3 == 1 else 0.5)).tolist():
                histograms[row] = histogram(random)
        yield {"__name__": f"m{i % 2}", "i": str(i)}, times, values, histograms


def told(samples):
    """All that samples hold, comparable, floats as their bits."""
    return [
        (
            dict(labels),
            times.tolist(),
            np.ascontiguousarray(values).view(np.uint64).tolist(),
            [None] * len(times)
            if column is None
            else [None if h is None else spelled(h) for h in column.tolist()],
        )
        for labels, times, values, column in samples.native_series()
    ]


def spelled(one):
    numbers = np.array([one.count, one.sum, one.zero_threshold, one.zero_count])
    sides = [(s.index.tolist(), s.counts.tolist()) for s in (one.positive, one.negative)]
    bits = numbers.view(np.uint64).tolist()
    return one.schema, bits, sides, one.custom_values, one.hint


@pytest.fixture
def small_row_groups(monkeypatch):
    """Row groups of twenty rows and files of forty, so that few samples fill many."""
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 20)
    monkeypatch.setattr(writer, "FILE_ROWS", 40)


@pytest.mark.usefixtures("small_row_groups")
@pytest.mark.parametrize("cache_bytes", [0, 1 << 30])
@pytest.mark.parametrize("seed", range(5))
def test_what_is_written_comes_back(tmp_path, seed, cache_bytes):
    """Every kind of histogram, beside floats and staleness markers, in many files."""
    samples = Samples.from_series(series(seed))
    manifest = write_snapshot(tmp_path / "s", samples)
    assert manifest.version == 2
    assert len(manifest.files_of("histograms")) > 1
    store = SnapshotStore(tmp_path / "s", cache_bytes=cache_bytes)
    assert told(store.select([], *ALL)) == told(samples)
    store.close()
    assert told(store.select([], *ALL)) == told(samples)
    store.verify()


@pytest.mark.usefixtures("small_row_groups")
@pytest.mark.parametrize("cache_bytes", [0, 1 << 30])
def test_a_part_is_what_memory_gives(tmp_path, cache_bytes):
    """Some series and some times: the same samples from disk as from memory."""
    samples = Samples.from_series(series(9, count=20))
    write_snapshot(tmp_path / "s", samples)
    disk, memory = SnapshotStore(tmp_path / "s", cache_bytes=cache_bytes), MemoryStore(samples)
    random = np.random.default_rng(1)
    native = 0
    for _ in range(40):
        start, end = sorted(random.integers(0, 5000, 2).tolist())
        for matchers in ([], [Matcher("__name__", "=", "m1")], [Matcher("i", "=~", "[3-7]")]):
            found = disk.select(matchers, start, end)
            assert told(found) == told(memory.select(matchers, start, end))
            native += found.histograms is not None
    assert native > 20


def test_floats_alone_are_written_as_before(tmp_path):
    """Version 1, which older readers know, and no column of histograms in what is read."""
    floats = [each[:3] for each in series(2)]
    manifest = write_snapshot(tmp_path / "s", floats)
    content = json.loads((tmp_path / "s" / "manifest.json").read_text())
    assert content["version"] == manifest.version == 1
    assert {entry["role"] for entry in content["files"]} == {"series", "metadata", "samples"}
    assert SnapshotStore(tmp_path / "s").select([], *ALL).histograms is None
    assert MemoryStore(Samples.from_series(floats)).select([], *ALL).histograms is None


@pytest.mark.parametrize("version", [1, 2])
def test_version_and_files_must_agree(tmp_path, version):
    """A manifest that hides its histograms, or promises some and has none, is damaged."""
    write_snapshot(tmp_path / "s", [each if version == 1 else each[:3] for each in series(2)])
    file = tmp_path / "s" / "manifest.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "version": version}))
    with pytest.raises(SnapshotError, match="version 2 is for snapshots with native histograms"):
        read_manifest(tmp_path / "s")


@pytest.mark.usefixtures("small_row_groups")
def test_joined_snapshots_keep_theirs(tmp_path):
    """Files of histograms go along with their files of samples, under new names."""
    parts = [list(series(4)), [({**labels, "b": "1"}, *rest) for labels, *rest in series(5)]]
    for number, part in enumerate(parts):
        write_snapshot(tmp_path / str(number), part)
    manifest = join_snapshots(tmp_path / "s", [tmp_path / "0", tmp_path / "1"])
    assert manifest.version == 2
    for number in range(2):
        shutil.rmtree(tmp_path / str(number))
    together = Samples.from_series([*parts[0], *parts[1]])
    assert told(SnapshotStore(tmp_path / "s").select([], *ALL)) == told(together)


def test_a_damaged_file_of_histograms_is_refused(tmp_path):
    """Like any other file: by its checksum, when it is first needed."""
    write_snapshot(tmp_path / "s", series(3))
    [file] = (tmp_path / "s").glob("histograms-*.parquet")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    with pytest.raises(SnapshotError, match="damaged or was replaced"):
        SnapshotStore(tmp_path / "s").select([], *ALL)


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (Histogram(9), "schema is unknown"),
        (Histogram(0, positive=Buckets(np.array([3, 2]), np.ones(2))), "out of order"),
        (Histogram(0, negative=Buckets(np.array([1, 2]), np.ones(1))), "lack counts"),
        (Histogram(CUSTOM, positive=Buckets.dense(1, [1, 1]), custom_values=(1.0,)), "beyond"),
        (Histogram(CUSTOM, custom_values=(2.0, 1.0)), "bounds are out of order"),
    ],
)
def test_impossible_histograms_are_refused(tmp_path, one, why):
    """From a stranger's snapshot, whose checksums are right."""
    column = no_histograms(1)
    column[0] = one
    write_snapshot(tmp_path / "s", [({"a": "b"}, np.array([1]), np.array([0.0]), column)])
    with pytest.raises(SnapshotError, match=why):
        SnapshotStore(tmp_path / "s").select([], *ALL)


def test_a_column_of_another_length_is_refused():
    """One entry a time."""
    with pytest.raises(InputError, match="histograms have shape"):
        Samples.from_series([({}, np.array([1, 2]), np.zeros(2), no_histograms(3))])
