"""What a table of usage costs: money by row, bounds with their causes, and what has no price.

Money of a row is an integer of nano-units (10⁻⁹ of a currency unit), so that any number of rows is
added without a loss: a price with up to three decimals per million tokens is a whole number of
nano-units per token. Each row and class is rounded once, by half a nano-unit at most: the sum of
400,000 rows is exact where prices have three decimals and tokens are whole, else out by 0.1 of a cent
at the very worst. Sums are `Decimal`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import StrEnum
from typing import TYPE_CHECKING, Final

import numpy as np
import numpy.typing as npt

from workbench.errors import InputError, did_you_mean
from workbench.spend.prices.money import exact, exact_by, exact_or_none
from workbench.spend.prices.quoted import Quoted
from workbench.spend.prices.quoting import Cause, Reason
from workbench.spend.usage import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MONEY", "Explanation", "Priced", "Unpriced"]

Ints = npt.NDArray[np.int64]

MONEY: Final = ("input", "cache_read", "cache_write", "output", "request", "amount", "low", "high")
"""Columns of `Priced.rows` that hold integer money: by class (`output` with reasoning, `request` what
is paid for requests besides tokens), their sum, and its bounds."""


class Explanation(StrEnum):
    """Why a gateway's own cost differs from ours; the texts that stand in `Priced.rows`."""

    NONE = ""
    AGREES = "agrees"
    CURRENCY = "in another currency"
    NO_PRICE = "the gateway had no price"
    UNPRICED = "some of the tokens have no price here"
    CACHED_FULL = "the gateway charged cached tokens as input"
    CACHED_FREE = "the gateway left cached tokens out"
    TIER = "the gateway charged another tier"
    MISSING = "tokens were missed between scrapes"
    REGION = "a regional price"
    PRICE = "the gateway has another price for this model"
    UNEXPLAINED = "not explained"


@dataclass(frozen=True, slots=True)
class Unpriced:
    """Tokens that have no price: they cost something, and it is not known what.

    Attributes
    ----------
    provider, model, region, tier
        As labelled.
    reason
        Why there is no price.
    tokens
        Input, cached and output together.
    requests
        Absent counts are left out.
    first, last
        First and last day of the usage.
    near
        Models with a like name that have a price, for a label that was misspelt.
    """

    provider: str
    model: str
    region: str
    tier: str
    reason: Reason
    tokens: float
    requests: float
    first: date
    last: date
    near: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Priced:
    """A priced table of usage.

    Attributes
    ----------
    usage
        The table that was priced.
    rows
        One row for each of its rows, with its index: `MONEY` as nullable integers of `NANO` (NA for
        what has no price or was not counted: never 0), `own` (the source's own cost) and
        `difference` (own less ours) likewise, `explanation`, `currency`, `source` of the price,
        `how` the provider was read, `unpriced` tokens.
    quoted
        The prices: ``quoted.quotes[quoted.number[n]]`` are those of row n.
    unpriced
        What has no price, most tokens first: a report lists it before any money.
    spreads
        By cause, how far it moves each row's bounds down and up, in `NANO`; shape (rows,) each. The
        sum of all causes is exactly the distance to `low` and to `high`.
    notes
        What a reader must know: assumed providers, remarks on the price book, unknown tiers.
    version
        Price data and book.
    """

    usage: pd.DataFrame
    rows: pd.DataFrame
    quoted: Quoted
    unpriced: tuple[Unpriced, ...]
    spreads: Mapping[Cause, tuple[Ints, Ints]] = field(repr=False)
    notes: tuple[str, ...]
    version: str

    def sums(self, by: Sequence[str] = ()) -> pd.DataFrame:
        """Add money up, by currency and any dimensions.

        Parameters
        ----------
        by
            Of `DIMENSIONS`, ``day`` and ``profile``.

        Returns
        -------
        DataFrame
            A row for each group and currency, dearest first; columns `by`, ``currency``, then `MONEY`,
            ``own`` and ``difference`` as `Decimal` or None where nothing of the group has a price,
            and ``unpriced`` tokens. Currencies are never added to each other; what
            has no price has the currency ``""``. `low` and `high` are those of all rows together, for
            the causes are common to them.
        """
        keys = self._keys(by)
        grouping = keys.groupby(list(keys.columns), sort=False, observed=True, dropna=False)
        number = np.asarray(grouping.ngroup(), np.int64)
        groups = int(number.max()) + 1 if len(number) else 0
        firsts = np.unique(number, return_index=True)[1]
        result = keys.iloc[firsts].reset_index(drop=True)
        for name in (*MONEY, "own", "difference"):
            values = self.rows[name]
            known = values.notna().to_numpy(bool)
            money = values.to_numpy(np.int64, na_value=0)
            sums = np.empty(groups, object)
            sums[:] = exact_by(money, number, groups, known)
            result[name] = sums
        result["unpriced"] = np.bincount(number, self.rows["unpriced"].to_numpy(), groups)
        amounts, unpriced = result["amount"].tolist(), result["unpriced"].tolist()
        order = sorted(range(groups), key=lambda n: (-(amounts[n] or 0), -unpriced[n]))
        return result.iloc[order].reset_index(drop=True)

    def total(self) -> dict[str, Decimal]:
        """Give what everything costs, by currency; unpriced tokens are not in it.

        Examples
        --------
        ``{currency: cents(money) for currency, money in priced.total().items()}``
        """
        number, names = self.rows["currency"].factorize()
        amount = self.rows["amount"]
        known = amount.notna().to_numpy(bool)
        sums = exact_by(amount.to_numpy(np.int64, na_value=0), number, len(names), known)
        told = [(str(n), money) for n, money in zip(names, sums, strict=True) if money is not None]
        return dict(sorted(told, key=lambda each: -each[1]))

    def causes(self, where: npt.NDArray[np.bool_] | None = None) -> pd.DataFrame:
        """Say what makes the bounds as wide as they are, widest first.

        Parameters
        ----------
        where
            Which rows to look at, shape (rows,); all by default.

        Returns
        -------
        DataFrame
            ``cause``, ``currency``, ``down`` and ``up`` as `Decimal`, ``rows`` that are concerned.
        """
        import pandas as pd

        chosen = np.ones(len(self.rows), bool) if where is None else where
        names = self.rows["currency"]
        found = []
        for cause, (down, up) in self.spreads.items():
            moved = chosen & ((down != 0) | (up != 0))
            for currency in names[moved].unique():
                rows = moved & np.asarray(names == currency)
                money = [exact(each[rows]) for each in (down, up)]
                found.append((cause.value, currency, *money, int(rows.sum())))
        found.sort(key=lambda each: -(each[2] + each[3]))
        return pd.DataFrame(found, columns=["cause", "currency", "down", "up", "rows"])

    def disagreements(self) -> pd.DataFrame:
        """Lay the gateway's own cost beside ours, by profile, model and explanation.

        Returns
        -------
        DataFrame
            ``profile``, ``provider``, ``model``, ``explanation``, ``currency``, ``own``, ``ours``,
            ``difference`` (`Decimal`), ``rows``; greatest difference first, nothing where both agree.
        """
        import pandas as pd

        differing = ~self.rows["explanation"].isin([Explanation.NONE, Explanation.AGREES])
        keys = self.usage.loc[differing.to_numpy(), ["profile", "provider", "model"]].astype(str)
        rows = self.rows[differing.to_numpy()]
        keys = keys.assign(explanation=rows["explanation"], currency=rows["currency"].astype(str))
        number = keys.groupby(list(keys.columns), sort=False).ngroup().to_numpy()
        found = []
        for n, at in enumerate(np.unique(number, return_index=True)[1]):
            part = rows[number == n]
            money = [exact_or_none(part[name]) for name in ("own", "amount", "difference")]
            found.append((*keys.iloc[at], *money, len(part)))
        columns = [*keys.columns, "own", "ours", "difference", "rows"]
        found.sort(key=lambda each: -abs(each[7] or each[5] or Decimal(0)))
        return pd.DataFrame(found, columns=columns)

    def _keys(self, by: Iterable[str]) -> pd.DataFrame:
        known = ("day", "profile", *DIMENSIONS)
        for name in by:
            if name not in known:
                what = f"spend cannot be added up by {name!r}"
                raise InputError(what, did_you_mean(name, known) or f"known are {', '.join(known)}")
        return self.usage[list(by)].assign(currency=self.rows["currency"])
