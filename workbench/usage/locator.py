"""On which line of a JSON file a query stands: parsers of JSON do not say, so it is searched for."""

from __future__ import annotations

import json
from bisect import bisect_right
from functools import cached_property
from typing import Final

__all__ = ["Locator"]

_GO_ESCAPES: Final = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026"})


class Locator:
    r"""Finds texts in a file, each after the last one that was found, or else from the beginning.

    Parameters
    ----------
    data
        The file; empty where lines are not to be told.

    Examples
    --------
    >>> found = Locator(b'[\n"up",\n"x > 1",\n"up"]')
    >>> found.line_of("up"), found.line_of("x > 1"), found.line_of("up")
    (2, 3, 4)
    """

    def __init__(self, data: bytes) -> None:
        self._text = data.decode(errors="replace")
        self._after = 0

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        place = self._text.find("\n")
        while place >= 0:
            starts.append(place + 1)
            place = self._text.find("\n", place + 1)
        return starts

    def line_of(self, value: str) -> int:
        """The line, counted from 1, or 0 where the text is not found as it is."""
        if not self._text or not value:
            return 0
        plain = json.dumps(value, ensure_ascii=False)
        for form in dict.fromkeys((plain, plain.translate(_GO_ESCAPES), json.dumps(value))):
            place = self._text.find(form, self._after)
            if place < 0:
                place = self._text.find(form, 0, self._after)
            if place >= 0:
                self._after = place + 1
                return bisect_right(self._starts, place)
        return 0
