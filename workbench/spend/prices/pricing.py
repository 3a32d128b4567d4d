"""Prices a table of usage: money by row and token class, its bounds, and what has no price.

A row is a day of one account. Its requests are priced as so many times the mean request: a sum of
requests has no tier. Each doubt widens the bounds in turn, and its share in them is kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import numpy.typing as npt

from workbench.errors import BadRowsError
from workbench.spend.prices.disagreement import explain
from workbench.spend.prices.grid import Grid, Shares
from workbench.spend.prices.money import NANO
from workbench.spend.prices.priced import Explanation, Priced
from workbench.spend.prices.quoted import Quoted, quote_usage
from workbench.spend.prices.quoting import Cause, Prices
from workbench.spend.prices.rates import PRICED
from workbench.spend.prices.sheet import (
    CACHE_READ,
    CACHE_WRITE,
    INPUT,
    OUTPUT,
    REASONING,
    Sheet,
    Spread,
)
from workbench.spend.prices.sizes import RequestSizes
from workbench.spend.prices.unpriced import list_unpriced, remarks
from workbench.spend.usage import DIMENSIONS, REQUEST_INPUT

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["price"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]

_MOST: Final = 9e18
"""Nano-units that 64 bits hold: nine thousand million units by one account on one day."""

_NO_SIZES: Final[Mapping[tuple[str, str], RequestSizes]] = MappingProxyType({})
_NO_CURRENCIES: Final[Mapping[str, str]] = MappingProxyType({})


def price(
    usage: pd.DataFrame,
    prices: Prices,
    *,
    sizes: Mapping[tuple[str, str], RequestSizes] = _NO_SIZES,
    own_currency: Mapping[str, str] = _NO_CURRENCIES,
) -> Priced:
    """Price a table of usage.

    What is not known is taken as: each request is like the mean one; nothing was read from a cache
    that is not counted; usage is even over the hours of a day; caches live for minutes; a region or a
    service tier without a price of its own has the listed one. Bounds say what that may hide.

    Parameters
    ----------
    usage
        With the columns of `workbench.spend.usage.COLUMNS`, and `REQUEST_INPUT` where it has them.
    prices
        List prices and price book; ``prices.at(day)`` restates.
    sizes
        How long requests are, by ``(provider, model)`` as the table labels them.
    own_currency
        Of each profile's own cost; USD where a profile is not named.

    Raises
    ------
    BadRowsError
        A count is negative, infinite or beyond all reason: the message names whose it is.

    Examples
    --------
    ``price(usage, Prices(load_price_book("contract.csv"))).sums(by=["team"])``
    """
    tokens, requests = _counts(usage)
    quoted = quote_usage(usage, prices)
    grid = Grid.of(quoted.quotes)
    sheet = Sheet(grid, quoted.number, tokens, requests)
    histograms = [sizes.get(label[:2]) for label in quoted.labels]
    longest = _longest(usage)
    shares = grid.shares(quoted.number, sheet.request_input(), requests, histograms, longest)
    by_class, per_request = sheet.by_class(shares)
    _check_size(usage, by_class.sum(axis=0) + per_request)
    rows = _rows(usage, quoted, by_class, per_request, sheet)
    differing = explain(usage, rows, lambda: sheet.alternatives(shares), own_currency)
    spread = Spread(by_class.sum(axis=0) + per_request)
    _widen(spread, sheet, shares)
    _doubt_source(spread, quoted, differing)
    _finish(rows, spread, differing)
    return Priced(
        usage,
        rows,
        quoted,
        list_unpriced(usage, quoted, sheet.unpriced(), prices.catalogue),
        spread.causes,
        remarks(quoted, prices),
        prices.version,
    )


def _counts(usage: pd.DataFrame) -> tuple[Floats, Floats]:
    """Tokens by class with reasoning taken out of the output, shape (classes, rows); requests."""
    named = [*(c.value for c in PRICED), "requests", "cost"]
    found = {name: usage[name].to_numpy(np.float64) for name in named}
    for name, values in found.items():
        bad = (values < 0) | np.isinf(values)
        if bad.any():
            at = int(np.flatnonzero(bad)[0])
            what = f"{_whose(usage, at)} has {values[at]:g} for {name!r}"
            raise BadRowsError(what, "counts and costs are at least 0: mend what reads the source")
    tokens = np.array([found[c.value] for c in PRICED])
    reasoning = np.fmin(np.nan_to_num(tokens[REASONING]), np.nan_to_num(tokens[OUTPUT]))
    tokens[REASONING] = np.where(np.isnan(tokens[REASONING]), np.nan, reasoning)
    tokens[OUTPUT] -= reasoning
    return tokens, found["requests"]


def _check_size(usage: pd.DataFrame, amount: Floats) -> None:
    """Refuse money that 64 bits would not hold."""
    money = np.fmax(amount, np.nan_to_num(usage["cost"].to_numpy(np.float64)) / float(NANO))
    if len(money) and money.max() > _MOST:
        whose = _whose(usage, int(money.argmax()))
        what = f"{whose} costs {money.max() * float(NANO):.3g} units of its currency"
        mend = "check whether its counters count tokens; leave them out by match= until then"
        raise BadRowsError(what, mend)


def _whose(usage: pd.DataFrame, row: int) -> str:
    """Name a row: the account and the day."""
    names = usage.iloc[row][[*DIMENSIONS]]
    told = " ".join(repr(str(name)[:80]) for name in names if str(name)) or "an unnamed model"
    return f"the usage of {told} on {usage['day'].iloc[row]:%Y-%m-%d}"


def _longest(usage: pd.DataFrame) -> tuple[Floats, Floats] | None:
    """Give the least and the most input of a request of each row, where that is told."""
    if not set(REQUEST_INPUT) <= set(usage.columns):
        return None
    least, most = (usage[name].to_numpy(np.float64) for name in REQUEST_INPUT)
    return least, most


def _widen(spread: Spread, sheet: Sheet, shares: Shares) -> None:
    low = high = sheet.grid.expected
    if sheet.grid.starts.size:
        spread.widen(Cause.TIER, sheet.total(low, shares, -1), sheet.total(high, shares, 1))
    for cause, low, high in sheet.grid.causes:
        spread.widen(cause, sheet.total(low, shares, -1), sheet.total(high, shares, 1))
    uncounted = np.isnan(sheet.tokens[CACHE_READ])
    if uncounted.any():
        cached = sheet.total(low, shares, -1, sheet.moved(INPUT, CACHE_READ, uncounted))
        spread.widen(Cause.CACHED, cached, spread.high)
    base = sheet.grid.expected.base
    other = (base[REASONING] != base[OUTPUT])[sheet.number]
    unsplit = np.isnan(sheet.tokens[REASONING]) & other & ~np.isnan(base[OUTPUT])[sheet.number]
    if unsplit.any():
        tokens = sheet.moved(OUTPUT, REASONING, unsplit)
        both = (sheet.total(low, shares, -1, tokens), sheet.total(high, shares, 1, tokens))
        spread.widen(Cause.REASONING, *both)


def _rows(
    usage: pd.DataFrame,
    quoted: Quoted,
    by_class: Floats,
    request_money: Floats,
    sheet: Sheet,
) -> pd.DataFrame:
    """Lay out what is expected; bounds and differences come after."""
    import pandas as pd

    quotes, number = quoted.quotes, quoted.number
    missing = np.isnan(sheet.tokens) | np.isnan(sheet.grid.expected.base)[:, number]
    columns: dict[str, Any] = {}
    for c, name in ((INPUT, "input"), (CACHE_READ, "cache_read"), (CACHE_WRITE, "cache_write")):
        columns[name] = _integers(by_class[c], missing[c])
    columns["output"] = _integers(by_class[OUTPUT] + by_class[REASONING], missing[OUTPUT])
    per_request = sheet.grid.expected.request[number] > 0
    columns["request"] = _integers(request_money, ~per_request | np.isnan(sheet.requests))
    nothing = missing.all(axis=0) & ~per_request
    amount = by_class.sum(axis=0) + request_money
    columns["amount"] = _integers(amount, nothing)
    columns["currency"] = _category([q.rates.currency if q.rates else "" for q in quotes], number)
    columns["source"] = _category([q.rates.source if q.rates else "" for q in quotes], number)
    columns["how"] = _category([q.identity.how.value for q in quotes], number)
    columns["unpriced"] = sheet.unpriced()
    return pd.DataFrame(columns, index=usage.index)


def _doubt_source(spread: Spread, quoted: Quoted, differing: pd.DataFrame) -> None:
    """Let the gateway's own figure stretch the bounds where nothing explains it, and no contract rules."""
    doubtful = differing["explanation"].isin([Explanation.PRICE, Explanation.UNEXPLAINED])
    listed = np.array([q.rates is not None and not q.rates.contract for q in quoted.quotes], bool)
    own = np.where(doubtful & listed[quoted.number], differing["own"].to_numpy(np.float64), np.nan)
    spread.widen(Cause.SOURCE, np.fmin(spread.low, own), np.fmax(spread.high, own))


def _finish(rows: pd.DataFrame, spread: Spread, differing: pd.DataFrame) -> None:
    nothing = np.asarray(rows["amount"].isna())
    at = int(rows.columns.get_loc("amount")) + 1  # type: ignore[arg-type]
    rows.insert(at, "low", _integers(spread.low, nothing))
    rows.insert(at + 1, "high", _integers(spread.high, nothing))
    own = differing["own"].to_numpy(np.float64)
    rows["own"] = _integers(own, np.isnan(own))
    rows["difference"] = rows["own"] - rows["amount"]
    foreign = np.asarray(differing["explanation"] == Explanation.CURRENCY)
    rows.loc[foreign, "difference"] = None
    rows["explanation"] = differing["explanation"]


def _integers(values: Floats, missing: Bools) -> Any:
    import pandas as pd

    return pd.arrays.IntegerArray(np.where(missing, 0.0, values).astype(np.int64), missing.copy())


def _category(values: list[str], number: npt.NDArray[np.intp]) -> Any:
    import pandas as pd

    place = {name: n for n, name in enumerate(dict.fromkeys(values))}
    codes = np.array([place[each] for each in values], np.intp)
    return pd.Categorical.from_codes(codes[number], categories=pd.Index(list(place), dtype=object))
