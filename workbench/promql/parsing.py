"""PromQL to a syntax tree, with messages that point at the place that is wrong.

The parser (promql-parser, in Rust) says what is wrong but not where; the place is found here by
looking for the shortest beginning of the text that no ending could complete.
"""

from __future__ import annotations

import re
from typing import Final

import promql_parser

from workbench.errors import QueryError, did_you_mean
from workbench.promql.functions import AGGREGATIONS, FUNCTIONS
from workbench.promql.tokens import Token, open_brackets, tokenize

__all__ = ["kind_of", "parse"]

_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_ENDINGS: Final = (
    "",
    "x",
    "1",
    '"s"',
    "(x)",
    "=''",
    "''",
    "5m",
    "x)",
    "(1,x)",
    "(x[5m])",
    "[5m]",
    ":",
    ":1m",
    "bool 1",
)
"""What may follow an unfinished beginning, before its brackets are closed."""

_WIDTH: Final = 100
_MOST_TOKENS: Final = 400
_QUOTED: Final = re.compile(r"'([^']*)'")
_LEADING: Final = re.compile(r"(?:illegal regex for )?(\S+)")

_KINDS: Final = {
    "ValueType.Vector": "vector",
    "ValueType.Matrix": "matrix",
    "ValueType.Scalar": "scalar",
    "ValueType.String": "string",
}


def parse(expression: str) -> promql_parser.Expr:
    """Parse and type-check PromQL.

    Parameters
    ----------
    expression
        PromQL.

    Returns
    -------
    promql_parser.Expr
        The syntax tree.

    Raises
    ------
    QueryError
        The text is no PromQL: with the parser's own message, and the place where one is found.

    Examples
    --------
    >>> type(parse("sum(up)")).__name__
    'AggregateExpr'
    >>> parse("sum(increse(x[5m]))")
    Traceback (most recent call last):
    ...
    workbench.errors.QueryError: unknown function with name 'increse': did you mean 'increase'?
      sum(increse(x[5m]))
          ^
    """
    message = _complaint(expression)
    if message is None:
        return promql_parser.parse(expression)
    mend = _suggestion(message) or "mend the expression at the mark"
    place = _place(expression, message)
    if place is None:
        raise QueryError(message, f"mend the expression {_shown(expression)}")
    raise QueryError(message, f"{mend}\n{_marked(expression, place)}")


def kind_of(node: promql_parser.Expr) -> str:
    """What an expression evaluates to: ``scalar``, ``vector``, ``matrix`` or ``string``.

    Examples
    --------
    >>> kind_of(parse("1 + 1")), kind_of(parse("up[5m]")), kind_of(parse("-up"))
    ('scalar', 'matrix', 'vector')
    """
    kinds: set[str] = set()
    waiting = [node]
    while waiting:  # no recursion: a generated sum may have thousands of terms
        one = waiting.pop()
        if isinstance(one, promql_parser.ParenExpr | promql_parser.UnaryExpr):
            waiting.append(one.expr)
        elif isinstance(one, promql_parser.BinaryExpr):
            waiting += [one.lhs, one.rhs]
            kinds.add("scalar")
        else:
            kinds.add(_kind_of_leaf(one))
    return "vector" if "vector" in kinds else kinds.pop()


def _kind_of_leaf(node: promql_parser.Expr) -> str:
    if isinstance(node, promql_parser.Call):
        return _KINDS[str(node.func.return_type)]
    if isinstance(node, promql_parser.MatrixSelector | promql_parser.SubqueryExpr):
        return "matrix"
    if isinstance(node, promql_parser.NumberLiteral):
        return "scalar"
    return "string" if isinstance(node, promql_parser.StringLiteral) else "vector"


def _complaint(expression: str) -> str | None:
    """What the parser has against a text; None where it is good."""
    try:
        promql_parser.parse(expression)
    except ValueError as error:
        return str(error).strip() or "invalid promql query"
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # Rust's panics are no Exception
            raise
        return "the parser cannot read this"
    return None


def _suggestion(message: str) -> str:
    if not message.startswith("unknown function"):
        return ""
    name = _QUOTED.search(message)
    return did_you_mean(name[1], (*FUNCTIONS, *AGGREGATIONS), most=1) if name else ""


def _place(expression: str, message: str) -> int | None:
    """Where the complaint is about, in characters from 0; None where that cannot be told."""
    tokens = list(tokenize(expression))
    if not tokens or len(tokens) > _MOST_TOKENS:
        return None
    for token in tokens:
        if token.kind in ("broken", "other"):  # no parser reads past these
            return token.start
    if "unclosed" in message or "unexpected end of input inside" in message:
        unclosed = open_brackets(tokens)
        return unclosed[-1].start if unclosed else None
    if "function" in message and (name := _QUOTED.search(message)):
        return next((t.start for t in tokens if t.text == name[1]), None)
    if " not valid label" in message or message.startswith("illegal regex"):
        found = _LEADING.match(message)
        return expression.find(found[1]) if found and found[1] in expression else None
    return _first_impossible(expression, tokens)


def _first_impossible(expression: str, tokens: list[Token]) -> int | None:
    """The first token after which nothing could follow that makes the text good.

    Searched by bisection: a beginning that can be completed has only such beginnings before it.
    """
    low, high = 0, len(tokens)
    while low < high:
        middle = (low + high + 1) // 2
        if _can_be_completed(expression, tokens[:middle]):
            low = middle
        else:
            high = middle - 1
    if low == len(tokens):
        return None
    return tokens[low].start


def _can_be_completed(expression: str, tokens: list[Token]) -> bool:
    text = expression[: tokens[-1].end]
    closing = "".join(_CLOSERS[t.text] for t in reversed(open_brackets(tokens)))
    return any(_complaint(f"{text} {ending}{closing}") is None for ending in _ENDINGS)


def _marked(expression: str, place: int) -> str:
    """The line in question with a mark below it, cut where it is long."""
    start = expression.rfind("\n", 0, place) + 1
    end = expression.find("\n", place)
    line = expression[start : end if end >= 0 else None]
    column = place - start
    cut = max(0, column - _WIDTH * 2 // 3)
    return f"  {_printable(line[cut : cut + _WIDTH])}\n  {' ' * (column - cut)}^"


def _shown(expression: str) -> str:
    text = expression if len(expression) <= _WIDTH else f"{expression[:_WIDTH]}…"
    return repr(text)


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
