"""Many series as columns that rules change: distinct values are judged, series only looked up.

A rule's cost is that of its regular expression over the distinct source values, and one pass of
integers over the series.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.inventory import LabelTable
from workbench.inventory.table import ABSENT, Codes
from workbench.samples import Ints

__all__ = ["Column", "Columns", "numbered"]

_UNCHANGED: Final = -2


@dataclass(frozen=True, slots=True)
class Column:
    """A label over some series: its distinct values, and each series' place in them."""

    values: Sequence[str]
    codes: Codes

    def taken(self, chosen: np.ndarray[Any, Any]) -> Column:
        """The same of only some series: a mask or places."""
        return Column(self.values, self.codes[chosen])


@dataclass(slots=True)
class Columns:
    """The labels of some series, ``__name__`` among them.

    Parameters
    ----------
    size
        How many series.
    columns
        By label; a value may be there that no series has any more.
    rows
        int64, shape (size,): each one's place among the series that there were at first.
    altered
        Whether any label of any series was changed, so that two may have become equal.
    """

    size: int
    columns: dict[str, Column]
    rows: Ints
    altered: bool = field(default=False)

    @classmethod
    def of(cls, name: str, table: LabelTable) -> Columns:
        """Take the series of one metric."""
        size = table.series
        columns = {
            label: Column(values, table.codes[:, j])
            for j, (label, values) in enumerate(zip(table.labels, table.values, strict=True))
        }
        columns["__name__"] = Column((name,), np.zeros(size, np.int32))
        return cls(size, columns, np.arange(size))

    @classmethod
    def of_rows(cls, rows: Sequence[Mapping[str, str]], places: Ints) -> Columns:
        """Take label sets that need not differ."""
        columns: dict[str, Column] = {}
        for name in sorted({name for row in rows for name in row}):
            known: dict[str, int] = {}
            codes = np.fromiter(
                (
                    known.setdefault(row[name], len(known)) if name in row else ABSENT
                    for row in rows
                ),
                np.int32,
                len(rows),
            )
            columns[name] = Column(tuple(known), codes)
        return cls(len(rows), columns, places, altered=True)

    def joined(self, labels: Sequence[str], separator: str) -> tuple[list[str], Ints]:
        """Each series' values of some labels, joined.

        Returns
        -------
        list of str, Ints
            The joined values, and each series' place among them, shape (size,). Every
            combination that occurs stands in the list once.
        """
        texts = [""]
        codes = np.zeros(self.size, np.int64)
        for i, label in enumerate(labels):
            column = self.columns.get(label)
            values = ["", *column.values] if column else [""]
            if column is None:
                texts = [text + separator for text in texts] if i else texts
                continue
            width = len(values)
            pairs, codes = numbered(codes * width + (column.codes + 1), len(texts) * width)
            before = separator if i else ""
            texts = [
                f"{texts[left]}{before}{values[right]}"
                for left, right in zip(
                    *(part.tolist() for part in np.divmod(pairs, width)), strict=True
                )
            ]
        return texts, codes

    def keep(self, mask: Bools) -> None:
        """Leave only some series."""
        if mask.all():
            return
        chosen = np.flatnonzero(mask)
        self.columns = {name: column.taken(chosen) for name, column in self.columns.items()}
        self.rows = self.rows[chosen]
        self.size = len(chosen)

    def taken(self, chosen: Ints) -> Columns:
        """Another set of columns with only some of the series."""
        columns = {name: column.taken(chosen) for name, column in self.columns.items()}
        return Columns(len(chosen), columns, self.rows[chosen], self.altered)

    def drop(self, label: str) -> None:
        """Take a label from every series."""
        column = self.columns.pop(label, None)
        self.altered |= column is not None and bool((column.codes >= 0).any())

    def write(self, label: str, texts: Sequence[str | None], which: Ints) -> None:
        """Write a label.

        Parameters
        ----------
        label
            The label.
        texts
            What may be written; ``""`` removes the label, None leaves it as it is.
        which
            int64, shape (size,): which of the texts each series gets.
        """
        if all(text is None for text in texts):
            return
        old = self.columns.get(label)
        stays = old is not None and any(text is None for text in texts)
        known = {value: i for i, value in enumerate(old.values)} if old and stays else {}
        nothing = ABSENT if old is None else _UNCHANGED
        codes = [
            nothing if text is None else known.setdefault(text, len(known)) if text else ABSENT
            for text in texts
        ]
        picked = np.array(codes, np.int32)[which]
        if old is not None and stays:
            picked = np.where(picked == _UNCHANGED, old.codes, picked)
        self.columns[label] = Column(tuple(known), picked)
        self.altered = True

    def copy(self, source: Column, target: str) -> None:
        """Write a label's values under another name, in the series that have it."""
        texts = [None, *source.values]
        self.write(target, texts, source.codes.astype(np.int64) + 1)

    def labels(self, place: int) -> dict[str, str]:
        """The labels of one series, sorted by name."""
        return {
            name: column.values[column.codes[place]]
            for name, column in sorted(self.columns.items())
            if column.codes[place] >= 0
        }


def numbered(keys: Ints, size: int) -> tuple[Ints, Ints]:
    """Number the keys that occur.

    Parameters
    ----------
    keys
        int64, from 0 to `size` - 1.

    Returns
    -------
    Ints, Ints
        The keys that occur, ascending, and each key's place among them.
    """
    if size > 4 * len(keys) + 4096:
        found, places = np.unique(keys, return_inverse=True)
        return found, places.astype(np.int64, copy=False)
    found = np.flatnonzero(np.bincount(keys, minlength=size))
    if len(found) == size:
        return found, keys
    place = np.zeros(size, np.int64)
    place[found] = np.arange(len(found))
    return found, place[keys]
