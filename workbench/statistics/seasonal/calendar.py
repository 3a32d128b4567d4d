"""Which hour of the day and of the week each step is, in a place's own time, holidays as Sundays.

Seasons are looked up by these phases and never by counting steps: on the day on which clocks change
the pattern of the day moves with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from workbench.errors import InputError
from workbench.samples import Ints

__all__ = ["Calendar", "make_calendar"]

_DAY_MS: Final = 86_400_000
_WEEK_DAYS: Final = 7
_SUNDAY: Final = 6
_THURSDAY: Final = 3
"""The weekday of 1 January 1970, Monday being 0."""


@dataclass(frozen=True, slots=True, eq=False)
class Calendar:
    """The phase of every step, those to be forecast included.

    Parameters
    ----------
    day
        int64, shape (steps,): which step of its local day each is, from 0 to `per_day` − 1.
    week
        The same of its local week, which begins on Monday; on a holiday that of a Sunday.
    per_day
        Steps of a day.
    """

    day: Ints
    week: Ints
    per_day: int

    @property
    def per_week(self) -> int:
        """Steps of a week."""
        return self.per_day * _WEEK_DAYS


def make_calendar(
    times_ms: Ints, step_ms: int, *, timezone: str = "UTC", holidays: Iterable[str | date] = ()
) -> Calendar:
    """Tell the phases of steps.

    Parameters
    ----------
    times_ms
        int64, shape (steps,): milliseconds since the epoch.
    step_ms
        Their distance; it divides a day.
    timezone
        An IANA name, such as ``Europe/Berlin``.
    holidays
        Local dates, as `datetime.date` or ``YYYY-MM-DD``, that pass as Sundays do.

    Raises
    ------
    InputError
        The time zone is not known, or a holiday is no date.

    Examples
    --------
    >>> noon = int(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp() * 1000)
    >>> make_calendar(np.array([noon]), 3_600_000, timezone="Europe/Berlin").day.tolist()
    [14]
    """
    local = times_ms + _offsets(times_ms, _zone(timezone))
    per_day = max(_DAY_MS // step_ms, 1)
    days = local // _DAY_MS
    phase = local % _DAY_MS * per_day // _DAY_MS
    weekday = (days + _THURSDAY) % _WEEK_DAYS
    free = np.array([_day_number(h) for h in holidays], np.int64)
    weekday = np.where(np.isin(days, free), _SUNDAY, weekday)
    return Calendar(phase, weekday * per_day + phase, per_day)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (OSError, ValueError, TypeError) as error:  # ZoneInfoNotFoundError is a KeyError
        raise _unknown(name) from error
    except KeyError as error:
        raise _unknown(name) from error


def _unknown(name: object) -> InputError:
    return InputError(f"{name!r} is not a time zone", "give an IANA name, such as Europe/Berlin")


def _day_number(holiday: str | date) -> int:
    try:
        day = holiday if isinstance(holiday, date) else date.fromisoformat(holiday)
    except (TypeError, ValueError) as error:
        msg = f"{holiday!r} is not a date"
        raise InputError(msg, "write holidays as YYYY-MM-DD, such as 2026-12-25") from error
    return day.toordinal() - date(1970, 1, 1).toordinal()


def _offsets(times_ms: Ints, zone: ZoneInfo) -> Ints:
    """Local time minus UTC, in milliseconds; looked up once a quarter of an hour, where it may change."""
    quarters, inverse = np.unique(times_ms // 900_000, return_inverse=True)
    known = np.empty(len(quarters), np.int64)
    for i, quarter in enumerate(quarters.tolist()):
        offset = datetime.fromtimestamp(quarter * 900, UTC).astimezone(zone).utcoffset()
        assert offset is not None
        known[i] = round(offset.total_seconds() * 1000)
    return known[inverse]
