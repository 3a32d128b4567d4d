"""Regular expressions as Prometheus means them: RE2's, anchored, the dot matching newlines.

Python's own `re` is another language (no ``(?i)`` in the middle, other classes, and exponential
time on hostile patterns), so RE2 itself is used, through Arrow. What needs no engine (plain
alternatives, ``.*``, ``.+``) is answered without it, since loading Arrow takes a while.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np

from workbench.errors import NotSupportedError, QueryError
from workbench.frame import Bools

__all__ = ["Regex", "compile_regex"]

_LITERAL: Final = re.compile(r"(?:[\w /:,@#%&=<>~`'\";!-]|\\[.+*?()|{}\[\]^$/-])*")
_ESCAPED: Final = re.compile(r"\\(.)")
_GROUP: Final = re.compile(
    r"\\Q.*?(?:\\E|$)|\\.|\[\^?\]?(?:\\.|\[:\w+:\]|[^\]])*\]|\((?:\?P?<(\w+)>|(?!\?))", re.DOTALL
)
_REFERENCE: Final = re.compile(r"\$(?:(\$)|(\w+)|\{(\w+)\})|\\")
_NUMBER: Final = re.compile(r"0|[1-9][0-9]*")
_MOST_GROUPS: Final = 9


@lru_cache(maxsize=256)
def compile_regex(pattern: str) -> Regex:
    """Prepare a pattern; the same pattern is prepared once.

    Raises
    ------
    QueryError
        The pattern is no RE2 regular expression.
    """
    return Regex(pattern)


class Regex:
    """An anchored RE2 pattern.

    Examples
    --------
    >>> Regex("a|b").matches(["a", "ab", ""]).tolist()
    [True, False, False]
    >>> Regex("x(?i)Y.*").matches(["xyz", "Xyz"]).tolist()
    [True, False]
    """

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        self._anchored = f"^(?s:{pattern})$"
        self._alternatives = _alternatives(pattern)
        if self._alternatives is None and pattern not in (".*", ".+"):
            self._search([""])

    def matches(self, values: Sequence[str]) -> Bools:
        """Tell which of the values the whole pattern matches; bool, shape (values,)."""
        if self._alternatives is not None:
            return np.fromiter((v in self._alternatives for v in values), bool, len(values))
        if self.pattern == ".*":
            return np.ones(len(values), bool)
        if self.pattern == ".+":
            return np.fromiter((bool(v) for v in values), bool, len(values))
        return self._search(values)

    def expanded(self, values: Sequence[str], template: str) -> list[str | None]:
        """Fill the template (``$1``, ``${name}``, ``$$``) from each value that matches.

        Returns
        -------
        list
            The filled template, or None where the value does not match.

        Raises
        ------
        NotSupportedError
            The template refers to a group beyond the ninth.
        """
        import pyarrow.compute as pc

        matching = self._search(values)
        filled = pc.replace_substring_regex(
            _text(values), pattern=self._anchored, replacement=self._rewritten(template)
        ).to_pylist()
        return [text if hit else None for text, hit in zip(filled, matching, strict=True)]

    def _rewritten(self, template: str) -> str:
        r"""Go's template as RE2's: ``$1`` is ``\1``; a group that is not there is nothing."""
        names = self._groups()

        def reference(match: re.Match[str]) -> str:
            if match[0] == "\\":
                return r"\\"
            if match[1]:
                return "$"
            name = match[2] or match[3]
            number = int(name) if _NUMBER.fullmatch(name) else names.get(name, names[""] + 1)
            if number > names[""]:
                return ""
            if number > _MOST_GROUPS:
                msg = f"not supported: the group ${name} of {self.pattern!r}, the tenth or later"
                raise NotSupportedError(msg, "write the other groups as (?:…)")
            return f"\\{number}"

        return _REFERENCE.sub(reference, template)

    def _groups(self) -> dict[str, int]:
        """Numbers of the named groups; under the empty name, how many groups there are."""
        names: dict[str, int] = {}
        number = 0
        for match in _GROUP.finditer(self.pattern):
            if match[0].startswith("("):
                number += 1
                if match[1]:
                    names[match[1]] = number
        return {**names, "": number}

    def _search(self, values: Sequence[str]) -> Bools:
        import pyarrow as pa
        import pyarrow.compute as pc

        try:
            found = pc.match_substring_regex(_text(values), pattern=self._anchored)
        except (pa.ArrowInvalid, UnicodeEncodeError) as error:
            reason = str(error).splitlines()[0].removeprefix("Invalid regular expression: ")
            msg = f"{self.pattern!r} is not a regular expression ({reason})"
            raise QueryError(
                msg, "write it in RE2's syntax: no look-around, no back-references"
            ) from None
        bits = np.frombuffer(found.buffers()[1], np.uint8)
        result: Bools = np.unpackbits(bits, count=len(found), bitorder="little").astype(bool)
        return result


def _text(values: Sequence[str]) -> Any:
    """Strings as an Arrow array, built by hand: Arrow's own way imports pandas first.

    A lone surrogate has no UTF-8 and becomes ``?``; it can match a wildcard but never a letter.
    """
    import pyarrow as pa

    encoded = [value.encode(errors="replace") for value in values]
    ends = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    buffers = [None, pa.py_buffer(ends), pa.py_buffer(b"".join(encoded))]
    return pa.Array.from_buffers(pa.large_string(), len(encoded), buffers)


def _alternatives(pattern: str) -> frozenset[str] | None:
    """The strings that a pattern of plain alternatives matches; None for any other pattern."""
    parts = pattern.split("|")
    if any(not _LITERAL.fullmatch(part) for part in parts):
        return None
    return frozenset(_ESCAPED.sub(r"\1", part) for part in parts)
