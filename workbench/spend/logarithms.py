"""Logarithmic means and ratios, by which a change is parted into its causes without a rest.

A difference of two products is the sum of `log_mean` × `log_ratio` over their factors: the logarithmic
mean Divisia index of the first kind (B. W. Ang, Energy Policy 33, 2005). Both have a value where one
side is 0, so that what appears or disappears has no part in any ratio; callers add it where it belongs.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from workbench.samples import Floats

__all__ = ["log_mean", "log_ratio"]

_ALIKE = 1e-9
"""Below this logarithm of their ratio two values have the arithmetic mean, which then is as exact."""


def log_mean(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """The logarithmic mean, element by element; 0 where one of the two is 0.

    Examples
    --------
    >>> float(log_mean(2.0, 2.0)), float(log_mean(1.0, 0.0))
    (2.0, 0.0)
    """
    one, other = np.asarray(a, np.float64), np.asarray(b, np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(one) - np.log(other)
        mean = np.where(np.abs(ratio) < _ALIKE, (one + other) / 2, (one - other) / ratio)
    return np.where((one > 0) & (other > 0), mean, 0.0)


def log_ratio(a: npt.ArrayLike, b: npt.ArrayLike) -> Floats:
    """The logarithm of ``a / b``, element by element; 0 where it has none.

    Examples
    --------
    >>> round(float(log_ratio(np.e, 1.0)), 12), float(log_ratio(1.0, 0.0))
    (1.0, 0.0)
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(np.asarray(a, np.float64)) - np.log(np.asarray(b, np.float64))
    return np.where(np.isfinite(ratio), ratio, 0.0)
