"""A Grafana dashboard in its classic form: rows or panels, variables and annotations.

Newer forms and Perses are turned into this one first (`manifest`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final

from workbench.inventory import Place
from workbench.promql.matcher import Matcher
from workbench.usage.datasource import Answerer, Sources, is_logql
from workbench.usage.demand import EVERYTHING, Demand
from workbench.usage.document import mapping, sequence, text
from workbench.usage.labelset import ALL
from workbench.usage.listing import Listing, listing_of
from workbench.usage.locator import Locator
from workbench.usage.panel import panel_labels, target_labels, variable_regex_labels
from workbench.usage.query import Collection, Kind, Query, name_words, read_query
from workbench.usage.reading import Reading
from workbench.usage.substitution import attempts
from workbench.usage.template import legend_labels
from workbench.usage.variable import Variable, variables_of

__all__ = ["DashboardReader", "is_dashboard"]

_DEEPEST: Final = 20
_UNSLUGGED: Final = re.compile(r"[^a-z0-9]+")


def is_dashboard(document: Any) -> bool:
    """Whether it is a classic dashboard."""
    body = mapping(document)
    return (isinstance(body.get("panels"), list) or isinstance(body.get("rows"), list)) and (
        "title" in body or "schemaVersion" in body
    )


@dataclass(slots=True)
class DashboardReader:
    """Reads one dashboard.

    Parameters
    ----------
    dashboard
        The document.
    path
        The file.
    locator
        Finds the lines of its queries.
    skipped
        Counts what is left out, by reason.
    notes
        What could not be known, a sentence each.
    """

    dashboard: dict[str, Any]
    path: str
    locator: Locator
    slug: str = ""
    skipped: Counter[str] = field(default_factory=Counter)
    notes: list[str] = field(default_factory=list)
    _variables: dict[str, Variable] = field(init=False)
    _sources: Sources = field(init=False)
    _collection: Collection = field(init=False)
    _filtered: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        listed = sequence(mapping(self.dashboard.get("templating")).get("list"))
        self._variables = variables_of(listed, sequence(self.dashboard.get("__inputs")))
        self._sources = Sources.of(self.dashboard)
        title = text(self.dashboard.get("title"))
        self._collection = Collection(
            "dashboard",
            title,
            self.path,
            uid=text(self.dashboard.get("uid")),
            slug=self.slug or _UNSLUGGED.sub("-", title.lower()).strip("-"),
        )
        self._filtered = tuple(_filter_labels(listed))

    def queries(self) -> Iterator[Query]:
        """Every query of the dashboard."""
        for one in sequence(mapping(self.dashboard.get("templating")).get("list")):
            yield from self._variable(mapping(one))
        for one in sequence(mapping(self.dashboard.get("annotations")).get("list")):
            yield from self._annotation(mapping(one))
        for panel in self._panels():
            yield from self._panel(panel)

    # ---------------------------------------------------------------- panels

    def _panels(self) -> Iterator[dict[str, Any]]:
        """Panels within rows and within collapsed rows too."""
        outer = [*sequence(self.dashboard.get("panels")), *sequence(self.dashboard.get("rows"))]
        waiting = [(mapping(one), 0) for one in reversed(outer)]
        while waiting:
            panel, depth = waiting.pop()
            inner = sequence(panel.get("panels")) if depth < _DEEPEST else []
            waiting += [(mapping(one), depth + 1) for one in reversed(inner)]
            if panel:
                yield self._with_library(panel)

    def _with_library(self, panel: dict[str, Any]) -> dict[str, Any]:
        """The panel's own model where it is exported with the dashboard, else a note."""
        library = mapping(panel.get("libraryPanel"))
        if not library or "targets" in panel:
            return panel
        uid, name = text(library.get("uid")), text(library.get("name"))
        element = mapping(mapping(self.dashboard.get("__elements")).get(uid))
        model = mapping(element.get("model")) or mapping(library.get("model"))
        if not model:
            self.notes.append(
                f"{self.path}: the library panel {name or uid!r} is not in the file; what it uses"
                " is unknown"
            )
        return {**panel, **model}

    def _panel(self, panel: dict[str, Any]) -> Iterator[Query]:
        name = text(panel.get("title")) or f"panel {text(panel.get('id'))}".strip()
        named = panel_labels(panel)
        for one in sequence(panel.get("targets")):
            target = mapping(one)
            expression = text(target.get("expr"))
            source = self._sources.both(panel.get("datasource"), target.get("datasource"))
            if not self._asks(source, expression):
                continue
            wanted = EVERYTHING
            for label, where in {**named, **target_labels(target)}.items():
                wanted = wanted.naming([label], where)
            yield self._query(expression, Kind.PANEL, name, wanted)

    def _asks(self, source: Answerer, expression: str) -> bool:
        """Whether a query is for a Prometheus; what is not, is counted."""
        if source is False:
            self.skipped["query of another kind of source"] += 1
            return False
        if not expression.strip():
            return False
        if source is None and is_logql(expression):
            self.skipped["query in LogQL"] += 1
            return False
        return True

    # ---------------------------------------------------------------- annotations and variables

    def _annotation(self, item: dict[str, Any]) -> Iterator[Query]:
        expression = text(item.get("expr")) or text(mapping(item.get("target")).get("expr"))
        if not expression or not self._asks(
            self._sources.is_prometheus(item.get("datasource")), expression
        ):
            return
        texts = (text(item.get("titleFormat")), text(item.get("textFormat")))
        named = [label for one in texts for label in legend_labels(one)]
        keys = [one.strip() for one in text(item.get("tagKeys")).split(",")]
        wanted = EVERYTHING.naming([*named, *filter(None, keys)], "annotation")
        yield self._query(expression, Kind.ANNOTATION, text(item.get("name")), wanted)

    def _variable(self, item: dict[str, Any]) -> Iterator[Query]:
        if text(item.get("type")) != "query":
            return
        listing = listing_of(item.get("query")) or listing_of(item.get("definition"))
        if listing is None or not self._asks(
            self._sources.is_prometheus(item.get("datasource")), listing.expression or listing.label
        ):
            return
        found = self._listed(listing, text(item.get("name")), text(item.get("regex")))
        line = self.locator.line_of(listing.written)
        yield replace(found, expression=listing.written, place=Place(self.path, line))

    def _listed(self, listing: Listing, name: str, pattern: str) -> Query:
        title = f"${name}"
        cut = variable_regex_labels(pattern)
        if listing.asked == "label values":
            if "$" in listing.label or "[[" in listing.label:
                wanted = Demand(values=False, shown=ALL)  # a variable says which label
            else:
                wanted = Demand(values=False).naming([listing.label], "label_values")
            if not listing.expression:
                any_metric = Reading((), wanted.named, wanted.shown, index_only=True)
                return self._indexed(any_metric, title)
            return self._query(listing.expression, Kind.VARIABLE, title, wanted)
        if listing.asked == "label names":
            if listing.expression:
                return self._query(listing.expression, Kind.VARIABLE, title, EVERYTHING)
            return self._indexed(Reading((), shown=ALL, index_only=True), title)
        if listing.asked == "metrics":
            names = Matcher("__name__", "=~", f".*(?:{listing.expression}).*")
            unknown = "$" in listing.expression or "[[" in listing.expression
            reading = Reading(() if unknown else (names,), vague=True)
            return self._indexed(reading, title)
        wanted = EVERYTHING if not cut else Demand()
        wanted = replace(wanted, values=listing.asked == "result")
        for label, where in cut.items():
            wanted = wanted.naming([label], where)
        return self._query(listing.expression, Kind.VARIABLE, title, wanted)

    def _indexed(self, reading: Reading, title: str) -> Query:
        place = Place(self.path)
        name = f"{self._collection.name} › {title}"
        return Query("", place, Kind.VARIABLE, name, self._collection, (reading,))

    def _query(self, expression: str, kind: Kind, name: str, wanted: Demand) -> Query:
        reads, problem = self._read(expression, wanted)
        if self._filtered:
            extra = dict.fromkeys(self._filtered, "ad hoc filter")
            reads = tuple(replace(one, required={**extra, **one.required}) for one in reads)
        return Query(
            expression,
            Place(self.path, self.locator.line_of(expression)),
            kind,
            f"{self._collection.name} › {name}",
            self._collection,
            reads,
            "",
            problem,
            name_words(expression) if problem else frozenset(),
        )

    def _read(self, expression: str, wanted: Demand) -> tuple[tuple[Reading, ...], str]:
        """Try one list of forms after the other; the first complaint is the one to tell."""
        complaints: list[str] = []
        for forms in filter(None, attempts(expression, self._variables)):
            reads, problem = read_query(forms, wanted)
            if not problem:
                return reads, ""
            complaints.append(problem)
        return (), complaints[0] if complaints else "its variables have too many values"


def _filter_labels(listed: list[Any]) -> Iterator[str]:
    """Labels of ad hoc filters, which Grafana adds to every query of the dashboard."""
    for one in listed:
        item = mapping(one)
        if text(item.get("type")) == "adhoc":
            for key in ("filters", "baseFilters", "originFilters"):
                for condition in sequence(item.get(key)):
                    name = text(mapping(condition).get("key"))
                    if name:
                        yield name
