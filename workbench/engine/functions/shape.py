"""Functions that change a vector's shape or order: absent, scalar, vector, sort."""

from __future__ import annotations

import re
from typing import Any, Final

import numpy as np

from workbench.engine.context import Call
from workbench.engine.functions.function import Function
from workbench.engine.labels import NAME
from workbench.engine.values import Value, Vector, key_of
from workbench.promql import tree
from workbench.samples import Labels

__all__ = ["SHAPE", "absent_labels"]

_DIGITS: Final = re.compile(r"(\d+)", re.ASCII)


def absent_labels(argument: Any) -> Labels:
    """What is known of a series that is not there: what its selector asks by equality, once."""
    node = tree.unwrapped(argument)
    if isinstance(node, tree.MatrixSelector):
        node = node.vector_selector
    if not isinstance(node, tree.VectorSelector):
        return {}
    labels: dict[str, str] = {}
    seen: set[str] = set()
    for matcher in node.matchers:
        if matcher.name == NAME:
            continue
        if matcher.op == "=" and matcher.name not in seen:
            labels[matcher.name] = matcher.value
        else:
            labels.pop(matcher.name, None)
        seen.add(matcher.name)
    return {k: v for k, v in labels.items() if v}


def _absent(call: Call) -> Value:
    missing = np.logical_not(call.vector(0).present.any(axis=0))
    return Vector.one(absent_labels(call.arguments[0]), np.ones(len(call.grid)), missing)


def _scalar(call: Call) -> Value:
    """The only series' value; NaN where there is none or more than one."""
    vector = call.vector(0)
    alone = vector.floats.sum(axis=0) == 1
    total = np.where(vector.floats, vector.values, 0.0).sum(axis=0)
    return np.where(alone, total, np.nan)


def _vector(call: Call) -> Value:
    return Vector.one({}, call.scalar(0))


def _sorted(call: Call, sign: float) -> Value:
    """By value at an instant, NaN last; over a range the order is the labels' anyway."""
    vector = call.vector(0).only_floats()
    if not call.query.instant:
        call.query.notes.warn(
            "sort is ineffective for range queries since results are always ordered by labels"
        )
        return vector
    values = np.where(vector.present[:, -1], vector.values[:, -1], np.nan)
    return vector.take(np.argsort(sign * values, kind="stable"))


def _sort(call: Call) -> Value:
    return _sorted(call, 1.0)


def _sort_desc(call: Call) -> Value:
    return _sorted(call, -1.0)


def _natural(text: str) -> list[tuple[int, int, str]]:
    """A key by which ``node9`` stands before ``node10``."""
    parts = (part for part in _DIGITS.split(text) if part)
    return [(0, int(p), "") if p.isascii() and p.isdigit() else (1, 0, p) for p in parts]


def _by_label(call: Call, *, descending: bool) -> Value:
    vector = call.vector(0)
    if not call.query.instant:
        call.query.notes.warn(
            "sort is ineffective for range queries since results are always ordered by labels"
        )
        return vector
    names = [call.text(i) for i in range(1, len(call))]
    keys = [([_natural(x.get(n, "")) for n in names], key_of(x)) for x in vector.labels]
    order = sorted(range(len(vector)), key=keys.__getitem__, reverse=descending)
    return vector.take(np.array(order, np.int64))


def _sort_by_label(call: Call) -> Value:
    return _by_label(call, descending=False)


def _sort_by_label_desc(call: Call) -> Value:
    return _by_label(call, descending=True)


SHAPE: Final[dict[str, Function]] = {
    "absent": _absent,
    "scalar": _scalar,
    "sort": _sort,
    "sort_by_label": _sort_by_label,
    "sort_by_label_desc": _sort_by_label_desc,
    "sort_desc": _sort_desc,
    "vector": _vector,
}
"""Functions of a vector's shape, by name."""
