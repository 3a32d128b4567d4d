"""The spend study: find who tells of usage, ask, count, price, judge, join."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from workbench.frame import Frame
from workbench.session.progress import shown
from workbench.session.spend.planning import SpendPlan, plan_spend
from workbench.session.spend.request import SpendRequest
from workbench.session.spend.study import SpendStudy
from workbench.spend.rate_limits.analysis import RateLimits, rate_limits
from workbench.spend.reading.log_joining import join_logs
from workbench.spend.reading.reader import Reading, UsageReader
from workbench.spend.self_hosted.analysis import self_hosted
from workbench.spend.self_hosted.result import SelfHosted
from workbench.spend.unit_cost.reading import UnitCounts, UnitReader
from workbench.statistics.local_time import time_zone

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from workbench.findings import Provenance
    from workbench.promql.question import Question
    from workbench.session.asking import Asking

__all__ = ["study_spend"]


def study_spend(workbench: Asking, request: SpendRequest) -> SpendStudy:
    """Study what language models cost: see `Workbench.spend`."""
    from workbench.spend.analysis import Beside, analyse

    plan = plan_spend(workbench, request)
    with shown("ask") as told:
        asked = _Asked(workbench, plan, told)
        reading = join_logs(asked.usage(), plan.logs)
        beside = Beside(
            units=asked.units(),
            rate_limits=asked.rate_limits(reading),
            self_hosted=asked.self_hosted(reading),
        )
    result = analyse(
        reading,
        plan.prices,
        first=plan.first,
        last=plan.last,
        zone=plan.zone,
        budgets=plan.wishes.budgets,
        beside=beside,
    )
    now = datetime.fromtimestamp(workbench.source.now_ms() / 1000, time_zone(plan.zone))
    return SpendStudy(result, plan.prices, asked.provenance.values(), today=now.date())


class _Asked:
    """A plan that is being asked: one piece of time is in memory at once."""

    def __init__(
        self, workbench: Asking, plan: SpendPlan, told: Callable[[int, int], object]
    ) -> None:
        self._workbench = workbench
        self._plan = plan
        self._told = told
        self._done = 0
        self._all = len(plan.questions)
        self.provenance: dict[str, Provenance] = {}

    def usage(self) -> Reading | None:
        """Tokens, requests and what else profiles count; None where logs alone are read."""
        plan = self._plan.usage
        if plan is None:
            return None
        reader = UsageReader(plan, includes_cached=self._plan.wishes.includes_cached)
        for piece in plan.pieces:
            reader.take(self._frames(piece))
        reader.take_histograms(self._frames(plan.histograms))
        return reader.finish()

    def units(self) -> tuple[UnitCounts, ...]:
        """What requests achieved."""
        reader = UnitReader(self._plan.units)
        for piece in self._plan.units.pieces:
            reader.take(self._frames(piece))
        return reader.finish()

    def rate_limits(self, reading: Reading) -> RateLimits | None:
        """What is left of rate limits."""
        plan = self._plan
        if not plan.rates:
            return None
        return rate_limits(
            self._frames(plan.rates), plan.fits, reading, plan.wishes.limits,
            first=plan.first, last=plan.last, zone=plan.zone,
        )  # fmt: skip

    def self_hosted(self, reading: Reading) -> SelfHosted | None:
        """What one's own servers cost."""
        plan = self._plan
        if not plan.machines:
            return None
        return self_hosted(
            self._frames(plan.machines), reading, plan.prices, plan.wishes.machines,
            first=plan.first, last=plan.last, zone=plan.zone,
        )  # fmt: skip

    def _frames(self, questions: Sequence[Question]) -> Mapping[str, Frame]:
        answers = self._workbench.ask_all(questions)
        self._done += len(questions)
        self._told(self._done, self._all)
        for found in (answer.provenance for answer in answers.values()):
            before = self.provenance.get(found.expression)
            self.provenance[found.expression] = before.joined(found) if before else found
        return {key: a.data for key, a in answers.items() if isinstance(a.data, Frame)}
