"""The cardinality study: a source beside code and text, judged, with its tables and its picture."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.cardinality.audit import Audit, AuditOptions
from workbench.cardinality.history import JobHistory, questions, read_history
from workbench.cardinality.lint import chosen_rules
from workbench.errors import InputError
from workbench.findings import Provenance
from workbench.frame import Frame
from workbench.inventory import Inventory
from workbench.session.audit_names import split_names, split_selectors
from workbench.session.cardinality import AuditRequest, judge, read_budgets, read_usage
from workbench.session.inventories import is_source, job_history, read_inventories
from workbench.session.study import Study
from workbench.units import parse_duration

if TYPE_CHECKING:
    from workbench.promql.question import Question
    from workbench.session.workbench import Workbench
    from workbench.units import Duration
    from workbench.views.listing import Listing

__all__ = ["NO_BASELINE", "CardinalityStudy", "plan_cardinality", "study_cardinality"]

NO_BASELINE: Final = "none"
"""Stands for no baseline, where the source would else be one."""

Names = str | Path | Iterable[str | Path]


class CardinalityStudy(Study):
    """An audit with the tables that a reader goes through, one after the other."""

    result: Audit

    @property
    def metrics(self) -> Listing:
        """The rows of `table`, and how many more metrics there are."""
        from workbench.views.cardinality_table import metrics_listing

        return metrics_listing(self.result)

    @property
    def changes(self) -> Listing:
        """What a deploy does to each metric."""
        from workbench.views.cardinality_table import changes_listing

        return changes_listing(self.result)

    @property
    def labels(self) -> Listing:
        """Labels, their values, and what dropping each would save."""
        from workbench.views.cardinality_table import labels_listing

        return labels_listing(self.result)

    @property
    def budgets(self) -> Listing:
        """Each budget, and how it stands."""
        from workbench.views.cardinality_table import budgets_listing

        return budgets_listing(self.result)

    @property
    def use(self) -> Listing:
        """What rules and dashboards do not read."""
        from workbench.views.cardinality_table import use_listing

        return use_listing(self.result)

    @property
    def jobs(self) -> Listing:
        """How the jobs of the source grew in the last week."""
        from workbench.views.cardinality_table import jobs_listing

        return jobs_listing(self.result)

    @property
    def fixes(self) -> Listing:
        """Changes to configurations, each tried on the series that were read."""
        from workbench.views.cardinality_table import fixes_listing

        return fixes_listing(self.result)


def plan_cardinality(
    workbench: Workbench, *, candidate: Names = "", baseline: Names = ""
) -> list[Question]:
    """What a study would ask of the source in PromQL; empty where it does not ask it at all."""
    if not _asks(split_names(candidate), split_names(baseline)):
        return []
    return questions(workbench.source.now_ms())


def study_cardinality(
    workbench: Workbench,
    *,
    candidate: Names = "",
    baseline: Names = "",
    since: Duration | None = None,
    match: str | Iterable[str] = (),
    exclude: str | Iterable[str] = (),
    budgets: Names = "",
    rules: Names = "",
    dashboards: Names = "",
    lint: str | Iterable[str] = (),
    no_lint: str | Iterable[str] = (),
    replicas: int | None = None,
    keep_names: bool = False,
    **options: Any,
) -> CardinalityStudy:
    """Study which labels make the series, and what a deploy changes: see `Workbench.cardinality`."""
    from workbench.views.cardinality import cardinality_chart, cardinality_table

    wanted = split_names(lint)
    request = AuditRequest(
        candidate=split_names(candidate),
        baseline=split_names(baseline),
        match=split_selectors(match),
        exclude=split_names(exclude),
        budgets=[Path(p) for p in split_names(budgets)],
        rules=[Path(p) for p in split_names(rules)],
        dashboards=[Path(p) for p in split_names(dashboards)],
        options=AuditOptions(
            replicas=replicas,
            names_change=not keep_names,
            lint_rules=chosen_rules(
                None if not wanted else [] if wanted == ["none"] else wanted,
                without=split_names(no_lint),
            ),
            **options,
        ),
    )
    file = read_budgets(request)
    usage = read_usage(request)
    asked = _Asked(workbench, request.match)
    ago_ms = parse_duration(since) if since else 0
    new, old = _both(request, asked, ago_ms)
    grown = [
        j
        for name in (*request.candidate, *request.baseline)
        if is_source(name)
        for j in job_history(name)
    ]
    grown += asked.history() if asked.provenance else ()
    same = bool(ago_ms) and list(request.candidate) == list(request.baseline)
    chosen = replace(
        request.options,
        history=tuple(grown),
        same_source=same,
        all_jobs=bool(request.match),
    )
    result = judge(new, old, usage, file, chosen)
    return CardinalityStudy(
        "cardinality", result, asked.provenance, table=cardinality_table, chart=cardinality_chart
    )


def _asks(candidate: list[str], baseline: list[str]) -> bool:
    """Whether the source is one of the two."""
    return not candidate or not baseline


def _both(request: AuditRequest, asked: _Asked, ago_ms: int) -> tuple[Inventory, Inventory | None]:
    """The candidate and the baseline; the source stands for the one that is not named."""
    none = list(request.baseline) == [NO_BASELINE]
    new = _read(request, request.candidate) if request.candidate else asked.inventory()
    if none or (not request.baseline and not request.candidate and not ago_ms):
        return new, None
    if not request.baseline:
        return new, asked.inventory(ago_ms)
    return new, _read(request, request.baseline, ago_ms)


def _read(request: AuditRequest, names: Iterable[str], ago_ms: int = 0) -> Inventory:
    chosen = list(names)
    if "-" in chosen:
        msg = "standard input cannot be read here"
        raise InputError(msg, "save it to a file and give the file's name")
    return read_inventories(chosen, matchers=request.match, ago_ms=ago_ms, exclude=request.exclude)


class _Asked:
    """The source, and a record of what was asked of it."""

    def __init__(self, workbench: Workbench, matchers: Iterable[str]) -> None:
        self._workbench = workbench
        self._matchers = tuple(matchers)
        self.provenance: list[Provenance] = []

    def inventory(self, ago_ms: int = 0) -> Inventory:
        """The metrics and label sets that the source has, or had."""
        from workbench.sources.inventory import take_inventory

        source = self._workbench.source
        began = time.monotonic()
        found = take_inventory(source, matchers=self._matchers, ago_ms=ago_ms)
        info = source.info()
        self.provenance.append(
            Provenance(
                f"label sets of {', '.join(self._matchers) or 'all series'}",
                info.name,
                f"{info.product} {info.version}".strip(),
                info.semantics,
                source.now_ms() - ago_ms,
                series=found.series,
                seconds=time.monotonic() - began,
                gaps=found.notes,
            )
        )
        return found

    def history(self) -> tuple[JobHistory, ...]:
        """How the jobs grew, where the source knows."""
        answers = self._workbench.ask_all(questions(self._workbench.source.now_ms()))
        self.provenance += [a.provenance for a in answers.values()]
        return read_history({k: a.data for k, a in answers.items() if isinstance(a.data, Frame)})
