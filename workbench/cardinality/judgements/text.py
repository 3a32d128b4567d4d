"""What is wrong with names and with the text itself: lint, lines that nobody could read."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence

from workbench.cardinality.families import Family
from workbench.cardinality.lint import LintProblem
from workbench.cardinality.masking import mask
from workbench.findings import Finding, Place, Severity
from workbench.inventory import Inventory
from workbench.units import counted

__all__ = ["judge_buckets", "judge_lint", "judge_reading"]


def judge_lint(
    problems: Iterable[LintProblem], owner: Callable[[str, str], str]
) -> Iterator[Finding]:
    """Tell each rule of the lint that is broken."""
    for problem in problems:
        label = f" label {problem.label}" if problem.label else ""
        yield Finding(
            "CARD-LINT",
            problem.severity,
            f"{problem.rule.value} {problem.metric}{label}",
            f"{problem.metric}: {mask(problem.text)} ({problem.rule.value})",
            problem.mend,
            evidence={"rule": problem.rule.value, "metric": problem.metric, "label": problem.label},
            where="" if problem.place else problem.metric,
            place=problem.place,
            owner=owner(problem.metric, problem.place.path if problem.place else ""),
        )


def judge_reading(inventory: Inventory, notes: Sequence[str]) -> Iterator[Finding]:
    """Tell what could not be read, and what the sources could not tell.

    Parameters
    ----------
    inventory
        The candidate.
    notes
        What the sources could not tell, of either side.
    """
    if inventory.unread_count:
        first = inventory.unread[0] if inventory.unread else None
        where = f", the first at {first.path}:{first.line}: {mask(first.reason)}" if first else ""
        yield Finding(
            "CARD-UNREADABLE",
            Severity.WARNING,
            "unread lines",
            f"{inventory.unread_count:,} lines or files could not be read{where}",
            "mend them: Prometheus drops a whole scrape that has one such line",
            evidence={
                "count": inventory.unread_count,
                "first": [f"{u.path}:{u.line}: {mask(u.reason)}" for u in inventory.unread[:20]],
            },
            place=Place(first.path, first.line) if first else None,
        )
    if notes:
        yield Finding(
            "CARD-INCOMPLETE",
            Severity.INFO,
            "what could not be known",
            f"{counted(len(notes), 'thing')} to know: {notes[0]}",
            "give a source that can tell them, or read the figures with that in mind",
            evidence={"notes": list(notes)},
        )


_MANY_BUCKETS = 20
"""More bounds than this are told: a native histogram is finer at one series a child."""


def judge_buckets(
    families: Iterable[Family], owner: Callable[[str, str], str]
) -> Iterator[Finding]:
    """Tell histograms whose children have different buckets: their sums give wrong quantiles."""
    for family in families:
        bucket = next((m for m in family.members if m.name.endswith("_bucket")), None)
        if bucket is None or bucket.table is None or "le" not in bucket.table.labels:
            continue
        table = bucket.table
        children = table.without(["le"])
        if table.distinct("le") > _MANY_BUCKETS:
            yield _many_buckets(family, table.distinct("le"), children, owner(family.name, ""))
        if children * table.distinct("le") == table.series:
            continue
        yield Finding(
            "CARD-BUCKETS-DIFFER",
            Severity.WARNING,
            f"metric {family.name}",
            f"the {children:,} children of {family.name} do not all have the same buckets "
            f"({table.distinct('le')} bounds, {table.series / children:.1f} a child)",
            "give all instances the same bounds: a quantile over both is wrong without a word",
            evidence={"children": children, "bounds": table.distinct("le"), "series": table.series},
            where=family.name,
            owner=owner(family.name, ""),
        )


def _many_buckets(family: Family, bounds: int, children: int, owner: str) -> Finding:
    return Finding(
        "CARD-MANY-BUCKETS",
        Severity.INFO,
        f"metric {family.name}",
        f"{family.name} has {bounds} buckets for each of {children:,} children: {family.series:,} series",
        "use a native histogram, or keep the bounds that objectives and dashboards name",
        evidence={"metric": family.name, "bounds": bounds, "children": children},
        where=family.name,
        owner=owner,
    )
