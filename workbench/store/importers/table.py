"""CSV files as columns of text, with the line each row begins on."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from workbench.errors import InputError, did_you_mean
from workbench.store.importers.report import RowLog
from workbench.store.importers.textfile import TextFile

__all__ = ["Table", "find_column", "plain_name"]

_CHUNK: Final = 8_192
_DELIMITERS: Final = ",;\t|"


class Table:
    """The rows of a CSV file below its header.

    Parameters
    ----------
    file
        The file; separated by comma, semicolon, tab or ``|``.
    log
        Where rows are counted and bad ones told.

    Raises
    ------
    InputError
        There is no header, or a column name stands in it twice.
    """

    def __init__(self, file: TextFile, log: RowLog) -> None:
        self._file = file
        self._log = log
        self._lines = file.lines()
        first = next(self._lines, "")
        delimiter = max(_DELIMITERS, key=first.count)
        try:
            self.header = [n.strip() for n in next(csv.reader([first], delimiter=delimiter), [])]
        except csv.Error as error:
            msg = f"the header of {str(file.path)!r} is not CSV: {error}"
            raise InputError(msg, "mend the first line of the file") from None
        self._reader = csv.reader(self._lines, delimiter=delimiter, strict=True)
        if not any(self.header):
            msg = f"{str(file.path)!r} has no header line"
            raise InputError(msg, "begin it with the names of its columns, such as timestamp,value")
        twice = sorted({n for n in self.header if n and self.header.count(n) > 1})
        if twice:
            msg = f"column {twice[0]!r} stands twice in the header of {str(file.path)!r}"
            raise InputError(msg, "give each column a name of its own")

    def chunks(self) -> Iterator[tuple[list[int], list[list[str]]]]:
        """Rows in pieces: the lines they begin on, and a list of texts a column."""
        lines: list[int] = []
        rows: list[list[str]] = []
        for line, row in self._rows():
            lines.append(line)
            rows.append(row)
            if len(rows) == _CHUNK:
                yield lines, _columns(rows)
                lines, rows = [], []
        if rows:
            yield lines, _columns(rows)

    def _rows(self) -> Iterator[tuple[int, list[str]]]:
        width, reader, log = len(self.header), self._reader, self._log
        broken = self._file.not_utf8
        while True:
            line = reader.line_num + 2
            try:
                row = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                log.rows_read += 1
                log.reject(line, f"it is not CSV: {error}")
                continue
            if not row:
                continue
            log.rows_read += 1
            if broken and any(line <= n <= reader.line_num + 1 for n in broken):
                log.reject(line, "it is not UTF-8")
                broken.clear()
            elif len(row) != width:
                log.reject(line, f"it has {len(row)} fields where the header has {width}")
            else:
                yield line, row


def _columns(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    return [list(column) for column in zip(*rows, strict=True)]


def plain_name(name: str) -> str:
    """A column's name as it is compared: without case, spaces, hyphens and underscores.

    Examples
    --------
    >>> plain_name("Context Tokens") == plain_name("context_tokens") == plain_name("ContextTokens")
    True
    """
    return name.lower().translate({ord(c): None for c in " -_."})


def find_column(
    field: str, header: Sequence[str], aliases: Sequence[str], columns: Mapping[str, str]
) -> str | None:
    """The column that holds a field, by explicit mapping or by its aliases.

    Raises
    ------
    InputError
        The mapping names a column that is not in the header.
    """
    if field in columns:
        if columns[field] not in header:
            msg = f"there is no column {columns[field]!r} for {field}"
            near = did_you_mean(columns[field], header)
            raise InputError(msg, near or f"the columns are: {', '.join(header)}")
        return columns[field]
    taken = set(columns.values())
    by_name = {plain_name(name): name for name in reversed(header) if name not in taken}
    return next((by_name[plain_name(a)] for a in aliases if plain_name(a) in by_name), None)
