"""From which rate on requests are refused: an estimate of a limit that nobody stated.

In a span in which requests were refused, some minute's use was above the limit, though the mean of
the span need not be. What was served in any span was never above it. So the highest rate that was
served bounds the limit from below; from above nothing does, and the rates at which refusals came say
about where it is.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np

from workbench.samples import Floats

__all__ = ["Onset", "onset"]

_LEAST: Final = 20
"""Spans with refusals, and without, below which nothing is told."""

_FOLLOWS: Final = 0.7
"""Refusals follow the load where a span with them had the higher rate this often."""


@dataclass(frozen=True, slots=True)
class Onset:
    """At which rates requests were refused.

    Parameters
    ----------
    unit
        ``tokens`` or ``requests``, a minute: the one that tells spans with refusals apart better.
    begins, typical
        90 % and half of the refused requests came at higher rates; means over five minutes or a step.
    at_least
        The highest such rate in a span without refusals: the limit is no lower, if it stayed the
        same.
    follows
        How often a span with refusals had a higher rate than one without (the area under the ROC
        curve): 0.5 where refusals have nothing to do with the rate.
    spans
        How many spans had refusals.
    """

    unit: str
    begins: float
    typical: float
    at_least: float
    follows: float
    spans: int

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return asdict(self)


def onset(refused: Floats, tokens: Floats | None, requests: Floats | None) -> Onset | str:
    """Tell from which rate on requests are refused.

    Parameters
    ----------
    refused
        float64, shape (points,): refused requests a minute; NaN where not known.
    tokens, requests
        Rates of the same points; None where they are not counted.

    Returns
    -------
    Onset or str
        The reason, where it cannot be told.
    """
    found = [
        each
        for unit, rates in (("tokens", tokens), ("requests", requests))
        if rates is not None and (each := _onset(unit, refused, rates)) is not None
    ]
    if not found:
        return f"fewer than {_LEAST} spans with refusals, or without"
    best = max(found, key=lambda each: each.follows)
    if best.follows < _FOLLOWS:
        return "refusals do not follow the rate of tokens or requests"
    return best


def _onset(unit: str, refused: Floats, rates: Floats) -> Onset | None:
    from scipy.stats import rankdata

    known = np.isfinite(refused) & np.isfinite(rates)
    refused, rates = refused[known], rates[known]
    bad = refused > 0
    spans, clean = int(bad.sum()), int((~bad).sum())
    if min(spans, clean) < _LEAST:
        return None
    ranks = rankdata(rates)[bad].sum()  # Mann and Whitney (1947): ties count half
    follows = (ranks - spans * (spans + 1) / 2) / (spans * clean)
    order = np.argsort(rates[bad])
    share = np.cumsum(refused[bad][order])
    begins, typical = (
        float(rates[bad][order][np.searchsorted(share, q * share[-1])]) for q in (0.1, 0.5)
    )
    return Onset(unit, begins, typical, float(rates[~bad].max()), float(follows), spans)
