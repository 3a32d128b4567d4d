"""Digests of the parts of files, so that a query checks what it reads and not the whole file.

The parts of a file of samples are its row groups and, behind them, its footer. Each reaches from
the end of the one before to its own end, so that together they are the file, byte for byte. The
footer of `series.parquet` carries them, where readers that do not know them pass over them; the
manifest's digest of that file vouches for them all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["PartDigests", "digests_in", "digests_note"]

_KEY: Final = "workbench.digests"

_CHUNK: Final = 1 << 18
"""Bytes that are read at a time."""


@dataclass(frozen=True, slots=True)
class PartDigests:
    """Where the parts of one file end, and the SHA-256 of each; the last part is the footer."""

    ends: tuple[int, ...]
    digests: tuple[str, ...]

    @classmethod
    def of(cls, path: Path) -> PartDigests:
        """Take the digests of a finished Parquet file."""
        import pyarrow.parquet as pq

        footer = pq.read_metadata(path)
        groups = [footer.row_group(i) for i in range(footer.num_row_groups)]
        last = [group.column(group.num_columns - 1) for group in groups]
        starts = [each.dictionary_page_offset or each.data_page_offset for each in last]
        ends = [a + each.total_compressed_size for a, each in zip(starts, last, strict=True)]
        ends.append(path.stat().st_size)
        with path.open("rb", buffering=0) as file:
            return cls(tuple(ends), tuple(_digest(file, *span) for span in _spans(ends)))

    def fit(self, size: int) -> bool:
        """Whether these can be the parts of a file of so many bytes."""
        rising = all(start < end for start, end in _spans(self.ends))
        return rising and self.ends[-1:] == (size,) and len(self.ends) == len(self.digests)

    @property
    def footer(self) -> int:
        """The number of the last part, which says where in the file everything is."""
        return len(self.ends) - 1

    def vouch(self, path: Path, parts: Iterable[int]) -> bool:
        """Whether parts of the file at `path` are what they were; False for one that is not there.

        Raises
        ------
        OSError
            The file cannot be read.
        """
        spans = _spans(self.ends)
        with path.open("rb", buffering=0) as file:
            return all(
                0 <= part <= self.footer and _digest(file, *spans[part]) == self.digests[part]
                for part in parts
            )


def _spans(ends: list[int] | tuple[int, ...]) -> list[tuple[int, int]]:
    return list(zip([0, *ends], ends, strict=False))


def _digest(file: FileIO, start: int, end: int) -> str:
    found = hashlib.sha256()
    file.seek(start)
    while start < end and (chunk := file.read(min(_CHUNK, end - start))):
        found.update(chunk)
        start += len(chunk)
    return found.hexdigest()


def digests_note(files: Mapping[str, PartDigests]) -> dict[str, str]:
    """What the footer of `series.parquet` says of the parts of files, known by their names."""
    parts = {name: list(zip(f.ends, f.digests, strict=True)) for name, f in files.items()}
    return {_KEY: json.dumps(parts, separators=(",", ":"))}


def digests_in(series: pa.Table) -> dict[str, PartDigests]:
    """The digests that came with the table of series; none where it has none that make sense."""
    text = (series.schema.metadata or {}).get(_KEY.encode(), b"{}")
    try:
        return {
            str(name): PartDigests(tuple(int(e) for e, _ in parts), tuple(str(d) for _, d in parts))
            for name, parts in json.loads(text).items()
        }
    except (ValueError, TypeError, AttributeError, RecursionError):
        return {}
