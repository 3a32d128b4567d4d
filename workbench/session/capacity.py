"""The capacity study: discover, ask, judge, join."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.capacity import (
    analyse,
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
from workbench.session.study import Study

if TYPE_CHECKING:
    from workbench.capacity import CapacityResult, Discovery
    from workbench.promql.question import Question
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.window import Time

__all__ = ["plan_capacity", "study_capacity"]


def plan_capacity(
    workbench: Asking,
    *,
    resources: str | Path | None = None,
    last: Duration = "35d",
    end: Time | None = None,
    step: Duration = "1h",
) -> tuple[Discovery, list[Question]]:
    """What a capacity study would watch and ask."""
    wished = shipped_resources() if resources is None else load_resources(Path(resources))
    window = workbench.window(last=last, end=end, step=step)
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
) -> Study:
    """Study what will be full and when: see `Workbench.capacity`."""
    from workbench.views.capacity import capacity_chart, capacity_table

    if horizon_days < 1:
        msg = f"horizon_days is {horizon_days}"
        raise InputError(msg, "give at least 1, such as 90")
    found, asked = plan_capacity(workbench, resources=resources, last=last, end=end, step=step)
    answers = workbench.ask_all(asked)
    frames = {key: a.data for key, a in answers.items() if isinstance(a.data, Frame)}
    result = analyse(
        found.usable,
        frames,
        now_ms=workbench.window(last=last, end=end, step=step).end_ms,
        horizon_days=horizon_days,
        # A set of ours that does not fit is no finding; a resource the user named is.
        missing=() if resources is None else found.unusable,
    )
    if resources is None:
        result = _with_coverage(result, found, frames)
    provenance = [a.provenance for a in answers.values()]
    return Study("capacity", result, provenance, table=capacity_table, chart=capacity_chart)


def _with_coverage(
    result: CapacityResult, found: Discovery, frames: Mapping[str, Frame]
) -> CapacityResult:
    """Add the one finding that tells which ready-made sets fit in part only."""
    # A share of a limit is empty where there is no limit: only usage by itself tells.
    asked = [r for r in found.usable if r.needs_limit and isinstance(r.limit, str)]
    empty = {r.name for r in asked if not len(frames.get(usage_key(r), ()))}
    said = coverage_finding(fit_sets(found), empty)
    return result if said is None else replace(result, findings=(*result.findings, said))
