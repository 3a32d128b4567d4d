"""The SLO study: read the objectives, ask, judge, join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import resources as packaged
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import InputError
from workbench.frame import Frame
from workbench.session.audit_names import split_names
from workbench.session.objective_advice import suggested_objectives
from workbench.session.study import Study
from workbench.slo.analysis import analyse
from workbench.slo.files import load_objectives
from workbench.slo.planning import bad_key, questions, ratio_key, total_key
from workbench.units import parse_duration
from workbench.window import parse_time

if TYPE_CHECKING:
    from workbench.promql.question import Question
    from workbench.session.workbench import Workbench
    from workbench.slo.files import Objectives
    from workbench.slo.objective import Objective
    from workbench.sources.base import Answer
    from workbench.units import Duration
    from workbench.window import Time

__all__ = ["plan_slo", "study_slo"]

_DEMO: Final = "demo:"


def plan_slo(
    workbench: Workbench,
    *,
    objectives: str | Path | Iterable[str | Path] = "",
    last: Duration | None = None,
    end: Time | None = None,
    step: Duration | None = None,
) -> tuple[Objectives, list[Question], int]:
    """What an SLO study would judge and ask, and the moment at which its history ends."""
    now_ms = workbench.source.now_ms()
    end_ms = now_ms if not end else parse_time(end, now_ms=now_ms)
    found = _objectives(workbench, split_names("" if objectives is None else objectives))
    asked = questions(
        found.objectives,
        now_ms=end_ms,
        last_ms=None if last in (None, "") else parse_duration(last),
        step_ms=None if step in (None, "") else parse_duration(step),
    )
    return found, asked, max((q.window.end_ms for q in asked), default=end_ms)


def study_slo(
    workbench: Workbench,
    *,
    objectives: str | Path | Iterable[str | Path] = "",
    last: Duration | None = None,
    end: Time | None = None,
    step: Duration | None = None,
) -> Study:
    """Study what is left of error budgets: see `Workbench.slo`."""
    from workbench.views.slo import slo_chart, slo_table

    found, asked, end_ms = plan_slo(workbench, objectives=objectives, last=last, end=end, step=step)
    answers = workbench.ask_all(asked)
    frames = {key: a.data for key, a in answers.items() if isinstance(a.data, Frame)}
    result = analyse(
        found.objectives,
        frames,
        now_ms=end_ms,
        hints=_hints(workbench, found.objectives, answers),
        unread=found,
    )
    provenance = [a.provenance for a in answers.values()]
    return Study("slo", result, provenance, table=slo_table, chart=slo_chart)


def _objectives(workbench: Workbench, names: Sequence[str]) -> Objectives:
    """Those of the files; of the embedded estate its own where no file is named."""
    if names:
        return load_objectives(names)
    if workbench.source.info().name == _DEMO:
        shipped = packaged.files("workbench.demo").joinpath("objectives.toml")
        with packaged.as_file(shipped) as path:
            return load_objectives([path])
    msg = (
        f"no objectives are given, and {workbench.source.info().name} does not say what is promised"
    )
    raise InputError(msg, suggested_objectives(workbench))


def _hints(
    workbench: Workbench, objectives: Sequence[Objective], answers: Mapping[str, Answer]
) -> dict[str, str]:
    """Why a query gave nothing, by the objective's key."""
    hints: dict[str, str] = {}
    for each in objectives:
        for key in (total_key(each), ratio_key(each), bad_key(each)):
            answer = answers.get(key)
            if answer is None or len(answer.data) or each.key in hints:
                continue
            if hint := workbench.why_empty(answer.provenance.expression, answer.provenance.window):
                hints[each.key] = hint
    return hints
