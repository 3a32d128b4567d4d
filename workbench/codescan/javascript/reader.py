"""JavaScript and TypeScript source → facts.

A file is a module and a package of its own. A name that it exports under another name, or as the
properties of one object, is known by those names too, so that who imports it finds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.codescan.expressions import (
    Call,
    Choice,
    Element,
    Expr,
    Index,
    Items,
    Join,
    Member,
    Name,
    Part,
)
from workbench.codescan.facts import BindingKind
from workbench.codescan.guards import GuardedReader
from workbench.codescan.javascript.modules import QUOTED, ModuleReader
from workbench.codescan.javascript.values import (
    children_of,
    type_text,
)
from workbench.codescan.program import last_name

if TYPE_CHECKING:
    from tree_sitter import Node

    from workbench.codescan.facts import FileFacts

__all__ = ["read"]


class JavaScriptReader(ModuleReader):
    """Reads one module."""

    def __init__(self, source: bytes, path: str) -> None:
        super().__init__(source, path)
        self.timers = set()

    # Declarations.

    def _variable(self, node: Node) -> None:
        target = node.child_by_field_name("name")
        given = node.child_by_field_name("value")
        if target is None:
            return
        if (module := self.required(given)) and self.imported(target, module):
            return
        type_ = self._type_of(node, given)
        if target.type == "identifier":
            name = self.text(target)
            value = self.function_or(given, name) if given is not None else None
            self._note_timer(name, value)
            self.declared(name, value, node, type_)
        else:
            self.destructured(target, self.expr(given) if given is not None else None, node)

    def _type_of(self, node: Node, value: Node | None) -> str:
        """A type as written; of ``new Hits()`` without one, its class."""
        said = type_text(self.text(node.child_by_field_name("type")))
        if said or value is None or value.type != "new_expression":
            return said
        made = value.child_by_field_name("constructor")
        return self.text(made) if made is not None and made.type == "identifier" else ""

    def _note_timer(self, name: str, value: Expr | None) -> None:
        if isinstance(value, Call) and last_name(value.callee) == "startTimer":
            self.timers.add(name)

    def destructured(self, pattern: Node, value: Expr | None, node: Node) -> None:
        """Note the names of ``{ a, b: c } = value`` and ``[a, b] = value``."""
        for i, child in enumerate(children_of(pattern)):
            key, target = child, child
            if child.type == "pair_pattern":
                key = child.child_by_field_name("key") or child
                target = child.child_by_field_name("value") or child
            default = None
            if target.type in ("assignment_pattern", "object_assignment_pattern"):
                default = target.child_by_field_name("right")
                target = target.child_by_field_name("left") or target
                key = target if child.type != "pair_pattern" else key
            given = self._taken(pattern, value, self.text(key), i, child)
            if default is not None:
                fallback = self.expr(default)
                known = given is not None
                given = self._either(given, fallback) if known and given else fallback
            if target.type in ("object_pattern", "array_pattern"):
                self.destructured(target, given, node)
            elif target.type != "rest_pattern":
                self.declared(self.text(target), given, node)

    def _either(self, given: Expr, fallback: Expr) -> Expr:
        return Choice(given.start, fallback.end, (given, fallback))

    @staticmethod
    def _taken(pattern: Node, value: Expr | None, key: str, i: int, at: Node) -> Expr | None:
        if value is None:
            return None
        if pattern.type == "object_pattern":
            return Member(at.start_byte, at.end_byte, value, key)
        if isinstance(value, Items) and i < len(value.items):
            return value.items[i]
        return Part(at.start_byte, at.end_byte, value, i)

    def _assignment(self, node: Node) -> None:
        left = node.child_by_field_name("left")
        right = node.child_by_field_name("right")
        if left is None or right is None:
            return
        said = self.text(left)
        if said in ("module.exports", "exports"):
            self.exported(self.expr(right), node)
            return
        if left.type in ("object_pattern", "array_pattern"):
            self.destructured(left, self.expr(right), node)
            return
        target = self.expr(left)
        name = target.name if isinstance(target, Name | Member) else ""
        value = self.function_or(right, name)
        operator = self.text(node.child_by_field_name("operator"))
        if operator == "+=":
            value = Join(node.start_byte, node.end_byte, (target, value))
        elif operator in ("||=", "??="):
            value = self._either(target, value)
        if name:
            self._note_timer(name, value)
        self._give(target, value, node)

    def _give(self, target: Expr, value: Expr, node: Node) -> None:
        """Note an assignment to a variable, a property or an element."""
        if isinstance(target, Name):
            self.bind(target.name, value, node)
        elif isinstance(target, Member):
            if isinstance(target.of, Name | Member) and target.of.name == "exports":
                self.top(target.name, value, node)
            own = isinstance(target.of, Name) and target.of.name == "this"
            owner = self.owner if own else ""
            self.bind(target.name, value, node, kind=BindingKind.FIELD, owner=owner)
            type_ = self._type_of(node, node.child_by_field_name("right")) if own else ""
            if type_:
                self.facts.fields.setdefault((owner, target.name), type_)
        elif isinstance(target, Index) and isinstance(target.of, Name | Member):
            listed = Items(node.start_byte, node.end_byte, (value,))
            self.bind(f"{target.of.name}[]", listed, node)

    # Functions and classes.

    def _function_declaration(self, node: Node) -> None:
        self.functioned(node, self.text(node.child_by_field_name("name")))

    def _class(self, node: Node) -> None:
        before, self.owner = self.owner, self.text(node.child_by_field_name("name"))
        self.walk_all(node.child_by_field_name("body"))
        self.owner = before

    def _method(self, node: Node) -> None:
        name = self.text(node.child_by_field_name("name"))
        inside = node.parent is not None and node.parent.type == "class_body"
        if name == "constructor":
            self._parameter_fields(node.child_by_field_name("parameters"))
            name = ""
        self.functioned(node, name, owner=self.owner if inside else "")

    def _parameter_fields(self, node: Node | None) -> None:
        """``constructor(private readonly hits: Counter)`` declares a field."""
        for child in children_of(node):
            if any(c.type in ("accessibility_modifier", "readonly") for c in child.children):
                name = self.text(child.child_by_field_name("pattern"))
                type_ = type_text(self.text(child.child_by_field_name("type")))
                self.facts.fields[self.owner, name] = type_

    def _field(self, node: Node) -> None:
        name_node = node.child_by_field_name("name") or node.child_by_field_name("property")
        name = self.text(name_node)
        given = node.child_by_field_name("value")
        type_ = self._type_of(node, given)
        if type_:
            self.facts.fields[self.owner, name] = type_
        if given is None:
            return
        value = self.function_or(given, name, self.owner)
        self.bind(name, value, node, kind=BindingKind.FIELD, type_=type_, owner=self.owner)

    def _enum(self, node: Node) -> None:
        members = self.facts.enums.setdefault(self.text(node.child_by_field_name("name")), {})
        for child in children_of(node.child_by_field_name("body")):
            name = child.child_by_field_name("name") or child
            value = child.child_by_field_name("value")
            said = self.plain(value) if value is not None and value.type == "string" else None
            members[self.text(name)] = said

    def _alias(self, node: Node) -> None:
        """``type Kind = "a" | "b"`` is an enum; of an object's type the fields are noted."""
        name = self.text(node.child_by_field_name("name"))
        value = node.child_by_field_name("value") or node.child_by_field_name("body")
        if value is None:
            return
        if value.type in ("object_type", "interface_body"):
            for field in children_of(value):
                if field.type == "property_signature":
                    type_ = type_text(self.text(field.child_by_field_name("type")))
                    self.facts.fields[name, self.text(field.child_by_field_name("name"))] = type_
            return
        parts = [p.strip() for p in self.text(value).strip("| \n").split("|")]
        texts = [match[1] for p in parts if (match := QUOTED.match(p))]
        if texts and len(texts) == len(parts):
            self.facts.enums[name] = {t: t for t in texts}

    # Statements.

    def _return(self, node: Node) -> None:
        children = children_of(node)
        self.returned([self.expr(children[0])] if children else [])

    def _each(self, node: Node) -> None:
        right = self.expr(node.child_by_field_name("right"))
        left = node.child_by_field_name("left")
        keys = self.text(node.child_by_field_name("operator")) == "in"
        of = right
        if isinstance(right, Call) and isinstance(right.callee, Member):
            asked = right.callee
            plain = isinstance(asked.of, Name) and asked.of.name == "Object" and right.args
            if asked.name in ("keys", "values", "entries"):
                of = right.args[0] if plain else asked.of
                keys = asked.name == "keys"
            if asked.name == "entries" and left is not None and len(children_of(left)) == 2:
                self._entries(node, left, of)
                return
        with self.branch(loop=True):
            if left is not None and left.type == "identifier":
                self.declared(self.text(left), Element(right.start, right.end, of, keys), left)
            elif left is not None:
                self.destructured(left, Element(right.start, right.end, of, keys), left)
            self._body(node)

    def _entries(self, node: Node, left: Node, of: Expr) -> None:
        with self.branch(loop=True):
            for i, name in enumerate(children_of(left)):
                value = Element(of.start, of.end, of, i == 0)
                self.declared(self.text(name), value, name)
            self._body(node)

    def _body(self, node: Node) -> None:
        if (body := node.child_by_field_name("body")) is not None:
            self.walk(body)

    def _loop(self, node: Node) -> None:
        with self.branch(loop=True):
            self.walk_all(node)

    def _branch(self, node: Node) -> None:
        with self.branch():
            self.walk_all(node)

    def _caught(self, node: Node) -> None:
        parameter = node.child_by_field_name("parameter")
        with self.branch():
            if parameter is not None and parameter.type == "identifier":
                self.bind(
                    self.text(parameter), None, parameter, kind=BindingKind.DECLARED, type_="Error"
                )
            self._body(node)

    def _nothing(self, node: Node) -> None:
        """Left out: it holds no code."""

    statements: ClassVar = {
        "import_statement": ModuleReader.imports,
        "export_statement": ModuleReader.exports,
        "variable_declarator": _variable,
        "assignment_expression": _assignment,
        "augmented_assignment_expression": _assignment,
        "function_declaration": _function_declaration,
        "generator_function_declaration": _function_declaration,
        "class_declaration": _class,
        "abstract_class_declaration": _class,
        "class": _class,
        "method_definition": _method,
        "public_field_definition": _field,
        "field_definition": _field,
        "enum_declaration": _enum,
        "type_alias_declaration": _alias,
        "interface_declaration": _alias,
        "return_statement": _return,
        "if_statement": GuardedReader.conditioned,
        "for_in_statement": _each,
        "for_statement": _loop,
        "while_statement": _loop,
        "do_statement": _loop,
        "switch_case": _branch,
        "switch_default": _branch,
        "catch_clause": _caught,
        "comment": _nothing,
    }


def read(source: bytes, path: str) -> FileFacts:
    """Read a module, with the grammar that its name asks for."""
    import tree_sitter

    if path.endswith((".ts", ".mts", ".cts")):
        import tree_sitter_typescript

        grammar = tree_sitter_typescript.language_typescript()
    elif path.endswith(".tsx"):
        import tree_sitter_typescript

        grammar = tree_sitter_typescript.language_tsx()
    else:
        import tree_sitter_javascript

        grammar = tree_sitter_javascript.language()
    return JavaScriptReader(source, path).read(tree_sitter.Language(grammar))
