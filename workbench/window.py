"""Time ranges: what a query covers, and on which grid.

Milliseconds since the epoch inside, always UTC. A `Window` is inclusive at both ends, as the
Prometheus HTTP API is: a window of one hour at a step of one minute has 61 steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Final

import numpy as np

from workbench.errors import InputError
from workbench.units import Duration, format_duration, parse_duration

__all__ = ["MAX_POINTS", "Time", "Window", "format_time", "parse_time"]

Time = str | int | float | datetime | date
"""A moment as people give it: RFC 3339 text, ``now-1h``, Unix seconds, a `datetime` or `date`."""

MAX_POINTS: Final = 11_000
"""Prometheus refuses a range query of more points a series than this."""

_NICE_STEPS: Final = tuple(
    parse_duration(t)
    for t in [
        "1s",
        "5s",
        "10s",
        "15s",
        "30s",
        "1m",
        "2m",
        "5m",
        "10m",
        "15m",
        "30m",
        "1h",
        "2h",
        "3h",
        "6h",
        "12h",
        "1d",
    ]
)
_DEFAULT_POINTS: Final = 720
_LAST: Final = "--last 7d (last='7d' in Python, -p last=7d of a report)"
"""How the length of a range is given, for messages."""
_EARLIEST_MS: Final = round(datetime(1, 1, 1, tzinfo=UTC).timestamp()) * 1000
_LATEST_MS: Final = round(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC).timestamp()) * 1000 + 999
_RELATIVE: Final = re.compile(r"now(?:\s*-\s*(\S+))?")


def parse_time(value: Time, *, now_ms: int) -> int:
    """Read a moment in time.

    Parameters
    ----------
    value
        RFC 3339 text or a date (UTC where no zone is given), ``now``, ``now-1h``, Unix seconds
        as number or text, or a `datetime` (UTC where naive), `date` or `pandas.Timestamp`.
    now_ms
        The source's own now, to which relative moments refer.

    Returns
    -------
    int
        Milliseconds since the epoch.

    Raises
    ------
    InputError
        The value is no moment in time, or lies outside the years 1 to 9999.

    Examples
    --------
    >>> parse_time("1970-01-01T00:01:00Z", now_ms=0), parse_time("now-1m", now_ms=90_000)
    (60000, 30000)
    """
    moment_ms = _milliseconds(value, now_ms)
    if not _EARLIEST_MS <= moment_ms <= _LATEST_MS:
        msg = f"{value!r} lies outside the years 1 to 9999"
        raise InputError(msg, "give Unix times in seconds, not in milliseconds or nanoseconds")
    return moment_ms


def _milliseconds(value: Time, now_ms: int) -> int:
    if isinstance(value, datetime):
        aware = value if value.tzinfo else value.replace(tzinfo=UTC)
        return round(aware.timestamp() * 1000)
    if isinstance(value, date):
        return round(datetime(value.year, value.month, value.day, tzinfo=UTC).timestamp() * 1000)
    try:
        if isinstance(value, str):
            return _parse_text(value.strip(), now_ms)
        if not isinstance(value, bool):
            return round(float(value) * 1000)
    except (ValueError, TypeError, OverflowError):
        pass
    msg = f"{value!r} is not a moment in time"
    raise InputError(msg, "write 2026-01-31T12:00:00Z, 2026-01-31, now-6h, or Unix seconds")


def _parse_text(text: str, now_ms: int) -> int:
    if relative := _RELATIVE.fullmatch(text):
        return now_ms - (parse_duration(relative[1]) if relative[1] else 0)
    try:
        return round(float(text) * 1000)
    except ValueError:
        return _milliseconds(datetime.fromisoformat(text), now_ms)


def format_time(milliseconds: int) -> str:
    """Write a moment as RFC 3339 in UTC, with milliseconds only where there are any.

    Examples
    --------
    >>> format_time(0), format_time(1_500)
    ('1970-01-01T00:00:00Z', '1970-01-01T00:00:01.500Z')
    """
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    rest = milliseconds % 1000
    return f"{moment}.{rest:03d}Z" if rest else f"{moment}Z"


@dataclass(frozen=True, slots=True)
class Window:
    """A range of time on a grid, both ends included.

    Parameters
    ----------
    start_ms, end_ms
        First moment and the moment that no step passes, in milliseconds since the epoch.
    step_ms
        Distance of the grid's points in milliseconds, above 0.

    Examples
    --------
    >>> window = Window(0, 3_600_000, 60_000)
    >>> len(window), window.steps[:2].tolist(), str(window)
    (61, [0, 60000], '1970-01-01T00:00:00Z to 1970-01-01T01:00:00Z, step 1m')
    """

    start_ms: int
    end_ms: int
    step_ms: int

    def __post_init__(self) -> None:
        if self.step_ms <= 0:
            msg = f"step is {self.step_ms} ms"
            raise InputError(msg, "give a step above 0, such as 1m")
        if self.end_ms < self.start_ms:
            msg = f"the end ({format_time(self.end_ms)}) is before the start ({format_time(self.start_ms)})"
            raise InputError(msg, "swap --start and --end, or give --last instead")

    @classmethod
    def resolve(
        cls,
        *,
        now_ms: int,
        last: Duration | None = None,
        start: Time | None = None,
        end: Time | None = None,
        step: Duration | None = None,
        align: bool = True,
    ) -> Window:
        """Make a window from what people give.

        Parameters
        ----------
        now_ms
            The source's own now, where `last` ends and to which relative moments refer.
        last
            The length of the range, ending at `end` or now; six hours where nothing is given.
        start, end
            The ends; `end` is now where only `start` is given.
        step
            Distance of the points; chosen to give at most 720 points where it is not given.
        align
            Move both ends down to multiples of the step, so that repeated questions agree.

        Raises
        ------
        InputError
            `start` and `last` both given, the end before the start, a `last` or step of 0.
        """
        if start is not None and last is not None:
            msg = f"both start ({start!r}) and last ({last!r}) are given"
            raise InputError(msg, "give --start or --last, not both")
        end_ms = now_ms if end is None else parse_time(end, now_ms=now_ms)
        if start is not None:
            start_ms = parse_time(start, now_ms=now_ms)
        else:
            start_ms = end_ms - _length("6h" if last is None else last)
        if start_ms < _EARLIEST_MS:
            msg = f"{last!r} before {format_time(end_ms)} lies before the year 1"
            raise InputError(msg, f"give a shorter range: {_LAST}")
        if end is None and start_ms > end_ms:
            msg = f"the start ({format_time(start_ms)}) is after the source's now ({format_time(end_ms)})"
            raise InputError(
                msg, "give an earlier --start; a snapshot's now is the end of its data"
            )
        step_ms = _nice_step(end_ms - start_ms) if step is None else parse_duration(step)
        window = cls(start_ms, end_ms, step_ms)
        return window.aligned() if align else window

    def aligned(self) -> Window:
        """Move both ends down to multiples of the step."""
        step = self.step_ms
        return Window(self.start_ms // step * step, self.end_ms // step * step, step)

    def __len__(self) -> int:
        return (self.end_ms - self.start_ms) // self.step_ms + 1

    @property
    def steps(self) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        """The grid: int64 milliseconds, shape (steps,)."""
        return np.arange(self.start_ms, self.end_ms + 1, self.step_ms, dtype=np.int64)

    def split(self, points: int) -> Iterator[Window]:
        """Cut into windows of at most `points` steps that join without gap or overlap.

        Examples
        --------
        >>> [len(w) for w in Window(0, 10_000, 1_000).split(5)]
        [5, 5, 1]
        """
        span = points * self.step_ms
        for start in range(self.start_ms, self.end_ms + 1, span):
            yield Window(start, min(start + span - self.step_ms, self.end_ms), self.step_ms)

    def __str__(self) -> str:
        return f"{format_time(self.start_ms)} to {format_time(self.end_ms)}, step {format_duration(self.step_ms)}"


def _length(last: Duration) -> int:
    """What `last` covers, in milliseconds."""
    try:
        length = parse_duration(last)
    except InputError as error:
        msg = f"last: {error.what}"
        raise InputError(msg, f"{error.mend}: {_LAST}") from None
    if length <= 0:
        msg = f"last is {last!r}, which covers nothing"
        raise InputError(msg, f"give a duration above 0: {_LAST}; or ask about one instant")
    return length


def _nice_step(span_ms: int) -> int:
    for step in _NICE_STEPS:
        if span_ms // step < _DEFAULT_POINTS:
            return step
    return _NICE_STEPS[-1]
