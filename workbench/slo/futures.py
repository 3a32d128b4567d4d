"""Possible futures of an indicator, hour by hour: usual errors, incidents to come, traffic.

What is usual is drawn from averaged models of its daily share (level, trend, level shifts,
weekdays), on the scale of the square root, where counts vary evenly. Incidents come on top: how
often and how long is learnt from those seen, and each future has its own idea of both. An incident
that is running goes on for as long again as it has lasted one time in three. Traffic repeats days of
the same weekday.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.samples import Floats, Ints
from workbench.slo.events import Events
from workbench.slo.incidents import Incident, Split
from workbench.statistics import Average, average_models, simulate

__all__ = ["LEAST_DAYS", "Futures", "Learnt", "draw", "learn"]

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS

LEAST_DAYS: Final = 3
"""With fewer days nothing is forecast."""

_MODELLED_DAYS: Final = 10
"""With fewer days, days are drawn as they were and no trend is looked for."""

_PATHS: Final = 800

_RECENT_DAYS: Final = 16
_RECENT_SHARE: Final = 0.35
"""So many of the paths follow the models of the last days alone."""

_LONGEST_HOURS: Final = 14 * 24.0
"""No running incident is drawn to go on for longer."""

_TAIL: Final = 1.5
"""An incident of some age goes on for as long again with the chance ``2 ** -_TAIL``, one in three."""

_SPREAD: Final = 0.9
"""How much the logarithm of an incident's length varies around one that was seen."""

_UNSEEN_SPREAD: Final = 2.0
"""The same of a service's incidents as a whole: divided by the root of how many were seen and …"""

_KNOWN: Final = 1.5
"""… of so many more, for what is known of incidents without having seen one."""

_MOST_INCIDENTS: Final = 400
"""A future has no more of them."""


@dataclass(frozen=True, slots=True, eq=False)
class Learnt:
    """What the history teaches.

    Parameters
    ----------
    hours
        The history in hours that end at its end.
    split
        Its bursts, and what is usual.
    days, shares
        int64 and float64, shape (days,): the usual share of bad events of each day that was seen;
        the number of the last day is 0, those before it are negative.
    averages
        Models of the roots of `shares`, each with how many paths follow it: of all days, and of
        the last ones alone, since a trend that set in late is diluted by all that came before.
        Empty where there are too few days.
    observed_days
        How many days were seen in all.
    """

    hours: Events
    split: Split
    days: Ints
    shares: Floats
    averages: tuple[tuple[Average, int], ...]
    observed_days: float


@dataclass(frozen=True, slots=True, eq=False)
class Futures:
    """Drawn futures.

    Parameters
    ----------
    bad, total
        float64, shape (paths, hours).
    """

    bad: Floats
    total: Floats


def learn(events: Events, split: Split, rng: np.random.Generator) -> Learnt:
    """Reduce a history to what futures are drawn from.

    Parameters
    ----------
    events
        All that was seen, up to the moment from which is forecast.
    split
        Its bursts and what is usual: `split_incidents(events)`.
    rng
        Where the averaged models are drawn from.
    """
    end_ms = int(events.times_ms[-1])
    hours = events.blocks(end_ms, max(_HOUR_MS, events.step_ms))
    daily = split.usual.blocks(end_ms, _DAY_MS)
    known = np.flatnonzero(daily.seen & (np.nan_to_num(daily.total) > 0))
    days = known - (len(daily) - 1)
    shares = np.clip(daily.bad[known] / daily.total[known], 0.0, 1.0)
    averages = _averages(days.astype(np.int64), np.sqrt(shares), rng)
    observed = float(np.sum(events.seen)) * events.step_ms / _DAY_MS
    return Learnt(hours, split, days.astype(np.int64), shares, averages, observed)


def _averages(
    days: Ints, roots: Floats, rng: np.random.Generator
) -> tuple[tuple[Average, int], ...]:
    if len(days) < _MODELLED_DAYS:
        return ()
    recent = days > -_RECENT_DAYS
    if recent.sum() < _MODELLED_DAYS or recent.sum() > 0.7 * len(days):
        return ((average_models(days, roots, rng, wanders=False), _PATHS),)
    late = round(_PATHS * _RECENT_SHARE)
    return (
        (average_models(days, roots, rng, wanders=False), _PATHS - late),
        (average_models(days[recent], roots[recent], rng, wanders=False), late),
    )


def draw(learnt: Learnt, horizon_hours: int, rng: np.random.Generator) -> Futures:
    """Draw futures.

    Parameters
    ----------
    learnt
        Of at least `LEAST_DAYS` days.
    horizon_hours
        How far.
    rng
        Where they come from.
    """
    days = -(-horizon_hours // 24)
    usual = _usual(learnt, days, rng)
    paths = len(usual)
    total = _traffic(learnt, days, paths, rng)
    hour = (learnt.hours.times_ms[-1] // _HOUR_MS + np.arange(24 * days)) % 24
    shape = learnt.split.profile[hour]
    share = np.repeat(usual, 24, axis=1) * shape
    share += _incidents(learnt, 24 * days, paths, rng)
    bad = np.clip(share, 0.0, 1.0) * total
    return Futures(bad[:, :horizon_hours], total[:, :horizon_hours])


def _usual(learnt: Learnt, days: int, rng: np.random.Generator) -> Floats:
    """The usual share of each coming day: shape (paths, days)."""
    parts = []
    for average, count in learnt.averages:
        paths = simulate(average, start_day=1, horizon=days, rng=rng)
        parts.append(paths.values[rng.permutation(len(paths.values))[:count]])
    if parts:
        shares: Floats = np.square(np.maximum(np.concatenate(parts), 0.0))
        return shares
    # Bayesian bootstrap: each path weighs the days seen in its own way.
    weights = rng.dirichlet(np.ones(len(learnt.shares)), _PATHS)
    places = (rng.random((_PATHS, days, 1)) > np.cumsum(weights, axis=1)[:, None, :]).sum(axis=2)
    drawn: Floats = learnt.shares[np.minimum(places, len(learnt.shares) - 1)]
    return drawn


def _traffic(learnt: Learnt, days: int, paths: int, rng: np.random.Generator) -> Floats:
    """Events of each coming hour: whole days as they were, of the same weekday where it is known."""
    count = len(learnt.hours) // 24
    known = learnt.hours.total[len(learnt.hours) - 24 * count :].reshape(count, 24)
    usable = np.flatnonzero((~np.isnan(known)).all(axis=1))
    if not len(usable):
        usable = np.arange(count)
    filled = np.where(np.isnan(known), np.nanmean(known), known)
    drawn = np.empty((paths, days), np.int64)
    for day in range(days):
        same = usable[(count + day - usable) % 7 == 0]
        pool = same if len(usable) >= 14 and len(same) else usable
        drawn[:, day] = rng.choice(pool, paths)
    total: Floats = filled[drawn].reshape(paths, 24 * days)
    return total


def _incidents(learnt: Learnt, hours: int, paths: int, rng: np.random.Generator) -> Floats:
    """The share of bad events that incidents add to each coming hour: shape (paths, hours)."""
    added = np.zeros(paths * (hours + 2))
    seen = [i for i in learnt.split.incidents if not i.running]
    if seen:
        _to_come(added, seen, learnt, hours=hours, paths=paths, rng=rng)
    if learnt.split.incidents and learnt.split.incidents[-1].running:
        _running(added, learnt.split.incidents[-1], seen, hours=hours, paths=paths, rng=rng)
    result: Floats = np.cumsum(added.reshape(paths, hours + 2), axis=1)[:, :hours]
    return result


def _to_come(
    added: Floats,
    seen: Sequence[Incident],
    learnt: Learnt,
    *,
    hours: int,
    paths: int,
    rng: np.random.Generator,
) -> None:
    """Incidents like those seen, at a rate and of lengths that each path draws for itself."""
    rate = rng.gamma(len(seen) + 0.5, 1 / max(learnt.observed_days, 1.0), paths)
    counts = np.minimum(rng.poisson(rate * hours / 24), _MOST_INCIDENTS)
    path = np.repeat(np.arange(paths), counts)
    which = rng.integers(0, len(seen), len(path))
    lengths = np.array([i.duration_ms / _HOUR_MS for i in seen])
    shares = np.array([i.share for i in seen])
    whole = rng.normal(0.0, _UNSEEN_SPREAD / np.sqrt(len(seen) + _KNOWN), paths)
    # Centred on the mean: jitter alone shall not make incidents longer.
    spread = rng.normal(-0.5 * _SPREAD**2, _SPREAD, len(path)) + whole[path]
    length = np.minimum(lengths[which] * np.exp(spread), _LONGEST_HOURS)
    start = rng.random(len(path)) * hours
    _add(added, path, start=start, length=length, share=shares[which], hours=hours)


def _running(
    added: Floats,
    now: Incident,
    seen: Sequence[Incident],
    *,
    hours: int,
    paths: int,
    rng: np.random.Generator,
) -> None:
    """What is left of the incident that is going on.

    Its age says most: without a scale of its own, ``P(left > x) = (age / (age + x)) ** _TAIL``. Where
    earlier incidents lasted longer than it has, half of the paths take after one of them.
    """
    age = now.duration_ms / _HOUR_MS
    left = age * (np.maximum(rng.random(paths), 1e-3) ** (-1 / _TAIL) - 1)
    longer = np.array(
        [i.duration_ms / _HOUR_MS - age for i in seen if i.duration_ms / _HOUR_MS > age]
    )
    if len(longer):
        left = np.where(rng.random(paths) < 0.5, rng.choice(longer, paths), left)
    _add(
        added,
        np.arange(paths),
        start=np.zeros(paths),
        length=np.minimum(left, _LONGEST_HOURS),
        share=np.full(paths, now.share),
        hours=hours,
    )


def _add(
    added: Floats, path: Ints, *, start: Floats, length: Floats, share: Floats, hours: int
) -> None:
    """Enter intervals as steps whose running sum is the share in each hour, parts of hours kept."""
    for place, sign in ((start, 1.0), (np.minimum(start + length, float(hours)), -1.0)):
        whole = np.floor(place).astype(np.int64)
        part = place - whole
        at = path * (hours + 2) + whole
        np.add.at(added, at, sign * share * (1 - part))
        np.add.at(added, at + 1, sign * share * part)
