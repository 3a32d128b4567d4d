"""Binary operators where a side is a native histogram."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

import numpy as np

from workbench.engine.annotations import Annotations
from workbench.engine.native.arithmetic import added, divided, hints_collide, scaled, subtracted
from workbench.engine.native.blocks import IncompatibleError
from workbench.engine.native.change import COLLIDING, RECONCILED
from workbench.engine.native.trim import trimmed
from workbench.engine.values import Vector
from workbench.frame import Bools
from workbench.native import Histogram, Histograms
from workbench.samples import Floats

__all__ = ["TRIMMING", "combined"]

TRIMMING: Final = frozenset({"</", ">/"})
"""The operators that cut a histogram off at a value."""

Sample = Histogram | float

_SUMS: Final[dict[str, tuple[Callable[[Histogram, Histogram], tuple[Histogram, bool]], str]]] = {
    "+": (added, "addition"),
    "-": (subtracted, "subtraction"),
}


def combined(
    op: str,
    left: tuple[Floats, Histograms | None],
    right: tuple[Floats, Histograms | None],
    result: Vector,
    both: Bools,
    notes: Annotations,
    *,
    as_bool: bool,
) -> Vector:
    """Correct a result wherever a side is a histogram.

    Parameters
    ----------
    left, right
        Values and histograms of the two sides, of the result's shape.
    result
        What the operator gave for floats.
    both
        bool, shape (series, steps): where both sides are there.
    as_bool
        A comparison gives 0 or 1 instead of choosing samples.
    """
    shape = both.shape
    numbers = [np.broadcast_to(values, shape) for values, _ in (left, right)]
    sides = [np.full(shape, None) if h is None else h for _, h in (left, right)]
    either = np.not_equal(sides[0], None) | np.not_equal(sides[1], None)
    if op in TRIMMING:
        either = np.ones(shape, bool)
    values, kept = result.values.copy(), result.present & ~either
    histograms = np.full(shape, None)
    for cell in map(tuple, np.argwhere(both & either).tolist()):
        pair = [
            float(floats[cell]) if side[cell] is None else side[cell]
            for side, floats in zip(sides, numbers, strict=True)
        ]
        found = _combined(op, pair[0], pair[1], notes, as_bool=as_bool)
        if found is None:
            continue
        kept[cell] = True
        if isinstance(found, Histogram):
            histograms[cell], values[cell] = found, np.nan
        else:
            values[cell] = found
    return replace(result, values=values, present=kept, histograms=histograms)


def _combined(
    op: str, left: Sample, right: Sample, notes: Annotations, *, as_bool: bool
) -> Sample | None:
    if isinstance(left, Histogram) and isinstance(right, Histogram):
        if op in _SUMS:
            return _sum(op, left, right, notes)
        if op in ("==", "!="):
            holds = left.same(right) == (op == "==")
            return float(holds) if as_bool else (left if holds else None)
    elif isinstance(left, Histogram) and not isinstance(right, Histogram):
        if op == "*":
            return scaled(left, right).compact()
        if op == "/":
            return divided(left, right).compact()
        if op in TRIMMING:
            return trimmed(left, right, lower=op == ">/")
    elif isinstance(right, Histogram) and not isinstance(left, Histogram) and op == "*":
        return scaled(right, left).compact()
    notes.inform(
        f'incompatible sample types encountered for binary operator "{op}": '
        f"{_kind(left)} {op} {_kind(right)}"
    )
    return None


def _kind(sample: Sample) -> str:
    return "histogram" if isinstance(sample, Histogram) else "float"


def _sum(op: str, left: Histogram, right: Histogram, notes: Annotations) -> Histogram | None:
    add, word = _SUMS[op]
    try:
        result, reconciled = add(left, right)
    except IncompatibleError:
        notes.warn(f"incompatible bucket layout encountered for binary operator {op}")
        return None
    if hints_collide([left.hint, right.hint]):
        notes.warn(f"{COLLIDING} {word}")
    if reconciled:
        notes.inform(f"{RECONCILED} {word}")
    return result
