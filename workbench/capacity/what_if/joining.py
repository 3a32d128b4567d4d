"""Join each instance of a resource with the load that drives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.capacity.instances import Instance
from workbench.capacity.what_if.loads import Load, Match, match_load
from workbench.frame import Frame
from workbench.samples import Floats, format_labels
from workbench.statistics import looks_like_counter

__all__ = ["Driven", "join_load"]

_LAGS: Final = 3
"""So many steps later usage may follow."""

_BETTER: Final = 0.05
"""A lag, or a load further down the list, must explain so much more."""

_MOST_NEGATIVE: Final = 0.02
_LEAST_KNOWN: Final = 0.5
_LEAST_SWING: Final = 0.05
"""A load that varies by less, as a share of its highest, tells nothing of more load."""


@dataclass(frozen=True, slots=True, eq=False)
class Driven:
    """An instance and its load.

    Parameters
    ----------
    instance
        What is used.
    load, match
        What drives it, and which of its series; None where there is an obstacle.
    values
        float64, shape (steps,): the sum of these series, NaN where unknown.
    lag
        By how many steps usage follows later.
    obstacle
        Why there is no load.
    """

    instance: Instance
    load: Load | None = None
    match: Match | None = None
    values: Floats | None = None
    lag: int = 0
    obstacle: str = ""

    @property
    def usage(self) -> Floats:
        """Shape (steps,), NaN where unknown."""
        known = self.instance.present & np.isfinite(self.instance.usage)
        return np.where(known, self.instance.usage, np.nan)


def join_load(instance: Instance, loads: Sequence[Load], frames: Mapping[str, Frame]) -> Driven:
    """Find what drives an instance.

    Parameters
    ----------
    instance
        What is used.
    loads
        What may drive it, the likeliest first. Its own load comes before that of others like it,
        that before the whole; among equals the one that explains clearly more.
    frames
        The answers to `load_questions`.
    """
    driven = Driven(instance)
    reasons: list[str] = []
    best: tuple[int, float, Driven] | None = None
    for load in loads:
        frame = frames.get(load.key)
        if frame is None or not len(frame):
            reasons.append(f"{load.name} gives no series")
            continue
        match = match_load(instance.labels, frame.labels, found=load.found)
        if match is None:
            reasons.append(_someone_elses(instance, load, frame))
            continue
        values = summed(frame, match.rows)
        if reason := _useless(values, driven.usage, load):
            reasons.append(reason)
            continue
        lag, explains = _lag(values, driven.usage)
        rank = (len(match.by), explains)
        if (
            best is None
            or rank[0] > best[0]
            or (rank[0] == best[0] and explains > best[1] + _BETTER)
        ):
            best = (*rank, Driven(instance, load, match, values, lag))
    if best:
        return best[2]
    return Driven(instance, obstacle=reasons[0] if reasons else "no load is known")


def summed(frame: Frame, rows: Sequence[int]) -> Floats:
    """The sum of some series, of those that are present."""
    chosen = list(rows)
    known = frame.present[chosen] & np.isfinite(frame.values[chosen])
    total = np.where(known, frame.values[chosen], 0.0).sum(axis=0)
    return np.where(known.any(axis=0), total, np.nan)


def _someone_elses(instance: Instance, load: Load, frame: Frame) -> str:
    names = {n for each in frame.labels for n in each} & set(instance.labels)
    own = format_labels({n: instance.labels[n] for n in names})
    return f"no series of {load.name} has {own}"


def _useless(load: Floats, usage: Floats, named: Load) -> str:
    """Why nothing can be learnt from a load; ``""`` where it can."""
    known = np.isfinite(load)
    if not known.any():
        return f"{named.name} has no values"
    if looks_like_counter(load[known]):
        return f"{named.name} is a counter: it only grows; give its rate(…[5m])"
    count, negative = int(known.sum()), int((load[known] < 0).sum())
    if negative > _MOST_NEGATIVE * count:
        return f"{named.name} is below 0 in {negative} of {count} steps, as no load is"
    wanted, both = int(np.isfinite(usage).sum()), int((known & np.isfinite(usage)).sum())
    if both < _LEAST_KNOWN * wanted:
        return f"{named.name} is known in {both} of the {wanted} steps in which usage is"
    top, low = (float(q) for q in np.quantile(load[known], (0.99, 0.01)))
    if top - low < _LEAST_SWING * top or top <= 0:
        return f"{named.name} hardly varies: it does not show what more of it would do"
    return ""


def _lag(load: Floats, usage: Floats) -> tuple[int, float]:
    """By how many steps usage follows later, and how much of it goes with the load."""
    squares = [_squared(delayed(load, lag), usage) for lag in range(_LAGS + 1)]
    lag = int(np.argmax(squares))
    return (lag, squares[lag]) if squares[lag] > squares[0] + _BETTER else (0, squares[0])


def delayed(values: Floats, steps: int) -> Floats:
    """The values so many steps later."""
    return np.concatenate([np.full(steps, np.nan), values])[: len(values)]


def _squared(x: Floats, y: Floats) -> float:
    known = np.isfinite(x) & np.isfinite(y)
    if known.sum() < 3 or np.ptp(x[known]) == 0 or np.ptp(y[known]) == 0:
        return 0.0
    return float(np.corrcoef(x[known], y[known])[0, 1] ** 2)
