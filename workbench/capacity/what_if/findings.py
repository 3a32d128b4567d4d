"""What a what-if finds, as findings: one function a code."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from workbench.capacity.what_if.loads import Load
from workbench.capacity.what_if.result import Outcome, Verdict
from workbench.capacity.what_if.scenario import Scenario
from workbench.findings import Finding, Severity
from workbench.promql import inspect
from workbench.units import counted, format_quantity

__all__ = ["conclude_what_if", "growth"]

_NAMED: Final = 5
_WAIT: Final = 1.0
"""A mean wait as long as the service itself is worth a word."""

_UNITLESS: Final = ("", "bytes", "seconds", "ratio", "percent")


def conclude_what_if(
    scenario: Scenario,
    outcomes: Sequence[Outcome],
    loads: Sequence[Load],
    used: Mapping[str, bool],
) -> tuple[Finding, ...]:
    """All findings, the gravest first, and of those alike what breaks first before the rest."""
    found = [*_each(scenario, outcomes)]
    if not used:
        found.append(_no_load(loads, outcomes))
    else:
        found += [*_borne(scenario, outcomes), *_unexplained(outcomes), *_by_convention(used)]
    urgency = {outcome.name: i for i, outcome in enumerate(outcomes)}
    return tuple(
        sorted(
            found,
            key=lambda f: (-f.severity.rank, f.code, urgency.get(f.about, -1), f.about),
        )
    )


def growth(factor: float) -> str:
    """A factor of load as growth.

    Examples
    --------
    >>> growth(1.142), growth(0.9), growth(2.6), growth(math.inf)
    ('+14 %', '-10 %', '× 2.6', 'more than × 10')
    """
    if math.isinf(factor):
        return "more than × 10"
    if factor >= 2.5:
        return f"× {factor:.2g}"
    return f"{(factor - 1) * 100:+.0f} %"


def _each(scenario: Scenario, outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    for each in outcomes:
        if each.verdict in (Verdict.OVER, Verdict.TIGHT):
            yield _over(scenario, each)
        elif each.verdict is Verdict.BEARS and _waits_long(each):
            yield _waiting(scenario, each)
    if alone := [o for o in outcomes if o.verdict is Verdict.ALONE]:
        yield _alone(alone)
    elif outcomes and all(o.verdict is Verdict.GONE for o in outcomes):
        yield _alone(outcomes)


def _over(scenario: Scenario, each: Outcome) -> Finding:
    unit = each.unit
    middle = format_quantity(float(each.then[2]), unit)
    certain = each.verdict is Verdict.OVER
    limit = format_quantity(each.limit, unit)
    already = f"; even without it the chance is {_percent(each.chance_now)}" * (
        each.chance_now >= 0.1
    )
    what = (
        f"{each.name} {'would' if certain else 'may'} be over its limit of {limit} with "
        f"{scenario.describe()}: its daily peak becomes {middle} (80 %: {_between(each)}; now "
        f"{format_quantity(float(each.now[2]), unit)}), over it with a chance of "
        f"{_percent(each.chance)}{already}; it bears {_bears(each)}"
    )
    step = f"{_add(each)} before it happens, or spread or shed load; test it at that load"
    return Finding(
        "CAP-WHAT-IF", Severity.WARNING if certain else Severity.INFO, each.name, what, step,
        _evidence(each), where=each.load, owner=each.owner,
    )  # fmt: skip


def _between(each: Outcome) -> str:
    """The 80 % interval of the peak, its unit once where both ends have the same."""
    low, high = (format_quantity(float(each.then[i]), each.unit) for i in (1, 3))
    number, _, unit = low.partition(" ")
    return f"{number if high.endswith(f' {unit}') else low} to {high}"


def _add(each: Outcome) -> str:
    """What is missing for a chance of one in ten."""
    lacking = float(each.then[3]) - each.limit
    amount = math.ceil(lacking) if each.unit not in _UNITLESS and lacking > 1 else lacking
    if each.unit in ("ratio", "percent") or amount <= 0:
        return "make room"
    return f"add at least {format_quantity(amount, each.unit)}"


def _bears(each: Outcome) -> str:
    low, middle, high = (growth(float(each.bears[i])) for i in (1, 2, 3))
    return f"{middle} (80 %: {low} to {high})"


def _percent(chance: float) -> str:
    if chance > 0.99:
        return "> 99 %"
    return "< 1 %" if chance < 0.01 else f"{chance * 100:.0f} %"


def _evidence(each: Outcome) -> dict[str, Any]:
    figures = {
        "chance": each.chance,
        "peak_now": float(each.now[2]),
        "peak_then": float(each.then[2]),
        "peak_then_low_80": float(each.then[1]),
        "peak_then_high_80": float(each.then[3]),
        "limit": each.limit,
        "load_factor": each.factor,
        "bears_factor": float(each.bears[2]),
        "bears_factor_low_80": float(each.bears[1]),
        "load_explains": each.fit.explained if each.fit else math.nan,
    }
    return {k: float(f"{v:.6g}") for k, v in figures.items() if math.isfinite(v)}


def _waits_long(each: Outcome) -> bool:
    now, then = each.waiting_now, each.waiting_then
    return now is not None and then is not None and now.mean < _WAIT <= then.mean


def _waiting(scenario: Scenario, each: Outcome) -> Finding:
    now, then = each.waiting_now, each.waiting_then
    assert now is not None
    assert then is not None
    what = (
        f"with {scenario.describe()} work would wait for {each.name} at the peak: by the model "
        f"{then.mean:.1f} service times on average, {then.p95:.1f} for one in twenty "
        f"(now {now.mean:.2g} and {now.p95:.2g}), though the limit holds"
    )
    step = "add servers, shorten the work, or put a time-out on the wait"
    evidence = {"utilisation": round(then.utilisation, 4), "mean_wait": round(then.mean, 3)}
    return Finding(
        "CAP-WAITING",
        Severity.WARNING,
        each.name,
        what,
        step,
        evidence,
        each.load,
        owner=each.owner,
    )


def _alone(alone: Sequence[Outcome]) -> Finding:
    what = (
        f"{counted(len(alone), 'resource')} would have no instance left: {_names(alone)}; nothing "
        f"could carry their load"
    )
    step = "run a second instance, or know how long a new one takes to start"
    evidence = {o.name: o.reason for o in alone}
    return Finding("CAP-NO-SPARE", Severity.WARNING, "instances", what, step, evidence)


def _borne(scenario: Scenario, outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    limited = [o for o in outcomes if o.verdict in (Verdict.OVER, Verdict.TIGHT, Verdict.BEARS)]
    if not limited or any(o.verdict is not Verdict.BEARS for o in limited):
        return
    first = min(limited, key=lambda o: (float(o.bears[2]), o.name))
    then = (
        f"the first to reach its limit is {first.name}, at {_bears(first)}"
        if math.isfinite(float(first.bears[2]))
        else "none would reach its limit at ten times the load of now"
    )
    many = "both" if len(limited) == 2 else f"all {len(limited)}"
    who = (
        "the one resource that follows its load bears"
        if len(limited) == 1
        else f"{many} resources that follow their load bear"
    )
    yield Finding(
        "CAP-WHAT-IF-BORNE", Severity.INFO, "scenario", f"{who} {scenario.describe()}: {then}",
        "nothing; see the table for what each bears, and what could not be told",
        {"resources": len(limited)} | _evidence(first),
    )  # fmt: skip


def _unexplained(outcomes: Sequence[Outcome]) -> Iterator[Finding]:
    unknown = [o for o in outcomes if o.verdict in (Verdict.UNEXPLAINED, Verdict.UNKNOWN)]
    if not unknown:
        return
    what = (
        f"nothing is told of {counted(len(unknown), 'resource')} whose usage does not follow the "
        f"load: {_names(unknown, reasons=True)}"
    )
    step = (
        "for those that some load does drive, name it: `driver` of the resource in a "
        "resources.toml; for what fills with time, see wb.capacity"
    )
    evidence = {o.name: o.reason for o in unknown}
    yield Finding("CAP-LOAD-UNEXPLAINED", Severity.INFO, "load", what, step, evidence)


def _names(outcomes: Sequence[Outcome], *, reasons: bool = False) -> str:
    shown = [f"{o.name} ({o.reason})" if reasons else o.name for o in outcomes[:_NAMED]]
    more = len(outcomes) - _NAMED
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _by_convention(used: Mapping[str, bool]) -> Iterator[Finding]:
    if found := [e for e, conventional in used.items() if conventional]:
        metrics = sorted({m for e in found for m in inspect(e).metrics})
        what = f"the load was found by its name and not given: {', '.join(metrics)}"
        evidence = {m: e for e in sorted(found) for m in sorted(inspect(e).metrics)}
        step = "if other work drives these resources, give driver=… or a `driver` for each resource"
        yield Finding(
            "CAP-LOAD-FOUND", Severity.INFO, "load", what, step, evidence, where=min(found)
        )


def _no_load(loads: Sequence[Load], outcomes: Sequence[Outcome]) -> Finding:
    tried = ", ".join(load.name for load in loads)
    reasons = sorted({o.reason for o in outcomes if o.reason})
    why = (
        f"{tried} is of no use" if tried else "none was given and no counter of requests was found"
    )
    what = f"no load is known: {why}" + (f" ({'; '.join(reasons[:3])})" if reasons else "")
    if not outcomes:
        what = "there is no resource whose usage could follow a load"
    step = "give driver=… in PromQL, such as driver='sum by (instance) (rate(requests_total[5m]))'"
    return Finding("CAP-NO-LOAD", Severity.WARNING, "load", what, step)
