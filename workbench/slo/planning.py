"""What to ask: bad and total events per step, each step's range as long as the step.

Ranges that tile the grid count each event once; ranges longer than the step would count it twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from workbench.errors import InputError
from workbench.promql import inspect, selector
from workbench.promql.question import Question
from workbench.slo.objective import Objective
from workbench.slo.pairs import burn_pairs
from workbench.slo.slices import Timeslices
from workbench.units import format_duration
from workbench.window import Window

__all__ = ["bad_key", "history", "questions", "ratio_key", "resets_key", "total_key"]

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_STEPS_MS: Final = tuple(m * 60_000 for m in (1, 2, 5, 10, 15, 30, 60))
_MOST_POINTS: Final = 11_000
"""So many points a series are asked for at the most where no step is given."""

_LEAST_MS: Final = 14 * _DAY_MS
"""So much is asked for at the least: two of each weekday, to tell what is usual."""

_SHORTEST_MS: Final = 300_000
"""The step where the objective's alerts do not ask for less: what Prometheus' own rules look at."""


def bad_key(objective: Objective) -> str:
    """The key of the question for bad events."""
    return f"bad {objective.key}"


def total_key(objective: Objective) -> str:
    """The key of the question for all events."""
    return f"total {objective.key}"


def ratio_key(objective: Objective) -> str:
    """The key of the question for the share, where nothing else is known."""
    return f"ratio {objective.key}"


def resets_key(objective: Objective) -> str:
    """The key of the question for how often its counters fall."""
    return f"resets {objective.key}"


def history(
    objective: Objective, *, now_ms: int, last_ms: int | None = None, step_ms: int | None = None
) -> Window:
    """The grid on which an objective is asked about.

    Parameters
    ----------
    objective
        What is promised.
    now_ms
        Where the history ends; moved down to a multiple of the step.
    last_ms
        How far back; where it is not given, the objective's window, or 14 days where that is
        shorter, and the longest burn window before it.
    step_ms
        Distance of the points: it divides an hour. Chosen for at most 11,000 points where it is
        not given.

    Raises
    ------
    InputError
        The step does not divide an hour, or is longer than the history.

    Examples
    --------
    >>> from workbench.slo.indicator import Availability
    >>> sli = Availability(total="hits_total", bad="faults_total")
    >>> month = Objective(name="a", service="b", target=0.99, sli=sli)
    >>> window = history(month, now_ms=100 * 86_400_000)
    >>> format_duration(window.step_ms), len(window) * window.step_ms // 86_400_000
    ('5m', 33)
    """
    pairs = burn_pairs(objective)
    if last_ms is None:
        last_ms = _needed(objective, now_ms) + max((p.long_ms for p in pairs), default=0)
    shortest = min((p.short_ms for p in pairs), default=_SHORTEST_MS)
    step = _step(last_ms, shortest) if step_ms is None else step_ms
    if step <= 0 or _HOUR_MS % step:
        msg = f"a step of {format_duration(step)} does not divide an hour"
        raise InputError(msg, "give 1m, 5m, 10m, 15m, 30m or 1h")
    if last_ms < step:
        msg = f"a history of {format_duration(last_ms)} is shorter than a step ({format_duration(step)})"
        raise InputError(msg, "give a longer -p last= (last=), or a shorter step")
    end = now_ms - now_ms % step
    return Window(end - last_ms // step * step + step, end, step)


def _needed(objective: Objective, now_ms: int) -> int:
    start, _ = objective.period(now_ms - 1)
    return max(objective.window_ms, now_ms - start, _LEAST_MS)


def _step(last_ms: int, shortest_ms: int) -> int:
    shortest_ms = max(shortest_ms, _SHORTEST_MS)
    fits = [s for s in _STEPS_MS if last_ms / s <= _MOST_POINTS and s >= min(shortest_ms, _HOUR_MS)]
    return fits[0] if fits else _STEPS_MS[-1]


def questions(
    objectives: Sequence[Objective],
    *,
    now_ms: int,
    last_ms: int | None = None,
    step_ms: int | None = None,
) -> list[Question]:
    """What to ask for an analysis.

    Parameters
    ----------
    objectives
        What is promised.
    now_ms, last_ms, step_ms
        As for `history`.

    Returns
    -------
    list of Question
        For each objective two, of bad and of all events, or one of their share; and one that tells
        whether its counters are any.
    """
    asked: list[Question] = []
    for each in objectives:
        window = history(each, now_ms=now_ms, last_ms=last_ms, step_ms=step_ms)
        step = format_duration(window.step_ms)
        bad, total = each.sli.bad_events(step), each.sli.total_events(step)
        if bad is None or total is None:
            asked.append(Question(ratio_key(each), str(each.sli.error_ratio(step)), window))
            continue
        asked.append(Question(total_key(each), str(total), window))
        asked.append(Question(bad_key(each), str(bad), window))
        if check := _resets(each):
            end = Window(window.end_ms, window.end_ms, window.step_ms)
            asked.append(Question(resets_key(each), check, end))
    return asked


def _resets(objective: Objective) -> str:
    """Resets a sample of the counters of all events in the last hour; "" where none are read."""
    sli = objective.sli.of if isinstance(objective.sli, Timeslices) else objective.sli
    total = sli.total_events("1h")
    if total is None:
        return ""
    found = inspect(str(total))
    if not {"increase", "rate"} & set(found.functions):
        return ""
    chosen = selector(labels=found.reads[0].matchers)
    return f"sum(resets({chosen}[1h])) / sum(count_over_time({chosen}[1h]))"
