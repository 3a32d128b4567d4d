"""The window of an objective: rolling, or by the calendar of a time zone."""

from __future__ import annotations

import calendar
from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

__all__ = ["CALENDAR_MS", "calendar_bounds", "first_start"]

_DAY_MS: Final = 86_400_000

CALENDAR_MS: Final = {
    "day": _DAY_MS,
    "week": 7 * _DAY_MS,
    "month": 30 * _DAY_MS,
    "quarter": 90 * _DAY_MS,
    "year": 365 * _DAY_MS,
}
"""The calendar's windows and their nominal lengths, by which burn rates are reckoned."""

_MONTHS: Final = {"month": 1, "quarter": 3, "year": 12}
_DAYS: Final = {"day": 1, "week": 7}


def first_start(unit: str) -> datetime:
    """Where counting begins when nothing else is said: a New Year's midnight, a Monday for weeks."""
    return datetime(2001 if unit == "week" else 2000, 1, 1)  # noqa: DTZ001 - local time, zone apart


def calendar_bounds(unit: str, zone: str, first: datetime, at_ms: int) -> tuple[int, int]:
    """Start and end of the calendar's window that holds a moment.

    Parameters
    ----------
    unit
        A key of `CALENDAR_MS`.
    zone
        An IANA time zone: windows begin at its midnight, whatever daylight saving does.
    first
        Where some window starts, in local time; others follow by whole units.
    at_ms
        The moment, milliseconds since the epoch.

    Returns
    -------
    tuple of int
        The first millisecond, and the first that is no longer part of it.

    Examples
    --------
    >>> start, end = calendar_bounds("month", "UTC", first_start("month"), 1_770_000_000_000)
    >>> (end - start) / 86_400_000  # February 2026
    28.0
    """
    local = ZoneInfo(zone)
    moment = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(local).replace(tzinfo=None)
    number = _number(unit, first, moment)
    # The guess is by the calendar's own fields, so the moment lies in it or in a neighbour.
    while _instant(_start(unit, first, number), local) > at_ms:
        number -= 1
    while _instant(_start(unit, first, number + 1), local) <= at_ms:
        number += 1
    start, end = _start(unit, first, number), _start(unit, first, number + 1)
    return _instant(start, local), _instant(end, local)


def _number(unit: str, first: datetime, moment: datetime) -> int:
    if unit in _DAYS:
        return (moment - first) // timedelta(days=_DAYS[unit])
    months = (moment.year - first.year) * 12 + moment.month - first.month
    return months // _MONTHS[unit]


def _start(unit: str, first: datetime, number: int) -> datetime:
    if unit in _DAYS:
        return first + timedelta(days=number * _DAYS[unit])
    month = first.month - 1 + number * _MONTHS[unit]
    year, month = first.year + month // 12, month % 12 + 1
    day = min(first.day, calendar.monthrange(year, month)[1])
    return first.replace(year=year, month=month, day=day)


def _instant(local: datetime, zone: ZoneInfo) -> int:
    return round(local.replace(tzinfo=zone).timestamp() * 1000)
