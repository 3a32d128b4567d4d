"""What an instrumented process exposes: counters, gauges and histograms over the grid.

A counter is the running sum of whole increments since the process last started: it is 0 at the
first scrape and at each restart, when the process had no time to do anything (`quiet`). So the
sum of a counter's increments, resets accounted for, is exactly what was simulated.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from workbench.demo.grid import Grid
from workbench.demo.latency import BucketMoments, LatencyMix
from workbench.samples import STALE_NAN, Floats, Ints, Labels, Series

__all__ = [
    "Observed",
    "Target",
    "counter",
    "cut",
    "gauge",
    "histogram_series",
    "observe",
    "observe_each",
    "quiet",
]


@dataclass(frozen=True, slots=True)
class Target:
    """Something that is scraped.

    Parameters
    ----------
    job, instance
        The labels that Prometheus attaches.
    """

    job: str
    instance: str

    def labels(self, name: str, **labels: str) -> dict[str, str]:
        """The label set of one of its series."""
        return {"__name__": name, **labels, "job": self.job, "instance": self.instance}


def quiet(rates: Floats, grid: Grid, resets_ms: Sequence[int]) -> Floats:
    """The same rates, with nothing happening at the first scrape and at each restart."""
    still = rates.copy()
    still[[0, *(grid.index(at) for at in resets_ms)]] = 0.0
    return still


def counter(increments: Ints, grid: Grid, resets_ms: Sequence[int] = ()) -> Floats:
    """Sum increments since the last restart.

    Parameters
    ----------
    increments
        int64, first axis the minutes; 0 at the first scrape and at each restart (`quiet`).
    resets_ms
        When the process starts anew, ascending.

    Returns
    -------
    ndarray
        float64 of the same shape: never negative, 0 at each restart.
    """
    total = np.cumsum(increments, axis=0)
    for at in resets_ms:
        begin = grid.index(at)
        total[begin:] -= total[begin].copy()
    return total.astype(np.float64)


def gauge(values: Floats, *, decimals: int = 0, low: float = 0.0, high: float = np.inf) -> Floats:
    """Round and bound, as a process with a limited resource would show it."""
    return np.asarray(np.round(np.clip(values, low, high), decimals), dtype=np.float64)


def cut(labels: Labels, grid: Grid, values: Floats, start_ms: int, end_ms: int) -> Series:
    """A series that lives from `start_ms` up to `end_ms`, where Prometheus marks it stale.

    The marker is left out where the series outlives the estate.
    """
    begin, end = grid.index(start_ms), grid.index(end_ms)
    if end == len(grid):
        return labels, grid.times_ms[begin:], values[begin:]
    ended = values[begin : end + 1].copy()
    ended[-1] = STALE_NAN
    return labels, grid.times_ms[begin : end + 1], ended


@dataclass(frozen=True, slots=True)
class Observed:
    """What a process measured of its requests in each minute.

    Parameters
    ----------
    buckets
        int64, shape (minutes, bounds + 1): requests by bucket, not cumulative.
    total
        int64, shape (minutes,): the sum of their durations in milliseconds, or of their tokens.
    """

    buckets: Ints
    total: Ints

    @property
    def count(self) -> Ints:
        """Requests in each minute, shape (minutes,)."""
        return np.asarray(self.buckets.sum(axis=1))


def observe(
    rng: np.random.Generator,
    rates: Floats,
    regimes: Sequence[tuple[slice, LatencyMix]],
    bounds: Sequence[float],
) -> Observed:
    """Draw requests and their durations.

    Each bucket is an independent Poisson number (thinning of a Poisson stream), so the count is
    Poisson too; the sum of the durations is drawn from the normal law that the sum of so many
    requests follows.

    Parameters
    ----------
    rates
        float64, shape (minutes,): expected requests in each minute.
    regimes
        Slices of the minutes, in order and without gaps, each with its latency.
    bounds
        Upper bounds of the buckets in seconds, without ``+Inf``.
    """
    parts = []
    for rows, mix in regimes:
        moments = mix.moments(bounds)
        drawn = rng.poisson(rates[rows, None] * moments.chance)
        parts.append((drawn, _total_ms(rng, drawn, moments, bounds)))
    buckets, totals = zip(*parts, strict=True)
    return Observed(np.concatenate(buckets), np.concatenate(totals))


def observe_each(
    rng: np.random.Generator, requests: Ints, mix: LatencyMix, bounds: Sequence[float]
) -> Observed:
    """Draw durations for a known number of requests in each minute, shape (minutes,)."""
    moments = mix.moments(bounds)
    drawn = rng.multinomial(requests, moments.chance / moments.chance.sum())
    return Observed(drawn, _total_ms(rng, drawn, moments, bounds))


def _total_ms(
    rng: np.random.Generator, drawn: Ints, moments: BucketMoments, bounds: Sequence[float]
) -> Ints:
    """The sum of the durations in each minute, never outside what the buckets allow."""
    noise = rng.standard_normal(len(drawn)) * np.sqrt(drawn @ moments.variance)
    least = drawn @ np.array([0.0, *bounds])
    most = np.where(drawn[:, -1] > 0, np.inf, drawn[:, :-1] @ np.array(bounds))
    total = np.clip(drawn @ moments.mean_seconds + noise, least, most)
    return np.rint(total * 1000).astype(np.int64)


def histogram_series(
    target: Target,
    name: str,
    observed: Observed,
    bounds: Sequence[float],
    *,
    grid: Grid,
    resets_ms: Sequence[int],
    labels: Labels,
    parts: int = 1000,
) -> Iterator[Series]:
    """The ``_bucket``, ``_sum`` and ``_count`` series of a classic histogram.

    A unit of the metric has so many `parts` of what `observed` adds up.
    """
    cumulative = counter(np.cumsum(observed.buckets, axis=1), grid, resets_ms)
    for column, bound in enumerate([*bounds, np.inf]):
        le = "+Inf" if np.isinf(bound) else f"{bound:g}"
        values = np.ascontiguousarray(cumulative[:, column])
        yield target.labels(f"{name}_bucket", **labels, le=le), grid.times_ms, values
    total = counter(observed.total, grid, resets_ms) / parts
    yield target.labels(f"{name}_sum", **labels), grid.times_ms, total
    yield target.labels(f"{name}_count", **labels), grid.times_ms, cumulative[:, -1].copy()
