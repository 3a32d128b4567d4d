"""Anomalies of spend as findings: what it cost, whom to ask, and where to look."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from workbench.findings import Finding, Severity
from workbench.spend.changes.anomaly import Anomaly, signed_money
from workbench.spend.changes.causes import Factor
from workbench.spend.prices import cents

__all__ = ["conclude_anomalies"]

_NOTABLE: Final = 0.05
"""From this share of all spend on its days more spend is a warning: it breaks no promise, so it is no error."""

_LOOK: Final = {
    Factor.REQUESTS: "look for retries, loops, batch jobs and new users",
    Factor.TOKENS: "look for retries, loops, batch jobs and new users",
    Factor.MODEL: "ask whether the other model was meant",
    Factor.INPUT: "look for longer instructions, context or history in each request",
    Factor.OUTPUT: "look at output limits, reasoning effort and what the prompt asks for",
    Factor.SHARE: "look at output limits, reasoning effort and what the prompt asks for",
    Factor.CACHE: "look whether prompts still begin alike: a cache reads nothing after the first difference",
    Factor.PRICE: "compare contract, region and service tier with the price book",
    Factor.OTHERS: "look at the other accounts of the group",
}

_FEWER: Final = (
    "make sure that usage is still exported and scraped, then ask whether less use was meant"
)


def conclude_anomalies(anomalies: Iterable[Anomaly]) -> Iterator[Finding]:
    """Each anomaly as a finding.

    Parameters
    ----------
    anomalies
        Of `workbench.spend.changes.anomalies.find_anomalies`.
    """
    for each in anomalies:
        evidence: dict[str, Any] = {
            "from": each.first.isoformat(),
            "to": each.last.isoformat() if each.last else "",
            "currency": each.currency,
            "actual": float(cents(each.actual)),
            "expected": float(cents(each.expected)),
            "excess": float(cents(each.excess)),
            "share_of_spend": round(each.share, 4),
            **{c.factor.value: round(c.money, 2) for c in each.causes if abs(c.money) >= 0.005},
        }
        yield Finding(
            "LLM-ANOMALY",
            _severity(each),
            f"{each.kind.value} of {each.currency} {each.when}: {each.subject}",
            each.sentence,
            _next_step(each),
            evidence,
            where=_where(each),
            owner=_owner(each),
        )


def _severity(anomaly: Anomaly) -> Severity:
    """By size; what is saved, or seems to be, hurts less than what is spent."""
    more = anomaly.excess >= 0 and abs(anomaly.share) >= _NOTABLE
    return Severity.WARNING if more else Severity.INFO


def _owner(anomaly: Anomaly) -> str:
    """The team, where it is one."""
    teams = {c.values.get("team", "") for c in anomaly.who}
    return next(iter(teams)) if len(teams) == 1 and not anomaly.spread else ""


def _next_step(anomaly: Anomaly) -> str:
    """Whom to ask and what to look at, by the cause that made most of it."""
    fewer = anomaly.excess < 0
    sign = -1.0 if fewer else 1.0
    main = max(anomaly.causes, key=lambda c: c.money * sign, default=None)
    factor = main.factor if main else Factor.REQUESTS
    look = _FEWER if fewer and factor in (Factor.REQUESTS, Factor.TOKENS) else _LOOK[factor]
    asked = _owner(anomaly)
    replaced = sorted({n for c in anomaly.who for n in c.instead_of})
    change = f" about the change of {' and '.join(n.replace('_', ' ') for n in replaced)}"
    ask = f"ask {asked or 'the owners'}{change if replaced else ''}; " if asked or replaced else ""
    money = f" ({signed_money(main.money)} {anomaly.currency})" if main else ""
    return f"{ask}{look}{money}"


def _where(anomaly: Anomaly) -> str:
    """The accounts as they are labelled."""
    if not anomaly.who or anomaly.spread:
        return ""
    values = anomaly.who[0].values
    return ", ".join(f"{name} {value}" for name, value in values.items())
