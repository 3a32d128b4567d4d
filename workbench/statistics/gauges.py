"""What a series is: a gauge that may be forecast, or a counter that must first be turned into a rate."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.samples import Floats

__all__ = ["looks_like_counter", "resets"]

_COLLAPSE: Final = 0.1
"""A counter that starts anew falls below this share of its last value …"""

_LEAST_GROWTH: Final = 0.2
"""… and grows in at least this share of its steps."""


def resets(values: Floats) -> int:
    """How often a series collapses to nearly nothing, as counters do when a process restarts.

    Parameters
    ----------
    values
        float64, shape (n,), without NaN.
    """
    return int(_collapses(values).sum())


def _collapses(values: Floats) -> np.ndarray:
    return (values[1:] < _COLLAPSE * values[:-1]) & (values[:-1] > 0)


def looks_like_counter(values: Floats) -> bool:
    """Tell whether a series only ever grows, but for resets to nearly nothing.

    Without a reset the answer is False: a disk that only fills looks the same.

    Examples
    --------
    >>> looks_like_counter(np.array([1.0, 5.0, 9.0, 0.0, 3.0, 8.0]))
    True
    >>> looks_like_counter(np.array([1.0, 5.0, 9.0, 8.0, 3.0, 8.0]))
    False
    """
    if len(values) < 3 or values.min() < 0:
        return False
    fell = np.diff(values) < 0
    collapsed = _collapses(values)
    grew = float((np.diff(values) > 0).mean())
    return bool(collapsed.any() and not (fell & ~collapsed).any() and grew >= _LEAST_GROWTH)
