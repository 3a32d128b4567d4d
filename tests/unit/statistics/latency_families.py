"""Six families of latencies, in seconds, whose quantiles are known: none is a favourite of ours."""

from __future__ import annotations

import math

import numpy as np

from workbench.statistics.buckets import BucketCounts

DEFAULT = np.array([0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, np.inf])
QUANTILES = (0.5, 0.9, 0.95, 0.99)


def lognormal(rng, n):
    return rng.lognormal(math.log(0.08), 0.6, n)


def gamma(rng, n):
    return rng.gamma(2.0, 0.06, n)


def weibull(rng, n):
    return 0.12 * rng.weibull(1.5, n)


def exponential(rng, n):
    return rng.exponential(0.15, n)


def bimodal(rng, n):
    slow = rng.random(n) < 0.15
    return np.where(
        slow, rng.lognormal(math.log(0.6), 0.4, n), rng.lognormal(math.log(0.04), 0.4, n)
    )


def pareto(rng, n):
    """It begins abruptly at a bucket's edge: the hardest case for any interpolation."""
    return 0.05 * (1 + rng.pareto(2.5, n))


FAMILIES = (lognormal, gamma, weibull, exponential, bimodal, pareto)


def counted(family, rng, n, times, bounds=DEFAULT):
    """Samples of `n` requests each, counted on buckets."""
    draws = [BucketCounts.of_observations(bounds, family(rng, n)).counts for _ in range(times)]
    return BucketCounts(np.concatenate([[0.0], bounds]), np.stack(draws))


def truth(family, quantiles=QUANTILES):
    """The quantiles of a family, to about a thousandth."""
    return np.quantile(family(np.random.default_rng(0), 2_000_000), quantiles)


def with_slow_way(body, spread, slow, share):
    """A log-normal body, and a second, slower log-normal for a share of the requests."""

    def draw(rng, n):
        taken = rng.lognormal(math.log(body), spread, n)
        return np.where(rng.random(n) < share, rng.lognormal(math.log(slow), 0.4, n), taken)

    return draw


KNEES = {
    "p99 at the knee": with_slow_way(0.205, 0.35, 1.4, 0.01),
    "a knee at two per cent": with_slow_way(0.05, 0.3, 1.0, 0.02),
    "a knee at five per cent": with_slow_way(0.03, 0.4, 0.5, 0.05),
    "a narrow body": with_slow_way(0.15, 0.15, 0.6, 0.01),
    "a cache": with_slow_way(0.002, 0.5, 0.09, 0.3),
}
"""Laws with a bend between two edges, where a quantile is hard to place."""
