"""What one file says: its names, functions, assignments, calls and returns, free of its language.

A variable's possible values follow from its assignments and the *blocks* in which these stand: a
block is what may or may not run (a branch, a loop's body), so an assignment counts for what stands
after it in the same block or in one inside it.
"""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum

from workbench.codescan.expressions import Call, Expr
from workbench.inventory import Place

__all__ = [
    "Binding",
    "BindingKind",
    "Block",
    "CallFact",
    "FileFacts",
    "Parameter",
    "Return",
    "Scope",
]


class BindingKind(Enum):
    """How a name gets a value."""

    ASSIGNED = "assigned"
    """An assignment to a variable that exists already (or, as in Python, may)."""
    DECLARED = "declared"
    """A new variable of its block."""
    CONSTANT = "constant"
    """It never changes."""
    FIELD = "field"
    """A field of an object."""


@dataclass(slots=True, eq=False)
class Parameter:
    """A function's parameter: its name, its type as written, its default."""

    name: str
    type: str = ""
    default: Expr | None = None


@dataclass(slots=True, eq=False)
class Scope:
    """A function, or (the first of a file) the file itself.

    Parameters
    ----------
    name
        The function's name; ``""`` for a file and for functions without one.
    owner
        The class or receiver type of a method.
    parameters
        In order, without the receiver.
    parent
        The place of the enclosing scope in `FileFacts.scopes`; -1 for the file.
    receiver
        What the method calls its own object (``self``, ``c``).
    start, end
        Bytes.
    block
        The block in which the function itself stands.
    results
        The types of what it gives back, as written.
    """

    name: str
    owner: str
    parameters: tuple[Parameter, ...]
    parent: int
    start: int
    end: int
    receiver: str = ""
    block: int = 0
    results: tuple[str, ...] = ()


@dataclass(slots=True, eq=False)
class Block:
    """What runs or not as a whole: the enclosing block, the condition as written, if it loops."""

    parent: int
    condition: str = ""
    loop: bool = False


@dataclass(slots=True, eq=False)
class Binding:
    """A name and what it is given.

    Parameters
    ----------
    name
        The variable, or the field.
    value
        What it is given; None where only its type is said.
    scope, block, start
        Where.
    kind, type, owner
        How; its type as written; of a field the type or class that has it, if that is known.
    """

    name: str
    value: Expr | None
    scope: int
    block: int
    start: int
    kind: BindingKind = BindingKind.ASSIGNED
    type: str = ""
    owner: str = ""


@dataclass(slots=True, eq=False)
class CallFact:
    """A call, and where it stands."""

    call: Call
    scope: int
    block: int


@dataclass(slots=True, eq=False)
class Return:
    """What a function gives back at one place: one expression for each value."""

    values: tuple[Expr, ...]
    scope: int
    block: int


@dataclass(slots=True, eq=False)
class FileFacts:
    """All that the scanner keeps of a file.

    Parameters
    ----------
    path
        Relative to the scanned folder, with ``/``.
    language
        ``go``.
    source
        The bytes.
    package
        Which files see each other's names: a folder for Go, the file itself for Python.
    imports
        Local names to what they stand for: a module as the language writes it, or a name that is
        taken out of a module, ``module#name``.
    scopes, blocks
        The first of each is the file itself.
    bindings, calls, returns
        In the order of the text.
    enums
        Types with a closed list of values: each member's name and its text (None where not known).
    fields
        Types of fields: (owner, field) to type as written.
    broken
        The line of the first error of syntax; 0 where there is none.
    """

    path: str
    language: str
    source: bytes
    package: str = ""
    imports: dict[str, str] = field(default_factory=dict)
    scopes: list[Scope] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    calls: list[CallFact] = field(default_factory=list)
    returns: list[Return] = field(default_factory=list)
    enums: dict[str, dict[str, str | None]] = field(default_factory=dict)
    fields: dict[tuple[str, str], str] = field(default_factory=dict)
    broken: int = 0
    _newlines: list[int] = field(default_factory=list)

    def text(self, expr: Expr, most: int = 80) -> str:
        """An expression as the source has it, on one line and not longer than `most`."""
        raw = self.source[expr.start : min(expr.end, expr.start + 4 * most)]
        text = " ".join(raw.decode("utf-8", "replace").split())
        return text if len(text) <= most else f"{text[: most - 1]}…"

    def place(self, start: int) -> Place:
        """Line and column of a byte."""
        if not self._newlines:
            self._newlines = [-1, *_newlines(self.source)]
        line = bisect.bisect_left(self._newlines, start)
        return Place(self.path, line, start - self._newlines[line - 1])

    def within(self, block: int, outer: int) -> bool:
        """Whether a block is another or stands inside it."""
        while block > outer:
            block = self.blocks[block].parent
        return block == outer


def _newlines(source: bytes) -> Iterator[int]:
    at = source.find(b"\n")
    while at >= 0:
        yield at
        at = source.find(b"\n", at + 1)
