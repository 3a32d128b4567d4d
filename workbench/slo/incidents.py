"""Incidents: bursts of bad events that stand out of what is usual for their time of day.

The usual share follows the slow level of the last days and the hour of the day. A burst that goes
on for longer than a day is no incident but a new level.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.slo.events import Events
from workbench.window import format_time

__all__ = ["Incident", "Split", "split_incidents"]

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS

_LEVEL_DAYS: Final = 7
"""The level is the median of so many days around each."""

_TIMES: Final = 3.0
"""A step stands out where its share is so many times the usual one …"""

_DEVIATIONS: Final = 5.0
"""… and its count so many standard deviations of a Poisson count above the usual one."""

_JOIN_MS: Final = 30 * 60_000
"""Steps that stand out and lie no further apart belong to one incident."""

_LONGEST_MS: Final = _DAY_MS


@dataclass(frozen=True, slots=True)
class Incident:
    """One burst.

    Parameters
    ----------
    start_ms, end_ms
        From the beginning of its first step to the end of its last.
    bad
        Bad events beyond the usual (of a ratio: step-shares).
    share
        The share of bad events beyond the usual while it lasted.
    running
        Whether the data ends while it is going on.
    """

    start_ms: int
    end_ms: int
    bad: float
    share: float
    running: bool

    @property
    def duration_ms(self) -> int:
        """How long it lasted, or has lasted."""
        return self.end_ms - self.start_ms

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "start": format_time(self.start_ms),
            "end": format_time(self.end_ms),
            "bad": round(self.bad, 3),
            "share": round(self.share, 6),
            "running": self.running,
        }


@dataclass(frozen=True, slots=True, eq=False)
class Split:
    """A history taken apart.

    Parameters
    ----------
    usual
        The same events with the bursts taken out.
    incidents
        The bursts, in order.
    profile
        float64, shape (24,): the usual share by hour of the day (UTC) as a multiple of its mean.
    """

    usual: Events
    incidents: tuple[Incident, ...]
    profile: Floats


def split_incidents(events: Events, *, least_share: float = 0.0) -> Split:
    """Tell bursts from what is usual.

    Parameters
    ----------
    events
        The history.
    least_share
        Bursts whose share of bad events stays below this are left in: where the budget allows as
        much, they are no incident.
    """
    bad, total = np.nan_to_num(events.bad), np.nan_to_num(events.total)
    hours = ((events.times_ms - events.step_ms) // _HOUR_MS % 24).astype(np.int64)
    marked = np.zeros(len(events), bool)
    usual = np.zeros(len(events))
    profile = np.ones(24)
    for _ in range(3):
        profile = _profile(bad, total, hours, ~marked)
        usual = _level(events, bad, total, marked, profile[hours]) * profile[hours]
        found = _standing_out(bad, total, usual, events.counted) & (bad >= least_share * total)
        joined = _joined(found, events.step_ms)
        if (joined == marked).all():
            break
        marked = joined
    expected = np.minimum(usual * total, bad)
    quiet = np.where(marked, expected, bad)
    kept = Events(
        events.times_ms,
        np.where(events.seen, quiet, np.nan),
        events.total,
        events.step_ms,
        events.counted,
    )
    return Split(kept, tuple(_incidents(events, marked, bad - quiet, total)), profile)


def _profile(bad: Floats, total: Floats, hours: Ints, usable: Bools) -> Floats:
    """The share by hour of the day, drawn towards 1 where few events tell it."""
    seen = np.bincount(hours, total * usable, 24)
    gone = np.bincount(hours, bad * usable, 24)
    if not gone.sum():
        return np.ones(24)
    mean = gone.sum() / seen.sum()
    worth = max(5.0, 0.02 * float(gone.sum()))  # as if so many bad events had been seen at the mean
    shape: Floats = (gone + worth) / (seen * mean + worth)
    return shape


def _level(events: Events, bad: Floats, total: Floats, marked: Bools, profile: Floats) -> Floats:
    """The usual share at each step, the hour of the day taken out: a median over days."""
    each = max(1, _DAY_MS // events.step_ms)
    count = -(-len(bad) // each)
    front = count * each - len(bad)
    weighed = np.where(marked, 0.0, total * profile)
    days = [
        np.concatenate([np.zeros(front), part]).reshape(count, each).sum(axis=1)
        for part in (np.where(marked, 0.0, bad), weighed)
    ]
    shares = np.full(count, np.nan)
    np.divide(days[0], days[1], out=shares, where=days[1] > 0)
    half = _LEVEL_DAYS // 2
    levels = np.full(count, np.nan)
    for day in range(count):
        first = min(max(day - half, 0), max(count - _LEVEL_DAYS, 0))
        near = shares[first : first + _LEVEL_DAYS]
        near = near[~np.isnan(near)]
        if len(near):
            levels[day] = np.median(near)
    result: Floats = np.repeat(np.nan_to_num(levels), each)[front:]
    return result


def _standing_out(bad: Floats, total: Floats, usual: Floats, counted: bool) -> Bools:  # noqa: FBT001 - a fact of the events
    expected = usual * total
    above: Bools = bad > _TIMES * expected
    if counted:  # Anscombe: the root of a Poisson count varies by one half
        z = 2 * (np.sqrt(np.maximum(bad, 0) + 0.375) - np.sqrt(expected + 0.375))
        return above & (z > _DEVIATIONS)
    return above & (bad > expected + 0.002)


def _joined(found: Bools, step_ms: int) -> Bools:
    """Close small gaps, drop what lasts longer than a day."""
    gap = max(1, _JOIN_MS // step_ms)
    result = np.zeros(len(found), bool)
    for first, last in _runs(found, gap):
        if (last - first + 1) * step_ms <= _LONGEST_MS:
            result[first : last + 1] = True
    return result


def _runs(found: Bools, gap: int) -> list[tuple[int, int]]:
    """First and last place of each run; runs no further than `gap` apart are one."""
    places = np.flatnonzero(found)
    if not len(places):
        return []
    cuts = np.flatnonzero(np.diff(places) > gap)
    firsts = places[np.concatenate([[0], cuts + 1])]
    lasts = places[np.concatenate([cuts, [len(places) - 1]])]
    return list(zip(firsts.tolist(), lasts.tolist(), strict=True))


def _incidents(events: Events, marked: Bools, excess: Floats, total: Floats) -> list[Incident]:
    found: list[Incident] = []
    for first, last in _runs(marked, 1):
        rows = slice(first, last + 1)
        weight = float(total[rows].sum())
        found.append(
            Incident(
                int(events.times_ms[first]) - events.step_ms,
                int(events.times_ms[last]),
                float(excess[rows].sum()),
                float(excess[rows].sum()) / weight if weight else 0.0,
                last >= len(marked) - 1 - max(1, 15 * 60_000 // events.step_ms),
            )
        )
    return found
