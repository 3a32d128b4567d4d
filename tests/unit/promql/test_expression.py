"""Expressions compose into what was meant: the tree of the text is the tree of the operations."""

from __future__ import annotations

import copy
import math
import pickle
from typing import Any

import promql_parser as tree
import pytest
from hypothesis import given
from hypothesis import strategies as st

from workbench.errors import InputError, QueryError
from workbench.promql import Expression, RangeExpression, call

_OPS: dict[str, Any] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "%": lambda a, b: a % b,
    "^": lambda a, b: a**b,
}

operations = st.recursive(
    st.integers(-3, 9).map(float),
    lambda inner: st.tuples(st.sampled_from(["neg", *_OPS]), inner, inner),
    max_leaves=8,
)


def _built(node: Any) -> Any:
    if isinstance(node, float):
        return Expression(f"{node:g}")
    op, a, b = node
    return -_built(a) if op == "neg" else _OPS[op](_built(a), _built(b))


def _meant(node: Any) -> str:
    """The operations fully in parentheses."""
    if isinstance(node, float):
        return f"({node:g})"
    op, a, b = node
    return f"(-{_meant(a)})" if op == "neg" else f"({_meant(a)} {op} {_meant(b)})"


def _shape(node: Any) -> str:
    """A parsed tree fully in parentheses; signed numbers and signs before numbers are one thing."""
    if isinstance(node, tree.ParenExpr):
        return _shape(node.expr)
    if isinstance(node, tree.NumberLiteral):
        return f"{node.val:g}" if math.copysign(1, node.val) > 0 else f"(-{-node.val:g})"
    if isinstance(node, tree.UnaryExpr):
        return f"(-{_shape(node.expr)})"
    return f"({_shape(node.lhs)} {node.op} {_shape(node.rhs)})"


@given(operations)
def test_parentheses_keep_the_order_of_operations(node: Any) -> None:
    """A random tree of operators, with signs and powers, parses back to itself."""
    built = _built(node)
    assert _shape(tree.parse(str(built))) == _shape(tree.parse(_meant(node)))


def test_parentheses_stand_only_where_they_are_needed() -> None:
    """What an expert would write by hand."""
    a, b, c = Expression("a"), Expression("b"), Expression("c")
    assert (a + b) * c == "(a + b) * c"
    assert a + b * c == "a + b * c"
    assert a - (b - c) == "a - (b - c)"
    assert a - b - c == "a - b - c"
    assert a**b**c == "a ^ b ^ c"
    assert (a**b) ** c == "(a ^ b) ^ c"
    assert 1 - a / b == "1 - a / b"
    assert (-a) ** 2 == "(-a) ^ 2"
    assert a.combine("or", b).combine("and", c) == "(a or b) and c"
    assert (a / b).above(0.5) == "a / b > 0.5"
    assert a.below(1, as_bool=True) == "a < bool 1"


def test_text_of_others_is_wrapped_by_what_it_holds() -> None:
    """A plain string as an operand is parsed first; its comment cannot swallow what follows."""
    assert Expression("a") / "b + c" == "a / (b + c)"
    commented = Expression("a") / "b # the total"
    assert commented == "a / (b # the total\n)"
    assert isinstance(tree.parse(str(commented.sum())), tree.AggregateExpr)
    assert Expression('x{room="#1"}') / 2 == 'x{room="#1"} / 2'


def test_vector_matching() -> None:
    """on, ignoring, group_left and group_right stand where PromQL wants them, names quoted."""
    a, b = Expression("a"), Expression("b + c")
    text = a.combine("*", b, on=["job", "k8s.pod"], group_left=["zone"])
    assert text == 'a * on (job, "k8s.pod") group_left (zone) (b + c)'
    assert a.combine("and", b, ignoring="x") == "a and ignoring (x) b + c"
    # Empty parentheses are written out: without them `(b + c)` would be read as the labels.
    parsed = tree.parse(str(a.combine("/", b, on=(), group_right=())))
    assert str(parsed.modifier.card) == "VectorMatchCardinality.OneToMany"


def test_aggregation_and_subqueries() -> None:
    """Every method parses, and writes what Grafana's users write."""
    up = Expression("up")
    assert up.sum() == "sum(up)"
    assert up.sum(without=()) == "sum without () (up)"
    assert up.topk(3, by="job") == "topk by (job) (3, up)"
    assert up.quantile_across(0.5, by=["a.b"]) == 'quantile by ("a.b") (0.5, up)'
    assert up.count_series(by="job") == "count by (job) (up)"
    assert (up / 2).over("1h", step=30).avg() == "avg_over_time((up / 2)[1h:30s])"
    assert up.relabel("host", "$1", "instance", "(.*):.*").startswith("label_replace(up, ")
    for method in ("avg", "min", "max"):
        assert isinstance(tree.parse(str(getattr(up, method)(by="job"))), tree.AggregateExpr)
    for method in ("avg", "min", "max", "sum", "last", "count_samples", "stddev", "changes"):
        assert isinstance(tree.parse(str(getattr(up.over("1h"), method)())), tree.Call)


def test_strings_in_calls_are_quoted_and_expressions_are_not() -> None:
    """A hostile label value stays inside its quotes."""
    text = call("label_replace", Expression("up"), "a", '"), rate(x', "b", "(.*)")
    assert tree.parse(str(text)).args[2].val == '"), rate(x'


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Expression("up[5m]"), "range of samples"),
        (lambda: RangeExpression("up"), "no range"),
        (lambda: Expression("up").aggregate("summ"), "unknown function"),
        (lambda: Expression('"a"') + 1, "scalar and instant vector"),
        (lambda: Expression("1").above(2), "BOOL"),
        (lambda: Expression("up") + " offset 5m +", "invalid|unexpected|syntax"),
    ],
)
def test_what_is_no_promql_is_refused_at_once(make: Any, words: str) -> None:
    """An Expression always parses and type-checks."""
    with pytest.raises(QueryError, match=words):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda e: e.sum(by="a", without="b"),
        lambda e: e.combine("/", 2, on="a", ignoring="b"),
        lambda e: e.combine("/", 2, on="a", group_left=(), group_right=()),
        lambda e: e.combine("=", 2),
        lambda e: e.combine("+", 2, as_bool=True),
        lambda e: e.over(0),
        lambda e: e + True,
        lambda e: e.sum(by=""),
    ],
)
def test_contradictions_are_refused(make: Any) -> None:
    """Each with a message of our own, before any parser."""
    with pytest.raises(InputError):
        make(Expression("up"))


def test_an_expression_is_text_everywhere() -> None:
    """It formats, joins, pickles and copies like the text it is."""
    expression = Expression("a + b")
    assert f"{expression}" == "a + b"
    for again in (pickle.loads(pickle.dumps(expression)), copy.deepcopy(expression)):
        assert again * 2 == "(a + b) * 2"
