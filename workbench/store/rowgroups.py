"""Reading the files of a snapshot: checked first, decoded a row group at a time, remembered."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Final

from workbench.errors import SnapshotError
from workbench.samples import Floats, Ints
from workbench.store.columns import as_numpy, flat, schema_of
from workbench.store.digests import PartDigests
from workbench.store.manifest import FileEntry

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

__all__ = ["RowGroups", "SnapshotFile"]

_MEND: Final = "restore it from a copy, or take the snapshot again"


class SnapshotFile:
    """One Parquet file of a snapshot, which is read only when it is what the manifest says.

    Parameters
    ----------
    folder
        The snapshot's folder.
    entry
        What the manifest says of the file.
    """

    def __init__(self, folder: Path, entry: FileEntry) -> None:
        self.path = folder / entry.name
        self.entry = entry
        self._parts: PartDigests | None = None
        self._state: tuple[int, ...] = ()
        self._whole = False
        self._vouched: set[int] = set()
        self._footer: pq.FileMetaData | None = None

    def check_by_parts(self, parts: PartDigests) -> None:
        """From now on compare only the row groups that are read, and the footer, with digests.

        Parameters
        ----------
        parts
            The digests, from a file that was checked itself. Where they are not of this file,
            the whole of it is compared with the manifest's digest as before.
        """
        self._parts = parts if parts.fit(self.entry.bytes) else None

    def check(self) -> None:
        """Compare size and digest with the manifest's, once as long as the file is the same.

        Raises
        ------
        SnapshotError
            The file is missing, truncated or changed.
        """
        with self._reading():
            self._look()
            if self._whole:
                return
            with self.path.open("rb") as handle:
                digest = hashlib.file_digest(handle, "sha256").hexdigest()
        if digest != self.entry.sha256:
            msg = f"{self.path} is damaged or was replaced: its checksum is not the manifest's"
            raise SnapshotError(msg, _MEND)
        self._whole = True

    def _check_row_groups(self, row_groups: Iterable[int]) -> None:
        """Compare row groups and the footer with their digests; without any, the whole file."""
        if self._parts is None:
            self.check()
            return
        with self._reading():
            self._look()
            needed = set() if self._whole else {*row_groups, self._parts.footer} - self._vouched
            vouched = self._parts.vouch(self.path, needed)
        if vouched:
            self._vouched.update(needed)
        else:
            self.check()  # the manifest has the last word, and the words

    def _look(self) -> None:
        """Forget what is known of the file where it is another one than before; see its size."""
        found = self.path.stat()
        state = (found.st_ino, found.st_size, found.st_mtime_ns)
        if state == self._state:
            return
        if found.st_size != self.entry.bytes:
            size = f"{found.st_size:,} bytes long, not {self.entry.bytes:,}"
            msg = f"{self.path} is {size}: it is truncated or was replaced"
            raise SnapshotError(msg, _MEND)
        self._state, self._whole, self._vouched, self._footer = state, False, set(), None

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            msg = f"{self.path} cannot be read ({error.strerror})"
            raise SnapshotError(msg, _MEND) from None

    def read(self, row_group: int | None = None, columns: Sequence[str] | None = None) -> pa.Table:
        """Decode the columns of the file, or of one of its row groups; all, or those named.

        Raises
        ------
        SnapshotError
            The file is not what the manifest says, or no Parquet.
        """
        if row_group is None:
            self.check()
        else:
            self._check_row_groups([row_group])
        names = columns or schema_of(self.entry.role).names
        with self._opened() as file:
            # One thread: the columns are few, and each thread keeps memory of its own.
            if row_group is None:
                return file.read(names, use_threads=False)
            return file.read_row_group(row_group, names, use_threads=False)

    def samples(self, row_groups: Sequence[int]) -> Iterator[tuple[Ints, Floats]]:
        """Times (int64, milliseconds) and values (float64) of row groups, one after the other.

        Raises
        ------
        SnapshotError
            As `read`.
        """
        self._check_row_groups(row_groups)
        names = schema_of("samples").names
        with self._opened() as file:
            for row_group in row_groups:
                yield _columns(file.read_row_group(row_group, names, use_threads=False))

    @contextmanager
    def _opened(self) -> Iterator[pq.ParquetFile]:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            with pq.ParquetFile(self.path, metadata=self._footer) as file:
                if self._footer is None:
                    self._check_shape(file)
                    self._footer = file.metadata
                yield file
        except (pa.ArrowException, OSError, IndexError) as error:
            msg = f"{self.path} cannot be decoded ({str(error).splitlines()[0]})"
            raise SnapshotError(msg, _MEND) from None

    def _check_shape(self, file: pq.ParquetFile) -> None:
        if file.metadata.num_rows != self.entry.rows:
            msg = f"{self.path} has {file.metadata.num_rows:,} rows, not {self.entry.rows:,}"
            raise SnapshotError(msg, _MEND)
        found = file.schema_arrow
        for wanted in schema_of(self.entry.role):
            at = found.get_field_index(wanted.name)
            if at < 0 or not found.field(at).equals(wanted):
                have = f"has no column {wanted.name!r} of {wanted.type}"
                msg = f"{self.path} {have}: it was not written by the workbench"
                raise SnapshotError(msg, _MEND)


def _columns(table: pa.Table) -> tuple[Ints, Floats]:
    return as_numpy(flat(table, "time_ms")), as_numpy(flat(table, "value"))


class RowGroups:
    """Decoded row groups, the ones used last kept up to a number of bytes.

    Parameters
    ----------
    files
        The files that hold samples, by name.
    most_bytes
        How much to keep; a sample takes 16 bytes.
    """

    def __init__(self, files: dict[str, SnapshotFile], most_bytes: int) -> None:
        self._files = files
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[str, int], tuple[Ints, Floats]] = OrderedDict()
        self._kept_bytes = 0
        self._lock = Lock()

    @property
    def kept_bytes(self) -> int:
        """The size of what is kept now."""
        return self._kept_bytes

    def get(self, file: str, row_group: int) -> tuple[Ints, Floats]:
        """Times (int64, milliseconds) and values (float64) of one row group, read-only.

        Raises
        ------
        SnapshotError
            The file is missing, damaged, or not what the manifest says.
        """
        key = (file, row_group)
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        [columns] = self._files[file].samples([row_group])
        with self._lock:
            self._keep(key, columns)
        return columns

    def _keep(self, key: tuple[str, int], columns: tuple[Ints, Floats]) -> None:
        size = sum(column.nbytes for column in columns)
        if key in self._kept or size > self._most_bytes:
            return
        self._kept[key] = columns
        self._kept_bytes += size
        while self._kept_bytes > self._most_bytes:
            _, dropped = self._kept.popitem(last=False)
            self._kept_bytes -= sum(column.nbytes for column in dropped)

    def clear(self) -> None:
        """Forget everything that is kept."""
        with self._lock:
            self._kept.clear()
            self._kept_bytes = 0
