"""Which hour of the day and of the week each step is, in a place's own time, holidays as Sundays.

Seasons are looked up by these phases and never by counting steps: on the day on which clocks change
the pattern of the day moves with them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from workbench.samples import Ints
from workbench.statistics.local_time import DAY_MS, day_numbers, time_zone, utc_offsets

__all__ = ["Calendar", "make_calendar"]

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
    >>> from datetime import UTC, datetime
    >>> noon = int(datetime(2026, 3, 29, 12, tzinfo=UTC).timestamp() * 1000)
    >>> make_calendar(np.array([noon]), 3_600_000, timezone="Europe/Berlin").day.tolist()
    [14]
    """
    local = times_ms + utc_offsets(times_ms, time_zone(timezone))
    per_day = max(DAY_MS // step_ms, 1)
    days = local // DAY_MS
    phase = local % DAY_MS * per_day // DAY_MS
    weekday = (days + _THURSDAY) % _WEEK_DAYS
    weekday = np.where(np.isin(days, day_numbers(holidays)), _SUNDAY, weekday)
    return Calendar(phase, weekday * per_day + phase, per_day)
