"""The rules applied to all series of an inventory at once: what is left, and what becomes equal."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from workbench.inventory import Inventory, ObservedMetric
from workbench.relabelling.collisions import Collision, Piece, merge
from workbench.relabelling.columns import Columns
from workbench.relabelling.one_series import relabel
from workbench.relabelling.outcomes import kept, mapped_names, removed_names, written
from workbench.relabelling.rule import Action, RelabelRule

__all__ = ["MetricChange", "Relabelled", "relabel_tables"]


@dataclass(frozen=True, slots=True)
class MetricChange:
    """What the rules do to the series of one ``__name__``.

    Parameters
    ----------
    name
        As it was before.
    before
        Series before.
    dropped
        Series that a rule drops, or that lose all their labels.
    merged
        Series lost since they become equal to another one.
    refused
        Series left without a name (or with a label without one): Prometheus refuses a scrape that
        has one.
    """

    name: str
    before: int
    dropped: int = 0
    merged: int = 0
    refused: int = 0

    @property
    def after(self) -> int:
        """Series left."""
        return self.before - self.dropped - self.merged - self.refused


@dataclass(frozen=True, slots=True)
class Relabelled:
    """What rules do to an inventory.

    Parameters
    ----------
    changes
        By metric, in the order of their names; also those that stay as they are.
    metrics
        What is exposed after the rules, by ``__name__``.
    collisions
        The first of the series that several become, with examples.
    collision_count
        How many such series there are.
    unjudged
        Metrics of which only a number is known, and on which the rules ask for labels: they stay
        as they are here.
    """

    changes: tuple[MetricChange, ...]
    metrics: Mapping[str, ObservedMetric]
    collisions: tuple[Collision, ...] = ()
    collision_count: int = 0
    unjudged: tuple[str, ...] = ()

    @property
    def before(self) -> int:
        """Series before."""
        return sum(change.before for change in self.changes)

    @property
    def after(self) -> int:
        """Series after: the distinct ones."""
        return sum(change.after for change in self.changes)

    @property
    def dropped(self) -> int:
        """Series that a rule drops."""
        return sum(change.dropped for change in self.changes)

    @property
    def merged(self) -> int:
        """Series lost since they become equal to another one."""
        return sum(change.merged for change in self.changes)

    @property
    def refused(self) -> int:
        """Series for which Prometheus would refuse the whole scrape."""
        return sum(change.refused for change in self.changes)

    @property
    def safe(self) -> bool:
        """Whether no series loses its samples to another one, or the scrape to a lost name."""
        return not self.merged and not self.refused


def relabel_tables(
    metrics: Inventory | Iterable[ObservedMetric], rules: Sequence[RelabelRule]
) -> Relabelled:
    """Apply rules to every series of an inventory.

    Parameters
    ----------
    metrics
        An inventory, or its metrics, each name once. Labels that a server adds to a scrape
        (``job``, ``instance``) must be there already if the rules read them.
    rules
        In their order.

    Notes
    -----
    Each distinct value, or combination of values, is judged once. Only where a ``labelmap`` rule
    copies two labels of a metric to the same name, series by series.

    Examples
    --------
    >>> from workbench.inventory import LabelTable
    >>> table = LabelTable.of([{"path": "/a"}, {"path": "/b"}])
    >>> result = relabel_tables([ObservedMetric("hits_total", "hits_total", 2, table=table)],
    ...                         [RelabelRule(Action.LABELDROP, regex="path")])
    >>> result.before, result.after, result.merged, result.collisions[0].examples
    (2, 1, 1, ({'__name__': 'hits_total', 'path': '/a'}, {'__name__': 'hits_total', 'path': '/b'}))
    """
    observed = metrics.metrics.values() if isinstance(metrics, Inventory) else metrics
    work = _Work(tuple(rules))
    for metric in sorted(observed, key=lambda m: m.name):
        work.take(metric)
    return work.finish()


@dataclass(slots=True)
class _Work:
    rules: tuple[RelabelRule, ...]
    changes: dict[str, MetricChange] = field(default_factory=dict)
    pieces: dict[str, list[Piece]] = field(default_factory=lambda: defaultdict(list))
    counted: dict[str, ObservedMetric] = field(default_factory=dict)
    unjudged: list[str] = field(default_factory=list)

    def take(self, metric: ObservedMetric) -> None:
        """Relabel one metric's series, and sort them by the name that they have then."""
        if metric.table is None:
            self.take_counted(metric)
            return
        columns = _relabelled(Columns.of(metric.name, metric.table), self.rules)
        before = metric.table.series
        dropped = before - columns.size
        if columns.altered:
            bare = np.ones(columns.size, bool)
            for column in columns.columns.values():
                bare &= column.codes < 0
            dropped += int(bare.sum())
            columns.keep(~bare)
        refused = columns.size
        for name, part in _by_name(columns):
            refused -= part.size
            self.pieces[name].append(Piece(metric, part))
        self.changes[metric.name] = MetricChange(
            metric.name, before, dropped=dropped, refused=refused
        )

    def take_counted(self, metric: ObservedMetric) -> None:
        """Judge a metric by its name alone, as far as that goes."""
        for rule in self.rules:
            by_name = set(rule.source_labels) <= {"__name__"}
            if not by_name or rule.action not in (Action.KEEP, Action.DROP):
                self.unjudged.append(metric.name)
                break
            source = metric.name if rule.source_labels else ""
            if not kept(rule, [rule.separator.join([source] * len(rule.source_labels))])[0]:
                self.changes[metric.name] = MetricChange(
                    metric.name, metric.series, dropped=metric.series
                )
                return
        self.changes[metric.name] = MetricChange(metric.name, metric.series)
        self.counted[metric.name] = metric

    def finish(self) -> Relabelled:
        """Find the series that are equal now."""
        after = dict(self.counted)
        merged: Counter[str] = Counter()
        collisions: list[Collision] = []
        count = 0
        for name, pieces in self.pieces.items():
            result = merge(name, pieces, most=_MOST_COLLISIONS - len(collisions))
            after[name] = result.metric
            merged.update(result.merged)
            collisions += result.collisions
            count += result.collision_count
        changes = tuple(
            MetricChange(c.name, c.before, c.dropped, merged[c.name], c.refused)
            for c in self.changes.values()
        )
        return Relabelled(
            changes, dict(sorted(after.items())), tuple(collisions), count, tuple(self.unjudged)
        )


_MOST_COLLISIONS = 20


def _by_name(columns: Columns) -> list[tuple[str, Columns]]:
    """Series by the name they have, those without one left out."""
    if columns.columns.get(""):
        columns.keep(columns.columns[""].codes < 0)
    names = columns.columns.get("__name__")
    if names is None or not columns.size:
        return []
    present = np.unique(names.codes)
    if len(present) == 1:
        return [(names.values[present[0]], columns)] if present[0] >= 0 else []
    order = np.argsort(names.codes, kind="stable")
    ends = np.searchsorted(names.codes[order], present, side="right")
    starts = [0, *ends[:-1].tolist()]
    return [
        (names.values[code], columns.taken(order[start:end]))
        for code, start, end in zip(present.tolist(), starts, ends.tolist(), strict=True)
        if code >= 0
    ]


def _relabelled(columns: Columns, rules: Sequence[RelabelRule]) -> Columns:
    first = Columns(columns.size, dict(columns.columns), columns.rows)
    for rule in rules:
        if not columns.size:
            break
        if rule.action is Action.LABELMAP and _ambiguous(rule, columns):
            return _one_by_one(first, rules)
        _apply(rule, columns)
    return columns


def _ambiguous(rule: RelabelRule, columns: Columns) -> bool:
    """Whether a rule copies two labels to one name: which one wins is each series' own history."""
    targets = [t for t in mapped_names(rule, list(columns.columns)) if t is not None]
    return len(set(targets)) < len(targets)


def _one_by_one(columns: Columns, rules: Sequence[RelabelRule]) -> Columns:
    rows: list[Mapping[str, str]] = []
    places: list[int] = []
    for place in range(columns.size):
        left = relabel(columns.labels(place), rules)
        if left is not None:
            rows.append(left)
            places.append(int(columns.rows[place]))
    return Columns.of_rows(rows, np.array(places, np.int64))


def _apply(rule: RelabelRule, columns: Columns) -> None:
    names = list(columns.columns)
    if rule.action in (Action.LABELDROP, Action.LABELKEEP):
        for name in removed_names(rule, names):
            columns.drop(name)
        return
    if rule.action is Action.LABELMAP:
        sources = dict(columns.columns)
        for name, target in zip(names, mapped_names(rule, names), strict=True):
            if target is not None and target != name:
                columns.copy(sources[name], target)
        return
    texts, which = columns.joined(rule.source_labels, rule.separator)
    if rule.action in (Action.KEEP, Action.DROP):
        columns.keep(kept(rule, texts)[which])
    elif rule.action in (Action.KEEPEQUAL, Action.DROPEQUAL):
        targets, target_of = columns.joined((rule.target_label,), "")
        place = {text: i for i, text in enumerate(targets)}
        same = np.array([place.get(text, -1) for text in texts], np.int64)[which] == target_of
        columns.keep(same if rule.action is Action.KEEPEQUAL else ~same)
    else:
        _write(rule, columns, texts, which)


def _write(rule: RelabelRule, columns: Columns, texts: Sequence[str], which: np.ndarray) -> None:
    outcomes = written(rule, texts)
    for target in sorted({outcome[0] for outcome in outcomes if outcome is not None}):
        columns.write(
            target, [o[1] if o is not None and o[0] == target else None for o in outcomes], which
        )
