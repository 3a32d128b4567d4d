"""What is wanted of the labels at one point of an expression, on the way from its answer down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Self

from workbench.usage.labelset import ALL, NONE, Labels

__all__ = ["EVERYTHING", "NOTHING", "Demand"]


@dataclass(frozen=True, slots=True)
class Demand:
    """What is wanted of a vector's labels.

    Parameters
    ----------
    named
        Labels that something above names, each to where.
    shown
        Labels that reach the answer unnamed.
    summed
        Labels that end in a sum above: it makes no difference if the sum is taken earlier, as long
        as nothing on the way down is not linear.
    apart
        Labels that keep apart what something above takes one by one, and what that is.
    values
        Whether the values matter, and not only which series there are.
    absent
        Whether ``absent`` stands above.
    """

    named: Mapping[str, str] = field(default_factory=dict)
    shown: Labels = NONE
    summed: Labels = NONE
    apart: tuple[tuple[Labels, str], ...] = ()
    values: bool = True
    absent: bool = False

    def naming(self, labels: Iterable[str], where: str) -> Self:
        """The same, with more labels named."""
        return replace(self, named={**self.named, **dict.fromkeys(labels, where)})

    def only(self, labels: Iterable[str]) -> Self:
        """Nothing of any label but these."""
        kept = Labels(frozenset(labels))
        return replace(
            self,
            named={name: where for name, where in self.named.items() if name in kept},
            shown=self.shown & kept,
            summed=self.summed & kept,
            apart=_limited(self.apart, kept),
        )

    def dropping(self, labels: Iterable[str]) -> Self:
        """Nothing of these labels."""
        gone = frozenset(labels)
        return replace(
            self,
            named={name: where for name, where in self.named.items() if name not in gone},
            shown=self.shown.dropping(gone),
            summed=self.summed.dropping(gone),
            apart=_limited(self.apart, ~Labels(gone)),
        )

    def separating(self, labels: Labels, because: str) -> Self:
        """The same, with labels that keep apart what is taken one by one."""
        for already, _ in self.apart:
            labels = labels - already
        if not labels:
            return self
        return replace(self, summed=self.summed - labels, apart=(*self.apart, (labels, because)))

    def through(self, because: str) -> Self:
        """Below something that is not linear: a sum cannot be taken before it."""
        return self.separating(self.summed, because) if self.values else self


def _limited(apart: tuple[tuple[Labels, str], ...], kept: Labels) -> tuple[tuple[Labels, str], ...]:
    parts = ((labels & kept, because) for labels, because in apart)
    return tuple((labels, because) for labels, because in parts if labels)


NOTHING = Demand()
"""Of an operand of which only the value counts."""

EVERYTHING = Demand(shown=ALL)
"""Of a query whose answer is shown as it is."""
