"""Which series make one OpenMetrics family, and whether they keep its rules."""

from __future__ import annotations

import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Labels, MetricMetadata, MetricType, Series

__all__ = ["Family", "group_families"]

_SUFFIXES: Final[Mapping[MetricType, tuple[str, ...]]] = {
    MetricType.COUNTER: ("_total", "_created"),
    MetricType.HISTOGRAM: ("_bucket", "_sum", "_count", "_created"),
    MetricType.GAUGEHISTOGRAM: ("_bucket", "_gsum", "_gcount"),
    MetricType.SUMMARY: ("", "_sum", "_count", "_created"),
    MetricType.INFO: ("_info",),
    MetricType.STATESET: ("",),
    MetricType.GAUGE: ("",),
    MetricType.UNKNOWN: ("",),
}
"""Members of a family of each type, in the order in which they are written."""

_NAME_ENDS: Final = {MetricType.COUNTER: "_total", MetricType.INFO: "_info"}
"""What is cut off the queried name to get the family's."""

_GROUP_LABEL: Final = {
    MetricType.HISTOGRAM: "le",
    MetricType.GAUGEHISTOGRAM: "le",
    MetricType.SUMMARY: "quantile",
}
"""The label that tells the members of one group apart."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family as it is written.

    Parameters
    ----------
    name, type, help, unit
        As declared in the text.
    groups
        Places of series; those of one group stand interleaved by time.
    """

    name: str
    type: MetricType
    help: str
    unit: str
    groups: tuple[tuple[int, ...], ...]


def group_families(rows: Sequence[Series], metadata: Iterable[MetricMetadata]) -> list[Family]:
    """Sort series into families; those that break a rule become one ``unknown`` a name.

    Parameters
    ----------
    rows
        Series, each with a ``__name__``.
    metadata
        What is known of the metrics, under the names that are queried.

    Returns
    -------
    list of Family
        Sorted by name; together they hold every series once.
    """
    by_name: dict[str, list[int]] = defaultdict(list)
    for i, (labels, _, _) in enumerate(rows):
        by_name[labels["__name__"]].append(i)
    claimed: set[str] = set()
    families: list[Family] = []
    known = {entry.name: entry for entry in metadata}
    for entry in sorted(known.values(), key=lambda m: m.name):
        family = _declared(entry, rows, by_name, claimed)
        if family is not None:
            families.append(family)
    used = {i for family in families for group in family.groups for i in group}
    for name, places in by_name.items():
        left = tuple((i,) for i in places if i not in used)
        if left:
            text = known[name].help if name in known else ""
            families.append(Family(name, MetricType.UNKNOWN, text, "", left))
    return sorted(families, key=lambda f: f.name)


def _declared(
    entry: MetricMetadata,
    rows: Sequence[Series],
    by_name: Mapping[str, list[int]],
    claimed: set[str],
) -> Family | None:
    """The family of one declaration, or None where its series cannot be written as such."""
    end = _NAME_ENDS.get(entry.type, "")
    base = entry.name.removesuffix(end)
    if not entry.name.endswith(end) or not base:
        return None
    members = [base + suffix for suffix in _SUFFIXES[entry.type]]
    places = [i for name in members for i in by_name.get(name, ())]
    # OpenMetrics reserves the bare name and every member's for the family alone.
    reserved = {base, *members}
    if not places or (base in by_name and base not in members) or reserved & claimed:
        return None
    groups = _groups(entry.type, rows, places)
    check = _RULES.get(entry.type)
    if check and not all(check([rows[i] for i in group], base) for group in groups):
        return None
    claimed |= reserved
    bare = entry.type in (MetricType.INFO, MetricType.STATESET)
    unit = entry.unit if entry.unit and not bare and base.endswith(f"_{entry.unit}") else ""
    return Family(base, entry.type, entry.help, unit, tuple(groups))


def _groups(
    kind: MetricType, rows: Sequence[Series], places: Sequence[int]
) -> list[tuple[int, ...]]:
    """Series that belong to one histogram, summary or counter, buckets in their order."""
    if kind in (MetricType.GAUGE, MetricType.UNKNOWN, MetricType.INFO):
        return [(i,) for i in places]
    apart = _GROUP_LABEL.get(kind, "")
    groups: dict[frozenset[tuple[str, str]], list[int]] = defaultdict(list)
    for i in places:
        labels = rows[i][0]
        leave = {"__name__", apart, labels["__name__"] if kind is MetricType.STATESET else ""}
        groups[frozenset((k, v) for k, v in labels.items() if k not in leave)].append(i)
    if apart:
        for group in groups.values():
            # Stable: members keep the order of their suffixes, buckets sort by their bound.
            group.sort(key=lambda i: _bound(rows[i][0], apart))
    return [tuple(group) for group in groups.values()]


def _bound(labels: Labels, label: str) -> float:
    """Where a member stands within its group: by its bound; those without one behind."""
    if label not in labels:
        return math.inf
    try:
        return min(float(labels[label]), 1.7e308)
    except ValueError:
        return math.nan


def _counter_like(values: np.ndarray) -> bool:
    return bool((values >= 0).all())


def _whole(values: np.ndarray) -> bool:
    return bool((np.isfinite(values) & (values >= 0) & (values == np.rint(values))).all())


def _is_counter(group: Sequence[Series], base: str) -> bool:
    return all(_counter_like(v) for labels, _, v in group if labels["__name__"] == f"{base}_total")


def _is_info(group: Sequence[Series], base: str) -> bool:  # noqa: ARG001 - one of a table of rules
    return all(bool((v == 1).all()) for _, _, v in group)


def _is_stateset(group: Sequence[Series], base: str) -> bool:
    return all(base in labels and bool(np.isin(v, (0, 1)).all()) for labels, _, v in group)


def _is_summary(group: Sequence[Series], base: str) -> bool:
    for labels, _, v in group:
        if labels["__name__"] == base:
            at = _bound(labels, "quantile")
            if not 0 <= at <= 1 or bool((v < 0).any()):
                return False
        elif labels["__name__"] == f"{base}_count":
            if not _whole(v):
                return False
        elif labels["__name__"] == f"{base}_sum" and not _counter_like(v):
            return False
    return True


def _is_histogram(group: Sequence[Series], base: str) -> bool:
    """All members at all times, bounds and counts ascending, count equal to the last bucket."""
    members = [row for row in group if row[0]["__name__"] != f"{base}_created"]
    buckets = [row for row in members if row[0]["__name__"] == f"{base}_bucket"]
    rest = {row[0]["__name__"].removeprefix(base): row[2] for row in members[len(buckets) :]}
    times = [row[1] for row in group]
    if not buckets or any(not np.array_equal(t, times[0]) for t in times[1:]):
        return False
    bounds = [_bound(row[0], "le") for row in buckets]
    if buckets[-1][0].get("le") != "+Inf" or not all(a < b for a, b in itertools.pairwise(bounds)):
        return False
    counts = np.array([row[2] for row in buckets])
    if not _whole(counts) or (np.diff(counts, axis=0) < 0).any():
        return False
    total, count = rest.get("_sum", rest.get("_gsum")), rest.get("_count", rest.get("_gcount"))
    if total is None or count is None or len(rest) + len(buckets) != len(members):
        return total is None and count is None and not rest
    return bounds[0] >= 0 and _counter_like(total) and bool((count == counts[-1]).all())


_RULES: Final[Mapping[MetricType, Callable[[Sequence[Series], str], bool]]] = {
    MetricType.COUNTER: _is_counter,
    MetricType.INFO: _is_info,
    MetricType.STATESET: _is_stateset,
    MetricType.SUMMARY: _is_summary,
    MetricType.HISTOGRAM: _is_histogram,
    MetricType.GAUGEHISTOGRAM: _is_histogram,
}
"""What a group of each type must keep; gauges and unknowns may be anything."""
