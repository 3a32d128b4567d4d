"""What a supposed switch of models comes to, as findings."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workbench.findings import Finding, Severity
from workbench.spend.what_if.moving import Doubt
from workbench.spend.what_if.ranges import Range
from workbench.spend.what_if.result import Outcome, Sign, SwitchResult, Target

__all__ = ["conclude_what_if"]

_CODE: Final = "LLM-WHAT-IF"

_STEP: Final = {
    Doubt.TOKENIZER: "count the tokens of a hundred of your own prompts with both models, and give "
    "tokenizer= their ratio",
    Doubt.CACHE: "let a small share of the traffic go there for a day, and read its cached share",
    Doubt.LENGTH: "run a hundred of your own prompts through both, and give output= the ratio of "
    "their lengths",
    Doubt.PRICES: "give the contract's prices in a price book, and a histogram of request lengths",
}


def conclude_what_if(result: SwitchResult) -> Iterator[Finding]:
    """Say for each target what it would have cost, and how sure that is.

    Parameters
    ----------
    result
        Of `workbench.spend.what_if.analysis.what_if`.
    """
    for target in result.targets:
        if target.reason is not None:
            yield _no_price(result, target)
        for outcome in target.outcomes:
            if outcome.now is not None and outcome.saving is not None:
                yield _compared(result, target, outcome, outcome.now, outcome.saving)


def _no_price(result: SwitchResult, target: Target) -> Finding:
    near = f"write one of {', '.join(target.near)}, or " if target.near else ""
    return Finding(
        _CODE,
        Severity.WARNING,
        f"switch to {target.name}",
        f"{target.name} has no price, so that {result.switch.describe()} is not judged: "
        f"{target.reason.value if target.reason else ''}",
        f"{near}give its price in a price book",
        {"near": ", ".join(target.near)},
    )


def _compared(
    result: SwitchResult, target: Target, outcome: Outcome, now: Range, saving: Range
) -> Finding:
    money = outcome.currency
    then = outcome.then
    gain = {
        Sign.CHEAPER: f"saves {saving.low:,.2f} to {saving.high:,.2f} {money}",
        Sign.DEARER: f"costs {-saving.high:,.2f} to {-saving.low:,.2f} {money} more",
        Sign.OPEN: f"saves {saving.high:,.2f} {money} at best and costs {-saving.low:,.2f} more at "
        "worst",
    }[outcome.sign]
    widest = max(outcome.doubts, key=lambda d: sum(outcome.doubts[d]))
    return Finding(
        _CODE,
        Severity.INFO,
        f"switch to {target.name}",
        f"with {target.name}, what cost {now.expected:,.2f} {money} from {result.first} to "
        f"{result.last} would have cost {then.expected:,.2f} ({then.low:,.2f} to {then.high:,.2f}): "
        f"it {gain}; {outcome.statement}",
        f"most of the range is the {widest.value}: {_STEP[widest]}"
        if not then.is_sure
        else "try it on a share of the traffic before all of it moves",
        {
            "now": round(now.expected, 2),
            "then": round(then.expected, 2),
            "then_low": round(then.low, 2),
            "then_high": round(then.high, 2),
            "saving_low": round(saving.low, 2),
            "saving_high": round(saving.high, 2),
            "currency": money,
            "share": result.switch.share,
        },
    )
