"""What an SLO analysis finds, as findings: one function a code."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from workbench.findings import Finding, Severity
from workbench.slo.burn import pair_name
from workbench.slo.files import Objectives
from workbench.slo.reading import Obstacle
from workbench.slo.result import Standing
from workbench.slo.runout import RunOut
from workbench.units import format_quantity
from workbench.window import format_time

__all__ = ["conclude", "remarks"]

_DAY_HOURS: Final = 24
_SOON_HOURS: Final = 7 * _DAY_HOURS
_LIKELY: Final = 0.5
_POSSIBLE: Final = 0.2
_GAPS: Final = 0.01
_MANY_GAPS: Final = 0.1
_UNSURE: Final = 0.5
"""Where more of the window was not seen, a spent budget is a warning."""
_MOST_A_WEEK: Final = {"page": 2.0, "ticket": 5.0}
_MOST_FLAPS: Final = 3
_USUAL_DAYS: Final = 0.8
_LEAST_DAYS: Final = 7


def conclude(standing: Standing, obstacle: Obstacle | None) -> Iterator[Finding]:
    """All findings of one objective."""
    if obstacle is not None:
        yield _of_obstacle(standing, obstacle)
    if standing.budget is None:
        return
    if standing.budget.left <= 0:
        yield _spent(standing)
    yield from _burning(standing)
    if standing.run_out and not standing.run_out.spent:
        yield from _run_out(standing, standing.run_out)
    yield from _never_bad(standing)
    yield from _too_tight(standing)
    yield from _gaps(standing)
    yield from _low_traffic(standing)
    yield from _noisy(standing)


def remarks(read: Objectives) -> Iterator[Finding]:
    """What of the files is not used, or cannot be honoured."""
    for refused, each in [(True, r) for r in read.refused] + [(False, r) for r in read.notes]:
        about = ", ".join(filter(None, (Path(each.path).name, each.about)))
        severity = Severity.WARNING if refused else Severity.INFO
        why = "is left out" if refused else "is not taken word for word"
        step = "mend it in the file, or write it anew; docs/slo.md shows what is understood"
        yield Finding(
            "SLO-FILE", severity, about, f"{about} {why}: {each.text}", step, where=each.path
        )


def _finding(
    code: str, severity: Severity, standing: Standing, what: str, next_step: str, **evidence: Any
) -> Finding:
    one, budget = standing.objective, standing.budget
    basis: dict[str, Any] = {"target": one.target, "window": one.window}
    if budget:
        basis |= {"sli": round(budget.sli, 7), "budget_left": round(budget.left, 5)}
    figures = {k: v for k, v in {**basis, **evidence}.items() if v is not None}
    return Finding(
        code, severity, standing.name, what, next_step, figures, where=one.key, owner=one.owner
    )


def _of_obstacle(standing: Standing, obstacle: Obstacle) -> Finding:
    what = f"{standing.name} cannot be judged: {obstacle.reason}"
    makers = {
        "SLO-NO-DATA": lambda: _finding(
            "SLO-NO-DATA", Severity.WARNING, standing, what, obstacle.mend
        ),
        "SLO-NO-EVENTS": lambda: _finding(
            "SLO-NO-EVENTS", Severity.WARNING, standing, what, obstacle.mend
        ),
        "SLO-UNUSABLE": lambda: _finding(
            "SLO-UNUSABLE", Severity.ERROR, standing, what, obstacle.mend
        ),
    }
    return makers[obstacle.code]()


def _spent(standing: Standing) -> Finding:
    assert standing.budget is not None
    budget, ahead = standing.budget, standing.run_out
    what = (
        f"{standing.name} has spent its error budget: {_percent(1 - budget.left)} of it in "
        f"{_window(standing)} ({_share(budget.sli)} good, {_share(standing.objective.target)} promised)"
    )
    severity = Severity.ERROR
    if budget.unseen > _UNSURE:
        what += f", as far as can be told: {_percent(budget.unseen)} of the window was not seen"
        severity = Severity.WARNING
    step = "stop what puts reliability at risk, and mend what spends most: see the alerts' times"
    if ahead and ahead.dated:
        step += f"; as things go, it comes back on {_date(ahead, ahead.hours)} ({_span(ahead)})"
    elif ahead:
        step += f"; the chance that it comes back within {_days(ahead)} days is {_percent(_last(ahead))}"
    return _finding(
        "SLO-BUDGET-SPENT", severity, standing, what, step,
        bad_events=_whole(budget.bad), budget_events=_whole(budget.allowed),
        returns=_iso(ahead, ahead.hours) if ahead and ahead.dated else None,
    )  # fmt: skip


def _burning(standing: Standing) -> Iterator[Finding]:
    rates = [b for b in standing.burn if b.burning]
    if not rates:
        return
    worst = rates[0]  # pages stand first, the fastest before
    severity = Severity.ERROR if worst.pair.severity == "page" else Severity.WARNING
    assert worst.long is not None
    assert worst.short is not None
    what = (
        f"{standing.name} burns its budget {format_quantity(worst.long)} times as fast as allowed "
        f"over {worst.pair.long} and {format_quantity(worst.short)} times over {worst.pair.short}"
    )
    hours = standing.objective.window_ms / 3_600_000 / worst.long
    whole = format_quantity(hours * 3600, "seconds")
    step = f"act now: at this rate a whole budget goes in {whole}" if severity is Severity.ERROR else (
        f"look at it today: at this rate a whole budget goes in {whole}"
    )  # fmt: skip
    yield _finding(
        "SLO-BURNING", severity, standing, what, step,
        pairs=", ".join(pair_name(b.pair) for b in rates), burn_long=round(worst.long, 3),
        burn_short=round(worst.short, 3), factor=worst.pair.factor,
    )  # fmt: skip


def _run_out(standing: Standing, ahead: RunOut) -> Iterator[Finding]:
    chance = _last(ahead)
    if not ahead.dated and chance < _POSSIBLE:
        return
    evidence: dict[str, Any] = {f"chance_{d}d": round(c, 3) for d, c in ahead.chances.items()}
    if ahead.dated:
        low = ahead.interval_80[0]
        severity = Severity.ERROR if low is not None and low <= _SOON_HOURS else Severity.WARNING
        what = f"the error budget of {standing.name} runs out on {_date(ahead, ahead.hours)} ({_span(ahead)})"
        step = f"before {_date(ahead, low)}, mend what spends it or hold back what adds risk"
        evidence |= {
            "date": _iso(ahead, ahead.hours),
            "date_low_80": _iso(ahead, low),
            "date_high_80": _iso(ahead, ahead.interval_80[1]),
        }
    else:
        severity = Severity.WARNING if chance >= _LIKELY else Severity.INFO
        what = (
            f"the error budget of {standing.name} runs out within {_days(ahead)} days with a "
            f"chance of {_percent(chance)}: too unsure for a date"
        )
        step = "look again in a week; the chart shows which futures spend it"
    yield _finding("SLO-RUN-OUT", severity, standing, what, step, **evidence)


def _never_bad(standing: Standing) -> Iterator[Finding]:
    events = standing.events
    if events is None or float(events.bad[events.seen].sum()) > 0:
        return
    what = f"{standing.name} has not seen one bad event in the whole history"
    step = (
        "make sure that it could: ask for the bad events by themselves, for a label may be misspelt; "
        "if all is well, the promise could be stricter"
    )
    yield _finding("SLO-NO-ERRORS", Severity.INFO, standing, what, step)


def _too_tight(standing: Standing) -> Iterator[Finding]:
    usual, one = standing.usual, standing.objective
    if usual is None or usual.days < _LEAST_DAYS or usual.share <= one.budget:
        return
    if usual.days_over < _USUAL_DAYS * usual.days:
        return
    what = (
        f"{standing.name} cannot be kept: its usual errors alone, without any incident, spend "
        f"{_percent(usual.share / one.budget)} of the budget"
    )
    step = (
        f"mend the usual errors, or promise what can be kept: {_share(usual.reachable)} leaves a "
        "fifth of the budget for incidents"
    )
    yield _finding(
        "SLO-TOO-TIGHT", Severity.WARNING, standing, what, step,
        usual_share=round(usual.share, 7), days_over=usual.days_over, days=usual.days,
        reachable=usual.reachable,
    )  # fmt: skip


def _gaps(standing: Standing) -> Iterator[Finding]:
    assert standing.budget is not None
    unseen = standing.budget.unseen
    if unseen <= _GAPS:
        return
    severity = Severity.WARNING if unseen > _MANY_GAPS else Severity.INFO
    what = (
        f"{standing.name}: of {_window(standing)} {_percent(unseen)} was not seen; all figures "
        "hold for the rest"
    )
    step = (
        "check scraping and retention: a window that reaches further back than the data is judged "
        "by what there is, and outages of the monitoring often go with those of the service"
    )
    yield _finding("SLO-GAPS", severity, standing, what, step, unseen=round(unseen, 5))


def _low_traffic(standing: Standing) -> Iterator[Finding]:
    one = standing.objective
    if standing.replay is None or standing.least_events <= one.min_events:
        return
    worst = max(
        (p for p in standing.replay.pairs if p.pair.severity == "page"), key=lambda p: p.single
    )
    typical = worst.typical_events or 0.0
    burn = f"a burn rate of {format_quantity(1 / (typical * one.budget))}" if typical else "a page"
    what = (
        f"{standing.name} has too few events for its alerts: {format_quantity(typical)} in a typical "
        f"window of {worst.pair.long}, where one bad event is {burn}; in {_percent(worst.single)} "
        "of the time one would page"
    )
    step = (
        f"set min_events = {standing.least_events}, so that it takes two; or count over a longer "
        "window, join small services, or send synthetic requests"
    )
    yield _finding(
        "SLO-LOW-TRAFFIC", Severity.WARNING, standing, what, step,
        min_events=standing.least_events, typical_events=round(typical, 2),
        one_event_is_enough=round(worst.single, 4), pair=pair_name(worst.pair),
    )  # fmt: skip


def _noisy(standing: Standing) -> Iterator[Finding]:
    if standing.replay is None:
        return
    noisy = [
        p
        for p in standing.replay.pairs
        if len(p.episodes) > 1
        and (p.per_week > _MOST_A_WEEK[p.pair.severity] or p.flaps >= _MOST_FLAPS)
    ]
    if not noisy:
        return
    worst = max(noisy, key=lambda p: (p.pair.severity == "page", p.per_week))
    what = (
        f"the {worst.pair.severity} alert {pair_name(worst.pair)} of {standing.name} would have fired "
        f"{len(worst.episodes)} times in {_window(standing)} ({format_quantity(worst.per_week)} a week), "
        f"{worst.flaps} of them soon after it had ended"
    )
    step = (
        "see in the table of alerts what each was worth: mend what comes back, loosen the target, or "
        f"join the episodes with keep_firing_for = {worst.pair.short} in the rule"
    )
    yield _finding(
        "SLO-NOISY-ALERT", Severity.WARNING, standing, what, step,
        pairs=", ".join(pair_name(p.pair) for p in noisy), firings=len(worst.episodes),
        per_week=round(worst.per_week, 3), flaps=worst.flaps, minutes=round(worst.minutes),
    )  # fmt: skip


def _window(standing: Standing) -> str:
    one = standing.objective
    return f"this {one.window}" if one.is_calendar else f"the last {one.window}"


def _last(ahead: RunOut) -> float:
    return ahead.passage.chance(ahead.horizon_hours)


def _days(ahead: RunOut) -> int:
    return ahead.horizon_hours // _DAY_HOURS


def _iso(ahead: RunOut, hours: int | None) -> str | None:
    time_ms = ahead.time_ms(hours)
    return None if time_ms is None else format_time(time_ms)


def _span(ahead: RunOut) -> str:
    """The 80 % interval of dates, whose far end may be open."""
    first, last = (_date(ahead, h) for h in ahead.interval_80)
    if first == last and ahead.interval_80[1] is not None:
        return "all but surely then"
    end = "or later" if ahead.interval_80[1] is None else f"to {last}"
    return f"80 % interval: {first} {end}"


def _date(ahead: RunOut, hours: int | None) -> str:
    """``3 Jan 2027``; with the hour where it lies within two days."""
    time_ms = ahead.time_ms(hours)
    if time_ms is None or hours is None:
        return "a later date"
    moment = datetime.fromtimestamp(time_ms // 1000, UTC)
    day = f"{moment.day} {moment:%b %Y}"
    return f"{day} {moment:%H:%M} UTC" if hours <= 2 * _DAY_HOURS else day


def _percent(share: float) -> str:
    return format_quantity(share, "ratio")


def _share(share: float) -> str:
    """A share of good events with as many nines as it has."""
    return f"{share * 100:.6g} %"


def _whole(value: float | None) -> float | None:
    return None if value is None else round(value, 2)
