"""What a question would cost, told before it is asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from workbench.frame import Frame
from workbench.promql import inspect, selector
from workbench.promql.question import Question

if TYPE_CHECKING:
    from workbench.session.workbench import Workbench

__all__ = ["Estimate", "estimate"]

_PROBE: Final = "5m"
_PROBE_MS: Final = 300_000
_ASSUMED_INTERVAL_MS: Final = 15_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """What one question would cost.

    Parameters
    ----------
    question
        The question.
    steps
        Points of the grid.
    series
        Series that its selectors match now.
    samples
        Raw samples that the source would read, from how many those series had in the last five
        minutes of the window; of a selector without a metric's name, at one every 15 s.
    """

    question: Question
    steps: int
    series: int
    samples: int

    def row(self) -> tuple[str, str, str, int, int, int]:
        """Key, expression, window, series, steps, samples: a line of a plan's table."""
        q = self.question
        return q.key, q.expression, str(q.window), self.series, self.steps, self.samples


def estimate(workbench: Workbench, questions: Sequence[Question]) -> list[Estimate]:
    """Estimate what questions would cost, by counting what their selectors match.

    Two instant queries per selector are all that the source is asked.
    """
    return [_one(workbench, question) for question in questions]


def _one(workbench: Workbench, question: Question) -> Estimate:
    window = question.window
    series = samples = 0.0
    for read in inspect(question.expression).reads:
        chosen = selector(labels=read.matchers)
        start_ms, end_ms = read.span(window)
        found = _number(workbench, f"count({chosen})", end_ms)
        series += found
        recent = found * _PROBE_MS / _ASSUMED_INTERVAL_MS
        if read.metric:  # over several metrics, names would be dropped and series collide
            recent = _number(workbench, f"sum(count_over_time({chosen}[{_PROBE}]))", end_ms)
        samples += recent * max(1.0, (end_ms - start_ms) / _PROBE_MS)
    return Estimate(question, len(window), round(series), round(samples))


def _number(workbench: Workbench, expression: str, at_ms: int) -> float:
    """The one value of an aggregate; 0 where it is empty."""
    data = workbench.ask(expression, at_ms).data
    assert isinstance(data, Frame)
    return float(data.values[0, 0]) if len(data) else 0.0
