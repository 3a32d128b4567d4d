"""One objective's forecast: from its history to what is left of the budget in many futures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workbench.samples import Floats
from workbench.slo.events import Events
from workbench.slo.futures import Learnt, draw, learn
from workbench.slo.incidents import split_incidents
from workbench.slo.runout import left_calendar, left_rolling

__all__ = ["forecast_left"]


def forecast_left(
    events: Events,
    budget: float,
    *,
    window_hours: int,
    bounds: Sequence[tuple[int, int]] | None,
    horizon_hours: int,
    rng: np.random.Generator,
    learnt: Learnt | None = None,
) -> Floats:
    """The share of the budget that is left after each coming hour, in many futures.

    Parameters
    ----------
    events
        The history, up to now.
    budget
        1 less the target.
    window_hours
        The length of a rolling window.
    bounds
        Of a calendar's window, start and end of each period in hours from now; None for a rolling
        one.
    horizon_hours
        How far.
    rng
        Where the futures come from.
    learnt
        What was learnt of the history before; learnt here where it is not given.

    Returns
    -------
    ndarray
        float64, shape (paths, hours).
    """
    if learnt is None:
        learnt = learn(events, split_incidents(events, least_share=budget), rng)
    futures = draw(learnt, horizon_hours, rng)
    past = learnt.hours.bad, learnt.hours.total
    if bounds is None:
        return left_rolling(*past, futures, window_hours, budget)
    return left_calendar(*past, futures, bounds, budget)
