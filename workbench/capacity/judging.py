"""One instance: what can be known before any forecast, and whether one may be made."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np

from workbench.capacity.instances import Instance
from workbench.capacity.outlook import Outlook, Verdict
from workbench.capacity.suspicions import is_counter, limit_fault, unit_fault, unit_notes
from workbench.frame import Bools
from workbench.samples import Floats
from workbench.statistics import DAY_MS, DailyPeaks, daily_peaks
from workbench.units import counted, format_duration, format_quantity

__all__ = ["LEAST_DAYS", "Judged", "Obstacle", "judge"]

LEAST_DAYS: Final = 14
"""Daily peaks without which there is no forecast: two weeks show one repetition of a week."""

_FEW_DAYS: Final = 28
"""Below so many daily peaks it is said on how few weeks the weekdays rest."""

_RECENT: Final = 28
"""Days whose peaks are the seasonal peak."""

_FULL_DAYS: Final = 7
"""Touching the limit in so many last days is being full."""

_MOVING: Final = 0.2
"""A limit that changes on more than this share of days is forecast as a share of itself."""

_STALE_DAYS: Final = 7
"""Without a peak in so many days there is no forecast."""


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why there is no forecast: the code of the finding (``""`` for none) and the reason."""

    code: str
    reason: str


@dataclass(frozen=True, slots=True)
class Judged:
    """One instance before its forecast.

    Parameters
    ----------
    outlook
        What is known already.
    series
        The daily peaks to forecast: of the usage, or of its share of a limit that moves with it.
    unit_factor
        What one unit of `series` is in the resource's unit: 1, or the current limit.
    obstacle
        Why there can be no forecast; None where there can.
    limit_fault
        What is wrong with a limit that was given and cannot be one, such as ``"the limit is 0"``.
    """

    outlook: Outlook
    series: DailyPeaks
    unit_factor: float
    obstacle: Obstacle | None
    limit_fault: str = ""


def judge(
    instance: Instance, *, now_ms: int, timezone: str = "UTC", holidays: Iterable[str | date] = ()
) -> Judged:
    """Measure one instance and tell whether it can be forecast.

    Parameters
    ----------
    instance
        Its usage and limit.
    now_ms
        Where the history ends.
    timezone, holidays
        Whose clocks the days follow, and the local dates that pass as Sundays, as in
        `daily_peaks`.

    Raises
    ------
    InputError
        The time zone is not known, or a holiday is no date.
    """
    finite = instance.present & np.isfinite(instance.usage) & (instance.times_ms <= now_ms)
    free = tuple(holidays)
    history = _peaks(instance, instance.usage, now_ms, timezone, free)
    limits = _daily_limits(instance, history)
    limit = _last(limits)
    fault = limit_fault(instance, now_ms) if limit is None else ""
    values = instance.usage[finite]
    recent = history.values[history.days >= len(history) - _RECENT]
    p95, p99 = np.quantile(recent, [0.95, 0.99]).tolist() if len(recent) else (None, None)
    moving = _moves(limits, history)
    obstacle = _obstacle(instance, values, history, limit, limits)
    outlook = Outlook(
        name=instance.name,
        labels=instance.labels,
        unit=instance.resource.unit,
        owner=instance.resource.owner,
        kind=instance.resource.name,
        service=instance.resource.service_of(instance.labels),
        verdict=_verdict(obstacle),
        reason=obstacle.reason if obstacle else "",
        history=history,
        limits=limits,
        current=float(values[-1]) if len(values) else None,
        limit=limit,
        peak_p95=p95,
        peak_p99=p99,
        notes=(
            *_notes(instance, history, limits, limit, moving=moving),
            *_of_samples(instance, now_ms),
            *unit_notes(history, limit, instance.resource.unit),
            *([f"{fault[0].upper()}{fault[1:]}: it is taken as none."] if fault else []),
        ),
    )
    if obstacle is None and moving and limit is not None and instance.limit is not None:
        with np.errstate(divide="ignore", invalid="ignore"):
            share = instance.usage / _filled(instance.limit)
        series = _peaks(instance, share, now_ms, timezone, free)
        return Judged(outlook, series, limit, obstacle)
    return Judged(outlook, history, 1.0, obstacle, fault)


def _peaks(
    instance: Instance, values: Floats, now_ms: int, timezone: str, free: tuple[str | date, ...]
) -> DailyPeaks:
    return daily_peaks(
        instance.times_ms, values, instance.present, end_ms=now_ms, timezone=timezone, holidays=free
    )


def _verdict(obstacle: Obstacle | None) -> Verdict:
    """The verdict without a forecast; the forecast replaces it."""
    if obstacle is None:
        return Verdict.UNLIKELY
    return Verdict.FULL if obstacle.code == "CAP-FULL" else Verdict.UNKNOWN


def _obstacle(
    instance: Instance, values: Floats, history: DailyPeaks, limit: float | None, limits: Floats
) -> Obstacle | None:
    if not len(values):
        return Obstacle("CAP-TOO-LITTLE-DATA", "there is no sample in the whole window")
    if is_counter(instance, values):
        return Obstacle(
            "CAP-NOT-A-GAUGE", "the values only grow and restart near 0, as a counter does"
        )
    if limit is not None and (reason := unit_fault(history, limit, instance.resource.unit)):
        return Obstacle("CAP-UNITS", reason)
    if limit is not None and (reason := _full(float(values[-1]), history, limit, limits)):
        return Obstacle("CAP-FULL", reason)
    return _too_little(history)


def _too_little(history: DailyPeaks) -> Obstacle | None:
    """Too few, too old or unmoving daily peaks."""
    days = history.days
    if len(days) < LEAST_DAYS:
        verb = "is" if len(days) == 1 else "are"
        reason = f"{counted(len(days), 'daily peak')} {verb} known, {LEAST_DAYS} are needed"
        return Obstacle("CAP-TOO-LITTLE-DATA", reason)
    silent = len(history) - 1 - int(days[-1])
    if silent >= _STALE_DAYS:
        return Obstacle("CAP-TOO-LITTLE-DATA", f"no peak is known of the last {silent} days")
    if np.ptp(history.values) <= 1e-9 * max(float(np.abs(history.values).max()), 1e-300):
        return Obstacle("", f"the daily peak has not moved in {len(days)} days")
    return None


def _full(current: float, history: DailyPeaks, limit: float, limits: Floats) -> str:
    """Say how the limit has been reached, ``""`` where it has not."""
    if current >= limit:
        return "usage is at or above the limit"
    with np.errstate(invalid="ignore"):
        reached = (history.peaks >= limits) & (history.peaks >= limit)
    days = int(reached[-_FULL_DAYS:].sum())
    return f"the limit was reached on {days} of the last {_FULL_DAYS} days" if days else ""


def _daily_limits(instance: Instance, history: DailyPeaks) -> Floats:
    """The limit in force at the end of each day, carried over gaps; 0 and below are no limits."""
    if instance.limit is None or not len(history):
        return np.full(len(history), np.nan)
    at = np.searchsorted(instance.times_ms, history.edges_ms[1:], side="right") - 1
    filled = _filled(instance.limit)
    limits = np.where(at >= 0, filled[np.maximum(at, 0)], np.nan)
    return np.where(np.isfinite(limits) & (limits > 0), limits, np.nan)


def _filled(values: Floats) -> Floats:
    """Gaps filled with the last value before them."""
    known = ~np.isnan(values)
    at = np.maximum.accumulate(np.where(known, np.arange(len(values)), -1))
    return np.where(at >= 0, values[np.maximum(at, 0)], np.nan)


def _last(limits: Floats) -> float | None:
    return float(limits[-1]) if len(limits) and np.isfinite(limits[-1]) else None


def _changed(limits: Floats) -> Bools:
    """Whether the limit differs from that of the day before."""
    known = limits[np.isfinite(limits)]
    return np.abs(np.diff(known)) > 1e-6 * np.abs(known[1:])


def _moves(limits: Floats, history: DailyPeaks) -> bool:
    return bool(_changed(limits).sum() > _MOVING * max(len(history), 1))


def _notes(
    instance: Instance, history: DailyPeaks, limits: Floats, limit: float | None, *, moving: bool
) -> list[str]:
    """What is incomplete or odd in the data, one sentence each."""
    notes: list[str] = []
    if history.missing:
        longest = _longest_gap(history)
        notes.append(
            f"Too few samples on {history.missing} of {len(history)} days (longest gap {longest} d)."
        )
    changes = int(_changed(limits).sum())
    if moving and limit is not None:
        notes.append(f"The limit changed on {changes} days: the share in use is forecast.")
    elif changes:
        times = "once" if changes == 1 else f"{changes} times"
        now = (
            f"now it is {format_quantity(limit, instance.resource.unit)}"
            if limit
            else "now it is none"
        )
        notes.append(f"The limit changed {times}; {now}.")
    with np.errstate(invalid="ignore"):
        early = int((history.peaks >= limits)[:-_FULL_DAYS].sum())
    if early:
        notes.append(f"The limit was reached on {early} earlier day{'s' * (early > 1)}.")
    if LEAST_DAYS <= len(history.days) < _FEW_DAYS:
        weeks = len(history) / 7
        notes.append(f"Only {weeks:.0f} weeks are known: little is known of weekdays and growth.")
    silent = len(history) - 1 - int(history.days[-1]) if len(history.days) else 0
    if silent:
        notes.append(f"The last peak is {format_duration(silent * DAY_MS)} old.")
    return notes


def _of_samples(instance: Instance, now_ms: int) -> list[str]:
    """Say how many samples are no numbers."""
    bad = instance.present & ~np.isfinite(instance.usage) & (instance.times_ms <= now_ms)
    count, seen = int(bad.sum()), int(instance.present.sum())
    if not count:
        return []
    return [f"{count} of {seen} samples are NaN or infinite and left out."]


def _longest_gap(history: DailyPeaks) -> int:
    days = np.concatenate([[-1], history.days, [len(history)]])
    return int(np.diff(days).max()) - 1
