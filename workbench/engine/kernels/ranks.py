"""Order statistics of windows: quantile and median absolute deviation."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from workbench.engine.kernels.windows import Windows
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["mad", "quantile", "quantile_of_sorted"]

_ROOM: Final = 1 << 17
"""Values gathered at a time: few enough for the cache."""

_USUAL: Final = 16
"""Lengths that one window in so many has are gathered on their own, which needs no filling."""


def quantile_of_sorted(columns: Floats, counts: Ints, q: Floats) -> Floats:
    """The q-quantile of rows of samples, interpolated linearly between the closest ranks.

    Parameters
    ----------
    columns
        float64, shape (rows, width): each row sorted ascending, NaN last, where NaN stands both
        for NaN samples and for filling.
    counts
        int64, shape (rows,): how many samples each row really has.
    q
        float64, shape (rows,).

    Returns
    -------
    Floats
        Shape (rows,); ±Inf where `q` is outside 0 … 1, NaN where it is NaN or there is no sample.
        A NaN sample counts as the least of all.
    """
    missing = counts - columns.shape[1]
    if np.isnan(columns[:, -1:]).any():
        missing += np.isnan(columns).sum(axis=1)
    rank = np.clip(np.nan_to_num(q), 0, 1) * (counts - 1)
    lower = np.maximum(0, np.floor(rank)).astype(np.int64)
    upper = np.minimum(np.maximum(counts - 1, 0), lower + 1)
    weight = rank - np.floor(rank)
    low, high = (_at_rank(columns, r - missing) for r in (lower, upper))
    result = low * (1 - weight) + high * weight
    result = np.where(q < 0, -np.inf, np.where(q > 1, np.inf, result))
    return np.where(np.isnan(q) | (counts == 0), np.nan, result)


def _at_rank(columns: Floats, rank: Ints) -> Floats:
    taken = np.take_along_axis(columns, np.maximum(rank, 0)[:, None], axis=1)[:, 0]
    return np.where(rank < 0, np.nan, taken)


def _gathered(windows: Windows) -> Iterator[tuple[Ints, Floats, Ints]]:
    """Windows as rows of a table, NaN behind their samples: cells, table, counts; by length."""
    counts, low = windows.count.ravel(), windows.low.ravel()
    cells_of = np.bincount(counts)
    cells_of[:1] = 0
    usual = np.flatnonzero(cells_of * _USUAL >= max(1, len(counts)))
    for width in usual.tolist():
        runs = sliding_window_view(windows.values, width)
        cells = np.flatnonzero(counts == width)
        for chosen in np.array_split(cells, len(cells) * width // _ROOM + 1):
            windows.tick()
            yield chosen, runs[low[chosen]], counts[chosen]
    rest = np.flatnonzero((counts > 0) & ~np.isin(counts, usual))
    cells = rest[np.argsort(counts[rest], kind="stable")]
    while len(cells):
        windows.tick()
        width = int(counts[cells[-1]])
        chosen = cells[-max(1, _ROOM // width) :]
        cells = cells[: len(cells) - len(chosen)]
        column = np.arange(width)
        inside = column < counts[chosen][:, None]
        rows = np.where(inside, low[chosen][:, None] + column, 0)
        yield chosen, np.where(inside, windows.values[rows], np.nan), counts[chosen]


def quantile(windows: Windows, q: Floats) -> tuple[Floats, Bools]:
    """The q-quantile of each window; `q` has shape (steps,)."""
    windows = windows.flat()
    present = windows.count > 0
    result = np.full(present.shape, np.nan)
    each = np.broadcast_to(q, present.shape).ravel()
    for cells, table, counts in _gathered(windows):
        table.sort(axis=1)
        result.reshape(-1)[cells] = quantile_of_sorted(table, counts, each[cells])
    return result, present


def mad(windows: Windows) -> tuple[Floats, Bools]:
    """The median absolute deviation from the median; NaN where a sample is NaN."""
    windows = windows.flat()
    present = windows.count > 0
    result = np.full(present.shape, np.nan)
    for cells, table, counts in _gathered(windows):
        table.sort(axis=1)
        half = np.full(len(cells), 0.5)
        distances = np.abs(table - quantile_of_sorted(table, counts, half)[:, None])
        distances.sort(axis=1)
        medians = quantile_of_sorted(distances, counts, half)
        complete = (~np.isnan(distances)).sum(axis=1) == counts
        result.reshape(-1)[cells] = np.where(complete, medians, np.nan)
    return result, present
