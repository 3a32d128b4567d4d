"""From an instance and its load to their relation, or why there is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from workbench.capacity.what_if.joining import Driven, delayed
from workbench.samples import Floats, Ints
from workbench.statistics.daily import DAY_MS
from workbench.statistics.regression import (
    LEAST_DAYS,
    HeldOut,
    Relation,
    fit_relation,
    fold_days,
    hold_out,
    last_break,
)
from workbench.units import counted
from workbench.window import Window

__all__ = ["Fitted", "fit_driven"]

_LEAST_EXPLAINED: Final = 0.3
"""Where load explains a smaller share of the usage, more load tells nothing of more usage."""

_LEAST_OF_DAY: Final = 0.5
"""A day counts where so large a share of its steps is known."""

_WEEK: Final = 7


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """The relation of an instance, and the days that it was learnt from.

    Parameters
    ----------
    relation
        Of usage and load.
    load, usage
        Shape (days, slots), NaN where unknown; the newest day last.
    since_ms
        Since when the relation holds; None where it always did.
    step_ms, end_ms
        Of the grid, and where its last day ends.
    test
        How good it was on days held out; None where load explains too little, or days are few.
    """

    relation: Relation
    load: Floats
    usage: Floats
    since_ms: int | None
    step_ms: int
    end_ms: int
    test: HeldOut | None

    @property
    def days(self) -> int:
        """On how many days both are known."""
        return int((np.isfinite(self.load) & np.isfinite(self.usage)).any(axis=1).sum())

    @property
    def carried(self) -> float:
        """What load moves of the usage at the highest load of the last week."""
        top = float(np.nanmax(self.load[-_WEEK:])) / self.relation.top
        low, high = self.relation.centre.at(np.array([0.0, top]))[0].tolist()
        return max(float(high) - float(low), 0.0)


def fit_driven(
    driven: Driven, *, window: Window, rng: np.random.Generator
) -> tuple[Fitted | None, str]:
    """Learn how the usage of an instance follows its load.

    Returns
    -------
    tuple
        The relation, None where there is none at all, and why it must not be used; ``""`` where
        it may be.
    """
    assert driven.values is not None
    times = driven.instance.times_ms
    step, end = window.step_ms, int(times[-1])
    load = np.where(driven.values >= 0, driven.values, np.nan)
    usage = driven.usage
    limit = driven.instance.limit
    parts = [delayed(load, driven.lag), usage, usage * np.nan if limit is None else limit]
    known = np.isfinite(parts[0]) & np.isfinite(usage)
    if not known.any():
        return None, "load and usage are never known together"
    # All three must have the same days, those since the first on which both are known.
    first = int(np.argmax(known))
    span = times[first:]
    grids = [_grid(span, part[first:], end, step) for part in parts]
    loads, usages, limits = grids
    together = (np.isfinite(loads) & np.isfinite(usages)).mean(axis=1) >= _LEAST_OF_DAY
    if int(together.sum()) < LEAST_DAYS:
        days = counted(int(together.sum()), "day")
        return None, f"load and usage are known together on {days}, and {LEAST_DAYS} are needed"
    if np.ptp(usage[known]) == 0:
        return None, "its usage has not moved"
    begin = last_break(loads, usages)
    if int(together[begin:].sum()) < LEAST_DAYS:
        begin = 0
    loads, usages, limits = loads[begin:], usages[begin:], limits[begin:]
    relation = fit_relation(loads, usages, rng, limit=limits)
    since = end - len(loads) * DAY_MS if begin else None
    reason = _unusable(relation)
    test = None if reason else hold_out(loads, usages, rng, limit=limits)
    return Fitted(relation, loads, usages, since, step, end, test), reason


def _grid(times_ms: Ints, values: Floats, end_ms: int, step_ms: int) -> Floats:
    """The folded series with all days of the span, known or not."""
    days = -(-(end_ms - int(times_ms[0]) + step_ms) // DAY_MS)
    folded = fold_days(times_ms, values, end_ms=end_ms, step_ms=step_ms)
    empty = np.full((days - len(folded), DAY_MS // step_ms), np.nan)
    return np.concatenate([empty, folded])


def _unusable(relation: Relation) -> str:
    if relation.explained < _LEAST_EXPLAINED:
        return f"load explains {relation.explained * 100:.0f} % of it"
    if relation.slope_at(relation.top, width=0.3)[0] <= 0:
        return "it does not rise with the load"
    return ""
