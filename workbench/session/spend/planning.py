"""What a spend study asks its source: usage, units of success, rate limits, machines."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np

from workbench.errors import InputError
from workbench.promql.build import render_selector
from workbench.promql.matcher import Matcher
from workbench.promql.quote import quote_regex
from workbench.session.spend.logs import log_days, read_logs
from workbench.session.spend.request import SpendRequest, Wishes, end_of, read_wishes
from workbench.spend.counting.days import CalendarDays
from workbench.spend.planning import UsagePlan, plan_usage
from workbench.spend.prices import Prices
from workbench.spend.profiles.detection import Fit, detect
from workbench.spend.profiles.shipped import shipped_profiles
from workbench.spend.rate_limits.planning import plan_rate_limits
from workbench.spend.reading.log import LogReading
from workbench.spend.self_hosted.planning import plan_self_hosted
from workbench.spend.unit_cost.planning import UnitPlan, plan_units
from workbench.statistics.local_time import time_zone

if TYPE_CHECKING:
    from workbench.promql.question import Question
    from workbench.session.asking import Asking

__all__ = ["SpendPlan", "plan_spend"]

_DEMO: Final = "demo:"
_DAY_MS: Final = 86_400_000
_LOOKS: Final = 4
"""At so many moments series are counted."""
_CHURN: Final = 3.0
"""So many times the series of a moment may there be in all, as targets come and go."""
_FEW_SERIES: Final = 300
_RUN_UP: Final = 3
"""Days before the first one that may be looked at."""


@dataclass(frozen=True, slots=True)
class SpendPlan:
    """All that a study asks, and of which days it tells.

    Parameters
    ----------
    wishes
        What was asked for.
    zone
        Whose midnights part the days.
    first, last
        The period, both days included.
    usage
        Questions about tokens and requests; None where usage logs alone are read.
    units
        Questions about units of success.
    rates, machines
        Questions about rate limits, and about one's own servers.
    logs
        The usage logs, read.
    prices
        List prices and the price book.
    """

    wishes: Wishes
    zone: str
    first: date
    last: date
    usage: UsagePlan | None
    units: UnitPlan
    rates: tuple[Question, ...]
    machines: tuple[Question, ...]
    logs: tuple[LogReading, ...]
    prices: Prices

    @property
    def fits(self) -> tuple[Fit, ...]:
        """The profiles that are read."""
        return self.usage.fits if self.usage else ()

    @property
    def questions(self) -> tuple[Question, ...]:
        """All of them."""
        usage = self.usage.questions if self.usage else ()
        units = (q for piece in self.units.pieces for q in piece)
        return (*usage, *units, *self.rates, *self.machines)


def plan_spend(workbench: Asking, request: SpendRequest) -> SpendPlan:
    """Find out who tells of usage, and plan what to ask.

    Raises
    ------
    InputError
        Nothing that counts usage is there, or a text or time is of no use.
    SettingsError
        A file is missing or wrong.
    """
    source, zone = workbench.source, request.timezone
    wishes = read_wishes(request, demo=source.info().name == _DEMO)
    prices = Prices(wishes.book)
    now_ms = source.now_ms()
    end_ms = end_of(request, now_ms)
    last = _last_day(end_ms, zone, wishes)
    span = end_ms - (_history(wishes, last) + 1) * _DAY_MS, end_ms
    names = source.label_values("__name__", (), *span) if wishes.metrics else []
    fits = detect(names, [*wishes.profiles, *shipped_profiles()])
    known = bool(fits or request.end)
    logs = read_logs(
        request.logs, prices=prices, timezone=zone, includes_cached=wishes.includes_cached,
        first=last - timedelta(days=_history(wishes, last) - 1) if known else None,
        last=last if known else None,
    )  # fmt: skip
    if logs and not known:
        last = log_days(logs)[1]  # what there is ends where the logs end
    first = last.replace(day=1) if wishes.days is None else last - timedelta(days=wishes.days - 1)
    days = CalendarDays.between(last - timedelta(days=_history(wishes, last) - 1), last, zone)
    period = CalendarDays.between(first, last, zone)
    if not fits:
        if not logs:
            msg = f"no metric of a language model is in {source.info().name} up to {last}"
            raise InputError(
                msg,
                "choose another range or source; give a profile of your own (profiles=), or usage "
                "logs (logs=)",
            )
        nothing = plan_units((), days, wishes.step_ms)
        return SpendPlan(wishes, zone, first, last, None, nothing, (), (), logs, prices)
    jobs = source.label_values("job", (), *span)
    series = _largest(workbench, fits, wishes.where, (days.start_ms, end_ms))
    step_ms, where = wishes.step_ms, wishes.where
    return SpendPlan(
        wishes,
        zone,
        first,
        last,
        plan_usage(
            fits, days.first, last, zone=zone, now_ms=end_ms, step=request.step, jobs=jobs,
            where=where, series=series,
        ),
        plan_units(wishes.units, days, step_ms, jobs=jobs, where=where, now_ms=end_ms),
        plan_rate_limits(
            fits, days, step_ms=step_ms, limits=wishes.limits, where=where, now_ms=end_ms,
            series=series,
        ),
        plan_self_hosted(
            fits, wishes.machines, period, step_ms=step_ms, where=where, now_ms=end_ms
        ),
        logs,
        prices,
    )  # fmt: skip


def _largest(
    workbench: Asking, fits: Sequence[Fit], where: Sequence[Matcher], span: tuple[int, int]
) -> int:
    """How many series the largest metric may have, so that answers fit: from a few moments."""
    names = "|".join(quote_regex(n) for fit in fits for n in sorted(fit.metrics))
    selector = render_selector((Matcher("__name__", "=~", names), *sorted(set(where))))
    expression = f"max(count by (__name__) ({selector}))"
    moments = np.linspace(span[0], span[1], _LOOKS).astype(np.int64).tolist()
    counts = [0.0]
    for moment in moments:
        found = workbench.source.query(expression, moment).data
        counts += [float(v) for v in getattr(found, "values", np.zeros(0)).ravel()]
    return max(int(_CHURN * max(counts)), _FEW_SERIES)


def _last_day(end_ms: int, zone: str, wishes: Wishes) -> date:
    """The last whole day, with a calendar that reaches back as far as is to be read."""
    today = datetime.fromtimestamp(end_ms / 1000, time_zone(zone)).date()
    if (today - date.min).days <= _history(wishes, today) + _RUN_UP:
        msg = f"there are no {_history(wishes, today):,} days before {today}"
        raise InputError(msg, "give a later end, or a shorter period and history")
    return today - timedelta(days=1)


def _history(wishes: Wishes, last: date) -> int:
    """Days to read: the period twice at least, so that it can be compared."""
    return max(wishes.history, 2 * (last.day if wishes.days is None else wishes.days))
