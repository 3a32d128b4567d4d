"""Text of any size and kind, cut into lists of lines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

__all__ = ["Reject", "line_blocks"]

Reject = Callable[[int, str], None]
"""Told the number of a line that is kept out, from 1, and why."""

_BLOCK: Final = 1 << 24


def line_blocks(
    source: str | bytes | Iterable[str] | Iterable[bytes], reject: Reject
) -> Iterator[list[str]]:
    """Cut text into lists of lines, without their ends.

    Parameters
    ----------
    source
        The whole text, or its lines. A byte-order mark and carriage returns are taken off.
    reject
        Told of lines that are not UTF-8; an empty line stands in their place.

    Yields
    ------
    list of str
        Lines of about 16 MB of text.
    """
    pieces = _pieces(source) if isinstance(source, str | bytes) else _gathered(source)
    number = 0
    for piece in pieces:
        text = _decode(piece, number, reject)
        if number == 0:
            text = text.removeprefix("\ufeff")
        if "\r" in text:
            text = text.replace("\r\n", "\n").removesuffix("\r")
        lines = text.split("\n")
        number += len(lines)
        yield lines


def _pieces(text: str | bytes) -> Iterator[str | bytes]:
    """Pieces of about 16 MB that end where a line ends, without that line end."""
    start = 0
    while start <= len(text):
        end = len(text)
        if end - start > _BLOCK:
            bound = start + _BLOCK
            newline = text.find("\n", bound) if isinstance(text, str) else text.find(b"\n", bound)
            end = newline if newline >= 0 else end
        yield text[start:end]
        start = end + 1


def _gathered(lines: Iterable[str] | Iterable[bytes]) -> Iterator[str | bytes]:
    """Lines joined to larger pieces."""
    held: list[bytes] = []
    size = 0
    for line in lines:
        # Text may hold what has no UTF-8 (lone surrogates): it is rejected with its line.
        raw = line.encode(errors="surrogatepass") if isinstance(line, str) else line
        held.append(raw.removesuffix(b"\n"))
        size += len(raw)
        if size > _BLOCK:
            yield b"\n".join(held)
            held, size = [], 0
    if held:
        yield b"\n".join(held)


def _decode(piece: str | bytes, before: int, reject: Reject) -> str:
    """Text of a piece; lines that are not UTF-8 are rejected and left empty."""
    raw = piece.encode(errors="surrogatepass") if isinstance(piece, str) else piece
    try:
        return raw.decode()
    except UnicodeDecodeError:
        lines = []
        for number, line in enumerate(raw.split(b"\n"), before + 1):
            try:
                lines.append(line.decode())
            except UnicodeDecodeError as error:
                reject(number, f"byte {error.start + 1} of the line is not UTF-8")
                lines.append("")
        return "\n".join(lines)
