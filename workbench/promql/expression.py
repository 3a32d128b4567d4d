"""PromQL that composes: text that always parses, with operators that put the right parentheses.

An `Expression` is a `str`, so it goes wherever a query goes. Its operators are PromQL's: ``a / b``
and ``100 * a`` make new expressions. A number stands for itself, other text is taken as PromQL and
must parse. Comparisons are methods, for ``==`` and ``<`` stay those of text. To put an expression
into other text, use an f-string: ``+`` adds.
"""

from __future__ import annotations

from typing import Any, Self

from workbench.errors import QueryError
from workbench.promql.parsing import kind_of, parse
from workbench.promql.quote import quote_number, quote_string
from workbench.promql.syntax import (
    ATOM,
    LEVELS,
    UNARY,
    Labels,
    Operand,
    binding,
    duration,
    grouping,
    matching,
)
from workbench.promql.tokens import has_comment
from workbench.units import Duration

__all__ = ["Expression", "RangeExpression", "call"]


class Expression(str):
    """A query that parses and is no range of samples.

    Raises
    ------
    QueryError
        The text does not parse, or is a range selector (`RangeExpression` holds those).

    Examples
    --------
    >>> used, limit = Expression("sum(used)"), Expression("limit + spare")
    >>> print(100 * used / limit)
    100 * sum(used) / (limit + spare)
    >>> print(used.combine(">", 0.9 * limit, on="job"))
    sum(used) > on (job) 0.9 * (limit + spare)
    """

    __slots__ = ("level",)
    level: int

    def __new__(cls, text: str) -> Self:
        """Check the text and remember how tightly it binds."""
        node = parse(text)
        if kind_of(node) == "matrix":
            msg = f"{text} is a range of samples, not a value at each moment"
            raise QueryError(msg, "put a function around it, such as rate() or max_over_time()")
        self = super().__new__(cls, text)
        self.level = binding(node, text)
        return self

    # ---------------------------------------------------------------- operators

    def combine(
        self,
        op: str,
        other: Operand,
        *,
        on: Labels | None = None,
        ignoring: Labels | None = None,
        group_left: Labels | None = None,
        group_right: Labels | None = None,
        as_bool: bool = False,
    ) -> Expression:
        """Put a binary operator between this and another expression.

        Parameters
        ----------
        op
            An arithmetic, comparison or set operator of PromQL.
        other
            The right side.
        on, ignoring
            Which labels tell which series belong together; at most one of the two.
        group_left, group_right
            The side with many series for each on the other, and the labels to copy from the
            other; ``()`` for none.
        as_bool
            For comparisons: give 0 or 1 in place of dropping what does not hold.

        Examples
        --------
        >>> info = Expression("machine_info")
        >>> print(Expression("cpu_used").combine("*", info, on="node", group_left=["zone"]))
        cpu_used * on (node) group_left (zone) machine_info
        """
        return _binary(
            self, op, other, matching(op, on, ignoring, group_left, group_right, as_bool=as_bool)
        )

    def __add__(self, other: Operand) -> Expression:
        return _binary(self, "+", other)

    def __radd__(self, other: Operand) -> Expression:
        return _binary(other, "+", self)

    def __sub__(self, other: Operand) -> Expression:
        return _binary(self, "-", other)

    def __rsub__(self, other: Operand) -> Expression:
        return _binary(other, "-", self)

    def __mul__(self, other: Operand) -> Expression:  # type: ignore[override]
        return _binary(self, "*", other)

    def __rmul__(self, other: Operand) -> Expression:  # type: ignore[override]
        return _binary(other, "*", self)

    def __truediv__(self, other: Operand) -> Expression:
        return _binary(self, "/", other)

    def __rtruediv__(self, other: Operand) -> Expression:
        return _binary(other, "/", self)

    def __mod__(self, other: Any) -> Expression:
        return _binary(self, "%", other)

    def __pow__(self, other: Operand) -> Expression:
        return _binary(self, "^", other)

    def __rpow__(self, other: Operand) -> Expression:
        return _binary(other, "^", self)

    def __neg__(self) -> Expression:
        return Expression(f"-{_operand(self, UNARY + 1)}")

    def above(self, other: Operand, *, as_bool: bool = False) -> Expression:
        """Keep what is greater (``>``); with `as_bool` give 0 or 1."""
        return self.combine(">", other, as_bool=as_bool)

    def below(self, other: Operand, *, as_bool: bool = False) -> Expression:
        """Keep what is less (``<``); with `as_bool` give 0 or 1."""
        return self.combine("<", other, as_bool=as_bool)

    def equal_to(self, other: Operand, *, as_bool: bool = False) -> Expression:
        """Keep what is equal (``==``); with `as_bool` give 0 or 1."""
        return self.combine("==", other, as_bool=as_bool)

    # ---------------------------------------------------------------- aggregation

    def aggregate(
        self,
        op: str,
        parameter: Operand | None = None,
        *,
        by: Labels | None = None,
        without: Labels | None = None,
    ) -> Expression:
        """Put any aggregation operator around this.

        Parameters
        ----------
        op
            ``sum``, ``topk``, ``quantile`` …
        parameter
            The operator's own: a number, or for ``count_values`` the label to write.
        by, without
            Labels to keep, or to drop; at most one of the two.

        Examples
        --------
        >>> print(Expression("up").aggregate("count_values", "state", without="instance"))
        count_values without (instance) ("state", up)
        """
        labels = grouping(by=by, without=without)
        first = "" if parameter is None else f"{_argument(parameter)}, "
        return Expression(f"{op}{labels}{' ' if labels else ''}({first}{_closed(self)})")

    def sum(self, *, by: Labels | None = None, without: Labels | None = None) -> Expression:
        """Add up the series of each group."""
        return self.aggregate("sum", by=by, without=without)

    def avg(self, *, by: Labels | None = None, without: Labels | None = None) -> Expression:
        """Take the mean of each group."""
        return self.aggregate("avg", by=by, without=without)

    def min(self, *, by: Labels | None = None, without: Labels | None = None) -> Expression:
        """Take the least of each group."""
        return self.aggregate("min", by=by, without=without)

    def max(self, *, by: Labels | None = None, without: Labels | None = None) -> Expression:
        """Take the greatest of each group."""
        return self.aggregate("max", by=by, without=without)

    def count_series(
        self, *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """Count the series of each group (PromQL's ``count``; that name is taken by text)."""
        return self.aggregate("count", by=by, without=without)

    def topk(
        self, k: int, *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """Keep the `k` greatest series of each group, at each moment anew."""
        return self.aggregate("topk", k, by=by, without=without)

    def bottomk(
        self, k: int, *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """Keep the `k` least series of each group, at each moment anew."""
        return self.aggregate("bottomk", k, by=by, without=without)

    def quantile_across(
        self, q: float, *, by: Labels | None = None, without: Labels | None = None
    ) -> Expression:
        """Take a quantile across the series of each group (0.5 is the median series)."""
        return self.aggregate("quantile", q, by=by, without=without)

    # ---------------------------------------------------------------- functions

    def apply(self, function: str, *arguments: Operand) -> Expression:
        """Call a function with this as its first argument; see `call`.

        Examples
        --------
        >>> print(Expression("disk_free").apply("clamp_min", 0))
        clamp_min(disk_free, 0)
        """
        return call(function, self, *arguments)

    def relabel(
        self, target: str, replacement: str, source: str, pattern: str = "(.*)"
    ) -> Expression:
        """Write a label from another one (``label_replace``)."""
        return call("label_replace", self, target, replacement, source, pattern)

    def over(self, period: Duration, *, step: Duration | None = None) -> RangeExpression:
        """Take the values over a time before each moment, as a subquery.

        Parameters
        ----------
        period
            How far back.
        step
            How often to evaluate; without it the server's evaluation interval.

        Examples
        --------
        >>> print(Expression("sum(rate(x[5m]))").over("1d", step="5m").max())
        max_over_time(sum(rate(x[5m]))[1d:5m])
        """
        resolution = "" if step is None else duration(step)
        return RangeExpression(f"{_operand(self, ATOM)}[{duration(period)}:{resolution}]")


class RangeExpression(str):
    """A range of samples before each moment, waiting for a function.

    Examples
    --------
    >>> window = RangeExpression("node_load1[1h]")
    >>> print(window.quantile(0.9))
    quantile_over_time(0.9, node_load1[1h])
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        """Check the text."""
        if kind_of(parse(text)) != "matrix":
            msg = f"{text} is no range of samples"
            raise QueryError(msg, "write a range such as up[5m]")
        return super().__new__(cls, text)

    def apply(self, function: str, *arguments: Operand) -> Expression:
        """Call a function with this range as its first argument."""
        return Expression(f"{function}({', '.join((str(self), *map(_argument, arguments)))})")

    def avg(self) -> Expression:
        """Take the mean of the samples."""
        return self.apply("avg_over_time")

    def min(self) -> Expression:
        """Take the least sample."""
        return self.apply("min_over_time")

    def max(self) -> Expression:
        """Take the greatest sample."""
        return self.apply("max_over_time")

    def sum(self) -> Expression:
        """Add up the samples."""
        return self.apply("sum_over_time")

    def last(self) -> Expression:
        """Take the last sample."""
        return self.apply("last_over_time")

    def count_samples(self) -> Expression:
        """Count the samples."""
        return self.apply("count_over_time")

    def stddev(self) -> Expression:
        """Take the standard deviation of the samples."""
        return self.apply("stddev_over_time")

    def changes(self) -> Expression:
        """Count how often the value changed."""
        return self.apply("changes")

    def quantile(self, q: float) -> Expression:
        """Take a quantile of the samples."""
        return Expression(f"quantile_over_time({quote_number(q)}, {self})")


def call(function: str, *arguments: Operand) -> Expression:
    r"""Call a function.

    Parameters
    ----------
    function
        Its name.
    *arguments
        `Expression` and `RangeExpression` stand as they are, numbers as numbers, and any other
        text as a *string*.

    Raises
    ------
    QueryError
        There is no such function, or it takes other arguments.

    Examples
    --------
    >>> print(call("label_join", Expression("up"), "place", "/", "zone", "node"))
    label_join(up, "place", "/", "zone", "node")
    """
    return Expression(f"{function}({', '.join(map(_argument, arguments))})")


def _argument(value: Operand) -> str:
    if isinstance(value, Expression):
        return _closed(value)
    if isinstance(value, RangeExpression):
        return str(value)
    return quote_string(value) if isinstance(value, str) else quote_number(value)


def _binary(left: Operand, op: str, right: Operand, matching: str = "") -> Expression:
    level = LEVELS[op]
    # Operators of one level stand from left to right, but ^ from right to left.
    from_right = op == "^"
    first = _operand(left, level + from_right)
    second = _operand(right, level + (not from_right))
    return Expression(f"{first} {op}{matching} {second}")


def _operand(value: Operand, level: int) -> str:
    """One side as text, in parentheses where it binds less tightly than `level`."""
    expression = value if isinstance(value, Expression) else _parsed(value)
    return str(expression) if expression.level >= level else f"({_closed(expression)})"


def _parsed(value: Operand) -> Expression:
    return Expression(value if isinstance(value, str) else quote_number(value))


def _closed(expression: str) -> str:
    """The text, ready for a closing bracket: a comment at its end must not swallow that."""
    return f"{expression}\n" if has_comment(expression) else str(expression)
