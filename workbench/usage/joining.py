"""What is used, joined with what there is: series of each metric, and labels that nobody needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from workbench.inventory import Inventory, LabelTable, ObservedMetric
from workbench.usage.query import Query
from workbench.usage.reading import Certainty, LabelRole, Reading, accepts
from workbench.usage.usage import LabelUse, MetricUse, Status, Usage, status_of

__all__ = ["InventoryUsage", "MetricSummary", "join_inventory"]


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """A metric that there is, and what is done with it.

    Parameters
    ----------
    metric
        As text or a server shows it.
    status
        Whether it is used.
    uses
        The queries that read it.
    labels
        What they do with each of its labels.
    """

    metric: ObservedMetric
    status: Status
    uses: tuple[MetricUse, ...] = ()
    labels: Mapping[str, LabelUse] = field(default_factory=dict)

    @property
    def unused_labels(self) -> tuple[str, ...]:
        """Labels that make no difference to any query, their series added up; sorted."""
        return tuple(sorted(n for n, use in self.labels.items() if use.role is LabelRole.UNUSED))


@dataclass(frozen=True)
class InventoryUsage:
    """An inventory's metrics, each with its use.

    Parameters
    ----------
    metrics
        By name, the most series first.
    missing
        Metrics that queries name, but which neither are there nor recorded by a rule, with the
        queries.
    """

    metrics: Mapping[str, MetricSummary]
    missing: Mapping[str, tuple[Query, ...]] = field(default_factory=dict)

    def with_status(self, status: Status) -> tuple[MetricSummary, ...]:
        """The metrics of one status, the most series first."""
        return tuple(one for one in self.metrics.values() if one.status is status)

    @cached_property
    def series(self) -> Mapping[Status, int]:
        """How many series each status has."""
        return {s: sum(one.metric.series for one in self.with_status(s)) for s in Status}

    @property
    def in_use_series(self) -> int:
        """Series of metrics that someone reads, or may read."""
        return self.series[Status.USED] + self.series[Status.POSSIBLY_USED]

    @property
    def unused_series(self) -> int:
        """Series of metrics that nobody reads, or only recording rules that nobody reads."""
        return self.series[Status.UNUSED] + self.series[Status.RECORDED_ONLY]


def join_inventory(usage: Usage, inventory: Inventory) -> InventoryUsage:
    """Say for each metric that there is whether it is used, and which of its labels are.

    A selector that names no metric counts for one only if its conditions can hold for a series of it,
    where the inventory knows the labels.
    """
    found = usage.of_metrics(tuple(inventory.metrics))
    summaries: dict[str, MetricSummary] = {}
    for metric in sorted(inventory.metrics.values(), key=lambda one: (-one.series, one.name)):
        uses = tuple(one for one in found[metric.name] if _can_hold(one, metric.table))
        labels = {name: usage.label_use(metric.name, name, uses) for name in metric.labels}
        summaries[metric.name] = MetricSummary(metric, status_of(uses), uses, labels)
    return InventoryUsage(summaries, _missing(usage, inventory))


def _can_hold(use: MetricUse, table: LabelTable | None) -> bool:
    if table is None or use.certainty is not Certainty.POSSIBLE or not use.reads:
        return True
    return any(_selects(read, table) for read in use.reads)


def _selects(read: Reading, table: LabelTable) -> bool:
    """Whether each condition holds for some series; what one series has of all is not asked."""
    for condition in read.matchers:
        if condition.name != "__name__":
            values = list(table.values_of(condition.name))
            if bool((table.column(condition.name) < 0).any()):
                values.append("")
            if not accepts(condition, values).any():
                return False
    return True


def _missing(usage: Usage, inventory: Inventory) -> dict[str, tuple[Query, ...]]:
    known = {*inventory.metrics, *usage.recorded}
    result: dict[str, list[Query]] = {}
    for query in usage.queries:
        for name in query.metrics:
            if name not in known:
                result.setdefault(name, []).append(query)
    return {name: tuple(queries) for name, queries in sorted(result.items())}
