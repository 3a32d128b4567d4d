"""Which values an expression can give to a label: bounded, unknown or unbounded, and why."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import reduce
from itertools import product
from typing import Any, Final

from workbench.codescan.evaluating import UNSEEN, Evaluator
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
    Number,
    Part,
    Record,
    Text,
    Truth,
)
from workbench.codescan.language import Language
from workbench.codescan.names import rule_of_label, rule_of_name, rule_of_number
from workbench.codescan.program import Here
from workbench.codescan.rules import Rule
from workbench.codescan.tracing import DEEPEST, Origin
from workbench.codescan.types import Types
from workbench.inventory import Bound, LabelValues

__all__ = ["Judge"]

_MOST_PLACES: Final = 20
"""Where so many places give a label its values, the rest are not named."""

_MOST_LISTED: Final = 200
"""Beyond so many, values are counted and not listed."""


class Judge:
    """Judges expressions of one program.

    Parameters
    ----------
    evaluator
        Of that program.
    """

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self._tracer = evaluator.tracer
        self._types = Types(evaluator.program, evaluator.tracer)
        self._language: Language = evaluator.program.language
        self._plain: Final[dict[type[Expr], Callable[[Any, Here, int], LabelValues]]] = {
            Text: self._text,
            Number: self._number,
            Truth: self._truth,
            Choice: self._choice,
            Join: self._join,
        }
        self._traceable: Final[dict[type[Expr], Callable[[Any, Here, int], LabelValues]]] = {
            Call: self._call,
            Name: self._named,
            Member: self._named,
            Element: self._element,
            Index: self._index,
            Part: self._part,
        }

    def of_label(self, label: str, expr: Expr, here: Here) -> LabelValues:
        """What a label can be given; its own name speaks where the expression says nothing."""
        values = self.values(expr, here)
        text = here.file.text(expr)
        rule = rule_of_label(label, text) if values.bound is Bound.UNKNOWN else None
        if rule is not None and values.kind == "variable" and not _is_clamped(values):
            return replace(
                values,
                bound=rule.bound,
                kind=rule.kind,
                reason=f"the label {label!r} is given `{text}`, and holds {rule.what}",
                mend=self._language.mend(rule.kind),
            )
        if values.reason and not values.reason.startswith(f"`{text}`"):
            values = replace(values, reason=f"`{text}`: {values.reason}")
        return values

    def values(self, expr: Expr, here: Here, depth: int = 0) -> LabelValues:
        """What an expression can give.

        Parameters
        ----------
        expr, here
            The expression, and where it stands.
        depth
            How many steps were taken to come here.
        """
        if depth > DEEPEST or not self._evaluator.spend():
            return self._unknown(expr, here, depth, "it comes from too far away to be followed")
        judge = self._plain.get(type(expr))
        if judge is None and (rule := self._rule(expr, here)) is not None:
            return self._ruled(rule, expr, here, depth)
        judge = judge or self._traceable.get(type(expr))
        return judge(expr, here, depth) if judge is not None else self._unknown(expr, here, depth)

    def _all(self, found: Iterable[tuple[Expr, Here]], depth: int) -> LabelValues:
        """What any of several expressions can give; of very many, the first are followed."""
        judged: list[LabelValues] = []
        for expr, here in found:
            judged.append(self.values(expr, here, depth + 1))
            if not self._evaluator.spend():
                why = "more ways lead to it than were followed"
                judged.append(self._unknown(expr, here, depth + 1, why))
                break
        return _merged(judged)

    def _text(self, expr: Text, here: Here, _depth: int) -> LabelValues:
        place = here.file.place(expr.start)
        return LabelValues(Bound.BOUNDED, "literal", (expr.value,), 1, places=(place,))

    def _number(self, expr: Number, here: Here, _depth: int) -> LabelValues:
        place = here.file.place(expr.start)
        return LabelValues(Bound.BOUNDED, "literal", (f"{expr.value:g}",), 1, places=(place,))

    def _truth(self, expr: Truth, here: Here, depth: int) -> LabelValues:
        reason = f"{self._quoted(expr, here, depth)} is a boolean"
        place = here.file.place(expr.start)
        return LabelValues(Bound.BOUNDED, "boolean", ("false", "true"), 2, reason, "", (place,))

    def _choice(self, expr: Choice, here: Here, depth: int) -> LabelValues:
        return _merged(self.values(o, here, depth + 1) for o in expr.options)

    def _join(self, expr: Join, here: Here, depth: int) -> LabelValues:
        return self._joined(expr, expr.parts, here, depth)

    def _quoted(self, expr: Expr, here: Here, depth: int) -> str:
        """An expression as a reason quotes it: with its place, where that is not the label's."""
        text = f"`{here.file.text(expr)}`"
        return f"{text} ({here.file.place(expr.start)})" if depth else text

    # What the tables say.

    def _rule(self, expr: Expr, here: Here) -> Rule | None:
        for follow in (False, True):
            skeleton = self._evaluator.skeleton(expr, here, follow=follow)
            if skeleton and (rule := self._language.rules.find(skeleton)) is not None:
                return rule
        return None

    def _ruled(self, rule: Rule, expr: Expr, here: Here, depth: int) -> LabelValues:
        mend = self._language.mend(rule.kind) if rule.bound is not Bound.BOUNDED else ""
        return LabelValues(
            rule.bound,
            rule.kind,
            rule.values,
            rule.count,
            f"{self._quoted(expr, here, depth)} is {rule.what}",
            mend,
            (here.file.place(expr.start),),
        )

    def _unknown(self, expr: Expr, here: Here, depth: int, why: str = "") -> LabelValues:
        reason = f"{self._quoted(expr, here, depth)} may be anything" + (f": {why}" if why else "")
        place = here.file.place(expr.start)
        return LabelValues(Bound.UNKNOWN, "variable", reason=reason, places=(place,))

    # Names.

    def _named(self, expr: Name | Member, here: Here, depth: int) -> LabelValues:
        if (values := self._typed(expr, here, depth)) is not None:
            return values
        origin = self._tracer.origin(expr, here)
        if origin is not None and origin.values:
            traced = self._traced(expr, origin, here, depth)
            if traced.bound is not Bound.UNKNOWN or _is_clamped(traced):
                return traced
        else:
            traced = None
        rule = rule_of_name(_subject(expr)) if self._scalar(expr, here) else None
        if rule is not None:
            return self._ruled(rule, expr, here, depth)
        if traced is not None:
            return traced
        return self._unknown(expr, here, depth, origin.why if origin is not None else "")

    def _traced(self, expr: Name | Member, origin: Origin, here: Here, depth: int) -> LabelValues:
        values = self._all(origin.values, depth)
        if not origin.complete and values.bound is Bound.BOUNDED:
            return self._unknown(expr, here, depth, origin.why)
        if origin.clamped and values.bound is Bound.UNBOUNDED:
            known = ", ".join(repr(v) for v in values.values[:3])
            why = f"a condition replaces what is not known to it by {known}"
            return replace(self._unknown(expr, here, depth, why), values=values.values)
        if isinstance(expr, Name) and values.kind == "literal" and _constant(origin):
            values = replace(values, kind="constant")
        return self._through(values, expr, here)

    def _through(self, values: LabelValues, expr: Expr, here: Here) -> LabelValues:
        """The same values, with the place where the label is given them in front."""
        place = here.file.place(expr.start)
        return replace(values, places=tuple(dict.fromkeys((place, *values.places))))

    def _typed(self, expr: Expr, here: Here, depth: int) -> LabelValues | None:
        """What the type of an expression says, where it has few values."""
        listed = self._types.listed(expr, here)
        if listed is None:
            return None
        reason = f"{self._quoted(expr, here, depth)} is {listed.what}" if listed.what else ""
        place = here.file.place(expr.start)
        return LabelValues(
            Bound.BOUNDED, listed.kind, listed.values, listed.count, reason, "", (place,)
        )

    def _scalar(self, expr: Expr, here: Here) -> bool:
        """Whether a name may hold text or a number: only then does it speak of values."""
        type_ = self._tracer.type_of(expr, here)
        return not type_ or bool(_SCALARS.fullmatch(type_.lstrip("*").lower()))

    # Calls.

    def _call(self, call: Call, here: Here, depth: int) -> LabelValues:
        skeleton = self._evaluator.skeleton(call, here)
        if self._language.passing.search(skeleton):
            return self._passed(call, here, depth)
        if skeleton in _FORMATS and call.args:
            return self._formatted(call, here, depth)
        values = self._typed(call, here, depth)
        if values is None and _callee_name(call) in _LOOKUPS and isinstance(call.callee, Member):
            values = self._looked_up(call, call.callee.of, here, depth)
        return values if values is not None else self._returned(call, here, depth)

    def _returned(self, call: Call, here: Here, depth: int) -> LabelValues:
        """What a function of the tree gives back; of others, what the name says."""
        found = list(self._evaluator.results(call, here, sure=True))
        if found:
            values = self._all(found, depth)
            if values.bound is not Bound.UNKNOWN:
                return self._through(values, call, here)
        rule = rule_of_name(_asked(call)) if not found else None
        if rule is not None and rule.bound is Bound.UNBOUNDED:
            return self._ruled(rule, call, here, depth)
        return self._unknown(call, here, depth)

    def _looked_up(self, call: Call, of: Expr, here: Here, depth: int) -> LabelValues | None:
        """The values of a map that is written out, and what is given for an unknown key."""
        for literal, at in self._tracer.records(of, here)[:1]:
            if isinstance(literal, Record) and literal.pairs:
                found = [self.values(v, at, depth + 1) for _, v in literal.pairs]
                found += [self.values(a, here, depth + 1) for a in call.args[1:2]]
                return self._through(_merged(found), call, here)
        return None

    def _passed(self, call: Call, here: Here, depth: int) -> LabelValues:
        if call.args:
            source: Expr = call.args[0]
        elif isinstance(call.callee, Member):
            source = call.callee.of
        else:
            return self._unknown(call, here, depth)
        values = self._typed(source, here, depth) or self.values(source, here, depth + 1)
        if values.bound is Bound.UNKNOWN and _callee_name(call) in _OF_NUMBERS:
            rule = rule_of_number(source.name) if isinstance(source, Name | Member) else None
            values = values if rule is None else self._ruled(rule, source, here, depth + 1)
        if values.kind == "literal" and values.values and _changes(call):
            # Its text is another one: as many values, but not these.
            values = replace(values, values=())
        return self._through(values, call, here)

    def _formatted(self, call: Call, here: Here, depth: int) -> LabelValues:
        form, *rest = call.args
        text = self._evaluator.text(form, here)
        if text == UNSEEN:
            return self._unknown(call, here, depth)
        if "%T" in text:
            return self._unknown(call, here, depth, "it names a type, of which the code has some")
        if text in ("%s", "%v", "%d") and len(rest) == 1:
            values = self._typed(rest[0], here, depth) or self.values(rest[0], here, depth + 1)
            return self._through(values, call, here)
        return self._joined(call, tuple(rest), here, depth, listed=False)

    def _joined(
        self, expr: Expr, parts: tuple[Expr, ...], here: Here, depth: int, *, listed: bool = True
    ) -> LabelValues:
        found = [self.values(p, here, depth + 1) for p in parts]
        place = here.file.place(expr.start)
        text = here.file.text(expr)
        for bound in (Bound.UNBOUNDED, Bound.UNKNOWN):
            worst = next((v for v in found if v.bound is bound), None)
            if worst is not None:
                reason = f"`{text}` holds text of which {worst.reason}"
                return replace(worst, values=(), reason=reason, places=(place, *worst.places))
        count = math.prod(v.count or 1 for v in found)
        values: tuple[str, ...] = ()
        if listed and count <= _MOST_LISTED and all(v.count == len(v.values) for v in found):
            values = tuple(sorted({"".join(p) for p in product(*(v.values for v in found))}))
            count = len(values)
        kind = next((v.kind for v in found if v.kind != "literal"), "literal")
        reason = "" if kind == "literal" else f"`{text}` is put together from {count} combinations"
        return LabelValues(Bound.BOUNDED, kind, values, count, reason, places=(place,))

    # Collections.

    def _element(self, expr: Element, here: Here, depth: int) -> LabelValues:
        if (values := self._typed(expr, here, depth)) is not None:
            return values
        for literal, at in self._tracer.records(expr.of, here)[:1]:
            if isinstance(literal, Record):
                keys = expr.key or expr.key_of_map
                chosen = [k if keys else v for k, v in literal.pairs]
                return (
                    _merged(self.values(c, at, depth + 1) for c in chosen)
                    if chosen
                    else (self._unknown(expr, here, depth))
                )
            if isinstance(literal, Items) and literal.items:
                if expr.key:
                    count = len(literal.items)
                    listed = tuple(sorted(str(i) for i in range(count)))
                    return LabelValues(Bound.BOUNDED, "literal", listed, count)
                return _merged(self.values(i, at, depth + 1) for i in literal.items)
        return self._unknown(
            expr, here, depth, "it is an element of what is not listed in the code"
        )

    def _index(self, expr: Index, here: Here, depth: int) -> LabelValues:
        if isinstance(expr.index, Text):
            for literal, at in self._tracer.records(expr.of, here)[:1]:
                if isinstance(literal, Record) and (given := literal.get(expr.index.value)):
                    return self.values(given, at, depth + 1)
            if (rule := rule_of_name(expr.index.value)) is not None:
                return self._ruled(rule, expr, here, depth)
        values = self._element(Element(expr.start, expr.end, expr.of), here, depth)
        return values if values.bound is not Bound.UNKNOWN else self._unknown(expr, here, depth)

    def _part(self, expr: Part, here: Here, depth: int) -> LabelValues:
        if isinstance(expr.of, Call):
            found = list(self._evaluator.results(expr.of, here, expr.index))
            if found:
                return self._all(found, depth)
        if expr.index == 0:
            return self.values(expr.of, here, depth + 1)
        return self._unknown(expr, here, depth)


_SCALARS: Final = re.compile(
    r"string|u?int\d*|float64|str|long|integer|uuid(?:\.uuid)?|any|object|number"
    r"|optional\[(?:str|int)\]|\[\]byte|time\.time"
)
_OF_NUMBERS: Final = frozenset({"Itoa", "FormatInt", "FormatUint"})
_LOOKUPS: Final = frozenset({"get", "getOrDefault"})
_FORMATS: Final = frozenset({"fmt.Sprintf", "fmt.Sprintf()", "String.format()"})


def _merged(found: Iterable[LabelValues]) -> LabelValues:
    return reduce(_joined_values, found)


def _joined_values(one: LabelValues, other: LabelValues) -> LabelValues:
    both = one.merged(other)
    return replace(both, places=both.places[:_MOST_PLACES])


def _constant(origin: Origin) -> bool:
    return all(at.scope == 0 for _, at in origin.values)


def _asked(call: Call) -> str:
    """What a call asks for, by its name: ``user.getId()`` for the id of a user."""
    name = _callee_name(call)
    plain = name.removeprefix("get")
    if plain.lower() == "id" and not call.args and isinstance(call.callee, Member):
        of = call.callee.of
        return f"{of.name if isinstance(of, Name | Member) else _callee_name(of)}_id"
    return name


def _subject(expr: Name | Member) -> str:
    """A name with what it is a part of: ``user.ID`` is the id of a user."""
    if isinstance(expr, Member) and isinstance(expr.of, Name | Member):
        return f"{expr.of.name}_{expr.name}"
    return expr.name


def _is_clamped(values: LabelValues) -> bool:
    return "a condition replaces" in values.reason


def _callee_name(call: Expr) -> str:
    callee = call.callee if isinstance(call, Call) else None
    return callee.name if isinstance(callee, Name | Member) else ""


def _changes(call: Call) -> bool:
    return _callee_name(call) not in ("string", "str", "String", "toString", "Itoa", "FormatInt")
