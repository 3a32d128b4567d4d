"""A series as days × slots: whole days are what is resampled, since their hours hang together."""

from __future__ import annotations

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.daily import DAY_MS

__all__ = ["fold_days"]


def fold_days(times_ms: Ints, values: Floats, *, end_ms: int, step_ms: int) -> Floats:
    """Lay a series out as one row a day, one column a slot of the day.

    Parameters
    ----------
    times_ms
        int64, shape (steps,): ascending multiples of the step.
    values
        float64, shape (steps,).
    end_ms
        Where the last day ends: days are blocks of 24 hours counted back from it, so that the
        last one is whole.
    step_ms
        Distance of the grid; it divides a day.

    Returns
    -------
    ndarray
        Shape (days, slots): the oldest day first; NaN where nothing is known.

    Examples
    --------
    >>> hours = np.arange(1, 49) * 3_600_000
    >>> fold_days(hours, np.arange(48.0), end_ms=48 * 3_600_000, step_ms=3_600_000)[:, :2].tolist()
    [[0.0, 1.0], [24.0, 25.0]]
    """
    slots = DAY_MS // step_ms
    back = (end_ms - times_ms) // step_ms
    known = (back >= 0) & np.isfinite(values)
    days = int(back[known].max()) // slots + 1 if known.any() else 0
    folded = np.full(days * slots, np.nan)
    folded[days * slots - 1 - back[known]] = values[known]
    return folded.reshape(days, slots)
