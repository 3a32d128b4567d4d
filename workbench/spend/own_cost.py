"""The gateway's own cost beside ours: how far apart, whether our bounds hold it, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.findings import Finding, Severity
from workbench.spend.prices import Cause, Explanation, Priced, cents, exact_or_none

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["OwnCost", "conclude_own_cost", "own_costs"]

_SHARE: Final = Decimal("0.02")
_LEAST: Final = Decimal(1)
_MOST: Final = 10
"""So many findings; all rows stand in the table."""

_STEP: Final[Mapping[str, str]] = {
    Explanation.NO_PRICE: "give the gateway a price for this model: it reports its use as free",
    Explanation.CACHED_FULL: "update the gateway's price data: it bills cached tokens as plain input",
    Explanation.CACHED_FREE: "update the gateway's price data: it leaves cached tokens out",
    Explanation.TIER: "see whether requests are longer than where the tier begins: the lengths of "
    "requests decide which of the two is right",
    Explanation.MISSING: "scrape more often, or keep counters over restarts",
    Explanation.REGION: "write the region's prices into a price book",
    Explanation.PRICE: "hold both against an invoice; a price book then settles it here",
    Explanation.UNPRICED: "price the models that have none here",
    Explanation.CURRENCY: "say the gateway's currency in its profile, or give an exchange rate",
}


@dataclass(frozen=True, slots=True)
class OwnCost:
    """A model's cost as a gateway tells it, and as it is priced here.

    Parameters
    ----------
    profile, provider, model
        Whose.
    currency
        Of our figures, and of the gateway's where it is not another.
    own
        The gateway's figure.
    ours, low, high
        Ours for the same rows with its bounds, which the gateway's figure has no part in; None where
        it has no price here.
    difference
        Own less ours; None where there is nothing to compare.
    explanations
        Why they differ, with how much of the difference each explains; the greatest first.
    days
        Account-days that were compared.
    """

    profile: str
    provider: str
    model: str
    currency: str
    own: Decimal
    ours: Decimal | None
    low: Decimal | None
    high: Decimal | None
    difference: Decimal | None
    explanations: tuple[tuple[str, Decimal], ...]
    days: int

    @property
    def share(self) -> float | None:
        """The difference as a share of ours; None where there is none."""
        if self.difference is None or not self.ours:
            return None
        return float(self.difference / self.ours)

    @property
    def within(self) -> bool:
        """Whether our bounds hold the gateway's figure; false where it is in another currency."""
        return (
            self.difference is not None
            and self.low is not None
            and self.high is not None
            and self.low <= self.own <= self.high
        )

    @property
    def differs(self) -> bool:
        """Whether it is a finding: more than 2 % and more than one unit of money."""
        if self.difference is None or self.ours is None:
            return False
        return abs(self.difference) > max(_SHARE * abs(self.ours), _LEAST)

    def to_dict(self) -> dict[str, Any]:
        """The JSON form: money as text."""
        money = ("own", "ours", "low", "high", "difference")
        return {
            **{n: getattr(self, n) for n in ("profile", "provider", "model", "currency", "days")},
            **{n: None if (m := getattr(self, n)) is None else str(cents(m)) for n in money},
            "share": self.share,
            "within_bounds": self.within,
            "explanations": {why: str(cents(money)) for why, money in self.explanations},
        }


def own_costs(
    priced: Priced, *, first: date | None = None, last: date | None = None
) -> tuple[OwnCost, ...]:
    """Lay the gateways' own cost beside ours, by profile, provider and model.

    Parameters
    ----------
    priced
        With the sources' own cost.
    first, last
        The days that count, both included; all by default.

    Returns
    -------
    tuple of OwnCost
        Only what a source has a cost of its own for, the greatest difference first. Ours is that of
        the same rows. What the source has in another currency is not subtracted.
    """
    days = priced.usage["day"].to_numpy("datetime64[D]")
    told = priced.rows["own"].notna().to_numpy(bool)
    if first is not None:
        told = told & (days >= np.datetime64(first))
    if last is not None:
        told = told & (days <= np.datetime64(last))
    rows, usage = _without_own(priced).loc[told], priced.usage[told]
    keys = usage[["profile", "provider", "model"]].astype(str)
    keys["currency"] = rows["currency"].astype(str)
    keys["foreign"] = (rows["explanation"] == Explanation.CURRENCY).astype(str)
    number = keys.groupby(list(keys.columns), sort=False).ngroup().to_numpy()
    order = np.argsort(number, kind="stable")
    ends = np.searchsorted(number[order], np.arange(number.max(initial=-1) + 2))
    made = [_beside(tuple(keys.iloc[order[a]]), rows.iloc[order[a:b]]) for a, b in pairwise(ends)]
    return tuple(sorted(made, key=lambda o: -abs(o.difference or Decimal(0))))


def _without_own(priced: Priced) -> pd.DataFrame:
    """The rows, with bounds that the source's own figure has not stretched: they are to judge it."""
    down, up = priced.spreads.get(Cause.SOURCE, (0, 0))
    rows = priced.rows
    return rows.assign(low=rows["low"] + down, high=rows["high"] - up)


def _beside(key: tuple[str, ...], rows: pd.DataFrame) -> OwnCost:
    why = rows["explanation"].astype(str)
    differing = why[~why.isin([Explanation.NONE, Explanation.AGREES])]
    explained = {
        name: exact_or_none(rows.loc[(why == name).to_numpy(), "difference"]) or Decimal(0)
        for name in differing.unique()
    }
    return OwnCost(
        profile=key[0],
        provider=key[1],
        model=key[2],
        currency=key[3],
        own=exact_or_none(rows["own"]) or Decimal(0),
        ours=exact_or_none(rows["amount"]),
        low=exact_or_none(rows["low"]),
        high=exact_or_none(rows["high"]),
        difference=exact_or_none(rows["difference"]),
        explanations=tuple(sorted(explained.items(), key=lambda e: -abs(e[1]))),
        days=len(rows),
    )


def conclude_own_cost(priced: Priced) -> Iterator[Finding]:
    """Tell where a gateway's own cost differs from ours by more than 2 % and one unit of money.

    Parameters
    ----------
    priced
        With the sources' own cost.
    """
    found = [each for each in own_costs(priced) if each.differs]
    for each in found[:_MOST]:
        yield _differing(each)


def _differing(each: OwnCost) -> Finding:
    difference = each.difference or Decimal(0)
    why = each.explanations[0][0] if each.explanations else Explanation.UNEXPLAINED.value
    share = f" ({abs(each.share) * 100:.0f} %)" if each.share is not None else ""
    bounds = "" if not each.within else "; it lies within our bounds"
    ours = each.ours or Decimal(0)
    return Finding(
        "LLM-OWN-COST",
        Severity.INFO if each.within else Severity.WARNING,
        f"{each.profile}: {each.provider}/{each.model}",
        f"{each.profile} says that {each.model} cost {cents(each.own):,} {each.currency}, and by "
        f"its tokens it cost {cents(ours):,}: {cents(abs(difference)):,}{share} "
        f"{'more' if difference > 0 else 'less'}. Why: {why}{bounds}",
        _STEP.get(why, "hold both against an invoice, day by day"),
        {
            "own": str(cents(each.own)),
            "ours": str(cents(ours)),
            "currency": each.currency,
            "explained": {w: str(cents(m)) for w, m in each.explanations},
        },
    )
