"""Where the price tiers of a model begin, for logs that know how long each request was."""

from __future__ import annotations

from datetime import date
from functools import cache
from typing import Final

from workbench.spend.prices import Prices
from workbench.spend.reading.log import Starts

__all__ = ["tier_starts"]

_EARLIEST: Final = date(2015, 1, 1)
"""Before any price of a token."""


def tier_starts(prices: Prices) -> Starts:
    """All starts of tiers that an account's prices ever had, or may have had.

    Examples
    --------
    >>> starts = tier_starts(Prices())
    >>> starts("anthropic", "claude-sonnet-4-5", "", ""), starts("openai", "gpt-4o", "", "")
    ((200000,), ())
    """

    @cache
    def starts(provider: str, model: str, region: str, tier: str) -> tuple[int, ...]:
        account = (provider, model, region, tier)
        found: set[int] = set()
        for day in (_EARLIEST, *prices.cuts(*account)):
            quote = prices.quote(*account, day)
            doubts = [rates for step in quote.steps for rates in (step.low, step.high)]
            for rates in (quote.rates, *doubts):
                found.update(rates.starts() if rates else ())
        return tuple(sorted(found))

    return starts
