"""What an expression says of the values it can take: the tables' form, and the kinds they share."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from workbench.inventory import Bound

__all__ = [
    "GRPC_CODES",
    "HTTP_METHODS",
    "MENDS",
    "STATUS_CLASSES",
    "STATUS_CODES",
    "Rule",
    "RuleTable",
]

HTTP_METHODS: Final = 9
"""Methods of HTTP that are registered and used: RFC 9110's eight, and PATCH (RFC 5789). A client
can send any word: a server that does not refuse those must map them to one value."""

STATUS_CODES: Final = 63
"""Status codes that IANA's registry assigns."""

STATUS_CLASSES: Final = 5
"""``1xx`` to ``5xx``."""

GRPC_CODES: Final = 17
"""``OK`` to ``UNAUTHENTICATED``."""

MENDS: Final[Mapping[str, str]] = {
    "request path": "give the template of the route that matched, not the path that was asked for",
    "query": "leave the text out; give its kind (select, insert) or the name of the operation",
    "identifier": "leave the label out: what concerns one of them belongs in a log or a trace "
    "(an exemplar can carry its id)",
    "e-mail": "leave the label out: it grows with users and is personal data",
    "error text": "give a class of error from a closed list, and log the text",
    "time": "leave the label out: make it the value of a gauge, in seconds since the epoch",
    "address": "leave the label out, or give the network, zone or peer group from a closed list",
    "user input": "map it to a closed list of values, and everything else to 'other'",
}
"""What to write instead, by kind; a language's own table says it with its own names."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Expressions of which one thing is known.

    Parameters
    ----------
    pattern
        A regular expression that is searched in the expression's *skeleton*: names joined with
        ``.``, imported names written in full, calls as ``()`` without arguments, indexes as
        ``[]`` (``[key]`` where they are text), and behind a variable its type, where that is
        known, in ``<>``: ``r<*http.Request>.URL.Path``, ``github.com/gorilla/mux.Vars()[id]``.
    kind, bound, count, values
        As in `LabelValues`.
    what
        Completes "`r.URL.Path` is …".
    """

    pattern: str
    kind: str
    what: str
    bound: Bound = Bound.UNBOUNDED
    count: int | None = None
    values: tuple[str, ...] = ()


class RuleTable:
    """Rules, asked all at once."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._rules = tuple(rules)
        # One pass tells that nothing matches, which is what is found nearly always.
        self._any = re.compile("|".join(f"(?:{r.pattern})" for r in self._rules) or r"(?!)")
        self._each = tuple(re.compile(r.pattern) for r in self._rules)

    def find(self, skeleton: str) -> Rule | None:
        """The first rule that fits, or None."""
        if not self._any.search(skeleton):
            return None
        for rule, pattern in zip(self._rules, self._each, strict=True):
            if pattern.search(skeleton):
                return rule
        return None
