"""Native histograms of a snapshot: files beside those of the samples, one row a histogram.

``histograms-NNNN.parquet`` belongs to ``samples-NNNN.parquet``: its rows say, by row group and row,
which of the samples there are histograms (their value there is NaN) and what they hold.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.errors import SnapshotError
from workbench.native import (
    CUSTOM,
    Bools,
    Buckets,
    Floats,
    Histogram,
    Ints,
    ResetHint,
    no_histograms,
)
from workbench.samples import Samples
from workbench.store.columns import schema_of
from workbench.store.rowgroups import SnapshotFile

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["StoredHistograms", "histogram_table", "partner"]

_KEPT: Final = 4
"""Decoded row groups that are kept."""

_NUMBERS: Final = ("schema", "hint", "count", "sum", "zero_threshold", "zero_count")
_LISTS: Final = (
    "positive_index",
    "positive_count",
    "negative_index",
    "negative_count",
    "custom_values",
)


def partner(samples_file: str) -> str:
    """The name of the file of histograms that belongs to a file of samples."""
    return samples_file.replace("samples", "histograms", 1)


def histogram_table(row_group: int, rows: Iterable[tuple[int, Histogram]]) -> pa.Table:
    """The table of the histograms of one row group of samples.

    Parameters
    ----------
    row_group
        Its number in the file of samples.
    rows
        Row within the row group, ascending, and the histogram that stands there.
    """
    import pyarrow as pa

    each = list(rows)
    columns: dict[str, Sequence[Any]] = {
        "row_group": [row_group] * len(each),
        "row": [row for row, _ in each],
        "schema": [h.schema for _, h in each],
        "hint": [int(h.hint) for _, h in each],
        "count": [h.count for _, h in each],
        "sum": [h.sum for _, h in each],
        "zero_threshold": [h.zero_threshold for _, h in each],
        "zero_count": [h.zero_count for _, h in each],
        "positive_index": [h.positive.index for _, h in each],
        "positive_count": [h.positive.counts for _, h in each],
        "negative_index": [h.negative.index for _, h in each],
        "negative_count": [h.negative.counts for _, h in each],
        "custom_values": [h.custom_values for _, h in each],
    }
    schema = schema_of("histograms")
    arrays = [pa.array(columns[field.name], field.type) for field in schema]
    return pa.Table.from_arrays(arrays, schema=schema)


@dataclass(frozen=True, slots=True)
class _List:
    """A column of lists: entry `i` is ``values[starts[i]:starts[i + 1]]``."""

    starts: Ints
    values: Any

    def __getitem__(self, i: int) -> Any:
        return self.values[self.starts[i] : self.starts[i + 1]]


@dataclass(frozen=True, slots=True)
class _Decoded:
    """One row group of histograms."""

    row: Ints
    numbers: dict[str, Any]
    lists: dict[str, _List]

    def histogram(self, i: int) -> Histogram:
        """Make one of the histograms."""
        number, each = self.numbers, self.lists
        return Histogram(
            int(number["schema"][i]),
            float(number["count"][i]),
            float(number["sum"][i]),
            float(number["zero_threshold"][i]),
            float(number["zero_count"][i]),
            Buckets(each["positive_index"][i].astype(np.int64), each["positive_count"][i]),
            Buckets(each["negative_index"][i].astype(np.int64), each["negative_count"][i]),
            tuple(each["custom_values"][i].tolist()),
            ResetHint(int(number["hint"][i])),
        )


class StoredHistograms:
    """The histograms of a snapshot, decoded a row group at a time when a query needs them.

    Parameters
    ----------
    files
        The files of histograms, by name.
    """

    def __init__(self, files: dict[str, SnapshotFile]) -> None:
        self._files = files
        self._groups: dict[str, list[int]] = {}
        self._decoded: dict[tuple[str, int], _Decoded | None] = {}

    def attach(self, samples: Samples, places: Sequence[tuple[str, int]], begins: Ints) -> Samples:
        """Put histograms where they stand among samples just read.

        Parameters
        ----------
        samples
            The samples of some series.
        places
            File of samples and row group of each series.
        begins
            int64: the row, within its row group, of each series' first sample.
        """
        if not self._files:
            return samples
        histograms = no_histograms(samples.rows)
        sizes = np.diff(samples.offsets)
        for i, place in enumerate(places):
            found = self._row_group(*place)
            if found is None:
                continue
            begin = int(begins[i])
            low, high = np.searchsorted(found.row, [begin, begin + int(sizes[i])]).tolist()
            at = int(samples.offsets[i]) - begin
            for k in range(low, high):
                histograms[at + int(found.row[k])] = found.histogram(k)
        if all(each is None for each in histograms):
            return samples
        return replace(samples, histograms=histograms)

    def _row_group(self, samples_file: str, row_group: int) -> _Decoded | None:
        """The histograms of a row group of samples; None where it has none."""
        key = (samples_file, row_group)
        if key not in self._decoded:
            decoded = self._read(partner(samples_file), row_group)
            while len(self._decoded) >= _KEPT:
                self._decoded.pop(next(iter(self._decoded)))
            self._decoded[key] = decoded
        return self._decoded[key]

    def _read(self, name: str, row_group: int) -> _Decoded | None:
        file = self._files.get(name)
        if file is None:
            return None
        if name not in self._groups:
            numbers = file.read(columns=["row_group"]).column("row_group").to_numpy()
            self._groups[name] = np.unique(numbers).tolist()
        if row_group not in self._groups[name]:
            return None
        table = file.read(self._groups[name].index(row_group))
        decoded = _Decoded(
            table.column("row").to_numpy(),
            {column: table.column(column).to_numpy() for column in _NUMBERS},
            {column: _list(table, column) for column in _LISTS},
        )
        if wrong := _flaw(table.column("row_group").to_numpy() == row_group, decoded):
            msg = f"{file.path} holds histograms whose {wrong}"
            raise SnapshotError(msg, "take the snapshot again, or restore the folder")
        return decoded

    def clear(self) -> None:
        """Forget what is decoded."""
        self._decoded.clear()


def _list(table: pa.Table, name: str) -> _List:
    column = table.column(name).combine_chunks()
    starts = column.offsets.to_numpy().astype(np.int64)
    return _List(starts, column.values.to_numpy())


def _flaw(right_group: Bools, decoded: _Decoded) -> str:
    """What is impossible about histograms read; empty where nothing is."""
    schema, lists = decoded.numbers["schema"], decoded.lists
    custom = schema == CUSTOM
    most = np.where(custom, np.diff(lists["custom_values"].starts), np.iinfo(np.int32).max)
    flaws = {
        "rows are out of order": not right_group.all() or not (np.diff(decoded.row) > 0).all(),
        "schema is unknown": not (custom | ((schema >= -4) & (schema <= 8))).all(),
        "hint is unknown": not np.isin(decoded.numbers["hint"], list(ResetHint)).all(),
        "bounds are out of order": not _ascending(lists["custom_values"]),
    }
    for side in ("positive", "negative"):
        index, counts = lists[f"{side}_index"], lists[f"{side}_count"]
        flaws[f"{side} buckets lack counts"] = not np.array_equal(index.starts, counts.starts)
        flaws[f"{side} buckets are out of order"] = not _ascending(index)
        flaws[f"{side} buckets lie beyond the bounds"] = not _within(index, custom, most)
    return next((what for what, wrong in flaws.items() if wrong), "")


def _ascending(column: _List) -> bool:
    """Whether the entries of each list rise."""
    values = column.values[column.starts[0] : column.starts[-1]]
    rises = values[1:] > values[:-1]
    between = column.starts[1:-1] - column.starts[0] - 1
    rises[between[(between >= 0) & (between < len(rises))]] = True
    return bool(rises.all())


def _within(index: _List, custom: Bools, most: Floats | Ints) -> bool:
    """Whether the buckets of custom histograms have bounds."""
    sizes = np.diff(index.starts)
    values = index.values[index.starts[0] : index.starts[-1]]
    inside = (values >= 0) & (values <= np.repeat(most, sizes))
    return bool((inside | ~np.repeat(custom, sizes)).all())
