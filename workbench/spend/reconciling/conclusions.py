"""What a reconciliation finds, as findings: traffic past the gateway first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from decimal import Decimal
from typing import Final

from workbench.findings import Finding, Severity
from workbench.spend.prices import cents
from workbench.spend.reconciling.gaps import Gap, GapKind, Reconciliation
from workbench.units import counted

__all__ = ["MENDS", "conclude_reconciliation"]

_WARNED: Final = 0.05
"""Share of the bill from which on a gap is a warning."""
_BYPASS: Final = 0.01
"""The same of traffic past the gateway: it is in no budget and in no limit."""
_TOLD: Final = 0.001
_MOST: Final = 20

MENDS: Final = {
    GapKind.BYPASS: "find who calls this provider directly: keys that are not the gateway's, in the provider's console",
    GapKind.MISSED: "scrape more often, or read the gateway's usage log, which loses nothing",
    GapKind.UNBILLED: "look for another account or invoice that pays for it, or for usage that is free",
    GapKind.PRICE: "compare the contract with the invoice, and write its price into a price book",
    GapKind.REGION: "let the gateway tell the region, or write the region's price into a price book",
    GapKind.CACHE: "check whether the gateway's input contains cached tokens: includes_cached",
    GapKind.TIME_ZONE: "nothing for the sum; give timezone= of the invoice to compare single days",
    GapKind.DELAY: "export the invoice again when the last days are billed",
    GapKind.UNPRICED: "write the price into a price book, and give it by prices=",
    GapKind.UNKNOWN_MODEL: "map the name in the invoice mapping: values.model",
    GapKind.UNMEASURED: "give a longer history, or look at why nothing was scraped",
    GapKind.TAX: "nothing: taxes are in no price",
    GapKind.CREDIT: "nothing: credits are in no price",
    GapKind.OTHER: "look at what is charged besides tokens: tools, storage, seats",
    GapKind.BAR: "read a source that tells what is in doubt: study.doubts names it",
    GapKind.TOLERANCE: "nothing",
}
"""What to do about each kind of gap."""

_INFORMED: Final = frozenset(
    {GapKind.TIME_ZONE, GapKind.DELAY, GapKind.TAX, GapKind.CREDIT, GapKind.OTHER, GapKind.BAR}
)
"""What explains a difference and calls for nothing."""


def conclude_reconciliation(
    parts: Sequence[Reconciliation], missing: Sequence[date], advice: str
) -> Iterator[Finding]:
    """Give the findings of a reconciliation.

    Parameters
    ----------
    parts
        One for each currency.
    missing
        Days of the invoice of which the history knows too little.
    advice
        How to have them.
    """
    if missing:
        shown = ", ".join([*map(str, missing[:3]), *["…"] * (len(missing) > 3)])
        what = (
            f"{counted(len(missing), 'day')} of the invoice ({shown}) are not in the history, or not"
            " enough of them: what was billed then cannot be compared"
        )
        yield Finding("LLM-INVOICE-DAYS", Severity.WARNING, "the invoice", what, advice,
                      {"days": len(missing)})  # fmt: skip
    for part in parts:
        yield from _gaps(part)
        yield _summary(part)


def _gaps(part: Reconciliation) -> Iterator[Finding]:
    groups: dict[tuple[GapKind, str, str], list[Gap]] = {}
    for gap in part.gaps:
        if gap.kind is not GapKind.TOLERANCE:
            groups.setdefault((gap.kind, gap.provider, gap.model), []).append(gap)
    billed = abs(part.billed) or Decimal(1)
    shares = {key: float(sum(g.gross for g in gaps) / billed) for key, gaps in groups.items()}
    order = sorted(groups, key=lambda key: (key[0] is not GapKind.BYPASS, -shares[key]))
    for key in [key for key in order if shares[key] >= _TOLD][:_MOST]:
        yield _gap(part, key, groups[key], shares[key])


def _gap(
    part: Reconciliation, key: tuple[GapKind, str, str], gaps: Sequence[Gap], share: float
) -> Finding:
    kind, provider, model = key
    amount = sum((gap.amount for gap in gaps), Decimal(0))
    gross = sum((gap.gross for gap in gaps), Decimal(0))
    about = "/".join(name for name in (provider, model) if name) or "the invoice"
    least = _BYPASS if kind is GapKind.BYPASS else _WARNED
    severe = share >= least and kind not in _INFORMED
    why = "; ".join(dict.fromkeys(gap.evidence for gap in gaps if gap.evidence))
    days = [gap.first for gap in gaps if gap.first] + [gap.last for gap in gaps if gap.last]
    when = f", {' to '.join(dict.fromkeys(str(f(days)) for f in (min, max)))}" if days else ""
    cancels = abs(amount) < gross / 2
    moved = f" ({cents(gross):,} moved between days or classes)" if cancels else ""
    what = (
        f"{about}, {kind.value}: {_signed(amount)} {part.currency}{moved}, {share * 100:.1f} % of the"
        f" bill{when}: {why}"
    )
    return Finding(
        "LLM-INVOICE-GAP",
        Severity.WARNING if severe else Severity.INFO,
        f"{kind.value} {about} in {part.currency}",
        what,
        MENDS[kind],
        {
            "kind": kind.value, "amount": float(cents(amount)), "gross": float(cents(gross)),
            "share_of_bill": round(share, 4), "tokens": round(sum(gap.tokens for gap in gaps)),
            "within_our_error_bar": all(gap.within_bar for gap in gaps),
        },
    )  # fmt: skip


def _summary(part: Reconciliation) -> Finding:
    rest = part.of(GapKind.TOLERANCE)
    what = (
        f"{cents(part.billed):,} {part.currency} were billed for {part.first} to {part.last} and"
        f" {cents(part.ours):,} seen: {_signed(part.difference - rest)} of the difference of"
        f" {_signed(part.difference)} has a cause, {_signed(rest)} remains"
    )
    evidence = {
        name: float(cents(getattr(part, name))) for name in ("billed", "ours", "low", "high")
    }
    return Finding(
        "LLM-INVOICE-RECONCILED", Severity.INFO, f"the invoice in {part.currency}", what,
        "look at the gaps, greatest first", {**evidence, "remains": float(cents(rest))},
    )  # fmt: skip


def _signed(money: Decimal) -> str:
    shown = cents(money)
    return f"{shown:+,}".replace("-", "−") if shown else "0.00"
