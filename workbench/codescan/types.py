"""Types with few values: enums, booleans, texts listed in an annotation."""

from __future__ import annotations

import re
from dataclasses import dataclass

from workbench.codescan.expressions import Call, Element, Expr, Member, Name
from workbench.codescan.program import Here, Program
from workbench.codescan.tracing import Tracer

__all__ = ["Listed", "Types"]


@dataclass(frozen=True, slots=True)
class Listed:
    """The values of a type: `kind`, `values` and `count` as in `LabelValues`.

    `what` completes "`reason` is …"; it is empty for a single member.
    """

    kind: str
    values: tuple[str, ...]
    count: int
    what: str


class Types:
    """Asks for the types of expressions of one program."""

    def __init__(self, program: Program, tracer: Tracer) -> None:
        self._program = program
        self._tracer = tracer

    def listed(self, expr: Expr, here: Here) -> Listed | None:
        """The values of an expression's type, or of the member of an enum; None where it is open."""
        type_ = self._tracer.type_of(expr, here).lstrip("*")
        if isinstance(expr, Member):
            if expr.name in ("value", "name") and not type_:
                return self.listed(expr.of, here)
            if isinstance(expr.of, Name) and expr.name in self._members(expr.of.name, here):
                said = self._members(expr.of.name, here)[expr.name]
                return Listed("enum", (said or expr.name,), 1, "")
        if isinstance(expr, Name) and not self._tracer.is_local(expr.name, here):
            members = self._members(type_, here) if type_ else {}
            if expr.name in members:
                # One of its constants: where it has a text, that is found as any constant is.
                single = Listed("enum", (expr.name,), 1, "")
                return single if members[expr.name] is None else None
        if not type_ and isinstance(expr, Element | Call):
            # Each member of an enum's class, or one that its class gives: for s in Status.
            of = expr.of if isinstance(expr, Element) else expr.callee
            of = of.of if isinstance(of, Member) else of
            if isinstance(of, Name) and self._members(of.name, here):
                type_ = of.name
        found = self._of_type(type_, here) if type_ else None
        return found if found is not None else self._of_method(expr, here)

    def _of_method(self, expr: Expr, here: Here) -> Listed | None:
        """What a method of an enum's member gives, without arguments: one value for each member."""
        if not isinstance(expr, Call) or expr.args or not isinstance(expr.callee, Member):
            return None
        of = self.listed(expr.callee.of, here)
        if of is None or of.kind != "enum":
            return None
        return Listed("enum", (), of.count, f"one value for each of {of.count}")

    def _of_type(self, type_: str, here: Here) -> Listed | None:
        if type_.lower() in ("bool", "boolean"):
            return Listed("boolean", ("false", "true"), 2, "a boolean")
        if values := _texts_of(type_):
            return Listed("enum", values, len(values), f"of type {type_}")
        members = self._members(type_, here)
        if not members:
            return None
        known = tuple(sorted({v for v in members.values() if v is not None}))
        # Members without a text of their own (iota) are counted one by one.
        count = len(known) + sum(v is None for v in members.values())
        return Listed("enum", known, count, f"of type {type_}, which has {count} values")

    def _members(self, type_: str, here: Here) -> dict[str, str | None]:
        """The members of an enum by its name as written; none where it is no enum."""
        enums = self._program.package_of(here.file).enums
        if type_ in enums:
            return enums[type_]
        head, dot, tail = type_.rpartition(".")
        other = self._program.imported(head or type_, here.file)
        name = tail if dot else self._program.original(type_, here.file)
        return other.enums.get(name, {}) if other is not None else {}


def _texts_of(type_: str) -> tuple[str, ...]:
    """The texts of ``Literal["a", "b"]`` or ``"a" | "b"``."""
    inner = type_.strip().rpartition("Literal[")[2].removesuffix("]")
    parts = [p.strip() for p in re.split(r"[,|]", inner)]
    if not all(re.fullmatch(r"([\"']).*\1", p) for p in parts):
        return ()
    return tuple(sorted({p[1:-1] for p in parts}))
