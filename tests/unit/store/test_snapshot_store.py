"""What is written as a snapshot comes back bit by bit, and only what is asked is read."""

import contextlib
import subprocess
import sys
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from workbench.errors import SnapshotError
from workbench.promql.matcher import Matcher
from workbench.samples import STALE_NAN, MetricMetadata, MetricType, Samples, is_stale
from workbench.store import MemoryStore, SnapshotStore, read_manifest, write_snapshot, writer

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=6)
LABELS = st.dictionaries(st.one_of(st.just("__name__"), TEXT), TEXT, max_size=4)
VALUES = st.one_of(st.floats(), st.sampled_from([STALE_NAN, -0.0, 5e-324, float("-inf")]))
ROWS = st.dictionaries(st.integers(-(2**62), 2**62), VALUES, max_size=12)
ALL_TIME = (-(2**63), 2**63 - 1)


@st.composite
def samples(draw):
    labels = draw(st.lists(LABELS, max_size=6, unique_by=lambda each: frozenset(each.items())))
    series = []
    for each in labels:
        rows = sorted(draw(ROWS).items())
        series.append(
            (each, np.array([t for t, _ in rows], np.int64), np.array([v for _, v in rows]))
        )
    return Samples.from_series(series)


def as_bits(found):
    """Everything that two sets of samples must share, each float as its bits."""
    return [
        (dict(labels), t.tolist(), np.ascontiguousarray(v).view(np.uint64).tolist())
        for labels, t, v in found
        if len(t)
    ]


@pytest.fixture
def small_row_groups(monkeypatch):
    """Row groups of ten rows and files of forty, so that few samples fill many."""
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 10)
    monkeypatch.setattr(writer, "FILE_ROWS", 40)


def many(series=30, rows=7):
    """Series of seven rows with different times; ten of each of three metrics."""
    for i in range(series):
        labels = {"__name__": f"m{i // 10}", "n": str(i)}
        yield labels, np.arange(rows, dtype=np.int64) * 1000 + i, np.arange(rows) + i * 0.5


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60
)
@given(samples())
def test_samples_come_back_bit_by_bit(tmp_path_factory, small_row_groups, given_samples):
    """Hostile labels, NaN, stale markers, infinities, no series and single ones; in order."""
    path = tmp_path_factory.mktemp("round") / "trip"
    manifest = write_snapshot(path, given_samples)
    store = SnapshotStore(path)
    assert as_bits(store.select([], *ALL_TIME)) == as_bits(given_samples)
    assert store.bounds_ms == MemoryStore(given_samples).bounds_ms
    assert manifest.counts.samples == given_samples.rows
    assert read_manifest(path) == manifest == store.manifest


def test_a_staleness_marker_is_still_one(tmp_path):
    """Its bits tell it from an ordinary NaN, so they must survive."""
    values = np.array([1.0, STALE_NAN, np.nan])
    write_snapshot(tmp_path / "s", [({"a": "b"}, np.arange(3), values)])
    found = SnapshotStore(tmp_path / "s").select([], *ALL_TIME).values
    assert is_stale(found).tolist() == [False, True, False]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.integers(-10, 7000), st.integers(-10, 7000), st.sampled_from(["m0", "m1|m2", ".*", "x"]))
def test_selecting_gives_what_memory_gives(tmp_path_factory, small_row_groups, start, end, pattern):
    """Across row groups and files, with any range."""
    path = tmp_path_factory.getbasetemp() / "shared-snapshot"
    if not path.exists():
        write_snapshot(path, many())
    asked = [Matcher("__name__", "=~", pattern)]
    memory, disk = MemoryStore(Samples.from_series(many())), SnapshotStore(path, cache_bytes=400)
    assert as_bits(disk.select(asked, start, end)) == as_bits(memory.select(asked, start, end))
    assert disk.series(asked, start, end) == memory.series(asked, start, end)


def test_only_files_that_a_query_needs_are_read(tmp_path, small_row_groups):
    """A query works where the other files are gone, and one for the rest says which is."""
    write_snapshot(tmp_path / "s", many())
    store = SnapshotStore(tmp_path / "s")
    names = [entry.name for entry in store.manifest.files_of("samples")]
    assert len(names) > 3
    for name in names[1:]:
        (tmp_path / "s" / name).unlink()
    assert store.select([Matcher("n", "=", "0")], *ALL_TIME).rows == 7
    with pytest.raises(SnapshotError, match=names[-1]):
        store.select([Matcher("n", "=", "29")], *ALL_TIME)


def test_what_is_kept_in_memory_is_bounded(tmp_path, small_row_groups):
    """The row groups used last stay, up to the number of bytes; closing forgets them."""
    write_snapshot(tmp_path / "s", many())
    store = SnapshotStore(tmp_path / "s", cache_bytes=400)
    store.select([], *ALL_TIME)
    assert 0 < store.kept_bytes <= 400
    store.close()
    assert store.kept_bytes == 0
    assert store.select([], *ALL_TIME).rows == 210


def test_a_second_question_is_answered_from_memory(tmp_path):
    """The file may even be gone by then."""
    write_snapshot(tmp_path / "s", many())
    store = SnapshotStore(tmp_path / "s")
    first = store.select([], *ALL_TIME)
    (tmp_path / "s" / "samples-0000.parquet").unlink()
    assert as_bits(store.select([], *ALL_TIME)) == as_bits(first)


def test_what_a_caller_does_to_an_answer_does_not_reach_the_next(tmp_path):
    """Answers are copies of what is kept, or views that cannot be written to."""
    write_snapshot(tmp_path / "s", many())
    for asked, store in (
        ([], SnapshotStore(tmp_path / "s")),
        ([Matcher("n", "=~", "2|4")], SnapshotStore(tmp_path / "s")),
        ([], SnapshotStore(tmp_path / "s", cache_bytes=400)),
    ):
        before = as_bits(store.select(asked, *ALL_TIME))
        with contextlib.suppress(ValueError):
            store.select(asked, *ALL_TIME).values[:] = -1
        assert as_bits(store.select(asked, *ALL_TIME)) == before


def test_a_small_question_takes_the_memory_of_its_row_groups_only(tmp_path, small_row_groups):
    """Room for the whole store is only promised; closing gives back what was filled."""
    write_snapshot(tmp_path / "s", many())
    store = SnapshotStore(tmp_path / "s")
    store.select([Matcher("n", "=", "0")], *ALL_TIME)
    assert store.kept_bytes == 7 * 16
    store.select([], *ALL_TIME)
    assert store.kept_bytes == 210 * 16
    store.close()
    assert store.kept_bytes == 0


def test_a_series_longer_than_a_row_group_stands_in_one(tmp_path, small_row_groups):
    """Row groups are cut between series, never within one."""
    write_snapshot(
        tmp_path / "s", [*many(1), ({"n": "long"}, np.arange(95), np.arange(95.0)), *many(1, 3)][:2]
    )
    assert SnapshotStore(tmp_path / "s").select([Matcher("n", "=", "long")], 90, 99).rows == 5


def test_a_shared_grid_of_times_costs_almost_nothing(tmp_path):
    """Twenty gauges that never change on one grid: less than a hundredth of a byte a sample."""
    grid = np.arange(50_000, dtype=np.int64) * 60_000
    flat = np.full(50_000, 3.0)
    manifest = write_snapshot(tmp_path / "s", (({"n": str(i)}, grid, flat) for i in range(20)))
    assert manifest.files_of("samples")[0].bytes < manifest.counts.samples / 100


def test_metadata_comes_back(tmp_path):
    """Name, type, help and unit, whatever the help says."""
    known = [
        MetricMetadata("a", MetricType.COUNTER, 'say "hi"\n<b>\x00', "bytes"),
        MetricMetadata("b", MetricType.GAUGEHISTOGRAM),
    ]
    write_snapshot(tmp_path / "s", [], metadata=known)
    assert SnapshotStore(tmp_path / "s").metadata() == {"a": known[0], "b": known[1]}


def test_the_manifest_says_what_where_from_and_how_complete(tmp_path):
    """Secrets of the source's URL are not among it."""
    before = datetime.now(UTC).replace(microsecond=0)
    manifest = write_snapshot(
        tmp_path / "s",
        many(),
        source="https://me:secret@prom:9090/x?token=secret",
        selectors=['{job="a"}'],
        window=(0, 10_000),
        notes=["3 of 5 chunks came back"],
        complete=False,
    )
    assert manifest.source == "https://prom:9090/x"
    assert b"secret" not in (tmp_path / "s" / "manifest.json").read_bytes()
    assert manifest.selectors == ('{job="a"}',)
    assert (manifest.window.start_ms, manifest.window.end_ms) == (0, 10_000)
    assert (manifest.first_ms, manifest.last_ms) == (0, 6029)
    assert (manifest.counts.series, manifest.counts.samples) == (30, 210)
    assert manifest.gaps == ("3 of 5 chunks came back",)
    assert before <= manifest.created <= datetime.now(UTC)


def test_a_snapshot_that_is_replaced_while_it_is_open_says_so(tmp_path, small_row_groups):
    """Rows of the new one are never taken for those of the old one."""
    write_snapshot(tmp_path / "s", many())
    store = SnapshotStore(tmp_path / "s", cache_bytes=0)
    assert store.select([], *ALL_TIME).rows == 210
    others = [(labels, times, values + 1) for labels, times, values in many()]
    write_snapshot(tmp_path / "s", others, overwrite=True)
    with pytest.raises(SnapshotError, match="replaced"):
        store.select([], *ALL_TIME)


def test_opening_and_asking_does_not_wait_for_pandas(tmp_path):
    """Importing it takes longer than opening a snapshot and answering from it."""
    write_snapshot(tmp_path / "s", many())
    program = (
        "import sys\n"
        "from workbench.promql.matcher import Matcher\n"
        "from workbench.store import SnapshotStore\n"
        "store = SnapshotStore(sys.argv[1])\n"
        "found = store.select([Matcher('n', '=~', '1.+')], 0, 9_000)\n"
        "print(len(found), 'pandas' in sys.modules)\n"
    )
    command = [sys.executable, "-c", program, tmp_path / "s"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == "10 False\n", done.stderr
