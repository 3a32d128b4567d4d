"""Binary operators where a side is a native histogram."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Final

import numpy as np

from workbench.engine.annotations import Annotations
from workbench.engine.native.arithmetic import added, divided, hints_collide, scaled, subtracted
from workbench.engine.native.blocks import IncompatibleError
from workbench.engine.native.change import COLLIDING, RECONCILED
from workbench.engine.native.trim import trimmed
from workbench.engine.values import Vector
from workbench.frame import Bools
from workbench.native import Histogram, Histograms, is_native, no_histograms
from workbench.samples import Floats

__all__ = ["TRIMMING", "Sides", "combined"]

TRIMMING: Final = frozenset({"</", ">/"})
"""The operators that cut a histogram off at a value."""

Sample = Histogram | float

_SUMS: Final[dict[str, tuple[Callable[[Histogram, Histogram], tuple[Histogram, bool]], str]]] = {
    "+": (added, "addition"),
    "-": (subtracted, "subtraction"),
}


_BY_NUMBER: Final[dict[str, Callable[[Histogram, float], Histogram | None]]] = {
    "*": lambda histogram, factor: scaled(histogram, factor).compact(),
    "/": lambda histogram, divisor: divided(histogram, divisor).compact(),
    "</": partial(trimmed, lower=False),
    ">/": partial(trimmed, lower=True),
}


@dataclass(frozen=True, slots=True)
class Sides:
    """The two sides of a binary operator.

    Parameters
    ----------
    values, histograms
        Left and right, of shape (series, steps) or one that can be broadcast to it.
    both
        bool, shape (series, steps): where both sides are there.
    """

    values: tuple[Floats, Floats]
    histograms: tuple[Histograms | None, Histograms | None]
    both: Bools


def combined(
    op: str,
    sides: Sides,
    result: Vector,
    notes: Annotations,
    *,
    as_bool: bool,
) -> Vector:
    """Correct a result wherever a side is a histogram.

    Parameters
    ----------
    sides
        What is combined.
    result
        What the operator gave for floats.
    as_bool
        A comparison gives 0 or 1 instead of choosing samples.
    """
    if all(h is None for h in sides.histograms) and op not in TRIMMING:
        return result
    both, shape = sides.both, sides.both.shape
    numbers = [np.broadcast_to(values, shape) for values in sides.values]
    native = [no_histograms(shape) if h is None else h for h in sides.histograms]
    either = is_native(native[0]) | is_native(native[1])
    if op in TRIMMING:
        either = np.ones(shape, bool)
    values, kept = result.values.copy(), result.present & ~either
    histograms = no_histograms(shape)
    for cell in map(tuple, np.argwhere(both & either).tolist()):
        pair = [
            float(floats[cell]) if side[cell] is None else side[cell]
            for side, floats in zip(native, numbers, strict=True)
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
        if op in _BY_NUMBER:
            return _BY_NUMBER[op](left, right)
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
