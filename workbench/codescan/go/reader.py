"""Go source → facts."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, ClassVar, Final

from workbench.codescan.expressions import (
    Call,
    Element,
    Expr,
    Index,
    Items,
    Join,
    Member,
    Name,
    Part,
    Text,
)
from workbench.codescan.facts import BindingKind, Parameter
from workbench.codescan.go.literals import text_of
from workbench.codescan.go.values import GoValues

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["GoReader"]

_BASIC: Final = frozenset({"string", "byte", "rune", "bool", "error", "any", "uintptr"})
_NUMBER: Final = re.compile(r"(?:u?int|float|complex)\d*")
_TRUTHS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||"})


class GoReader(GoValues):
    """Reads one Go file; its package is its folder."""

    def _import(self, node: Node) -> None:
        path = text_of(self.text(node.child_by_field_name("path")))
        name = self.text(node.child_by_field_name("name"))
        self.facts.imports[name or package_name(path)] = path

    def _package(self, node: Node) -> None:
        self.facts.package = self.facts.path.rpartition("/")[0]
        self.walk_all(node)

    def _constants(self, node: Node) -> None:
        type_, values = "", []
        for spec in node.named_children:
            if spec.type != "const_spec":
                continue
            given = spec.child_by_field_name("value")
            said = self.text(spec.child_by_field_name("type"))
            if given is not None or said:
                # Without a value of its own a constant repeats the one above it, and its type.
                type_, values = said, self.exprs(given)
            for i, name in enumerate(_names(spec)):
                value = values[i] if i < len(values) else None
                self._constant(self.text(name), value, type_, spec)

    def _constant(self, name: str, value: Expr | None, type_: str, node: Node) -> None:
        if not type_ and isinstance(value, Call) and isinstance(value.callee, Name) and value.args:
            # const A = Reason("a"): a conversion gives the type.
            converted = value.callee.name
            value, type_ = value.args[0], converted
        self.bind(name, value, node, kind=BindingKind.CONSTANT, type_=type_)
        closed = type_ and "." not in type_ and not _NUMBER.fullmatch(type_)
        if closed and type_ not in _BASIC and self.scope == 0 and name != "_":
            said = value.value if isinstance(value, Text) else None
            self.facts.enums.setdefault(type_, {})[name] = said

    def _variable(self, node: Node) -> None:
        type_ = self.text(node.child_by_field_name("type"))
        names = [self.text(n) for n in _names(node)]
        values = self.exprs(node.child_by_field_name("value"))
        self._assign(names, values, node, BindingKind.DECLARED, type_)

    def _short_variable(self, node: Node) -> None:
        left = node.child_by_field_name("left")
        names = [self.text(n) for n in left.named_children] if left is not None else []
        values = self.exprs(node.child_by_field_name("right"))
        self._assign(names, values, node, BindingKind.DECLARED, "")

    def _assign(
        self, names: list[str], values: list[Expr], node: Node, kind: BindingKind, type_: str
    ) -> None:
        for i, name in enumerate(names):
            if name == "_":
                continue
            value: Expr | None = None
            if len(values) == len(names):
                value = values[i]
            elif len(values) == 1:
                value = Part(values[0].start, values[0].end, values[0], i)
            self.bind(name, value, node, kind=kind, type_=type_)

    def _assignment(self, node: Node) -> None:
        left = self.exprs(node.child_by_field_name("left"))
        values = self.exprs(node.child_by_field_name("right"))
        operator = self.text(node.child_by_field_name("operator"))
        for i, target in enumerate(left):
            value: Expr | None = None
            if len(values) == len(left):
                value = values[i]
            elif len(values) == 1:
                value = Part(values[0].start, values[0].end, values[0], i)
            if operator == "+=" and value is not None:
                value = Join(node.start_byte, node.end_byte, (target, value))
            if isinstance(target, Name):
                self.bind(target.name, value, node)
            elif isinstance(target, Member):
                self.bind(target.name, value, node, kind=BindingKind.FIELD)
            elif isinstance(target, Index) and isinstance(target.of, Name | Member):
                # m[k] = v: an element that the map may give; an element of one is its whole.
                name = target.of.name
                listed = Items(node.start_byte, node.end_byte, (value,)) if value else None
                self.bind(f"{name}[]", listed, node)

    def _range(self, node: Node) -> None:
        right = self.expr(node.child_by_field_name("right"))
        left = node.child_by_field_name("left")
        for i, name in enumerate(left.named_children if left is not None else ()):
            if name.type == "identifier" and self.text(name) != "_":
                value = Element(right.start, right.end, right, key=i == 0)
                self.bind(self.text(name), value, node, kind=BindingKind.DECLARED)

    def _for(self, node: Node) -> None:
        with self.branch(loop=True):
            self.walk_all(node)

    def _if(self, node: Node) -> None:
        # What `if x := …; cond` declares is seen by both branches only.
        with self.branch():
            if (first := node.child_by_field_name("initializer")) is not None:
                self.walk(first)
            condition = node.child_by_field_name("condition")
            said = self.text(condition)
            if first is not None:
                said = f"{self.text(first)}; {said}"
            if condition is not None:
                self.walk(condition)
            for side in ("consequence", "alternative"):
                if (body := node.child_by_field_name(side)) is not None:
                    with self.branch(said):
                        self.walk(body)

    def _switch(self, node: Node) -> None:
        with self.branch():
            for child in node.named_children:
                if child.type in _CASES:
                    with self.branch(f"switch {self.text(node.child_by_field_name('value'))}"):
                        self.walk_all(child)
                else:
                    self.walk(child)

    def _return(self, node: Node) -> None:
        values = [v for child in node.named_children for v in self._returned(child)]
        self.returned(values)

    def _returned(self, node: Node) -> list[Expr]:
        return self.exprs(node) if node.type == "expression_list" else [self.expr(node)]

    def _function(self, node: Node) -> None:
        name = self.text(node.child_by_field_name("name"))
        receiver, owner = "", ""
        if (held := node.child_by_field_name("receiver")) is not None:
            for parameter in self.listed(held):
                receiver, owner = parameter.name, bare_type(parameter.type)
        results = self._results(node)
        with self.function(
            node,
            name,
            self.parameters(node),
            owner=owner,
            receiver=receiver,
            results=tuple(r.type for r in results),
        ):
            for parameter in results:
                if not parameter.name:
                    continue
                self.bind(
                    parameter.name, None, node, kind=BindingKind.DECLARED, type_=parameter.type
                )
            self.walk_all(node.child_by_field_name("body"))

    def _results(self, node: Node) -> list[Parameter]:
        result = node.child_by_field_name("result")
        if result is None:
            return []
        if result.type != "parameter_list":
            return [Parameter("", self.text(result))]
        return self.listed(result)

    def _type(self, node: Node) -> None:
        owner = self.text(node.child_by_field_name("name"))
        body = node.child_by_field_name("type")
        if body is None or body.type != "struct_type":
            return
        for fields in body.named_children:
            for field in fields.named_children:
                if field.type == "field_declaration":
                    type_ = self.text(field.child_by_field_name("type"))
                    for name in field.children_by_field_name("name"):
                        self.facts.fields[owner, self.text(name)] = type_

    statements: ClassVar = {
        "package_clause": _package,
        "import_spec": _import,
        "const_declaration": _constants,
        "var_spec": _variable,
        "short_var_declaration": _short_variable,
        "assignment_statement": _assignment,
        "range_clause": _range,
        "for_statement": _for,
        "if_statement": _if,
        "expression_switch_statement": _switch,
        "type_switch_statement": _switch,
        "select_statement": _switch,
        "return_statement": _return,
        "function_declaration": _function,
        "method_declaration": _function,
        "type_spec": _type,
    }


_CASES: Final = frozenset({"expression_case", "default_case", "type_case", "communication_case"})


def package_name(path: str) -> str:
    """The name by which a package is known where it is imported without one.

    Examples
    --------
    >>> package_name("github.com/go-chi/chi/v5"), package_name("gopkg.in/yaml.v3")
    ('chi', 'yaml')
    """
    parts = [p for p in path.split("/") if p]
    if len(parts) > 1 and parts[-1][:1] == "v" and parts[-1][1:].isdigit():
        parts.pop()
    name = parts[-1] if parts else ""
    stem, dot, version = name.rpartition(".v")
    return (stem if dot and version.isdigit() else name).removeprefix("go-").replace("-", "_")


def bare_type(type_: str) -> str:
    """A type without pointers and type arguments.

    Examples
    --------
    >>> bare_type("*Cache[K, V]")
    'Cache'
    """
    return type_.lstrip("*&").partition("[")[0] if not type_.startswith("[") else type_


def _names(spec: Node) -> list[Node]:
    return [n for n in spec.children_by_field_name("name") if n.type == "identifier"]
