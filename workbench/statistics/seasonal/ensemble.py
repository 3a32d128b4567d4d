"""One forecast of many: members weighed by how wrong each has been up to the origin.

The weight of a member falls with the eighth power of its error as a multiple of the best member's:
near to a choice, but members that are equally good are averaged; at the first origin, where nothing is
known of them yet, their median stands. At every origin only errors that
were known by then count, so that the errors of the whole, from which intervals and the backtest
come, are those of forecasts that could have been made.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats
from workbench.statistics.seasonal.outliers import known_medians

__all__ = ["combine", "known_errors"]

_POWER: Final = 8.0
_CAUTION: Final = 1.0
"""With so many origins the power is half of what it is with many."""

_FADING: Final = 0.9
"""What an error counts a day later."""

_ROOM: Final = 0.5
"""No member may leave the range of the history by more than this share of it."""


def known_errors(values: Floats, paths: Floats, origins: Sequence[int]) -> Floats:
    """Truth minus forecast, NaN where the truth is not known.

    Parameters
    ----------
    values
        Shape (steps, series).
    paths
        Shape (…, origins, horizon, series).
    origins
        Numbers of steps.

    Returns
    -------
    Floats
        Shape as `paths`.
    """
    horizon = paths.shape[-2]
    padded = np.concatenate([values, np.full((horizon, values.shape[1]), np.nan)])
    truth = np.stack([padded[origin : origin + horizon] for origin in origins])
    errors: Floats = truth - paths
    return errors


def combine(
    values: Floats, paths: Floats, origins: Sequence[int], per_day: int
) -> tuple[Floats, Floats]:
    """Weigh the members at every origin.

    Parameters
    ----------
    values
        Shape (steps, series).
    paths
        Shape (members, origins, horizon, series), NaN where a member cannot tell.
    origins
        Numbers of steps, ascending; the last is the number of steps known.
    per_day
        Steps of a day.

    Returns
    -------
    tuple
        Forecasts, shape (origins, horizon, series), and the weights at the last origin, shape
        (members, series), whose sum is 1.
    """
    horizon = paths.shape[2]
    errors = np.abs(known_errors(values, paths, origins))
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    room = _ROOM * (high - low)
    bounded = np.clip(paths, low - room, high + room)
    able: Bools = np.asarray(~np.isnan(bounded).any(axis=2))
    combined = np.empty(paths.shape[1:])
    weights = np.zeros((len(paths), values.shape[1]))
    for i, origin in enumerate(origins):
        score = np.zeros_like(weights)
        count = np.zeros_like(weights)
        for j in range(i):
            seen = errors[:, j, : min(horizon, origin - origins[j])]
            known = ~np.isnan(seen)
            fade = _FADING ** ((origin - origins[j]) / per_day)
            score += fade * np.where(known, seen, 0.0).sum(axis=1)
            count += fade * known.sum(axis=1)
        weights = _weights(score, count, able[:, i], i)
        usable = able[:, i, None]
        parts = np.where(usable, bounded[:, i], 0.0)
        combined[i] = (weights[:, None] * parts).sum(axis=0)
        if i == 0:
            combined[i] = known_medians(np.where(usable, bounded[:, i], np.nan))
        combined[i, :, ~able[:, i].any(axis=0)] = np.nan
    return combined, weights


def _weights(score: Floats, count: Floats, able: Bools, origins: int) -> Floats:
    """Weights of the members, shape (members, series); equal ones where nothing is known yet."""
    mean = np.where(able & (count > 0), score / np.maximum(count, 1e-300), np.inf)
    best = mean.min(axis=0)
    unknown = ~np.isfinite(best)
    # Where the best has no error at all, members that have one count nothing.
    floor = np.maximum(np.where(unknown, 1.0, best), 1e-12)
    power = _POWER * origins / (origins + _CAUTION)
    weights = (np.maximum(mean, floor) / floor) ** -power
    weights = np.where(unknown, able.astype(np.float64), weights * able)
    total: Floats = weights / np.maximum(weights.sum(axis=0), 1e-300)
    return total
