"""The right-sizing study: ask for containers' usage, judge, join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workbench.capacity.sizing.analysis import SizingRules, right_size
from workbench.capacity.sizing.files import load_queries
from workbench.capacity.sizing.money import read_prices
from workbench.capacity.sizing.questions import SizingPlan, plan_sizing, sizing_queries
from workbench.capacity.sizing.result import RightSizing
from workbench.findings import Provenance
from workbench.frame import Frame
from workbench.session.study import Study

if TYPE_CHECKING:
    import pandas as pd

    from workbench.capacity.sizing.cpu import CpuLimit
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.views.listing import Listing
    from workbench.window import Time

__all__ = ["SizingStudy", "check_rightsizing", "plan_rightsizing", "study_rightsizing"]


class SizingStudy(Study):
    """A study of requests and limits, with its patches and its comparison.

    Parameters
    ----------
    result
        What was found.
    provenance
        Where the figures come from.
    """

    result: RightSizing

    def __init__(self, result: RightSizing, provenance: Iterable[Provenance]) -> None:
        from workbench.views.rightsizing import rightsizing_chart
        from workbench.views.rightsizing_table import rightsizing_table

        super().__init__(
            "rightsizing", result, provenance, table=rightsizing_table, chart=rightsizing_chart
        )

    @property
    def cpu(self) -> Listing:
        """CPU: today's requests, the advised ones, and the hour in which they are exceeded most."""
        from workbench.views.rightsizing_listings import cpu_listing

        return cpu_listing(self.result)

    @property
    def memory(self) -> Listing:
        """Memory: today's requests and limits, the advised ones, and the highest seen."""
        from workbench.views.rightsizing_listings import memory_listing

        return memory_listing(self.result)

    @property
    def remarks(self) -> Listing:
        """What was seen on the way, and why there is no advice where there is none."""
        from workbench.views.rightsizing_listings import remarks_listing

        return remarks_listing(self.result)

    @property
    def rules(self) -> pd.DataFrame:
        """Our request beside KRR's and the Vertical Pod Autoscaler's, judged on the last week."""
        from workbench.views.rightsizing_table import rules_table

        return rules_table(self.result)

    @property
    def comparison(self) -> Listing:
        """The three rules over all containers: what each asks for, and how it did last week."""
        from workbench.views.rightsizing_listings import comparison_listing

        return comparison_listing(self.result)

    @property
    def each_rule(self) -> Listing:
        """Each container's request by each rule, and how often it was exceeded last week."""
        from workbench.views.rightsizing_listings import rules_listing

        return rules_listing(self.result)

    @property
    def patches(self) -> str:
        """Strategic merge patches, one YAML document a workload."""
        return self.result.patches_yaml()

    @property
    def documents(self) -> Listing:
        """Each patch by itself, to be read and copied."""
        from workbench.views.rightsizing_listings import patches_listing

        return patches_listing(self.result)


def plan_rightsizing(
    workbench: Asking,
    *,
    last: Duration = "28d",
    end: Time | None = None,
    step: Duration = "5m",
    match: str = "",
    queries: Mapping[str, str] | str | Path | None = None,
) -> SizingPlan:
    """What a right-sizing study would ask, and the metrics that the source lacks for it."""
    given = _given(queries)
    window = workbench.window(last=last, end=end, step=step)
    names = workbench.source.label_values("__name__", (), window.start_ms, window.end_ms)
    return plan_sizing(names, window, given, match=match)


def _given(queries: Mapping[str, str] | str | Path | None) -> Mapping[str, str] | None:
    """Queries as they are, or from a file."""
    if isinstance(queries, str | Path):
        return load_queries(Path(queries)) if str(queries) else None
    return queries


def check_rightsizing(*, match: str, queries: str, **wished: Any) -> None:
    """Raise what is wrong with a study's wishes, before any source is asked.

    Parameters
    ----------
    match, queries
        As for `study_rightsizing`.
    wished
        Its chances, hours, prices and the like.

    Raises
    ------
    InputError, SettingsError
        One is wrong, or the file of queries is.
    """
    sizing_queries(match=match)
    _given(queries)
    _rules(**wished)


def _rules(
    *, core_hour_price: str | Decimal, gib_hour_price: str | Decimal, currency: str, **wished: Any
) -> SizingRules:
    prices = read_prices(core_hour_price, gib_hour_price, currency)
    return SizingRules(prices=prices, **wished)


def study_rightsizing(
    workbench: Asking,
    *,
    risk: float = 0.05,
    memory_risk: float = 0.05,
    memory_days: int = 30,
    cpu_limit: CpuLimit = "none",
    hours: str = "",
    timezone: str = "UTC",
    core_hour_price: str | Decimal = "",
    gib_hour_price: str | Decimal = "",
    currency: str = "USD",
    last: Duration = "28d",
    end: Time | None = None,
    step: Duration = "5m",
    match: str = "",
    queries: Mapping[str, str] | str | Path | None = None,
) -> SizingStudy:
    """Study what containers should ask for: see `Workbench.rightsizing`."""
    rules = _rules(
        risk=risk, memory_risk=memory_risk, memory_days=memory_days, cpu_limit=cpu_limit,
        hours=hours, timezone=timezone, core_hour_price=core_hour_price,
        gib_hour_price=gib_hour_price, currency=currency,
    )  # fmt: skip
    plan = plan_rightsizing(workbench, last=last, end=end, step=step, match=match, queries=queries)
    answers = workbench.ask_all(plan.questions)
    frames = {key: a.data for key, a in answers.items() if isinstance(a.data, Frame)}
    result = right_size(frames, rules, missing=plan.missing)
    provenance = [a.provenance for a in answers.values()]
    return SizingStudy(result, provenance)
