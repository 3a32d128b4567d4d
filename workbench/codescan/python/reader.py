"""Python source → facts."""

from __future__ import annotations

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
from workbench.codescan.facts import BindingKind
from workbench.codescan.python.values import PythonValues, children_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["PythonReader"]

_ENUMS: Final = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "TextChoices"})


class PythonReader(PythonValues):
    """Reads one Python file, which is a package of its own: others import from it."""

    def _import(self, node: Node) -> None:
        for child in node.named_children:
            said = self.text(child.child_by_field_name("name") or child)
            alias = child.child_by_field_name("alias")
            if alias is not None:
                self.facts.imports[self.text(alias)] = said
            else:
                first = said.partition(".")[0]
                self.facts.imports[first] = first

    def _import_from(self, node: Node) -> None:
        module = self.text(node.child_by_field_name("module_name"))
        for child in node.children_by_field_name("name"):
            said = self.text(child.child_by_field_name("name") or child)
            alias = self.text(child.child_by_field_name("alias")) or said
            self.facts.imports[alias] = f"{module}#{said}"

    def _assignment(self, node: Node) -> None:
        right = node.child_by_field_name("right")
        value = self.expr(right) if right is not None else None
        type_ = self.text(node.child_by_field_name("type"))
        left = node.child_by_field_name("left")
        if left is None:
            return
        if right is not None and right.type == "assignment":
            # In a chain of assignments the value is that of the last.
            inner = self.facts.bindings[-1] if self.facts.bindings else None
            value = inner.value if inner is not None else None
        self._target(left, value, node, type_)

    def _augmented(self, node: Node) -> None:
        value = self.expr(node.child_by_field_name("right"))
        left = node.child_by_field_name("left")
        if left is not None and left.type == "identifier":
            joined = Join(node.start_byte, node.end_byte, (self.expr(left), value))
            self._target(left, joined, node, "")

    def _target(self, left: Node, value: Expr | None, node: Node, type_: str) -> None:
        if left.type == "identifier":
            name = self.text(left)
            if self.owner and self._in_class:
                self.bind(name, value, node, kind=BindingKind.FIELD, type_=type_, owner=self.owner)
                self.facts.fields.setdefault((self.owner, name), type_)
            else:
                constant = self.scope == 0 and self.block == 0 and name.isupper()
                kind = BindingKind.CONSTANT if constant else BindingKind.ASSIGNED
                self.bind(name, value, node, kind=kind, type_=type_)
        elif left.type == "attribute":
            target = self.expr(left)
            if isinstance(target, Member):
                self.bind(target.name, value, node, kind=BindingKind.FIELD, owner=self.owner)
                if type_:
                    self.facts.fields.setdefault((self.owner, target.name), type_)
        elif left.type == "subscript":
            target = self.expr(left)
            if isinstance(target, Index) and isinstance(target.of, Name | Member) and value:
                listed = Items(node.start_byte, node.end_byte, (value,))
                self.bind(f"{target.of.name}[]", listed, node)
        elif left.type in ("pattern_list", "tuple_pattern", "list_pattern"):
            self._targets(left, value, node)

    def _targets(self, left: Node, value: Expr | None, node: Node) -> None:
        names = left.named_children
        for i, name in enumerate(names):
            given: Expr | None = None
            if isinstance(value, Items) and len(value.items) == len(names):
                given = value.items[i]
            elif value is not None:
                given = Part(value.start, value.end, value, i)
            self._target(name, given, node, "")

    def _class(self, node: Node) -> None:
        name = self.text(node.child_by_field_name("name"))
        bases = [self.text(b) for b in children_of(node.child_by_field_name("superclasses"))]
        if any(b.rpartition(".")[2] in _ENUMS for b in bases):
            self._enum(name, node.child_by_field_name("body"))
        before, self.owner = (self.owner, self._in_class), name
        self._in_class = True
        self.walk_all(node.child_by_field_name("body"))
        self.owner, self._in_class = before

    def _enum(self, name: str, body: Node | None) -> None:
        members = self.facts.enums.setdefault(name, {})
        for statement in children_of(body):
            for child in statement.named_children:
                if child.type == "assignment":
                    right = child.child_by_field_name("right")
                    plain = right is not None and right.type == "string"
                    value = self._text(right) if plain and right is not None else None
                    said = value.value if isinstance(value, Text) else None
                    members[self.text(child.child_by_field_name("left"))] = said

    def _function(self, node: Node) -> None:
        name = self.text(node.child_by_field_name("name"))
        for default in children_of(node.child_by_field_name("parameters")):
            if (value := default.child_by_field_name("value")) is not None:
                self.walk(value)
        parameters = self.parameters(node.child_by_field_name("parameters"))
        owner, receiver = (self.owner, "") if self._in_class else ("", "")
        if owner and parameters and parameters[0].name in ("self", "cls"):
            receiver, parameters = parameters[0].name, parameters[1:]
        result = self.text(node.child_by_field_name("return_type"))
        before, self._in_class = self._in_class, False
        with self.function(
            node,
            name,
            parameters,
            owner=owner,
            receiver=receiver,
            results=(result,) if result else (),
        ):
            self.walk_all(node.child_by_field_name("body"))
        self._in_class = before

    def _return(self, node: Node) -> None:
        values = self.exprs(node)
        if len(values) == 1 and isinstance(values[0], Items):
            values = list(values[0].items)
        self.returned(values)

    def _if(self, node: Node) -> None:
        condition = node.child_by_field_name("condition")
        said = self.text(condition)
        if condition is not None:
            self.walk(condition)
        with self.branch(said):
            self.walk_all(node.child_by_field_name("consequence"))
        for other in node.children_by_field_name("alternative"):
            if other.type == "elif_clause":
                self._if(other)
            else:
                with self.branch(said):
                    self.walk_all(other.child_by_field_name("body"))

    def _for(self, node: Node) -> None:
        right = self.expr(node.child_by_field_name("right"))
        left = node.child_by_field_name("left")
        with self.branch(loop=True):
            if left is not None:
                self._loop_targets(left, right)
            self.walk_all(node.child_by_field_name("body"))
        if (other := node.child_by_field_name("alternative")) is not None:
            self.walk(other)

    def _comprehended(self, node: Node) -> None:
        right = self.expr(node.child_by_field_name("right"))
        left = node.child_by_field_name("left")
        if left is not None:
            self._loop_targets(left, right)

    def _loop_targets(self, left: Node, right: Expr) -> None:
        method, of = "", right
        if isinstance(right, Call) and isinstance(right.callee, Member):
            method, of = right.callee.name, right.callee.of
        if left.type == "identifier":
            if method not in ("keys", "values"):
                of = right
            plain = method not in ("keys", "values")
            value = Element(right.start, right.end, of, method == "keys", plain)
            self._target(left, value, left, "")
        elif method == "items" and len(left.named_children) == 2:
            for i, name in enumerate(left.named_children):
                self._target(name, Element(right.start, right.end, of, i == 0), name, "")
        else:
            self._targets(left, Element(right.start, right.end, right), left)

    def _while(self, node: Node) -> None:
        with self.branch(loop=True):
            self.walk_all(node)

    def _branch(self, node: Node) -> None:
        with self.branch():
            self.walk_all(node)

    def _try(self, node: Node) -> None:
        for child in node.named_children:
            if child.type == "finally_clause":
                self.walk_all(child)
            else:
                with self.branch():
                    self.walk_all(child)

    def _as(self, node: Node) -> None:
        caught = node.parent is not None and node.parent.type in (
            "except_clause",
            "except_group_clause",
        )
        value = self.inner(node)
        target = node.child_by_field_name("alias")
        names = target.named_children if target is not None else []
        for name in names[:1] or ([target] if target is not None else []):
            if caught:
                self.bind(self.text(name), None, node, type_="Exception")
            else:
                self._target(name, value, node, "")

    _in_class: bool = False

    statements: ClassVar = {
        "import_statement": _import,
        "import_from_statement": _import_from,
        "assignment": _assignment,
        "augmented_assignment": _augmented,
        "class_definition": _class,
        "function_definition": _function,
        "return_statement": _return,
        "if_statement": _if,
        "for_statement": _for,
        "for_in_clause": _comprehended,
        "while_statement": _while,
        "try_statement": _try,
        "case_clause": _branch,
        "as_pattern": _as,
    }
