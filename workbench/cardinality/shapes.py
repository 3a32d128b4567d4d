"""What label values look like: ids, addresses, times, paths, secrets, or words.

A label is judged by its values, not by its name: ``path`` may hold route templates, and ``name``
e-mail addresses. The rules prefer to say too little: a value that fits none is a word or `OTHER`.
"""

from __future__ import annotations

import ipaddress
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from workbench.cardinality.tokens import (
    has_iban_check,
    has_luhn_check,
    is_random,
    looks_secret,
)

__all__ = [
    "GROWING",
    "INFRASTRUCTURE",
    "PERSONAL",
    "SECRET",
    "Shape",
    "ValueShapes",
    "classify",
    "shape_of",
]

SAMPLE: Final = 2_000
"""At most so many of a label's values are looked at, evenly spread."""

LOOKED_AT: Final = 512
"""Characters of a value that are looked at: what it is shows at its beginning."""

_MANY_NUMBERS: Final = 500
"""More distinct whole numbers than this are no ports, codes or partitions: they count something."""


class Shape(StrEnum):
    """What a value looks like."""

    WORD = "word"
    """A word, a name, an enum's member, a region, a boolean."""
    NUMBER = "number"
    """A small or round number: a status code, a bucket's bound."""
    VERSION = "version"
    ROUTE = "route"
    """A path without ids: ``/metrics``, ``/users/{id}``."""
    HOST = "host name"
    HOST_PORT = "host and port"
    IP = "IP address"
    MAC = "hardware address"
    POD = "Kubernetes pod name"
    UUID = "UUID"
    HEX_ID = "hexadecimal id"
    GIT_SHA = "git commit"
    OPAQUE_ID = "random id"
    NUMERIC_ID = "numeric id"
    """A large whole number, or one of very many: it counts users, orders, requests."""
    EPOCH = "epoch time"
    """Seconds, milli-, micro- or nanoseconds since 1970, from 2001 on."""
    TIME = "date or time"
    RAW_PATH = "raw path"
    """A path with ids in it."""
    URL = "URL"
    SQL = "SQL"
    SENTENCE = "sentence"
    """Three words or more: an error's text, a user agent."""
    EMAIL = "e-mail address"
    PHONE = "phone number"
    CARD = "payment card number"
    IBAN = "bank account number"
    TOKEN = "token or key"  # noqa: S105 - the name of a shape
    """A JSON web token, a key with a known prefix, or a long random one."""
    OTHER = "other"


PERSONAL: Final = frozenset({Shape.EMAIL, Shape.PHONE, Shape.CARD, Shape.IBAN})
"""Data about a person: these do not belong into a label, and are masked."""

SECRET: Final = frozenset({Shape.TOKEN})
"""What may open something: masked, and to be revoked."""

GROWING: Final = frozenset(
    {
        Shape.UUID, Shape.HEX_ID, Shape.OPAQUE_ID, Shape.NUMERIC_ID, Shape.EPOCH, Shape.TIME,
        Shape.RAW_PATH, Shape.URL, Shape.SQL, Shape.SENTENCE,
    }
    | PERSONAL | SECRET
)  # fmt: skip
"""Shapes of values that grow with traffic, users or time."""

INFRASTRUCTURE: Final = frozenset(
    {Shape.HOST, Shape.HOST_PORT, Shape.IP, Shape.MAC, Shape.POD, Shape.GIT_SHA, Shape.VERSION}
)
"""Shapes of values that change with deploys and machines: they churn, but are bounded at a time."""


@dataclass(frozen=True, slots=True)
class ValueShapes:
    """The shapes of one label's values.

    Parameters
    ----------
    shares
        Each shape's part of the values looked at, largest first; they add up to 1.
    distinct
        How many values the label has.
    examined
        How many of them were looked at; fewer than `distinct` where there are very many.
    """

    shares: Mapping[Shape, float] = field(default_factory=dict)
    distinct: int = 0
    examined: int = 0

    @property
    def main(self) -> Shape | None:
        """The shape that most values have; None where there is no value."""
        return next(iter(self.shares), None)

    @property
    def constant(self) -> bool:
        """Whether there is just one value."""
        return self.distinct == 1

    def share(self, shapes: Iterable[Shape]) -> float:
        """The part of the values that have one of these shapes."""
        return math.fsum(self.shares.get(shape, 0.0) for shape in set(shapes))

    def to_dict(self) -> dict[str, object]:
        """Give plain data for JSON."""
        return {
            "distinct": self.distinct,
            "examined": self.examined,
            "shares": {shape.value: share for shape, share in self.shares.items()},
        }


def classify(values: Sequence[str]) -> ValueShapes:
    """Tell the shapes of a label's distinct values.

    Parameters
    ----------
    values
        Distinct values; of more than two thousand, two thousand are looked at, evenly spread.

    Examples
    --------
    >>> classify(["GET", "POST", "PUT", "alice@example.com"]).shares
    {<Shape.WORD: 'word'>: 0.75, <Shape.EMAIL: 'e-mail address'>: 0.25}
    """
    count = len(values)
    if count > SAMPLE:
        looked_at = [values[i * count // SAMPLE] for i in range(SAMPLE)]
    else:
        looked_at = list(values)
    found = Counter(map(shape_of, looked_at))
    if looked_at:
        _judge_together(found, looked_at, count / len(looked_at))
    shares = {shape: n / len(looked_at) for shape, n in found.most_common() if n}
    return ValueShapes(shares, count, len(looked_at))


def _judge_together(found: Counter[Shape], values: list[str], scale: float) -> None:
    """Mend what only all values together can tell.

    One in ten numbers has a fitting check digit, so cards among many other long numbers are
    none; and very many whole numbers count something, however small each is and whatever few
    words stand before them (``customer-17``).
    """
    if found[Shape.CARD] * 2 < found[Shape.NUMERIC_ID]:
        found[Shape.NUMERIC_ID] += found.pop(Shape.CARD, 0)
    for shape, pattern in (
        (Shape.NUMBER, _WHOLE),
        (Shape.WORD, _COUNTED),
        (Shape.HOST_PORT, _COUNTED),
    ):
        if found[shape] * scale <= _MANY_NUMBERS:
            continue
        stems = [match[1] for v in values if (match := pattern.fullmatch(v[:LOOKED_AT]))]
        if len(stems) * 2 > found[shape] and len(set(stems)) * 10 < len(stems):
            found[Shape.NUMERIC_ID] += found.pop(shape)


def shape_of(value: str) -> Shape:
    """Tell the shape of one value, in time that does not depend on its length.

    Examples
    --------
    >>> [shape_of(v).value for v in ("us-east-1", "10", "/users/42", "v1.2.3")]
    ['word', 'number', 'raw path', 'version']
    """
    text = value[:LOOKED_AT]
    if len(text) <= 20 and _PLAIN.fullmatch(text):
        return Shape.WORD
    for shape, pattern, check in _RULES:
        match = pattern.match(text)
        if match is not None and (check is None or check(match[0])):
            return shape
    return Shape.OTHER


def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    """The whole value must fit."""
    return re.compile(rf"(?:{text})\Z", re.ASCII | flags)


_WHOLE: Final = re.compile(r"()\d+", re.ASCII)
_COUNTED: Final = re.compile(r"([A-Za-z][^\d]{0,40})[\d-]+", re.ASCII)
_PLAIN: Final = re.compile(r"[A-Za-z]+(?:[_-][A-Za-z]+)*", re.ASCII)
_HEX: Final = "[0-9a-fA-F]"
_UUID: Final = rf"\{{?{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}\}}?"
_IPV4: Final = r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_NAME: Final = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62})"
_TOP: Final = (
    "com|net|org|io|dev|app|cloud|internal|local|localdomain|lan|svc|arpa|info|biz|gov|edu|ai|co|"
    "eu|de|uk|fr|nl|us|ch|at|it|es|se|no|pl|jp|cn|in|au|ca|br"
)
_TEMPLATE_MARK: Final = re.compile(r"[{<\[*]|/[:$][A-Za-z_]|/\.\.\.", re.ASCII)
_PART: Final = re.compile(r"[/?&=;,]+")
_KEYS: Final = (
    r"(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|"
    r"sk-(?=[\w-]*\d)(?=[\w-]*[A-Z])[\w-]{20,}|[srp]k_(?:live|test)_\w{10,}|xox[abeoprs]-[\w-]{10,}|"
    r"AIza[\w-]{35}|ya29\.[\w-]{20,}|SG\.[\w-]{16,}\.[\w-]{16,}|npm_\w{30,}|hvs\.\w{20,}|"
    r"dop_v1_[0-9a-f]{40,}"
)
_JWT: Final = r"eyJ[\w-]{8,}\.[\w-]{4,}(?:\.[\w-]*)?"
_BEARER: Final = r"(?i:bearer|basic)\s+[\w.~+/=-]{8,}"
_ASSIGNED: Final = (
    r"(?i:passwo?r?d|pwd|secret|token|api[_-]?key|access[_-]?key|client[_-]?secret)[\"']?\s?[=:]\s?"
    r"[^\s&;,]{4,}"
)


def _is_hex_id(text: str) -> bool:
    body = text.removeprefix("0x").removeprefix("sha256:")
    letters = sum(c.isalpha() for c in body)
    return 0 < letters < len(body) and body in (body.lower(), body.upper())


def _is_card(text: str) -> bool:
    digits = re.sub("[ -]", "", text)
    return 14 <= len(digits) <= 19 and digits[0] in "23456" and has_luhn_check(digits)


def _is_iban(text: str) -> bool:
    plain = text.replace(" ", "")
    return 15 <= len(plain) <= 34 and has_iban_check(plain)


def _is_epoch(text: str) -> bool:
    whole = int(text.partition(".")[0])
    return len(str(whole)) in (10, 13, 16, 19) and not _is_power_of_two(whole)


def _is_large(text: str) -> bool:
    """Six digits or more, and neither round nor a whole number of KiB, as sizes and bounds are."""
    if len(text) < 6:
        return False
    number = int(text)
    return len(text.rstrip("0")) > 3 and number % 1024 != 0 and not _is_power_of_two(number)


def _is_power_of_two(number: int) -> bool:
    """Whether it is one, or one less, as sizes and limits are."""
    return number & (number - 1) == 0 or number & (number + 1) == 0


def _is_ipv6(text: str) -> bool:
    try:
        ipaddress.IPv6Address(text.partition("/")[0].partition("%")[0])
    except ValueError:
        return False
    return True


def _has_port(text: str) -> bool:
    return 80 <= int(text.rpartition(":")[2]) <= 65_535


def _has_id(path: str) -> bool:
    """Whether a part of a path is an id; a marked template is none, whatever else it has."""
    if _TEMPLATE_MARK.search(path):
        return False
    for part in _PART.split(path)[1:]:
        stem = part.partition(".")[0]
        if stem.isdecimal() or _ID_PART.match(part) or is_random(stem):
            return True
        if any(map(_is_hex_id, _HEX_PART.findall(part))):
            return True
    return False


_ID_PART: Final = _pattern(
    rf"{_UUID}|[^@]{{1,64}}(?:@|%40)[\w.-]+\.\w+|[A-Za-z]{{1,5}}[-_]\d{{4,}}"
)
_HEX_PART: Final = re.compile(r"(?<![A-Za-z0-9])[0-9a-fA-F]{7,}(?![A-Za-z0-9])", re.ASCII)

Check = Callable[[str], bool]

_RULES: Final[tuple[tuple[Shape, re.Pattern[str], Check | None], ...]] = (
    (Shape.PHONE, _pattern(r"\+\d(?:[ ().-]{0,2}\d){7,14}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4}"), None),
    (Shape.EPOCH, _pattern(r"(?:1\d|20)\d{8}(?:(?:\d{3}){1,3}|\.\d+)?"), _is_epoch),
    (Shape.CARD, _pattern(r"\d(?:[ -]?\d){13,18}"), _is_card),
    (Shape.NUMERIC_ID, _pattern(r"\d+"), _is_large),
    (Shape.NUMBER, _pattern(r"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?%?|[-+]?(?i:inf|nan)"), None),
    (Shape.IBAN, _pattern(r"[A-Z]{2}\d{2}(?: ?[A-Z0-9]){11,30}"), _is_iban),
    (Shape.UUID, _pattern(rf"(?:urn:uuid:)?{_UUID}"), None),
    (Shape.GIT_SHA, _pattern(r"[0-9a-f]{40}(?:-dirty)?"), _is_hex_id),
    (Shape.HEX_ID, _pattern(rf"(?:0x|sha256:)?{_HEX}{{7,}}"), _is_hex_id),
    (Shape.MAC, _pattern(rf"{_HEX}{{2}}(?:[:-]{_HEX}{{2}}){{5}}"), None),
    (Shape.IP, _pattern(rf"{_IPV4}(?:/\d{{1,2}})?"), None),
    (Shape.IP, _pattern(r"(?=[^:]*:[^:]*:)[0-9a-fA-F:.]{2,45}(?:%\w+)?(?:/\d{1,3})?"), _is_ipv6),
    (Shape.TIME, _pattern(
        r"\d{4}-[01]\d-[0-3]\d(?:[T ][0-2]\d:[0-5]\d(?::\d\d(?:[.,]\d+)?)?(?: ?Z| ?[+-]\d\d:?\d\d)?)?"
        r"|\d{8}T\d{6}Z?|[0-2]\d:[0-5]\d:\d\d(?:\.\d+)?"), None),
    (Shape.VERSION, _pattern(
        r"(?:[vV]|go|release-)?\d+\.\d+\.\d+(?:\.\d+)?(?:[-+~_.][\w.+~-]*)?|v\d+(?:\.\d+)?(?:[-+~][\w.+~-]*)?"
        r"|go\d\.\d+|\d+\.\d+[-~+][\w.+~-]+"), None),
    (Shape.HOST_PORT, _pattern(rf"(?:{_NAME}(?:\.{_NAME})*\.?|\[[0-9a-fA-F:.%\w]+\]):\d{{2,5}}"), _has_port),
    (Shape.EMAIL, _pattern(r"[\w.%+'-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.)+[A-Za-z]{2,24}"), None),
    (Shape.TOKEN, _pattern(rf"(?:{_KEYS}|{_JWT}|{_BEARER}|{_ASSIGNED}).*|-----BEGIN .*", re.DOTALL), None),
    (Shape.URL, _pattern(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://\S+"), None),
    (Shape.RAW_PATH, _pattern(r"(?:[A-Z]{3,7} )?/[^\s]*"), _has_id),
    (Shape.ROUTE, _pattern(r"(?:[A-Z]{3,7} )?/[^\s?]*"), None),
    (Shape.RAW_PATH, _pattern(r"(?:[A-Z]{3,7} )?/[^\s]*"), None),
    (Shape.SQL, _pattern(
        r"\s*(?:SELECT\s.*\sFROM\s|SELECT\s+\d|INSERT\s+INTO\s|UPDATE\s+\S+\s+SET\s|DELETE\s+FROM\s|"
        r"(?:CREATE|ALTER|DROP)\s+(?:TABLE|INDEX|VIEW)\s|WITH\s+\w+\s+AS\s*\().*", re.IGNORECASE | re.DOTALL), None),
    (Shape.POD, _pattern(
        r"[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?-(?=[a-z]*\d)[a-z0-9]{6,10}-[bcdfghjklmnpqrstvwxz2456789]{5}"
        r"|[a-z](?:[a-z0-9-]*[a-z0-9])?-(?=[a-z]*\d)(?=\d*[a-z])[bcdfghjklmnpqrstvwxz2456789]{5}"), None),
    (Shape.TOKEN, _pattern(r"[\w+/=.~-]{24,}"), looks_secret),
    (Shape.OPAQUE_ID, _pattern(r"[\w+/=~-]{10,}"), is_random),
    (Shape.OPAQUE_ID, _pattern(r"(?:i|vol|eni|vpc|subnet|sg|ami|snap)-[0-9a-f]{8,17}"), None),
    (Shape.OPAQUE_ID, _pattern(r"[a-z]{2,8}_[A-Za-z0-9]{14,}"), lambda text: is_random(text.partition("_")[2])),
    (Shape.HOST, _pattern(rf"(?:{_NAME}\.)+(?:{_TOP})\.?"), None),
    (Shape.SENTENCE, _pattern(r".*\S\s+\S.*\s\S.*", re.DOTALL), None),
    (Shape.WORD, re.compile(r"[^\W\d][\w .:;=+/@&'()#,-]{0,99}\Z"), None),
    (Shape.WORD, _pattern(r"[\w.:+/-]{1,40}"), None),
)  # fmt: skip
"""In this order; the first that fits wins."""
