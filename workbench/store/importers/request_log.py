"""Logs of LLM requests, JSON lines or CSV, as columns of requests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import Final

import numpy as np
import orjson

from workbench.errors import InputError, did_you_mean
from workbench.samples import Floats, Ints
from workbench.store.importers.log_fields import LABEL_FIELDS, LogColumns
from workbench.store.importers.report import RowLog, short
from workbench.store.importers.table import Table, find_column, plain_name
from workbench.store.importers.textfile import TextFile

__all__ = ["Requests", "read_requests"]

_CHUNK: Final = 8_192
"""Rows of a piece: few enough that their objects stay in the processor's cache."""

Columns = Mapping[str, Sequence[object]]
"""Values of one piece of a log by field; fields that the log lacks have no key."""


@dataclass(frozen=True, slots=True)
class Requests:
    """LLM requests as columns.

    Parameters
    ----------
    keys
        Distinct sets of label values; see `labels`.
    labels
        The names that go with each key.
    key_of
        int64, shape (requests,): each request's place in `keys`.
    times_ms
        int64: when each request was made (or logged).
    input_tokens, cached_tokens, output_tokens
        float64 holding whole numbers below 2**31; NaN where the log does not say.
    duration_seconds
        float64; NaN where the log does not say.
    failed, rate_limited
        bool: the request failed; its status was 429.
    cache_hit
        int64: 1, 0, or -1 where the log does not say.
    """

    keys: Sequence[tuple[str, ...]]
    labels: tuple[str, ...]
    key_of: Ints
    times_ms: Ints
    input_tokens: Floats
    cached_tokens: Floats
    output_tokens: Floats
    duration_seconds: Floats
    failed: np.ndarray
    rate_limited: np.ndarray
    cache_hit: Ints

    def __len__(self) -> int:
        """How many requests there are."""
        return len(self.times_ms)


def read_requests(
    file: TextFile,
    log: RowLog,
    *,
    is_json: bool,
    fields: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    constants: Mapping[str, str],
) -> Requests:
    """Read a log.

    Parameters
    ----------
    file, log
        The file, and where its rows are counted.
    is_json
        JSON lines; else CSV.
    fields
        Each field's names in files, the usual one first.
    columns
        Explicit names, by field.
    constants
        Label values for requests that have none of their own.

    Raises
    ------
    InputError
        A field or column does not exist, or no column holds the time.
    """
    for field_name in (*columns, *constants):
        allowed = fields if field_name in columns else LABEL_FIELDS
        if field_name not in allowed:
            msg = f"{field_name!r} is not a field of a request that can be given"
            near = did_you_mean(field_name, allowed)
            raise InputError(msg, near or f"the fields are: {', '.join(allowed)}")
    pieces = (
        _json_pieces(file, log, fields, columns)
        if is_json
        else _csv_pieces(file, log, fields, columns)
    )
    builder = _Builder(dict(constants))
    for lines, values in pieces:
        builder.add(lines, values, log, from_text=not is_json)
    builder.note(log)
    return builder.requests()


def _csv_pieces(
    file: TextFile, log: RowLog, fields: Mapping[str, Sequence[str]], columns: Mapping[str, str]
) -> Iterator[tuple[list[int], Columns]]:
    table = Table(file, log)
    found = {f: find_column(f, table.header, names, columns) for f, names in fields.items()}
    if found["time"] is None:
        msg = (
            f"{str(file.path)!r} has no column for the time among {short(', '.join(table.header))}"
        )
        raise InputError(msg, "name it: columns={'time': 'its header'}")
    places = {f: table.header.index(name) for f, name in found.items() if name is not None}
    _note_ignored(set(table.header) - set(found.values()), log)
    for lines, texts in table.chunks():
        yield lines, {f: texts[i] for f, i in places.items()}


def _json_pieces(
    file: TextFile, log: RowLog, fields: Mapping[str, Sequence[str]], columns: Mapping[str, str]
) -> Iterator[tuple[list[int], Columns]]:
    seen: dict[str, None] = {}
    used: set[str] = set()
    lines: list[int] = []
    rows: list[dict[str, object]] = []
    for number, line in enumerate(file.raw_lines(), 1):
        if line.isspace():
            continue
        log.rows_read += 1
        try:
            row = orjson.loads(line)
        except orjson.JSONDecodeError as error:
            log.reject(number, f"it is not JSON: {error}")
            continue
        if not isinstance(row, dict):
            log.reject(number, f"it is not a JSON object but {short(row)}")
            continue
        lines.append(number)
        rows.append(row)
        if len(rows) == _CHUNK:
            yield lines, _by_field(rows, fields, columns, seen, used)
            lines, rows = [], []
    if rows:
        yield lines, _by_field(rows, fields, columns, seen, used)
    _note_ignored(set(seen) - used, log)


def _by_field(
    rows: list[dict[str, object]],
    fields: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    seen: dict[str, None],
    used: set[str],
) -> Columns:
    """Columns of objects; where a field has several names, the first that holds a value counts."""
    columns_of = _columns_of(rows)
    seen.update(dict.fromkeys(columns_of))
    plain = {plain_name(name): name for name in reversed(list(seen))}
    nothing = [None] * len(rows)
    result: dict[str, Sequence[object]] = {}
    for name, aliases in fields.items():
        found = [columns[name]] if name in columns else []
        found = found or [plain[plain_name(a)] for a in aliases if plain_name(a) in plain]
        for key in found:
            used.add(key)
            values = columns_of.get(key, nothing)
            before = result.get(name)
            if before is not None:
                values = [b if b is not None else v for b, v in zip(before, values, strict=True)]
            result[name] = values
    result.setdefault("time", [None] * len(rows))
    return result


def _columns_of(rows: list[dict[str, object]]) -> dict[str, Sequence[object]]:
    """Objects turned to columns by key; None where an object lacks it."""
    keys = list(rows[0])
    if len(keys) > 1 and all(len(row) == len(keys) for row in rows):
        try:
            # Rows of one program have the same keys: then one call a row takes all values.
            return dict(zip(keys, zip(*map(itemgetter(*keys), rows), strict=True), strict=True))
        except KeyError:
            pass
    every = dict.fromkeys(key for row in rows for key in row)
    return {key: [row.get(key) for row in rows] for key in every}


def _note_ignored(names: set[str], log: RowLog) -> None:
    shown = sorted(n for n in names if n)
    if shown:
        log.notes.append(f"fields that were not used: {short(', '.join(shown))}")


@dataclass(slots=True)
class _Builder:
    """Collects pieces of requests."""

    constants: dict[str, str]
    places: dict[tuple[str, ...], int] = field(default_factory=dict)
    pieces: list[tuple[np.ndarray, ...]] = field(default_factory=list)
    assigned: dict[str, int] = field(default_factory=dict)

    def add(self, lines: list[int], values: Columns, log: RowLog, *, from_text: bool) -> None:
        """Take a piece; its bad rows are kept out."""
        read = LogColumns(len(lines), from_text)
        times = read.times(values["time"])
        inputs = read.tokens(values.get("input_tokens"), "input tokens")
        cached = read.tokens(values.get("cached_tokens"), "cached tokens")
        outputs = read.tokens(values.get("output_tokens"), "output tokens")
        read.part_of(cached, inputs)
        seconds = read.amounts(values.get("duration_seconds"), "seconds")
        outcomes = read.outcomes(values.get("status"))
        hits = read.hits(values.get("cache_hit"))
        errors = read.texts(values.get("error_type"), "error type")
        texts = [read.texts(values.get(name), name) for name in LABEL_FIELDS]
        statuses = [outcome.status for outcome in outcomes]
        good = np.ones(len(lines), np.bool_)
        good[list(read.reasons)] = False
        for i, reason in sorted(read.reasons.items()):
            log.reject(lines[i], reason)
        texts = [
            self._filled(name, column, good)
            for name, column in zip(LABEL_FIELDS, texts, strict=True)
        ]
        failed = np.array([o.failed or bool(e) for o, e in zip(outcomes, errors, strict=True)])
        limited = np.array([status == "429" for status in statuses])
        places = self.places
        keys = zip(*texts, errors, statuses, strict=True)
        codes = np.fromiter((places.setdefault(k, len(places)) for k in keys), np.int64, len(lines))
        piece = (codes, times, inputs, cached, outputs, seconds, failed, limited, hits)
        self.pieces.append(tuple(column[good] for column in piece))

    def _filled(self, name: str, values: list[str], good: np.ndarray) -> list[str]:
        """A label's values, those that are absent replaced by the constant."""
        constant = self.constants.get(name, "")
        if not constant:
            return values
        given = [v or constant for v in values]
        absent = np.fromiter((not v for v in values), np.bool_, len(values))
        self.assigned[name] = self.assigned.get(name, 0) + int((absent & good).sum())
        return given

    def note(self, log: RowLog) -> None:
        """Say which labels the log itself does not have."""
        for name, count in self.assigned.items():
            if count:
                log.notes.append(
                    f"{name}={self.constants[name]!r} was assigned by the importer to {count:,}"
                    " requests; the file does not say it"
                )

    def requests(self) -> Requests:
        """All pieces as one."""
        if not self.pieces:
            floats = np.zeros(0)
            ints, bools = np.zeros(0, np.int64), np.zeros(0, np.bool_)
            self.pieces.append((ints, ints, floats, floats, floats, floats, bools, bools, ints))
        columns = [np.concatenate(column) for column in zip(*self.pieces, strict=True)]
        return Requests(list(self.places), (*LABEL_FIELDS, "error_type", "status"), *columns)
