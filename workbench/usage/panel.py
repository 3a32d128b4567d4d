"""Which labels a panel, a variable or an annotation names besides its query."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from workbench.usage.document import is_true, mapping, sequence, text
from workbench.usage.template import field_labels, label_name, legend_labels

__all__ = ["panel_labels", "target_labels", "variable_regex_labels"]

_DEEPEST: Final = 40
_REGEX_LABEL: Final = re.compile(r"\b([a-zA-Z_]\w*)\s*=\s*\\?\"", re.ASCII)
_FIELD_KEYS: Final = frozenset(
    (
        "byField",
        "field",
        "fieldName",
        "valueLabel",
        "rowField",
        "columnField",
        "valueField",
        "displayName",
    )
)


def panel_labels(panel: dict[str, Any]) -> dict[str, str]:
    """Labels that a panel's transformations, overrides, links and sorting name, each to where."""
    found: dict[str, str] = {}
    for name, where in _panel_names(panel):
        found.setdefault(name, where)
    return found


def _panel_names(panel: dict[str, Any]) -> Iterator[tuple[str, str]]:
    config = mapping(panel.get("fieldConfig"))
    changes = [mapping(one) for one in sequence(panel.get("transformations"))]
    for change in changes:
        if not is_true(change.get("disabled")):
            for name in _transformed(mapping(change.get("options"))):
                yield name, "transformation"
    shown = {"config": config, "links": panel.get("links"), "title": panel.get("title")}
    for value in _texts(shown):
        for name in field_labels(value):
            yield name, "link"
    if _has_columns(panel, changes):
        for name in _overridden(sequence(config.get("overrides"))):
            yield name, "override"
        sorting = sequence(mapping(panel.get("options")).get("sortBy"))
        for name in _named([mapping(one).get("displayName") for one in sorting]):
            yield name, "sorting"
    styles = [mapping(one) for one in sequence(panel.get("styles"))]  # tables of old Grafana
    shown_styles = [one for one in styles if text(one.get("type")) != "hidden"]
    for name in _named([one.get("pattern") for one in shown_styles]):
        yield name, "column"


def _has_columns(panel: dict[str, Any], changes: list[dict[str, Any]]) -> bool:
    """Whether labels are columns there; elsewhere an override's name is that of a whole series."""
    formats = {text(mapping(one).get("format")) for one in sequence(panel.get("targets"))}
    return bool(changes) or "table" in formats or text(panel.get("type")).startswith("table")


def _overridden(overrides: list[Any]) -> Iterator[str]:
    for one in overrides:
        options = mapping(mapping(one).get("matcher")).get("options")
        yield from _named(options if isinstance(options, list) else [options])


def target_labels(target: dict[str, Any]) -> dict[str, str]:
    """Labels that the legend names."""
    return dict.fromkeys(legend_labels(text(target.get("legendFormat"))), "legend")


def variable_regex_labels(pattern: str) -> dict[str, str]:
    """Labels that a variable's regular expression cuts out of a query's result.

    Examples
    --------
    >>> variable_regex_labels('/.*instance="([^"]+)".*/')
    {'instance': 'regex'}
    """
    return dict.fromkeys(_REGEX_LABEL.findall(pattern), "regex")


def _transformed(options: dict[str, Any]) -> Iterator[str]:
    hidden = {name for name, off in mapping(options.get("excludeByName")).items() if is_true(off)}
    for key in ("renameByName", "indexByName", "includeByName", "fields"):
        yield from _named([n for n in mapping(options.get(key)) if n not in hidden])
    yield from _named(sequence(mapping(options.get("include")).get("names")))
    yield from _named(sequence(options.get("keepLabels")))
    yield from _named(options.get(key) for key in sorted(_FIELD_KEYS))
    for key in ("sort", "filters", "conversions", "groupings"):
        for one in sequence(options.get(key)):
            item = mapping(one)
            yield from _named(item.get(name) for name in ("field", "fieldName", "targetField"))


def _named(values: Any) -> Iterator[str]:
    for value in values:
        name = label_name(text(value)) if isinstance(value, str) else ""
        if name:
            yield name


def _texts(value: Any) -> Iterator[str]:
    """Every text in a part of a document."""
    waiting: list[tuple[Any, int]] = [(value, 0)]
    while waiting:
        one, depth = waiting.pop()
        if isinstance(one, str):
            yield one
        elif depth < _DEEPEST and isinstance(one, dict | list):
            inner = one.values() if isinstance(one, dict) else one
            waiting += [(child, depth + 1) for child in inner]
