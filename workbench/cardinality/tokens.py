"""Tokens of letters and digits: whether they look drawn by lot, and whether check digits fit."""

from __future__ import annotations

import math
import re
from collections import Counter
from itertools import pairwise
from typing import Final

__all__ = ["has_iban_check", "has_luhn_check", "is_random", "looks_secret"]

SECRET_LENGTH: Final = 24
"""From here on a token that looks random may open something; below it is more likely an id."""

_TOKEN: Final = re.compile(r"[A-Za-z0-9+/_=.~-]+", re.ASCII)
_SEPARATOR: Final = re.compile(r"[-+/_=.~]")
_WORD: Final = re.compile(r"[A-Z]?[a-z]{3,}|[A-Z]{5,}")
_ONE_CASE_WORD: Final = re.compile(r"[a-z]{5,}|[A-Z]{5,}")
_CLASSES: Final = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789",
    "a" * 26 + "A" * 26 + "0" * 10,
)


def is_random(token: str) -> bool:
    """Whether a token looks drawn by lot rather than named by a person.

    Names keep to one kind of character for a while (``CamelCaseHandler2``); random text changes
    between small letters, capitals and digits at about every second place, and its characters
    spread evenly.

    Examples
    --------
    >>> is_random("q3Zk9TfP1xLw8Rb2"), is_random("OrderServiceV2Handler"), is_random("us-east-1")
    (True, False, False)
    """
    if not _TOKEN.fullmatch(token):
        return False
    mixed = token != token.lower() and token != token.upper()
    # Names in one case are put together from short parts; separators themselves say nothing.
    part = _SEPARATOR.sub("", token) if mixed else max(_SEPARATOR.split(token), key=len)
    kinds = part.translate(_CLASSES)
    if len(part) < 10 or "0" not in kinds:
        # Random text without a digit is rare: 24 characters of Base64 in one of 60 cases.
        return False
    changes = sum(a != b for a, b in pairwise(kinds))
    words = sum(len(w) for w in (_WORD if mixed else _ONE_CASE_WORD).findall(part))
    least = 0.25 if not mixed else 0.4 if len(part) < SECRET_LENGTH else 0.33
    if changes < least * (len(part) - 1) or words * 2 > len(part):
        return False
    return _entropy(part) >= min(3.0, 0.75 * math.log2(len(part)))


def looks_secret(token: str) -> bool:
    """Whether a token could be a key: random, long, of small letters, capitals and digits.

    Examples
    --------
    >>> looks_secret("wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ8pLk0vTn"), looks_secret("9f86d081884c7d659a2feaa0c55ad015")
    (True, False)
    """
    if len(token) < SECRET_LENGTH:
        return False
    kinds = set(token.translate(_CLASSES))
    return {"a", "A", "0"} <= kinds and is_random(token)


def _entropy(token: str) -> float:
    """Bits a character, by how often each occurs."""
    counts = Counter(token).values()
    return -sum(n / len(token) * math.log2(n / len(token)) for n in counts)


def has_luhn_check(digits: str) -> bool:
    """Whether the last digit is the check digit of payment cards (ISO/IEC 7812-1, Luhn).

    Examples
    --------
    >>> has_luhn_check("4111111111111111"), has_luhn_check("4111111111111112")
    (True, False)
    """
    total = 0
    for place, digit in enumerate(reversed(digits)):
        number = int(digit) << (place & 1)
        total += number - 9 if number > 9 else number
    return total % 10 == 0 and len(set(digits)) > 1


def has_iban_check(text: str) -> bool:
    """Whether the check digits of an account number fit (ISO 13616: modulo 97).

    Examples
    --------
    >>> has_iban_check("DE89370400440532013000"), has_iban_check("DE88370400440532013000")
    (True, False)
    """
    number = "".join(str(int(c, 36)) for c in text[4:] + text[:4])
    return int(number) % 97 == 1
