"""The parameters of each report as typed models, which its notebook's `parameters` cell repeats."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from workbench.capacity.resource_sets import load_resources
from workbench.errors import InputError
from workbench.units import parse_duration
from workbench.window import Window, parse_time

__all__ = [
    "CapacityParameters",
    "CardinalityParameters",
    "LatencyParameters",
    "Parameters",
    "RightsizingParameters",
    "SloParameters",
]


def _duration(text: str) -> str:
    try:
        if parse_duration(text) > 0:
            return text
    except InputError:
        pass
    msg = "a duration above 0 and of at most 292y"
    raise ValueError(msg)


def _moment(text: str) -> str:
    try:
        if text:
            parse_time(text, now_ms=0)
    except InputError:
        msg = "a moment in time"
        raise ValueError(msg) from None
    return text


def _no_duration(text: str) -> str:
    return _duration(text) if text else text


OptionalDuration = Annotated[str, AfterValidator(_no_duration)]
"""A duration above 0, or nothing."""

DurationText = Annotated[str, AfterValidator(_duration)]
"""A duration above 0 as PromQL writes it."""

MomentText = Annotated[str, AfterValidator(_moment)]
"""A moment in time as `workbench.window.parse_time` reads it, or nothing."""


class Parameters(BaseModel):
    """What every report takes. The fields stand in the notebook's `parameters` cell, in this order."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str = Field(
        "",
        description="a URL, snapshot:PATH, demo: or a name from workbench.toml; empty for the default",
        examples=["https://prometheus:9090"],
    )

    def verify(self) -> None:
        """Raise where what a parameter names is missing or wrong: before a kernel starts."""

    def subject(self, source: str) -> str:
        """What the report is about: its source, unless it is about something else."""
        return source


class CapacityParameters(Parameters):
    """What a capacity report takes."""

    last: DurationText = Field("35d", description="the history to learn from", examples=["35d"])
    end: MomentText = Field(
        "",
        description="where the history ends; empty for the source's now",
        examples=["2026-01-31T12:00:00Z"],
    )
    step: DurationText = Field("1h", description="distance between two points", examples=["1h"])
    resources: str = Field(
        "",
        description="path of a resources.toml; empty for the ready-made sets",
        examples=["resources.toml"],
    )
    horizon_days: int = Field(
        90, ge=1, le=730, description="how far to look ahead, in days", examples=[90]
    )
    lead_time: OptionalDuration = Field(
        "14d",
        description="how long more of a resource takes to get, unless it says it itself",
        examples=["14d"],
    )
    deploys: str = Field(
        "",
        description="what may have shifted levels: a metric, a file, moments, or none; empty for build metrics",
        examples=["my_app_build_info"],
    )
    timezone: str = Field(
        "UTC", description="whose days and weeks are the seasons", examples=["Europe/Berlin"]
    )
    holidays: str = Field(
        "",
        description="local dates, past and coming, that pass as Sundays do",
        examples=["2026-12-25 2026-12-26"],
    )
    traffic: str = Field(
        "+30%", description="of the scenario: a change of the load, or nothing", examples=["x2"]
    )
    lost: str = Field(
        "", description="of the scenario: label=value of what is gone", examples=["region=eu-west"]
    )
    instances: str = Field(
        "", description="of the scenario: -1, +2 or n=4 of each group", examples=["-1"]
    )
    driver: str = Field(
        "",
        description="PromQL of the load; empty for what each resource names, else counters of requests",
        examples=["sum(rate(http_requests_total[5m]))"],
    )

    def verify(self) -> None:
        """Read the step, the lead time, the resources, the calendar and the scenario."""
        from workbench.capacity.what_if.analysis import check_grid
        from workbench.capacity.what_if.scenario import parse_scenario
        from workbench.session.capacity import check_lead_time
        from workbench.statistics.local_time import day_numbers, split_dates, time_zone

        step_ms = parse_duration(self.step)
        check_grid(Window(0, step_ms, step_ms))  # the scenario's, which is the stricter one
        check_lead_time(self.lead_time)
        if self.resources:
            load_resources(Path(self.resources))
        parse_scenario(self.traffic, self.lost, self.instances)
        time_zone(self.timezone)
        day_numbers(split_dates(self.holidays))


class CardinalityParameters(Parameters):
    """What a cardinality report takes. Several names have spaces between them."""

    candidate: str = Field(
        "",
        description="what will be deployed: source code, files of metrics, URLs; empty for the source itself",
        examples=["src"],
    )
    baseline: str = Field(
        "",
        description="what runs now; empty for the source where there is a candidate, none for nothing",
        examples=["before.prom"],
    )
    since: OptionalDuration = Field(
        "",
        description="take the baseline so long ago; without a candidate, what has changed since",
        examples=["7d"],
    )
    match: str = Field(
        "", description="of servers, only series that meet a selector", examples=['{job="api"}']
    )
    exclude: str = Field(
        "", description="of source code, names and paths to leave out", examples=["testdata"]
    )
    budgets: str = Field("", description="files of budgets", examples=["budgets.toml"])
    rules: str = Field("", description="files or folders of rules", examples=["rules/"])
    dashboards: str = Field(
        "", description="files or folders of Grafana dashboards", examples=["dashboards/"]
    )
    lint: str = Field(
        "", description="only these lint rules, none for no lint; empty for all", examples=["help"]
    )
    no_lint: str = Field("", description="all lint rules but these", examples=["camel-case"])
    replicas: int = Field(
        0, ge=0, description="targets that will run it; 0 for as many as run now", examples=[6]
    )
    keep_names: bool = Field(
        False,  # noqa: FBT003 - pydantic's default stands first
        description="whether replicas keep their names over a deploy",
        examples=["true"],
    )

    def verify(self) -> None:
        """Read the budgets; see that files and sources are there, and lint rules are known."""
        from workbench.cardinality.budgets import load_budgets
        from workbench.cardinality.lint import chosen_rules
        from workbench.session.audit_names import check_name, split_names, split_selectors
        from workbench.session.cardinality_study import NO_BASELINE

        for name in (*split_names(self.candidate), *split_names(self.baseline)):
            if name != NO_BASELINE:
                check_name(name)
        split_selectors(self.match)
        split_names(self.exclude)
        load_budgets([Path(p) for p in split_names(self.budgets)])
        for name in (*split_names(self.rules), *split_names(self.dashboards)):
            if not Path(name).exists():
                msg = f"there is no {name!r}"
                raise InputError(msg, "check the path of the rules or dashboards")
        wanted = split_names(self.lint)
        chosen_rules([] if wanted == ["none"] else wanted, without=split_names(self.no_lint))

    def subject(self, source: str) -> str:
        """The candidate and what it is compared with."""
        if not self.candidate:
            return source
        if self.baseline == "none":
            return self.candidate
        return f"{self.candidate}, beside {self.baseline or source}"


class LatencyParameters(Parameters):
    """What a latency report takes. Several names have spaces between them."""

    metrics: str = Field(
        "",
        description="histograms or summaries, by name or selector; empty for all that measure a time",
        examples=["request_duration_seconds"],
    )
    by: str = Field(
        "", description="labels that tell groups apart; empty to choose them", examples=["path"]
    )
    last: DurationText = Field("14d", description="the range to study", examples=["14d"])
    end: MomentText = Field(
        "",
        description="where the range ends; empty for the source's now",
        examples=["2026-01-31T12:00:00Z"],
    )
    step: OptionalDuration = Field(
        "", description="distance between two points; empty to choose it", examples=["15m"]
    )
    objectives: str = Field(
        "", description="durations that requests should keep", examples=["250ms"]
    )
    quantiles: str = Field(
        "0.5 0.9 0.95 0.99 0.999", description="which quantiles", examples=["0.99"]
    )
    compare: str = Field(
        "deploys",
        description="deploys, previous, none, label NAME, or two windows as START/END START/END",
        examples=["previous"],
    )
    deploys: str = Field(
        "",
        description="a metric, a file of annotations or moments; empty for the metrics of builds",
        examples=["my_app_build_info"],
    )
    compare_window: OptionalDuration = Field(
        "",
        description="length of the windows before and after a deploy; empty to choose it",
        examples=["3h"],
    )
    trace_link: str = Field(
        "",
        description="where traces are shown: an address with {trace_id} in its place",
        examples=["https://jaeger.example/trace/{trace_id}"],
    )

    def verify(self) -> None:
        """Read the texts; names of metrics and files are looked at with the source."""
        from workbench.session.latency import LatencyRequest, check_request

        check_request(LatencyRequest(**self.model_dump(exclude={"source"})))


class RightsizingParameters(Parameters):
    """What a right-sizing report takes."""

    last: DurationText = Field("28d", description="the history to learn from", examples=["28d"])
    end: MomentText = Field(
        "",
        description="where the history ends; empty for the source's now",
        examples=["2026-01-31T12:00:00Z"],
    )
    step: DurationText = Field("5m", description="distance between two points", examples=["5m"])
    match: str = Field(
        "",
        description="conditions that every series must meet",
        examples=['{namespace="shop"}'],
    )
    queries: str = Field(
        "",
        description="a TOML file of PromQL in place of the shipped queries",
        examples=["queries.toml"],
    )
    risk: float = Field(
        0.05,
        gt=0,
        le=0.5,
        description="the chance that a step of next week is above the CPU request",
        examples=["0.01"],
    )
    memory_risk: float = Field(
        0.05,
        gt=0,
        le=0.5,
        description="the chance that memory exceeds its request within memory_days",
        examples=["0.01"],
    )
    memory_days: int = Field(
        30, ge=1, le=365, description="days ahead for which memory is sized", examples=[30]
    )
    cpu_limit: Literal["none", "keep", "peak"] = Field(
        "none", description="which CPU limit is advised: none, keep or peak", examples=["keep"]
    )
    hours: str = Field(
        "",
        description="which hours count for CPU; empty for all",
        examples=["mon-fri 08:00-18:00"],
    )
    timezone: str = Field("UTC", description="whose clock they are", examples=["Europe/Berlin"])
    core_hour_price: str = Field(
        "", description="of a core for an hour, to tell what is saved", examples=["0.0316"]
    )
    gib_hour_price: str = Field("", description="of a GiB for an hour", examples=["0.0042"])
    currency: str = Field("USD", description="of both prices", examples=["EUR"])

    def verify(self) -> None:
        """Read hours, prices, conditions and the file of queries."""
        from workbench.session.rightsizing import check_rightsizing

        check_rightsizing(**self.model_dump(exclude={"source", "last", "end", "step"}))


class SloParameters(Parameters):
    """What an SLO report takes. Several names have spaces between them."""

    objectives: str = Field(
        "",
        description="files of objectives; empty on demo: for the estate's own",
        examples=["slo.toml"],
    )
    last: OptionalDuration = Field(
        "",
        description="the history to learn from; empty for the window and the longest burn window",
        examples=["35d"],
    )
    end: MomentText = Field(
        "",
        description="where the history ends; empty for the source's now",
        examples=["2026-01-31T12:00:00Z"],
    )
    step: OptionalDuration = Field(
        "", description="distance between two points; empty to choose it", examples=["5m"]
    )

    def verify(self) -> None:
        """Read the objectives."""
        from workbench.session.audit_names import split_names
        from workbench.slo.files import load_objectives

        if names := split_names(self.objectives):
            load_objectives([Path(n) for n in names])
