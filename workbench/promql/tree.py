"""The syntax tree of PromQL: what `parse` gives, and the only form in which other rooms see a query.

The nodes bear Prometheus' own names. Every duration is a number of milliseconds, every matcher a
`Matcher`; what stands in the language but not in the parser (`extended`) is in them already.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from workbench.promql.matcher import Matcher

__all__ = [
    "AggregateExpr",
    "At",
    "BinaryExpr",
    "Call",
    "Edge",
    "Expr",
    "MatrixSelector",
    "NumberLiteral",
    "ParenExpr",
    "StringLiteral",
    "SubqueryExpr",
    "UnaryExpr",
    "VectorMatching",
    "VectorSelector",
    "children",
    "unwrapped",
    "walk",
]

At = Literal["start", "end"] | int | None
"""What ``@`` fixes: the query's start or end, a moment in milliseconds since the epoch, nothing."""

Edge = Literal["", "anchored", "smoothed"]
"""How a window's edges are treated: as ever, from the sample before it, or interpolated."""


@dataclass(frozen=True, slots=True, eq=False)
class NumberLiteral:
    """A number."""

    value: float


@dataclass(frozen=True, slots=True, eq=False)
class StringLiteral:
    """A string."""

    value: str


@dataclass(frozen=True, slots=True, eq=False)
class ParenExpr:
    """An expression in parentheses."""

    expr: Expr


@dataclass(frozen=True, slots=True, eq=False)
class UnaryExpr:
    """An expression with its sign turned; a plus leaves no node."""

    expr: Expr


@dataclass(frozen=True, slots=True, eq=False)
class VectorMatching:
    """How the two sides of a binary operator are matched.

    Parameters
    ----------
    on
        The labels are those to match on, not those to ignore.
    labels
        The labels after ``on`` or ``ignoring``; None where neither stands.
    many
        Which side may have several series a match: ``left`` (``group_left``), ``right`` or neither.
    include
        Labels that the result takes from the side that has one.
    fill_left, fill_right
        What stands for a missing series of that side.
    """

    on: bool
    labels: tuple[str, ...] | None
    many: Literal["", "left", "right"]
    include: tuple[str, ...]
    fill_left: float | None
    fill_right: float | None


@dataclass(frozen=True, slots=True, eq=False)
class BinaryExpr:
    """``lhs op rhs``; `op` may be ``</`` and ``>/``, which trim native histograms.

    Parameters
    ----------
    op
        As it is written, in lower case.
    lhs, rhs
        Its sides.
    matching
        How series of two vectors are matched; None where nothing is said.
    return_bool
        Whether a comparison gives 0 or 1.
    """

    op: str
    lhs: Expr
    rhs: Expr
    matching: VectorMatching | None
    return_bool: bool


@dataclass(frozen=True, slots=True, eq=False)
class AggregateExpr:
    """An aggregation.

    Parameters
    ----------
    op
        ``sum``, ``topk`` …
    expr
        What is aggregated.
    param
        The operator's own parameter.
    labels, without
        The labels grouped by, or those dropped; no labels and not `without` is one group.
    """

    op: str
    expr: Expr
    param: Expr | None
    labels: tuple[str, ...]
    without: bool


@dataclass(frozen=True, slots=True, eq=False)
class Call:
    """A function's call.

    Parameters
    ----------
    name, args
        The function and what it is given.
    kind
        What it returns: ``scalar``, ``vector``, ``matrix`` or ``string``.
    takes
        The kinds of its declared arguments.
    variadic
        0 where all of them have to be given; else how often the last one may stand, from none at
        all to this many times; -1 for any number of times.
    """

    name: str
    args: tuple[Expr, ...]
    kind: str
    takes: tuple[str, ...] = ()
    variadic: int = 0


@dataclass(frozen=True, slots=True, eq=False)
class VectorSelector:
    """A selector of series.

    Parameters
    ----------
    matchers
        Its conditions, the metric's name as the first where it stands before the braces.
    offset_ms, at
        Where it looks; `offset_ms` may be negative.
    edge
        ``smoothed`` interpolates between samples; of a range, see `MatrixSelector`.
    alternatives
        More sets of conditions, where they are joined by ``or``: not Prometheus' language.
    relative
        Whether a duration of it depends on the query's step or range, which `parse` was not told;
        the duration is 0 then.
    named
        Whether the metric's name stands before the braces: it is the first condition then.
    """

    matchers: tuple[Matcher, ...]
    offset_ms: int = 0
    at: At = None
    edge: Edge = ""
    alternatives: tuple[tuple[Matcher, ...], ...] = ()
    relative: bool = False
    named: bool = False

    @property
    def metric(self) -> str:
        """The metric's name where it is told exactly, else ``""``."""
        return next((m.value for m in self.matchers if m.name == "__name__" and m.op == "="), "")

    @property
    def is_plain(self) -> bool:
        """Whether it is nothing but conditions: no ``@``, no offset, no interpolation."""
        return self.at is None and not self.offset_ms and not self.edge and not self.relative


@dataclass(frozen=True, slots=True, eq=False)
class MatrixSelector:
    """A selector with a range; the edges of its windows are treated as its selector says."""

    vector_selector: VectorSelector
    range_ms: int
    relative: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class SubqueryExpr:
    """An expression evaluated over a range; without a step, `step_ms` is None."""

    expr: Expr
    range_ms: int
    step_ms: int | None
    offset_ms: int
    at: At
    relative: bool = False


Expr = (
    NumberLiteral
    | StringLiteral
    | ParenExpr
    | UnaryExpr
    | BinaryExpr
    | AggregateExpr
    | Call
    | VectorSelector
    | MatrixSelector
    | SubqueryExpr
)
"""Any node."""


def children(node: Expr) -> tuple[Expr, ...]:
    """The nodes directly below, in the order in which they stand in the text."""
    match node:
        case ParenExpr() | UnaryExpr() | SubqueryExpr():
            return (node.expr,)
        case BinaryExpr():
            return node.lhs, node.rhs
        case AggregateExpr():
            return (node.expr,) if node.param is None else (node.param, node.expr)
        case Call():
            return node.args
        case MatrixSelector():
            return (node.vector_selector,)
        case _:
            return ()


def walk(node: Expr) -> Iterator[Expr]:
    """Every node, each before those below it; without recursion, for generated sums nest deeply.

    Examples
    --------
    >>> from workbench.promql.parsing import parse
    >>> [type(n).__name__ for n in walk(parse("-rate(x[5m])"))]
    ['UnaryExpr', 'Call', 'MatrixSelector', 'VectorSelector']
    """
    waiting = [node]
    while waiting:
        one = waiting.pop()
        yield one
        waiting += reversed(children(one))


def unwrapped(node: Expr) -> Expr:
    """The expression without the parentheses around it."""
    while isinstance(node, ParenExpr):
        node = node.expr
    return node
