"""Intervals from what the same forecast missed before: conformal, with an own width for every hour.

Errors of earlier origins are divided by the usual error of their lead time, which here is also an
hour of the day since all origins lie whole days apart. The pooled quantiles of these scores, times
the usual error of a lead time, are the interval; half-way between the two-sided quantile of the
absolute score and the quantiles of either side. After Lei et al., Distribution-free predictive
inference for regression (J. Am. Stat. Assoc. 113, 2018), with newer origins counting more, and
those that knew little of the history less: what is to come is forecast knowing all of it.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.samples import Floats

__all__ = ["LEVELS", "Margins", "calibrate", "coverage_left_out"]

LEVELS: Final = (0.5, 0.8, 0.95)
"""Nominal coverage of each interval."""

_FADING: Final = 0.88
"""What an origin counts a day later."""

_WIDTH_HOURS: Final = 3.0
"""Lead times so many hours apart share what is usual."""

_OTHER_DAYS: Final = 0.5
"""What the same hour of the neighbouring day counts."""

_COMMON: Final = 0.15
"""How much of the usual error of a lead time is that of all lead times."""

_ENOUGH: Final = 14
"""With fewer origins intervals are widened towards those of Student's t."""


class Margins:
    """How far each interval reaches below and above the forecast.

    Parameters
    ----------
    below, above
        Shape (levels, lead times, series).
    """

    __slots__ = ("above", "below")

    def __init__(self, below: Floats, above: Floats) -> None:
        self.below, self.above = below, above


def calibrate(
    errors: Floats,
    per_day: int,
    ages: Floats | None = None,
    *,
    history: Floats | None = None,
) -> Margins:
    """Margins for a new origin, one day after the last.

    Parameters
    ----------
    errors
        Truth minus forecast, shape (origins, lead times, points, series), oldest first, a day
        apart, NaN where not known; `points` are those that share a lead time, often one.
    per_day
        Lead times of a day.
    ages
        Shape (origins,): how many days each origin lies from the new one, where not so.
    history
        Shape (origins,): how much was known at each, in any unit; as much at each if not given.
    """
    origins, leads = errors.shape[:2]
    known = ~np.isnan(errors)
    days = np.arange(origins, 0, -1) if ages is None else ages
    counts = _FADING**days if history is None else _FADING**days * history
    weights = known * counts[:, None, None, None]
    size = np.where(known, np.abs(errors), 0.0)
    usual = _usual((size * weights).sum(axis=(0, 2)), weights.sum(axis=(0, 2)), per_day)
    scores = np.where(known, errors, 0.0) / usual[None, :, None]
    flat, weight = (x.reshape(-1, x.shape[-1]) for x in (scores, weights))
    ordered, order = _ordered(flat, weight)
    ordered_size, order_size = _ordered(np.abs(flat), weight)
    full = int(known.reshape(origins, -1).any(axis=1).sum())
    below = np.empty((len(LEVELS), leads, errors.shape[-1]))
    above = np.empty_like(below)
    for i, level in enumerate(LEVELS):
        both = _at(ordered_size, order_size, level)
        low, high = (_at(ordered, order, q) for q in ((1 - level) / 2, (1 + level) / 2))
        scale = usual * _widening(level, full)
        below[i] = np.maximum((both - low) / 2, 0.0) * scale
        above[i] = np.maximum((both + high) / 2, 0.0) * scale
    return Margins(below, above)


def coverage_left_out(errors: Floats, per_day: int, *, history: Floats | None = None) -> Floats:
    """Which share of known errors lies within intervals that were made without them.

    For each origin its own errors and those of origins whose forecasts overlap with its own are
    left out.

    Returns
    -------
    Floats
        Shape (levels, series); NaN where nothing could be told.
    """
    origins, leads = errors.shape[:2]
    reach = -(-leads // per_day)
    inside = np.zeros((len(LEVELS), errors.shape[-1]))
    count = np.zeros(errors.shape[-1])
    for i in range(origins):
        days = np.abs(np.arange(origins) - i)
        others = days >= reach
        if not others.any():
            continue
        margins = calibrate(
            errors[others],
            per_day,
            days[others].astype(np.float64),
            history=None if history is None else history[others],
        )
        one, known = errors[i], ~np.isnan(errors[i])
        count += known.sum(axis=(0, 1))
        for k in range(len(LEVELS)):
            within = (one >= -margins.below[k][:, None]) & (one <= margins.above[k][:, None])
            inside[k] += (within & known).sum(axis=(0, 1))
    return np.where(count > 0, inside / np.maximum(count, 1.0), np.nan)


def _usual(total: Floats, weight: Floats, per_day: int) -> Floats:
    """The usual size of an error at each lead time, shape (lead times, series)."""
    leads = np.arange(len(total))
    apart = np.abs(leads[:, None] - leads)
    width = max(_WIDTH_HOURS * per_day / 24, 0.5)
    near = np.exp(-0.5 * (apart / width) ** 2)
    near += _OTHER_DAYS * np.exp(-0.5 * ((apart - per_day) / width) ** 2)
    local = near @ total / np.maximum(near @ weight, 1e-300)
    common = total.sum(axis=0) / np.maximum(weight.sum(axis=0), 1e-300)
    usual: Floats = np.maximum((1 - _COMMON) * local + _COMMON * common, 1e-300)
    return usual


def _ordered(values: Floats, weights: Floats) -> tuple[Floats, Floats]:
    """Ascending values and their cumulated share of the weight, both shape (values, series)."""
    order = np.argsort(values, axis=0)
    share = np.cumsum(np.take_along_axis(weights, order, axis=0), axis=0)
    return np.take_along_axis(values, order, axis=0), share / np.maximum(share[-1], 1e-300)


def _at(ordered: Floats, share: Floats, quantile: float) -> Floats:
    """The first value at which the share reaches the quantile, shape (series,)."""
    rows = np.minimum((share < quantile).sum(axis=0), len(ordered) - 1)
    found: Floats = ordered[rows, np.arange(ordered.shape[1])]
    return found


def _widening(level: float, origins: int) -> float:
    """How much wider intervals from few origins are, by Student's t; 1 with enough."""
    from scipy.special import ndtri, stdtrit

    few = max(0.0, 1 - origins / _ENOUGH)
    if not few or not origins:
        return 1.0
    q = 0.5 + level / 2
    freedom = max(origins - 1, 1)
    return 1 + (float(stdtrit(freedom, q) / ndtri(q)) - 1) * few
