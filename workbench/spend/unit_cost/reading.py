"""Units of success by calendar day, counted as tokens are: resets, births and gaps included."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from workbench.frame import Frame
from workbench.spend.counting.counted import Counted
from workbench.spend.counting.days import CalendarDays
from workbench.spend.counting.increase import Counting
from workbench.spend.counting.targets import Targets
from workbench.spend.reading.accounts import first_label, sum_by
from workbench.spend.unit_cost.planning import UnitPlan
from workbench.spend.unit_cost.spec import UnitSpec
from workbench.spend.usage import DIMENSIONS

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UnitCounts", "UnitReader"]

_FIGURES: Final = ("units", "low", "high", "moved")


@dataclass(frozen=True, slots=True, eq=False)
class UnitCounts:
    """How many units there were.

    Parameters
    ----------
    spec
        What was counted.
    table
        A row for each day and whom the labels name, where there were any: ``day``, `DIMENSIONS`
        (text, ``""`` where no label tells), ``units``, ``low`` and ``high`` (the least and the most
        there were), ``moved`` (how many may belong to a neighbouring day).
    series
        How many series the counter has.
    resets
        How often they began anew.
    """

    spec: UnitSpec
    table: pd.DataFrame
    series: int
    resets: int

    @property
    def told(self) -> tuple[str, ...]:
        """The dimensions that labels tell."""
        return tuple(d for d in DIMENSIONS if (self.table[d] != "").any())


class UnitReader:
    """Takes the answers to a plan, piece by piece, and counts.

    Parameters
    ----------
    plan
        What was asked.
    """

    def __init__(self, plan: UnitPlan) -> None:
        self._plan = plan
        self._targets = Targets()
        self._counting = [Counting(plan.days, plan.step_ms, self._targets) for _ in plan.units]

    def take(self, frames: Mapping[str, Frame]) -> None:
        """Take the answers of one piece, by their questions' keys; pieces in the plan's order."""
        asked = {key: self._plan.asked[key] for key in frames if key in self._plan.asked}
        for key, what in asked.items():
            if what == "up":
                self._targets.add_up(frames[key])
            elif what == "start":
                self._targets.add_starts(frames[key])
        for key, what in asked.items():
            frame = frames[key]
            if isinstance(what, int) and len(frame):
                self._counting[what].add(frame)
                there = frame.times_ms[np.any(frame.present, axis=0)]
                if len(there):
                    self._targets.reached(int(there[-1]))

    def finish(self) -> tuple[UnitCounts, ...]:
        """Count all that was taken: one for each unit, in order."""
        return tuple(
            _counts(unit, counting.finish(), self._plan.days)
            for unit, counting in zip(self._plan.units, self._counting, strict=True)
        )


def _counts(unit: UnitSpec, counted: Counted, days: CalendarDays) -> UnitCounts:
    import pandas as pd

    names = [unit.labels_of(d) for d in DIMENSIONS]
    numbers: dict[tuple[str, ...], int] = {}
    place = np.empty(len(counted), np.int64)
    for i, labels in enumerate(counted.labels):
        place[i] = numbers.setdefault(tuple(first_label(labels, n) for n in names), len(numbers))
    shape = len(numbers)
    sums = {
        "units": sum_by(place, counted.increase, shape),
        "low": sum_by(place, counted.low, shape),
        "high": sum_by(place, counted.high, shape),
        "moved": sum_by(place, counted.moved, shape),
    }
    row, day = np.nonzero(np.any([np.nan_to_num(s) > 0 for s in sums.values()], axis=0))
    columns: dict[str, Any] = {"day": days.dates[day]}
    keys = list(numbers)
    for at, dimension in enumerate(DIMENSIONS):
        told = np.array([key[at] for key in keys], dtype=object)
        columns[dimension] = pd.Series(told[row], dtype="str")
    for name in _FIGURES:
        columns[name] = np.nan_to_num(sums[name][row, day]) * unit.scale
    resets = int(counted.resets.sum())
    return UnitCounts(unit, pd.DataFrame(columns), len(counted), resets)
