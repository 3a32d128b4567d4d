"""Go's expressions → the scanner's."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from workbench.codescan.expressions import (
    Call,
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
from workbench.codescan.go.literals import number_of, text_of
from workbench.codescan.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["GoValues"]

_BASIC: Final = frozenset({"string", "int", "int64", "uint", "float64", "byte", "rune"})
_TRUTHS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||"})


class GoValues(Reader):
    """The half of `GoReader` that reads expressions."""

    language: ClassVar[str] = "go"

    def _text(self, node: Node) -> Expr:
        return Text(node.start_byte, node.end_byte, text_of(self.text(node)))

    def _number(self, node: Node) -> Expr:
        return Number(node.start_byte, node.end_byte, number_of(self.text(node)))

    def _truth(self, node: Node) -> Expr:
        return Truth(node.start_byte, node.end_byte)

    def _name(self, node: Node) -> Expr:
        return Name(node.start_byte, node.end_byte, self.text(node))

    def _member(self, node: Node) -> Expr:
        of = self.expr(node.child_by_field_name("operand"))
        field = self.text(node.child_by_field_name("field"))
        return Member(node.start_byte, node.end_byte, of, field)

    def _call(self, node: Node) -> Expr:
        callee = self.expr(node.child_by_field_name("function"))
        args = self.exprs(node.child_by_field_name("arguments"))
        return self.called(Call(node.start_byte, node.end_byte, callee, tuple(args)))

    def _spread(self, node: Node) -> Expr:
        return Spread(node.start_byte, node.end_byte, self._inner(node))

    def _inner(self, node: Node) -> Expr:
        children = [c for c in node.named_children if c.type != "comment"]
        return self.expr(children[0]) if children else Opaque(node.start_byte, node.end_byte)

    def _operand(self, node: Node) -> Expr:
        return self.expr(node.child_by_field_name("operand"))

    def _unary(self, node: Node) -> Expr:
        return self.signed(node, "operand", through=("&", "*"))

    def _binary(self, node: Node) -> Expr:
        operator = self.text(node.child_by_field_name("operator"))
        sides = [self.expr(node.child_by_field_name(side)) for side in ("left", "right")]
        if operator in _TRUTHS:
            return Truth(node.start_byte, node.end_byte)
        left, right = sides
        if isinstance(left, Number) and isinstance(right, Number):
            value = _calculated(operator, left.value, right.value)
            if value is not None:
                return Number(node.start_byte, node.end_byte, value)
        if operator == "+":
            return Join(node.start_byte, node.end_byte, (left, right))
        return Opaque(node.start_byte, node.end_byte)

    def _composite(self, node: Node) -> Expr:
        type_ = self.text(node.child_by_field_name("type"))
        return self._literal(node.child_by_field_name("body"), type_, node)

    def _bare_literal(self, node: Node) -> Expr:
        return self._literal(node, "", node)

    def _literal(self, body: Node | None, type_: str, node: Node) -> Expr:
        inner = _element_type(type_)
        items: list[Expr] = []
        pairs: list[tuple[Expr, Expr]] = []
        for child in body.named_children if body is not None else ():
            if child.type == "keyed_element":
                sides = [c for c in child.named_children if c.type == "literal_element"]
                if len(sides) == 2:
                    pairs.append((self._element(sides[0], ""), self._element(sides[1], inner)))
            elif child.type == "literal_element":
                items.append(self._element(child, inner))
        if items:
            return Items(node.start_byte, node.end_byte, tuple(items), type_)
        record = Record(node.start_byte, node.end_byte, tuple(pairs), type_)
        return self.recorded(record, node)

    def _element(self, node: Node, type_: str) -> Expr:
        children = node.named_children
        if children and children[0].type == "literal_value":
            return self._literal(children[0], type_, children[0])
        return self._inner(node)

    def _index(self, node: Node) -> Expr:
        of = self.expr(node.child_by_field_name("operand"))
        index = self.expr(node.child_by_field_name("index"))
        return Index(node.start_byte, node.end_byte, of, index)

    def _function_literal(self, node: Node) -> Expr:
        with self.function(node, "", self.parameters(node)):
            self.walk_all(node.child_by_field_name("body"))
        return Opaque(node.start_byte, node.end_byte)

    def parameters(self, node: Node) -> tuple[Parameter, ...]:
        """A function's parameters."""
        return tuple(self.listed(node.child_by_field_name("parameters")))

    def listed(self, node: Node | None) -> list[Parameter]:
        """The parameters of a list."""
        result: list[Parameter] = []
        for child in node.named_children if node is not None else ():
            if child.type not in ("parameter_declaration", "variadic_parameter_declaration"):
                continue
            type_ = self.text(child.child_by_field_name("type"))
            if child.type.startswith("variadic"):
                type_ = f"...{type_}"
            names = [self.text(n) for n in child.children_by_field_name("name")]
            result.extend(Parameter(n, type_) for n in names or [""])
        return result

    expressions: ClassVar = {
        "interpreted_string_literal": _text,
        "raw_string_literal": _text,
        "rune_literal": _text,
        "int_literal": _number,
        "float_literal": _number,
        "true": _truth,
        "false": _truth,
        "identifier": _name,
        "field_identifier": _name,
        "package_identifier": _name,
        "type_identifier": _name,
        "selector_expression": _member,
        "call_expression": _call,
        "variadic_argument": _spread,
        "parenthesized_expression": _inner,
        "type_conversion_expression": _operand,
        "type_assertion_expression": _operand,
        "unary_expression": _unary,
        "binary_expression": _binary,
        "composite_literal": _composite,
        "literal_value": _bare_literal,
        "literal_element": _inner,
        "index_expression": _index,
        "func_literal": _function_literal,
    }


def _element_type(type_: str) -> str:
    # []*T → T; map[K]V → V; anything else says nothing of what stands inside.
    if type_.startswith("map["):
        return type_.partition("]")[2].lstrip("*")
    if type_.startswith("["):
        return type_.partition("]")[2].lstrip("*")
    return ""


def _calculated(operator: str, left: float, right: float) -> float | None:
    if operator == "*":
        return left * right
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left / right if operator == "/" and right else None
