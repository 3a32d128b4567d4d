"""Java's expressions → the scanner's."""

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
    Text,
    Truth,
)
from workbench.codescan.facts import Parameter
from workbench.codescan.guards import GuardedReader
from workbench.codescan.java.literals import number_of, text_of

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["JavaValues", "bare_type", "children_of"]

_TRUTHS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||"})
_LISTS: Final = frozenset(
    [
        "List.of",
        "Set.of",
        "Arrays.asList",
        "ImmutableList.of",
        "ImmutableSet.of",
        "Collections.singletonList",
        "Collections.singleton",
        "Collections.emptyList",
        "Collections.emptySet",
        "Stream.of",
        "EnumSet.of",
        "Lists.newArrayList",
        "Sets.newHashSet",
    ]
)
_MAPS: Final = frozenset(
    ["Map.of", "ImmutableMap.of", "Collections.singletonMap", "Collections.emptyMap"]
)
_COPIES: Final = frozenset(
    [
        "List.copyOf",
        "Set.copyOf",
        "Map.copyOf",
        "Collections.unmodifiableList",
        "Collections.unmodifiableSet",
        "Collections.unmodifiableMap",
        "ImmutableList.copyOf",
        "ImmutableSet.copyOf",
    ]
)
_ANNOTATED: Final = frozenset(
    [
        "PathVariable",
        "RequestParam",
        "RequestHeader",
        "RequestBody",
        "CookieValue",
        "MatrixVariable",
        "QueryParam",
        "PathParam",
        "HeaderParam",
        "CookieParam",
        "FormParam",
        "QueryValue",
        "Header",
        "Argument",
        "RestPath",
        "RestQuery",
        "RestHeader",
    ]
)
"""Annotations by which frameworks hand over what clients send."""

_OPEN_TYPES: Final = frozenset(
    [
        "String",
        "Integer",
        "Long",
        "int",
        "long",
        "UUID",
        "Object",
        "Optional<String>",
        "CharSequence",
    ]
)


class JavaValues(GuardedReader):
    """The half of `JavaReader` that reads expressions."""

    language: ClassVar[str] = "java"

    types: frozenset[str] = frozenset()
    """Classes and interfaces that the file declares; its enums are not among them."""

    methods: dict[str, frozenset[str]]
    """Each class to its own methods that are not static."""

    def _text(self, node: Node) -> Expr:
        return Text(node.start_byte, node.end_byte, text_of(self.text(node)))

    def _number(self, node: Node) -> Expr:
        return Number(node.start_byte, node.end_byte, number_of(self.text(node)))

    def _truth(self, node: Node) -> Expr:
        for child in node.named_children:
            if child.type not in ("type_identifier", "generic_type", "scoped_type_identifier"):
                self.expr(child)
        return Truth(node.start_byte, node.end_byte)

    def _name(self, node: Node) -> Expr:
        return Name(node.start_byte, node.end_byte, self.text(node))

    def _member(self, node: Node) -> Expr:
        name = self.text(node.child_by_field_name("field"))
        held = node.child_by_field_name("object")
        if held is not None and held.type == "identifier" and self.text(held) in self.types:
            # Files are packages: their classes' static fields are the file's own names.
            return Name(node.start_byte, node.end_byte, name)
        return Member(node.start_byte, node.end_byte, self.expr(held), name)

    def _call(self, node: Node) -> Expr:
        held = node.child_by_field_name("object")
        name = self.text(node.child_by_field_name("name"))
        if held is not None and held.type == "class_literal" and name in _CLASS_NAMES:
            said = self.text(held).removesuffix(".class")
            short = said.rpartition(".")[2]
            return Text(node.start_byte, node.end_byte, said if name == "getName" else short)
        args = self.exprs(node.child_by_field_name("arguments"))
        said = f"{self.text(held)}.{name}" if held is not None else name
        if (known := self._collected(said, args, node)) is not None:
            return known
        callee = self._callee(held, name, node)
        if isinstance(callee, Member) and (handed := _handed_on(callee, args, node)) is not None:
            return handed
        return self.called(Call(node.start_byte, node.end_byte, callee, tuple(args)))

    def _collected(self, said: str, args: list[Expr], node: Node) -> Expr | None:
        """Lists and maps that are made by calls, as literals."""
        start, end = node.start_byte, node.end_byte
        if said in _LISTS:
            return Items(start, end, tuple(args))
        if said in _MAPS:
            return Record(start, end, tuple(zip(args[::2], args[1::2], strict=False)))
        if said == "Map.ofEntries":
            pairs = (e.args for e in args if isinstance(e, Call) and len(e.args) == 2)
            return Record(start, end, tuple((a[0], a[1]) for a in pairs))
        return args[0] if said in _COPIES and args else None

    def _callee(self, held: Node | None, name: str, node: Node) -> Expr:
        at = node.child_by_field_name("name") or node
        if held is None:
            if name in self.methods.get(self.owner, ()):
                own = Name(at.start_byte, at.start_byte, "this")
                return Member(at.start_byte, at.end_byte, own, name)
            return Name(at.start_byte, at.end_byte, name)
        if held.type == "identifier" and self.text(held) in self.types:
            return Name(held.start_byte, at.end_byte, name)
        return Member(held.start_byte, at.end_byte, self.expr(held), name)

    def _created(self, node: Node) -> Expr:
        type_ = node.child_by_field_name("type")
        args = self.exprs(node.child_by_field_name("arguments"))
        for child in node.named_children:
            if child.type == "class_body":
                self.walk(child)
        said = bare_type(self.text(type_))
        if said in ("ArrayList", "HashSet", "LinkedHashSet", "TreeSet", "HashMap") and args:
            return args[0]
        callee: Expr = Opaque(node.start_byte, node.start_byte)
        for part in filter(None, said.split(".")):
            whole = type_.start_byte if type_ is not None else node.start_byte
            plain = isinstance(callee, Opaque)
            callee = Name(whole, whole, part) if plain else Member(whole, whole, callee, part)
        return self.called(Call(node.start_byte, node.end_byte, callee, tuple(args)))

    def inner(self, node: Node) -> Expr:
        """The expression that a node holds."""
        children = children_of(node)
        return self.expr(children[-1]) if children else Opaque(node.start_byte, node.end_byte)

    def _unary(self, node: Node) -> Expr:
        return self.signed(node, "operand", through=("+",))

    def _binary(self, node: Node) -> Expr:
        operator = self.text(node.child_by_field_name("operator"))
        left = self.expr(node.child_by_field_name("left"))
        right = self.expr(node.child_by_field_name("right"))
        if operator in _TRUTHS:
            return Truth(node.start_byte, node.end_byte)
        if isinstance(left, Number) and isinstance(right, Number):
            values = {
                "*": left.value * right.value,
                "+": left.value + right.value,
                "-": left.value - right.value,
            }
            if operator in values:
                return Number(node.start_byte, node.end_byte, values[operator])
        if operator == "+":
            return Join(node.start_byte, node.end_byte, (left, right))
        return Opaque(node.start_byte, node.end_byte)

    def _index(self, node: Node) -> Expr:
        of = self.expr(node.child_by_field_name("array"))
        index = self.expr(node.child_by_field_name("index"))
        return Index(node.start_byte, node.end_byte, of, index)

    def _array(self, node: Node) -> Expr:
        value = node.child_by_field_name("value")
        if value is not None:
            return self.expr(value)
        return Opaque(node.start_byte, node.end_byte)

    def _items(self, node: Node) -> Expr:
        return Items(node.start_byte, node.end_byte, tuple(self.exprs(node)))

    def _assigned(self, node: Node) -> Expr:
        # As an expression: the statement is in the reader's other half.
        self.walk(node)
        return Opaque(node.start_byte, node.end_byte)

    def _lambda(self, node: Node) -> Expr:
        given = node.child_by_field_name("parameters")
        names: tuple[Parameter, ...] = ()
        if given is not None and given.type == "identifier":
            names = (Parameter(self.text(given)),)
        elif given is not None and given.type == "inferred_parameters":
            names = tuple(Parameter(self.text(c)) for c in children_of(given))
        else:
            names = self.parameters(given)
        body = node.child_by_field_name("body")
        with self.function(node, "", names):
            if body is not None and body.type == "block":
                self.walk(body)
            else:
                self.returned([self.expr(body)])
        return Opaque(node.start_byte, node.end_byte)

    def _switch(self, node: Node) -> Expr:
        self.expr(node.child_by_field_name("condition"))
        options: list[Expr] = []
        for arm in children_of(node.child_by_field_name("body")):
            with self.branch():
                for child in children_of(arm):
                    if child.type == "switch_label":
                        continue
                    if arm.type == "switch_rule" and child.type == "expression_statement":
                        inside = children_of(child)
                        plain = inside and inside[0].type != "assignment_expression"
                        if plain:
                            options.append(self.expr(inside[0]))
                            continue
                    before = len(self._yields)
                    self.walk(child)
                    options.extend(self._yields[before:])
                    del self._yields[before:]
        if not options:
            return Opaque(node.start_byte, node.end_byte)
        return Choice(node.start_byte, node.end_byte, tuple(options))

    _yields: list[Expr]

    def parameters(self, node: Node | None) -> tuple[Parameter, ...]:
        """A method's parameters; of those that hold what clients send, the type says so."""
        result: list[Parameter] = []
        for child in children_of(node):
            type_ = self.text(child.child_by_field_name("type"))
            if child.type == "formal_parameter":
                if type_ in _OPEN_TYPES and (said := self._annotation(child)):
                    type_ = f"@{said} {type_}"
                result.append(Parameter(self.text(child.child_by_field_name("name")), type_))
            elif child.type == "spread_parameter":
                inside = children_of(child)
                type_ = self.text(inside[-2]) if len(inside) > 1 else ""
                name = inside[-1].child_by_field_name("name") if inside else None
                result.append(Parameter(self.text(name), f"...{type_}"))
        return tuple(result)

    def _annotation(self, parameter: Node) -> str:
        for modifiers in parameter.named_children:
            if modifiers.type == "modifiers":
                for child in modifiers.named_children:
                    name = self.text(child.child_by_field_name("name")).rpartition(".")[2]
                    if name in _ANNOTATED:
                        return name
        return ""

    expressions: ClassVar = {
        "string_literal": _text,
        "character_literal": _text,
        "decimal_integer_literal": _number,
        "hex_integer_literal": _number,
        "octal_integer_literal": _number,
        "binary_integer_literal": _number,
        "decimal_floating_point_literal": _number,
        "hex_floating_point_literal": _number,
        "true": _truth,
        "false": _truth,
        "null_literal": _name,
        "instanceof_expression": _truth,
        "identifier": _name,
        "this": _name,
        "field_access": _member,
        "method_invocation": _call,
        "object_creation_expression": _created,
        "parenthesized_expression": inner,
        "cast_expression": inner,
        "unary_expression": _unary,
        "binary_expression": _binary,
        "ternary_expression": GuardedReader.chosen,
        "array_access": _index,
        "array_creation_expression": _array,
        "array_initializer": _items,
        "element_value_array_initializer": _items,
        "assignment_expression": _assigned,
        "lambda_expression": _lambda,
        "switch_expression": _switch,
    }


_CLASS_NAMES: Final = frozenset({"getSimpleName", "getName", "getCanonicalName"})


def children_of(node: Node | None) -> list[Node]:
    """A node's named children, without comments."""
    if node is None:
        return []
    return [c for c in node.named_children if c.type not in ("line_comment", "block_comment")]


def bare_type(type_: str) -> str:
    """A type without its arguments.

    Examples
    --------
    >>> bare_type("Map<String, List<X>>"), bare_type("Counter.Builder")
    ('Map', 'Counter.Builder')
    """
    return type_.partition("<")[0].strip()


def _handed_on(callee: Member, args: list[Expr], node: Node) -> Expr | None:
    """Calls that give what they are called on, or else their argument."""
    start, end = node.start_byte, node.end_byte
    of, name = callee.of, callee.name
    if name == "formatted" and isinstance(of, Text):
        return Join(start, end, tuple(args))
    if name == "orElse" and isinstance(of, Call) and isinstance(of.callee, Member) and args:
        optional = of.callee.name in ("ofNullable", "of") and of.args
        return Choice(start, end, (of.args[0], args[0])) if optional else None
    if name in ("requireNonNullElse", "firstNonNull", "defaultIfNull", "defaultIfEmpty"):
        return Choice(start, end, tuple(args)) if len(args) == 2 else None
    if name == "getAttribute" and args and (key := _last(args[0])).endswith("PATTERN_ATTRIBUTE"):
        return Member(start, end, callee, key)
    return None


def _last(expr: Expr) -> str:
    return expr.name if isinstance(expr, Name | Member) else ""
