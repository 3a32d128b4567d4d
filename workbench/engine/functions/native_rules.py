"""What functions of ranges do where a range holds native histograms, alone or beside floats."""

from __future__ import annotations

from collections.abc import Callable

from workbench.engine.context import Call
from workbench.engine.kernels.windows import Kernel, Windows, over_windows
from workbench.engine.native.rates import AtOnce
from workbench.engine.native.windows import Measure, ignoring, measured, picked, stepwise
from workbench.engine.values import Ranges, Vector
from workbench.samples import Ints

__all__ = [
    "NativeRule",
    "both_kinds",
    "counting",
    "newest",
    "of_either",
    "oldest",
    "only_floats",
]

NativeRule = Callable[[Call, Ranges, Kernel], Vector]
"""Evaluates a range that holds histograms; the kernel is the one for floats."""


def only_floats(call: Call, ranges: Ranges, kernel: Kernel) -> Vector:
    """Pass histograms over."""
    return ignoring(ranges, kernel, call.query.meter, call.query.notes)


def both_kinds(call: Call, ranges: Ranges, kernel: Kernel) -> Vector:
    """Treat all samples alike: the kernel does not look at their values."""
    return over_windows(ranges, kernel, call.query.meter)


def _picking(which: Callable[[Windows], Ints]) -> NativeRule:
    def rule(call: Call, ranges: Ranges, kernel: Kernel) -> Vector:
        vector = over_windows(ranges, kernel, call.query.meter)
        vector.histograms = picked(ranges, vector.present, which)
        return vector

    return rule


oldest: NativeRule = _picking(lambda windows: windows.first)
newest: NativeRule = _picking(lambda windows: windows.last)


def of_either(measure: Measure, *, newest: int = 0, at_once: AtOnce | None = None) -> NativeRule:
    """Floats give a float, histograms a histogram, a mix a warning and nothing."""

    def rule(call: Call, ranges: Ranges, kernel: Kernel) -> Vector:
        query = call.query
        return measured(
            ranges, kernel, measure, query.meter, query.notes, newest=newest, at_once=at_once
        )

    return rule


def counting(call: Call, ranges: Ranges, _kernel: Kernel) -> Vector:
    """Count samples by how they relate to the one before, whichever kind they are."""
    return stepwise(ranges, call.name, call.query.meter)
