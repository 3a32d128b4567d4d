"""How much CPU a container needs next week, so that usage exceeds it with a stated chance.

Three steps, for a risk of 5 %:

1. **Anchor.** The 85th percentile of past usage, each of the 168 hours of the week counting the
   same, and what is four days older counting half. So a history that holds two Mondays and one
   Sunday is no week of Mondays, and the weekend does not make Monday's request.
2. **Backtest.** From each past day, the anchor as it would have been then is compared with the
   week that followed: which share of it lay above so many times the anchor? The multiple at which
   the mean of these shares is the risk is the **margin**. Containers with little history borrow
   from the others: the shares of all count as twenty days of its own.
3. The request is the anchor times the margin.

Where usage is near nothing for most of the time and bursts lie beyond any margin, the request is the
95th percentile itself, weighted as the anchor is.

Usage levels drift; a percentile of the past, such as the 95th, is therefore exceeded more often
than it says, and a rare burst of the past moves it far. The margin knows how far this container's
next week was off, and rests on a percentile that is well known. A history of one week has only
seen what came up to four days later: its margin is widened by the square root of the time, as the
spread of a random walk is. Half-life, anchor and the weight of the others were chosen on simulated
containers with seasons, drifts, level shifts and bursts, not on the series of the benchmark.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.capacity.sizing.working_hours import SLOTS
from workbench.samples import Floats, Ints

__all__ = [
    "MARGINS", "PastExceedance", "Usage", "anchor_of", "exceedance", "margin_for", "past_exceedance", "slot_weights",
    "weighted_quantile", "widened",
]  # fmt: skip

_DAY_MS: Final = 86_400_000
_HALF_LIFE_MS: Final = 4 * _DAY_MS
_ANCHOR: Final = 3.0
"""The anchor is exceeded by so many times the risk."""

_LOWEST_ANCHOR: Final = 0.5
_OTHERS: Final = 20.0
"""All others together count as so many days of a container's own backtest."""

_FIRST_DAY: Final = 3
"""Days of history before the first origin of the backtest."""

_HORIZON: Final = 7
"""Days ahead for which a request is meant to hold."""

_THIN: Final = 0.5
"""An hour of the week with less weight than this times the median is not brought to the mean."""

MARGINS: Final[Floats] = 0.5 * 2.0 ** (np.arange(241) / 60)
"""Multiples of the anchor that are tried: 0.5 to 8, each 1.2 % above the one before, and 1 itself."""


@dataclass(frozen=True, slots=True, eq=False)
class Usage:
    """Usage to learn from.

    Parameters
    ----------
    times_ms
        int64, shape (points,), ascending.
    values
        Shape (points,): finite, not negative.
    slots
        Shape (points,): the hour of the week of each, 0 to 167.
    """

    times_ms: Ints
    values: Floats
    slots: Ints

    def __len__(self) -> int:
        """How many points there are."""
        return len(self.values)

    def between(self, start_ms: int, end_ms: int) -> Usage:
        """What is later than `start_ms` and not later than `end_ms`."""
        part = slice(*np.searchsorted(self.times_ms, [start_ms, end_ms], side="right").tolist())
        return Usage(self.times_ms[part], self.values[part], self.slots[part])


def slot_weights(usage: Usage) -> Floats:
    """What each point counts: the recent more, and every hour of the week that was seen the same.

    Returns
    -------
    float64, shape (points,)
        They add up to 1.
    """
    if not len(usage):
        return np.empty(0)
    weights = _balanced(_recency(usage), usage.slots)
    result: Floats = weights / weights.sum()
    return result


def _recency(usage: Usage) -> Floats:
    """What each point counts by its age, up to a factor."""
    recency: Floats = 2.0 ** (-(usage.times_ms[-1] - usage.times_ms) / _HALF_LIFE_MS)
    return recency


def _balanced(recency: Floats, slots: Ints) -> Floats:
    """Bring every hour of the week to the same weight; an hour hardly seen is not blown up."""
    total = np.bincount(slots, recency, minlength=SLOTS)
    floor = _THIN * float(np.median(total[total > 0]))
    balanced: Floats = recency / np.maximum(total, floor)[slots]
    return balanced


def weighted_quantile(values: Floats, weights: Floats, share: float) -> float:
    """The least value up to which at least that share of the weight lies.

    Examples
    --------
    >>> weighted_quantile(np.array([3.0, 1.0, 2.0]), np.array([0.2, 0.5, 0.3]), 0.6)
    2.0
    """
    return _quantile_in(np.argsort(values, kind="stable"), values, weights, share)


def _quantile_in(order: Ints, values: Floats, weights: Floats, share: float) -> float:
    """The quantile where the order of the values is known."""
    held = np.cumsum(weights[order])
    at = int(np.searchsorted(held, share * held[-1] * (1 - 1e-12)))
    return float(values[order[min(at, len(order) - 1)]])


def _anchor_share(risk: float) -> float:
    return 1 - min(_ANCHOR * risk, max(risk, _LOWEST_ANCHOR))


def anchor_of(usage: Usage, risk: float) -> float:
    """The percentile of past usage that a margin is put on."""
    return weighted_quantile(usage.values, slot_weights(usage), _anchor_share(risk))


@dataclass(frozen=True, slots=True, eq=False)
class PastExceedance:
    """How a container's past weeks compare with the anchors before them.

    Parameters
    ----------
    shares
        Shape (origins, margins): the part of each week that lay above each multiple.
    days
        The mean length of these weeks, in days: the last ones are cut short by the present.
    """

    shares: Floats
    days: float


def past_exceedance(usage: Usage, risk: float, first_day: int = _FIRST_DAY) -> PastExceedance:
    """Walk through the history: an anchor from each day, and the week that followed.

    Parameters
    ----------
    usage
        The whole history.
    risk
        For which the anchor is made.
    first_day
        Days before the first origin; each later origin is a day on.
    """
    none = PastExceedance(np.empty((0, len(MARGINS))), 0.0)
    if not len(usage):
        return none
    end_ms, start_ms = int(usage.times_ms[-1]), int(usage.times_ms[0])
    shares: list[Floats] = []
    lengths: list[int] = []
    # Weights matter up to a factor and the order is the same for all: both are made once.
    recency, order = _recency(usage), np.argsort(usage.values, kind="stable")
    for back in range((end_ms - start_ms) // _DAY_MS - first_day + 1, 0, -1):
        origin_ms = end_ms - back * _DAY_MS
        days = min(back, _HORIZON)
        known = int(np.searchsorted(usage.times_ms, origin_ms, side="right"))
        after = usage.between(origin_ms, origin_ms + days * _DAY_MS)
        if not known or not len(after):
            continue
        weights = _balanced(recency[:known], usage.slots[:known])
        anchor = _quantile_in(order[order < known], usage.values, weights, _anchor_share(risk))
        if anchor > 0:
            shares.append(exceedance(after.values, anchor * MARGINS))
            lengths.append(days)
    return PastExceedance(np.array(shares), float(np.mean(lengths))) if shares else none


def exceedance(values: Floats, bounds: Floats) -> Floats:
    """The share of values above each bound.

    Examples
    --------
    >>> exceedance(np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 4.0])).tolist()
    [0.5, 0.0]
    """
    ordered = np.sort(values)
    share: Floats = 1 - np.searchsorted(ordered, bounds, side="right") / len(ordered)
    return share


def margin_for(own: PastExceedance, others: Sequence[PastExceedance], risk: float) -> float:
    """The multiple of the anchor that was exceeded with that chance.

    Parameters
    ----------
    own
        Of the container.
    others
        Of all that are judged with it, itself included; those without any origin do not count.
    risk
        Above 0, below 1.
    """
    known = [each.shares.mean(axis=0) for each in others if len(each.shares)]
    weight = _OTHERS if known else 0.0
    count = len(own.shares) + weight
    if not count:
        return 1.0
    total = own.shares.sum(axis=0)
    mean = (total + weight * np.mean(known, axis=0) if known else total) / count
    return widened(_crossing(mean, risk), own.days)


def _crossing(shares: Floats, risk: float) -> float:
    """Where falling shares reach the risk: between two margins by a straight line.

    Not across a drop larger than the risk: there much of usage is at one value, and what is a
    little less is exceeded all the time.
    """
    enough = np.flatnonzero(shares <= risk + 1e-12)
    if not len(enough) or enough[0] == 0:
        return float(MARGINS[0 if len(enough) else -1])
    after = int(enough[0])
    below, above = float(shares[after]), float(shares[after - 1])
    if above - below > risk:
        return float(MARGINS[after])
    part = (above - risk) / (above - below)
    return float(MARGINS[after - 1] + part * (MARGINS[after] - MARGINS[after - 1]))


def widened(margin: float, days: float) -> float:
    """A margin learnt from so many days ahead, for a whole week.

    Examples
    --------
    >>> widened(1.2, 7), round(widened(1.2, 1.75), 2), widened(0.9, 1)
    (1.2, 1.44, 0.9)
    """
    if margin <= 1 or not 0 < days < _HORIZON:
        return margin
    return float(margin ** np.sqrt(_HORIZON / days))
