"""Invoice and table laid over each other: arrays by model, day and token class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from workbench.spend.invoices import InvoiceLine
from workbench.spend.prices import Priced
from workbench.spend.prices.quoting import Cause
from workbench.spend.reconciling.models import Model, ModelNames
from workbench.spend.usage import TokenClass

__all__ = ["CLASSES", "Bills", "Seen", "cut_bills", "look_at_table"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

CLASSES: Final = ("input", "cache_read", "cache_write", "output")
"""The last axis of the arrays. Reasoning is a part of the output."""

_ENDS: Final = 1
"""Days of our table before and after the period that are kept, for days that are cut elsewhere."""

_PER_TOKEN: Final = 1000.0
"""Nano-units a token for each unit of money per million tokens."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What our table says.

    Attributes
    ----------
    models
        All that are ours or the invoice's.
    days
        The period, datetime64[D], shape (days,).
    tokens, money
        Shape (models, days + 2, classes): a day more on either side; money in nano-units.
    price
        Nano-units a token; NaN where there is none. Shape (models, days + 2, classes).
    low, high, lost
        Bounds of the money and tokens estimated as lost, over the period; shape (models,).
    causes
        By cause, how far it moves the bounds down and up; shape (models,) each.
    regions
        That we saw, by model.
    unpriced
        Classes with tokens but without a price; shape (models, classes).
    measured
        Days on which our table has rows at all; shape (days,).
    """

    models: tuple[Model, ...]
    days: npt.NDArray[np.datetime64]
    tokens: Floats
    money: Floats
    price: Floats
    low: Floats
    high: Floats
    lost: Floats
    causes: dict[Cause, tuple[Floats, Floats]]
    regions: tuple[frozenset[str], ...]
    unpriced: Bools
    measured: Bools

    def inside(self, values: Floats) -> Floats:
        """Take the days of the period out of an array with a day more on either side."""
        return values[:, _ENDS:-_ENDS]


@dataclass(frozen=True, eq=False)
class Bills:
    """What the invoice says of usage.

    Attributes
    ----------
    regions
        As the invoice names them.
    tokens, money
        Shape (regions, models, days + 2, classes): the days of `Seen.tokens`.
    implied
        Where tokens are those that the money buys at our price, as the invoice counts none; shape
        (models, classes).
    """

    regions: tuple[str, ...]
    tokens: Floats
    money: Floats
    implied: Bools


def look_at_table(  # noqa: PLR0917 - what is compared with what, each of its own type
    priced: Priced,
    names: ModelNames,
    billed: Sequence[Model],
    providers: frozenset[str],
    currency: str,
    period: tuple[date, date],
) -> tuple[Seen, int, npt.NDArray[np.bool_]]:
    """Lay out our table; also give rows left out for their currency, and which rows are compared."""
    import pandas as pd

    quotes, number = priced.quoted.quotes, priced.quoted.number
    ids = [q.identity for q in quotes]
    own = [names.ours(i.provider, i.model) if i.provider in providers else None for i in ids]
    models = tuple(dict.fromkeys([*(m for m in own if m), *billed]))
    place = {model: n for n, model in enumerate(models)}
    row_model = np.array([place[m] if m else -1 for m in own], np.intp)[number]
    days = np.arange(np.datetime64(period[0], "D"), np.datetime64(period[1], "D"))
    dates = pd.DatetimeIndex(priced.usage["day"]).to_numpy("datetime64[D]")
    row_day = (dates - days[0]).astype(np.int64) + _ENDS
    near = (row_model >= 0) & (row_day >= 0) & (row_day < len(days) + 2 * _ENDS)
    currencies = priced.rows["currency"].astype(str).to_numpy()
    foreign = near & ~np.isin(currencies, [currency, ""])
    near &= ~foreign
    inside = near & (row_day >= _ENDS) & (row_day < len(days) + _ENDS)
    shape = (len(models), len(days) + 2 * _ENDS, len(CLASSES))
    tokens, money = np.zeros(shape), np.zeros(shape)
    unpriced = np.zeros((len(models), len(CLASSES)), bool)
    at = (row_model[near], row_day[near])
    for c, name in enumerate(CLASSES):
        counted = np.nan_to_num(priced.usage[name].to_numpy(np.float64))[near]
        known = priced.rows[name].to_numpy(np.float64, na_value=np.nan)[near]
        np.add.at(tokens[..., c], at, counted)
        np.add.at(money[..., c], at, np.nan_to_num(known))
        np.logical_or.at(unpriced[:, c], at[0], np.isnan(known) & (counted > 0))

    def summed(values: Floats) -> Floats:
        weights = np.nan_to_num(values)[inside]
        return np.asarray(np.bincount(row_model[inside], weights, len(models)), np.float64)

    low, high = (priced.rows[n].to_numpy(np.float64, na_value=0.0) for n in ("low", "high"))
    causes = {
        cause: (summed(down.astype(np.float64)), summed(up.astype(np.float64)))
        for cause, (down, up) in priced.spreads.items()
    }
    regions = tuple(
        frozenset(i.region for i, m in zip(ids, own, strict=True) if m == model) for model in models
    )
    measured = np.isin(days, dates) | ((days > dates.min()) & (days < dates.max()))
    price = _prices(priced, own, place, tokens, money)
    seen = Seen(
        models, days, tokens, money, price, summed(low), summed(high),
        summed(priced.usage["lost"].to_numpy(np.float64)), causes, regions, unpriced, measured,
    )  # fmt: skip
    return seen, int(foreign.sum()), inside


def _prices(
    priced: Priced, own: list[Model | None], place: dict[Model, int], tokens: Floats, money: Floats
) -> Floats:
    """What a token cost on each day: as paid, else as on other days, else as quoted."""
    with np.errstate(invalid="ignore", divide="ignore"):
        price = np.where((tokens > 0) & (money > 0), money / tokens, np.nan)
    for quote, model in zip(priced.quoted.quotes, own, strict=True):
        if model is None or quote.rates is None:
            continue
        m = place[model]
        for c, name in enumerate(CLASSES):
            quoted = quote.rates.price(TokenClass(name))
            known = price[m, :, c][~np.isnan(price[m, :, c])]
            base = float(quoted.base) * _PER_TOKEN if quoted else np.nan
            filler = float(np.median(known)) if len(known) else base
            price[m, :, c] = np.where(np.isnan(price[m, :, c]), filler, price[m, :, c])
    return price


def cut_bills(
    lines: Sequence[tuple[InvoiceLine, Model]], seen: Seen, offset: timedelta | None = None
) -> Bills:
    """Lay out the invoice on the days of our table.

    Parameters
    ----------
    lines
        Lines of usage, with the models that they mean.
    offset
        Cut lines of hours into days that begin so much before midnight UTC; None for the
        invoice's own days.
    """
    regions = tuple(sorted({line.region for line, _ in lines}))
    place = {model: n for n, model in enumerate(seen.models)}
    shape = (len(regions), *seen.tokens.shape)
    tokens, money = np.zeros(shape), np.zeros(shape)
    implied = np.zeros((len(seen.models), len(CLASSES)), bool)
    first = seen.days[0].astype(object)
    for item, (amount, counted) in _sums(lines, offset).items():
        r, m = regions.index(item.region), place[item.model]
        begin = (item.start - first).days + _ENDS
        span = slice(max(begin, 0), min(begin + item.days, shape[2]))
        if span.start >= span.stop:
            continue
        paid = float(amount) * 1e9 * _shares(item.token_class, seen.money[m, span])
        if item.counted:
            used = float(counted) * _shares(item.token_class, seen.tokens[m, span])
        else:
            with np.errstate(invalid="ignore", divide="ignore"):
                used = np.nan_to_num(paid / seen.price[m, span], posinf=0.0, neginf=0.0)
            implied[m] |= (paid != 0).any(axis=0)
        money[r, m, span] += paid
        tokens[r, m, span] += used
    return Bills(regions, tokens, money, implied)


class _Item(NamedTuple):
    """What lines are added up by."""

    region: str
    model: Model
    token_class: str
    start: date
    days: int
    counted: bool


def _sums(
    lines: Sequence[tuple[InvoiceLine, Model]], offset: timedelta | None
) -> dict[_Item, tuple[Decimal, Decimal]]:
    sums: dict[_Item, tuple[Decimal, Decimal]] = {}
    for line, model in lines:
        start = (line.at + offset).date() if offset is not None and line.at else line.start
        counted = line.tokens is not None
        item = _Item(line.region, model, line.token_class, start, line.days, counted)
        amount, tokens = sums.get(item, (Decimal(0), Decimal(0)))
        sums[item] = (amount + line.amount, tokens + (line.tokens or 0))
    return sums


def _shares(token_class: str, ours: Floats) -> Floats:
    """Spread a line over its days, and over classes where it tells none, as ours is spread."""
    part = token_class == TokenClass.REASONING
    wanted = TokenClass.OUTPUT.value if part else token_class
    mask = np.ones(len(CLASSES)) if not wanted else np.array([c == wanted for c in CLASSES], float)
    weights = ours * mask
    if weights.sum() <= 0:
        mask = mask if wanted else np.array([1.0, 0.0, 0.0, 0.0])
        weights = np.ones(ours.shape) * mask
    shares: Floats = weights / weights.sum()
    return shares
