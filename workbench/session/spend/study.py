"""The spend study as it is read: its tables and its pictures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from workbench.errors import InputError
from workbench.session.spend.derived import RestatedStudy, SwitchStudy
from workbench.session.spend.reconciling import ReconciledStudy, reconcile_study
from workbench.session.spend.request import parse_day
from workbench.session.study import Study
from workbench.spend.naming import fits
from workbench.spend.own_cost import own_costs
from workbench.spend.restating import restate
from workbench.spend.result import SpendResult
from workbench.spend.what_if.analysis import what_if
from workbench.spend.what_if.result import SwitchResult
from workbench.spend.what_if.switch import parse_switch
from workbench.views.listing import Listing

if TYPE_CHECKING:
    from workbench.findings import Provenance
    from workbench.spend.prices import Prices

__all__ = ["SpendStudy"]

_TARGETS: Final = 5
"""So many models of those in use are tried in place of another where none is named."""


class SpendStudy(Study):
    """Spend with the tables that a reader goes through, one after the other.

    Parameters
    ----------
    result
        Of `workbench.spend.analysis.analyse`.
    prices
        That it was priced with: what-ifs and restatements go by them.
    provenance
        Where the figures come from.
    today
        Of the source: at its prices a past period is restated; the last day where it is not given.
    """

    result: SpendResult

    def __init__(
        self,
        result: SpendResult,
        prices: Prices,
        provenance: Iterable[Provenance],
        *,
        today: date | None = None,
    ) -> None:
        from workbench.views.spend import spend_chart
        from workbench.views.spend_table import spend_table

        super().__init__("llm-spend", result, provenance, table=spend_table, chart=spend_chart)
        self._prices = prices
        self._today = today or result.last

    # ------------------------------------------------------------------ who, and why

    @property
    def headline(self) -> Listing:
        """Spend, its change, the month's end and what has no price, in a few lines."""
        from workbench.views.spend_headline import headline_listing

        return headline_listing(self.result)

    def by(self, *dimensions: str) -> Listing:
        """Spend by any dimensions, such as ``"team"``, or ``"model", "prompt_version"``."""
        from workbench.views.spend_table import spend_listing

        return spend_listing(self.result, dimensions)

    @property
    def users(self) -> Listing:
        """Spend by user, where anybody tells users apart."""
        from workbench.views.spend_table import users_listing

        return users_listing(self.result)

    @property
    def changes(self) -> Listing:
        """Why spend changed since the period before."""
        from workbench.views.spend_table import effects_listing

        return effects_listing(self.result)

    @property
    def anomalies(self) -> Listing:
        """Days and levels out of the ordinary: who they are, and what about them."""
        from workbench.views.spend_anomalies import anomalies_listing

        return anomalies_listing(self.result.answers.anomalies)

    def anomalies_chart(self) -> Any:
        """Each day's spend beside what is ordinary."""
        from workbench.views.spend_anomalies import anomaly_chart

        return _drawn(anomaly_chart(self.result, self.result.answers.anomalies))

    # ------------------------------------------------------------------ where it is going

    @property
    def budgets(self) -> Listing:
        """The month and each budget: what was spent, what is to come, the chance to break it."""
        from workbench.views.spend_table import budgets_listing

        return budgets_listing(self.result)

    def outlook_chart(self) -> Any:
        """The course of the month and of each budget, and the days to come."""
        from workbench.views.spend import outlook_chart

        return _drawn(outlook_chart(self.result))

    # ------------------------------------------------------------------ what it was worth

    @property
    def unit_costs(self) -> Listing:
        """What a request, and a unit of what requests are to achieve, costs."""
        from workbench.views.spend_unit_cost import unit_cost_listing

        return unit_cost_listing(self.result.answers.unit_costs)

    @property
    def versions(self) -> Listing:
        """Prompt versions beside each other, with how sure a difference is."""
        from workbench.views.spend_unit_cost import versions_listing

        return versions_listing(self.result.answers.unit_costs)

    def versions_chart(self) -> Any:
        """The cost of each prompt version with its interval."""
        from workbench.views.spend_unit_cost import versions_chart

        return _drawn(versions_chart(self.result.answers.unit_costs))

    @property
    def caching(self) -> Listing:
        """What providers' caches saved, and could have saved."""
        from workbench.views.spend_savings import cache_listing

        return cache_listing(self.result.answers.caching)

    @property
    def answers_cached(self) -> Listing:
        """What the gateway's own cache of whole answers saved."""
        from workbench.views.spend_savings import answers_listing

        return answers_listing(self.result.answers.caching)

    def caching_chart(self) -> Any:
        """What caches saved and missed, by application."""
        from workbench.views.spend_savings import savings_chart

        return _drawn(savings_chart(self.result.answers.caching))

    @property
    def waste(self) -> Listing:
        """What may have been paid for nothing."""
        from workbench.views.spend_savings import waste_listing

        return waste_listing(self.result.answers.waste)

    # ------------------------------------------------------------------ limits, latency, machines

    @property
    def rate_limits(self) -> Listing:
        """Peaks and refusals of each model."""
        from workbench.views.spend_limits import rate_limits_listing

        found = self.result.answers.rate_limits
        return rate_limits_listing(found) if found else _LOGS_ONLY

    @property
    def headroom(self) -> Listing:
        """How far peaks stay below limits, and how long that lasts."""
        from workbench.views.spend_limits import headroom_listing

        found = self.result.answers.rate_limits
        return headroom_listing(found) if found else _LOGS_ONLY

    @property
    def refusals(self) -> Listing:
        """Whose requests rate limits refused."""
        from workbench.views.spend_limits import refusals_listing

        found = self.result.answers.rate_limits
        return refusals_listing(found) if found else _LOGS_ONLY

    @property
    def remaining(self) -> Listing:
        """What providers themselves say is left of their limits."""
        from workbench.views.spend_limits import remaining_listing

        found = self.result.answers.rate_limits
        return remaining_listing(found) if found else _LOGS_ONLY

    def rate_limits_chart(self) -> Any:
        """Rates over time, beside the limits."""
        from workbench.views.spend_limits import rate_limits_chart
        from workbench.views.spend_text import no_chart

        found = self.result.answers.rate_limits
        return _drawn(rate_limits_chart(found) if found else no_chart(_LOGS_ONLY.empty))

    @property
    def latency(self) -> Listing:
        """Models by cost and by how long they take."""
        from workbench.views.spend_latency import latency_cost_listing

        return latency_cost_listing(self.result.answers.latency)

    def latency_chart(self) -> Any:
        """Cost against latency, a point a model."""
        from workbench.views.spend_latency import latency_cost_chart

        return _drawn(latency_cost_chart(self.result.answers.latency))

    @property
    def self_hosted(self) -> Listing:
        """What machines of one's own cost, by the tokens that came out."""
        from workbench.views.spend_self_hosted import self_hosted_listing

        found = self.result.answers.self_hosted
        return self_hosted_listing(found) if found else _NO_MACHINES

    def machines_by(self, *dimensions: str) -> Listing:
        """Whose requests the machines worked for: by ``"team"`` or any other dimensions."""
        from workbench.views.spend_self_hosted import self_hosted_accounts_listing

        found = self.result.answers.self_hosted
        return self_hosted_accounts_listing(found, *dimensions) if found else _NO_MACHINES

    @property
    def break_even(self) -> Listing:
        """From which volume on an API is dearer than one's own machines."""
        from workbench.views.spend_self_hosted import break_even_listing

        found = self.result.answers.self_hosted
        return break_even_listing(found) if found else _NO_MACHINES

    def break_even_chart(self) -> Any:
        """A month's cost by volume: one's own machines beside an API."""
        from workbench.views.spend_self_hosted import break_even_chart
        from workbench.views.spend_text import no_chart

        found = self.result.answers.self_hosted
        return _drawn(break_even_chart(found) if found else no_chart(_NO_MACHINES.empty))

    # ------------------------------------------------------------------ what if, and how sure

    def what_if(
        self,
        from_: str | Iterable[str] = "",
        to: str | Iterable[str] = "",
        **supposed: Any,
    ) -> SwitchStudy:
        """Price the period's requests as another model's.

        Parameters
        ----------
        from_
            Models that are left: names or globs, ``provider/model`` too; the dearest where none is
            named.
        to
            Models that take their place, each tried alone; the others that are in use where none
            is named.
        **supposed
            ``share`` of the traffic, ``tokenizer``, ``output`` and ``cached`` as numbers or ranges
            such as ``"0.9..1.2"``, and whose: ``team``, ``application``, ``user`` …

        Raises
        ------
        InputError
            A model is named, and nothing is left or there is nothing to take its place. Where none
            is named and fewer than two have a price, the study is empty and says so.
        """
        old = _names(from_) or _dearest(self.result)[:1]
        left = [
            n for n in _dearest(self.result) if not (fits(n, old) or fits(n.partition("/")[2], old))
        ]
        new = _names(to) or left[:_TARGETS]
        if not (old and new) and not (_names(from_) or _names(to)):
            nothing = SwitchResult(
                parse_switch("*", "another model"), self.result.first, self.result.last, (), (),
                self._prices.version,
            )  # fmt: skip
            return SwitchStudy(nothing, self.provenance)
        if not old or not new:
            msg = "there is no model in use to exchange" if not old else "nothing takes its place"
            raise InputError(msg, 'name both: what_if("gpt-4o", "gpt-4o-mini")')
        found = what_if(
            self.result.priced, self.result.reading, self._prices,
            parse_switch(old, new, **supposed), first=self.result.first, last=self.result.last,
        )  # fmt: skip
        return SwitchStudy(found, self.provenance)

    def restated(self, at: str | date = "", *, then: str | date = "") -> RestatedStudy:
        """Price the period anew at one day's prices.

        Parameters
        ----------
        at
            The day whose prices hold; the source's today where it is not given.
        then
            The day to compare with; each day's own prices where it is not given.
        """
        found = restate(
            self.result.history, self._prices, first=self.result.first, last=self.result.last,
            then=parse_day(then) if then else None, now=parse_day(at) if at else self._today,
            sizes=self.result.sizes,
        )  # fmt: skip
        unseen = [f for f in self.findings if f.code == "LLM-NO-DATA"]
        return RestatedStudy(found, self.provenance, unseen)

    def reconcile(
        self, invoices: str | Path | Iterable[str | Path], mapping: str | Path = "", **wished: Any
    ) -> ReconciledStudy:
        """Hold invoices against what was seen: each gap with its cause.

        Parameters
        ----------
        invoices
            CSV files; several names are a list, or text with spaces between them.
        mapping
            ``openai``, ``anthropic``, ``aws_bedrock``, ``azure``, ``google_vertex`` or a TOML file;
            found by the header where it is not given.
        **wished
            As of `workbench.session.spend.reconciling.reconcile_study`.
        """
        return reconcile_study(self.result, invoices, mapping, provenance=self.provenance, **wished)

    @property
    def own_cost(self) -> Listing:
        """The gateway's own cost beside ours, and why they differ."""
        from workbench.views.spend_restated import own_cost_listing

        return own_cost_listing(own_costs(self.result.priced))

    @property
    def doubts(self) -> Listing:
        """What makes the bounds of the total as wide as they are."""
        from workbench.views.spend_table import doubts_listing

        return doubts_listing(self.result)

    @property
    def sources(self) -> Listing:
        """Who told of usage, what was left out as told twice, and what was not seen."""
        from workbench.views.spend_headline import sources_listing

        return sources_listing(self.result)


_LOGS_ONLY: Final = Listing((), (), empty="Usage logs tell nothing of rates within a day.")
_NO_MACHINES: Final = Listing(
    (),
    (),
    empty="Nobody told what machines cost: give machines=, such as 2.49 USD/h x2, where vLLM, SGLang or "
    "TGI is scraped.",
)


def _drawn(chart: Any) -> Any:
    """A chart that shows itself as all others do."""
    from workbench.views import renderer, theme

    theme.enable()
    renderer.enable()
    return chart


def _names(given: str | Iterable[str]) -> list[str]:
    return given.split() if isinstance(given, str) else list(given)


def _dearest(result: SpendResult) -> list[str]:
    """Models with a price as ``provider/model``, the dearest first."""
    sums = result.priced.sums(["provider", "model"])
    known = sums[sums["amount"].notna() & (sums["amount"] != 0)]
    pairs = zip(known["provider"].astype(str), known["model"].astype(str), strict=True)
    return [f"{p}/{m}" if p else m for p, m in pairs]
