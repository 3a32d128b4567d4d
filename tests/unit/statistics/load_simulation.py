"""Simulated usage that follows a load by a known law: what a what-if must find."""

import numpy as np

HOURS = 24

LAWS = {
    "line": lambda x: 4 + 31 * x,
    "convex": lambda x: 4 + 18 * x + 12 * x**2,
    "concave": lambda x: 4 + 48 * x - 14 * x**2,
    "bend": lambda x: 4 + 20 * x + 30 * np.maximum(x - 0.7, 0),
}
"""Usage at a load, 1 at an ordinary weekday's peak."""


def loads(rng, days):
    """Shape (days, 24): two peaks a weekday, quiet weekends, a slow wander, some growth."""
    hour = np.arange(HOURS)
    day = (
        0.08
        + 0.9 * np.exp(-((hour - 10.5) ** 2) / 8)
        + 0.85 * np.exp(-((hour - 15.5) ** 2) / 7)
        + 0.2 * np.exp(-((hour - 20) ** 2) / 5)
    )
    week = np.array([1, 1, 1, 1, 0.92, 0.35, 0.3])[(np.arange(days) + rng.integers(7)) % 7]
    wander = autoregressive(rng, days * HOURS, 0.97, 0.05).reshape(days, HOURS)
    growth = 1.01 ** (np.arange(days) / 7)
    jitter = rng.normal(0, 0.02, (days, HOURS))
    return day / day.max() * week[:, None] * growth[:, None] * np.exp(wander + jitter)


def autoregressive(rng, count, memory, spread):
    """A first-order autoregression that starts in its stationary law."""
    steps = rng.normal(0, spread * np.sqrt(1 - memory**2), count)
    values = np.empty(count)
    values[0] = rng.normal(0, spread)
    for i in range(1, count):
        values[i] = memory * values[i - 1] + steps[i]
    return values


def usages(rng, load, law, *, noise="even", memory=0.7, size=1.0):
    """What is used at these loads.

    `noise`: ``even``; ``growing`` with the usage; ``heavy`` tails; ``job``: a nightly one besides.
    """
    middle = law(load)
    rest = autoregressive(rng, load.size, memory, size).reshape(load.shape)
    if noise == "growing":
        rest = rest * middle / 15
    if noise == "heavy":
        rest = rest * np.sqrt(5 / rng.chisquare(5, load.shape))
    if noise == "job":
        rest[:, 3] += 12 + rng.normal(0, 1, len(load))
    return middle + rest
