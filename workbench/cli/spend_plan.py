"""What a spend study would ask, shown before it is asked."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from workbench.cli.console import print_table, say

if TYPE_CHECKING:
    from workbench.promql.question import Question
    from workbench.session.spend import SpendRequest
    from workbench.session.workbench import Workbench

__all__ = ["show_plan"]


def show_plan(wb: Workbench, request: SpendRequest) -> None:
    """Print a line an expression: a study asks each of them piece by piece."""
    from workbench.cli.query import PLAN_COLUMNS
    from workbench.session.spend import plan_spend

    plan = plan_spend(wb, request)
    print_table(PLAN_COLUMNS, _estimates(wb, plan.questions))
    say(f"note: the period is {plan.first} to {plan.last}")
    for log in plan.logs:
        say(f"note: {log.file} is read as a {log.title}")


def _estimates(wb: Workbench, questions: Sequence[Question]) -> Iterator[Sequence[object]]:
    from workbench.session.plan import estimate
    from workbench.window import Window

    pieces: dict[str, list[Question]] = {}
    for question in questions:
        pieces.setdefault(question.expression, []).append(question)
    for expression, asked in pieces.items():
        (one,) = estimate(wb, asked[:1])
        windows = [question.window for question in asked]
        spans = [w.end_ms - w.start_ms + w.step_ms for w in windows]
        whole = Window(windows[0].start_ms, windows[-1].end_ms, windows[0].step_ms)
        steps, samples = sum(map(len, windows)), round(one.samples * sum(spans) / spans[0])
        yield asked[0].key.partition("@")[0], expression, str(whole), one.series, steps, samples
