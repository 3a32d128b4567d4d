"""PromQL to a syntax tree: the one entry for every room, with messages that point at the place."""

from __future__ import annotations

import re
from typing import Final

from workbench.errors import QueryError, did_you_mean
from workbench.promql import carets, parser, tree
from workbench.promql.conversion import converted
from workbench.promql.durations import Clock, DurationError
from workbench.promql.extended import extracted
from workbench.promql.functions import AGGREGATIONS, FUNCTIONS
from workbench.promql.tokens import tokenize

__all__ = ["kind_of", "nested_too_deeply", "parse"]

_UNKNOWN_FUNCTION: Final = re.compile(r"unknown function with name '([^']*)'")
_RENAMED: Final = {"holt_winters": "Prometheus 3 calls it double_exponential_smoothing"}

_OPERATORS: Final = frozenset({"and", "or", "unless", "atan2"})
_MOST_OPERATORS: Final = 2_000
_DEEPEST: Final = 1_000
"""What the parser's own recursion survives on the stack of a small thread."""


def parse(expression: str, clock: Clock | None = None) -> tree.Expr:
    """Parse and type-check PromQL, all of Prometheus 3's.

    Parameters
    ----------
    expression
        PromQL.
    clock
        The step and range of the query, which durations such as ``[step() * 5]`` depend on;
        without it they are marked as `relative`.

    Returns
    -------
    Expr
        The syntax tree.

    Raises
    ------
    QueryError
        The text is no PromQL: with the parser's own message, and the place where one is found.
    NotSupportedError
        It is PromQL, written in a way that cannot be told from another.

    Examples
    --------
    >>> type(parse("sum(up)")).__name__
    'AggregateExpr'
    >>> parse("rate(up[5m * 2] smoothed)").args[0].range_ms
    600000
    >>> parse("sum(increse(x[5m]))")
    Traceback (most recent call last):
    ...
    workbench.errors.QueryError: unknown function with name 'increse': did you mean 'increase'?
      sum(increse(x[5m]))
          ^
    """
    expression = str(expression)
    _check_size(expression)
    try:
        text, notes = extracted(expression, clock)
    except DurationError as error:
        raise _error(expression, str(error), error.token.start) from None
    try:
        found = parser.read(text)
    except ValueError as error:
        raise _error(expression, str(error), carets.place_of(text, str(error))) from None
    return converted(found, notes)


def _error(expression: str, message: str, place: int | None) -> QueryError:
    mend = _suggestion(message)
    if place is None:
        shown = carets.shortened(expression)
        return QueryError(
            message, f"{mend}, in {shown}" if mend else f"mend the expression {shown}"
        )
    return QueryError(
        message, f"{mend or 'mend the expression at the mark'}\n{carets.marked(expression, place)}"
    )


def _suggestion(message: str) -> str:
    unknown = _UNKNOWN_FUNCTION.search(message)
    if unknown is None:
        return ""
    return _RENAMED.get(unknown[1]) or did_you_mean(unknown[1], (*FUNCTIONS, *AGGREGATIONS), most=1)


def _check_size(expression: str) -> None:
    """Refuse what the parser's own recursion would not survive."""
    if len(expression) <= _DEEPEST:
        return
    operators, depth, deepest = 0, 0, 0
    for token in tokenize(expression):
        depth += (token.text in "([{") - (token.text in ")]}")
        deepest = max(deepest, depth)
        operators += token.kind == "operator" or token.text.lower() in _OPERATORS
    if operators > _MOST_OPERATORS or deepest > _DEEPEST:
        raise nested_too_deeply(expression)


def nested_too_deeply(expression: str) -> QueryError:
    """The error for an expression with too many operators or parentheses within each other."""
    msg = f"{carets.shortened(expression)} is nested too deeply or has too many operators"
    return QueryError(msg, "split it into several queries, or match more series with one regex")


def kind_of(node: tree.Expr) -> str:
    """What an expression evaluates to: ``scalar``, ``vector``, ``matrix`` or ``string``.

    Examples
    --------
    >>> kind_of(parse("1 + 1")), kind_of(parse("up[5m]")), kind_of(parse("-up"))
    ('scalar', 'matrix', 'vector')
    """
    kinds: set[str] = set()
    waiting = [node]
    while waiting:  # no recursion: a generated sum may have thousands of terms
        match waiting.pop():
            case tree.ParenExpr(expr) | tree.UnaryExpr(expr):
                waiting.append(expr)
            case tree.BinaryExpr(_, left, right):
                waiting += [left, right]
                kinds.add("scalar")
            case tree.Call() as call:
                kinds.add(call.kind)
            case tree.MatrixSelector() | tree.SubqueryExpr():
                kinds.add("matrix")
            case tree.NumberLiteral():
                kinds.add("scalar")
            case tree.StringLiteral():
                kinds.add("string")
            case _:
                kinds.add("vector")
    return "vector" if "vector" in kinds else kinds.pop()
