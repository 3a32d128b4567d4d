"""Money of self-hosted models to the teams and applications whose requests they answered.

The server knows no teams; a gateway before it does. Its tokens share the server's money out, each
kind of token by the seconds that it takes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.frame import Bools
from workbench.samples import Floats
from workbench.spend.prices import Prices
from workbench.spend.prices import Reading as Origin
from workbench.spend.reading.layers import model_key
from workbench.spend.reading.reader import Reading
from workbench.spend.self_hosted.sharing import share_out

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ACCOUNT", "share_accounts"]

ACCOUNT: Final = ("team", "application", "user", "prompt_version")
"""What tells accounts apart, beside the model."""

_TOKENS: Final = ("input", "cache_read", "cache_write", "output")


def share_accounts(reading: Reading, prices: Prices, days: pd.DataFrame) -> pd.DataFrame:
    """Share each model's money of each day out to accounts.

    Parameters
    ----------
    reading
        Its table has the gateway's accounts where there is one, else the server's own.
    prices
        Tells which of the gateway's providers are self-hosted.
    days
        As `SelfHosted.days`.

    Returns
    -------
    DataFrame
        As `SelfHosted.accounts`. Money of a day on which nobody used a model stays with no account.
    """
    import pandas as pd

    users = _users(reading, prices)
    grouped = days.groupby(["day", "key", "currency"], sort=True)
    totals = grouped[["amount", "prefill_seconds", "decode_seconds", "computed", "output"]].sum()
    totals = totals.reset_index()
    totals["model"] = grouped["model"].first().to_numpy()
    totals["group"] = np.arange(len(totals))
    rows = totals.merge(users, on=["day", "key"], how="left", suffixes=("", "_used"))
    for name in ACCOUNT:
        rows[name] = rows[name].astype("str").fillna("")
    used = rows[[f"{n}_used" if f"{n}_used" in rows else n for n in _TOKENS]].fillna(0.0)
    used.columns = list(_TOKENS)
    weights = _weights(rows, used)
    rows["amount"] = share_out(
        totals["amount"].to_numpy(np.int64), rows["group"].to_numpy(np.int64), weights
    )
    rows["tokens"] = used.sum(axis=1)
    rows = rows[(rows["amount"] != 0) | (rows["tokens"] != 0)]
    return pd.DataFrame(
        rows[["day", "model", *ACCOUNT, "currency", "amount", "tokens"]]
    ).reset_index(drop=True)


def _weights(rows: pd.DataFrame, used: pd.DataFrame) -> Floats:
    """Seconds of the server that each row's tokens took; tokens where it tells no seconds."""

    def pace(seconds: str, tokens: str) -> Floats:
        spent, count = rows[seconds].to_numpy(), rows[tokens].to_numpy()
        counted = (spent > 0) & (count > 0)
        return np.asarray(np.divide(spent, count, out=np.ones(len(rows)), where=counted))

    told = (rows["prefill_seconds"].to_numpy() > 0) & (rows["decode_seconds"].to_numpy() > 0)
    prefill = np.where(told, pace("prefill_seconds", "computed"), 1.0)
    decode = np.where(told, pace("decode_seconds", "output"), 1.0)
    computed = (used["input"] + used["cache_write"]).to_numpy()
    return np.asarray(computed * prefill + used["output"].to_numpy() * decode)


def _users(reading: Reading, prices: Prices) -> pd.DataFrame:
    """Tokens by day, model and account: the gateway's where it counts the model, else the server's."""
    table, dropped = reading.table, reading.duplicates
    keys = _each(table["model"], model_key)
    server = table["profile"].isin(reading.self_hosted).to_numpy()
    behind = dropped.loc[dropped["profile"].isin(reading.self_hosted), "model"]
    gateway = np.isin(keys, np.unique(_each(behind, model_key))) & ~server
    # Of a model that is also bought elsewhere only the rows of a self-hosted provider are ours.
    own = _is_own(table, prices)
    named = np.isin(keys, np.unique(keys[gateway & own]))
    kept = server | (gateway & (own | ~named))
    part = table.loc[kept, ["day", *ACCOUNT, *_TOKENS]].assign(key=keys[kept].astype(str))
    sums = part.groupby(["day", "key", *ACCOUNT], observed=True, sort=True)[list(_TOKENS)].sum()
    return sums.reset_index()


def _each(column: pd.Series, change: Callable[[str], str]) -> np.ndarray[Any, np.dtype[Any]]:
    """A column of text changed value by value, each value once."""
    import pandas as pd

    codes, values = pd.factorize(column)
    return np.array([*(change(str(v)) for v in values), ""], dtype=object)[codes]


def _is_own(table: pd.DataFrame, prices: Prices) -> Bools:
    """Which rows name a provider that is one's own machines."""
    import pandas as pd

    providers, names = pd.factorize(table["provider"])
    models, titles = pd.factorize(table["model"])
    found, place = np.unique(providers * (len(titles) + 1) + models, return_inverse=True)
    first = np.unique(place, return_index=True)[1] if len(found) else place
    own = [
        prices.identity(str(names[providers[n]]), str(titles[models[n]])).how is Origin.SELF_HOSTED
        for n in first
    ]
    return np.array(own, np.bool_)[place]
