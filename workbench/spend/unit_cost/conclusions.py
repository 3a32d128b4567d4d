"""What unit costs say, as findings: a version that is dearer, a counter that tells nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from workbench.findings import Finding, Severity
from workbench.spend.unit_cost.costs import UnitCosts, UnitStanding
from workbench.spend.unit_cost.versions import VersionPair
from workbench.units import format_quantity

__all__ = ["conclude_unit_costs"]

_WORTH: Final = 1.05
"""A version that is dearer by less is none of anybody's business, however sure it is."""

_UNPLACED: Final = 0.1
"""Units that name no spend are worth telling from this share on."""

_CAUSES: Final = {
    "input": "input tokens",
    "cached": "the share from the cache",
    "output": "output tokens",
    "price": "prices, models and fees",
}


def conclude_unit_costs(costs: UnitCosts) -> Iterator[Finding]:
    """Give the findings: the newest version against the one before it, and units that say nothing.

    Parameters
    ----------
    costs
        Of `workbench.spend.unit_cost.costs.unit_costs`.
    """
    requests = {
        _whose(p): p for p in costs.pairs if p.measure == "request" and _judged(p) and p.successive
    }
    successes = [
        p
        for p in costs.pairs
        if p.measure not in ("request", "served request") and _judged(p) and p.successive
    ]
    told = set()
    for pair in successes:
        told.add(_whose(pair))
        yield from _by_success(pair, requests.get(_whose(pair)))
    for whose, pair in requests.items():
        if whose not in told and _dearer(pair):
            yield _dear(pair, pair)
    for unit in costs.units:
        yield from _missing(unit)


def _judged(pair: VersionPair) -> bool:
    """All models of an application together: those of one explain, but are no second finding."""
    return not pair.newer.model and pair.found is not None


def _whose(pair: VersionPair) -> tuple[str, ...]:
    newer, older = pair.newer, pair.older
    return newer.team, newer.application, newer.currency, older.version, newer.version


def _dearer(pair: VersionPair) -> bool:
    return pair.significant and pair.found is not None and pair.found.ratio >= _WORTH


def _cheaper(pair: VersionPair) -> bool:
    return pair.significant and pair.found is not None and pair.found.ratio <= 1 / _WORTH


def _by_success(pair: VersionPair, request: VersionPair | None) -> Iterator[Finding]:
    """By what a success costs; what a request costs stands beside it."""
    if _dearer(pair):
        yield _dear(pair, request)
    elif request is not None and _dearer(request):
        verdict = (
            f"one {pair.measure} costs less all the same, {_ratio(pair)}: that is good news"
            if _cheaper(pair)
            else f"that one {pair.measure} does is not shown ({_ratio(pair)})"
        )
        step = (
            "keep it"
            if _cheaper(pair)
            else "let it run for longer, side by side with the one before if you can"
        )
        what = f"one request of {_name(request)} costs more, {_ratio(request)}; {verdict}"
        yield Finding(
            "LLM-UNIT-COST", Severity.INFO, _about(pair), f"{what}; {_beside(pair)}", step,
            _evidence(pair, request),
        )  # fmt: skip


def _dear(pair: VersionPair, request: VersionPair | None) -> Finding:
    """A version that is dearer."""
    days = max(pair.newer.days, 1)
    assert pair.found is not None
    older, newer = pair.found.costs
    more = (newer - older) * pair.newer.count / days
    parts = [f"one {pair.measure} of {_name(pair)} costs more, {_ratio(pair)}"]
    parts.append(f"{more:,.2f} {pair.newer.currency} more a day")
    if request is not None and request is not pair and request.found is not None:
        parts.append(f"one request {_ratio(request)}")
    causes = _causes(request)
    if causes:
        parts.append(f"by {causes}")
    parts.append(_beside(pair))
    step = "look at what the version sends, and whether the start of its prompt is still cached"
    return Finding(
        "LLM-UNIT-COST", Severity.WARNING, _about(pair), "; ".join(parts), step,
        _evidence(pair, request),
    )  # fmt: skip


def _about(pair: VersionPair) -> str:
    newer = pair.newer
    who = "/".join(n for n in (newer.team, newer.application) if n) or "spend"
    return f"{who} {newer.version}, {pair.measure}"


def _name(pair: VersionPair) -> str:
    newer, older = pair.newer, pair.older
    return f"{newer.application or newer.team or 'prompt'} {newer.version} (after {older.version})"


def _ratio(pair: VersionPair) -> str:
    """Costs, ratio and interval."""
    found = pair.found
    assert found is not None
    costs = f"{found.costs[0]:.4g} → {found.costs[1]:.4g} {pair.newer.currency}"
    return f"{costs}, ×{found.ratio:.2f} (95 % interval {found.low:.2f} to {found.high:.2f})"


def _causes(pair: VersionPair | None) -> str:
    """What makes up most of the difference, in shares of it."""
    if pair is None or pair.requests is None:
        return ""
    parts = {name: getattr(pair.requests[2], name) for name in _CAUSES}
    total = sum(parts.values())
    if not total:
        return ""
    ordered = sorted(parts.items(), key=lambda p: -abs(p[1]))
    shares = [(name, value / total) for name, value in ordered]
    return ", ".join(
        f"{_CAUSES[name]} {share * 100:+.0f} %".replace("-", "−")
        for name, share in shares
        if abs(share) >= 0.01
    )


def _beside(pair: VersionPair) -> str:
    """What the comparison cannot tell."""
    if pair.paired:
        return "both ran on the same days, so time explains nothing of it"
    return "one ran after the other, so other traffic may explain a part of it"


def _evidence(pair: VersionPair, request: VersionPair | None) -> dict[str, Any]:
    found = pair.found
    assert found is not None
    result: dict[str, Any] = {
        "ratio": round(found.ratio, 4), "low": round(found.low, 4), "high": round(found.high, 4),
        "p": float(f"{pair.p:.2g}"), "older": float(f"{found.costs[0]:.6g}"),
        "newer": float(f"{found.costs[1]:.6g}"),
    }  # fmt: skip
    if request is not None and request is not pair and request.found is not None:
        result["ratio_per_request"] = round(request.found.ratio, 4)
    return result


def _missing(unit: UnitStanding) -> Iterator[Finding]:
    step = "check the selector, the labels and `of` of the unit"
    if not unit.series:
        what = f"`{unit.counter}` has no series, so nothing is told of what one {unit.name} costs"
    elif not unit.against:
        what = f"there is no spend with a price that the unit {unit.name} could be set against"
    elif not unit.units:
        what = f"`{unit.counter}` never increased, so nothing is told of what one {unit.name} costs"
        step = "check that the application counts, and that the selector is not too narrow"
    elif unit.unplaced > _UNPLACED * unit.units:
        share = unit.unplaced / unit.units
        what = (
            f"{share * 100:.0f} % of the units of {unit.name} ({format_quantity(unit.unplaced)}) "
            f"name no spend that has a price, by {', '.join(unit.by)}"
        )
        step = "give `labels` of the unit, or let both sides use the same names"
    else:
        return
    evidence = {"series": unit.series, "units": unit.units, "unplaced": unit.unplaced}
    yield Finding(
        "LLM-UNITS-MISSING", Severity.WARNING, f"unit {unit.name}", what, step, evidence,
        where=unit.counter,
    )  # fmt: skip
