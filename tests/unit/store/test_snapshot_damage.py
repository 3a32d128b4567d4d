"""Damage to any file of a snapshot is found, and said with the file's name."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from workbench.errors import SnapshotError
from workbench.samples import MetricMetadata
from workbench.store import SnapshotStore, write_snapshot
from workbench.store.columns import schema_of

FILES = ["series.parquet", "metadata.parquet", "samples-0000.parquet"]
ALL_TIME = (-(2**63), 2**63 - 1)


@pytest.fixture
def path(tmp_path):
    noise = np.random.default_rng(1).normal(size=5000)
    each = (({"n": str(i)}, np.arange(5000), noise + i) for i in range(4))
    write_snapshot(tmp_path / "s", each, metadata=[MetricMetadata("m", help="h")])
    return tmp_path / "s"


def use(path):
    """What any query does: open and select."""
    return SnapshotStore(path).select([], *ALL_TIME)


def change_manifest(path, change):
    content = json.loads((path / "manifest.json").read_text())
    change(content)
    (path / "manifest.json").write_text(json.dumps(content))


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(path, name):
    """Somebody tidied up."""
    (path / name).unlink()
    with pytest.raises(SnapshotError, match=f"{name} cannot be read.*take the snapshot again"):
        use(path)


@pytest.mark.parametrize("keep", [0, 3, 0.5, -1])
@pytest.mark.parametrize("name", FILES)
def test_a_truncated_file_is_named(path, name, keep):
    """Empty, cut in the middle, or one byte short."""
    content = (path / name).read_bytes()
    (path / name).write_bytes(content[: int(len(content) * keep) if keep == 0.5 else keep])
    with pytest.raises(SnapshotError, match=f"{name} is .* bytes long, not"):
        use(path)


@pytest.mark.parametrize("place", [0, 0.1, 0.5, 0.9, -1])
@pytest.mark.parametrize("name", FILES)
def test_a_flipped_bit_is_found(path, name, place):
    """In the magic bytes, in data, in the footer: the size is right, the digest is not."""
    content = bytearray((path / name).read_bytes())
    content[int(len(content) * place) if 0 < place < 1 else place] ^= 4
    (path / name).write_bytes(content)
    with pytest.raises(SnapshotError, match=f"{name} is damaged or was replaced"):
        use(path)
    with pytest.raises(SnapshotError, match="is damaged"):
        SnapshotStore(path).verify()


def test_a_file_that_no_query_touches_is_found_by_verify(path, monkeypatch):
    """Opening does not read the samples; verifying does."""
    content = bytearray((path / "samples-0000.parquet").read_bytes())
    content[100] ^= 1
    (path / "samples-0000.parquet").write_bytes(content)
    store = SnapshotStore(path)
    assert len(store.series([], *ALL_TIME)) == 4
    with pytest.raises(SnapshotError, match=r"samples-0000\.parquet"):
        store.verify()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"<html>", b"[]", b'"x"', b"\xff\xfe", b"[" * 100_000, b"null"]
)
def test_a_manifest_that_is_not_json_is_refused(path, text):
    """Nothing of it is shown, whatever it holds."""
    (path / "manifest.json").write_bytes(text)
    with pytest.raises(SnapshotError, match=r"manifest\.json is not JSON"):
        use(path)


def test_a_manifest_of_something_else_is_refused(path):
    """Many tools have a file of that name."""
    (path / "manifest.json").write_text('{"name": "app", "version": 3}')
    with pytest.raises(SnapshotError, match="is not a snapshot's manifest"):
        use(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda m: m.pop("counts"), "counts"),
        (lambda m: m.pop("version") and m.update(version="1"), "version"),
        (lambda m: m.update(version=0), "version"),
        (lambda m: m.update(surprise=1), "surprise is unknown"),
        (lambda m: m["counts"].update(samples=-1), "counts.samples"),
        (lambda m: m["files"][0].update(name="../x.parquet"), "files.0.name"),
    ],
)
def test_a_manifest_that_breaks_the_schema_is_refused_by_field(path, change, said):
    """The message names the field."""
    change_manifest(path, change)
    with pytest.raises(SnapshotError, match=f"is damaged.*{said}"):
        use(path)


@pytest.mark.parametrize(
    "change",
    [
        lambda m: m["counts"].update(series=5),
        lambda m: m["counts"].update(samples=1),
        lambda m: m["files"][0].update(rows=1),
        lambda m: m.update(files=m["files"][1:]),
        lambda m: m.update(files=m["files"][:1]),
        lambda m: m["files"].append(dict(m["files"][0], name="samples-0001.parquet")),
        lambda m: m["files"].append(dict(m["files"][-1], name="series.parquet", role="series")),
    ],
)
def test_counts_that_do_not_add_up_are_refused(path, change):
    """In all, file by file, and the files of each role."""
    change_manifest(path, change)
    with pytest.raises(SnapshotError, match=str(path)):
        use(path)


def forge(path, name, table, rows=None):
    """Put another table in a file's place and make size, rows and digest agree."""
    pq.write_table(table, path / name)
    content = (path / name).read_bytes()
    entry = {
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "rows": len(table) if rows is None else rows,
    }
    change_manifest(path, lambda m: next(f for f in m["files"] if f["name"] == name).update(entry))


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ({"time_ms": np.arange(20_000)}, "no column 'value' of double"),
        ({"time_ms": np.arange(20_000), "value": np.arange(20_000)}, "no column 'value' of double"),
    ],
)
def test_samples_with_other_columns_are_refused(path, columns, said):
    """Made by another tool: a column missing, or of another type."""
    times = pa.field("time_ms", pa.int64(), nullable=False)
    fields = [times, pa.field("value", pa.int64(), nullable=False)][: len(columns)]
    forge(path, "samples-0000.parquet", pa.table(columns, schema=pa.schema(fields)))
    with pytest.raises(SnapshotError, match=said):
        use(path)


@pytest.mark.parametrize(
    ("rows", "said"),
    [(20_000, r"has 10 rows, not 20,000"), (10, "should have samples in")],
)
def test_samples_that_are_fewer_than_their_series_say_are_refused(path, rows, said):
    """Whichever number the manifest has."""
    columns = {"time_ms": np.arange(10), "value": np.zeros(10)}
    forge(path, "samples-0000.parquet", pa.table(columns, schema=schema_of("samples")), rows)
    with pytest.raises(SnapshotError, match=said):
        use(path)


@pytest.mark.parametrize(
    ("column", "values"),
    [
        ("first_row", [0, 5000, 10_000, 15_001]),
        ("first_row", [-1, 5000, 10_000, 15_000]),
        ("rows", [5000, 5000, 0, 10_000]),
        ("row_group", [0, 0, 0, 1]),
        ("first_ms", [-5, 0, 0, 0]),
        ("last_ms", [9000, 4999, 4999, 4999]),
        ("file", ["samples-0000.parquet"] * 3 + ["samples-0007.parquet"]),
    ],
)
def test_series_that_point_to_rows_that_are_not_there_are_refused(path, column, values):
    """Each number of the table of series, changed alone."""
    table = pq.read_table(path / "series.parquet")
    at = table.schema.get_field_index(column)
    field = table.schema.field(at)
    forge(path, "series.parquet", table.set_column(at, field, pa.array(values, field.type)))
    with pytest.raises(SnapshotError):
        use(path)


@pytest.mark.parametrize("name", ["series.parquet", "metadata.parquet"])
def test_a_table_with_other_columns_is_refused(path, name):
    """The column that is missing is named."""
    forge(path, name, pa.table({"x": [1, 2, 3, 4]}), None)
    with pytest.raises(SnapshotError, match="column"):
        use(path)


def test_metadata_of_an_unknown_type_is_refused(path):
    """A type that is none of the formats' own."""
    columns = {"name": ["a"], "type": ["banana"], "help": [""], "unit": [""]}
    forge(path, "metadata.parquet", pa.table(columns, schema=schema_of("metadata")))
    with pytest.raises(SnapshotError, match="banana"):
        use(path)
