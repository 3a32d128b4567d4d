"""Numbers as people and spreadsheets write them, read only where they can be read in one way."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Final

from workbench.errors import InputError

__all__ = ["read_number"]

_SPACES: Final = re.compile(r"[\s'’   ]")
_GROUPED: Final = re.compile(r"\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*")
_LONGEST: Final = 30


def read_number(text: str, *, point: str = "") -> Decimal:
    """Read a number that is at least 0.

    Parameters
    ----------
    text
        ``2.50``, ``2,50``, ``1,234.50``, ``1.234,50``, ``1 234,50``: the separator that comes last
        is the decimal one where there are two.
    point
        The decimal separator of the whole file, where that is known: it settles ``1.234``. With
        ``""`` a number such as ``1.234`` or ``1,234`` is refused, for it can be read in two ways.

    Raises
    ------
    InputError
        The text is no number, is negative, or can be read in two ways.

    Examples
    --------
    >>> read_number("1.234,50"), read_number("0.075"), read_number("1.234", point=".")
    (Decimal('1234.50'), Decimal('0.075'), Decimal('1.234'))
    """
    plain = text.strip()
    if plain.startswith(("-", "−", "(")):
        what = "it is negative"
        raise InputError(what, "give a number of at least 0")
    separated = _SPACES.search(plain) is not None
    plain = _SPACES.sub("", plain)
    if not plain.isascii() or not re.fullmatch(r"\d[\d.,]*", plain) or len(plain) > _LONGEST:
        what = "it is no plain number"
        raise InputError(
            what, "write digits only, such as 2.50, with the currency in its own column"
        )
    last = max(plain.rfind("."), plain.rfind(","))
    if last < 0:
        return Decimal(plain)
    mark, other = plain[last], ",."[plain[last] == ","]
    if other in plain or plain.count(mark) > 1 or separated:
        return _grouped(plain, mark, other, separated=separated)
    ambiguous = _GROUPED.fullmatch(plain) and not plain.startswith("0")
    if ambiguous and mark != point:
        what = f"{mark!r} may mark thousands or decimals"
        raise InputError(what, f"write {plain.replace(mark, '')} or {plain.replace(mark, '.')}0")
    return Decimal(plain.replace(",", "."))


def _grouped(plain: str, mark: str, other: str, *, separated: bool) -> Decimal:
    whole, _, part = plain.rpartition(mark)
    if other not in plain and plain.count(mark) > 1:  # 1,234,567
        whole, part, other = plain, "", mark
    if not separated and not _GROUPED.fullmatch(whole):
        what = "its thousands separators are out of place"
        raise InputError(what, "write it without them")
    return Decimal(f"{whole.replace(other, '')}.{part or '0'}")
