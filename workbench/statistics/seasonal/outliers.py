"""Spikes cut off before anything learns from them; changes that last are let through."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.samples import Floats

__all__ = ["known_medians", "tamed"]

_CUT: Final = 10.0
"""A change from one day to the next larger than so many usual ones is a spike …"""

_LASTING: Final = 3
"""… unless so many steps in a row have changed as much."""

_DAYS: Final = 7
"""How many days tell what is usual."""


def tamed(values: Floats, per_day: int) -> Floats:
    """Bring every value within reach of that of the day before, or of the week before.

    Parameters
    ----------
    values
        Shape (steps, series), NaN where nothing is known.
    per_day
        Steps of a day.

    Returns
    -------
    Floats
        Shape as `values`; a value depends on none after it but in the first week, which is
        compared with the next one.

    Examples
    --------
    >>> steps = np.tile([1.0, 2.0, 3.0, 2.5], 10) + np.arange(40) % 8 / 100
    >>> steps[30] = 1e6
    >>> bool(tamed(steps[:, None], 4).max() < 10)
    True
    """
    steps = len(values)
    days = -(-steps // per_day)
    padded = np.full((days * per_day, values.shape[1]), np.nan)
    padded[len(padded) - steps :] = values
    table = padded.reshape(days, per_day, -1)
    before = _before(table)
    change = np.abs(table - before)
    lasting = _lasting(change.reshape(padded.shape)).reshape(table.shape)
    calm = known_medians(table[:_DAYS])
    result = table.copy()
    for day in range(days):
        near = [calm, *_neighbours(before, table, day)] if day else [calm]
        reach = np.maximum(_CUT * _usual(change, day), 2 * lasting[day])
        low, high = np.fmin.reduce(near) - reach, np.fmax.reduce(near) + reach
        known = ~np.isnan(low)
        result[day][known] = np.clip(table[day], low, high)[known]
        # The day after a spike is near what is left of it, and not only near the spike.
        calm = np.where(np.isnan(result[day]), calm, result[day])
    return result.reshape(padded.shape)[len(padded) - steps :]


def _neighbours(before: Floats, table: Floats, day: int) -> list[Floats]:
    """What the day before had, and the same weekday a week before, or after in the first week."""
    other = day - _DAYS if day >= _DAYS else day + _DAYS
    return [before[day], table[other] if other < len(table) else before[day]]


def _before(table: Floats) -> Floats:
    """The last known value of each step of the day, one day before; NaN where there is none."""
    before = np.full_like(table, np.nan)
    for day in range(1, len(table)):
        before[day] = np.where(np.isnan(table[day - 1]), before[day - 1], table[day - 1])
    return before


def _lasting(change: Floats) -> Floats:
    """The least change of the last steps, shape as `change`; 0 where one is not known."""
    least = np.nan_to_num(change)
    for lag in range(1, _LASTING):
        least[lag:] = np.minimum(least[lag:], np.nan_to_num(change[:-lag]))
    least[: _LASTING - 1] = 0.0
    return least


def _usual(change: Floats, day: int) -> Floats:
    """The median change of the days before, the mean where that is 0; without limit if unknown."""
    begin = max(1, day - _DAYS)
    end = day if day > _DAYS else _DAYS + 1
    recent = change[begin:end].reshape(-1, change.shape[-1])
    known = ~np.isnan(recent)
    count = known.sum(axis=0)
    middle = np.nan_to_num(known_medians(recent))
    mean = np.where(known, recent, 0.0).sum(axis=0) / np.maximum(count, 1)
    usual = np.where(middle > 0, middle, mean)
    return np.where((count > 0) & (usual > 0), usual, np.inf)


def known_medians(values: Floats) -> Floats:
    """Medians over the first axis of what is known, NaN where nothing is; without warnings.

    Examples
    --------
    >>> known_medians(np.array([[1.0, np.nan], [5.0, np.nan], [np.nan, np.nan]])).tolist()
    [3.0, nan]
    """
    ordered = np.sort(values, axis=0)  # NaN last
    count = (~np.isnan(values)).sum(axis=0)[None]
    low, high = np.maximum(count - 1, 0) // 2, np.minimum(count // 2, len(values) - 1)
    low_values, high_values = (np.take_along_axis(ordered, i, axis=0)[0] for i in (low, high))
    return np.where(count[0] > 0, (low_values + high_values) / 2, np.nan)
