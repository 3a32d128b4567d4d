"""The rows of a usage log: JSON lines, one JSON document, or CSV, and which shape they have."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

from workbench.errors import BadRowsError, InputError
from workbench.spend.reading.log_shape import LogShape, field_of, shipped_shapes
from workbench.store.importers.textfile import TextFile

__all__ = ["first_field", "log_rows", "shape_of", "shape_of_file"]


def log_rows(path: Path, shape: LogShape | None) -> Iterator[Mapping[str, Any]]:
    """The rows of a file; a line that is broken is an empty row."""
    file = TextFile(path)
    start = file.head().lstrip()
    if not start.startswith((b"{", b"[")):
        yield from _sheet_rows(file, start)
        return
    shapes = (shape,) if shape else shipped_shapes()
    lists = [s.rows for s in shapes if s.rows]
    lines = file.lines()
    opening = next((line for line in lines if line.strip()), "")
    if _parsed(opening) is None:
        # One document over many lines; else the first line is broken, and the others are not.
        text = opening + "".join(lines)
        document = _parsed(text)
        if document is not None:
            yield from _flat(document, lists)
            return
        opening, *rest = text.splitlines()
        lines = iter(rest)
    for line in chain([opening], lines):
        if line.strip():
            yield from _flat(_parsed(line), lists)


def _parsed(text: str) -> Any:
    """A JSON value, or None where it is broken."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _sheet_rows(file: TextFile, start: bytes) -> Iterator[Mapping[str, Any]]:
    header = start.partition(b"\n")[0].decode(errors="replace")
    delimiter = max(",;\t|", key=lambda mark: (header.count(mark), mark == ","))
    lines = (line.replace("\0", "") for line in file.lines())
    try:
        yield from csv.DictReader(lines, delimiter=delimiter)
    except csv.Error as error:
        msg = f"{str(file.path)!r} is no CSV that can be read ({error})"
        raise BadRowsError(msg, "check its quotes, or export JSON lines") from None


def _flat(found: Any, lists: list[tuple[str, ...]]) -> Iterator[Mapping[str, Any]]:
    """The rows of a document: a row, a list of them, or lists within pages and buckets."""
    if isinstance(found, list):
        for each in found:
            yield from _flat(each, lists)
        return
    if not isinstance(found, dict):
        yield {}
        return
    for names in lists:
        for name in names:
            if isinstance(found.get(name), list):
                beside = {k: v for k, v in found.items() if k != name}
                for each in found[name]:
                    if isinstance(each, dict):
                        yield from _flat({**beside, **each}, lists)
                return
    yield found


def shape_of(row: Mapping[str, Any], path: Path) -> LogShape:
    """The shape that a row has.

    Raises
    ------
    InputError
        None that is known: the message names the fields of the row.
    """
    for shape in shipped_shapes():
        if all(field_of(row, mark) is not None for mark in shape.marks):
            return shape
    shown = ", ".join(list(map(str, row))[:8]) or "nothing"
    msg = f"{str(path)!r} has no shape of usage that is known; its first row has {shown}"
    raise InputError(msg, f"give a shape; known are {', '.join(s.name for s in shipped_shapes())}")


def shape_of_file(path: Path) -> LogShape:
    """The shape of the first row of a file that is no broken line.

    Raises
    ------
    InputError
        The file cannot be read, or its shape is not known.
    """
    row = next((row for row in log_rows(path, None) if row), {})
    return shape_of(row, path)


def first_field(row: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    """What stands at the first of some paths that is told; None where none is."""
    for path in paths:
        value = field_of(row, path)
        if value is not None and value != "":
            return value
    return None
