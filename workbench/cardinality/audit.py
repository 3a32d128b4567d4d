"""The audit: candidate against baseline, judged, with fixes that were tried."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from workbench.cardinality.census import Census, take_census
from workbench.cardinality.comparison import compare
from workbench.cardinality.declared_json import declared_to_dict
from workbench.cardinality.families import Family, families
from workbench.cardinality.judgements.code import judge_code
from workbench.cardinality.judgements.growth import judge_growth
from workbench.cardinality.judgements.history import judge_history
from workbench.cardinality.judgements.text import judge_buckets, judge_lint, judge_reading
from workbench.cardinality.judgements.values import judge_values
from workbench.cardinality.lint import LintRule, lint
from workbench.cardinality.masking import mask
from workbench.cardinality.prediction import REPLICA_LABELS, Prediction, predict
from workbench.cardinality.scope import own_jobs
from workbench.findings import Finding, Severity
from workbench.inventory import Inventory
from workbench.units import counted

if TYPE_CHECKING:
    from workbench.cardinality.budget_checks import BudgetCheck
    from workbench.cardinality.budgets import BudgetFile
    from workbench.cardinality.fixes import Fix
    from workbench.cardinality.history import JobHistory
    from workbench.usage import InventoryUsage, Usage

__all__ = ["AUDIT_VERSION", "Audit", "AuditOptions", "audit"]

AUDIT_VERSION: Final = 1
"""Of the JSON form."""

_TARGET_LABELS: Final = frozenset(
    {"instance", "job", "pod", "namespace", "node", "container", "cluster", "service", "endpoint"}
)
"""Labels that scrapes add: bounded by the machines, whatever their values look like."""

_FIXABLE: Final = frozenset(
    {
        "CARD-GROWING-LABEL",
        "CARD-MANY-BUCKETS",
        "CARD-PERSONAL-DATA",
        "CARD-UNBOUNDED-LABEL",
        "CARD-UNUSED-LABEL",
        "CARD-UNUSED-METRIC",
    }
)
"""What a configuration can mend."""

_LESS: Final = {
    Severity.ERROR: Severity.WARNING,
    Severity.WARNING: Severity.INFO,
    Severity.INFO: Severity.INFO,
}


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """How an audit judges.

    Parameters
    ----------
    replicas
        How many targets will run the candidate; as many as the baseline shows where None.
    replica_labels
        Labels that tell replicas apart.
    names_change
        Whether new replicas have other names than old ones, as pods do.
    all_jobs
        Whether a server is compared as a whole, also where one of its jobs is the candidate's.
    same_source
        Whether the baseline is the candidate's own source at an earlier time: a comparison.
    lint_rules
        Those that are on.
    today
        The day by which budgets are judged.
    history
        How the jobs of the source grew.
    """

    replicas: int | None = None
    replica_labels: tuple[str, ...] = REPLICA_LABELS
    names_change: bool = True
    all_jobs: bool = False
    same_source: bool = False
    lint_rules: Collection[LintRule] = frozenset(LintRule)
    today: date = field(default_factory=date.today)
    history: tuple[JobHistory, ...] = ()


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found.

    Parameters
    ----------
    candidate, baseline
        What was compared; `baseline` is None where there was none.
    census
        Counts of the candidate's series; None where only code was read.
    prediction
        Series after the deploy.
    findings
        The gravest first.
    budgets
        Each budget, judged.
    use
        The candidate's metrics with what reads them; None where no rules or dashboards were read.
    fixes
        Tried changes, by the fingerprint of their finding.
    history
        How the jobs of the source grew.
    usage
        What rules and dashboards ask.
    price
        What the series cost now and then, where a price is given.
    """

    candidate: Inventory
    baseline: Inventory | None
    census: Census | None
    prediction: Prediction
    findings: tuple[Finding, ...]
    budgets: tuple[BudgetCheck, ...] = ()
    use: InventoryUsage | None = None
    fixes: Mapping[str, Fix] = field(default_factory=dict)
    history: tuple[JobHistory, ...] = ()
    usage: Usage | None = None
    price: str = ""

    def limits(self) -> Fix | None:
        """Limits for the scrape job, from the prediction; None where only code was read."""
        from workbench.cardinality.fixes import scrape_limits

        held = self.candidate.metrics or (self.baseline.metrics if self.baseline else {})
        return scrape_limits(held.values(), self.prediction.replica) if held else None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; `inventory` lets it be the baseline of a later audit."""
        limits = self.limits()
        return {
            "kind": "workbench-audit",
            "version": AUDIT_VERSION,
            "candidate": self.candidate.origin,
            "baseline": self.baseline.origin if self.baseline is not None else None,
            "prediction": self.prediction.to_dict(),
            "price": self.price,
            "findings": [f.to_dict() for f in self.findings],
            "budgets": [c.to_dict() for c in self.budgets],
            "census": self.census.to_dict() if self.census is not None else None,
            "history": [job.to_dict() for job in self.history],
            "use": _use(self.use),
            "fixes": {fingerprint: fix.to_dict() for fingerprint, fix in self.fixes.items()},
            "limits": limits.to_dict() if limits is not None else None,
            "declared": [declared_to_dict(d) for d in self.candidate.declared],
            "inventory": {
                name: {
                    "series": m.series,
                    "type": m.type.value,
                    "labels": {n: m.distinct(n) for n in m.labels},
                }
                for name, m in self.candidate.metrics.items()
            },
        }


def audit(
    candidate: Inventory,
    baseline: Inventory | None = None,
    *,
    usage: Usage | None = None,
    budgets: BudgetFile | None = None,
    options: AuditOptions | None = None,
) -> Audit:
    r"""Judge a candidate.

    Parameters
    ----------
    candidate
        The new version: code, text, or a server as it is.
    baseline
        The old version; what it already has is no error of this deploy.
    usage
        What rules and dashboards read.
    budgets
        What is allowed, and whose it is.
    options
        How to judge.

    Examples
    --------
    >>> from workbench.exposition import scan
    >>> text = "".join(f'hits{{user="{i:08x}-1111-4111-8111-00000000aaaa"}} 1\n' for i in range(200))
    >>> [f.code for f in audit(scan(text)).findings if f.severity is Severity.ERROR]
    ['CARD-GROWING-LABEL']
    """
    chosen = options or AuditOptions()
    owner = budgets.owner_of if budgets is not None else _nobody
    if baseline is not None and not chosen.all_jobs and not _is_deployed(candidate, chosen):
        baseline = own_jobs(candidate, baseline)
    prediction = _predicted(candidate, baseline, chosen)
    new = families(candidate, [baseline] if baseline is not None else [])
    old = families(baseline, [candidate]) if baseline is not None else {}
    found = list(_of_itself(candidate, new, owner, chosen))
    if baseline is not None:
        known = {f.fingerprint for f in _of_itself(baseline, old, owner, chosen)} | baseline.judged
        found = [_known(f) if f.fingerprint in known else f for f in found]
    found += judge_reading(candidate, [*prediction.notes, *_unread_queries(usage)])
    found += judge_history(chosen.history)
    if baseline is not None:
        found += judge_growth(prediction, owner, budgets.price if budgets is not None else None)
    checks: list[BudgetCheck] = []
    if budgets is not None:
        from workbench.cardinality.budget_checks import check_budgets
        from workbench.cardinality.judgements.budget import judge_budgets

        checks = check_budgets(budgets, prediction, candidate, baseline, today=chosen.today)
        found += judge_budgets(checks)
    use = None
    if usage is not None:
        from workbench.cardinality.judgements.use import judge_breakage, judge_unused
        from workbench.usage import join_inventory

        use = join_inventory(usage, candidate if candidate.metrics else baseline or candidate)
        found += judge_breakage(prediction, old, usage, owner)
        found += judge_unused(use, owner)
    found.sort(key=lambda f: (-f.severity.rank, f.code == "CARD-LINT", f.code, f.about))
    fixes = _fixes(found, {**old, **new}, use, usage)
    return Audit(
        candidate=candidate,
        baseline=baseline,
        census=take_census(candidate) if candidate.metrics else None,
        prediction=prediction,
        findings=tuple(_with_fix(f, fixes.get(f.fingerprint)) for f in found),
        budgets=tuple(checks),
        use=use,
        fixes=fixes,
        history=chosen.history,
        usage=usage,
        price=_price(budgets, prediction),
    )


def _predicted(
    candidate: Inventory, baseline: Inventory | None, options: AuditOptions
) -> Prediction:
    """What will be, or what was counted where both sides are a server's view."""
    counted_both = _is_deployed(candidate, options) and (
        baseline is None or _is_deployed(baseline, options)
    )
    if options.same_source or (counted_both and options.replicas is None):
        return compare(candidate, baseline or candidate)
    return predict(
        candidate,
        baseline,
        replicas=options.replicas,
        replica_labels=options.replica_labels,
        names_change=options.names_change,
    )


def _fixes(
    found: Sequence[Finding],
    grouped: Mapping[str, Family],
    use: InventoryUsage | None,
    usage: Usage | None,
) -> Mapping[str, Fix]:
    """Tried changes by fingerprint; what they need is loaded only where there is one to make."""
    if not any(finding.code in _FIXABLE for finding in found):
        return {}
    from workbench.cardinality.fixing import fixes_for

    return fixes_for(found, grouped, use, usage)


def _is_deployed(candidate: Inventory, options: AuditOptions) -> bool:
    """Whether the candidate is a server's view, with the labels of its targets."""
    labels = set(options.replica_labels)
    return any(labels.intersection(m.labels) for m in candidate.metrics.values())


def _of_itself(
    inventory: Inventory,
    grouped: Mapping[str, Family],
    owner: Callable[[str, str], str],
    options: AuditOptions,
) -> Iterator[Finding]:
    """What is wrong with one version, whatever the other is like."""
    unbounded = list(judge_code(inventory, owner))
    yield from unbounded
    told = {f.about for f in unbounded}
    spare = {*_TARGET_LABELS, *options.replica_labels}
    for finding in judge_values(grouped, owner, spare=spare):
        if finding.code != "CARD-GROWING-LABEL" or finding.about not in told:
            yield finding
    yield from judge_buckets(grouped.values(), owner)
    yield from judge_lint(lint(inventory, options.lint_rules), owner)


def _known(finding: Finding) -> Finding:
    what = f"{finding.what} (as in the version before)"
    return replace(finding, severity=_LESS[finding.severity], what=what)


def _with_fix(finding: Finding, fix: Fix | None) -> Finding:
    if fix is None:
        return finding
    evidence = {**finding.evidence, "fix": fix.summary()}
    return replace(finding, fix=fix.commented(), evidence=evidence)


def _unread_queries(usage: Usage | None) -> list[str]:
    if usage is None or not usage.unread:
        return []
    first = usage.unread[0]
    count = counted(len(usage.unread), "query or file", "queries or files")
    return [
        (
            f"{count} of rules and dashboards could not be read, the first at {first.path}:{first.line} "
            f"({mask(first.reason)}): what they name counts as used"
        )
    ]


def _nobody(metric: str, path: str) -> str:
    del metric, path
    return ""


def _price(file: BudgetFile | None, prediction: Prediction) -> str:
    if file is None or file.price is None:
        return ""
    now, then = file.price.of(prediction.before), file.price.of(prediction.after.expected)
    return f"{now:,} → {then:,} {file.price.currency} a month"


def _use(use: InventoryUsage | None) -> dict[str, Any] | None:
    if use is None:
        return None
    return {
        "series": {status.name.lower(): count for status, count in use.series.items()},
        "missing": {name: [q.title for q in queries] for name, queries in use.missing.items()},
        "metrics": {
            name: {
                "status": one.status.name.lower(),
                "queries": len(one.uses),
                "labels": {label: each.role.name.lower() for label, each in one.labels.items()},
            }
            for name, one in use.metrics.items()
        },
    }
