"""Hourly series of known kinds, drawn at random: for tests and the benchmark of forecasts."""

from __future__ import annotations

import numpy as np

START_MS = 1_767_571_200_000
"""A Monday, 00:00 UTC."""
HOUR_MS = 3_600_000


def _day_shape(rng, hours, sharp=2.0):
    phase = rng.uniform(0, 2 * np.pi)
    angle = 2 * np.pi * hours / 24 + phase
    wave = np.sin(angle) + rng.uniform(0.1, 0.6) * np.sin(2 * angle + rng.uniform(0, 6))
    return wave + rng.uniform(0, 0.3) * np.maximum(np.sin(angle + 1), 0) ** sharp


def _week_shape(rng, hours, strength):
    weekday = hours // 24 % 7
    dip = rng.uniform(0.2, 1) * strength
    return np.where(weekday >= 5, -dip, rng.normal(0, 0.1, 7)[weekday] * strength)


def _autoregressive(rng, steps, carry, draw=None):
    noise = rng.normal(size=steps) if draw is None else draw
    out = np.empty(steps)
    last = 0.0
    for i, shock in enumerate(noise.tolist()):
        last = carry * last + shock
        out[i] = last
    return out * np.sqrt(1 - carry**2) if carry < 1 else out


def daily(rng, hours):
    """A pattern of the day and carried-over noise."""
    noise = _autoregressive(rng, len(hours), rng.uniform(0, 0.9))
    return 20 + 5 * _day_shape(rng, hours) + rng.uniform(0.3, 2) * noise


def weekly(rng, hours):
    """Patterns of the day and of the week, carried-over noise."""
    noise = _autoregressive(rng, len(hours), rng.uniform(0, 0.9))
    pattern = 5 * _day_shape(rng, hours) + _week_shape(rng, hours, 5)
    return 30 + pattern + rng.uniform(0.3, 1.5) * noise


def multiplied(rng, hours):
    """The product of patterns and noise; always above 0."""
    noise = _autoregressive(rng, len(hours), rng.uniform(0, 0.8))
    log = 0.5 * _day_shape(rng, hours) + _week_shape(rng, hours, 0.6)
    return np.exp(4 + log + rng.uniform(0.03, 0.15) * noise)


def growing(rng, hours):
    """Patterns on a trend."""
    slope = rng.choice([-1, 1]) * rng.uniform(0.005, 0.03)
    noise = _autoregressive(rng, len(hours), rng.uniform(0, 0.8))
    pattern = 5 * _day_shape(rng, hours) + _week_shape(rng, hours, 3)
    return 60 + slope * hours + pattern + rng.uniform(0.5, 1.5) * noise


def shifted(rng, hours):
    """One or two changes of level; patterns go on."""
    level = np.zeros(len(hours))
    for _ in range(rng.integers(1, 3)):
        at = rng.integers(5 * 24, len(hours) - 96)
        level[at:] += rng.choice([-1, 1]) * rng.uniform(4, 12)
    noise = _autoregressive(rng, len(hours), rng.uniform(0, 0.7))
    pattern = 4 * _day_shape(rng, hours) + _week_shape(rng, hours, 3)
    return 60 + level + pattern + rng.uniform(0.5, 1.5) * noise


def idle(rng, hours):
    """Mostly 0, with bursts that the hour of the day makes likelier."""
    chance = np.clip(0.12 + 0.12 * _day_shape(rng, hours), 0.01, 0.6)
    return np.where(rng.random(len(hours)) < chance, rng.gamma(2, 10, len(hours)), 0.0)


def traffic(rng, hours):
    """Counts whose rate has two rush hours on working days and one hump at the weekend."""
    hour, weekday = hours % 24, hours // 24 % 7
    work = np.exp(-((hour - 8) ** 2) / 6) + 0.9 * np.exp(-((hour - 17.5) ** 2) / 8)
    free = 0.8 * np.exp(-((hour - 14) ** 2) / 20)
    rate = 0.05 + np.where(weekday < 5, work, free)
    drift = np.exp(0.1 * _autoregressive(rng, len(hours), 0.95))
    return rng.poisson(rng.uniform(30, 800) * rate * drift).astype(float)


def heavy(rng, hours):
    """Patterns under noise with heavy tails."""
    draw = rng.standard_t(2.5, len(hours))
    noise = _autoregressive(rng, len(hours), rng.uniform(0, 0.6), draw)
    pattern = 5 * _day_shape(rng, hours) + _week_shape(rng, hours, 4)
    return 40 + pattern + rng.uniform(0.3, 1) * noise


def wandering(rng, hours):
    """A level that walks at random under a pattern of the day that changes slowly."""
    walk = _autoregressive(rng, len(hours), 1.0)
    strength = np.exp(0.02 * _autoregressive(rng, len(hours), 1.0))
    return 80 + 5 * strength * _day_shape(rng, hours) + rng.uniform(0.1, 0.5) * walk


FAMILIES = (
    daily, weekly, multiplied, growing, shifted, idle, traffic, heavy, wandering,
)  # fmt: skip


def draw(family, count, seed, steps):
    """Shape (steps, count): series of one kind; each with its own seed."""
    hours = np.arange(steps)
    randoms = [np.random.default_rng([seed, FAMILIES.index(family), i]) for i in range(count)]
    return np.stack([family(rng, hours) for rng in randoms], axis=1)
