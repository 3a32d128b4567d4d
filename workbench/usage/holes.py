"""Places in a query that a dashboard's variables fill in, after the query was parsed.

A variable is replaced by a marker that is a good name anywhere. Once there is a tree, the markers
that stand in names and values are resolved here: to a pattern where the values are known, else to
``.*``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from workbench.promql.matcher import Matcher, MatchOp
from workbench.promql.quote import quote_regex

__all__ = ["NO_HOLES", "Hole", "Holes"]

_MARKER: Final = re.compile(r"zqv\d+qz")
_POSITIVE: Final[dict[str, MatchOp]] = {"=": "=~", "=~": "=~", "!=": "!~", "!~": "!~"}


@dataclass(frozen=True, slots=True)
class Hole:
    """What may stand in one place.

    Parameters
    ----------
    values
        All values that can stand there, as plain text; None where they are not known.
    patterns
        More of them, as regular expressions.
    plain
        Whether the values are written into a regular expression without being escaped.
    """

    values: tuple[str, ...] | None = None
    patterns: tuple[str, ...] = ()
    plain: bool = False

    def pattern(self, *, in_regex: bool) -> str:
        """A regular expression of what may stand there."""
        if self.values is None:
            return ".*"
        as_is = in_regex and self.plain
        parts = [*(v if as_is else quote_regex(v) for v in self.values), *self.patterns]
        return parts[0] if len(parts) == 1 and not as_is else f"(?:{'|'.join(parts)})"


@dataclass(frozen=True, slots=True)
class Holes:
    """The markers of a query, and what each stands for."""

    known: Mapping[str, Hole] = field(default_factory=dict)

    @staticmethod
    def marker(number: int) -> str:
        """A name that nobody gives to anything."""
        return f"zqv{number}qz"

    def has_any(self, text: str) -> bool:
        """Whether a marker stands in a text."""
        return any(name in self.known for name in _MARKER.findall(text))

    def unknown_in(self, text: str) -> bool:
        """Whether a marker stands in it whose values are not known."""
        return any(
            self.known[name].values is None for name in _MARKER.findall(text) if name in self.known
        )

    def names(self, labels: Iterable[str]) -> tuple[tuple[str, ...], bool]:
        """The labels that are told, and whether there are others that a variable names."""
        listed = tuple(labels)
        told = tuple(name for name in listed if not self.has_any(name))
        return told, len(told) < len(listed)

    def matcher(self, matcher: Matcher) -> Matcher | None:
        """The condition with its markers resolved; None where nothing of it is certain."""
        if not self.has_any(matcher.value):
            return matcher
        negative = matcher.op in ("!=", "!~")
        if negative and self.unknown_in(matcher.value):
            return None
        in_regex = matcher.op in ("=~", "!~")
        parts: list[str] = []
        end = 0
        for found in _MARKER.finditer(matcher.value):
            before = matcher.value[end : found.start()]
            parts.append(before if in_regex else quote_regex(before))
            hole = self.known.get(found[0])
            parts.append(found[0] if hole is None else hole.pattern(in_regex=in_regex))
            end = found.end()
        rest = matcher.value[end:]
        parts.append(rest if in_regex else quote_regex(rest))
        return Matcher(matcher.name, _POSITIVE[matcher.op], "".join(parts))


NO_HOLES: Final = Holes()
"""Of a query without variables."""
