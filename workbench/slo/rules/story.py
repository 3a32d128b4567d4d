"""Traffic whose burn rate is known at every moment, told so that just one pair of windows alerts.

A story begins with traffic without errors, then a share of the requests fails, then none fails any
more. Its error ratio over any window is a sum, so the moments at which a pair of windows starts and
stops to alert are known without evaluating any rule: they are what the rules are tested against.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import accumulate, product
from typing import Final

from workbench.slo.pairs import BurnPair

__all__ = [
    "EVERY_MS",
    "Phase",
    "Story",
    "stories_of_pair",
    "story_without_alert",
    "story_without_errors",
]

EVERY_MS: Final = 6 * 3_600_000
"""How often the rules are evaluated in a test: seldom, for only one moment of a story counts."""
_STEPS_MS: Final = (15_000, 60_000, 300_000, 900_000)
_PER_SHORT: Final = 20
"""Samples in a short window, about: enough for its edges to be seen."""
_MARGIN: Final = 2
"""Steps before and after a change at which nothing is asked: rules see samples, not moments."""
_RATES: Final = (1.9, 1.5, 1.2, 4.1, 1.1)
"""Burn rates to try, in multiples of the pair's factor."""
_BEFORE: Final = (1, 10)
"""Traffic before the burn to try, in multiples of that during it."""
_NEAR: Final = 0.01
"""How near to a limit an error ratio may not come where someone looks."""
_FEWEST: Final = 4
"""Steps that a window needs for its ratio to be known."""
_WORST: Final = 0.98
"""An error ratio that still leaves some good requests."""


@dataclass(frozen=True, slots=True)
class Phase:
    """Steady traffic.

    Parameters
    ----------
    steps
        How long it lasts, in steps of the story.
    events
        Requests in a step, in multiples of the story's own unit.
    bad
        Which share of them fails.
    """

    steps: int
    events: float
    bad: float


@dataclass(frozen=True, slots=True)
class Story:
    """What happens, and which alerts fire at one moment of it.

    Parameters
    ----------
    name
        What it tells.
    step_ms
        The length of a step.
    phases
        What happens, from the start.
    at_ms
        The moment, a multiple of `EVERY_MS`.
    firing
        The severities whose alerts fire then.
    """

    name: str
    step_ms: int
    phases: tuple[Phase, ...]
    at_ms: int
    firing: frozenset[str]


class _Traffic:
    """The sums over a story's phases."""

    def __init__(self, step_ms: int, phases: Sequence[Phase]) -> None:
        self.step_ms = step_ms
        each = [p for p in phases for _ in range(p.steps)]
        self._events = [0.0, *accumulate(p.events for p in each)]
        self._bad = [0.0, *accumulate(p.events * p.bad for p in each)]
        self.steps = len(each)

    def ratio(self, step: int, window_ms: int) -> float:
        """The error ratio over a window that ends at a step."""
        start = max(0, step - window_ms // self.step_ms)
        events = self._events[step] - self._events[start]
        return (self._bad[step] - self._bad[start]) / events if events else 0.0

    def fires(self, pair: BurnPair, step: int, budget: float, tolerance: float = 0) -> bool:
        """Whether a pair of windows alerts at a step, with its limit raised by a share."""
        limit = pair.factor * budget * (1 + tolerance)
        return all(self.ratio(step, w) > limit for w in (pair.long_ms, pair.short_ms))

    def firing(self, pairs: Sequence[BurnPair], step: int, budget: float) -> frozenset[str] | None:
        """The severities that alert at a step and just beside it; None where that cannot be told."""
        surely = {
            p.severity
            for p in pairs
            if p.short_ms >= _FEWEST * self.step_ms
            and all(self.fires(p, i, budget, _NEAR) for i in range(step - 1, step + 2))
        }
        perhaps = {
            p.severity
            for p in pairs
            if any(self.fires(p, i, budget, -_NEAR) for i in range(step - 1, step + 2))
        }
        return frozenset(surely) if surely == perhaps else None


def stories_of_pair(pair: BurnPair, pairs: Sequence[BurnPair], budget: float) -> tuple[Story, ...]:
    """A burn that makes one pair alert and no other of its severity, at the moments that matter.

    Parameters
    ----------
    pair
        The pair.
    pairs
        All pairs that can alert.
    budget
        The error budget of the objective.

    Returns
    -------
    tuple of Story
        Shortly before and after the alert begins, which the long window decides, and before and
        after it ends, which the short one does; nothing where no traffic that is tried makes this
        pair alert alone.
    """
    step_ms = _step_of(pair.short_ms)
    for phases in _burns(pair, pairs, budget, step_ms):
        stories = _told(pair, pairs, budget, step_ms, phases)
        if stories:
            return stories
    return ()


def story_without_alert(pairs: Sequence[BurnPair], budget: float) -> Story:
    """A burn just too slow for any of the pairs, as long as the window that would see it."""
    slowest = min(pairs, key=lambda p: (p.factor, p.long_ms))
    step_ms = _step_of(slowest.short_ms)
    last = -(-slowest.long_ms // EVERY_MS) * EVERY_MS
    phases = (Phase(last // step_ms + 1, 1, 0.9 * slowest.factor * budget),)
    return Story("too slow to alert", step_ms, phases, last, frozenset())


def story_without_errors(pairs: Sequence[BurnPair]) -> Story:
    """Traffic of which nothing ever failed, so that there is not even a counter of it."""
    fastest = min(pairs, key=lambda p: p.short_ms)
    step_ms = _step_of(fastest.short_ms)
    phases = (Phase(EVERY_MS // step_ms + 1, 1, 0),)
    return Story("nothing fails", step_ms, phases, EVERY_MS, frozenset())


def _step_of(short_ms: int) -> int:
    return max((s for s in _STEPS_MS if s * _PER_SHORT <= short_ms), default=_STEPS_MS[0])


def _burns(
    pair: BurnPair, pairs: Sequence[BurnPair], budget: float, step_ms: int
) -> Iterator[tuple[Phase, ...]]:
    """Stories to try, the shortest first."""
    longest = max(p.long_ms for p in pairs if p.severity == pair.severity)
    long, short = pair.long_ms // step_ms, pair.short_ms // step_ms
    for before, events, rate in product((pair.long_ms, longest), _BEFORE, _RATES):
        bad = min(rate * pair.factor * budget, _WORST)
        quiet = Phase(before // step_ms, events, 0)
        burning = _Traffic(step_ms, (quiet, Phase(long, 1, bad)))
        start = next(
            (i for i in range(quiet.steps, burning.steps) if burning.fires(pair, i, budget)), None
        )
        if start is not None:
            burn = Phase(start - quiet.steps + short + long // 20, 1, bad)
            yield quiet, burn, Phase(2 * short, 1, 0)


def _told(
    pair: BurnPair,
    pairs: Sequence[BurnPair],
    budget: float,
    step_ms: int,
    phases: tuple[Phase, ...],
) -> tuple[Story, ...]:
    """The four moments, or nothing where another pair alerts at one of them too."""
    traffic = _Traffic(step_ms, phases)
    fires = [traffic.fires(pair, i, budget) for i in range(traffic.steps + 1)]
    start, burnt = fires.index(True), phases[0].steps + phases[1].steps
    if not all(fires[start:burnt]) or fires[-1]:
        return ()
    stop = fires.index(False, burnt)
    # The longer a ratio has risen, the less it rises in a step, and the farther off one must look.
    farthest = _MARGIN + math.ceil(2 * _NEAR * (start - phases[0].steps))
    stories = []
    for word, change, sign in (
        ("not yet", start, -1),
        ("begins", start, 1),
        ("goes on", stop, -1),
        ("is over", stop, 1),
    ):
        for margin in range(_MARGIN, farthest + 1 if change == start else _MARGIN + 1):
            moved, step = _moved(phases, change + sign * margin, step_ms)
            firing = _alone(pair, pairs, budget, _Traffic(step_ms, moved), step)
            if firing is not None and (pair.severity in firing) is (
                (change == start) is (sign > 0)
            ):
                name = f"{pair.severity} {pair.long} and {pair.short} at {pair.factor:g}: {word}"
                stories.append(Story(name, step_ms, moved, step * step_ms, firing))
                break
        else:
            return ()
    return tuple(stories)


def _moved(phases: tuple[Phase, ...], step: int, step_ms: int) -> tuple[tuple[Phase, ...], int]:
    """More of the traffic before the burn, so that a step falls on an evaluation of the rules."""
    more = -step % (EVERY_MS // step_ms)
    return (replace(phases[0], steps=phases[0].steps + more), *phases[1:]), step + more


def _alone(
    pair: BurnPair, pairs: Sequence[BurnPair], budget: float, traffic: _Traffic, step: int
) -> frozenset[str] | None:
    """What alerts at a step; None where it cannot be told, or where the pair is not needed for it."""
    without = traffic.firing([p for p in pairs if p is not pair], step, budget)
    if without is None or pair.severity in without:
        return None
    return traffic.firing(pairs, step, budget)
