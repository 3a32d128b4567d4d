"""Bayesian model averaging of a daily series: which trend, weekday effects and level shifts.

Models are trends {none, linear, damped} × weekdays {equal, different} × 0–2 level shifts, each
with errors that return to the level (AR(1)) or wander freely (as good as a random walk). Between
these kinds the weights are ``exp(−BIC/4)``, half of BIC's usual force, because a kind chosen too
surely makes intervals too narrow; within a kind the place of a shift, the autocorrelation and
the damping are weighed by their restricted likelihood.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.statistics.designs import Trend, Week, whitening
from workbench.statistics.model_search import Family, Kind, Member, family_design, search
from workbench.statistics.spikes import Spikes, find_spikes

__all__ = ["Average", "Shift", "average_models"]

_TEMPER: Final = 0.25
"""The weight of a kind is exp(−_TEMPER · BIC)."""

_PROOF: Final = 2.0
"""So many logarithms of the number of days more must a level shift explain to be told to people: it
was looked for on every day."""

_LONGEST: Final = 200
"""At most so many last observations are fitted: what was earlier tells little of what comes."""


@dataclass(frozen=True, slots=True)
class Shift:
    """A level shift of the most probable model: the day it begins and its size."""

    day: float
    size: float


@dataclass(frozen=True, slots=True)
class Average:
    """The weighed models of one series.

    Parameters
    ----------
    days, values
        What was fitted: int64 and float64, shape (n,); without spikes.
    weights
        The weight of each family; they add up to 1.
    members
        The models drawn, by family.
    shifts
        The level shifts of the most probable model: what shifts in a fleet are like is learnt
        from them, though every second one of a short history may be none.
    evident
        Those that are surely some: of the most probable model where each must explain more.
    expected_shifts
        How many shifts there were, by the untempered weights.
    scale
        The standard deviation of the values, by which they are divided for the fit.
    week
        Which weekday each day passes as.
    spikes
        Single days that stood out so far that they were left out of the fit.
    """

    days: Ints
    values: Floats
    weights: dict[Family, float]
    members: dict[Family, list[Member]]
    shifts: tuple[Shift, ...]
    evident: tuple[Shift, ...]
    expected_shifts: float
    scale: float
    week: Week
    spikes: Spikes

    def chance(self, *, trend: Trend) -> float:
        """The weight of all families with that trend."""
        return sum(w for family, w in self.weights.items() if family.trend is trend)


def average_models(
    days: Ints,
    values: Floats,
    rng: np.random.Generator,
    *,
    draws: int = 200,
    week: Week | None = None,
    wanders: bool = True,
) -> Average:
    """Weigh every model and draw members in proportion.

    Parameters
    ----------
    days
        int64, shape (n,), ascending; gaps are allowed; n of at least 10.
    values
        float64, shape (n,), finite.
    rng
        Where the draws come from.
    draws
        How many members to draw.
    week
        Which weekday each day passes as; every seventh day is alike where it is not given.
    wanders
        Whether the level may wander freely, as that of a store does; rates and shares return.
    """
    spikes, usual = find_spikes(days[-_LONGEST:], values[-_LONGEST:])
    days, values = days[-_LONGEST:][usual], values[-_LONGEST:][usual]
    scale = float(np.std(values)) or 1.0
    found = search(days, values / scale, week)
    kinds = [kind for kind in found.kinds if wanders or not kind.wanders]
    bic = np.array([found.bic(kind) for kind in kinds])
    weights, sure = _normalised(-_TEMPER * bic), _normalised(-0.5 * bic)
    members: dict[Family, list[Member]] = {}
    for kind, count in zip(kinds, rng.multinomial(draws, weights).tolist(), strict=True):
        if count:
            members.setdefault(kind.family, []).extend(found.draw(kind, rng, count))
    likeliest = kinds[int(np.argmin(bic))]
    shifts = np.array([kind.family.shifts for kind in kinds])
    evident = kinds[int(np.argmin(bic + _PROOF * np.log(len(days)) * shifts))]
    return Average(
        days=days,
        values=values,
        scale=scale,
        weights=_by_family(kinds, weights),
        members=members,
        shifts=_shifts(days, values, likeliest, found.best(likeliest), week),
        evident=_shifts(days, values, evident, found.best(evident), week),
        expected_shifts=float(sum(w * k.family.shifts for w, k in zip(sure, kinds, strict=True))),
        week=week or Week(),
        spikes=spikes,
    )


def _by_family(kinds: list[Kind], weights: Floats) -> dict[Family, float]:
    result: dict[Family, float] = {}
    for kind, weight in zip(kinds, weights.tolist(), strict=True):
        result[kind.family] = result.get(kind.family, 0.0) + weight
    return result


def _normalised(log_weights: Floats) -> Floats:
    weights = np.exp(log_weights - log_weights.max())
    result: Floats = weights / weights.sum()
    return result


def _shifts(
    days: Ints, values: Floats, kind: Kind, member: Member, week: Week | None
) -> tuple[Shift, ...]:
    """A member's level shifts with their sizes."""
    if not member.begins:
        return ()
    design = family_design(kind.family, [member], days, week).columns(days.astype(np.float64))
    white = whitening(days, np.array([member.phi]))
    target = white.apply(values[:, None])[0, :, 0]
    beta, *_ = np.linalg.lstsq(white.apply(design)[0], target, rcond=None)
    sizes = beta[-kind.family.shifts :].tolist()
    return tuple(Shift(day, size) for day, size in zip(member.begins, sizes, strict=True))
