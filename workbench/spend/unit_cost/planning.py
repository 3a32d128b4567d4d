"""What to ask for units of success: their raw counters, on the grid and the days of usage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.question import Question
from workbench.promql.quote import quote_regex
from workbench.spend.counting.days import CalendarDays
from workbench.spend.planning import windows
from workbench.spend.unit_cost.spec import UnitSpec
from workbench.units import Duration, parse_duration
from workbench.window import Window

__all__ = ["UnitPlan", "plan_units"]

_SERIES: Final = 5_000
"""How many series a counter is taken to have where nobody counted them."""

_TARGETS: Final = (("up", "up"), ("start", "process_start_time_seconds"))


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """All questions about units of success.

    Parameters
    ----------
    units
        What is counted.
    days
        The calendar days.
    step_ms
        Distance of the grid's points.
    pieces
        The questions of each piece of time, to be asked and taken in this order.
    asked
        By key: the number of a unit, or ``up`` or ``start`` of the targets.
    """

    units: tuple[UnitSpec, ...]
    days: CalendarDays
    step_ms: int
    pieces: tuple[tuple[Question, ...], ...]
    asked: Mapping[str, int | str]


def plan_units(
    units: Sequence[UnitSpec],
    days: CalendarDays,
    step_ms: int,
    *,
    now_ms: int | None = None,
    before: Duration = "1d",
    series: int = _SERIES,
    jobs: Sequence[str] = (),
    where: Sequence[Matcher] = (),
) -> UnitPlan:
    """Plan what to ask; parameters as of `workbench.spend.planning.plan_usage`.

    Examples
    --------
    >>> from datetime import date
    >>> from workbench.spend.unit_cost.spec import load_units
    >>> days = CalendarDays.between(date(2026, 3, 1), date(2026, 3, 3))
    >>> plan = plan_units(load_units(['done_total{ok="yes"}']), days, 300_000)
    >>> [str(q.window) for piece in plan.pieces for q in piece][1:]
    ['2026-03-01T00:05:00Z to 2026-03-04T00:00:00Z, step 5m']
    >>> plan.pieces[0][0].expression
    'done_total{ok="yes"}'
    """
    asked: dict[str, int | str] = {}
    times = windows(days, step_ms, parse_duration(before), series, now_ms) if units else []
    pieces = tuple(tuple(_of_piece(units, window, jobs, where, asked)) for window in times)
    return UnitPlan(tuple(units), days, step_ms, pieces, asked)


def _of_piece(
    units: Sequence[UnitSpec],
    window: Window,
    jobs: Sequence[str],
    where: Sequence[Matcher],
    asked: dict[str, int | str],
) -> list[Question]:
    result = []

    def ask(what: int | str, matchers: Sequence[Matcher]) -> None:
        key = f"unit/{what}@{window.start_ms}"
        asked[key] = what
        result.append(Question(key, render_selector(matchers), window))

    if jobs:
        job = Matcher("job", "=~", "|".join(map(quote_regex, sorted(set(jobs)))))
        for measure, name in _TARGETS:
            ask(measure, (Matcher("__name__", "=", name), *sorted({job, *where})))
    for number, unit in enumerate(units):
        ask(number, tuple(dict.fromkeys((*unit.matchers, *where))))
    return result
