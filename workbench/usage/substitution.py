"""A query with variables made into queries that parse.

What a variable may be depends on where it stands: within a string anything, between brackets a
duration, after ``by`` labels, before a parenthesis a function, after ``>`` rather a number, before
braces a metric's name. Known values are put in as they are, one query each; unknown ones become
markers (`holes`), or a value that parses where only the parser cares.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product
from typing import Final

from workbench.usage.holes import Hole, Holes
from workbench.usage.variable import BUILT_IN, Variable

__all__ = ["attempts"]

_STRINGS: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*", re.DOTALL)
_USES: Final = re.compile(
    r"\$\{(\w+)(?:\.[^:}]*)?(?::[^}]*)?\}|\$(\w+)|\[\[(\w+)(?::\w+)?\]\]", re.ASCII
)
_IN_LIST: Final = re.compile(
    r"\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^()]*\Z", re.IGNORECASE
)
_NUMBER_BEFORE: Final = re.compile(
    r"(?:[-+*/%^<>]|[=!<>]=|\bbool"
    r"|\b(?:topk|bottomk|quantile|limitk|limit_ratio|histogram_quantile|quantile_over_time)\s*"
    r"(?:(?:by|without)\s*\([^()]*\)\s*)?\()\s*\Z",
    re.IGNORECASE,
)
_DURATION: Final = re.compile(r"(?:\d+(?:ms|[smhdwy]))+")
_NUMBER: Final = re.compile(r"-?(?:\d+\.?\d*|\.\d+)")
_UNIT: Final = re.compile(r"(?:ms|[smhdwy])\b")
_GROUPING: Final = re.compile(r"\s*(?:by|without)\b", re.IGNORECASE)
_FUNCTIONS: Final = ("avg", "abs", "rate", "max_over_time")
"""What stands for an unknown function: of each shape one, and such as depend on every series."""

_MOST_FORMS: Final = 64
_MOST_USES: Final = 200

Form = tuple[str, Holes]


@dataclass(frozen=True, slots=True)
class _Slot:
    """What may be put in one place: what is tried first, what if that does not parse, and last."""

    first: tuple[str, ...]
    then: tuple[str, ...]
    marker: str


def attempts(expression: str, variables: Mapping[str, Variable]) -> list[list[Form]]:
    """Forms of a query without variables.

    Parameters
    ----------
    expression
        As a dashboard holds it.
    variables
        The dashboard's own.

    Returns
    -------
    list of list
        One list of forms after the other is to be tried, until one holds a form that parses; a form
        is a text and what the markers in it stand for.

    Examples
    --------
    >>> attempts("rate(x[$__rate_interval])", {})[0][0][0]
    'rate(x[5m])'
    >>> pick = Variable("m", "custom", ("in", "out"))
    >>> [text for text, _ in attempts("node_${m}_bytes", {"m": pick})[0]]
    ['node_in_bytes', 'node_out_bytes']
    """
    if not _USES.search(expression):
        return [[(expression, Holes())]]
    scan = _Scan(expression, variables)
    holes = Holes(scan.holes)
    slots = [_fixed(piece) if isinstance(piece, str) else piece for piece in scan.pieces]
    return [
        _forms([slot.first for slot in slots], holes),
        _forms([slot.then for slot in slots], holes),
        _forms([(slot.marker,) for slot in slots], holes),
    ]


def _forms(choices: list[tuple[str, ...]], holes: Holes) -> list[Form]:
    if math.prod(map(len, choices)) > _MOST_FORMS:
        return []
    return [("".join(parts), holes) for parts in product(*choices)]


class _Scan:
    """One walk over a text: the pieces between variables, and a slot for each variable."""

    def __init__(self, expression: str, variables: Mapping[str, Variable]) -> None:
        self._variables = variables
        self._code = ""  # what was passed, with strings left empty: it tells what is open
        self._uses = 0
        self.pieces: list[str | _Slot] = []
        self.holes: dict[str, Hole] = {}
        end = 0
        for literal in _STRINGS.finditer(expression):
            self._outside(expression[end : literal.start()], expression[literal.start() :])
            self._inside(literal[0])
            end = literal.end()
        self._outside(expression[end:], "")

    def _inside(self, literal: str) -> None:
        if literal[0] != "#":
            literal = _USES.sub(self._in_string, literal)
            self._code += '""'
        self.pieces.append(literal)

    def _in_string(self, use: re.Match[str]) -> str:
        name = _name(use)
        variable = self._variables.get(name)
        if variable is None and (name.isdigit() or name in BUILT_IN):
            return use[0]  # $1 of label_replace
        return self._marker(variable)

    def _marker(self, variable: Variable | None) -> str:
        marker = Holes.marker(len(self.holes))
        self.holes[marker] = Hole() if variable is None else variable.hole
        return marker

    def _outside(self, part: str, after: str) -> None:
        end = 0
        for use in _USES.finditer(part):
            before = part[end : use.start()]
            self._code += before
            self.pieces.append(before)
            self._uses += 1
            slot = self._slot(_name(use), part[use.end() :] + after)
            self.pieces.append(slot if self._uses <= _MOST_USES else slot.first[0])
            self._code += slot.first[0]
            end = use.end()
        self._code += part[end:]
        self.pieces.append(part[end:])

    # ---------------------------------------------------------------- what stands where

    def _slot(self, name: str, after: str) -> _Slot:
        variable = self._variables.get(name)
        example = BUILT_IN.get(name, "") if variable is None else variable.example
        known = () if variable is None else variable.values or ()
        if self._open("[", "]") or re.search(r"\boffset\s+-?\Z", self._code):
            return _fixed(self._duration(example, after))
        if name in BUILT_IN or re.search(r"@\s*\Z", self._code):
            return _fixed(_number(example) if "@" in self._code[-3:] else example)
        if _IN_LIST.search(self._code):
            return self._names(variable, tuple(v.replace("|", ",") for v in known))
        rest = after.lstrip()
        if self._open("{", "}"):
            return self._condition(variable, known, rest)
        if rest.startswith("(") or _GROUPING.match(after):
            return _Slot(known or _FUNCTIONS, _FUNCTIONS, _FUNCTIONS[0])
        return self._operand(variable, known, example, after)

    def _open(self, opener: str, closer: str) -> bool:
        return self._code.rfind(opener) > self._code.rfind(closer)

    def _duration(self, example: str, after: str) -> str:
        if self._code[-1:].isdigit():
            return example if _UNIT.fullmatch(example) else "m"
        if _UNIT.match(after):
            return _number(example)
        return example if _DURATION.fullmatch(example) or _NUMBER.fullmatch(example) else "5m"

    def _names(self, variable: Variable | None, known: tuple[str, ...]) -> _Slot:
        marker = self._marker(variable)
        return _Slot(known or (marker,), (marker,), marker)

    def _condition(self, variable: Variable | None, known: tuple[str, ...], rest: str) -> _Slot:
        """Within braces: a label's name, or whole conditions."""
        marker = self._marker(variable)
        if rest.startswith(("=", "!")) or re.match(r"\w", rest):
            return _Slot(known or (marker,), (marker,), marker)
        whole = f'{marker}="{marker}"'
        return _Slot(known or (whole,), (whole,), whole)

    def _operand(
        self, variable: Variable | None, known: tuple[str, ...], example: str, after: str
    ) -> _Slot:
        """A number, a metric's name or a part of one, or a whole expression."""
        marker = self._marker(variable)
        glued = self._code[-1:].isalnum() or self._code[-1:] in ("_", ":")
        glued = glued or after[:1].isalnum() or after[:1] in ("_", ":", "{", "[", "$")
        number = _number(example)
        if known:
            return _Slot(known, (marker,), marker)
        if not glued and _NUMBER_BEFORE.search(self._code):
            return _Slot((number,), (marker,), marker)
        return _Slot((marker,), (number,), marker)


def _fixed(value: str) -> _Slot:
    """One text and no other."""
    return _Slot((value,), (value,), value)


def _number(example: str) -> str:
    return example if _NUMBER.fullmatch(example) else "1"


def _name(use: re.Match[str]) -> str:
    return use[1] or use[2] or use[3]
