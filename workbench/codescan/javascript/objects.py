"""Object literals as arguments: their properties, with what is spread into them."""

from __future__ import annotations

from collections.abc import Iterator

from workbench.codescan.evaluating import UNSEEN, Evaluator
from workbench.codescan.expressions import Expr, Record, Spread
from workbench.codescan.program import Here

__all__ = ["Properties", "pairs_of"]

_DEEPEST = 4


def pairs_of(
    expr: Expr, here: Here, evaluator: Evaluator, depth: int = 0
) -> Iterator[tuple[str, Expr, Here]]:
    """The properties of an object, where its literal is found; later ones replace others."""
    record, at = evaluator.settle(expr, here)
    if not isinstance(record, Record) or depth > _DEEPEST:
        return
    for key, value in record.pairs:
        if isinstance(key, Spread):
            yield from pairs_of(key.of, at, evaluator, depth + 1)
            continue
        name = evaluator.text(key, at)
        if name != UNSEEN:
            yield name, value, at


class Properties:
    """The properties of one object, by name."""

    def __init__(self, expr: Expr, here: Here, evaluator: Evaluator) -> None:
        self._given = {name: (v, at) for name, v, at in pairs_of(expr, here, evaluator)}
        self._evaluator = evaluator

    def __contains__(self, name: str) -> bool:
        return name in self._given

    def get(self, name: str) -> tuple[Expr, Here] | None:
        """A property and where it stands, or None."""
        return self._given.get(name)

    def text(self, name: str) -> str:
        """A property's text; ``""`` where there is none."""
        found = self._given.get(name)
        return self._evaluator.text(*found) if found is not None else ""

    def strings(self, name: str) -> tuple[str, ...] | None:
        """A property's list of texts; empty where there is none, None where it is not known."""
        found = self._given.get(name)
        return self._evaluator.strings(*found) if found is not None else ()

    def numbers(self, name: str) -> tuple[float, ...] | None:
        """A property's list of numbers; None where there is none or it is not known."""
        found = self._given.get(name)
        return self._evaluator.numbers(*found) if found is not None else None
