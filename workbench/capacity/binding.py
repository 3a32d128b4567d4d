"""What binds first: of the resources that a service needs, the one that runs full before the others.

Each resource has its own chance of being full by each coming day. Taken as independent, the chance
that one is the first to fill is the sum over the days of its chance to fill on that day, times the
chance that no other has by then.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.capacity.outlook import Outlook, Verdict
from workbench.samples import Floats

__all__ = ["Binding", "Rank", "bindings"]

_WORTH_SAYING: Final = 0.05
"""A service none of whose resources fills with at least this chance is bound by none in sight."""

_MOST_MOMENTS: Final = 64
"""Of a day, at which it is asked whether others are full yet."""


@dataclass(frozen=True, slots=True)
class Rank:
    """One resource of a service, and the chance that it is the first to be full."""

    outlook: Outlook
    first: float


@dataclass(frozen=True, slots=True)
class Binding:
    """What binds a service.

    Parameters
    ----------
    service
        Its name.
    ranks
        Its resources that have a limit, the one that binds first in front: by the chance of being
        the first to fill, or, where none fills within the time that futures were drawn for, by the
        share of the limit that the seasonal peak takes.
    fills
        The chance that any of them is full within that time.
    horizon_days
        That time: twice the horizon of the analysis.
    unknown
        How many more have no limit or no forecast.
    """

    service: str
    ranks: tuple[Rank, ...]
    fills: float
    horizon_days: int
    unknown: int

    @property
    def first(self) -> Rank:
        """What binds first."""
        return self.ranks[0]

    @property
    def in_sight(self) -> bool:
        """Whether something is likely enough to fill to call it binding by date."""
        return self.fills >= _WORTH_SAYING

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "service": self.service,
            "binds_first": self.first.outlook.name,
            "in_sight": self.in_sight,
            "fills": round(self.fills, 4),
            "within_days": self.horizon_days,
            "ranks": [
                {
                    "name": r.outlook.name,
                    "first": round(r.first, 4),
                    "share": r.outlook.share,
                    "verdict": r.outlook.verdict.value,
                }
                for r in self.ranks
            ],
            "unknown": self.unknown,
        }


def bindings(outlooks: Iterable[Outlook], *, horizon_days: int) -> tuple[Binding, ...]:
    """Tell for each service which of its resources binds first.

    Parameters
    ----------
    outlooks
        Of any services; those that name none are left out.
    horizon_days
        Of the analysis that gave them.

    Returns
    -------
    tuple of Binding
        The service whose resource is the most urgent first; services of whose resources nothing
        is known are left out.
    """
    groups: dict[str, list[Outlook]] = {}
    for outlook in outlooks:
        if outlook.service:
            groups.setdefault(outlook.service, []).append(outlook)
    found = [_binding(name, group, 2 * horizon_days) for name, group in groups.items()]
    known = [b for b in found if b is not None]
    return tuple(sorted(known, key=lambda b: (-b.fills, b.first.outlook.urgency, b.service)))


def _binding(service: str, group: Sequence[Outlook], days: int) -> Binding | None:
    limited = [o for o in group if o.share is not None]
    if not limited:
        return None
    chances = np.array([_cumulative(o, days) for o in limited])
    first = _first_chances(chances)
    ranks = [Rank(o, float(c)) for o, c in zip(limited, first.tolist(), strict=True)]
    ranks.sort(key=lambda r: (-round(r.first, 3), -(r.outlook.share or 0.0), r.outlook.name))
    fills = 1.0 - float(np.prod(1.0 - chances[:, -1]))
    unforecast = sum(o.verdict is Verdict.UNKNOWN for o in limited)
    return Binding(service, tuple(ranks), fills, days, len(group) - len(limited) + unforecast)


def _cumulative(outlook: Outlook, days: int) -> Floats:
    """The chance of being full by each coming day, shape (days,)."""
    if outlook.verdict is Verdict.FULL:
        return np.ones(days)
    if outlook.saturation is None:
        return np.zeros(days)
    return outlook.saturation.cumulative[:days]


def _first_chances(chances: Floats) -> Floats:
    """The chance that each is the first to be full, shape (resources,).

    Those that fill on one day do so at any moment of it alike: the mean over these moments of the
    chance that no other is full yet. The sum over all is the chance that any is full.
    """
    count = len(chances)
    before = np.concatenate([np.zeros((count, 1)), chances[:, :-1]], axis=1)
    on_day = chances - before
    # Of so many points the mean is exact: the others' chances are a polynomial of the moment.
    points, weights = np.polynomial.legendre.leggauss(min(count // 2 + 1, _MOST_MOMENTS))
    result = np.zeros(count)
    for moment, weight in zip((points + 1) / 2, weights / 2, strict=True):
        alive = 1.0 - before - moment * on_day
        result += weight * (on_day * _product_of_others(alive)).sum(axis=1)
    return result


def _product_of_others(values: Floats) -> Floats:
    """Of each row, the product of all other rows."""
    none = np.ones((1, values.shape[1]))
    above = np.cumprod(np.concatenate([none, values[:-1]]), axis=0)
    below = np.cumprod(np.concatenate([none, values[:0:-1]]), axis=0)[::-1]
    return np.asarray(above * below)
