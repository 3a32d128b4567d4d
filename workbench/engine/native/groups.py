"""Groups of series some of whose samples are native histograms."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.engine.annotations import Annotations
from workbench.engine.groups import Groups
from workbench.engine.native.arithmetic import common_hint, hints_collide
from workbench.engine.native.blocks import IncompatibleError, averaged, block_of, summed
from workbench.engine.native.change import COLLIDING, RECONCILED, mixed_buckets
from workbench.engine.values import Vector
from workbench.frame import Bools
from workbench.native import Histogram, no_histograms

__all__ = ["OF_FLOATS", "floats_of", "with_histograms"]

OF_FLOATS: Final = frozenset({"bottomk", "max", "min", "quantile", "stddev", "stdvar", "topk"})
"""Aggregations that know only floats."""


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
    native = vector.native
    result.histograms = no_histograms(result.present.shape)
    for code, rows in enumerate(groups.members()):
        for step in np.flatnonzero(native[rows].any(axis=0)).tolist():
            if result.present[code, step]:
                notes.warn("encountered a mix of histograms and floats for aggregation")
                result.present[code, step] = False
                continue
            found = _together(vector, rows[native[rows, step]], step, notes, mean=mean)
            result.histograms[code, step] = found
            result.present[code, step] = found is not None
            result.values[code, step] = np.nan
    return result


def _together(
    vector: Vector, rows: Bools, step: int, notes: Annotations, *, mean: bool
) -> Histogram | None:
    assert vector.histograms is not None
    histograms = vector.histograms[rows, step].tolist()
    hints = [h.hint for h in histograms]
    if hints_collide(hints):
        notes.warn(f"{COLLIDING} aggregation")
    try:
        block = block_of(histograms)
    except IncompatibleError:
        notes.warn(mixed_buckets(""))
        return None
    if block.reconciled:
        notes.inform(f"{RECONCILED} aggregation")
    row = averaged(block.table) if mean else summed(block.table)
    return block.histogram(row, common_hint(hints)).compact()
