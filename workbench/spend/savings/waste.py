"""What was paid for nothing, as a range: failed, sent again, cut by length, preempted requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.spend.prices import Priced, Reason, cents
from workbench.spend.reading.layers import model_key
from workbench.spend.savings.accounts import (
    OWNER,
    duplicated,
    request_costs,
    share_out,
    within,
)
from workbench.spend.savings.best_days import ACCOUNT
from workbench.spend.savings.failures import TERMS, Bill, WasteKind, bills_invalid, kind_of
from workbench.spend.savings.sums import Groups, by_value

if TYPE_CHECKING:
    import pandas as pd

    from workbench.spend.reading.reader import Reading

__all__ = ["INVISIBLE", "Waste", "waste"]

INVISIBLE: Final = (
    "retries inside clients and their libraries, which look like requests of their own",
    "answers that the application threw away, or asked for again because they were of no use",
    "answers that nobody waited for: a stream that the reader left",
    "prompts longer than they need to be",
)
"""What no metric of a gateway, client or server shows."""

_EXTRAS: Final = {
    "retried": WasteKind.RETRIED,
    "cut_by_length": WasteKind.CUT,
    "preempted": WasteKind.PREEMPTED,
}

_SOME: Final = 0.5
"""Less than half a request is rounding."""


@dataclass(frozen=True, slots=True, eq=False)
class Waste:
    """What was paid for nothing in a period, or may have been.

    Parameters
    ----------
    first, last
        The period, both days included.
    table
        One row for each kind, account and currency, the dearest first: ``kind``, ``provider``,
        ``model``, ``team``, ``application``, ``currency`` ("" where it is not known what such requests cost),
        ``requests``, ``low`` and ``high`` (money, float; NaN without a price), ``bill``, and
        ``shared``: known by fewer labels, and given to accounts in proportion to their requests.
    spend
        Of everything with a price, by currency.
    invisible
        What these metrics cannot show.
    """

    first: date
    last: date
    table: pd.DataFrame
    spend: Mapping[str, Decimal]
    invisible: tuple[str, ...] = INVISIBLE

    def by(self, *dimensions: str) -> pd.DataFrame:
        """Add up by kind, or by any columns of the table.

        Parameters
        ----------
        dimensions
            ``kind``, ``provider``, ``model``, ``team``, ``application``; ``kind`` by default.

        Returns
        -------
        DataFrame
            The dimensions, ``currency``, ``bill``, ``requests``, ``low`` and ``high`` (NaN where
            nothing has a price), ``shared``; the dearest first. Kinds may overlap: an attempt that
            was sent again may be among the failed ones too.
        """
        groups = Groups(self.table[[*(dimensions or ("kind",)), "currency", "bill"]])
        sums = {n: groups.add(self.table[n].to_numpy(np.float64)) for n in ("requests", "low")}
        high = groups.add(self.table["high"].to_numpy(np.float64))
        some = (groups.names["currency"] != "").to_numpy(bool)
        result = groups.names.assign(
            requests=sums["requests"],
            low=np.where(some, sums["low"], np.nan),
            high=np.where(some, high, np.nan),
            shared=groups.add(self.table["shared"].to_numpy(np.float64)) > 0,
        )
        order = np.lexsort((-result["requests"], -np.nan_to_num(result["high"])))
        return result.iloc[order].reset_index(drop=True)

    def total(self) -> dict[str, tuple[float, float]]:
        """Least and most of all kinds, by currency."""
        sums = self.by("kind")
        priced = sums[sums["currency"] != ""]
        both = priced.groupby("currency", sort=True)[["low", "high"]].sum()
        return {str(c): (float(r["low"]), float(r["high"])) for c, r in both.iterrows()}

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: money as text, nothing as null."""
        return {
            "from": self.first.isoformat(),
            "to": self.last.isoformat(),
            "waste": [
                {
                    "kind": row["kind"],
                    "currency": row["currency"],
                    "requests": round(row["requests"], 3),
                    "at_least": _text(row["low"]),
                    "at_most": _text(row["high"]),
                    "bill": row["bill"],
                    "assumption": TERMS[WasteKind(row["kind"])].assumption,
                }
                for row in self.by("kind").to_dict("records")
            ],
            "invisible": list(self.invisible),
        }


def waste(priced: Priced, reading: Reading, *, first: date, last: date) -> Waste:
    """Bound what was paid for requests that served nobody.

    The least is nothing for each kind, since no metric says what was billed. The most is the cost
    of a mean request of the dearest day for work that may have been done and billed, and nothing
    for what was refused before any work.

    Parameters
    ----------
    priced
        The period's usage with its prices.
    reading
        All usage that was read: errors by kind, and what was cut, sent again or preempted.
    first, last
        The period, both days included.
    """
    import pandas as pd

    extras = within(reading.extras, first, last)
    twins = duplicated(reading)
    failed = _failed(priced.usage, within(reading.kinds, first, last), twins)
    told = [_by_owner(extras, name).assign(kind=kind.value) for name, kind in _EXTRAS.items()]
    events = pd.concat([p for p in (failed, *told) if len(p)] or [failed], ignore_index=True)
    found = share_out(events, request_costs(priced, extras), twins)
    spend = {c: a for c, a in priced.total().items() if c}
    own = {(u.provider, u.model) for u in priced.unpriced if u.reason is Reason.SELF_HOSTED}
    return Waste(first, last, _table(found, reading.self_hosted, own), spend)


def _failed(
    usage: pd.DataFrame, kinds: pd.DataFrame, twins: frozenset[tuple[str, str]]
) -> pd.DataFrame:
    """Failed requests by kind and owner: what is told by kind, the rest, and those refused."""
    import pandas as pd

    told = Groups(kinds[[*OWNER, "kind"]])
    names = told.names.astype(str)
    count = told.add(kinds["errors"].to_numpy(np.float64))
    pairs = zip(names["profile"], by_value(names["model"], model_key), strict=True)
    kept = set(usage["profile"].astype(str).unique())
    whole = {p for p, _ in twins} - kept  # of such a profile even errors of no model are known
    once = np.array([(p, m) not in twins and (m or p not in whole) for p, m in pairs], bool)
    each = names.assign(kind=by_value(names["kind"], lambda k: kind_of(k).value), count=count)[once]
    errors = _by_owner(usage, "errors")
    rest = Groups(pd.concat([errors[list(OWNER)], each[list(OWNER)]], ignore_index=True))
    left = rest.add(np.concatenate([errors["count"].to_numpy(), -each["count"].to_numpy()]))
    unknown = rest.names.astype(object).assign(kind=WasteKind.UNKNOWN.value, count=left)
    limited = _by_owner(usage, "rate_limited").assign(kind=WasteKind.RATE_LIMITED.value)
    # The counter of refused requests knows more labels than errors do: it tells them alone.
    told_twice = (each["kind"] == WasteKind.RATE_LIMITED.value) & each["profile"].isin(
        limited["profile"].unique()
    )
    found = pd.concat([each[~told_twice], unknown, limited], ignore_index=True)
    found = found[found["count"] > _SOME]
    sums = Groups(found[[*OWNER, "kind"]])
    return sums.names.astype(object).assign(count=sums.add(found["count"].to_numpy(np.float64)))


def _by_owner(table: pd.DataFrame, column: str) -> pd.DataFrame:
    """Counts that are above 0, by owner."""
    some = table[(table[column] > 0).to_numpy(bool)]
    groups = Groups(some[list(OWNER)])
    names = groups.names.astype(str)
    return names.assign(count=groups.add(some[column].to_numpy(np.float64)))


def _table(found: pd.DataFrame, servers: frozenset[str], own: set[tuple[str, str]]) -> pd.DataFrame:
    """Give each event its range of money."""
    kind = found["kind"]
    azure = by_value(found["provider"], bills_invalid).to_numpy(bool)
    costs = by_value(kind, lambda k: TERMS[WasteKind(k)].at_most).to_numpy(bool)
    costs |= (kind == WasteKind.INVALID.value).to_numpy(bool) & azure
    pairs = zip(found["provider"], found["model"], strict=True)
    machines = found["profile"].isin(servers) | np.array([p in own for p in pairs], bool)
    sold = (found["currency"] != "").to_numpy(bool)
    each = found["high"].to_numpy(np.float64)
    priced = sold & (np.isfinite(each) | ~costs)
    why = np.where(machines, Bill.MACHINES.value, Bill.UNPRICED.value)
    why = np.where(sold, Bill.UNCOUNTED.value, why)
    table = found[["kind", *ACCOUNT]].assign(
        currency=np.where(priced, found["currency"].astype(object), ""),
        requests=found["count"],
        low=np.where(priced, 0.0, np.nan),
        high=np.where(priced, np.where(costs, each * found["count"].to_numpy(), 0.0), np.nan),
        bill=np.where(~priced & costs, why, by_value(kind, _bill)),
        shared=found["shared"].to_numpy(bool),
    )
    order = np.lexsort((-table["requests"], -np.nan_to_num(table["high"])))
    return table.iloc[order].reset_index(drop=True)


def _bill(kind: str) -> str:
    return TERMS[WasteKind(kind)].bill.value


def _text(money: float) -> str | None:
    return str(cents(Decimal(repr(money)))) if np.isfinite(money) else None
