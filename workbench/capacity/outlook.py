"""What is known of one instance: its history, its forecast, and when it is full. Plain data."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np

from workbench.samples import Floats, Ints, Labels
from workbench.statistics import DAY_MS, Backtest, DailyPeaks
from workbench.window import format_time

if TYPE_CHECKING:
    from workbench.capacity.lead_time import OrderBy

__all__ = ["Change", "Fan", "Growth", "Outlook", "Saturation", "Verdict"]


class Verdict(StrEnum):
    """What can be said of an instance; from the most to the least urgent."""

    FULL = "full"
    DATED = "date"
    POSSIBLE = "possible"
    UNLIKELY = "unlikely"
    NO_LIMIT = "no limit"
    UNKNOWN = "cannot tell"


@dataclass(frozen=True, slots=True)
class Growth:
    """Growth of the daily peak in 30 days, in the resource's unit: median and 80 % interval."""

    middle: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Change:
    """A level shift in the history: when and by how much, in the resource's unit.

    Parameters
    ----------
    time_ms, precision_ms
        It began between `time_ms` − `precision_ms` and `time_ms` + `precision_ms`.
    size
        The level after it less that before.
    """

    time_ms: int
    size: float
    precision_ms: int = DAY_MS

    @property
    def start_ms(self) -> int:
        """The earliest moment at which it may have begun."""
        return self.time_ms - self.precision_ms

    @property
    def end_ms(self) -> int:
        """The latest."""
        return self.time_ms + self.precision_ms


@dataclass(frozen=True, slots=True)
class Saturation:
    """When the daily peak first reaches the limit.

    Parameters
    ----------
    chances
        The probability that it does within so many days, by days (30, 60, 90 and the horizon).
    days
        Median days until then; None where that lies beyond twice the horizon.
    interval_80, interval_95
        Days; an end is None where it lies beyond twice the horizon.
    dated
        Whether the chance within the horizon is high enough (0.8) to print a date.
    add
        What to add to the limit so that the chance within the horizon falls to 10 %.
    cumulative
        float64, shape (twice the horizon,): the chance by each coming day.
    """

    chances: Mapping[int, float]
    days: int | None
    interval_80: tuple[int | None, int | None]
    interval_95: tuple[int | None, int | None]
    dated: bool
    add: float
    cumulative: Floats


@dataclass(frozen=True, slots=True)
class Fan:
    """Forecast of the daily peak: quantiles by coming day.

    Parameters
    ----------
    times_ms
        int64, shape (days,): the middle of each day.
    levels
        The quantiles, ascending.
    values
        float64, shape (levels, days), in the resource's unit.
    """

    times_ms: Ints
    levels: tuple[float, ...]
    values: Floats


@dataclass(frozen=True, slots=True)
class Outlook:
    """All that is known of one instance; figures in the resource's unit, None where unknown.

    Parameters
    ----------
    name, labels, unit, owner, kind, service
        What it is; `kind` is the resource's name template, `service` what it serves.
    verdict, reason
        What can be said, and why not more.
    current, limit
        The last sample and the limit in force then.
    peak_p95, peak_p99
        Quantiles of the daily peaks of the last 28 days: use at the seasonal peak.
    headroom
        Limit less `peak_p95`.
    share
        `peak_p95` as a share of the limit.
    growth, saturation, fan, backtest, changes
        The forecast, where there is one.
    order
        By when more of it must be ordered, where it fills in sight and a lead time is known.
    notes
        What is incomplete or odd in the data, one sentence each.
    history
        A peak a day, and how much of each day was seen.
    limits
        float64, shape (days,): the limit in force at the end of each day of `history`; NaN where
        unknown.
    """

    name: str
    labels: Labels
    unit: str
    owner: str
    kind: str
    verdict: Verdict
    history: DailyPeaks
    limits: Floats
    reason: str = ""
    current: float | None = None
    limit: float | None = None
    peak_p95: float | None = None
    peak_p99: float | None = None
    growth: Growth | None = None
    saturation: Saturation | None = None
    fan: Fan | None = None
    backtest: Backtest | None = None
    changes: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()
    service: str = ""
    order: OrderBy | None = None

    @property
    def headroom(self) -> float | None:
        """Limit less the seasonal peak; None where either is unknown."""
        if self.limit is None or self.peak_p95 is None:
            return None
        return self.limit - self.peak_p95

    @property
    def share(self) -> float | None:
        """The seasonal peak as a share of the limit; None where either is unknown."""
        if not self.limit or self.peak_p95 is None:
            return None
        return self.peak_p95 / self.limit

    @property
    def level(self) -> float | None:
        """The median peak of the last 28 days; None where there is none."""
        recent = self.history.peaks[-28:]
        known = recent[~np.isnan(recent)]
        return float(np.median(known)) if len(known) else None

    @property
    def growth_share(self) -> Growth | None:
        """Growth in 30 days as a share of the level; None where there is no level above 0."""
        level = self.level
        if self.growth is None or level is None or level <= 0:
            return None
        return Growth(self.growth.middle / level, self.growth.low / level, self.growth.high / level)

    @property
    def urgency(self) -> tuple[Any, ...]:
        """Sorts the most urgent first: full, then dated by date, then by chance, then by share."""
        chance, days = 0.0, math.inf
        if self.saturation:
            chance = max(self.saturation.chances.values(), default=0.0)
            if self.saturation.dated and self.saturation.days is not None:
                days = self.saturation.days
        order = list(Verdict).index(self.verdict)
        return (order, days, -chance, -(self.share or 0.0), self.name)

    def time_ms(self, days: int | None) -> int | None:
        """The middle of the day that ends so many days from now, milliseconds since the epoch."""
        if not days:
            return None if days is None else self.history.end_ms
        return int(self.history.times_ahead(days)[-1])

    def to_dict(self, *, series: bool = False) -> dict[str, Any]:
        """The JSON form; with `series` also history and forecast by day."""
        result: dict[str, Any] = {
            "name": self.name,
            "labels": dict(self.labels),
            "kind": self.kind,
            "unit": self.unit,
            "owner": self.owner,
            "service": self.service,
            "verdict": self.verdict.value,
            "reason": self.reason,
            "current": _number(self.current),
            "limit": _number(self.limit),
            "peak_p95": _number(self.peak_p95),
            "peak_p99": _number(self.peak_p99),
            "headroom": _number(self.headroom),
            "share": _number(self.share),
            "growth_30d": _growth(self.growth),
            "growth_30d_share": _growth(self.growth_share),
            "saturation": self._saturation(),
            "order_by": self._order(),
            "backtest": self.backtest and self.backtest.to_dict(),
            "changes": [
                {
                    "time": format_time(c.time_ms),
                    "size": _number(c.size),
                    "precision_hours": c.precision_ms / 3_600_000,
                }
                for c in self.changes
            ],
            "days": len(self.history.days),
            "notes": list(self.notes),
        }
        return {**result, "series": self._series()} if series else result

    def _saturation(self) -> dict[str, Any] | None:
        found = self.saturation
        if found is None:
            return None
        days: dict[str, int | None] = {"date": found.days if found.dated else None}
        for share, interval in ((80, found.interval_80), (95, found.interval_95)):
            days |= dict(zip((f"low_{share}", f"high_{share}"), interval, strict=True))
        dates = {k: t and format_time(t) for k, d in days.items() for t in [self.time_ms(d)]}
        chances = {f"within_{d}d": _number(c) for d, c in found.chances.items()}
        return {**dates, "chance": chances, "dated": found.dated, "add": _number(found.add)}

    def _order(self) -> dict[str, Any] | None:
        if self.order is None:
            return None
        by = self.history.end_ms + round(self.order.days * DAY_MS)
        return {**self.order.to_dict(), "date": format_time(by)}

    def _series(self) -> dict[str, Any]:
        past = {
            "times": [format_time(t) for t in self.history.times_ms.tolist()],
            "peaks": _numbers(self.history.peaks),
            "lows": _numbers(self.history.lows),
            "limits": _numbers(self.limits),
        }
        if self.fan is None:
            return {"history": past, "forecast": None}
        quantiles = {
            f"{q:g}": _numbers(v) for q, v in zip(self.fan.levels, self.fan.values, strict=True)
        }
        times = [format_time(t) for t in self.fan.times_ms.tolist()]
        return {"history": past, "forecast": {"times": times, "quantiles": quantiles}}


def _growth(growth: Growth | None) -> dict[str, float | None] | None:
    if growth is None:
        return None
    return {f.name: _number(getattr(growth, f.name)) for f in fields(Growth)}


def _number(value: float | None) -> float | None:
    """Seven significant digits; None where there is no finite number."""
    if value is None or not math.isfinite(value):
        return None
    return float(f"{value:.7g}")


def _numbers(values: Floats) -> list[float | None]:
    return [_number(v) for v in values.tolist()]
