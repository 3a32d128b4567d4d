"""A place's own time: zones, holidays, and days that end at the same clock time all year."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from workbench.errors import InputError
from workbench.samples import Ints

__all__ = ["DAY_MS", "day_edges", "day_numbers", "split_dates", "time_zone", "utc_offsets"]

DAY_MS: Final = 86_400_000
"""Milliseconds of a day of 24 hours."""

_EPOCH: Final = date(1970, 1, 1).toordinal()


def time_zone(name: str) -> ZoneInfo:
    """The zone of that IANA name.

    Raises
    ------
    InputError
        There is none.
    """
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, TypeError, KeyError) as error:
        msg = f"{name!r} is not a time zone"
        raise InputError(msg, "give an IANA name, such as Europe/Berlin") from error


def day_numbers(days: Iterable[str | date]) -> Ints:
    """Local dates, as `datetime.date` or ``YYYY-MM-DD``, as days since 1 January 1970.

    Raises
    ------
    InputError
        One is no date.

    Examples
    --------
    >>> day_numbers(["1970-01-02", date(1970, 2, 1)]).tolist()
    [1, 31]
    """
    if isinstance(days, str):
        days = (days,)
    return np.array([_day_number(day) for day in days], np.int64)


def split_dates(days: str | Iterable[str | date] | None) -> tuple[str | date, ...]:
    """Dates as they are given: one by one, or as text with spaces or commas between them.

    Examples
    --------
    >>> split_dates("2026-12-25, 2026-12-26")
    ('2026-12-25', '2026-12-26')
    """
    if isinstance(days, str):
        return tuple(days.replace(",", " ").split())
    return () if days is None else tuple(days)


def _day_number(day: str | date) -> int:
    try:
        known = day if isinstance(day, date) else date.fromisoformat(day)
    except (TypeError, ValueError) as error:
        msg = f"{day!r} is not a date"
        raise InputError(msg, "write holidays as YYYY-MM-DD, such as 2026-12-25") from error
    return known.toordinal() - _EPOCH


def utc_offsets(times_ms: Ints, zone: ZoneInfo) -> Ints:
    """Local time minus UTC, in milliseconds; looked up once a quarter of an hour, where it may change."""
    quarters, inverse = np.unique(times_ms // 900_000, return_inverse=True)
    known = np.empty(len(quarters), np.int64)
    for i, quarter in enumerate(quarters.tolist()):
        offset = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).utcoffset()
        assert offset is not None
        known[i] = round(offset.total_seconds() * 1000)
    return known[inverse]


def day_edges(end_ms: int, before: int, after: int, timezone: str) -> Ints:
    """The ends of days that end at one clock time: shape (before + after + 1,).

    Parameters
    ----------
    end_ms
        One of the ends; its local clock time is that of all others.
    before, after
        How many days before and after it.
    timezone
        An IANA name. Days are 23 or 25 hours long where clocks change within them; a clock time
        that a change skips is taken as if clocks had not changed yet.

    Examples
    --------
    >>> noon = int(datetime(2026, 3, 29, 10, tzinfo=UTC).timestamp() * 1000)
    >>> (np.diff(day_edges(noon, 2, 1, "Europe/Berlin")) // 3_600_000).tolist()
    [24, 23, 24]
    """
    if timezone == "UTC":
        return end_ms + np.arange(-before, after + 1, dtype=np.int64) * DAY_MS
    return np.array(_local_edges(end_ms, before, after, timezone), np.int64)


@lru_cache(maxsize=64)
def _local_edges(end_ms: int, before: int, after: int, timezone: str) -> tuple[int, ...]:
    seconds, rest = divmod(end_ms, 1000)
    now = datetime.fromtimestamp(seconds, UTC).astimezone(time_zone(timezone))
    moments = [now + timedelta(days=day) for day in range(-before, after + 1)]
    edges = [round(moment.timestamp()) * 1000 + rest for moment in moments]
    edges[before] = end_ms
    return tuple(edges)
