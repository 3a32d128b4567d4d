"""Binary and unary expressions on scalars and vectors; vectors with vectors are in `matching`."""

from __future__ import annotations

from typing import Any

import numpy as np

from workbench.engine.context import Query
from workbench.engine.matching import Matching, matched, set_operation
from workbench.engine.native.arithmetic import scaled
from workbench.engine.native.operators import TRIMMING, Sides, combined
from workbench.engine.operators import ARITHMETIC, COMPARISON, SETS
from workbench.engine.values import Vector
from workbench.errors import NotSupportedError
from workbench.native import no_histograms
from workbench.samples import Floats

__all__ = ["binary", "negated"]


def negated(value: Vector | Floats) -> Vector | Floats:
    """Turn the sign; ``-`` is the only unary operator that leaves a node in the tree."""
    if not isinstance(value, Vector):
        return -value
    result = value.computed(-value.values)
    if value.histograms is not None:
        result.present, result.histograms = value.present, no_histograms(value.present.shape)
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
    op = node.op
    if op not in ARITHMETIC and op not in COMPARISON and op not in SETS and op not in TRIMMING:
        msg = f"not supported: the operator {op}"
        raise NotSupportedError(msg, "ask a Prometheus server, or write it without")
    as_bool = node.return_bool
    if isinstance(left, Vector) and isinstance(right, Vector):
        matching = Matching.of(node.matching)
        if op in SETS:
            return set_operation(op, left, right, matching)
        return matched(query, op, left, right, matching, as_bool=as_bool)
    if isinstance(left, Vector):
        assert not isinstance(right, Vector)
        sides = Sides((left.values, right), (left.histograms, None), left.present)
        return _with_scalar(query, op, left, sides, as_bool=as_bool)
    if isinstance(right, Vector):
        sides = Sides((left, right.values), (None, right.histograms), right.present)
        return _with_scalar(query, op, right, sides, as_bool=as_bool)
    return _scalars(op, left, right)


def _scalars(op: str, left: Floats, right: Floats) -> Floats:
    if op in ARITHMETIC:
        return ARITHMETIC[op](left, right)
    return COMPARISON[op](left, right).astype(np.float64)


def _with_scalar(query: Query, op: str, vector: Vector, sides: Sides, *, as_bool: bool) -> Vector:
    if op in ARITHMETIC:
        result = vector.computed(ARITHMETIC[op](*sides.values))
    elif op in TRIMMING:
        result = vector.masked(np.zeros(vector.present.shape, bool))
    else:
        holds = COMPARISON[op](*sides.values)
        chosen = vector.masked(vector.floats & holds)
        result = vector.computed(holds.astype(np.float64)) if as_bool else chosen
    return combined(op, sides, result, query.notes, as_bool=as_bool)
