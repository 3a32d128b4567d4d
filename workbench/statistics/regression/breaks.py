"""Since when a relation holds: a release may change what a request costs."""

from __future__ import annotations

from typing import Final

import numpy as np

from workbench.samples import Floats
from workbench.statistics.regression.curves import DRIFT, design

__all__ = ["last_break"]

_LEAST_DAYS: Final = 7
"""So many days must lie on either side: a week has all its weekdays."""

_EVIDENCE: Final = 12.0
"""So much must the Bayesian information criterion fall …"""

_EFFECT: Final = 0.15
"""… and so large a share of the squared residuals go away."""

_LINE: Final = [0, 1, DRIFT]


def last_break(load: Floats, usage: Floats) -> int:
    """Find the last day on which the relation changed.

    A straight line whose slope may drift is fitted to all days, and one each to the days before and after every
    candidate; the best candidate counts if the Bayesian information criterion, with residuals
    that hang together from hour to hour and from day to day discounted, says so clearly. The days
    after it are searched again.

    Parameters
    ----------
    load, usage
        float64, shape (days, slots), NaN where unknown.

    Returns
    -------
    int
        The first day of the newest relation; 0 where there is only one.
    """
    begin = 0
    while (found := _break(load[begin:], usage[begin:])) > 0:
        begin += found
    return begin


def _break(load: Floats, usage: Floats) -> int:
    days = len(load)
    if days < 2 * _LEAST_DAYS:
        return 0
    known = np.isfinite(load) & np.isfinite(usage)
    rows = design(np.where(known, load, 0.0), 0.0)[..., _LINE]
    y = _tamed(np.where(known, usage, 0.0), rows, known)
    rows = rows * known[..., None]
    squares = np.cumsum(np.einsum("dsi,dsj->dij", rows, rows), axis=0)
    products = np.cumsum(np.einsum("dsi,ds->di", rows, y), axis=0)
    totals = np.cumsum((y**2).sum(axis=1))
    whole = _rest(squares[-1], products[-1], totals[-1])
    cuts = np.arange(_LEAST_DAYS, days - _LEAST_DAYS + 1)
    parts = np.array(
        [
            _rest(squares[c - 1], products[c - 1], totals[c - 1])
            + _rest(
                squares[-1] - squares[c - 1],
                products[-1] - products[c - 1],
                totals[-1] - totals[c - 1],
            )
            for c in cuts
        ]
    )
    best = int(np.argmin(parts))
    if whole <= 0 or parts[best] > (1 - _EFFECT) * whole:
        return 0
    count = _independent(load, usage, int(cuts[best]))
    floor = 1e-12 * max(float(totals[-1]), 1e-300)
    gain = count * np.log(whole / max(float(parts[best]), floor)) - 4 * np.log(max(count, 2.0))
    return int(cuts[best]) if gain > _EVIDENCE else 0


def _tamed(usage: Floats, rows: Floats, known: np.ndarray) -> Floats:
    """The usage with spikes cut off, so that one bad hour makes no break."""
    flat = rows[known]
    terms = np.linalg.lstsq(flat, usage[known], rcond=None)[0]
    fitted = rows @ terms
    rest = usage - fitted
    spread = 1.4826 * np.median(np.abs(rest[known])) or np.inf
    return np.where(known, fitted + np.clip(rest, -4 * spread, 4 * spread), 0.0)


def _rest(squares: Floats, products: Floats, total: float) -> float:
    """What a line leaves of the squares, from sums alone."""
    terms = np.linalg.lstsq(squares, products, rcond=None)[0]
    return max(float(total - products @ terms), 0.0)


def _independent(load: Floats, usage: Floats, cut: int) -> float:
    """How many independent points there are, after the break is taken out."""
    rest = np.full(usage.shape, np.nan)
    for part in (slice(None, cut), slice(cut, None)):
        known = np.isfinite(load[part]) & np.isfinite(usage[part])
        rows = design(np.where(known, load[part], 0.0), 0.0)[..., _LINE]
        terms = np.linalg.lstsq(rows[known], usage[part][known], rcond=None)[0]
        rest[part] = np.where(known, usage[part] - rows @ terms, np.nan)
    return independent_points(rest)


def independent_points(rest: Floats) -> float:
    """How many independent points residuals are worth, by their hours and by their days.

    Parameters
    ----------
    rest
        Shape (days, slots), NaN where unknown. Residuals that follow an autoregression of first
        order with coefficient r are worth (1 − r)/(1 + r) of their number (Bayley and Hammersley
        1946); the same is asked of the means of days, and the smaller answer counts.
    """
    flat = rest.ravel()
    count = float(np.isfinite(flat).sum())
    hourly = count * _worth(flat)
    spread = float(np.nanvar(flat))
    means = _daily_means(rest)
    between = float(np.var(means)) if len(means) else 0.0
    if between <= 0 or spread <= 0:
        return max(hourly, 2.0)
    daily = len(means) * _worth(means) * spread / between
    return max(min(hourly, daily), 2.0)


def _daily_means(rest: Floats) -> Floats:
    some = np.isfinite(rest).any(axis=1)
    return np.asarray(np.nanmean(rest[some], axis=1))


def _worth(values: Floats) -> float:
    r = autocorrelation(values)
    return (1 - r) / (1 + r)


def autocorrelation(values: Floats) -> float:
    """How much a value tells of the next, between 0 and 0.99; gaps are left out."""
    here, there = values[:-1], values[1:]
    both = np.isfinite(here) & np.isfinite(there)
    spread = float(np.nanvar(values)) if np.isfinite(values).any() else 0.0
    if both.sum() < 3 or spread <= 0:
        return 0.0
    middle = float(np.nanmean(values))
    r = float(np.mean((here[both] - middle) * (there[both] - middle))) / spread
    return min(max(r, 0.0), 0.99)
