"""Go's literals → text and numbers."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["number_of", "text_of"]

_ESCAPE: Final = re.compile(
    r"\\(?:([abfnrtv\\'\"])|x([0-9a-fA-F]{2})|([0-7]{3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8}))"
)
_PLAIN: Final = dict(zip("abfnrtv\\'\"", "\a\b\f\n\r\t\v\\'\"", strict=True))


def text_of(literal: str) -> str:
    r"""What a string or rune literal says; as it stands where it is not closed.

    Examples
    --------
    >>> text_of('"a\\tb"'), text_of("`a\\tb`")
    ('a\tb', 'a\\tb')
    """
    if literal.startswith("`"):
        return literal.strip("`").replace("\r", "")
    body = literal[1:-1] if len(literal) > 1 and literal[0] == literal[-1] else literal.strip("\"'")
    return _ESCAPE.sub(_unescaped, body) if "\\" in body else body


def _unescaped(match: re.Match[str]) -> str:
    plain, hexed, octal, short, long = match.groups()
    if plain:
        return _PLAIN[plain]
    code = int(octal, 8) if octal else int(hexed or short or long, 16)
    return chr(code) if code < 0x110000 else "\ufffd"


def number_of(literal: str) -> float:
    """The value of an integer or float literal; NaN where it is none.

    Examples
    --------
    >>> number_of("1_000"), number_of("0x10"), number_of("2.5e-3"), number_of("017")
    (1000.0, 16.0, 0.0025, 15.0)
    """
    text = literal.replace("_", "").lower()
    try:
        if text.startswith("0") and text.isdigit() and len(text) > 1:
            return float(int(text, 8))
        return float(text) if not text.startswith(("0x", "0b", "0o")) else float(int(text, 0))
    except (ValueError, OverflowError):
        return float("nan")
