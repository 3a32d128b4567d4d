"""The capacity study: discover, ask, judge, join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.capacity import (
    Event,
    analyse,
    check_horizon,
    coverage_finding,
    discover,
    fit_sets,
    load_resources,
    questions,
    shipped_resources,
    usage_key,
)
from workbench.errors import InputError
from workbench.frame import Frame
from workbench.session.capacity_study import CapacityStudy
from workbench.session.deploys import build_metrics, deploys_of_jobs, given_deploys
from workbench.session.progress import shown
from workbench.statistics import DAY_MS
from workbench.statistics.local_time import split_dates
from workbench.units import format_duration, parse_duration

if TYPE_CHECKING:
    from workbench.capacity import CapacityResult, Discovery
    from workbench.promql.question import Question
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.window import Time, Window

__all__ = ["check_lead_time", "plan_capacity", "study_capacity"]

_LEAST_LEAD_MS: Final = 60_000
"""Nothing is ordered and there within a minute."""

_NO_DEPLOYS: Final = "none"
"""Stands for no deploys, where those of build metrics would be looked for."""


def plan_capacity(
    workbench: Asking,
    *,
    resources: str | Path | None = None,
    last: Duration = "35d",
    end: Time | None = None,
    step: Duration = "1h",
) -> tuple[Discovery, list[Question]]:
    """What a capacity study would watch and ask."""
    wished = load_resources(Path(resources)) if resources else shipped_resources()
    window = workbench.window(last=last, end=end, step=step)
    _check_step(window.step_ms)
    names = workbench.source.label_values("__name__", (), window.start_ms, window.end_ms)
    found = discover(names, wished)
    return found, questions(found.usable, window)


def study_capacity(
    workbench: Asking,
    *,
    resources: str | Path | None = None,
    last: Duration = "35d",
    end: Time | None = None,
    step: Duration = "1h",
    horizon_days: int = 90,
    lead_time: str = "",
    deploys: str = "",
    timezone: str = "UTC",
    holidays: str | Iterable[str | date] = (),
) -> CapacityStudy:
    """Study what will be full and when: see `Workbench.capacity`."""
    check_horizon(horizon_days)
    found, asked = plan_capacity(workbench, resources=resources, last=last, end=end, step=step)
    window = workbench.window(last=last, end=end, step=step)
    with shown("ask") as told:
        answers = workbench.ask_all(asked, progress=told)
    frames = {key: a.data for key, a in answers.items() if isinstance(a.data, Frame)}
    events = _events(workbench, deploys, window) if frames else ()
    with shown("forecast") as told:
        result = analyse(
            found.usable,
            frames,
            now_ms=window.end_ms,
            horizon_days=horizon_days,
            # A set of ours that does not fit is no finding; a resource the user named is.
            missing=found.unusable if resources else (),
            lead_time=check_lead_time(lead_time),
            events=events,
            progress=told,
            timezone=timezone,
            holidays=split_dates(holidays),
        )
    if not resources:
        result = _with_coverage(result, found, frames)
    provenance = [a.provenance for a in answers.values()]
    return CapacityStudy(result, provenance)


def _check_step(step_ms: int) -> None:
    """Refuse a step in which whole days are lost."""
    if step_ms > DAY_MS:
        msg = f"step is {format_duration(step_ms)}, which leaves out whole days"
        raise InputError(msg, "give at most a day, better an hour: step=1h")


def check_lead_time(text: str) -> str:
    """The lead time as it was given, if it is one.

    Raises
    ------
    InputError
        It is no duration, or shorter than a minute.
    """
    if text:
        try:
            takes_ms = parse_duration(text)
        except InputError as error:
            msg = f"lead_time is {text!r}, which is no duration"
            raise InputError(msg, "give one such as 14d, or nothing") from error
        if 0 < takes_ms < _LEAST_LEAD_MS:  # what is meant by "14" is days
            msg = f"lead_time is {text!r}, which is {format_duration(takes_ms)}"
            raise InputError(msg, "give it with its unit, such as 14d, or nothing")
    return text


def _events(workbench: Asking, deploys: str, window: Window) -> list[Event]:
    """What happened in the window: the deploys of all jobs, or those that were given."""
    if deploys == _NO_DEPLOYS:
        return []
    names = workbench.source.label_values("__name__", (), window.start_ms, window.end_ms)
    if deploys and deploys not in names:
        return [Event(d.at_ms, d.title) for d in given_deploys(workbench, deploys)]
    metrics = [deploys] if deploys else build_metrics(names)
    span = window.start_ms, window.end_ms
    jobs = workbench.source.label_values("job", metrics, *span) if metrics else []
    return [
        Event(d.at_ms, f"{job} {d.title}".strip())
        for job in jobs or [""]
        for d in deploys_of_jobs(workbench, metrics, [job], window, wished=bool(deploys))
    ]


def _with_coverage(
    result: CapacityResult, found: Discovery, frames: Mapping[str, Frame]
) -> CapacityResult:
    """Add the one finding that tells which ready-made sets fit in part only."""
    # A share of a limit is empty where there is no limit: only usage by itself tells.
    asked = [r for r in found.usable if r.needs_limit and isinstance(r.limit, str)]
    empty = {r.name for r in asked if not len(frames.get(usage_key(r), ()))}
    said = coverage_finding(fit_sets(found), empty)
    return result if said is None else replace(result, findings=(*result.findings, said))
