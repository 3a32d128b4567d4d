"""What is counted of families, labels and pairs of labels: plain figures."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from workbench.cardinality.shapes import ValueShapes

__all__ = [
    "FamilyCount",
    "LabelCount",
    "LabelGroup",
    "LabelOfFamily",
    "LabelPair",
    "MemberCount",
    "ValueCount",
]

NEAR_CONSTANT: Final = 0.95
"""A label is nearly constant where one value stands on at least this share of its series."""


@dataclass(frozen=True, slots=True)
class ValueCount:
    """A label's value, masked where it is personal or secret, and how many series have it."""

    value: str
    series: int


@dataclass(frozen=True, slots=True)
class MemberCount:
    """One ``__name__`` of a family, and how many series it has."""

    name: str
    series: int


@dataclass(frozen=True, slots=True)
class LabelOfFamily:
    """A label of one family.

    Parameters
    ----------
    name
        The label.
    values
        Distinct values.
    series
        Series that carry it.
    saved
        Series fewer without it, exactly; None where the source only counts. Where it is more than
        0, series collide without the label: they must be aggregated, not just relabelled.
    """

    name: str
    values: int
    series: int | None = None
    saved: int | None = None


@dataclass(frozen=True, slots=True)
class LabelPair:
    """Two labels of one family: how far they depend on each other.

    Parameters
    ----------
    family, one, other
        Where they stand; `one` has at least as many values.
    joint
        Combinations that occur, on children that have both.
    product
        Combinations that could.
    """

    family: str
    one: str
    other: str
    joint: int
    product: int
    determined: bool
    """Whether each value of `one` stands with a single value of `other`, as a pod's does with its
    node: `other` then adds no series."""

    @property
    def saturation(self) -> float:
        """The share of the possible combinations that occur: 1 where they are independent."""
        return self.joint / self.product if self.product else 0.0


@dataclass(frozen=True, slots=True)
class LabelGroup:
    """Labels of one family that stand one to one, as a pod, its address and its node may.

    Each of them alone saves nothing, since the others still tell the series apart.

    Parameters
    ----------
    labels
        Their names.
    values
        How many values each has.
    saved
        Series fewer without all of them, exactly.
    """

    labels: tuple[str, ...]
    values: int
    saved: int


@dataclass(frozen=True, slots=True)
class FamilyCount:
    """A metric as people mean it: a histogram's buckets, sum and count together.

    Parameters
    ----------
    name, type
        As declared.
    series, share
        Of all its members; their part of all series.
    children
        Distinct label sets without ``le`` or ``quantile``; None where the source only counts.
    members
        Each ``__name__``.
    labels
        The labels, those that save the most first.
    groups
        Labels that only save something together, those that save the most first.
    buckets
        The fewest and the most buckets that a child of a classic histogram has, ``+Inf`` among
        them; None for other families.
    native
        How many series are native histograms.
    """

    name: str
    type: str
    series: int
    share: float
    children: int | None
    members: tuple[MemberCount, ...]
    labels: tuple[LabelOfFamily, ...]
    groups: tuple[LabelGroup, ...] = ()
    buckets: tuple[int, int] | None = None
    native: int = 0


@dataclass(frozen=True, slots=True)
class LabelCount:
    """A label over all metrics.

    Parameters
    ----------
    name
        The label.
    values
        Distinct values over all metrics; where a source only counts, of the metric with the most.
    series, metrics
        How many carry it; `series` is None where a source only counts.
    saved
        Series fewer where every metric loses it, exactly; None where a source only counts.
    shapes
        What its values look like.
    top
        The values with the most series.
    top_share
        The part of the series that carry it which have the most frequent value.
    """

    name: str
    values: int
    series: int | None
    metrics: int
    saved: int | None
    shapes: ValueShapes
    top: tuple[ValueCount, ...]
    top_share: float = 0.0

    @property
    def constant(self) -> bool:
        """Whether it has a single value."""
        return self.values == 1

    @property
    def nearly_constant(self) -> bool:
        """Whether one of several values stands on nearly all of its series."""
        return self.values > 1 and self.top_share >= NEAR_CONSTANT
