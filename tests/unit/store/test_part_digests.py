"""A query checks the row groups that it reads and the footer; verifying checks every byte."""

import hashlib
import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from workbench.errors import SnapshotError
from workbench.promql.matcher import Matcher
from workbench.store import SnapshotStore, join_snapshots, write_snapshot, writer
from workbench.store.digests import PartDigests, digests_in, digests_note
from workbench.store.rowgroups import SnapshotFile

ALL_TIME = (-(2**62), 2**62)
SERIES = 6
NAME = "samples-0000.parquet"


@pytest.fixture
def path(tmp_path, monkeypatch):
    """Six series, each a row group of its own, in one file."""
    monkeypatch.setattr(writer, "ROW_GROUP_ROWS", 200)
    monkeypatch.setattr(writer, "FILE_ROWS", 10_000)
    noise = np.random.default_rng(5).normal(size=200)
    write_snapshot(
        tmp_path / "s", (({"n": str(i)}, np.arange(200), noise + i) for i in range(SERIES))
    )
    return tmp_path / "s"


def one(store, n):
    return store.select([Matcher("n", "=", str(n))], *ALL_TIME)


def flip(path, place, name=NAME):
    content = bytearray((path / name).read_bytes())
    content[place] ^= 16
    (path / name).write_bytes(content)


def parts_of(path):
    return digests_in(pq.ParquetFile(path / "series.parquet").read())[NAME]


def rewrite_series(path, note):
    """Write the table of series with another note, or none, and make the manifest agree."""
    file = path / "series.parquet"
    writer.write_table(pq.read_table(file), file, note)
    manifest = json.loads((path / "manifest.json").read_text())
    entry = next(each for each in manifest["files"] if each["role"] == "series")
    content = file.read_bytes()
    entry.update(bytes=len(content), sha256=hashlib.sha256(content).hexdigest())
    (path / "manifest.json").write_text(json.dumps(manifest))


def test_parts_are_the_row_groups_and_the_footer_and_miss_no_byte(path):
    """Cut by what Parquet's own footer says, and hashed by hand."""
    parts, content = parts_of(path), (path / NAME).read_bytes()
    footer_size = int.from_bytes(content[-8:-4], "little") + 8
    assert len(parts.ends) == SERIES + 1
    assert parts.ends[-2:] == (len(content) - footer_size, len(content))
    starts = [0, *parts.ends]
    cut = [content[a:b] for a, b in zip(starts, parts.ends, strict=False)]
    assert b"".join(cut) == content
    assert [hashlib.sha256(each).hexdigest() for each in cut] == list(parts.digests)
    footer = pq.read_metadata(path / NAME)
    for i in range(SERIES):
        for column in range(2):
            page = footer.row_group(i).column(column).data_page_offset
            assert starts[i] <= page < starts[i + 1]


@pytest.mark.parametrize("cache_bytes", [0, 2**29])
def test_a_flipped_bit_anywhere_is_found_by_whoever_reads_it(path, cache_bytes):
    """Nobody else is held up; in the footer everybody reads it; verifying finds all."""
    whole, parts = (path / NAME).read_bytes(), parts_of(path)
    wanted = [one(SnapshotStore(path), n).values for n in range(SERIES)]
    for place in [0, 3, *range(5, len(whole), 97), len(whole) - 1]:
        (path / NAME).write_bytes(whole)
        flip(path, place)
        owner = sum(end <= place for end in parts.ends)
        store = SnapshotStore(path, cache_bytes=cache_bytes)
        for n in range(SERIES):
            if owner in (n, SERIES):
                with pytest.raises(SnapshotError, match=f"{NAME} is damaged or was replaced"):
                    one(store, n)
            else:
                assert np.array_equal(one(store, n).values, wanted[n])
        with pytest.raises(SnapshotError, match="is damaged"):
            store.verify()


@pytest.mark.parametrize(
    "note",
    [
        {},
        {"workbench.digests": "{"},
        {"workbench.digests": "[1]"},
        {"workbench.digests": json.dumps({NAME: [[1]]})},
        {"workbench.digests": json.dumps({NAME: []})},
        {"workbench.digests": json.dumps({NAME: [[-4, "x"], [9, "y"]]})},
        {"workbench.digests": json.dumps({"../other": [[4, "x"]], NAME: [[4, None]]})},
        {"workbench.digests": "[" * 100_000},
    ],
)
def test_without_digests_that_make_sense_the_whole_file_is_checked(path, note):
    """As older versions wrote them; and no damage is overlooked for a note's sake."""
    rewrite_series(path, note)
    assert len(one(SnapshotStore(path), 3)) == 1
    flip(path, 50)  # the first row group
    with pytest.raises(SnapshotError, match=f"{NAME} is damaged or was replaced"):
        one(SnapshotStore(path), 3)


def test_the_manifest_has_the_last_word(path):
    """A file that is what the manifest says is read, whatever digests of its parts were kept."""
    parts = parts_of(path)
    rewrite_series(
        path, digests_note({NAME: PartDigests(parts.ends, ("0" * 64,) * len(parts.ends))})
    )
    assert len(one(SnapshotStore(path), 3)) == 1
    flip(path, 50)
    with pytest.raises(SnapshotError, match="is damaged"):
        one(SnapshotStore(path), 3)


def test_a_file_that_changes_under_an_open_store_is_checked_again(path):
    """What was vouched for was another file."""
    store = SnapshotStore(path, cache_bytes=0)
    assert len(one(store, 0)) == 1
    flip(path, 50)
    with pytest.raises(SnapshotError, match="is damaged"):
        one(store, 0)
    flip(path, 50)
    assert len(one(store, 0)) == 1


def test_a_part_is_hashed_once(path, monkeypatch):
    """Reading a row group again, which a small cache does, costs no second check."""
    asked = []
    monkeypatch.setattr(PartDigests, "vouch", lambda self, file, parts: asked.extend(parts) or True)
    store = SnapshotStore(path, cache_bytes=0)
    for n in (2, 2, 4, 2):
        one(store, n)
    assert sorted(asked) == [2, 4, SERIES]


def test_joined_snapshots_keep_the_digests_under_the_new_names(path, tmp_path):
    """What comes from a snapshot that had none is checked as a whole."""
    write_snapshot(tmp_path / "t", [({"n": "7"}, np.arange(300), np.arange(300.0))])
    rewrite_series(tmp_path / "t", {})
    join_snapshots(tmp_path / "both", [path, tmp_path / "t"])
    kept = digests_in(pq.ParquetFile(tmp_path / "both" / "series.parquet").read())
    assert kept == {NAME: parts_of(path)}
    flip(tmp_path / "both", 50, "samples-0001.parquet")
    store = SnapshotStore(tmp_path / "both")
    assert len(one(store, 1)) == 1
    with pytest.raises(SnapshotError, match=r"samples-0001\.parquet is damaged"):
        one(store, 7)


def test_one_row_group_of_a_file_without_the_others(path):
    """A row group that is not there is refused, not read as another."""
    store = SnapshotStore(path)
    entry = store.manifest.files_of("samples")[0]
    file = SnapshotFile(path, entry)
    file.check_by_parts(parts_of(path))
    for row_group in (-1, SERIES, SERIES + 1):
        with pytest.raises(SnapshotError):
            list(file.samples([row_group]))
