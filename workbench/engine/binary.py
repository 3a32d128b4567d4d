"""Binary and unary expressions on scalars and vectors; vectors with vectors are in `matching`."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.context import Query
from workbench.engine.matching import Matching, matched, set_operation
from workbench.engine.native.arithmetic import scaled
from workbench.engine.native.operators import TRIMMING, combined
from workbench.engine.operators import ARITHMETIC, COMPARISON, SETS
from workbench.engine.values import Vector
from workbench.errors import NotSupportedError
from workbench.samples import Floats

__all__ = ["binary", "negated"]


def negated(value: Vector | Floats) -> Vector | Floats:
    """Turn the sign; ``-`` is the only unary operator that leaves a node in the tree."""
    if not isinstance(value, Vector):
        return -value
    result = value.computed(-value.values)
    if value.histograms is not None:
        result.present, result.histograms = value.present, np.full(value.present.shape, None)
        for cell in map(tuple, np.argwhere(value.native).tolist()):
            result.histograms[cell] = scaled(value.histograms[cell], -1.0)
    return result


def binary(
    query: Query, node: Any, left: Vector | Floats, right: Vector | Floats
) -> Vector | Floats:
    """Evaluate ``left op right``.

    Raises
    ------
    QueryError
        Series match ambiguously.
    NotSupportedError
        An operator that is not there yet.
    """
    op = str(node.op)
    if op not in ARITHMETIC and op not in COMPARISON and op not in SETS and op not in TRIMMING:
        msg = f"not supported: the operator {op}"
        raise NotSupportedError(msg, "ask a Prometheus server, or write it without")
    as_bool = bool(node.modifier and node.modifier.return_bool)
    if isinstance(left, Vector) and isinstance(right, Vector):
        matching = Matching.of(node.modifier)
        if op in SETS:
            return set_operation(op, left, right, matching)
        return matched(query, op, left, right, matching, as_bool=as_bool)
    if isinstance(left, Vector):
        result = _with_scalar(op, left, left.values, right, as_bool=as_bool, keep=left.values)
        if left.histograms is None and op not in TRIMMING:
            return result
        sides = (left.values, left.histograms), (right, None)
        return combined(op, *sides, result, left.present, query.notes, as_bool=as_bool)
    if isinstance(right, Vector):
        result = _with_scalar(op, right, left, right.values, as_bool=as_bool, keep=right.values)
        if right.histograms is None and op not in TRIMMING:
            return result
        sides = (left, None), (right.values, right.histograms)
        return combined(op, *sides, result, right.present, query.notes, as_bool=as_bool)
    return _scalars(op, left, right)


def _scalars(op: str, left: Floats, right: Floats) -> Floats:
    if op in ARITHMETIC:
        return ARITHMETIC[op](left, right)
    return COMPARISON[op](left, right).astype(np.float64)


def _with_scalar(
    op: str, vector: Vector, left: Any, right: Any, *, as_bool: bool, keep: Floats
) -> Vector:
    if op in ARITHMETIC:
        return vector.computed(ARITHMETIC[op](left, right))
    if op in TRIMMING:
        return vector.masked(np.zeros(vector.present.shape, bool))
    holds = COMPARISON[op](left, right)
    if as_bool:
        return vector.computed(holds.astype(np.float64))
    return Vector(vector.labels, keep, vector.floats & holds, vector.drop_name)
