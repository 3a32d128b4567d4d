"""One forecast of many: members weighed by how wrong each has been up to the origin.

Members are compared origin by origin: the errors of one, divided by the median of what the members
made that can tell from every origin, so that one which begins later is not judged by easier days.
Its weight falls with the eighth power of that, near to a choice, but members that are equally good
are averaged; at the first origin, where nothing is known of them yet, their median stands. At every
origin only errors that were known by then count, so that the errors of the whole, from which
intervals and the backtest come, are those of forecasts that could have been made.
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

_TINY: Final = 1e-12
"""Values are at most 1: less than this is no error."""

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
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    room = _ROOM * (high - low)
    bounded = np.clip(paths, low - room, high + room)
    able: Bools = np.asarray(~np.isnan(bounded).any(axis=2))
    record = _Record(np.abs(known_errors(values, paths, origins)), able, per_day)
    combined = np.empty(paths.shape[1:])
    weights = np.zeros((len(paths), values.shape[1]))
    for i in range(len(origins)):
        usable = able[:, i, None]
        if i:
            weights = _weights(record.at(i), able[:, i], i)
            parts = np.where(usable, bounded[:, i], 0.0)
            combined[i] = (weights[:, None] * parts).sum(axis=0)
        else:
            combined[i] = known_medians(np.where(usable, bounded[:, i], np.nan))
        combined[i, :, ~able[:, i].any(axis=0)] = np.nan
    return combined, weights


class _Record:
    """Errors of the members as multiples of the usual member's.

    Parameters
    ----------
    errors
        Shape (members, origins, horizon, series), NaN where the truth is not known.
    able
        Shape (members, origins, series): which members could tell.
    per_day
        Steps of a day, which is how far origins lie apart.
    """

    def __init__(self, errors: Floats, able: Bools, per_day: int) -> None:
        horizon = errors.shape[2]
        self._parts = -(-horizon // per_day)
        # From an origin so many days ago, errors up to so many days ahead have been seen.
        ends = np.minimum(np.arange(1, self._parts + 1) * per_day, horizon)
        known = ~np.isnan(errors) & able[:, :, None]
        total = np.cumsum(np.where(known, errors, 0.0), axis=2)[:, :, ends - 1]
        seen: Bools = np.asarray(np.cumsum(known, axis=2)[:, :, ends - 1]).astype(np.bool_)
        always: Bools = np.asarray(able.all(axis=1))
        kept = seen & always[:, None, None]
        usual = np.nan_to_num(known_medians(np.where(kept, total, np.nan)))
        self._usual, self._seen = usual, seen
        self._total = np.where(seen, total, 0.0)

    def at(self, origin: int) -> Floats:
        """What is known at an origin, given by its number; inf for members not yet tried.

        Returns
        -------
        Floats
            Shape (members, series).
        """
        ages = origin - np.arange(origin)
        part = np.minimum(ages, self._parts) - 1
        fade = _FADING**ages
        rows = np.arange(origin)
        total, seen = self._total[:, rows, part], self._seen[:, rows, part]
        usual = self._usual[rows, part]
        made = np.einsum("j,mjs->ms", fade, total)
        expected = np.einsum("j,js,mjs->ms", fade, usual, seen.astype(np.float64))
        relative: Floats = (made + _TINY) / (expected + _TINY)
        return np.where(seen.any(axis=1), relative, np.inf)


def _weights(relative: Floats, able: Bools, origins: int) -> Floats:
    """Weights of the members, shape (members, series); equal ones where nothing is known yet."""
    tried = np.where(able, relative, np.inf)
    best = tried.min(axis=0)
    unknown = ~np.isfinite(best)
    power = _POWER * origins / (origins + _CAUTION)
    weights = (tried / np.where(unknown, 1.0, best)) ** -power
    weights = np.where(unknown, able.astype(np.float64), weights)
    total: Floats = weights / np.maximum(weights.sum(axis=0), 1e-300)
    return total
