"""A past period at other prices, and the gateways' own cost beside ours, as tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final

from workbench.spend.own_cost import OwnCost
from workbench.spend.restating import PriceChange, Restated, Restatement
from workbench.units import counted
from workbench.views.axis import plain_text
from workbench.views.listing import Listing
from workbench.views.spend_text import NONE, money_text, signed_share, signed_text

__all__ = ["own_cost_listing", "price_changes_listing", "restated_listing"]

_NAMED: Final = 8
_REQUEST: Final = "request"


def restated_listing(result: Restatement) -> Listing:
    """The same tokens at the prices then and at another day's, the greatest difference first.

    Parameters
    ----------
    result
        Of `workbench.spend.restating.restate`.
    """
    then = f"prices of {result.then}" if result.then else "prices then"
    headings = (
        "provider", "model", "tokens", then, f"prices of {result.now}", "difference", "share",
    )  # fmt: skip
    rows: list[list[object]] = [
        [
            "all", NONE, NONE, money_text(held["then"], c), money_text(held["now"], c),
            signed_text(held["difference"], c), _change_of(held["then"], held["difference"]),
        ]
        for c, held in result.totals.items()
    ]  # fmt: skip
    differing = [r for r in result.rows if r.difference]
    rows += [_restated(r) for r in differing]
    return Listing(
        headings,
        rows,
        empty="Nothing of this period has a price on both sides.",
        note=" ".join([*_caveats(result), *_same(len(result.rows) - len(differing))]),
    )


def _restated(row: Restated) -> list[object]:
    return [
        plain_text(row.provider) or NONE,
        plain_text(row.model),
        row.token_class.replace("_", " "),
        money_text(row.then, row.currency),
        money_text(row.now, row.currency),
        signed_text(row.difference, row.currency),
        _change_of(row.then, row.difference),
    ]


def _same(count: int) -> list[str]:
    return [f"{counted(count, 'row')} without a difference are left out."] if count else []


def _caveats(result: Restatement) -> list[str]:
    """What a reader must know of both sides."""
    period = f"{result.first} to {result.last}"
    said = [f"{period}: the tokens are the same on both sides; prices: {result.version}."]
    if result.undated:
        names = ", ".join(plain_text(m) for _, m in result.undated[:_NAMED])
        more = len(result.undated) - _NAMED
        rest = f" and {counted(more, 'other')}" if more > 0 else ""
        said.append(f"No earlier price is known of {names}{rest}: both sides are the same.")
    for provider, model, one, other in result.foreign[:_NAMED]:
        name = plain_text(f"{provider}/{model}")
        said.append(f"{name} has {one} then and {other} now, and is in no sum.")
    for word, unpriced in (("then", result.unpriced_then), ("now", result.unpriced_now)):
        if unpriced:
            names = ", ".join(dict.fromkeys(plain_text(u.model) for u in unpriced[:_NAMED]))
            said.append(f"Without a price {word}, and in no sum: {names}.")
    return said


def price_changes_listing(result: Restatement) -> Listing:
    """Which prices changed between both days, in time's order."""
    return Listing(
        ("provider", "model", "price of", "before", "after", "from", "source"),
        [_change(c) for c in result.changes],
        empty="No price that is known to have changed lies between both days.",
    )


def _change(each: PriceChange) -> list[object]:
    above = f" above {each.tier_start:,} tokens" if each.tier_start else ""
    context = " ".join(filter(None, [each.region, each.tier]))
    by_request = each.token_class == _REQUEST
    kind = "a request" if by_request else each.token_class.replace("_", " ")
    unit = "" if by_request else " a million"
    return [
        plain_text(each.provider) or NONE,
        plain_text(f"{each.model} ({context})" if context else each.model),
        f"{kind}{above}",
        f"{each.before.normalize():f} {each.currency_before}{unit}" if each.before is not None else "none",
        f"{each.after.normalize():f} {each.currency}{unit}" if each.after is not None else "none",
        str(each.since),
        plain_text(each.source),
    ]  # fmt: skip


def own_cost_listing(costs: Sequence[OwnCost]) -> Listing:
    """The gateways' own cost beside ours, the greatest difference first.

    Parameters
    ----------
    costs
        Of `workbench.spend.own_cost.own_costs`.
    """
    return Listing(
        (
            "who tells", "model", "own cost", "ours", "at least – at most", "difference", "share",
            "why",
        ),
        [_own(c) for c in costs],
        empty="No source has a cost of its own.",
        note="Own cost is what the source counts itself; ours is that of the same tokens at the "
        "prices here. The bounds have no part of the source's figure."
        if costs
        else "",
    )  # fmt: skip


def _own(each: OwnCost) -> list[object]:
    money = each.currency
    foreign = each.difference is None and each.ours is not None
    own_money = "" if foreign else money
    why = "; ".join(
        name if len(each.explanations) == 1 else f"{name}: {signed_text(part, money)}"
        for name, part in each.explanations
    )
    if each.ours is None:
        why = "no price here"
    elif not each.explanations:
        why = "both agree"
    return [
        plain_text(each.profile),
        plain_text(f"{each.provider}/{each.model}".strip("/")) or NONE,
        money_text(each.own, own_money),
        money_text(each.ours, money),
        f"{money_text(each.low)} – {money_text(each.high)}" if each.low is not None else NONE,
        signed_text(each.difference, money),
        signed_share(each.share),
        why,
    ]


def _change_of(of: Decimal | None, difference: Decimal | None) -> str:
    return signed_share(None if not of or difference is None else float(difference / of))
