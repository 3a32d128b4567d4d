"""What a variable of Grafana asks: ``label_values(…)``, ``query_result(…)`` and their kin."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

from workbench.usage.document import mapping, text

__all__ = ["Listing", "listing_of"]

_CALL: Final = re.compile(r"^\s*(\w+)\s*\((.*)\)\s*$", re.DOTALL)
_LAST_COMMA: Final = re.compile(r"^(.*),\s*([^,]+?)\s*$", re.DOTALL)

Asked = Literal["label values", "label names", "metrics", "result", "series"]

_ASKED: Final[dict[str, Asked]] = {
    "label_names": "label names",
    "metrics": "metrics",
    "query_result": "result",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """One variable's question.

    Parameters
    ----------
    asked
        What is listed.
    expression
        The selector or query that restricts it, ``""`` where nothing does; for ``metrics`` a
        regular expression on names.
    label
        Whose values are listed.
    written
        The question as the dashboard holds it.
    """

    asked: Asked
    expression: str = ""
    label: str = ""
    written: str = ""


def listing_of(query: Any) -> Listing | None:
    """Read a variable's ``query``; None where it asks nothing.

    Examples
    --------
    >>> found = listing_of('label_values(up{job=~"a,b"}, instance)')
    >>> found.asked, found.expression, found.label
    ('label values', 'up{job=~"a,b"}', 'instance')
    >>> listing_of({"query": "label_values(job)"}).label
    'job'
    """
    written = text(mapping(query).get("query")) if isinstance(query, dict) else text(query)
    if not written.strip():
        return None
    call = _CALL.match(written)
    name, inside = (call[1], call[2].strip()) if call is not None else ("", written)
    if name == "label_values":
        parts = _LAST_COMMA.match(inside)
        if parts is None:
            return Listing("label values", "", inside, written)
        return Listing("label values", parts[1].strip(), parts[2], written)
    asked = _ASKED.get(name)
    return (
        Listing("series", written, "", written)
        if asked is None
        else Listing(asked, inside, "", written)
    )
