"""Dashboards in other wrappings: Grafana's API and new schema, Kubernetes manifests, Perses.

Each is turned into the classic form, as far as its queries and the labels it names go.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from workbench.errors import InputError
from workbench.usage.dashboard import is_dashboard
from workbench.usage.document import json_document, mapping, sequence, text

__all__ = ["dashboards_in"]

_VARIABLE_KINDS: Final = {
    "QueryVariable": "query",
    "CustomVariable": "custom",
    "ConstantVariable": "constant",
    "IntervalVariable": "interval",
    "TextVariable": "textbox",
    "DatasourceVariable": "datasource",
    "AdhocVariable": "adhoc",
}
_NOT_A_TYPE: Final = frozenset(("DataQuery", ""))


def dashboards_in(document: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Give every dashboard of a document in the classic form, with its slug where that is told."""
    body = mapping(document)
    wrapped = mapping(body.get("dashboard"))
    spec = mapping(body.get("spec"))
    if is_dashboard(wrapped):
        yield wrapped, text(mapping(body.get("meta")).get("slug"))
    elif is_dashboard(body):
        yield body, ""
    elif text(body.get("kind")) == "ConfigMap":
        yield from _embedded(mapping(body.get("data")))
    elif isinstance(spec.get("json"), str):
        yield from _embedded({"spec.json": spec["json"]})
    elif isinstance(spec.get("elements"), dict):
        yield _from_elements(spec, mapping(body.get("metadata"))), ""
    elif isinstance(body.get("elements"), dict) and "title" in body:
        yield _from_elements(body, {}), ""
    elif is_dashboard(spec):
        yield {"uid": text(mapping(body.get("metadata")).get("name")), **spec}, ""
    elif text(body.get("kind")) == "Dashboard" and isinstance(spec.get("panels"), dict):
        yield _from_perses(spec, mapping(body.get("metadata"))), ""


def _embedded(files: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    """Dashboards as JSON text within a manifest."""
    for content in files.values():
        if not isinstance(content, str) or not content.lstrip().startswith("{"):
            continue
        try:
            inner = json_document(content.encode(errors="replace"))
        except InputError:
            continue
        if is_dashboard(inner) or is_dashboard(mapping(inner).get("dashboard")):
            yield from dashboards_in(inner)


# -------------------------------------------------------------------- Grafana's schema 2


def _from_elements(spec: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    variables = [_element_variable(mapping(one)) for one in sequence(spec.get("variables"))]
    annotations = [mapping(mapping(one).get("spec")) for one in sequence(spec.get("annotations"))]
    return {
        "title": text(spec.get("title")),
        "uid": text(metadata.get("name")),
        "panels": [_element_panel(mapping(one)) for one in mapping(spec.get("elements")).values()],
        "templating": {"list": variables},
        "annotations": {"list": [_element_annotation(one) for one in annotations]},
    }


def _element_panel(element: dict[str, Any]) -> dict[str, Any]:
    spec = mapping(element.get("spec"))
    if text(element.get("kind")) == "LibraryPanel":
        return {"title": text(spec.get("title")), "libraryPanel": mapping(spec.get("libraryPanel"))}
    data = mapping(mapping(spec.get("data")).get("spec"))
    drawn = mapping(mapping(spec.get("vizConfig")).get("spec"))
    queries = [mapping(mapping(one).get("spec")) for one in sequence(data.get("queries"))]
    changes = [mapping(mapping(one).get("spec")) for one in sequence(data.get("transformations"))]
    return {
        "id": spec.get("id"),
        "title": text(spec.get("title")),
        "links": spec.get("links"),
        "fieldConfig": drawn.get("fieldConfig"),
        "options": drawn.get("options"),
        "transformations": changes,
        "targets": [_element_query(one) for one in queries],
    }


def _element_query(spec: dict[str, Any]) -> dict[str, Any]:
    query = mapping(spec.get("query"))
    return {**mapping(query.get("spec")), "datasource": _element_source(spec, query)}


def _element_source(spec: dict[str, Any], query: dict[str, Any]) -> dict[str, str]:
    named = mapping(spec.get("datasource")) or mapping(query.get("datasource"))
    kind = text(query.get("kind"))
    kind = text(query.get("group")) if kind in _NOT_A_TYPE else kind
    uid = text(named.get("uid")) or text(named.get("name"))
    return {"type": kind or text(named.get("type")), "uid": uid}


def _element_variable(variable: dict[str, Any]) -> dict[str, Any]:
    spec = mapping(variable.get("spec"))
    kind = _VARIABLE_KINDS.get(text(variable.get("kind")), "")
    query = spec.get("query")
    if kind == "query":
        inner = mapping(query)
        source = _element_source(spec, inner)
        return {**spec, "type": kind, "query": inner.get("spec") or query, "datasource": source}
    if kind == "datasource":
        return {**spec, "type": kind, "query": text(spec.get("pluginId"))}
    return {**spec, "type": kind}


def _element_annotation(spec: dict[str, Any]) -> dict[str, Any]:
    query = mapping(spec.get("query"))
    return {**spec, **mapping(query.get("spec")), "datasource": _element_source(spec, query)}


# -------------------------------------------------------------------- Perses


def _from_perses(spec: dict[str, Any], metadata: dict[str, Any]) -> dict[str, Any]:
    display = mapping(spec.get("display"))
    variables = [_perses_variable(mapping(one)) for one in sequence(spec.get("variables"))]
    return {
        "title": text(display.get("name")) or text(metadata.get("name")),
        "uid": text(metadata.get("name")),
        "panels": [_perses_panel(mapping(one)) for one in mapping(spec.get("panels")).values()],
        "templating": {"list": [one for listed in variables for one in listed]},
    }


def _perses_panel(panel: dict[str, Any]) -> dict[str, Any]:
    spec = mapping(panel.get("spec"))
    targets = []
    for one in sequence(spec.get("queries")):
        plugin = mapping(mapping(mapping(one).get("spec")).get("plugin"))
        inner = mapping(plugin.get("spec"))
        targets.append(
            {
                "expr": text(inner.get("query")),
                "legendFormat": text(inner.get("seriesNameFormat")),
                "datasource": {"type": text(plugin.get("kind")) or "prometheus"},
            }
        )
    return {"title": text(mapping(spec.get("display")).get("name")), "targets": targets}


def _perses_variable(variable: dict[str, Any]) -> list[dict[str, Any]]:
    """A variable in the classic form: one for each series that its values come from."""
    spec = mapping(variable.get("spec"))
    name = text(spec.get("name"))
    if text(variable.get("kind")) == "TextVariable":
        return [{"name": name, "type": "textbox", "query": text(spec.get("value"))}]
    plugin = mapping(spec.get("plugin"))
    inner = mapping(plugin.get("spec"))
    base = {
        "name": name,
        "type": "query",
        "multi": spec.get("allowMultiple"),
        "includeAll": spec.get("allowAllValue"),
        "allValue": spec.get("customAllValue"),
        "datasource": {"type": text(plugin.get("kind"))},
    }
    label = text(inner.get("labelName"))
    match text(plugin.get("kind")):
        case "PrometheusLabelValuesVariable":
            matchers = [text(one) for one in sequence(inner.get("matchers"))]
            return [
                {
                    **base,
                    "query": f"label_values({one}, {label})" if one else f"label_values({label})",
                }
                for one in matchers or [""]
            ]
        case "PrometheusLabelNamesVariable":
            matchers = [text(one) for one in sequence(inner.get("matchers"))]
            return [{**base, "query": f"label_names({one})"} for one in matchers or [""]]
        case "PrometheusPromQLVariable":
            regex = f'{label}="'
            return [{**base, "query": f"query_result({text(inner.get('expr'))})", "regex": regex}]
        case "StaticListVariable":
            values = [
                {"value": text(mapping(one).get("value")) if isinstance(one, dict) else text(one)}
                for one in sequence(inner.get("values"))
            ]
            return [{**base, "type": "custom", "options": values}]
        case _:
            return [base]
