"""What is found of rate limits: little free at the peak, little left, or requests refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from workbench.findings import Finding, Severity
from workbench.spend.rate_limits.analysis import RateLimits
from workbench.spend.rate_limits.growth import HORIZON
from workbench.spend.rate_limits.headroom import Headroom
from workbench.spend.rate_limits.limits import UNITS
from workbench.spend.rate_limits.onset import Onset
from workbench.spend.rate_limits.refusals import Refusal
from workbench.spend.rate_limits.remaining import LOW, Remaining
from workbench.units import counted, format_chance, format_quantity

__all__ = ["conclude_rate_limits"]

_CODE: Final = "LLM-RATE-LIMIT"

_FREE: Final = 0.2
"""Less than this share of a limit free at the peak, or left at the least, is a finding."""

_SOON: Final = 30
"""Days within which a limit is met at the median, which is a finding though more is free today."""

_REFUSED: Final = 0.01
_MANY: Final = 0.1
"""Refused shares of requests from which a finding is one, and an error."""

_LITTLE: Final = 0.01
"""Share of the time at which little was left, from which it is a warning."""

_FEW: Final = 20
"""Fewer refused requests are no finding, whatever share they are."""


def conclude_rate_limits(found: RateLimits) -> Iterator[Finding]:
    """All findings of rate limits, by source."""
    for refusal in found.refusals:
        share = refusal.share
        if refusal.refused >= _FEW and (share is None or share > _REFUSED):
            yield _refused(refusal)
    for headroom in found.headrooms:
        if headroom.headroom is not None and (headroom.headroom < _FREE or _is_soon(headroom)):
            yield _little_free(headroom)
    for left in found.remaining:
        if left.lowest < _FREE * left.highest:
            yield _little_left(left)


def _name(provider: str, model: str) -> str:
    return f"{provider}/{model}".strip("/") or "an unnamed model"


def _refused(found: Refusal) -> Finding:
    share = found.share
    name = _name(found.provider, found.model)
    refused = format_quantity(found.refused)
    evidence: dict[str, float | str] = {"refused": found.refused}
    if share is None:
        severity = Severity.INFO
        what = (
            f"{refused} requests to {name} were refused by a rate limit; of how many is not counted"
        )
    else:
        severity = Severity.ERROR if share >= _MANY else Severity.WARNING
        evidence["share"] = round(share, 5)
        what = (
            f"{share * 100:.1f} % of the requests to {name} were refused by a rate limit: "
            f"{refused} of {format_quantity(found.requests)}"
        )
    if found.before is not None:
        what += f" ({found.before * 100:.1f} % in the period before)"
    if isinstance(found.begins, Onset):
        begins = found.begins
        what += f"; 90 % of them came above {format_quantity(begins.begins)} {begins.unit} a minute"
        evidence["begins"] = round(begins.begins, 1)
        evidence["begins_unit"] = f"{begins.unit}/min"
    step = "spread the load, retry with backoff, or ask the provider for a higher limit"
    return Finding(_CODE, severity, f"refusals of {name}", what, step, evidence)


def _is_soon(found: Headroom) -> bool:
    ahead = found.growth
    return ahead is not None and ahead.median is not None and ahead.median <= _SOON


def _little_free(found: Headroom) -> Finding:
    free = found.headroom or 0.0
    unit = UNITS[found.unit]
    limit = f"{format_quantity(found.allowed)} {unit}"
    name, peak = found.limit.name, f"{format_quantity(found.peak or 0.0)} {unit}"
    if free <= 0:
        what = f"{name}: usage reached its limit of {limit}: {peak} at the peak"
        step = "check the limit in the file; ask for a higher one, or spread the load"
    else:
        what = f"{name}: {free * 100:.0f} % of its limit of {limit} was free at the peak of {peak}"
        step = "ask for a higher limit, or spread the load, before it is met"
    evidence: dict[str, float] = {"peak": found.peak or 0.0, "allowed": found.allowed}
    if (ahead := found.growth) is not None and free > 0:
        when = (
            f"in {counted(ahead.median, 'day')}" if ahead.median else f"not within {HORIZON} days"
        )
        what += (
            f"; as usage grows it is met {when} at the median, and within {HORIZON} days with a "
        )
        what += f"chance of {format_chance(ahead.chance)}"
        evidence["chance"] = round(ahead.chance, 3)
    severity = Severity.WARNING if free < _FREE else Severity.INFO
    return Finding(_CODE, severity, f"limit of {name} {found.unit}", what, step, evidence)


def _little_left(found: Remaining) -> Finding:
    name = _name(found.provider, found.model)
    often = found.low_share >= _LITTLE
    what = (
        f"{format_quantity(found.lowest)} of the {found.unit} that a limit of {name} allows were left "
        f"at the least, of {format_quantity(found.highest)} at the most; less than {LOW * 100:.0f} % "
        f"for {format_quantity(found.low_share, 'ratio')} of the time"
    )
    evidence = {
        "lowest": found.lowest, "highest": found.highest, "low_share": round(found.low_share, 4),
    }  # fmt: skip
    step = "spread the load, or ask the provider for a higher limit"
    about = f"{found.unit} left of {name} ({found.profile})"
    severity = Severity.WARNING if often else Severity.INFO
    return Finding(_CODE, severity, about, what, step, evidence)
