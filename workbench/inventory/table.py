"""The labels of one metric's series as columns of codes: everything is counted exactly, and fast.

Counting by sets of strings costs a microsecond and a kilobyte a series; on codes, the number of
series left without a label is one sort of integers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.inventory.counting import (
    Digits,
    Keys,
    count_distinct,
    count_without_each,
    dense,
    row_keys,
)

__all__ = ["ABSENT", "Codes", "LabelTable"]

Codes = np.ndarray[Any, np.dtype[np.int32]]
"""int32: places in a label's values, `ABSENT` where the series lacks the label."""

ABSENT: Final = -1


@dataclass(frozen=True, slots=True, eq=False)
class LabelTable:
    """The label sets of the series of one metric, each once.

    Parameters
    ----------
    labels
        Names, without ``__name__``.
    values
        For each label its distinct values; every one occurs, none is ``""`` (which is the same
        as absent).
    codes
        Shape (series, labels), Fortran order: each series' place in `values`, or `ABSENT`.

    Examples
    --------
    >>> table = LabelTable.of([{"method": "GET", "path": "/a"}, {"method": "GET", "path": "/b"}])
    >>> table.series, table.distinct("path"), table.without(["path"])
    (2, 2, 1)
    """

    labels: tuple[str, ...]
    values: tuple[tuple[str, ...], ...]
    codes: Codes

    @classmethod
    def of(cls, rows: Iterable[Mapping[str, str]]) -> LabelTable:
        """Build from label sets (``__name__`` is left out); equal ones are kept once."""
        seen: dict[frozenset[tuple[str, str]], None] = {}
        for row in rows:
            seen[frozenset((k, v) for k, v in row.items() if v and k != "__name__")] = None
        labels = tuple(sorted({name for pairs in seen for name, _ in pairs}))
        place = {name: i for i, name in enumerate(labels)}
        known: list[dict[str, int]] = [{} for _ in labels]
        codes = np.full((len(seen), len(labels)), ABSENT, np.int32, order="F")
        for i, pairs in enumerate(seen):
            for name, value in pairs:
                codes[i, place[name]] = known[place[name]].setdefault(
                    value, len(known[place[name]])
                )
        return cls(labels, tuple(tuple(k) for k in known), codes)

    @classmethod
    def of_codes(
        cls, labels: Sequence[str], values: Sequence[tuple[str, ...]], codes: Codes
    ) -> tuple[LabelTable, Keys | None]:
        """Build from codes whose rows may repeat.

        Parameters
        ----------
        labels, values
            As of the table; each value must occur.
        codes
            Shape (rows, labels).

        Returns
        -------
        tuple
            The table, and each row's place in it, shape (rows,); None for the latter where no
            row stands twice (and row i is series i).
        """
        table = cls(tuple(labels), tuple(values), codes)
        keys, size = table._keys(table.labels)
        if count_distinct(keys, size) == len(keys):
            return table, None
        _, first, place = np.unique(keys, return_index=True, return_inverse=True)
        order = np.argsort(first)
        rank = np.empty_like(order)
        rank[order] = np.arange(len(order))
        return cls(table.labels, table.values, np.asfortranarray(codes[first[order]])), rank[place]

    @property
    def series(self) -> int:
        """How many series there are."""
        return len(self.codes)

    def column(self, label: str) -> Codes:
        """A label's codes, shape (series,); all `ABSENT` where no series has it."""
        if label in self.labels:
            column: Codes = self.codes[:, self.labels.index(label)]
            return column
        return np.full(self.series, ABSENT, np.int32)

    def values_of(self, label: str) -> tuple[str, ...]:
        """A label's distinct values, in the order of their codes."""
        return self.values[self.labels.index(label)] if label in self.labels else ()

    def distinct(self, label: str) -> int:
        """How many values a label has."""
        return len(self.values_of(label))

    def counts(self, label: str) -> np.ndarray[Any, np.dtype[np.int64]]:
        """How many series have each value, shape (values,), in the order of `values_of`."""
        column = self.column(label)
        return np.bincount(column[column >= 0], minlength=self.distinct(label))

    def groups(self, labels: Sequence[str]) -> Keys:
        """Number the combinations of some labels: shape (series,), equal where these are equal.

        The numbers are dense (0 … combinations - 1) and in no order that means anything.
        """
        return dense(self._keys(labels)[0])[0]

    def combinations(self, labels: Sequence[str]) -> int:
        """How many distinct sets of values these labels have together."""
        return count_distinct(*self._keys(labels))

    def _keys(self, labels: Sequence[str]) -> tuple[Keys, int]:
        return row_keys(*self._digits([x for x in labels if x in self.labels]), self.series)

    def _digits(self, labels: Sequence[str]) -> tuple[list[Digits], list[int]]:
        """Columns as digits from 0, and how many digits each can have."""
        columns: list[Digits] = []
        widths: list[int] = []
        for label in labels:
            j = self.labels.index(label)
            column = self.codes[:, j]
            lacking = bool(len(column)) and int(column.min()) < 0
            columns.append(column + np.int32(1) if lacking else column)
            widths.append(len(self.values[j]) + lacking)
        return columns, widths

    def without(self, labels: Sequence[str]) -> int:
        """How many distinct series are left where these labels are dropped."""
        return self.combinations([name for name in self.labels if name not in set(labels)])

    def without_each(self) -> dict[str, int]:
        """What `without` says of each label alone, much faster than asking for one by one.

        Examples
        --------
        >>> table = LabelTable.of([{"method": "GET", "path": "/a"}, {"method": "GET", "path": "/b"}])
        >>> table.without_each()
        {'method': 2, 'path': 1}
        """
        counts = count_without_each(*self._digits(self.labels), self.series)
        return dict(zip(self.labels, counts, strict=True))

    def take(self, chosen: np.ndarray[Any, Any]) -> LabelTable:
        """Only some series: a mask or places, shape as of `codes`' first axis."""
        codes = self.codes[chosen]
        values: list[tuple[str, ...]] = []
        columns: list[Codes] = []
        names: list[str] = []
        for j, name in enumerate(self.labels):
            kept, inverse = np.unique(codes[:, j], return_inverse=True)
            present = kept[kept >= 0]
            if not len(present):
                continue
            names.append(name)
            values.append(tuple(self.values[j][i] for i in present.tolist()))
            columns.append((inverse - (len(kept) - len(present))).astype(np.int32))
        shape = (len(codes), len(columns))
        stacked = np.empty(shape, np.int32, order="F")
        for j, column in enumerate(columns):
            stacked[:, j] = column
        return LabelTable(tuple(names), tuple(values), stacked)

    def project(self, labels: Iterable[str]) -> LabelTable:
        """Only some labels: their distinct combinations, in the order in which they first stand."""
        kept = [name for name in self.labels if name in set(labels)]
        _, first = np.unique(self.groups(kept), return_index=True)
        rows = np.sort(first)
        codes = np.empty((len(rows), len(kept)), np.int32, order="F")
        for j, name in enumerate(kept):
            codes[:, j] = self.column(name)[rows]
        return LabelTable(tuple(kept), tuple(self.values_of(name) for name in kept), codes)

    def rows(self) -> Iterator[dict[str, str]]:
        """Each series' labels, without ``__name__``."""
        for row in self.codes.tolist():
            yield {
                name: values[code]
                for name, values, code in zip(self.labels, self.values, row, strict=True)
                if code >= 0
            }

    def union(self, other: LabelTable) -> LabelTable:
        """The series that either has, each once."""
        labels = tuple(sorted({*self.labels, *other.labels}))
        codes = np.full((self.series + other.series, len(labels)), ABSENT, np.int32, order="F")
        values: list[tuple[str, ...]] = []
        for j, name in enumerate(labels):
            mine, theirs = self.values_of(name), other.values_of(name)
            place = {value: i for i, value in enumerate(mine)}
            moved = np.array([place.setdefault(v, len(place)) for v in theirs] + [ABSENT], np.int32)
            codes[: self.series, j] = self.column(name)
            codes[self.series :, j] = moved[other.column(name)]  # ABSENT is -1: the last
            values.append(tuple(place))
        return LabelTable.of_codes(labels, values, codes)[0]
