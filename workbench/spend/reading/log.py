"""Usage logs and exports into the table of usage: every request counted, nothing lost to restarts.

A log knows single requests, and so which price tier each falls into: requests of one account and day
are added up apart where a tier of their model lies between them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

import numpy as np

from workbench.errors import BadRowsError
from workbench.spend.counting.days import zone_of
from workbench.spend.reading.flaws import Flaw
from workbench.spend.reading.log_checks import check_log
from workbench.spend.reading.log_rows import first_field, log_rows, shape_of
from workbench.spend.reading.log_shape import LogShape, field_of
from workbench.spend.usage import COLUMNS, DIMENSIONS, FIGURES, REQUEST_INPUT

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LogReading", "Starts", "read_usage_log"]

Starts = Callable[[str, str, str, str], tuple[int, ...]]
"""Where the price tiers of a provider's model in a region and service tier begin, ascending, in
tokens of a request's input."""

_NUMBERS: Final = ("input", "cache_read", "cache_write", "output", "reasoning", "requests", "cost")
_Figures = list[float | None]
_FAILED: Final = ("fail", "failure", "failed", "error")
_AT: Final = {name: place for place, name in enumerate(FIGURES)}
_INPUT: Final = tuple(_AT[name] for name in ("input", "cache_read", "cache_write"))
_TOKENS: Final = (*_INPUT, _AT["output"], _AT["reasoning"])
_DAY: Final = timedelta(days=1)
_MANY: Final = -1
"""The size of a row that stands for several requests."""


@dataclass(frozen=True, slots=True)
class LogReading:
    """What a log tells.

    Parameters
    ----------
    table
        The canonical table and `REQUEST_INPUT`; `profile` is the shape's name and `lost` 0. An
        account has a row for each price tier into which its requests of a day fall.
    flaws
        What to know of it.
    rows, skipped
        How many rows were read, and how many were of no use.
    currency
        Of `cost`, ``""`` where there is none.
    name, title
        Of the shape.
    file
        The file's name.
    first, last
        The moments between which it tells of usage, in UTC, whichever days were kept.
    zone
        The time zone whose midnights part the days.
    """

    table: pd.DataFrame
    flaws: tuple[Flaw, ...]
    rows: int
    skipped: int
    currency: str
    name: str
    title: str
    file: str
    first: datetime
    last: datetime
    zone: str


def read_usage_log(
    path: Path | str,
    *,
    first: date | None = None,
    last: date | None = None,
    zone: str = "UTC",
    shape: LogShape | None = None,
    includes_cached: bool | None = None,
    starts: Starts = lambda *_: (),
    known: set[int] | None = None,
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
    starts
        Where price tiers begin, as `workbench.spend.reading.log_tiers.tier_starts` gives it.
    known
        Rows of other files that were read already: what stands in them is not counted again. Rows
        of this file are added to it.

    Raises
    ------
    InputError
        The file cannot be read, or has no shape that is known.
    BadRowsError
        No row could be read.
    """
    path = Path(path)
    fields = _Fields.of(shape) if shape else None
    tally = _Tally(zone_of(zone), first, last, starts, set() if known is None else known)
    for row in log_rows(path, shape):
        if shape is None and row:
            shape = shape_of(row, path)
        tally.total += 1
        if fields is None and shape is not None:
            fields = _Fields.of(shape)
        figures = _read(row, fields) if fields else None
        if shape is None or fields is None or figures is None:
            tally.skipped += 1
            continue
        if includes_cached or (includes_cached is None and shape.input_includes_cached != "no"):
            tally.clamped += _part(figures)
        tally.take(row, fields, figures)
    if shape is None or tally.begin is None or tally.end is None:
        msg = f"no row of {str(path)!r} could be read as usage"
        raise BadRowsError(msg, "check that it is a usage log, or give its shape")
    begin, end = tally.finish(tally.begin, tally.end)
    counts = {
        name: getattr(tally, name)
        for name in ("total", "skipped", "clamped", "repeated", "fractional", "straddling")
    }
    table = _table(shape, tally.sums)
    flaws = check_log(shape, counts, table, said=includes_cached is not None)
    return LogReading(
        table, tuple(flaws), tally.total, tally.skipped, shape.currency, shape.name, shape.title,
        path.name, begin, end, zone,
    )  # fmt: skip


@dataclass(slots=True)
class _Tally:
    """What the rows add up to."""

    zone: ZoneInfo
    first: date | None
    last: date | None
    starts: Starts
    known: set[int]
    sums: dict[tuple[date, tuple[str, ...], int], _Figures] = field(default_factory=dict)
    begin: datetime | None = None
    end: datetime | None = None
    whole_days: bool = True
    ended: bool = False
    total: int = 0
    skipped: int = 0
    clamped: int = 0
    repeated: int = 0
    fractional: int = 0
    straddling: int = 0

    def take(self, row: Mapping[str, Any], fields: _Fields, figures: _Figures) -> None:
        """Count a row, unless it was counted before."""
        when = _time(first_field(row, fields.time))
        if when is None:
            self.skipped += 1
            return
        single = figures[_AT["requests"]] == 1.0
        end = _time(first_field(row, fields.end)) if fields.end else None
        self.begin = min(when, self.begin or when)
        self.end = max(end or when, self.end or when)
        self.ended |= end is not None
        self.whole_days &= not single and when.timestamp() % 86_400 == 0
        identity = first_field(row, fields.id) if fields.id else None
        if identity is not None:
            mark = hash((str(identity), when, tuple(figures)))
            if mark in self.known:
                self.repeated += 1
                return
            self.known.add(mark)
        day = when.astimezone(self.zone).date()
        if (self.first and day < self.first) or (self.last and day > self.last):
            return
        if not single and self._straddles(when, end, day):
            self.straddling += 1
        self.fractional += any(figures[n] is not None and figures[n] % 1 for n in _TOKENS)  # type: ignore[operator]
        self._add(day, _account(row, fields), figures, single=single)

    def finish(self, begin: datetime, end: datetime) -> tuple[datetime, datetime]:
        """Between which moments the log tells of usage: rows of days that name no end are whole."""
        if not self.whole_days or self.ended:
            return begin, end
        if begin.astimezone(self.zone).utcoffset():
            self.straddling = self.total - self.skipped
        return begin, end + _DAY

    def _straddles(self, when: datetime, end: datetime | None, day: date) -> bool:
        last = (end or when) - timedelta(microseconds=1)
        return end is not None and last.astimezone(self.zone).date() > day

    def _add(self, day: date, account: tuple[str, ...], figures: _Figures, *, single: bool) -> None:
        length = sum(figures[n] or 0.0 for n in _INPUT)
        size = bisect_left(self.starts(*account[:4]), length) if single else _MANY
        key = (day, account, size)
        sums = self.sums.get(key)
        if sums is None:
            bounds = [length, length] if single else [None, None]
            self.sums[key] = [*figures, *bounds]
            return
        for place, value in enumerate(figures):
            if value is not None:
                sums[place] = (sums[place] or 0.0) + value
        if single:
            sums[-2], sums[-1] = min(sums[-2] or 0.0, length), max(sums[-1] or 0.0, length)


@dataclass(frozen=True, slots=True)
class _Fields:
    """Where a shape's fields stand, laid out once for all rows."""

    needs: tuple[str, ...]
    time: tuple[str, ...]
    end: tuple[str, ...]
    id: tuple[str, ...]
    status: tuple[str, ...]
    numbers: tuple[tuple[int, tuple[str, ...]], ...]
    dimensions: tuple[tuple[tuple[str, ...], str], ...]
    nobody: frozenset[str]

    @classmethod
    def of(cls, shape: LogShape) -> _Fields:
        """Lay out a shape."""
        told, constants = shape.fields, shape.constants
        numbers = tuple((_AT[n], getattr(told, n)) for n in _NUMBERS if getattr(told, n))
        dimensions = tuple((getattr(told, n), constants.get(n, "")) for n in DIMENSIONS)
        return cls(
            shape.needs, told.time, told.end, told.id, told.status, numbers, dimensions,
            frozenset(shape.nobody),
        )  # fmt: skip


def _read(row: Mapping[str, Any], fields: _Fields) -> _Figures | None:
    """A row's figures in the order of `FIGURES`, or None where it lacks a field or a number is wrong."""
    if any(field_of(row, name) in (None, "") for name in fields.needs):
        return None
    result: _Figures = [None] * len(FIGURES)
    for place, paths in fields.numbers:
        value = first_field(row, paths)
        if value is None:
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            return None
        if not 0 <= number < float("inf"):
            return None
        result[place] = number
    if result[_AT["requests"]] is None:
        result[_AT["requests"]] = 1.0
    if fields.status:
        status = str(first_field(row, fields.status) or "").strip().lower()
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


def _time(value: Any) -> datetime | None:
    """A moment: RFC 3339 text, or Unix time in seconds, milliseconds or less."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        try:
            moment = datetime.fromisoformat(str(value).strip())
        except ValueError:
            return None
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    while number > 1e11:
        number /= 1000
    try:
        return datetime.fromtimestamp(number, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _account(row: Mapping[str, Any], fields: _Fields) -> tuple[str, ...]:
    told = []
    for paths, constant in fields.dimensions:
        value = first_field(row, paths) if paths else None
        text = "" if value is None else str(value)
        told.append(text if text and text not in fields.nobody else constant)
    return tuple(told)


def _table(
    shape: LogShape, sums: Mapping[tuple[date, tuple[str, ...], int], _Figures]
) -> pd.DataFrame:
    import pandas as pd

    keys = sorted(sums)
    names = (*FIGURES, *REQUEST_INPUT)
    figures = np.array([sums[key] for key in keys], np.float64).reshape(len(keys), len(names))
    columns: dict[str, Any] = {"day": np.array([key[0] for key in keys], "datetime64[ms]")}
    for place, name in enumerate(DIMENSIONS):
        told = np.array([key[1][place] for key in keys], dtype=object)
        codes, categories = pd.factorize(told, sort=True)
        columns[name] = pd.Categorical.from_codes(
            codes, categories=pd.Index(categories, dtype="str")
        )
    columns["profile"] = pd.Categorical([shape.name] * len(keys), categories=[shape.name])
    for place, name in enumerate(names):
        columns[name] = figures[:, place]
    table = pd.DataFrame({**columns, "lost": np.zeros(len(keys))})
    return table[[*COLUMNS, *REQUEST_INPUT]]
