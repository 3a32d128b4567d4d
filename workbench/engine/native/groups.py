"""Groups of series some of whose samples are native histograms."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.engine.annotations import Annotations
from workbench.engine.groups import Groups
from workbench.engine.native.arithmetic import common_hint, hints_collide
from workbench.engine.native.blocks import (
    Block,
    IncompatibleError,
    averaged,
    block_of,
    summed,
)
from workbench.engine.native.change import COLLIDING, RECONCILED, mixed_buckets
from workbench.engine.native.tables import histograms_of, runs_of, tabled
from workbench.engine.summation import add_compensated
from workbench.engine.values import Vector
from workbench.frame import Bools
from workbench.native import (
    Floats,
    Histogram,
    Histograms,
    ResetHint,
    is_native,
    no_histograms,
)

__all__ = ["OF_FLOATS", "floats_of", "with_histograms"]

OF_FLOATS: Final = frozenset({"bottomk", "max", "min", "quantile", "stddev", "stdvar", "topk"})
"""Aggregations that know only floats."""

_CELLS: Final = 4096
"""Histograms put in one table at a time: with 60 buckets, two megabytes."""


def floats_of(vector: Vector, op: str, notes: Annotations) -> Vector:
    """Leave histograms out, and say so where there are any."""
    if vector.histograms is None:
        return vector
    if vector.native.any():
        notes.inform(f"ignored histogram in {op} aggregation")
    return vector.only_floats()


def with_histograms(
    result: Vector, vector: Vector, groups: Groups, notes: Annotations, *, mean: bool
) -> Vector:
    """Put the sums or means of histograms beside those of floats.

    Parameters
    ----------
    result
        What the floats gave; groups that mix both kinds at a step lose it there.
    vector, groups
        What is aggregated.
    """
    assert vector.histograms is not None
    native = vector.native
    result.histograms = no_histograms(result.present.shape)
    for code, rows in enumerate(groups.members()):
        there = native[rows].any(axis=0)
        mixed = there & result.present[code]
        if mixed.any():
            notes.warn("encountered a mix of histograms and floats for aggregation")
            result.present[code, mixed] = False
        steps = np.flatnonzero(there & ~mixed)
        size = max(1, _CELLS // len(rows))
        for first in range(0, len(steps), size):
            some = steps[first : first + size]
            members = np.ix_(rows, some)
            result.histograms[code, some] = found = _over_members(
                vector.histograms[members], native[members], notes, mean=mean
            )
            result.present[code, some] = is_native(found)
            result.values[code, some] = np.nan
    return result


def _over_members(
    histograms: Histograms, there: Bools, notes: Annotations, *, mean: bool
) -> Histograms:
    """One histogram a step, from members × steps: all steps at once where all have one layout."""
    found = no_histograms(there.shape[1])
    members = histograms[there].tolist()
    todo = np.arange(there.shape[1])
    alike = list(runs_of(members)) == [(0, len(members))]
    if alike and (block := tabled(members)) is not None:
        rows, fine = _reduced(block, there, mean=mean)
        hints = [
            _hint(histograms[there[:, step], step].tolist(), notes) for step in np.flatnonzero(fine)
        ]
        found[fine] = histograms_of(block, rows[fine], hints)
        todo = np.flatnonzero(~fine)
    for step in todo.tolist():
        found[step] = _together(histograms[there[:, step], step].tolist(), notes, mean=mean)
    return found


def _reduced(block: Block, there: Bools, *, mean: bool) -> tuple[Floats, Bools]:
    """Sums or means over the members of each step, as `summed` and `averaged` have them.

    Parameters
    ----------
    block
        The histograms that are there, member after member.

    Returns
    -------
    tuple
        float64, shape (steps, columns), and for which steps it holds: no mean is, where the sum
        overflows.
    """
    shape = (there.shape[1], block.table.shape[1])
    total, carry = np.zeros(shape), np.zeros(shape)
    begin = 0
    with np.errstate(all="ignore"):
        for steps in there:
            end = begin + int(steps.sum())
            increment = np.zeros(shape)
            increment[steps] = block.table[begin:end]
            add_compensated(total, carry, increment)
            begin = end
        if not mean:
            total = np.where(np.isfinite(total), total + carry, total)
            return total, np.ones(len(total), bool)
        count = there.sum(axis=0)[:, None]
        fine = np.asarray(np.isfinite(total).all(axis=1))
        return total / count + carry / count, fine


def _hint(histograms: Sequence[Histogram], notes: Annotations) -> ResetHint:
    hints = [h.hint for h in histograms]
    if hints_collide(hints):
        notes.warn(f"{COLLIDING} aggregation")
    return common_hint(hints)


def _together(
    histograms: Sequence[Histogram], notes: Annotations, *, mean: bool
) -> Histogram | None:
    hint = _hint(histograms, notes)
    try:
        block = block_of(histograms)
    except IncompatibleError:
        notes.warn(mixed_buckets(""))
        return None
    if block.reconciled:
        notes.inform(f"{RECONCILED} aggregation")
    row = averaged(block.table) if mean else summed(block.table)
    return block.histogram(row, hint).compact()
