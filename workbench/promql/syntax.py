"""The parts of PromQL's syntax around its operators: how tightly they bind, groups, durations."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from workbench.errors import InputError
from workbench.promql.quote import quote_label
from workbench.promql.tokens import has_comment
from workbench.promql.tree import BinaryExpr, Expr, UnaryExpr
from workbench.units import Duration, format_duration, parse_duration

__all__ = [
    "ATOM",
    "LEVELS",
    "UNARY",
    "Labels",
    "Operand",
    "binding",
    "duration",
    "grouping",
    "matching",
]

Operand = str | int | float
"""One side of an operator: PromQL, or a number."""

Labels = str | Iterable[str]
"""One label name or several."""

_GROUPS: Final = (
    ("or",),
    ("and", "unless"),
    ("==", "!=", "<", "<=", ">", ">=", "</", ">/"),
    ("+", "-"),
    ("*", "/", "%", "atan2"),
)
LEVELS: Final = {op: level for level, group in enumerate(_GROUPS) for op in group} | {"^": 6}
"""How tightly each binary operator binds; greater is tighter."""

UNARY: Final = 5
"""The level of a sign: looser than ``^``, tighter than all else."""

ATOM: Final = 7
"""The level of whatever no operator can tear apart."""

_COMPARISONS: Final = _GROUPS[2][:-2]


def binding(node: Expr, text: str) -> int:
    """How tightly a text binds, given its tree: the level of its outermost operator."""
    if has_comment(text):  # what follows would be part of it: always put parentheses
        return -1
    if isinstance(node, BinaryExpr):
        return LEVELS[node.op]
    if isinstance(node, UnaryExpr) or text.lstrip()[:1] in ("-", "+"):
        return UNARY
    return ATOM


def duration(value: Duration) -> str:
    """Write a duration that must be above 0.

    Raises
    ------
    InputError
        The value is no duration, or is 0.
    """
    milliseconds = parse_duration(value)
    if not milliseconds:
        msg = f"the duration {value!r} is 0"
        raise InputError(msg, "give one above 0, such as 5m")
    return format_duration(milliseconds)


def grouping(*, by: Labels | None, without: Labels | None) -> str:
    """Write the ``by`` or ``without`` of an aggregation, with a space before it.

    Examples
    --------
    >>> grouping(by=["job", "k8s.pod"], without=None)
    ' by (job, "k8s.pod")'
    """
    if by is not None and without is not None:
        msg = f"both by ({by!r}) and without ({without!r}) are given"
        raise InputError(msg, "give one of them")
    if without is not None:
        return f" without ({_names(without)})"
    names = () if by is None else _names(by)
    return f" by ({names})" if names else ""


def _names(labels: Labels) -> str:
    return ", ".join(map(quote_label, [labels] if isinstance(labels, str) else labels))


def matching(
    op: str,
    on: Labels | None,
    ignoring: Labels | None,
    left: Labels | None,
    right: Labels | None,
    *,
    as_bool: bool,
) -> str:
    """What stands between an operator and its right side."""
    if op not in LEVELS:
        msg = f"{op!r} is not an operator of PromQL"
        raise InputError(msg, f"use one of {' '.join(LEVELS)}")
    if as_bool and op not in _COMPARISONS:
        msg = f"as_bool is given for {op}, which does not compare"
        raise InputError(msg, f"leave it out, or use one of {' '.join(_COMPARISONS)}")
    for names, given in (
        ("on and ignoring", (on, ignoring)),
        ("group_left and group_right", (left, right)),
    ):
        if None not in given:
            msg = f"both {names} are given"
            raise InputError(msg, "give one of them")
    words = (("on", on), ("ignoring", ignoring), ("group_left", left), ("group_right", right))
    text = "".join(f" {word} ({_names(labels)})" for word, labels in words if labels is not None)
    return f"{' bool' if as_bool else ''}{text}"
