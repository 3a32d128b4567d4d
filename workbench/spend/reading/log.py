"""Usage logs and exports into the table of usage: every request counted, nothing lost to restarts."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import BadRowsError, InputError
from workbench.findings import Severity
from workbench.spend.counting.days import zone_of
from workbench.spend.reading.flaws import Flaw
from workbench.spend.reading.log_shape import LogShape, field_of, shipped_shapes
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES
from workbench.store.importers.textfile import TextFile
from workbench.units import counted

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LogReading", "read_usage_log"]

_NUMBERS: Final = ("input", "cache_read", "cache_write", "output", "reasoning", "requests", "cost")
_Figures = list[float | None]
_FAILED: Final = ("fail", "failure", "failed", "error")
_AT: Final = {name: place for place, name in enumerate(FIGURES)}


@dataclass(frozen=True, slots=True)
class LogReading:
    """What a log tells.

    Parameters
    ----------
    table
        The canonical table; `profile` is the shape's name and `lost` 0.
    flaws
        What to know of it.
    rows, skipped
        How many rows were read, and how many were of no use.
    currency
        Of `cost`, ``""`` where there is none.
    """

    table: pd.DataFrame
    flaws: tuple[Flaw, ...]
    rows: int
    skipped: int
    currency: str


def read_usage_log(
    path: Path | str,
    *,
    first: date | None = None,
    last: date | None = None,
    zone: str = "UTC",
    shape: LogShape | None = None,
    includes_cached: bool | None = None,
) -> LogReading:
    """Read a usage log or export.

    Parameters
    ----------
    path
        JSON lines, one JSON document, or CSV with a header; gzip is unpacked.
    first, last
        Days outside of which rows are left out.
    zone
        The time zone whose midnights part the days; times without a zone are UTC.
    shape
        Its shape; found by the fields of its first row where it is not given.
    includes_cached
        Whether input contains cached tokens, where the shape does not know.

    Raises
    ------
    InputError
        The file cannot be read, or has no shape that is known.
    BadRowsError
        No row could be read.
    """
    path = Path(path)
    local = zone_of(zone)
    sums: dict[tuple[date, tuple[str, ...]], _Figures] = {}
    total = skipped = clamped = 0
    for row in _rows(path, shape):
        if shape is None:
            shape = _shape_of(row, path)
        total += 1
        if any(field_of(row, name) in (None, "") for name in shape.needs):
            skipped += 1
            continue
        when = _time(_first(row, shape.fields.time))
        figures = _figures(row, shape)
        if when is None or figures is None:
            skipped += 1
            continue
        day = when.astimezone(local).date()
        if (first and day < first) or (last and day > last):
            continue
        if includes_cached or (includes_cached is None and shape.input_includes_cached != "no"):
            clamped += _part(figures)
        _add(sums.setdefault((day, _account(row, shape)), [None] * len(FIGURES)), figures)
    if shape is None or total == skipped:
        msg = f"no row of {str(path)!r} could be read as usage"
        raise BadRowsError(msg, "check that it is a usage log, or give its shape")
    flaws = _flaws(shape, total, skipped, clamped, said=includes_cached is not None)
    return LogReading(_table(shape, sums), tuple(flaws), total, skipped, shape.currency)


def _rows(path: Path, shape: LogShape | None) -> Iterator[Mapping[str, Any]]:
    file = TextFile(path)
    start = file.head().lstrip()
    if not start.startswith((b"{", b"[")):
        yield from csv.DictReader(_text_lines(file))
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


def _text_lines(file: TextFile) -> Iterator[str]:
    return (line.replace("\0", "") for line in file.lines())


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


def _shape_of(row: Mapping[str, Any], path: Path) -> LogShape:
    for shape in shipped_shapes():
        if all(field_of(row, mark) is not None for mark in shape.marks):
            return shape
    shown = ", ".join(list(map(str, row))[:8]) or "nothing"
    msg = f"{str(path)!r} has no shape of usage that is known; its first row has {shown}"
    raise InputError(msg, f"give a shape; known are {', '.join(s.name for s in shipped_shapes())}")


def _first(row: Mapping[str, Any], paths: tuple[str, ...]) -> Any:
    for path in paths:
        value = field_of(row, path)
        if value is not None and value != "":
            return value
    return None


def _time(value: Any) -> datetime | None:
    """A moment: RFC 3339 text, or Unix time in seconds, milliseconds or less."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        try:
            moment = datetime.fromisoformat(str(value).strip())
        except ValueError:
            return None
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    while number > 1e11:
        number /= 1000
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _figures(row: Mapping[str, Any], shape: LogShape) -> _Figures | None:
    """A row's figures in the order of `FIGURES`, or None where a number is wrong."""
    result: _Figures = [None] * len(FIGURES)
    for name in _NUMBERS:
        paths = getattr(shape.fields, name)
        value = _first(row, paths) if paths else None
        if value is None:
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        if not 0 <= number < float("inf"):
            return None
        result[_AT[name]] = number
    if result[_AT["requests"]] is None:
        result[_AT["requests"]] = 1.0
    if shape.fields.status:
        status = str(_first(row, shape.fields.status) or "").strip().lower()
        failed = status in _FAILED or (status.isdecimal() and int(status) >= 400)
        result[_AT["errors"]] = float(failed)
        result[_AT["rate_limited"]] = float(status == "429")
    return result


def _part(figures: _Figures) -> bool:
    """Take cached tokens out of the input of a row; tell whether there were more of them."""
    whole = figures[_AT["input"]]
    if whole is None:
        return False
    rest = whole - (figures[_AT["cache_read"]] or 0) - (figures[_AT["cache_write"]] or 0)
    figures[_AT["input"]] = max(rest, 0.0)
    return rest < 0


def _add(sums: _Figures, figures: _Figures) -> None:
    for place, value in enumerate(figures):
        if value is not None:
            sums[place] = (sums[place] or 0.0) + value


def _account(row: Mapping[str, Any], shape: LogShape) -> tuple[str, ...]:
    told = []
    for name in DIMENSIONS:
        value = _first(row, getattr(shape.fields, name))
        text = "" if value is None or str(value) in shape.nobody else str(value)
        told.append(text or shape.constants.get(name, ""))
    return tuple(told)


def _table(shape: LogShape, sums: Mapping[tuple[date, tuple[str, ...]], _Figures]) -> pd.DataFrame:
    import pandas as pd

    keys = sorted(sums)
    figures = np.array([sums[key] for key in keys], np.float64).reshape(len(keys), len(FIGURES))
    columns: dict[str, Any] = {"day": np.array([d for d, _ in keys], "datetime64[ms]")}
    for place, name in enumerate(DIMENSIONS):
        told = np.array([account[place] for _, account in keys], dtype=object)
        codes, categories = pd.factorize(told, sort=True)
        names = pd.Index(categories, dtype="str")
        columns[name] = pd.Categorical.from_codes(codes, categories=names)
    columns["profile"] = pd.Categorical([shape.name] * len(keys))
    for place, name in enumerate(FIGURES):
        columns[name] = figures[:, place]
    return pd.DataFrame({**columns, "lost": np.zeros(len(keys))})[list(COLUMNS)]


def _flaws(
    shape: LogShape, total: int, skipped: int, clamped: int, *, said: bool
) -> Iterator[Flaw]:
    if skipped and not shape.needs:
        share = skipped / total
        yield Flaw(
            "LLM-BAD-ROWS",
            Severity.WARNING if share > 0.001 else Severity.INFO,
            shape.name,
            f"{counted(skipped, 'row')} of {total:,} of the {shape.title} could not be read",
            "look for rows without a time, and for numbers below 0",
            {"rows": float(skipped), "of": float(total)},
        )
    if clamped:
        yield Flaw(
            "LLM-CACHED-ABOVE-INPUT",
            Severity.WARNING,
            shape.name,
            f"{counted(clamped, 'row')} of the {shape.title} have more cached tokens than input:"
            " the input beside them was taken as 0",
            "its input may not contain cached tokens: say includes_cached=False",
            {"rows": float(clamped)},
        )
    if shape.input_includes_cached == "unknown" and not said and shape.fields.cache_read:
        yield Flaw(
            "LLM-CACHED-UNKNOWN",
            Severity.WARNING,
            shape.name,
            f"nobody says whether the input of the {shape.title} contains cached tokens",
            "say includes_cached=True or False",
        )
