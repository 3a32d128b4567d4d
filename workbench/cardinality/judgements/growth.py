"""What a deploy does to the number of series, and to the meaning of a metric."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final

from workbench.cardinality.prediction import MetricPrediction, Prediction, Status
from workbench.findings import Finding, Severity
from workbench.samples import MetricType

if TYPE_CHECKING:
    from workbench.cardinality.budgets import Price

__all__ = ["judge_growth"]

_METRIC_SERIES: Final = 1_000
"""A metric that adds as many series is told."""

_TOTAL_SHARE: Final = 0.10
_TOTAL_SERIES: Final = 100
"""A deploy is told that adds this share of all series, and at least so many."""


def judge_growth(
    prediction: Prediction, owner: Callable[[str, str], str], price: Price | None = None
) -> Iterator[Finding]:
    """Tell metrics that add many series, the whole where it grows, and types that change."""
    if prediction.before:
        for metric in prediction.metrics:
            path = metric.place.path if metric.place else ""
            if metric.difference >= _METRIC_SERIES:
                yield _metric(metric, owner(metric.name, path), price, observed=prediction.observed)
        whole = _whole(prediction, price)
        if whole is not None:
            yield whole
    for metric in prediction.metrics:
        known = (
            metric.type is not MetricType.UNKNOWN and metric.type_before is not MetricType.UNKNOWN
        )
        if metric.status is Status.CHANGED and known and metric.type is not metric.type_before:
            yield _type(metric, owner(metric.name, metric.place.path if metric.place else ""))


def _metric(
    metric: MetricPrediction, owner: str, price: Price | None, *, observed: bool
) -> Finding:
    cause = f", most of them by label {metric.culprit}" if metric.culprit else ""
    money = f" ({_money(price, metric.difference)} a month)" if price else ""
    return Finding(
        "CARD-GROWTH",
        Severity.WARNING,
        f"metric {metric.name}",
        f"{metric.name} {'has' if observed else 'will have'} {_number(metric.after)} series, {metric.difference:,} more than {'before' if observed else 'now'}{cause}{money}",
        _advice(metric),
        evidence=_evidence(metric),
        place=metric.place,
        where="" if metric.place else metric.name,
        owner=owner,
    )


def _advice(metric: MetricPrediction) -> str:
    if metric.culprit in metric.new_labels:
        return f"leave {metric.culprit} out, or give it fewer values: each multiplies what is there"
    if metric.culprit:
        return f"check that the new values of {metric.culprit} are wanted, or group them"
    if metric.new_bounds:
        return "use fewer buckets, or a native histogram"
    return "raise its budget if this is wanted, or narrow its labels"


def _whole(prediction: Prediction, price: Price | None) -> Finding | None:
    grown = prediction.after.expected - prediction.before
    least = "at least " if prediction.after.most is None else ""
    if grown < max(_TOTAL_SERIES, _TOTAL_SHARE * prediction.before):
        return None
    money = f", {_money(price, grown)} more a month" if price else ""
    worst = [m.name for m in prediction.metrics if m.difference > 0][:3]
    if prediction.observed:
        what = f"series have grown by {grown:,} from {prediction.before:,}"
        tail = money
    else:
        what = f"the deploy adds {least}{grown:,} series to {prediction.before:,}"
        tail = f"{money}; while it rolls out there are {_number(prediction.rollout)}"
    return Finding(
        "CARD-GROWTH",
        Severity.WARNING,
        "all series",
        f"{what} ({grown / prediction.before:+.0%}){tail}",
        f"look first at {', '.join(worst)}" if worst else "",
        evidence={
            "before": prediction.before,
            "after": prediction.after.to_dict(),
            "rollout": prediction.rollout.to_dict(),
            "replicas": prediction.replicas,
        },
    )


def _type(metric: MetricPrediction, owner: str) -> Finding:
    return Finding(
        "CARD-TYPE-CHANGED",
        Severity.ERROR,
        f"metric {metric.name}",
        f"{metric.name} was a {metric.type_before} and becomes a {metric.type}",
        "give it a new name: rate() and histogram_quantile() over both give wrong numbers",
        evidence={"before": metric.type_before.value, "after": metric.type.value},
        place=metric.place,
        where="" if metric.place else metric.name,
        owner=owner,
    )


def _evidence(metric: MetricPrediction) -> dict[str, Any]:
    return {
        "before": metric.before,
        "after": metric.after.to_dict(),
        "by_label": dict(metric.by_label),
        "reasons": list(metric.reasons),
    }


def _number(bounds: Any) -> str:
    most = "without bound" if bounds.most is None else f"at most {bounds.most:,}"
    if bounds.least == bounds.expected == bounds.most:
        return f"{bounds.expected:,}"
    return f"about {bounds.expected:,} ({most})"


def _money(price: Price, series: int) -> str:
    return f"{price.of(series):,} {price.currency}"
