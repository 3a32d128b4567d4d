"""The indicators of OpenSLO, as ours: ratios of counters, thresholds, and slices of time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from workbench.errors import WorkbenchError
from workbench.promql import parse, tree
from workbench.promql.tokens import tokenize
from workbench.usage.document import mapping, text

__all__ = ["Sources", "indicator"]

Sources = Mapping[str, Mapping[str, Any]]
"""Data sources by name."""

_PROMETHEUS: Final = frozenset(
    {
        "prometheus", "victoriametrics", "thanos", "mimir", "cortex", "amazonprometheus",
        "googlemanagedprometheus", "prometheuscompatible",
    }
)  # fmt: skip
_PLACE: Final = "{{.window}}"
_OPS: Final = ("lt", "lte", "gt", "gte")
_METHODS: Final = ("Occurrences", "Timeslices", "RatioTimeslices")
_EVERY: Final = "1m"


def indicator(
    spec: Mapping[str, Any],
    objective: Mapping[str, Any],
    method: str,
    sources: Sources,
    notes: list[str],
) -> dict[str, Any]:
    """Make an indicator of ours from one of OpenSLO's.

    Parameters
    ----------
    spec
        The indicator's ``spec``.
    objective
        The objective, which holds thresholds and slices.
    method
        The budgeting method.
    sources
        Data sources by name.
    notes
        Is added to.

    Raises
    ------
    ValueError
        It cannot be honoured; the message says what of it.
    """
    if method not in _METHODS:
        msg = f"its budgeting method is {method!r}; {', '.join(_METHODS)} can be had"
        raise ValueError(msg)
    if "ratioMetric" in spec:
        base = _ratio(mapping(spec["ratioMetric"]), sources, notes)
        notes += [f"{k} is only for a thresholdMetric" for k in ("op", "value") if k in objective]
    elif "thresholdMetric" in spec:
        query = _query(mapping(spec["thresholdMetric"]), sources, notes)
        base = _threshold(query, objective)
    else:
        msg = "its indicator has neither a ratioMetric nor a thresholdMetric"
        raise ValueError(msg)
    if method == "Occurrences":
        unused = [k for k in ("timeSliceTarget", "timeSliceWindow") if k in objective]
        notes += [f"{k} is not for the method {method}" for k in unused]
        return base
    return _sliced(base, objective, method)


def _sliced(base: dict[str, Any], objective: Mapping[str, Any], method: str) -> dict[str, Any]:
    length = text(objective.get("timeSliceWindow"))
    if not length:
        msg = f"{method} needs a timeSliceWindow"
        raise ValueError(msg)
    content: dict[str, Any] = {
        "kind": "timeslices",
        "of": base,
        "slice": f"{length}m" if length.isdigit() else length,
    }
    target = text(objective.get("timeSliceTarget"))
    if method == "Timeslices":
        if not target and base["kind"] != "threshold":
            msg = "Timeslices of a ratio needs a timeSliceTarget"
            raise ValueError(msg)
        content["slice_target"] = _number(target or "1", "timeSliceTarget")
    return content


def _threshold(query: str, objective: Mapping[str, Any]) -> dict[str, Any]:
    op = text(objective.get("op"))
    if op not in _OPS:
        msg = f"its op is {op!r}; it is one of {', '.join(_OPS)}"
        raise ValueError(msg)
    value = _number(text(objective.get("value")), "value")
    return {"kind": "threshold", "query": query, "op": op, "value": value, "every": _EVERY}


def _number(value: str, what: str) -> float:
    try:
        return float(value)
    except ValueError:
        msg = f"its {what} {value!r} is no number"
        raise ValueError(msg) from None


def _ratio(metric: Mapping[str, Any], sources: Sources, notes: list[str]) -> dict[str, Any]:
    if "raw" in metric:
        return _raw(metric, sources, notes)
    sides = [side for side in ("good", "bad") if side in metric]
    if len(sides) != 1 or "total" not in metric:
        msg = "its ratioMetric needs total, and one of good and bad"
        raise ValueError(msg)
    queries = {side: _query(mapping(metric[side]), sources, notes) for side in ("total", sides[0])}
    counter = metric.get("counter") is not False
    selectors = {side: _selector(query) for side, query in queries.items()}
    if counter and all(selectors.values()):
        return {"kind": "availability", **selectors}
    templates = {
        side: _template(query, selectors[side], notes, counter=counter)
        for side, query in queries.items()
    }
    return {"kind": "query", **templates}


def _raw(metric: Mapping[str, Any], sources: Sources, notes: list[str]) -> dict[str, Any]:
    """A query that is a ratio itself: of failures, or of successes."""
    kind = text(metric.get("rawType"))
    if kind not in ("success", "failure"):
        msg = f"its rawType is {kind!r}; it is success or failure"
        raise ValueError(msg)
    query = _query(mapping(metric["raw"]), sources, notes)
    ratio = _windowed(query, notes)
    if ratio is None:
        ratio = f"avg(avg_over_time(({query})[{_PLACE}:{_EVERY}]))"
        notes.append(f"its ratio is looked at once in {_EVERY}, and no traffic weighs it")
    return {"kind": "query", "error_ratio": ratio if kind == "failure" else f"1 - ({ratio})"}


def _query(metric: Mapping[str, Any], sources: Sources, notes: list[str]) -> str:
    """The PromQL of a metric, if its source is a Prometheus."""
    source = mapping(metric.get("metricSource"))
    spec = mapping(source.get("spec"))
    name, kind = text(source.get("metricSourceRef")), text(source.get("type"))
    if name and not kind:
        if name not in sources:
            notes.append(f"the data source {name!r} is not in these files; it is taken for one")
            kind = "prometheus"
        else:
            kind = text(mapping(sources[name].get("spec")).get("type"))
    if kind.lower() not in _PROMETHEUS:
        msg = (
            f"its metric source is {kind!r}, which does not speak PromQL"
            if kind
            else ("its metric source has no type")
        )
        raise ValueError(msg)
    query = text(spec.get("query")).strip()
    if not query:
        msg = "its metric source has no query"
        raise ValueError(msg)
    return query


def _selector(query: str) -> str | None:
    """The selector of counters in ``counters`` or ``sum(counters)``, if the query is just that."""
    if _PLACE in query:
        return None
    try:
        node = tree.unwrapped(parse(query))
    except WorkbenchError as error:
        msg = f"its query is no PromQL: {error.what}"
        raise ValueError(msg) from None
    text_of = query
    if isinstance(node, tree.AggregateExpr) and node.op == "sum":
        node = tree.unwrapped(node.expr)
        start, end = query.find("("), query.rfind(")")
        text_of = query[start + 1 : end] if query.lower().startswith("sum(") else ""
    plain = isinstance(node, tree.VectorSelector) and node.is_plain
    return text_of.strip() or None if plain else None


def _template(query: str, selector: str | None, notes: list[str], *, counter: bool) -> str:
    """A query that counts over any window."""
    if selector is not None:
        if counter:
            return f"sum(increase({selector}[{_PLACE}]))"
        notes.append("its metric is no counter: every sample is taken for a number of events")
        return f"sum(sum_over_time({selector}[{_PLACE}]))"
    found = _windowed(query, notes)
    if found is None:
        msg = f"its query {query} counts nothing over a window"
        raise ValueError(msg)
    return found


def _windowed(query: str, notes: list[str]) -> str | None:
    """The query with the window in place of its one fixed range; None where there is no such."""
    if _PLACE in query.replace(" ", ""):
        return query
    ranges = [n for n in tree.walk(parse(query)) if isinstance(n, tree.MatrixSelector)]
    subqueries = any(isinstance(n, tree.SubqueryExpr) for n in tree.walk(parse(query)))
    if not ranges or subqueries or len({n.range_ms for n in ranges}) != 1:
        return None
    pieces, last, opened = [], 0, None
    for token in tokenize(query):
        if token.text == "[":
            opened = token
        elif token.text == "]" and opened is not None:
            pieces += [query[last : opened.end], _PLACE]
            last, opened = token.start, None
    notes.append("the range in its queries is taken for the window, whatever it is")
    return "".join([*pieces, query[last:]])
