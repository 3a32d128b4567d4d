"""Sets of labels that may be "all but these", since a query seldom names all that it passes on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

__all__ = ["ALL", "NONE", "Labels"]


@dataclass(frozen=True, slots=True)
class Labels:
    """A set of labels.

    Parameters
    ----------
    names
        The labels in it, or with `all_but` those that are not.
    all_but
        Whether every other label is meant.

    Examples
    --------
    >>> rest = ALL - Labels.of("job")
    >>> "job" in rest, "instance" in rest, "job" in rest | Labels.of("job")
    (False, True, True)
    """

    names: frozenset[str] = frozenset()
    all_but: bool = False

    @classmethod
    def of(cls, *names: str) -> Labels:
        """Exactly these."""
        return cls(frozenset(names))

    def __contains__(self, name: object) -> bool:
        return (name in self.names) is not self.all_but

    def __bool__(self) -> bool:
        return self.all_but or bool(self.names)

    def __invert__(self) -> Labels:
        return Labels(self.names, not self.all_but)

    def __and__(self, other: Labels) -> Labels:
        if self.all_but and other.all_but:
            return Labels(self.names | other.names, all_but=True)
        if self.all_but:
            return Labels(other.names - self.names)
        return Labels(self.names - other.names if other.all_but else self.names & other.names)

    def __or__(self, other: Labels) -> Labels:
        return ~(~self & ~other)

    def __sub__(self, other: Labels) -> Labels:
        return self & ~other

    def dropping(self, names: Iterable[str]) -> Labels:
        """All of them but these."""
        return self & Labels(frozenset(names), all_but=True)


NONE: Final = Labels()
"""No label."""

ALL: Final = Labels(all_but=True)
"""Every label."""
