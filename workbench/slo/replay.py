"""What the alerts would have done: every pair's condition, held against the history.

As in the rules, an alert is on while both of its windows burn faster than the factor; there is no
``for``. The rules are evaluated here once a step, so that times are exact to a step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Ints
from workbench.slo.burn import burn_rates, pair_name
from workbench.slo.events import Events
from workbench.slo.incidents import Incident
from workbench.slo.pairs import BurnPair
from workbench.window import format_time

__all__ = ["Episode", "PairReplay", "Replay", "replay"]

_HOUR_MS: Final = 3_600_000
_WEEK_MS: Final = 7 * 24 * _HOUR_MS


@dataclass(frozen=True, slots=True)
class Episode:
    """One time that an alert would have been on.

    Parameters
    ----------
    pair
        Which.
    start_ms, end_ms
        The first evaluation at which it was on, and the first at which it was not any more.
    peak
        The highest burn rate of its long window while it was on.
    spent
        The share of the whole budget that went from the beginning of its first long window to its
        end: what had to be spent for it to come, and went while it was on.
    running
        Whether it is on at the end of the data.
    """

    pair: BurnPair
    start_ms: int
    end_ms: int
    peak: float
    spent: float
    running: bool

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "pair": pair_name(self.pair),
            "severity": self.pair.severity,
            "start": format_time(self.start_ms),
            "end": format_time(self.end_ms),
            "minutes": round((self.end_ms - self.start_ms) / 60_000),
            "peak_burn": round(self.peak, 3),
            "budget_spent": round(self.spent, 5),
            "running": self.running,
        }


@dataclass(frozen=True, slots=True)
class PairReplay:
    """One pair over the window.

    Parameters
    ----------
    pair
        Which.
    episodes
        When it would have been on.
    per_week
        Firings a week.
    minutes
        How long it was on in all.
    flaps
        Firings that came less than the pair's long window after the one before had ended.
    single
        The share of evaluations at which one bad event in the short window would have been enough.
    least_events
        Events that the long window must have so that one bad event is not enough.
    typical_events
        Median events of the long window; None where only a ratio is known.
    """

    pair: BurnPair
    episodes: tuple[Episode, ...]
    per_week: float
    minutes: float
    flaps: int
    single: float
    least_events: int
    typical_events: float | None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "pair": pair_name(self.pair),
            "severity": self.pair.severity,
            "factor": self.pair.factor,
            "firings": len(self.episodes),
            "firings_per_week": round(self.per_week, 3),
            "minutes": round(self.minutes),
            "flaps": self.flaps,
            "one_event_is_enough": round(self.single, 5),
            "least_events": self.least_events,
            "typical_events": self.typical_events and round(self.typical_events, 1),
        }


@dataclass(frozen=True, slots=True)
class Replay:
    """All pairs over the window, and how soon they would have told of each incident.

    Parameters
    ----------
    pairs
        One an alert.
    delays
        Of each incident in the window, milliseconds from its beginning to the first alert; None
        where none came.
    """

    pairs: tuple[PairReplay, ...]
    delays: tuple[tuple[Incident, int | None], ...]

    @property
    def episodes(self) -> tuple[Episode, ...]:
        """Of all pairs, in order of time."""
        found = [e for p in self.pairs for e in p.episodes]
        return tuple(sorted(found, key=lambda e: (e.start_ms, e.pair.long_ms)))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "pairs": [p.to_dict() for p in self.pairs],
            "episodes": [e.to_dict() for e in self.episodes],
            "incidents": [
                {**i.to_dict(), "detected_after_minutes": d if d is None else d / 60_000}
                for i, d in self.delays
            ],
        }


def replay(
    events: Events,
    budget: float,
    pairs: Sequence[BurnPair],
    *,
    start_ms: int,
    allowed: float,
    least_events: float = 0.0,
    incidents: Sequence[Incident] = (),
) -> Replay:
    """Hold the alerts against the history.

    Parameters
    ----------
    events
        The history; what lies before `start_ms` only fills the long windows.
    budget
        1 less the target.
    pairs
        The alerts.
    start_ms
        From when on firings count.
    allowed
        Bad events that the whole budget allows (of a ratio: step-shares).
    least_events
        The objective's own guard: alerts wait for so many events in their long window.
    incidents
        Bursts that were seen, to tell how soon each was noticed.
    """
    found = tuple(
        _replay(events, budget, p, start_ms=start_ms, allowed=allowed, least_events=least_events)
        for p in pairs
    )
    episodes = [e for p in found for e in p.episodes]
    recent = [i for i in incidents if i.start_ms >= start_ms]
    return Replay(found, tuple((i, _delay(i, episodes)) for i in recent))


def _replay(
    events: Events,
    budget: float,
    pair: BurnPair,
    *,
    start_ms: int,
    allowed: float,
    least_events: float,
) -> PairReplay:
    long, short = (burn_rates(events, budget, s) for s in (pair.long_ms, pair.short_ms))
    _, seen = events.sums(pair.long_ms)
    on: Bools = (long > pair.factor) & (short > pair.factor) & (seen >= least_events)
    inside = events.times_ms > start_ms
    bad = np.concatenate([[0.0], np.cumsum(np.nan_to_num(events.bad))])
    lead = round(pair.long_ms / events.step_ms)
    episodes = []
    for first, end in _runs(on & inside):
        spent = float(bad[end] - bad[max(first + 1 - lead, 0)])
        running = end == len(on)
        stop = int(events.times_ms[end - 1]) + events.step_ms * (not running)
        peak = float(long[first:end].max())
        share = spent / allowed if allowed > 0 else 0.0
        episodes.append(Episode(pair, int(events.times_ms[first]), stop, peak, share, running))
    least = math.floor(1 / (pair.factor * budget)) + 1
    weeks = max(int(inside.sum()) * events.step_ms / _WEEK_MS, 1e-9)
    alone = (seen > 0) & (seen < least) & (seen >= least_events) & inside & events.counted
    typical = float(np.median(seen[inside])) if events.counted and inside.any() else None
    return PairReplay(
        pair,
        tuple(episodes),
        len(episodes) / weeks,
        float((on & inside).sum()) * events.step_ms / 60_000,
        sum(b.start_ms - a.end_ms < pair.long_ms for a, b in pairwise(episodes)),
        float(alone.sum() / max(inside.sum(), 1)),
        least,
        typical,
    )


def _runs(on: Bools) -> list[tuple[int, int]]:
    """First place of each run, and the place after its last."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], on, [False]]).astype(np.int8)))
    places: Ints = edges.reshape(-1, 2).astype(np.int64)
    return [(int(a), int(b)) for a, b in places]


def _delay(incident: Incident, episodes: Sequence[Episode]) -> int | None:
    """From the incident's beginning to the first alert that came while it lasted or soon after."""
    until = incident.end_ms + _HOUR_MS
    starts = [
        max(e.start_ms - incident.start_ms, 0)
        for e in episodes
        if e.start_ms <= until and e.end_ms > incident.start_ms
    ]
    return min(starts, default=None)
