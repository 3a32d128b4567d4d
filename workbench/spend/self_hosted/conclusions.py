"""What self-hosted models give occasion to say, as findings."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Final

from workbench.findings import Finding, Severity
from workbench.spend.prices import cents
from workbench.spend.self_hosted.cost import ModelCost
from workbench.spend.self_hosted.offers import BreakEven
from workbench.spend.self_hosted.result import MachineHours, SelfHosted
from workbench.units import format_quantity

__all__ = ["conclude_self_hosted"]

_CODE: Final = "LLM-SELF-HOSTED"

_MOSTLY: Final = 0.6
"""From this share of the paid time on, idling is worth a warning where an API is cheaper."""

_MANIFOLD: Final = 2
"""So many times the dearest seller's price is worth a warning, however busy the machines."""


def conclude_self_hosted(found: SelfHosted) -> Iterator[Finding]:
    """Say of each model whether its machines pay, and of machines that work for nobody.

    Parameters
    ----------
    found
        Of `self_hosted`.
    """
    costs = {(m.model, m.job, m.currency): m for m in found.models}
    for each in found.break_even:
        if each.verdict:
            yield _beside(each, costs[each.model, each.job, each.currency])
    yield from (_unused(m) for m in found.machines if not m.serves and m.amount)


def _beside(each: BreakEven, cost: ModelCost) -> Finding:
    idle = (
        f"; {cost.idle * 100:.0f} % of the paid time nothing ran" if cost.idle is not None else ""
    )
    low, high = min(o.month for o in each.offers), max(o.month_high for o in each.offers)
    what = (
        f"{each.name} costs {_money(each.month, each.currency)} a month on its own machines; the same "
        f"tokens cost {_range(low, high, each.currency)} at {_sellers(each)}{idle}"
    )
    evidence = {
        "month": float(cents(each.month)),
        "api_month_low": float(cents(low)),
        "api_month_high": float(cents(high)),
        "tokens_a_day": round(each.volume),
        "break_even_tokens_a_day": [round(v) for v in each.volumes or ()],
        "most_tokens_a_day_seen": None if each.capacity is None else round(each.capacity),
        "kv_cache_peak": cost.cache_peak,
        "idle": cost.idle,
    }
    severity, step = _advice(each, cost)
    return Finding(_CODE, severity, each.name, f"{what}; {_turn(each)}", step, evidence)


def _sellers(each: BreakEven) -> str:
    """One by name; of several the cheapest and the dearest."""
    first, last = each.offers[0].provider, each.offers[-1].provider
    if len(each.offers) == 1:
        return first
    return f"{len(each.offers)} sellers ({first} to {last})"


def _turn(each: BreakEven) -> str:
    """From which volume the machines pay, and whether they were seen to do as much."""
    if each.volumes is None:
        return ""
    least, most = (format_quantity(v) for v in each.volumes)
    span = least if least == most else f"{least} to {most}"
    text = f"of {span} tokens a day on they would be cheaper, and {format_quantity(each.volume)} were served"
    if each.reachable is False and each.capacity is not None:
        most_seen = format_quantity(each.capacity)
        text += (
            f"; nobody has seen them serve more than {most_seen}, their best five minutes all day"
        )
    return f"from a volume {text}"


def _advice(each: BreakEven, cost: ModelCost) -> tuple[Severity, str]:
    if each.verdict == "own":
        return Severity.INFO, "nothing: the machines are cheaper than every seller"
    if each.verdict == "open":
        return Severity.INFO, "compare with the seller that would be taken: they differ"
    idle = cost.idle is not None and cost.idle > _MOSTLY
    dear = each.month >= _MANIFOLD * max(o.month_high for o in each.offers)
    severity = Severity.WARNING if idle or dear or cost.idle is None else Severity.INFO
    step = "buy these tokens, or let fewer or smaller machines serve them"
    if idle:
        step += ", or give the idle hours other work, or stop paying for them"
    return severity, f"{step}, unless the data has to stay"


def _unused(machine: MachineHours) -> Finding:
    what = (
        f"{machine.name} costs {_money(machine.amount, machine.currency)} in this period and serves "
        "no model that is counted"
    )
    step = "check profile, model and job of its serves, or stop paying for it"
    evidence = {"amount": float(cents(machine.amount)), "hours": round(machine.hours, 2)}
    return Finding(_CODE, Severity.WARNING, f"machine {machine.name}", what, step, evidence)


def _range(low: Decimal, high: Decimal, currency: str) -> str:
    if cents(low) == cents(high):
        return _money(low, currency)
    return f"{cents(low):,} to {_money(high, currency)}"


def _money(amount: Decimal, currency: str) -> str:
    return f"{cents(amount):,} {currency}"
