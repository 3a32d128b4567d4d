"""Rows of many blocks gathered into one table a metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final

import numpy as np

from workbench.exposition.pieces import ScannedBlock
from workbench.inventory import LabelTable
from workbench.inventory.table import Codes
from workbench.samples import Floats, Ints, Labels

__all__ = ["Gathered", "Gatherer", "OddRow"]

_NOTHING: Final = 0
"""The code of an empty value, which is the same as no label."""

MOST_CELLS: Final = 1 << 26
MOST_LABELS: Final = 100
"""A table may be larger than `MOST_CELLS` only where it has no more than `MOST_LABELS` labels."""

OddRow = tuple[Labels, int, float, bool]
"""A line of unusual form: its labels, its number, its time (NaN without), whether it is native."""


@dataclass(frozen=True, slots=True)
class _Chunk:
    """Lines of one metric with the same labels.

    Parameters
    ----------
    labels
        Names, in the order of `codes`.
    codes
        int32, shape (labels, lines): places in the gatherer's values.
    lines
        int64, shape (lines,): line numbers of their source, from 1.
    times
        float64, shape (lines,), NaN where there is none; None where no line has one.
    source
        Which source it is.
    native
        How many are native histograms.
    """

    labels: tuple[str, ...]
    codes: Codes
    lines: Ints
    times: Floats | None
    source: int
    native: int = 0


@dataclass(frozen=True, slots=True)
class Gathered:
    """One metric.

    Parameters
    ----------
    name
        What stands in ``__name__``.
    table
        Its series, each once; None where it has so many different labels that a table of them
        would not fit.
    series
        How many there are.
    value_counts
        Distinct values per label where there is no table.
    source, line
        Where it first stands.
    repeats
        Lines that repeat a series at the same time, within one source.
    repeated
        Places in `table` of the series that stand twice, each once.
    native
        How many series are native histograms.
    """

    name: str
    table: LabelTable | None
    series: int
    source: int
    line: int
    native: int
    repeats: int = 0
    repeated: Sequence[int] = ()
    value_counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Gatherer:
    """What has been read so far, over all blocks and sources."""

    values: dict[str, int] = field(default_factory=lambda: {"": _NOTHING})
    chunks: dict[str, list[_Chunk]] = field(default_factory=dict)

    def add(self, block: ScannedBlock, first_line: int, source: int) -> None:
        """Take in the usual lines of a block.

        Parameters
        ----------
        block
            What was read.
        first_line
            The number of its first line.
        source
            Which source it is of.
        """
        values = self.values
        places = [values.setdefault(v, len(values)) for v in block.values]
        code_of = np.array(places, np.int32)
        for rows in block.rows:
            name, labels = rows.template
            lines = rows.lines + first_line
            chunk = _Chunk(labels, code_of[rows.codes], lines, rows.times, source)
            self.chunks.setdefault(name, []).append(chunk)

    def add_odd(self, rows: Sequence[OddRow], source: int) -> None:
        """Take in lines that were read one by one."""
        values = self.values
        alike: dict[tuple[str, ...], list[OddRow]] = {}
        for row in rows:
            alike.setdefault(tuple(row[0]), []).append(row)
        for names, same in alike.items():
            labels = tuple(n for n in names if n != "__name__")
            by_name: dict[str, list[OddRow]] = {}
            for row in same:
                by_name.setdefault(row[0]["__name__"], []).append(row)
            for name, mine in by_name.items():
                codes = [[values.setdefault(r[0][x], len(values)) for r in mine] for x in labels]
                chunk = _Chunk(
                    labels,
                    np.array(codes, np.int32).reshape(len(labels), len(mine)),
                    np.array([r[1] for r in mine], np.int64),
                    np.array([r[2] for r in mine]),
                    source,
                    sum(r[3] for r in mine),
                )
                self.chunks.setdefault(name, []).append(chunk)

    def timed(self, source: int) -> tuple[Ints, Floats]:
        """Line numbers and times of all lines of a source that have a time, by line."""
        found = [
            (c.lines[has], c.times[has])
            for c in chain.from_iterable(self.chunks.values())
            if c.source == source and c.times is not None
            for has in (~np.isnan(c.times),)
        ]
        lines = np.concatenate([np.zeros(0, np.int64), *(f[0] for f in found)])
        times = np.concatenate([np.zeros(0), *(f[1] for f in found)])
        order = np.argsort(lines)
        return lines[order], times[order]

    def first_after(self, line: int, source: int) -> int | None:
        """The first line with a sample behind a line of a source."""
        later = [
            int(c.lines[c.lines > line].min())
            for c in chain.from_iterable(self.chunks.values())
            if c.source == source and len(c.lines) and int(c.lines.max()) > line
        ]
        return min(later, default=None)

    def drop(self, lines: Ints, source: int) -> None:
        """Forget lines of a source."""
        for name, chunks in self.chunks.items():
            self.chunks[name] = [c if c.source != source else _kept(c, lines) for c in chunks]

    def finish(self) -> Iterator[Gathered]:
        """Give the metrics in the order of the text; what was gathered is let go on the way."""
        names = list(self.values)
        scratch = np.empty(len(names), np.int32)
        for name in list(self.chunks):
            chunks = [c for c in self.chunks.pop(name) if len(c.lines)]
            if chunks:
                yield _gathered(name, chunks, names, scratch)


def _kept(chunk: _Chunk, lines: Ints) -> _Chunk:
    stay = ~np.isin(chunk.lines, lines)
    times = None if chunk.times is None else chunk.times[stay]
    return _Chunk(
        chunk.labels, chunk.codes[:, stay], chunk.lines[stay], times, chunk.source, chunk.native
    )


def _gathered(name: str, chunks: list[_Chunk], values: list[str], scratch: Codes) -> Gathered:
    first = min(chunks, key=lambda c: (c.source, int(c.lines[0])))
    start = (first.source, int(first.lines[0]))
    names = sorted({x for c in chunks for x in c.labels})
    count = sum(len(c.lines) for c in chunks)
    native = sum(c.native for c in chunks)
    if len(names) > MOST_LABELS and len(names) * count > MOST_CELLS:
        return _only_counted(name, chunks, start, native)
    if count == 1:
        return Gathered(name, _single(chunks[0], values), 1, *start, native)
    labels: list[str] = []
    used: list[tuple[str, ...]] = []
    codes = np.empty((len(names), count), np.int32)
    for label in names:
        column, places = _dense(_column(label, chunks), scratch)
        if places:
            codes[len(labels)] = column
            labels.append(label)
            used.append(tuple([values[i] for i in places]))
    table, place = LabelTable.of_codes(labels, used, codes[: len(labels)].T)
    repeats, repeated = (0, []) if place is None else _repeats(chunks, place)
    native = min(table.series, native)
    return Gathered(name, table, table.series, *start, native, repeats, repeated)


def _single(chunk: _Chunk, values: list[str]) -> LabelTable:
    """The table of one series: most metrics of a process have no more."""
    row = chunk.codes[:, 0].tolist()
    pairs = sorted((x, values[v]) for x, v in zip(chunk.labels, row, strict=True) if v != _NOTHING)
    codes = np.zeros((1, len(pairs)), np.int32, order="F")
    return LabelTable(tuple(x for x, _ in pairs), tuple((v,) for _, v in pairs), codes)


def _only_counted(name: str, chunks: list[_Chunk], start: tuple[int, int], native: int) -> Gathered:
    """A metric whose lines hardly share a label: series and values are counted, one by one."""
    series: set[frozenset[tuple[str, int]]] = set()
    known: dict[str, set[int]] = {}
    for chunk in chunks:
        for row in chunk.codes.T.tolist():
            pairs = [(x, v) for x, v in zip(chunk.labels, row, strict=True) if v != _NOTHING]
            series.add(frozenset(pairs))
            for label, value in pairs:
                known.setdefault(label, set()).add(value)
    counts = {label: len(found) for label, found in known.items()}
    return Gathered(name, None, len(series), *start, min(native, len(series)), value_counts=counts)


def _column(label: str, chunks: list[_Chunk]) -> Codes:
    parts = [
        c.codes[c.labels.index(label)] if label in c.labels else np.zeros(len(c.lines), np.int32)
        for c in chunks
    ]
    return parts[0] if len(parts) == 1 else np.concatenate(parts)


def _dense(column: Codes, scratch: Codes) -> tuple[Codes, list[int]]:
    """Codes of their own for the values of one column.

    Parameters
    ----------
    column
        Shape (rows,): places in all values, `_NOTHING` where the label is lacking.
    scratch
        Shape (all values,): what stands in it does not matter.

    Returns
    -------
    tuple
        The codes, -1 where the label is lacking, and the place of each code's value.
    """
    rows = np.arange(len(column), dtype=np.int32)
    scratch[column] = rows
    # The row that wrote last is the one of its value: no sort is needed to find distinct values.
    places = column[scratch[column] == rows]
    places = places[places != _NOTHING]
    scratch[places] = np.arange(len(places), dtype=np.int32)
    scratch[_NOTHING] = -1
    return scratch[column], places.tolist()


def _repeats(
    chunks: list[_Chunk], place: np.ndarray[Any, np.dtype[np.int64]]
) -> tuple[int, list[int]]:
    """How many rows repeat another of the same series, time and source; and which series."""
    source = np.concatenate([np.full(len(c.lines), c.source) for c in chunks])
    times = np.concatenate(
        [np.full(len(c.lines), np.nan) if c.times is None else c.times for c in chunks]
    )
    times = np.where(np.isnan(times), -np.inf, times)
    order = np.lexsort((times, source, place))
    same = np.ones(max(0, len(order) - 1), np.bool_)
    for column in (place, source, times):
        ordered = column[order]
        same &= ordered[1:] == ordered[:-1]
    repeated = np.unique(place[order][1:][same])
    return int(np.count_nonzero(same)), repeated.tolist()
