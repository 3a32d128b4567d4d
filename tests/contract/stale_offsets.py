"""Which queries a Prometheus evaluates with ``@`` forgotten: a slip of its engine, 2.42 and 3 alike.

Its evaluator turns each ``@`` into an offset from the moment at which the evaluation begins. A
subquery begins an evaluation of its own, at the first multiple of its step within its range, and
turns those inside it anew, unless that moment happens to be the one at which the outer evaluation
began: then it keeps the offsets. Those, however, were reckoned with the subquery's own ``@`` and
offset still to come. So in ``f((f((g @ start())[9m:1m] @ start()))[9m:1m])`` both subqueries begin
nine minutes before the start, and ``g`` is read there, not at the start.
"""

from workbench.promql import tree
from workbench.promql.parsing import parse

__all__ = ["keeps_stale_offsets"]

MINUTE = 60_000
"""The step of a subquery that names none."""


def keeps_stale_offsets(expression: str, start_ms: int, end_ms: int) -> bool:
    """Whether some ``@`` of a range query is inside a subquery that begins when its parent does."""
    return _stale(parse(expression), start_ms, {"start": start_ms, "end": end_ms})


def _stale(node: tree.Expr, begins_ms: int, fixed: dict[tree.At, int]) -> bool:
    if not isinstance(node, tree.SubqueryExpr):
        return any(_stale(child, begins_ms, fixed) for child in tree.children(node))
    moment = begins_ms if node.at is None else fixed.get(node.at, node.at)
    step = node.step_ms or MINUTE
    first = -((node.range_ms + node.offset_ms - moment) // step) * step
    if first == begins_ms and any(_is_fixed(each) for each in tree.walk(node.expr)):
        return True
    return _stale(node.expr, first, fixed)


def _is_fixed(node: tree.Expr) -> bool:
    return isinstance(node, tree.SubqueryExpr | tree.VectorSelector) and node.at is not None
