"""Which queries would give something else if metrics, labels or buckets were dropped.

What a recording rule loses, its readers lose: the search goes on from the metrics that the rules
write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final, Literal

from workbench.samples import format_value
from workbench.usage.query import Query
from workbench.usage.reading import Certainty, LabelRole, Reading, accepts

if TYPE_CHECKING:
    from workbench.usage.usage import MetricUse, Usage

__all__ = ["Breakage", "Effect", "breakages"]

_HANDED_ON: Final = frozenset(("by", "on", "group_left", "group_right", "output"))
"""Reasons for which a label of what a recording rule reads is a label of what it writes."""


class Effect(StrEnum):
    """What would happen to a query."""

    BREAKS = "breaks"
    """It gives nothing, or what it names is gone."""
    CHANGES = "changes"
    """It gives other figures, or fewer series."""
    MAY_CHANGE = "may change"
    """It may mean the metric, which is not certain."""


@dataclass(frozen=True, slots=True)
class Breakage:
    """A query that would give something else.

    Parameters
    ----------
    query
        The query.
    effect
        What would happen.
    metric
        What it reads that changes; a recorded metric where the loss comes over a recording rule.
    reason
        Why, as a sentence.
    """

    query: Query
    effect: Effect
    metric: str
    reason: str


@dataclass(frozen=True, slots=True)
class _Loss:
    """Something that is no longer as it was: a metric, one of its labels, its values."""

    what: Literal["metric", "label", "values", "bounds"]
    metric: str
    label: str = ""
    bounds: tuple[str, ...] = ()
    uncertain: bool = False


def breakages(
    usage: Usage,
    metrics: Iterable[str],
    labels: Mapping[str, Iterable[str]],
    bounds: Mapping[str, Iterable[str | float]],
) -> tuple[Breakage, ...]:
    """Find the queries that would give something else.

    Parameters
    ----------
    usage
        The queries.
    metrics
        Metrics that would be dropped.
    labels
        For each metric the labels that would be dropped, series that become the same being added
        up.
    bounds
        For each histogram (its family, or the name that ends in ``_bucket``) the upper bounds that
        would be dropped.

    Returns
    -------
    tuple of Breakage
        Those that break first; each query once for each metric and effect.
    """
    waiting = [_Loss("metric", name) for name in metrics]
    waiting += [_Loss("label", name, one) for name, gone in labels.items() for one in gone]
    waiting += [_Loss("bounds", _bucket(n), "le", _written(gone)) for n, gone in bounds.items()]
    seen = set(waiting)
    found: dict[tuple[int, str, Effect, str], Breakage] = {}
    while waiting:
        uses = usage.of_metrics(tuple(dict.fromkeys(loss.metric for loss in waiting)))
        met = [
            (use, loss, one)
            for loss in waiting
            for use in uses[loss.metric]
            if (one := _breakage(use, loss)) is not None
        ]
        waiting = []
        for use, loss, one in met:
            found.setdefault((id(use.query), loss.metric, one.effect, one.reason), one)
            further = _handed_on(use, loss, one.effect) if use.query.record else []
            waiting += [lost for lost in further if lost not in seen]
            seen.update(further)
    order = list(Effect)
    return tuple(sorted(found.values(), key=lambda one: order.index(one.effect)))


def _bucket(name: str) -> str:
    return name if name.endswith("_bucket") else f"{name}_bucket"


def _written(bounds: Iterable[str | float]) -> tuple[str, ...]:
    return tuple(one if isinstance(one, str) else format_value(float(one)) for one in bounds)


def _breakage(use: MetricUse, loss: _Loss) -> Breakage | None:
    """What a loss does to a query that reads the metric."""
    verdict = _verdict(use, loss)
    if verdict is None:
        return None
    effect, reason = verdict
    if use.certainty is Certainty.POSSIBLE or loss.uncertain:
        effect = Effect.MAY_CHANGE
    return Breakage(use.query, effect, loss.metric, reason)


def _verdict(use: MetricUse, loss: _Loss) -> tuple[Effect, str] | None:
    if loss.what == "metric":
        return _without_metric(use, loss.metric)
    if loss.what == "values":
        return Effect.CHANGES, f"it reads {loss.metric}, whose figures change"
    if loss.what == "bounds":
        verdicts = [_without_bounds(read, loss) for read in use.reads]
        told = [one for one in verdicts if one is not None]
        return min(told, key=lambda one: list(Effect).index(one[0]), default=None)
    return _without_label(use, loss)


def _without_metric(use: MetricUse, metric: str) -> tuple[Effect, str]:
    if any(read.absent for read in use.reads):
        return Effect.BREAKS, f"absent() of {metric} is true from then on"
    if use.certainty is Certainty.PATTERN:
        return Effect.CHANGES, f"its pattern matches {metric}"
    return Effect.BREAKS, f"it reads {metric}"


def _without_label(use: MetricUse, loss: _Loss) -> tuple[Effect, str] | None:
    from workbench.usage.usage import role_in

    role, reason = role_in(use, loss.label)
    name = f"{loss.label} of {loss.metric}"
    match role:
        case LabelRole.REQUIRED:
            return Effect.BREAKS, f"it names {name} ({reason})"
        case LabelRole.SHOWN:
            return Effect.CHANGES, f"it shows {name} ({reason})"
        case LabelRole.SEPARATING:
            return Effect.CHANGES, f"{reason} takes the series that {name} tells apart one by one"
        case _:
            return None


def _without_bounds(read: Reading, loss: _Loss) -> tuple[Effect, str] | None:
    conditions = [m for m in read.matchers if m.name == "le"]
    gone = list(loss.bounds)
    for condition in conditions:
        hits = accepts(condition, gone)
        gone = [bound for bound, hit in zip(gone, hits, strict=True) if bool(hit)]
    if not gone:
        return None
    listed = ", ".join(f'le="{bound}"' for bound in gone)
    if any(m.op == "=" for m in conditions):
        return Effect.BREAKS, f"it asks for {listed} of {loss.metric}"
    where = read.required.get("le", "")
    if "+Inf" in gone and where:
        return Effect.BREAKS, f"without {listed} the total of {loss.metric} is gone"
    if where.startswith("histogram_") or where == "by":
        return Effect.CHANGES, f"what it makes of {loss.metric} is coarser without {listed}"
    return Effect.CHANGES, f"it reads {listed} of {loss.metric}"


def _handed_on(use: MetricUse, loss: _Loss, effect: Effect) -> list[_Loss]:
    """What a recording rule's result loses."""
    record = use.query.record
    uncertain = effect is Effect.MAY_CHANGE
    changed = _Loss("values", record, uncertain=uncertain)
    if loss.what == "metric" and effect is Effect.BREAKS:
        return [_Loss("metric", record)]
    if loss.what != "label":
        return [changed]
    from workbench.usage.usage import role_in

    role, reason = role_in(use, loss.label)
    if reason not in _HANDED_ON:
        return [changed]
    lost = _Loss("label", record, loss.label, uncertain=uncertain)
    return [lost] if role is LabelRole.SHOWN else [lost, changed]
