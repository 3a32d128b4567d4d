"""Series that rules made equal.

Prometheus takes one scrape's samples of equal series as one series and keeps one of the values,
mostly without a word; the next scrape may keep another one. Counters then seem to reset.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from workbench.inventory import LabelTable, ObservedMetric
from workbench.inventory.table import ABSENT, Codes
from workbench.relabelling.columns import Column, Columns, numbered
from workbench.samples import Ints, Labels

__all__ = ["Collision", "Merged", "Piece", "merge"]

_EXAMPLES: Final = 3


@dataclass(frozen=True, slots=True)
class Collision:
    """A series that several become.

    Parameters
    ----------
    becomes
        Its labels, with ``__name__``.
    series
        How many become it.
    examples
        The labels of the first of these, as they were.
    """

    becomes: Labels
    series: int
    examples: tuple[Labels, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """Series that have one name after the rules, and the metric from which they came."""

    origin: ObservedMetric
    columns: Columns


@dataclass(frozen=True, slots=True)
class Merged:
    """What becomes of the series of one name.

    Parameters
    ----------
    metric
        The distinct series.
    merged
        How many of which metric's series are lost in another one.
    collisions, collision_count
        The first series that several become, and how many there are.
    """

    metric: ObservedMetric
    merged: Mapping[str, int]
    collisions: tuple[Collision, ...] = ()
    collision_count: int = 0


def merge(name: str, pieces: Sequence[Piece], *, most: int) -> Merged:
    """Join the series that have one name, and find those that are equal.

    Parameters
    ----------
    name
        What they are called.
    pieces
        At least one.
    most
        How many collisions to describe at the most.
    """
    origin = pieces[0].origin
    both = pieces[0].columns if len(pieces) == 1 else _joined(pieces)
    if len(pieces) == 1 and not both.altered:
        table = origin.table
        if table is None or both.size < table.series:
            table = _table(both)
        return Merged(replace(origin, series=both.size, table=table), {})
    groups = _groups(both)
    sizes = np.bincount(groups)
    first = np.empty(len(sizes), np.int64)
    first[groups[::-1]] = np.arange(both.size - 1, -1, -1)  # the last that is written stays
    first.sort()
    alone = both if len(sizes) == both.size else both.taken(first)
    metric = replace(
        origin,
        name=name,
        family=origin.family if name == origin.name else name,
        series=alone.size,
        table=_table(alone),
    )
    return Merged(
        metric,
        _lost(pieces, first),
        _collisions(pieces, both, groups, sizes, most),
        int((sizes > 1).sum()),
    )


def _joined(pieces: Sequence[Piece]) -> Columns:
    """Columns one below the other, their values numbered anew."""
    size = sum(piece.columns.size for piece in pieces)
    columns: dict[str, Column] = {}
    for label in sorted({label for piece in pieces for label in piece.columns.columns}):
        codes = np.full(size, ABSENT, np.int32)
        known: dict[str, int] = {}
        start = 0
        for piece in pieces:
            end = start + piece.columns.size
            column = piece.columns.columns.get(label)
            if column is not None:
                moved = [known.setdefault(v, len(known)) for v in column.values]
                codes[start:end] = np.array([*moved, ABSENT], np.int32)[column.codes]
            start = end
        columns[label] = Column(tuple(known), codes)
    return Columns(size, columns, np.arange(size), altered=True)


def _groups(columns: Columns) -> Ints:
    """Number the distinct label sets: int64, shape (size,), equal where these are equal."""
    keys = np.zeros(columns.size, np.int64)
    size = 1
    for column in columns.columns.values():
        width = len(column.values) + 1
        if size > np.iinfo(np.int64).max // width:
            found, keys = numbered(keys, size)
            size = max(1, len(found))
        keys = keys * width + (column.codes + 1)
        size *= width
    return numbered(keys, size)[1]


def _lost(pieces: Sequence[Piece], first: Ints) -> Counter[str]:
    """How many of each metric's series are not the first of their kind."""
    lost: Counter[str] = Counter()
    start = 0
    for piece in pieces:
        end = start + piece.columns.size
        stay = int(np.searchsorted(first, end) - np.searchsorted(first, start))
        lost[piece.origin.name] += piece.columns.size - stay
        start = end
    return lost


def _collisions(
    pieces: Sequence[Piece], both: Columns, groups: Ints, sizes: Ints, most: int
) -> tuple[Collision, ...]:
    """Describe the largest groups of more than one series."""
    largest = np.argsort(-sizes, kind="stable")[: max(0, most)]
    result = []
    for group in largest[sizes[largest] > 1].tolist():
        members = np.flatnonzero(groups == group)
        examples = tuple(_original(pieces, i) for i in members[:_EXAMPLES].tolist())
        result.append(Collision(both.labels(int(members[0])), len(members), examples))
    return tuple(result)


def _original(pieces: Sequence[Piece], place: int) -> Labels:
    """The labels that a series of the joined pieces had before the rules."""
    for piece in pieces:
        if place < piece.columns.size:
            table = piece.origin.table
            assert table is not None
            row = int(piece.columns.rows[place])
            pairs = zip(table.labels, table.values, table.codes[row].tolist(), strict=True)
            found = {label: values[code] for label, values, code in pairs if code >= 0}
            return {"__name__": piece.origin.name, **dict(sorted(found.items()))}
        place -= piece.columns.size
    msg = "the pieces hold fewer series than that"
    raise IndexError(msg)


def _table(columns: Columns) -> LabelTable:
    """The columns as a table whose every value occurs."""
    names: list[str] = []
    values: list[tuple[str, ...]] = []
    kept: list[Codes] = []
    for name, column in sorted(columns.columns.items()):
        if name == "__name__" or not columns.size:
            continue
        used = np.bincount(column.codes + 1, minlength=len(column.values) + 1)[1:] > 0
        if not used.any():
            continue
        place = np.full(len(used) + 1, ABSENT, np.int32)
        place[:-1][used] = np.arange(int(used.sum()), dtype=np.int32)
        names.append(name)
        values.append(tuple(column.values[i] for i in np.flatnonzero(used).tolist()))
        kept.append(column.codes if used.all() else place[column.codes])
    codes = np.empty((columns.size, len(kept)), np.int32, order="F")
    for j, one in enumerate(kept):
        codes[:, j] = one
    return LabelTable(tuple(names), tuple(values), codes)
