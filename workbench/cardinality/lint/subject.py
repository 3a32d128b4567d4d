"""What the lint looks at: a family, whether text, a server or source code tells of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from workbench.cardinality.families import SYNTHETIC
from workbench.cardinality.lint.rule import LintRule
from workbench.inventory import DeclaredMetric, Inventory, ObservedMetric, Place
from workbench.samples import MetricMetadata, MetricType

__all__ = ["Breach", "Check", "Subject", "subjects"]

Breach = tuple[LintRule, str, str, str]
"""Rule, label (or ``""``), what is the case, what to write instead."""

Check = Callable[["Subject"], Iterator[Breach]]
"""Looks at one family."""


@dataclass(slots=True)
class Subject:
    """A family of series.

    Parameters
    ----------
    name, type, help
        As declared.
    place
        Where, if that is known.
    labels
        Its labels, without those that its type brings; with how many values each was seen to have
        (None where that is not known), the most of any member.
    in_code
        Whether source code declares it.
    undescribed
        Whether what was read has no description of it at all, which says nothing of whether there
        is one: a database's blocks hold none, a server only those of its targets.
    """

    name: str
    type: MetricType
    help: str
    place: Place | None = None
    labels: dict[str, int | None] = field(default_factory=dict)
    in_code: bool = False
    undescribed: bool = False

    @property
    def words(self) -> list[str]:
        """The parts of the name, between underscores."""
        return self.name.split("_")


_OWN_LABEL: Mapping[MetricType, str] = {
    MetricType.HISTOGRAM: "le",
    MetricType.GAUGEHISTOGRAM: "le",
    MetricType.SUMMARY: "quantile",
}


def subjects(inventory: Inventory) -> Iterator[Subject]:
    """Give each family of an inventory, as exposed and as declared in code."""
    observed: dict[str, Subject] = {}
    for name, data in inventory.metadata.items():
        if name in SYNTHETIC:
            continue
        # OpenMetrics declares a counter without its _total: what is queried is the name.
        observed[name] = Subject(data.name, data.type, data.help)
    for metric in inventory.metrics.values():
        if metric.name in SYNTHETIC:
            continue
        family = _family(metric, inventory.metadata)
        subject = observed.get(family)
        if subject is None:
            subject = Subject(family, metric.type, metric.help, undescribed=True)
            observed[family] = subject
        subject.undescribed = subject.undescribed and metric.place is None
        if metric.place is not None and (subject.place is None or metric.place < subject.place):
            subject.place = metric.place
        own = _OWN_LABEL.get(subject.type, "")
        for label in metric.labels:
            if label != own:
                counts = (subject.labels.get(label), metric.distinct(label))
                known = [count for count in counts if count is not None]
                subject.labels[label] = max(known) if known else None
    yield from observed.values()
    yield from map(_declared, inventory.declared)


def _family(metric: ObservedMetric, metadata: Mapping[str, MetricMetadata]) -> str:
    """The family of a series; a counter's ``_created`` stands beside its ``_total``."""
    stem = metric.name.removesuffix("_created")
    total = metadata.get(f"{stem}_total")
    if stem != metric.name and total is not None and total.type is MetricType.COUNTER:
        return total.name
    return metric.family


def _declared(metric: DeclaredMetric) -> Subject:
    labels: dict[str, int | None] = dict.fromkeys((*metric.labels, *metric.constant_labels))
    return Subject(metric.name, metric.type, metric.help, metric.place, labels, in_code=True)
