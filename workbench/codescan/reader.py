"""What all readers of syntax trees share: scopes, blocks, bindings, and a guard against depth.

A language's reader derives from `Reader` and fills two tables: `expressions` (node type → method
that gives an `Expr`) and `statements` (node type → method that notes facts). What neither knows is
walked through, so that no call is missed.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar, Final

from workbench.codescan.expressions import (
    Call,
    Expr,
    Name,
    Number,
    Opaque,
    Record,
    Text,
    Truth,
)
from workbench.codescan.facts import (
    Binding,
    BindingKind,
    Block,
    CallFact,
    FileFacts,
    Parameter,
    Return,
    Scope,
)

if TYPE_CHECKING:
    from tree_sitter import Language, Node

__all__ = ["Reader"]

_LONGEST: Final = 5.0
"""Seconds of the processor's time that parsing one file may take."""

_PIECE: Final = 1 << 16

_DEEPEST: Final = 120
"""How deep code may nest before the rest is left unread: Python's own stack is not endless."""


class Reader:
    """Turns one file's syntax tree into facts.

    Parameters
    ----------
    source
        UTF-8.
    path
        As the facts will name it.
    """

    language: ClassVar[str]
    expressions: ClassVar[dict[str, Callable[[Any, Node], Expr]]]
    statements: ClassVar[dict[str, Callable[[Any, Node], None]]]

    def __init__(self, source: bytes, path: str) -> None:
        self.source = source
        self.facts = FileFacts(path, self.language, source)
        self.facts.scopes.append(Scope("", "", (), -1, 0, len(source)))
        self.facts.blocks.append(Block(-1))
        self.scope = 0
        self.block = 0
        self.owner = ""
        self._depth = 0

    def read(self, grammar: Language) -> FileFacts:
        """Parse and note everything."""
        from tree_sitter import Parser

        end = time.process_time() + _LONGEST

        def piece(offset: int, _point: object) -> bytes:
            return self.source[offset : offset + _PIECE]

        def late(*_progress: object) -> bool:
            return time.process_time() > end

        try:
            tree = Parser(grammar).parse(piece, progress_callback=late)
        except ValueError:
            # Some grammars never come to an end of some damaged files.
            self.facts.broken = 1
            return self.facts
        if tree.root_node.has_error:
            self.facts.broken = _first_error(tree.root_node)
        self.walk(tree.root_node)
        return self.facts

    def walk(self, node: Node) -> None:
        """Note what stands in a node."""
        if self._depth > _DEEPEST:
            return
        self._depth += 1
        kind = node.type
        if (statement := self.statements.get(kind)) is not None:
            statement(self, node)
        elif kind in self.expressions:
            self.expressions[kind](self, node)
        else:
            for child in node.named_children:
                self.walk(child)
        self._depth -= 1

    def walk_all(self, node: Node | None) -> None:
        """Note what stands in the children of a node."""
        for child in node.named_children if node is not None else ():
            self.walk(child)

    def expr(self, node: Node | None) -> Expr:
        """The expression of a node; what is not understood is walked through and opaque."""
        if node is None:
            return Opaque(0, 0)
        convert = self.expressions.get(node.type)
        if convert is None or self._depth > _DEEPEST:
            self.walk(node)
            return Opaque(node.start_byte, node.end_byte)
        self._depth += 1
        result = convert(self, node)
        self._depth -= 1
        return result

    def text(self, node: Node | None) -> str:
        """A node's source."""
        if node is None:
            return ""
        return self.source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def exprs(self, node: Node | None) -> list[Expr]:
        """The expressions of a node's named children."""
        if node is None:
            return []
        return [self.expr(c) for c in node.named_children if c.type != "comment"]

    def signed(self, node: Node, field: str, *, through: Collection[str]) -> Expr:
        """A value with an operator before it.

        Parameters
        ----------
        node
            With a field ``operator``.
        field
            Where the grammar has the value.
        through
            Operators that leave the value as it is.
        """
        value = self.expr(node.child_by_field_name(field))
        operator = self.text(node.child_by_field_name("operator"))
        if operator == "!":
            return Truth(node.start_byte, node.end_byte)
        if operator == "-" and isinstance(value, Number):
            return Number(node.start_byte, node.end_byte, -value.value)
        return value if operator in through else Opaque(node.start_byte, node.end_byte)

    def called(self, call: Call) -> Call:
        """Note a call, and give it back."""
        self.facts.calls.append(CallFact(call, self.scope, self.block))
        return call

    def returned(self, values: list[Expr]) -> None:
        """Note what the function gives back."""
        self.facts.returns.append(Return(tuple(values), self.scope, self.block))

    def bind(
        self,
        name: str,
        value: Expr | None,
        node: Node,
        *,
        kind: BindingKind = BindingKind.ASSIGNED,
        type_: str = "",
        owner: str = "",
    ) -> None:
        """Note that a name or a field is given a value."""
        # What is assigned counts for what stands behind the whole statement.
        self.facts.bindings.append(
            Binding(name, value, self.scope, self.block, node.end_byte, kind, type_, owner)
        )

    def recorded(self, record: Record, node: Node) -> Record:
        """Note a literal's fields, and give it back."""
        for key, value in record.pairs:
            if isinstance(key, Name | Text):
                name = key.name if isinstance(key, Name) else key.value
                self.bind(name, value, node, kind=BindingKind.FIELD, owner=record.type)
        return record

    @contextmanager
    def function(
        self,
        node: Node,
        name: str,
        parameters: tuple[Parameter, ...],
        *,
        owner: str = "",
        receiver: str = "",
        results: tuple[str, ...] = (),
    ) -> Iterator[int]:
        """Everything noted inside belongs to a function of its own; gives its place in `scopes`."""
        before = self.scope, self.block
        self.facts.scopes.append(
            Scope(
                name,
                owner,
                parameters,
                self.scope,
                node.start_byte,
                node.end_byte,
                receiver,
                self.block,
                results,
            )
        )
        self.scope = len(self.facts.scopes) - 1
        self.facts.blocks.append(Block(self.block))
        self.block = len(self.facts.blocks) - 1
        try:
            yield self.scope
        finally:
            self.scope, self.block = before

    @contextmanager
    def branch(self, condition: str = "", *, loop: bool = False) -> Iterator[None]:
        """Everything noted inside may or may not run."""
        before = self.block
        self.facts.blocks.append(Block(before, condition, loop))
        self.block = len(self.facts.blocks) - 1
        try:
            yield
        finally:
            self.block = before


def _first_error(root: Node) -> int:
    node = root
    while True:
        for child in node.children:
            if child.is_error or child.is_missing:
                return child.start_point[0] + 1
            if child.has_error:
                node = child
                break
        else:
            return node.start_point[0] + 1
