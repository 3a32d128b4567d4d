"""Whether a panel, variable or annotation of a dashboard asks a Prometheus.

A dashboard names its sources in many ways: an object with a type, a name, a variable, nothing at all
(the server's default). What is certain is decided by the type. Where the type is not told, a query
with an ``expr`` is taken as PromQL: better one query too many than a metric wrongly called unused.
LogQL that slips in so is recognised by its pipes and left out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any, Final

from workbench.usage.document import mapping, sequence, text

__all__ = ["Answerer", "Sources", "is_logql"]

_PROMETHEUS: Final = re.compile(
    r"prometheus|victoriametrics-(?:metrics-)?datasource|mimir|\bcortex\b"
)
_VARIABLE: Final = re.compile(r"^(?:\$\{?|\[\[)(\w+)(?:\}|\]\])?$")
_MIXED: Final = frozenset(("-- Mixed --", "mixed"))
_OWN: Final = frozenset(
    ("-- Grafana --", "grafana", "-- Dashboard --", "__expr__", "-- Expressions --")
)
_LOGQL: Final = re.compile(
    r"\|[=~>]|!>|\|\s*(?:json|logfmt|unwrap|line_format|label_format|pattern|regexp)\b"
)

Answerer = bool | None
"""Whether it is a Prometheus; None where that is not told."""


@dataclass(slots=True)
class Sources:
    """What a dashboard says of its sources.

    Parameters
    ----------
    variables
        Variables and inputs that stand for a source, each to the source's type.
    """

    variables: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, dashboard: dict[str, Any]) -> Sources:
        """Read them from a dashboard."""
        found: dict[str, str] = {}
        for one in sequence(dashboard.get("__inputs")):
            item = mapping(one)
            found[text(item.get("name"))] = text(item.get("pluginId"))
        for one in sequence(mapping(dashboard.get("templating")).get("list")):
            item = mapping(one)
            if text(item.get("type")) == "datasource":
                found[text(item.get("name"))] = text(item.get("query"))
        return cls(found)

    def is_prometheus(self, source: Any) -> Answerer:
        """Whether a ``datasource`` is a Prometheus; None where it does not say."""
        if isinstance(source, dict):
            kind = text(source.get("type"))
            if kind and not _VARIABLE.match(kind) and kind != "datasource":
                return _PROMETHEUS.search(kind.lower()) is not None
            return self._named(text(source.get("uid")) or text(source.get("name")))
        return self._named(text(source))

    def _named(self, name: str) -> Answerer:
        if name in _MIXED or not name:
            return None
        if name in _OWN:
            return False
        used = _VARIABLE.match(name)
        if used and self.variables.get(used[1]):
            return _PROMETHEUS.search(self.variables[used[1]].lower()) is not None
        return None

    def both(self, outer: Any, inner: Any) -> Answerer:
        """Of a target: its own source if it tells one, else the panel's."""
        own = self.is_prometheus(inner)
        return self.is_prometheus(outer) if own is None else own


def is_logql(expression: str) -> bool:
    """Whether it is Loki's language rather than broken PromQL.

    Examples
    --------
    >>> is_logql('{app="x"} |= "error"'), is_logql("sum(rate(x[5m])")
    (True, False)
    """
    return _LOGQL.search(expression) is not None
