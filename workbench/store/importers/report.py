"""What an import read, kept and refused: the same account for every format."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from workbench.errors import BadRowsError, InputError
from workbench.samples import MetricMetadata, Series

__all__ = ["BadRow", "ImportReport", "Imported", "RowLog", "short"]

_SHOWN: Final = 20
"""How many bad rows an account keeps word for word."""

_IN_MESSAGE: Final = 3


@dataclass(frozen=True, slots=True)
class BadRow:
    """A row kept out: the line it begins on, counted from 1, and why."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The account of one import.

    Parameters
    ----------
    path
        The file, as it was given.
    format
        How it was read: ``csv``, ``openmetrics``, ``llm-csv``, ``llm-jsonl``.
    rows_read, rows_kept, rows_bad
        Rows (or lines with a sample) in the file, in the result, and refused. What is neither
        kept nor bad (an empty value, a repeated row) is told in the notes.
    bad
        The first twenty bad rows.
    notes
        What a reader of the figures has to know, one sentence each: what was assumed, assigned
        or left out.
    """

    path: str
    format: str
    rows_read: int
    rows_kept: int
    rows_bad: int
    bad: tuple[BadRow, ...] = ()
    notes: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "path": self.path,
            "format": self.format,
            "rows_read": self.rows_read,
            "rows_kept": self.rows_kept,
            "rows_bad": self.rows_bad,
            "bad": [{"line": row.line, "reason": row.reason} for row in self.bad],
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file holds, as series.

    Parameters
    ----------
    series
        May be gone through several times; not necessarily held in memory.
    metadata
        Of the metrics in `series`.
    report
        The account of the import.
    """

    series: Iterable[Series]
    metadata: tuple[MetricMetadata, ...]
    report: ImportReport


@dataclass(slots=True)
class RowLog:
    """Counts rows while a file is read, and settles the account at its end."""

    path: Path
    format: str
    rows_read: int = 0
    rows_bad: int = 0
    bad: list[BadRow] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def reject(self, line: int, reason: str, *, count: int = 1) -> None:
        """Keep a row out."""
        self.rows_bad += count
        if len(self.bad) < _SHOWN:
            self.bad.append(BadRow(line, reason))

    def settle(self, rows_kept: int, *, lenient: bool) -> ImportReport:
        """Close the account.

        Raises
        ------
        BadRowsError
            There are bad rows and the import is not lenient.
        InputError
            Nothing is left to import.
        """
        self.bad.sort(key=lambda row: row.line)
        if self.rows_bad and not lenient:
            raise self._bad_rows()
        if not rows_kept:
            first = f" (line {self.bad[0].line}: {self.bad[0].reason})" if self.bad else ""
            msg = f"{str(self.path)!r} holds no sample that can be imported{first}"
            raise InputError(msg, "check that it is the right file and format")
        return ImportReport(
            path=str(self.path),
            format=self.format,
            rows_read=self.rows_read,
            rows_kept=rows_kept,
            rows_bad=self.rows_bad,
            bad=tuple(self.bad),
            notes=tuple(self.notes),
        )

    def _bad_rows(self) -> BadRowsError:
        shown = "; ".join(f"line {row.line}: {row.reason}" for row in self.bad[:_IN_MESSAGE])
        more = self.rows_bad - min(_IN_MESSAGE, len(self.bad))
        rows = "row" if self.rows_read == 1 else "rows"
        msg = f"{self.rows_bad} of {self.rows_read} {rows} in {str(self.path)!r} cannot be imported"
        tail = f"; and {more} more" if more else ""
        return BadRowsError(
            f"{msg} ({shown}{tail})",
            "mend the file, or import the rows that are good with --lenient (lenient=True)",
        )


def short(value: object) -> str:
    """A value of a file as it may stand in a message: quoted, at most 60 characters."""
    text = repr(value[:60]) if isinstance(value, str | bytes) else repr(value)
    return text if len(text) <= 64 else f"{text[:60]}..."
