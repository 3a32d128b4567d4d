"""Loose rows joined to series: what every reader of a text file has to do at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.samples import Floats, Ints, Labels, Samples

__all__ = ["Joined", "join_rows"]


@dataclass(frozen=True, slots=True)
class Joined:
    """Rows joined to series.

    Parameters
    ----------
    samples
        The series, in the order in which their label sets were first given.
    repeated
        int64, ascending: the rows left out since a later row of the same series has their time
        and their value.
    replaced
        int64, ascending: the rows left out since a later row of the same series has their time
        and another value.
    """

    samples: Samples
    repeated: Ints
    replaced: Ints


def join_rows(labels: Sequence[Labels], series_of: Ints, times_ms: Ints, values: Floats) -> Joined:
    """Sort rows into series; of two rows of one series at one time the later stays.

    Parameters
    ----------
    labels
        Label sets; two that are equal are one series. Empty values are absent labels.
    series_of
        int64, shape (rows,): each row's place in `labels`.
    times_ms, values
        int64 and float64, shape (rows,).

    Examples
    --------
    >>> joined = join_rows([{"a": "1"}], np.array([0, 0, 0]), np.array([5, 1, 5]),
    ...                    np.array([1.0, 2.0, 3.0]))
    >>> joined.samples.times_ms.tolist(), joined.samples.values.tolist(), joined.replaced.tolist()
    ([1, 5], [2.0, 3.0], [0])
    """
    kept, code_of = _distinct(labels)
    codes = code_of[series_of] if len(labels) else np.zeros(0, np.int64)
    order = np.lexsort((times_ms, codes))
    codes, times, sorted_values = codes[order], times_ms[order], values[order]
    covered = np.zeros(len(codes), np.bool_)
    covered[:-1] = (codes[:-1] == codes[1:]) & (times[:-1] == times[1:])
    same = np.zeros(len(codes), np.bool_)
    bits = sorted_values.view(np.int64)
    same[:-1] = bits[:-1] == bits[1:]
    stay = ~covered
    present, counts = np.unique(codes[stay], return_counts=True)
    offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
    samples = Samples([kept[i] for i in present], offsets, times[stay], sorted_values[stay])
    return Joined(samples, np.sort(order[covered & same]), np.sort(order[covered & ~same]))


def _distinct(labels: Sequence[Labels]) -> tuple[list[Labels], Ints]:
    """Label sets that differ, and each given set's place among them."""
    orders: dict[tuple[str, ...], tuple[str, ...]] = {}
    places: dict[tuple[tuple[str, ...], tuple[str, ...]], int] = {}
    kept: list[Labels] = []
    codes = np.zeros(len(labels), np.int64)
    for i, names in enumerate(labels):
        if "" in names.values():
            names = {k: v for k, v in names.items() if v}  # noqa: PLW2901 - the same set, cleaned
        written = tuple(names)
        ordered = orders.get(written)
        if ordered is None:
            ordered = orders[written] = tuple(sorted(written))
        # Sets are nearly always written in one order, so their values alone tell them apart.
        values = tuple(names.values()) if written == ordered else tuple([names[k] for k in ordered])
        code = places.setdefault((ordered, values), len(kept))
        if code == len(kept):
            kept.append(names)
        codes[i] = code
    return kept, codes
