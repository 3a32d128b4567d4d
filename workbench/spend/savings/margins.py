"""What a token costs less, or more, in one class of input than as plain input.

A price is known between bounds: tiers by the length of a request, hours, regions, sellers. These move
both prices of a difference together, so a difference has bounds of its own that are narrower than
those of its two prices. Only where the seller is assumed may each price be another seller's.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from workbench.spend.prices import Priced, RequestSizes
from workbench.spend.prices.grid import Grid, Plane
from workbench.spend.prices.quoting import Cause
from workbench.spend.prices.rates import PRICED
from workbench.spend.usage import REQUEST_INPUT, TokenClass

__all__ = ["Margins"]

Floats = npt.NDArray[np.float64]

_INPUT = PRICED.index(TokenClass.INPUT)
_INPUT_CLASSES = [c.value for c in PRICED[:3]]


class Margins:
    """Differences of prices for each row of a priced table, in nano-units per token.

    Parameters
    ----------
    priced
        The table.
    sizes
        How long requests are, by provider and model, as the table was priced with.
    """

    def __init__(
        self, priced: Priced, sizes: Mapping[tuple[str, str], RequestSizes] | None = None
    ) -> None:
        quoted = priced.quoted
        self._number = quoted.number
        self._grid = Grid.of(quoted.quotes)
        usage = priced.usage
        self.total: Floats = np.nansum(usage[_INPUT_CLASSES].to_numpy(np.float64), axis=1)
        """Input of each row, cached tokens included; shape (rows,)."""
        known = [(sizes or {}).get(label[:2]) for label in quoted.labels]
        requests = usage["requests"].to_numpy(np.float64)
        longest = None
        if set(REQUEST_INPUT) <= set(usage.columns):
            least, most = (usage[name].to_numpy(np.float64) for name in REQUEST_INPUT)
            longest = least, most
        self._shares = self._grid.shares(self._number, self.total, requests, known, longest)
        self._apart = np.array(
            [any(s.cause is Cause.PROVIDER for s in q.steps) for q in quoted.quotes], bool
        )
        own = [
            q.rates is not None and TokenClass.CACHE_READ in q.rates.prices for q in quoted.quotes
        ]
        self.cacheable = np.array(own, bool)[self._number]
        """Which rows' models have a price for cached tokens; shape (rows,)."""

    def expected(self, token_class: TokenClass) -> Floats:
        """Price of input less that of a class, at the prices and tiers that are expected.

        Returns
        -------
        float64, shape (rows,); 0 where either has no price.
        """
        base, steps = self._difference(self._grid.expected, self._grid.expected, token_class)
        total = base[self._number]
        for step, share in zip(steps, self._shares.likely, strict=True):
            if step.any():
                total = total + step[self._number] * share
        return total

    def bounds(self, token_class: TokenClass, count: Floats) -> tuple[Floats, Floats]:
        """Least and most of `expected`, over all that is in doubt.

        Parameters
        ----------
        token_class
            Of the input: read from a cache, or written to one.
        count
            How many of each row's input tokens it is about, shape (rows,). Fewer tokens may more
            easily all stand in long requests, or none of them.
        """
        if not count.any():
            return (likely := self.expected(token_class)), likely
        with np.errstate(divide="ignore", invalid="ignore"):
            times = np.where(count > 0, self.total / count, np.inf)
            most = [np.where(h > 0, np.minimum(h * times, 1.0), 0.0) for h in self._shares.high]
            least = [
                np.where(s < 1, np.maximum(1.0 - (1.0 - s) * times, 0.0), 1.0)
                for s in self._shares.low
            ]
        low = high = self.expected(token_class)
        causes = [(low_, high_) for _, low_, high_ in self._grid.causes]
        pairs = [(p, p) for p in (self._grid.expected, *(p for both in causes for p in both))]
        if causes and self._apart.any():
            pairs += [causes[-1], causes[-1][::-1]]
        for n, (minuend, subtrahend) in enumerate(pairs):
            base, steps = self._difference(minuend, subtrahend, token_class)
            least_of, most_of = base[self._number], base[self._number]
            for step, near, far in zip(steps, least, most, strict=True):
                if step.any():
                    ends = step[self._number] * near, step[self._number] * far
                    least_of = least_of + np.minimum(*ends)
                    most_of = most_of + np.maximum(*ends)
            if n >= 2 * len(causes) + 1:
                apart = self._apart[self._number]
                least_of, most_of = np.where(apart, least_of, low), np.where(apart, most_of, high)
            low, high = np.minimum(low, least_of), np.maximum(high, most_of)
        return low, high

    @staticmethod
    def _difference(
        minuend: Plane, subtrahend: Plane, token_class: TokenClass
    ) -> tuple[Floats, Floats]:
        """Base and steps of a difference by quote: shapes (quotes,) and (tiers, quotes)."""
        c = PRICED.index(token_class)
        base: Floats = minuend.base[_INPUT] - subtrahend.base[c]
        some = np.isfinite(base)
        steps: Floats = minuend.steps[:, _INPUT] - subtrahend.steps[:, c]
        return np.where(some, base, 0.0), np.where(some, steps, 0.0)
