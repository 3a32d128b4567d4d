"""Walks a syntax tree: one method of evaluation per kind of node, one registry of functions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import numpy as np

from workbench.engine.aggregate import aggregate
from workbench.engine.binary import binary, negated
from workbench.engine.context import Call, Query
from workbench.engine.functions import FUNCTIONS
from workbench.engine.kernels.edges import EDGED
from workbench.engine.selectors import matrix_selector, subquery, vector_selector
from workbench.engine.values import Grid, Ranges, Value, Vector
from workbench.errors import NotSupportedError, QueryError
from workbench.promql import tree

__all__ = ["Evaluator"]


class Evaluator:
    """Evaluates the nodes of one query.

    Parameters
    ----------
    query
        The query's storage, limits and annotations.
    """

    def __init__(self, query: Query) -> None:
        self._query = query

    def evaluate(self, node: Any, grid: Grid) -> Value:
        """Evaluate a node at every moment of a grid.

        Raises
        ------
        QueryError
            The values met cannot be combined as the expression asks.
        NotSupportedError
            The language has it, the engine does not.
        TooExpensiveError
            A limit is passed.
        """
        self._query.meter.tick()
        visit = _VISITS.get(type(node))
        if visit is None:
            msg = f"not supported: {type(node).__name__}"
            raise NotSupportedError(msg, "ask a Prometheus server, or write it without")
        return visit(self, node, grid)

    def _number(self, node: Any, grid: Grid) -> Value:
        return np.full(len(grid), node.value)

    def _string(self, node: Any, _grid: Grid) -> Value:
        return str(node.value)

    def _parentheses(self, node: Any, grid: Grid) -> Value:
        return self.evaluate(node.expr, grid)

    def _unary(self, node: Any, grid: Grid) -> Value:
        value = self.evaluate(node.expr, grid)
        assert not isinstance(value, Ranges | str)
        return negated(value)

    def _binary(self, node: Any, grid: Grid) -> Value:
        left, right = self.evaluate(node.lhs, grid), self.evaluate(node.rhs, grid)
        assert not isinstance(left, Ranges | str)
        assert not isinstance(right, Ranges | str)
        return binary(self._query, node, left, right)

    def _aggregation(self, node: Any, grid: Grid) -> Vector:
        return aggregate(self._query, node, grid, self.evaluate)

    def _vector_selector(self, node: Any, grid: Grid) -> Vector:
        return vector_selector(self._query, node, grid)

    def _matrix_selector(self, node: Any, grid: Grid) -> Ranges:
        return matrix_selector(self._query, node, grid)

    def _subquery(self, node: Any, grid: Grid) -> Ranges:
        return subquery(self._query, node, grid, self.evaluate)

    def _call(self, node: Any, grid: Grid) -> Value:
        name = node.name
        function = FUNCTIONS.get(name)
        if function is None:
            msg = f"not supported: the function {name}()"
            raise NotSupportedError(msg, "ask a Prometheus server, or write it without")
        for argument in map(tree.unwrapped, node.args):
            if isinstance(argument, tree.MatrixSelector):
                _check_edge(name, argument.vector_selector.edge)
        return function(Call(name, list(node.args), grid, self._query, self.evaluate))


def _check_edge(name: str, edge: tree.Edge) -> None:
    """Refuse a function that has no anchored or smoothed form, as Prometheus does."""
    if edge and name not in EDGED[edge]:
        msg = f"{edge} modifier can only be used with: {', '.join(EDGED[edge])} - not with {name}"
        raise QueryError(msg, "leave the modifier out")


_VISITS: Final[dict[type, Callable[[Evaluator, Any, Grid], Value]]] = {
    tree.AggregateExpr: Evaluator._aggregation,  # noqa: SLF001 - the class' own methods
    tree.BinaryExpr: Evaluator._binary,  # noqa: SLF001 - as above
    tree.Call: Evaluator._call,  # noqa: SLF001 - as above
    tree.MatrixSelector: Evaluator._matrix_selector,  # noqa: SLF001 - as above
    tree.NumberLiteral: Evaluator._number,  # noqa: SLF001 - as above
    tree.ParenExpr: Evaluator._parentheses,  # noqa: SLF001 - as above
    tree.StringLiteral: Evaluator._string,  # noqa: SLF001 - as above
    tree.SubqueryExpr: Evaluator._subquery,  # noqa: SLF001 - as above
    tree.UnaryExpr: Evaluator._unary,  # noqa: SLF001 - as above
    tree.VectorSelector: Evaluator._vector_selector,  # noqa: SLF001 - as above
}
