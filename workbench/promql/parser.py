"""The edge of promql-parser (in Rust): its panics, its types and its reading of strings end here."""

from __future__ import annotations

import re
from typing import Any, Final

import promql_parser

from workbench.errors import InputError, NotSupportedError, QueryError
from workbench.promql.matcher import Matcher, MatchOp

__all__ = ["complaint", "conditions_of", "given_conditions", "matcher_sets", "read"]

_OPS: Final[dict[str, MatchOp]] = {
    "MatchOp.Equal": "=",
    "MatchOp.NotEqual": "!=",
    "MatchOp.Re": "=~",
    "MatchOp.NotRe": "!~",
}
_STRINGS: Final = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'|`[^`]*`|#[^\n]*")
_BYTES: Final = re.compile(r"((?:\\x[0-9a-fA-F]{2}|\\[0-3][0-7]{2})+)|\\.", re.DOTALL)


def read(text: str) -> Any:
    """The parser's own tree.

    Raises
    ------
    ValueError
        The text is no PromQL that it knows; the message is the parser's.
    QueryError
        A string's escapes are no UTF-8.
    """
    try:
        return promql_parser.parse(_STRINGS.sub(_with_characters, text))
    except ValueError as error:
        raise ValueError(str(error).strip() or "invalid promql query") from None
    except QueryError:
        raise
    except BaseException as error:
        # Rust's panics are no Exception, and their class cannot be imported.
        if type(error).__name__ != "PanicException":
            raise
        msg = "the parser cannot read this"
        raise ValueError(msg) from None


def complaint(text: str) -> str | None:
    """What the parser has against a text; None where it is good."""
    try:
        read(text)
    except ValueError as error:
        return str(error)
    except QueryError as error:
        return error.what
    return None


def conditions_of(braces: str) -> tuple[Matcher, ...] | None:
    """The conditions of a selector that need not ask for anything; None where they are wrong."""
    try:
        # One condition that asks for something satisfies the parser, and is left out again.
        (conditions,) = matcher_sets(read(f'{{_="_",{braces[1:]}'))
    except (ValueError, QueryError, NotSupportedError):
        return None
    found = list(conditions)
    found.remove(Matcher("_", "=", "_"))
    return tuple(found)


def given_conditions(match: str) -> tuple[Matcher, ...]:
    """Conditions on labels that a user gave; none where the text is empty.

    Raises
    ------
    InputError
        The text is no such conditions, or one of them is on the metric's name.

    Examples
    --------
    >>> given_conditions('{namespace="shop"}')[0].value, given_conditions(" ")
    ('shop', ())
    """
    if not match.strip():
        return ()
    found = conditions_of(match.strip())
    if not found or any(m.name == "__name__" for m in found):
        msg = f"match is {match[:80]!r}"
        raise InputError(msg, 'write conditions on labels in braces, such as {namespace="shop"}')
    return found


def matcher_sets(node: Any) -> list[tuple[Matcher, ...]]:
    """The matchers of the parser's selector, sorted; several sets of them joined by ``or``."""
    named = [Matcher("__name__", "=", node.name)] if node.name is not None else []
    groups = node.matchers.or_matchers or [node.matchers.matchers]
    return [
        (*named, *(Matcher(m.name, _OPS[str(m.op)], m.value) for m in group)) for group in groups
    ]


def _with_characters(literal: re.Match[str]) -> str:
    """Write byte escapes of a string literal as the characters they encode.

    The parser would take each byte for a code point of its own, and so ask for another string.
    """
    if literal[0][0] in "`#":
        return literal[0]
    return _BYTES.sub(lambda run: _characters(run, literal[0]), literal[0])


def _characters(run: re.Match[str], literal: str) -> str:
    codes = re.findall(r"\\(?:x(..)|(...))", run[1] or "")
    raw = bytes(int(h, 16) if h else int(o, 8) for h, o in codes)
    if not raw or raw.isascii():
        return run[0]
    try:
        return raw.decode()
    except UnicodeDecodeError:
        msg = f"invalid label name {literal} (or other string): its bytes are not UTF-8"
        raise QueryError(msg, "escape whole characters, or write them as they are") from None
