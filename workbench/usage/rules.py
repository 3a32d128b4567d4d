"""Rule groups of Prometheus, Mimir, Loki, VictoriaMetrics and Kubernetes manifests of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

from workbench.inventory import Place
from workbench.usage.demand import EVERYTHING, Demand
from workbench.usage.document import Mapped, mapping, sequence, text
from workbench.usage.holes import NO_HOLES
from workbench.usage.query import Collection, Kind, Query, name_words, read_query
from workbench.usage.template import template_labels, template_queries

__all__ = ["holds_rules", "rule_queries"]

_MANIFESTS: Final = frozenset(("PrometheusRule", "VMRule", "GlobalRuleGroup", "RuleGroup"))
_PROM_TYPES: Final = frozenset(("", "prometheus"))


def rule_queries(document: Any, path: str) -> list[Query] | None:
    """Read the rules of a document.

    Parameters
    ----------
    document
        A rule file, a namespaced one, a list of groups, one group, an answer of a ruler's API, or a
        manifest whose ``spec`` holds groups.
    path
        Where it comes from.

    Returns
    -------
    list of Query or None
        None where the document holds no rule groups.
    """
    groups = _groups(document)
    if groups is None:
        return None
    return [query for group, namespace in groups for query in _group(group, namespace, path)]


def holds_rules(document: Any) -> bool:
    """Whether a document holds rule groups, if only an empty list of them."""
    return _groups(document) is not None


def _groups(document: Any) -> list[tuple[dict[str, Any], str]] | None:
    """Every rule group, with its namespace."""
    if isinstance(document, list):
        return [(one, "") for one in document] if _is_group_list(document) else None
    body = mapping(document)
    namespace = text(body.get("namespace"))
    if text(body.get("kind")) in _MANIFESTS:
        name = text(mapping(body.get("metadata")).get("name"))
        body, namespace = mapping(body.get("spec")), name
    elif isinstance(body.get("data"), dict) and "status" in body:
        body = mapping(body["data"])
    if isinstance(body.get("groups"), list):
        groups = [mapping(one) for one in body["groups"]]
        return [(one, namespace or text(one.get("file"))) for one in groups]
    if _is_group(body):
        return [(body, namespace)]
    if body and all(_is_group_list(groups) for groups in body.values()):
        return [(one, name) for name, groups in body.items() for one in groups]
    return None


def _is_group(value: Any) -> bool:
    rules = mapping(value).get("rules")
    return isinstance(rules, list) and any(
        {"expr", "query", "record", "alert", "data"} & mapping(rule).keys() for rule in rules
    )


def _is_group_list(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(_is_group(one) for one in value)


def _group(group: dict[str, Any], namespace: str, path: str) -> Iterator[Query]:
    collection = Collection("rule group", text(group.get("name")), path, namespace)
    static = mapping(group.get("labels"))
    for rule in sequence(group.get("rules")):
        if not isinstance(rule, dict):
            continue
        if isinstance(rule.get("data"), list):
            yield from _grafana_rule(rule, collection)
        else:
            yield from _rule(rule, static, collection)


def _rule(rule: dict[str, Any], static: dict[str, Any], collection: Collection) -> Iterator[Query]:
    key = "expr" if "expr" in rule else "query"
    expression = text(rule.get(key))
    record = text(rule.get("record"))
    if not record and text(rule.get("type")) == "recording":
        record = text(rule.get("name"))
    name = record or text(rule.get("alert")) or text(rule.get("name"))
    if not expression and not name:
        return
    place = Place(collection.path, rule.lines.get(key, 0) if isinstance(rule, Mapped) else 0)
    title = f"{collection.name} › {name}"
    kind = Kind.RECORDING_RULE if record else Kind.ALERT
    labels = {**static, **mapping(rule.get("labels"))}
    templates = [text(v) for v in (*labels.values(), *mapping(rule.get("annotations")).values())]
    wanted = EVERYTHING.dropping(labels)  # a label that the rule writes hides the series' own
    named = [label for template in templates for label in template_labels(template)]
    wanted = wanted.naming(named, "template")
    yield _Setting(place, kind, title, collection, record).query(expression, wanted)
    annotation = _Setting(place, Kind.ALERT, f"{title} (annotation)", collection)
    for template in templates:
        for asked, answered in template_queries(template):
            shown = EVERYTHING.naming(answered, "template")
            yield annotation.query(asked, shown)


def _grafana_rule(rule: dict[str, Any], collection: Collection) -> Iterator[Query]:
    """An alert that Grafana itself evaluates: several queries, of which some are arithmetic."""
    title = f"{collection.name} › {text(rule.get('title'))}"
    labels = [*mapping(rule.get("labels")).values(), *mapping(rule.get("annotations")).values()]
    named = [label for value in labels for label in template_labels(text(value))]
    record = text(mapping(rule.get("record")).get("metric"))
    kind = Kind.RECORDING_RULE if record else Kind.ALERT
    for one in sequence(rule["data"]):
        model = mapping(mapping(one).get("model"))
        source = text(mapping(model.get("datasource")).get("type"))
        expression = text(model.get("expr"))
        if (
            source not in _PROM_TYPES
            or not expression
            or text(one.get("datasourceUid")) == "__expr__"
        ):
            continue
        line = model.lines.get("expr", 0) if isinstance(model, Mapped) else 0
        wanted = EVERYTHING.naming(named, "template")
        setting = _Setting(Place(collection.path, line), kind, title, collection, record)
        yield setting.query(expression, wanted)


@dataclass(frozen=True, slots=True)
class _Setting:
    """Everything of a query but its text and what is wanted of it."""

    place: Place
    kind: Kind
    title: str
    collection: Collection
    record: str = ""

    def query(self, expression: str, wanted: Demand) -> Query:
        reads, problem = read_query([(expression, NO_HOLES)], wanted)
        words = name_words(expression) if problem else frozenset()
        return Query(
            expression,
            self.place,
            self.kind,
            self.title,
            self.collection,
            reads,
            self.record,
            problem,
            words,
        )
