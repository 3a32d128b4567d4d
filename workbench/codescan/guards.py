"""Tests of membership that bound a variable: ``if (!KNOWN.contains(path)) return "other";``.

Behind such a test a name can only be an element of what it was held against. Readers of languages
whose grammar calls the parts of an ``if`` `condition`, `consequence` and `alternative` share this.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from workbench.codescan.expressions import Call, Choice, Element, Expr, Member, Name
from workbench.codescan.facts import BindingKind
from workbench.codescan.reader import Reader

if TYPE_CHECKING:
    from tree_sitter import Node

__all__ = ["GuardedReader"]

_TESTS: Final = {
    "contains": False,
    "containsKey": True,
    "includes": False,
    "has": False,
    "hasOwnProperty": True,
    "hasOwn": True,
}
"""What asks if a collection holds a value; True where it asks of its keys."""

_NEGATIONS: Final = frozenset({"!", "not"})
_LEAVING: Final = frozenset(
    {"return_statement", "throw_statement", "continue_statement", "break_statement"}
)
_NESTING: Final = frozenset({"block", "statement_block", "expression_statement"})


class GuardedReader(Reader):
    """A reader that notes what tests of membership say."""

    def conditioned(self, node: Node) -> None:
        """Note an ``if`` with both branches."""
        condition = node.child_by_field_name("condition")
        held, negated = self.held(condition, self.expr(condition))
        then = node.child_by_field_name("consequence")
        other = node.child_by_field_name("alternative")
        mark = len(self.facts.bindings)
        if then is not None:
            with self.branch():
                if held is not None and not negated:
                    self._narrow(held, then, mark, BindingKind.DECLARED)
                self.walk(then)
        if held is not None and negated and then is not None and self._replaces(then, mark, held):
            self._narrow(held, then, mark, BindingKind.ASSIGNED)
        if other is not None:
            with self.branch():
                self.walk(other)

    def chosen(self, node: Node) -> Expr:
        """A conditional expression; an option that was tested is an element of the collection."""
        condition = node.child_by_field_name("condition")
        held, negated = self.held(condition, self.expr(condition))
        options = [self.expr(node.child_by_field_name(s)) for s in ("consequence", "alternative")]
        if held is not None:
            name, element = held
            place = 1 if negated else 0
            tested = options[place]
            if isinstance(tested, Name) and tested.name == name:
                options[place] = Element(tested.start, tested.end, element.of, element.key)
        return Choice(node.start_byte, node.end_byte, tuple(options))

    def held(self, node: Node | None, condition: Expr) -> tuple[tuple[str, Element] | None, bool]:
        """The name that a condition tests and what it then is; whether the test is turned round."""
        negated = False
        while node is not None and node.type in (
            "parenthesized_expression",
            "unary_expression",
            "not_operator",
        ):
            operator = node.child_by_field_name("operator")
            if operator is not None and self.text(operator) not in _NEGATIONS:
                return None, False
            negated ^= operator is not None
            inner = [c for c in node.named_children if "comment" not in c.type]
            node = inner[0] if inner else None
        if node is None:
            return None, False
        if node.type == "binary_expression":
            return self._key_of(node), negated
        for fact in reversed(self.facts.calls):
            if fact.call.start == node.start_byte and fact.call.end == node.end_byte:
                return _membership(fact.call), negated
            if fact.call.end < node.start_byte:
                break
        return _membership(condition), negated

    def _key_of(self, node: Node) -> tuple[str, Element] | None:
        """What ``name in OBJECT`` tests."""
        left, right = (node.child_by_field_name(side) for side in ("left", "right"))
        named = left is not None and right is not None and right.type == "identifier"
        if not named or left is None or right is None or left.type != "identifier":
            return None
        if self.text(node.child_by_field_name("operator")) != "in":
            return None
        of = Name(right.start_byte, right.end_byte, self.text(right))
        return self.text(left), Element(node.start_byte, node.end_byte, of, key=True)

    def _narrow(self, held: tuple[str, Element], node: Node, mark: int, kind: BindingKind) -> None:
        """Note what a name is from the beginning of a node on."""
        self.bind(held[0], held[1], node, kind=kind)
        binding = self.facts.bindings.pop()
        binding.start = node.start_byte
        self.facts.bindings.insert(mark, binding)

    def _replaces(self, then: Node, mark: int, held: tuple[str, Element]) -> bool:
        """Whether who comes behind a branch has passed the test, or was given another value."""
        return _leaves(then) or any(b.name == held[0] for b in self.facts.bindings[mark:])


def _membership(call: Expr) -> tuple[str, Element] | None:
    if not isinstance(call, Call) or not isinstance(call.callee, Member):
        return None
    of, name = call.callee.of, call.callee.name
    if name not in _TESTS or not call.args:
        return None
    if name == "hasOwn" and len(call.args) == 2:
        of = call.args[0]
    tested = call.args[-1]
    if not isinstance(tested, Name) or not isinstance(of, Name | Member):
        return None
    return tested.name, Element(call.start, call.end, of, _TESTS[name], key_of_map=True)


def _leaves(node: Node) -> bool:
    """Whether nothing behind a branch is reached from it."""
    if node.type in _LEAVING:
        return True
    if node.type not in _NESTING:
        return False
    children = [c for c in node.named_children if "comment" not in c.type]
    return bool(children) and _leaves(children[-1])
