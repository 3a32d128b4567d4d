"""Aggregations that choose among their series instead of combining them: topk, limitk and kin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np

from workbench.engine.context import Query
from workbench.engine.groups import Groups
from workbench.engine.hashing import label_hash
from workbench.engine.values import Vector
from workbench.errors import QueryError
from workbench.frame import Bools
from workbench.samples import Floats, Ints

__all__ = ["CHOOSE"]

Choose = Callable[[Query, Vector, Groups, Floats], Vector]


def _refuse_nan(parameter: Floats, what: str) -> None:
    if np.isnan(parameter).any():
        msg = f"{what} value is NaN"
        raise QueryError(msg, "give a number")


def _kept(vector: Vector, mask: Bools) -> Vector:
    return vector.masked(mask)


def _extremes(sign: float) -> Choose:
    def choose(query: Query, vector: Vector, groups: Groups, k: Floats) -> Vector:
        _refuse_nan(k, "Parameter")
        mask = np.zeros_like(vector.present)
        order: list[Ints] = []
        for rows in groups.members():
            there = vector.present[rows]
            values = sign * vector.values[rows]
            if not query.instant and len(np.unique(k)) == 1:
                mask[rows] = _least(values, there, k)
                continue
            # NaN goes behind all numbers, absent behind NaN; equals keep their order.
            ranking = np.lexsort((values, np.isnan(values), ~there), axis=0)
            rank = np.empty_like(ranking)
            np.put_along_axis(rank, ranking, np.arange(len(rows))[:, None], axis=0)
            mask[rows] = there & (rank < np.floor(k))
            order.append(rows[ranking[:, 0]] if ranking.shape[1] else rows)
        result = _kept(vector, mask)
        return result.take(np.concatenate(order)) if query.instant and order else result

    return choose


def _least(values: Floats, there: Bools, k: Floats) -> Bools:
    """Which are the k least at each step, the first of equals, when k is the same at all steps.

    Finding the k-th value is much cheaper than an order of all; NaN counts as more than infinity,
    so that steps which have any are ordered after all.
    """
    size = int(np.clip(np.floor(k[0]), 0, len(values)))
    if size in (0, len(values)):
        return there if size else np.zeros_like(there)
    plain: Bools = np.asarray((there & ~np.isnan(values)).all(axis=0))
    chosen = np.zeros_like(there)
    ordered = values[:, plain]
    last = np.partition(ordered, size - 1, axis=0)[size - 1]
    less, equal = ordered < last, ordered == last
    first_equal = np.cumsum(equal, axis=0, dtype=np.int32) <= size - less.sum(axis=0)
    chosen[:, plain] = less | (equal & first_equal)
    odd = np.flatnonzero(~plain)
    ranking = np.lexsort((values[:, odd], np.isnan(values[:, odd]), ~there[:, odd]), axis=0)
    chosen[ranking[:size], odd] = True
    return chosen & there


def _limitk(_query: Query, vector: Vector, groups: Groups, k: Floats) -> Vector:
    """The first k series of each group at each step."""
    _refuse_nan(k, "Parameter")
    mask = np.zeros_like(vector.present)
    for rows in groups.members():
        there = vector.present[rows]
        mask[rows] = there & (np.cumsum(there, axis=0) <= np.floor(k))
    return _kept(vector, mask)


def _limit_ratio(query: Query, vector: Vector, _groups: Groups, ratio: Floats) -> Vector:
    """A share of the series, chosen by the hash of their labels, as Prometheus chooses it.

    A negative ratio chooses the complement, so that ``limit_ratio(0.2, v)`` and
    ``limit_ratio(-0.8, v)`` together give every series once.
    """
    _refuse_nan(ratio, "Ratio")
    for value in np.unique(ratio[np.abs(ratio) > 1]).tolist():
        query.notes.warn(
            f"ratio value should be between -1 and 1, got {value:g}, "
            f"capping to {1 if value > 0 else -1}"
        )
    limit = np.clip(ratio, -1, 1)
    place = np.array([label_hash(each) / 2.0**64 for each in vector.labels])[:, None]
    chosen = np.where(limit >= 0, place < limit, place >= 1.0 + limit)
    return _kept(vector, vector.present & chosen)


CHOOSE: Final[dict[str, Choose]] = {
    "topk": _extremes(-1.0),
    "bottomk": _extremes(1.0),
    "limitk": _limitk,
    "limit_ratio": _limit_ratio,
}
"""The aggregations that return some of their series, by name."""
