"""How long requests are, from a histogram: what share of tokens a per-request tier may have taken.

A bucket is wide: OpenTelemetry's end at 65,536 and 262,144, and the commonest tier begins at 200,000
between them. A histogram therefore gives bounds, and the sum of tokens narrows them.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError

__all__ = ["RequestSizes", "Share"]

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Share:
    """What stands above a threshold, as shares of all: bounds and what is likely between them.

    Attributes
    ----------
    low, likely, high
        Of the input tokens.
    requests_low, requests_likely, requests_high
        Of the requests.
    """

    low: float
    likely: float
    high: float
    requests_low: float
    requests_likely: float
    requests_high: float


@dataclass(frozen=True, eq=False)
class RequestSizes:
    """A histogram of the input tokens of requests, cached ones included.

    Attributes
    ----------
    bounds
        Upper bounds of the finite buckets (``le``), ascending, in tokens; shape (k,).
    counts
        Requests in each bucket, not cumulated, that above the last bound included; shape (k + 1,).
    tokens
        Their sum, which a histogram has as ``_sum``.

    Examples
    --------
    >>> sizes = RequestSizes(np.array([65_536.0, 262_144.0]), np.array([990.0, 10.0, 0.0]), 5e6)
    >>> share = sizes.above(200_000)
    >>> share.low, round(share.likely, 3), round(share.high, 3)
    (0.0, 0.012, 0.524)
    """

    bounds: Floats
    counts: Floats
    tokens: float

    def __post_init__(self) -> None:
        bounds, counts = self.bounds, self.counts
        if len(counts) != len(bounds) + 1 or not np.all(np.diff(bounds) > 0):
            what = f"a histogram of {len(counts)} buckets has {len(bounds)} finite bounds"
            raise InputError(what, "give ascending bounds and one bucket more than bounds")
        if not np.all(counts >= 0) or not np.isfinite(counts).all() or not self.tokens >= 0:
            what = "a histogram has negative or infinite counts"
            raise InputError(what, "give the increase of each bucket, with resets taken out")

    def above(self, start: float) -> Share:
        """Bound what share of tokens and requests stands above a threshold.

        With c requests between l and h tokens in each bucket and the sum T: above stands at least
        Σ c·l of the buckets wholly above, and at least T − Σ c·min(h, start) of the others; at most
        T − Σ c·l of the buckets wholly below, and at most Σ c·h of the others. Likely is a spread
        that is skewed alike in each bucket, x = l + (h − l)·u^((1 − θ)/θ) with u even from 0 to 1,
        whose mean is l + θ·(h − l): θ is taken so that the sum comes out. θ = ½ is an even spread.
        """
        low_edge = np.concatenate([[0.0], self.bounds])
        high_edge = np.concatenate([self.bounds, [np.inf]])
        count, total, requests = self.counts, self.tokens, float(self.counts.sum())
        if not requests or not total:
            return Share(0.0, 0.0, 1.0, 0.0, 0.0, 1.0)
        over, under = low_edge >= start, high_edge <= start
        least = max(
            _sum(count, low_edge, over), total - _sum(count, np.minimum(high_edge, start), ~over)
        )
        most = min(total - _sum(count, low_edge, under), _sum(count, high_edge, ~under))
        least, most = (min(max(x / total, 0.0), 1.0) for x in (least, most))
        tokens, share = self._likely(start, low_edge, high_edge)
        return Share(
            low=least,
            likely=min(max(tokens / total, least), max(most, least)),
            high=max(most, least),
            requests_low=float(count[over].sum()) / requests,
            requests_likely=share / requests,
            requests_high=float(count[~under].sum()) / requests,
        )

    def _likely(self, start: float, low: Floats, high: Floats) -> tuple[float, float]:
        """Tokens and requests above a threshold, with the same skew in each bucket."""
        high = np.where(np.isfinite(high), high, 2 * low)
        width = high - low
        room = float(np.sum(self.counts * width))
        skew = (self.tokens - float(np.sum(self.counts * low))) / room if room else 0.5
        skew = min(max(skew, 0.01), 0.99)
        below = np.clip((start - low) / width, 0.0, 1.0) ** (skew / (1 - skew))
        tokens = low * (1 - below) + width * skew * (1 - below ** (1 / skew))
        return float(np.sum(self.counts * tokens)), float(np.sum(self.counts * (1 - below)))


def _sum(count: Floats, each: Floats, where: npt.NDArray[np.bool_]) -> float:
    """Σ count·each; an infinite edge counts only where there are requests."""
    held = where & (count > 0)
    return float(np.sum(count[held] * each[held]))
