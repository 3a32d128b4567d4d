"""From a name to what it may hold: assignments that reach it, arguments of callers, constants."""

from __future__ import annotations

from dataclasses import dataclass

from workbench.codescan.expressions import Call, Expr, Index, Member, Name, Record, Text
from workbench.codescan.facts import Binding, BindingKind, FileFacts
from workbench.codescan.program import Frame, Here, Program

__all__ = ["DEEPEST", "Origin", "Tracer", "argument"]

DEEPEST = 6
"""How many steps a chain of names and calls is followed."""


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

    def origin(self, expr: Expr, here: Here) -> Origin | None:
        """What a name or member may hold; None where nothing is known of it."""
        if isinstance(expr, Name):
            return self._name(expr.name, here)
        if isinstance(expr, Member):
            return self._member(expr, here)
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
        found = package.values.get(name)
        if not found and (other := self.program.imported(name, file)) is not None:
            found = other.values.get(name)
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
        callers = self.program.callers(here.file, scope)
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

    def _member(self, expr: Member, here: Here) -> Origin | None:
        if isinstance(expr.of, Name) and not self.is_local(expr.of.name, here):
            package = self.program.imported(expr.of.name, here.file)
            if package is not None and (found := package.values.get(expr.name)):
                return self._package_level(found)
        for value, at in self.records(expr.of, here):
            if isinstance(value, Record) and (given := value.get(expr.name)) is not None:
                return Origin(((given, at),))
        return None

    def records(self, expr: Expr, here: Here, depth: int = 0) -> list[tuple[Expr, Here]]:
        """The literals that a name stands for, where its assignments are all seen."""
        if not isinstance(expr, Name | Member):
            return [(expr, here)]
        origin = self.origin(expr, here) if depth < DEEPEST else None
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
        return expr.type if isinstance(expr, Record) else ""

    def _type_of_name(self, name: str, here: Here, depth: int) -> str:
        package, scope = self.program.package_of(here.file), here.scope
        while scope > 0:
            function = here.file.scopes[scope]
            for binding in package.local(here.file, scope, name):
                if binding.type:
                    return binding.type
                if isinstance(binding.value, Record) and binding.value.type:
                    return binding.value.type
                if isinstance(binding.value, Name | Member) and depth < DEEPEST:
                    at = here.binding(here.file, binding)
                    return self.type_of(binding.value, at, depth + 1)
            if name == function.receiver:
                return function.owner
            for parameter in function.parameters:
                if parameter.name == name:
                    return parameter.type
            scope = function.parent
        for _, binding in package.values.get(name, []):
            if binding.type:
                return binding.type
        return ""

    def frames(self, here: Here) -> list[Here]:
        """The same place, once for each call of its function; itself where none is seen."""
        if here.frame is not None or here.scope == 0:
            return [here]
        callers = self.program.callers(here.file, here.scope)
        return [here.entered(Frame(here.file, here.scope, call, at)) for call, at in callers] or [
            here
        ]


def argument(call: Call, file: FileFacts, scope: int, place: int) -> Expr | None:
    """What a call gives to a parameter; its default where it gives nothing."""
    parameters = file.scopes[scope].parameters
    parameter = parameters[place]
    for name, value in call.keywords:
        if name == parameter.name:
            return value
    if parameter.type.startswith("...") or parameter.name.startswith("*"):
        from workbench.codescan.expressions import Items, Spread

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
    return "ok" in condition or "in " in condition or "(" in condition.replace("len(", "")
