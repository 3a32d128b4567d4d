"""Whether an expression counts events or tells how many there are per second.

People write the same indicator with ``increase`` and with ``rate``. Only the first gives numbers of
events, which a budget is made of; the second has to be multiplied by the seconds of its window.
"""

from __future__ import annotations

from typing import Final

from workbench.promql import tree

__all__ = ["has_no_labels", "per_second"]

_PER_SECOND: Final = frozenset({"rate"})
_OF_SAMPLES: Final = frozenset({"irate", "idelta", "deriv", "predict_linear"})
"""Functions that look at a few samples or at a slope: nothing that counts a window's events."""
_COUNTS: Final = frozenset(
    {"increase", "delta", "changes", "resets", "count_over_time", "histogram_fraction"}
)
_SETS: Final = frozenset({"or", "and", "unless"})
_LABELLING: Final = frozenset({"label_replace", "label_join", "absent", "absent_over_time", "info"})


def per_second(node: tree.Expr) -> bool:
    """Whether an expression is a rate, by following units from its selectors to its value.

    Parameters
    ----------
    node
        The syntax tree.

    Returns
    -------
    bool
        False for a number of events.

    Raises
    ------
    ValueError
        It is neither: rates are added to counts, multiplied with each other or summed over time, or
        a function looks at a few samples only.

    Examples
    --------
    >>> from workbench.promql import parse
    >>> per_second(parse("sum(rate(a[5m])) - sum(rate(b[5m]))")), per_second(parse("increase(a[5m])"))
    (True, False)
    """
    power = _power(node) or 0
    if power not in (0, 1):
        msg = "it is no number of events and no rate, for rates are multiplied or divided in it"
        raise ValueError(msg)
    return power == 1


def _power(node: tree.Expr) -> int | None:  # noqa: PLR0911 - one a kind of node
    """How often "per second" stands in the unit; None for a plain number, which fits any."""
    match node:
        case tree.NumberLiteral() | tree.StringLiteral():
            return None
        case tree.ParenExpr(inner) | tree.UnaryExpr(inner):
            return _power(inner)
        case tree.AggregateExpr():
            return 0 if node.op in ("count", "count_values", "group") else _power(node.expr)
        case tree.BinaryExpr():
            return _of_operation(node)
        case tree.Call():
            return _of_call(node)
        case tree.SubqueryExpr():
            return _power(node.expr)
        case _:
            return 0


def _of_operation(node: tree.BinaryExpr) -> int | None:
    left, right = _power(node.lhs), _power(node.rhs)
    if node.op in ("*", "/"):
        if left is None and right is None:
            return None
        return (left or 0) + (right or 0) * (1 if node.op == "*" else -1)
    if node.op in ("+", "-", "or"):
        if None not in (left, right) and left != right:
            msg = f"counts and rates stand on the two sides of {node.op!r}"
            raise ValueError(msg)
        return right if left is None else left
    if node.op in _SETS or not node.return_bool:
        return left
    return 0


def _of_call(node: tree.Call) -> int | None:
    if node.name in _OF_SAMPLES:
        msg = f"{node.name}() does not count what happened in its window; write increase()"
        raise ValueError(msg)
    if node.name in _PER_SECOND:
        return 1
    if node.name in _COUNTS:
        return 0
    powers = [p for p in map(_power, node.args) if p is not None]
    if node.name == "sum_over_time" and any(powers):
        msg = "sum_over_time() adds up rates; write increase(), or avg_over_time() of the rate"
        raise ValueError(msg)
    return powers[0] if powers else None


def has_no_labels(node: tree.Expr) -> bool:  # noqa: PLR0911 - one a kind of node
    """Whether an expression surely gives one series without labels, or a number.

    Examples
    --------
    >>> from workbench.promql import parse
    >>> has_no_labels(parse("1 - sum(a) / sum(b)")), has_no_labels(parse("a / b"))
    (True, False)
    """
    match node:
        case tree.NumberLiteral():
            return True
        case tree.ParenExpr(inner) | tree.UnaryExpr(inner) | tree.SubqueryExpr(inner):
            return has_no_labels(inner)
        case tree.AggregateExpr():
            return not node.labels and not node.without and node.op in _TO_ONE
        case tree.BinaryExpr():
            return has_no_labels(node.lhs) and has_no_labels(node.rhs)
        case tree.Call():
            if node.kind == "scalar" or node.name == "vector":
                return True
            return node.name not in _LABELLING and all(map(has_no_labels, node.args))
        case _:
            return False


_TO_ONE: Final = frozenset(
    {"sum", "avg", "min", "max", "count", "group", "stddev", "stdvar", "quantile"}
)
