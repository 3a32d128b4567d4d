"""CPU of a fleet of containers: requests by our rule and by others', judged on the last week."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from workbench.capacity.sizing.containers import Container
from workbench.capacity.sizing.peer_rules import PeerAdvice, krr_cpu, vpa_cpu
from workbench.capacity.sizing.quantiles import (
    MARGINS,
    PastExceedance,
    Usage,
    anchor_of,
    margin_for,
    past_exceedance,
    slot_weights,
    weighted_quantile,
)
from workbench.capacity.sizing.result import CpuAdvice, Rule
from workbench.capacity.sizing.working_hours import SLOTS, WorkingHours, hours_of_week
from workbench.samples import Floats, Ints
from workbench.statistics import looks_like_counter

__all__ = [
    "CpuFit",
    "CpuLimit",
    "advise_cpu",
    "cpu_obstacle",
    "fit_cpu",
    "unused_share",
    "usage_of",
]

CpuLimit = Literal["none", "keep", "peak"]
"""Which CPU limit is advised: none at all, today's, or one at the highest usage and its margin."""

_DAY_MS: Final = 86_400_000
_WEEK_MS: Final = 7 * _DAY_MS
_LEAST_MS: Final = round(6.5 * _DAY_MS)
_LEAST_POINTS: Final = 200
_GROWING: Final = 0.5
_FLOOR: Final = 0.01
"""Cores that are asked for at least."""

_AT_LIMIT: Final = 0.95


@dataclass(frozen=True, slots=True)
class CpuFit:
    """What our rule gives from some history; the request is anchor × margin."""

    anchor: float
    margin: float

    @property
    def request(self) -> float:
        """In cores, with the floor of 0.01."""
        return max(self.anchor * self.margin, _FLOOR)


def fit_cpu(usages: Sequence[Usage], risk: float) -> list[CpuFit]:
    """Our request for each container of a fleet.

    Parameters
    ----------
    usages
        Cores; none of them empty.
    risk
        The chance that a step of the coming week is above the request.
    """
    past = [past_exceedance(usage, risk) for usage in usages]
    return [_fit(usage, own, past, risk) for usage, own in zip(usages, past, strict=True)]


def _fit(
    usage: Usage, own: PastExceedance, others: Sequence[PastExceedance], risk: float
) -> CpuFit:
    """Anchor and margin; the plain percentile where bursts lie beyond any margin."""
    anchor = anchor_of(usage, risk)
    plain = weighted_quantile(usage.values, slot_weights(usage), 1 - risk)
    if plain > anchor * MARGINS[-1]:
        return CpuFit(plain, 1.0)
    return CpuFit(anchor, margin_for(own, others, risk))


def cpu_obstacle(usage: Usage) -> str:
    """Why there can be no advice, ``""`` where there can."""
    if not len(usage):
        return "there is no sample of CPU usage in the hours that count"
    span = int(usage.times_ms[-1] - usage.times_ms[0])
    if span < _LEAST_MS:
        return f"its CPU usage is known for {span / _DAY_MS:.1f} days, a week is needed"
    if len(usage) < _LEAST_POINTS:
        return f"{len(usage)} points of CPU usage are known, {_LEAST_POINTS} are needed"
    if looks_like_counter(usage.values) or _only_grows(usage.values):
        return "its CPU usage only grows, as a counter does: give its rate(…[5m])"
    return ""


def _only_grows(values: Floats) -> bool:
    """Whether no point is below the one before it and most are above, as no usage does for days."""
    steps = np.diff(values)
    return bool((steps >= 0).all() and (steps > 0).mean() >= _GROWING)


def usage_of(container: Container, hours: WorkingHours | None, zone: str) -> Usage:
    """The usage in the hours that count."""
    slots = hours_of_week(container.times_ms, zone)
    whole = Usage(container.times_ms, container.cores, slots)
    if hours is None:
        return whole
    kept = hours.contain(slots)
    return Usage(whole.times_ms[kept], whole.values[kept], slots[kept])


def advise_cpu(
    found: Sequence[Container],
    *,
    risk: float,
    hours: WorkingHours | None,
    zone: str,
    limit: CpuLimit,
) -> list[tuple[Usage, CpuAdvice | None]]:
    """Judge the CPU of every container.

    Returns
    -------
    list of tuple
        Of each container the usage in the hours that count, and the advice, if any.
    """
    usages = [usage_of(c, hours, zone) for c in found]
    chosen = [i for i, usage in enumerate(usages) if not cpu_obstacle(usage)]
    fits = dict(zip(chosen, fit_cpu([usages[i] for i in chosen], risk), strict=True))
    earlier = {i: _before_last_week(usages[i]) for i in chosen}
    tested = [i for i in chosen if not cpu_obstacle(earlier[i])]
    held = dict(zip(tested, fit_cpu([earlier[i] for i in tested], risk), strict=True))
    return [
        (usage, _advice(found[i], usage, fits[i], held.get(i), limit) if i in fits else None)
        for i, usage in enumerate(usages)
    ]


def _before_last_week(usage: Usage) -> Usage:
    return usage.between(int(usage.times_ms[0]) - 1, int(usage.times_ms[-1]) - _WEEK_MS)


def _advice(
    container: Container, usage: Usage, fit: CpuFit, held: CpuFit | None, limit: CpuLimit
) -> CpuAdvice:
    cut_ms = int(usage.times_ms[-1]) - _WEEK_MS
    week = usage.between(cut_ms, cut_ms + _WEEK_MS).values if held else None
    request = fit.request
    hour, chance = _busiest(usage, request)
    now, top = container.cpu_request, container.cpu_limit
    return CpuAdvice(
        # Without the floor, as the others are: the comparison is of the rules.
        ours=_rule(request, held.anchor * held.margin if held else None, week),
        krr=_peer(krr_cpu, container, cut_ms, week),
        vpa=_peer(vpa_cpu, container, cut_ms, week),
        limit=_limit(limit, container, usage, fit),
        anchor=fit.anchor,
        margin=fit.margin,
        busiest_hour=hour,
        busiest_chance=chance,
        chance_now=None if now is None else float(slot_weights(usage)[usage.values > now].sum()),
        at_limit=None if top is None else float((usage.values >= _AT_LIMIT * top).mean()),
    )


def _rule(request: float, held: float | None, week: Floats | None) -> Rule:
    if held is None or week is None or not len(week):
        return Rule(request)
    return Rule(request, held, float((week > held).mean()), unused_share(week, held))


def unused_share(usage: Floats, request: float) -> float | None:
    """What a request holds above usage, as a share of the mean usage; None without usage.

    Examples
    --------
    >>> unused_share(np.array([1.0, 3.0]), 2.0)
    0.25
    """
    mean = float(usage.mean()) if len(usage) else 0.0
    return float(np.maximum(request - usage, 0).mean()) / mean if mean > 0 else None


def _peer(
    rule: Callable[[Ints, Floats], PeerAdvice | None],
    container: Container,
    cut_ms: int,
    week: Floats | None,
) -> Rule | None:
    """Another rule, which knows no hours that count: from all usage, judged on ours."""
    advice = rule(container.times_ms, container.cores)
    if advice is None:
        return None
    before = container.times_ms <= cut_ms
    held = rule(container.times_ms[before], container.cores[before]) if week is not None else None
    return _rule(advice.target, held.target if held else None, week)


def _limit(how: CpuLimit, container: Container, usage: Usage, fit: CpuFit) -> float | None:
    if how == "none" or (how == "keep" and container.cpu_limit is None):
        return None
    if how == "keep" and container.cpu_limit is not None:
        return max(container.cpu_limit, fit.request)
    return max(float(usage.values.max()) * max(fit.margin, 1.0), fit.request)


def _busiest(usage: Usage, request: float) -> tuple[int, float]:
    """The hour of the week in which the request was exceeded most often, and how often."""
    weights = slot_weights(usage)
    total = np.bincount(usage.slots, weights, minlength=SLOTS)
    over = np.bincount(usage.slots, weights * (usage.values > request), minlength=SLOTS)
    share = np.divide(over, total, out=np.zeros(SLOTS), where=total > 0)
    hour = int(np.argmax(share))
    return hour, float(share[hour])
