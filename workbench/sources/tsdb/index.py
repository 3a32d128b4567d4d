"""A block's index file: where its parts begin, and all strings it holds.

The format is that of
https://github.com/prometheus/prometheus/blob/main/tsdb/docs/format/index.md: a header, the symbols
(every string once, sorted), the series (each an entry that names symbols by their number), postings
that are not needed here, and at the end a table of contents. All that is read is under a CRC-32C.
"""

from __future__ import annotations

import mmap
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.sources.prometheus.raw.crc32c import crc32c
from workbench.sources.tsdb.varints import U8

__all__ = ["Index", "damaged", "open_index", "read_uvarint"]

_MAGIC: Final = bytes.fromhex("baaad700")
_VERSION: Final = 2
_HEADER: Final = 5
_CONTENTS: Final = 6 * 8 + 4
"""Bytes of the table of contents: six references and a checksum."""


@dataclass(frozen=True, slots=True)
class Index:
    """An index file that is open.

    Parameters
    ----------
    path
        The file, for messages.
    raw
        All its bytes, mapped: nothing is read until it is used.
    symbols
        Where the symbols begin.
    series, series_end
        Where the entries of the series begin and end.
    """

    path: Path
    raw: U8
    symbols: int
    series: int
    series_end: int

    def read_symbols(self) -> list[str]:
        r"""Give all strings in their order, which is that of their bytes.

        What is no UTF-8, which Prometheus does not let in, is written as ``\xff``.

        Raises
        ------
        InputError
            They are damaged, or not in order.
        """
        start = self.symbols + 4
        if start + 8 > self.series:
            raise damaged(self.path, "has no room for its symbols")
        size = _big_endian(self.raw, self.symbols, 4)
        if not 4 <= size <= self.series - start - 4:
            raise damaged(self.path, f"says that its symbols have {size:,} bytes")
        data = self.raw[start : start + size].tobytes()
        if crc32c(data) != _big_endian(self.raw, start + size, 4):
            raise damaged(self.path, "has symbols whose checksum is wrong")
        found = self._split(data)
        if len(found) != int.from_bytes(data[:4], "big"):
            raise damaged(self.path, "holds another number of symbols than it says")
        return found

    def _split(self, data: bytes) -> list[str]:
        found: list[str] = []
        at, before = 4, None
        while at < len(data):
            size, at = (data[at], at + 1) if data[at] < 0x80 else read_uvarint(data, at)
            text = data[at : at + size]
            at += size
            # Sorted means that none stands twice: numbers are then equal just where strings are.
            if len(text) < size or (before is not None and text <= before):
                raise damaged(self.path, "has symbols that are cut short or not in order")
            found.append(text.decode("utf-8", "backslashreplace"))
            before = text
        return found


def open_index(path: Path) -> Index:
    """Open an index file and read its table of contents.

    Parameters
    ----------
    path
        The file ``index`` of a block.

    Raises
    ------
    InputError
        There is none, or it is truncated, damaged or of another kind.
    """
    try:
        if not path.is_file():  # a pipe would have no end
            msg = f"{path} is missing, or no file"
            raise InputError(msg, "name the folder of a block, which holds meta.json and index")
        if (size := path.stat().st_size) < _HEADER + _CONTENTS:
            raise damaged(path, f"has {size:,} bytes, too few for an index")
        with path.open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except OSError as error:
        msg = f"{path} cannot be read ({error.strerror})"
        raise InputError(msg, "check its permissions") from None
    raw = np.frombuffer(mapped, np.uint8)
    if raw[:4].tobytes() != _MAGIC:
        msg = f"{path} is no index of Prometheus' database"
        raise InputError(msg, "name a block's folder, or the data folder of a Prometheus")
    if raw[4] != _VERSION:
        msg = f"{path} has version {raw[4]} of the index format, not {_VERSION}"
        raise InputError(msg, "start a Prometheus on its folder, and give the server's URL")
    return _with_contents(path, raw)


def _with_contents(path: Path, raw: U8) -> Index:
    end = len(raw) - _CONTENTS
    contents = raw[end:].tobytes()
    if crc32c(contents[:-4]) != int.from_bytes(contents[-4:], "big"):
        raise damaged(path, "has no valid table of contents at its end")
    symbols, series, *others = (int.from_bytes(contents[i : i + 8], "big") for i in range(0, 48, 8))
    # A part that is not there is referred to by 0; the series end where the next part begins.
    series_end = min((each for each in others if each), default=end)
    if not _HEADER <= symbols <= series <= series_end <= end:
        raise damaged(path, "has a table of contents that leads elsewhere")
    return Index(path, raw, symbols, series, series_end)


def read_uvarint(data: bytes | memoryview, at: int) -> tuple[int, int]:
    """Read a number of varying length; also where it ends. Past the end there are zeros."""
    value = 0
    for shift in range(0, 70, 7):
        byte = data[at] if at < len(data) else 0
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            break
    return value, at


def _big_endian(raw: U8, at: int, size: int) -> int:
    return int.from_bytes(raw[at : at + size].tobytes(), "big")


def damaged(path: Path, what: str) -> InputError:
    """Make the error for an index that is not whole."""
    return InputError(
        f"{path} {what}: it is truncated or damaged",
        "copy the block again, or start a Prometheus on its folder and give the server's URL",
    )
