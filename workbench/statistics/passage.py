"""When a path first reaches a limit: chances, dates with intervals, and how to check them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from workbench.samples import Floats

__all__ = ["Passage", "coverage", "first_passage", "pit_lump", "randomised_pit"]


@dataclass(frozen=True, slots=True)
class Passage:
    """The distribution of the first day on which a limit is reached.

    Parameters
    ----------
    cumulative
        float64, shape (horizon,): the chance that it is reached on that day or before.
    """

    cumulative: Floats

    def chance(self, days: int) -> float:
        """The chance of reaching the limit within so many days."""
        if days < 1:
            return 0.0
        return float(self.cumulative[min(days, len(self.cumulative)) - 1])

    def quantile(self, share: float) -> int | None:
        """Days until the limit is reached with that chance; None where it is past the horizon.

        Examples
        --------
        >>> passage = first_passage(np.array([[1.0, 3.0], [1.0, 1.0]]), 2.0)
        >>> passage.quantile(0.5), passage.quantile(0.9)
        (2, None)
        """
        reached = np.flatnonzero(self.cumulative >= share - 1e-12)
        return int(reached[0]) + 1 if len(reached) else None

    def interval(self, share: float) -> tuple[int | None, int | None]:
        """The central interval of days that holds that share of the chance."""
        return self.quantile((1 - share) / 2), self.quantile((1 + share) / 2)


def first_passage(paths: Floats, limit: float) -> Passage:
    """The first passage of many paths through one limit.

    Parameters
    ----------
    paths
        float64, shape (paths, horizon).
    limit
        What is reached when a path's value is at or above it.
    """
    over = np.logical_or.accumulate(paths >= limit, axis=1)
    cumulative: Floats = over.mean(axis=0)
    return Passage(cumulative)


def pit_lump(passage: Passage, day: int | None) -> tuple[float, float]:
    """Where the truth fell in the forecast distribution: the ends of its lump of chance.

    Parameters
    ----------
    passage
        What was forecast.
    day
        The day (1 is the first) on which the limit was reached; None where it was not within
        the horizon.
    """
    horizon = len(passage.cumulative)
    if day is None:
        return passage.chance(horizon), 1.0
    return passage.chance(day - 1), passage.chance(day)


def randomised_pit(passage: Passage, day: int | None, rng: np.random.Generator) -> float:
    """Where the truth fell, drawn evenly from its lump: uniform on (0, 1) if it is calibrated.

    Notes
    -----
    A day holds a lump of chance, and so does "not within the horizon" (Czado, Gneiting and Held,
    Biometrics 65, 2009).
    """
    low, high = pit_lump(passage, day)
    return float(low + rng.random() * (high - low))


def coverage(passages: Sequence[Passage], days: Sequence[int | None], share: float) -> float:
    """The part of truths within the central interval of that share.

    The mean over all draws of `randomised_pit`, so without their noise: of each lump the part
    that lies within the interval.
    """
    inside = []
    for passage, day in zip(passages, days, strict=True):
        low, high = pit_lump(passage, day)
        start, end = (1 - share) / 2, (1 + share) / 2
        if high > low:
            inside.append(max(min(high, end) - max(low, start), 0.0) / (high - low))
        else:
            inside.append(float(start <= low <= end))
    return float(np.mean(inside))
