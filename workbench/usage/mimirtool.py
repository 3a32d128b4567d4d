"""The JSON of ``mimirtool analyze grafana``, ``ruler`` and ``prometheus``: read and written.

Their files know metrics only by name, so what is read from them is coarse: nothing is known of
labels. The keys are theirs, misspelling and all. Not taken over are three faults of theirs: patterns
on ``__name__`` are matched against the names that there are, ``{__name__="x"}`` uses x, and
``{__name__!="x"}`` does not.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.inventory import Inventory, ObservedMetric, Place
from workbench.promql.matcher import Matcher
from workbench.usage.document import mapping, sequence, text
from workbench.usage.labelset import ALL
from workbench.usage.query import Collection, Kind, Query
from workbench.usage.reading import Certainty, Reading

if TYPE_CHECKING:
    from workbench.usage.usage import Usage

__all__ = [
    "grafana_analysis",
    "mimirtool_inventory",
    "mimirtool_json",
    "mimirtool_queries",
    "prometheus_analysis",
    "ruler_analysis",
]

_GO_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})
_COUNTS: Final = ("in_use_metric_counts", "additional_metric_counts")


# -------------------------------------------------------------------- reading


def mimirtool_queries(document: Any, path: str) -> list[Query] | None:
    """Read one of the three files; None where it is none of them.

    Each dashboard and rule group becomes one query that reads its metrics. Of ``analyze prometheus``
    the metrics in use are read; `mimirtool_inventory` reads its counts.
    """
    body = mapping(document)
    if "metricsUsed" in body and isinstance(body.get("dashboards"), list):
        return [_of_dashboard(mapping(one), path) for one in body["dashboards"]]
    if "metricsUsed" in body and isinstance(body.get("ruleGroups"), list):
        return [_of_group(mapping(one), path) for one in body["ruleGroups"]]
    if "in_use_metric_counts" in body:
        names = [text(mapping(one).get("metric")) for one in sequence(body["in_use_metric_counts"])]
        collection = Collection("dashboard", "mimirtool analyze prometheus", path)
        return [_coarse(names, collection, Kind.PANEL)]
    return None


def _of_dashboard(item: dict[str, Any], path: str) -> Query:
    collection = Collection(
        "dashboard",
        text(item.get("title")),
        path,
        uid=text(item.get("uid")),
        slug=text(item.get("slug")),
    )
    return _coarse(_texts(item.get("metrics")), collection, Kind.PANEL)


def _of_group(item: dict[str, Any], path: str) -> Query:
    space = text(item.get("namspace")) or text(item.get("namespace"))
    collection = Collection("rule group", text(item.get("name")), path, space)
    return _coarse(_texts(item.get("metrics")), collection, Kind.ALERT)


def _texts(value: Any) -> list[str]:
    return [one for one in sequence(value) if isinstance(one, str)]


def _coarse(names: Iterable[str], collection: Collection, kind: Kind) -> Query:
    reads = tuple(Reading((Matcher("__name__", "=", name),), shown=ALL) for name in names if name)
    place = Place(collection.path)
    return Query("", place, kind, collection.name, collection, reads, coarse=True)


def mimirtool_inventory(document: Any, origin: str) -> Inventory:
    """Read the counts of ``analyze prometheus``.

    Parameters
    ----------
    document
        Its JSON, decoded.
    origin
        What to call it.
    """
    body = mapping(document)
    metrics: dict[str, ObservedMetric] = {}
    for key in _COUNTS:
        for one in sequence(body.get(key)):
            item = mapping(one)
            name = text(item.get("metric"))
            jobs = sequence(item.get("job_counts"))
            if name:
                metrics[name] = ObservedMetric(
                    name, name, _count(item.get("count")), value_counts={"job": len(jobs)}
                )
    total = _count(body.get("total_active_series"))
    notes = tuple(f"mimirtool: {error}" for error in _texts(body.get("errors")))
    return Inventory(origin, metrics, total_series=total or None, notes=notes)


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


# -------------------------------------------------------------------- writing


def grafana_analysis(usage: Usage, names: Sequence[str] = ()) -> dict[str, Any]:
    """What ``mimirtool analyze grafana`` writes.

    Parameters
    ----------
    usage
        The queries; those of dashboards are taken.
    names
        The metrics that there are, which patterns are matched against.
    """
    dashboards = [
        {
            "slug": collection.slug,
            **({"uid": collection.uid} if collection.uid else {}),
            "title": collection.name,
            "metrics": metrics,
            "parse_errors": errors,
        }
        for collection, metrics, errors in _collections(usage, "dashboard", names)
    ]
    return {"metricsUsed": _all_metrics(dashboards), "dashboards": dashboards}


def ruler_analysis(usage: Usage, names: Sequence[str] = ()) -> dict[str, Any]:
    """What ``mimirtool analyze ruler`` and ``rule-file`` write; see `grafana_analysis`."""
    groups = [
        {
            "namspace": collection.namespace,
            "name": collection.name,
            "metrics": metrics,
            "parse_errors": errors,
        }
        for collection, metrics, errors in _collections(usage, "rule group", names)
    ]
    return {"metricsUsed": _all_metrics(groups), "ruleGroups": groups}


def prometheus_analysis(usage: Usage, inventory: Inventory) -> dict[str, Any]:
    """What ``mimirtool analyze prometheus`` writes: series of metrics in use and of the others.

    A metric that is only possibly used, or only by a recording rule that nobody reads, is in use
    here, for that file has no third kind.
    """
    uses = usage.of_metrics(tuple(inventory.metrics))
    used = [metric for name, metric in inventory.metrics.items() if uses[name]]
    rest = [metric for name, metric in inventory.metrics.items() if not uses[name]]
    in_use, additional = (sum(one.series for one in part) for part in (used, rest))
    return {
        "total_active_series": in_use + additional,
        "in_use_active_series": in_use,
        "additional_active_series": additional,
        "in_use_metric_counts": _metric_counts(used),
        "additional_metric_counts": _metric_counts(rest),
        "errors": [f"{one.path}: {one.reason}" for one in usage.unread],
    }


def mimirtool_json(analysis: dict[str, Any]) -> str:
    """An analysis as text, indented and escaped as mimirtool does."""
    return json.dumps(analysis, indent=2, ensure_ascii=False).translate(_GO_ESCAPES)


def _collections(
    usage: Usage, kind: str, names: Sequence[str]
) -> list[tuple[Collection, list[str], list[str] | None]]:
    """Dashboards or rule groups, each with its metrics and with the queries that do not parse."""
    metrics: dict[Collection, set[str]] = {}
    errors: dict[Collection, list[str]] = {}
    for query in usage.queries:
        if query.collection.kind == kind:
            metrics.setdefault(query.collection, set()).update(query.metrics)
            if query.problem:
                line = f"query={query.expression}: {query.problem}"
                errors.setdefault(query.collection, []).append(line)
    for name, uses in usage.of_metrics(names).items():
        for use in uses:
            if use.query.collection.kind == kind and use.certainty is Certainty.PATTERN:
                metrics[use.query.collection].add(name)
    return [(one, sorted(found), errors.get(one)) for one, found in metrics.items()]


def _all_metrics(parts: list[dict[str, Any]]) -> list[str]:
    return sorted({name for part in parts for name in part["metrics"]})


def _metric_counts(metrics: Iterable[ObservedMetric]) -> list[dict[str, Any]]:
    ordered = sorted(metrics, key=lambda metric: (-metric.series, metric.name))
    return [
        {"metric": one.name, "count": one.series, "job_counts": _job_counts(one)} for one in ordered
    ]


def _job_counts(metric: ObservedMetric) -> list[dict[str, Any]]:
    if metric.table is None:
        return []
    counts = np.asarray(metric.table.counts("job")).tolist()
    pairs = zip(metric.table.values_of("job"), counts, strict=True)
    return [
        {"job": job, "count": n} for job, n in sorted(pairs, key=lambda pair: (-pair[1], pair[0]))
    ]
