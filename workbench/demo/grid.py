"""When the estate is sampled, and how busy the company is at each of those minutes.

The company sells from Monday to Friday, in its own time zone; people go to lunch, some order in
the evening, few at the weekend. `activity` is that rhythm without noise; `demand` adds the slow
wander that all parts of the estate share, since it is the same customers who cause it.
"""

from __future__ import annotations

import functools
import zlib
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.demo.truth import TRUTH
from workbench.samples import Floats, Ints

__all__ = ["MINUTE_MS", "Grid", "activity", "demand", "estate_grid", "generator", "wander"]

MINUTE_MS: Final = 60_000
_DAY_MS: Final = 86_400_000
_EPOCH_WEEKDAY: Final = 3
"""1 January 1970 was a Thursday; Monday is 0."""

_NIGHT: Final = 0.10
"""What goes on at night, on the scale of `_day_curve`."""

Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True, slots=True)
class Grid:
    """The minutes at which everything is scraped.

    Parameters
    ----------
    times_ms
        int64, shape (minutes,): whole minutes, ascending, one after the other.
    """

    times_ms: Ints

    def __len__(self) -> int:
        return len(self.times_ms)

    def index(self, at_ms: int) -> int:
        """Position of the first scrape at or after a moment."""
        return int(np.searchsorted(self.times_ms, at_ms))

    def between(self, start_ms: int, end_ms: int) -> Mask:
        """The scrapes from `start_ms` up to, not including, `end_ms`."""
        return (self.times_ms >= start_ms) & (self.times_ms < end_ms)

    @property
    def days(self) -> Floats:
        """Days since the estate began, shape (minutes,)."""
        return (self.times_ms - TRUTH.start_ms) / _DAY_MS


@functools.cache
def estate_grid() -> Grid:
    """Five weeks of minutes, both ends included; its array cannot be written to.

    Examples
    --------
    >>> len(estate_grid())
    50401
    """
    times_ms = np.arange(TRUTH.start_ms, TRUTH.end_ms + 1, MINUTE_MS, dtype=np.int64)
    times_ms.setflags(write=False)
    return Grid(times_ms)


def generator(part: str) -> np.random.Generator:
    """The random numbers of one part: its own stream, whatever the other parts draw."""
    seed = np.random.SeedSequence([TRUTH.seed, zlib.crc32(part.encode())])
    return np.random.Generator(np.random.PCG64(seed))


def activity(times_ms: Ints) -> Floats:
    """How busy the company is, without noise: 1 at the peak of an ordinary weekday.

    Parameters
    ----------
    times_ms
        int64, any shape; may lie beyond the end of the estate, which forecasts need.
    """
    local = times_ms + TRUTH.utc_offset_hours * 3_600_000
    weekday = (local // _DAY_MS + _EPOCH_WEEKDAY) % 7
    factors = np.array(TRUTH.weekday_factors)
    # Every night is alike; what people add by day brings the day's peak to its factor.
    night = _NIGHT / (_NIGHT + _day_peak())
    by_day = (factors[weekday] - night) * _day_curve(local % _DAY_MS / 3_600_000) / _day_peak()
    return np.asarray(night + by_day)


def _day_curve(hour: Floats) -> Floats:
    """What a weekday adds to the night, by local hour: two peaks, an evening, a lunch dip."""

    def hump(height: float, at_hour: float, width: float) -> Floats:
        return np.asarray(height * np.exp(-np.square((hour - at_hour) / width)))

    curve = hump(0.85, 10.75, 2.4) + hump(0.95, 15.5, 2.6) + hump(0.35, 20.0, 1.8)
    return curve - hump(0.20, TRUTH.lunch_dip_hour, 0.6)


@functools.cache
def _day_peak() -> float:
    return float(_day_curve(np.arange(1440) / 60).max())


def wander(rng: np.random.Generator, grid: Grid, *, minutes: int, sigma: float) -> Floats:
    """Slow noise with mean 0: independent normal knots every so many minutes, joined by lines.

    Real minutes are not independent of their neighbours; this is what makes them so here.
    """
    knots = np.arange(0, len(grid) + minutes, minutes)
    return np.interp(np.arange(len(grid)), knots, rng.normal(0.0, sigma, len(knots)))


@functools.cache
def _shared_wander() -> Floats:
    return wander(generator("demand"), estate_grid(), minutes=30, sigma=TRUTH.demand_wander)


def demand(grid: Grid, *, growth_per_week: float = 0.0) -> Floats:
    """Activity with growth and the shared wander, shape (minutes,); above 0.

    Parameters
    ----------
    grid
        The estate's own: the wander is drawn for it once.
    growth_per_week
        Compounded: 0.03 is three per cent a week.
    """
    growth = (1 + growth_per_week) ** (grid.days / 7)
    return activity(grid.times_ms) * growth * np.exp(_shared_wander())
