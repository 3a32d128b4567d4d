"""Families of latencies, in seconds, smooth and lumpy, and how well an advised layout does on each.

The truth is the quantile of the observations themselves: what is measured is what the buckets
cost, without the noise of sampling.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from workbench.latency.adviser import advise
from workbench.latency.layouts import Layout
from workbench.statistics.buckets import BucketCounts
from workbench.statistics.quantiles import promql_quantile, quantile

GO_DEFAULT = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
QUANTILES = (0.5, 0.95, 0.99)

Draw = Callable[[np.random.Generator, int], np.ndarray]


def _bimodal(random: np.random.Generator, count: int) -> np.ndarray:
    """A cache: four of five requests hit it, the others wait for the database."""
    hit = random.lognormal(np.log(0.012), 0.4, count)
    miss = random.lognormal(np.log(0.35), 0.5, count)
    return np.where(random.random(count) < 0.8, hit, miss)


FAMILIES: dict[str, Draw] = {
    "log-normal": lambda random, count: random.lognormal(np.log(0.12), 0.8, count),
    "gamma": lambda random, count: random.gamma(2.0, 0.09, count),
    "Weibull": lambda random, count: 0.2 * random.weibull(0.7, count),
    "bimodal": _bimodal,
    "Pareto": lambda random, count: 0.03 * (1 + random.pareto(1.6, count)),
    "exponential": lambda random, count: random.exponential(0.15, count),
}
"""All of them within the range of the default boundaries, as a service's latencies are."""


def _retries(random: np.random.Generator, count: int) -> np.ndarray:
    """Three in a hundred wait a second and ask again."""
    first = random.lognormal(np.log(0.08), 0.5, count)
    return np.where(random.random(count) < 0.03, first + 1.0, first)


def _timeouts(random: np.random.Generator, count: int) -> np.ndarray:
    """Given up after two seconds, which three in two hundred reach."""
    slow = random.lognormal(np.log(0.1), 1.0, count)
    return np.where(random.random(count) < 0.015, 2.0, np.minimum(slow, 2.0))


def _three_modes(random: np.random.Generator, count: int) -> np.ndarray:
    """Memory, disk and another region, each narrow."""
    which = random.random(count)
    near = random.lognormal(np.log(0.02), 0.2, count)
    middle = random.lognormal(np.log(0.2), 0.15, count)
    far = random.lognormal(np.log(0.9), 0.1, count)
    return np.where(which < 0.6, near, np.where(which < 0.93, middle, far))


LUMPY: dict[str, Draw] = {
    "retries": _retries,
    "time-outs": _timeouts,
    "three modes": _three_modes,
    "uniform": lambda random, count: random.uniform(0.02, 0.4, count),
}
"""Not smooth: what lies inside one bucket leaves no trace in the counts around it."""

EVERY = {**FAMILIES, **LUMPY}


@dataclass(frozen=True)
class Trial:
    """One observed sample, its advice, and what is true of the advised and of today's layout.

    Errors have shape (quantiles,) and are shares of the true value.
    """

    family: str
    chosen: Layout
    today: Layout
    expected: np.ndarray
    expected_promql: np.ndarray
    true: np.ndarray
    true_promql: np.ndarray
    today_true: np.ndarray
    today_promql: np.ndarray
    worst: np.ndarray
    worst_promql: np.ndarray
    cpu_seconds: float


def try_advice(
    family: str, seed: int, *, count: int = 20_000, max_buckets: int | None = None
) -> Trial:
    """Scale a family by up to a factor 2 to either side, observe it, advise, and look."""
    random = np.random.default_rng([seed, *family.encode()])
    scale = float(np.exp(random.uniform(-np.log(2), np.log(2))))
    sample = scale * EVERY[family](random, count)
    observed = BucketCounts.of_observations([*GO_DEFAULT, np.inf], sample)
    objective = float(f"{np.quantile(sample, 0.95):.1g}")
    start = time.process_time()
    advice = advise(observed, objectives=[objective], label_sets=50, max_buckets=max_buckets)
    used = time.process_time() - start
    chosen = advice.recommended
    assert chosen is not None
    later = scale * EVERY[family](random, count)
    true, true_promql = errors(chosen.boundaries, later)
    today_true, today_promql = errors(GO_DEFAULT, later)
    return Trial(
        family,
        chosen,
        advice.today,
        np.array([q.expected for q in chosen.quantiles]),
        np.array([q.expected_promql for q in chosen.quantiles]),
        true,
        true_promql,
        today_true,
        today_promql,
        np.array([q.worst for q in chosen.quantiles]),
        np.array([q.worst_promql for q in chosen.quantiles]),
        used,
    )


def errors(boundaries: tuple[float, ...], sample: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What our estimate and ``histogram_quantile`` miss on some boundaries."""
    counted = BucketCounts.of_observations([*boundaries, np.inf], sample)
    truth = np.quantile(sample, QUANTILES)
    promql = np.array([float(promql_quantile(counted, q)) for q in QUANTILES])
    return np.abs(quantile(counted, QUANTILES) / truth - 1), np.abs(promql / truth - 1)
