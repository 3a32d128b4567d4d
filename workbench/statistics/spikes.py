"""Single days that stand out so far that no model of the rest can learn from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["Spikes", "find_spikes"]

_FAR: Final = 20.0
"""A spike is farther from what is usual around it than so many robust standard deviations …"""

_AROUND: Final = 7
"""… of the days at most so far from it …"""

_RUN: Final = 2
"""… and lasts at most so many days; what lasts longer is a level."""

_RARE: Final = 0.05
"""What stands out on more than this share of days is how the series is."""

_DOUBT: Final = 0.5
"""Taken off the count of spikes: one alone is as likely a fault of the measurement as not."""


@dataclass(frozen=True, slots=True)
class Spikes:
    """The spikes of one series.

    Parameters
    ----------
    days, sizes
        int64 and float64, shape (spikes,): when, and how far from what was usual then.
    per_day
        How often one is expected on a coming day.
    """

    days: Ints
    sizes: Floats
    per_day: float

    def __len__(self) -> int:
        """How many there were."""
        return len(self.days)

    def draw(self, shape: tuple[int, ...], rng: np.random.Generator) -> Floats:
        """Spikes to be added to coming days, mostly 0."""
        result = np.zeros(shape)
        if len(self):
            struck = rng.random(shape) < self.per_day
            result[struck] = rng.choice(self.sizes, int(struck.sum()))
        return result


def find_spikes(days: Ints, values: Floats) -> tuple[Spikes, Bools]:
    """Find single days far from all around them.

    Parameters
    ----------
    days, values
        int64 and float64, shape (n,), ascending and finite.

    Returns
    -------
    spikes, usual
        The spikes, and the mask of all other observations, shape (n,).

    Examples
    --------
    >>> level = 10 + np.sin(np.arange(40.0))
    >>> level[20] = 1000
    >>> find_spikes(np.arange(40), level)[0].days.tolist()
    [20]
    """
    n = len(values)
    usual: Bools = np.ones(n, np.bool_)
    if n > 2 * _AROUND:
        away = values - _medians(values)
        spread = 1.4826 * float(np.median(np.abs(away)))
        far = np.abs(away) > max(_FAR * spread, 1e-9 * float(np.abs(values).max()))
        far &= ~_lasting(far)
        if spread > 0 and far.sum() <= max(_RARE * n, 1):
            usual = ~far
    struck = ~usual
    span = max(int(days[-1] - days[0]) + 1, 1) if n else 1
    count = int(struck.sum())
    sizes = (values - _medians(values))[struck] if count else np.empty(0)
    return Spikes(days[struck], sizes, max(count - _DOUBT, 0.0) / span), usual


def _medians(values: Floats) -> Floats:
    """The median of the observations around each, shorter at the ends."""
    padded = np.pad(values, _AROUND, constant_values=np.nan)
    windows = np.lib.stride_tricks.sliding_window_view(padded, 2 * _AROUND + 1)
    result: Floats = np.nanmedian(windows, axis=1)
    return result


def _lasting(far: Bools) -> Bools:
    """Whether more than `_RUN` in a row are far, or it is at the very end and may yet last."""
    lasting = np.zeros(len(far), np.bool_)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], far.astype(np.int8), [0]])))
    for start, end in zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True):
        lasting[start:end] = end - start > _RUN or end == len(far)
    return lasting
