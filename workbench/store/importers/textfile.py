"""Text files as they come: plain or gzip, with or without a byte-order mark, not always UTF-8."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

from workbench.errors import InputError

__all__ = ["TextFile"]

_GZIP: Final = b"\x1f\x8b"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


class TextFile:
    """The lines of one file, as bytes or as text.

    Parameters
    ----------
    path
        The file; it is unpacked while it is read where its content is gzip's.

    Attributes
    ----------
    not_utf8
        While `lines` runs: numbers of lines, from 1, that are not UTF-8. Whoever reads the lines
        keeps them out.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.not_utf8: set[int] = set()

    def raw_lines(self) -> Iterator[bytes]:
        """Lines with their ends.

        Raises
        ------
        InputError
            The file cannot be opened or unpacked, or is UTF-16.
        """
        with self._opened() as stream:
            first = True
            for line in stream:
                if first:
                    first = False
                    if line.startswith(_UTF16_MARKS):
                        msg = f"{str(self.path)!r} is UTF-16"
                        raise InputError(msg, "save it as UTF-8, for example with iconv -t utf-8")
                    yield line.removeprefix(_UTF8_MARK)
                else:
                    yield line

    def lines(self) -> Iterator[str]:
        """Lines with their ends as text; see `not_utf8`."""
        self.not_utf8.clear()
        for number, line in enumerate(self.raw_lines(), 1):
            try:
                yield line.decode()
            except UnicodeDecodeError:
                self.not_utf8.add(number)
                yield line.decode(errors="replace")

    def head(self, size: int = 65_536) -> bytes:
        """The beginning of the content, without a byte-order mark."""
        with self._opened() as stream:
            return stream.read(size).removeprefix(_UTF8_MARK)

    @contextmanager
    def _opened(self) -> Iterator[IO[bytes]]:
        try:
            with self.path.open("rb") as plain:
                packed = plain.read(2) == _GZIP
                plain.seek(0)
                if packed:
                    with gzip.GzipFile(fileobj=plain) as unpacked:
                        yield unpacked  # type: ignore[misc]
                else:
                    yield plain
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            msg = f"{str(self.path)!r} cannot be unpacked: {error}"
            raise InputError(msg, "the gzip file is damaged or cut short; get it again") from error
        except (OSError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else str(error)
            msg = f"{str(self.path)!r} cannot be read: {reason or error}"
            raise InputError(msg, "check the path and its permissions") from error
