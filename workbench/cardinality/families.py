"""An inventory by families: a histogram is one metric to people, and three names to a server."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from workbench.inventory import (
    DeclaredMetric,
    Inventory,
    LabelTable,
    ObservedMetric,
    family_name,
)
from workbench.samples import MetricType

__all__ = ["SYNTHETIC", "Family", "families", "family_key"]

_PER_CHILD: Final = frozenset({"le", "quantile"})
"""Labels that tell the series of one child apart."""

SYNTHETIC: Final = frozenset(
    {
        "up",
        "scrape_duration_seconds",
        "scrape_samples_scraped",
        "scrape_samples_post_metric_relabeling",
        "scrape_series_added",
        "scrape_timeout_seconds",
        "scrape_sample_limit",
        "scrape_body_size_bytes",
        "ALERTS",
        "ALERTS_FOR_STATE",
    }
)
"""Series that a server makes itself: no build exposes them, and no relabelling drops them."""


@dataclass(frozen=True, slots=True)
class Family:
    """One metric as people mean it.

    Parameters
    ----------
    name
        As declared in ``# TYPE``.
    members
        Its series, by ``__name__``.
    declared
        What code says of it, if code was read.
    """

    name: str
    members: tuple[ObservedMetric, ...] = ()
    declared: DeclaredMetric | None = None

    @property
    def type(self) -> MetricType:
        """As text or a server says, else as code does."""
        told = [m.type for m in self.members if m.type is not MetricType.UNKNOWN]
        if told:
            return told[0]
        return self.declared.type if self.declared is not None else MetricType.UNKNOWN

    @property
    def series(self) -> int:
        """All series of all members."""
        return sum(m.series for m in self.members)

    @property
    def main(self) -> ObservedMetric | None:
        """The member that has one series for each child, or the nearest to it."""
        by_end = {m.name.rpartition("_")[2]: m for m in self.members if m.name != self.name}
        plain = next((m for m in self.members if m.name == self.name), None)
        if "bucket" in by_end or "sum" in by_end or "gsum" in by_end:
            rest = by_end.get("bucket") or by_end.get("sum") or by_end.get("gsum")
            return by_end.get("count") or by_end.get("gcount") or rest
        return plain or by_end.get("total") or next(iter(self.members), None)

    @property
    def children(self) -> LabelTable | None:
        """The label sets of its children; None where they are only counted."""
        main = self.main
        if main is None or main.table is None:
            return None
        apart = _PER_CHILD.intersection(main.table.labels)
        if not apart or not (main.name.endswith("_bucket") or self.type is MetricType.SUMMARY):
            return main.table
        return main.table.project([n for n in main.table.labels if n not in apart])

    @property
    def bounds(self) -> frozenset[str]:
        """The values of ``le`` or ``quantile`` that it has."""
        tables = [m.table for m in self.members if m.table is not None]
        return frozenset(v for t in tables for n in _PER_CHILD for v in t.values_of(n))

    def series_at(self, bounds: Collection[str]) -> int:
        """How many series have one of these values of ``le`` or ``quantile``."""
        found = 0
        for table in (m.table for m in self.members if m.table is not None):
            for name in _PER_CHILD.intersection(table.labels):
                counts = table.counts(name).tolist()
                values = table.values_of(name)
                found += sum(n for v, n in zip(values, counts, strict=True) if v in bounds)
        return found


def family_key(name: str) -> str:
    """A family's name without ``_total``, which formats disagree about."""
    return name.removesuffix("_total")


def families(inventory: Inventory, others: Iterable[Inventory] = ()) -> dict[str, Family]:
    """The families of an inventory by their keys.

    Parameters
    ----------
    inventory
        What was read.
    others
        Further inventories whose declared types help to tell families where this has none.
    """
    others = list(others)
    types = _types(inventory, others)
    members: dict[str, list[ObservedMetric]] = defaultdict(list)
    names: dict[str, str] = {}
    created = {d.created for part in (*others, inventory) for d in part.declared} - {""}
    for metric in inventory.metrics.values():
        # What either version declares for itself is a family there and here.
        name = metric.name if metric.name in types else metric.family
        name = family_name(name, types)
        if metric.name in created:
            name = metric.name.removesuffix("_created")
        members[family_key(name)].append(metric)
        names.setdefault(family_key(name), name)
    declared = {family_key(d.name): d for d in reversed(inventory.declared) if d.name_exact}
    for key, declaration in declared.items():
        names.setdefault(key, declaration.name)
    return {
        key: Family(name, tuple(members.get(key, ())), declared.get(key))
        for key, name in sorted(names.items())
    }


def _types(inventory: Inventory, others: Iterable[Inventory]) -> Mapping[str, MetricType]:
    types: dict[str, MetricType] = {}
    for part in (*others, inventory):
        types |= {d.name: d.type for d in part.declared}
        types |= {m.name: m.type for m in part.metadata.values()}
    for name, metric in inventory.metrics.items():
        if name.endswith("_bucket") and "le" in metric.labels:
            types.setdefault(name.removesuffix("_bucket"), MetricType.HISTOGRAM)
    return types
