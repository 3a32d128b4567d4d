"""What a Java file's names mean: its package, its imports, the classes that it declares itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from workbench.codescan.expressions import Expr, Name
from workbench.codescan.java.values import JavaValues, bare_type, children_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["JavaNames"]

_LANG: Final = frozenset(
    [
        "String",
        "Integer",
        "Long",
        "Double",
        "Float",
        "Boolean",
        "Short",
        "Byte",
        "Character",
        "Object",
        "Math",
        "System",
        "Thread",
        "Exception",
        "RuntimeException",
        "Throwable",
        "Error",
        "Class",
        "Enum",
        "Void",
        "Number",
        "Iterable",
        "Runnable",
        "Override",
        "List",
        "Set",
        "Map",
        "Arrays",
        "Collections",
        "Optional",
        "Objects",
        "UUID",
        "Duration",
        "Instant",
        "TimeUnit",
    ]
)
"""Names of `java.lang` and others that no tree declares."""

_LIBRARIES: Final = {
    "io.micrometer.core.instrument": frozenset(
        [
            "Counter",
            "Gauge",
            "Timer",
            "DistributionSummary",
            "LongTaskTimer",
            "FunctionCounter",
            "FunctionTimer",
            "TimeGauge",
            "MultiGauge",
            "MeterRegistry",
            "Metrics",
            "Tags",
            "Tag",
        ]
    ),
    "io.prometheus.client": frozenset(
        [
            "Counter",
            "Gauge",
            "Histogram",
            "Summary",
            "Info",
            "Enumeration",
            "CounterMetricFamily",
            "GaugeMetricFamily",
            "SummaryMetricFamily",
            "CollectorRegistry",
        ]
    ),
    "io.prometheus.metrics.core.metrics": frozenset(
        [
            "Counter",
            "Gauge",
            "Histogram",
            "Summary",
            "Info",
            "StateSet",
            "CounterWithCallback",
            "GaugeWithCallback",
            "SummaryWithCallback",
        ]
    ),
    "io.opentelemetry.api.common": frozenset({"Attributes", "AttributeKey"}),
}
"""What wildcard imports of the libraries bring."""

_TYPES: Final = frozenset(
    {"class_declaration", "interface_declaration", "record_declaration", "enum_declaration"}
)


class JavaNames(JavaValues):
    """The part of `JavaReader` that reads what names stand for."""

    def __init__(self, source: bytes, path: str) -> None:
        super().__init__(source, path)
        self.methods = {}
        self._home = ""
        self._wild: list[str] = []
        self._seen: set[str] = set()

    def program(self, node: Node) -> None:
        """Note a whole file."""
        self.types = frozenset(self._declared(node))
        self.walk_all(node)
        for name in self._seen - self.facts.imports.keys() - self.types - _LANG:
            if name not in self.facts.enums:
                self.facts.imports[name] = self._brought(name)

    def _declared(self, node: Node, depth: int = 0) -> list[str]:
        """Names of classes and interfaces, also inside others; their own methods are noted."""
        result: list[str] = []
        for child in node.named_children if depth < 10 else ():
            if child.type in _TYPES:
                name = self.text(child.child_by_field_name("name"))
                if child.type != "enum_declaration":
                    result.append(name)
                body = child.child_by_field_name("body")
                members = [
                    m
                    for b in children_of(body)
                    for m in (b.named_children if b.type == "enum_body_declarations" else [b])
                ]
                self.methods[name] = frozenset(
                    self.text(m.child_by_field_name("name"))
                    for m in members
                    if m.type == "method_declaration" and not self.is_static(m)
                )
                if body is not None:
                    result.extend(self._declared(body, depth + 1))
        return result

    def _brought(self, name: str) -> str:
        for wild in self._wild:
            if name in _LIBRARIES.get(wild, ()):
                return f"{wild}.{name}"
        return f"{self._home}#{name}"

    def package(self, node: Node) -> None:
        """Note a file's package."""
        self._home = self.text(children_of(node)[-1]) if children_of(node) else ""

    def imports(self, node: Node) -> None:
        """Note an ``import``."""
        children = children_of(node)
        said = self.text(children[0]) if children else ""
        static = any(c.type == "static" for c in node.children)
        if children and children[-1].type == "asterisk":
            self._wild.append(said)
            # Kept, for those who ask which libraries a file knows.
            self.facts.imports[f"*{len(self._wild)}"] = said
            return
        head, _, name = said.rpartition(".")
        self.facts.imports[name] = f"{head}#{name}" if static else said

    def is_static(self, node: Node) -> bool:
        """Whether a member belongs to its class, not to its objects."""
        return any(
            c.type == "static" for m in node.children if m.type == "modifiers" for c in m.children
        )

    def typed(self, type_: str) -> None:
        """Note that a type is named: it may stand in another file."""
        name = bare_type(type_).partition(".")[0].removesuffix("[]")
        if name[:1].isupper():
            self._seen.add(name)

    def _name(self, node: Node) -> Expr:
        name = self.text(node)
        if name[:1].isupper() and not name.isupper():
            self._seen.add(name)
        return Name(node.start_byte, node.end_byte, name)

    expressions: ClassVar = {**JavaValues.expressions, "identifier": _name}
