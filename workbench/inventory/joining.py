"""Several inventories as one: code, text and a server are read in any mixture."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from workbench.inventory.inventory import Inventory
from workbench.inventory.observed import ObservedMetric
from workbench.inventory.table import LabelTable
from workbench.samples import MetricType

__all__ = ["join_inventories", "reshape"]


def join_inventories(parts: Sequence[Inventory]) -> Inventory:
    """What all parts tell together; a series that two of them show counts once.

    Parameters
    ----------
    parts
        At least one.

    Returns
    -------
    Inventory
        Where one part only counts a metric and another lists it, the list is kept if it is not
        smaller, else the count.
    """
    if len(parts) == 1:
        return parts[0]
    metrics: dict[str, ObservedMetric] = {}
    for part in parts:
        for name, metric in part.metrics.items():
            metrics[name] = _both(metrics[name], metric) if name in metrics else metric
    totals = [part.total_series for part in parts if part.total_series is not None]
    return Inventory(
        origin=", ".join(part.origin for part in parts),
        metrics=metrics,
        declared=tuple(d for part in parts for d in part.declared),
        metadata={name: m for part in reversed(parts) for name, m in part.metadata.items()},
        total_series=max(totals, default=None),
        unread=tuple(u for part in parts for u in part.unread),
        unread_count=sum(part.unread_count for part in parts),
        duplicates=tuple(d for part in parts for d in part.duplicates),
        duplicate_count=sum(part.duplicate_count for part in parts),
        notes=tuple(dict.fromkeys(n for part in parts for n in part.notes)),
        judged=frozenset().union(*(part.judged for part in parts)),
    )


def _both(one: ObservedMetric, two: ObservedMetric) -> ObservedMetric:
    told = one if one.type is not MetricType.UNKNOWN else two
    if one.table is None or two.table is None:
        larger = max((one, two), key=lambda m: (m.series, m.table is not None))
        return replace(larger, type=told.type, help=told.help, unit=told.unit, family=told.family)
    table = one.table.union(two.table)
    native = max(one.native, two.native)
    return replace(
        one, series=table.series, table=table, native=native,
        type=told.type, help=told.help, unit=told.unit, family=told.family,
    )  # fmt: skip


def reshape(inventory: Inventory, change: Callable[[LabelTable], LabelTable]) -> Inventory:
    """The same inventory with each table changed; metrics that only have counts stay."""
    metrics: dict[str, ObservedMetric] = {}
    for name, metric in inventory.metrics.items():
        if metric.table is None:
            metrics[name] = metric
            continue
        table = change(metric.table)
        metrics[name] = replace(metric, table=table, series=table.series)
    return replace(inventory, metrics=metrics)
