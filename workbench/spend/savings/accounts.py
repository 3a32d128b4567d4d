"""What a request of each account cost, and events told by few labels shared out over accounts.

Failures, hits of a gateway's cache and answers that were cut have no tokens of their own. What they
cost, or saved, can only be told by the requests that were served: between the mean of the cheapest
day and that of the dearest.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from workbench.spend.prices import Priced, as_floats
from workbench.spend.reading.layers import model_key
from workbench.spend.savings.best_days import ACCOUNT
from workbench.spend.savings.sums import Groups, by_value

if TYPE_CHECKING:
    import pandas as pd

    from workbench.spend.reading.reader import Reading

__all__ = ["OWNER", "duplicated", "request_costs", "share_out", "within"]

Floats = npt.NDArray[np.float64]

OWNER: Final = ("profile", *ACCOUNT)
"""Who counted something, and of whom."""

_ENOUGH: Final = 0.1
"""A day's mean counts that has this share of the mean day's requests."""

_UNSERVED: Final = 0.9
"""More than this share of the requests is never taken to have been answered without the provider."""

_SELLER: Final = OWNER[:3]
_TOKENS: Final = ["input", "cache_read", "cache_write", "output"]


def within(table: pd.DataFrame, first: date, last: date) -> pd.DataFrame:
    """The rows of a period, both days included."""
    days = table["day"]
    return table[(days >= np.datetime64(first)) & (days <= np.datetime64(last))]


def duplicated(reading: Reading) -> frozenset[tuple[str, str]]:
    """Profiles and models (as of `model_key`) whose traffic another layer's profile tells."""
    pairs = reading.duplicates[["profile", "model"]].astype(str).drop_duplicates()
    return frozenset((p, model_key(m)) for p, m in pairs.itertuples(index=False))


def request_costs(priced: Priced, hits: pd.DataFrame) -> pd.DataFrame:
    """Bound what a request that was served cost, by account and currency.

    Whether requests contain those that failed or were answered by the gateway's cache is not
    told by every product. The least is the cheapest day's money over all of its requests, the most
    the dearest day's over those that neither failed nor were answered.

    Parameters
    ----------
    priced
        The period's usage with its prices.
    hits
        ``profile``, ``provider``, ``model`` and ``response_cache_hits`` of the period.

    Returns
    -------
    DataFrame
        `OWNER`, ``currency``, ``weight`` (what events are shared out by: requests, or tokens where
        requests are told by fewer labels), ``low`` and ``high`` (money a request, at the least and
        most that prices may be; NaN without a price or requests).
    """
    usage, rows = priced.usage, priced.rows
    tokens = np.nansum(usage[_TOKENS].to_numpy(np.float64), axis=1)
    requests = np.nan_to_num(usage["requests"].to_numpy(np.float64))
    used = (tokens > 0) | (requests > 0)
    keys = usage[["day", *OWNER]].assign(currency=_currencies(rows))
    days = Groups(keys[used])
    sums = {"requests": days.add(requests[used]), "tokens": days.add(tokens[used])}
    for name in ("low", "high"):
        sums[name] = days.add(as_floats(rows[name])[used])
    accounts = Groups(days.names[[*OWNER, "currency"]])
    table = accounts.names.astype(object)
    unserved = _unserved(usage, hits)
    low, high = _means(accounts, sums, _served(table, unserved))
    known = (table["currency"] != "").to_numpy(bool)
    if np.isnan(low[known]).any():
        wide = _of_sellers(days.names, sums, unserved)
        rest = table[[*_SELLER, "currency"]].merge(wide, on=[*_SELLER, "currency"], how="left")
        low, high = (np.where(np.isnan(m), rest[n], m) for n, m in (("low", low), ("high", high)))
    counted = accounts.add(sums["requests"]), accounts.add(sums["tokens"])
    weight, kept = _weights(Groups(table[list(_SELLER)]), *counted)
    return table.assign(
        weight=weight,
        low=np.where(known, low, np.nan),
        high=np.where(known, high, np.nan),
    )[kept]


def _weights(
    sellers: Groups, requests: Floats, tokens: Floats
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """By what events of a model are shared out: requests, if all who have tokens have them too."""
    number = sellers.number
    kept = (tokens > 0) | (sellers.add(tokens) == 0)[number]
    without = sellers.add(np.where(kept & (requests == 0), 1.0, 0.0)) > 0
    return np.where(without[number], tokens, requests), kept


def _of_sellers(
    names: pd.DataFrame, sums: dict[str, Floats], unserved: Mapping[tuple[str, ...], float]
) -> pd.DataFrame:
    """Means by model, for accounts whose requests are told by fewer labels than their tokens.

    Only models with prices in one currency have one.
    """
    days = Groups(names[["day", *_SELLER]])
    sellers = Groups(days.names[list(_SELLER)])
    table = sellers.names.astype(object)
    together = {name: days.add(values) for name, values in sums.items()}
    low, high = _means(sellers, together, _served(table, unserved))
    currencies = Groups(names.loc[(names["currency"] != "").to_numpy(bool), [*_SELLER, "currency"]])
    single = currencies.names.astype(object).drop_duplicates(_SELLER, keep=False)
    return table.assign(low=low, high=high).merge(single, on=list(_SELLER), how="inner")


def _currencies(rows: pd.DataFrame) -> pd.Categorical:
    """The currency of each row; "" where it has no price."""
    import pandas as pd

    known = rows["amount"].notna().to_numpy(bool)
    names = rows["currency"].cat
    codes = np.where(known, names.codes.to_numpy() + 1, 0)
    places = {name: n for n, name in enumerate(dict.fromkeys(["", *names.categories]))}
    place = np.array([places[name] for name in ["", *names.categories]])
    return pd.Categorical.from_codes(place[codes], categories=pd.Index(list(places), dtype=object))


def _unserved(usage: pd.DataFrame, hits: pd.DataFrame) -> dict[tuple[str, ...], float]:
    """Which share of the requests no provider answered, by profile, provider and model."""
    failed = np.fmax(
        usage["errors"].to_numpy(np.float64), usage["rate_limited"].to_numpy(np.float64)
    )
    counted: dict[tuple[str, ...], Floats] = {}
    for table, values, place in (
        (usage, usage["requests"].to_numpy(np.float64), 0),
        (usage, failed, 1),
        (hits, hits["response_cache_hits"].to_numpy(np.float64), 1),
    ):
        groups = Groups(table[list(_SELLER)])
        for key, value in zip(_keys(groups.names), groups.add(values), strict=True):
            counted.setdefault(key, np.zeros(2))[place] += value
    return {k: min(n / r, _UNSERVED) for k, (r, n) in counted.items() if r > 0}


def _served(names: pd.DataFrame, unserved: Mapping[tuple[str, ...], float]) -> Floats:
    """Which share of each account's requests a provider answered."""
    return np.array([1.0 - unserved.get(key, 0.0) for key in _keys(names)], np.float64)


def _keys(names: pd.DataFrame) -> Iterator[tuple[str, ...]]:
    return zip(*(names[n].astype(str).tolist() for n in _SELLER), strict=True)


def _means(groups: Groups, days: dict[str, Floats], served: Floats) -> tuple[Floats, Floats]:
    """Mean of the cheapest and of the dearest day of each group; NaN without requests or tokens."""
    each, some = days["requests"], days["tokens"] > 0
    requests = groups.add(each)
    count = np.bincount(groups.number, each > 0, len(groups))
    with np.errstate(divide="ignore", invalid="ignore"):
        enough = (each > 0) & some & (each >= _ENOUGH * (requests / count)[groups.number])
        low = np.where(enough, days["low"] / each, np.inf)
        high = np.where(enough, days["high"] / (each * served[groups.number]), -np.inf)
    least, most = np.full(len(groups), np.inf), np.full(len(groups), -np.inf)
    np.minimum.at(least, groups.number, low)
    np.maximum.at(most, groups.number, high)
    known = np.isfinite(least)
    return np.where(known, least, np.nan), np.where(known, most, np.nan)


def share_out(
    events: pd.DataFrame, costs: pd.DataFrame, twins: frozenset[tuple[str, str]]
) -> pd.DataFrame:
    """Give events to accounts: by all that their labels tell, in proportion to weight.

    Parameters
    ----------
    events
        `OWNER` (an empty name is one that nobody told) and ``count``; other columns stay.
    costs
        Of `request_costs`.
    twins
        Of `duplicated`: events of such a profile belong to the accounts of the one that was kept.

    Returns
    -------
    DataFrame
        The events' other columns, ``profile``, `ACCOUNT`, ``currency``, ``count``, ``low`` and
        ``high`` (money each), ``shared`` (whether others share the event, for its labels tell
        less); an event of no known account keeps its own names, with NaN for money.
    """
    import pandas as pd

    names = events[list(OWNER)].astype(object).fillna("").astype(str)
    left = names.assign(event=np.arange(len(events)), key=by_value(names["model"], model_key))
    right = costs.assign(key=by_value(costs["model"], model_key))
    parts = []
    for on in (OWNER, ("key",), ("profile", "team", "application")):
        if left.empty:
            break
        chosen = left
        if on == ("key",):
            pairs = zip(left["profile"], left["key"], strict=True)
            chosen = left[np.array([pair in twins for pair in pairs], bool)]
        found = _joined(chosen, right, on)
        parts.append(found)
        left = left[~left["event"].isin(found["event"])]
    lost = left.assign(currency="", low=np.nan, high=np.nan, share=1.0, shared=False)
    columns = ["event", *OWNER, "currency", "low", "high", "share", "shared"]
    shares = pd.concat([p[columns] for p in (*parts, lost) if len(p)] or [lost[columns]])
    rest = events.drop(columns=list(OWNER)).reset_index(drop=True)
    result = rest.iloc[shares["event"].to_numpy()].reset_index(drop=True)
    shares = shares.reset_index(drop=True)
    result["count"] = result["count"].to_numpy(np.float64) * shares["share"].to_numpy(np.float64)
    own = [*columns[1:-2], "shared"]
    return pd.concat([result, shares[own]], axis=1)


def _joined(events: pd.DataFrame, costs: pd.DataFrame, on: tuple[str, ...]) -> pd.DataFrame:
    """Accounts that agree with each event in what it tells, and their shares of it."""
    import pandas as pd

    told = events[list(on)] != ""
    pattern = (told.to_numpy() * 2 ** np.arange(len(on))).sum(axis=1)
    parts = []
    for each in np.unique(pattern):
        names = [name for n, name in enumerate(on) if each >> n & 1]
        if names in ([], ["profile"]):
            continue  # nothing is told but who counted
        part = events.loc[pattern == each, ["event", *names]]
        parts.append(part.merge(costs, on=names, how="inner"))
    if not parts:
        return events.iloc[:0].assign(currency="", low=0.0, high=0.0, share=0.0, shared=False)
    found = pd.concat(parts, ignore_index=True)
    groups = Groups(found[["event"]])
    total = groups.add(found["weight"].to_numpy())[groups.number]
    share = found["weight"].to_numpy() / total
    result: pd.DataFrame = found.assign(share=share, shared=share < 1.0)
    return result
