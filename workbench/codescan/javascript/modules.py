"""What a module takes from others, and what it gives them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from workbench.codescan.expressions import Expr, Name, Opaque, Record, Text
from workbench.codescan.facts import BindingKind
from workbench.codescan.javascript.values import FUNCTIONS, JavaScriptValues, children_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["QUOTED", "ModuleReader"]

QUOTED: Final = re.compile(r"^[\"'`](.*)[\"'`]$", re.DOTALL)


class ModuleReader(JavaScriptValues):
    """The part of `JavaScriptReader` that reads imports and exports."""

    def imports(self, node: Node) -> None:
        """Note an ``import``."""
        module = self.plain(node.child_by_field_name("source"))
        for clause in children_of(node):
            if clause.type != "import_clause":
                continue
            for child in children_of(clause):
                if child.type == "identifier":
                    self.facts.imports[self.text(child)] = module
                elif child.type == "namespace_import":
                    for name in children_of(child):
                        self.facts.imports[self.text(name)] = module
                elif child.type == "named_imports":
                    self._named_imports(child, module)

    def _named_imports(self, node: Node, module: str) -> None:
        for child in children_of(node):
            name = self.text(child.child_by_field_name("name"))
            alias = self.text(child.child_by_field_name("alias")) or name
            self.facts.imports[alias] = module if name == "default" else f"{module}#{name}"

    def plain(self, node: Node | None) -> str:
        """What stands between quotes; ``""`` where there are none."""
        match = QUOTED.match(self.text(node))
        return match[1] if match else ""

    def required(self, value: Node | None) -> str:
        """The module of ``require("x")``, also awaited or asked for its default; ``""``."""
        while value is not None and value.type in ("await_expression", "parenthesized_expression"):
            value = children_of(value)[0] if children_of(value) else None
        if value is not None and self.text(value.child_by_field_name("property")) == "default":
            value = value.child_by_field_name("object")
        if value is None or value.type != "call_expression":
            return ""
        function = value.child_by_field_name("function")
        if self.text(function) not in ("require", "import"):
            return ""
        args = children_of(value.child_by_field_name("arguments"))
        return self.plain(args[0]) if args else ""

    def exports(self, node: Node) -> None:
        """Note an ``export``."""
        value = node.child_by_field_name("value")
        if value is not None:
            self.exported(self.function_or(value, ""), node)
        source = node.child_by_field_name("source")
        if source is not None and any(c.type == "*" for c in node.children):
            # All of it is handed on, under no name of its own.
            self.facts.imports[f"*{len(self.facts.imports)}"] = self.plain(source)
        for child in children_of(node):
            if child.type == "export_clause" and source is None:
                for specifier in children_of(child):
                    name = specifier.child_by_field_name("name")
                    alias = self.text(specifier.child_by_field_name("alias"))
                    if alias and name is not None:
                        self.top(alias, self.expr(name), specifier)
            elif child.type == "export_clause":
                self._named_imports(child, self.plain(source))
            elif child not in (value, source):
                self.walk(child)

    def exported(self, value: Expr, node: Node) -> None:
        """What a module gives as a whole: an object's properties, or one thing by its file's name."""
        if isinstance(value, Record):
            for key, given in value.pairs:
                same = isinstance(key, Text) and isinstance(given, Name) and given.name == key.value
                if isinstance(key, Text) and not same and not isinstance(given, Opaque):
                    self.top(key.value, given, node)
            return
        stem = self.facts.path.rpartition("/")[2].partition(".")[0]
        words = re.split(r"[-_]", stem)
        name = words[0] + "".join(w[:1].upper() + w[1:] for w in words[1:])
        if not (isinstance(value, Name) and value.name == name):
            self.top(name, value, node)
        self.top("default", value, node)

    def top(self, name: str, value: Expr, node: Node) -> None:
        """Note a name of the module itself."""
        scope, block, self.scope, self.block = self.scope, self.block, 0, 0
        self.bind(name, value, node, kind=BindingKind.CONSTANT)
        self.scope, self.block = scope, block

    def imported(self, target: Node, module: str) -> bool:
        """Note the names to which ``require("x")`` is given; False where they are no names."""
        if target.type == "identifier":
            self.facts.imports[self.text(target)] = module
            return True
        for child in children_of(target) if target.type == "object_pattern" else ():
            name = self.text(child.child_by_field_name("key") or child)
            alias = self.text(child.child_by_field_name("value") or child)
            self.facts.imports[alias] = f"{module}#{name}"
        return target.type == "object_pattern"

    def function_or(self, node: Node, name: str, owner: str = "") -> Expr:
        """A value; a function under the name that it is given."""
        if node.type in FUNCTIONS:
            return self.function_value(node, name, owner)
        return self.expr(node)
