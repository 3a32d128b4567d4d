"""Calendar days of one time zone: 23, 24 or 25 hours, as the clocks there have them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from workbench.errors import InputError
from workbench.samples import Floats, Ints

__all__ = ["CalendarDays", "zone_of"]

_MOST_DAYS: Final = 1_100
"""Three years: more is a mistyped date."""


@dataclass(frozen=True, slots=True)
class CalendarDays:
    """Consecutive local days.

    Parameters
    ----------
    first
        The first day.
    zone
        The IANA name of the time zone whose midnights part the days.
    bounds_ms
        int64, shape (days + 1,): the midnights. A day is what lies after one up to the next, so
        that a counter's increase up to midnight belongs to the day that ends there.
    """

    first: date
    zone: str
    bounds_ms: Ints

    @classmethod
    def between(cls, first: date, last: date, zone: str = "UTC") -> CalendarDays:
        """The days from one to another, both included.

        Raises
        ------
        InputError
            The last day is before the first, there are more than three years of them, or the
            time zone is unknown.

        Examples
        --------
        >>> days = CalendarDays.between(date(2026, 3, 28), date(2026, 3, 30), "Europe/Berlin")
        >>> days.hours.tolist()
        [24.0, 23.0, 24.0]
        """
        count = (last - first).days + 1
        if count < 1:
            msg = f"the last day ({last}) is before the first ({first})"
            raise InputError(msg, "swap them")
        if count > _MOST_DAYS:
            msg = f"{first} to {last} are {count:,} days"
            raise InputError(msg, f"give at most {_MOST_DAYS:,}")
        local = zone_of(zone)
        midnights = [first + timedelta(days=n) for n in range(count + 1)]
        bounds = [
            round(datetime(d.year, d.month, d.day, tzinfo=local).timestamp() * 1000)
            for d in midnights
        ]
        return cls(first, zone, np.array(bounds, np.int64))

    def __len__(self) -> int:
        """How many days there are."""
        return len(self.bounds_ms) - 1

    @property
    def start_ms(self) -> int:
        """The midnight at which the first day begins."""
        return int(self.bounds_ms[0])

    @property
    def end_ms(self) -> int:
        """The midnight at which the last day ends."""
        return int(self.bounds_ms[-1])

    @property
    def hours(self) -> Floats:
        """float64, shape (days,): how long each is."""
        result: Floats = np.diff(self.bounds_ms) / 3_600_000
        return result

    @property
    def dates(self) -> np.ndarray[Any, np.dtype[np.datetime64]]:
        """datetime64[ms], shape (days,): each day's date, as a midnight without a zone."""
        start = np.datetime64(self.first.isoformat(), "D")
        return (start + np.arange(len(self))).astype("datetime64[ms]")

    def of(self, times_ms: Ints) -> Ints:
        """The number of the day that each moment belongs to: −1 before the first, ``len`` after.

        Parameters
        ----------
        times_ms
            int64, any shape.
        """
        places: Ints = np.searchsorted(self.bounds_ms, times_ms, side="left") - 1
        return places


def zone_of(name: str) -> ZoneInfo:
    """A time zone by its IANA name.

    Raises
    ------
    InputError
        There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        msg = f"{name!r} is not a time zone"
        raise InputError(msg, "give an IANA name, such as Europe/Berlin") from None
