"""Quotes as arrays, so that a table of any length is priced without a loop over its rows.

Every distinct quote is a row of the arrays; a row of usage has the number of its quote. A tiered price
is its base and what each tier adds, so that money is tokens × (base + Σ step × share above the start).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from workbench.spend.prices.quoting import RATE_CAUSES, Cause, Quote
from workbench.spend.prices.rates import PRICED, Rates
from workbench.spend.prices.sizes import RequestSizes

__all__ = ["Grid", "Plane", "Shares"]

Floats = npt.NDArray[np.float64]
Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Plane:
    """One level of prices for all quotes, in nano-units per token.

    Attributes
    ----------
    base
        Shape (classes, quotes); NaN where a class has no price.
    steps
        What each tier adds to the one below, shape (tiers, classes, quotes).
    request
        Per request, shape (quotes,).
    """

    base: Floats
    steps: Floats
    request: Floats


@dataclass(frozen=True, eq=False)
class Shares:
    """What share of each row's tokens stands above each tier's start, shape (tiers, rows) each.

    Attributes
    ----------
    low, likely, high
        Of the input classes.
    output_low, output_likely, output_high
        Of the output: by requests, since what a request writes hangs little on what it reads.
    """

    low: Floats
    likely: Floats
    high: Floats
    output_low: Floats
    output_likely: Floats
    output_high: Floats


@dataclass(frozen=True, eq=False)
class Grid:
    """All quotes of a table.

    Attributes
    ----------
    starts
        Where tiers begin, in tokens of a request's input; shape (tiers, quotes), infinite where a
        quote has fewer.
    expected
        The prices that are taken.
    causes
        Doubts that any quote has, with bounds that contain those before; in nesting order.
    """

    starts: Floats
    expected: Plane
    causes: tuple[tuple[Cause, Plane, Plane], ...]

    @classmethod
    def of(cls, quotes: Sequence[Quote]) -> Grid:
        """Lay quotes out; one without a price has NaN for every class."""
        starts = [q.rates.starts() if q.rates else () for q in quotes]
        for n, quote in enumerate(quotes):
            extra = {
                s for step in quote.steps for each in (step.low, step.high) for s in each.starts()
            }
            starts[n] = tuple(sorted({*starts[n], *extra}))
        tiers = max((len(each) for each in starts), default=0)
        table = np.full((tiers, len(quotes)), np.inf)
        for n, each in enumerate(starts):
            table[: len(each), n] = each
        low = high = [q.rates for q in quotes]
        causes = []
        for cause in RATE_CAUSES:
            found = [next((s for s in q.steps if s.cause is cause), None) for q in quotes]
            if not any(found):
                continue
            low = [s.low if s else before for s, before in zip(found, low, strict=True)]
            high = [s.high if s else before for s, before in zip(found, high, strict=True)]
            causes.append((cause, _plane(low, starts, tiers), _plane(high, starts, tiers)))
        expected = _plane([q.rates for q in quotes], starts, tiers)
        return cls(table, expected, tuple(causes))

    def shares(
        self,
        quote: Numbers,
        request_input: Floats,
        requests: Floats,
        sizes: Sequence[RequestSizes | None],
        longest: tuple[Floats, Floats] | None = None,
    ) -> Shares:
        """Bound what share of each row stands above each tier's start.

        A row's requests are all above or all below only where its whole input does not reach the
        start, where it is one request, or where its shortest and longest request are known and lie on
        one side. Else anything may be of the input; requests above the start are at most as many as
        the input has room for (Markov). Likely is what the mean request pays, and where a histogram
        tells more, what that tells.

        Parameters
        ----------
        quote
            Number of each row's quote, shape (rows,).
        request_input
            Input of all of the row's requests, cached tokens included, shape (rows,).
        requests
            How many; NaN where not counted.
        sizes
            A histogram for each quote, or None.
        longest
            No request of each row had less and none had more input, shape (rows,) each; NaN where
            that is not known.
        """
        shape = (len(self.starts), len(quote))
        made = [np.zeros(shape) for _ in range(6)]
        single = requests <= 1
        none = np.full(len(quote), np.nan)
        shortest, longest_one = longest or (none, none)
        measured = ~np.isnan(shortest)
        with np.errstate(invalid="ignore"):
            mean = request_input / np.maximum(requests, 1)
        for tier, starts in enumerate(self.starts):
            start = starts[quote]
            reached = np.fmin(longest_one, request_input) > start
            likely = np.where(np.isnan(mean), 0.0, mean > start) * reached
            room = np.fmin(np.where(likely > 0, 1.0, mean / start), 1.0)
            tells = [
                size.above(float(s)) if size is not None and np.isfinite(s) else None
                for size, s in zip(sizes, starts, strict=True)
            ]
            told = np.array([t is not None for t in tells], bool)[quote] & reached & ~single
            told &= ~measured
            sure = (reached & (single | (shortest > start))).astype(float)
            fields = [
                (sure, "low"),
                (likely, "likely"),
                (reached.astype(float), "high"),
                (sure, "requests_low"),
                (likely, "requests_likely"),
                (reached * room, "requests_high"),
            ]
            for n, (plain, name) in enumerate(fields):
                known = np.array([getattr(t, name) if t else 0.0 for t in tells])[quote]
                made[n][tier] = np.where(told, known, plain)
        return Shares(*made)


def _plane(rates: Sequence[Rates | None], starts: Sequence[tuple[int, ...]], tiers: int) -> Plane:
    base = np.full((len(PRICED), len(rates)), np.nan)
    steps = np.zeros((tiers, len(PRICED), len(rates)))
    request = np.zeros(len(rates))
    for n, each in enumerate(rates):
        if each is None:
            continue
        request[n] = float(each.per_request.scaleb(9))
        for c, token_class in enumerate(PRICED):
            price = each.price(token_class)
            if price is None:
                continue
            levels = [price.base, *(price.at(s + 1) for s in starts[n])]
            base[c, n] = float(price.base.scaleb(3))  # 10⁹ nano-units ÷ 10⁶ tokens
            for tier, (before, then) in enumerate(pairwise(levels)):
                steps[tier, c, n] = float((then - before).scaleb(3))
    return Plane(base, steps, request)
