"""The one table that every gateway, client and log is read into.

A row is what one account used on one calendar day. An account is what tells spend apart: provider,
model, region, service tier, team, application, user, prompt version; a dimension that nobody told is
``""``. Token classes are disjoint but for reasoning, which is a part of the output, so that they may
be added up and priced one by one.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final

__all__ = ["COLUMNS", "DIMENSIONS", "FIGURES", "REQUEST_INPUT", "TokenClass"]


class TokenClass(StrEnum):
    """Kinds of tokens that have a price of their own.

    `INPUT` is what was neither read from nor written to the provider's prompt cache; `REASONING` is
    a part of `OUTPUT`, told but never added to it.
    """

    INPUT = "input"
    CACHE_READ = "cache_read"
    CACHE_WRITE = "cache_write"
    OUTPUT = "output"
    REASONING = "reasoning"


DIMENSIONS: Final = (
    "provider",
    "model",
    "region",
    "tier",
    "team",
    "application",
    "user",
    "prompt_version",
)
"""What tells accounts apart, as columns of text."""

FIGURES: Final = (*(c.value for c in TokenClass), "requests", "errors", "rate_limited", "cost")
"""What is counted, as float64 columns; NaN where the source does not count it. `cost` is the
source's own, in the currency that its profile says."""

COLUMNS: Final = ("day", *DIMENSIONS, "profile", *FIGURES, "lost")
"""All columns of the table. `day` is the local date (datetime64[ms], midnight without a zone),
`profile` who told it, `lost` how many of the row's tokens are estimated to have been missed, and so
are not in the figures: restarts between two scrapes, gaps, counters seen first with a value."""

REQUEST_INPUT: Final = ("request_input_least", "request_input_most")
"""Columns that a table may have besides: input tokens, cached ones included, of the shortest and of
the longest request of a row, or bounds of them: no request was shorter, and none was longer. NaN where
nothing is known. They tell its price tier."""
