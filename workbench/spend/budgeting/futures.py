"""Drawn futures of daily spend, of all models of `workbench.spend.budgeting.models` by their weights.

Spend is modelled as it is and, where no day cost nothing, by its logarithm: parts add or multiply,
and the marginal likelihood tells which. Each future has its own model, noise level and noise, and
now and then a level shift, so that the spread of the futures holds what is unknown of all of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.spend.budgeting.models import EVENT, KERNELS, SHIFT_RATE, Events, frame_of, steady
from workbench.statistics.spikes import Spikes, find_spikes

__all__ = ["draw_futures"]

_LONGEST: Final = 140
"""At most so many last days are learnt from."""

_COMING: Final = 4.0
"""Standard deviation of a level shift to come, as a multiple of the noise's."""

_SEEN: Final = 0.5
"""The chance of shifts to come is learnt as if half a shift had been seen at the prior's rate."""

_MODELS: Final = 75
"""How many models are drawn …"""

_REPEATS: Final = 16
"""… and how many futures of each."""


def draw_futures(
    days: Ints,
    spend: Floats,
    ahead: int,
    rng: np.random.Generator,
    *,
    first: date | None = None,
    models: int = _MODELS,
) -> Floats:
    """Draw spend of the coming days.

    Parameters
    ----------
    days
        int64, shape (n,), ascending: day numbers of the history; gaps are allowed.
    spend
        float64, shape (n,): what each cost; 0 and more.
    ahead
        How many days to draw.
    rng
        Where they come from.
    first
        The date of day 0; without it, months have no ends.
    models
        How many models are drawn, for sixteen futures each.

    Returns
    -------
    float64, shape (futures, ahead)
    """
    days, spend = days[-_LONGEST:], spend[-_LONGEST:]
    coming = np.arange(days[-1] + 1, days[-1] + 1 + ahead)
    if not np.ptp(spend):
        return np.tile(spend[-1:], (1, ahead))
    found = [_Fit.of(scale, days, coming, first) for scale in _scales(days, spend)]
    evidence = np.array([fit.evidence for fit in found])
    chances = np.exp(evidence - evidence.max())
    counts = rng.multinomial(models, chances / chances.sum())
    parts = [fit.draw(int(n), rng)[:, -ahead:] for fit, n in zip(found, counts, strict=True) if n]
    result: Floats = np.maximum(np.concatenate(parts), 0.0)
    return result


@dataclass(frozen=True, slots=True)
class _Scale:
    """Values as they are modelled: spend, or its logarithm.

    Parameters
    ----------
    logarithmic
        Which.
    centre, unit
        Taken off, and divided by.
    values
        float64, shape (n,): standardised, spikes included.
    usual
        bool, shape (n,): all but spikes.
    spikes
        Of the values.
    slope
        Σ log |d value / d spend|: makes likelihoods comparable.
    """

    logarithmic: bool
    centre: float
    unit: float
    values: Floats
    usual: np.ndarray
    spikes: Spikes
    slope: float

    @classmethod
    def of(cls, days: Ints, spend: Floats, *, logarithmic: bool) -> _Scale:
        values = np.log(spend) if logarithmic else spend
        centre, unit = float(np.median(values)), float(np.std(values)) or 1.0
        values = (values - centre) / unit
        slope = -len(spend) * np.log(unit) - (float(np.log(spend).sum()) if logarithmic else 0.0)
        spikes, usual = find_spikes(days, values)
        return cls(logarithmic, centre, unit, values, usual, spikes, slope)

    def back(self, values: Floats) -> Floats:
        """Spend of modelled values."""
        values = values * self.unit + self.centre
        return np.exp(values) if self.logarithmic else values


def _scales(days: Ints, spend: Floats) -> Iterator[_Scale]:
    yield _Scale.of(days, spend, logarithmic=False)
    if spend.min() > 0:
        yield _Scale.of(days, spend, logarithmic=True)


@dataclass(frozen=True, slots=True)
class _Fit:
    """All models of one scale, with their weights.

    Parameters
    ----------
    scale, events, days, coming
        What they are of; days without spikes.
    weights
        float64, shape (kernels, sets): logarithms, not normalised.
    squares
        float64, the same shape: the weighted sum of squares that is left.
    """

    scale: _Scale
    events: Events
    days: Ints
    coming: Ints
    weights: Floats
    squares: Floats

    @classmethod
    def of(cls, scale: _Scale, days: Ints, coming: Ints, first: date | None) -> _Fit:
        known = days[scale.usual]
        # A spike on the last day moves the origin, not the days that are to come.
        ahead = int(coming[-1] - known[-1])
        frame = frame_of(tuple(known.tolist()), ahead, first)
        weights, squares = frame.weigh(scale.values[scale.usual])
        whole = np.arange(known[-1] + 1, coming[-1] + 1)
        return cls(scale, frame.events, known, whole, weights + scale.slope, squares)

    @property
    def evidence(self) -> float:
        """Logarithm of the marginal likelihood of the scale."""
        top = float(self.weights.max())
        return top + float(np.log(np.exp(self.weights - top).sum()))

    def draw(self, models: int, rng: np.random.Generator) -> Floats:
        """Futures of so many models, sixteen each, as spend."""
        chances = np.exp(self.weights - self.weights.max()).ravel()
        chances /= chances.sum()
        drawn = rng.choice(chances.size, models, p=chances)
        count = (self.events.sets[:, 1:] < self.events.past.shape[1]).sum(axis=1)
        shifts = float(chances.reshape(self.weights.shape).sum(axis=0) @ count)
        span = float(self.days[-1] - self.days[0])
        rate = (_SEEN + shifts) / (_SEEN / SHIFT_RATE + span)
        parts = []
        for index, repeats in zip(*np.unique(drawn, return_counts=True), strict=True):
            kernel, place = divmod(int(index), self.weights.shape[1])
            parts.append(self._paths(kernel, place, int(repeats) * _REPEATS, rate, rng))
        values = np.concatenate(parts)
        return self.scale.back(values + self.scale.spikes.draw(values.shape, rng))

    def _paths(
        self, kernel: int, place: int, count: int, rate: float, rng: np.random.Generator
    ) -> Floats:
        """Futures of one model: its conditional normal distribution, times a drawn noise level."""
        each, origin = KERNELS[kernel], int(self.days[-1])
        chosen = self.events.sets[place]
        chosen = chosen[chosen < self.events.past.shape[1]]
        past = self.events.past[:, chosen] * EVENT
        future = self.events.future[:, chosen] * EVENT
        cov = each.between(self.days, self.days, origin) + past @ past.T
        cross = each.between(self.days, self.coming, origin) + past @ future.T
        own = each.between(self.coming, self.coming, origin) + future @ future.T
        gain = np.linalg.solve(steady(cov), cross)
        mean = gain.T @ self.scale.values[self.scale.usual]
        root = np.linalg.cholesky(steady(own - cross.T @ gain))
        noise = np.sqrt(self.squares[kernel, place] / rng.chisquare(len(self.days) - 1, count))
        normal = rng.standard_normal((count, len(self.coming))) @ root.T
        normal += _coming_shifts(normal.shape, rate, rng)
        result: Floats = mean + noise[:, None] * normal
        return result


def _coming_shifts(shape: tuple[int, int], rate: float, rng: np.random.Generator) -> Floats:
    """Level shifts on coming days, as multiples of the noise: shape (futures, ahead)."""
    struck = rng.random(shape) < rate
    sizes = np.zeros(shape)
    sizes[struck] = rng.normal(0, _COMING, int(struck.sum()))
    moved: Floats = np.cumsum(sizes, axis=1)
    return moved
