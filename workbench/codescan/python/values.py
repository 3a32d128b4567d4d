"""Python's expressions → the scanner's."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, ClassVar, Final

from workbench.codescan.expressions import (
    Call,
    Choice,
    Expr,
    Index,
    Items,
    Join,
    Member,
    Name,
    Number,
    Opaque,
    Record,
    Spread,
    Text,
    Truth,
)
from workbench.codescan.facts import Parameter
from workbench.codescan.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["PythonValues", "children_of"]

_ENUMS: Final = frozenset({"Enum", "IntEnum", "StrEnum", "Flag", "IntFlag", "TextChoices"})


class PythonValues(Reader):
    """The half of `PythonReader` that reads expressions."""

    language: ClassVar[str] = "python"

    def _text(self, node: Node) -> Expr:
        parts: list[Expr] = []
        for child in node.named_children:
            if child.type == "string_content":
                said = _decoded(self.text(node.children[0]), self.text(child))
                parts.append(Text(child.start_byte, child.end_byte, said))
            elif child.type == "interpolation":
                parts.append(self.expr(child.child_by_field_name("expression")))
        if len(parts) == 1 and not isinstance(parts[0], Text):
            return parts[0]
        if all(isinstance(p, Text) for p in parts):
            said = "".join(p.value for p in parts if isinstance(p, Text))
            return Text(node.start_byte, node.end_byte, said)
        return Join(node.start_byte, node.end_byte, tuple(parts))

    def _texts(self, node: Node) -> Expr:
        parts = self.exprs(node)
        if all(isinstance(p, Text) for p in parts):
            said = "".join(p.value for p in parts if isinstance(p, Text))
            return Text(node.start_byte, node.end_byte, said)
        return Join(node.start_byte, node.end_byte, tuple(parts))

    def _number(self, node: Node) -> Expr:
        try:
            value = float(ast.literal_eval(self.text(node)))
        except (ValueError, SyntaxError, TypeError, OverflowError):
            value = float("nan")
        return Number(node.start_byte, node.end_byte, value)

    def _truth(self, node: Node) -> Expr:
        for child in node.named_children:
            self.expr(child)
        return Truth(node.start_byte, node.end_byte)

    def _name(self, node: Node) -> Expr:
        return Name(node.start_byte, node.end_byte, self.text(node))

    def _member(self, node: Node) -> Expr:
        of = self.expr(node.child_by_field_name("object"))
        field = self.text(node.child_by_field_name("attribute"))
        return Member(node.start_byte, node.end_byte, of, field)

    def _call(self, node: Node) -> Expr:
        callee = self.expr(node.child_by_field_name("function"))
        args: list[Expr] = []
        keywords: list[tuple[str, Expr]] = []
        given = node.child_by_field_name("arguments")
        for child in given.named_children if given is not None else ():
            if child.type == "keyword_argument":
                name = self.text(child.child_by_field_name("name"))
                keywords.append((name, self.expr(child.child_by_field_name("value"))))
            elif child.type == "dictionary_splat":
                keywords.append(("**", self.inner(child)))
            elif child.type != "comment":
                args.append(self.expr(child))
        if isinstance(callee, Member) and callee.name == "format" and isinstance(callee.of, Text):
            parts = (*args, *(v for _, v in keywords))
            return Join(node.start_byte, node.end_byte, parts)
        return self.called(
            Call(node.start_byte, node.end_byte, callee, tuple(args), tuple(keywords))
        )

    def _spread(self, node: Node) -> Expr:
        return Spread(node.start_byte, node.end_byte, self.inner(node))

    def inner(self, node: Node) -> Expr:
        """The expression that a node holds."""
        children = [c for c in node.named_children if c.type != "comment"]
        return self.expr(children[0]) if children else Opaque(node.start_byte, node.end_byte)

    def _index(self, node: Node) -> Expr:
        of = self.expr(node.child_by_field_name("value"))
        index = self.expr(node.child_by_field_name("subscript"))
        return Index(node.start_byte, node.end_byte, of, index)

    def _items(self, node: Node) -> Expr:
        return Items(node.start_byte, node.end_byte, tuple(self.exprs(node)))

    def _record(self, node: Node) -> Expr:
        pairs: list[tuple[Expr, Expr]] = []
        for child in node.named_children:
            if child.type == "pair":
                key = self.expr(child.child_by_field_name("key"))
                pairs.append((key, self.expr(child.child_by_field_name("value"))))
            else:
                self.expr(child)
        return Record(node.start_byte, node.end_byte, tuple(pairs))

    def _conditional(self, node: Node) -> Expr:
        parts = self.exprs(node)
        options = (parts[0], parts[2]) if len(parts) == 3 else tuple(parts)
        return Choice(node.start_byte, node.end_byte, options)

    def _boolean(self, node: Node) -> Expr:
        left = self.expr(node.child_by_field_name("left"))
        right = self.expr(node.child_by_field_name("right"))
        if isinstance(right, Truth):
            return Truth(node.start_byte, node.end_byte)
        return Choice(node.start_byte, node.end_byte, (left, right))

    def _binary(self, node: Node) -> Expr:
        left = self.expr(node.child_by_field_name("left"))
        right = self.expr(node.child_by_field_name("right"))
        operator = self.text(node.child_by_field_name("operator"))
        if operator == "%" and isinstance(left, Text):
            parts = right.items if isinstance(right, Items) else (right,)
            return Join(node.start_byte, node.end_byte, parts)
        if isinstance(left, Number) and isinstance(right, Number) and operator in "*+-":
            values = {"*": left.value * right.value, "+": left.value + right.value}
            value = values.get(operator, left.value - right.value)
            return Number(node.start_byte, node.end_byte, value)
        if operator == "+":
            return Join(node.start_byte, node.end_byte, (left, right))
        return Opaque(node.start_byte, node.end_byte)

    def _unary(self, node: Node) -> Expr:
        value = self.expr(node.child_by_field_name("argument"))
        negative = self.text(node.child_by_field_name("operator")) == "-"
        if isinstance(value, Number) and negative:
            return Number(node.start_byte, node.end_byte, -value.value)
        return value

    def _walrus(self, node: Node) -> Expr:
        value = self.expr(node.child_by_field_name("value"))
        self.bind(self.text(node.child_by_field_name("name")), value, node)
        return value

    def _lambda(self, node: Node) -> Expr:
        parameters = self.parameters(node.child_by_field_name("parameters"))
        with self.function(node, "", parameters):
            self.returned([self.expr(node.child_by_field_name("body"))])
        return Opaque(node.start_byte, node.end_byte)

    def parameters(self, node: Node | None) -> tuple[Parameter, ...]:
        """A function's parameters."""
        result: list[Parameter] = []
        for child in children_of(node):
            kind = child.type
            type_ = self.text(child.child_by_field_name("type"))
            if kind == "identifier":
                result.append(Parameter(self.text(child)))
            elif kind in ("default_parameter", "typed_default_parameter"):
                name = self.text(child.child_by_field_name("name"))
                value = child.child_by_field_name("value")
                default = self._default(value) if value is not None else None
                result.append(Parameter(name, type_, default))
            elif kind in ("list_splat_pattern", "dictionary_splat_pattern"):
                result.append(Parameter(self.text(child)))
            elif kind == "typed_parameter" and child.named_children:
                result.append(Parameter(self.text(child.named_children[0]), type_))
        return tuple(result)

    def _default(self, node: Node) -> Expr:
        # Only what a label can be given; whatever else is walked through by `_function`.
        if node.type in ("string", "integer", "float", "true", "false", "identifier", "attribute"):
            return self.expr(node)
        return Opaque(node.start_byte, node.end_byte)

    expressions: ClassVar = {
        "string": _text,
        "concatenated_string": _texts,
        "integer": _number,
        "float": _number,
        "true": _truth,
        "false": _truth,
        "none": _name,
        "comparison_operator": _truth,
        "not_operator": _truth,
        "identifier": _name,
        "attribute": _member,
        "call": _call,
        "list_splat": _spread,
        "subscript": _index,
        "list": _items,
        "tuple": _items,
        "set": _items,
        "expression_list": _items,
        "dictionary": _record,
        "conditional_expression": _conditional,
        "boolean_operator": _boolean,
        "binary_operator": _binary,
        "unary_operator": _unary,
        "parenthesized_expression": inner,
        "await": inner,
        "named_expression": _walrus,
        "lambda": _lambda,
    }


def children_of(node: Node | None) -> list[Node]:
    """A node's named children, without comments."""
    return [c for c in node.named_children if c.type != "comment"] if node is not None else []


def _decoded(prefix: str, content: str) -> str:
    if "\\" not in content or "r" in prefix.lower():
        return content
    try:
        value = ast.literal_eval('"""' + content.replace('"', '\\"') + '"""')
    except (ValueError, SyntaxError):
        return content
    return value if isinstance(value, str) else content
