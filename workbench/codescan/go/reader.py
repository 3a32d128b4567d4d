"""Go source → facts."""

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
    Number,
    Opaque,
    Part,
    Record,
    Spread,
    Text,
    Truth,
)
from workbench.codescan.facts import BindingKind, Parameter
from workbench.codescan.go.literals import number_of, text_of
from workbench.codescan.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["GoReader"]

_BASIC: Final = frozenset({"string", "int", "int64", "uint", "float64", "byte", "rune"})
_TRUTHS: Final = frozenset({"==", "!=", "<", "<=", ">", ">=", "&&", "||"})


class GoReader(Reader):
    """Reads one Go file; its package is its folder."""

    language: ClassVar[str] = "go"

    # Expressions.

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
        value = self.expr(node.child_by_field_name("operand"))
        operator = self.text(node.child_by_field_name("operator"))
        if operator == "!":
            return Truth(node.start_byte, node.end_byte)
        if operator == "-" and isinstance(value, Number):
            return Number(node.start_byte, node.end_byte, -value.value)
        return value if operator in ("&", "*") else Opaque(node.start_byte, node.end_byte)

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
        with self.function(node, "", self._parameters(node)):
            self.walk_all(node.child_by_field_name("body"))
        return Opaque(node.start_byte, node.end_byte)

    # Statements.

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
            value, type_ = value.args[0], "" if converted in _BASIC else converted
        self.bind(name, value, node, kind=BindingKind.CONSTANT, type_=type_)
        if type_ and self.scope == 0 and name != "_":
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
            for parameter in self._listed(held):
                receiver, owner = parameter.name, bare_type(parameter.type)
        results = self._results(node)
        with self.function(
            node,
            name,
            self._parameters(node),
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
        return self._listed(result)

    def _parameters(self, node: Node) -> tuple[Parameter, ...]:
        return tuple(self._listed(node.child_by_field_name("parameters")))

    def _listed(self, node: Node | None) -> list[Parameter]:
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

    def walk_all(self, node: Node | None) -> None:
        """Note what stands in the children of a node."""
        for child in node.named_children if node is not None else ():
            self.walk(child)

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


def _element_type(type_: str) -> str:
    # []*T → T; map[K]V → V; anything else says nothing of what stands inside.
    if type_.startswith("map["):
        return type_.partition("]")[2].lstrip("*")
    if type_.startswith("["):
        return type_.partition("]")[2].lstrip("*")
    return ""


def _names(spec: Node) -> list[Node]:
    return [n for n in spec.children_by_field_name("name") if n.type == "identifier"]


def _calculated(operator: str, left: float, right: float) -> float | None:
    if operator == "*":
        return left * right
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    return left / right if operator == "/" and right else None
