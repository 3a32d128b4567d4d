"""From a name to what it may hold: assignments that reach it, arguments of callers, constants."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.codescan.expressions import (
    Call,
    Element,
    Expr,
    Index,
    Items,
    Member,
    Name,
    Part,
    Record,
    Spread,
    Text,
)
from workbench.codescan.facts import Binding, BindingKind, FileFacts
from workbench.codescan.program import Frame, Here, Program

__all__ = ["DEEPEST", "Origin", "Tracer", "argument"]

_MEMBERSHIP = re.compile(r"\bok\b|\bin\b|\(")
"""What a condition holds that asks for a value in a set: ``!ok``, ``not in``, ``known(…)``."""

DEEPEST = 6
"""How many steps a chain of names and calls is followed."""

_MOST_WAYS = 1000
"""How many ways to the literals that a name stands for are followed."""


@dataclass(frozen=True, slots=True)
class Origin:
    """What a name may hold.

    Parameters
    ----------
    values
        Expressions, and where each stands.
    complete
        Whether these are all; False where some of them are not seen.
    why
        Why not, in a few words.
    clamped
        A value that replaces others under a condition that tests the name: ``other``.
    """

    values: tuple[tuple[Expr, Here], ...] = ()
    complete: bool = True
    why: str = ""
    clamped: bool = False


class Tracer:
    """Follows names through a program."""

    def __init__(self, program: Program) -> None:
        self.program = program
        # The same functions are asked for again and again; loading a package may add callers.
        self._left = _MOST_WAYS
        self._callers: dict[tuple[FileFacts, int, int], list[tuple[Call, Here]]] = {}

    def origin(self, expr: Expr, here: Here, depth: int = 0) -> Origin | None:
        """What a name or member may hold; None where nothing is known of it."""
        if isinstance(expr, Name):
            return self._name(expr.name, here)
        if isinstance(expr, Member):
            return self._member(expr, here, depth)
        return None

    def is_local(self, name: str, here: Here) -> bool:
        """Whether a name is a variable or parameter of an enclosing function."""
        package, scope = self.program.package_of(here.file), here.scope
        while scope > 0:
            function = here.file.scopes[scope]
            if package.local(here.file, scope, name) or name == function.receiver:
                return True
            if any(p.name == name for p in function.parameters):
                return True
            scope = function.parent
        return False

    def _name(self, name: str, here: Here) -> Origin | None:
        package = self.program.package_of(here.file)
        file, scope, inner = here.file, here.scope, here
        while scope > 0:
            function = file.scopes[scope]
            bindings = package.local(file, scope, name)
            reaching = _reaching(file, bindings, inner, closure=inner is not here)
            if reaching:
                return self._assigned(name, reaching, here)
            for i, parameter in enumerate(function.parameters):
                if parameter.name.lstrip("*") == name:
                    return self._parameter(i, here, scope)
            inner = Here(file, function.parent, function.block, function.start, here.frame)
            scope = function.parent
        if here.scope == 0:
            # The file's own statements run from top to bottom, as a function's do.
            before = _reaching(file, package.local(file, 0, name), here, closure=False)
            if before and before[-1].kind is not BindingKind.CONSTANT:
                return self._assigned(name, before, here)
        found = package.values.get(name)
        if not found and (other := self.program.imported(name, file)) is not None:
            found = other.values.get(self.program.original(name, file))
        return self._package_level(found) if found else None

    def _assigned(self, name: str, reaching: list[Binding], here: Here) -> Origin:
        values = [(b.value, here.binding(here.file, b)) for b in reaching if b.value is not None]
        clamped = any(
            isinstance(b.value, Text) and _tests(here.file.blocks[b.block].condition, name)
            for b in reaching
        )
        complete = all(b.value is not None or b.kind is BindingKind.DECLARED for b in reaching)
        if not values:
            return Origin((), complete=False, why="no assignment to it was found")
        return Origin(tuple(values), complete, "not all of its values are seen", clamped)

    def _parameter(self, place: int, here: Here, scope: int) -> Origin:
        frame = here.frame
        if frame is not None and frame.file is here.file and frame.scope == scope:
            given = argument(frame.call, here.file, scope, place)
            if given is None:
                return Origin((), complete=False, why="a parameter")
            return Origin(((given, frame.here if given.start else here),))
        callers = self.callers(here.file, scope)
        values: list[tuple[Expr, Here]] = []
        for call, at in callers:
            given = argument(call, here.file, scope, place)
            if given is not None:
                values.append((given, at))
        if not values:
            return Origin(
                (), complete=False, why="a parameter, and no call of the function is seen"
            )
        return Origin(tuple(values))

    def _package_level(self, found: list[tuple[FileFacts, Binding]]) -> Origin:
        values = tuple(
            (b.value, Here(f, b.scope, b.block, b.value.start))
            for f, b in found
            if b.value is not None
        )
        constant = all(b.kind is BindingKind.CONSTANT for _, b in found)
        return Origin(values, complete=bool(values) or constant, why="a variable of the package")

    def _member(self, expr: Member, here: Here, depth: int) -> Origin | None:
        if isinstance(expr.of, Name) and not self.is_local(expr.of.name, here):
            package = self.program.imported(expr.of.name, here.file)
            if package is not None and (found := package.values.get(expr.name)):
                return self._package_level(found)
        values: list[tuple[Expr, Here]] = []
        for value, at in self.records(expr.of, here, depth + 1):
            given = self._field(value, expr.name, at)
            if given is None:
                return None
            values.append((given, at))
        return Origin(tuple(values)) if values else None

    def _field(self, literal: Expr, name: str, here: Here) -> Expr | None:
        """A field of a struct's literal, given by name or by place."""
        if isinstance(literal, Record):
            return literal.get(name)
        if isinstance(literal, Items) and literal.type:
            types = self.program.package_of(here.file).field_types.get(name, {})
            order = self.program.package_of(here.file).field_order.get(literal.type, [])
            if literal.type in types and name in order and order.index(name) < len(literal.items):
                return literal.items[order.index(name)]
        return None

    def records(self, expr: Expr, here: Here, depth: int = 0) -> list[tuple[Expr, Here]]:
        """The literals that a name stands for, where its assignments are all seen."""
        if depth <= 1:
            self._left = _MOST_WAYS
        found = self._records(expr, here, depth)
        self._left -= 1
        # Functions that call themselves with parts of their arguments have no end of ways.
        return found if self._left > 0 else []

    def _records(self, expr: Expr, here: Here, depth: int) -> list[tuple[Expr, Here]]:
        if self._left <= 0:
            return []
        if isinstance(expr, Element) and not expr.key and depth < DEEPEST:
            # A loop's variable: each element of the list or map.
            inner: list[tuple[Expr, Here]] = []
            for literal, at in self.records(expr.of, here, depth + 1):
                if isinstance(literal, Items):
                    inner.extend((i, at) for i in literal.items)
                elif isinstance(literal, Record):
                    inner.extend((k if expr.key_of_map else v, at) for k, v in literal.pairs)
                else:
                    return [(expr, here)]
            return inner
        if not isinstance(expr, Name | Member):
            return [(expr, here)]
        origin = self.origin(expr, here, depth) if depth < DEEPEST else None
        if origin is None or not origin.complete:
            return []
        return [r for v, at in origin.values for r in self.records(v, at, depth + 1)]

    def type_of(self, expr: Expr, here: Here, depth: int = 0) -> str:
        """The type of an expression as written, or ``""``."""
        if isinstance(expr, Name):
            return self._type_of_name(expr.name, here, depth)
        if isinstance(expr, Member):
            types = self.program.package_of(here.file).field_types.get(expr.name, {})
            owner = self.type_of(expr.of, here, depth + 1).lstrip("*&") if depth < DEEPEST else ""
            if owner in types:
                return types[owner]
            return next(iter(types.values())) if len(set(types.values())) == 1 else ""
        if isinstance(expr, Index):
            of = self.type_of(expr.of, here, depth + 1) if depth < DEEPEST else ""
            return of.partition("]")[2] if of.startswith(("[", "map[")) else ""
        if isinstance(expr, Call | Part) and depth < DEEPEST:
            return self._type_of_call(expr, here, depth)
        return expr.type if isinstance(expr, Record) else ""

    def _type_of_call(self, expr: Call | Part, here: Here, depth: int) -> str:
        call, index = (expr.of, expr.index) if isinstance(expr, Part) else (expr, 0)
        if not isinstance(call, Call):
            return ""
        found = {
            file.scopes[scope].results[index] if index < len(file.scopes[scope].results) else ""
            for file, scope in self.functions(
                call.callee, here, sure=True, depth=max(depth + 1, DEEPEST - 2)
            )
        }
        return found.pop() if len(found) == 1 else ""

    def functions(
        self, callee: Expr, here: Here, *, sure: bool = False, depth: int = DEEPEST - 2
    ) -> list[tuple[FileFacts, int]]:
        """The functions of the tree that a call may mean.

        Parameters
        ----------
        callee, here
            What is called, and where.
        sure
            Leave out methods of objects whose type is not seen.
        depth
            How many steps were taken to come here: ``x = x.next()`` has no end of them.
        """
        found = self.program.functions(callee, here)
        if isinstance(callee, Member) and not found:
            return self._methods_elsewhere(callee, here, depth)
        if not isinstance(callee, Member) or not any(f.scopes[s].owner for f, s in found):
            return found
        type_ = self.type_of(callee.of, here, depth).lstrip("*&")
        if not type_:
            scope = here.file.scopes[here.scope]
            own = isinstance(callee.of, Name) and callee.of.name == scope.receiver
            return found if own or not sure else []
        if "." in type_:
            return []
        return [(f, s) for f, s in found if f.scopes[s].owner == type_] or (
            [] if type_ in self.program.package_of(here.file).field_order else found
        )

    def _methods_elsewhere(
        self, callee: Member, here: Here, depth: int
    ) -> list[tuple[FileFacts, int]]:
        """A method of an object whose type is imported by its name."""
        type_ = self.type_of(callee.of, here, depth).lstrip("*&").partition("<")[0]
        other = self.program.imported(type_, here.file) if "." not in type_ else None
        if other is None:
            return []
        owner = self.program.original(type_, here.file)
        found = other.functions.get(callee.name, [])
        return [(f, s) for f, s in found if f.scopes[s].owner == owner]

    def callers(self, file: FileFacts, scope: int) -> list[tuple[Call, Here]]:
        """The calls that may mean a function; those on objects of another type are left out."""
        key = file, scope, len(self.program.packages)
        if key not in self._callers:
            found = self.program.callers(file, scope)
            if owner := file.scopes[scope].owner:
                found = [(c, at) for c, at in found if self._may_be(c.callee, at, owner)]
            self._callers[key] = found
        return self._callers[key]

    def _may_be(self, callee: Expr, here: Here, owner: str) -> bool:
        if not isinstance(callee, Member):
            return False
        type_ = self.type_of(callee.of, here, DEEPEST - 2).lstrip("*&").rpartition(".")[2]
        if not type_:
            return not _held(callee.of, here, owner)
        known = self.program.package_of(here.file).field_order
        return type_ == owner or type_ not in known

    def _type_of_name(self, name: str, here: Here, depth: int) -> str:
        package, scope = self.program.package_of(here.file), here.scope
        while scope > 0:
            function = here.file.scopes[scope]
            for binding in package.local(here.file, scope, name):
                if type_ := self._type_of_binding(binding, here, depth):
                    return type_
            if name == function.receiver:
                return function.owner
            for parameter in function.parameters:
                if parameter.name == name:
                    return parameter.type
            scope = function.parent
        found = (self._type_of_binding(b, here, depth) for _, b in package.values.get(name, []))
        return next(filter(None, found), "")

    def _type_of_binding(self, binding: Binding, here: Here, depth: int) -> str:
        value = binding.value
        if binding.type:
            return binding.type
        if isinstance(value, Record):
            return value.type
        if isinstance(value, Name | Member | Call | Part) and depth < DEEPEST:
            return self.type_of(value, here.binding(here.file, binding), depth + 1)
        return ""

    def frames(self, here: Here) -> list[Here]:
        """The same place, once for each call of its function; itself where none is seen."""
        if here.frame is not None or here.scope == 0:
            return [here]
        callers = self.callers(here.file, here.scope)
        return [here.entered(Frame(here.file, here.scope, call, at)) for call, at in callers] or [
            here
        ]


def _held(expr: Expr, here: Here, owner: str) -> bool:
    """Whether it is what an object of a class holds, which hardly is of that class again."""
    scope = here.file.scopes[here.scope]
    own = isinstance(expr, Member) and isinstance(expr.of, Name) and expr.of.name == scope.receiver
    return own and scope.owner == owner


def argument(call: Call, file: FileFacts, scope: int, place: int) -> Expr | None:
    """What a call gives to a parameter; its default where it gives nothing."""
    parameters = file.scopes[scope].parameters
    parameter = parameters[place]
    for name, value in call.keywords:
        if name == parameter.name:
            return value
    if parameter.type.startswith("...") or parameter.name.startswith("*"):
        rest = call.args[place:]
        if len(rest) == 1 and isinstance(rest[0], Spread):
            return rest[0].of
        return Items(call.start, call.end, rest)
    if place < len(call.args):
        return call.args[place]
    return parameter.default


def _reaching(
    file: FileFacts, bindings: list[Binding], here: Here, *, closure: bool
) -> list[Binding]:
    """The assignments that may have been the last one when `here` is reached."""
    seen: list[Binding] = []
    for binding in bindings:
        inside = file.within(here.block, binding.block)
        if binding.start > here.at:
            # Later ones count where the code runs later (a closure) or again (a loop).
            if not closure and not _looped(file, binding.block, here.block):
                continue
            if inside and not closure:
                continue
            seen.append(binding)
        elif inside:
            # It runs whenever what we ask for runs: nothing before it is left.
            seen = [binding]
        elif binding.kind is not BindingKind.DECLARED:
            seen.append(binding)
    return seen


def _looped(file: FileFacts, block: int, other: int) -> bool:
    while other > 0:
        if file.blocks[other].loop and file.within(block, other):
            return True
        other = file.blocks[other].parent
    return False


def _tests(condition: str, name: str) -> bool:
    """Whether a condition asks if a value is a known one: then it replaces what is not."""
    if name not in condition or condition.startswith("switch"):
        return False
    return bool(_MEMBERSHIP.search(condition.replace("len(", "")))
