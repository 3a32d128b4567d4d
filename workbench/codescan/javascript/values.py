"""The expressions of JavaScript and TypeScript → the scanner's."""

from __future__ import annotations

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
from workbench.codescan.facts import BindingKind, Parameter
from workbench.codescan.guards import GuardedReader
from workbench.codescan.javascript.literals import number_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["FUNCTIONS", "JavaScriptValues", "children_of", "type_text"]

_TRUTHS: Final = frozenset(["==", "!=", "===", "!==", "<", "<=", ">", ">=", "instanceof", "in"])
_CHOICES: Final = frozenset({"||", "??"})
_COPIES: Final = frozenset(
    ["Object.freeze", "Object.seal", "Object.values", "Array.from", "Object.assign"]
)
_COLLECTIONS: Final = frozenset({"Set", "Map"})

FUNCTIONS: Final = frozenset({"arrow_function", "function_expression", "generator_function"})


class JavaScriptValues(GuardedReader):
    """The half of `JavaScriptReader` that reads expressions."""

    language: ClassVar[str] = "javascript"

    timers: set[str]
    """Names that end a timer: what `startTimer()` gave back is called with more labels."""

    def _text(self, node: Node) -> Expr:
        said = "".join(self.text(c) for c in node.named_children)
        return Text(node.start_byte, node.end_byte, text_of(said))

    def _template(self, node: Node) -> Expr:
        parts: list[Expr] = []
        for child in node.named_children:
            if child.type == "template_substitution":
                parts.append(self.inner(child))
            elif child.type in ("string_fragment", "escape_sequence"):
                said = text_of(self.text(child))
                if parts and isinstance(parts[-1], Text) and parts[-1].end == child.start_byte:
                    said = parts.pop().value + said  # type: ignore[attr-defined]
                parts.append(Text(child.start_byte, child.end_byte, said))
        if not parts:
            return Text(node.start_byte, node.end_byte, "")
        if len(parts) == 1:
            return parts[0]
        return Join(node.start_byte, node.end_byte, tuple(parts))

    def _number(self, node: Node) -> Expr:
        return Number(node.start_byte, node.end_byte, number_of(self.text(node)))

    def _truth(self, node: Node) -> Expr:
        return Truth(node.start_byte, node.end_byte)

    def _name(self, node: Node) -> Expr:
        return Name(node.start_byte, node.end_byte, self.text(node))

    def _member(self, node: Node) -> Expr:
        of = self.expr(node.child_by_field_name("object"))
        name = self.text(node.child_by_field_name("property"))
        return Member(node.start_byte, node.end_byte, of, name)

    def _index(self, node: Node) -> Expr:
        of = self.expr(node.child_by_field_name("object"))
        index = self.expr(node.child_by_field_name("index"))
        return Index(node.start_byte, node.end_byte, of, index)

    def _call(self, node: Node) -> Expr:
        function = node.child_by_field_name("function")
        callee = self.expr(function)
        given = node.child_by_field_name("arguments")
        plain = given is not None and given.type == "arguments"
        args = self.exprs(given) if plain else []
        if args and self.text(function) in _COPIES:
            return args[-1]
        if isinstance(callee, Name | Member) and callee.name in self.timers:
            callee = Member(callee.start, callee.end, callee, "endTimer")
        return self.called(Call(node.start_byte, node.end_byte, callee, tuple(args)))

    def _created(self, node: Node) -> Expr:
        callee = self.expr(node.child_by_field_name("constructor"))
        args = self.exprs(node.child_by_field_name("arguments"))
        if isinstance(callee, Name) and callee.name in _COLLECTIONS and args:
            return self._collected(callee.name, args[0])
        return self.called(Call(node.start_byte, node.end_byte, callee, tuple(args)))

    def _collected(self, kind: str, given: Expr) -> Expr:
        """``new Set([…])`` and ``new Map([[k, v], …])`` as literals."""
        if kind == "Set" or not isinstance(given, Items):
            return given
        pairs = [i.items for i in given.items if isinstance(i, Items) and len(i.items) == 2]
        return Record(given.start, given.end, tuple((p[0], p[1]) for p in pairs))

    def _items(self, node: Node) -> Expr:
        return Items(node.start_byte, node.end_byte, tuple(self.exprs(node)))

    def _spread(self, node: Node) -> Expr:
        return Spread(node.start_byte, node.end_byte, self.inner(node))

    def _record(self, node: Node) -> Expr:
        pairs: list[tuple[Expr, Expr]] = []
        for child in children_of(node):
            if child.type == "pair":
                key = self._key(child.child_by_field_name("key"))
                pairs.append((key, self._value(child.child_by_field_name("value"), key)))
            elif child.type == "shorthand_property_identifier":
                name = self.text(child)
                key = Text(child.start_byte, child.end_byte, name)
                pairs.append((key, Name(child.start_byte, child.end_byte, name)))
            elif child.type == "spread_element":
                spread = self._spread(child)
                pairs.append((spread, spread))
            else:
                self.walk(child)
        return self.recorded(Record(node.start_byte, node.end_byte, tuple(pairs)), node)

    def _key(self, node: Node | None) -> Expr:
        if node is None:
            return Opaque(0, 0)
        if node.type in ("property_identifier", "private_property_identifier"):
            return Text(node.start_byte, node.end_byte, self.text(node))
        return self.inner(node) if node.type == "computed_property_name" else self.expr(node)

    def _value(self, node: Node | None, key: Expr) -> Expr:
        if node is not None and node.type in FUNCTIONS:
            return self.function_value(node, key.value if isinstance(key, Text) else "")
        return self.expr(node)

    def inner(self, node: Node) -> Expr:
        """The expression that a node holds."""
        children = children_of(node)
        return self.expr(children[0]) if children else Opaque(node.start_byte, node.end_byte)

    def _asserted(self, node: Node) -> Expr:
        children = children_of(node)
        return self.expr(children[-1]) if children else Opaque(node.start_byte, node.end_byte)

    def _unary(self, node: Node) -> Expr:
        return self.signed(node, "argument", through=("+",))

    def _binary(self, node: Node) -> Expr:
        operator = self.text(node.child_by_field_name("operator"))
        left = self.expr(node.child_by_field_name("left"))
        right = self.expr(node.child_by_field_name("right"))
        start, end = node.start_byte, node.end_byte
        if operator in _TRUTHS or (operator == "||" and isinstance(right, Truth)):
            return Truth(start, end)
        if operator in _CHOICES:
            return Choice(start, end, (left, right))
        if operator == "&&":
            # What is given where the left side holds; else the left side, which is then empty.
            return right
        if isinstance(left, Number) and isinstance(right, Number):
            values = {
                "*": left.value * right.value,
                "+": left.value + right.value,
                "-": left.value - right.value,
            }
            if operator in values:
                return Number(start, end, values[operator])
        return Join(start, end, (left, right)) if operator == "+" else Opaque(start, end)

    def _function(self, node: Node) -> Expr:
        return self.function_value(node, "")

    def function_value(self, node: Node, name: str, owner: str = "") -> Expr:
        """Read a function that is a value, under the name that it is given."""
        own = self.text(node.child_by_field_name("name"))
        self.functioned(node, name or own, owner=owner)
        return Opaque(node.start_byte, node.end_byte)

    def functioned(self, node: Node, name: str, *, owner: str = "") -> None:
        """Note a function: its parameters, its body, what it gives back."""
        given = node.child_by_field_name("parameters")
        single = node.child_by_field_name("parameter")
        patterns: list[tuple[str, Node]] = []
        parameters = (
            (Parameter(self.text(single)),)
            if single is not None
            else self._parameters(given, patterns)
        )
        held = owner or ("" if name else self.owner)
        result = type_text(self.text(node.child_by_field_name("return_type")))
        body = node.child_by_field_name("body")
        with self.function(
            node,
            name,
            parameters,
            owner=held,
            receiver="this" if held else "",
            results=(result,) if result else (),
        ):
            for whole, pattern in patterns:
                at = Name(pattern.start_byte, pattern.start_byte, whole)
                self.destructured(pattern, at, pattern)
            if body is not None and body.type == "statement_block":
                self.walk(body)
            elif body is not None:
                self.returned([self.expr(body)])

    def _parameters(
        self, node: Node | None, patterns: list[tuple[str, Node]]
    ) -> tuple[Parameter, ...]:
        """Parameters by name; those that are taken apart get a name of their own."""
        result: list[Parameter] = []
        for child in children_of(node):
            type_ = type_text(self.text(child.child_by_field_name("type")))
            pattern = child.child_by_field_name("pattern") or child
            value = child.child_by_field_name("value")
            if pattern.type == "assignment_pattern":
                value = pattern.child_by_field_name("right")
                pattern = pattern.child_by_field_name("left") or pattern
            default = self.expr(value) if value is not None else None
            if default is None and child.type == "optional_parameter":
                default = Name(child.end_byte, child.end_byte, "undefined")
            if pattern.type == "identifier":
                result.append(Parameter(self.text(pattern), type_, default))
            elif pattern.type == "rest_pattern":
                result.append(Parameter(self.text(pattern).lstrip("."), f"...{type_}"))
            elif pattern.type in ("object_pattern", "array_pattern"):
                name = f"{{{len(result)}}}"
                result.append(Parameter(name, type_, default))
                patterns.append((name, pattern))
        return tuple(result)

    def destructured(self, pattern: Node, value: Expr | None, node: Node) -> None:
        """Note the names of ``{ a, b: c } = value`` and ``[a, b] = value``."""
        raise NotImplementedError

    def _assigned(self, node: Node) -> Expr:
        self.walk(node)
        right = node.child_by_field_name("right")
        return Opaque(node.start_byte, right.end_byte if right is not None else node.end_byte)

    def declared(self, name: str, value: Expr | None, node: Node, type_: str = "") -> None:
        """Note a new variable."""
        kind = BindingKind.CONSTANT if name.isupper() else BindingKind.DECLARED
        self.bind(name, value, node, kind=kind, type_=type_)

    expressions: ClassVar = {
        "string": _text,
        "template_string": _template,
        "number": _number,
        "true": _truth,
        "false": _truth,
        "null": _name,
        "undefined": _name,
        "identifier": _name,
        "property_identifier": _name,
        "shorthand_property_identifier": _name,
        "this": _name,
        "member_expression": _member,
        "subscript_expression": _index,
        "call_expression": _call,
        "new_expression": _created,
        "array": _items,
        "object": _record,
        "spread_element": _spread,
        "parenthesized_expression": inner,
        "as_expression": inner,
        "satisfies_expression": inner,
        "type_assertion": _asserted,
        "non_null_expression": inner,
        "await_expression": inner,
        "unary_expression": _unary,
        "binary_expression": _binary,
        "ternary_expression": GuardedReader.chosen,
        "arrow_function": _function,
        "function_expression": _function,
        "generator_function": _function,
        "assignment_expression": _assigned,
        "augmented_assignment_expression": _assigned,
    }


def children_of(node: Node | None) -> list[Node]:
    """A node's named children, without comments."""
    return [c for c in node.named_children if c.type != "comment"] if node is not None else []


def type_text(annotation: str) -> str:
    """A type as written, without what says that it may be missing.

    Examples
    --------
    >>> type_text(": string | undefined"), type_text(": readonly Foo[]")
    ('string', 'Foo[]')
    """
    parts = annotation.strip().removeprefix(":").strip().removeprefix("readonly ").split("|")
    kept = [p.strip() for p in parts if p.strip() not in ("undefined", "null", "")]
    return " | ".join(kept)
