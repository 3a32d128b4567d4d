"""Simulated CPU usage of containers: seasons, noise with memory, drifts, level shifts, bursts."""

from __future__ import annotations

import numpy as np

from workbench.capacity.sizing.quantiles import Usage
from workbench.capacity.sizing.working_hours import hours_of_week

STEP_MS = 300_000
A_DAY = 288
START_MS = 1_767_571_200_000
"""A Monday, 00:00 UTC."""


def grid(days: float) -> np.ndarray:
    """The ends of all steps of so many days."""
    return START_MS + (np.arange(round(days * A_DAY), dtype=np.int64) + 1) * STEP_MS


def usage_from(values: np.ndarray) -> Usage:
    """Values of consecutive steps as usage, in UTC."""
    times = grid(len(values) / A_DAY)
    return Usage(times, values, hours_of_week(times, "UTC"))


def memory_noise(rng: np.random.Generator, steps: int, phi: float) -> np.ndarray:
    """AR(1) noise of unit variance."""
    from scipy.signal import lfilter

    innovations = rng.standard_normal(steps) * np.sqrt(1 - phi**2)
    return lfilter([1.0], [1.0, -phi], innovations)


def simulated_usage(rng: np.random.Generator, days: int) -> Usage:
    """One container, of mean 1."""
    steps = days * A_DAY
    at = np.arange(steps)
    hour, weekday = at % A_DAY / A_DAY, at // A_DAY % 7
    amplitude = rng.uniform(0, 1.2) * (rng.random() < 0.7)
    shape = np.exp(amplitude * np.sin(2 * np.pi * (hour - rng.random())))
    if rng.random() < 0.5:
        shape = np.where(weekday >= 5, shape * rng.uniform(0.3, 0.9), shape)
    if rng.random() < 0.15:
        shape = np.where(
            (weekday == 0) & (hour > 0.3) & (hour < 0.5), shape * rng.uniform(2, 4), shape
        )
    level = rng.uniform(0.03, 0.35) * memory_noise(rng, steps, rng.uniform(0.5, 0.97))
    for _ in range(rng.poisson(days / 20)):
        level[rng.integers(steps) :] += rng.normal(0, 0.3)
    for _ in range(rng.poisson(days / 10)):
        start = rng.integers(steps)
        level[start : start + rng.integers(3, A_DAY)] += abs(rng.normal(0, 0.6))
    level += np.repeat(np.cumsum(rng.normal(0, rng.uniform(0, 0.08), days)), A_DAY)
    values = shape * np.exp(level)
    if rng.random() < 0.2:
        burst = rng.random(steps) < rng.uniform(0.01, 0.08)
        values = values + burst * rng.uniform(1, 6) * np.median(values)
    return usage_from(values / values.mean())


def simulated_fleet(rng: np.random.Generator, containers: int, days: int) -> list[Usage]:
    """Several containers."""
    return [simulated_usage(rng, days) for _ in range(containers)]
