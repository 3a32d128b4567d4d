"""What Prometheus 3 has and the parser refuses, taken out of the text and noted beside it.

The text that remains is as long as it was and parses; the notes say, for the first, second, third
selector (subquery, comparison) of the text, what stood there: ``anchored`` and ``smoothed``,
arithmetic on durations, moments before 1970 after ``@``, the trimming operators ``</`` and ``>/``,
and the second argument of ``info()``, which may hold any conditions. `conversion` puts them into
the tree.

To find them, the words are followed with the one bit of state that the grammar needs: whether an
operand or an operator comes next. So a name that is also such a word is never taken for one. What is
wrong is left as it stands, for the parser to complain about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from workbench.promql.durations import Clock, Duration, DurationError, DurationReader
from workbench.promql.functions import AGGREGATIONS
from workbench.promql.matcher import Matcher
from workbench.promql.parser import conditions_of
from workbench.promql.tokens import Token, tokenize
from workbench.promql.tree import Edge

__all__ = ["Notes", "Place", "extracted"]

_SET_OPERATORS: Final = frozenset({"and", "or", "unless", "atan2"})
_LABEL_LISTS: Final = frozenset(
    {"by", "without", "on", "ignoring", "group_left", "group_right", "fill"}
    | {"fill_left", "fill_right"}
)
_EDGES: Final[dict[str, Edge]] = {"anchored": "anchored", "smoothed": "smoothed"}
_NUMBERS: Final = frozenset({"inf", "nan"})
_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_LITERALS: Final = ("duration", "number")
_FARTHEST_MS: Final = 2**62
"""A moment farther from 1970 leaves no room for an offset in 64 bits."""
_COLONS: Final = re.compile(":|[^:]+")


@dataclass(slots=True)
class Place:
    """What is noted of one selector or subquery; None where the parser's own reading stands."""

    edge: Edge = ""
    range: Duration | None = None
    step: Duration | None = None
    offset: Duration | None = None
    at_ms: int | None = None
    conditions: tuple[Matcher, ...] | None = None


@dataclass(slots=True)
class Notes:
    """What was taken out of a text.

    Parameters
    ----------
    selectors
        One place a selector, in the order of the text.
    subqueries
        One place a subquery, in the order in which their brackets close.
    comparisons
        One flag a ``<`` or ``>``, in the order of the text: whether it is a trimming operator.
    found
        Whether anything was taken out at all.
    """

    selectors: list[Place] = field(default_factory=list)
    subqueries: list[Place] = field(default_factory=list)
    comparisons: list[bool] = field(default_factory=list)
    found: bool = False


def extracted(expression: str, clock: Clock | None = None) -> tuple[str, Notes]:
    """Take out what the parser does not know.

    Parameters
    ----------
    expression
        PromQL, or what someone takes for it.
    clock
        The step and range of the query, for durations that depend on them.

    Returns
    -------
    tuple of str and Notes
        Text for the parser, of the same length, and what was taken out.

    Raises
    ------
    DurationError
        A duration is wrong.

    Examples
    --------
    >>> text, notes = extracted("rate(x[1m * 5] smoothed)")
    >>> text
    'rate(x[1     ]         )'
    >>> notes.selectors[0].edge, notes.selectors[0].range
    ('smoothed', Duration(milliseconds=300000, relative=False))
    """
    return _Scan(expression, clock).run()


class _Scan:
    """One walk over the words of a text."""

    def __init__(self, expression: str, clock: Clock | None) -> None:
        self._tokens = list(tokenize(expression))
        self._text = list(expression)
        self._clock = clock
        self._position = 0
        self._notes = Notes()
        self._operand_next = True
        self._current: Place | None = None
        self._calls: list[list[object]] = []  # of each open parenthesis: its function, argument

    def run(self) -> tuple[str, Notes]:
        while self._position < len(self._tokens):
            token = self._tokens[self._position]
            if token.kind == "word":
                self._word(token)
            elif token.kind == "operator":
                self._operator(token)
            elif token.kind == "punctuation":
                self._punctuation(token)
            else:
                self._operand_ends(None)
        return "".join(self._text), self._notes

    def _operand_ends(self, place: Place | None) -> None:
        self._position += 1
        self._operand_next = False
        self._current = place

    def _operand_begins(self) -> None:
        self._position += 1
        self._operand_next = True
        self._current = None

    def _follows(self, text: str) -> bool:
        after = self._position + 1
        return after < len(self._tokens) and self._tokens[after].text == text

    def _blank(self, start: int, end: int, instead: str = "") -> None:
        """Overwrite with blanks, but for line ends, so that a caret still finds its column."""
        kept = [c if c == "\n" else " " for c in self._text[start:end]]
        kept[: len(instead)] = instead
        self._text[start:end] = kept
        self._notes.found = True

    # ---------------------------------------------------------------- words

    def _word(self, token: Token) -> None:
        word = token.text.lower()
        if word in _LABEL_LISTS and self._follows("("):
            self._position += 1
            self._skip_brackets()
        elif self._operand_next:
            self._operand(token, word)
        elif word in _SET_OPERATORS:
            self._operand_begins()
        elif word == "offset":
            self._offset()
        elif word in _EDGES and self._current is not None and not self._current.edge:
            self._current.edge = _EDGES[word]
            self._blank(token.start, token.end)
            self._position += 1
        else:
            self._position += 1

    def _operand(self, token: Token, word: str) -> None:
        if word in ("bool", "group_left", "group_right") and not self._ends_operand():
            self._position += 1
        elif word in _NUMBERS or self._follows("(") or self._is_aggregation(word):
            self._operand_ends(None)
        else:
            self._selector(bool(token.text))

    def _ends_operand(self) -> bool:
        """Whether after this word the operand is over, so that it is a metric's name."""
        after = self._position + 1
        if after >= len(self._tokens):
            return True
        token = self._tokens[after]
        return (
            token.text in _CLOSERS.values()
            or token.text in ("[", "{", ",")
            or (token.kind == "operator" and token.text not in "+-")
        )

    def _is_aggregation(self, word: str) -> bool:
        after = self._position + 1
        return (
            word in AGGREGATIONS
            and after < len(self._tokens)
            and self._tokens[after].text.lower() in ("by", "without")
        )

    def _selector(self, named: bool) -> None:  # noqa: FBT001 - private
        place = Place()
        self._notes.selectors.append(place)
        if named:
            self._operand_ends(place)
            if self._position >= len(self._tokens) or self._tokens[self._position].text != "{":
                return
        first = self._position
        self._skip_brackets()
        self._operand_next, self._current = False, place
        if not named and self._calls and self._calls[-1] == ["info", 1]:
            start, end = self._tokens[first].start, self._tokens[self._position - 1].end
            place.conditions = conditions_of("".join(self._text[start:end]))
            if place.conditions is not None:
                self._blank(start, end, "_")

    def _skip_brackets(self) -> None:
        """Go behind the bracket that closes the one that opens here, or to the end."""
        opener = self._tokens[self._position].text
        depth = 0
        while self._position < len(self._tokens):
            text = self._tokens[self._position].text
            self._position += 1
            depth += (text == opener) - (text == _CLOSERS[opener])
            if not depth:
                break

    # ---------------------------------------------------------------- signs

    def _operator(self, token: Token) -> None:
        if token.text == "@":
            self._at()
            return
        if token.text in ("<", ">", "</", ">/"):
            trims = token.text.endswith("/")
            self._notes.comparisons.append(trims)
            if trims:
                self._blank(token.start + 1, token.end)
        self._operand_begins()

    def _punctuation(self, token: Token) -> None:
        if token.text == "(":
            before = self._tokens[self._position - 1] if self._position else None
            called = before is not None and before.kind == "word" and not self._operand_next
            self._calls.append([before.text.lower() if called and before else "", 0])
            self._operand_begins()
        elif token.text == ")":
            if self._calls:
                self._calls.pop()
            self._operand_ends(None)
        elif token.text == ",":
            if self._calls:
                self._calls[-1][1] = int(str(self._calls[-1][1])) + 1
            self._operand_begins()
        elif token.text == "{" and self._operand_next:
            self._selector(named=False)
        elif token.text == "[":
            self._brackets()
        else:
            self._position += 1

    # ---------------------------------------------------------------- durations and moments

    def _at(self) -> None:
        """``@`` and a moment; the parser cannot hand over one before 1970 or after 9999."""
        first = self._position + 1
        after = first
        if after < len(self._tokens) and self._tokens[after].text in ("+", "-"):
            after += 1
        if after < len(self._tokens) and self._tokens[after].kind == "number":
            if self._current is not None:
                text = "".join(self._text[self._tokens[first].start : self._tokens[after].end])
                moment = _moment("".join(text.split()))
                if moment is not None and abs(moment) > _FARTHEST_MS:
                    msg = "timestamp out of bounds for @ modifier"
                    raise DurationError(msg, self._tokens[after])
                if moment is not None:
                    self._current.at_ms = moment
                    self._blank(self._tokens[first].start, self._tokens[after].end, "0")
            self._position = after + 1
        elif after < len(self._tokens) and self._tokens[after].kind == "word":
            self._position = after + 1  # start() or end(): skip the parentheses too
            if self._position < len(self._tokens) and self._tokens[self._position].text == "(":
                self._skip_brackets()
        else:
            self._position = after

    def _offset(self) -> None:
        first = self._position + 1
        self._position = first
        if first >= len(self._tokens) or self._current is None:
            return
        reader = DurationReader(self._tokens, first, self._clock)
        duration = reader.offset()
        self._position = reader.position
        if self._tokens[reader.position - 1].kind not in _LITERALS:
            self._current.offset = duration
            end = self._tokens[reader.position - 1].end
            self._blank(self._tokens[first].start, end, "1")

    def _brackets(self) -> None:
        """``[range]`` or ``[range:step]``."""
        first = self._position
        self._skip_brackets()
        inside = _split_colons(self._tokens[first + 1 : self._position - 1])
        closed = self._tokens[self._position - 1].text == "]"
        colon = next((i for i, t in enumerate(inside) if t.text == ":"), None)
        place = self._current if colon is None else Place()
        if colon is not None and place is not None:
            self._notes.subqueries.append(place)
        self._operand_next, self._current = False, place
        if not closed or not inside or place is None:
            return
        place.range = self._bracketed(inside[:colon])
        if colon is not None:
            place.step = self._bracketed(inside[colon + 1 :])

    def _bracketed(self, tokens: list[Token]) -> Duration | None:
        """Arithmetic between the brackets; None where the parser can read what stands there."""
        if not tokens or not _is_arithmetic(tokens):
            return None
        reader = DurationReader(tokens, 0, self._clock)
        if len(tokens) == 1 and tokens[0].kind not in ("number", "duration"):
            return None
        duration = reader.whole()
        if len(tokens) == 1:  # no arithmetic; it was read since the parser knows no bounds
            return None
        reader.expect_end()
        self._blank(tokens[0].start, tokens[-1].end, "1")
        return duration


def _is_arithmetic(tokens: list[Token]) -> bool:
    return not any(t.kind in ("string", "broken", "other") or t.text in "{}[]" for t in tokens)


def _split_colons(tokens: list[Token]) -> list[Token]:
    """A colon before a word is no part of it here."""
    parts: list[Token] = []
    for token in tokens:
        text, start = token.text, token.start
        if token.kind == "word" and ":" in text:
            for piece in _COLONS.finditer(text):
                inner = tokenize(piece[0]) if piece[0] != ":" else [Token("punctuation", ":", 0)]
                parts += [Token(t.kind, t.text, start + piece.start() + t.start) for t in inner]
        else:
            parts.append(token)
    return parts


def _moment(text: str) -> int | None:
    """Unix seconds as milliseconds, rounded; None where the parser had better look at them."""
    try:
        return round(float(text) * 1000)
    except (ValueError, OverflowError):
        return None
