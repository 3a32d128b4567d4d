"""JavaScript's literals → text and numbers."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["number_of", "text_of"]

_ESCAPE: Final = re.compile(
    r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(.))", re.DOTALL
)
_PLAIN: Final = dict(zip("bfnrtv0\n", "\b\f\n\r\t\v\0\0", strict=True)) | {"\n": ""}


def text_of(content: str) -> str:
    r"""What stands between the quotes of a string or template.

    Examples
    --------
    >>> text_of("a\\tb"), text_of("\\u{41}\\x42")
    ('a\tb', 'AB')
    """
    return _ESCAPE.sub(_unescaped, content) if "\\" in content else content


def _unescaped(match: re.Match[str]) -> str:
    long, short, byte, plain = match.groups()
    if plain is not None:
        return _PLAIN.get(plain, plain)
    code = int(long or short or byte, 16)
    return chr(code) if code < 0x110000 else "\ufffd"


def number_of(literal: str) -> float:
    """The value of a number literal; NaN where it is none.

    Examples
    --------
    >>> number_of("1_000"), number_of("0x1F"), number_of("2.5e-3"), number_of("10n")
    (1000.0, 31.0, 0.0025, 10.0)
    """
    text = literal.replace("_", "").lower()
    try:
        if text.startswith(("0x", "0b", "0o")):
            return float(int(text.rstrip("n") if text[1] != "x" else text, 0))
        return float(text.rstrip("n"))
    except (ValueError, OverflowError):
        return float("nan")
