"""What a spend analysis finds, as findings: one function a code."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any, Final

from workbench.findings import Finding, Severity
from workbench.spend.budgeting.budgets import Budget
from workbench.spend.changes.effects import Effects
from workbench.spend.prices import Priced, Unpriced, cents
from workbench.spend.prices.quoting import Reason
from workbench.spend.reading.flaws import Flaw
from workbench.spend.result import Standing
from workbench.units import counted, format_chance, format_quantity

__all__ = ["conclude"]

_NAMED: Final = 10
"""So many models without a price are findings of their own."""

_CHANGE: Final = 0.2
"""A change of spend is a finding from this share on."""

_LEAST_CHANGE: Final = 0.01
"""In units of its currency: less is not seen in money to the cent."""

_LIKELY: Final = 0.5
_POSSIBLE: Final = 0.1


def conclude(
    flaws: Iterable[Flaw],
    priced: Priced,
    changes: Mapping[str, Effects],
    standings: Iterable[Standing],
    last: date,
    *,
    machines: bool = False,
) -> tuple[Finding, ...]:
    """What is known of usage, prices, changes and budgets, the worst first.

    With `machines` their cost is told elsewhere, and self-hosted tokens lack nothing.
    """
    found = [Finding(f.code, f.severity, f.about, f.what, f.mend, f.evidence) for f in flaws]
    paid = {Reason.SELF_HOSTED} if machines else set()
    found += [_unpriced(u) for u in priced.unpriced[:_NAMED] if u.reason not in paid]
    found += [_changed(c, e) for c, e in changes.items() if _is_large(e)]
    for standing in standings:
        if standing.budget is not None:
            found.extend(_of_budget(standing, standing.budget, last))
    return tuple(sorted(found, key=lambda f: (-f.severity.rank, f.code, f.about)))


def _unpriced(each: Unpriced) -> Finding:
    name = f"{each.provider}/{each.model}".strip("/") or "an unnamed model"
    own = each.reason is Reason.SELF_HOSTED
    what = (
        f"{format_quantity(each.tokens)} tokens of {name} have no price and are in no sum: "
        f"{each.reason.value}"
    )
    near = f"; near names: {', '.join(each.near)}" if each.near else ""
    step = (
        "say what its machines cost, and its tokens have a price: machines=, such as 2.49 USD/h x2"
        if own
        else f"write its price into a price book, and give it by prices={near}"
    )
    evidence = {"tokens": each.tokens, "requests": each.requests}
    severity = Severity.INFO if own else Severity.WARNING
    return Finding("LLM-UNPRICED", severity, name, what, step, evidence)


def _is_large(found: Effects) -> bool:
    return abs(found.change) >= max(_CHANGE * found.before, _LEAST_CHANGE)


def _changed(currency: str, found: Effects) -> Finding:
    parts: dict[str, float] = {
        "price": found.price,
        "volume": found.volume,
        "mix of models": found.mix,
        "cache": found.cache,
        "new models": found.arrived,
        "models gone": found.gone,
    }
    ordered = sorted(parts.items(), key=lambda p: -abs(p[1]))
    texts = {name: f"{name} {_signed(value)}" for name, value in parts.items()}
    if found.requests is not None:
        length = found.volume - found.requests
        texts["volume"] += (
            f" (number of requests {_signed(found.requests)}, their length {_signed(length)})"
        )
    causes = ", ".join(texts[n] for n, v in ordered if abs(v) >= 0.005)
    share = f" ({found.change / found.before * 100:+.0f} %)" if found.before else ""
    what = (
        f"spend went from {found.before:,.2f} to {found.after:,.2f} {currency}{share} since the "
        f"period before: {causes}"
    ).replace("-", "−")
    step = "look at spend by team, application and prompt version for who it is"
    evidence = {name: round(value, 2) for name, value in parts.items()}
    return Finding("LLM-SPEND-CHANGED", Severity.INFO, f"spend in {currency}", what, step, evidence)


def _signed(value: float) -> str:
    """A difference to the cent; one that rounds to nothing has no sign."""
    return "0.00" if abs(value) < 0.005 else f"{value:+,.2f}"


def _of_budget(standing: Standing, budget: Budget, last: date) -> Iterator[Finding]:
    """At most one finding: broken, about to be, or past a threshold."""
    money = f"{budget.amount:,.2f} {budget.currency}"
    spent, share = cents(standing.spent), standing.spent / budget.amount
    chance, late = standing.chance, standing.known > standing.first
    evidence: dict[str, Any] = {"spent": float(spent), "amount": float(budget.amount)}
    if chance is not None:
        evidence["chance"] = round(chance, 3)
    note = f"; what was spent before {standing.known} is not known" if late else ""
    who = f"{budget.owner}: " if budget.owner else ""
    passed = [t for t in budget.thresholds if share >= Decimal(str(t))]
    if share >= 1:
        what = f"budget {budget.name} is broken: {spent:,} of {money} spent by {last}{note}"
        severity, step = Severity.ERROR, f"{who}lower the use, or raise the budget"
    elif chance is not None and chance >= _POSSIBLE and standing.outlook is not None:
        day = standing.outlook.breach(float(budget.amount), 0.5)
        when = f", on {last + timedelta(days=day)} at the median" if day else ""
        what = (
            f"budget {budget.name} is broken by {standing.last} with a chance of "
            f"{format_chance(chance)}{when}: {spent:,} of {money} spent by {last}{note}"
        )
        severity = Severity.WARNING if chance >= _LIKELY else Severity.INFO
        step = f"{who}look at what drives it, before it is broken"
    elif passed:
        what = f"budget {budget.name} has passed {passed[-1] * 100:.0f} %: {spent:,} of {money} spent by {last}{note}"
        severity, step = Severity.INFO, f"{who}nothing yet: it is not expected to be broken"
    else:
        return
    left = (standing.last - last).days
    evidence["days_left"] = left
    days = f" ({counted(left, 'day')} left)" if left else ""
    yield Finding(
        "LLM-BUDGET", severity, f"budget {budget.name}", f"{what}{days}",
        step, evidence, owner=budget.owner,
    )  # fmt: skip
