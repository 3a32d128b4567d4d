"""The arithmetic of a table of usage: tokens times prices, at the likely shares or at a bound."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from workbench.spend.prices.grid import Grid, Plane, Shares
from workbench.spend.prices.priced import Explanation
from workbench.spend.prices.quoting import Cause
from workbench.spend.prices.rates import PRICED

__all__ = ["CACHE_READ", "CACHE_WRITE", "INPUT", "OUTPUT", "REASONING", "Sheet", "Spread"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.int64]

INPUT, CACHE_READ, CACHE_WRITE, OUTPUT, REASONING = range(len(PRICED))
"""Where the classes of `PRICED` stand in arrays."""

_HELD: Final = 9.2e18
"""Nano-units that 64 bits hold."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table of usage over a grid of quotes.

    Attributes
    ----------
    grid, number
        The quotes, and which of them each row has.
    tokens
        By class, disjoint: reasoning is out of the output; shape (classes, rows), NaN where not counted.
    requests
        Shape (rows,); NaN where not counted.
    """

    grid: Grid
    number: npt.NDArray[np.intp]
    tokens: Floats
    requests: Floats

    def request_input(self) -> Floats:
        """Give the input of each row, cached tokens included."""
        counted: Floats = np.nansum(self.tokens[:OUTPUT], axis=0)
        return counted

    def unpriced(self) -> Floats:
        """Count tokens without a price, of each row."""
        missing = np.isnan(self.grid.expected.base)[:, self.number]
        lost: Floats = np.sum(np.nan_to_num(self.tokens) * missing, axis=0)
        return lost

    def by_class(self, shares: Shares) -> tuple[Floats, Floats]:
        """Give expected nano-units of each class and row, whole; what is paid per request."""
        money = np.array(
            [self._class(c, self.grid.expected, shares, 0) for c in range(len(PRICED))]
        )
        request = np.nan_to_num(self.requests) * self.grid.expected.request[self.number]
        return np.rint(money), np.rint(request)

    def total(
        self, plane: Plane, shares: Shares, side: int, tokens: Floats | None = None
    ) -> Floats:
        """Give nano-units of each row at the bound of a side: -1 low, 0 likely, 1 high."""
        parts = [self._class(c, plane, shares, side, tokens) for c in range(len(PRICED))]
        per_request = np.nan_to_num(self.requests) * plane.request[self.number]
        summed: Floats = np.sum(parts, axis=0) + per_request
        return summed

    def _class(
        self, c: int, plane: Plane, shares: Shares, side: int, tokens: Floats | None = None
    ) -> Floats:
        count = np.nan_to_num((self.tokens if tokens is None else tokens)[c])
        rate = np.nan_to_num(plane.base[c])[self.number]
        low, likely, high = (
            (shares.low, shares.likely, shares.high)
            if c < OUTPUT
            else (shares.output_low, shares.output_likely, shares.output_high)
        )
        for tier in range(len(plane.steps)):
            step = plane.steps[tier, c]
            if not step.any():
                continue
            added = step[self.number]
            # A tier that is cheaper than the one below has its dear bound where little is above it.
            share = (
                likely[tier]
                if side == 0
                else np.where((added > 0) == (side > 0), high[tier], low[tier])
            )
            rate = rate + added * share
        money: Floats = count * rate
        return money

    def moved(self, source: int, target: int, where: Bools) -> Floats:
        """Give the tokens with those of one class counted as another's in some rows."""
        tokens = np.nan_to_num(self.tokens)
        tokens[target] += np.where(where, tokens[source], 0.0)
        tokens[source] = np.where(where, 0.0, tokens[source])
        return tokens

    def alternatives(self, shares: Shares) -> dict[Explanation, tuple[Floats, Floats]]:
        """Say what a gateway would have charged with the commonest mistakes: low and high, nano-units."""
        plane, every = self.grid.expected, np.ones(len(self.number), bool)
        full = self.total(plane, shares, 0, self.moved(CACHE_READ, INPUT, every))
        free = np.nan_to_num(self.tokens)
        free[CACHE_READ] = 0.0
        tiers = [self.total(plane, shares, side) for side in (-1, 1)]
        none = self.total(plane, shares, 0, free)
        return {
            Explanation.CACHED_FULL: (full, full),
            Explanation.CACHED_FREE: (none, none),
            Explanation.TIER: (tiers[0], tiers[1]),
        }


class Spread:
    """Bounds that grow, cause by cause, and by how much each cause moved them."""

    def __init__(self, amount: Floats) -> None:
        self.low = self.high = np.rint(amount)
        self.causes: dict[Cause, tuple[Ints, Ints]] = {}

    def widen(self, cause: Cause, low: Floats, high: Floats) -> None:
        """Move the bounds out to where a cause puts them; never in."""
        low, high = np.minimum(self.low, np.rint(low)), np.maximum(self.high, np.rint(high))
        high = np.minimum(high, _HELD)
        down, up = (self.low - low).astype(np.int64), (high - self.high).astype(np.int64)
        if down.any() or up.any():
            self.causes[cause] = (down, up)
        self.low, self.high = low, high
