"""Functions that write labels: label_replace and label_join."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from workbench.engine.context import Call
from workbench.engine.functions.function import Function
from workbench.engine.labels import NAME
from workbench.engine.values import Value, Vector, merged
from workbench.errors import QueryError
from workbench.promql.regex import compile_regex
from workbench.samples import Labels

__all__ = ["RELABEL"]


def _check_name(name: str, function: str) -> None:
    if not name:
        msg = f"invalid destination label name in {function}(): {name!r}"
        raise QueryError(msg, "name a label")


def _with_label(labels: Labels, name: str, value: str) -> Labels:
    rest = {k: v for k, v in labels.items() if k != name}
    return {**rest, name: value} if value else rest


def _replace(call: Call) -> Value:
    vector = call.vector(0)
    target, template, source, pattern = (call.text(i) for i in range(1, 5))
    _check_name(target, "label_replace")
    filled = compile_regex(pattern).expanded([x.get(source, "") for x in vector.labels], template)
    return _relabelled(vector, target, filled)


def _join(call: Call) -> Value:
    vector = call.vector(0)
    target, separator, *sources = (call.text(i) for i in range(1, len(call)))
    _check_name(target, "label_join")
    joined = [separator.join(x.get(s, "") for s in sources) for x in vector.labels]
    return _relabelled(vector, target, joined)


def _relabelled(vector: Vector, target: str, values: list[str] | list[str | None]) -> Vector:
    """Write a label; None leaves a series as it is. A name that is written is no longer dropped."""
    labels = [
        each if value is None else _with_label(each, target, value)
        for each, value in zip(vector.labels, values, strict=True)
    ]
    drop = vector.drop_name.copy()
    if target == NAME:
        drop[[i for i, value in enumerate(values) if value is not None]] = False
    return merged(replace(vector, labels=labels, drop_name=drop))


RELABEL: Final[dict[str, Function]] = {
    "label_join": _join,
    "label_replace": _replace,
}
"""Functions that write labels, by name."""
