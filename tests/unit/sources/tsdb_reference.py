"""An index file written byte by byte, as the description of the format says; nothing is checked.

So that tests can write what no Prometheus would, under checksums that are right.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

ULID = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
NO_CHUNKS = b"\x00"


def crc32c(data: bytes) -> int:
    """Bit by bit, from the polynomial."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ (0x82F63B78 if register & 1 else 0)
    return register ^ 0xFFFFFFFF


def uvarint(number: int) -> bytes:
    """Seven bits a byte, the lowest first."""
    result = bytearray()
    while number > 0x7F:
        result.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*result, number])


def symbol_table(symbols: Sequence[bytes]) -> bytes:
    """All strings in the order given."""
    body = len(symbols).to_bytes(4, "big") + b"".join(uvarint(len(s)) + s for s in symbols)
    return len(body).to_bytes(4, "big") + body + crc32c(body).to_bytes(4, "big")


def entry(
    references: Sequence[int], *, count: int | None = None, chunks: bytes = NO_CHUNKS
) -> bytes:
    """One series: references to the names and values of its labels, in turn."""
    body = uvarint(len(references) // 2 if count is None else count)
    body += b"".join(map(uvarint, references)) + chunks
    return uvarint(len(body)) + body + crc32c(body).to_bytes(4, "big")


def assemble(symbols: bytes, entries: Iterable[bytes]) -> bytes:
    """The whole file, with no postings."""
    data = bytearray(b"\xba\xaa\xd7\x00\x02")
    references = [len(data)]
    data += symbols
    references.append(len(data))
    for each in entries:
        data += bytes(-len(data) % 16) + each
    references += [len(data), 0, len(data), 0]
    contents = b"".join(r.to_bytes(8, "big") for r in references)
    return bytes(data) + contents + crc32c(contents).to_bytes(4, "big")


def index_of(series: Iterable[Mapping[str, str]], *, chunks: bytes = NO_CHUNKS) -> bytes:
    """The index of some series, as Prometheus orders it."""
    rows = sorted(sorted((k.encode(), v.encode()) for k, v in row.items()) for row in series)
    symbols = sorted({text for row in rows for pair in row for text in pair})
    place = {text: i for i, text in enumerate(symbols)}
    entries = [entry([place[t] for pair in row for t in pair], chunks=chunks) for row in rows]
    return assemble(symbol_table(symbols), entries)


def write_block(folder: Path, index: bytes, *, start: object = 0, end: object = 7_200_000) -> Path:
    """A folder with both files; gives the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    meta = {"ulid": folder.name, "minTime": start, "maxTime": end, "version": 1}
    (folder / "meta.json").write_text(json.dumps(meta))
    (folder / "index").write_bytes(index)
    return folder
