"""How a result is drawn, by what its metric is: a counter as its rate, buckets as a heatmap."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from workbench.promql import Counter, Histogram, inspect, parse, tree
from workbench.promql.functions import AGGREGATIONS
from workbench.promql.matcher import Matcher
from workbench.samples import MetricMetadata, MetricType
from workbench.units import format_duration

__all__ = ["Drawing", "Form", "plan_drawing", "unit_of"]

Form = Literal["table", "chart", "frame"]
"""What `--as` takes."""

_PERIOD_MS: Final = 300_000
_PARTS: Final = ("_bucket", "_count", "_sum")

_RATES: Final = frozenset(("rate", "irate", "deriv"))
_OVER_TIME: Final = ("avg", "first", "last", "mad", "max", "min", "quantile", "stddev", "sum")
_SAME_UNIT: Final = frozenset(f"{name}_over_time" for name in _OVER_TIME) | {
    "abs",
    "ceil",
    "clamp",
    "clamp_max",
    "clamp_min",
    "delta",
    "floor",
    "histogram_avg",
    "idelta",
    "increase",
    "label_join",
    "label_replace",
    "predict_linear",
    "round",
    "sort",
    "sort_desc",
}
"""Functions whose result has the unit of what they are given."""

_SAME_UNIT_AGGREGATIONS: Final = frozenset(AGGREGATIONS) - {
    "count",
    "count_values",
    "group",
    "stdvar",
}
_SUFFIXES: Final = {"seconds": "seconds", "bytes": "bytes", "ratio": "ratio"}


@dataclass(frozen=True, slots=True)
class Drawing:
    """A plan of a picture.

    Parameters
    ----------
    kind
        ``lines`` or ``heatmap``.
    expression
        What to ask for it; often, not always, what was asked.
    unit
        Of the values, or of a heatmap's bounds; ``""`` where it is not known.
    notes
        What a reader must know, a sentence each.
    """

    kind: Literal["lines", "heatmap"]
    expression: str
    unit: str = ""
    notes: tuple[str, ...] = ()


def plan_drawing(expression: str, metrics: Iterable[MetricMetadata], *, step_ms: int) -> Drawing:
    """Decide how to draw a query over a window.

    Parameters
    ----------
    expression
        What was asked.
    metrics
        What the source knows of its metrics.
    step_ms
        The window's step: no rate is taken over less.

    Raises
    ------
    QueryError
        The expression is no PromQL.

    Examples
    --------
    >>> plan_drawing('http_requests_total{job="a"}', [], step_ms=60_000).expression
    'rate(http_requests_total{job="a"}[5m])'
    """
    families = {m.name: m for m in metrics}
    node = _peeled(parse(expression))
    plain = Drawing("lines", expression, unit_of(node, families))
    if not isinstance(node, tree.VectorSelector):
        return plain
    reads = inspect(expression).reads
    name = reads[0].metric
    # A name by pattern, alternatives, or a look ahead: nothing that can be said again as a range.
    if len(reads) > 1 or not name or reads[0].until_ms < 0:
        return plain
    period = max(_PERIOD_MS, step_ms) / 1000
    family, kind = _family(name, families)
    unit = _unit_of_family(family, families)
    others = [m for m in reads[0].matchers if m != Matcher("__name__", "=", name)]
    if (
        kind is MetricType.HISTOGRAM
        and name.endswith("_bucket")
        and "le" not in {m.name for m in others}
    ):
        asked = _shifted(Histogram(family, others), reads[0]).buckets(period)
        return Drawing("heatmap", asked, unit, (f"A histogram's buckets, drawn as {asked}.",))
    if kind is MetricType.COUNTER or (
        kind in (MetricType.HISTOGRAM, MetricType.SUMMARY) and name != family
    ):
        asked = _shifted(Counter(name, others), reads[0]).rate(period)
        window = format_duration(round(period * 1000))
        note = f"A counter, drawn as its rate per second over {window}: {asked}"
        return Drawing("lines", asked, unit_of(parse(asked), families), (note,))
    if kind is MetricType.SUMMARY:
        return Drawing(
            "lines", expression, unit, ("A summary's quantiles, which cannot be merged.",)
        )
    return plain


def unit_of(node: tree.Expr, families: Mapping[str, MetricMetadata]) -> str:
    """The unit of a query's values, followed through functions that keep it; else ``""``.

    Parameters
    ----------
    node
        A syntax tree.
    families
        What is known of the metrics, by name.

    Examples
    --------
    >>> unit_of(parse("sum(rate(net_bytes_total[5m]))"), {})
    'bytes/s'
    >>> unit_of(parse("histogram_quantile(0.9, sum by (le) (rate(x_seconds_bucket[5m])))"), {})
    'seconds'
    """
    inner = _peeled(node)
    if isinstance(inner, tree.VectorSelector):
        return _unit_of_series(inner, families)
    if isinstance(inner, tree.AggregateExpr):
        return unit_of(inner.expr, families) if inner.op in _SAME_UNIT_AGGREGATIONS else ""
    if not isinstance(inner, tree.Call):
        return ""
    name = inner.name
    if name == "histogram_quantile":
        found = next((n for n in tree.walk(inner) if isinstance(n, tree.VectorSelector)), None)
        name = found.metric if found is not None else ""
        return _unit_of_family(_family(name, families)[0], families) if found else ""
    operand = (
        inner.args[-1] if name == "quantile_over_time" else inner.args[0] if inner.args else None
    )
    if name in _RATES and operand is not None:
        unit = unit_of(operand, families)
        return "" if unit == "seconds" else f"{unit}/s" if unit else "per second"
    return unit_of(operand, families) if name in _SAME_UNIT and operand is not None else ""


def _peeled(node: Any) -> Any:
    while isinstance(node, tree.ParenExpr | tree.SubqueryExpr | tree.MatrixSelector):
        node = node.vector_selector if isinstance(node, tree.MatrixSelector) else node.expr
    return node


def _unit_of_series(node: Any, families: Mapping[str, MetricMetadata]) -> str:
    name = node.metric
    if not name or name.endswith(("_bucket", "_count")):
        return ""
    return _unit_of_family(_family(name, families)[0], families)


def _family(name: str, families: Mapping[str, MetricMetadata]) -> tuple[str, MetricType]:
    """The family a series belongs to, and its type; guessed from the name where nothing is known."""
    if name in families and families[name].type is not MetricType.UNKNOWN:
        return name, families[name].type
    for part in _PARTS:
        base = name.removesuffix(part)
        if base != name and base in families:
            return base, families[base].type
    if name.endswith("_bucket"):
        return name.removesuffix("_bucket"), MetricType.HISTOGRAM
    return name, MetricType.COUNTER if name.endswith("_total") else MetricType.UNKNOWN


def _unit_of_family(family: str, families: Mapping[str, MetricMetadata]) -> str:
    declared = families[family].unit if family in families else ""
    return declared or _SUFFIXES.get(family.removesuffix("_total").rpartition("_")[2], "")


def _shifted(metric: Any, read: Any) -> Any:
    """Put the selector's own ``offset`` and ``@`` on what is asked in its place."""
    if read.until_ms:
        metric = metric.offset(read.until_ms / 1000)
    if read.clock in ("start", "end"):
        return metric.at(f"{read.clock}()")
    return metric if read.clock == "time" else metric.at(read.clock / 1000)
