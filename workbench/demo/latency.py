"""Latency distributions whose every quantile is known: a log-normal body and a slow tail.

A request takes the slow way with a fixed chance (a cache miss, a lock, a cold connection). The
body is placed so that the median of the *mixture* is exactly the one stated, which is how a
deploy can make the tail worse and leave the median where it was.

Moments are those of the log-normal law: with ``ln X ~ N(μ, σ²)``,
``E[Xᵏ; X ≤ x] = exp(kμ + k²σ²/2) Φ((ln x - μ - kσ²) / σ)``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

import numpy as np

from workbench.samples import Floats

__all__ = ["BucketMoments", "LatencyMix"]

_NORMAL: Final = NormalDist()
_NEVER: Final = 1e-12
"""Below this chance a bucket is never hit in the estate, and its moments have no digits left."""


@dataclass(frozen=True, slots=True)
class LatencyMix:
    """A mixture of two log-normal laws.

    Parameters
    ----------
    p50_seconds
        The median of the mixture.
    spread
        Standard deviation of ``ln`` seconds within the body.
    slow_p50_seconds, slow_spread
        Median and log standard deviation of the slow requests.
    slow_share
        Chance that a request is slow, from 0 to below 0.5.

    Examples
    --------
    >>> mix = LatencyMix(0.08, 0.45, 0.6, 0.4, 0.005)
    >>> round(mix.quantile(0.5), 6)
    0.08
    """

    p50_seconds: float
    spread: float
    slow_p50_seconds: float
    slow_spread: float
    slow_share: float

    @property
    def body_p50_seconds(self) -> float:
        """The body's own median, which puts the mixture's where it was asked to be."""
        slow_below = _lognormal_cdf(self.p50_seconds, self.slow_p50_seconds, self.slow_spread)
        share = (0.5 - self.slow_share * slow_below) / (1 - self.slow_share)
        return self.p50_seconds / math.exp(self.spread * _NORMAL.inv_cdf(share))

    def cdf(self, seconds: float) -> float:
        """Chance that a request takes at most so long."""
        return self._partial(seconds, 0)

    def quantile(self, q: float) -> float:
        """The true quantile in seconds, to a relative error of 1e-12, by bisection.

        Parameters
        ----------
        q
            Between 0 and 1, both excluded.
        """
        low, high = 1e-9, 1e9
        while high / low > 1 + 1e-12:
            middle = math.sqrt(low * high)
            low, high = (middle, high) if self.cdf(middle) < q else (low, middle)
        return high

    @property
    def mean_seconds(self) -> float:
        """The mean."""
        return self._partial(math.inf, 1)

    def _partial(self, seconds: float, power: int) -> float:
        """``E[Xᵏ; X ≤ seconds]`` of the mixture."""
        body = _partial_moment(seconds, self.body_p50_seconds, self.spread, power)
        slow = _partial_moment(seconds, self.slow_p50_seconds, self.slow_spread, power)
        return (1 - self.slow_share) * body + self.slow_share * slow

    def moments(self, bounds: Sequence[float]) -> BucketMoments:
        """Chance, mean and variance within each bucket.

        Parameters
        ----------
        bounds
            Upper bounds in seconds, ascending, without ``+Inf``, which is added.
        """
        edges = [0.0, *bounds, math.inf]
        zeroth, first, second = (
            np.diff([self._partial(x, power) if x else 0.0 for x in edges]) for power in range(3)
        )
        hit = zeroth > _NEVER
        low = np.array(edges[:-1])
        mean = np.divide(first, zeroth, out=low.copy(), where=hit)
        square = np.divide(second, zeroth, out=np.square(low), where=hit)
        chance = np.where(hit, zeroth, 0.0)
        return BucketMoments(chance, mean, np.maximum(square - np.square(mean), 0.0))


@dataclass(frozen=True, slots=True)
class BucketMoments:
    """What a distribution does in each bucket; every array has shape (bounds + 1,).

    Parameters
    ----------
    chance
        Probability of the bucket itself, not cumulative.
    mean_seconds, variance
        Of the requests that fall into it, in seconds and seconds squared.
    """

    chance: Floats
    mean_seconds: Floats
    variance: Floats


def _lognormal_cdf(x: float, median: float, spread: float) -> float:
    return _NORMAL.cdf(math.log(x / median) / spread)


def _partial_moment(x: float, median: float, spread: float, power: int) -> float:
    whole = math.exp(power * math.log(median) + (power * spread) ** 2 / 2)
    if math.isinf(x):
        return whole
    return whole * _NORMAL.cdf((math.log(x / median) - power * spread**2) / spread)
