"""The parser's tree and the notes of `extended` become the tree of this house."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import promql_parser

from workbench.errors import NotSupportedError, QueryError
from workbench.promql import tree
from workbench.promql.durations import Duration
from workbench.promql.extended import Notes, Place
from workbench.promql.parser import matcher_sets

__all__ = ["converted"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_TRIMMING: Final = {"<": "</", ">": ">/"}
_PARSER_KINDS: Final = {
    "ValueType.Vector": "vector",
    "ValueType.Matrix": "matrix",
    "ValueType.Scalar": "scalar",
    "ValueType.String": "string",
}


def converted(root: Any, notes: Notes) -> tree.Expr:
    """Convert a whole tree, without recursion, for generated queries nest deeply.

    Parameters
    ----------
    root
        What the parser gave.
    notes
        What was taken out of the text before the parser saw it.

    Raises
    ------
    NotSupportedError
        The notes do not fit the tree, so nobody could say what the query means.
    """
    return _Conversion(notes).run(root)


class _Conversion:
    """Two passes over each node: its children are asked for, then it is built from them."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._selectors = iter(notes.selectors)
        self._subqueries = iter(notes.subqueries)
        self._comparisons = iter(notes.comparisons)
        self._built: list[tree.Expr] = []
        self._ops: list[str] = []
        self._latest = Place()

    def run(self, root: Any) -> tree.Expr:
        waiting: list[tuple[Callable[[Any], Any], Any]] = [(self._enter, root)]
        while waiting:
            step, node = waiting.pop()
            waiting += reversed(step(node) or ())
        over = [*self._selectors, *self._subqueries, *self._comparisons]
        if over and self._notes.found:
            raise _no_fit()
        return self._built.pop()

    def _enter(self, node: Any) -> list[tuple[Callable[[Any], Any], Any]]:
        if isinstance(node, promql_parser.BinaryExpr):
            operator, build = (self._operator, node), (self._build, node)
            return [(self._enter, node.lhs), operator, (self._enter, node.rhs), build]
        return [*((self._enter, child) for child in _children(node)), (self._build, node)]

    def _operator(self, node: Any) -> None:
        """Between the two sides, where the operator stands in the text."""
        op = str(node.op)
        trims = op in _TRIMMING and self._next(self._comparisons, default=False)
        self._ops.append(_TRIMMING[op] if trims else op)

    def _next(self, notes: Iterator[Any], default: Any) -> Any:
        found = next(notes, None)
        if found is None and self._notes.found:
            raise _no_fit()
        return default if found is None else found

    def _build(self, node: Any) -> None:
        self._built.append(_BUILDERS[type(node)](self, node))

    def _pop(self, count: int) -> tuple[Any, ...]:
        if not count:
            return ()
        parts = tuple(self._built[-count:])
        del self._built[-count:]
        return parts

    def _number(self, node: Any) -> tree.Expr:
        return tree.NumberLiteral(float(node.val))

    def _string(self, node: Any) -> tree.Expr:
        return tree.StringLiteral(str(node.val))

    def _parentheses(self, _node: Any) -> tree.Expr:
        return tree.ParenExpr(*self._pop(1))

    def _unary(self, _node: Any) -> tree.Expr:
        return tree.UnaryExpr(*self._pop(1))

    def _call(self, node: Any) -> tree.Expr:
        function = node.func
        kind = _PARSER_KINDS[str(function.return_type)]
        takes = tuple(_PARSER_KINDS[str(each)] for each in function.arg_types)
        args = self._pop(len(node.args))
        return tree.Call(function.name, args, kind, takes, function.variadic)

    def _aggregation(self, node: Any) -> tree.Expr:
        parts = self._pop(1 if node.param is None else 2)
        modifier = node.modifier
        without = modifier is not None and modifier.type == promql_parser.AggModifierType.Without
        labels = tuple(modifier.labels) if modifier is not None else ()
        parameter = parts[0] if node.param is not None else None
        return tree.AggregateExpr(str(node.op), parts[-1], parameter, labels, without)

    def _binary(self, node: Any) -> tree.Expr:
        left, right = self._pop(2)
        op, modifier = self._ops.pop(), node.modifier
        as_bool = bool(modifier and modifier.return_bool)
        if as_bool and op.endswith("/"):
            msg = f"bool stands after {op}, which does not compare"
            raise QueryError(msg, "leave it out")
        return tree.BinaryExpr(op, left, right, _matching(modifier), as_bool)

    def _selector(self, node: Any) -> tree.VectorSelector:
        self._latest = place = self._next(self._selectors, Place())
        sets = matcher_sets(node) if place.conditions is None else [place.conditions]
        return tree.VectorSelector(
            sets[0],
            _milliseconds(place.offset, node.offset) or 0,
            _at(place, node),
            place.edge,
            tuple(sets[1:]),
            _relative(place),
            named=place.conditions is None and node.name is not None,
        )

    def _matrix(self, node: Any) -> tree.Expr:
        place = self._latest  # its selector's, which was built just now
        span = _milliseconds(place.range, node.range) or 0
        (selector,) = self._pop(1)
        return tree.MatrixSelector(selector, span, _relative(place))

    def _subquery(self, node: Any) -> tree.Expr:
        place: Place = self._next(self._subqueries, Place())
        if place.edge:
            msg = f"{place.edge} stands after a subquery"
            raise QueryError(msg, "use it on a range of samples such as x[5m]")
        (inner,) = self._pop(1)
        return tree.SubqueryExpr(
            inner,
            _milliseconds(place.range, node.range) or 0,
            _milliseconds(place.step, node.step),
            _milliseconds(place.offset, node.offset) or 0,
            _at(place, node),
            _relative(place),
        )


_BUILDERS: Final[dict[type, Callable[[_Conversion, Any], tree.Expr]]] = {
    promql_parser.AggregateExpr: _Conversion._aggregation,  # noqa: SLF001 - the class' own methods
    promql_parser.BinaryExpr: _Conversion._binary,  # noqa: SLF001 - as above
    promql_parser.Call: _Conversion._call,  # noqa: SLF001 - as above
    promql_parser.MatrixSelector: _Conversion._matrix,  # noqa: SLF001 - as above
    promql_parser.NumberLiteral: _Conversion._number,  # noqa: SLF001 - as above
    promql_parser.ParenExpr: _Conversion._parentheses,  # noqa: SLF001 - as above
    promql_parser.StringLiteral: _Conversion._string,  # noqa: SLF001 - as above
    promql_parser.SubqueryExpr: _Conversion._subquery,  # noqa: SLF001 - as above
    promql_parser.UnaryExpr: _Conversion._unary,  # noqa: SLF001 - as above
    promql_parser.VectorSelector: _Conversion._selector,  # noqa: SLF001 - as above
}


def _children(node: Any) -> list[Any]:
    """Operands in the order of the text."""
    if isinstance(node, promql_parser.AggregateExpr):
        return [node.expr] if node.param is None else [node.param, node.expr]
    if isinstance(node, promql_parser.Call):
        return list(node.args)
    if isinstance(node, promql_parser.MatrixSelector):
        return [node.vector_selector]
    one = promql_parser.ParenExpr | promql_parser.UnaryExpr | promql_parser.SubqueryExpr
    return [node.expr] if isinstance(node, one) else []


def _matching(modifier: Any) -> tree.VectorMatching | None:
    if modifier is None:
        return None
    named, fill, card = modifier.matching, modifier.fill_values, modifier.card
    cards = promql_parser.VectorMatchCardinality
    return tree.VectorMatching(
        on=named is not None and named.type == promql_parser.LabelModifierType.Include,
        labels=tuple(named.labels) if named is not None else None,
        many="left" if card == cards.ManyToOne else "right" if card == cards.OneToMany else "",
        include=tuple(modifier.group_labels or ()),
        fill_left=fill.lhs if fill is not None else None,
        fill_right=fill.rhs if fill is not None else None,
    )


def _milliseconds(noted: Duration | None, parsed: timedelta | None) -> int | None:
    if noted is not None:
        return noted.milliseconds
    return None if parsed is None else parsed // _MILLISECOND


def _relative(place: Place) -> bool:
    return any(d is not None and d.relative for d in (place.range, place.step, place.offset))


def _at(place: Place, node: Any) -> tree.At:
    if place.at_ms is not None:
        return place.at_ms
    if node.at is None:
        return None
    if node.at.type == promql_parser.AtModifierType.Start:
        return "start"
    if node.at.type == promql_parser.AtModifierType.End:
        return "end"
    return int((node.at.at - _EPOCH) // _MILLISECOND)


def _no_fit() -> NotSupportedError:
    return NotSupportedError(
        "not supported: this way of writing anchored, smoothed, info(), </, >/, or arithmetic on "
        "durations",
        "write that part more plainly, without names that are also words of the language",
    )
