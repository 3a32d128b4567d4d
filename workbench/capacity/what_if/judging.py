"""What a scenario does to one resource: its peak, the chance that it is too much, what it bears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from workbench.capacity.instances import Instance
from workbench.capacity.what_if.fitting import Fitted
from workbench.capacity.what_if.joining import Driven, delayed
from workbench.capacity.what_if.loads import PLACES
from workbench.capacity.what_if.result import QUANTILES, Fit, Outcome, Verdict
from workbench.capacity.what_if.spread import stem
from workbench.samples import Floats
from workbench.statistics.queueing import Waiting, utilisation_for_wait, waiting
from workbench.statistics.regression import Shape, fold_days
from workbench.window import format_time

__all__ = ["OVER", "POSSIBLE", "judge_gone", "judge_outcome"]

OVER: Final = 0.5
"""From this chance on a resource is over its limit …"""

POSSIBLE: Final = 0.1
"""… and from this one on it may be."""

_SERVERS: Final = frozenset(
    {"workers", "threads", "connections", "slots", "processes", "consumers", "executors", "tasks"}
)
"""Units of which each serves one piece of work at a time."""

_MOST_SERVERS: Final = 100_000
_WEEK: Final = 7
_POINTS: Final = 41
_FAR: Final = 1.5
_HELD: Final = 0.6
"""Where fewer of the peaks held out lay in their 80 % intervals, the reader is told."""

_DRIFT: Final = 0.01

_BAND: Final = (0.1, 0.5, 0.9)


def service_of(instance: Instance) -> str:
    """What an instance serves: its `service`, else its job or namespace, else its kind of place."""
    labels = instance.labels
    told = instance.resource.service_of(labels)
    if told:
        return told
    for name in ("service", "job", "namespace"):
        if labels.get(name):
            return labels[name]
    place = next((n for n in PLACES if n in labels), "")
    return stem(place, labels[place]) if place else ""


def judge_gone(
    instance: Instance, verdict: Verdict, reason: str, *, driven: Driven | None = None
) -> Outcome:
    """A resource without figures, and why."""
    load = driven.load.name if driven and driven.load else ""
    return Outcome(
        instance.name, service_of(instance), instance.resource.owner, instance.resource.unit,
        dict(instance.labels), verdict, reason, load, limit=_limit(instance),
    )  # fmt: skip


def judge_outcome(
    driven: Driven,
    fitted: Fitted,
    reason: str,
    load_then: Floats,
    *,
    variability: float,
    rng: np.random.Generator,
    notes: Sequence[str] = (),
) -> Outcome:
    """What a resource uses under a scenario.

    Parameters
    ----------
    driven, fitted
        The resource, its load and their relation.
    reason
        Why the relation must not be used; ``""`` where it may.
    load_then
        Shape (steps,): the history's load as it would have been.
    variability
        Of arrivals and service times, for waits.
    rng
        Draws days and relations.
    """
    instance, relation = driven.instance, fitted.relation
    assert driven.load is not None
    assert driven.match is not None
    limit = _limit(instance)
    if reason or (instance.limit is not None and not limit > 0):
        unknown = "not known" if np.isnan(limit) else f"{limit:g}"
        known = reason or f"its limit is {unknown}"
        verdict = Verdict.UNEXPLAINED if reason else Verdict.UNKNOWN
        outcome = judge_gone(instance, verdict, known, driven=driven)
        return _with(outcome, fit=_fit(driven, fitted, relation.top, rng))
    now, then = _reference(fitted, delayed(load_then, driven.lag), instance)
    with np.errstate(invalid="ignore", divide="ignore"):
        factor = np.where(now > 0, then / now, 1.0)
    peaks = relation.peaks(now, np.stack([np.ones_like(factor), factor]), rng)
    load_now, peak_load = float(np.nanmax(now)), float(np.nanmax(then))
    bears = relation.borne(now, limit, rng) if limit > 0 else np.full(len(peaks), np.nan)
    chance_now, chance = (peaks >= limit).mean(axis=0).tolist() if limit > 0 else (np.nan, np.nan)
    quantiles = np.quantile(peaks, QUANTILES, axis=0)
    waits = _waits(instance, limit, quantiles[2], variability)
    return Outcome(
        instance.name, service_of(instance), instance.resource.owner, instance.resource.unit,
        dict(instance.labels), _verdict(limit, chance), "", _driver(driven), driven.load.unit,
        limit, load_now, peak_load, quantiles[:, 0], quantiles[:, 1], chance_now, chance,
        _quantiles(bears), *waits, fit=_fit(driven, fitted, max(peak_load, load_now), rng),
        notes=(*notes, *_notes(fitted, driven, peak_load)),
    )  # fmt: skip


def _with(outcome: Outcome, **changes: object) -> Outcome:
    from dataclasses import replace

    return replace(outcome, **changes)  # type: ignore[arg-type]


def _limit(instance: Instance) -> float:
    """The last limit known; NaN where there is none."""
    if instance.limit is None:
        return float("nan")
    known = instance.limit[np.isfinite(instance.limit)]
    return float(known[-1]) if len(known) else float("nan")


def _reference(fitted: Fitted, load_then: Floats, instance: Instance) -> tuple[Floats, Floats]:
    """The loads of the busiest of the last seven days under the scenario: as it was, and then."""
    grid = fold_days(instance.times_ms, load_then, end_ms=fitted.end_ms, step_ms=fitted.step_ms)
    count = min(_WEEK, len(grid), len(fitted.load))
    now, then = fitted.load[-count:], grid[-count:]
    then = np.where(np.isfinite(now), then, np.nan)
    top = np.where(np.isfinite(then), then, -np.inf).max(axis=1)
    full = np.isfinite(then).mean(axis=1) >= 0.5
    chosen = int(np.argmax(np.where(full, top, -np.inf) if full.any() else top))
    return now[chosen], then[chosen]


def _verdict(limit: float, chance: float) -> Verdict:
    if not limit > 0:
        return Verdict.NO_LIMIT
    if chance >= OVER:
        return Verdict.OVER
    return Verdict.TIGHT if chance >= POSSIBLE else Verdict.BEARS


def _quantiles(bears: Floats) -> Floats:
    """Quantiles of values of which some are infinite: those that are, not a NaN between two."""
    return np.asarray(np.quantile(bears, QUANTILES, method="lower"))


def _waits(
    instance: Instance, limit: float, peaks: Floats, variability: float
) -> tuple[Waiting | None, Waiting | None, float]:
    """The waits at the peak now and then, and the utilisation at which that of now doubles."""
    servers = round(limit) if np.isfinite(limit) else 0
    if (
        f"{instance.resource.unit.lower().rstrip('s')}s" not in _SERVERS
        or not 1 <= servers <= _MOST_SERVERS
    ):
        return None, None, float("nan")
    now, then = (waiting(servers, max(float(p), 0.0), variability=variability) for p in peaks)
    twice = 2 * now.mean
    doubled = (
        utilisation_for_wait(servers, twice, variability=variability)
        if now.steady and twice > 0
        else float("nan")
    )
    return now, then, doubled


def _driver(driven: Driven) -> str:
    """What drives it, in words."""
    assert driven.load is not None
    assert driven.match is not None
    if driven.match.by:
        return f"{driven.load.name} by {', '.join(driven.match.by)}"
    return f"all of {driven.load.name}" if len(driven.match.rows) > 1 else driven.load.name


def _notes(fitted: Fitted, driven: Driven, load_then: float) -> list[str]:
    relation, notes = fitted.relation, []
    beyond = load_then / relation.top
    if beyond > 1:
        far = ", far from it: test it" if beyond > _FAR else ""
        notes.append(f"That is {(beyond - 1) * 100:.0f} % beyond the highest load seen{far}.")
    if relation.shape is not Shape.LINE and relation.curvature_p < 0.01:
        notes.append(f"Not a straight line: it gets {_direction(fitted)} as load grows.")
    if fitted.since_ms is not None:
        day = format_time(fitted.since_ms)[:10]
        notes.append(f"Its relation with load changed: only days since {day} count.")
    if abs(relation.drift) >= _DRIFT:
        notes.append(f"What load costs here changes by {relation.drift * 100:+.1f} % a week.")
    if driven.lag:
        notes.append(f"It follows the load {driven.lag * fitted.step_ms / 3_600_000:g} h later.")
    if relation.held_back:
        notes.append(f"Its limit held it back in {relation.held_back} steps, which are left out.")
    if fitted.test and fitted.test.days >= 5 and fitted.test.coverage_80 < _HELD:
        held = fitted.test.coverage_80 * 100
        notes.append(f"Only {held:.0f} % of past peaks lay in their 80 % intervals: trust it less.")
    return notes


def _direction(fitted: Fitted) -> str:
    relation = fitted.relation
    low = relation.slope_at(0.6 * relation.top)[1]
    return "steeper" if relation.slope_at(relation.top)[1] > low else "flatter"


def _fit(driven: Driven, fitted: Fitted, highest: float, rng: np.random.Generator) -> Fit:
    relation = fitted.relation
    both = np.isfinite(fitted.load) & np.isfinite(fitted.usage)
    grid = np.linspace(0.0, 1.05 * max(highest, relation.top), _POINTS)
    return Fit(
        relation.explained, relation.shape.value, relation.curvature_p,
        relation.slope_at(relation.top), fitted.days, driven.lag * fitted.step_ms,
        fitted.since_ms, relation.held_back, fitted.load[both], fitted.usage[both], grid,
        relation.band(grid, _BAND, rng), relation.top, fitted.test,
    )  # fmt: skip
