"""How many children one metric will have in one replica: from what was seen, and from the code.

Labels are rarely independent: 40 paths and 5 methods do not make 200 series. So the estimate starts
from the combinations that were seen together and multiplies only by what is new:

- *shared* labels stand in both versions; their combinations are those of either;
- a *new* label multiplies each by the number of its values that stand together with it;
- a *gone* label merges what differed in it alone.

`most` lets only labels with new values combine freely with the rest, and is never above the plain
product of all values. Where code says that a label is not bounded, neither is the metric.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from workbench.cardinality.bounds import SeriesBounds
from workbench.inventory import Bound, DeclaredMetric, LabelTable, LabelValues

__all__ = ["Children", "compare_code", "estimate_children"]


@dataclass(frozen=True, slots=True)
class Children:
    """The sets of label values of one metric in one replica.

    Parameters
    ----------
    bounds
        How many sets there will be.
    seen, product
        Combinations that were seen in either version, and the product of their labels' values:
        how far the labels depend on each other.
    new_labels, gone_labels
        What only the candidate has, and only the baseline.
    new_values
        Shared labels to the values that only the candidate has.
    replaced
        Which share of the baseline's series will not be written again: 0 where all go on.
    by_label
        Label to how many of the expected sets exist because of it.
    reasons
        How the figures came about, a sentence each.
    """

    bounds: SeriesBounds
    seen: int = 0
    product: int | None = None
    new_labels: tuple[str, ...] = ()
    gone_labels: tuple[str, ...] = ()
    new_values: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    replaced: float = 0.0
    by_label: Mapping[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        """Whether labels or values differ from the baseline's."""
        return bool(self.new_labels or self.gone_labels or self.new_values)


def estimate_children(
    candidate: LabelTable | None,
    baseline: LabelTable | None,
    declared: DeclaredMetric | None,
    *,
    coverage: float = 1.0,
) -> Children:
    """Say how many children a metric will have in one replica.

    Parameters
    ----------
    candidate
        What one replica of the new version exposes, without the labels of its target; None where
        only its code is known.
    baseline
        What all replicas of the old version expose together, without the labels of their targets;
        None where the metric is new or only its count is known.
    declared
        What the code of the new version says; at least one of this and `candidate` is given.
    coverage
        Which share of the baseline's sets one replica has on average, in (0, 1].
    """
    if candidate is not None:
        labels = candidate.labels
    elif declared is not None:
        labels = declared.labels
    else:
        msg = "neither text nor code of the candidate is given"
        raise ValueError(msg)
    known = declared.values if declared is not None else {}
    if baseline is not None:
        return _Meeting(candidate, baseline, declared, labels, known, coverage).children()
    if candidate is not None:
        return _from_text(candidate, known)
    return (
        _from_code(declared, known) if declared is not None else Children(SeriesBounds.exactly(0))
    )


def _from_text(candidate: LabelTable, known: Mapping[str, LabelValues]) -> Children:
    """A metric that only the candidate's text shows."""
    product = _product(_size(candidate.distinct(n), known.get(n)) for n in candidate.labels)
    if any(_unbounded(known)):  # also a label that this text does not show yet
        product = None
    return Children(
        SeriesBounds(candidate.series, candidate.series, _at_least(product, candidate.series)),
        seen=candidate.series,
        product=product,
        new_labels=candidate.labels,
        by_label={n: candidate.series - left for n, left in candidate.without_each().items()},
        reasons=tuple(_unbounded(known)),
    )


def _from_code(declared: DeclaredMetric, known: Mapping[str, LabelValues]) -> Children:
    """A metric that only the candidate's code declares."""
    counts = {n: _count(known.get(n)) for n in declared.labels}
    most = declared.most_children
    expected = math.prod(counts.values()) if most is None else most
    return Children(
        SeriesBounds(0 if declared.labels else 1, expected, most),
        product=most,
        new_labels=declared.labels,
        by_label={n: expected - expected // count for n, count in counts.items()},
        reasons=tuple(_unbounded(known)),
    )


def compare_code(new: DeclaredMetric, old: DeclaredMetric) -> Children:
    """Two versions of a declaration, of which no text is known.

    Parameters
    ----------
    new, old
        The declarations.
    """
    known, before = new.values, old.values
    result = _from_code(new, known)
    fresh = tuple(n for n in new.labels if n not in before)
    gone = tuple(n for n in old.labels if n not in known and n not in new.constant_labels)
    added = {
        name: tuple(sorted(set(known[name].values) - set(before[name].values)))
        for name in new.labels
        if name in before
    }
    return replace(
        result,
        new_labels=fresh,
        gone_labels=gone,
        new_values={name: values for name, values in added.items() if values},
        replaced=1.0 if fresh or gone else 0.0,
        by_label={n: c for n, c in result.by_label.items() if n in fresh or added.get(n)},
    )


@dataclass(frozen=True)
class _Meeting:
    """A metric in two versions."""

    candidate: LabelTable | None
    baseline: LabelTable
    declared: DeclaredMetric | None
    labels: tuple[str, ...]
    known: Mapping[str, LabelValues]
    coverage: float

    @cached_property
    def shared(self) -> tuple[str, ...]:
        return tuple(name for name in self.labels if name in self.baseline.labels)

    @cached_property
    def new(self) -> tuple[str, ...]:
        return tuple(name for name in self.labels if name not in self.baseline.labels)

    @cached_property
    def gone(self) -> tuple[str, ...]:
        fixed = self.declared.constant_labels if self.declared and self.candidate is None else {}
        return tuple(n for n in self.baseline.labels if n not in self.labels and n not in fixed)

    @cached_property
    def old(self) -> LabelTable:
        """The baseline's combinations that can still occur, on the shared labels.

        Where code lists all values of a label, others cannot.
        """
        keep = np.ones(self.baseline.series, bool)
        for name in self.shared:
            values = self.known.get(name)
            if (
                values is not None
                and values.count is not None
                and values.count == len(values.values)
            ):
                allowed = [v in values.values for v in self.baseline.values_of(name)]
                # Absent is -1: the last.
                keep &= np.array([*allowed, True], bool)[self.baseline.column(name)]
        return (self.baseline if keep.all() else self.baseline.take(keep)).project(self.shared)

    @cached_property
    def both(self) -> LabelTable:
        """The combinations of either version, on the shared labels."""
        if self.candidate is None:
            return self.old
        return self.old.union(self.candidate.project(self.shared))

    @cached_property
    def added(self) -> dict[str, tuple[str, ...]]:
        """Shared labels to the values that are new, by what was seen or by what code lists."""
        result: dict[str, tuple[str, ...]] = {}
        for name in self.shared:
            values = {*self.both.values_of(name), *_listed(self.known.get(name))}
            if fresh := values - {*self.baseline.values_of(name)}:
                result[name] = tuple(sorted(fresh))
        return result

    @cached_property
    def unseen(self) -> dict[str, int]:
        """Shared labels to how many of their new values no text shows."""
        return {
            name: len(set(values) - {*self.both.values_of(name)})
            for name, values in self.added.items()
        }

    @cached_property
    def sizes(self) -> dict[str, int | None]:
        """The most values each label can have; None where nothing bounds it."""
        shown = {n: self.both.distinct(n) + self.unseen.get(n, 0) for n in self.shared}
        for name in self.new:
            shown[name] = self.candidate.distinct(name) if self.candidate is not None else 0
        return {name: _size(count, self.known.get(name)) for name, count in shown.items()}

    @cached_property
    def factors(self) -> dict[str, float]:
        """New labels to what each multiplies the combinations of the others by."""
        if self.candidate is None:
            return {n: float(_count(self.known.get(n))) for n in self.new}
        whole = self.candidate.series
        return {n: whole / max(1, self.candidate.without([n])) for n in self.new}

    def expected(self) -> float:
        """Combinations of shared labels, times what new labels and values make of them."""
        result = self.both.series * self.coverage
        for name, count in self.unseen.items():
            result *= 1 + count / max(1, self.both.distinct(name))
        if self.candidate is None:
            return result * math.prod(self.factors.values())
        return result * self.candidate.series / max(1, self.candidate.project(self.shared).series)

    def most(self) -> int | None:
        """Labels with something new combine freely with all that was seen of the others."""
        if any(_unbounded(self.known)):
            return None
        free = [n for n in self.labels if n in self.new or n in self.added or not self.sizes[n]]
        fixed = [n for n in self.shared if n not in free]
        product = _product(self.sizes[n] for n in free)
        return None if product is None else product * max(1, self.both.combinations(fixed))

    def by_label(self, expected: int) -> dict[str, int]:
        """How many of the expected sets each label is responsible for; negative where it went."""
        result = {n: round(expected * (1 - 1 / max(1.0, f))) for n, f in self.factors.items()}
        scale = expected / max(1, self.both.series)
        for name, values in self.added.items():
            fresh = [v in values for v in self.both.values_of(name)]
            rows = int(np.array([*fresh, False], bool)[self.both.column(name)].sum())
            unseen = self.unseen[name] / max(1, self.both.distinct(name) + self.unseen[name])
            result[name] = round(rows * scale + expected * unseen)
        for name in self.gone:
            result[name] = self.baseline.without([name]) - self.baseline.series
        return {name: count for name, count in result.items() if count}

    def children(self) -> Children:
        """The estimate."""
        seen = self.both.series
        least = (
            math.floor(seen * self.coverage) if self.candidate is None else self.candidate.series
        )
        expected = max(least, round(self.expected()))
        product = _product(self.sizes.values())
        moved = bool(self.new or self.gone)
        before = self.baseline.project(self.shared).series
        return Children(
            SeriesBounds(least, expected, _at_least(self.most(), expected)),
            seen=seen,
            product=product,
            new_labels=self.new,
            gone_labels=self.gone,
            new_values=self.added,
            replaced=1.0 if moved else 1 - self.old.series / max(1, before),
            by_label=self.by_label(expected),
            reasons=tuple(self.reasons(seen, product)),
        )

    def reasons(self, seen: int, product: int | None) -> Iterable[str]:
        """How the figures came about."""
        yield from _unbounded(self.known)
        if self.new:
            yield f"new labels multiply what was seen: {', '.join(self.new)}"
        if self.gone:
            yield f"series that differed only in {', '.join(self.gone)} become one"
        for name, values in self.added.items():
            yield f"{len(values)} new values of {name}"
        if product and seen < product and not self.new:
            yield f"{seen} of {product} possible combinations were seen together"
        if self.coverage < 1:
            yield f"one replica has {self.coverage:.0%} of the combinations that all have together"


def _listed(values: LabelValues | None) -> tuple[str, ...]:
    return () if values is None else values.values


def _count(values: LabelValues | None) -> int:
    """How many values code tells of: a bound, or at least those that it lists, or one."""
    if values is None:
        return 1
    return values.count if values.count is not None else max(1, len(values.values))


def _size(shown: int, values: LabelValues | None) -> int | None:
    """The most values a label can have, of which `shown` are known; None where nothing bounds it."""
    if values is not None and values.bound is Bound.BOUNDED:
        return max(1, shown, values.count or 0)
    if values is not None and values.bound is Bound.UNBOUNDED:
        return None
    return shown or None


def _product(sizes: Iterable[int | None]) -> int | None:
    result = 1
    for size in sizes:
        if size is None:
            return None
        result *= size
    return result


def _at_least(most: int | None, expected: int) -> int | None:
    return None if most is None else max(most, expected)


def _unbounded(known: Mapping[str, LabelValues]) -> Iterable[str]:
    for name, values in known.items():
        if values.bound is Bound.UNBOUNDED:
            yield f"{name} is not bounded: {values.reason}"
