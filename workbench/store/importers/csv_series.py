"""CSV files of samples: a time and a value a row, every other column a label."""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import numpy as np

from workbench.errors import InputError
from workbench.exposition import Joined, join_rows
from workbench.samples import Ints, Labels, MetricMetadata, MetricType
from workbench.store.importers.moments import read_moments, read_numbers
from workbench.store.importers.report import Imported, RowLog, short
from workbench.store.importers.table import Table, find_column
from workbench.store.importers.textfile import TextFile

__all__ = ["CSV_FIELDS", "CsvType", "import_csv", "metric_from_path"]

CsvType = Literal["gauge", "counter"]
"""What the values of a CSV file may be declared as."""

CSV_FIELDS: Final[Mapping[str, tuple[str, ...]]] = {
    "time": ("time", "timestamp", "ts"),
    "value": ("value",),
    "metric": ("__name__", "metric"),
}
"""Fields of a CSV of samples and the column names under which they are found."""

_ILLEGAL: Final = re.compile(r"[^a-zA-Z0-9_]")


def metric_from_path(path: Path) -> str:
    """Make a metric name of a file's name.

    Examples
    --------
    >>> metric_from_path(Path("/data/2014 cpu-load.csv.gz"))
    '_2014_cpu_load'
    """
    stem = path.name.removesuffix(".gz").rsplit(".", 1)[0]
    return _legal(stem or "imported")


def _legal(name: str) -> str:
    name = _ILLEGAL.sub("_", name)
    return f"_{name}" if name[:1].isdigit() else name


def import_csv(
    path: Path | str,
    *,
    metric: str | None = None,
    type: CsvType | None = None,  # noqa: A002 - the field's own word
    unit: str = "",
    help: str = "",  # noqa: A002 - the field's own word
    labels: Mapping[str, str] | None = None,
    columns: Mapping[str, str] | None = None,
    lenient: bool = False,
) -> Imported:
    """Read samples from a CSV file with a header.

    Times are ISO 8601 (UTC where they name no zone) or numbers since the epoch, see
    `read_moments`. An empty value is absent. Of two rows of one series at one time the later
    stays. A gzip file is unpacked.

    Parameters
    ----------
    path
        The file.
    metric
        The metric's name; else the column ``__name__`` or ``metric``, else the file's name. Where
        it is given, a column ``metric`` is a label.
    type, unit, help
        What the metric is declared as; where no type is given a name that ends in ``_total`` is
        a counter and any other a gauge.
    labels
        Labels that every series gets.
    columns
        Which column holds ``time``, ``value`` or ``metric``, where its name does not say so.
    lenient
        Keep the good rows of a file that has bad ones.

    Returns
    -------
    Imported
        Its series are `Samples`.

    Raises
    ------
    BadRowsError
        There are bad rows and the import is not lenient.
    InputError
        The file cannot be read, lacks a column, or holds no sample.
    """
    path = Path(path)
    log = RowLog(path, "csv")
    table = Table(TextFile(path), log)
    layout = _Layout.of(table.header, path, metric, dict(labels or {}), columns or {})
    rows = _Rows()
    for lines, texts in table.chunks():
        rows.add(lines, texts, layout, log)
    joined = rows.joined()
    _note(joined, rows, layout, log)
    names = sorted({names["__name__"] for names in joined.samples.labels})
    metadata = tuple(MetricMetadata(name, _kind(type, name), help, unit) for name in names)
    if type is None:
        log.notes.append("no type was given: names that end in _total are counters, others gauges")
    return Imported(joined.samples, metadata, log.settle(joined.samples.rows, lenient=lenient))


def _kind(given: str | None, name: str) -> MetricType:
    return MetricType(given or ("counter" if name.endswith("_total") else "gauge"))


@dataclass(frozen=True, slots=True)
class _Layout:
    """Which column is what."""

    time: int
    value: int
    metric: int | None
    labels: tuple[tuple[int, str], ...]
    fixed: Labels
    renamed: tuple[str, ...]

    @classmethod
    def of(
        cls,
        header: list[str],
        path: Path,
        metric: str | None,
        fixed: dict[str, str],
        columns: Mapping[str, str],
    ) -> _Layout:
        unknown = sorted(set(columns) - set(CSV_FIELDS))
        if unknown:
            msg = f"{unknown[0]!r} is not a field of a CSV of samples"
            raise InputError(msg, f"the fields are: {', '.join(CSV_FIELDS)}")
        found = {f: find_column(f, header, CSV_FIELDS[f], columns) for f in CSV_FIELDS}
        for need in ("time", "value"):
            if found[need] is None:
                msg = f"{str(path)!r} has no column for the {need} among {short(', '.join(header))}"
                raise InputError(msg, f"name it: columns={{{need!r}: 'its header'}}")
        if metric:
            # The column is then a label like any other: it may be all that tells series apart.
            found["metric"] = None
        by_row = None if found["metric"] is None else header.index(found["metric"])
        if by_row is None:
            fixed["__name__"] = metric or metric_from_path(path)
        others = [(i, n) for i, n in enumerate(header) if n not in found.values()]
        labels = tuple((i, _legal(name)) for i, name in others if name)
        names = [name for _, name in labels]
        clash = next((n for n in names if names.count(n) > 1 or n in fixed or n == "__name__"), "")
        if clash:
            msg = f"label {clash!r} of {str(path)!r} has two origins"
            raise InputError(msg, "rename a column, or do not give the label as well")
        return cls(
            time=header.index(str(found["time"])),
            value=header.index(str(found["value"])),
            metric=by_row,
            labels=labels,
            fixed=fixed,
            renamed=tuple(f"{n!r} is {_legal(n)}" for _, n in others if n and _legal(n) != n),
        )


@dataclass(slots=True)
class _Rows:
    """What has been read so far, as columns."""

    places: dict[tuple[str, ...], int] = field(default_factory=dict)
    labels: list[Labels] = field(default_factory=list)
    series_of: array[int] = field(default_factory=lambda: array("q"))
    times: array[int] = field(default_factory=lambda: array("q"))
    values: array[float] = field(default_factory=lambda: array("d"))
    lines: array[int] = field(default_factory=lambda: array("q"))
    absent: int = 0

    def add(self, lines: list[int], texts: list[list[str]], layout: _Layout, log: RowLog) -> None:
        """Take a piece of the table."""
        times, timely = read_moments(texts[layout.time])
        raw = texts[layout.value]
        empty = np.fromiter((not t or t.isspace() for t in raw), np.bool_, len(raw))
        if empty.any():
            raw = ["0" if e else t for e, t in zip(empty.tolist(), raw, strict=True)]
        values, numeric = read_numbers(raw)
        named = np.ones(len(lines), np.bool_)
        if layout.metric is not None:
            named = np.array([bool(t) for t in texts[layout.metric]])
        for i in np.flatnonzero(~timely | ~numeric | ~named).tolist():
            log.reject(lines[i], _reason(texts, layout, i, timely=timely[i], numeric=numeric[i]))
        good = timely & numeric & named
        self.absent += int((good & empty).sum())
        good &= ~empty
        self.series_of.frombytes(self._codes(texts, layout, len(lines))[good].tobytes())
        self.times.frombytes(times[good].tobytes())
        self.values.frombytes(values[good].tobytes())
        self.lines.frombytes(np.array(lines, np.int64)[good].tobytes())

    def _codes(self, texts: list[list[str]], layout: _Layout, count: int) -> Ints:
        """Each row's place in `labels`."""
        names = [name for _, name in layout.labels]
        columns = [texts[i] for i, _ in layout.labels]
        if layout.metric is not None:
            names.append("__name__")
            columns.append(texts[layout.metric])
        keys = zip(*columns, strict=True) if columns else iter([()] * count)
        places = self.places
        codes = np.fromiter((places.setdefault(k, len(places)) for k in keys), np.int64, count)
        for key in list(places)[len(self.labels) :]:
            self.labels.append({**layout.fixed, **dict(zip(names, key, strict=True))})
        return codes

    def joined(self) -> Joined:
        """All rows as series."""
        columns = (self.series_of, self.times, self.values)
        series_of, times, values = (np.frombuffer(c, dtype=c.typecode) for c in columns)
        return join_rows(self.labels, series_of, times, values)


def _reason(
    texts: list[list[str]], layout: _Layout, row: int, *, timely: bool, numeric: bool
) -> str:
    if not timely:
        return f"{short(texts[layout.time][row])} is not a time"
    if not numeric:
        return f"{short(texts[layout.value][row])} is not a number"
    return "it has no metric name"


def _note(joined: Joined, rows: _Rows, layout: _Layout, log: RowLog) -> None:
    if rows.absent:
        log.notes.append(f"{rows.absent} rows have an empty value and are absent")
    for places, how in ((joined.repeated, "the same value"), (joined.replaced, "another value")):
        if len(places):
            first = rows.lines[int(places[0])]
            log.notes.append(
                f"{len(places)} rows are followed by a row of the same series and time with {how},"
                f" which was kept (the first is line {first})"
            )
    if layout.renamed:
        log.notes.append(f"columns were renamed to be labels: {'; '.join(layout.renamed)}")
