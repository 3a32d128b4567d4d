"""Hours of the week in a time zone: the slots that usage is grouped by, and working hours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np

from workbench.errors import InputError
from workbench.frame import Bools
from workbench.samples import Ints

__all__ = ["SLOTS", "WorkingHours", "hours_of_week", "known_zone", "parse_hours"]

SLOTS: Final = 168
"""Hours of a week; slot 0 is Monday 00:00 to 01:00 by the local clock."""

_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MEND: Final = "write days and hours such as 'mon-fri 08:00-18:00', 'sat,sun 10-16' or '22-06'"
_CLOCK: Final = re.compile(r"(\d{1,2})(?::00)?-(\d{1,2})(?::00)?")


@dataclass(frozen=True, slots=True)
class WorkingHours:
    """The part of the week that counts.

    Parameters
    ----------
    text
        As it was given.
    slots
        bool, shape (168,): whether each hour of the week belongs to it.
    """

    text: str
    slots: tuple[bool, ...]

    def contain(self, slots: Ints) -> Bools:
        """Which of some hours of the week belong to it; shape as given."""
        return np.array(self.slots, np.bool_)[slots]


def known_zone(name: str) -> ZoneInfo:
    """The time zone of a name.

    Raises
    ------
    InputError
        There is none of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError, TypeError):
        msg = f"{name!r} is not a time zone"
        raise InputError(msg, "give an IANA name such as Europe/Berlin, or UTC") from None


def parse_hours(text: str) -> WorkingHours | None:
    """Read the hours that count.

    Parameters
    ----------
    text
        Days, hours, or both: ``mon-fri 08:00-18:00``; whole hours by the local clock; several
        parts with semicolons between them. Hours past midnight belong to the day on which they
        begin. Empty for the whole week.

    Raises
    ------
    InputError
        It is no such text.

    Examples
    --------
    >>> sum(parse_hours("mon-fri 08:00-18:00").slots), sum(parse_hours("fri 22-06").slots)
    (50, 8)
    """
    if not text.strip():
        return None
    chosen = np.zeros(SLOTS, bool)
    for part in text.lower().split(";"):
        words = part.split()
        if not 1 <= len(words) <= 2:
            raise _no_hours(text)
        if len(words) == 1:
            words = ["mon-sun", words[0]] if words[0][:1].isdigit() else [words[0], "0-24"]
        first, length = _clock(words[1], text)
        for day in _days(words[0], text):
            chosen[(day * 24 + first + np.arange(length)) % SLOTS] = True
    return WorkingHours(text, tuple(chosen.tolist()))


def _days(word: str, text: str) -> list[int]:
    days: list[int] = []
    for part in word.split(","):
        ends = part.split("-")
        if len(ends) > 2 or any(e not in _DAYS for e in ends):
            raise _no_hours(text)
        first, last = _DAYS.index(ends[0]), _DAYS.index(ends[-1])
        days += [(first + i) % 7 for i in range((last - first) % 7 + 1)]
    return days


def _clock(word: str, text: str) -> tuple[int, int]:
    """The first hour and how many."""
    match = _CLOCK.fullmatch(word)
    if not match:
        raise _no_hours(text)
    first, last = int(match[1]), int(match[2])
    if first > 23 or last > 24 or first == last:
        raise _no_hours(text)
    return first, (last - first) % 24 or 24


def _no_hours(text: str) -> InputError:
    shown = text if len(text) <= 60 else f"{text[:60]}…"
    return InputError(f"{shown!r} are no hours of a week", _MEND)


def hours_of_week(times_ms: Ints, zone: str) -> Ints:
    """The hour of the week of each moment, by the local clock.

    Parameters
    ----------
    times_ms
        int64, shape (steps,). A point of a grid tells of the time before it: what is exactly on
        the hour belongs to the hour that ends there.
    zone
        An IANA name; daylight saving is followed.

    Returns
    -------
    int64, shape (steps,)
        0 is Monday 00:00 to 01:00.

    Examples
    --------
    >>> monday = 4 * 86_400_000  # 5 January 1970
    >>> hours_of_week(np.array([monday + 1, monday + 3_600_000]), "Europe/Berlin").tolist()
    [1, 1]
    """
    import pandas as pd

    known_zone(zone)
    local = pd.DatetimeIndex((times_ms - 1).astype("datetime64[ms]"), tz="UTC").tz_convert(zone)
    slots: Ints = np.asarray(local.day_of_week, np.int64) * 24 + np.asarray(local.hour, np.int64)
    return slots
