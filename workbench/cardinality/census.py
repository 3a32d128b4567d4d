"""The counts that people read of an inventory: by family, by label, by pair of labels."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import combinations
from typing import Any, Final

import numpy as np

from workbench.cardinality.counts import (
    FamilyCount,
    LabelCount,
    LabelGroup,
    LabelOfFamily,
    LabelPair,
    MemberCount,
    ValueCount,
)
from workbench.cardinality.families import Family, families
from workbench.cardinality.masking import mask
from workbench.cardinality.shapes import classify
from workbench.inventory import Inventory, LabelTable, ObservedMetric

__all__ = ["Census", "take_census"]

_BUCKET: Final = "le"
_MOST_PAIRED: Final = 24
"""Pairs are counted of so many labels of a family, those with the most values."""


@dataclass(frozen=True, slots=True)
class Census:
    """The counts of one inventory.

    Parameters
    ----------
    origin
        What was read.
    series
        All series that are listed, exactly.
    total_series
        What the source itself says of all, where it does.
    metric_count, family_count, label_count, pair_count
        How many names, families, labels and distinct pairs of name and value there are, whatever
        is listed below.
    families
        Those with the most series first; at most as many as were asked for.
    labels
        Those that save the most first, at most as many as were asked for.
    pairs
        Of the families listed: the pairs of labels with the most combinations; of families with
        more than 24 labels, between those with the most values.
    single_valued, nearly_constant
        All labels with one value, and all with nearly one.
    duplicate_count, unread_count
        Lines that repeat a series, and lines that could not be read.
    notes
        What the source could not tell.
    """

    origin: str
    series: int
    total_series: int | None
    metric_count: int
    family_count: int
    label_count: int
    pair_count: int
    families: tuple[FamilyCount, ...] = ()
    labels: tuple[LabelCount, ...] = ()
    pairs: tuple[LabelPair, ...] = ()
    single_valued: tuple[str, ...] = ()
    nearly_constant: tuple[str, ...] = ()
    duplicate_count: int = 0
    unread_count: int = 0
    notes: tuple[str, ...] = field(default_factory=tuple)

    def to_dict(self) -> dict[str, Any]:
        """Give plain data for JSON."""
        plain = asdict(self)
        for written, label in zip(plain["labels"], self.labels, strict=True):
            written["shapes"] = label.shapes.to_dict()
            written["constant"] = label.constant
            written["nearly_constant"] = label.nearly_constant
        for written, pair in zip(plain["pairs"], self.pairs, strict=True):
            written["saturation"] = pair.saturation
        return plain


def take_census(inventory: Inventory, *, limit: int = 20, top: int = 10) -> Census:
    r"""Count an inventory.

    Parameters
    ----------
    inventory
        What was read.
    limit
        How many families, labels and pairs are listed at most; totals are exact in any case.
    top
        How many values of a label are listed at most.

    Examples
    --------
    >>> from workbench.exposition import scan
    >>> text = "".join(f'hits{{path="/a/{i}",job="api"}} 1\n' for i in range(9))
    >>> census = take_census(scan(text))
    >>> [(label.name, label.values, label.saved) for label in census.labels]
    [('path', 9, 8), ('job', 1, 0)]
    """
    every = sorted(families(inventory).values(), key=lambda f: (-f.series, f.name))
    every = [family for family in every if family.members]
    left = {m.name: m.table.without_each() for m in inventory.metrics.values() if m.table}
    labels = sorted(
        _labels(inventory.metrics.values(), left, top),
        key=lambda x: (-(x.saved or 0), -x.values, x.name),
    )
    pairs = [pair for family in every[:limit] for pair in _pairs(family)]
    pairs.sort(key=lambda p: (-p.joint, p.family, p.one, p.other))
    series = inventory.series
    return Census(
        origin=inventory.origin,
        series=series,
        total_series=inventory.total_series,
        metric_count=len(inventory.metrics),
        family_count=len(every),
        label_count=len(labels),
        pair_count=sum(label.values for label in labels),
        families=tuple(_family(f, series, left) for f in every[:limit]),
        labels=tuple(labels[:limit]),
        pairs=tuple(pairs[:limit]),
        single_valued=tuple(sorted(x.name for x in labels if x.constant)),
        nearly_constant=tuple(sorted(x.name for x in labels if x.nearly_constant)),
        duplicate_count=inventory.duplicate_count,
        unread_count=inventory.unread_count,
        notes=inventory.notes,
    )


def _family(family: Family, total: int, left: dict[str, dict[str, int]]) -> FamilyCount:
    labels = [
        _label_of_family(name, family.members, left)
        for name in sorted({x for m in family.members for x in m.labels})
    ]
    labels.sort(key=lambda x: (-(x.saved or 0), -x.values, x.name))
    children = family.children
    return FamilyCount(
        name=family.name,
        type=family.type.value,
        series=family.series,
        share=family.series / total if total else 0.0,
        children=None if children is None else children.series,
        members=tuple(MemberCount(m.name, m.series) for m in family.members),
        labels=tuple(labels),
        groups=tuple(_groups(family)),
        buckets=_buckets(family.members),
        native=sum(m.native for m in family.members),
    )


def _label_of_family(
    name: str, members: Sequence[ObservedMetric], left: dict[str, dict[str, int]]
) -> LabelOfFamily:
    tables = [(m, m.table) for m in members if m.table is not None]
    counted = max((m.value_counts.get(name, 0) for m in members if m.table is None), default=0)
    values = {v for _, table in tables for v in table.values_of(name)}
    if len(tables) < len(members):
        return LabelOfFamily(name, max(len(values), counted))
    saved = sum(m.series - left[m.name].get(name, m.series) for m, _ in tables)
    carrying = sum(int(np.count_nonzero(t.column(name) >= 0)) for _, t in tables)
    return LabelOfFamily(name, len(values), carrying, saved)


def _groups(family: Family) -> list[LabelGroup]:
    """The classes of labels whose values stand one to one on every child."""
    table = family.children
    if table is None or any(m.table is None for m in family.members):
        return []
    classes: list[list[str]] = []
    for label in table.labels:
        count = table.distinct(label)
        if count < 2 or (table.column(label) < 0).any():
            continue
        for known in classes:
            if table.distinct(known[0]) == count == table.combinations([known[0], label]):
                known.append(label)
                break
        else:
            classes.append([label])
    groups = [
        LabelGroup(
            tuple(names),
            table.distinct(names[0]),
            sum(m.series - m.table.without(names) for m in family.members if m.table is not None),
        )
        for names in classes
        if len(names) > 1
    ]
    return sorted(groups, key=lambda group: (-group.saved, group.labels))


def _buckets(members: Iterable[ObservedMetric]) -> tuple[int, int] | None:
    """The fewest and the most ``le`` that one child has."""
    for member in members:
        table = member.table
        if member.name.endswith("_bucket") and table is not None and _BUCKET in table.labels:
            groups = table.groups([x for x in table.labels if x != _BUCKET])
            sizes = np.bincount(groups[table.column(_BUCKET) >= 0], minlength=int(groups.max()) + 1)
            return int(sizes.min()), int(sizes.max())
    return None


def _labels(
    metrics: Iterable[ObservedMetric], left: dict[str, dict[str, int]], top: int
) -> Iterator[LabelCount]:
    by_label: dict[str, list[ObservedMetric]] = {}
    for metric in metrics:
        for name in metric.labels:
            by_label.setdefault(name, []).append(metric)
    for name, carriers in by_label.items():
        known: dict[str, int] = {}
        for metric in carriers:
            if metric.table is not None:
                _add_counts(known, metric.table, name)
        counted = [m.value_counts[name] for m in carriers if m.table is None]
        complete = not counted
        series = sum(known.values())
        first = sorted(known.items(), key=lambda item: (-item[1], item[0]))[:top]
        yield LabelCount(
            name=name,
            values=max(len(known), *counted) if counted else len(known),
            series=series if complete else None,
            metrics=len(carriers),
            saved=sum(m.series - left[m.name][name] for m in carriers) if complete else None,
            shapes=classify(list(known)),
            top=tuple(ValueCount(mask(value), count) for value, count in first),
            top_share=first[0][1] / series if first else 0.0,
        )


def _add_counts(known: dict[str, int], table: LabelTable, label: str) -> None:
    counts = table.counts(label).tolist()
    for value, count in zip(table.values_of(label), counts, strict=True):
        known[value] = known.get(value, 0) + count


def _pairs(family: Family) -> Iterator[LabelPair]:
    table = family.children
    if table is None:
        return
    varied = [x for x in table.labels if table.distinct(x) > 1]
    varied = sorted(varied, key=lambda x: (-table.distinct(x), x))[:_MOST_PAIRED]
    for a, b in combinations(varied, 2):
        one, other = sorted((a, b), key=lambda x: (-table.distinct(x), x))
        both = (table.column(one) >= 0) & (table.column(other) >= 0)
        part = table if both.all() else table.take(both)
        joint = part.combinations([one, other])
        product = part.distinct(one) * part.distinct(other)
        if joint:
            yield LabelPair(family.name, one, other, joint, product, joint == part.distinct(one))
