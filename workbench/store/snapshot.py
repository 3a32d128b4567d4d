"""A snapshot on disk behind label matchers: reads only what a query needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import SnapshotError
from workbench.frame import Bools
from workbench.promql.matcher import Matcher
from workbench.samples import Floats, Ints, Labels, MetricMetadata, MetricType, Samples
from workbench.store.columns import as_arrow, as_numpy, flat
from workbench.store.digests import digests_in
from workbench.store.histograms import StoredHistograms
from workbench.store.index import LabelIndex
from workbench.store.manifest import Manifest, Role, read_manifest
from workbench.store.rowgroups import RowGroups, SnapshotFile
from workbench.store.rows import GrowingRows, gather, rows_between
from workbench.store.whole import WholeColumns

if TYPE_CHECKING:
    import pyarrow as pa

    from workbench.engine.storage import Room

_MOSTLY: Final = 0.75
"""Whoever asks for this share of the rows of all series gets the rest too, if that saves a copy."""

__all__ = ["CACHE_BYTES", "SnapshotStore"]

CACHE_BYTES: Final = 512 * 1024 * 1024
"""How much of the decoded samples a store keeps: thirty-three million of them."""


class SnapshotStore:
    """A store over a snapshot's folder; implements the engine's `Storage`.

    Opening reads the manifest, the labels and the metadata. Samples are read a row group at a
    time when a query needs them, each compared with its checksum before it is read first.

    Parameters
    ----------
    path
        The snapshot's folder.
    cache_bytes
        How much of the decoded samples to keep.

    Raises
    ------
    SnapshotError
        The snapshot is missing, half-written, damaged, or of a newer version.
    """

    def __init__(self, path: Path | str, *, cache_bytes: int = CACHE_BYTES) -> None:
        self.path = Path(path)
        self._manifest = read_manifest(self.path)
        self._files = {e.name: SnapshotFile(self.path, e) for e in self._manifest.files}
        self._metadata = self._read_metadata()
        table = self._table("series")
        for name, digests in digests_in(table).items():
            if name in self._files:
                self._files[name].check_by_parts(digests)
        self._labels: pa.MapArray = flat(table, "labels")
        self._index = LabelIndex.of_arrow(self._labels)
        self._file_names, self._file = _coded(table)
        self._row_group: Ints = as_numpy(flat(table, "row_group"))
        self._first_row: Ints = as_numpy(flat(table, "first_row"))
        self._rows: Ints = as_numpy(flat(table, "rows"))
        self._first_ms: Ints = as_numpy(flat(table, "first_ms"))
        self._last_ms: Ints = as_numpy(flat(table, "last_ms"))
        self._check_counts()
        self._histograms = StoredHistograms(
            {e.name: self._files[e.name] for e in self._manifest.files_of("histograms")}
        )
        self._groups = RowGroups(self._files, cache_bytes)
        self._place = _runs(self._file, self._row_group)
        self._whole = self._kept_whole() if 16 * self._rows.sum() <= cache_bytes else None

    # ---------------------------------------------------------------- opening

    def _table(self, role: Role) -> pa.Table:
        entries = self._manifest.files_of(role)
        if len(entries) != 1:
            msg = f"{self.path} has {len(entries)} files of {role}, not 1"
            raise _damaged(msg)
        return self._files[entries[0].name].read()

    def _read_metadata(self) -> dict[str, MetricMetadata]:
        try:
            rows = self._table("metadata").to_pylist()
            each = [MetricMetadata(**row | {"type": MetricType(row["type"])}) for row in rows]
        except ValueError as error:
            msg = f"{self.path} has metadata that cannot be read ({error})"
            raise _damaged(msg) from None
        return {one.name: one for one in each}

    def _check_counts(self) -> None:
        """Compare the series with what the manifest counts, in all and file by file."""
        by_file = np.bincount(self._file, self._rows, minlength=len(self._file_names))
        rows = dict(zip(self._file_names, by_file.astype(int).tolist(), strict=True))
        said = {e.name: e.rows for e in self._manifest.files_of("samples")}
        if rows != said:
            msg = f"{self.path} should have samples in {said}, and its series have them in {rows}"
            raise _damaged(msg)
        counts = self._manifest.counts
        found = (len(self._rows), sum(rows.values()), *self.bounds_ms)
        ends = (self._manifest.first_ms or 0, self._manifest.last_ms or 0)
        if found != (counts.series, counts.samples, *ends):
            wanted = f"{counts.series:,} and {counts.samples:,}"
            have = f"{found[0]:,} series and {found[1]:,} samples"
            msg = f"{self.path} has {have} where its manifest says {wanted}, or other times"
            raise _damaged(msg)

    # ---------------------------------------------------------------- what it is

    @property
    def manifest(self) -> Manifest:
        """What the snapshot says of itself."""
        return self._manifest

    @property
    def bounds_ms(self) -> tuple[int, int]:
        """First and last sample time of the whole store; ``(0, 0)`` where it is empty."""
        if not len(self._rows):
            return 0, 0
        return int(self._first_ms.min()), int(self._last_ms.max())

    def metadata(self) -> Mapping[str, MetricMetadata]:
        """What is known of each metric family, by name."""
        return self._metadata

    # ---------------------------------------------------------------- asking

    def series(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> list[Labels]:
        """Label sets that meet every matcher and whose first to last sample touch the range."""
        return self._labels_of(self._chosen(matchers, start_ms, end_ms))

    def select(
        self,
        matchers: Sequence[Matcher],
        start_ms: int,
        end_ms: int,
        room: Room | None = None,
    ) -> Samples:
        """Samples of all series that meet every matcher, from `start_ms` to `end_ms` included.

        The arrays may be read-only views of what the store keeps. `room` is told how many samples
        there are before any is copied, row group by row group where the store is not kept whole.

        Raises
        ------
        QueryError
            A regular expression is not one of RE2's.
        SnapshotError
            A file that holds wanted samples is missing or damaged.
        """
        chosen = self._chosen(matchers, start_ms, end_ms)
        if not len(chosen):
            return Samples.empty()
        if self._whole is None:
            return self._select_in_parts(chosen, start_ms, end_ms, room)
        times, values = self._whole.columns(_distinct(self._place[chosen]))
        low = self._whole_row[chosen]
        first, last = rows_between(times, low, low + self._rows[chosen], start_ms, end_ms)
        if room is not None:
            if (first < last).all() and (last - first).sum() > _MOSTLY * self._rows[chosen].sum():
                first, last = low, low + self._rows[chosen]
            room(int((last - first).sum()))
        samples = gather(self._labels_of(chosen), (times, values, None), first, last)
        return self._with_histograms(samples, chosen, first - low, last > first)

    def _select_in_parts(
        self, chosen: Ints, start_ms: int, end_ms: int, room: Room | None
    ) -> Samples:
        """The samples of series copied from one row group after the other."""
        counts, skipped = np.zeros((2, len(chosen)), np.int64)
        rows = GrowingRows(most=int(self._rows[chosen].sum()))
        for part, (times, values) in self._row_groups_of(chosen):
            low = self._first_row[chosen[part]]
            high = low + self._rows[chosen[part]]
            first, last = rows_between(times, low, high, start_ms, end_ms)
            counts[part], skipped[part] = last - first, first - low
            if room is not None:
                room(int(counts[part].sum()))
            rows.add(times, values, first, last)
        kept = np.flatnonzero(counts)
        offsets = np.concatenate([[0], np.cumsum(counts[kept])]).astype(np.int64)
        samples = Samples(self._labels_of(chosen[kept]), offsets, *rows.columns())
        return self._with_histograms(samples, chosen, skipped, counts > 0)

    def _with_histograms(
        self, samples: Samples, chosen: Ints, skipped: Ints, kept: Bools
    ) -> Samples:
        """Add native histograms to the samples of the series that are kept of those chosen.

        `skipped` says how many rows of each chosen series are before the range asked for.
        """
        if not self._manifest.files_of("histograms"):
            return samples
        series = chosen[kept]
        names = [self._file_names[i] for i in self._file[series].tolist()]
        places = list(zip(names, self._row_group[series].tolist(), strict=True))
        return self._histograms.attach(samples, places, self._first_row[series] + skipped[kept])

    def _chosen(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Ints:
        numbers = self._index.select(matchers)
        within = (self._first_ms <= end_ms) & (self._last_ms >= start_ms)
        return numbers[within[numbers]]

    def _kept_whole(self) -> WholeColumns | None:
        """Columns for the whole store, where its series fill its row groups from end to end."""
        sizes = np.bincount(self._place, self._rows).astype(np.int64)
        starts = np.cumsum(sizes) - sizes
        self._whole_row = starts[self._place] + self._first_row
        if not np.array_equal(self._whole_row, np.cumsum(self._rows) - self._rows):
            return None
        series = np.flatnonzero(np.diff(self._place, prepend=-1))
        file, row_group = self._file[series], self._row_group[series]

        def read(numbers: Ints) -> Iterator[tuple[Ints, Floats]]:
            for part in np.split(numbers, np.flatnonzero(np.diff(file[numbers])) + 1):
                name = self._file_names[file[part[0]]]
                decoded = self._files[name].samples(row_group[part].tolist())
                for size in sizes[part].tolist():
                    columns = next(decoded)
                    if len(columns[0]) != size:
                        msg = f"{self.path / name} has fewer rows than its series"
                        raise _damaged(msg)
                    yield columns
                    del columns  # before the next ones are decoded

        return WholeColumns(sizes, read)

    def _row_groups_of(self, chosen: Ints) -> Iterator[tuple[slice, tuple[Ints, Floats]]]:
        """The row groups that hold the chosen series, each with the part of `chosen` it holds."""
        if not len(chosen):
            return
        file, row_group = self._file[chosen], self._row_group[chosen]
        starts = [
            *np.flatnonzero(np.diff(_runs(file, row_group), prepend=-1)).tolist(),
            len(chosen),
        ]
        for a, b in pairwise(starts):
            columns = self._groups.get(self._file_names[file[a]], int(row_group[a]))
            part = chosen[a:b]
            first, rows = self._first_row[part], self._rows[part]
            if first.min() < 0 or rows.min() < 1 or (first + rows).max() > len(columns[0]):
                msg = f"{self.path / self._file_names[file[a]]} has fewer rows than its series"
                raise _damaged(msg)
            yield slice(a, b), columns

    def _labels_of(self, numbers: Ints) -> list[Labels]:
        taken = self._labels.take(as_arrow(numbers))
        # Flat lists and slices of them: twice as fast as Arrow's own list of maps.
        pairs = list(zip(taken.keys.to_pylist(), taken.items.to_pylist(), strict=True))
        return [dict(pairs[a:b]) for a, b in pairwise(taken.offsets.to_pylist())]

    # ---------------------------------------------------------------- keeping house

    def verify(self) -> None:
        """Compare every file with its checksum, also those that no query has touched yet.

        Raises
        ------
        SnapshotError
            A file is missing, truncated or changed.
        """
        for file in self._files.values():
            file.check()

    @property
    def kept_bytes(self) -> int:
        """How much memory the decoded samples take now."""
        return self._groups.kept_bytes + (self._whole.filled_bytes if self._whole else 0)

    def close(self) -> None:
        """Forget the decoded samples; the store stays usable and reads them again."""
        self._groups.clear()
        self._histograms.clear()
        if self._whole is not None:
            self._whole = self._kept_whole()


def _damaged(what: str) -> SnapshotError:
    return SnapshotError(what, "take the snapshot again, or restore the folder")


def _runs(file: Ints, row_group: Ints) -> Ints:
    """Number the runs of series that stand in one row group."""
    new = (np.diff(file) != 0) | (np.diff(row_group) != 0)
    return np.concatenate([np.zeros(min(1, len(file)), np.int64), np.cumsum(new, dtype=np.int64)])


def _distinct(ascending: Ints) -> Ints:
    """Leave out repetitions; unlike `np.unique` without importing masked arrays first."""
    return ascending[np.diff(ascending, prepend=-1) > 0]


def _coded(table: pa.Table) -> tuple[list[str], Ints]:
    """The names of the sample files, and for each series the number of its file."""
    column = flat(table, "file").dictionary_encode()
    return column.dictionary.to_pylist(), as_numpy(column.indices).astype(np.int64)
