"""What a report would ask of its source, told before it asks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workbench.reporting.catalogue import check_parameters, find_report
from workbench.reporting.parameters import (
    CapacityParameters,
    CardinalityParameters,
    LatencyParameters,
    Parameters,
    RightsizingParameters,
    SloParameters,
    SpendParameters,
)
from workbench.session import connect
from workbench.session.plan import Estimate, estimate

__all__ = ["plan_report"]


def plan_report(
    name: str, parameters: Mapping[str, Any], *, source: str | None = None
) -> list[Estimate]:
    """Estimate what a report's questions would cost; only their selectors are counted.

    Parameters
    ----------
    name, parameters, source
        As for `run_report`.

    Raises
    ------
    ParameterError
        The name or a parameter is wrong.
    SourceError
        The source cannot be asked.
    """
    asked = {**parameters, **({"source": source} if source else {})}
    checked = check_parameters(find_report(name), asked)
    with connect(checked.source or None) as workbench:
        return estimate(workbench, _questions(workbench, checked))


def _questions(workbench: Any, checked: Parameters) -> list[Any]:
    if isinstance(checked, CardinalityParameters):
        from workbench.session.cardinality_study import plan_cardinality

        return plan_cardinality(workbench, candidate=checked.candidate, baseline=checked.baseline)
    if isinstance(checked, LatencyParameters):
        from workbench.session.latency import LatencyRequest, plan_latency

        return plan_latency(workbench, LatencyRequest(**checked.model_dump(exclude={"source"})))
    if isinstance(checked, RightsizingParameters):
        from workbench.session.rightsizing import plan_rightsizing

        plan = plan_rightsizing(
            workbench,
            last=checked.last,
            end=checked.end or None,
            step=checked.step,
            match=checked.match,
            queries=checked.queries,
        )
        return list(plan.questions)
    if isinstance(checked, SpendParameters):
        from workbench.session.spend import plan_spend

        return list(plan_spend(workbench, checked.request()).questions)
    if isinstance(checked, SloParameters):
        from workbench.session.slo import plan_slo

        return plan_slo(
            workbench,
            objectives=checked.objectives,
            last=checked.last or None,
            end=checked.end or None,
            step=checked.step or None,
        )[1]
    from workbench.session.capacity import plan_capacity

    assert isinstance(checked, CapacityParameters)
    _, questions = plan_capacity(
        workbench,
        resources=checked.resources or None,
        last=checked.last,
        end=checked.end or None,
        step=checked.step,
    )
    return questions
