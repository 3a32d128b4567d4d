"""The parameters of the LLM spend report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from workbench.reporting.parameters.base import DurationText, MomentText, Parameters

if TYPE_CHECKING:
    from workbench.session.spend import SpendRequest

__all__ = ["SpendParameters"]


class SpendParameters(Parameters):
    """What a spend report takes. Several names have spaces between them."""

    last: str = Field(
        "7d",
        description="the period: whole days such as 7d, or month for the calendar month",
        examples=["month"],
    )
    history: DurationText = Field(
        "35d", description="what is ordinary, and where spend is going, is learnt from it"
    )
    end: MomentText = Field(
        "",
        description="the day before it is the last one; empty for the source's now",
        examples=["2026-02-01"],
    )
    step: DurationText = Field(
        "5m", description="distance at which counters are read", examples=["1m"]
    )
    timezone: str = Field(
        "UTC", description="whose midnights part the days", examples=["Europe/Berlin"]
    )
    match: str = Field(
        "", description="conditions that every series must meet", examples=['{cluster="eu"}']
    )
    profiles: str = Field(
        "", description="files that describe gateways of your own", examples=["gateway.toml"]
    )
    includes_cached: str = Field(
        "",
        description="whether input contains cached tokens, by profile, where it does not know",
        examples=["bifrost=yes"],
    )
    logs: str = Field(
        "", description="usage logs to read beside the metrics", examples=["usage.jsonl"]
    )
    budgets: str = Field(
        "", description="files of budgets; empty on demo: for the estate's own", examples=["b.toml"]
    )
    prices: str = Field(
        "", description="a price book, which wins over list prices", examples=["contract.csv"]
    )
    units: str = Field(
        "",
        description="counters of what requests are to achieve: selectors, or a file",
        examples=["tickets_resolved_total"],
    )
    limits: str = Field("", description="files of rate limits", examples=["limits.toml"])
    machines: str = Field(
        "",
        description="what your own model servers cost: an hour's price, or a file",
        examples=["2.49 USD/h x2"],
    )
    switch_from: str = Field(
        "",
        description="which model to exchange; empty for the dearest one",
        examples=["claude-sonnet-4-5"],
    )
    switch_to: str = Field(
        "",
        description="for which models; empty for the others that are in use",
        examples=["gpt-4o-mini"],
    )
    restate_at: str = Field(
        "",
        description="at the prices of which day to restate; empty for the source's today",
        examples=["2026-01-31"],
    )

    def verify(self) -> None:
        """Read the texts and the files; what is asked of the source is looked at with it."""
        from workbench.session.spend import check_request, parse_day
        from workbench.spend.what_if.switch import parse_switch

        check_request(self.request())
        if self.restate_at:
            parse_day(self.restate_at)
        if self.switch_to:
            parse_switch(self.switch_from.split() or "*", self.switch_to.split())

    def request(self) -> SpendRequest:
        """What the study is asked, without what its tables are asked afterwards."""
        from workbench.session.spend import SpendRequest

        asked = self.model_dump(exclude={"source", "switch_from", "switch_to", "restate_at"})
        return SpendRequest(**{**asked, "end": self.end or None})
