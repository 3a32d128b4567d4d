"""Money of self-hosted models to the teams and applications whose requests they answered.

The server knows no teams; a gateway before it does. Its tokens share the server's money out, each
kind of token by the seconds that it takes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

import numpy as np

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
        rows[name] = rows[name].fillna("").astype(str)
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
    table = reading.table
    keys = table["model"].astype(str).map(model_key)
    server = table["profile"].isin(reading.self_hosted)
    dropped = reading.duplicates
    behind = set(
        dropped.loc[dropped["profile"].isin(reading.self_hosted), "model"]
        .astype(str)
        .map(model_key)
    )
    sold = table[["provider", "model"]].astype(str)
    pairs = sold.drop_duplicates()
    hosted = {
        (p, m)
        for p, m in pairs.itertuples(index=False)
        if prices.identity(p, m).how is Origin.SELF_HOSTED
    }
    is_own = np.array([pair in hosted for pair in sold.itertuples(index=False, name=None)], bool)
    gateway = keys.isin(behind).to_numpy() & ~server.to_numpy()
    # Of a model that is also bought elsewhere only the rows of a self-hosted provider are ours.
    by_name = set(keys[gateway & is_own])
    kept = server.to_numpy() | (gateway & (is_own | ~keys.isin(by_name).to_numpy()))
    part = table.loc[kept, ["day", *ACCOUNT, *_TOKENS]].assign(key=keys[kept])
    return _summed(part, ["day", "key", *ACCOUNT])


def _summed(part: pd.DataFrame, by: Sequence[str]) -> pd.DataFrame:
    plain = part.assign(**{n: part[n].astype(str) for n in ACCOUNT})
    sums: pd.DataFrame = plain.groupby(list(by), sort=True)[list(_TOKENS)].sum().reset_index()
    return sums
