"""Bytes of any origin and size, plain or gzipped, cut into blocks of whole lines."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final, Protocol, runtime_checkable

from workbench.errors import InputError

__all__ = ["Block", "ByteStream", "Source", "byte_blocks"]

BLOCK_BYTES: Final = 1 << 22
"""About as much as stays in a core's cache while it is read."""

LONGEST_LINE: Final = 1 << 26
"""A line that is longer is left out: some targets never end one."""

_GZIP: Final = b"\x1f\x8b"
_NEVER_ENDS: Final = f"the line is longer than {LONGEST_LINE >> 20} MB"


@runtime_checkable
class ByteStream(Protocol):
    """What can be read in pieces: an open binary file, standard input, a response's body."""

    def read(self, size: int, /) -> bytes:
        """Read at most so many bytes; none at the end."""


Source = Path | bytes | str | ByteStream | Iterable[bytes]
"""A file, the text itself, something to read from, or its pieces in any size."""


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole lines.

    Parameters
    ----------
    text
        Each line ends in a newline, the last too.
    rejected
        What could not be read: the line's place in the block, from 0, and why. An empty line
        stands for it in `text`.
    cut
        Whether the source ended without a newline.
    """

    text: bytes
    rejected: tuple[tuple[int, str], ...] = ()
    cut: bool = False


class _DamagedError(Exception):
    """The compressed source cannot be read any further."""


def byte_blocks(source: Source) -> Iterator[Block]:
    r"""Cut a source into blocks of whole lines, of about 4 MB; longer where a line is.

    Gzip is known by its first bytes. A byte-order mark is taken off.

    Raises
    ------
    InputError
        A file cannot be read.

    Examples
    --------
    >>> [block.text for block in byte_blocks([b"a 1\nb", b" 2\nc 3"])]
    [b'a 1\nb 2\nc 3\n']
    """
    pieces = _without_mark(_unzipped(_pieces(source)))
    whole: list[bytes | memoryview] = []
    rest: list[bytes | memoryview] = []
    size = tail = 0
    skipping = False
    try:
        for piece in pieces:
            text = memoryview(piece)
            if skipping:
                start = piece.find(b"\n") + 1
                if not start:
                    continue
                text, skipping = text[start:], False
            size += len(text)
            end = piece.rfind(b"\n") + 1 - len(piece) + len(text)
            if end > 0:
                whole += [*rest, text[:end]]
                rest, tail = [], 0
            rest.append(text[max(0, end) :])
            tail += len(rest[-1])
            if whole and size >= BLOCK_BYTES:
                yield Block(b"".join(whole))
                whole, size = [], tail
            if tail > LONGEST_LINE:
                yield Block(b"\n", ((0, _NEVER_ENDS),))
                rest, size, tail, skipping = [], 0, 0, True
    except _DamagedError as error:
        yield from _last(b"".join([*whole, *rest]))
        yield Block(b"\n", ((0, str(error)),))
        return
    yield from _last(b"".join([*whole, *rest]))


def _last(text: bytes) -> Iterator[Block]:
    if text:
        cut = not text.endswith(b"\n")
        yield Block(text + b"\n" if cut else text, cut=cut)


def _pieces(source: Source) -> Iterator[bytes]:
    """Pieces of at most `BLOCK_BYTES`."""
    if isinstance(source, str):
        source = source.encode(errors="surrogatepass")
    if isinstance(source, Path):
        try:
            with source.open("rb", buffering=0) as file:
                yield from _read(file)
        except OSError as error:
            msg = f"{source} cannot be read: {error.strerror or error}"
            raise InputError(msg, "name a file with exposition text") from error
    elif isinstance(source, bytes):
        yield from _sliced(source)
    elif isinstance(source, ByteStream):
        yield from _read(source)
    else:
        for piece in source:
            yield from _sliced(piece)


def _read(stream: ByteStream) -> Iterator[bytes]:
    while piece := stream.read(BLOCK_BYTES):
        yield piece


def _sliced(text: bytes) -> Iterator[bytes]:
    if len(text) <= BLOCK_BYTES:
        yield text
        return
    view = memoryview(text)
    for start in range(0, len(text), BLOCK_BYTES):
        yield bytes(view[start : start + BLOCK_BYTES])


def _without_mark(pieces: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= 3:
            break
    yield start.removeprefix(b"\xef\xbb\xbf")
    yield from pieces


def _unzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    start = b""
    for piece in pieces:
        start += piece
        if len(start) >= 2:
            break
    if not start.startswith(_GZIP):
        yield start
        yield from pieces
        return
    yield from _members(start, pieces)


def _members(start: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Decompress, one member after the other; never more than a block at a time."""
    decoder = zlib.decompressobj(wbits=31)
    begun = True
    try:
        for piece in chain([start], pieces):
            left = piece
            while left:
                if not begun:
                    # Padding of zeros behind the last member is usual.
                    left = left.lstrip(b"\0")
                    decoder = zlib.decompressobj(wbits=31)
                    begun = bool(left)
                    continue
                yield decoder.decompress(left, BLOCK_BYTES)
                begun = not decoder.eof
                left = decoder.unconsumed_tail if begun else decoder.unused_data
    except zlib.error as error:
        msg = "the gzip data is damaged from here on"
        raise _DamagedError(msg) from error
    if begun:
        yield decoder.flush()
        msg = "the gzip data ends too early: the rest is missing"
        raise _DamagedError(msg)
