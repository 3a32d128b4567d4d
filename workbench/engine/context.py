"""What one query carries through its evaluation: storage, limits, annotations, selections."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from workbench.engine.annotations import Annotations
from workbench.engine.limits import Meter
from workbench.engine.storage import Storage
from workbench.engine.values import Grid, Ranges, Value, Vector
from workbench.errors import QueryError
from workbench.promql.matcher import Matcher
from workbench.samples import Floats, Samples

__all__ = ["Call", "Query"]


@dataclass(slots=True)
class Query:
    """One query under way.

    Parameters
    ----------
    storage
        Where samples come from.
    lookback_ms
        How old a sample may be and still count at a step.
    meter, notes
        Its budget, and what it has to say.
    instant
        It has one step because an instant was asked for.
    finds_resets
        Selectors say of each native histogram whether its counter was reset before it.
    """

    storage: Storage
    lookback_ms: int
    meter: Meter
    instant: bool
    finds_resets: bool = False
    notes: Annotations = field(default_factory=Annotations)
    _selected: dict[tuple[Any, ...], Samples] = field(default_factory=dict)

    def select(self, matchers: Sequence[Matcher], start_ms: int, end_ms: int) -> Samples:
        """Read samples, each selection once."""
        key = (tuple(matchers), start_ms, end_ms)
        if key not in self._selected:
            self._selected[key] = self.storage.select(matchers, start_ms, end_ms, self.meter.read)
        return self._selected[key]


@dataclass(slots=True)
class Call:
    """One call of a function, its arguments not yet evaluated.

    Parameters
    ----------
    name
        The function's.
    arguments
        Syntax trees.
    grid
        The steps to evaluate at.
    query
        The query it belongs to.
    evaluate
        Gives an argument's value on a grid.
    """

    name: str
    arguments: Sequence[Any]
    grid: Grid
    query: Query
    evaluate: Callable[[Any, Grid], Value]

    def __len__(self) -> int:
        return len(self.arguments)

    def _value(self, position: int) -> Value:
        return self.evaluate(self.arguments[position], self.grid)

    def vector(self, position: int) -> Vector:
        """An argument that is an instant vector."""
        value = self._value(position)
        if not isinstance(value, Vector):
            raise self._mistyped(wanted="vector")
        return value

    def ranges(self, position: int) -> Ranges:
        """An argument that is a range vector."""
        value = self._value(position)
        if not isinstance(value, Ranges):
            raise self._mistyped(wanted="matrix")
        return value

    def scalar(self, position: int) -> Floats:
        """An argument that is a scalar: float64, shape (steps,)."""
        value = self._value(position)
        if isinstance(value, Vector | Ranges | str):
            raise self._mistyped(wanted="scalar")
        return value

    def text(self, position: int) -> str:
        """An argument that is a string."""
        value = self._value(position)
        if not isinstance(value, str):
            raise self._mistyped(wanted="string")
        return value

    def _mistyped(self, *, wanted: str) -> QueryError:
        """The error for what the parser lets pass, such as ``exp(NaN)``."""
        msg = f"expected type {wanted} in call to function {self.name!r}, got another"
        return QueryError(msg, "look up the function's arguments")
