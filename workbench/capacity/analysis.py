"""The capacity analysis: frames in, outlooks and findings out. Nothing is asked or drawn here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import date
from typing import Any, Final

from workbench.capacity.binding import bindings
from workbench.capacity.coincidence import Event, moments
from workbench.capacity.conclusions import conclude, missing_metrics, no_series
from workbench.capacity.fleet import forecast_fleet
from workbench.capacity.instances import Instance, instances, told_apart
from workbench.capacity.judging import judge
from workbench.capacity.lead_time import order_by
from workbench.capacity.outlook import Outlook
from workbench.capacity.planning import Unusable, limit_key, usage_key
from workbench.capacity.resource import Resource
from workbench.capacity.result import CapacityResult
from workbench.capacity.shift_findings import conclude_moments
from workbench.capacity.shift_hours import located
from workbench.errors import InputError
from workbench.findings import Finding
from workbench.frame import Frame
from workbench.statistics import DAY_MS
from workbench.units import is_whole, parse_duration

__all__ = ["analyse", "check_horizon"]

_MOST_DAYS: Final = 730


def check_horizon(horizon_days: int) -> None:
    """Refuse a horizon that cannot be forecast.

    Raises
    ------
    InputError
        It is not a whole number of 1 to 730 days.
    """
    if not is_whole(horizon_days) or not 1 <= horizon_days <= _MOST_DAYS:
        msg = f"a horizon of {horizon_days!r} days cannot be forecast"
        raise InputError(msg, "give 1 to 730 whole days; 90 is what the figures were checked for")


def analyse(
    resources: Sequence[Resource],
    frames: Mapping[str, Frame],
    *,
    now_ms: int,
    horizon_days: int = 90,
    missing: Sequence[Unusable] = (),
    seed: int = 0,
    lead_time: str = "",
    events: Sequence[Event] = (),
    workers: int | None = None,
    progress: Callable[[int, int], Any] | None = None,
    timezone: str = "UTC",
    holidays: Iterable[str | date] = (),
) -> CapacityResult:
    """Judge what `questions` asked for.

    Parameters
    ----------
    resources
        What was asked about.
    frames
        The answers, by the questions' keys; an absent key is a query that gave nothing.
    now_ms
        Where the history ends and the forecast begins.
    horizon_days
        How far ahead dates are given.
    missing
        What `discover` found unusable; becomes findings.
    seed
        Of the drawn paths: equal input and seed give equal figures, in any order of resources.
    lead_time
        How long more takes to get, such as ``14d``, for resources that do not say it themselves.
    events
        What happened in the time of the history, to be held against level shifts.
    workers
        How many processes forecast: by cores and instances where not given; 1 for this one alone.
        The figures are the same.
    progress
        Told how many instances are forecast, and of how many.
    timezone
        An IANA name: days end at one clock time there, and are 23 or 25 hours long where clocks
        change.
    holidays
        Local dates, as `datetime.date` or ``YYYY-MM-DD``, that pass as Sundays do, past and coming.

    Raises
    ------
    InputError
        The horizon is not 1 to 730 days, the time zone is not known, or a holiday is no date.
    """
    check_horizon(horizon_days)
    findings: list[Finding] = list(missing_metrics(missing))
    found: list[Instance] = []
    for resource in resources:
        usage = frames.get(usage_key(resource))
        if usage is None or not len(usage):
            if not resource.needs_limit:
                findings.append(no_series(resource))
            continue
        found.extend(instances(resource, usage, frames.get(limit_key(resource))))
    found = told_apart(found)
    free = tuple(holidays)
    judged = [judge(i, now_ms=now_ms, timezone=timezone, holidays=free) for i in found]
    forecast = forecast_fleet(
        judged, horizon_days=horizon_days, seed=seed, workers=workers, progress=progress
    )
    outlooks = [
        _ordered(located(outlook, instance, timezone), instance.resource.lead_time or lead_time)
        for outlook, instance in zip(forecast, found, strict=True)
    ]
    changed = moments(outlooks, events)
    findings.extend(conclude_moments(changed, now_ms))
    for instance, each, outlook in zip(found, judged, outlooks, strict=True):
        findings.extend(
            conclude(
                outlook,
                instance.resource,
                each.obstacle,
                horizon_days,
                limit_fault=each.limit_fault,
            )
        )
    return CapacityResult(
        now_ms,
        horizon_days,
        tuple(sorted(outlooks, key=lambda o: o.urgency)),
        tuple(sorted(findings, key=lambda f: (-f.severity.rank, f.code, f.about))),
        bindings(outlooks, horizon_days=horizon_days),
        changed,
    )


def _ordered(outlook: Outlook, lead_time: str) -> Outlook:
    """The outlook with the day by which more must be ordered."""
    if not lead_time or outlook.saturation is None:
        return outlook
    lead_days = parse_duration(lead_time) / DAY_MS
    return replace(outlook, order=order_by(outlook.saturation, lead_days))
