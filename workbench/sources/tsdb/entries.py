"""The series of an index: entries of numbers → for each metric and set of labels, columns of codes.

An entry is found by walking: each says how long it is. What is in them is then read for a batch at
a time: the first label of all, the second of all that have two, and so on.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

import numpy as np

from workbench.inventory.counting import row_keys
from workbench.inventory.table import Codes
from workbench.samples import Ints
from workbench.sources.tsdb.checksums import short_checksums
from workbench.sources.tsdb.index import Index, damaged, read_uvarint
from workbench.sources.tsdb.varints import uvarints, words_of

__all__ = ["MOST_CHECKED", "Alike", "read_entries"]

MOST_CHECKED: Final = 1 << 28
"""Bytes of entries whose checksums are computed; an index of more is trusted, and a note says so."""

_AT_ONCE: Final = 1 << 16
_BYTES_AT_ONCE: Final = 1 << 24
_MOST_LABELS: Final = 10_000
"""Labels of one series: far more than any Prometheus takes, and few enough to go through singly."""

_CHECKSUM: Final = 4
_ALIGNED: Final = 16


@dataclass(frozen=True, slots=True)
class Alike:
    """Series of one metric that have the same labels.

    Parameters
    ----------
    metric
        The symbol that is the value of ``__name__``; −1 where the series have none.
    labels
        Symbols: the names of the other labels, ascending.
    values
        int32, shape (labels, series): symbols.
    """

    metric: int
    labels: tuple[int, ...]
    values: Codes


def read_entries(index: Index, symbols: Sequence[str]) -> Iterator[Alike]:
    """Read all series.

    Parameters
    ----------
    index
        The open file.
    symbols
        What it says of its strings.

    Yields
    ------
    Alike
        Some series; more of the same kind may follow.

    Raises
    ------
    InputError
        The entries are damaged.
    """
    names = _Names.of(symbols)
    checked = index.series_end - index.series <= MOST_CHECKED
    for starts, lengths in _batches(index):
        if checked:
            _check(index, starts, lengths)
        for label_names, values in _labels(index, starts, lengths, symbols):
            yield from _alike(label_names, values, names)


def _batches(index: Index) -> Iterator[tuple[Ints, Ints]]:
    """Walk from entry to entry: where the content of each begins, and its length."""
    raw, end = index.raw.data, index.series_end
    starts, lengths = array("q"), array("q")
    at = (index.series + _ALIGNED - 1) & -_ALIGNED
    first = at
    while at < end:
        length, begin = raw[at], at + 1
        if length > 0x7F:
            length, begin = read_uvarint(raw, at)
        at = begin + length + _CHECKSUM
        if not length or at > end:
            raise damaged(index.path, "has an entry of a series that is empty or cut short")
        starts.append(begin)
        lengths.append(length)
        at = (at + _ALIGNED - 1) & -_ALIGNED
        if len(starts) == _AT_ONCE or at - first > _BYTES_AT_ONCE:
            yield np.array(starts), np.array(lengths)
            starts, lengths = array("q"), array("q")
            first = at
    if starts:
        yield np.array(starts), np.array(lengths)


def _check(index: Index, starts: Ints, lengths: Ints) -> None:
    stored = np.zeros(len(starts), np.uint32)
    for i in range(_CHECKSUM):
        stored = stored << np.uint32(8) | index.raw[starts + lengths + i]
    if (short_checksums(index.raw, starts, lengths) != stored).any():
        raise damaged(index.path, "has a series whose checksum is wrong")


def _labels(
    index: Index, starts: Ints, lengths: Ints, symbols: Sequence[str]
) -> Iterator[tuple[Codes, Codes]]:
    """Names and values of labels: symbols, shape (labels, series), by how many labels there are."""
    words = words_of(index.raw)
    counts, at = uvarints(words, starts)
    # A label has at least two bytes, so that no number of labels can ask for much memory.
    if counts.min() < 0 or (2 * counts > lengths).any():
        raise damaged(index.path, "has a series with more labels than fit into it")
    most = int(counts.max())
    if most > _MOST_LABELS:
        raise damaged(index.path, f"has a series of {most:,} labels")
    order = np.argsort(-counts, kind="stable")
    counts, at, ends = counts[order], at[order], (starts + lengths)[order]
    columns: list[Codes] = []
    for left in np.searchsorted(-counts, -np.arange(most), side="left").tolist():
        for _ in range(2):
            numbers, at[:left] = uvarints(words, at[:left])
            if numbers.min() < 0 or numbers.max() >= len(symbols):
                raise damaged(index.path, "has a series that refers to symbols it lacks")
            if (at[:left] >= ends[:left]).any():
                raise damaged(index.path, "has a series that leads past its end")
            columns.append(numbers.astype(np.int32))
    for names, values in _by_count(columns, counts):
        if (names[1:] <= names[:-1]).any():
            raise damaged(index.path, "has a series whose labels are not in order")
        if symbols and not symbols[0] and (names[:1] == 0).any():
            raise damaged(index.path, "has a series with a label that has no name")
        yield names, values


def _by_count(columns: Sequence[Codes], counts: Ints) -> Iterator[tuple[Codes, Codes]]:
    """Part columns, of which each is as long as there are series with so many labels."""
    edges = [0, *(np.flatnonzero(np.diff(counts)) + 1).tolist(), len(counts)]
    for begin, end in pairwise(edges):
        width = int(counts[begin])
        both = np.empty((2 * width, end - begin), np.int32)
        for j in range(2 * width):
            both[j] = columns[j][begin:end]
        yield both[0::2], both[1::2]


@dataclass(slots=True)
class _Names:
    """Names of labels, of which there are few, numbered as they are met.

    Parameters
    ----------
    code
        int32, shape (symbols,): the number of each symbol that is a label's name, else −1.
    metric
        The symbol ``__name__``, −1 where there is none.
    """

    code: Codes
    metric: int
    met: int = field(default=0)

    @classmethod
    def of(cls, symbols: Sequence[str]) -> _Names:
        """Begin with none; the symbols are sorted by their bytes."""
        metric = symbols.index("__name__") if "__name__" in symbols else -1
        return cls(np.full(len(symbols), -1, np.int32), metric)

    def codes(self, names: Codes) -> Codes:
        """Number names, of any shape."""
        numbers = self.code[names]
        if (numbers < 0).any():
            new = np.unique(names[numbers < 0])
            self.code[new] = np.arange(self.met, self.met + len(new), dtype=np.int32)
            self.met += len(new)
            numbers = self.code[names]
        return numbers


def _alike(label_names: Codes, values: Codes, names: _Names) -> Iterator[Alike]:
    """Part series with as many labels by their metric and by what their labels are called."""
    count = values.shape[1]
    is_metric = label_names == names.metric
    metric: np.ndarray[Any, np.dtype[np.int32]] = np.where(is_metric, values, -1).max(
        axis=0, initial=-1
    )
    keyed = [*names.codes(label_names), metric + np.int32(1)]
    keys, _ = row_keys(keyed, [*[names.met] * len(label_names), len(names.code) + 1], count)
    _, first, place = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(place, kind="stable")
    edges = np.searchsorted(place[order], np.arange(len(first) + 1)).tolist()
    for i, sample in enumerate(first.tolist()):
        rows = order[edges[i] : edges[i + 1]]
        others = np.flatnonzero(~is_metric[:, sample])
        yield Alike(
            int(metric[sample]),
            tuple(label_names[others, sample].tolist()),
            values[others[:, None], rows[None, :]],
        )
