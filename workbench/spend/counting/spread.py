"""Increases over intervals of time, given to the days that they lie in."""

from __future__ import annotations

import numpy as np

from workbench.samples import Floats, Ints
from workbench.spend.counting.days import CalendarDays

__all__ = ["either_day", "spread", "straddling"]


def straddling(days: CalendarDays, start_ms: Ints, end_ms: Ints) -> np.ndarray:
    """Which intervals ``(start, end]`` have a midnight strictly within: bool, shape (n,)."""
    result: np.ndarray = days.of(start_ms + 1) != days.of(end_ms)
    return result


def spread(
    days: CalendarDays,
    rows: Ints,
    start_ms: Ints,
    end_ms: Ints,
    amounts: Floats,
    *,
    count: int,
) -> Floats:
    """Sum amounts by row and day, each in proportion to how much of its interval the day has.

    Parameters
    ----------
    days
        The days; what lies outside them is left out.
    rows
        int64, shape (n,): whose each amount is, below `count`.
    start_ms, end_ms
        int64, shape (n,): the intervals ``(start, end]``.
    amounts
        float64, shape (n,).
    count
        How many rows there are.

    Returns
    -------
    float64, shape (count, days)

    Examples
    --------
    >>> from datetime import date
    >>> days = CalendarDays.between(date(1970, 1, 1), date(1970, 1, 2))
    >>> start, end = np.array([82_800_000]), np.array([97_200_000])
    >>> spread(days, np.array([0]), start, end, np.array([8.0]), count=1)
    array([[2., 6.]])
    """
    width = len(days)
    first, last = days.of(start_ms + 1), days.of(end_ms)
    whole = (first == last) & (last >= 0) & (last < width)
    cells = rows[whole] * width + last[whole]
    sums = np.bincount(cells, amounts[whole], count * width).astype(np.float64)  # int if empty
    result: Floats = sums.reshape(count, width)
    cut = np.flatnonzero(first != last)
    if not len(cut):
        return result
    begin, end, amount, row = start_ms[cut], end_ms[cut], amounts[cut], rows[cut]
    length = np.maximum(end - begin, 1)
    for day in range(max(int(first[cut].min()), 0), min(int(last[cut].max()), width - 1) + 1):
        low, high = days.bounds_ms[day], days.bounds_ms[day + 1]
        inside = np.clip(np.minimum(end, high) - np.maximum(begin, low), 0, None)
        result[:, day] += np.bincount(row, amount * inside / length, count)
    return result


def either_day(days: CalendarDays, start_ms: Ints, end_ms: Ints, amounts: Floats) -> Floats:
    """How much of each interval's amount may or may not belong to each of its days."""
    count = len(amounts)
    share = spread(days, np.arange(count), start_ms, end_ms, amounts, count=count)
    result: Floats = np.where(share > 0, np.maximum(share, amounts[:, None] - share), 0.0)
    return result
