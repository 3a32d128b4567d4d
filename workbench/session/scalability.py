"""The study of how throughput scales with concurrency: ask, fit, join."""

from __future__ import annotations

from typing import TYPE_CHECKING

from workbench.capacity.scaling.analysis import analyse_scalability, scalability_questions
from workbench.frame import Frame
from workbench.session.study import Study

if TYPE_CHECKING:
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.window import Time

__all__ = ["study_scalability"]


def study_scalability(
    workbench: Asking,
    *,
    throughput: str,
    concurrency: str = "",
    latency: str = "",
    by: str = "",
    last: Duration = "7d",
    end: Time | None = None,
    step: Duration = "5m",
) -> Study:
    """Study how throughput scales: see `Workbench.scalability`."""
    from workbench.views.scalability import scalability_chart, scalability_table

    window = workbench.window(last=last, end=end, step=step)
    labels = [name.strip() for name in by.split(",") if name.strip()]
    asked = scalability_questions(throughput, concurrency, latency, labels, window)
    answers = workbench.ask_all(asked)
    done, other = (answers[q.key].data for q in asked)
    assert isinstance(done, Frame)
    assert isinstance(other, Frame)
    expressions = (asked[0].expression, asked[1].expression)
    result = analyse_scalability(done, other, little=bool(latency), expressions=expressions)
    provenance = [answers[q.key].provenance for q in asked]
    return Study(
        "scalability", result, provenance, table=scalability_table, chart=scalability_chart
    )
