"""Several snapshots made one: their files of samples are taken over as they are.

What takes hours to collect can so be kept in finished parts and put together in a moment: the
work grows with the number of series, not of samples.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.samples import MetricMetadata
from workbench.settings import without_secrets
from workbench.store.columns import schema_of
from workbench.store.digests import PartDigests, digests_in, digests_note
from workbench.store.folder import new_folder, writing
from workbench.store.histograms import partner
from workbench.store.manifest import (
    MANIFEST_NAME,
    AskedWindow,
    Counts,
    FileEntry,
    Manifest,
    Role,
    is_snapshot,
    now_utc,
    read_manifest,
    version_of,
)
from workbench.store.memory import by_name
from workbench.store.rowgroups import SnapshotFile
from workbench.store.snapshot import SnapshotStore
from workbench.store.writer import (
    describe,
    metadata_table,
    write_snapshot,
    write_table,
    write_text,
)

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["join_snapshots"]

_REWRITTEN: Final = "rewritten"


def join_snapshots(
    path: Path | str,
    parts: Iterable[Path],
    *,
    metadata: Mapping[str, MetricMetadata] | Iterable[MetricMetadata] = (),
    source: str = "",
    selectors: Iterable[str] = (),
    window: tuple[int, int] | None = None,
    notes: Iterable[str] = (),
    complete: bool | Callable[[], bool] = True,
    overwrite: bool = False,
) -> Manifest:
    """Make one snapshot of several; on failure or Ctrl-C nothing is left behind at `path`.

    Whether `path` is free is looked at before the first part is taken, so that whoever makes the
    parts one after the other learns it at once. The parts stay as they are.

    Parameters
    ----------
    path
        The folder to make; it may exist where it is empty.
    parts
        Folders of snapshots, in the order in which their series are to stand. A series that
        stood in an earlier part is left out.
    metadata, source, selectors, window, notes, complete, overwrite
        See `write_snapshot`; `metadata`, `notes` and `complete` are looked at after the last part.

    Returns
    -------
    Manifest
        What was written.

    Raises
    ------
    SnapshotError
        A part is missing, damaged or half-written.
    OutputError
        The folder is taken, or something cannot be written.
    """
    target = Path(path)
    with new_folder(target, overwrite=overwrite, replaceable=is_snapshot) as folder:
        joiner = _Joiner(folder, target)
        for part in parts:
            joiner.add(part)
        joiner.finish(list(by_name(metadata).values()))
        manifest = Manifest(
            version=version_of(joiner.files),
            created=now_utc(),
            source=without_secrets(source),
            selectors=tuple(selectors),
            window=AskedWindow(start_ms=window[0], end_ms=window[1]) if window else None,
            complete=complete() if callable(complete) else complete,
            notes=tuple(notes),
            counts=joiner.counts,
            first_ms=joiner.first_ms,
            last_ms=joiner.last_ms,
            files=tuple(joiner.files),
        )
        with writing(target):
            write_text(folder / MANIFEST_NAME, manifest.to_json())
    return manifest


class _Joiner:
    """Takes files over under new names, and remembers where each series is now."""

    def __init__(self, folder: Path, target: Path) -> None:
        self._folder = folder
        self._target = target
        self._seen: set[frozenset[tuple[str, str]]] = set()
        self._tables: list[pa.Table] = []
        self._digests: dict[str, PartDigests] = {}
        self._taken = 0
        self.files: list[FileEntry] = []
        self.counts = Counts(series=0, samples=0)
        self.first_ms: int | None = None
        self.last_ms: int | None = None

    def add(self, part: Path) -> None:
        """Take over the series of a part that no earlier part had."""
        manifest = read_manifest(part)
        table = _series_of(part, manifest)
        keys = [frozenset(pairs) for pairs in table.column("labels").to_pylist()]
        known = self._seen.intersection(keys)
        self._seen.update(keys)
        if known:
            part = self._without(part, known)
            manifest = read_manifest(part)
            table = _series_of(part, manifest)
        partners = {entry.name: entry for entry in manifest.files_of("histograms")}
        digests = digests_in(table)
        names: dict[str, str] = {}
        for entry in manifest.files_of("samples"):
            names[entry.name] = name = f"samples-{self._taken:04d}.parquet"
            self._taken += 1
            self._take_over(part, entry, name)
            if entry.name in digests:
                self._digests[name] = digests[entry.name]
            if partner(entry.name) in partners:
                self._take_over(part, partners[partner(entry.name)], partner(name))
        self._tables.append(_renamed(table, names))
        shutil.rmtree(self._folder / _REWRITTEN, ignore_errors=True)

    def _without(self, part: Path, known: set[frozenset[tuple[str, str]]]) -> Path:
        """Write a part again without some of its series: a file's rows all belong to a series."""
        samples = SnapshotStore(part).select([], -(2**62), 2**62)
        write_snapshot(
            self._folder / _REWRITTEN,
            (one for one in samples.native_series() if frozenset(one[0].items()) not in known),
        )
        return self._folder / _REWRITTEN

    def _take_over(self, part: Path, entry: FileEntry, name: str) -> None:
        """Link a checked file, or copy it where the file system has no links."""
        file = SnapshotFile(part, entry)
        file.check()
        with writing(self._target):
            try:
                os.link(file.path, self._folder / name)
            except OSError:
                shutil.copyfile(file.path, self._folder / name)
            self.files.append(describe(self._folder / name, entry.role, entry.rows))

    def finish(self, metadata: list[MetricMetadata]) -> None:
        """Write the tables of series and metadata."""
        import pyarrow as pa
        import pyarrow.compute as pc

        schema = schema_of("series")
        table = pa.concat_tables([schema.empty_table(), *self._tables])
        tables: list[tuple[Role, pa.Table]] = [
            ("series", table),
            ("metadata", metadata_table(metadata)),
        ]
        for role, each in tables:
            file = self._folder / f"{role}.parquet"
            with writing(self._target):
                write_table(each, file, digests_note(self._digests) if role == "series" else {})
                self.files.append(describe(file, role, len(each)))
        if len(table):
            rows: Any = pc.sum(table.column("rows")).as_py()
            self.counts = Counts(series=len(table), samples=rows)
            self.first_ms = pc.min(table.column("first_ms")).as_py()
            self.last_ms = pc.max(table.column("last_ms")).as_py()


def _series_of(part: Path, manifest: Manifest) -> pa.Table:
    [entry] = manifest.files_of("series")
    return SnapshotFile(part, entry).read()


def _renamed(table: pa.Table, names: Mapping[str, str]) -> pa.Table:
    import pyarrow as pa

    at = table.schema.get_field_index("file")
    column = pa.array([names[name] for name in table.column("file").to_pylist()], pa.string())
    return table.set_column(at, schema_of("series").field("file"), column)
