"""The cardinality study: read the candidate and the baseline, judge, join."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.cardinality.audit import Audit, AuditOptions, audit
from workbench.cardinality.budgets import BudgetFile, load_budgets
from workbench.findings.acknowledgement import acknowledge, read_acknowledgements
from workbench.inventory import Inventory
from workbench.session.inventories import is_source, job_history, read_inventories
from workbench.units import parse_duration

if TYPE_CHECKING:
    from workbench.session.study import Study
    from workbench.session.workbench import Workbench
    from workbench.usage import Usage

__all__ = ["AuditRequest", "run_audit", "study_cardinality"]


@dataclass(frozen=True, slots=True)
class AuditRequest:
    """What to audit, by name.

    Parameters
    ----------
    candidate, baseline
        Code, text, targets, servers: see `workbench.session.inventories`.
    since
        How long ago the baseline is taken, where it is a server or snapshot; without a baseline,
        of the candidate itself: what has changed since.
    match
        Selectors for servers and snapshots.
    exclude
        Names and paths that a source scan leaves out.
    budgets, rules, dashboards
        Files and folders.
    options
        How to judge.
    """

    candidate: Sequence[str]
    baseline: Sequence[str] = ()
    since: str = ""
    match: Sequence[str] = ()
    exclude: Sequence[str] = ()
    budgets: Sequence[Path] = ()
    rules: Sequence[Path] = ()
    dashboards: Sequence[Path] = ()
    options: AuditOptions = field(default_factory=AuditOptions)


def run_audit(
    request: AuditRequest, *, progress: Callable[[int, int], None] | None = None
) -> Audit:
    """Read all that a request names, and judge it.

    Raises
    ------
    InputError
        A name, file or selector is wrong.
    SourceError
        A server or target does not answer.
    """
    file = load_budgets(request.budgets)
    candidate = read_inventories(
        request.candidate, matchers=request.match, exclude=request.exclude, progress=progress
    )
    baseline = None
    ago_ms = parse_duration(request.since) if request.since else 0
    earlier = request.baseline or (request.candidate if ago_ms else ())
    if earlier:
        baseline = read_inventories(
            earlier,
            matchers=request.match,
            ago_ms=ago_ms,
            exclude=request.exclude,
            progress=progress,
        )
    history = [
        job
        for name in (*request.candidate, *request.baseline)
        if is_source(name)
        for job in job_history(name)
    ]
    usage = _usage(request)
    same = bool(ago_ms) and not request.baseline
    options = replace(request.options, history=tuple(history), same_source=same)
    return judge(candidate, baseline, usage, file, options)


def judge(
    candidate: Inventory,
    baseline: Inventory | None,
    usage: Usage | None,
    file: BudgetFile,
    options: AuditOptions,
) -> Audit:
    """Judge inventories, and mark what is acknowledged."""
    result = audit(candidate, baseline, usage=usage, budgets=file, options=options)
    known = read_acknowledgements(file.acknowledged, "the budget file")
    if not known:
        return result
    marked = acknowledge(result.findings, known, today=options.today)
    marked.sort(key=lambda f: (bool(f.acknowledged), -f.severity.rank))
    return replace(result, findings=tuple(marked))


def study_cardinality(
    workbench: Workbench,
    *,
    candidate: str | Iterable[str] | None = None,
    match: str | Iterable[str] = (),
    budgets: str | Path | None = None,
    rules: str | Path | Iterable[str | Path] = (),
    dashboards: str | Path | Iterable[str | Path] = (),
    **options: Any,
) -> Study:
    """Study which labels make the series, and what a deploy would change: see `Workbench`."""
    from workbench.session.study import Study
    from workbench.sources.inventory import take_inventory
    from workbench.views.cardinality import cardinality_chart, cardinality_table

    selectors = _several(match)
    request = AuditRequest(
        candidate=_several(candidate) if candidate is not None else (),
        budgets=[Path(budgets)] if budgets is not None else (),
        rules=[Path(p) for p in _several(rules)],
        dashboards=[Path(p) for p in _several(dashboards)],
        options=AuditOptions(**options),
    )
    held = take_inventory(workbench.source, matchers=selectors)
    file = load_budgets(request.budgets)
    usage = _usage(request)
    if request.candidate:
        new = read_inventories(request.candidate, matchers=selectors)
        result = judge(new, held, usage, file, request.options)
    else:
        result = judge(held, None, usage, file, request.options)
    return Study("cardinality", result, [], table=cardinality_table, chart=cardinality_chart)


def _usage(request: AuditRequest) -> Usage | None:
    if not request.rules and not request.dashboards:
        return None
    from workbench.usage import load_usage

    return load_usage(rules=request.rules, dashboards=request.dashboards)


def _several(given: str | Path | Iterable[Any]) -> list[str]:
    return [str(given)] if isinstance(given, str | Path) else [str(one) for one in given]
