"""A walk through a syntax tree that notes what it meets; `inspection` makes the result of it.

The parser's traps live here: a fixed ``@`` before 1970 panics when it is read, matchers that are
joined by ``or`` stand apart from the others, and every offset is a `timedelta`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple, get_args

import promql_parser as tree

from workbench.promql.matcher import Matcher, MatchOp

__all__ = ["Clock", "Notes", "visit"]

Clock = Literal["time", "start", "end"] | int
"""What a look back counts from; a number is a fixed moment in milliseconds since the epoch."""

Role = Literal["functions", "aggregations", "grouped", "dropped", "joined", "copied", "written"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND: Final = timedelta(milliseconds=1)
_BEFORE_1970: Final = "@ 0.000"
"""How the parser writes a moment that it cannot give."""

_OPS: Final[dict[str, MatchOp]] = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
_BOUNDS: Final = frozenset(("start", "end", "range", "step"))
_WRITERS: Final = {"label_replace": (1, 3), "label_join": (1, 3)}
"""Label functions: which argument is the label written, and which is the first one read."""

_SORTERS: Final = frozenset(("sort_by_label", "sort_by_label_desc"))


class _When(NamedTuple):
    """The times at which a part of the tree is evaluated: back to until milliseconds before a clock."""

    clock: Clock = "time"
    back: int = 0
    until: int = 0


@dataclass(slots=True)
class Notes:
    """What a walk has met so far."""

    reads: list[tuple[tuple[Matcher, ...], Clock, int, int]] = field(default_factory=list)
    names: dict[Role, set[str]] = field(
        default_factory=lambda: {role: set() for role in get_args(Role)}
    )
    ranges_ms: set[int] = field(default_factory=set)
    offsets_ms: set[int] = field(default_factory=set)
    subqueries_ms: list[tuple[int, int | None]] = field(default_factory=list)
    uses_bounds: bool = False


def visit(root: tree.Expr, notes: Notes, lookback_ms: int) -> None:
    """Walk through a tree, without recursion, for generated queries nest deeply.

    Parameters
    ----------
    root
        What the parser gave.
    notes
        Where to write; in the order in which things stand in the text.
    lookback_ms
        How far back an instant selector looks.
    """
    waiting: list[tuple[tree.Expr, _When]] = [(root, _When())]
    while waiting:
        node, when = waiting.pop()
        if isinstance(node, tree.VectorSelector):
            _note_selector(node, node, when, notes, lookback_ms)
        elif isinstance(node, tree.MatrixSelector):
            length = _milliseconds(node.range)
            notes.ranges_ms.add(length)
            _note_selector(node.vector_selector, node, when, notes, length)
        elif isinstance(node, tree.SubqueryExpr):
            waiting.append((node.expr, _note_subquery(node, when, notes)))
        elif isinstance(node, tree.Call) and node.func.name == "info":
            notes.names["functions"].add("info")
            _note_info(node, when, notes, lookback_ms)
            waiting.append((node.args[0], when))
        else:
            waiting += [(child, when) for child in reversed(_children(node, notes))]


def _children(node: tree.Expr, notes: Notes) -> list[tree.Expr]:
    """Note an operator, call or aggregation, and give its operands in order."""
    if isinstance(node, tree.ParenExpr | tree.UnaryExpr):
        return [node.expr]
    if isinstance(node, tree.BinaryExpr):
        _note_matching(node.modifier, notes)
        return [node.lhs, node.rhs]
    if isinstance(node, tree.AggregateExpr):
        return _note_aggregation(node, notes)
    if isinstance(node, tree.Call):
        _note_call(node, notes)
        return list(node.args)
    return []


def _note_aggregation(node: Any, notes: Notes) -> list[tree.Expr]:
    notes.names["aggregations"].add(str(node.op))
    if node.modifier is not None:
        kept = str(node.modifier.type) == "AggModifierType.By"
        notes.names["grouped" if kept else "dropped"].update(node.modifier.labels)
    if str(node.op) == "count_values":
        notes.names["written"].update(_texts([node.param]))
    return [node.expr] if node.param is None else [node.param, node.expr]


def _note_call(node: Any, notes: Notes) -> None:
    name = node.func.name
    notes.names["functions"].add(name)
    if name in _WRITERS:
        target, source = _WRITERS[name]
        last = source + 1 if name == "label_replace" else None
        notes.names["written"].update(_texts(node.args[target : target + 1]))
        notes.names["copied"].update(_texts(node.args[source:last]))
    elif name in _SORTERS:
        notes.names["copied"].update(_texts(node.args[1:]))
    elif name in _BOUNDS:
        notes.uses_bounds = True


def _texts(nodes: list[Any]) -> Iterator[str]:
    for node in nodes:
        inner = node
        while isinstance(inner, tree.ParenExpr):
            inner = inner.expr
        if isinstance(inner, tree.StringLiteral):
            yield inner.val


def _note_matching(modifier: Any, notes: Notes) -> None:
    if modifier is None:
        return
    if modifier.matching is not None:
        notes.names["joined"].update(modifier.matching.labels)
    notes.names["joined"].update(modifier.group_labels or ())


def _note_subquery(node: Any, when: _When, notes: Notes) -> _When:
    length = _milliseconds(node.range)
    step = None if node.step is None else _milliseconds(node.step)
    notes.subqueries_ms.append((length, step))
    clock, back, until = _shifted(node, node, when, notes, lambda n: str(n).rpartition("]")[2])
    return _When(clock, back + length, until)


def _note_selector(node: Any, outer: Any, when: _When, notes: Notes, length: int) -> None:
    clock, back, until = _shifted(node, outer, when, notes, lambda n: str(n).rpartition("}")[2])
    for matchers in _alternatives(node):
        notes.reads.append((matchers, clock, back + length, until))


def _note_info(node: Any, when: _When, notes: Notes, lookback_ms: int) -> None:
    """Note the metric that ``info()`` reads without naming it: ``target_info`` unless told else."""
    groups = _alternatives(node.args[1]) if len(node.args) > 1 else iter([()])
    for matchers in groups:
        if any(m.name == "__name__" for m in matchers):
            found = matchers
        else:
            found = tuple(sorted([*matchers, Matcher("__name__", "=", "target_info")]))
        notes.reads.append((found, when.clock, when.back + lookback_ms, when.until))


def _alternatives(node: Any) -> Iterator[tuple[Matcher, ...]]:
    """The matchers of a selector; several sets of them where they are joined by ``or``."""
    named = [Matcher("__name__", "=", node.name)] if node.name else []
    for group in node.matchers.or_matchers or [node.matchers.matchers]:
        found = [Matcher(m.name, _OPS[str(m.op)], m.value) for m in group]
        yield tuple(sorted([*named, *found]))


def _shifted(node: Any, outer: Any, when: _When, notes: Notes, tail: Callable[[Any], str]) -> _When:
    """Apply a node's ``@`` and ``offset``."""
    clock, back, until = when
    if _BEFORE_1970 in tail(outer):
        clock, back, until = 0, 0, 0
    elif node.at is not None:
        clock, back, until = _clock_of(node.at), 0, 0
        notes.uses_bounds = notes.uses_bounds or isinstance(clock, str)
    offset = 0 if node.offset is None else _milliseconds(node.offset)
    if offset:
        notes.offsets_ms.add(offset)
    return _When(clock, back + offset, until + offset)


def _clock_of(at: Any) -> Clock:
    kind = str(at.type)
    if kind == "AtModifierType.Start":
        return "start"
    if kind == "AtModifierType.End":
        return "end"
    return round((at.at - _EPOCH) / _MILLISECOND)


def _milliseconds(value: timedelta) -> int:
    return round(value / _MILLISECOND)
