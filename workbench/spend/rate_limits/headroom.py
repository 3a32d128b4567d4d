"""Stated limits held against the highest rates that were seen."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats, Ints
from workbench.spend.counting.days import CalendarDays
from workbench.spend.rate_limits.growth import LEAST_DAYS, Growth, growth
from workbench.spend.rate_limits.limits import RateLimit
from workbench.spend.rate_limits.traffic import Group, Traffic

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Headroom", "Seen", "headrooms"]

_MEASURES: Final = {
    "requests_per_minute": ("requests",),
    "tokens_per_minute": ("input", "output"),
    "input_tokens_per_minute": ("input",),
    "output_tokens_per_minute": ("output",),
    "requests_per_day": ("requests",),
}

_COLUMNS: Final = {
    "requests": ("requests",),
    "input": ("input", "cache_write"),
    "cached": ("cache_read",),
    "output": ("output",),
}
"""The columns of the canonical table that a measure's rates add up to."""

_OVER: Final = 1.25
"""Rates that add up to more than so many times what was counted are not believed."""

_SEEN: Final = 0.5
"""A day of which less was seen has no peak."""


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What limits are held against.

    Parameters
    ----------
    traffic
        Rates of the history.
    table
        The canonical table of the history, without duplicates.
    days
        The days of the history; the period is the last of them.
    first, last
        The period, both days included.
    """

    traffic: Traffic
    table: pd.DataFrame
    days: CalendarDays
    first: date
    last: date

    @property
    def day(self) -> Ints:
        """int64, shape (points,): the number of each point's day."""
        return self.days.of(self.traffic.times_ms)

    @property
    def inside(self) -> Bools:
        """bool, shape (points,): which points are in the period."""
        day = self.day
        start = (self.first - self.days.first).days
        end = (self.last - self.days.first).days
        result: Bools = (day >= start) & (day <= end)
        return result

    def dates(self, table: pd.DataFrame) -> Any:
        """The day of each row of the table as a `numpy.datetime64`."""
        return table["day"].to_numpy().astype("datetime64[D]")

    def in_period(self) -> pd.DataFrame:
        """The rows of the period."""
        dates = self.dates(self.table)
        some = (dates >= np.datetime64(self.first)) & (dates <= np.datetime64(self.last))
        rows: pd.DataFrame = self.table[some]
        return rows


@dataclass(frozen=True, slots=True)
class Headroom:
    """One stated limit beside the highest rate seen.

    Parameters
    ----------
    limit
        The limit, of which `unit` is one thing that it limits.
    unit, allowed
        A name of `UNITS`, and how much of it.
    models
        Provider and model of what counts against it.
    peak, p99
        The highest mean rate over five minutes (or a step, or a day), and the rate that 99 % of
        them did not exceed; None where `why` says so, the latter for days too.
    peak_ms
        Where the span of the highest rate ends, milliseconds since the epoch.
    share_seen
        Share of the period's points, or days, at which there was a rate.
    why
        Why there is no peak or, where there is one, no growth.
    growth
        When daily peaks reach the limit.
    """

    limit: RateLimit
    unit: str
    allowed: float
    models: tuple[tuple[str, str], ...] = ()
    peak: float | None = None
    p99: float | None = None
    peak_ms: int | None = None
    share_seen: float = 0.0
    why: str = ""
    growth: Growth | None = None

    @property
    def headroom(self) -> float | None:
        """Share of the limit that was free at the peak; below 0 where it was exceeded.

        Bursts within the five minutes are not seen, so there was no more than this.
        """
        return None if self.peak is None else 1 - self.peak / self.allowed

    @property
    def fits(self) -> float | None:
        """By which share usage may grow until its peaks meet the limit; 0 where they do."""
        if not self.peak:
            return None
        return max(self.allowed / self.peak - 1, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "limit": self.limit.name,
            "unit": self.unit,
            "allowed": self.allowed,
            "models": ["/".join(pair) for pair in self.models],
            "peak": self.peak,
            "p99": self.p99,
            "peak_ms": self.peak_ms,
            "headroom": self.headroom,
            "fits": self.fits,
            "share_seen": self.share_seen,
            "why": self.why,
            "growth": self.growth.to_dict() if self.growth else None,
        }


def headrooms(seen: Seen, limits: Sequence[RateLimit], *, seed: int = 0) -> Iterator[Headroom]:
    """Hold each limit against what was seen, one after the other."""
    for limit in limits:
        for unit, allowed in limit.allowed.items():
            each = _daily if unit == "requests_per_day" else _by_minute
            yield each(seen, limit, unit, allowed, seed)


def _by_minute(seen: Seen, limit: RateLimit, unit: str, allowed: float, seed: int) -> Headroom:
    measures = list(_MEASURES[unit])
    traffic = seen.traffic
    lacking = [m for m in measures if not _taken(traffic, (m,), limit)]
    cached = ["cached"] if limit.counts_cached and "input" in measures else []
    groups = _taken(traffic, measures, limit)
    rates = traffic.total([*measures, *cached], groups)
    if rates is None or not (some := np.isfinite(rates) & seen.inside).any():
        return Headroom(limit, unit, allowed, why="no usage that it takes has a rate")
    models = _models(groups)
    if lacking:
        return Headroom(limit, unit, allowed, models, why=f"nothing counts {lacking[0]}")
    if why := _beyond_belief(seen, limit, rates, [*measures, *cached]):
        return Headroom(limit, unit, allowed, models, why=why)
    at = int(np.where(some, rates, -np.inf).argmax())
    ahead = growth(*_daily_peaks(seen, rates), allowed, seed=(seed, f"{limit.name} {unit}"))
    return Headroom(
        limit, unit, allowed, models, float(rates[at]), float(np.quantile(rates[some], 0.99)),
        int(traffic.times_ms[at]), float(some.sum() / max(seen.inside.sum(), 1)),
        "" if ahead else _too_short(), ahead,
    )  # fmt: skip


def _daily(seen: Seen, limit: RateLimit, unit: str, allowed: float, seed: int) -> Headroom:
    """Requests of calendar days, as they were counted."""
    rows = seen.table[_rows(seen.table, limit) & seen.table["requests"].notna().to_numpy()]
    if not len(rows):
        return Headroom(limit, unit, allowed, why="no usage that it takes counts requests")
    sums = rows["requests"].groupby(seen.dates(rows)).sum()
    days = sums.index.to_numpy().astype("datetime64[D]")
    values = sums.to_numpy(np.float64)
    some = (days >= np.datetime64(seen.first)) & (days <= np.datetime64(seen.last))
    pairs = rows[["provider", "model"]].astype(str).drop_duplicates().to_numpy().tolist()
    models = tuple(sorted((p, m) for p, m in pairs))
    if not some.any():
        return Headroom(limit, unit, allowed, models, why="none of it was used in the period")
    at = int(np.where(some, values, -np.inf).argmax())
    numbers = (days - np.datetime64(seen.days.first)).astype(np.int64)
    ahead = growth(numbers, values, allowed, seed=(seed, f"{limit.name} {unit}"))
    peak_ms = int(seen.days.bounds_ms[numbers[at] + 1])
    period = (seen.last - seen.first).days + 1
    return Headroom(
        limit, unit, allowed, models, float(values[at]), None,
        peak_ms, float(some.sum() / period), "" if ahead else _too_short(), ahead,
    )  # fmt: skip


def _too_short() -> str:
    return f"fewer than {LEAST_DAYS} days are known: no growth is told"


def _taken(traffic: Traffic, measures: Sequence[str], limit: RateLimit) -> list[Group]:
    return [g for g in traffic.groups(*measures) if limit.takes(g.provider, g.model, g.team)]


def _models(groups: Sequence[Group]) -> tuple[tuple[str, str], ...]:
    return tuple(sorted({(g.provider, g.model) for g in groups}))


def _rows(table: pd.DataFrame, limit: RateLimit) -> Bools:
    """Which rows of the canonical table count against a limit: bool, shape (rows,)."""
    names = table[["provider", "model", "team"]].astype(str)
    number = names.groupby(list(names.columns), sort=False).ngroup().to_numpy()
    firsts = np.unique(number, return_index=True)[1]
    fits = [limit.takes(*row) for row in names.iloc[firsts].to_numpy().tolist()]
    result: Bools = np.array(fits, np.bool_)[number]
    return result


def _beyond_belief(seen: Seen, limit: RateLimit, rates: Floats, measures: Sequence[str]) -> str:
    """Why rates are not believed: a server's `rate` takes the saws of several workers for usage."""
    table = seen.in_period()
    columns = [c for m in measures for c in _COLUMNS[m]]
    counted = float(np.nansum(table.loc[_rows(table, limit), columns].to_numpy(np.float64)))
    total = float(np.nansum(rates[seen.inside])) * seen.traffic.step_ms / 60_000
    if counted > 0 and total > _OVER * counted:
        return (
            f"rates add up to {total / counted:.1f} times what was counted: several workers may "
            "answer behind one port"
        )
    return ""


def _daily_peaks(seen: Seen, rates: Floats) -> tuple[Ints, Floats]:
    """Days of the history of which enough was seen, and their highest rates."""
    known = np.isfinite(rates)
    day, count = seen.day[known], len(seen.days)
    within = (day >= 0) & (day < count)
    peaks = np.full(count, -np.inf)
    np.maximum.at(peaks, day[within], rates[known][within])
    points = seen.days.hours * 3_600_000 / max(seen.traffic.step_ms, 1)
    enough = np.bincount(day[within], minlength=count) >= _SEEN * points
    days = np.flatnonzero(enough).astype(np.int64)
    return days, peaks[days]
