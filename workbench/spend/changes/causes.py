"""What made spend more or less than expected: requests, models, tokens a request, cache, price.

The spend of an application is its requests times the cost of one; the cost of one is a sum over
models and token classes of the share of requests that the model gets, times the tokens of the kind
(input or output) a request, times the share of the class in the kind (cached or not), times the
price. Both products are taken apart by the logarithmic mean Divisia index, as in
`workbench.spend.changes.effects`, so that the causes add up to the excess. In two stages, so that a
model that takes another's place is told as that, and not as requests that came and went.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.spend.logarithms import log_mean, log_ratio

__all__ = ["CLASSES", "Cause", "Factor", "Quantities", "causes"]

CLASSES: Final = ("input", "cache_read", "cache_write", "output", "request")
"""Columns of quantities and of money: token classes, and what is paid for requests as such."""

_INPUT: Final = 3
"""The first so many are kinds of input."""

_OUTPUT: Final = 3
_REQUEST: Final = 4


class Factor(StrEnum):
    """What may have changed."""

    REQUESTS = "requests"
    TOKENS = "tokens"
    MODEL = "model"
    INPUT = "input per request"
    OUTPUT = "output per request"
    SHARE = "share of output"
    CACHE = "cached share of input"
    PRICE = "price"
    OTHERS = "other accounts"


@dataclass(frozen=True, slots=True)
class Cause:
    """How much of an excess one factor makes.

    Parameters
    ----------
    factor
        What changed. `TOKENS` and `SHARE` stand for requests and tokens per request where requests
        are not counted.
    money
        What it made, in the currency of the spend; below 0 where it saved.
    before, after
        The factor as expected and as it was: requests or tokens a day, tokens a request, shares,
        money per million tokens. NaN where there is no single figure.
    """

    factor: Factor
    money: float
    before: float
    after: float

    def to_dict(self) -> dict[str, Any]:
        """The JSON form; None where there is no figure."""
        figures = {
            name: float(f"{value:.6g}") if np.isfinite(value) else None
            for name, value in (("before", self.before), ("after", self.after))
        }
        return {"factor": self.factor.value, "money": round(self.money, 2) + 0.0, **figures}


@dataclass(frozen=True, slots=True, eq=False)
class Quantities:
    """What was used and paid by cells, one an application and model.

    Parameters
    ----------
    tokens, money
        float64, shape (cells, classes): of `CLASSES`; the last quantity is the requests.
    application
        Number of each cell's application, from 0, shape (cells,).
    days
        Of how many days.
    """

    tokens: Floats
    money: Floats
    application: Ints
    days: float

    def scaled(self, factor: float) -> Quantities:
        """So many times the use, on as many days."""
        return Quantities(self.tokens * factor, self.money * factor, self.application, self.days)


def causes(before: Quantities, after: Quantities) -> tuple[Cause, ...]:
    """Attribute a change of spend to its causes, the greatest first.

    Parameters
    ----------
    before, after
        Of the same cells, on as many days.

    Returns
    -------
    tuple of Cause
        Their money adds up to the change.

    Examples
    --------
    >>> def used(requests, tokens, price):
    ...     row = np.array([[tokens, 0.0, 0.0, 0.0, requests]])
    ...     return Quantities(row, row * [[price, 0, 0, 0, 0]], np.zeros(1, int), 1.0)
    >>> first = causes(used(10, 1e3, 2.0), used(10, 3e3, 2.0))[0]
    >>> first.factor.value, round(first.money), first.before, first.after
    ('input per request', 4000, 100.0, 300.0)
    """
    counted = _all_counted(before) and _all_counted(after)
    old, new = _Stage.of(before, counted=counted), _Stage.of(after, counted=counted)
    weight = log_mean(new.spend, old.spend)
    lasts = (weight > 0) & (old.volume > 0) & (new.volume > 0)
    volume = np.where(lasts, weight * log_ratio(new.volume, old.volume), new.spend - old.spend)
    scale = np.divide(weight, log_mean(new.each, old.each), out=np.zeros(len(lasts)), where=lasts)
    parts = _per_request(old, new, scale[before.application][:, None])
    volumes, inputs, outputs = (
        (Factor.REQUESTS, Factor.INPUT, Factor.OUTPUT)
        if counted
        else (Factor.TOKENS, Factor.SHARE, Factor.SHARE)
    )
    sums = {volumes: float(volume.sum()), Factor.MODEL: parts[0]}
    sums[inputs] = parts[1]
    sums[outputs] = sums.get(outputs, 0.0) + parts[2] if outputs is inputs else parts[2]
    sums |= {Factor.CACHE: parts[3], Factor.PRICE: parts[4]}
    found = [
        Cause(factor, money, *_figures(factor, before, after)) for factor, money in sums.items()
    ]
    return tuple(sorted(found, key=lambda c: -abs(c.money)))


def _all_counted(used: Quantities) -> bool:
    """Whether whoever spent has requests."""
    count = int(used.application.max(initial=-1)) + 1
    spend = np.bincount(used.application, used.money.sum(axis=1), count)
    requests = np.bincount(used.application, used.tokens[:, _REQUEST], count)
    return bool((requests[spend > 0] > 0).all())


@dataclass(frozen=True, slots=True, eq=False)
class _Stage:
    """Applications, shape (applications,), and their cells a request, shape (cells, classes)."""

    spend: Floats
    volume: Floats
    each: Floats
    model: Floats
    kind: Floats
    in_kind: Floats
    cost: Floats

    @classmethod
    def of(cls, used: Quantities, *, counted: bool) -> _Stage:
        count = int(used.application.max(initial=-1)) + 1
        size = used.tokens[:, _REQUEST] if counted else used.tokens[:, :_REQUEST].sum(axis=1)
        spend = _sums(used.application, used.money.sum(axis=1), count)
        volume = _sums(used.application, size, count)
        kinds = used.tokens.copy()
        kinds[:, :_INPUT] = kinds[:, :_INPUT].sum(axis=1, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            total = volume[used.application][:, None]
            return cls(
                spend,
                volume,
                np.where(volume > 0, spend / volume, 0.0),
                np.broadcast_to(size[:, None] / total, used.tokens.shape),
                kinds / size[:, None],
                used.tokens / kinds,
                np.where(total > 0, used.money / total, 0.0),
            )


def _per_request(
    old: _Stage, new: _Stage, scale: Floats
) -> tuple[float, float, float, float, float]:
    """What models, input, output, cache and price make of the cost of a request, as money in all."""
    weight = log_mean(new.cost, old.cost) * scale
    model = weight * log_ratio(new.model, old.model)
    kind = weight * log_ratio(new.kind, old.kind)
    cache = weight * log_ratio(new.in_kind, old.in_kind)
    # The rest, so that what is paid for without being counted is in it too.
    price = weight * log_ratio(new.cost, old.cost) - model - kind - cache
    only = np.where((new.cost > 0) ^ (old.cost > 0), (new.cost - old.cost) * scale, 0.0)
    whole = (new.cost.sum(axis=1) > 0) ^ (old.cost.sum(axis=1) > 0)
    model = model + np.where(whole[:, None], only, 0.0)
    rest = np.where(whole[:, None], 0.0, only)
    inputs = slice(0, _INPUT)
    appeared = ((new.cost[:, inputs].sum(axis=1) > 0) ^ (old.cost[:, inputs].sum(axis=1) > 0))[:, None]  # fmt: skip
    within = np.where(appeared, 0.0, rest[:, inputs])
    return (
        float(model.sum()),
        float(kind[:, inputs].sum() + np.where(appeared, rest[:, inputs], 0.0).sum()),
        float(kind[:, _OUTPUT].sum() + rest[:, _OUTPUT].sum()),
        float(cache.sum() + within.sum()),
        float(price.sum() + kind[:, _REQUEST].sum() + rest[:, _REQUEST].sum()),
    )


def _figures(factor: Factor, before: Quantities, after: Quantities) -> tuple[float, float]:
    """The factor before and after, over all cells."""
    if factor is Factor.PRICE:
        return _prices(before, after)
    return _figure(factor, before), _figure(factor, after)


def _figure(factor: Factor, used: Quantities) -> float:
    sums = used.tokens.sum(axis=0)
    inputs, output, requests = float(sums[:_INPUT].sum()), float(sums[_OUTPUT]), float(sums[-1])
    found: dict[Factor, tuple[float, float]] = {
        Factor.REQUESTS: (requests, used.days),
        Factor.TOKENS: (inputs + output, used.days),
        Factor.INPUT: (inputs, requests),
        Factor.OUTPUT: (output, requests),
        Factor.SHARE: (output, inputs + output),
        Factor.CACHE: (float(sums[1]), inputs),
    }
    top, bottom = found.get(factor, (np.nan, np.nan))
    return top / bottom if bottom else float("nan")


def _prices(before: Quantities, after: Quantities) -> tuple[float, float]:
    """Money per million tokens of what was used after, at both prices."""
    with np.errstate(divide="ignore", invalid="ignore"):
        each = before.money[:, :_REQUEST] / before.tokens[:, :_REQUEST]
    used = np.where(np.isfinite(each), after.tokens[:, :_REQUEST], 0.0)
    paid = np.where(used > 0, after.money[:, :_REQUEST], 0.0)
    total = float(used.sum())
    if not total:
        return float("nan"), float("nan")
    old = float((np.where(used > 0, each, 0.0) * used).sum())
    return old / total * 1e6, float(paid.sum()) / total * 1e6


def _sums(number: Ints, values: Floats, count: int) -> Floats:
    return np.bincount(number, values, count).astype(np.float64)
