"""Why one request costs more than another: tokens in, what of them is cached, tokens out, price.

The cost of a request is a sum over token classes of tokens of the kind, times the share of the class
in the kind, times the price of a token. The logarithmic mean Divisia index parts a difference of such
sums without a remainder (Ang 2004, LMDI-I), as `workbench.spend.changes.effects` does for spend.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from workbench.samples import Floats
from workbench.spend.logarithms import log_mean, log_ratio

__all__ = ["Difference", "PerRequest", "difference"]


@dataclass(frozen=True, slots=True, eq=False)
class PerRequest:
    """The mean request.

    Parameters
    ----------
    tokens, money
        float64, shape (4,): by `workbench.spend.unit_cost.panel.CLASSES`.
    fee
        What is paid for a request besides tokens.
    """

    tokens: Floats
    money: Floats
    fee: float

    @property
    def prompt(self) -> float:
        """Input tokens, cached ones included."""
        return float(self.tokens[:3].sum())

    @property
    def cached(self) -> float:
        """The share of input that was read from the provider's cache."""
        return float(self.tokens[1]) / self.prompt if self.prompt > 0 else 0.0

    @property
    def output(self) -> float:
        """Output tokens."""
        return float(self.tokens[3])


@dataclass(frozen=True, slots=True)
class Difference:
    """What makes up the difference of the cost of two requests, in money; the sum is all of it.

    Parameters
    ----------
    input
        More or fewer input tokens, at the cached share and the prices that were.
    cached
        Another share of the input read from or written to the cache.
    output
        More or fewer output tokens.
    price
        Another price of a token: other prices, models, tiers, or fees for requests.
    """

    input: float
    cached: float
    output: float
    price: float


def difference(before: PerRequest, after: PerRequest) -> Difference:
    """Part the difference of the cost of two requests into its causes.

    Examples
    --------
    >>> one = PerRequest(np.array([100.0, 0, 0, 10]), np.array([1.0, 0, 0, 0.5]), 0.0)
    >>> two = PerRequest(np.array([300.0, 0, 0, 10]), np.array([3.0, 0, 0, 0.5]), 0.0)
    >>> found = difference(one, two)
    >>> round(found.input, 9), found.cached, found.output, found.price
    (2.0, 0.0, 0.0, 0.0)
    """
    weight = log_mean(after.money, before.money)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = [each.tokens[:3] / each.prompt for each in (before, after)]
        prices = [each.money / each.tokens for each in (before, after)]
    only = np.where((before.money > 0) ^ (after.money > 0), after.money - before.money, 0.0)
    more_input = float(weight[:3].sum() * log_ratio(after.prompt, before.prompt))
    return Difference(
        more_input,
        float((weight[:3] * log_ratio(shares[1], shares[0])).sum() + only[:3].sum()),
        float(weight[3] * log_ratio(after.output, before.output) + only[3]),
        float((weight * log_ratio(prices[1], prices[0])).sum()) + after.fee - before.fee,
    )
