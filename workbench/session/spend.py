"""The spend study: find who tells of usage, ask, count, price, join."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from workbench.errors import InputError
from workbench.frame import Frame
from workbench.session.audit_names import split_names
from workbench.session.progress import shown
from workbench.session.study import Study
from workbench.spend.budgeting.budgets import load_budgets
from workbench.spend.planning import UsagePlan, plan_usage
from workbench.spend.prices import Prices, load_price_book
from workbench.spend.profiles.detection import detect
from workbench.spend.profiles.shipped import load_profile, shipped_profiles
from workbench.spend.reading.reader import Reading, UsageReader
from workbench.spend.result import SpendResult
from workbench.statistics.local_time import time_zone
from workbench.units import parse_duration
from workbench.window import parse_time

if TYPE_CHECKING:
    from workbench.findings import Provenance
    from workbench.session.asking import Asking
    from workbench.units import Duration
    from workbench.views.listing import Listing
    from workbench.window import Time

__all__ = ["SpendStudy", "plan_spend", "study_spend"]

_DAY_MS: Final = 86_400_000


class SpendStudy(Study):
    """Spend with the tables that a reader goes through, one after the other.

    Parameters
    ----------
    result
        Of `workbench.spend.analysis.analyse`.
    provenance
        Where the figures come from.
    """

    result: SpendResult

    def __init__(self, result: SpendResult, provenance: Iterable[Provenance]) -> None:
        from workbench.views.spend import spend_chart
        from workbench.views.spend_table import spend_table

        super().__init__("spend", result, provenance, table=spend_table, chart=spend_chart)

    def by(self, *dimensions: str) -> Listing:
        """Spend by any dimensions, such as ``"team"``, or ``"model", "prompt_version"``."""
        from workbench.views.spend_table import spend_listing

        return spend_listing(self.result, dimensions)

    @property
    def changes(self) -> Listing:
        """Why spend changed since the period before."""
        from workbench.views.spend_table import effects_listing

        return effects_listing(self.result)

    @property
    def budgets(self) -> Listing:
        """The month and each budget: what was spent, what is to come, the chance to break it."""
        from workbench.views.spend_table import budgets_listing

        return budgets_listing(self.result)

    @property
    def doubts(self) -> Listing:
        """What makes the bounds of the total as wide as they are."""
        from workbench.views.spend_table import doubts_listing

        return doubts_listing(self.result)


def plan_spend(
    workbench: Asking,
    *,
    last: Duration = "7d",
    history: Duration = "35d",
    end: Time | None = None,
    step: Duration = "5m",
    timezone: str = "UTC",
    profiles: str | Path | Iterable[str | Path] = "",
) -> tuple[UsagePlan, date, date]:
    """What a study would ask, and the first and the last day of its period."""
    now_ms = workbench.source.now_ms()
    end_ms = parse_time(end, now_ms=now_ms) if end else now_ms
    days = _days(last, "last")
    back = max(_days(history, "history"), 2 * days)
    zone = time_zone(timezone)
    final = (datetime.fromtimestamp(end_ms / 1000, zone)).date() - timedelta(days=1)
    start = final - timedelta(days=back - 1)
    span = end_ms - (back + 1) * _DAY_MS, end_ms
    names = workbench.source.label_values("__name__", (), *span)
    own = [load_profile(path) for path in split_names(profiles)]
    fits = detect(names, [*own, *shipped_profiles()])
    jobs = workbench.source.label_values("job", (), *span)
    plan = plan_usage(fits, start, final, zone=timezone, now_ms=end_ms, step=step, jobs=jobs)
    return plan, final - timedelta(days=days - 1), final


def study_spend(
    workbench: Asking,
    *,
    last: Duration = "7d",
    history: Duration = "35d",
    end: Time | None = None,
    step: Duration = "5m",
    timezone: str = "UTC",
    budgets: str | Path | Iterable[str | Path] = "",
    prices: str | Path = "",
    profiles: str | Path | Iterable[str | Path] = "",
    includes_cached: Mapping[str, bool] | None = None,
) -> SpendStudy:
    """Study what language models cost: see `Workbench.spend`."""
    from workbench.spend.analysis import analyse

    limits = load_budgets(Path(path) for path in split_names(budgets))
    book = load_price_book(Path(prices)) if prices else None
    plan, first, final = plan_spend(
        workbench, last=last, history=history, end=end, step=step, timezone=timezone,
        profiles=profiles,
    )  # fmt: skip
    reading, provenance = _read(workbench, plan, includes_cached)
    result = analyse(reading, Prices(book), first=first, last=final, zone=timezone, budgets=limits)
    return SpendStudy(result, provenance)


def _read(
    workbench: Asking, plan: UsagePlan, includes_cached: Mapping[str, bool] | None
) -> tuple[Reading, list[Provenance]]:
    """Ask piece by piece: one is in memory at a time."""
    reader = UsageReader(plan, includes_cached=includes_cached)
    provenance: dict[str, Provenance] = {}
    with shown("ask") as told:
        for number, piece in enumerate(plan.pieces):
            answers = workbench.ask_all(piece)
            reader.take({k: a.data for k, a in answers.items() if isinstance(a.data, Frame)})
            for answer in answers.values():  # the last piece stands for all of one expression
                provenance[answer.provenance.expression] = answer.provenance
            told(number + 1, len(plan.pieces))
    answers = workbench.ask_all(plan.histograms)
    reader.take_histograms({k: a.data for k, a in answers.items() if isinstance(a.data, Frame)})
    return reader.finish(), [*provenance.values(), *(a.provenance for a in answers.values())]


def _days(text: Duration, name: str) -> int:
    """Whole days."""
    span = parse_duration(text)
    if span < _DAY_MS or span % _DAY_MS:
        msg = f"{name} is {text!r}, which is not a number of whole days"
        raise InputError(msg, "give such as 7d: spend is told by calendar days")
    return span // _DAY_MS
