"""An audit in a few lines: the headline and the rows that every output shows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from workbench.cardinality.audit import Audit
from workbench.cardinality.bounds import SeriesBounds
from workbench.cardinality.masking import mask
from workbench.cardinality.prediction import MetricPrediction, Prediction, Status
from workbench.findings import Finding, Severity
from workbench.units import counted

__all__ = [
    "COUNT_COLUMNS",
    "change_columns",
    "change_rows",
    "count_rows",
    "for_people",
    "headline",
    "tally",
    "written",
]

COUNT_COLUMNS = ("metric", "type", "series", "share", "costliest label", "values", "without it")


def written(bounds: SeriesBounds) -> str:
    """A number of series that may not be exact.

    Examples
    --------
    >>> written(SeriesBounds(2, 3, 6)), written(SeriesBounds(2, 3, None)), written(SeriesBounds(4, 4, 4))
    ('3 (2 … 6)', '3 or more', '4')
    """
    if bounds.least == bounds.expected == bounds.most:
        return f"{bounds.expected:,}"
    if bounds.most is None:
        return f"{bounds.expected:,} or more"
    return f"{bounds.expected:,} ({bounds.least:,} … {bounds.most:,})"


def for_people(findings: Iterable[Finding]) -> list[Finding]:
    """Findings with those that say the same of many metrics put together.

    One label on a hundred metrics, or one habit of naming, is one thing to a reader. Machines get
    every finding.
    """
    groups: dict[tuple[object, ...], list[Finding]] = {}
    for finding in findings:
        key: tuple[object, ...] = (finding.fingerprint,)
        subject = finding.evidence.get("rule") or finding.evidence.get("label")
        if subject and not finding.acknowledged:
            key = (finding.code, finding.severity, subject)
        groups.setdefault(key, []).append(finding)
    return [_together(group) for group in groups.values()]


def _together(group: list[Finding]) -> Finding:
    if len(group) == 1:
        return group[0]
    first = max(group, key=lambda f: f.evidence.get("series", 0))
    others = [str(f.evidence.get("metric", f.about)) for f in group if f is not first]
    names = ", ".join(others[:3]) + (" …" if len(others) > 3 else "")
    what = f"{first.what}; the same of {counted(len(others), 'more metric')}: {names}"
    return replace(first, what=what)


def headline(result: Audit) -> str:
    """What the deploy does to the number of series, one sentence."""
    p = result.prediction
    tail = f"; {result.price}" if result.price else ""
    targets = counted(p.replicas, "target")
    if not result.candidate.metrics and not result.candidate.declared:
        return f"nothing to audit: {result.candidate.origin} shows no metric"
    if result.baseline is None and not result.candidate.metrics:
        metrics = counted(len(result.candidate.declared), "metric")
        return f"{metrics} in the code: {written(p.after)} series with {targets}{_wild(p)}{tail}"
    if result.baseline is None:
        held = result.candidate.total_series
        more = ""
        if held and held > result.candidate.series:
            more = f"; the source counts {held:,}, with those that ended in the last hours"
        metrics = counted(len(result.candidate.metrics), "metric")
        return f"{result.candidate.series:,} series of {metrics}{more}{tail}"
    change = p.after.expected - p.before
    if p.observed:
        earlier = result.baseline.origin
        return f"{change:+,} series: {p.before:,} in {earlier}, {p.after.expected:,} now{tail}"
    rollout = f", up to {p.rollout.expected:,} while it rolls out" if p.after.most else ""
    return (
        f"{change:+,} series: {p.before:,} now, {written(p.after)} with {targets}"
        f"{rollout}{_wild(p)}{tail}"
    )


def _wild(prediction: Prediction) -> str:
    """What has no bound, named."""
    found = [f"{n} of {m.name}" for m in prediction.metrics for n in m.unbounded]
    if not found:
        return ""
    more = f" and {len(found) - 2} more" if len(found) > 2 else ""
    return f"; nothing bounds {', '.join(found[:2])}{more}"


def tally(result: Audit) -> str:
    """How many findings there are of each severity, and how many are acknowledged."""
    open_ = [f for f in result.findings if not f.acknowledged]
    parts = [
        counted(count, name)
        for severity, name in (
            (Severity.ERROR, "error"),
            (Severity.WARNING, "warning"),
            (Severity.INFO, "note"),
        )
        if (count := sum(f.severity is severity for f in open_))
    ]
    hidden = len(result.findings) - len(open_)
    parts += [f"{hidden} acknowledged"] if hidden else []
    return ", ".join(parts) or "nothing found"


def change_columns(result: Audit) -> tuple[str, str, str, str, str]:
    """The headings of `change_rows`."""
    if result.prediction.observed:
        return ("metric", "then", "now", "change", "because")
    return ("metric", "now", "after", "change", "because")


def change_rows(result: Audit, limit: int = 15) -> list[tuple[str, str, str, str, str]]:
    """The metrics that a deploy changes, the largest difference first."""
    changed = [
        m for m in result.prediction.metrics if m.status not in (Status.SAME, Status.NOT_SHOWN)
    ]
    return [
        (m.name, f"{m.before:,}", written(m.after), _change(m), because(m)) for m in changed[:limit]
    ]


def _change(metric: MetricPrediction) -> str:
    return f"{metric.difference:+,}" + (" or more" if metric.after.most is None else "")


def because(metric: MetricPrediction) -> str:
    """Why a metric's series change, in a few words."""
    if metric.status is Status.NEW:
        return "new"
    if metric.status is Status.GONE:
        return "gone"
    parts = [f"new label {name}" for name in metric.new_labels]
    parts += [f"label {name} gone" for name in metric.gone_labels]
    for name, values in metric.new_values.items():
        shown = ", ".join(mask(v) for v in values[:2])
        more = f" and {len(values) - 2} more" if len(values) > 2 else ""
        parts.append(f"{name} = {shown}{more}")
    if metric.new_bounds or metric.gone_bounds:
        parts.append(f"buckets +{len(metric.new_bounds)} -{len(metric.gone_bounds)}")
    if metric.type is not metric.type_before:
        parts.append(f"{metric.type_before} → {metric.type}")
    return "; ".join(parts)


def count_rows(result: Audit, limit: int = 15) -> list[tuple[str, str, str, str, str, str, str]]:
    """The metrics with most series, and what their costliest label makes of them."""
    if result.census is None:
        return []
    rows = []
    for family in result.census.families[:limit]:
        worst = next((x for x in family.labels if x.name not in ("le", "quantile")), None)
        saved = (worst.saved or 0) if worst is not None else 0
        label = (
            (worst.name, worst.values, family.series - saved) if worst and saved else ("", "", "")
        )
        rows.append((family.name, family.type, family.series, f"{family.share:.1%}", *label))
    return rows
