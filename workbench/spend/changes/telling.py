"""Each event once: a group, its application and the total may all show the same one.

What several models of one application do is told of the application, what begins in three groups or
more on one day is told of all of them together, and the total only tells what no group explains.
Where more than one could tell, the one that stands out most does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.spend.changes.departures import Departure, Search
from workbench.spend.changes.ordinary import Course

__all__ = ["Event", "Level", "once"]

_EXPLAINED: Final = 0.5
"""A departure of which others make this share is theirs."""

_SAME: Final = 0.5
"""Share of days that two departures have in common to be one event."""

_MOVED: Final = 0.25
"""One model of an application rose and another fell, the lesser by this share of the greater."""

_SWAPPED: Final = 1.386
"""Logarithm of 4: what grew so many times as another shrank took its place."""

_SEVERAL: Final = 3


class Level(StrEnum):
    """Of what an event is told."""

    GROUP = "group"
    APPLICATION = "application"
    GROUPS = "several groups"
    ALL = "all"


@dataclass(frozen=True, slots=True, eq=False)
class Event:
    """A departure with its money.

    Parameters
    ----------
    level
        Of what it is told.
    groups
        Numbers of the groups that the series adds up.
    departure
        When, and how sure.
    course
        The series, and what was to be expected of it.
    draws
        Drawn spend of the event's days together, had it not been; shape (draws,).
    """

    level: Level
    groups: tuple[int, ...]
    departure: Departure
    course: Course
    draws: Floats

    @classmethod
    def of(
        cls, level: Level, groups: Iterable[int], found: Departure, rng: np.random.Generator
    ) -> Event:
        """Hold what was spent against what was to be expected."""
        course, draws = found.fit.course(found.spans, rng)
        days = found.days(len(course.days))
        return cls(level, tuple(groups), found, course, draws[:, days].sum(axis=1))

    def within(self, other: Departure) -> float:
        """Its excess on the days of another departure, and its own."""
        count = len(self.course.days)
        days = self.departure.days(count) & other.days(count)
        return float((self.course.actual - self.course.expected)[days].sum())

    @property
    def excess(self) -> float:
        """Actual less expected."""
        return self.within(self.departure)

    def touches(self, other: Event) -> bool:
        """Whether most of the days of the shorter are days of the longer."""
        one, two = self.departure, other.departure
        common = min(one.stop, two.stop) - max(one.start, two.start)
        return common >= _SAME * min(one.stop - one.start, two.stop - two.start)

    def coincides(self, other: Event) -> bool:
        """Whether both begin together, go the same way and last as long."""
        one, two = self.departure, other.departure
        common = min(one.stop, two.stop) - max(one.start, two.start)
        union = max(one.stop, two.stop) - min(one.start, two.start)
        same_way = (one.size > 0) == (two.size > 0)
        return same_way and abs(one.start - two.start) <= 1 and common >= _SAME * union


def once(
    events: Sequence[Event],
    *,
    application: Ints,
    spend: Floats,
    search: Search,
    rng: np.random.Generator,
) -> list[Event]:
    """Choose who tells each event.

    Parameters
    ----------
    events
        Of all levels.
    application
        Number of each group's application, shape (groups,).
    spend
        What each group spent, shape (groups, days).
    search
        In which they were found.
    rng
        Where what was to be expected of several groups is drawn from.
    """
    groups, applications, total = (
        [e for e in events if e.level is level]
        for level in (Level.GROUP, Level.APPLICATION, Level.ALL)
    )
    kept = _of_applications(groups, applications, application)
    kept = _together(kept, spend, search, rng)
    for whole in total:
        kept = _beside_all(kept, whole)
    return kept


def _of_applications(
    groups: Sequence[Event], applications: Sequence[Event], application: Ints
) -> list[Event]:
    """Groups and applications, each event once."""
    kept = list(groups)
    for whole in applications:
        parts = [e for e in kept if set(e.groups) <= set(whole.groups) and e.touches(whole)]
        if _is_move(parts):
            kept = [e for e in kept if e not in parts] + [whole]
            continue
        parts = [e for e in parts if (e.excess > 0) == (whole.excess > 0)]
        if sum(e.within(whole.departure) for e in parts) / (whole.excess or 1.0) < _EXPLAINED:
            kept.append(whole)
        elif len(parts) > 1 or parts[0].departure.score < whole.departure.score:
            kept = [e for e in kept if e not in parts] + [whole]
    # Models that take each other's place without a change of spend are no event of spend.
    for number in {int(application[e.groups[0]]) for e in kept if e.level is Level.GROUP}:
        own = [
            e for e in kept if e.level is Level.GROUP and int(application[e.groups[0]]) == number
        ]
        for one in own:
            pair = [e for e in own if e.touches(one)]
            sizes = [e.excess for e in pair]
            if _is_move(pair) and abs(sum(sizes)) < _EXPLAINED * max(map(abs, sizes)):
                kept = [e for e in kept if e not in pair]
    return kept


def _is_move(parts: Sequence[Event]) -> bool:
    """Whether one model took over from another: both by money, or one came as the other went."""
    up = [e for e in parts if e.excess > 0]
    down = [e for e in parts if e.excess < 0]
    came = any(e.departure.size >= _SWAPPED for e in up)
    went = any(e.departure.size <= -_SWAPPED for e in down)
    rise, fall = sum(e.excess for e in up), -sum(e.excess for e in down)
    return (came and went) or min(rise, fall) >= _MOVED * max(rise, fall, 1e-300)


def _together(
    events: Sequence[Event], spend: Floats, search: Search, rng: np.random.Generator
) -> list[Event]:
    """What begins in several groups at once is one event."""
    left = sorted(events, key=lambda e: -e.departure.score)
    kept: list[Event] = []
    while left:
        same = [e for e in left if e.coincides(left[0])]
        if len(same) < _SEVERAL:
            kept.append(left.pop(0))
            continue
        groups = sorted({g for e in same for g in e.groups})
        found = search.measure(spend[groups].sum(axis=0), left[0].departure)
        kept.append(Event.of(Level.GROUPS, groups, found, rng))
        left = [e for e in left if e not in same]
    return kept


def _beside_all(events: list[Event], whole: Event) -> list[Event]:
    """Events of groups and one of the total."""
    parts = [e for e in events if e.touches(whole) and (e.excess > 0) == (whole.excess > 0)]
    shares = [e.within(whole.departure) / (whole.excess or 1.0) for e in parts]
    clearest = max((e.departure.score for e in parts), default=0.0)
    one_makes_it = max(shares, default=0.0) >= _EXPLAINED
    if sum(shares) >= _EXPLAINED and (one_makes_it or clearest >= whole.departure.score):
        return events
    # The total stands out more: what began with it and stands out less is a part of it.
    hidden = [e for e in parts if e.coincides(whole) and e.departure.score < whole.departure.score]
    return [e for e in events if e not in hidden] + [whole]
