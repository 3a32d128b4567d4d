"""Compensated summation (Neumaier's variant of Kahan's), over whole arrays at a time.

Prometheus adds floats this way, so that small values beside large ones are not lost; plain sums
would differ from its answers. The formulas are Neumaier's of 1974 and, for the errors of a single
addition, Knuth's TwoSum.
"""

from __future__ import annotations

import numpy as np

from workbench.samples import Floats

__all__ = ["add_compensated", "two_sum_error"]


def add_compensated(total: Floats, carry: Floats, increment: Floats) -> None:
    """Add `increment` to ``total + carry`` in place; all three have one shape."""
    grown = total + increment
    carry += two_sum_error(total, increment, grown)
    infinite = np.isinf(grown)
    if infinite.any():
        carry[infinite] = 0.0
    total[...] = grown


def two_sum_error(left: Floats, right: Floats, total: Floats) -> Floats:
    """What ``total = left + right`` lost to rounding, exactly (Knuth's TwoSum)."""
    virtual = total - left
    error: Floats = (left - (total - virtual)) + (right - virtual)
    return error
