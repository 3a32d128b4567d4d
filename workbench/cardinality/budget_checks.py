"""Budgets against what there is and what is predicted: kept, in danger, exceeded."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from workbench.cardinality.bounds import SeriesBounds, total
from workbench.cardinality.budgets import Budget, BudgetFile
from workbench.cardinality.families import Family, families
from workbench.cardinality.prediction import MetricPrediction, Prediction
from workbench.errors import did_you_mean
from workbench.inventory import Bound, Inventory

__all__ = ["BudgetCheck", "BudgetState", "check_budgets"]


class BudgetState(StrEnum):
    """How a budget stands."""

    KEPT = "kept"
    MAY_EXCEED = "may exceed"
    """The expected number is within it, the highest possible one is not."""
    EXCEEDED = "exceeded"
    WAIVED = "waived"
    EXPIRED = "expired"
    """Its last day, or that of its waiver, has passed."""
    NAMES_NOTHING = "names nothing"
    NOT_KNOWN = "not known"
    """The sources do not list what it limits."""


@dataclass(frozen=True, slots=True)
class BudgetCheck:
    """One budget, judged.

    Parameters
    ----------
    budget
        The budget.
    state
        How it stands.
    used
        Series or values after the deploy (now, where nothing is predicted).
    before
        The same now.
    culprits
        The metrics or labels that use most of it, largest first, with their numbers.
    note
        What else to know: near names, what has expired.
    """

    budget: Budget
    state: BudgetState
    used: SeriesBounds
    before: int
    culprits: tuple[tuple[str, int], ...] = ()
    note: str = ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "subject": self.budget.subject,
            "limit": self.budget.limit,
            "owner": self.budget.owner,
            "state": self.state.value,
            "used": self.used.to_dict(),
            "before": self.before,
            "culprits": [{"name": n, "count": c} for n, c in self.culprits],
            "note": self.note,
        }


def check_budgets(
    file: BudgetFile,
    prediction: Prediction,
    candidate: Inventory,
    baseline: Inventory | None,
    *,
    today: date,
) -> list[BudgetCheck]:
    """Judge each budget by what is predicted."""
    new = families(candidate, [baseline] if baseline is not None else [])
    old = families(baseline, [candidate]) if baseline is not None else {}
    checks = []
    for budget in file.budget:
        if budget.label is not None:
            check = _check_label(budget, new, old, today)
        elif budget.job is not None:
            check = _check_job(budget, candidate, today)
        else:
            check = _check_series(budget, file, prediction, today)
        checks.append(check)
    return checks


def _check_series(
    budget: Budget, file: BudgetFile, prediction: Prediction, today: date
) -> BudgetCheck:
    chosen = [
        m
        for m in prediction.metrics
        if budget.takes_metric(m.name) and (budget.team is None or _is_of(budget.team, m, file))
    ]
    whole = budget.metric is None and budget.team is None
    if not chosen and not whole:
        wanted = budget.metric or ""
        near = did_you_mean(wanted, [m.name for m in prediction.metrics]) if wanted else ""
        return BudgetCheck(budget, BudgetState.NAMES_NOTHING, SeriesBounds.exactly(0), 0, (), near)
    used = prediction.after if whole else total(m.after for m in chosen)
    before = prediction.before if whole else sum(m.before for m in chosen)
    largest = sorted(chosen, key=lambda m: (-m.after.expected, m.name))[:3]
    culprits = tuple((m.name, m.after.expected) for m in largest)
    state, note = _state(budget, used, today)
    return BudgetCheck(budget, state, used, before, culprits, note)


def _is_of(team: str, metric: MetricPrediction, file: BudgetFile) -> bool:
    return file.team[team].owns(metric.name, metric.place.path if metric.place else "")


def _check_label(
    budget: Budget, new: dict[str, Family], old: dict[str, Family], today: date
) -> BudgetCheck:
    """The metric in which the label has most values decides."""
    label = budget.label or ""
    found: list[tuple[str, SeriesBounds, int]] = []
    for key in dict.fromkeys((*new, *old)):
        family = new.get(key) or old[key]
        if not budget.takes_metric(family.name):
            continue
        before = _values(old.get(key), label)
        shown = before | _values(new.get(key), label)
        code = new[key].declared if key in new else None
        known = code.values.get(label) if code is not None else None
        if known is not None:
            shown |= {*known.values}
        if not shown and known is None:
            continue
        count = max(len(shown), (known.count or 0) if known is not None else 0)
        open_end = known is not None and known.bound is Bound.UNBOUNDED
        bounds = SeriesBounds(len(shown), count, None if open_end else count)
        found.append((family.name, bounds, len(before)))
    if not found:
        near = did_you_mean(label, _labels(new.values()) | _labels(old.values()))
        return BudgetCheck(budget, BudgetState.NAMES_NOTHING, SeriesBounds.exactly(0), 0, (), near)
    found.sort(key=lambda f: (f[1].most is not None, -f[1].expected, f[0]))
    state, note = _state(budget, found[0][1], today)
    culprits = tuple((name, bounds.expected) for name, bounds, _ in found[:3])
    return BudgetCheck(budget, state, found[0][1], found[0][2], culprits, note)


def _values(family: Family | None, label: str) -> set[str]:
    if family is None:
        return set()
    return {v for m in family.members if m.table is not None for v in m.table.values_of(label)}


def _labels(chosen: Iterable[Family]) -> set[str]:
    return {n for f in chosen for m in f.members for n in m.labels} | {
        n for f in chosen if f.declared is not None for n in f.declared.labels
    }


def _check_job(budget: Budget, candidate: Inventory, today: date) -> BudgetCheck:
    """Series of one job, counted: a prediction knows metrics, not whose targets they are."""
    counts: list[tuple[str, int]] = []
    jobs: set[str] = set()
    for metric in candidate.metrics.values():
        table = metric.table
        if table is None or not budget.takes_metric(metric.name):
            continue
        names = table.values_of("job")
        jobs.update(names)
        if budget.job in names:
            counts.append((metric.name, int(table.counts("job")[names.index(budget.job)])))
    if not counts:
        listed = any(m.table is not None for m in candidate.metrics.values())
        state = BudgetState.NAMES_NOTHING if listed else BudgetState.NOT_KNOWN
        near = did_you_mean(budget.job or "", jobs)
        return BudgetCheck(budget, state, SeriesBounds.exactly(0), 0, (), near)
    used = SeriesBounds.exactly(sum(n for _, n in counts))
    state, note = _state(budget, used, today)
    counts.sort(key=lambda c: (-c[1], c[0]))
    return BudgetCheck(budget, state, used, used.expected, tuple(counts[:3]), note)


def _state(budget: Budget, used: SeriesBounds, today: date) -> tuple[BudgetState, str]:
    over = used.expected > budget.limit
    waiver = budget.waiver
    if over and waiver is not None and today <= waiver.until:
        if waiver.allow is None or used.expected <= waiver.allow:
            return (
                BudgetState.WAIVED,
                f"waived until {waiver.until} by {waiver.owner}: {waiver.reason}",
            )
        return BudgetState.EXCEEDED, f"the waiver allows {waiver.allow}"
    if over:
        ended = waiver is not None and today > waiver.until
        return (
            BudgetState.EXCEEDED,
            f"its waiver ended on {waiver.until}" if ended and waiver else "",
        )
    if budget.expires is not None and today > budget.expires:
        return BudgetState.EXPIRED, f"it was to be reviewed by {budget.expires}"
    if used.most is None or used.most > budget.limit:
        return BudgetState.MAY_EXCEED, ""
    return BudgetState.KEPT, ""
