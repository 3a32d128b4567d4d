"""Minutes of requests whose truth is known: traffic and latency that remember the minute before.

Requests a minute are Poisson about a rate that is gamma (bursts) about a log-normal AR(1); latencies
are log-normal about a level that is AR(1) too. Counts fall into Prometheus' default buckets.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter
from scipy.special import ndtr

from workbench.statistics.buckets import BucketCounts

BOUNDS = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, np.inf])
EDGES = np.concatenate([[0.0], BOUNDS])
MEDIAN_SECONDS = 0.1
SPREAD = 0.8
DAY_MINUTES = 1440


@dataclass(frozen=True)
class World:
    """How requests come; `memory` is the autocorrelation of one minute with the next."""

    name: str
    rate: float = 60.0
    rate_memory: float = 0.0
    rate_sd: float = 0.0
    burst: float = np.inf  # shape of the gamma: the smaller, the more overdispersed
    level_memory: float = 0.0
    level_sd: float = 0.0  # of the log of the latencies' median
    spread_sd: float = 0.0  # of the log of their spread, on the level's memory
    daily: float = 0.0  # amplitude of the log rate's daily wave


WORLDS = (
    World("independent requests"),
    World("mild memory", 60, 0.9, 0.3, 5, 0.8, 0.1),
    World("strong memory", 60, 0.95, 0.5, 3, 0.9, 0.2),
    World("slow (50 min)", 60, 0.99, 0.5, 3, 0.98, 0.2),
    World("very slow (200 min)", 60, 0.998, 0.5, 3, 0.995, 0.2),
    World("bursts, moving tail", 60, 0.9, 0.8, 1, 0.9, 0.3, 0.15),
    World("daily wave of traffic", 60, 0.95, 0.3, 3, 0.9, 0.1, daily=1.0),
)


@dataclass(frozen=True)
class Minutes:
    """Minutes of many runs before requests are drawn: arrays of shape (runs, minutes)."""

    expected: np.ndarray
    level: np.ndarray
    spread: np.ndarray

    def draw(self, rng, part=slice(None), *, slower=0.0, rate=1.0) -> BucketCounts:
        """Requests by bucket, shape (runs, minutes, buckets), all latencies times e^slower."""
        middle = (np.log(MEDIAN_SECONDS) + self.level[:, part] + slower)[..., None]
        share = ndtr((np.log(BOUNDS) - middle) / self.spread[:, part, None])
        expected = rate * self.expected[:, part, None] * np.diff(share, axis=-1, prepend=0.0)
        return BucketCounts(EDGES, rng.poisson(expected).astype(np.float64))


def simulate(world: World, rng, runs: int, minutes: int) -> Minutes:
    """Moods of a system, minute by minute."""
    shape = (runs, minutes)
    rate = np.log(world.rate) + wandering(rng, shape, world.rate_memory, world.rate_sd)
    phase = rng.uniform(0, 2 * np.pi, (runs, 1))
    rate = rate + world.daily * np.sin(2 * np.pi * np.arange(minutes) / DAY_MINUTES + phase)
    expected = np.exp(rate)
    if np.isfinite(world.burst):
        expected = expected * rng.gamma(world.burst, 1 / world.burst, shape)
    level = wandering(rng, shape, world.level_memory, world.level_sd)
    spread = SPREAD * np.exp(wandering(rng, shape, world.level_memory, world.spread_sd))
    return Minutes(expected, level, spread)


def wandering(rng, shape, memory: float, sd: float) -> np.ndarray:
    """A stationary AR(1), shape (runs, minutes)."""
    if not sd:
        return np.zeros(shape)
    shocks = rng.standard_normal(shape)
    shocks[:, 1:] *= np.sqrt(1 - memory**2)
    return sd * lfilter([1.0], [1.0, -memory], shocks, axis=1)
