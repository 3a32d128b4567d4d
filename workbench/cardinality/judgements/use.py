"""Rules and dashboards beside the series: what a deploy would break, and what nobody reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from workbench.cardinality.families import SYNTHETIC, Family
from workbench.cardinality.masking import mask
from workbench.cardinality.prediction import MetricPrediction, Prediction, Status
from workbench.findings import Finding, Severity
from workbench.units import counted
from workbench.usage import Breakage, Effect, InventoryUsage, LabelRole, Usage
from workbench.usage import Status as UseStatus

__all__ = ["breakage_rows", "judge_breakage", "judge_unused"]

_LABEL_SAVES: Final = 0.2
_LABEL_SERIES: Final = 100
"""An unused label is told where dropping it saves this share of a metric, and so many series."""

_MOST: Final = 20
"""Unused metrics and labels that are told one by one; the rest in one sum."""


def judge_breakage(
    prediction: Prediction,
    old: dict[str, Family],
    usage: Usage,
    owner: Callable[[str, str], str],
) -> Iterator[Finding]:
    """Tell queries that a deploy would break: metrics, labels and buckets that go away."""
    by_name = {family.name: family for family in old.values()}
    for metric in prediction.metrics:
        family = by_name.get(metric.name)
        names = [m.name for m in family.members] if family is not None else [metric.name]
        if metric.status is Status.GONE:
            broken = usage.breaks(drop_metrics=names)
        elif metric.gone_labels or metric.gone_bounds:
            labels = dict.fromkeys(names, metric.gone_labels) if metric.gone_labels else {}
            buckets = [n for n in names if n.endswith("_bucket")]
            broken = usage.breaks(
                drop_labels=labels, drop_bounds=dict.fromkeys(buckets, metric.gone_bounds)
            )
        else:
            continue
        sure = [b for b in broken if b.effect is not Effect.MAY_CHANGE]
        if sure:
            yield _breakage(metric, sure, owner)


def _breakage(
    metric: MetricPrediction, broken: Sequence[Breakage], owner: Callable[[str, str], str]
) -> Finding:
    worst = any(b.effect is Effect.BREAKS for b in broken)
    if metric.status is Status.GONE:
        gone = f"{metric.name} goes away"
    else:
        parts = [f"label {n}" for n in metric.gone_labels] + [
            f"bucket {b}" for b in metric.gone_bounds
        ]
        gone = f"{metric.name} loses {', '.join(parts)}"
    titles = list(dict.fromkeys(b.query.title for b in broken))
    more = f" and {len(titles) - 3} more" if len(titles) > 3 else ""
    return Finding(
        "CARD-BREAKS-QUERY",
        Severity.ERROR if worst else Severity.WARNING,
        f"metric {metric.name}",
        f"{gone}, which {counted(len(titles), 'query reads', 'queries read')}: {'; '.join(titles[:3])}{more}",
        "change these queries in the same step, or keep it until they are changed",
        evidence={"queries": breakage_rows(broken)},
        place=broken[0].query.place,
        owner=owner(metric.name, metric.place.path if metric.place else ""),
    )


def breakage_rows(broken: Iterable[Breakage]) -> list[dict[str, Any]]:
    """Queries that would give something else, as JSON; at most fifty."""
    return [
        {
            "query": b.query.title,
            "expression": mask(b.query.expression),
            "place": str(b.query.place),
            "effect": b.effect.value,
            "reason": b.reason,
        }
        for b in list(broken)[:50]
    ]


def judge_unused(joined: InventoryUsage, owner: Callable[[str, str], str]) -> Iterator[Finding]:
    """Tell metrics and labels that no rule, alert or panel reads, with what they cost."""
    unused = [*joined.with_status(UseStatus.UNUSED), *joined.with_status(UseStatus.RECORDED_ONLY)]
    unused = [one for one in unused if one.metric.name not in SYNTHETIC]
    unused.sort(key=lambda one: (-one.metric.series, one.metric.name))
    total = sum(one.metric.series for one in joined.metrics.values())
    if unused:
        yield _all_unused([(one.metric.name, one.metric.series) for one in unused], total)
    labels = [
        (saved, one.metric.name, name)
        for one in joined.metrics.values()
        if one.status is UseStatus.USED and one.metric.table is not None
        for name in one.unused_labels
        if (saved := one.metric.series - one.metric.table.without([name])) >= _LABEL_SERIES
        and saved >= _LABEL_SAVES * one.metric.series
    ]
    for saved, metric, label in sorted(labels, key=lambda row: (-row[0], *row[1:]))[:_MOST]:
        use = joined.metrics[metric].labels[label]
        proof = f"{counted(len(joined.metrics[metric].uses), 'query reads', 'queries read')} the metric and none its {label}"
        yield Finding(
            "CARD-UNUSED-LABEL",
            Severity.INFO,
            f"metric {metric} label {label}",
            f"label {label} makes {saved:,} of the {joined.metrics[metric].metric.series:,} series of {metric}, and no query reads it",
            "aggregate it away before it is stored, or leave it out in the code",
            evidence={
                "metric": metric,
                "label": label,
                "saves": saved,
                "proof": proof,
                "role": LabelRole(use.role).name.lower(),
            },
            where=metric,
            owner=owner(metric, ""),
        )


def _all_unused(unused: Sequence[tuple[str, int]], total: int) -> Finding:
    series = sum(count for _, count in unused)
    shown = ", ".join(f"{name} {count:,}" for name, count in unused[:5])
    more = f" and {len(unused) - 5} more" if len(unused) > 5 else ""
    return Finding(
        "CARD-UNUSED-METRIC",
        Severity.INFO,
        "unused metrics",
        f"{counted(len(unused), 'metric')} with {series:,} of {total:,} series: none of the rules and dashboards reads them: {shown}{more}",
        "ask who looks at them by hand; then drop them at the scrape",
        evidence={"metrics": dict(unused[:200]), "series": series, "of": total},
    )
