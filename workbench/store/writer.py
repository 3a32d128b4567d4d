"""Writing a snapshot: series stream through, some samples at a time, into Parquet files."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import InputError
from workbench.native import Histogram, is_native
from workbench.samples import (
    Floats,
    Ints,
    Labels,
    MetricMetadata,
    NativeSeries,
    Samples,
    Series,
    StartedSeries,
    format_labels,
)
from workbench.settings import without_secrets
from workbench.store.columns import schema_of
from workbench.store.digests import PartDigests, digests_note
from workbench.store.folder import new_folder, writing
from workbench.store.histograms import histogram_table, partner
from workbench.store.manifest import (
    MANIFEST_NAME,
    AskedWindow,
    Counts,
    FileEntry,
    Manifest,
    Role,
    is_snapshot,
    now_utc,
    version_of,
)
from workbench.store.memory import by_name

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Progress", "write_snapshot"]

Progress = Callable[[int, int], None]
"""Told after each row group how many series and how many samples are written so far."""

ROW_GROUP_ROWS: Final = 1 << 15
"""Samples of a row group: half a megabyte decoded, half a millisecond to read. A small question
reads few that it does not need, and decoding takes little memory beside the samples themselves."""

FILE_ROWS: Final = 32 * ROW_GROUP_ROWS
"""Samples of a file: a few megabytes, so that joined or copied snapshots move in handy pieces."""

_MOST_ROWS: Final = 64 * 1024 * 1024
"""Arrow cuts a row group that is longer than this, and a series must not be cut."""


def write_snapshot(
    path: Path | str,
    series: Samples | Iterable[Series | NativeSeries | StartedSeries],
    *,
    metadata: Mapping[str, MetricMetadata] | Iterable[MetricMetadata] = (),
    source: str = "",
    selectors: Iterable[str] = (),
    window: tuple[int, int] | None = None,
    notes: Iterable[str] = (),
    complete: bool | Callable[[], bool] = True,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> Manifest:
    """Write a snapshot from a stream of series; on failure or Ctrl-C nothing is left behind.

    At most one row group (32,768 samples, or one longer series) is held in memory, and the
    labels of all series. Series keep their order: give those of one metric together, since that
    is how they are read. `metadata`, `notes` and `complete` are looked at when the stream has
    ended, so that whoever makes the stream may fill them meanwhile.

    Parameters
    ----------
    path
        The folder to make; it may exist where it is empty.
    series
        ``(labels, times_ms, values)``, as `Samples` gives them, or with native histograms
        ``(labels, times_ms, values, histograms)``. A series without samples is left out, and so
        are start timestamps, which the snapshot's notes then say.
    metadata
        What is known of the metric families.
    source
        Where the samples come from; secrets of a URL are removed.
    selectors, window
        What was asked for: PromQL selectors, and both ends in milliseconds since the epoch.
    notes
        What a reader should know, sentences; where something is missing, what and why.
    complete
        False where something asked for is missing; or a function that tells.
    overwrite
        Replace a snapshot that stands at `path`, in one step.
    progress
        Told how many series and samples are written, after each row group.

    Returns
    -------
    Manifest
        What was written.

    Raises
    ------
    InputError
        A series stands twice, has two samples at one time, or labels that are not Unicode text.
    OutputError
        The folder is taken (by a snapshot without `overwrite`, by anything else always), or
        something cannot be written, for instance because the disk is full.
    """
    target = Path(path)
    with new_folder(target, overwrite=overwrite, replaceable=is_snapshot) as folder:
        writer = _Writer(folder, target, progress)
        try:
            for one in series.started_series() if isinstance(series, Samples) else series:
                writer.add(one)
            writer.finish(list(by_name(metadata).values()))
        finally:
            writer.close()
        manifest = Manifest(
            version=version_of(writer.files),
            created=now_utc(),
            source=without_secrets(source),
            selectors=tuple(selectors),
            window=AskedWindow(start_ms=window[0], end_ms=window[1]) if window else None,
            complete=complete() if callable(complete) else complete,
            notes=(*notes, *writer.notes()),
            counts=Counts(series=len(writer.labels), samples=sum(writer.rows)),
            first_ms=min(writer.first_ms, default=None),
            last_ms=max(writer.last_ms, default=None),
            files=tuple(writer.files),
        )
        with writing(target):
            write_text(folder / MANIFEST_NAME, manifest.to_json())
    return manifest


class _Writer:
    """Collects series into row groups and row groups into files, and remembers where each is."""

    def __init__(self, folder: Path, target: Path, progress: Progress | None) -> None:
        self._folder = folder
        self._target = target
        self._progress = progress
        self._seen: set[frozenset[tuple[str, str]]] = set()
        self._waiting: list[tuple[Ints, Floats]] = []
        self._waiting_rows = 0
        self._histograms: list[tuple[int, Histogram]] = []
        self._file: Any = None
        self._partner: Any = None
        self._partner_rows = 0
        self._file_name = ""
        self._file_rows = 0
        self._row_group = 0
        self._digests: dict[str, PartDigests] = {}
        self.files: list[FileEntry] = []
        self.labels: list[Labels] = []
        self.places: list[tuple[str, int, int]] = []
        self.rows: list[int] = []
        self.starts_left_out = 0
        self.first_ms: list[int] = []
        self.last_ms: list[int] = []

    def add(self, series: Series | NativeSeries | StartedSeries) -> None:
        """Take one series; writes a row group where enough has come together."""
        checked = Samples.from_series([series])
        labels, count = checked.labels[0], checked.rows
        if count == 0:
            return
        self._check(labels, count)
        if self._waiting and self._waiting_rows + count > ROW_GROUP_ROWS:
            self._flush()
        if self._file is None:
            self._open()
        if checked.histograms is not None:
            for row in np.flatnonzero(is_native(checked.histograms)).tolist():
                self._histograms.append((self._waiting_rows + row, checked.histograms[row]))
        if checked.starts_ms is not None:
            self.starts_left_out += int(np.count_nonzero(checked.starts_ms))
        self.places.append((self._file_name, self._row_group, self._waiting_rows))
        self.labels.append(labels)
        self.rows.append(count)
        self.first_ms.append(int(checked.times_ms[0]))
        self.last_ms.append(int(checked.times_ms[-1]))
        self._waiting.append((checked.times_ms, checked.values))
        self._waiting_rows += count

    def notes(self) -> list[str]:
        """What was given and is not in the snapshot."""
        if not self.starts_left_out:
            return []
        return [f"{self.starts_left_out:,} start timestamps of samples are left out"]

    def _check(self, labels: Labels, count: int) -> None:
        key = frozenset(labels.items())
        if key in self._seen:
            msg = f"series {format_labels(labels)} stands twice"
            raise InputError(msg, "merge its samples, or give it a label that tells them apart")
        self._seen.add(key)
        for name, value in labels.items():
            _check_text(name, "a label's name")
            _check_text(value, f"the value of label {name!r}")
        if count > _MOST_ROWS:
            msg = f"series {format_labels(labels)} has {count:,} samples, more than {_MOST_ROWS:,}"
            raise InputError(msg, "take a shorter range of time")

    def _open(self) -> None:
        import pyarrow.parquet as pq

        number = sum(entry.role == "samples" for entry in self.files)
        self._file_name = f"samples-{number:04d}.parquet"
        with writing(self._target):
            self._file = pq.ParquetWriter(
                self._folder / self._file_name,
                schema_of("samples"),
                use_dictionary=False,
                column_encoding={"time_ms": "DELTA_BINARY_PACKED", "value": "BYTE_STREAM_SPLIT"},
                compression="zstd",
                compression_level=3,
                write_statistics=False,
            )

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._waiting:
            return
        times = np.concatenate([times for times, _ in self._waiting])
        values = np.concatenate([values for _, values in self._waiting])
        table = pa.table({"time_ms": times, "value": values}, schema=schema_of("samples"))
        with writing(self._target):
            self._file.write_table(table, row_group_size=len(table))
        if self._histograms:
            self._flush_histograms()
        self._file_rows += len(table)
        self._row_group += 1
        self._waiting, self._waiting_rows = [], 0
        if self._file_rows >= FILE_ROWS - ROW_GROUP_ROWS // 2:
            self._end_file()
        if self._progress:
            self._progress(len(self.labels), sum(self.rows))

    def _flush_histograms(self) -> None:
        """Write the histograms of the row group just written to the file beside its own."""
        import pyarrow.parquet as pq

        table = histogram_table(self._row_group, self._histograms)
        with writing(self._target):
            if self._partner is None:
                path = self._folder / partner(self._file_name)
                self._partner = pq.ParquetWriter(path, table.schema, compression="zstd")
            self._partner.write_table(table, row_group_size=len(table))
        self._partner_rows += len(table)
        self._histograms = []

    def _end_file(self) -> None:
        if self._file is None:
            return
        with writing(self._target):
            self._file.close()
            path = self._folder / self._file_name
            self.files.append(describe(path, "samples", self._file_rows))
            self._digests[path.name] = PartDigests.of(path)
        if self._partner is not None:
            with writing(self._target):
                self._partner.close()
                path = self._folder / partner(self._file_name)
                self.files.append(describe(path, "histograms", self._partner_rows))
        self._file, self._file_rows, self._row_group = None, 0, 0
        self._partner, self._partner_rows = None, 0

    def finish(self, metadata: Sequence[MetricMetadata]) -> None:
        """Write what waits, and the tables of series and metadata."""
        self._flush()
        self._end_file()
        tables: list[tuple[Role, pa.Table]] = [
            ("series", self._series_table()),
            ("metadata", metadata_table(metadata)),
        ]
        for role, table in tables:
            file = self._folder / f"{role}.parquet"
            with writing(self._target):
                write_table(table, file, digests_note(self._digests) if role == "series" else {})
                self.files.append(describe(file, role, len(table)))

    def _series_table(self) -> pa.Table:
        import pyarrow as pa

        schema = schema_of("series")
        pairs = [sorted(labels.items()) for labels in self.labels]
        files, row_groups, first_rows = zip(*self.places, strict=True) if self.places else ((),) * 3
        columns = [pairs, files, row_groups, first_rows, self.rows, self.first_ms, self.last_ms]
        arrays = [pa.array(c, f.type) for c, f in zip(columns, schema, strict=True)]
        return pa.Table.from_arrays(arrays, schema=schema)

    def close(self) -> None:
        """Give back the open file, where the stream broke off."""
        for file in (self._file, self._partner):
            if file is not None:
                with writing(self._target):
                    file.close()


def metadata_table(metadata: Sequence[MetricMetadata]) -> pa.Table:
    import pyarrow as pa

    columns = {
        "name": [each.name for each in metadata],
        "type": [str(each.type) for each in metadata],
        "help": [each.help for each in metadata],
        "unit": [each.unit for each in metadata],
    }
    for name, texts in columns.items():
        for text in texts:
            _check_text(text, f"the {name} of a metric")
    return pa.table(columns, schema=schema_of("metadata"))


def _check_text(text: str, what: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        msg = f"{what} is {text!r}, which is not Unicode text"
        raise InputError(msg, "read the input as UTF-8, replacing what is not") from None


def write_table(table: pa.Table, file: Path, notes: Mapping[str, str]) -> None:
    """Write a small table, and notes of any kind into its footer."""
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, table.schema, compression="zstd") as writer:
        writer.write_table(table)
        writer.add_key_value_metadata(notes)


def write_text(file: Path, text: str) -> None:
    with file.open("w", encoding="utf-8") as handle:
        handle.write(text)
        handle.flush()
        os.fsync(handle.fileno())


def describe(file: Path, role: Role, rows: int) -> FileEntry:
    """Describe a finished file, and see to it that it is on the disk before the manifest is."""
    with file.open("rb") as handle:
        os.fsync(handle.fileno())
        digest = hashlib.file_digest(handle, "sha256").hexdigest()
    return FileEntry(name=file.name, role=role, rows=rows, bytes=file.stat().st_size, sha256=digest)
