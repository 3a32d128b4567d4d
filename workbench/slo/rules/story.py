"""Traffic whose burn rate is known at every moment, told so that just one pair of windows alerts.

A story begins with traffic without errors, then a share of the requests fails, then none fails any
more. Its error ratio over any window is a sum, so the moments at which a pair of windows starts and
stops to alert are known without evaluating any rule: they are what the rules are tested against.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, product
from typing import Final

from workbench.slo.pairs import BurnPair

__all__ = ["Check", "Phase", "Story", "story_of_pair", "story_without_alert"]

_MINUTE_MS: Final = 60_000
_STEPS_MS: Final = (15_000, 60_000, 300_000, 900_000)
_PER_SHORT: Final = 20
"""Samples in a short window, about: enough for its edges to be seen."""
_MARGIN: Final = 3
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
class Check:
    """A whole minute of the story, and the severities whose alerts fire then."""

    at_ms: int
    firing: frozenset[str]


@dataclass(frozen=True, slots=True)
class Story:
    """What happens, and which alerts are to come of it."""

    name: str
    step_ms: int
    phases: tuple[Phase, ...]
    checks: tuple[Check, ...]


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


def story_of_pair(pair: BurnPair, pairs: Sequence[BurnPair], budget: float) -> Story | None:
    """A burn that makes one pair alert, and none of the others of its severity.

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
    Story or None
        It starts to alert when the long window is over the limit, stops when the short one is not.
        None where no traffic that is tried makes this pair alert alone.
    """
    step_ms = _step_of(pair.short_ms)
    for phases in _burns(pair, pairs, budget, step_ms):
        traffic = _Traffic(step_ms, phases)
        checks = _checks(pair, pairs, budget, traffic, phases[0].steps + phases[1].steps)
        if checks:
            name = f"{pair.severity} {pair.long} and {pair.short} at {pair.factor:g}"
            return Story(name, step_ms, phases, checks)
    return None


def story_without_alert(pairs: Sequence[BurnPair], budget: float) -> Story:
    """A burn just too slow for any of the pairs, as long as the window that would see it."""
    slowest = min(pairs, key=lambda p: (p.factor, p.long_ms))
    step_ms = _step_of(slowest.short_ms)
    steps = slowest.long_ms // step_ms
    phases = (Phase(steps + steps // 4, 1, 0.9 * slowest.factor * budget),)
    last = phases[0].steps * step_ms
    checks = tuple(Check(_minute(at), frozenset()) for at in (last // 2, last))
    return Story("too slow to alert", step_ms, phases, checks)


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
            burn = Phase(start - quiet.steps + short + 2 * _MARGIN, 1, bad)
            yield quiet, burn, Phase(2 * short, 1, 0)


def _checks(
    pair: BurnPair, pairs: Sequence[BurnPair], budget: float, traffic: _Traffic, burnt: int
) -> tuple[Check, ...]:
    """When to look, or nothing where another pair alerts at such a moment too."""
    fires = [traffic.fires(pair, i, budget) for i in range(traffic.steps + 1)]
    start = fires.index(True)
    if not all(fires[start:burnt]) or fires[-1]:
        return ()
    stop = fires.index(False, burnt)
    step = traffic.step_ms
    others = [p for p in pairs if p is not pair]
    checks = []
    for at_ms, expected in (
        (_minute((start - _MARGIN) * step), False),
        (_minute((start + _MARGIN) * step + _MINUTE_MS - 1), True),
        (_minute((stop - _MARGIN) * step), True),
        (_minute((stop + _MARGIN) * step + _MINUTE_MS - 1), False),
    ):
        at = at_ms // step
        firing = None if at >= traffic.steps else traffic.firing(pairs, at, budget)
        alone = traffic.firing(others, at, budget)
        if firing is None or alone is None or pair.severity in alone:
            return ()
        if (pair.severity in firing) is not expected:
            return ()
        checks.append(Check(at_ms, firing))
    return tuple(checks)


def _minute(milliseconds: int) -> int:
    """The last whole minute, at which rules are evaluated."""
    return milliseconds // _MINUTE_MS * _MINUTE_MS
