"""Until when to order: a lead time held against the chances of running full."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from workbench.capacity.outlook import Saturation

__all__ = ["RISK", "OrderBy", "order_by"]

RISK: Final = 0.1
"""The chance of being full before what was ordered arrives that is accepted."""


@dataclass(frozen=True, slots=True)
class OrderBy:
    """By when more must be ordered, if it takes so long to arrive.

    Parameters
    ----------
    lead_days
        From the order to its use.
    days
        Until so many days from now an order arrives before the resource is full with a chance
        of 90 %; negative where that day is past.
    chance
        The chance that it is full before an order of today arrives; no more than a lower bound
        where that lies further ahead than futures were drawn.
    """

    lead_days: float
    days: float
    chance: float

    @property
    def late(self) -> bool:
        """Whether an order of today arrives too late with a chance above 10 %."""
        return self.days < 0

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {"lead_days": self.lead_days, "days": self.days, "chance": self.chance}


def order_by(found: Saturation, lead_days: float) -> OrderBy | None:
    """Hold a lead time against the chances of being full.

    Parameters
    ----------
    found
        The chance of being full by each coming day.
    lead_days
        From the order to its use, 0 or more.

    Returns
    -------
    OrderBy or None
        None where the chance stays at 10 % or below for as long as futures were drawn.

    Examples
    --------
    >>> sure = Saturation({}, 40, (40, 40), (40, 40), True, 1.0, np.repeat([0.0, 1.0], [40, 140]))
    >>> order_by(sure, 14).days
    26.0
    """
    over = np.flatnonzero(found.cumulative > RISK)
    if not len(over):
        return None
    safe = float(over[0])  # the last day by which the chance is still accepted
    arrives = min(int(np.ceil(lead_days)), len(found.cumulative))
    chance = float(found.cumulative[arrives - 1]) if arrives else 0.0
    return OrderBy(lead_days, safe - lead_days, chance)
