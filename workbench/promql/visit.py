"""A walk through a syntax tree that notes what it meets; `inspection` makes the result of it.

Conditions that are joined by ``or`` are several reads, `info` reads a metric that it need not name,
and windows with other edges reach farther than they are long.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple, get_args

from workbench.promql import tree
from workbench.promql.matcher import Matcher

__all__ = ["Clock", "Notes", "path_to_selector", "visit"]

Clock = Literal["time", "start", "end"] | int
"""What a look back counts from; a number is a fixed moment in milliseconds since the epoch."""

Role = Literal["functions", "aggregations", "grouped", "dropped", "joined", "copied", "written"]

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
            _note_selector(node, when, notes, lookback_ms)
        elif isinstance(node, tree.MatrixSelector):
            if not node.relative:
                notes.ranges_ms.add(node.range_ms)
            _note_selector(node.vector_selector, when, notes, lookback_ms, node.range_ms)
        elif isinstance(node, tree.SubqueryExpr):
            waiting.append((node.expr, _note_subquery(node, when, notes)))
        elif isinstance(node, tree.Call) and node.name == "info":
            notes.names["functions"].add("info")
            _note_info(node, when, notes, lookback_ms)
            waiting.append((node.args[0], when))
        else:
            waiting += [(child, when) for child in reversed(_noted(node, notes))]


def _noted(node: tree.Expr, notes: Notes) -> tuple[tree.Expr, ...]:
    """Note an operator, call or aggregation, and give its operands in order."""
    if isinstance(node, tree.BinaryExpr):
        _note_matching(node.matching, notes)
    elif isinstance(node, tree.AggregateExpr):
        _note_aggregation(node, notes)
    elif isinstance(node, tree.Call):
        _note_call(node, notes)
    return tree.children(node)


def _note_aggregation(node: tree.AggregateExpr, notes: Notes) -> None:
    notes.names["aggregations"].add(node.op)
    notes.names["dropped" if node.without else "grouped"].update(node.labels)
    if node.op == "count_values" and node.param is not None:
        notes.names["written"].update(_texts([node.param]))


def _note_call(node: tree.Call, notes: Notes) -> None:
    name = node.name
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


def _texts(nodes: Iterable[tree.Expr]) -> Iterator[str]:
    for node in map(tree.unwrapped, nodes):
        if isinstance(node, tree.StringLiteral):
            yield node.value


def _note_matching(matching: tree.VectorMatching | None, notes: Notes) -> None:
    if matching is not None:
        notes.names["joined"].update(matching.labels or ())
        notes.names["joined"].update(matching.include)


def _note_subquery(node: tree.SubqueryExpr, when: _When, notes: Notes) -> _When:
    if not node.relative:
        notes.subqueries_ms.append((node.range_ms, node.step_ms))
    clock, back, until = _shifted(node, when, notes)
    return _When(clock, back + node.range_ms, until)


def _note_selector(
    node: tree.VectorSelector,
    when: _When,
    notes: Notes,
    lookback_ms: int,
    range_ms: int | None = None,
) -> None:
    clock, back, until = _shifted(node, when, notes)
    length = lookback_ms if range_ms is None else range_ms
    if node.edge and range_ms is not None:
        length += lookback_ms  # the sample before the window
    if node.edge == "smoothed":
        until -= lookback_ms  # the sample after it
    for matchers in (node.matchers, *node.alternatives):
        notes.reads.append((tuple(sorted(matchers)), clock, back + length, until))


def _note_info(node: tree.Call, when: _When, notes: Notes, lookback_ms: int) -> None:
    """Note the metric that ``info()`` reads without naming it: ``target_info`` unless told else.

    It is looked up when the first selector of its argument is.
    """
    conditions = node.args[1] if len(node.args) > 1 else None
    found = conditions.matchers if isinstance(conditions, tree.VectorSelector) else ()
    ops = {m.op for m in found if m.name == "__name__"}
    if not ops:
        found = (*found, Matcher("__name__", "=", "target_info"))
    elif not ops & {"=", "=~"}:
        found = (*found, Matcher("__name__", "=~", ".+_info"))
    clock, back, until = when
    for moved in path_to_selector(node.args[0]):
        clock, back, until = _shifted(moved, _When(clock, back, until), notes)
    notes.reads.append((tuple(sorted(found)), clock, back + lookback_ms, until))


def path_to_selector(node: tree.Expr) -> list[tree.SubqueryExpr | tree.VectorSelector]:
    """The subqueries down to the first selector of an expression, and that selector."""
    path: list[tree.SubqueryExpr | tree.VectorSelector] = []
    waiting: list[tuple[tree.Expr, int]] = [(node, 0)]
    while waiting:
        one, above = waiting.pop()
        del path[above:]
        if isinstance(one, tree.SubqueryExpr | tree.VectorSelector):
            path.append(one)
        if isinstance(one, tree.VectorSelector):
            return path
        waiting += [(child, len(path)) for child in reversed(tree.children(one))]
    return []


def _shifted(node: tree.SubqueryExpr | tree.VectorSelector, when: _When, notes: Notes) -> _When:
    """Apply a node's ``@`` and ``offset``."""
    clock, back, until = when
    if node.at is not None:
        clock, back, until = node.at, 0, 0
        notes.uses_bounds = notes.uses_bounds or isinstance(clock, str)
    if node.relative:
        notes.uses_bounds = True
    if node.offset_ms:
        notes.offsets_ms.add(node.offset_ms)
    return _When(clock, back + node.offset_ms, until + node.offset_ms)
