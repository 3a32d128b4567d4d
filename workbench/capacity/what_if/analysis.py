"""What if load grows, a part is gone or instances become fewer: frames in, outcomes out.

The load moves first: by the scenario's factor, from what is gone to what stays, from n instances
to fewer. What each resource then uses comes from the relation of its usage and its load so far.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from workbench.capacity.instances import Instance, instances
from workbench.capacity.planning import limit_key, usage_key
from workbench.capacity.resource import Resource
from workbench.capacity.suspicions import is_counter
from workbench.capacity.what_if.findings import conclude_what_if
from workbench.capacity.what_if.fitting import Fitted, fit_driven
from workbench.capacity.what_if.joining import Driven, join_load
from workbench.capacity.what_if.judging import judge_gone, judge_outcome
from workbench.capacity.what_if.loads import Load, load_questions, usual_loads
from workbench.capacity.what_if.result import Outcome, Verdict, WhatIfResult
from workbench.capacity.what_if.scenario import Scenario, parse_scenario
from workbench.capacity.what_if.spread import alike, check_lost, gone_instances, load_without
from workbench.errors import InputError
from workbench.frame import Bools, Frame
from workbench.samples import Floats
from workbench.statistics.daily import DAY_MS
from workbench.window import Window

__all__ = [
    "Load",
    "Scenario",
    "WhatIfResult",
    "analyse_what_if",
    "check_grid",
    "load_questions",
    "parse_scenario",
    "usual_loads",
]

_SMALLEST_STEP_MS: Final = 300_000


@dataclass(frozen=True, slots=True, eq=False)
class _Studied:
    """One instance on its way through the analysis."""

    driven: Driven
    fitted: Fitted | None
    reason: str
    gone: bool


def check_grid(window: Window) -> None:
    """Refuse a window on which days cannot be told apart.

    Raises
    ------
    InputError
        The step does not divide a day, or is shorter than five minutes or longer than six hours.
    """
    step = window.step_ms
    if DAY_MS % step or not _SMALLEST_STEP_MS <= step <= DAY_MS // 4:
        msg = f"a step of {step / 60_000:g} minutes is of no use here"
        raise InputError(msg, 'give one from 5m to 6h that divides a day, such as step="1h"')


def analyse_what_if(
    resources: Sequence[Resource],
    frames: Mapping[str, Frame],
    scenario: Scenario,
    *,
    window: Window,
    loads: Sequence[Load],
    variability: float = 1.0,
    seed: int = 0,
) -> WhatIfResult:
    """Judge what a scenario would do.

    Parameters
    ----------
    resources
        What was asked about, by `workbench.capacity.questions`; one with a `driver` has that load.
    frames
        The answers, those to `load_questions` among them.
    scenario
        What is supposed.
    window
        The history that was asked for.
    loads
        What drives the others: the one given, or those found by `usual_loads`.
    variability
        Of arrivals and service times, for waits: see `workbench.statistics.queueing.waiting`.
    seed
        Of the drawn days: equal input and seed give equal figures, in any order.

    Raises
    ------
    InputError
        What is lost is nowhere, or the grid is of no use.
    """
    check_grid(window)
    if scenario.lost:
        check_lost(scenario.lost, (each for f in frames.values() for each in f.labels))
    studied: list[_Studied] = []
    for resource in resources:
        studied.extend(_studied(resource, frames, scenario, window=window, loads=loads, seed=seed))
    outcomes = _outcomes(studied, frames, scenario, variability=variability, seed=seed)
    outcomes = sorted(_first_to_bind(outcomes), key=lambda o: o.urgency)
    used = {s.driven.load.expression: s.driven.load.found for s in studied if s.driven.load}
    return WhatIfResult(
        scenario, tuple(outcomes), used, conclude_what_if(scenario, outcomes, loads, used)
    )


def _studied(
    resource: Resource,
    frames: Mapping[str, Frame],
    scenario: Scenario,
    *,
    window: Window,
    loads: Sequence[Load],
    seed: int,
) -> list[_Studied]:
    usage = frames.get(usage_key(resource))
    if usage is None or not len(usage):
        return []
    found = instances(resource, usage, frames.get(limit_key(resource)))
    gone = (
        gone_instances(found, usage, scenario.lost) if scenario.lost else np.zeros(len(found), bool)
    )
    own = (Load(resource.driver, resource.driver),) if resource.driver else loads
    result = []
    for instance, lost in zip(found, gone.tolist(), strict=True):
        if not _alive(instance, window):
            continue
        driven = join_load(instance, own, frames)
        fitted, reason = None, driven.obstacle
        if is_counter(instance, driven.usage[np.isfinite(driven.usage)]):
            reason = "its usage only grows, as a counter does: give its rate(…[5m])"
        elif driven.load is not None:
            fitted, reason = fit_driven(driven, window=window, rng=_random(seed, instance.name))
        result.append(_Studied(driven, fitted, reason, lost))
    return result


def _alive(instance: Instance, window: Window) -> bool:
    """Whether it has given any sample in the last day: pods come and go."""
    recent = instance.times_ms > window.end_ms - DAY_MS
    return bool((instance.present & recent).any())


def _outcomes(
    studied: Sequence[_Studied],
    frames: Mapping[str, Frame],
    scenario: Scenario,
    *,
    variability: float,
    seed: int,
) -> list[Outcome]:
    counts = _counts(studied)
    rows_gone = _rows_gone(studied, frames, scenario)
    shares = _usage_shares(studied)
    result = []
    for each in studied:
        driven = each.driven
        if each.gone:
            result.append(judge_gone(driven.instance, Verdict.GONE, f"{scenario.describe()}"))
            continue
        group = alike(driven.instance, anywhere=False)
        fewer, notes = 1.0, []
        if scenario.changes_instances:
            now = counts.get(group, 0) if group else 0
            then = scenario.instances_then(now)
            if group and then == 0:
                reason = (
                    "it is the only one of its kind" if now == 1 else f"all {now} would be gone"
                )
                result.append(judge_gone(driven.instance, Verdict.ALONE, reason))
                continue
            fewer = now / then if group else 1.0
            notes.append(
                f"{now} like it become {then}."
                if group
                else "It is not told apart by instance: their number changes nothing here."
            )
        if each.fitted is None:
            result.append(judge_gone(driven.instance, Verdict.UNKNOWN, each.reason, driven=driven))
            continue
        then_load = _moved(each, frames, rows_gone, shares, scenario)
        if then_load is None:
            result.append(judge_gone(driven.instance, Verdict.GONE, "its load is gone"))
            continue
        result.append(
            judge_outcome(
                driven, each.fitted, each.reason, then_load * scenario.traffic * fewer,
                variability=variability, rng=_random(seed, driven.instance.name), notes=notes,
            )
        )  # fmt: skip
    return result


def _counts(studied: Sequence[_Studied]) -> dict[object, int]:
    """How many instances of each group stay."""
    counts: dict[object, int] = {}
    for each in studied:
        group = alike(each.driven.instance, anywhere=False)
        if group and not each.gone:
            counts[group] = counts.get(group, 0) + 1
    return counts


def _rows_gone(
    studied: Sequence[_Studied], frames: Mapping[str, Frame], scenario: Scenario
) -> dict[str, Bools]:
    """Which series of each load are gone: those that bear the label, else those of what is gone."""
    if scenario.lost is None:
        return {}
    name, value = scenario.lost
    result: dict[str, Bools] = {}
    for key in {s.driven.load.key for s in studied if s.driven.load}:
        labels = frames[key].labels
        gone = np.array([each.get(name) == value for each in labels], bool)
        if not any(name in each for each in labels):
            for each in studied:
                match = each.driven.match
                if (
                    each.gone
                    and match
                    and match.own
                    and each.driven.load
                    and each.driven.load.key == key
                ):
                    gone[list(match.rows)] = True
        result[key] = gone
    return result


def _usage_shares(studied: Sequence[_Studied]) -> dict[object, float]:
    """By what the load of each group grows when what is gone is told by usage alone.

    Where one load drives all, each carries as much of it as the load moves its usage. What a group
    loses goes to those of it that stay; where none does, to all that stay of the same resource.
    """
    stays: dict[object, float] = {}
    lost: dict[object, float] = {}
    kinds: dict[object, str] = {}
    for each in studied:
        group = _shared(each.driven.instance)
        kinds[group] = each.driven.instance.resource.key
        carried = each.fitted.carried if each.fitted else 0.0
        stays[group] = stays.get(group, 0.0) + (0.0 if each.gone else carried)
        lost[group] = lost.get(group, 0.0) + (carried if each.gone else 0.0)
    shares: dict[object, float] = {}
    for group in (g for g in stays if stays[g] > 0):
        same = [g for g in stays if kinds[g] == kinds[group]]
        orphaned = sum(lost[g] for g in same if stays[g] <= 0)
        whole = sum(stays[g] + lost[g] for g in same if stays[g] > 0)
        shares[group] = (1 + lost[group] / stays[group]) * (1 + orphaned / whole)
    return shares


def _shared(instance: Instance) -> object:
    """What shares a load that is known as a whole only."""
    return alike(instance, anywhere=True) or (("", instance.resource.key),)


def _moved(
    each: _Studied,
    frames: Mapping[str, Frame],
    rows_gone: Mapping[str, Bools],
    shares: Mapping[object, float],
    scenario: Scenario,
) -> Floats | None:
    """The load of an instance that stays, before traffic grows, shape (steps,)."""
    driven = each.driven
    assert driven.load is not None
    assert driven.values is not None
    assert driven.match is not None
    if scenario.lost is None:
        return driven.values
    gone = rows_gone[driven.load.key]
    if gone.any():
        return load_without(driven, frames[driven.load.key], gone)
    if driven.match.own:
        return driven.values
    return driven.values * shares.get(_shared(driven.instance), 1.0)


def _first_to_bind(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Mark what reaches its limit first in each service."""
    first: dict[str, Outcome] = {}
    for each in outcomes:
        if each.verdict.follows_load and np.isfinite(each.bears[2]):
            known = first.get(each.service)
            if known is None or (each.bears[2], each.name) < (known.bears[2], known.name):
                first[each.service] = each
    chosen = set(map(id, first.values()))
    return [replace(o, binds_first=True) if id(o) in chosen else o for o in outcomes]


def _random(seed: int, name: str) -> np.random.Generator:
    """One stream of random numbers a resource, whatever stands beside it."""
    digest = hashlib.blake2b(name.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(digest, "big")])
