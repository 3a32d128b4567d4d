"""Every rule over every family, once: linear in families and labels, whatever the series."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence

from workbench.cardinality.lint.labels import LABEL_CHECKS
from workbench.cardinality.lint.names import NAME_CHECKS
from workbench.cardinality.lint.rule import LintProblem, LintRule
from workbench.cardinality.lint.subject import subjects
from workbench.inventory import DeclaredMetric, Inventory

__all__ = ["lint"]


def lint(inventory: Inventory, rules: Collection[LintRule] = tuple(LintRule)) -> list[LintProblem]:
    """Check names, labels, help and types.

    Parameters
    ----------
    inventory
        What is exposed, what code declares, or both.
    rules
        Those that are on; see `chosen_rules`.

    Returns
    -------
    list of LintProblem
        Sorted by metric, rule and label.

    Examples
    --------
    >>> from workbench.samples import MetricMetadata, MetricType
    >>> family = MetricMetadata("requests", MetricType.COUNTER, "Requests.")
    >>> [(p.rule.value, p.mend) for p in lint(Inventory("x", metadata={"requests": family}))]
    [('counter', 'call it requests_total')]
    """
    found = [*_families(inventory), *_duplicates(inventory), *_redeclared(inventory.declared)]
    on = frozenset(rules)
    kept = [problem for problem in found if problem.rule in on]
    order = list(LintRule)
    return sorted(kept, key=lambda p: (p.metric, order.index(p.rule), p.label, str(p.place)))


def _families(inventory: Inventory) -> Iterator[LintProblem]:
    for subject in subjects(inventory):
        for check in (*NAME_CHECKS, *LABEL_CHECKS):
            for rule, label, text, mend in check(subject):
                yield LintProblem(rule, subject.name, text, mend, subject.place, label)


def _duplicates(inventory: Inventory) -> Iterator[LintProblem]:
    """Series that stand twice in a text, told once a family."""
    counts: Counter[str] = Counter()
    examples: dict[str, str] = {}
    places = {}
    for series in inventory.duplicates:
        name = series.partition("{")[0]
        metric = inventory.metrics.get(name)
        family = metric.family if metric is not None else name
        counts[family] += 1
        examples.setdefault(family, series)
        places[family] = metric.place if metric is not None else None
    for family, count in counts.items():
        more = f" and {count - 1} more of its series stand" if count > 1 else " stands"
        yield LintProblem(
            LintRule.DUPLICATE_METRIC,
            family,
            f"{examples[family]}{more} more than once",
            "expose each set of labels once: Prometheus keeps one of the values",
            places[family],
        )


def _redeclared(declared: Sequence[DeclaredMetric]) -> Iterator[LintProblem]:
    """Names that code declares in two ways; the same one in two places may be two programs."""
    first: dict[str, DeclaredMetric] = {}
    for metric in declared:
        if not metric.name_exact:
            continue
        other = first.setdefault(metric.name, metric)
        if other is metric:
            continue
        differs = [
            what
            for what, one, two in (
                ("type", other.type, metric.type),
                ("labels", sorted(other.labels), sorted(metric.labels)),
                ("buckets", other.buckets, metric.buckets),
            )
            if one != two
        ]
        if differs:
            yield LintProblem(
                LintRule.DECLARED_TWICE,
                metric.name,
                f"it is declared with another {' and '.join(differs)} at {other.place}",
                "declare it once and share it, or give it another name",
                metric.place,
            )
