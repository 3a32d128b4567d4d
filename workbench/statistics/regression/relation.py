"""A relation of usage and load: its curve, its peaks at a day's load, the load that it bears."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats
from workbench.statistics.regression.curves import Curves, Shape

__all__ = ["Relation"]

_FACTORS: Final = np.geomspace(0.05, 10.0, 107)
"""Loads that are tried to find the one that is too much, as multiples of a day's: 5 % apart."""

_MOST_STRETCH: Final = 3.0
"""A residual grows with the load at most so much."""


@dataclass(frozen=True, slots=True, eq=False)
class Relation:
    """What `fit_relation` learnt.

    Parameters
    ----------
    top
        The highest load seen.
    centre, curves
        The middle relation (one curve), and the possible ones; loads are shares of `top`.
    shape, chances
        The likeliest shape, and how likely each is.
    share, rest
        Shape (days, slots): loads as shares of `top`, and usage less the middle relation of that day.
    recency
        Shape (days,): how much each day counts.
    spread
        Level and slope of the usual size of residuals over load.
    explained
        The share of the usage's variance that the load explains, 0 to 1.
    curvature_p
        The p value of a curve against a line.
    drift
        What the slope gains a week, as a share of itself now; 0 where it does not change.
    held_back
        How many hours were left out since the limit held usage back.
    block_days
        The length of the blocks of days that were resampled.
    """

    top: float
    centre: Curves
    curves: Curves
    shape: Shape
    chances: Mapping[Shape, float]
    share: Floats
    rest: Floats
    recency: Floats
    spread: tuple[float, float]
    explained: float
    curvature_p: float
    drift: float
    held_back: int
    block_days: int

    def slope_at(self, load: float, *, width: float = 0.05) -> Floats:
        """What one more unit of load uses, at some load.

        Returns
        -------
        ndarray
            The quantiles 10, 50 and 90 %, of a difference over `width` of the highest load.
        """
        ends = np.array([load / self.top - width, load / self.top])
        values = self.curves.at(ends)
        rise = (values[:, 1] - values[:, 0]) / (width * self.top)
        return np.asarray(np.quantile(rise, (0.1, 0.5, 0.9)))

    def band(self, load: Floats, quantiles: tuple[float, ...], rng: np.random.Generator) -> Floats:
        """Where a single hour's usage lies at some loads.

        Returns
        -------
        ndarray
            Shape (quantiles, loads).
        """
        share = np.asarray(load) / self.top
        middle = self.curves.at(share)
        known = np.isfinite(self.rest)
        chance = np.broadcast_to(self.recency[:, None], self.rest.shape)[known]
        chosen = rng.choice(int(known.sum()), len(middle), p=chance / chance.sum())
        rest = self.rest[known][chosen, None]
        return np.asarray(
            np.quantile(
                middle + rest * self._stretch(share, self.share[known][chosen, None]),
                quantiles,
                axis=0,
            )
        )

    def peaks(self, day: Floats, factors: Floats, rng: np.random.Generator) -> Floats:
        """The day's highest usage, if the load were so many times that of a day.

        Each draw has its own relation and the residuals of a whole past day, hour by hour: what
        comes at a fixed hour, such as a nightly job, stays there and does not grow. Residuals
        grow with the load as far as those seen did.

        Parameters
        ----------
        day
            The day's loads, shape (slots,); NaN where unknown.
        factors
            Shape (n,) or (n, slots): by what the loads are multiplied.
        rng
            Chooses the days; the same for all factors, so that draws can be compared.

        Returns
        -------
        ndarray
            Shape (draws, n); NaN only where the day's load is not known at all.
        """
        many = np.broadcast_to(
            factors if factors.ndim == 2 else factors[:, None], (len(factors), len(day))
        )
        draws = len(self.curves.terms)
        chance = self.recency * np.isfinite(self.rest).any(axis=1)
        days = rng.choice(len(self.rest), draws, p=chance / chance.sum())
        rest, before = self.rest[days], self.share[days]
        highest = np.full((draws, len(factors)), np.nan)
        for i, factor in enumerate(many):
            share = day * factor / self.top
            usage = self.curves.at(share) + rest * self._stretch(share, before)
            highest[:, i] = _highest(usage, self.curves.at(share))
        return highest

    def borne(
        self, day: Floats, limit: float, rng: np.random.Generator, *, by_hour: Floats | float = 1.0
    ) -> Floats:
        """By what the day's load can be multiplied before its peak reaches a limit.

        Parameters
        ----------
        by_hour
            Factors that come first: what a scenario already adds, one figure or shape (slots,).

        Returns
        -------
        ndarray
            Shape (draws,): between 0 (even a twentieth is too much) and infinity (ten times is
            borne).
        """
        peaks = np.maximum.accumulate(self.peaks(day * by_hour, _FACTORS, rng), axis=1)
        below = peaks < limit
        count = below.sum(axis=1)
        at = np.clip(count, 1, len(_FACTORS) - 1)
        row = np.arange(len(peaks))
        low, high = peaks[row, at - 1], peaks[row, at]
        part = np.clip((limit - low) / np.where(high > low, high - low, 1.0), 0.0, 1.0)
        found = _FACTORS[at - 1] + part * (_FACTORS[at] - _FACTORS[at - 1])
        found = np.where(count == 0, 0.0, found)
        return np.asarray(np.where(count == len(_FACTORS), np.inf, found))

    def _stretch(self, share: Floats, before: Floats) -> Floats:
        """By what a residual grows from the load at which it was seen."""
        level, slope = self.spread
        with np.errstate(invalid="ignore"):
            grown = (level + slope * share) / (level + slope * before)
        return np.clip(grown, 1 / _MOST_STRETCH, _MOST_STRETCH)


def _highest(usage: Floats, middle: Floats) -> Floats:
    """The highest of each draw; hours whose residual is unknown count by the relation alone."""
    filled = np.where(np.isfinite(usage), usage, middle)
    some = np.isfinite(filled).any(axis=1)
    highest = np.where(np.isfinite(filled), filled, -np.inf).max(axis=1)
    return np.where(some, highest, np.nan)
