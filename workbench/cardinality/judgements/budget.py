"""Budgets that are exceeded, in danger, out of date or about nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from workbench.cardinality.budget_checks import BudgetCheck, BudgetState
from workbench.findings import Finding, Severity

__all__ = ["judge_budgets"]


def judge_budgets(checks: Iterable[BudgetCheck]) -> Iterator[Finding]:
    """Tell what is not as a budget wants it; kept ones are silent."""
    for check in checks:
        if check.state in (BudgetState.EXCEEDED, BudgetState.MAY_EXCEED, BudgetState.WAIVED):
            yield _over(check)
        elif check.state in (BudgetState.EXPIRED, BudgetState.NAMES_NOTHING, BudgetState.NOT_KNOWN):
            yield _stale(check)


def _over(check: BudgetCheck) -> Finding:
    budget, used = check.budget, check.used
    unit = "series" if budget.series is not None else "values"
    culprits = ", ".join(f"{name} {count:,}" for name, count in check.culprits)
    note = f" ({check.note})" if check.note else ""
    if check.state is BudgetState.MAY_EXCEED:
        severity = Severity.WARNING
        most = "nothing bounds them" if used.most is None else f"up to {used.most:,} are possible"
        what = f"{budget.subject}: {used.expected:,} {unit} are expected and {most}, the budget is {budget.limit:,}{note}"
    else:
        # What was over it before is no fault of this deploy, unless that adds to it.
        old = check.before > budget.limit and used.expected <= check.before
        severity = Severity.WARNING if old else Severity.ERROR
        if check.state is BudgetState.WAIVED:
            severity = Severity.INFO
        before = " (as in the version before)" if old else ""
        what = f"{budget.subject}: {used.expected:,} {unit}, the budget is {budget.limit:,}{note}{before}"
    return Finding(
        "CARD-OVER-BUDGET",
        severity,
        budget.subject,
        what,
        f"cut the largest ({culprits}), or agree on a higher budget with {budget.owner or 'its owner'}",
        evidence={"limit": budget.limit, "before": check.before, "used": used.to_dict()},
        owner=budget.owner,
    )


def _stale(check: BudgetCheck) -> Finding:
    budget = check.budget
    severity = Severity.WARNING
    if check.state is BudgetState.EXPIRED:
        what = f"the budget of {budget.subject} has expired: {check.note}"
        mend = "look whether it still fits, and give it a new date"
    elif check.state is BudgetState.NAMES_NOTHING:
        what = f"the budget of {budget.subject} is about nothing that was read"
        # One file serves many services: only what looks like a slip of the pen is a warning.
        severity = Severity.WARNING if check.note else Severity.INFO
        mend = check.note or "nothing, if it is about another service; else mend its name"
    else:
        what = f"the budget of {budget.subject} cannot be checked: the sources do not list labels"
        mend = "give an exposition, or a server that can list its series"
    return Finding(
        "CARD-BUDGET-STALE", severity, budget.subject, what, mend,
        evidence={"limit": budget.limit}, owner=budget.owner,
    )  # fmt: skip
