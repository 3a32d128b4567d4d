"""Literals behind expressions: names of metrics, lists of labels, buckets, options."""

from __future__ import annotations

import math
from collections.abc import Iterator

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
    Part,
    Record,
    Spread,
    Text,
)
from workbench.codescan.program import Frame, Here, Program, last_name
from workbench.codescan.tracing import DEEPEST, Tracer

__all__ = ["UNSEEN", "Evaluator"]

UNSEEN = "…"
"""Stands in a name for a part that no literal gives."""

_STEPS = 2000
"""How many values are followed for one declaration or use: where functions call each other in
every combination, there would be no end."""


class Evaluator:
    """Reads literals through names, constants, parameters and simple functions."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.tracer = Tracer(program)
        self._left = _STEPS

    def refill(self) -> None:
        """Begin with another declaration or use: it may take as many steps as any."""
        self._left = _STEPS

    def spend(self) -> bool:
        """Take a step; False where so many were taken that the rest is not worth its time."""
        self._left -= 1
        return self._left > 0

    def settle(self, expr: Expr, here: Here, depth: int = 0) -> tuple[Expr, Here]:
        """Follow names to the one expression they stand for; where there is not one, give back."""
        if depth > DEEPEST:
            return expr, here
        if isinstance(expr, Part) and isinstance(expr.of, Call):
            found = list(self.results(expr.of, here, expr.index))
            return self.settle(*found[0], depth + 1) if len(found) == 1 else (expr, here)
        if not isinstance(expr, Name | Member):
            return expr, here
        origin = self.tracer.origin(expr, here)
        if origin is None or len(origin.values) != 1 or not origin.complete:
            return expr, here
        return self.settle(*origin.values[0], depth + 1)

    def results(
        self, call: Call, here: Here, index: int = 0, *, sure: bool = False
    ) -> Iterator[tuple[Expr, Here]]:
        """What a function of the tree gives back, seen from one call of it."""
        for file, scope in self.tracer.functions(call.callee, here, sure=sure):
            frame = Frame(file, scope, call, here)
            package = self.program.package_of(file)
            for given in package.returns(file, scope):
                if not self.spend():
                    return
                if index < len(given.values):
                    value = given.values[index]
                    yield value, Here(file, scope, given.block, value.start, frame)

    def text(self, expr: Expr | None, here: Here, depth: int = 0) -> str:
        """The text of an expression, with `UNSEEN` for what no literal gives; None is ``""``."""
        if expr is None:
            return ""
        if depth > DEEPEST:
            return UNSEEN
        expr, here = self.settle(expr, here)
        if isinstance(expr, Text):
            return expr.value
        if isinstance(expr, Join):
            return "".join(self.text(p, here, depth + 1) for p in expr.parts)
        if isinstance(expr, Call):
            return self._called(expr, here, depth)
        return UNSEEN

    def _called(self, call: Call, here: Here, depth: int) -> str:
        name = self.skeleton(call.callee, here)
        if name.endswith("prometheus.BuildFQName"):
            parts = [self.text(a, here, depth + 1) for a in call.args]
            return "_".join(p for p in parts if p) if parts and parts[-1] else ""
        if name == "fmt.Sprintf" and call.args:
            return self._formatted(call, here, depth)
        source: list[tuple[Expr, Here]] = list(self.results(call, here))
        if name in ("string", "str") and len(call.args) == 1:
            source = [(call.args[0], here)]
        found = {self.text(v, at, depth + 1) for v, at in source}
        return found.pop() if len(found) == 1 else UNSEEN

    def _formatted(self, call: Call, here: Here, depth: int) -> str:
        form = self.text(call.args[0], here, depth + 1)
        values = iter(call.args[1:])
        pieces = form.replace("%%", "\0").split("%")
        result = [pieces[0]]
        for piece in pieces[1:]:
            value = next(values, None)
            simple = piece[:1] in ("s", "v") and value is not None
            result.append(self.text(value, here, depth + 1) if simple else UNSEEN)
            result.append(piece[1:])
        return "".join(result).replace("\0", "%")

    def strings(self, expr: Expr | None, here: Here, depth: int = 0) -> tuple[str, ...] | None:
        """A list of texts, or None where it is not known in full."""
        if expr is None:
            return ()
        expr, here = self.settle(expr, here)
        if _is_empty(expr):
            return ()
        result: tuple[str, ...] | None = None
        if isinstance(expr, Items):
            result = self._listed(expr.items, here, depth)
        elif isinstance(expr, Join):
            result = self._listed(tuple(Spread(p.start, p.end, p) for p in expr.parts), here, depth)
        elif isinstance(expr, Call) and depth <= DEEPEST:
            result = self._made(expr, here, depth)
        return result

    def _made(self, call: Call, here: Here, depth: int) -> tuple[str, ...] | None:
        if isinstance(call.callee, Name) and call.callee.name in ("append", "list", "tuple"):
            return self._appended(call, here, depth)
        found = {self.strings(v, at, depth + 1) for v, at in self.results(call, here)}
        return found.pop() if len(found) == 1 else None

    def _appended(self, call: Call, here: Here, depth: int) -> tuple[str, ...] | None:
        first = self.strings(call.args[0], here, depth + 1) if call.args else ()
        rest = self._listed(call.args[1:], here, depth)
        return None if first is None or rest is None else (*first, *rest)

    def _listed(self, items: tuple[Expr, ...], here: Here, depth: int) -> tuple[str, ...] | None:
        result: list[str] = []
        for item in items:
            if isinstance(item, Spread):
                inner = self.strings(item.of, here, depth + 1) if depth <= DEEPEST else None
                if inner is None:
                    return None
                result.extend(inner)
                continue
            result.append(self.text(item, here))
        return tuple(result)

    def number(self, expr: Expr, here: Here) -> float | None:
        """A number, or None."""
        expr, here = self.settle(expr, here)
        if isinstance(expr, Number) and not math.isnan(expr.value):
            return expr.value
        # float("inf"), math.inf, INF: the bound that every histogram has.
        if isinstance(expr, Call) and last_name(expr.callee) == "float" and expr.args:
            return math.inf if "inf" in self.text(expr.args[0], here).lower() else None
        return math.inf if last_name(expr).lower() in ("inf", "infinity") else None

    def numbers(self, expr: Expr, here: Here) -> tuple[float, ...] | None:
        """A list of numbers, or None where it is not known in full."""
        expr, here = self.settle(expr, here)
        if not isinstance(expr, Items):
            return None
        values = [self.number(i, here) for i in expr.items]
        if any(v is None for v in values):
            return None
        return tuple(v for v in values if v is not None)

    def constants(self, expr: Expr | None, here: Here) -> dict[str, str]:
        """A map of texts; what is not literal is `UNSEEN`."""
        if expr is None:
            return {}
        expr, here = self.settle(expr, here)
        if not isinstance(expr, Record):
            return {}
        return {self.text(k, here): self.text(v, here) for k, v in expr.pairs}

    def skeleton(self, expr: Expr, here: Here, depth: int = 0, *, follow: bool = True) -> str:
        """An expression as rules see it (`workbench.codescan.rules.Rule`).

        Parameters
        ----------
        expr, here
            The expression, and where it stands.
        depth
            How many steps were taken to come here.
        follow
            Write for a variable what it was given, where that is one thing: it says more than the
            variable's name (``vars := mux.Vars(r)``), or less (``err := work()``).
        """
        if depth > 2 * DEEPEST:
            return ""
        if isinstance(expr, Name):
            return self._skeleton_of_name(expr, here, depth, follow=follow)
        result = ""
        if isinstance(expr, Member):
            result = f"{self.skeleton(expr.of, here, depth + 1, follow=follow)}.{expr.name}"
        elif isinstance(expr, Call):
            result = f"{self.skeleton(expr.callee, here, depth + 1, follow=follow)}()"
        elif isinstance(expr, Index):
            key = expr.index.value if isinstance(expr.index, Text) else ""
            result = f"{self.skeleton(expr.of, here, depth + 1, follow=follow)}[{key}]"
        elif isinstance(expr, Part) and expr.index == 0:
            result = self.skeleton(expr.of, here, depth + 1, follow=follow)
        elif isinstance(expr, Choice) and expr.options:
            result = self.skeleton(expr.options[0], here, depth + 1, follow=follow)
        return result

    def _skeleton_of_name(self, expr: Name, here: Here, depth: int, *, follow: bool) -> str:
        if not self.tracer.is_local(expr.name, here):
            return here.file.imports.get(expr.name, expr.name).replace("#", ".")
        type_ = self.tracer.type_of(expr, here)
        if type_:
            return f"{expr.name}<{type_}>"
        if not follow:
            return expr.name
        origin = self.tracer.origin(expr, here)
        if origin is not None and len(origin.values) == 1:
            value, at = origin.values[0]
            if isinstance(value, Call | Member | Index | Part | Name) and depth <= DEEPEST:
                return self.skeleton(value, at, depth + 4) or expr.name
        return expr.name


def _is_empty(expr: Expr) -> bool:
    if isinstance(expr, Record):
        return not expr.pairs
    return isinstance(expr, Name) and expr.name in ("nil", "None", "null", "undefined")
