"""Aggregations: series grouped by labels, each group one value a step."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from workbench.engine.choose import CHOOSE
from workbench.engine.context import Query
from workbench.engine.groups import Groups, grouped
from workbench.engine.kernels.ranks import quantile_of_sorted
from workbench.engine.labels import NAME
from workbench.engine.native.groups import OF_FLOATS, floats_of, with_histograms
from workbench.engine.summation import add_compensated
from workbench.engine.values import Grid, Value, Vector, key_of
from workbench.errors import NotSupportedError, QueryError
from workbench.frame import Bools
from workbench.samples import Floats, Ints, Labels

__all__ = ["aggregate", "warn_of_quantile"]


Reduce = Callable[[Vector, Groups], Floats]
"""One value a group and step, shape (groups, steps), from the members that are present."""


def _count(vector: Vector, groups: Groups) -> Floats:
    return _counts(vector, groups).astype(np.float64)


def _counts(vector: Vector, groups: Groups) -> Ints:
    if vector.present.all():
        sizes = np.diff(groups.starts)[:, None]
        return np.broadcast_to(sizes, (len(groups), vector.present.shape[1]))
    # Most steps have every series: only the others are counted member by member.
    full: Bools = np.asarray(vector.present.all(axis=0))
    result = np.repeat(np.diff(groups.starts)[:, None], len(full), axis=1)
    gaps = np.flatnonzero(~full)
    ordered = vector.present[:, gaps][groups.order]
    result[:, gaps] = np.add.reduceat(ordered, groups.starts[:-1], axis=0, dtype=np.int64)
    return result


def _sum(vector: Vector, groups: Groups) -> Floats:
    sums, carry = _sum_with_carry(vector, groups)
    return np.where(np.isfinite(sums), sums + carry, sums)


def _sum_with_carry(vector: Vector, groups: Groups) -> tuple[Floats, Floats]:
    shape = (len(groups), vector.values.shape[1])
    sums, carry = np.zeros(shape), np.zeros(shape)
    for chosen, rows in groups.walk():
        increment, there = vector.values[rows], vector.present[rows]
        if not there.all():
            increment[~there] = 0.0
        total, lost = sums[chosen], carry[chosen]
        add_compensated(total, lost, increment)
        sums[chosen], carry[chosen] = total, lost
    return sums, carry


def _average(vector: Vector, groups: Groups) -> Floats:
    counts = np.maximum(_counts(vector, groups), 1)
    result = _sum(vector, groups) / counts
    overflown = np.isinf(result)
    if overflown.any():
        running = _running_mean(vector, groups)
        result[overflown] = running[overflown]
    return result


def _running_mean(vector: Vector, groups: Groups) -> Floats:
    """The mean where the plain sum overflows: each value is taken by its share."""
    shape = (len(groups), vector.values.shape[1])
    mean, carry, seen = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for chosen, rows in groups.walk():
        there = vector.present[rows]
        n = seen[chosen] + 1
        total, lost = mean[chosen] * ((n - 1) / n), carry[chosen] * ((n - 1) / n)
        add_compensated(total, lost, vector.values[rows] / n)
        mean[chosen] = np.where(there, total, mean[chosen])
        carry[chosen] = np.where(there, lost, carry[chosen])
        seen[chosen] += there
    return np.where(np.isfinite(mean), mean + carry, mean)


def _variance(vector: Vector, groups: Groups) -> Floats:
    """The population variance by Welford's recurrence."""
    shape = (len(groups), vector.values.shape[1])
    mean, square, seen = np.zeros(shape), np.zeros(shape), np.zeros(shape)
    for chosen, rows in groups.walk():
        there, values = vector.present[rows], vector.values[rows]
        distance = values - mean[chosen]
        moved = mean[chosen] + distance / (seen[chosen] + 1)
        square[chosen] += np.where(there, distance * (values - moved), 0.0)
        mean[chosen] = np.where(there, moved, mean[chosen])
        seen[chosen] += there
    return square / np.maximum(seen, 1)


def _deviation(vector: Vector, groups: Groups) -> Floats:
    return np.sqrt(_variance(vector, groups))


def _extreme(choose: np.ufunc) -> Reduce:
    def reduce(vector: Vector, groups: Groups) -> Floats:
        values = np.where(vector.present, vector.values, np.nan)[groups.order]
        result: Floats = choose.reduceat(values, groups.starts[:-1], axis=0)
        return result

    return reduce


def _one(vector: Vector, groups: Groups) -> Floats:
    return np.ones((len(groups), vector.values.shape[1]))


_REDUCE: Final[dict[str, Reduce]] = {
    "sum": _sum,
    "avg": _average,
    "count": _count,
    "min": _extreme(np.fmin),
    "max": _extreme(np.fmax),
    "group": _one,
    "stddev": _deviation,
    "stdvar": _variance,
}


def aggregate(
    query: Query, node: Any, grid: Grid, evaluate: Callable[[Any, Grid], Value]
) -> Vector:
    """Evaluate an aggregation.

    Raises
    ------
    QueryError
        A parameter is invalid, or two results have one label set.
    NotSupportedError
        An aggregation that is not there yet.
    """
    op = node.op
    vector = evaluate(node.expr, grid)
    assert isinstance(vector, Vector)
    parameter = evaluate(node.param, grid) if node.param is not None else None
    if op in OF_FLOATS:
        vector = floats_of(vector, op, query.notes)
    if op in CHOOSE:
        if not isinstance(parameter, np.ndarray):  # unchecked by the parser for limitk, limit_ratio
            msg = f"expected type scalar in aggregation expression {op}, got another"
            raise QueryError(msg, "give a number, or wrap a single series in scalar()")
        return CHOOSE[op](query, vector, grouped(vector, node), parameter)
    if not len(vector):
        return Vector.empty(len(grid))
    groups = grouped(vector, node)
    query.meter.hold(len(groups), len(grid))
    if op == "count_values":
        assert isinstance(parameter, str)
        return _count_values(vector, groups, parameter)
    if op == "quantile":
        assert isinstance(parameter, np.ndarray)
        warn_of_quantile(query, parameter)
        values = _quantile(vector, groups, parameter)
    elif op in ("sum", "avg") and vector.histograms is not None:
        floats = vector.only_floats()
        values = _REDUCE[op](floats, groups)
        part = Vector(groups.labels, values, _counts(floats, groups) > 0, groups.drop_name)
        return with_histograms(part, vector, groups, query.notes, mean=op == "avg")
    elif op in _REDUCE:
        values = _REDUCE[op](vector, groups)
    else:
        msg = f"not supported: the aggregation {op}"
        raise NotSupportedError(msg, "ask a Prometheus server, or write it without")
    present = _counts(vector, groups) > 0
    return Vector(groups.labels, values, present, groups.drop_name)


def warn_of_quantile(query: Query, q: Floats) -> None:
    """Say so where a quantile is no number between 0 and 1."""
    for value in np.unique(q[~((q >= 0) & (q <= 1))]).tolist():
        shown = "NaN" if value != value else f"{value:g}".replace("inf", "Inf")  # noqa: PLR0124 - NaN differs from itself
        query.notes.warn(f"quantile value should be between 0 and 1, got {shown}")


def _quantile(vector: Vector, groups: Groups, q: Floats) -> Floats:
    result = np.empty((len(groups), vector.values.shape[1]))
    for code, rows in enumerate(groups.members()):
        there = vector.present[rows]
        columns = np.sort(np.where(there, vector.values[rows], np.nan), axis=0).T
        result[code] = quantile_of_sorted(columns, there.sum(axis=0), q)
    return result


def _count_values(vector: Vector, groups: Groups, label: str) -> Vector:
    """How many members have each value; the value becomes a label."""
    if not label:
        msg = f"invalid label name {label!r}"
        raise QueryError(msg, 'name a label, such as "version"')
    labels: list[Labels] = []
    counts: list[Floats] = []
    drop: list[bool] = []
    places: dict[tuple[tuple[str, str], ...], int] = {}
    for code, rows in enumerate(groups.members()):
        there, values = vector.floats[rows], vector.values[rows]
        hits = {
            _plain(value.item()): there & ((values == value) | (np.isnan(values) & np.isnan(value)))
            for value in np.unique(values[there])
        }
        hits |= _native_hits(vector, rows)
        for shown, hit in hits.items():
            named = {**groups.labels[code], label: shown}
            # Groups that differ only in the label that is overwritten become one.
            place = places.setdefault(key_of(named), len(places))
            if place == len(labels):
                labels.append(named)
                counts.append(np.zeros(hit.shape[1]))
                drop.append(bool(groups.drop_name[code]) and label != NAME)
            counts[place] += hit.sum(axis=0)
    table = np.array(counts).reshape(len(counts), vector.values.shape[1])
    return Vector(labels, table, table > 0, np.array(drop, bool))


def _native_hits(vector: Vector, rows: Ints) -> dict[str, Bools]:
    """Where each histogram that some of the series have stands, by its text."""
    if vector.histograms is None:
        return {}
    hits: dict[str, Bools] = {}
    histograms = vector.histograms[rows]
    for cell in map(tuple, np.argwhere(vector.native[rows]).tolist()):
        mask = hits.setdefault(str(histograms[cell]), np.zeros(histograms.shape, bool))
        mask[cell] = True
    return hits


def _plain(value: float) -> str:
    """A value as a label: never with an exponent."""
    if not np.isfinite(value):
        return "NaN" if np.isnan(value) else ("+Inf" if value > 0 else "-Inf")
    return np.format_float_positional(value, trim="-")
