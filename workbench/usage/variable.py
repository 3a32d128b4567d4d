"""A dashboard's variables: what is known of the values that they put into queries."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from workbench.usage.document import is_true, mapping, sequence, text
from workbench.usage.holes import Hole

__all__ = ["BUILT_IN", "Variable", "variables_of"]

_LISTED: Final = frozenset(("custom", "constant", "interval"))
"""Kinds of variables that can have no other values than those the dashboard lists."""

_ALL: Final = frozenset(("$__all", "All"))
_LONGEST: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a dashboard.

    Parameters
    ----------
    name, kind
        As Grafana calls them: ``query``, ``custom``, ``constant``, ``interval`` …
    values
        All that it can be; None where they come from a server or a keyboard.
    all_pattern
        The regular expression that stands for "All", where the dashboard gives one.
    several
        Whether several values can be chosen: then each is escaped in a regular expression.
    example
        The value that was chosen when the dashboard was saved, or the first one.
    """

    name: str
    kind: str
    values: tuple[str, ...] | None = None
    all_pattern: str = ""
    several: bool = False
    example: str = ""

    @property
    def hole(self) -> Hole:
        """What may stand where it is used."""
        patterns = (self.all_pattern,) if self.all_pattern else ()
        return Hole(self.values, patterns, plain=not self.several)


BUILT_IN: Final[Mapping[str, str]] = {
    "__interval": "1m",
    "__rate_interval": "5m",
    "__range": "1h",
    "__interval_ms": "60000",
    "__range_s": "3600",
    "__range_ms": "3600000",
    "__from": "1700000000",
    "__to": "1700003600",
}
"""Grafana's own variables that stand for durations and numbers, with a value each."""


def variables_of(listed: Iterable[Any], inputs: Iterable[Any] = ()) -> dict[str, Variable]:
    """Read a dashboard's ``templating.list``, and the constants of an exported one's ``__inputs``.

    Examples
    --------
    >>> variables_of([{"name": "m", "type": "custom", "query": "a, one : b"}])["m"].values
    ('a', 'b')
    """
    told = {
        text(one.get("name")): text(one.get("value"))
        for one in map(mapping, inputs)
        if text(one.get("type")) == "constant"
    }
    found = [Variable(name, "constant", (value,), example=value) for name, value in told.items()]
    found += [_variable(mapping(one), told) for one in listed]
    return {variable.name: variable for variable in found if variable.name}


def _variable(item: dict[str, Any], inputs: Mapping[str, str]) -> Variable:
    kind = text(item.get("type"))
    if kind == "constant":
        # An exported dashboard asks for its constants when it is imported.
        query = text(item.get("query"))
        item = {**item, "query": inputs.get(query.removeprefix("${").removesuffix("}"), query)}
    current = mapping(item.get("current")).get("value")
    chosen = [text(v) for v in (current if isinstance(current, list) else [current])]
    chosen = [v for v in chosen if v and v not in _ALL]
    values = _listed(item, kind, chosen) if kind in _LISTED else None
    several = is_true(item.get("multi")) or is_true(item.get("includeAll"))
    return Variable(
        name=text(item.get("name")),
        kind=kind,
        values=values,
        all_pattern=text(item.get("allValue")) if is_true(item.get("includeAll")) else "",
        several=several,
        example=next(iter((*chosen, *(values or ()))), text(item.get("query"))),
    )


def _listed(item: dict[str, Any], kind: str, chosen: list[str]) -> tuple[str, ...] | None:
    query = text(item.get("query"))
    options = [text(mapping(one).get("value")) for one in sequence(item.get("options"))]
    if kind == "constant":
        values = [query] if query else chosen
    else:
        values = [*options, *_split(query), *chosen]
    kept = tuple(dict.fromkeys(v for v in values if v and v not in _ALL))
    # A value that holds another variable is known only when the dashboard is opened.
    return None if not kept or any("$" in v for v in kept) else kept


def _split(query: str) -> list[str]:
    """``a, text : value`` as Grafana reads it; a comma after a backslash is part of a value."""
    if len(query) > _LONGEST:
        return []
    try:
        cells = next(
            csv.reader([query.replace("\n", " ")], escapechar="\\", skipinitialspace=True), []
        )
    except csv.Error:
        return []
    return [cell.rsplit(" : ", 1)[-1].strip() for cell in cells]
