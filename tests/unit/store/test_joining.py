"""Snapshots joined: what one written at once would hold, and nothing where it cannot be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from workbench.errors import OutputError, SnapshotError
from workbench.promql.matcher import Matcher
from workbench.samples import MetricMetadata, MetricType, Series
from workbench.store import SnapshotStore, join_snapshots, write_snapshot


def series(name: str, rows: int, value: float = 1.0) -> Series:
    """One series."""
    return {"__name__": name}, np.arange(rows, dtype=np.int64), np.full(rows, value)


def parts(folder: Path) -> list[Path]:
    """Three snapshots; the last repeats a series, and one holds nothing."""
    rows = [[series("a", 5), series("b", 7)], [], [series("c", 3), series("a", 9, 2.0)]]
    for number, each in enumerate(rows):
        write_snapshot(folder / str(number), each)
    return [folder / str(number) for number in range(len(rows))]


def test_all_parts_in_order(tmp_path: Path) -> None:
    """Every series once, as its first part has it; counts, ends and checksums are right."""
    metadata = [MetricMetadata("a", MetricType.GAUGE, "Some a.")]
    given = parts(tmp_path)
    manifest = join_snapshots(
        tmp_path / "all", given, metadata=metadata, source="http://me:pw@host", window=(0, 10)
    )
    store = SnapshotStore(tmp_path / "all")
    store.verify()
    found = {
        labels["__name__"]: (t.tolist(), v.tolist())
        for labels, t, v in store.select([Matcher("__name__", "!=", "")], 0, 100)
    }
    assert found == {
        name: (list(range(n)), [1.0] * n) for name, n in (("a", 5), ("b", 7), ("c", 3))
    }
    assert (manifest.counts.series, manifest.counts.samples) == (3, 15)
    assert (manifest.first_ms, manifest.last_ms) == (0, 6)
    assert manifest.source == "http://host"
    assert store.metadata()["a"] == metadata[0]
    for part in given:
        SnapshotStore(part).verify()


def test_no_part_holds_anything(tmp_path: Path) -> None:
    """A snapshot without series is one all the same."""
    write_snapshot(tmp_path / "empty", [])
    manifest = join_snapshots(tmp_path / "all", [tmp_path / "empty"])
    assert manifest.counts.series == 0
    assert len(SnapshotStore(tmp_path / "all").select([], 0, 100)) == 0


@pytest.mark.parametrize("name", ["samples-0000.parquet", "series.parquet", "manifest.json"])
def test_a_damaged_part(tmp_path: Path, name: str) -> None:
    """Nothing is written, and nothing is left."""
    given = parts(tmp_path)
    file = given[0] / name
    file.write_bytes(file.read_bytes()[:-1] + b"?")
    with pytest.raises(SnapshotError):
        join_snapshots(tmp_path / "all", given)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["0", "1", "2"]


def test_a_place_that_is_taken_is_told_before_any_part_is_made(tmp_path: Path) -> None:
    """And can be overwritten in one step."""
    given = parts(tmp_path)

    def never() -> Iterator[Path]:
        pytest.fail("a part was asked for")
        yield

    with pytest.raises(OutputError, match="already holds a snapshot"):
        join_snapshots(given[0], never())
    join_snapshots(given[0], given[1:], overwrite=True)
    assert SnapshotStore(given[0]).manifest.counts.samples == 12
