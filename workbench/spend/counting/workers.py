"""Several workers behind one port: a counter that is another one at every scrape.

Each worker counts for itself, and whichever answers the scrape shows its own counter, so the series
saws up and down. Read as resets, that makes absurd totals. Here the samples are taken apart into as
few rising chains as they need: a sample continues the chain with the highest value not above it. The
chains' increases add up to the same whichever of two equal workers a sample came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["Chains", "may_saw", "no_chains", "saws", "take_apart"]

_LEAST_FALLS: Final = 4
_OFTEN: Final = 0.015
"""Falls on fewer points of the grid than this share, or fewer than four, are restarts."""

_TWICE: Final = 2.0

_HALF: Final = 0.5
"""Leaps of at least half a usual fall, which make up half of what all falls do, are workers' own."""

_MOST_WORKERS: Final = 16


@dataclass(frozen=True, slots=True)
class Chains:
    """What the chains of some series increased by, and where they stand.

    Parameters
    ----------
    last
        float64, shape (series, 16): the last value of each chain, NaN where there is none.
    total, largest
        float64, shape (series, days): of all chains, and of the one that increased most. What was
        really counted is at least the largest, and about the total.
    bound
        As many times the largest as there are chains: no worker is known to have done more.
    """

    last: Floats
    total: Floats
    largest: Floats
    bound: Floats


def may_saw(falls: Ints, steps: int) -> Bools:
    """Which series fall too often for a process that restarts now and then.

    Parameters
    ----------
    falls
        int64, shape (series,): how often each fell.
    steps
        Over how many points of the grid.
    """
    result: Bools = falls >= max(_LEAST_FALLS, _OFTEN * steps)
    return result


def saws(values: Floats, restarted: Floats) -> Bools:
    """Which series are several workers' counters in turn.

    Parameters
    ----------
    values
        float64, shape (series, steps); NaN where there is no sample.
    restarted
        float64, shape (series,): what each would have increased by, were all falls restarts.

    Returns
    -------
    bool, shape (series,)
        Where that is more than twice what the rising chains make, and it leaps up as it falls. Of a
        process that did restart the two are nearly the same while runs are few: each is a chain, and
        begins near 0. However many they are, it falls at once and climbs back in many steps.
    """
    days = np.zeros(values.shape[1], np.int64)
    chains = take_apart(values, days, 1, no_chains(np.full(len(values), np.nan)))
    result: Bools = (restarted > _TWICE * chains.total[:, 0]) & _leaps(values)
    return result


def _leaps(values: Floats) -> Bools:
    """Which series rise in steps as large as those in which they fall."""
    found = np.zeros(len(values), np.bool_)
    for row, line in enumerate(values):  # few: series that fall often
        steps = np.diff(line[np.isfinite(line)])
        falls = -steps[steps < 0]
        if len(falls):
            large = steps[steps >= _HALF * np.median(falls)]
            found[row] = large.sum() >= _HALF * falls.sum()
    return found


def take_apart(values: Floats, day_of: Ints, days: int, last: Floats) -> Chains:
    """Take series apart into rising chains.

    Parameters
    ----------
    values
        float64, shape (series, steps); NaN where there is no sample.
    day_of
        int64, shape (steps,): the day of each step, outside ``0 … days − 1`` where it counts not.
    days
        How many days there are.
    last
        float64, shape (series, 16): where the chains stood before.
    """
    last = last.copy()
    count = len(values)
    shape = (count, days)
    total, largest, bound = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    every = np.arange(count)
    gained = np.zeros_like(last)
    for step in range(values.shape[1]):
        now = values[:, step]
        fits = np.where(last <= now[:, None], last, -np.inf)
        chain = fits.argmax(axis=1)
        there = np.isfinite(fits[every, chain])
        # A new chain takes a free place, or the lowest where sixteen are taken.
        free = np.where(np.isnan(last), -np.inf, last).argmin(axis=1)
        place = np.where(there, chain, free)
        known = np.isfinite(now)
        more = np.where(there & known, now - np.where(there, last[every, chain], 0), 0.0)
        gained[every, place] += more
        last[every[known], place[known]] = now[known]
        if step + 1 == values.shape[1] or day_of[step + 1] != day_of[step]:
            day = day_of[step]
            if 0 <= day < days:
                total[:, day] += gained.sum(axis=1)
                top = gained.max(axis=1)
                largest[:, day] += top
                bound[:, day] += top * np.isfinite(last).sum(axis=1)
            gained[:] = 0
    return Chains(last, total, largest, bound)


def no_chains(values: Floats) -> Floats:
    """Chains that begin with one value each, or with none where it is NaN: shape (series, 16)."""
    result = np.full((len(values), _MOST_WORKERS), np.nan)
    result[:, 0] = values
    return result
