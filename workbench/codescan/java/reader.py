"""Java source → facts.

A file is a package of its own. What its classes hold is known twice: as the file's own names, for
code inside it, and as fields of their class, for `this.x` and for code elsewhere. A class of the
same folder, or of a wildcard import, is noted as an import ``folder#Name``: which file it is, is
only known in the tree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from workbench.codescan.expressions import (
    Call,
    Element,
    Expr,
    Index,
    Items,
    Join,
    Member,
    Name,
    Text,
)
from workbench.codescan.facts import BindingKind
from workbench.codescan.guards import GuardedReader
from workbench.codescan.java.names import JavaNames
from workbench.codescan.java.values import children_of

if TYPE_CHECKING:
    from tree_sitter import Node

    from workbench.codescan.facts import FileFacts

__all__ = ["JavaReader"]


class JavaReader(JavaNames):
    """Reads one Java file."""

    def __init__(self, source: bytes, path: str) -> None:
        super().__init__(source, path)
        self._yields = []

    # Classes.

    def _class(self, node: Node) -> None:
        name = self.text(node.child_by_field_name("name"))
        before, self.owner = self.owner, name
        if node.type == "record_declaration":
            for parameter in self.parameters(node.child_by_field_name("parameters")):
                self.facts.fields[name, parameter.name] = parameter.type
        for child in node.named_children:
            if child.type == "modifiers":
                self.walk(child)
        self.walk_all(node.child_by_field_name("body"))
        self.owner = before

    def _enum(self, node: Node) -> None:
        name = self.text(node.child_by_field_name("name"))
        body = children_of(node.child_by_field_name("body"))
        members = self.facts.enums.setdefault(name, {})
        for child in body:
            if child.type == "enum_constant":
                member = self.text(child.child_by_field_name("name"))
                members[member] = member
        self._class(node)

    def _field(self, node: Node) -> None:
        type_ = self.text(node.child_by_field_name("type"))
        self.typed(type_)
        modifiers = next((self.text(c) for c in node.children if c.type == "modifiers"), "")
        for declarator in node.children_by_field_name("declarator"):
            name = self.text(declarator.child_by_field_name("name"))
            given = declarator.child_by_field_name("value")
            value = self.expr(given) if given is not None else None
            if self.owner:
                self.facts.fields[self.owner, name] = type_
            constant = "final" in modifiers or node.type == "constant_declaration"
            kind = BindingKind.CONSTANT if constant else BindingKind.DECLARED
            self._hold(name, value, declarator, kind, type_)

    def _hold(
        self, name: str, value: Expr | None, node: Node, kind: BindingKind, type_: str = ""
    ) -> None:
        """A class's field: the file's own name, and a field of the class."""
        scope, block = self.scope, self.block
        self.scope, self.block = 0, 0
        self.bind(name, value, node, kind=kind, type_=type_)
        self.scope, self.block = scope, block
        if value is not None:
            self.bind(name, value, node, kind=BindingKind.FIELD, type_=type_, owner=self.owner)

    def _method(self, node: Node) -> None:
        name = self.text(node.child_by_field_name("name"))
        static = self.is_static(node)
        result = self.text(node.child_by_field_name("type"))
        self.typed(result)
        for child in node.named_children:
            if child.type == "modifiers":
                self._annotated(child, name)
        constructor = node.type != "method_declaration"
        parameters = self.parameters(node.child_by_field_name("parameters"))
        for parameter in parameters:
            self.typed(parameter.type.rpartition(" ")[2].removeprefix("..."))
        with self.function(
            node,
            "" if constructor else name,
            parameters,
            owner="" if static else self.owner,
            receiver="" if static else "this",
            results=(result,) if result not in ("", "void") else (),
        ):
            self.walk_all(node.child_by_field_name("body"))

    def _annotated(self, modifiers: Node, method: str) -> None:
        """An annotation with a metric is a call: ``@Timed("x")``."""
        for child in modifiers.named_children:
            name = self.text(child.child_by_field_name("name")).rpartition(".")[2]
            if name not in ("Timed", "Counted"):
                continue
            self.typed(name)
            args: list[Expr] = []
            keywords: list[tuple[str, Expr]] = []
            for given in children_of(child.child_by_field_name("arguments")):
                if given.type == "element_value_pair":
                    key = self.text(given.child_by_field_name("key"))
                    keywords.append((key, self.expr(given.child_by_field_name("value"))))
                else:
                    args.append(self.expr(given))
            keywords.append(("method", Text(child.start_byte, child.end_byte, method)))
            keywords.append(("class", Text(child.start_byte, child.end_byte, self.owner)))
            callee = Name(child.start_byte, child.start_byte, name)
            self.called(
                Call(child.start_byte, child.end_byte, callee, tuple(args), tuple(keywords))
            )

    # Statements.

    def _variable(self, node: Node) -> None:
        type_ = self.text(node.child_by_field_name("type"))
        self.typed(type_)
        for declarator in node.children_by_field_name("declarator"):
            given = declarator.child_by_field_name("value")
            value = self.expr(given) if given is not None else None
            self._declare(self.text(declarator.child_by_field_name("name")), value, node, type_)

    def _declare(self, name: str, value: Expr | None, node: Node, type_: str) -> None:
        said = "" if type_ in ("var", "val", "final var") else type_
        self.bind(name, value, node, kind=BindingKind.DECLARED, type_=said)

    def _resource(self, node: Node) -> None:
        value = self.expr(node.child_by_field_name("value"))
        type_ = self.text(node.child_by_field_name("type"))
        self._declare(self.text(node.child_by_field_name("name")), value, node, type_)

    def _assignment(self, node: Node) -> None:
        left = node.child_by_field_name("left")
        target = self.expr(left)
        value = self.expr(node.child_by_field_name("right"))
        if self.text(node.child_by_field_name("operator")) == "+=":
            value = Join(node.start_byte, node.end_byte, (target, value))
        if isinstance(target, Name):
            if self._is_local(target.name):
                self.bind(target.name, value, node)
            else:
                self._hold(target.name, value, node, BindingKind.ASSIGNED)
        elif isinstance(target, Member):
            own = isinstance(target.of, Name) and target.of.name == "this"
            if own and not self._repeats(value):
                self._hold(target.name, value, node, BindingKind.ASSIGNED)
            elif not own:
                self.bind(target.name, value, node, kind=BindingKind.FIELD)
        elif isinstance(target, Index) and isinstance(target.of, Name | Member):
            listed = Items(node.start_byte, node.end_byte, (value,))
            self.bind(f"{target.of.name}[]", listed, node)

    def _repeats(self, value: Expr) -> bool:
        # Of an enum's constructor: its calls are the constants, which are not followed.
        return self.owner in self.facts.enums and isinstance(value, Name)

    def _is_local(self, name: str) -> bool:
        scope = self.scope
        while scope > 0:
            function = self.facts.scopes[scope]
            if any(p.name == name for p in function.parameters):
                return True
            scope = function.parent
        return any(
            b.name == name and b.scope > 0 and b.kind is BindingKind.DECLARED
            for b in reversed(self.facts.bindings)
            if b.start >= self.facts.scopes[self.scope].start or b.scope < self.scope
        )

    def _each(self, node: Node) -> None:
        right = self.expr(node.child_by_field_name("value"))
        type_ = self.text(node.child_by_field_name("type"))
        self.typed(type_)
        method, of = "", right
        if isinstance(right, Call) and isinstance(right.callee, Member):
            method = right.callee.name
            if method in ("keySet", "values") and not (
                isinstance(right.callee.of, Name) and right.callee.of.name in self.facts.enums
            ):
                of = right.callee.of
        with self.branch(loop=True):
            name = node.child_by_field_name("name")
            value = Element(right.start, right.end, of, method == "keySet")
            self._declare(self.text(name), value, name or node, type_)
            if (body := node.child_by_field_name("body")) is not None:
                self.walk(body)

    def _loop(self, node: Node) -> None:
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
                    self.walk(child)

    def _caught(self, node: Node) -> None:
        type_ = self.text(next((c for c in node.named_children if c.type == "catch_type"), None))
        self.bind(
            self.text(node.child_by_field_name("name")),
            None,
            node,
            kind=BindingKind.DECLARED,
            type_=type_.partition("|")[0].strip(),
        )

    def _return(self, node: Node) -> None:
        children = children_of(node)
        self.returned([self.expr(children[0])] if children else [])

    def _yield(self, node: Node) -> None:
        children = children_of(node)
        if children:
            self._yields.append(self.expr(children[0]))

    def _nothing(self, node: Node) -> None:
        """Left out: it holds no code."""

    statements: ClassVar = {
        "program": JavaNames.program,
        "package_declaration": JavaNames.package,
        "import_declaration": JavaNames.imports,
        "class_declaration": _class,
        "interface_declaration": _class,
        "record_declaration": _class,
        "enum_declaration": _enum,
        "field_declaration": _field,
        "constant_declaration": _field,
        "method_declaration": _method,
        "constructor_declaration": _method,
        "compact_constructor_declaration": _method,
        "local_variable_declaration": _variable,
        "resource": _resource,
        "assignment_expression": _assignment,
        "enhanced_for_statement": _each,
        "for_statement": _loop,
        "while_statement": _loop,
        "do_statement": _loop,
        "if_statement": GuardedReader.conditioned,
        "try_statement": _try,
        "try_with_resources_statement": _try,
        "catch_formal_parameter": _caught,
        "return_statement": _return,
        "yield_statement": _yield,
        "line_comment": _nothing,
        "block_comment": _nothing,
    }


def read(source: bytes, path: str) -> FileFacts:
    """Read a file."""
    import tree_sitter
    import tree_sitter_java

    return JavaReader(source, path).read(tree_sitter.Language(tree_sitter_java.language()))
