"""What else changed then: level shifts held against each other, against limits and against events.

A level shift is known to the day, or to the hour where the history shows it. What happened within
that span is told; other resources only where more of them changed than chance would bring, or where
they serve the same thing.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.capacity.outlook import Change, Outlook
from workbench.statistics import DAY_MS
from workbench.window import format_time

__all__ = ["Event", "Moment", "Shifted", "moments"]

_HOUR_MS: Final = 3_600_000

_BY_CHANCE: Final = 0.01
"""So improbable a number of changes at one time is not chance."""

_RARE: Final = 0.5
"""An event is telling where fewer than so many are expected in a span of that length."""

_LEVEL_DAYS: Final = 14
"""The median peak of so many days before a shift is the level that it left."""


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened: a deploy, a migration."""

    time_ms: int
    title: str


@dataclass(frozen=True, slots=True)
class Shifted:
    """One resource's part in a moment."""

    outlook: Outlook
    change: Change

    @property
    def share(self) -> float:
        """The shift as a share of the level before it; NaN where that was 0."""
        history = self.outlook.history
        ago = self.change.time_ms - history.times_ms
        with np.errstate(invalid="ignore"):
            earlier = history.peaks[(ago > 0) & (ago <= _LEVEL_DAYS * DAY_MS)]
        known = earlier[~np.isnan(earlier)]
        level = float(np.median(known)) if len(known) else 0.0
        return self.change.size / abs(level) if level else math.nan


@dataclass(frozen=True, slots=True)
class Moment:
    """Level shifts that came together, and what else happened then.

    Parameters
    ----------
    start_ms, end_ms
        The span in which all of them began.
    shifted
        The largest shift first.
    events
        What happened then, the nearest first.
    limits
        Names of resources whose limit changed then.
    expected
        How many shifts of other resources chance would have brought into such a span.
    together
        Whether that many together are no chance.
    """

    start_ms: int
    end_ms: int
    shifted: tuple[Shifted, ...]
    events: tuple[Event, ...]
    limits: tuple[str, ...]
    expected: float
    together: bool

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "from": format_time(self.start_ms),
            "to": format_time(self.end_ms),
            "resources": [
                {
                    "name": s.outlook.name,
                    "size": s.change.size,
                    "share": None if math.isnan(s.share) else round(s.share, 4),
                    "unit": s.outlook.unit,
                }
                for s in self.shifted
            ],
            "events": [{"time": format_time(e.time_ms), "title": e.title} for e in self.events],
            "limits_changed": list(self.limits),
            "expected": round(self.expected, 3),
            "together": self.together,
        }


def moments(outlooks: Sequence[Outlook], events: Sequence[Event]) -> tuple[Moment, ...]:
    """Group level shifts by the time at which they came.

    Parameters
    ----------
    outlooks
        With their level shifts.
    events
        In any order.

    Returns
    -------
    tuple of Moment
        The latest first. Shifts that overlap in time stand in one moment where they have a reason
        to: they are too many for chance, serve the same thing, or an event lies among them.
    """
    all_shifts = sorted(
        (Shifted(o, c) for o in outlooks for c in o.changes), key=lambda s: s.change.start_ms
    )
    total = len(all_shifts)
    days = sum(max(len(o.history), 1) for o in outlooks)
    longest = max((len(o.history) for o in outlooks), default=0)
    found: list[Moment] = []
    while all_shifts:
        head = all_shifts[0].change
        near = [s for s in all_shifts if s.change.start_ms <= head.end_ms]
        start = min(s.change.start_ms for s in near)
        end = max(s.change.end_ms for s in near)
        happened = _during(events, start, end)
        # Where something happens all the time, that it happened then says nothing.
        telling = happened and len(events) * (end - start) / DAY_MS < _RARE * longest
        # What chance brings beside the first: the other shifts, spread evenly over all days.
        expected = (total - 1) / days * len(outlooks) * (end - start) / DAY_MS
        together = len(near) > 1 and _tail(len(near) - 1, expected) < _BY_CHANCE
        for part in [near] if together or telling else _by_service(near):
            limits = tuple(s.outlook.name for s in part if _limit_changed(s, start, end))
            ordered = tuple(sorted(part, key=lambda s: (-_rank(s.share), s.outlook.name)))
            found.append(Moment(start, end, ordered, happened, limits, expected, together))
        all_shifts = all_shifts[len(near) :]
    return tuple(sorted(found, key=lambda m: (-m.end_ms, m.shifted[0].outlook.name)))


def _rank(share: float) -> float:
    return math.inf if math.isnan(share) else abs(share)


def _by_service(near: Sequence[Shifted]) -> list[list[Shifted]]:
    """Shifts of one service together, those of none each by itself."""
    groups: dict[str, list[Shifted]] = {}
    for each in near:
        groups.setdefault(each.outlook.service or f"\0{each.outlook.name}", []).append(each)
    return list(groups.values())


def _during(events: Sequence[Event], start_ms: int, end_ms: int) -> tuple[Event, ...]:
    inside = [e for e in events if start_ms - _HOUR_MS <= e.time_ms <= end_ms]
    return tuple(sorted(inside, key=lambda e: (end_ms - e.time_ms, e.title)))


def _limit_changed(each: Shifted, start_ms: int, end_ms: int) -> bool:
    """Whether its limit changed within a day of that span."""
    history, limits = each.outlook.history, each.outlook.limits
    times = history.times_ms
    near = (times[1:] >= start_ms - DAY_MS) & (times[1:] <= end_ms + DAY_MS)
    before, after = limits[:-1][near], limits[1:][near]
    return bool((abs(after - before) > 1e-6 * abs(after)).any())


def _tail(count: int, expected: float) -> float:
    """The chance of at least so many, where so many are expected (Poisson)."""
    from scipy.stats import poisson

    return float(poisson.sf(count - 1, expected))
