"""What expressions evaluate to inside the engine: vectors and ranges over a grid of steps.

A scalar is a float64 array of shape (steps,), a string is a `str`; the other two kinds are here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from workbench.errors import QueryError
from workbench.frame import Bools
from workbench.native import Histograms, is_native, no_histograms
from workbench.promql.tree import Edge
from workbench.samples import Floats, Ints, Labels, format_labels

__all__ = ["Grid", "Ranges", "Value", "Vector", "key_of", "merged", "stacked"]


@dataclass(frozen=True, slots=True)
class Grid:
    """The moments at which an expression is evaluated.

    Parameters
    ----------
    times_ms
        int64, shape (steps,), ascending; a subquery's need not be evenly spaced.
    start_ms, end_ms, step_ms
        The whole query's, which ``start()``, ``end()`` and ``step()`` mean at any depth.
    """

    times_ms: Ints
    start_ms: int
    end_ms: int
    step_ms: int

    def __len__(self) -> int:
        return len(self.times_ms)

    def at(self, times_ms: Ints) -> Grid:
        """The same query on other moments."""
        return replace(self, times_ms=times_ms)

    def fixed(self, at: Literal["start", "end"] | int) -> int:
        """The moment that an ``@`` means."""
        if at == "start":
            return self.start_ms
        return self.end_ms if at == "end" else at


@dataclass(slots=True)
class Vector:
    """Instant vectors at every step.

    Parameters
    ----------
    labels
        One label set a series.
    values
        float64, shape (series, steps); without meaning where nothing is present.
    present
        bool, shape (series, steps).
    drop_name
        bool, shape (series,): the metric's name goes at the very end, as Prometheus 3 does it,
        so that label functions in between still see it.
    histograms
        Shape (series, steps): the native histogram where there is one, else None; its value is
        NaN. None instead of the array where there are only floats.
    """

    labels: list[Labels]
    values: Floats
    present: Bools
    drop_name: Bools
    histograms: Histograms | None = None

    @classmethod
    def empty(cls, steps: int) -> Vector:
        """A vector without series."""
        return cls([], np.empty((0, steps)), np.zeros((0, steps), bool), np.zeros(0, bool))

    @classmethod
    def one(cls, labels: Labels, values: Floats, present: Bools | None = None) -> Vector:
        """A vector of one series, whose arrays have shape (steps,)."""
        mask = np.ones(values.shape, bool) if present is None else present
        return cls([labels], values[None, :], mask[None, :], np.zeros(1, bool))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def native(self) -> Bools:
        """Where there is a native histogram: bool, shape (series, steps)."""
        if self.histograms is None:
            return np.zeros(self.present.shape, bool)
        return is_native(self.histograms) & self.present

    @property
    def floats(self) -> Bools:
        """Where there is a float: bool, shape (series, steps)."""
        return self.present if self.histograms is None else self.present & ~self.native

    def computed(self, values: Floats, present: Bools | None = None) -> Vector:
        """The same series with new floats, losing their name as every computation does.

        Native histograms are left out: what is computed from `values` is not about them.
        """
        mask = self.floats if present is None else present & self.floats
        return Vector(self.labels, values, mask, np.ones(len(self), bool))

    def histograms_of(self, row: int) -> Histograms | None:
        """The histograms of one series, shape (steps,)."""
        return None if self.histograms is None else self.histograms[row]

    def masked(self, present: Bools) -> Vector:
        """The same samples, but only where `present` says so."""
        return replace(self, present=self.present & present)

    def only_floats(self) -> Vector:
        """The same series without native histograms."""
        return replace(self, present=self.floats, histograms=None)

    def take(self, index: Ints) -> Vector:
        """Some of the series, in the order given."""
        labels = [self.labels[i] for i in index.tolist()]
        native = None if self.histograms is None else self.histograms[index]
        return Vector(
            labels, self.values[index], self.present[index], self.drop_name[index], native
        )

    def spread(self, steps: int) -> Vector:
        """Repeat the only step."""
        shape = (len(self), steps)
        return replace(
            self,
            values=np.broadcast_to(self.values, shape),
            present=np.broadcast_to(self.present, shape),
            histograms=None if self.histograms is None else np.broadcast_to(self.histograms, shape),
        )


@dataclass(slots=True)
class Ranges:
    """Raw samples with, for every step, the window of them that counts.

    Parameters
    ----------
    labels, drop_name
        As in a `Vector`.
    offsets, times_ms, values
        Series `i` owns the rows ``offsets[i]:offsets[i + 1]``.
    ends_ms
        int64, shape (steps,): where each window ends, offset and ``@`` applied.
    span_ms
        The length of the windows, which are open on the left: ``(end - span, end]``.
    fixed
        All windows are the same one (``@``).
    histograms
        Shape (rows,), as in `Samples`.
    edge
        How the windows' edges are treated; other than ``""``, there are samples around them too.
    starts_ms
        Shape (rows,), as in `Samples`.
    """

    labels: list[Labels]
    drop_name: Bools
    offsets: Ints
    times_ms: Ints
    values: Floats
    ends_ms: Ints
    span_ms: int
    fixed: bool = False
    histograms: Histograms | None = None
    edge: Edge = ""
    starts_ms: Ints | None = None

    def __len__(self) -> int:
        return len(self.labels)


Value = Vector | Ranges | Floats | str
"""Anything an expression can be."""


def key_of(labels: Labels) -> tuple[tuple[str, str], ...]:
    """Labels as something that can be a key: sorted pairs."""
    return tuple(sorted(labels.items()))


def merged(vector: Vector) -> Vector:
    """Join series of one label set that are never present at the same step.

    Raises
    ------
    QueryError
        Two of them are present at one step.
    """
    # A series whose name is still to go is another one than a series that keeps that name.
    first: dict[tuple[tuple[tuple[str, str], ...], bool], int] = {}
    group = [
        first.setdefault((key_of(labels), drop and "__name__" in labels), len(first))
        for labels, drop in zip(vector.labels, vector.drop_name.tolist(), strict=True)
    ]
    if len(first) == len(group):
        return vector
    codes = np.array(group)
    steps = vector.present.shape[1]
    values, present = np.full((len(first), steps), np.nan), np.zeros((len(first), steps), bool)
    native = None if vector.histograms is None else no_histograms((len(first), steps))
    drop = np.zeros(len(first), bool)
    for row, code in enumerate(group):
        mask = vector.present[row]
        if (present[code] & mask).any():
            msg = (
                "vector cannot contain metrics with the same labelset, and "
                f"{format_labels(vector.labels[row])} stands twice"
            )
            raise QueryError(msg, "keep the label that tells them apart, or aggregate them first")
        values[code, mask] = vector.values[row, mask]
        if native is not None and vector.histograms is not None:
            native[code, mask] = vector.histograms[row, mask]
        present[code] |= mask
    np.logical_or.at(drop, codes, vector.drop_name)
    rows = np.unique(codes, return_index=True)[1]
    return Vector([vector.labels[i] for i in rows.tolist()], values, present, drop, native)


def stacked(vectors: Sequence[Vector]) -> Vector:
    """The series of several vectors, one after the other."""
    native = None
    if any(each.histograms is not None for each in vectors):
        native = np.concatenate(
            [
                no_histograms(each.present.shape) if each.histograms is None else each.histograms
                for each in vectors
            ]
        )
    return Vector(
        [labels for each in vectors for labels in each.labels],
        np.concatenate([each.values for each in vectors]),
        np.concatenate([each.present for each in vectors]),
        np.concatenate([each.drop_name for each in vectors]),
        native,
    )
