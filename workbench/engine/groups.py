"""Series sorted into groups by their labels, as aggregations need them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from workbench.engine.labels import grouping
from workbench.engine.values import Vector, key_of
from workbench.frame import Bools
from workbench.promql import tree
from workbench.samples import Ints, Labels

__all__ = ["Groups", "grouped"]


@dataclass(slots=True)
class Groups:
    """Series sorted into groups.

    Parameters
    ----------
    labels
        One label set a group, in order of appearance.
    drop_name
        bool, shape (groups,): any member's name is to be dropped.
    order
        int64, shape (series,): the series, group after group.
    starts
        int64, shape (groups + 1,): group `g` is ``order[starts[g]:starts[g + 1]]``.
    """

    labels: list[Labels]
    drop_name: Bools
    order: Ints
    starts: Ints

    def __len__(self) -> int:
        return len(self.labels)

    def members(self) -> Iterator[Ints]:
        """The series of each group."""
        for start, stop in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield self.order[start:stop]

    def walk(self) -> Iterator[tuple[Ints, Ints]]:
        """First members of all groups, second members of those that have one, and so on."""
        sizes = np.diff(self.starts)
        for k in range(int(sizes.max(initial=0))):
            groups = np.flatnonzero(sizes > k)
            yield groups, self.order[self.starts[groups] + k]


def grouped(vector: Vector, node: tree.AggregateExpr) -> Groups:
    """Sort series into groups by a ``by`` or ``without`` clause; all in one without it."""
    kept = grouping(node.labels, without=node.without)
    known: dict[Any, int] = {}
    labels: list[Labels] = []
    codes = np.empty(len(vector), np.int64)
    for row, each in enumerate(vector.labels):
        mine = kept(each)
        code = known.setdefault(key_of(mine), len(known))
        if code == len(labels):
            labels.append(mine)
        codes[row] = code
    order = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[order], np.arange(len(labels) + 1)).astype(np.int64)
    drop = np.zeros(len(labels), bool)
    np.logical_or.at(drop, codes, vector.drop_name)
    return Groups(labels, drop, order, starts)
