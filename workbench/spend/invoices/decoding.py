"""From the bytes of a file to its header and rows, whatever wrote it."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from workbench.errors import BadRowsError, did_you_mean
from workbench.spend.invoices.mapping import InvoiceColumns, InvoiceMapping

__all__ = ["Sheet", "header_fields", "read_sheet"]

_MOST_BYTES: Final = 256 * 2**20
_PREAMBLE: Final = 40
"""Rows above the header that are looked at: addresses, numbers of the invoice."""
_HEAD: Final = 1 << 18
"""Bytes in which a header stands, of an even number, so that no character of UTF-16 is cut."""
_LONGEST_CELL: Final = 1 << 20
_BOMS: Final = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


@dataclass(frozen=True, slots=True)
class Sheet:
    """The cells of a file.

    Attributes
    ----------
    columns
        Where each field stands; fields without a column are absent.
    rows
        The line of the file and the cells, below the header and without empty ones.
    notes
        What was guessed.
    """

    columns: dict[str, int]
    rows: list[tuple[int, list[str]]]
    notes: tuple[str, ...]


def read_sheet(data: bytes, mapping: InvoiceMapping, name: str) -> Sheet:
    """Find the header and the rows of a CSV.

    Raises
    ------
    BadRowsError
        The file is empty, too large, no CSV, in another encoding, or lacks a column.
    """
    if len(data) > _MOST_BYTES:
        what = f"{name} is larger than 256 MiB"
        raise BadRowsError(what, "export a shorter time or by day instead of by hour")
    text, note = _decode(data, mapping.encoding, name)
    rows = _cells(text, mapping.delimiter, name)
    if not rows:
        what = f"{name} is empty"
        raise BadRowsError(what, "export it again, with the columns of the mapping")
    at, columns = _header(rows, mapping.columns, name)
    return Sheet(columns, rows[at + 1 :], (note,) if note else ())


def header_fields(data: bytes, mapping: InvoiceMapping) -> frozenset[str]:
    """Say which fields of a mapping the header of a file has; none where it cannot be read so.

    The row among the first that has most of them is the header, as for `read_sheet`.
    """
    try:
        text, _ = _decode(data[:_HEAD], "auto", "")
        rows = _cells(text, mapping.delimiter, "")
    except BadRowsError:
        return frozenset()
    found = (frozenset(_columns(cells, mapping.columns)) for _, cells in rows[:_PREAMBLE])
    return max(found, key=len, default=frozenset())


def _decode(data: bytes, encoding: str, name: str) -> tuple[str, str]:
    guess, note = encoding, ""
    if encoding == "auto":
        guess = next((found for bom, found in _BOMS if data.startswith(bom)), "")
        if not guess and b"\0" in data[:4000]:
            guess = "utf-16-be" if data[:1] == b"\0" else "utf-16-le"
        guess = guess or "utf-8"
    try:
        text = data.decode(guess)
    except (UnicodeDecodeError, LookupError):
        if encoding != "auto" or guess != "utf-8":
            what = f"{name} is no {guess}"
            raise BadRowsError(
                what, 'name its encoding in the mapping: encoding = "latin-1"'
            ) from None
        text = data.decode("cp1252", errors="replace")
        note = f"{name} is no UTF-8: it is read as Windows-1252, which Latin-1 is part of"
    return text.replace("\0", ""), note


def _cells(text: str, delimiter: str, name: str) -> list[tuple[int, list[str]]]:
    if text.startswith("sep=") and (match := re.match(r"sep=(.)\r?\n", text)):
        delimiter = match[1]  # what Excel is told; the line stays, so that lines count right
    if delimiter == "auto":
        head = text[:20_000]
        delimiter = max(",;\t|", key=lambda mark: (head.count(mark), mark == ","))
    csv.field_size_limit(max(csv.field_size_limit(), _LONGEST_CELL))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    found: list[tuple[int, list[str]]] = []
    start = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                found.append((start, cells))
            start = reader.line_num + 1
    except csv.Error as error:
        what = f"{name}, line {reader.line_num} is no CSV ({error})"
        raise BadRowsError(what, "check the quotes") from None
    return found


def _header(
    rows: Sequence[tuple[int, list[str]]], wanted: InvoiceColumns, name: str
) -> tuple[int, dict[str, int]]:
    """Find the row that names the columns: the one among the first that has most of them."""
    best = 0
    found: dict[str, int] = {}
    for at, (_, cells) in enumerate(rows[:_PREAMBLE]):
        columns = _columns(cells, wanted)
        if len(columns) > len(found):
            best, found = at, columns
    for field in ("start", "amount"):
        if field not in found:
            names = getattr(wanted, field)
            header = [cell.strip()[:80] for cell in rows[best][1] if cell.strip()]
            near = next((hint for each in names if (hint := did_you_mean(each, header))), "")
            listed = ", ".join(header[:30])
            what = f"{name} has no column {' or '.join(map(repr, names))}"
            raise BadRowsError(what, near or f"its columns are {listed}; name it in the mapping")
    return best, found


def _columns(cells: Sequence[str], wanted: InvoiceColumns) -> dict[str, int]:
    places: dict[str, int] = {}
    for place, cell in enumerate(cells):
        places.setdefault(_plain(cell), place)
    found: dict[str, int] = {}
    for field in InvoiceColumns.model_fields:
        for each in getattr(wanted, field):
            if _plain(each) in places:
                found[field] = places[_plain(each)]
                break
    return found


def _plain(header: str) -> str:
    return re.sub(r"[\W_]+", "", header.casefold())
