"""The parameters of the capacity report."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from workbench.capacity.resource_sets import load_resources
from workbench.reporting.parameters.base import (
    DurationText,
    MomentText,
    OptionalDuration,
    Parameters,
)
from workbench.units import parse_duration
from workbench.window import Window

__all__ = ["CapacityParameters"]


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
