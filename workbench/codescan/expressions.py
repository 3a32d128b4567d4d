"""Expressions of any language in one small vocabulary: what the scanner reasons about.

A language's reader turns its syntax tree into these; everything behind it (tracing, judging,
joining) knows no language. They carry byte offsets, not text: a file's facts give text and line.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "Call",
    "Choice",
    "Element",
    "Expr",
    "Index",
    "Items",
    "Join",
    "Member",
    "Name",
    "Number",
    "Opaque",
    "Part",
    "Record",
    "Spread",
    "Text",
    "Truth",
]


@dataclass(slots=True, eq=False)
class Expr:
    """Any expression: where it begins and ends in its file, in bytes.

    Compared by identity: the same text at two places is two expressions.
    """

    start: int
    end: int


@dataclass(slots=True, eq=False)
class Opaque(Expr):
    """Nothing that the scanner understands."""


@dataclass(slots=True, eq=False)
class Text(Expr):
    """A string literal, decoded."""

    value: str


@dataclass(slots=True, eq=False)
class Number(Expr):
    """A number literal."""

    value: float


@dataclass(slots=True, eq=False)
class Truth(Expr):
    """A boolean: a literal, a comparison, a negation."""


@dataclass(slots=True, eq=False)
class Name(Expr):
    """A plain name."""

    name: str


@dataclass(slots=True, eq=False)
class Member(Expr):
    """``of.name``."""

    of: Expr
    name: str


@dataclass(slots=True, eq=False)
class Index(Expr):
    """``of[index]``."""

    of: Expr
    index: Expr


@dataclass(slots=True, eq=False)
class Call(Expr):
    """``callee(args, name=value)``; a constructor call (``new X(…)``) too."""

    callee: Expr
    args: tuple[Expr, ...]
    keywords: tuple[tuple[str, Expr], ...] = ()


@dataclass(slots=True, eq=False)
class Join(Expr):
    """Text put together: ``a + b``, an f-string, a template string."""

    parts: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Items(Expr):
    """A list, tuple or set literal, or a struct literal without names; `type` as written."""

    items: tuple[Expr, ...]
    type: str = ""


@dataclass(slots=True, eq=False)
class Record(Expr):
    """A map, object or struct literal: keys and values in order; `type` as written.

    A key that is its own name (a JavaScript property, a Python keyword) is a `Text`; a `Name` is a
    struct's field, or in a map a constant.
    """

    pairs: tuple[tuple[Expr, Expr], ...]
    type: str = ""

    def get(self, key: str) -> Expr | None:
        """The value under a name or a text, or None."""
        for k, v in self.pairs:
            if (isinstance(k, Name) and k.name == key) or (isinstance(k, Text) and k.value == key):
                return v
        return None


@dataclass(slots=True, eq=False)
class Choice(Expr):
    """One of several: a conditional expression, ``a or b``."""

    options: tuple[Expr, ...]


@dataclass(slots=True, eq=False)
class Element(Expr):
    """What a loop variable takes: the elements of `of`, or its keys or indexes.

    `key_of_map` is for loops that give a list's elements but a map's keys, as Python's do.
    """

    of: Expr
    key: bool = False
    key_of_map: bool = False


@dataclass(slots=True, eq=False)
class Part(Expr):
    """One of several values that `of` gives at once: ``a, err := f()``."""

    of: Expr
    index: int


@dataclass(slots=True, eq=False)
class Spread(Expr):
    """``values...`` or ``*values``: as many arguments as `of` has items."""

    of: Expr
