"""Many histograms of one layout as the rows of one table, and back again.

Samples of one series nearly always differ in their counts alone, now and then in which buckets
they have. As long as resolution, zero bucket and custom bounds stay, they are one run: one table
over all buckets that any of them has, on which windows and quantiles are numpy's work.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Final, cast

import numpy as np

from workbench.engine.native.arithmetic import is_reset
from workbench.engine.native.blocks import FIXED, Block, stacked
from workbench.native import Bools, Buckets, Floats, Histogram, Ints, ResetHint

__all__ = ["ROWS", "histograms_of", "resets_in", "runs_of", "tabled"]

ROWS: Final = 1024
"""Histograms put in one table at a time: with 160 buckets, one megabyte."""


_CELLS: Final = 1 << 23
"""Numbers that one table may hold: 64 MB."""


def tabled(run: Sequence[Histogram]) -> Block | None:
    """Lay a run out as a table; None where it would be large because its buckets lie far apart."""
    width = sum(_width([h.positive.index for h in run], [h.negative.index for h in run]))
    return stacked(run) if len(run) * (FIXED + width) <= _CELLS else None


def _width(*sides: Sequence[Ints]) -> Iterator[int]:
    """How many buckets of each side there may be in all, at most."""
    for side in sides:
        filled = [index for index in side if len(index)]
        if filled:
            span = max(index[-1] for index in filled) - min(index[0] for index in filled) + 1
            yield min(int(span), sum(len(index) for index in filled))


def runs_of(histograms: Sequence[Histogram | None]) -> Iterator[tuple[int, int]]:
    """Stretches ``start:stop`` whose layouts differ in nothing but which buckets there are."""
    start, shape = 0, None
    for row, h in enumerate(histograms):
        now = None if h is None else (h.schema, h.zero_threshold, h.custom_values)
        if now != shape:
            if shape is not None:
                yield start, row
            start, shape = row, now
    if shape is not None:
        yield start, len(histograms)


def resets_in(histograms: Sequence[Histogram | None]) -> Bools:
    """Of each histogram whether its counter was reset since the one before; False where none is."""
    flags = np.zeros(len(histograms), bool)
    for start, stop in runs_of(histograms):
        before, now = histograms[start - 1] if start else None, histograms[start]
        if before is not None and now is not None:
            flags[start] = is_reset(now, before)
        for first in range(start, stop - 1, ROWS):
            rows = cast("Sequence[Histogram]", histograms[first : min(first + ROWS + 1, stop)])
            block = tabled(rows)
            flags[first + 1 : first + len(rows)] = (
                [is_reset(now, before) for before, now in pairwise(rows)]
                if block is None
                else _resets(rows, block.table)
            )
    return flags


def _resets(run: Sequence[Histogram], table: Floats) -> Bools:
    """The same for all but the first of a run, from their hints or else their counts."""
    fell: Bools = table[1:] < table[:-1]
    fell[:, 1] = False  # the sum may fall without a reset
    hints = np.array([h.hint for h in run[1:]], np.int64)
    return np.asarray(
        (fell.any(axis=1) & (hints != ResetHint.NOT_RESET)) | (hints == ResetHint.RESET)
    )


def histograms_of(block: Block, table: Floats, hints: Sequence[ResetHint]) -> list[Histogram]:
    """Make a histogram of each row, without its empty buckets.

    Parameters
    ----------
    block
        Gives the layout.
    table
        float64, shape (rows, columns of the block); the histograms may keep views of it.
    hints
        One a row.
    """
    if not len(table):
        return []
    filled = table[:, FIXED:] != 0
    cuts = np.flatnonzero((filled[1:] != filled[:-1]).any(axis=1)) + 1
    made: list[Histogram] = []
    for start, stop in pairwise([0, *cuts.tolist(), len(table)]):
        rows, some = table[start:stop], filled[start]
        positive, above = _kept(block.positive, rows[:, FIXED:], some[: len(block.positive)])
        split = FIXED + len(block.positive)
        negative, below = _kept(block.negative, rows[:, split:], some[len(block.positive) :])
        made += [
            Histogram(
                block.schema,
                count,
                total,
                block.zero_threshold,
                zero,
                Buckets(positive, more),
                Buckets(negative, less),
                block.custom_values,
                hint,
            )
            for (count, total, zero), more, less, hint in zip(
                rows[:, :FIXED].tolist(), above, below, hints[start:stop], strict=True
            )
        ]
    return made


def _kept(index: Ints, columns: Floats, filled: Bools) -> tuple[Ints, Floats]:
    """The filled buckets of one sign, and the rows of their counts."""
    if filled.all():
        return index, columns[:, : len(index)]
    return index[filled], columns[:, : len(index)][:, filled]
