"""Where a text stops being PromQL, and the line that shows it with a mark below.

The parser says what is wrong but not where; the place is found by looking for the shortest
beginning of the text that no ending could complete.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.promql.parser import complaint
from workbench.promql.tokens import Token, open_brackets, tokenize

__all__ = ["marked", "place_of", "shortened"]

_CLOSERS: Final = {"(": ")", "[": "]", "{": "}"}
_ENDINGS: Final = (
    "",
    "x",
    "1",
    '"s"',
    "(x)",
    "=''",
    "''",
    "5m",
    "x)",
    "(1,x)",
    "(x[5m])",
    "[5m]",
    ":",
    ":1m",
    "bool 1",
)
"""What may follow an unfinished beginning, before its brackets are closed."""

_WIDTH: Final = 100
_MOST_TOKENS: Final = 400
_QUOTED: Final = re.compile(r"'([^']*)'")
_LEADING: Final = re.compile(r"(?:illegal regex for )?(\S+)")


def place_of(expression: str, message: str) -> int | None:
    """Where the complaint is about, in characters from 0; None where that cannot be told."""
    tokens = list(tokenize(expression))
    if not tokens or len(tokens) > _MOST_TOKENS:
        return None
    for token in tokens:
        if token.kind in ("broken", "other"):  # no parser reads past these
            return token.start
    if "unclosed" in message or "unexpected end of input inside" in message:
        unclosed = open_brackets(tokens)
        return unclosed[-1].start if unclosed else None
    if "function" in message and (name := _QUOTED.search(message)):
        return next((t.start for t in tokens if t.text == name[1]), None)
    if " not valid label" in message or message.startswith("illegal regex"):
        found = _LEADING.match(message)
        return expression.find(found[1]) if found and found[1] in expression else None
    return _first_impossible(expression, tokens)


def _first_impossible(expression: str, tokens: list[Token]) -> int | None:
    """The first token after which nothing could follow that makes the text good.

    Searched by bisection: a beginning that can be completed has only such beginnings before it.
    """
    low, high = 0, len(tokens)
    while low < high:
        middle = (low + high + 1) // 2
        if _can_be_completed(expression, tokens[:middle]):
            low = middle
        else:
            high = middle - 1
    if low == len(tokens):
        return None
    return tokens[low].start


def _can_be_completed(expression: str, tokens: list[Token]) -> bool:
    text = expression[: tokens[-1].end]
    closing = "".join(_CLOSERS[t.text] for t in reversed(open_brackets(tokens)))
    return any(complaint(f"{text} {ending}{closing}") is None for ending in _ENDINGS)


def marked(expression: str, place: int) -> str:
    """The line in question with a mark below it, cut where it is long."""
    start = expression.rfind("\n", 0, place) + 1
    end = expression.find("\n", place)
    line = expression[start : end if end >= 0 else None]
    column = place - start
    cut = max(0, column - _WIDTH * 2 // 3)
    return f"  {_printable(line[cut : cut + _WIDTH])}\n  {' ' * (column - cut)}^"


def shortened(expression: str) -> str:
    """The beginning of a text, in quotes."""
    return repr(expression if len(expression) <= _WIDTH else f"{expression[:_WIDTH]}…")


def _printable(text: str) -> str:
    return "".join(c if c.isprintable() else "\ufffd" for c in text)
