"""What becomes of each label on its way from a selector to the answer of a query.

The tree is walked from the answer down. At each node a `Demand` says which labels of its result are
named, shown or needed to keep series apart; the node turns that into what it wants of its operands,
by Prometheus' rules on which labels an operation keeps. At a selector the demand becomes a `Reading`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from workbench.promql import tree
from workbench.promql.matcher import Matcher
from workbench.usage.demand import NOTHING, Demand
from workbench.usage.holes import Holes
from workbench.usage.labelset import ALL, NONE, Labels
from workbench.usage.reading import Reading

__all__ = ["readings"]

_Step = list[tuple[tree.Expr, Demand]]

_LINEAR_OVER_TIME: Final = ("sum_over_time", "avg_over_time", "last_over_time", "first_over_time")
_LINEAR_CHANGES: Final = ("rate", "increase", "irate", "delta", "idelta", "deriv", "predict_linear")
_LINEAR: Final = frozenset((*_LINEAR_OVER_TIME, *_LINEAR_CHANGES, "sort", "sort_desc"))
"""Functions of a sum that are the sum of the functions (resets and gaps aside)."""

_BY_LE: Final = frozenset(("histogram_quantile", "histogram_quantiles", "histogram_fraction"))
_PICKING: Final = frozenset(("topk", "bottomk", "limitk", "limit_ratio"))
_COMPARISONS: Final = frozenset(("==", "!=", "<", ">", "<=", ">="))
_FILTERS: Final = frozenset(("and", "unless"))
_TARGET: Final = ("instance", "job")
"""What ``info()`` finds the target by."""


def readings(root: tree.Expr, wanted: Demand, holes: Holes) -> tuple[Reading, ...]:
    """Say what a query does with the labels of what it selects.

    Parameters
    ----------
    root
        The query.
    wanted
        What is done with the labels of its answer.
    holes
        What its markers stand for.

    Returns
    -------
    tuple of Reading
        One for each selector, in the order in which they stand.
    """
    found: list[Reading] = []
    waiting: _Step = [(root, wanted)]
    scalars = _scalars(root)
    while waiting:  # no recursion: a generated sum may have thousands of terms
        node, demand = waiting.pop()
        if isinstance(node, tree.VectorSelector):
            found += _selected(node, demand, holes)
        elif isinstance(node, tree.Call) and node.name == "info":
            waiting += _info(node, demand, holes, found)
        elif isinstance(node, tree.Call):
            waiting += reversed(_call(node, demand, holes))
        elif isinstance(node, tree.AggregateExpr):
            waiting += reversed(_aggregation(node, demand, holes))
        elif isinstance(node, tree.BinaryExpr):
            waiting += reversed(_binary(node, demand, holes, scalars))
        else:
            waiting += [(child, demand) for child in tree.children(node)]
    return tuple(found)


def _scalars(root: tree.Expr) -> frozenset[int]:
    """The nodes that have no labels, by identity."""
    result: set[int] = set()
    for node in reversed(list(tree.walk(root))):
        match node:
            case tree.NumberLiteral() | tree.StringLiteral():
                result.add(id(node))
            case tree.Call() if node.kind == "scalar":
                result.add(id(node))
            case tree.ParenExpr() | tree.UnaryExpr() | tree.BinaryExpr():
                if all(id(child) in result for child in tree.children(node)):
                    result.add(id(node))
            case _:
                pass
    return frozenset(result)


# -------------------------------------------------------------------- selectors


def _selected(node: tree.VectorSelector, demand: Demand, holes: Holes) -> list[Reading]:
    return [
        _reading(conditions, demand, holes) for conditions in (node.matchers, *node.alternatives)
    ]


def _reading(conditions: tuple[Matcher, ...], demand: Demand, holes: Holes) -> Reading:
    labels = [m.name for m in conditions if m.name != "__name__"]
    told, more = holes.names(labels)
    resolved = (holes.matcher(m) for m in conditions if not holes.has_any(m.name))
    return Reading(
        matchers=tuple(sorted({m for m in resolved if m is not None})),
        required={**demand.named, **dict.fromkeys(told, "matcher")},
        shown=ALL if more else demand.shown,
        apart=demand.apart,
        vague=any(holes.unknown_in(m.value) for m in conditions if m.name == "__name__"),
        absent=demand.absent,
    )


# -------------------------------------------------------------------- functions


def _call(node: tree.Call, demand: Demand, holes: Holes) -> _Step:
    if node.name in ("label_replace", "label_join"):
        return [(node.args[0], _relabelled(node, demand, holes))]
    below = _argument(node, demand)
    return [
        (arg, below if kind in ("vector", "matrix") else NOTHING)
        for arg, kind in zip(node.args, _kinds(node), strict=True)
        if kind != "string"
    ]


def _kinds(node: tree.Call) -> list[str]:
    """The kind of each argument that is given."""
    last = node.takes[-1] if node.takes else "scalar"
    return [node.takes[i] if i < len(node.takes) else last for i in range(len(node.args))]


def _argument(node: tree.Call, demand: Demand) -> Demand:
    """What a function wants of its vector."""
    name = node.name
    if name in ("absent", "absent_over_time"):
        return Demand(values=False, absent=True)
    if name == "scalar":
        return NOTHING
    if name in _BY_LE:
        written = _texts(node.args[1:2])  # of histogram_quantiles: the label that tells them apart
        return demand.through(name).dropping(["le", *written]).naming(["le"], name)
    if name.startswith("sort_by_label"):
        return demand.naming(_texts(node.args[1:]), name)
    return demand if name in _LINEAR else demand.through(name)


def _relabelled(node: tree.Call, demand: Demand, holes: Holes) -> Demand:
    """Below ``label_replace`` and ``label_join``: the label written comes from those read."""
    target = _texts(node.args[1:2])
    sources, more = holes.names(_texts(node.args[3:4] if _replaces(node) else node.args[3:]))
    always = not _replaces(node) or _texts(node.args[3:5]) == ["", ""]
    always = always or _texts(node.args[4:5]) in (["(.*)"], [".*"])
    below = demand
    if always:  # series that differ in it alone are merged here: a filter below may leave just one
        below = demand.dropping(target)
        below = replace(below, summed=below.summed | Labels.of(*target))
    if more:
        below = replace(below, shown=ALL)
    return below.naming([name for name in sources if name], node.name)


def _replaces(node: tree.Call) -> bool:
    return node.name == "label_replace"


def _texts(nodes: tuple[tree.Expr, ...]) -> list[str]:
    plain = map(tree.unwrapped, nodes)
    return [node.value for node in plain if isinstance(node, tree.StringLiteral)]


def _info(node: tree.Call, demand: Demand, holes: Holes, found: list[Reading]) -> _Step:
    """``info(v, data)`` copies labels from another metric, ``target_info`` unless told else."""
    conditions: tuple[Matcher, ...] = ()
    if len(node.args) > 1 and isinstance(node.args[1], tree.VectorSelector):
        conditions = node.args[1].matchers
    told = [m.name for m in conditions if m.name != "__name__"]
    if not any(m.name == "__name__" for m in conditions):
        conditions = (*conditions, Matcher("__name__", "=", "target_info"))
    copied = Demand(shown=NONE if told else demand.shown).naming(_TARGET, "info")
    found.append(_reading(conditions, copied, holes))
    return [(node.args[0], demand.naming(_TARGET, "info"))]


# -------------------------------------------------------------------- aggregations


def _aggregation(node: tree.AggregateExpr, demand: Demand, holes: Holes) -> _Step:
    below = _grouped(node, demand, holes)
    steps: _Step = [(node.expr, below)]
    if node.param is not None:
        steps.insert(0, (node.param, NOTHING))
    return steps


def _grouped(node: tree.AggregateExpr, demand: Demand, holes: Holes) -> Demand:
    """What an aggregation wants of what it aggregates."""
    told, more = holes.names(node.labels)
    word = "without" if node.without else "by"
    if node.op in _PICKING:
        below = replace(demand, values=True).separating(ALL, node.op)
        return below if node.without else below.naming(told, word)
    if node.op == "count_values" and node.param is not None:
        written = _texts((node.param,))
        demand = demand.dropping(written).separating(Labels.of(*written), node.op)
    if node.without:
        below, merged = demand.dropping(told), Labels.of(*told)
    else:
        below, merged = demand.only(told).naming(told, word), ALL.dropping(told)
    if more:
        below = replace(below, shown=demand.shown if node.without else ALL)
    below = replace(below, values=demand.values and node.op not in ("count", "group"))
    # Groups whose number of members does not matter lose nothing by being merged earlier.
    if node.op in ("sum", "group") or not demand.values:
        return replace(below, summed=below.summed | merged)
    return below.separating(merged, node.op)


# -------------------------------------------------------------------- operators


def _binary(node: tree.BinaryExpr, demand: Demand, holes: Holes, scalars: frozenset[int]) -> _Step:
    plain = (id(node.lhs) in scalars, id(node.rhs) in scalars)
    if all(plain):
        return [(node.lhs, NOTHING), (node.rhs, NOTHING)]
    if any(plain):
        linear = node.op == "*" or (node.op == "/" and plain[1])
        below = _compared(node, demand)
        below = below if linear else below.through(node.op)
        return [
            (side, NOTHING if one else below) for side, one in zip(_sides(node), plain, strict=True)
        ]
    left, right = _matched(node, demand, holes)
    return [(node.lhs, left), (node.rhs, right)]


def _sides(node: tree.BinaryExpr) -> tuple[tree.Expr, tree.Expr]:
    return node.lhs, node.rhs


def _compared(node: tree.BinaryExpr, demand: Demand) -> Demand:
    """A comparison looks at values even where what stands above does not."""
    return replace(demand, values=True) if node.op in _COMPARISONS else demand


def _matched(node: tree.BinaryExpr, demand: Demand, holes: Holes) -> tuple[Demand, Demand]:
    """What an operator between two vectors wants of each."""
    how = node.matching or tree.VectorMatching(
        on=False, labels=(), many="", include=(), fill_left=None, fill_right=None
    )
    labels, more = holes.names(how.labels or ())
    demand = _compared(node, demand)
    if node.op in ("and", "or", "unless"):
        left, right = demand, demand if node.op == "or" else Demand(values=False)
    elif how.many:
        left, right = _many_to_one(node, how, demand, holes)
    else:
        kept = demand.only(labels) if how.on and not more else demand.dropping(labels)
        left = right = kept.through(node.op)
    if how.on:
        left, right = left.naming(labels, "on"), right.naming(labels, "on")
        if more:
            left, right = (replace(side, shown=ALL) for side in (left, right))
        return left, right
    matched = ALL.dropping(labels)
    why = f"matched by {node.op}"
    return left.separating(matched, why), right.separating(matched, why)


def _many_to_one(
    node: tree.BinaryExpr, how: tree.VectorMatching, demand: Demand, holes: Holes
) -> tuple[Demand, Demand]:
    """With ``group_left`` the left side's labels stay, and some of the right one's are copied."""
    copied, more = holes.names(how.include)
    word = f"group_{how.many}"
    linear = node.op == "*" or (node.op == "/" and how.many == "left")
    many = demand.dropping(copied)
    one = Demand(values=demand.values, shown=ALL if more else NONE).naming(copied, word)
    if not linear:
        many = many.through(node.op)
    return (many, one) if how.many == "left" else (one, many)
