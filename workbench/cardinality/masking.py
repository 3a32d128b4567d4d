"""Label values as they may be shown: personal data and secrets masked, wherever they stand.

A mask keeps the shape and the length and nothing that helps to find the value again:
``a…@e….com``, ``ghp_…[40 characters]``. It carries no hash. Addresses, phone and card numbers are
few enough to be guessed one by one, so a hash whose key travels with the tool tells them; and a
key that is thrown away after each run makes a hash that says no more than the place in the list.

Addresses of machines stay: without them no finding could say where to look.
"""

from __future__ import annotations

import re
from typing import Final

from workbench.cardinality.shapes import PERSONAL, SECRET, Shape, shape_of
from workbench.cardinality.tokens import has_iban_check, has_luhn_check, looks_secret

__all__ = ["is_sensitive", "mask"]

SHOWN: Final = 4_096
"""Characters of a value that are shown at most."""

_LONGEST_FOUND: Final = 512
"""So far behind the end of what is shown a value is followed that begins before it."""

_SENSITIVE: Final = re.compile(
    r"""
    (?P<private>-----BEGIN\ [^-]{0,40}PRIVATE\ KEY-----(?s:.*))
    |(?P<login>(?<=://)[^/\s@]{1,256}@)
    |(?P<jwt>(?<![\w-])eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?)
    |(?P<key>(?<![A-Za-z0-9])(?:
        (?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}
        |sk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}|[srp]k_(?:live|test)_\w{10,}
        |xox[abeoprs]-[\w-]{10,}|AIza[\w-]{35}|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}
        |npm_\w{30,}|hvs\.\w{20,}|dop_v1_[0-9a-f]{40,}))
    |(?P<bearer>(?<![A-Za-z])(?i:bearer|basic)\s+[\w.~+/=-]{8,})
    |(?P<assigned>(?i:passwo?r?d|pwd|secret|token|api[_-]?key|access[_-]?key)["']?\s?[=:]\s?[^\s&;,]{4,})
    |(?P<email>(?<![\w.%+'-])[\w.%+'-]{1,64}?(?:@|%40)(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24})
    |(?P<iban>(?<!\w)[A-Z]{2}\d{2}(?:\ ?[A-Z0-9]){11,30}(?!\w))
    |(?P<phone>(?<![\w+])(?:\+\d(?:[\ ().-]{0,2}\d){7,14}|\(\d{3}\)\ ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})(?![\w-]))
    |(?P<card>(?<![\w.-])\d(?:[\ -]?\d){13,18}(?![\w.-]))
    """,
    re.VERBOSE | re.ASCII,
)
_RANDOM: Final = re.compile(r"[\w+/.~-]{24,}={0,2}", re.ASCII)

_NAMES: Final = {
    "private": "private key",
    "jwt": "token",
    "iban": "bank account number",
    "phone": "phone number",
    "card": "card number",
}


def mask(value: str) -> str:
    """Write a label's value as it may be shown.

    Values longer than about four thousand characters are cut, and say how long they are.

    Examples
    --------
    >>> mask("alice.b@example.com"), mask("GET"), mask("no user bob77@corp.example.org in db-1")
    ('a…@e….com', 'GET', 'no user b…@c….org in db-1')
    >>> mask("AKIAIOSFODNN7EXAMPLE"), mask("/login?token=Zk3f9Q-aa1")
    ('AKIA…[20 characters]', '/login?token=…[10 characters]')
    """
    window = value[: SHOWN + _LONGEST_FOUND]
    parts: list[str] = []
    at = start = 0
    while (match := _SENSITIVE.search(window, start)) and match.start() < SHOWN:
        text = _masked(match)
        if text is None:
            start = match.start() + 1
            continue
        parts += [_without_random(window[at : match.start()]), text]
        at = start = match.end()
    parts.append(_without_random(window[at : max(at, SHOWN)]))
    if len(value) > max(at, SHOWN):
        parts.append(f"… ({len(value):,} characters)")
    shown = "".join(parts)
    if shown == value and shape_of(value) in PERSONAL | SECRET:
        return f"[{shape_of(value).value}, {len(value)} characters]"
    return shown


def _without_random(text: str) -> str:
    """Text with long random tokens masked."""
    return _RANDOM.sub(
        lambda m: (
            f"[token or key, {len(m[0])} characters]"
            if looks_secret(m[0]) or shape_of(m[0]) is Shape.TOKEN
            else m[0]
        ),
        text,
    )


def is_sensitive(value: str) -> bool:
    """Whether a value holds personal data or a secret, so that `mask` hides some of it."""
    return mask(value[:SHOWN]) != value[:SHOWN]


def _masked(match: re.Match[str]) -> str | None:  # noqa: PLR0911 - one answer a kind
    """What to show instead; None where a check says that it is nothing secret."""
    kind, text = str(match.lastgroup), match[0]
    length = f"[{len(text)} characters]"
    if kind == "email":
        return _email(text)
    if kind == "login":
        return f"…{length}@"
    if kind == "key":
        prefix = re.match(r"AKIA|ASIA|[A-Za-z]+[_.-]", text)
        return f"{prefix[0] if prefix else ''}…{length}"
    if kind in ("bearer", "assigned"):
        word, mark, secret = re.split(r"(\s+|\s?[=:]\s?)", text, maxsplit=1)
        return f"{word}{mark}…[{len(secret)} characters]"
    if kind == "card" and (text[0] not in "23456" or not has_luhn_check(re.sub("[ -]", "", text))):
        return None
    if kind == "iban" and not _is_iban(text):
        return None
    return f"[{_NAMES[kind]}, {len(text)} characters]"


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and has_iban_check(plain)


def _email(text: str) -> str:
    """First letters and the last part of the domain; not even those of very short names."""
    name, _, domain = text.replace("%40", "@").partition("@")
    host, _, top = domain.rpartition(".")
    return f"{name[0] if len(name) > 3 else ''}…@{host[0] if len(host) > 3 else ''}….{top}"
