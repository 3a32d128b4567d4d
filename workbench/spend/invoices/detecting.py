"""Whose export a file is: found by the names of its columns, or said by the user."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from workbench.errors import InputError, SettingsError
from workbench.spend.invoices.decoding import header_fields
from workbench.spend.invoices.mapping import InvoiceMapping
from workbench.spend.invoices.mappings import load_mapping, mapping_names, shipped_mapping

__all__ = ["choose_mapping", "detect_mapping"]

_LEAST: Final = frozenset({"start", "amount"})
_FEWEST: Final = 4
"""So many columns must be known by their names: a date and an amount are in every table."""


def detect_mapping(data: bytes, name: str = "invoice") -> InvoiceMapping:
    r"""Find the mapping that ships whose columns a file has.

    Parameters
    ----------
    data
        The file.
    name
        For messages.

    Raises
    ------
    InputError
        No mapping fits, or two fit equally well.

    Examples
    --------
    >>> head = b"start_time_iso,end_time_iso,amount_value,amount_currency,line_item\n"
    >>> detect_mapping(head).name
    'openai'
    """
    fits = {each: header_fields(data, shipped_mapping(each)) for each in mapping_names()}
    whole = {each: len(fields) for each, fields in fits.items() if fields >= _LEAST}
    most = max(whole.values(), default=0)
    best = [each for each, count in whole.items() if count == most]
    if len(best) == 1 and most >= _FEWEST:
        return shipped_mapping(best[0])
    shown = " and ".join(best) if most >= _FEWEST else f"none of {', '.join(mapping_names())}"
    what = f"whose export {name} is cannot be told from its header: it fits {shown}"
    raise InputError(what, "name its mapping, or write one of your own: a file in TOML")


def choose_mapping(wish: str | Path, data: bytes, name: str = "invoice") -> InvoiceMapping:
    """Give the mapping that is named, that stands in a file, or that a file's header tells.

    Parameters
    ----------
    wish
        Name of a mapping that ships, path of one's own, or ``""`` to go by the header.
    data, name
        The invoice.

    Raises
    ------
    SettingsError
        There is no such mapping, or the file is none.
    InputError
        The header tells none.
    """
    if not str(wish):
        return detect_mapping(data, name)
    if isinstance(wish, str) and re.fullmatch(r"[\w-]+", wish) and not Path(wish).is_file():
        return shipped_mapping(wish)
    path = Path(wish)
    if not path.is_file():
        msg = f"the invoice mapping {str(wish)!r} is no file"
        raise SettingsError(msg, f"give a TOML file, or one of {', '.join(mapping_names())}")
    return load_mapping(path)
