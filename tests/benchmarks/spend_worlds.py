"""Synthetic daily spend made of real rates, and how forecasts of its totals are judged.

Two clients of `../shared/data/llm`, two weeks each, are repeated and changed as spend is changed:
noise that carries over, growth, month ends, other weekdays, level shifts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np

DATA = Path(__file__).parents[3] / "shared" / "data" / "llm"

LONGEST = 31
"""Days ahead at the most."""


@dataclass(frozen=True)
class World:
    """One series of daily spend.

    Attributes
    ----------
    first
        Its first day.
    known
        How many days are history; those after are what came.
    spend
        float64, shape (known + LONGEST,).
    traits
        What was done to it, by which results are grouped.
    """

    first: date
    known: int
    spend: np.ndarray
    traits: dict[str, str]


def daily(client: int) -> np.ndarray:
    """Requests of each of fourteen days."""
    file = DATA / f"servegen-m-large-{client}-trace.csv"
    rates = np.loadtxt(file, delimiter=",", usecols=1)
    return rates.reshape(14, 144).sum(axis=1) * 600


def worlds(count: int, rng: np.random.Generator) -> Iterator[World]:
    """Draw worlds."""
    clients = [daily(0), daily(1)]
    for _ in range(count):
        yield _world(clients, rng)


def _world(clients: list[np.ndarray], rng: np.random.Generator) -> World:
    known = int(rng.choice([35, 70]))
    length = known + LONGEST
    first = date(2026, 1, 1) + timedelta(days=int(rng.integers(365)))
    base, week = _base(clients, rng)
    level = np.log(np.resize(np.roll(base, int(rng.integers(14))), length))
    size, carried = rng.choice([0.05, 0.1, 0.2]), rng.choice([0.0, 0.3, 0.6])
    noise = np.zeros(length)
    for day in range(length):
        noise[day] = (carried * noise[day - 1] if day else 0.0) + rng.normal(0, size)
    growth = rng.choice([0.0, rng.normal(0, 0.004), rng.choice([-0.01, 0.01])])
    ends, peak = int(rng.integers(1, 4)), float(rng.choice([1.0, 1.0, 1.3, 2.0]))
    dates = [first + timedelta(days=n) for n in range(length)]
    last = np.array([(d + timedelta(days=ends)).month != d.month for d in dates])
    shift = np.zeros(length)
    shifted = str(rng.choice(["none", "none", "past", "any"]))
    if shifted != "none":
        at = int(rng.integers(7, known - 3 if shifted == "past" else length))
        shift[at:] = rng.choice([-1, 1]) * rng.uniform(0.2, 0.6)
    spend = np.exp(level + noise + growth * np.arange(length) + np.log(peak) * last + shift)
    traits = {
        "history": f"{known} days",
        "week": week,
        "noise": f"{size:g}",
        "carried": f"{carried:g}",
        "growth": "none" if not growth else ("steep" if abs(growth) == 0.01 else "some"),
        "month end": f"x {peak:g}",
        "level shift": "none" if shifted == "none" else "one, known or to come",
    }
    return World(first, known, spend, traits)


def _base(clients: list[np.ndarray], rng: np.random.Generator) -> tuple[np.ndarray, str]:
    kind = str(rng.choice(["client 0", "client 1", "mixture", "office"]))
    if kind == "office":
        return clients[0].mean() * np.resize([1, 1.1, 1.15, 1.05, 0.9, 0.15, 0.1], 14), kind
    if kind == "mixture":
        share = rng.random()
        zero, one = (client / client.mean() for client in clients)
        return share * zero + (1 - share) * one, kind
    return clients[int(kind[-1])], kind
