"""The syntax tree of a query as JSON: what `parse_query` gives, for tools that draw or edit it.

The fields are those of Prometheus 3 (its own user interface reads them). Two things that change
no meaning are not kept by the parser below: a plus before an expression, and the order in which
conditions stand between braces.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, Final

from workbench.errors import NotSupportedError, WorkbenchError
from workbench.promql import parse, tree
from workbench.promql.matcher import Matcher
from workbench.serving.exchange import Response, dumps, success
from workbench.serving.failures import translated
from workbench.serving.parameters import Parameters
from workbench.sources.base import Source

__all__ = ["parse_query", "written"]

_SETS: Final = frozenset({"and", "or", "unless"})
_CARDINALITIES: Final = {"": "one-to-one", "left": "many-to-one", "right": "one-to-many"}


def parse_query(source: Source, asked: Parameters) -> Response:  # noqa: ARG001 - as every handler
    """``/api/v1/parse_query``."""
    expression = asked.text("query")
    try:
        return success(written(parse(expression)))
    except WorkbenchError as error:
        raise translated(error, expression) from None


def written(root: tree.Expr) -> bytes:
    """Write a syntax tree as JSON; without recursion, for generated queries nest deeply.

    Parameters
    ----------
    root
        The tree.

    Returns
    -------
    bytes
        One object a node, told apart by ``type``; durations and moments in milliseconds. A
        duration that depends on the query's step or range is 0.

    Raises
    ------
    NotSupportedError
        A selector joins conditions by ``or``, for which the form has no room.

    Examples
    --------
    >>> written(parse("-(2)"))
    b'{"type":"unaryExpr","op":"-","expr":{"type":"parenExpr","expr":{"type":"numberLiteral","val":"2"}}}'
    """
    vectors = _vectors(root)
    pieces: list[bytes] = []
    waiting: list[Any] = [root]
    while waiting:
        one = waiting.pop()
        if isinstance(one, bytes):
            pieces.append(one)
        else:
            waiting += reversed(_object(_fields(one, vectors)))
    return b"".join(pieces)


def _object(fields: Mapping[str, Any]) -> list[Any]:
    """The pieces of a JSON object: bytes, and nodes that are still to be written."""
    pieces: list[Any] = []
    for name, value in fields.items():
        pieces.append(b'%b"%b":' % (b"," if pieces else b"{", name.encode()))
        if isinstance(value, tree.Expr):
            pieces.append(value)
        elif name == "args":
            pieces += _list(value)
        else:
            pieces.append(dumps(value))
    return [*pieces, b"}"]


def _list(nodes: Iterable[tree.Expr]) -> list[Any]:
    pieces: list[Any] = []
    for node in nodes:
        pieces += [b"," if pieces else b"[", node]
    return [*pieces, b"]"] if pieces else [b"[]"]


def _fields(node: tree.Expr, vectors: set[int]) -> dict[str, Any]:  # noqa: C901, PLR0911 - one case a node
    match node:
        case tree.NumberLiteral(value):
            return {"type": "numberLiteral", "val": _number(value)}
        case tree.StringLiteral(text):
            return {"type": "stringLiteral", "val": text}
        case tree.ParenExpr(inner):
            return {"type": "parenExpr", "expr": inner}
        case tree.UnaryExpr(inner):
            return {"type": "unaryExpr", "op": "-", "expr": inner}
        case tree.BinaryExpr():
            return _binary(node, vectors)
        case tree.AggregateExpr():
            return {
                "type": "aggregation",
                "op": node.op,
                "expr": node.expr,
                "param": node.param,
                "grouping": list(node.labels),
                "without": node.without,
            }
        case tree.Call():
            function = {
                "name": node.name,
                "argTypes": list(node.takes),
                "variadic": node.variadic,
                "returnType": node.kind,
            }
            return {"type": "call", "func": function, "args": node.args}
        case tree.SubqueryExpr():
            return {
                "type": "subquery",
                "expr": node.expr,
                "range": node.range_ms,
                "step": node.step_ms or 0,
                **_moment(node),
            }
        case tree.MatrixSelector(selector, range_ms):
            return {"type": "matrixSelector", "range": range_ms, **_selector(selector)}
        case tree.VectorSelector():
            return {"type": "vectorSelector", **_selector(node)}


def _binary(node: tree.BinaryExpr, vectors: set[int]) -> dict[str, Any]:
    both = id(node.lhs) in vectors and id(node.rhs) in vectors
    return {
        "type": "binaryExpr",
        "op": node.op,
        "lhs": node.lhs,
        "rhs": node.rhs,
        "matching": _matching(node.op, node.matching) if both else None,
        "bool": node.return_bool,
    }


def _matching(op: str, said: tree.VectorMatching | None) -> dict[str, Any]:
    """How the sides are matched; said of every two vectors, also where the query is silent."""
    many = said.many if said else ""
    return {
        "card": "many-to-many" if op in _SETS else _CARDINALITIES[many],
        "labels": list(said.labels or ()) if said else [],
        "on": said.on if said else False,
        "include": list(said.include) if said else [],
        "fillValues": {
            "lhs": said.fill_left if said else None,
            "rhs": said.fill_right if said else None,
        },
    }


def _selector(node: tree.VectorSelector) -> dict[str, Any]:
    """The fields of a selector, with or without a range; a name before the braces comes last."""
    if node.alternatives:
        msg = "conditions joined by or have no place in Prometheus' syntax tree"
        raise NotSupportedError(msg, "write one selector for each and join them by the operator or")
    first = 1 if node.named else 0
    conditions = [*node.matchers[first:], *node.matchers[:first]]
    return {
        "name": node.metric if node.named else "",
        "matchers": [_condition(each) for each in conditions],
        **_moment(node),
        "anchored": node.edge == "anchored",
        "smoothed": node.edge == "smoothed",
    }


def _condition(matcher: Matcher) -> dict[str, str]:
    return {"name": matcher.name, "value": matcher.value, "type": matcher.op}


def _moment(node: tree.VectorSelector | tree.SubqueryExpr) -> dict[str, Any]:
    """``offset`` and ``@``."""
    return {
        "offset": node.offset_ms,
        "timestamp": node.at if isinstance(node.at, int) else None,
        "startOrEnd": node.at if isinstance(node.at, str) else None,
    }


def _number(value: float) -> str:
    """All digits of a number, never an exponent.

    Examples
    --------
    >>> _number(1.0), _number(1e21), _number(-1e-7), _number(float("-inf"))
    ('1', '1000000000000000000000', '-0.0000001', '-Inf')
    """
    if value != value:  # noqa: PLR0124 - only NaN differs from itself
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    return format(Decimal(repr(value)), "f").removesuffix(".0")


def _vectors(root: tree.Expr) -> set[int]:
    """Which nodes are instant vectors, by their identity; each node is looked at once."""
    found: set[int] = set()
    for node in reversed(list(tree.walk(root))):
        match node:
            case tree.ParenExpr(inner) | tree.UnaryExpr(inner):
                is_vector = id(inner) in found
            case tree.BinaryExpr():
                is_vector = id(node.lhs) in found or id(node.rhs) in found
            case tree.Call():
                is_vector = node.kind == "vector"
            case _:
                is_vector = isinstance(node, tree.AggregateExpr | tree.VectorSelector)
        if is_vector:
            found.add(id(node))
    return found
