"""The usage that another model would have had for the same work, and what it would have cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from workbench.samples import Floats
from workbench.spend.prices import Priced, Prices, RequestSizes, as_floats, price
from workbench.spend.usage import REQUEST_INPUT, TokenClass
from workbench.spend.what_if.ranges import Range

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Corner", "Costs", "Doubt", "Factors", "Label", "cost_range", "moved_usage"]

_INPUT, _READ, _WRITE = (
    c.value for c in (TokenClass.INPUT, TokenClass.CACHE_READ, TokenClass.CACHE_WRITE)
)
_OUTPUT, _REASONING = TokenClass.OUTPUT.value, TokenClass.REASONING.value


class Doubt(StrEnum):
    """What makes the cost of a supposed model as wide as it is, in nesting order."""

    TOKENIZER = "tokenizer"
    CACHE = "cache"
    LENGTH = "length of answers"
    PRICES = "prices and tiers"


@dataclass(frozen=True, slots=True)
class Label:
    """A model as the usage table would label it."""

    provider: str
    model: str

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.provider}/{self.model}" if self.provider else self.model


@dataclass(frozen=True, slots=True)
class Factors:
    """What is supposed of a model that takes another's place.

    Parameters
    ----------
    tokenizer
        Its tokens for each of the old model's.
    output
        The length of its answers, as multiples of the old one's.
    cached
        How much of what was read from the cache still would be.
    without_reasoning
        Whether the old model's reasoning, which is counted, falls away.
    reasons
        Whether its output may hold reasoning that nothing tells apart.
    """

    tokenizer: Range
    output: Range
    cached: Range
    without_reasoning: bool = False
    reasons: bool = False


@dataclass(frozen=True, slots=True)
class Corner:
    """One value of each factor; `writes` bills a miss as a write to the cache, not as plain input."""

    tokenizer: float
    output: float
    cached: float
    writes: bool = False


def moved_usage(
    usage: pd.DataFrame, to: Label, corner: Corner, factors: Factors, *, region: bool = False
) -> pd.DataFrame:
    """Say the same work in another model's tokens.

    Parameters
    ----------
    usage
        Rows of the canonical table, all of one model.
    to
        The new model.
    corner
        The factors.
    factors
        What becomes of reasoning.
    region
        Whether the rows' regions hold for the new model.

    Returns
    -------
    DataFrame
        As many rows. What was not counted still is not; the source's own cost is taken away.
    """
    import pandas as pd

    t, o, c = corner.tokenizer, corner.output, corner.cached
    read = usage[_READ].to_numpy(np.float64)
    missed = np.nan_to_num(read) * (1 - c)
    output = usage[_OUTPUT].to_numpy(np.float64)
    reasoning = usage[_REASONING].to_numpy(np.float64)
    if factors.without_reasoning:
        output = output - np.fmin(np.nan_to_num(reasoning), np.nan_to_num(output))
        reasoning = np.zeros(len(usage))
    written = usage[_WRITE].to_numpy(np.float64)
    columns: dict[str, Any] = {
        _INPUT: t * (usage[_INPUT].to_numpy(np.float64) + (0.0 if corner.writes else missed)),
        _READ: t * c * read,
        _WRITE: t * (np.nan_to_num(written) + missed) if corner.writes else t * written,
        _OUTPUT: t * o * output,
        _REASONING: np.full(len(usage), np.nan) if factors.reasons else t * o * reasoning,
        **{name: t * usage[name] for name in REQUEST_INPUT if name in usage},
        "cost": np.full(len(usage), np.nan),
        "provider": _constant(to.provider, len(usage)),
        "model": _constant(to.model, len(usage)),
    }
    if not region:
        columns["region"] = _constant("", len(usage))
    return pd.DataFrame(usage.assign(**columns))


def _constant(text: str, rows: int) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(
        np.zeros(rows, np.int8), categories=pd.Index([text], dtype=object)
    )


@dataclass(frozen=True, slots=True, eq=False)
class Costs:
    """What rows would have cost with another model; arrays of shape (rows,), in whole units.

    Parameters
    ----------
    low, expected, high
        NaN where it has no price.
    doubts
        How far each moves the bounds down and up; they add up to the whole distance.
    output
        The expected cost of the output at each of ``best, expected, worst``: the ends of tokenizer
        and cache, with answers of the expected length.
    total
        All of the cost at the same three.
    currency
        Of each row; ``""`` without a price.
    priced
        With the expected factors.
    """

    low: Floats
    expected: Floats
    high: Floats
    doubts: Mapping[Doubt, tuple[Floats, Floats]]
    output: tuple[Floats, Floats, Floats]
    total: tuple[Floats, Floats, Floats]
    currency: npt.NDArray[np.object_]
    priced: Priced = field(repr=False)


def cost_range(
    usage: pd.DataFrame,
    prices: Prices,
    to: Label,
    factors: Factors,
    *,
    sizes: RequestSizes | None = None,
    region: bool = False,
) -> Costs:
    """Price the same work with another model, between the ends of all factors.

    The cost rises with each factor by itself, as long as no price falls with the length of a
    request, so that what lies between the ends costs something between their costs. The bounds are
    widened doubt by doubt, each at the ends of those before it; what each adds therefore depends on
    the order, and their sum does not.

    Parameters
    ----------
    usage
        Rows of the canonical table, all of one model.
    prices
        List prices and price book.
    to, factors
        The new model, and what is supposed of it.
    sizes
        How long the old model's requests are, in its tokens.
    region
        Whether the rows' regions hold for the new model.
    """

    def priced(corner: Corner) -> Priced:
        moved = moved_usage(usage, to, corner, factors, region=region)
        held = {(to.provider, to.model): _scaled(sizes, corner.tokenizer)} if sizes else {}
        return price(moved, prices, sizes=held)

    t, o, c = factors.tokenizer, factors.output, factors.cached
    base = Corner(t.expected, o.expected, c.expected)
    middle = priced(base)
    ends = {Doubt.TOKENIZER: ({"tokenizer": t.low}, {"tokenizer": t.high})}
    cold = {"cached": c.low, "writes": _writes_cost_more(middle)}
    ends[Doubt.CACHE] = ({"cached": c.high}, cold)
    ends[Doubt.LENGTH] = ({"output": o.low}, {"output": o.high})
    spans = {Doubt.TOKENIZER: t, Doubt.CACHE: c, Doubt.LENGTH: o}
    expected = _money(middle, "amount")
    bounds, best, worst = (expected, expected), base, base
    known = bool(np.isfinite(expected).any())  # without a price there is nothing to bound
    at_best = at_worst = middle
    outer = (middle, middle)
    zeros = np.zeros(len(usage))
    doubts: dict[Doubt, tuple[Floats, Floats]] = {}
    for doubt, (down, up) in ends.items():
        doubts[doubt] = (zeros, zeros)
        if known and not spans[doubt].is_sure:
            best, worst = replace(best, **down), replace(worst, **up)  # type: ignore[arg-type]
            outer = (priced(best), priced(worst))
            bounds, doubts[doubt] = _wider(bounds, *(_money(p, "amount") for p in outer))
        if doubt is Doubt.CACHE:
            at_best, at_worst = outer
    ends_of_prices = (_money(outer[0], "low"), _money(outer[1], "high"))
    (low, high), doubts[Doubt.PRICES] = _wider(bounds, *ends_of_prices)
    three = (at_best, middle, at_worst)
    output = tuple(np.nan_to_num(_money(p, "output")) for p in three)
    total = tuple(_money(p, "amount") for p in three)
    currency = middle.rows["currency"].astype(object).to_numpy()
    return Costs(low, expected, high, doubts, output, total, currency, middle)  # type: ignore[arg-type]


def _wider(
    bounds: tuple[Floats, Floats], *others: Floats
) -> tuple[tuple[Floats, Floats], tuple[Floats, Floats]]:
    """Move bounds out to contain other costs; then also by how far each was moved."""
    low = np.minimum.reduce([bounds[0], *others])
    high = np.maximum.reduce([bounds[1], *others])
    return (low, high), (bounds[0] - low, high - bounds[1])


def _money(priced: Priced, column: str) -> Floats:
    """A column of money in whole units, NaN where there is none."""
    known = priced.rows[column].notna().to_numpy(bool)
    money: Floats = np.where(known, as_floats(priced.rows[column]), np.nan)
    return money


def _scaled(sizes: RequestSizes, factor: float) -> RequestSizes:
    return RequestSizes(sizes.bounds * factor, sizes.counts, sizes.tokens * factor)


def _writes_cost_more(priced: Priced) -> bool:
    """Tell whether a miss that is written to the cache costs more than plain input."""
    for quote in priced.quoted.quotes:
        if quote.rates is None:
            continue
        write, plain = (quote.rates.price(c) for c in (TokenClass.CACHE_WRITE, TokenClass.INPUT))
        if write is not None and plain is not None and write.base > plain.base:
            return True
    return False
