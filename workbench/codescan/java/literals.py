"""Java's literals → text and numbers."""

from __future__ import annotations

import re
import textwrap
from typing import Final

__all__ = ["number_of", "text_of"]

_ESCAPE: Final = re.compile(r"\\(?:([btnfrs\"'\\])|u+([0-9a-fA-F]{4})|([0-3]?[0-7]{1,2}))")
_PLAIN: Final = dict(zip("btnfrs\"'\\", "\b\t\n\f\r \"'\\", strict=True))


def text_of(literal: str) -> str:
    r"""What a string, character or text block says.

    Examples
    --------
    >>> text_of('"a\\tb"'), text_of("'c'")
    ('a\tb', 'c')
    """
    if literal.startswith('"""'):
        body = textwrap.dedent(literal.strip('"').lstrip("\n"))
    else:
        body = literal[1:-1] if len(literal) > 1 and literal[0] == literal[-1] else literal[1:]
    return _ESCAPE.sub(_unescaped, body) if "\\" in body else body


def _unescaped(match: re.Match[str]) -> str:
    plain, hexed, octal = match.groups()
    return _PLAIN[plain] if plain else chr(int(hexed, 16) if hexed else int(octal, 8))


def number_of(literal: str) -> float:
    """The value of an integer or floating-point literal; NaN where it is none.

    Examples
    --------
    >>> number_of("1_000L"), number_of("0x1F"), number_of("2.5e-3f"), number_of("017")
    (1000.0, 31.0, 0.0025, 15.0)
    """
    text = literal.replace("_", "").lower()
    try:
        if text.startswith("0x"):
            return float.fromhex(text) if "p" in text else float(int(text.rstrip("l"), 16))
        if text.startswith("0b"):
            return float(int(text.rstrip("l"), 2))
        text = text.rstrip("ldf")
        if len(text) > 1 and text.isdigit() and text.startswith("0"):
            return float(int(text, 8))
        return float(text)
    except (ValueError, OverflowError):
        return float("nan")
