"""What is to be said of caches and of waste, as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.findings import Finding, Severity
from workbench.spend.savings.best_days import ACCOUNT
from workbench.spend.savings.caching import CacheSavings
from workbench.spend.savings.sums import Groups
from workbench.spend.savings.waste import Waste

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["conclude_savings"]

_NAMED: Final = 10
"""So many applications are findings of their own, those with the most money."""

_MISSED: Final = 0.05
_MUCH: Final = 0.20
"""Shares of an application's spend that the cache could have saved."""

_SMALL: Final = 0.001
"""Below this share of all spend in a currency nothing is said."""

_WASTED: Final = 0.02
_MUCH_WASTED: Final = 0.10
"""Shares of all spend that may have been wasted."""

_KINDS: Final = 3


def conclude_savings(savings: CacheSavings, waste: Waste) -> Iterator[Finding]:
    """Give what was missed or lost by caching, and what was wasted.

    Parameters
    ----------
    savings, waste
        Of the same period.
    """
    accounts = _by_account(savings)
    floor = accounts["currency"].map(lambda c: _SMALL * float(savings.spend.get(c, 0)))
    missed = accounts[
        (accounts["missed"] >= _MISSED * accounts["spend"])
        & (accounts["missed"] > 0)
        & (accounts["missed"] >= floor)
    ].sort_values("missed", ascending=False)
    yield from (_missed(row) for row in missed.head(_NAMED).to_dict("records"))
    losing = accounts[(accounts["net_high"] < 0) & (-accounts["net_high"] >= floor)]
    losing = losing.sort_values("net_high")
    yield from (_losing(row) for row in losing.head(_NAMED).to_dict("records"))
    for currency, (low, high) in waste.total().items():
        total = float(waste.spend.get(currency, 0))
        if high > 0 and high >= _WASTED * total:
            yield _wasted(waste, currency, low, high, total)


def _by_account(savings: CacheSavings) -> pd.DataFrame:
    """Prompt versions together."""
    table = savings.table
    groups = Groups(table[[*ACCOUNT, "currency"]])
    names = ("input", "read", "spend", "net_low", "net_high", "missed", "missed_high", "ten_points")
    sums = {name: groups.add(table[name].to_numpy(np.float64)) for name in names}
    # A sum of what is claimed holds for the input that it is claimed of.
    best = np.where(table["missed"].notna(), table["best"].to_numpy(np.float64), 0.0)
    of_best = np.zeros(len(groups))
    np.maximum.at(of_best, groups.number, np.nan_to_num(best))
    return groups.names.assign(**sums, best=of_best)


def _missed(row: dict[Any, Any]) -> Finding:
    name, currency = _name(row), row["currency"]
    share = row["missed"] / row["spend"] if row["spend"] else 1.0
    now = row["read"] / row["input"]
    what = (
        f"{name} read {now:.0%} of its input from the provider's cache, on its best days"
        f" {row['best']:.0%}: up to {row['missed']:,.2f} {currency} could have been saved,"
        f" {share:.0%} of what it cost"
    )
    return Finding(
        "LLM-CACHE",
        Severity.WARNING if share >= _MUCH else Severity.INFO,
        f"{name} missed",
        what,
        "look at what changed in front of the prompt: what is the same in all requests belongs "
        "first, what changes (dates, names, results of searches) last",
        {
            "missed_at_least": 0.0,
            "missed_at_most": round(row["missed"], 2),
            "missed_at_most_dearest_prices": round(row["missed_high"], 2),
            "cached_share": round(now, 4),
            "best_days_share": round(row["best"], 4),
            "each_ten_points": round(row["ten_points"], 2),
            "spend": round(row["spend"], 2),
            "currency": currency,
        },
    )


def _losing(row: dict[Any, Any]) -> Finding:
    name, currency = _name(row), row["currency"]
    what = (
        f"writing {name}'s prompts to the provider's cache cost more than reading them saved:"
        f" {-row['net_high']:,.2f} to {-row['net_low']:,.2f} {currency} in all"
    )
    return Finding(
        "LLM-CACHE",
        Severity.WARNING,
        f"{name} at a loss",
        what,
        "cache only what is read again before it expires: a prefix is paid back by its second "
        "reading at the latest",
        {
            "loss_at_least": round(-row["net_high"], 2),
            "loss_at_most": round(-row["net_low"], 2),
            "spend": round(row["spend"], 2),
            "currency": currency,
        },
    )


def _wasted(waste: Waste, currency: str, low: float, high: float, total: float) -> Finding:
    kinds = waste.by("kind")
    kinds = kinds[(kinds["currency"] == currency) & (kinds["high"] > 0)]
    named = "; ".join(
        f"{row['kind']}: {row['requests']:,.0f} requests, up to {row['high']:,.2f}"
        for row in kinds.head(_KINDS).to_dict("records")
    )
    share = high / total if total else 1.0
    serious = share >= _MUCH_WASTED or low >= _WASTED * total > 0
    what = (
        f"between {low:,.2f} and {high:,.2f} {currency}, up to {share:.1%} of spend, went to"
        f" requests that served nobody ({named})"
    )
    return Finding(
        "LLM-WASTE",
        Severity.WARNING if serious else Severity.INFO,
        f"waste in {currency}",
        what,
        "begin with the dearest kind: longer timeouts than answers take, streams that are "
        "cancelled at the provider too, and limits of output that fit the answers",
        {
            "at_least": round(low, 2),
            "at_most": round(high, 2),
            "spend": round(total, 2),
            "currency": currency,
        },
    )


def _name(row: dict[Any, Any]) -> str:
    who = "/".join(str(row[n]) for n in ("team", "application") if row[n]) or "what nobody is named"
    return f"{who} on {'/'.join(str(row[n]) for n in ('provider', 'model') if row[n])}"
