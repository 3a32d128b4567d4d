"""Amounts and quantities as providers and spreadsheets write them: signs, marks, symbols, guards."""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from typing import Final

from workbench.errors import InputError

__all__ = ["decimal_mark", "read_signed", "unguarded"]

_SYMBOLS: Final = {"€": "EUR", "£": "GBP", "$": "", "¥": ""}
"""Signs before or after an amount; those with a name belong to one currency only."""
_SPACES: Final = re.compile(r"[\s'’   ]")
_GUARDED: Final = re.compile(r'="([^"]*)"')
_PLAIN: Final = re.compile(r"\d[\d.,]*(?:[eE][+-]?\d{1,2})?")
_LONGEST: Final = 40


def unguarded(cell: str) -> str:
    """Take a spreadsheet's guard off a cell: ``="0012"`` and ``'-5`` mean their text.

    Examples
    --------
    >>> unguarded('="12.50"'), unguarded("'-5")
    ('12.50', '-5')
    """
    cell = cell.strip()
    if cell.startswith("=") and (match := _GUARDED.fullmatch(cell)):
        return match[1].strip()
    return cell.removeprefix("'")


def decimal_mark(cells: Iterable[str]) -> str:
    """Find out from all numbers of a file whether ``.`` or ``,`` is its decimal mark.

    Returns
    -------
    str
        The mark; ``""`` where numbers can be read in two ways and nothing settles it, as with
        ``1.234`` alone.

    Raises
    ------
    InputError
        Some numbers can only be read with the one, and some only with the other.

    Examples
    --------
    >>> decimal_mark(["1.234", "0,50"]), decimal_mark(["1,234"])
    (',', '')
    """
    found: dict[str, str] = {}
    ambiguous = False
    for cell in cells:
        digits = re.sub(r"[^\d.,]", "", re.split(r"(?<=\d)[eE]", unguarded(cell))[0])
        mark = _mark(digits)
        ambiguous |= mark == "?"
        if mark in {".", ","}:
            found.setdefault(mark, cell)
    if len(found) == 2:
        what = f"{found['.'][:30]!r} and {found[','][:30]!r} cannot both be numbers of one file"
        raise InputError(what, "save the file with one decimal mark")
    return next(iter(found), "" if ambiguous else ".")


def _mark(digits: str) -> str:
    """Give the decimal mark of one number: ``?`` for either, ``""`` for none."""
    last = max(digits.rfind("."), digits.rfind(","))
    if last < 0:
        return ""
    mark, other = digits[last], ",."[digits[last] == ","]
    if other in digits:
        return mark
    if digits.count(mark) > 1:
        return other
    whole, _, part = digits.partition(mark)
    return mark if len(part) != 3 or whole in {"", "0"} or len(whole) > 3 else "?"


def read_signed(cell: str, mark: str) -> tuple[Decimal, str]:
    """Read a number with its sign, and the currency that its symbol names.

    Parameters
    ----------
    cell
        ``1,234.56``, ``(1.234,56)``, ``-$0.5``, ``12-``, ``1.2E-05``.
    mark
        The decimal mark of the file; the other one separates thousands.

    Raises
    ------
    InputError
        It is no number, or a formula.

    Examples
    --------
    >>> read_signed("(1.234,56 €)", ",")
    (Decimal('-1234.56'), 'EUR')
    """
    plain = unguarded(cell)
    if plain.startswith(("=", "@")):
        what = "it is a formula, not its result"
        raise InputError(what, "export values, or save the sheet as values")
    negative = plain.startswith("(") and plain.endswith(")")
    plain = _SPACES.sub("", plain.strip("()")).replace("−", "-")
    currency = ""
    for symbol, name in _SYMBOLS.items():
        if symbol in plain:
            plain, currency = plain.replace(symbol, "", 1), name
    if plain.endswith("-"):
        plain = f"-{plain[:-1]}"
    negative ^= plain.startswith("-")
    plain = plain.lstrip("+-") if plain[:1] in {"+", "-"} else plain
    if plain.startswith((".", ",")):
        plain = f"0{plain}"
    if len(plain) > _LONGEST or not plain.isascii() or not _PLAIN.fullmatch(plain):
        what = "it is no number"
        raise InputError(what, "give digits, with the currency in its own column")
    value = _value(plain, mark or ".")
    return (-value if negative else value), currency


def _value(plain: str, mark: str) -> Decimal:
    thousands = "." if mark == "," else ","
    body, _, exponent = plain.lower().partition("e")
    whole, _, part = body.partition(mark)
    groups = whole.split(thousands)
    if thousands in part or mark in part or any(len(each) != 3 for each in groups[1:]):
        what = "its separators are out of place"
        raise InputError(what, f"write it with {mark!r} before decimals, and no other mark")
    try:
        return Decimal("".join(groups) + "." + (part or "0") + (f"e{exponent}" if exponent else ""))
    except InvalidOperation:
        what = "it is no number"
        raise InputError(what, "give digits") from None
