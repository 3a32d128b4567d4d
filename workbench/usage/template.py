"""Labels that text for people names: Go templates of rules, legends, links and regexes of Grafana."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["field_labels", "label_name", "legend_labels", "template_labels", "template_queries"]

_ACTION: Final = re.compile(r"\{\{-?(.*?)-?\}\}", re.DOTALL)
_RULE_LABEL: Final = re.compile(
    r"""(?:\$labels|\.Labels)\.(\w+)
      | index\s+(?:\$labels|\.Labels)\s+["`](\w+)["`]""",
    re.VERBOSE,
)
_RESULT_LABEL: Final = re.compile(r"""\blabel\s+["`](\w+)["`]""")
_QUERY: Final = re.compile(r"""\bquery\s+(?:"((?:\\.|[^"\\])*)"|`([^`]*)`)""")
_QUOTED: Final = re.compile(r"\\(.)", re.DOTALL)
_LEGEND: Final = re.compile(r"\{\{\s*([a-zA-Z_]\w*)\s*\}\}", re.ASCII)
_FIELD: Final = re.compile(
    r"""\$\{__(?:field\.labels|data\.fields|series\.labels)
        (?:\.(\w+)|\[\\?["'](\w+)\\?["']\])""",
    re.VERBOSE,
)
_NAME: Final = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*")
_COLUMNS: Final = frozenset(("Time", "Value", "Metric", "Name", "Field", "Last", "Max", "Min"))
"""What Grafana calls columns that are no labels."""


def template_labels(text: str) -> tuple[str, ...]:
    """The labels that a rule's label or annotation names.

    Examples
    --------
    >>> template_labels('{{ $labels.instance }} of {{ index .Labels "job" }}: {{ $value }}')
    ('instance', 'job')
    """
    found = [
        label
        for action in _ACTION.findall(text)
        for pair in _RULE_LABEL.findall(action)
        for label in pair
        if label
    ]
    return tuple(dict.fromkeys(found))


def template_queries(text: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """The queries that a rule's annotation asks, each with the labels of its answer it names.

    Examples
    --------
    >>> template_queries('{{ with query "up == 0" }}{{ . | first | label "job" }}{{ end }}')
    (('up == 0', ('job',)),)
    """
    actions = _ACTION.findall(text)
    labels = tuple(name for action in actions for name in _RESULT_LABEL.findall(action))
    found = [pair for action in actions for pair in _QUERY.findall(action)]
    return tuple((_QUOTED.sub(r"\1", quoted) if quoted else raw, labels) for quoted, raw in found)


def legend_labels(text: str) -> tuple[str, ...]:
    """The labels that a legend or an annotation's title names: ``{{instance}}``."""
    return tuple(dict.fromkeys(_LEGEND.findall(text)))


def field_labels(text: str) -> tuple[str, ...]:
    """The labels that a link or a display name takes from its series.

    Examples
    --------
    >>> field_labels("/d/x?node=${__field.labels.instance}&job=${__data.fields['job']}")
    ('instance', 'job')
    """
    return tuple(dict.fromkeys(name for pair in _FIELD.findall(text) for name in pair if name))


def label_name(text: str) -> str:
    """The text if it can be a label's name rather than a column of Grafana's own, else ``""``."""
    return text if _NAME.fullmatch(text) and text not in _COLUMNS else ""
