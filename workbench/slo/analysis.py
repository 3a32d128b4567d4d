"""The SLO analysis: frames in, standings and findings out. Nothing is asked or drawn here."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final

import numpy as np

from workbench.findings import Finding
from workbench.frame import Frame
from workbench.slo.budget import Budget, budget_of, burn_down
from workbench.slo.burn import burn_now, pair_name
from workbench.slo.conclusions import conclude, remarks
from workbench.slo.events import Events
from workbench.slo.files import Objectives
from workbench.slo.forecasting import forecast_left
from workbench.slo.futures import LEAST_DAYS, learn
from workbench.slo.incidents import Split, split_incidents
from workbench.slo.objective import Objective
from workbench.slo.pairs import BurnPair, burn_pairs
from workbench.slo.reading import Obstacle, Reading, read
from workbench.slo.replay import Replay, replay
from workbench.slo.result import SloResult, Standing, Usual, Verdict
from workbench.slo.runout import RunOut, run_out
from workbench.units import format_duration

__all__ = ["HORIZON_DAYS", "analyse"]

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS

HORIZON_DAYS: Final = 90
"""How far ahead is looked."""

_NO_HINTS: Final[Mapping[str, str]] = MappingProxyType({})

_POSSIBLE: Final = 0.05
"""Below this chance running out is called unlikely."""

_SINGLE: Final = 0.01
"""One bad event may be enough for a page in this share of the time before `min_events` is advised."""


def analyse(
    objectives: Sequence[Objective],
    frames: Mapping[str, Frame],
    *,
    now_ms: int,
    hints: Mapping[str, str] = _NO_HINTS,
    unread: Objectives | None = None,
    seed: int = 0,
) -> SloResult:
    """Judge what `questions` asked for.

    Parameters
    ----------
    objectives
        What was asked about.
    frames
        The answers, by the questions' keys; an absent key is a query that gave nothing.
    now_ms
        Where the history ends and the forecast begins.
    hints
        What whoever asked knows of why a query gave nothing, by the objective's key.
    unread
        What the files hold besides the objectives: remarks on it become findings.
    seed
        Of the drawn futures: equal input and seed give equal figures, in any order of objectives.
    """
    standings: list[Standing] = []
    findings: list[Finding] = list(remarks(unread)) if unread else []
    for each in objectives:
        found = read(each, frames)
        obstacle: Obstacle | None
        if isinstance(found, Obstacle):
            if hint := hints.get(each.key):
                found = replace(found, reason=f"{found.reason}: {hint}")
            standing, obstacle = Standing(each, Verdict.UNKNOWN, found.reason), found
        else:
            standing, obstacle = _judge(each, found, now_ms, _random(seed, each.key))
        standings.append(standing)
        findings.extend(conclude(standing, obstacle))
    return SloResult(
        now_ms,
        tuple(sorted(standings, key=lambda s: s.urgency)),
        tuple(sorted(findings, key=lambda f: (-f.severity.rank, f.code, f.about))),
    )


def _judge(
    objective: Objective, reading: Reading, now_ms: int, rng: np.random.Generator
) -> tuple[Standing, Obstacle | None]:
    """One objective whose events are known."""
    events = reading.events.before(now_ms)
    period = objective.period(now_ms - 1) if objective.is_calendar else objective.period(now_ms)
    budget = budget_of(events, objective.budget, period, now_ms=now_ms)
    if budget is None:
        reason = "there was no event in the objective's window"
        obstacle = Obstacle("SLO-NO-EVENTS", reason, "check that the service still has traffic")
        return Standing(objective, Verdict.UNKNOWN, reason, events=events), obstacle
    pairs = _alerts(objective)
    split = split_incidents(events, least_share=objective.budget)
    played = replay(
        events,
        objective.budget,
        pairs,
        start_ms=period[0],
        allowed=_allowed(events, budget, objective),
        least_events=objective.min_events,
        incidents=split.incidents,
    )
    standing = Standing(
        objective,
        Verdict.KEPT,
        budget=budget,
        burn_down=burn_down(events, budget, objective.budget),
        burn=burn_now(events, objective.budget, pairs),
        replay=played,
        usual=_usual(split, objective, period[0]),
        least_events=_least_events(played),
        events=events,
        notes=(*reading.notes, *_notes(events, objective)),
    )
    ahead = _ahead(objective, events, split, budget, now_ms=now_ms, rng=rng)
    if isinstance(ahead, str):
        standing = replace(standing, notes=(*standing.notes, f"No forecast: {ahead}."))
    else:
        standing = replace(standing, run_out=ahead)
    return replace(standing, verdict=_verdict(standing)), None


def _verdict(standing: Standing) -> Verdict:
    assert standing.budget is not None
    if standing.budget.left <= 0:
        return Verdict.SPENT
    if any(b.burning and b.pair.severity == "page" for b in standing.burn):
        return Verdict.BURNING
    ahead = standing.run_out
    if ahead is None:
        return Verdict.KEPT
    if ahead.dated:
        return Verdict.DATED
    return Verdict.POSSIBLE if ahead.chances[HORIZON_DAYS] >= _POSSIBLE else Verdict.KEPT


def _allowed(events: Events, budget: Budget, objective: Objective) -> float:
    """What the whole budget allows, in the unit in which `events` counts."""
    if budget.allowed is not None:
        return budget.allowed
    return objective.budget * objective.window_ms / events.step_ms


def _usual(split: Split, objective: Objective, start_ms: int) -> Usual | None:
    """Errors outside incidents, and a target that they would keep."""
    inside = split.usual.after(start_ms)
    total = float(np.nansum(inside.total))
    if not total:
        return None
    share = float(np.nansum(inside.bad)) / total
    daily = inside.blocks(int(inside.times_ms[-1]), _DAY_MS)
    known = daily.total > 0
    over = int((daily.bad[known] > objective.budget * daily.total[known]).sum())
    return Usual(share, over, int(known.sum()), _rounded_target(share / 0.8))


def _rounded_target(bad: float) -> float:
    """The target of a share of bad events, rounded down to two digits of the budget."""
    if not 0 < bad < 1:
        return 1.0 if bad <= 0 else 0.0
    digits = 1 - math.floor(math.log10(bad))
    return 1 - math.ceil(bad * 10.0**digits) / 10.0**digits


def _least_events(played: Replay) -> int:
    """The guard with which no single event pages, where one is needed."""
    needed = [
        p.least_events for p in played.pairs if p.pair.severity == "page" and p.single >= _SINGLE
    ]
    return max(needed, default=0)


def _alerts(objective: Objective) -> tuple[BurnPair, ...]:
    """The pairs for which the rules have an alert: those that are wanted, and can be exceeded."""
    wanted = {"page": objective.alerting.page.alert, "ticket": objective.alerting.ticket.alert}
    return tuple(
        p for p in burn_pairs(objective) if wanted[p.severity] and p.can_fire(objective.budget)
    )


def _notes(events: Events, objective: Objective) -> list[str]:
    pairs = burn_pairs(objective)
    step = format_duration(events.step_ms)
    found = []
    if any(p.short_ms < events.step_ms for p in pairs):
        found.append(
            f"Alerts are replayed at steps of {step}; shorter windows are read as one step."
        )
    never = [pair_name(p) for p in pairs if not p.can_fire(objective.budget)]
    if never:
        found.append(
            f"The alert {', '.join(never)} can never come: even if everything fails, the budget "
            "burns more slowly."
        )
    return found


def _ahead(
    objective: Objective,
    events: Events,
    split: Split,
    budget: Budget,
    *,
    now_ms: int,
    rng: np.random.Generator,
) -> RunOut | str:
    """The forecast, or why there is none."""
    if objective.window_ms < _DAY_MS:
        return "the window is shorter than a day, so that the past says little of it"
    learnt = learn(events, split, rng)
    if len(learnt.days) < LEAST_DAYS:
        return f"{len(learnt.days)} whole days are known, and {LEAST_DAYS} are needed"
    bounds = _bounds(objective, now_ms) if objective.is_calendar else None
    left = forecast_left(
        events,
        objective.budget,
        window_hours=objective.window_ms // _HOUR_MS,
        bounds=bounds,
        horizon_hours=24 * HORIZON_DAYS,
        rng=rng,
        learnt=learnt,
    )
    spent = budget.left <= 0
    for _, end in bounds or () if spent else ():
        left[:, min(end, left.shape[1]) - 1] = (
            1.0  # it returns with the next period, not an hour later
        )
    days = round(objective.window_ms / _DAY_MS)
    return run_out(left, now_ms=now_ms, spent=spent, window_days=days)


def _bounds(objective: Objective, now_ms: int) -> list[tuple[int, int]]:
    """Each period until the horizon, in hours from now."""
    found: list[tuple[int, int]] = []
    at = now_ms - 1
    while not found or found[-1][1] < 24 * HORIZON_DAYS:
        start, end = objective.period(at)
        found.append((round((start - now_ms) / _HOUR_MS), round((end - now_ms) / _HOUR_MS)))
        at = end
    return [(a, b) for a, b in found if b > 0]


def _random(seed: int, name: str) -> np.random.Generator:
    """One stream of random numbers an objective, whatever stands beside it."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])
