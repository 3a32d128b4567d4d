"""Which values a label can take, and how that is known."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from workbench.findings import Place

__all__ = ["Bound", "LabelValues"]


class Bound(StrEnum):
    """Whether a label's values can be counted before they are seen."""

    BOUNDED = "bounded"
    """At most so many values, for a reason that is given."""
    UNKNOWN = "unknown"
    """Nothing speaks for either."""
    UNBOUNDED = "unbounded"
    """It grows with traffic, users or time."""


@dataclass(frozen=True, slots=True)
class LabelValues:
    """What is known of the values that code gives to a label.

    Parameters
    ----------
    bound
        Whether they can be counted.
    kind
        What they are, in a few words that tools and pages share: ``literal``, ``constant``,
        ``enum``, ``boolean``, ``http method``, ``status code``, ``status class``, ``request path``,
        ``route template``, ``query``, ``identifier``, ``e-mail``, ``error text``, ``time``,
        ``address``, ``user input``, ``variable``.
    values
        Those that are known, sorted.
    count
        How many there can be at most; None where they are not bounded.
    reason
        Why so: one sentence that quotes the code.
    mend
        What to write instead, or ``""``.
    places
        Where the values are given.
    """

    bound: Bound
    kind: str
    values: tuple[str, ...] = ()
    count: int | None = None
    reason: str = ""
    mend: str = ""
    places: tuple[Place, ...] = ()

    def merged(self, other: LabelValues) -> LabelValues:
        """What is known of values that come from either: the worse of two bounds wins.

        Examples
        --------
        >>> get = LabelValues(Bound.BOUNDED, "literal", ("GET",), 1)
        >>> put = LabelValues(Bound.BOUNDED, "literal", ("PUT",), 1)
        >>> get.merged(put).count
        2
        """
        worse, better = sorted((self, other), key=lambda v: -list(Bound).index(v.bound))
        values = tuple(sorted({*self.values, *other.values}))
        count = None
        if worse.bound is Bound.BOUNDED:
            unnamed = [max(0, (v.count or 0) - len(v.values)) for v in (self, other)]
            # Two sets that are not listed, of one kind, are taken to be the same set.
            count = len(values) + (max(unnamed) if self.kind == other.kind else sum(unnamed))
        return LabelValues(
            worse.bound,
            worse.kind,
            values,
            count,
            worse.reason or better.reason,
            worse.mend or better.mend,
            tuple(dict.fromkeys((*worse.places, *better.places))),
        )
