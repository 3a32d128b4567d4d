"""The words of a PromQL text with their places, for messages and completion; not a parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["Token", "has_comment", "one_line", "open_brackets", "tokenize"]

_TOKEN: Final = re.compile(
    r"""(?P<space>\s+|\#[^\n]*)
      | (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`[^`]*`)
      | (?P<broken>["'`][\s\S]*)
      | (?P<duration>(?:\d+(?:ms|[smhdwy]))+(?![\w.]))
      | (?P<number>0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
      | (?P<word>[A-Za-z_:$][\w:]*)
      | (?P<operator>=~|!~|!=|==|>=|<=|[<>]/|[-+*/%^=<>@])
      | (?P<punctuation>[(){}\[\],:])
      | (?P<other>[\s\S])""",
    re.VERBOSE,
)
_PAIRS: Final = {")": "(", "]": "[", "}": "{"}


@dataclass(frozen=True, slots=True)
class Token:
    """One word of PromQL.

    Parameters
    ----------
    kind
        ``string``, ``broken`` (a string without its end), ``duration``, ``number``, ``word``,
        ``operator``, ``punctuation`` or ``other``.
    text
        As it stands.
    start
        Where it begins, counted in characters from 0.
    """

    kind: str
    text: str
    start: int

    @property
    def end(self) -> int:
        """Where the next character stands."""
        return self.start + len(self.text)


def tokenize(expression: str) -> Iterator[Token]:
    """Cut PromQL into words; space and comments are left out. Never fails.

    Examples
    --------
    >>> [t.text for t in tokenize('sum(rate(x{a="b c"}[5m])) # total')]
    ['sum', '(', 'rate', '(', 'x', '{', 'a', '=', '"b c"', '}', '[', '5m', ']', ')', ')']
    """
    for match in _TOKEN.finditer(expression):
        kind = match.lastgroup or "other"
        if kind != "space":
            yield Token(kind, match[0], match.start())


def has_comment(expression: str) -> bool:
    """Whether a comment stands in the text; a ``#`` within a string is none.

    Examples
    --------
    >>> has_comment("up # all"), has_comment('up{room="#1"}')
    (True, False)
    """
    found = _TOKEN.finditer(expression)
    return "#" in expression and any(m.lastgroup == "space" and m[0][0] == "#" for m in found)


def one_line(expression: str) -> str:
    r"""The same query on one line, without comments and indentation.

    Examples
    --------
    >>> one_line('sum by (job) (  # all\n  rate(x{a="b  c"}[5m])\n)')
    'sum by (job) (rate(x{a="b  c"}[5m]))'
    """
    parts: list[str] = []
    end = 0
    for token in tokenize(expression):
        gap = expression[end : token.start]
        inside = bool(parts) and parts[-1] in ("(", "[", "{")
        broken = "\n" in gap or "#" in gap
        if parts and gap and not (broken and (inside or token.text in (")", "]", "}"))):
            parts.append(" ")
        parts.append(token.text)
        end = token.end
    return "".join(parts)


def open_brackets(tokens: list[Token]) -> list[Token]:
    """The brackets that are not closed, outermost first.

    Examples
    --------
    >>> [t.text for t in open_brackets(list(tokenize('sum(x{a="("'))) ]
    ['(', '{']
    """
    stack: list[Token] = []
    for token in tokens:
        if token.kind != "punctuation":
            continue
        if token.text in "([{":
            stack.append(token)
        elif stack and stack[-1].text == _PAIRS.get(token.text):
            stack.pop()
    return stack
