"""The right-sizing study: ask for containers' usage, judge, join."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from workbench.capacity.money import read_prices
from workbench.capacity.rightsizing import SizingRules, right_size
from workbench.capacity.sizing_questions import SizingPlan, plan_sizing
from workbench.capacity.sizing_result import RightSizing
from workbench.findings import Provenance
from workbench.frame import Frame
from workbench.session.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from workbench.capacity.cpu_sizing import CpuLimit
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.window import Time

__all__ = ["SizingStudy", "plan_rightsizing", "study_rightsizing"]


class SizingStudy(Study):
    """A study of requests and limits, with its patches and its comparison.

    Parameters
    ----------
    result
        What was found.
    provenance
        Where the figures come from.
    table, chart, rules
        How the result is shown: functions of the result.
    """

    def __init__(
        self,
        result: RightSizing,
        provenance: Iterable[Provenance],
        *,
        table: Callable[[Any], pd.DataFrame],
        chart: Callable[[Any], Any],
        rules: Callable[[Any], pd.DataFrame],
    ) -> None:
        super().__init__("rightsizing", result, provenance, table=table, chart=chart)
        self._rules = rules

    @property
    def rules(self) -> pd.DataFrame:
        """Our request beside KRR's and the Vertical Pod Autoscaler's, judged on the last week."""
        return self._rules(self.result)

    @property
    def patches(self) -> str:
        """Strategic merge patches, one YAML document a workload."""
        text: str = self.result.patches_yaml()
        return text


def plan_rightsizing(
    workbench: Asking,
    *,
    last: Duration = "28d",
    end: Time | None = None,
    step: Duration = "5m",
    queries: Mapping[str, str] | None = None,
) -> SizingPlan:
    """What a right-sizing study would ask, and the metrics that the source lacks for it."""
    window = workbench.window(last=last, end=end, step=step)
    names = workbench.source.label_values("__name__", (), window.start_ms, window.end_ms)
    return plan_sizing(names, window, queries)


def study_rightsizing(
    workbench: Asking,
    *,
    risk: float = 0.05,
    memory_risk: float = 0.05,
    memory_days: int = 30,
    cpu_limit: CpuLimit = "none",
    hours: str = "",
    time_zone: str = "UTC",
    core_hour_price: str | Decimal = "",
    gib_hour_price: str | Decimal = "",
    currency: str = "USD",
    last: Duration = "28d",
    end: Time | None = None,
    step: Duration = "5m",
    queries: Mapping[str, str] | None = None,
) -> SizingStudy:
    """Study what containers should ask for: see `Workbench.rightsizing`."""
    from workbench.views.rightsizing import rightsizing_chart
    from workbench.views.rightsizing_table import rightsizing_table, rules_table

    prices = read_prices(core_hour_price, gib_hour_price, currency)
    rules = SizingRules(risk, memory_risk, memory_days, cpu_limit, hours, time_zone, prices)
    plan = plan_rightsizing(workbench, last=last, end=end, step=step, queries=queries)
    answers = workbench.ask_all(plan.questions)
    frames = {key: a.data for key, a in answers.items() if isinstance(a.data, Frame)}
    result = right_size(frames, rules, missing=plan.missing)
    provenance = [a.provenance for a in answers.values()]
    return SizingStudy(
        result, provenance, table=rightsizing_table, chart=rightsizing_chart, rules=rules_table
    )
