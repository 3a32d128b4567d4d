"""How many series there will be after a deploy: candidate against baseline, × replicas."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from workbench.cardinality.bounds import SeriesBounds, total
from workbench.cardinality.children import Children, compare_code, estimate_children
from workbench.cardinality.families import SYNTHETIC, Family, families
from workbench.cardinality.masking import mask
from workbench.inventory import Bound, Inventory, LabelTable, Place
from workbench.samples import MetricType

__all__ = ["SERIES_PER_TARGET", "MetricPrediction", "Prediction", "Status", "predict"]

SERIES_PER_TARGET: Final = 5
"""What Prometheus adds for each target: ``up``, ``scrape_duration_seconds``,
``scrape_samples_scraped``, ``scrape_samples_post_metric_relabeling``, ``scrape_series_added``."""

REPLICA_LABELS: Final = ("instance", "pod")
"""Labels of a target that tell replicas apart."""


class Status(StrEnum):
    """What a deploy does to a metric."""

    NEW = "new"
    GONE = "gone"
    CHANGED = "changed"
    SAME = "same"
    NOT_SHOWN = "not shown"
    """The baseline has it and the candidate's code does not declare it: a library may."""


@dataclass(frozen=True, slots=True)
class MetricPrediction:
    """One metric before and after a deploy.

    Parameters
    ----------
    name, type
        Of the family.
    status
        New, gone, changed or the same.
    before
        Series of all replicas now.
    replica
        Series of one replica afterwards.
    after
        Series of all replicas afterwards.
    replaced
        How many of the series of before will not be written again.
    new_labels, gone_labels, new_values
        What differs.
    new_bounds, gone_bounds
        Buckets or quantiles that differ.
    by_label
        Label to how many series it adds (negative: saves).
    type_before
        Where the type changes; else the same as `type`.
    reasons
        How the figures came about.
    place
        The declaration in code, or where the metric first stands in the text.
    """

    name: str
    type: MetricType
    status: Status
    before: int
    replica: SeriesBounds
    after: SeriesBounds
    replaced: int = 0
    new_labels: tuple[str, ...] = ()
    gone_labels: tuple[str, ...] = ()
    new_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    new_bounds: tuple[str, ...] = ()
    gone_bounds: tuple[str, ...] = ()
    by_label: Mapping[str, int] = field(default_factory=dict)
    type_before: MetricType = MetricType.UNKNOWN
    reasons: tuple[str, ...] = ()
    place: Place | None = None
    unbounded: tuple[str, ...] = ()
    """Labels that code gives values without bound; `after.most` is None for less, too."""

    @property
    def difference(self) -> int:
        """Expected series more than now."""
        return self.after.expected - self.before

    @property
    def culprit(self) -> str:
        """The label that adds most series, or ``""``."""
        worst = max(self.by_label, key=lambda n: self.by_label[n], default="")
        return worst if worst and self.by_label[worst] > 0 else ""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; of new values at most ten a label."""
        return {
            "name": self.name,
            "type": self.type.value,
            "status": self.status.value,
            "before": self.before,
            "after": self.after.to_dict(),
            "per_replica": self.replica.to_dict(),
            "difference": self.difference,
            "replaced": self.replaced,
            "new_labels": list(self.new_labels),
            "gone_labels": list(self.gone_labels),
            "new_values": {
                n: {"count": len(v), "examples": [mask(x) for x in v[:10]]}
                for n, v in self.new_values.items()
            },
            "new_bounds": list(self.new_bounds),
            "gone_bounds": list(self.gone_bounds),
            "by_label": dict(self.by_label),
            "culprit": self.culprit,
            "unbounded": list(self.unbounded),
            "reasons": list(self.reasons),
            "place": str(self.place) if self.place else None,
        }


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a deploy does to the number of series.

    Parameters
    ----------
    metrics
        The largest difference first.
    replicas, replicas_before
        Targets that run the new version, and that run the old one.
    before
        Series now, those that a server adds for each target among them.
    after
        Series once all replicas run the new version and the old series have left the head.
    rollout
        The most that the head holds meanwhile: old series stay for up to three hours.
    notes
        What could not be known.
    observed
        Whether both sides were counted, at two moments of one source.
    """

    metrics: tuple[MetricPrediction, ...]
    replicas: int
    replicas_before: int
    before: int
    after: SeriesBounds
    rollout: SeriesBounds
    notes: tuple[str, ...] = ()
    observed: bool = False

    @property
    def replica(self) -> SeriesBounds:
        """What one target exposes afterwards."""
        return total(m.replica for m in self.metrics if m.status is not Status.NOT_SHOWN)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "replicas": self.replicas,
            "replicas_before": self.replicas_before,
            "before": self.before,
            "after": self.after.to_dict(),
            "rollout": self.rollout.to_dict(),
            "metrics": [m.to_dict() for m in self.metrics],
            "notes": list(self.notes),
            "observed": self.observed,
        }


def predict(
    candidate: Inventory,
    baseline: Inventory | None = None,
    *,
    replicas: int | None = None,
    replica_labels: Sequence[str] = REPLICA_LABELS,
    names_change: bool = True,
) -> Prediction:
    """Say how many series there will be after a deploy.

    Parameters
    ----------
    candidate
        The new version: its code, what one replica exposes, or both.
    baseline
        The old version; None where all is new.
    replicas
        How many will run; as many as the baseline shows where it is not given.
    replica_labels
        Labels that tell replicas apart, where the baseline comes from a server.
    names_change
        Whether new replicas have other names than old ones (pods do), so that none of the old
        series goes on.
    """
    old = families(baseline, [candidate]) if baseline is not None else {}
    new = families(candidate, [baseline] if baseline is not None else [])
    targets = _target_labels(old, new, replica_labels)
    seen = max((_replicas(f.children, targets) for f in old.values()), default=0)
    count = replicas if replicas is not None else max(1, seen)
    # Text or code of the old version is one replica's; a server shows them all.
    scraped = any(targets.intersection(f.children.labels) for f in old.values() if f.children)
    replicas_before = 0 if not old else seen if scraped else count
    scale = 1 if scraped else replicas_before
    deploy = _Deploy(targets, count, scale, steady=scraped and count == seen)
    kept = [
        _judge(family, old.get(key), deploy) for key, family in new.items() if key not in SYNTHETIC
    ]
    # Code does not show what its libraries expose: only text can say that a metric is gone.
    leave = _gone if candidate.metrics else _not_shown
    for key, family in old.items():
        if key not in new and key not in SYNTHETIC:
            judge = _gone if family.declared is not None and not family.members else leave
            kept.append(judge(family, _before(family) * scale))
    synthetic = SERIES_PER_TARGET * count
    before = sum(m.before for m in kept) + SERIES_PER_TARGET * replicas_before
    after = total(m.after for m in kept) + SeriesBounds.exactly(synthetic)
    stay = before if names_change else sum(m.replaced for m in kept)
    kept.sort(key=lambda m: (-abs(m.difference), m.name))
    notes = list(candidate.notes) + (list(baseline.notes) if baseline is not None else [])
    return Prediction(
        tuple(kept), count, replicas_before, before, after,
        after + SeriesBounds.exactly(stay), tuple(dict.fromkeys(notes)),
    )  # fmt: skip


def _target_labels(
    old: Mapping[str, Family], new: Mapping[str, Family], replica_labels: Sequence[str]
) -> frozenset[str]:
    """Labels that a scrape adds: on all series of the baseline, and on none of the candidate."""
    tables = [f.children for f in old.values() if f.children is not None and f.children.series]
    on_all: set[str] = set()
    if tables:
        on_all = set.intersection(*(set(t.labels) for t in tables))
    own = {n for f in new.values() if f.children is not None for n in f.children.labels}
    own |= {n for f in new.values() if f.declared is not None for n in f.declared.labels}
    # With one family alone, what it lost could be a label of its own.
    scraped = on_all & {"job", "instance", *replica_labels} if len(tables) < 2 else on_all
    return frozenset((scraped - own) | set(replica_labels))


def _replicas(table: LabelTable | None, targets: frozenset[str]) -> int:
    if table is None:
        return 0
    return max(1, table.combinations([n for n in table.labels if n in targets]))


def _before(old: Family) -> int:
    """The series of the old version: as shown, else as its code makes likely."""
    if old.members or old.declared is None:
        return old.series
    children = estimate_children(None, None, old.declared)
    return children.bounds.expected * old.declared.series_per_child


def _gone(old: Family, before: int) -> MetricPrediction:
    nothing = SeriesBounds.exactly(0)
    return MetricPrediction(
        old.name, old.type, Status.GONE, before, nothing, nothing,
        replaced=before, type_before=old.type,
    )  # fmt: skip


def _not_shown(old: Family, before: int) -> MetricPrediction:
    same = SeriesBounds.exactly(before)
    return MetricPrediction(
        old.name, old.type, Status.NOT_SHOWN, before, same, same, type_before=old.type,
        reasons=("the code does not declare it: taken to stay as it is",),
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Deploy:
    """What is the same for all metrics: labels of targets, replicas, factor on the baseline."""

    targets: frozenset[str]
    replicas: int
    scale: int
    steady: bool
    """Whether a server shows as many replicas as there will be."""


def _judge(new: Family, old: Family | None, deploy: _Deploy) -> MetricPrediction:
    children, per_child = _children(new, old, deploy.targets)
    replica = _scaled(children.bounds, per_child)
    after = replica * deploy.replicas
    before = _before(old) * deploy.scale if old is not None else 0
    new_bounds, gone_bounds = _bounds_changed(new, old)
    by_label = {
        n: round(count * per_child) * deploy.replicas for n, count in children.by_label.items()
    }
    status = Status.NEW
    type_before = new.type
    if old is not None:
        type_before = old.type if old.type is not MetricType.UNKNOWN else new.type
        moved = children.changed or new_bounds or gone_bounds or type_before is not new.type
        status = Status.CHANGED if moved else Status.SAME
    if status is Status.SAME and before and deploy.steady:
        # The server shows all replicas: what does not change stays as it counts it.
        after = SeriesBounds(min(after.least, before), max(after.least, before), after.most)
    gone = old.series_at(gone_bounds) * deploy.scale if old is not None else 0
    return MetricPrediction(
        name=new.name,
        type=new.type,
        status=status,
        before=before,
        replica=replica,
        after=after,
        replaced=max(round(before * children.replaced), gone),
        new_labels=children.new_labels,
        gone_labels=children.gone_labels,
        new_values=children.new_values,
        new_bounds=new_bounds,
        gone_bounds=gone_bounds,
        by_label=by_label,
        type_before=type_before,
        reasons=children.reasons,
        place=_place(new),
        unbounded=_unbounded(new),
    )


def _children(new: Family, old: Family | None, targets: frozenset[str]) -> tuple[Children, float]:
    """The children of one replica, and how many series each has."""
    shown = _without(new.children, targets)
    if new.members and new.children is not None and shown is not None:
        per_child = new.series / max(1, new.children.series)
    elif new.declared is not None:
        per_child = float(new.declared.series_per_child)
    else:
        counted = SeriesBounds(new.series, max(new.series, old.series if old else 0), None)
        return Children(counted, reasons=("the candidate only counts it",)), 1.0
    before = old.children if old is not None else None
    if shown is None and new.declared and old and old.declared and not old.members:
        return compare_code(new.declared, old.declared), per_child
    if old is not None and old.members and before is None:
        known = estimate_children(shown, None, new.declared)
        floor = max(known.bounds.expected, round(old.series / per_child))
        bounds = SeriesBounds(known.bounds.least, floor, None)
        return Children(bounds, reasons=("the baseline only counts it",)), per_child
    base = _without(before, targets)
    coverage = 1.0
    if before is not None and base is not None and base.series:
        coverage = min(1.0, before.series / (_replicas(before, targets) * base.series))
    return estimate_children(shown, base, new.declared, coverage=coverage), per_child


def _without(table: LabelTable | None, targets: frozenset[str]) -> LabelTable | None:
    if table is None or not targets.intersection(table.labels):
        return table
    return table.project([n for n in table.labels if n not in targets])


def _scaled(bounds: SeriesBounds, per_child: float) -> SeriesBounds:
    most = None if bounds.most is None else round(bounds.most * per_child)
    return SeriesBounds(round(bounds.least * per_child), round(bounds.expected * per_child), most)


def _bounds_changed(new: Family, old: Family | None) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Buckets or quantiles that only one version has, where both show theirs."""
    if old is None or not new.bounds or not old.bounds:
        return (), ()
    return tuple(sorted(new.bounds - old.bounds)), tuple(sorted(old.bounds - new.bounds))


def _unbounded(family: Family) -> tuple[str, ...]:
    if family.declared is None:
        return ()
    return tuple(n for n, v in family.declared.values.items() if v.bound is Bound.UNBOUNDED)


def _place(family: Family) -> Place | None:
    if family.declared is not None:
        return family.declared.place
    return family.main.place if family.main is not None else None
