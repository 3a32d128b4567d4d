"""An audit from what it is about to its result: read the candidate and the baseline, judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from workbench.cardinality.audit import Audit, AuditOptions, audit
from workbench.errors import InputError
from workbench.inventory import Inventory
from workbench.session.inventories import is_source, job_history, read_inventories
from workbench.units import parse_duration

if TYPE_CHECKING:
    from workbench.cardinality.budgets import BudgetFile
    from workbench.usage import Usage

__all__ = ["AuditRequest", "judge", "read_budgets", "read_usage", "run_audit"]


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
    _check(request)
    file = read_budgets(request)
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
    if ago_ms and baseline is not None and not baseline.series:
        msg = f"{', '.join(earlier)} has no series from {request.since} ago"
        raise InputError(msg, "give a shorter --since: its data do not reach back so far")
    history = [
        job
        for name in (*request.candidate, *request.baseline)
        if is_source(name)
        for job in job_history(name)
    ]
    usage = read_usage(request)
    same = bool(ago_ms) and not request.baseline
    options = replace(
        request.options, history=tuple(history), same_source=same, all_jobs=bool(request.match)
    )
    return judge(candidate, baseline, usage, file, options)


def _check(request: AuditRequest) -> None:
    """Refuse what would be answered, and wrongly."""
    names = [*request.candidate, *request.baseline]
    if names.count("-") > 1:
        msg = "standard input is named more than once, and can be read once"
        raise InputError(msg, "save one of the inputs to a file")
    if request.match and not any(map(is_source, names)):
        msg = f"--match {request.match[0]} is about a server, and none is named"
        raise InputError(msg, "leave it out, or name a server or snapshot")
    if request.since and request.baseline:
        msg = f"--since {request.since} and --baseline {request.baseline[0]} are two baselines"
        raise InputError(msg, "give one of them")
    if request.since and not any(map(is_source, names)):
        msg = f"--since {request.since}: {', '.join(names)} has no history"
        raise InputError(msg, "name a server or snapshot, or give --baseline alone")


def judge(
    candidate: Inventory,
    baseline: Inventory | None,
    usage: Usage | None,
    file: BudgetFile | None,
    options: AuditOptions,
) -> Audit:
    """Judge inventories, and mark what is acknowledged."""
    result = audit(candidate, baseline, usage=usage, budgets=file, options=options)
    if file is None or not file.acknowledged:
        return result
    from workbench.findings.acknowledgement import acknowledge, read_acknowledgements

    known = read_acknowledgements(file.acknowledged, "the budget file")
    marked = acknowledge(result.findings, known, today=options.today)
    marked.sort(key=lambda f: (bool(f.acknowledged), -f.severity.rank))
    return replace(result, findings=tuple(marked))


def read_budgets(request: AuditRequest) -> BudgetFile | None:
    """What is allowed, from the files that a request names; None where it names none."""
    if not request.budgets:
        return None
    from workbench.cardinality.budgets import load_budgets

    return load_budgets(request.budgets)


def read_usage(request: AuditRequest) -> Usage | None:
    """What the rules and dashboards of a request ask; None where it names none."""
    if not request.rules and not request.dashboards:
        return None
    from workbench.usage import load_usage

    return load_usage(rules=request.rules, dashboards=request.dashboards)
