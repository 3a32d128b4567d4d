"""Memory of containers: requests and limits from daily peaks, their growth and their shifts.

Memory cannot be taken back: what counts is the highest within the coming weeks. Its distribution
comes from the same averaged models of daily peaks as the dates on which a disk is full.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.capacity.judging import LEAST_DAYS
from workbench.capacity.sizing.containers import Container
from workbench.capacity.sizing.peer_rules import PeerAdvice, krr_memory, vpa_memory
from workbench.capacity.sizing.result import MemoryAdvice, Rule
from workbench.samples import Floats, Ints
from workbench.statistics import (
    DAY_MS,
    DailyPeaks,
    average_models,
    daily_peaks,
    pool_shifts,
    simulate,
)
from workbench.units import counted

__all__ = ["Highest", "advise_memory", "memory_obstacle", "memory_peaks"]

_WEEK: Final = 7
_LIMIT_RISK: Final = 0.2
"""The limit is exceeded with this part of the request's risk: beyond it the container is killed."""

_LEAST_MARGIN: Final = 1.05
"""The limit stands at least so far above the highest ever seen, where peaks do not vary."""

_AT_LIMIT: Final = 0.95
_BEYOND_LIMIT: Final = 1.2
"""Where the peak was cut off by today's limit, the new one stands so far above it."""

_FLOOR: Final = 16 * 1024.0**2


@dataclass(frozen=True, slots=True, eq=False)
class Highest:
    """The highest within a horizon, as draws.

    Parameters
    ----------
    values
        Shape (draws,), bytes.
    growth
        Shape (draws,): what the trend adds in 30 days.
    """

    values: Floats
    growth: Floats

    def chance(self, bound: float | None) -> float | None:
        """That it lies above a bound."""
        return None if bound is None else float((self.values > bound).mean())

    def quantile(self, share: float) -> float:
        """Of the draws."""
        return float(np.quantile(self.values, share))


def memory_peaks(container: Container, end_ms: int) -> DailyPeaks:
    """The peak of each day until then."""
    times, values = container.memory_times_ms, container.memory
    return daily_peaks(times, values, np.ones(len(times), np.bool_), end_ms=end_ms)


def memory_obstacle(container: Container, peaks: DailyPeaks) -> str:
    """Why there can be no advice, ``""`` where there can."""
    if not len(container.memory):
        return "there is no sample of memory usage"
    days = len(peaks.days)
    if days < LEAST_DAYS:
        verb = "is" if days == 1 else "are"
        peaks_known = counted(days, "daily peak")
        return f"{peaks_known} of memory {verb} known, {LEAST_DAYS} are needed"
    return ""


def advise_memory(
    found: Sequence[Container], *, risk: float, days: int, seed: int = 0
) -> list[MemoryAdvice | None]:
    """Judge the memory of every container; None where there is too little data.

    Parameters
    ----------
    found
        The containers.
    risk
        The chance that the highest within `days` is above the request.
    days
        The horizon.
    seed
        Of the drawn paths: equal input and seed give equal figures, in any order of containers.
    """
    ends = [int(c.memory_times_ms[-1]) if len(c.memory) else 0 for c in found]
    series = [memory_peaks(c, end) for c, end in zip(found, ends, strict=True)]
    highest = _futures(found, series, days, seed)
    before = [memory_peaks(c, end - _WEEK * DAY_MS) for c, end in zip(found, ends, strict=True)]
    held = _futures(found, before, _WEEK, seed)
    return [
        None if each is None else _advice(c, peaks, each, earlier, risk)
        for c, peaks, each, earlier in zip(found, series, highest, held, strict=True)
    ]


def _futures(
    found: Sequence[Container], series: Sequence[DailyPeaks], days: int, seed: int
) -> list[Highest | None]:
    randoms = [_random(seed, c) for c in found]
    averages = [
        average_models(p.days, p.values, rng) if not memory_obstacle(c, p) and _moves(p) else None
        for c, p, rng in zip(found, series, randoms, strict=True)
    ]
    pool = pool_shifts([a for a in averages if a is not None])
    result: list[Highest | None] = []
    for c, peaks, average, rng in zip(found, series, averages, randoms, strict=True):
        if average is not None:
            paths = simulate(average, start_day=len(peaks), horizon=days, rng=rng, pool=pool)
            result.append(Highest(np.maximum(paths.values.max(axis=1), 0.0), paths.growth))
        elif memory_obstacle(c, peaks):
            result.append(None)
        else:
            result.append(Highest(peaks.values[-1:], np.zeros(1)))
    return result


def _moves(peaks: DailyPeaks) -> bool:
    return bool(np.ptp(peaks.values) > 1e-9 * max(float(peaks.values.max()), 1e-300))


def _random(seed: int, container: Container) -> np.random.Generator:
    text = repr(container.key).encode("utf-8", "surrogatepass")
    digest = hashlib.blake2b(text, digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])


def _advice(
    container: Container,
    peaks: DailyPeaks,
    highest: Highest,
    held: Highest | None,
    risk: float,
) -> MemoryAdvice:
    request = max(highest.quantile(1 - risk), _FLOOR)
    low, middle, high = (highest.quantile(q) for q in (0.1, 0.5, 0.9))
    growth = tuple(np.quantile(highest.growth, [0.1, 0.5, 0.9]).tolist())
    cut_ms = int(container.memory_times_ms[-1]) - _WEEK * DAY_MS
    week = container.memory[container.memory_times_ms > cut_ms] if held else None
    mine = max(held.quantile(1 - risk), _FLOOR) if held else None
    return MemoryAdvice(
        ours=_rule(request, mine, week),
        krr=_peer(krr_memory, container, cut_ms, week),
        vpa=_peer(vpa_memory, container, cut_ms, week),
        limit=_limit(container, peaks, highest, request, risk),
        peak_low=low,
        peak=middle,
        peak_high=high,
        growth=(growth[0], growth[1], growth[2]),
        chance_request=highest.chance(container.memory_request),
        chance_limit=highest.chance(container.memory_limit),
    )


def _limit(
    container: Container, peaks: DailyPeaks, highest: Highest, request: float, risk: float
) -> float:
    seen = float(peaks.values.max())
    limit = max(highest.quantile(1 - risk * _LIMIT_RISK), _LEAST_MARGIN * seen, request)
    now = container.memory_limit
    if now is not None and (container.oom_killed or seen >= _AT_LIMIT * now):
        limit = max(limit, _BEYOND_LIMIT * now)
    return limit


def _rule(request: float, held: float | None, week: Floats | None) -> Rule:
    if held is None or week is None or not len(week):
        return Rule(request)
    mean = float(week.mean())
    unused = float(np.maximum(held - week, 0).mean()) / mean if mean > 0 else None
    return Rule(request, held, float((week > held).mean()), unused)


def _peer(
    rule: Callable[[Ints, Floats], PeerAdvice | None],
    container: Container,
    cut_ms: int,
    week: Floats | None,
) -> Rule | None:
    times, memory = container.memory_times_ms, container.memory
    advice = rule(times, memory)
    if advice is None:
        return None
    before = times <= cut_ms
    held = rule(times[before], memory[before]) if week is not None else None
    return _rule(advice.target, held.target if held else None, week)
